//! Products by x86's own instructions: matrices of integers (AMX), dot products of integers (AVX-512 VNNI), or pairs of
//! products (AVX2), whichever the processor has. All take the same panels.

mod amx;
mod avx2;
mod vnni;

use std::arch::x86_64::*;

use super::rows::{GROUP, Rows, WeightRows};
use crate::kernels::linear::panels::{self, HALF, padded};

/// A set of instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Instructions {
    Avx2,
    Vnni,
    Amx,
}

impl Instructions {
    /// Those that this processor has, the fastest last.
    pub(super) fn available() -> Vec<Self> {
        let all = [(Self::Avx2, panels::have_avx2()), (Self::Vnni, vnni::available()), (Self::Amx, amx::available())];
        all.into_iter().filter(|(_, available)| *available).map(|(instructions, _)| instructions).collect()
    }
}

/// The weights of a layer.
pub(super) struct Int8Panels {
    panels: panels::Panels<[i8; GROUP]>,
    scales: Vec<f32>,
    totals: Vec<i32>,
    bias: Vec<f32>,
    instructions: Instructions,
}

impl Int8Panels {
    pub(super) fn pack(weights: &WeightRows, bias: Vec<f32>, instructions: Instructions) -> Self {
        let (groups, _) = weights.values.as_chunks();
        Self {
            panels: panels::Panels::pack(groups, (weights.width / GROUP).max(1)),
            scales: padded(weights.scales.clone()),
            totals: padded(weights.totals.clone()),
            bias: padded(bias),
            instructions,
        }
    }

    /// Fills `out`, as many rows as `rows` has.
    pub(super) fn multiply(&self, rows: &Rows, out: &mut [f32]) {
        let count = rows.scales.len();
        match self.instructions {
            Instructions::Avx2 => panels::multiply(&avx2::Avx2::new(self, rows), &self.panels, count, out),
            Instructions::Vnni => panels::multiply(&vnni::Vnni { layer: self, rows }, &self.panels, count, out),
            Instructions::Amx => panels::multiply(&amx::Amx { layer: self, rows }, &self.panels, count, out),
        }
    }

    /// Writes `(sums - zero_point * totals) * scale * scales + bias` for every row of a tile from row `first` on.
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn finish<'o>(
        &self,
        panel: usize,
        rows: &Rows,
        first: usize,
        sums: impl Iterator<Item = [__m512i; 2]>,
        out: impl Iterator<Item = &'o mut [f32]>,
    ) {
        let part = |place: usize| (2 * panel + place) * HALF..(2 * panel + place + 1) * HALF;
        // SAFETY: a part holds the 16 values of a register.
        let columns: [_; 2] = std::array::from_fn(|place| unsafe {
            (
                _mm512_loadu_si512(self.totals[part(place)].as_ptr().cast()),
                _mm512_loadu_ps(self.scales[part(place)].as_ptr()),
                _mm512_loadu_ps(self.bias[part(place)].as_ptr()),
            )
        });
        let quants = rows.scales[first..].iter().zip(&rows.zero_points[first..]);
        for ((out, sums), (scale, zero_point)) in out.zip(sums).zip(quants) {
            let (scale, zero_point) = (_mm512_set1_ps(*scale), _mm512_set1_epi32(*zero_point));
            let finished = std::array::from_fn::<_, 2, _>(|place| {
                let (totals, scales, bias) = columns[place];
                let sums = _mm512_sub_epi32(sums[place], _mm512_mullo_epi32(totals, zero_point));
                _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums), _mm512_mul_ps(scales, scale), bias)
            });
            panels::store(finished, out);
        }
    }
}

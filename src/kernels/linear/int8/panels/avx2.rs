//! Pairs of products, for processors that have no dot products of integers.
//!
//! The instruction multiplies unsigned by signed values and adds pairs in 16 bits. Weights lend their signs to
//! activations, which are taken from the middle of their range: then 2 * 127 * 127 < 2^15, and all sums are exact.

use std::arch::x86_64::*;
use std::mem::transmute;
use std::ops::Range;

use super::Int8Panels;
use crate::kernels::linear::int8::rows::{GROUP, MIDDLE, Rows};
use crate::kernels::linear::panels::{self, HALF, Kernel, Outputs, prefetch, tiles, with_rows};

/// 32-bit values of a register.
const LANES: usize = 8;

pub(super) struct Avx2<'a> {
    layer: &'a Int8Panels,
    rows: &'a Rows,
    /// The rows' values from the middle of their range.
    centred: Vec<[i8; GROUP]>,
}

impl<'a> Avx2<'a> {
    pub(super) fn new(layer: &'a Int8Panels, rows: &'a Rows) -> Self {
        let (groups, _) = rows.values().as_chunks::<GROUP>();
        let centre = |group: &[u8; GROUP]| group.map(|value| value.wrapping_sub(MIDDLE).cast_signed());
        Self { layer, rows, centred: groups.iter().map(centre).collect() }
    }
}

impl Kernel for Avx2<'_> {
    type Weight = [i8; GROUP];

    fn multiply(&self, panels: Range<usize>, rows: Range<usize>, mut out: Outputs) {
        assert!(panels::have_avx2(), "this processor has no AVX2");
        for (place, panel) in panels.enumerate() {
            for tile in tiles(rows.len(), 4) {
                let first = rows.start + tile.start;
                let fetch = tile.start == 0;
                let out = out.tile(place, tile.clone());
                // SAFETY: the processor was checked above.
                with_rows!(tile.len(), ROWS => unsafe { self.tile::<ROWS>(panel, first, fetch, out) });
            }
        }
    }
}

impl Avx2<'_> {
    #[target_feature(enable = "avx2,fma")]
    fn tile<'o, const ROWS: usize>(
        &self,
        panel: usize,
        first: usize,
        fetch: bool,
        out: impl Iterator<Item = &'o mut [f32]>,
    ) {
        let weights = self.layer.panels.panel(panel);
        let tile: [&[[i8; GROUP]]; ROWS] =
            std::array::from_fn(|row| &self.centred[(first + row) * weights.len()..][..weights.len()]);
        let ones = _mm256_set1_epi16(1);
        let mut finished = [[[0.0; HALF]; 2]; ROWS];
        for half in 0..2 {
            let mut sums = [[_mm256_setzero_si256(); 2]; ROWS];
            for (place, line) in weights.iter().enumerate() {
                if fetch && half == 0 {
                    prefetch(line, weights.len());
                }
                // SAFETY: both types are 64 bytes of plain integers.
                let line = unsafe { transmute::<[[i8; GROUP]; HALF], [__m256i; 2]>(line.0[half]) };
                let magnitudes = line.map(|weights| _mm256_abs_epi8(weights));
                for (row, sums) in tile.iter().zip(&mut sums) {
                    // SAFETY: a row has as many groups as the panel has lines.
                    let values = unsafe { *row.get_unchecked(place) }.map(i8::cast_unsigned);
                    let values = _mm256_set1_epi32(i32::from_ne_bytes(values));
                    for ((sum, weights), magnitudes) in sums.iter_mut().zip(line).zip(magnitudes) {
                        let pairs = _mm256_maddubs_epi16(magnitudes, _mm256_sign_epi8(values, weights));
                        *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(pairs, ones));
                    }
                }
            }
            for (row, (finished, sums)) in finished.iter_mut().zip(sums).enumerate() {
                finished[half] = self.finish(panel, half, first + row, sums);
            }
        }
        for (out, finished) in out.zip(&finished) {
            out.copy_from_slice(&finished.as_flattened()[..out.len()]);
        }
    }

    /// `(sums - zero_point * totals) * scale * scales + bias`, with the zero point that the middle makes of the row's.
    #[target_feature(enable = "avx2,fma")]
    #[inline]
    fn finish(&self, panel: usize, half: usize, row: usize, sums: [__m256i; 2]) -> [f32; HALF] {
        let scale = _mm256_set1_ps(self.rows.scales[row]);
        let zero_point = _mm256_set1_epi32(self.rows.zero_points[row] - i32::from(MIDDLE));
        let mut finished = [0.0; HALF];
        for (place, (out, sums)) in finished.as_chunks_mut::<LANES>().0.iter_mut().zip(sums).enumerate() {
            let start = (2 * panel + half) * HALF + place * LANES;
            let part = start..start + LANES;
            // SAFETY: a part holds the 8 values of a register, and so does `out`.
            unsafe {
                let totals = _mm256_loadu_si256(self.layer.totals[part.clone()].as_ptr().cast());
                let scales = _mm256_loadu_ps(self.layer.scales[part.clone()].as_ptr());
                let bias = _mm256_loadu_ps(self.layer.bias[part].as_ptr());
                let sums = _mm256_sub_epi32(sums, _mm256_mullo_epi32(totals, zero_point));
                let finished = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums), _mm256_mul_ps(scales, scale), bias);
                _mm256_storeu_ps(out.as_mut_ptr(), finished);
            }
        }
        finished
    }
}

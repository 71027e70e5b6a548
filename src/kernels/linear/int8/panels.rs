//! Products by AVX2 alone, for x86 processors that have no instruction for dot products of 8-bit integers.
//!
//! Products of neighbours are added in 16 bits, which is exact for 8-bit activations and weights of a magnitude up to 63:
//! 2 * 255 * 63 < 2^15.

use std::arch::x86_64::*;
use std::mem::transmute;

use rayon::prelude::*;

use super::rows::{GROUP, Rows, WeightRows};
use crate::kernels::linear::panels::{LANES, Outputs, Panel, WIDTH, multiply, padded};

/// The weights of a layer.
pub(super) struct Int8Panels {
    panels: Vec<Int8Panel>,
    outputs: usize,
}

struct Int8Panel {
    groups: Vec<Group>,
    scales: [f32; WIDTH],
    totals: [i32; WIDTH],
    bias: [f32; WIDTH],
}

/// Weights of neighbouring inputs for each output of a panel.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Group([[[i8; GROUP]; LANES]; 2]);

impl Int8Panels {
    /// Weights of a magnitude up to 63.
    pub(super) fn pack(weights: &WeightRows, bias: &[f32]) -> Self {
        let columns =
            weights.scales.par_chunks(WIDTH).zip(weights.totals.par_chunks(WIDTH)).zip(bias.par_chunks(WIDTH));
        let panels = weights
            .values
            .par_chunks(WIDTH * weights.width.max(1))
            .zip(columns)
            .map(|(values, ((scales, totals), bias))| {
                let mut groups = vec![Group([[[0; GROUP]; LANES]; 2]); weights.width / GROUP];
                for (output, row) in values.chunks_exact(weights.width.max(1)).enumerate() {
                    for (group, values) in groups.iter_mut().zip(row.as_chunks::<GROUP>().0) {
                        group.0.as_flattened_mut()[output] = *values;
                    }
                }
                Int8Panel { groups, scales: padded(scales), totals: padded(totals), bias: padded(bias) }
            })
            .collect();
        Self { panels, outputs: weights.scales.len() }
    }

    /// Fills `out`, as many rows as `rows` has.
    pub(super) fn multiply(&self, rows: &Rows, out: &mut [f32]) {
        multiply(&self.panels, self.outputs, rows, rows.scales.len(), out);
    }
}

impl Panel for Int8Panel {
    type Rows = Rows;

    const TILE: usize = 4;

    #[target_feature(enable = "avx2,fma")]
    #[inline]
    unsafe fn multiply<const ROWS: usize>(&self, rows: &Rows, first: usize, next: Option<&Self>, out: Outputs) {
        let depth = self.groups.len();
        let (groups, _) = rows.values.as_chunks::<GROUP>();
        let mut tile: [&[[u8; GROUP]]; ROWS] = [&[]; ROWS];
        for (row, values) in tile.iter_mut().zip(groups[first * depth..].chunks_exact(depth)) {
            *row = values;
        }
        assert!(tile.iter().all(|row| row.len() == depth), "a tile holds whole rows");
        let ones = _mm256_set1_epi16(1);
        let mut sums = [[_mm256_setzero_si256(); 2]; ROWS];
        let mut fetched = next.map_or(&[][..], |next| &next.groups).iter();
        for (place, Group(weights)) in self.groups.iter().enumerate() {
            if let Some(group) = fetched.next() {
                _mm_prefetch::<_MM_HINT_T1>((&raw const *group).cast());
            }
            // SAFETY: both types are 32 bytes of plain integers.
            let weights = weights.map(|half| unsafe { transmute::<[[i8; GROUP]; LANES], __m256i>(half) });
            for (row, sums) in tile.iter().zip(&mut sums) {
                // SAFETY: `place` is less than the panel's depth, which every row has, as was asserted above.
                let values = unsafe { *row.get_unchecked(place) };
                let values = _mm256_set1_epi32(i32::from_ne_bytes(values));
                for (sum, weights) in sums.iter_mut().zip(weights) {
                    let pairs = _mm256_maddubs_epi16(values, weights);
                    *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(pairs, ones));
                }
            }
        }
        let quants = rows.scales[first..].iter().zip(&rows.zero_points[first..]);
        out.write(
            sums.into_iter().zip(quants).map(|(sums, (scale, zero_point))| self.finish(sums, *scale, *zero_point)),
        );
    }
}

impl Int8Panel {
    /// `(sums - zero_point * totals) * scale * scales + bias`
    #[target_feature(enable = "avx2,fma")]
    #[inline]
    fn finish(&self, sums: [__m256i; 2], scale: f32, zero_point: i32) -> [f32; WIDTH] {
        let (scale, zero_point) = (_mm256_set1_ps(scale), _mm256_set1_epi32(zero_point));
        let mut finished = [0.0; WIDTH];
        let halves = self.totals.as_chunks().0.iter().zip(self.scales.as_chunks().0).zip(self.bias.as_chunks().0);
        for ((out, sums), ((totals, scales), bias)) in finished.as_chunks_mut().0.iter_mut().zip(sums).zip(halves) {
            // SAFETY: each type and its vector are 32 bytes of plain numbers.
            let (totals, scales, bias) = unsafe {
                (
                    transmute::<[i32; LANES], __m256i>(*totals),
                    transmute::<[f32; LANES], __m256>(*scales),
                    transmute::<[f32; LANES], __m256>(*bias),
                )
            };
            let sums = _mm256_sub_epi32(sums, _mm256_mullo_epi32(totals, zero_point));
            let finished = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums), _mm256_mul_ps(scales, scale), bias);
            // SAFETY: as above.
            *out = unsafe { transmute::<__m256, [f32; LANES]>(finished) };
        }
        finished
    }
}

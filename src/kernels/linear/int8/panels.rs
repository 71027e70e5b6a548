//! Products by AVX2 alone, for x86 processors that have no instruction for dot products of 8-bit integers.
//!
//! Sixteen outputs make a panel, whose weights lie in the order in which they are used. A tile of up to four rows goes
//! through a whole panel with its sums in registers, and leaves as finished outputs. Products of neighbours are added in
//! 16 bits, which is exact for 8-bit activations and weights of a magnitude up to 63: 2 * 255 * 63 < 2^15.

use std::arch::x86_64::*;
use std::array;
use std::mem::transmute;
use std::ops::Range;

use rayon::prelude::*;

use super::rows::{GROUP, Rows, WeightRows};

/// Outputs of a panel.
const WIDTH: usize = 2 * LANES;
/// 32-bit values of a register.
const LANES: usize = 8;
/// Rows of a tile: what there are registers for.
const TILE: usize = 4;
/// Rows that pass a panel before the next one's turn: they stay in the second-level cache, the panel in the first.
const STRIPE: usize = 64;

/// The weights of a layer, in panels of neighbouring outputs.
pub(super) struct Panels {
    panels: Vec<Panel>,
    outputs: usize,
}

struct Panel {
    groups: Vec<Group>,
    scales: [f32; WIDTH],
    totals: [i32; WIDTH],
    bias: [f32; WIDTH],
}

/// Weights of neighbouring inputs for each output of a panel.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Group([[[i8; GROUP]; LANES]; 2]);

impl Panels {
    /// Whether this processor can run them.
    pub(super) fn are_supported() -> bool {
        is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
    }

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
                        if let Some(place) = group.0.as_flattened_mut().get_mut(output) {
                            *place = *values;
                        }
                    }
                }
                Panel { groups, scales: padded(scales), totals: padded(totals), bias: padded(bias) }
            })
            .collect();
        Self { panels, outputs: weights.scales.len() }
    }

    /// Fills `out`, as many rows as `rows` has.
    pub(super) fn multiply(&self, rows: &Rows, out: &mut [f32]) {
        let threads = rayon::current_num_threads().min(self.panels.len()).max(1);
        if threads == 1 {
            return self.multiply_part(0..self.panels.len(), rows, out);
        }
        let share = self.panels.len().div_ceil(threads);
        let parts: Vec<(Range<usize>, Vec<f32>)> = (0..threads)
            .into_par_iter()
            .map(|thread| {
                let panels = share * thread..(share * (thread + 1)).min(self.panels.len());
                let columns = self.columns(&panels);
                let mut part = vec![0.0; rows.scales.len() * columns.len()];
                self.multiply_part(panels, rows, &mut part);
                (columns, part)
            })
            .collect();
        for (columns, part) in parts {
            for (out, part) in out.chunks_exact_mut(self.outputs).zip(part.chunks_exact(columns.len().max(1))) {
                if let Some(out) = out.get_mut(columns.clone()) {
                    out.copy_from_slice(part);
                }
            }
        }
    }

    /// The outputs that these panels give.
    fn columns(&self, panels: &Range<usize>) -> Range<usize> {
        (panels.start * WIDTH).min(self.outputs)..(panels.end * WIDTH).min(self.outputs)
    }

    /// Fills `out` with the outputs of some panels.
    fn multiply_part(&self, panels: Range<usize>, rows: &Rows, out: &mut [f32]) {
        assert!(Self::are_supported(), "int8 panels need AVX2");
        // SAFETY: the processor has AVX2 and FMA, which is all that the function asks for.
        unsafe { self.multiply_part_avx2(panels, rows, out) }
    }

    #[target_feature(enable = "avx2,fma")]
    fn multiply_part_avx2(&self, panels: Range<usize>, rows: &Rows, out: &mut [f32]) {
        let columns = self.columns(&panels).len();
        let panels = self.panels.get(panels).unwrap_or_default();
        let stripes = rows.values.chunks(STRIPE * rows.width().max(1)).zip(out.chunks_mut(STRIPE * columns.max(1)));
        let quants = rows.scales.chunks(STRIPE).zip(rows.zero_points.chunks(STRIPE));
        for ((values, out), (scales, zero_points)) in stripes.zip(quants) {
            for (place, panel) in panels.iter().enumerate() {
                let tiles = values.chunks(TILE * rows.width()).zip(out.chunks_mut(TILE * columns));
                let quants = scales.chunks(TILE).zip(zero_points.chunks(TILE));
                for ((values, out), (scales, zero_points)) in tiles.zip(quants) {
                    let tile = Tile { values, scales, zero_points, out, columns, start: place * WIDTH };
                    match scales.len() {
                        1 => tile.multiply::<1>(panel),
                        2 => tile.multiply::<2>(panel),
                        3 => tile.multiply::<3>(panel),
                        _ => tile.multiply::<TILE>(panel),
                    }
                }
            }
        }
    }
}

/// A few rows on their way through a panel.
struct Tile<'a> {
    values: &'a [u8],
    scales: &'a [f32],
    zero_points: &'a [i32],
    out: &'a mut [f32],
    /// Width of a row of `out`.
    columns: usize,
    /// Where the panel's outputs start in a row of `out`.
    start: usize,
}

impl Tile<'_> {
    /// Fills in the panel's outputs of all `ROWS` rows.
    #[target_feature(enable = "avx2,fma")]
    #[inline]
    fn multiply<const ROWS: usize>(self, panel: &Panel) {
        let depth = panel.groups.len();
        let (groups, _) = self.values.as_chunks::<GROUP>();
        let mut rows: [&[[u8; GROUP]]; ROWS] = [&[]; ROWS];
        for (row, values) in rows.iter_mut().zip(groups.chunks_exact(depth.max(1))) {
            *row = values;
        }
        assert!(rows.iter().all(|row| row.len() == depth), "a tile holds whole rows");
        let ones = _mm256_set1_epi16(1);
        let mut sums = [[_mm256_setzero_si256(); 2]; ROWS];
        for (place, Group(weights)) in panel.groups.iter().enumerate() {
            // SAFETY: both types are 32 bytes of plain integers.
            let weights = weights.map(|half| unsafe { transmute::<[[i8; GROUP]; LANES], __m256i>(half) });
            for (row, sums) in rows.iter().zip(&mut sums) {
                // SAFETY: `place` is less than the panel's depth, which every row has, as was asserted above.
                let values = unsafe { *row.get_unchecked(place) };
                let values = _mm256_set1_epi32(i32::from_ne_bytes(values));
                for (sum, weights) in sums.iter_mut().zip(weights) {
                    let pairs = _mm256_maddubs_epi16(values, weights);
                    *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(pairs, ones));
                }
            }
        }
        let quants = self.scales.iter().zip(self.zero_points);
        for ((out, sums), (scale, zero_point)) in self.out.chunks_mut(self.columns).zip(sums).zip(quants) {
            let finished = panel.finish(sums, *scale, *zero_point);
            let out = &mut out[self.start..];
            match out.first_chunk_mut() {
                Some(out) => *out = finished,
                None => out.copy_from_slice(&finished[..out.len()]),
            }
        }
    }
}

impl Panel {
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

/// Fills a panel's width up with zeros.
fn padded<T: Copy + Default>(values: &[T]) -> [T; WIDTH] {
    array::from_fn(|place| values.get(place).copied().unwrap_or_default())
}

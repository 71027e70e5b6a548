//! Matrix products by x86's vector and matrix units.
//!
//! Thirty-two outputs make a panel, whose weights lie in the order in which they are used. A tile of rows goes through a
//! whole panel with its sums in registers, and leaves as finished outputs. While the first tile is in a panel, the next one
//! is fetched: its turn comes too soon for the processor to see by itself what it will need.

use std::arch::x86_64::*;
use std::ops::Range;

use rayon::prelude::*;

/// Outputs of a panel.
pub(super) const WIDTH: usize = 2 * HALF;
/// Outputs of half a panel: as many 32-bit values as the widest register has.
pub(super) const HALF: usize = 16;
/// Rows that pass a panel before the next one's turn: they stay in the second-level cache, the panel in the first.
const STRIPE: usize = 192;

/// Whether this processor can run the kernels that are made for AVX2.
pub(super) fn have_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

/// Whether this processor can run the kernels that are made for AVX-512.
pub(super) fn have_avx512() -> bool {
    have_avx2() && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")
}

/// Weights of one place of the input rows for each output of a panel.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line<T>(pub(super) [[T; HALF]; 2]);

/// The weights of a layer, `T` being 32 bits of a row.
pub(super) struct Panels<T> {
    lines: Vec<Line<T>>,
    depth: usize,
    outputs: usize,
}

impl<T: Copy + Default + Send + Sync> Panels<T> {
    /// From a row of `depth` weights, more than 0, for each output.
    pub(super) fn pack(weights: &[T], depth: usize) -> Self {
        let outputs = weights.len() / depth;
        let mut lines = vec![Line([[T::default(); HALF]; 2]); outputs.div_ceil(WIDTH) * depth];
        lines.par_chunks_mut(depth).zip(weights.par_chunks(WIDTH * depth)).for_each(|(lines, rows)| {
            for (output, row) in rows.chunks_exact(depth).enumerate() {
                for (line, weight) in lines.iter_mut().zip(row) {
                    line.0.as_flattened_mut()[output] = *weight;
                }
            }
        });
        Self { lines, depth, outputs }
    }

    /// Lines of a panel.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// The lines of a panel.
    #[inline(always)]
    pub(super) fn panel(&self, panel: usize) -> &[Line<T>] {
        &self.lines[panel * self.depth..][..self.depth]
    }

    fn count(&self) -> usize {
        self.outputs.div_ceil(WIDTH)
    }
}

/// Values of a layer's outputs, filled up to whole panels.
pub(super) fn padded<T: Copy + Default>(mut values: Vec<T>) -> Vec<T> {
    values.resize(values.len().next_multiple_of(WIDTH), T::default());
    values
}

/// Rows on their way through the panels of a layer.
pub(super) trait Kernel: Sync {
    /// 32 bits of a row of weights.
    type Weight;

    /// Finishes the outputs of some panels for some rows.
    ///
    /// # Panics
    /// Where the processor can't run this kernel.
    fn multiply(&self, panels: Range<usize>, rows: Range<usize>, out: Outputs);
}

/// Where the outputs of some panels go.
pub(super) struct Outputs<'a> {
    /// A row for each row.
    values: &'a mut [f32],
    /// Width of a row.
    width: usize,
}

impl Outputs<'_> {
    /// For each of some rows, the part that a panel writes, both counted from 0: the last panel may be wider than what is
    /// left of a row.
    #[inline(always)]
    pub(super) fn tile(&mut self, panel: usize, rows: Range<usize>) -> impl Iterator<Item = &mut [f32]> {
        let columns = panel * WIDTH..((panel + 1) * WIDTH).min(self.width);
        let values = &mut self.values[rows.start * self.width..rows.end * self.width];
        values.chunks_exact_mut(self.width).map(move |row| &mut row[columns.clone()])
    }
}

/// Cuts rows into tiles of `most` at the most.
#[inline(always)]
pub(super) fn tiles(rows: usize, most: usize) -> impl Iterator<Item = Range<usize>> {
    (0..rows).step_by(most).map(move |start| start..(start + most).min(rows))
}

/// Has the line that lies `ahead` lines after `line` fetched, if there is one.
#[inline(always)]
pub(super) fn prefetch<T>(line: &Line<T>, ahead: usize) {
    let next = (&raw const *line).wrapping_add(ahead).cast::<i8>();
    // SAFETY: to fetch ahead of use is a hint, for which any address will do.
    unsafe {
        _mm_prefetch::<_MM_HINT_T1>(next);
        _mm_prefetch::<_MM_HINT_T1>(next.wrapping_add(64));
    }
}

/// Stores a panel's outputs of a row; there may be fewer than the panel has.
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn store(outputs: [__m512; 2], out: &mut [f32]) {
    for (outputs, out) in outputs.into_iter().zip(out.chunks_mut(HALF)) {
        let there = u16::MAX >> (HALF - out.len());
        // SAFETY: what is not there is not written.
        unsafe { _mm512_mask_storeu_ps(out.as_mut_ptr(), there, outputs) };
    }
}

/// Calls for a tile with its number of rows, 1 to 12, as a constant.
macro_rules! with_rows {
    ($rows:expr, $ROWS:ident => $call:expr) => {
        with_rows!(@ $rows, $ROWS, $call, 1 2 3 4 5 6 7 8 9 10 11 12)
    };
    (@ $rows:expr, $ROWS:ident, $call:expr, $($count:literal)*) => {
        match $rows {
            $($count => {
                const $ROWS: usize = $count;
                $call
            })*
            rows => unreachable!("a tile of {rows} rows"),
        }
    };
}
pub(super) use with_rows;

/// Fills `out`, `count` rows, with the products of rows and `panels`.
pub(super) fn multiply<K: Kernel>(kernel: &K, panels: &Panels<K::Weight>, count: usize, out: &mut [f32])
where
    K::Weight: Copy + Default + Send + Sync,
{
    let (all, outputs) = (panels.count(), panels.outputs);
    assert_eq!(out.len(), count * outputs, "as many rows come out as went in");
    let threads = rayon::current_num_threads().min(all).max(1);
    if threads == 1 {
        return multiply_part(kernel, 0..all, out, outputs);
    }
    let share = all.div_ceil(threads);
    let parts: Vec<(Range<usize>, Vec<f32>)> = (0..threads)
        .into_par_iter()
        .map(|part| {
            let panels = part * share..((part + 1) * share).min(all);
            let columns = panels.start * WIDTH..(panels.end * WIDTH).min(outputs);
            let mut out = vec![0.0; count * columns.len()];
            multiply_part(kernel, panels, &mut out, columns.len());
            (columns, out)
        })
        .collect();
    for (columns, part) in parts {
        for (out, part) in out.chunks_exact_mut(outputs).zip(part.chunks_exact(columns.len().max(1))) {
            out[columns.clone()].copy_from_slice(part);
        }
    }
}

/// Fills `out`, rows of `width` values, with the outputs of these panels.
fn multiply_part<K: Kernel>(kernel: &K, panels: Range<usize>, out: &mut [f32], width: usize) {
    for (stripe, values) in out.chunks_mut(STRIPE * width.max(1)).enumerate() {
        let first = stripe * STRIPE;
        kernel.multiply(panels.clone(), first..first + values.len() / width.max(1), Outputs { values, width });
    }
}

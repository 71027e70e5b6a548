//! Matrix products by AVX2, for x86 processors without wider vectors.
//!
//! Sixteen outputs make a panel, whose weights lie in the order in which they are used. A tile of a few rows goes through a
//! whole panel with its sums in registers, and leaves as finished outputs. While the first tile is in a panel, the next one
//! is fetched: its turn comes too soon for the processor to see by itself what it will need.

use std::array;
use std::ops::Range;

use rayon::prelude::*;

/// Outputs of a panel.
pub(super) const WIDTH: usize = 2 * LANES;
/// 32-bit values of a register.
pub(super) const LANES: usize = 8;
/// Rows that pass a panel before the next one's turn: they stay in the second-level cache, the panel in the first.
const STRIPE: usize = 60;

/// Whether this processor has AVX2, and nothing wider that other kernels would use better.
pub(super) fn are_best() -> bool {
    are_supported() && !is_x86_feature_detected!("avx512f")
}

/// Whether this processor can run the kernels of this module.
pub(super) fn are_supported() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

/// The arithmetic of a panel.
pub(super) trait Panel: Sync {
    /// Rows to be multiplied.
    type Rows: Sync + ?Sized;

    /// Most rows of a tile: what there are registers for.
    const TILE: usize;

    /// Finishes the panel's outputs for `ROWS` rows from `first` on, and has `next` fetched if given.
    ///
    /// # Safety
    /// The processor has AVX2 and FMA.
    unsafe fn multiply<const ROWS: usize>(&self, rows: &Self::Rows, first: usize, next: Option<&Self>, out: Outputs);
}

/// Where a tile's outputs go.
pub(super) struct Outputs<'a> {
    /// The rows of the tile, whole.
    rows: &'a mut [f32],
    /// Width of a row.
    width: usize,
    /// Where the panel's outputs start in a row.
    start: usize,
}

impl Outputs<'_> {
    /// Writes what a panel gives for the rows; the last panel may be wider than what is left of a row.
    #[inline(always)]
    pub(super) fn write(self, finished: impl Iterator<Item = [f32; WIDTH]>) {
        for (row, finished) in self.rows.chunks_mut(self.width).zip(finished) {
            let row = &mut row[self.start..];
            match row.first_chunk_mut() {
                Some(row) => *row = finished,
                None => row.copy_from_slice(&finished[..row.len()]),
            }
        }
    }
}

/// Fills `out`, `count` rows of `outputs` values.
pub(super) fn multiply<P: Panel>(panels: &[P], outputs: usize, rows: &P::Rows, count: usize, out: &mut [f32]) {
    assert!(are_supported(), "panels need AVX2");
    let threads = rayon::current_num_threads().min(panels.len()).max(1);
    if threads == 1 {
        return multiply_part(panels, rows, count, out, outputs);
    }
    let share = panels.len().div_ceil(threads);
    let parts: Vec<(Range<usize>, Vec<f32>)> = panels
        .par_chunks(share)
        .enumerate()
        .map(|(part, panels)| {
            let start = part * share * WIDTH;
            let columns = start..(start + panels.len() * WIDTH).min(outputs);
            let mut out = vec![0.0; count * columns.len()];
            multiply_part(panels, rows, count, &mut out, columns.len());
            (columns, out)
        })
        .collect();
    for (columns, part) in parts {
        for (out, part) in out.chunks_exact_mut(outputs).zip(part.chunks_exact(columns.len())) {
            out[columns.clone()].copy_from_slice(part);
        }
    }
}

/// Fills `out`, rows of `width` values, with the outputs of these panels; the processor must have AVX2.
fn multiply_part<P: Panel>(panels: &[P], rows: &P::Rows, count: usize, out: &mut [f32], width: usize) {
    let mut first = 0;
    for out in out.chunks_mut(STRIPE * width.max(1)) {
        for (place, panel) in panels.iter().enumerate() {
            let mut first = first;
            let mut next = panels.get(place + 1);
            for out in out.chunks_mut(P::TILE * width) {
                let tile = out.len() / width;
                let out = Outputs { rows: out, width, start: place * WIDTH };
                let next = next.take();
                // SAFETY: `multiply`, which alone leads here, has asserted that the processor has AVX2 and FMA.
                unsafe {
                    match tile {
                        1 => panel.multiply::<1>(rows, first, next, out),
                        2 => panel.multiply::<2>(rows, first, next, out),
                        3 => panel.multiply::<3>(rows, first, next, out),
                        4 => panel.multiply::<4>(rows, first, next, out),
                        5 => panel.multiply::<5>(rows, first, next, out),
                        _ => panel.multiply::<6>(rows, first, next, out),
                    }
                }
                first += tile;
            }
        }
        first += (out.len() / width).min(count);
    }
}

/// Fills a panel's width up with zeros.
pub(super) fn padded<T: Copy + Default>(values: &[T]) -> [T; WIDTH] {
    array::from_fn(|place| values.get(place).copied().unwrap_or_default())
}

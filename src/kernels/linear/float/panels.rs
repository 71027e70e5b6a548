//! Products by AVX2.

use std::arch::x86_64::*;
use std::mem::transmute;

use rayon::prelude::*;

use crate::kernels::linear::panels::{LANES, Outputs, Panel, WIDTH, multiply, padded};

/// The weights of a layer.
pub(super) struct FloatPanels {
    panels: Vec<FloatPanel>,
    inputs: usize,
    outputs: usize,
}

struct FloatPanel {
    columns: Vec<Column>,
    bias: [f32; WIDTH],
}

/// The weights of one input for each output of a panel.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Column([[f32; LANES]; 2]);

impl FloatPanels {
    pub(super) fn pack(weight: &[f32], bias: &[f32], inputs: usize) -> Self {
        let panels = weight
            .par_chunks(WIDTH * inputs.max(1))
            .zip(bias.par_chunks(WIDTH))
            .map(|(weight, bias)| {
                let mut columns = vec![Column([[0.0; LANES]; 2]); inputs];
                for (output, row) in weight.chunks_exact(inputs.max(1)).enumerate() {
                    for (column, value) in columns.iter_mut().zip(row) {
                        column.0.as_flattened_mut()[output] = *value;
                    }
                }
                FloatPanel { columns, bias: padded(bias) }
            })
            .collect();
        Self { panels, inputs, outputs: bias.len() }
    }

    /// Fills `out`, as many rows as `rows` has.
    pub(super) fn multiply(&self, rows: &[f32], out: &mut [f32]) {
        multiply(&self.panels, self.outputs, rows, rows.len() / self.inputs.max(1), out);
    }
}

impl Panel for FloatPanel {
    type Rows = [f32];

    const TILE: usize = 6;

    #[target_feature(enable = "avx2,fma")]
    #[inline]
    unsafe fn multiply<const ROWS: usize>(&self, rows: &[f32], first: usize, next: Option<&Self>, out: Outputs) {
        let depth = self.columns.len();
        let mut tile: [&[f32]; ROWS] = [&[]; ROWS];
        for (row, values) in tile.iter_mut().zip(rows[first * depth..].chunks_exact(depth)) {
            *row = values;
        }
        assert!(tile.iter().all(|row| row.len() == depth), "a tile holds whole rows");
        let mut sums = [[_mm256_setzero_ps(); 2]; ROWS];
        let mut fetched = next.map_or(&[][..], |next| &next.columns).iter();
        for (place, Column(weights)) in self.columns.iter().enumerate() {
            if let Some(column) = fetched.next() {
                _mm_prefetch::<_MM_HINT_T1>((&raw const *column).cast());
            }
            // SAFETY: both types are 32 bytes of plain numbers.
            let weights = weights.map(|half| unsafe { transmute::<[f32; LANES], __m256>(half) });
            for (row, sums) in tile.iter().zip(&mut sums) {
                // SAFETY: `place` is less than the panel's depth, which every row has, as was asserted above.
                let value = _mm256_set1_ps(unsafe { *row.get_unchecked(place) });
                for (sum, weights) in sums.iter_mut().zip(weights) {
                    *sum = _mm256_fmadd_ps(value, weights, *sum);
                }
            }
        }
        let (bias, _) = self.bias.as_chunks::<LANES>();
        out.write(sums.into_iter().map(|sums| {
            let mut finished = [0.0; WIDTH];
            for ((out, sum), bias) in finished.as_chunks_mut().0.iter_mut().zip(sums).zip(bias) {
                // SAFETY: each type and its vector are 32 bytes of plain numbers.
                *out = unsafe {
                    transmute::<__m256, [f32; LANES]>(_mm256_add_ps(sum, transmute::<[f32; LANES], __m256>(*bias)))
                };
            }
            finished
        }));
    }
}

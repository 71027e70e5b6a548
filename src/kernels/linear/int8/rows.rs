//! Rows of 8-bit integers with their scales: weights as they are loaded, activations as they come.

use rayon::prelude::*;
use rten_simd::SimdOp;
use rten_vecmath::{ExtendInit, MinMax, Quantize};

/// Neighbouring values of a row that the kernels take at once; rows are filled up with zeros to a multiple of it.
pub(super) const GROUP: usize = 4;

/// Quantised weights, a row for each output.
pub(super) struct WeightRows {
    pub(super) values: Vec<i8>,
    /// Width of a row, a multiple of [`GROUP`].
    pub(super) width: usize,
    pub(super) scales: Vec<f32>,
    /// Sum of each row's values: what a zero point of 1 adds to its products.
    pub(super) totals: Vec<i32>,
}

impl WeightRows {
    /// Quantises rows of `inputs` weights to integers of a magnitude up to `largest`.
    pub(super) fn quantise(weights: &[f32], inputs: usize, largest: f32) -> Self {
        let width = inputs.next_multiple_of(GROUP);
        let count = weights.len() / inputs.max(1);
        let mut values = vec![0; count * width];
        let (scales, totals) = weights
            .par_chunks_exact(inputs.max(1))
            .zip(values.par_chunks_exact_mut(width.max(1)))
            .map(|(row, values)| {
                let (min, max) = MinMax::new(row).dispatch();
                let scale = max.max(-min) / largest;
                let inverse = if scale > 0.0 { scale.recip() } else { 0.0 };
                let mut quantised = Vec::with_capacity(row.len());
                extend_quantised(&mut quantised, row, inverse, ORIGIN);
                for (value, quantised) in values.iter_mut().zip(quantised) {
                    *value = quantised.wrapping_sub(ORIGIN).cast_signed();
                }
                (scale, values.iter().map(|value| i32::from(*value)).sum::<i32>())
            })
            .unzip();
        Self { values, width, scales, totals }
    }
}

/// Quantised activations.
pub(super) struct Rows {
    pub(super) values: Vec<u8>,
    pub(super) scales: Vec<f32>,
    pub(super) zero_points: Vec<i32>,
}

impl Rows {
    /// Quantises rows of `width` values, each by its own range.
    pub(super) fn quantise(rows: &[f32], width: usize) -> Self {
        let count = rows.len() / width.max(1);
        let mut quantised = Self {
            values: Vec::with_capacity(count * width.next_multiple_of(GROUP)),
            scales: Vec::with_capacity(count),
            zero_points: Vec::with_capacity(count),
        };
        for row in rows.chunks_exact(width.max(1)) {
            let (min, max) = MinMax::new(row).dispatch();
            // 0 must be exact, as it is in what an activation cuts off.
            let (min, max) = (min.min(0.0), max.max(0.0));
            let scale = (max - min) / 255.0;
            let inverse = if scale > 0.0 { scale.recip() } else { 0.0 };
            let zero_point = (-min * inverse).round_ties_even() as u8;
            extend_quantised(&mut quantised.values, row, inverse, zero_point);
            quantised.values.resize(quantised.values.len().next_multiple_of(GROUP), 0);
            quantised.scales.push(scale);
            quantised.zero_points.push(zero_point.into());
        }
        quantised
    }

    /// Width of a row, a multiple of [`GROUP`].
    pub(super) fn width(&self) -> usize {
        self.values.len() / self.scales.len().max(1)
    }
}

/// What stands for 0 while weights are quantised as activations are.
const ORIGIN: u8 = 128;

/// Appends `round(x * inverse) + zero_point`, within 0..=255, for every value of `row`.
fn extend_quantised(values: &mut Vec<u8>, row: &[f32], inverse: f32, zero_point: u8) {
    values.reserve(row.len());
    values.extend_init(|free| {
        let (free, _) = free.split_at_mut(row.len());
        Quantize::new(row, free, inverse, zero_point).dispatch()
    });
}

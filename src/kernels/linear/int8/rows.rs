//! Rows of 8-bit integers with their scales: weights as they are loaded, activations as they come.

use rayon::prelude::*;
use rten_simd::SimdOp;
use rten_vecmath::{ExtendInit, MinMax, Quantize};

use crate::kernels::linear::WeightRun;

/// Neighbouring values of a row that the kernels take at once; rows are filled up with zeros to a multiple of it.
pub(super) const GROUP: usize = 4;

/// Quantised weights, a row for each output.
pub struct WeightRows {
    /// Row after row.
    pub values: Vec<i8>,
    /// Width of a row, a multiple of [`GROUP`].
    pub width: usize,
    /// What a row's integers are to be multiplied by.
    pub scales: Vec<f32>,
    /// Sum of each row's values: what a zero point of 1 adds to its products.
    pub(super) totals: Vec<i32>,
    inputs: usize,
    largest: f32,
}

impl WeightRows {
    /// No rows yet; they will have `inputs` weights, integers of a magnitude up to `largest`.
    pub fn new(inputs: usize, largest: f32) -> Self {
        let width = inputs.next_multiple_of(GROUP);
        Self { values: Vec::new(), width, scales: Vec::new(), totals: Vec::new(), inputs, largest }
    }

    /// Appends rows. Those that are integers already stay as they are, unless they exceed the range of these rows.
    pub fn extend(&mut self, rows: WeightRun) {
        match rows {
            WeightRun::Int8 { values, scales } if self.can_hold(&values) => self.append(&values, &scales),
            rows => self.quantise(&rows.into_f32()),
        }
    }

    fn can_hold(&self, values: &[i8]) -> bool {
        self.largest >= STORED_LARGEST && !values.contains(&i8::MIN)
    }

    fn append(&mut self, rows: &[i8], scales: &[f32]) {
        self.values.reserve(scales.len() * self.width);
        for row in rows.chunks_exact(self.inputs.max(1)) {
            self.values.extend_from_slice(row);
            self.values.resize(self.values.len().next_multiple_of(GROUP), 0);
            self.totals.push(row.iter().map(|value| i32::from(*value)).sum());
        }
        self.scales.extend_from_slice(scales);
    }

    fn quantise(&mut self, rows: &[f32]) {
        let (inputs, width, largest) = (self.inputs.max(1), self.width.max(1), self.largest);
        let start = self.values.len();
        self.values.resize(start + rows.len() / inputs * width, 0);
        let (_, values) = self.values.split_at_mut(start);
        let columns: Vec<(f32, i32)> = rows
            .par_chunks_exact(inputs)
            .zip(values.par_chunks_exact_mut(width))
            .map(|(row, values)| {
                let (min, max) = MinMax::new(row).dispatch();
                let scale = max.max(-min) / largest;
                let inverse = if scale > 0.0 { scale.recip() } else { 0.0 };
                let mut quantised = Vec::with_capacity(row.len());
                extend_quantised(&mut quantised, row, inverse, ORIGIN);
                for (value, quantised) in values.iter_mut().zip(quantised) {
                    *value = quantised.wrapping_sub(ORIGIN).cast_signed();
                }
                (scale, values.iter().map(|value| i32::from(*value)).sum())
            })
            .collect();
        self.scales.extend(columns.iter().map(|(scale, _)| *scale));
        self.totals.extend(columns.iter().map(|(_, total)| *total));
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

/// The range of integers in checkpoints.
const STORED_LARGEST: f32 = 127.0;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::noise;

    #[test]
    fn stored_integers_stay_as_they_are() {
        let mut once = WeightRows::new(6, 127.0);
        once.extend(WeightRun::F32(noise(12, 1).into()));
        let integers: Vec<i8> = once.values.chunks(once.width).flat_map(|row| &row[..6]).copied().collect();
        let stored = WeightRun::Int8 { values: integers.into(), scales: once.scales.as_slice().into() };
        let mut again = WeightRows::new(6, 127.0);
        again.extend(stored.clone());
        assert_eq!((&again.values, &again.scales, &again.totals), (&once.values, &once.scales, &once.totals));
        assert_eq!(*stored.select(6, |row| row == 1).into_f32(), stored.into_f32()[6..]);
    }
}

//! Rows of 8-bit integers with their scales: weights as they are loaded, activations as they come.

use rayon::prelude::*;
use rten_simd::ops::{BitOps, FloatOps, NarrowSaturate, NumOps};
use rten_simd::{Isa, SimdOp};
use rten_vecmath::MinMax;

use crate::kernels::linear::WeightRun;

/// Neighbouring values of a row that the kernels take at once.
pub(super) const GROUP: usize = 4;
/// Rows are filled up with zeros to a multiple of this: what the widest kernel takes at a time.
pub(super) const ALIGNMENT: usize = 64;
/// Greatest integer of an activation, 0 being the least. One less than there is room for: as far from the middle, 127,
/// as the least, so that sums of two products with weights of a magnitude up to 127 fit 16 bits.
pub(super) const LARGEST: u8 = 254;
/// The middle of an activation's range.
pub(super) const MIDDLE: u8 = LARGEST / 2;
/// Greatest magnitude of a weight.
const LARGEST_WEIGHT: f32 = 127.0;

/// Quantised weights, a row for each output.
pub struct WeightRows {
    /// Row after row.
    pub values: Vec<i8>,
    /// Width of a row, a multiple of [`ALIGNMENT`].
    pub width: usize,
    /// What a row's integers are to be multiplied by.
    pub scales: Vec<f32>,
    /// Sum of each row's values: what a zero point of 1 adds to its products.
    pub(super) totals: Vec<i32>,
    inputs: usize,
}

impl WeightRows {
    /// No rows yet; they will have `inputs` weights.
    pub fn new(inputs: usize) -> Self {
        let width = inputs.max(1).next_multiple_of(ALIGNMENT);
        Self { values: Vec::new(), width, scales: Vec::new(), totals: Vec::new(), inputs }
    }

    /// Appends rows. Those that are integers already stay as they are, unless one exceeds the range of weights.
    pub fn extend(&mut self, rows: WeightRun) {
        match rows {
            WeightRun::Int8 { values, scales } if !values.contains(&i8::MIN) => self.append(&values, &scales),
            rows => self.quantise(&rows.into_f32()),
        }
    }

    fn append(&mut self, rows: &[i8], scales: &[f32]) {
        self.values.reserve(scales.len() * self.width);
        for row in rows.chunks_exact(self.inputs.max(1)) {
            self.values.extend_from_slice(row);
            self.values.resize(self.values.len().next_multiple_of(ALIGNMENT), 0);
            self.totals.push(row.iter().map(|value| i32::from(*value)).sum());
        }
        self.scales.extend_from_slice(scales);
    }

    fn quantise(&mut self, rows: &[f32]) {
        let (inputs, width) = (self.inputs.max(1), self.width.max(1));
        let start = self.values.len();
        self.values.resize(start + rows.len() / inputs * width, 0);
        let (_, values) = self.values.split_at_mut(start);
        let columns: Vec<(f32, i32)> = rows
            .par_chunks_exact(inputs)
            .zip(values.par_chunks_exact_mut(width))
            .map(|(row, values)| {
                let (min, max) = MinMax::new(row).dispatch();
                let scale = max.max(-min) / LARGEST_WEIGHT;
                let inverse = if scale > 0.0 { scale.recip() } else { 0.0 };
                let mut integers = vec![MIDDLE; width];
                Quantise { row, inverse, zero_point: MIDDLE.into(), out: &mut integers }.dispatch();
                for (value, integer) in values.iter_mut().zip(integers) {
                    *value = integer.wrapping_sub(MIDDLE).cast_signed();
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
    values: Vec<u8>,
    /// Where the first row begins: at the beginning of a cache line, since tiles load slowly from anywhere else.
    start: usize,
    /// Width of a row, a multiple of [`ALIGNMENT`].
    pub(super) width: usize,
    pub(super) scales: Vec<f32>,
    pub(super) zero_points: Vec<i32>,
}

/// Rows that a kernel may read at a time.
pub(super) const ROWS: usize = 16;

impl Rows {
    /// Quantises rows of `inputs` values, each by its own range.
    pub(super) fn quantise(rows: &[f32], inputs: usize) -> Self {
        let inputs = inputs.max(1);
        let width = inputs.next_multiple_of(ALIGNMENT);
        let count = rows.len() / inputs;
        let values = vec![0; count.next_multiple_of(ROWS) * width + ALIGNMENT];
        let start = values.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
        let mut quantised =
            Self { values, start, width, scales: Vec::with_capacity(count), zero_points: Vec::with_capacity(count) };
        for (row, values) in rows.chunks_exact(inputs).zip(quantised.values[start..].chunks_exact_mut(width)) {
            let (min, max) = MinMax::new(row).dispatch();
            // 0 must be exact, as it is in what an activation cuts off.
            let (min, max) = (min.min(0.0), max.max(0.0));
            let scale = (max - min) / f32::from(LARGEST);
            let inverse = if scale > 0.0 { scale.recip() } else { 0.0 };
            let zero_point = (-min * inverse).round_ties_even() as i32;
            Quantise { row, inverse, zero_point, out: values }.dispatch();
            quantised.scales.push(scale);
            quantised.zero_points.push(zero_point);
        }
        quantised
    }

    /// Row after row of integers up to [`LARGEST`], and as many more rows as make their number a multiple of [`ROWS`].
    pub(super) fn values(&self) -> &[u8] {
        &self.values[self.start..][..self.scales.len().next_multiple_of(ROWS) * self.width]
    }
}

/// `round(x * inverse) + zero_point`, within 0..=[`LARGEST`], for every value of a row.
struct Quantise<'a> {
    row: &'a [f32],
    inverse: f32,
    zero_point: i32,
    out: &'a mut [u8],
}

impl SimdOp for Quantise<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let (floats, ints) = (isa.f32(), isa.i32());
        let run = 4 * floats.len();
        let (inverse, zero_point) = (floats.splat(self.inverse), ints.splat(self.zero_point));
        let most = ints.splat(LARGEST.into());
        let values = self.row.chunks_exact(run);
        let rest = values.remainder();
        let mut out = self.out.chunks_exact_mut(run);
        for (values, out) in values.zip(&mut out) {
            // Closures that `array::map` calls would not be inlined with the instructions of the machine.
            let mut integers = [ints.zero(); 4];
            for (integers, value) in integers.iter_mut().zip(floats.load_many::<4>(values)) {
                let integer = ints.add(floats.to_int_round(floats.mul(value, inverse)), zero_point);
                *integers = ints.min(integer, most);
            }
            let [a, b, c, d] = integers;
            let (low, high) = (ints.narrow_saturate(a, b), ints.narrow_saturate(c, d));
            isa.u8().store(isa.i16().narrow_saturate(low, high), out);
        }
        let out = &mut self.out[self.row.len() - rest.len()..];
        for (value, out) in rest.iter().zip(out) {
            let integer = (value * self.inverse).round_ties_even() as i32 + self.zero_point;
            *out = integer.clamp(0, LARGEST.into()) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::noise;

    #[test]
    fn stored_integers_stay_as_they_are() {
        let mut once = WeightRows::new(6);
        once.extend(WeightRun::F32(noise(12, 1).into()));
        let integers: Vec<i8> = once.values.chunks(once.width).flat_map(|row| &row[..6]).copied().collect();
        let stored = WeightRun::Int8 { values: integers.into(), scales: once.scales.as_slice().into() };
        let mut again = WeightRows::new(6);
        again.extend(stored.clone());
        assert_eq!((&again.values, &again.scales, &again.totals), (&once.values, &once.scales, &once.totals));
        assert_eq!(*stored.select(6, |row| row == 1).into_f32(), stored.into_f32()[6..]);
    }
}

//! 8-bit integers.
//!
//! An activation `x` of a row becomes `q = round(x / s) + z` in 0..=255, with the row's own scale `s` and zero point
//! `z`; a weight becomes `round(w / t)` with its output's own scale `t`. Sums of products are exact, so that a row's
//! result depends on nothing but the row. The scheme is that of Jacob et al. (2018), section 2, with weights symmetric.

use candle_core::{Error, Result};
use rayon::prelude::*;
use rten_gemm::{GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_simd::ops::{BitOps, NumOps, ToFloat};
use rten_simd::{Isa, SimdOp};
use rten_tensor::NdTensorView;
use rten_vecmath::{ExtendInit, MinMax, Quantize};

use super::LinearKernel;

/// Outputs that are computed at a time: their integer sums stay in the cache until they are scaled.
const BLOCK: usize = 2048;

/// A linear layer in int8.
pub struct Int8Linear {
    blocks: Vec<Block>,
    inputs: usize,
    outputs: usize,
}

/// The weights of neighbouring outputs.
struct Block {
    weight: PackedBMatrix<i8>,
    scales: Vec<f32>,
    /// Sum of each output's quantised weights: what a zero point of 1 adds to its sums.
    totals: Vec<i32>,
    bias: Vec<f32>,
}

type Gemm = GemmExecutor<u8, i8, i32>;

impl Int8Linear {
    /// Quantises and packs `weight`, `outputs` rows of `inputs` values.
    pub fn new(weight: &[f32], bias: Option<Vec<f32>>, outputs: usize, inputs: usize) -> Result<Self> {
        let bias = bias.unwrap_or_else(|| vec![0.0; outputs]);
        let largest = largest_weight();
        let blocks = weight
            .par_chunks(BLOCK * inputs.max(1))
            .zip(bias.par_chunks(BLOCK))
            .map(|(weight, bias)| Block::new(weight, bias, inputs, largest))
            .collect::<Result<_>>()?;
        Ok(Self { blocks, inputs, outputs })
    }
}

/// The range of quantised weights. Where products of neighbours are added in 16 bits (x86 without VNNI), 7 bits are
/// what keeps those sums exact: 2 * 255 * 63 < 2^15.
fn largest_weight() -> f32 {
    if Gemm::default().may_saturate() { 63.0 } else { 127.0 }
}

impl Block {
    fn new(weight: &[f32], bias: &[f32], inputs: usize, largest: f32) -> Result<Self> {
        let mut quantised = Vec::with_capacity(weight.len());
        let mut scales = Vec::with_capacity(bias.len());
        let mut totals = Vec::with_capacity(bias.len());
        for row in weight.chunks_exact(inputs.max(1)) {
            let scale = row.iter().fold(0f32, |most, w| most.max(w.abs())) / largest;
            let inverse = if scale > 0.0 { scale.recip() } else { 0.0 };
            let start = quantised.len();
            quantised.extend(row.iter().map(|w| (w * inverse).round_ties_even() as i8));
            totals.push(quantised.iter().skip(start).map(|w| i32::from(*w)).sum());
            scales.push(scale);
        }
        let matrix = NdTensorView::try_from_data([scales.len(), inputs], quantised.as_slice()).map_err(Error::wrap)?;
        Ok(Self { weight: Gemm::default().prepack_b(matrix.transposed()), scales, totals, bias: bias.to_vec() })
    }
}

impl LinearKernel for Int8Linear {
    fn inputs(&self) -> usize {
        self.inputs
    }

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn forward_into(&self, rows: &[f32], out: &mut [f32]) -> Result<()> {
        let quantised = Rows::quantise(rows, self.inputs);
        let count = quantised.scales.len();
        let matrix =
            NdTensorView::try_from_data([count, self.inputs], quantised.values.as_slice()).map_err(Error::wrap)?;
        let mut sums = vec![0; count * BLOCK.min(self.outputs)];
        let mut start = 0;
        for block in &self.blocks {
            let width = block.scales.len();
            let Some(sums) = sums.get_mut(..count * width) else { candle_core::bail!("a block is too wide") };
            Gemm::default()
                .gemm(
                    sums,
                    GemmInputA::Unpacked(matrix),
                    GemmInputB::Packed(&block.weight),
                    // Zero points are taken off below: rten-gemm 0.27 mistakes them from the second tile of rows on.
                    GemmOptions::default(),
                )
                .map_err(Error::wrap)?;
            let quants = quantised.scales.iter().zip(&quantised.zero_points);
            for ((out, sums), (scale, zero_point)) in
                out.chunks_exact_mut(self.outputs).zip(sums.chunks_exact(width)).zip(quants)
            {
                if let Some(out) = out.get_mut(start..start + width) {
                    Scale { block, sums, scale: *scale, zero_point: (*zero_point).into(), out }.dispatch();
                }
            }
            start += width;
        }
        Ok(())
    }
}

/// Quantised rows of activations.
struct Rows {
    values: Vec<u8>,
    scales: Vec<f32>,
    zero_points: Vec<u8>,
}

impl Rows {
    fn quantise(rows: &[f32], width: usize) -> Self {
        let count = rows.len() / width.max(1);
        let mut quantised = Self {
            values: Vec::with_capacity(rows.len()),
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
            quantised.values.extend_init(|free| {
                let (free, _) = free.split_at_mut(row.len());
                Quantize::new(row, free, inverse, zero_point).dispatch()
            });
            quantised.scales.push(scale);
            quantised.zero_points.push(zero_point);
        }
        quantised
    }
}

/// `out = (sums - zero_point * totals) * scale * scales + bias`
struct Scale<'a> {
    block: &'a Block,
    sums: &'a [i32],
    scale: f32,
    zero_point: i32,
    out: &'a mut [f32],
}

impl SimdOp for Scale<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let (ops, ints) = (isa.f32(), isa.i32());
        let lanes = ops.len();
        let (scale, zero_point) = (ops.splat(self.scale), ints.splat(self.zero_point));
        let sums = self.sums.chunks(lanes).zip(self.block.totals.chunks(lanes));
        let columns = self.block.scales.chunks(lanes).zip(self.block.bias.chunks(lanes));
        for ((out, (sums, totals)), (scales, bias)) in self.out.chunks_mut(lanes).zip(sums).zip(columns) {
            if out.len() == lanes {
                let sums = ints.sub(ints.load(sums), ints.mul(ints.load(totals), zero_point));
                let scales = ops.mul(ops.load(scales), scale);
                ops.store(ops.mul_add(ints.to_float(sums), scales, ops.load(bias)), out);
            } else {
                let columns = sums.iter().zip(totals).zip(scales.iter().zip(bias));
                for (out, ((sum, total), (scale, bias))) in out.iter_mut().zip(columns) {
                    *out = ((sum - total * self.zero_point) as f32).mul_add(scale * self.scale, *bias);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values in -1..1, the same at every run.
    fn noise(count: usize, seed: u32) -> Vec<f32> {
        (0..count as u32)
            .map(|i| ((i.wrapping_mul(2_654_435_761).wrapping_add(seed * 7919) >> 7) % 2001) as f32 / 1000.0 - 1.0)
            .collect()
    }

    /// The layer's definition in plain loops.
    fn plain(weight: &[f32], bias: &[f32], inputs: usize, row: &[f32]) -> Vec<f32> {
        let largest = largest_weight();
        let (min, max) = row.iter().fold((0f32, 0f32), |(min, max), x| (min.min(*x), max.max(*x)));
        let scale = (max - min) / 255.0;
        let zero_point = (-min / scale).round_ties_even() as i32;
        let quantised: Vec<i32> =
            row.iter().map(|x| ((x / scale).round_ties_even() as i32 + zero_point).clamp(0, 255)).collect();
        let output = |(weights, bias): (&[f32], &f32)| {
            let step = weights.iter().fold(0f32, |most, w| most.max(w.abs())) / largest;
            let sum: i32 = weights
                .iter()
                .zip(&quantised)
                .map(|(w, q)| (w / step).round_ties_even() as i32 * (q - zero_point))
                .sum();
            sum as f32 * scale * step + bias
        };
        weight.chunks(inputs).zip(bias).map(output).collect()
    }

    #[test]
    fn it_equals_its_definition() {
        for (count, inputs, outputs) in [(1, 8, 3), (5, 64, 40), (3, 33, BLOCK + 17)] {
            let (weight, bias) = (noise(outputs * inputs, 1), noise(outputs, 2));
            let rows = noise(count * inputs, 3);
            let layer = Int8Linear::new(&weight, Some(bias.clone()), outputs, inputs).unwrap();
            let found = layer.forward(&rows).unwrap();
            for (row, found) in rows.chunks(inputs).zip(found.chunks(outputs)) {
                for (found, expected) in found.iter().zip(plain(&weight, &bias, inputs, row)) {
                    // A product that falls on the border between two integers may be rounded either way.
                    assert!((found - expected).abs() < 2e-2, "{found} {expected}");
                }
            }
        }
    }

    #[test]
    fn it_approximates_the_exact_layer() {
        let (inputs, outputs) = (512, 64);
        let (weight, rows) = (noise(outputs * inputs, 4), noise(7 * inputs, 5));
        let exact = super::super::FloatLinear::new(&weight, None, outputs, inputs).unwrap().forward(&rows).unwrap();
        let found = Int8Linear::new(&weight, None, outputs, inputs).unwrap().forward(&rows).unwrap();
        let error: f32 = exact.iter().zip(&found).map(|(a, b)| (a - b).powi(2)).sum();
        let signal: f32 = exact.iter().map(|a| a.powi(2)).sum();
        assert!(error / signal < 4e-4, "{}", error / signal);
    }

    #[test]
    fn the_largest_values_do_not_overflow() {
        let (inputs, outputs) = (4096, 4);
        let layer = Int8Linear::new(&vec![1.0; outputs * inputs], None, outputs, inputs).unwrap();
        assert!(layer.forward(&vec![3.0; inputs]).unwrap().iter().all(|sum| (sum - 3.0 * 4096.0).abs() < 1.0));
    }

    #[test]
    fn a_row_does_not_depend_on_its_neighbours() {
        let (inputs, outputs) = (64, 100);
        let layer = Int8Linear::new(&noise(outputs * inputs, 6), None, outputs, inputs).unwrap();
        let rows = noise(33 * inputs, 7);
        let together = layer.forward(&rows).unwrap();
        for (row, expected) in rows.chunks(inputs).zip(together.chunks(outputs)) {
            assert_eq!(layer.forward(row).unwrap(), expected);
        }
        assert_eq!(layer.forward(&[0.0; 64]).unwrap(), [0.0; 100]);
    }
}

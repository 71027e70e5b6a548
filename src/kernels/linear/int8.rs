//! 8-bit integers.
//!
//! An activation `x` of a row becomes `q = round(x / s) + z` in 0..=254, with the row's own scale `s` and zero point
//! `z`; a weight becomes `round(w / t)` in -127..=127 with its output's own scale `t`. Sums of products are exact on every
//! processor, so that a row's result depends on nothing but the row. The scheme is that of Jacob et al. (2018), section 2,
//! with weights symmetric.

mod blocks;
#[cfg(target_arch = "x86_64")]
mod panels;
mod rows;

use candle_core::Result;

use super::LinearKernel;
use blocks::Blocks;
#[cfg(target_arch = "x86_64")]
use panels::{Instructions, Int8Panels};
use rows::Rows;
pub use rows::WeightRows;

/// A linear layer in int8.
pub struct Int8Linear {
    store: Store,
    inputs: usize,
    outputs: usize,
}

/// The weights as a kernel wants them.
enum Store {
    Blocks(Blocks),
    #[cfg(target_arch = "x86_64")]
    Panels(Int8Panels),
}

impl Int8Linear {
    /// Packs `weights` for the fastest kernel of this processor.
    pub fn new(weights: &WeightRows, bias: Option<Vec<f32>>, inputs: usize) -> Result<Self> {
        let outputs = weights.scales.len();
        let bias = bias.unwrap_or_else(|| vec![0.0; outputs]);
        #[cfg(target_arch = "x86_64")]
        if let Some(best) = Instructions::available().pop() {
            return Ok(Self { store: Store::Panels(Int8Panels::pack(weights, bias, best)), inputs, outputs });
        }
        Ok(Self { store: Store::Blocks(Blocks::pack(weights, &bias)?), inputs, outputs })
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
        let rows = Rows::quantise(rows, self.inputs);
        match &self.store {
            Store::Blocks(blocks) => blocks.multiply(&rows, out),
            #[cfg(target_arch = "x86_64")]
            Store::Panels(panels) => {
                panels.multiply(&rows, out);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::linear::{FloatLinear, WeightRun};
    use crate::kernels::noise;

    fn quantised(weight: &[f32], inputs: usize) -> WeightRows {
        let mut rows = WeightRows::new(inputs);
        weight.chunks(inputs * 7).for_each(|weight| rows.extend(WeightRun::F32(weight.into())));
        rows
    }

    fn layer(weight: &[f32], bias: Option<Vec<f32>>, inputs: usize) -> Int8Linear {
        Int8Linear::new(&quantised(weight, inputs), bias, inputs).unwrap()
    }

    /// The layer's definition in plain loops.
    fn plain(weight: &[f32], bias: &[f32], inputs: usize, row: &[f32]) -> Vec<f32> {
        let (min, max) = row.iter().fold((0f32, 0f32), |(min, max), x| (min.min(*x), max.max(*x)));
        let scale = (max - min) / 254.0;
        let zero_point = (-min / scale).round_ties_even() as i32;
        let quantised: Vec<i32> =
            row.iter().map(|x| ((x / scale).round_ties_even() as i32 + zero_point).clamp(0, 254)).collect();
        let output = |(weights, bias): (&[f32], &f32)| {
            let step = weights.iter().fold(0f32, |most, w| most.max(w.abs())) / 127.0;
            let sum: i32 = weights
                .iter()
                .zip(&quantised)
                .map(|(w, q)| (w / step).round_ties_even() as i32 * (q - zero_point))
                .sum();
            sum as f32 * scale * step + bias
        };
        weight.chunks(inputs).zip(bias).map(output).collect()
    }

    fn assert_equals_definition(count: usize, inputs: usize, outputs: usize) {
        let (weight, bias) = (noise(outputs * inputs, 1), noise(outputs, 2));
        let rows = noise(count * inputs, 3);
        let layer = layer(&weight, Some(bias.clone()), inputs);
        let found = layer.forward(&rows).unwrap();
        for (row, found) in rows.chunks(inputs).zip(found.chunks(outputs)) {
            for (found, expected) in found.iter().zip(plain(&weight, &bias, inputs, row)) {
                // A product that falls on the border between two integers may be rounded either way.
                assert!((found - expected).abs() < 2e-2, "{count} x {inputs} x {outputs}: {found} {expected}");
            }
        }
    }

    #[test]
    fn it_equals_its_definition() {
        for (count, inputs, outputs) in [(1, 8, 3), (5, 64, 40), (3, 33, blocks::BLOCK + 17)] {
            assert_equals_definition(count, inputs, outputs);
        }
    }

    /// `row * weights` of every pair of rows, in integers.
    fn exact(rows: &Rows, weights: &WeightRows, bias: &[f32]) -> Vec<f32> {
        let mut out = Vec::new();
        for ((row, scale), zero_point) in rows.values().chunks(rows.width).zip(&rows.scales).zip(&rows.zero_points) {
            for (output, weights_row) in weights.values.chunks(weights.width).enumerate() {
                let sum: i32 =
                    row.iter().zip(weights_row).map(|(x, w)| (i32::from(*x) - zero_point) * i32::from(*w)).sum();
                // The products that rows are filled up with are 0 * (0 - zero_point).
                out.push((sum as f32).mul_add(weights.scales[output] * scale, bias[output]));
            }
        }
        out
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { cases: 48, failure_persistence: None, ..Default::default() })]

        #[test]
        fn all_kernels_make_the_same_integers(count in 1usize..131, inputs in 1usize..150, outputs in 1usize..80, threads in 1usize..4) {
            let weights = quantised(&noise(outputs * inputs, 8), inputs);
            let rows = Rows::quantise(&noise(count * inputs, 9), inputs);
            let bias = noise(outputs, 10);
            let expected = exact(&rows, &weights, &bias);
            let mut found = vec![0.0; count * outputs];
            if !blocks::may_saturate() {
                Blocks::pack(&weights, &bias).unwrap().multiply(&rows, &mut found).unwrap();
                proptest::prop_assert_eq!(&found, &expected);
            }
            #[cfg(target_arch = "x86_64")]
            for instructions in Instructions::available() {
                found.fill(0.0);
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let panels = Int8Panels::pack(&weights, bias.clone(), instructions);
                pool.install(|| panels.multiply(&rows, &mut found));
                proptest::prop_assert_eq!(&found, &expected, "{:?}", instructions);
            }
        }
    }

    #[test]
    fn it_approximates_the_exact_layer() {
        let (inputs, outputs) = (512, 64);
        let (weight, rows) = (noise(outputs * inputs, 4), noise(7 * inputs, 5));
        let exact = FloatLinear::new(&weight, None, outputs, inputs).unwrap().forward(&rows).unwrap();
        let found = layer(&weight, None, inputs).forward(&rows).unwrap();
        let error: f32 = exact.iter().zip(&found).map(|(a, b)| (a - b).powi(2)).sum();
        let signal: f32 = exact.iter().map(|a| a.powi(2)).sum();
        assert!(error / signal < 4e-4, "{}", error / signal);
    }

    #[test]
    fn the_largest_values_do_not_overflow() {
        let (inputs, outputs) = (4096, 4);
        let layer = layer(&vec![1.0; outputs * inputs], None, inputs);
        assert!(layer.forward(&vec![3.0; inputs]).unwrap().iter().all(|sum| (sum - 3.0 * 4096.0).abs() < 1.0));
    }

    #[test]
    fn a_row_does_not_depend_on_its_neighbours() {
        let (inputs, outputs) = (64, 100);
        let layer = layer(&noise(outputs * inputs, 6), None, inputs);
        let rows = noise(33 * inputs, 7);
        let together = layer.forward(&rows).unwrap();
        for (row, expected) in rows.chunks(inputs).zip(together.chunks(outputs)) {
            assert_eq!(layer.forward(row).unwrap(), expected);
        }
        assert_eq!(layer.forward(&[0.0; 64]).unwrap(), [0.0; 100]);
    }
}

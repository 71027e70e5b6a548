//! Single precision.

mod packed;
#[cfg(target_arch = "x86_64")]
mod panels;

use candle_core::Result;

use super::LinearKernel;
use packed::Packed;
#[cfg(target_arch = "x86_64")]
use panels::{FloatPanels, Instructions};

/// A linear layer in f32.
pub struct FloatLinear {
    store: Store,
    inputs: usize,
    outputs: usize,
}

/// The weights as a kernel wants them.
enum Store {
    Packed(Packed),
    #[cfg(target_arch = "x86_64")]
    Panels(FloatPanels),
}

impl FloatLinear {
    /// Packs `weight`, `outputs` rows of `inputs` values, for the fastest kernel of this processor.
    pub fn new(weight: &[f32], bias: Option<Vec<f32>>, outputs: usize, inputs: usize) -> Result<Self> {
        #[cfg(target_arch = "x86_64")]
        if let Some(best) = Instructions::available().pop() {
            let bias = bias.unwrap_or_else(|| vec![0.0; outputs]);
            return Ok(Self { store: Store::Panels(FloatPanels::pack(weight, bias, inputs, best)), inputs, outputs });
        }
        Ok(Self { store: Store::Packed(Packed::pack(weight, bias, outputs, inputs)?), inputs, outputs })
    }
}

impl LinearKernel for FloatLinear {
    fn inputs(&self) -> usize {
        self.inputs
    }

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn forward_into(&self, rows: &[f32], out: &mut [f32]) -> Result<()> {
        match &self.store {
            Store::Packed(packed) => packed.multiply(rows, out),
            #[cfg(target_arch = "x86_64")]
            Store::Panels(panels) => {
                panels.multiply(rows, out);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::noise;

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { cases: 48, failure_persistence: None, ..Default::default() })]

        #[test]
        fn all_kernels_equal_plain_loops(count in 1usize..131, inputs in 1usize..150, outputs in 1usize..80, threads in 1usize..4) {
            let (weight, bias, rows) = (noise(outputs * inputs, 1), noise(outputs, 2), noise(count * inputs, 3));
            let product = |row: &[f32], weight: &[f32]| row.iter().zip(weight).map(|(a, b)| a * b).sum::<f32>();
            let expected: Vec<f32> = rows
                .chunks(inputs)
                .flat_map(|row| weight.chunks(inputs).zip(&bias).map(move |(weight, bias)| product(row, weight) + bias))
                .collect();
            let close = |found: &[f32]| found.iter().zip(&expected).all(|(found, expected)| (found - expected).abs() < 1e-4);
            let mut found = vec![0.0; count * outputs];
            Packed::pack(&weight, Some(bias.clone()), outputs, inputs).unwrap().multiply(&rows, &mut found).unwrap();
            proptest::prop_assert!(close(&found));
            #[cfg(target_arch = "x86_64")]
            for instructions in Instructions::available() {
                found.fill(0.0);
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let panels = FloatPanels::pack(&weight, bias.clone(), inputs, instructions);
                pool.install(|| panels.multiply(&rows, &mut found));
                proptest::prop_assert!(close(&found), "{:?}", instructions);
            }
        }
    }
}

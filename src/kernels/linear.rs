//! Linear layers, `x W^T + b`, whose weights are packed once for the machine's vector unit.

mod float;
mod int8;
#[cfg(target_arch = "x86_64")]
mod panels;
mod run;

use candle_core::Result;

pub use float::FloatLinear;
pub use int8::{Int8Linear, WeightRows};
pub use run::WeightRun;

/// Arithmetic of a linear layer on the CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// Single precision.
    F32,
    /// 8-bit integers with exact sums; weights are scaled for each output, activations for each row as they come.
    Int8,
}

/// A linear layer on slices of rows.
pub trait LinearKernel: Send + Sync {
    /// Width of an input row.
    fn inputs(&self) -> usize;

    /// Width of an output row.
    fn outputs(&self) -> usize;

    /// Fills `out` with the layer's outputs for `rows`, row after row; the two hold the same number of rows.
    fn forward_into(&self, rows: &[f32], out: &mut [f32]) -> Result<()>;

    /// [`Self::forward_into`] a new vector.
    fn forward(&self, rows: &[f32]) -> Result<Vec<f32>> {
        let mut out = vec![0.0; rows.len() / self.inputs().max(1) * self.outputs()];
        self.forward_into(rows, &mut out)?;
        Ok(out)
    }
}

/// A linear layer to whose weights the rows, one for each output, come bit by bit.
pub struct LinearBuilder {
    inputs: usize,
    rows: Rows,
}

enum Rows {
    F32(Vec<f32>),
    Int8(WeightRows),
}

impl LinearBuilder {
    /// For rows of `inputs` weights.
    pub fn new(arithmetic: Arithmetic, inputs: usize) -> Self {
        let rows = match arithmetic {
            Arithmetic::F32 => Rows::F32(Vec::new()),
            Arithmetic::Int8 => Rows::Int8(WeightRows::new(inputs)),
        };
        Self { inputs, rows }
    }

    /// Appends rows.
    pub fn extend(&mut self, rows: WeightRun) {
        match &mut self.rows {
            Rows::F32(values) => values.extend_from_slice(&rows.into_f32()),
            Rows::Int8(values) => values.extend(rows),
        }
    }

    /// Packs the weights; `bias` has a value for each output.
    pub fn finish(self, bias: Option<Vec<f32>>) -> Result<Box<dyn LinearKernel>> {
        Ok(match self.rows {
            Rows::F32(values) => {
                let outputs = values.len().checked_div(self.inputs).unwrap_or(0);
                Box::new(FloatLinear::new(&values, bias, outputs, self.inputs)?)
            }
            Rows::Int8(values) => Box::new(Int8Linear::new(&values, bias, self.inputs)?),
        })
    }
}

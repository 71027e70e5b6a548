//! Linear layers, `x W^T + b`, whose weights are packed once for the machine's vector unit.

mod float;
mod int8;

use candle_core::{Result, Tensor};

pub use float::FloatLinear;
pub use int8::Int8Linear;

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

/// The layer of `weight`, shape `[out, in]`, and `bias`, shape `[out]`.
pub fn linear(weight: &Tensor, bias: Option<&Tensor>, arithmetic: Arithmetic) -> Result<Box<dyn LinearKernel>> {
    let (outputs, inputs) = weight.dims2()?;
    let bias = bias.map(|bias| bias.to_vec1()).transpose()?;
    super::with_values(weight, |weight| {
        Ok(match arithmetic {
            Arithmetic::F32 => Box::new(FloatLinear::new(weight, bias, outputs, inputs)?) as Box<dyn LinearKernel>,
            Arithmetic::Int8 => Box::new(Int8Linear::new(weight, bias, outputs, inputs)?),
        })
    })
}

//! The layers that every family is built from, each with a fast path for the CPU and plain candle for the rest.

use candle_core::{DType, Device, Tensor};
use candle_nn::Module;

use super::{Activation, ModelError, Weights};
use crate::kernels::{self, Arithmetic, LinearKernel};

/// How a network computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Execution {
    /// By the kernels of this crate, on the CPU: linear layers in this arithmetic, the rest in f32.
    Kernels(Arithmetic),
    /// By candle's own operations, on any device in any precision.
    Candle,
}

/// Names tensors relative to a place in the checkpoint, and builds layers of them.
pub struct Loader<'a> {
    weights: &'a Weights,
    execution: Execution,
    prefix: String,
}

impl<'a> Loader<'a> {
    /// At the root of a checkpoint.
    pub fn new(weights: &'a Weights, execution: Execution) -> Self {
        Self { weights, execution, prefix: String::new() }
    }

    /// One level down.
    pub fn at(&self, name: impl std::fmt::Display) -> Self {
        Self { weights: self.weights, execution: self.execution, prefix: format!("{}{name}.", self.prefix) }
    }

    /// A tensor of the given shape.
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor, ModelError> {
        self.weights.get(&format!("{}{name}", self.prefix), shape)
    }

    /// The first of several names that the checkpoint has; the first of all if it has none, so that the error names it.
    pub fn first_of<'n>(&self, names: &[&'n str]) -> &'n str {
        let present = names.iter().find(|name| self.weights.has(&format!("{}{name}", self.prefix)));
        present.or(names.first()).copied().unwrap_or_default()
    }

    /// A linear layer with bias.
    pub fn linear(&self, name: &str, inputs: usize, outputs: usize) -> Result<Linear, ModelError> {
        self.fused_linear(&[name], inputs, outputs)
    }

    /// Several linear layers of the same shape as one, which gives their outputs side by side.
    pub fn fused_linear(&self, names: &[&str], inputs: usize, outputs: usize) -> Result<Linear, ModelError> {
        let load = |kind: &str, shape: &[usize]| -> Result<Tensor, ModelError> {
            let parts: Result<Vec<_>, _> = names.iter().map(|name| self.at(name).tensor(kind, shape)).collect();
            Ok(Tensor::cat(&parts?, 0)?)
        };
        let (weight, bias) = (load("weight", &[outputs, inputs])?, load("bias", &[outputs])?);
        Ok(Linear::new(&weight, Some(&bias), self.execution)?)
    }

    /// Layer normalisation over `width` values.
    pub fn layer_norm(&self, name: &str, width: usize) -> Result<LayerNorm, ModelError> {
        let (scale, bias) = (self.at(name).tensor("weight", &[width])?, self.at(name).tensor("bias", &[width])?);
        Ok(match self.execution {
            Execution::Kernels(_) => LayerNorm::Kernel { scale: scale.to_vec1()?, bias: bias.to_vec1()? },
            Execution::Candle => {
                LayerNorm::Candle(candle_nn::LayerNorm::new(scale, bias, f64::from(LAYER_NORM_EPSILON)))
            }
        })
    }
}

/// `x W^T + b`
pub enum Linear {
    /// Weights packed for the CPU.
    Packed(Box<dyn LinearKernel>),
    /// Weights `[in, out]` as candle multiplies them.
    Plain { weight: Tensor, bias: Option<Tensor> },
}

impl Linear {
    /// From `weight`, shape `[out, in]`, and `bias`, shape `[out]`.
    pub fn new(weight: &Tensor, bias: Option<&Tensor>, execution: Execution) -> candle_core::Result<Self> {
        Ok(match execution {
            Execution::Kernels(arithmetic) => Self::Packed(kernels::linear(weight, bias, arithmetic)?),
            Execution::Candle => Self::Plain { weight: weight.t()?, bias: bias.cloned() },
        })
    }

    /// `[rows, in]` to `[rows, out]`.
    pub fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        match self {
            Self::Packed(layer) => kernels::to_rows(kernels::with_values(x, |x| layer.forward(x))?, x.dim(0)?),
            Self::Plain { weight, bias } => {
                let y = x.matmul(weight)?;
                bias.as_ref().map_or(Ok(y.clone()), |bias| y.broadcast_add(bias))
            }
        }
    }

    /// [`Self::forward`] into a slice of `rows * out` values on the host.
    pub fn forward_into(&self, x: &Tensor, out: &mut [f32]) -> candle_core::Result<()> {
        match self {
            Self::Packed(layer) => kernels::with_values(x, |x| layer.forward_into(x, out)),
            Self::Plain { .. } => {
                let y = self.forward(x)?.to_dtype(DType::F32)?.flatten_all()?.to_device(&Device::Cpu)?;
                kernels::with_values(&y, |y| {
                    out.copy_from_slice(y);
                    Ok(())
                })
            }
        }
    }

    /// [`Self::forward`] and an activation.
    pub fn forward_activated(&self, x: &Tensor, activation: Activation) -> candle_core::Result<Tensor> {
        match self {
            Self::Packed(layer) => {
                let mut values = kernels::with_values(x, |x| layer.forward(x))?;
                activation.apply(&mut values);
                kernels::to_rows(values, x.dim(0)?)
            }
            Self::Plain { .. } => activation.forward(&self.forward(x)?),
        }
    }
}

/// The value that Marian and BART checkpoints are trained with.
const LAYER_NORM_EPSILON: f32 = 1e-5;

/// Layer normalisation (Ba et al. 2016).
pub enum LayerNorm {
    /// On the CPU, together with the residual sum.
    Kernel { scale: Vec<f32>, bias: Vec<f32> },
    /// By candle.
    Candle(candle_nn::LayerNorm),
}

impl LayerNorm {
    /// The normalised sum of `x` and `residual`, all `[rows, width]`.
    pub fn add_and_normalize(&self, x: &Tensor, residual: &Tensor) -> candle_core::Result<Tensor> {
        match self {
            Self::Kernel { scale, bias } => {
                let mut values: Vec<f32> = kernels::with_values(x, |x| Ok(x.to_vec()))?;
                kernels::with_values(residual, |residual| {
                    kernels::add_norm(&mut values, residual, scale, bias, LAYER_NORM_EPSILON);
                    Ok(())
                })?;
                kernels::to_rows(values, x.dim(0)?)
            }
            Self::Candle(norm) => norm.forward(&(x + residual)?),
        }
    }
}

/// Token embeddings with the positions that are added to them.
pub struct Embedding {
    tokens: Tensor,
    positions: Tensor,
    scale: f64,
}

impl Embedding {
    /// `tokens` is `[vocabulary, width]`, `positions` `[longest, width]`; token embeddings are multiplied by `scale`.
    pub fn new(tokens: Tensor, positions: Tensor, scale: f64) -> Self {
        Self { tokens, positions, scale }
    }

    /// The sum for every token at its position, `[tokens.len(), width]`.
    pub fn forward(&self, tokens: &[u32], positions: &[u32]) -> Result<Tensor, ModelError> {
        let (size, limit) = (self.tokens.dim(0)?, self.positions.dim(0)?);
        if let Some(id) = tokens.iter().find(|id| **id as usize >= size) {
            return Err(ModelError::Token { id: *id, size });
        }
        if let Some(last) = positions.iter().find(|at| **at as usize >= limit) {
            return Err(ModelError::TooLong { length: *last as usize + 1, limit });
        }
        let device = self.tokens.device();
        let look_up = |table: &Tensor, ids: &[u32]| table.index_select(&Tensor::new(ids, device)?, 0);
        let tokens = (look_up(&self.tokens, tokens)? * self.scale)?;
        Ok((tokens + look_up(&self.positions, positions)?)?)
    }
}

/// Fixed positions, `[length, width]`: the sines of Vaswani et al. (2017), section 3.5, in the first half of each row and
/// the cosines in the second, as Marian lays them out.
pub fn sinusoidal_positions(length: usize, width: usize, device: &Device, dtype: DType) -> candle_core::Result<Tensor> {
    let half = width.div_ceil(2);
    let mut values = Vec::with_capacity(length * width);
    for position in 0..length {
        let angle = |place: usize| position as f64 / 10_000f64.powf(2.0 * place as f64 / width as f64);
        values.extend((0..half).map(|place| angle(place).sin() as f32));
        values.extend((0..width - half).map(|place| angle(place).cos() as f32));
    }
    Tensor::from_vec(values, (length, width), device)?.to_dtype(dtype)
}

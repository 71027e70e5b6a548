//! The layers that every family is built from, each with a fast path for the CPU and plain candle for the rest.

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use candle_nn::Module;
use rayon::prelude::*;

use super::embedding::TokenTable;
use super::{Activation, ModelError, Weights};
use crate::kernels::{self, Arithmetic, LinearBuilder, LinearKernel, Table, WeightRun};

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

    /// `count` layers, of which `load` gives the one of a number; on the CPU several at once.
    ///
    /// # Errors
    /// That of the first layer that has one, whichever was loaded first.
    pub fn layers<L: Send>(
        &self,
        count: usize,
        load: impl Fn(usize) -> Result<L, ModelError> + Sync,
    ) -> Result<Vec<L>, ModelError> {
        match self.execution {
            Execution::Kernels(_) => {
                let layers: Vec<_> = (0..count).into_par_iter().map(&load).collect();
                layers.into_iter().collect()
            }
            Execution::Candle => (0..count).map(load).collect(),
        }
    }

    /// A tensor of the given shape.
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor, ModelError> {
        self.weights.get(&format!("{}{name}", self.prefix), shape)
    }

    /// Whether the checkpoint has a tensor.
    pub fn has(&self, name: &str) -> bool {
        self.weights.has(&format!("{}{name}", self.prefix))
    }

    /// The first of several names that the checkpoint has; the first of all if it has none, so that the error names it.
    pub fn first_of<'n>(&self, names: &[&'n str]) -> &'n str {
        let present = names.iter().find(|name| self.has(name));
        present.or(names.first()).copied().unwrap_or_default()
    }

    /// Hands the rows of a tensor `[rows, width]` to `take`, a run of them at a time.
    pub fn rows(
        &self,
        name: &str,
        shape: [usize; 2],
        take: &mut dyn FnMut(WeightRun) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        self.weights.read(&format!("{}{name}", self.prefix), &shape, take)
    }

    /// A linear layer with bias.
    pub fn linear(&self, name: &str, inputs: usize, outputs: usize) -> Result<Linear, ModelError> {
        self.fused_linear(&[name], inputs, outputs)
    }

    /// Several linear layers of the same shape as one, which gives their outputs side by side.
    pub fn fused_linear(&self, names: &[&str], inputs: usize, outputs: usize) -> Result<Linear, ModelError> {
        self.fuse(names, inputs, outputs, true)
    }

    /// [`Self::fused_linear`] for layers without bias.
    pub fn unbiased_linear(&self, names: &[&str], inputs: usize, outputs: usize) -> Result<Linear, ModelError> {
        self.fuse(names, inputs, outputs, false)
    }

    fn fuse(&self, names: &[&str], inputs: usize, outputs: usize, biased: bool) -> Result<Linear, ModelError> {
        let load = |kind: &str, shape: &[usize]| -> Result<Tensor, ModelError> {
            let parts: Result<Vec<_>, _> = names.iter().map(|name| self.at(name).tensor(kind, shape)).collect();
            Ok(Tensor::cat(&parts?, 0)?)
        };
        let bias = || biased.then(|| load("bias", &[outputs])).transpose();
        Ok(match self.execution {
            Execution::Candle => Linear::plain(&load("weight", &[outputs, inputs])?, bias()?.as_ref())?,
            Execution::Kernels(arithmetic) => {
                let mut layer = LinearBuilder::new(arithmetic, inputs);
                for name in names {
                    self.at(name).rows("weight", [outputs, inputs], &mut |rows| {
                        layer.extend(rows);
                        Ok(())
                    })?;
                }
                Linear::Packed(layer.finish(bias()?.map(|bias| bias.to_vec1()).transpose()?)?)
            }
        })
    }

    /// The token embeddings of a tensor `[vocabulary, width]`.
    pub fn token_table(&self, name: &str, shape: [usize; 2]) -> Result<TokenTable, ModelError> {
        if self.execution == Execution::Kernels(Arithmetic::F32)
            && let Some(rows) = self.weights.stored_rows(&format!("{}{name}", self.prefix), shape)
        {
            return Ok(TokenTable::Stored(Arc::new(rows)));
        }
        Ok(match self.execution {
            Execution::Candle => TokenTable::Candle(self.tensor(name, &shape)?),
            Execution::Kernels(arithmetic) => {
                let mut table = Table::new(arithmetic, shape[1]);
                self.rows(name, shape, &mut |rows| {
                    table.extend(rows);
                    Ok(())
                })?;
                TokenTable::Kernel(Arc::new(table))
            }
        })
    }

    /// The output projection of a tensor `[vocabulary, width]` and `bias`, shape `[vocabulary]`, onto `outputs`, which
    /// are in rising order, or onto all tokens.
    pub fn projection(
        &self,
        name: &str,
        bias: Option<&Tensor>,
        shape: [usize; 2],
        outputs: Option<&[u32]>,
    ) -> Result<Linear, ModelError> {
        let chosen = |table: &Tensor| match outputs {
            Some(outputs) => table.index_select(&Tensor::new(outputs, table.device())?, 0),
            None => Ok(table.clone()),
        };
        let bias = bias.map(chosen).transpose()?;
        Ok(match self.execution {
            Execution::Candle => Linear::plain(&chosen(&self.tensor(name, &shape)?)?, bias.as_ref())?,
            Execution::Kernels(arithmetic) => {
                let width = shape[1].max(1);
                let mut layer = LinearBuilder::new(arithmetic, width);
                let (mut token, mut outputs) = (0, outputs.map(|outputs| outputs.iter().peekable()));
                self.rows(name, shape, &mut |rows| {
                    layer.extend(match &mut outputs {
                        None => rows,
                        Some(outputs) => rows.select(width, |_| {
                            token += 1;
                            outputs.next_if(|output| **output == token - 1).is_some()
                        }),
                    });
                    Ok(())
                })?;
                Linear::Packed(layer.finish(bias.map(|bias| bias.to_vec1()).transpose()?)?)
            }
        })
    }

    /// Root mean square normalisation over `width` values, whose results are multiplied by `factor`.
    pub fn rms_norm(&self, name: &str, width: usize, epsilon: f64, factor: f64) -> Result<RmsNorm, ModelError> {
        let scale = (self.at(name).tensor("weight", &[width])? * factor)?;
        Ok(match self.execution {
            Execution::Kernels(_) => RmsNorm::Kernel { scale: scale.to_vec1()?, epsilon: epsilon as f32 },
            Execution::Candle => RmsNorm::Candle(candle_nn::RmsNorm::new(scale, epsilon)),
        })
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
    /// For candle, from `weight`, shape `[out, in]`, and `bias`, shape `[out]`.
    pub fn plain(weight: &Tensor, bias: Option<&Tensor>) -> candle_core::Result<Self> {
        Ok(Self::Plain { weight: weight.t()?, bias: bias.cloned() })
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

    /// [`Self::forward_activated`] for the first half of the outputs, times the second half (Shazeer 2020).
    pub fn forward_gated(&self, x: &Tensor, activation: Activation) -> candle_core::Result<Tensor> {
        match self {
            Self::Packed(layer) => {
                let both = kernels::with_values(x, |x| layer.forward(x))?;
                let half = layer.outputs() / 2;
                let mut values = Vec::with_capacity(both.len() / 2);
                for (gates, linear) in both.chunks_exact(2 * half).map(|row| row.split_at(half)) {
                    let start = values.len();
                    values.extend_from_slice(gates);
                    let Some(row) = values.get_mut(start..) else { continue };
                    activation.apply(row);
                    row.iter_mut().zip(linear).for_each(|(value, linear)| *value *= linear);
                }
                kernels::to_rows(values, x.dim(0)?)
            }
            Self::Plain { .. } => {
                let both = self.forward(x)?;
                let half = both.dim(1)? / 2;
                activation.forward(&both.narrow(1, 0, half)?.contiguous()?)? * both.narrow(1, half, half)?
            }
        }
    }
}

/// The value that BART and all that is built like it are trained with.
const LAYER_NORM_EPSILON: f32 = 1e-5;

/// Layer normalisation (Ba et al. 2016).
pub enum LayerNorm {
    /// On the CPU.
    Kernel { scale: Vec<f32>, bias: Vec<f32> },
    /// By candle.
    Candle(candle_nn::LayerNorm),
}

impl LayerNorm {
    /// Normalises rows, `[rows, width]`.
    pub fn normalize(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        match self {
            Self::Kernel { scale, bias } => {
                let mut values: Vec<f32> = kernels::with_values(x, |x| Ok(x.to_vec()))?;
                kernels::layer_norm(&mut values, scale, bias, LAYER_NORM_EPSILON);
                kernels::to_rows(values, x.dim(0)?)
            }
            Self::Candle(norm) => norm.forward(x),
        }
    }

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

/// Root mean square normalisation (Zhang and Sennrich 2019).
pub enum RmsNorm {
    /// On the CPU.
    Kernel { scale: Vec<f32>, epsilon: f32 },
    /// By candle.
    Candle(candle_nn::RmsNorm),
}

impl RmsNorm {
    /// Normalises rows, `[rows, width]`.
    pub fn normalize(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        match self {
            Self::Kernel { scale, epsilon } => {
                let mut values: Vec<f32> = kernels::with_values(x, |x| Ok(x.to_vec()))?;
                kernels::rms_norm(&mut values, scale, *epsilon);
                kernels::to_rows(values, x.dim(0)?)
            }
            Self::Candle(norm) => norm.forward(x),
        }
    }
}

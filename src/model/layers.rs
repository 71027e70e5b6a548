//! The layers that every family is built from, each with a fast path for the CPU and plain candle for the rest.

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use candle_nn::Module;

use super::{Activation, ModelError, Weights};
use crate::kernels::{self, Arithmetic, LinearBuilder, LinearKernel, Table};

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

    /// Hands the rows of a tensor `[rows, width]` to `take`, a run of them at a time.
    pub fn rows(
        &self,
        name: &str,
        shape: [usize; 2],
        take: &mut dyn FnMut(&[f32]) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        self.weights.read(&format!("{}{name}", self.prefix), &shape, take)
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
        let bias = || load("bias", &[outputs]);
        Ok(match self.execution {
            Execution::Candle => Linear::plain(&load("weight", &[outputs, inputs])?, Some(&bias()?))?,
            Execution::Kernels(arithmetic) => {
                let mut layer = LinearBuilder::new(arithmetic, inputs);
                for name in names {
                    self.at(name).rows("weight", [outputs, inputs], &mut |rows| {
                        layer.extend(rows);
                        Ok(())
                    })?;
                }
                Linear::Packed(layer.finish(Some(bias()?.to_vec1()?))?)
            }
        })
    }

    /// The token embeddings of a tensor `[vocabulary, width]`.
    pub fn token_table(&self, name: &str, shape: [usize; 2]) -> Result<TokenTable, ModelError> {
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
        bias: &Tensor,
        shape: [usize; 2],
        outputs: Option<&[u32]>,
    ) -> Result<Linear, ModelError> {
        let chosen = |table: &Tensor| match outputs {
            Some(outputs) => table.index_select(&Tensor::new(outputs, table.device())?, 0),
            None => Ok(table.clone()),
        };
        let bias = chosen(bias)?;
        Ok(match self.execution {
            Execution::Candle => Linear::plain(&chosen(&self.tensor(name, &shape)?)?, Some(&bias))?,
            Execution::Kernels(arithmetic) => {
                let width = shape[1].max(1);
                let mut layer = LinearBuilder::new(arithmetic, width);
                let (mut token, mut outputs) = (0, outputs.map(|outputs| outputs.iter().peekable()));
                self.rows(name, shape, &mut |rows| {
                    let Some(outputs) = &mut outputs else {
                        layer.extend(rows);
                        return Ok(());
                    };
                    let mut chosen = Vec::new();
                    for row in rows.chunks_exact(width) {
                        if outputs.next_if(|output| **output == token).is_some() {
                            chosen.extend_from_slice(row);
                        }
                        token += 1;
                    }
                    layer.extend(&chosen);
                    Ok(())
                })?;
                Linear::Packed(layer.finish(Some(bias.to_vec1()?))?)
            }
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
    tokens: TokenTable,
    positions: Tensor,
    scale: f64,
}

/// A row for each token.
#[derive(Clone)]
pub enum TokenTable {
    /// On the CPU.
    Kernel(Arc<Table>),
    /// For candle, `[vocabulary, width]`.
    Candle(Tensor),
}

impl TokenTable {
    fn size(&self) -> candle_core::Result<usize> {
        match self {
            Self::Kernel(table) => Ok(table.rows()),
            Self::Candle(table) => table.dim(0),
        }
    }
}

impl Embedding {
    /// `positions` is `[longest, width]`; token embeddings are multiplied by `scale`.
    pub fn new(tokens: TokenTable, positions: Tensor, scale: f64) -> Self {
        Self { tokens, positions, scale }
    }

    /// The sum for every token at its position, `[tokens.len(), width]`.
    pub fn forward(&self, tokens: &[u32], positions: &[u32]) -> Result<Tensor, ModelError> {
        let (size, (limit, width)) = (self.tokens.size()?, self.positions.dims2()?);
        if let Some(id) = tokens.iter().find(|id| **id as usize >= size) {
            return Err(ModelError::Token { id: *id, size });
        }
        if let Some(last) = positions.iter().find(|at| **at as usize >= limit) {
            return Err(ModelError::TooLong { length: *last as usize + 1, limit });
        }
        match &self.tokens {
            TokenTable::Kernel(table) => {
                let mut values = Vec::with_capacity(tokens.len() * width);
                tokens.iter().for_each(|token| table.look_up(*token as usize, self.scale as f32, &mut values));
                kernels::with_values(&self.positions, |table| {
                    for (values, position) in values.chunks_exact_mut(width).zip(positions) {
                        let position = table.chunks_exact(width).nth(*position as usize).unwrap_or_default();
                        values.iter_mut().zip(position).for_each(|(value, position)| *value += position);
                    }
                    Ok(())
                })?;
                Ok(kernels::to_rows(values, tokens.len())?)
            }
            TokenTable::Candle(table) => {
                let device = table.device();
                let tokens = (table.index_select(&Tensor::new(tokens, device)?, 0)? * self.scale)?;
                Ok((tokens + self.positions.index_select(&Tensor::new(positions, device)?, 0)?)?)
            }
        }
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

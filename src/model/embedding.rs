//! From tokens to vectors.

use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::ModelError;
use super::stored::StoredRows;
use crate::kernels::{self, Table};

/// A row for each token.
#[derive(Clone)]
pub enum TokenTable {
    /// On the CPU, in memory.
    Kernel(Arc<Table>),
    /// On the CPU, left in the checkpoint.
    Stored(Arc<StoredRows>),
    /// For candle, `[vocabulary, width]`.
    Candle(Tensor),
}

impl TokenTable {
    /// The tokens' rows, `[tokens.len(), width]`, multiplied by `scale`.
    pub fn look_up(&self, tokens: &[u32], scale: f64) -> Result<Tensor, ModelError> {
        let size = match self {
            Self::Kernel(table) => table.rows(),
            Self::Stored(table) => table.rows(),
            Self::Candle(table) => table.dim(0)?,
        };
        if let Some(id) = tokens.iter().find(|id| **id as usize >= size) {
            return Err(ModelError::Token { id: *id, size });
        }
        Ok(match self {
            Self::Kernel(table) => {
                let mut values = Vec::new();
                tokens.iter().for_each(|token| table.look_up(*token as usize, scale as f32, &mut values));
                kernels::to_rows(values, tokens.len())?
            }
            Self::Stored(table) => kernels::to_rows(table.look_up(tokens, scale as f32)?, tokens.len())?,
            Self::Candle(table) => (table.index_select(&Tensor::new(tokens, table.device())?, 0)? * scale)?,
        })
    }
}

/// Token embeddings with the positions that are added to them.
pub struct Embedding {
    tokens: TokenTable,
    positions: Tensor,
    scale: f64,
}

impl Embedding {
    /// `positions` is `[longest, width]`; token embeddings are multiplied by `scale`.
    pub fn new(tokens: TokenTable, positions: Tensor, scale: f64) -> Self {
        Self { tokens, positions, scale }
    }

    /// The sum for every token at its position, `[tokens.len(), width]`.
    pub fn forward(&self, tokens: &[u32], positions: &[u32]) -> Result<Tensor, ModelError> {
        let limit = self.positions.dim(0)?;
        if let Some(last) = positions.iter().find(|at| **at as usize >= limit) {
            return Err(ModelError::TooLong { length: *last as usize + 1, limit });
        }
        let positions = Tensor::new(positions, self.positions.device())?;
        Ok((self.tokens.look_up(tokens, self.scale)? + self.positions.index_select(&positions, 0)?)?)
    }
}

/// Fixed positions from 0 on, `[length, width]`: the sines of Vaswani et al. (2017), section 3.5, in the first half of each
/// row and the cosines in the second, as Marian and Pegasus lay them out.
pub fn sinusoidal_positions(length: usize, width: usize) -> candle_core::Result<Tensor> {
    let half = width.div_ceil(2);
    let mut values = Vec::with_capacity(length * width);
    for position in 0..length {
        let angle = |place: usize| position as f64 / 10_000f64.powf(2.0 * place as f64 / width as f64);
        values.extend((0..half).map(|place| angle(place).sin() as f32));
        values.extend((0..width - half).map(|place| angle(place).cos() as f32));
    }
    Tensor::from_vec(values, (length, width), &Device::Cpu)
}

/// Fixed positions from 2 on, `[length, width]`, as fairseq makes them after tensor2tensor: frequencies fall to 1 / 10,000
/// inclusively, and an odd width ends with a 0. In single precision throughout, as in the reference: at position 1,000 that
/// is worth 1e-4.
pub fn fairseq_positions(length: usize, width: usize) -> candle_core::Result<Tensor> {
    let half = width / 2;
    let step = -(10_000f64.ln() / (half as f64 - 1.0)) as f32;
    let frequencies: Vec<f32> = (0..half).map(|place| (place as f32 * step).exp()).collect();
    let mut values = Vec::with_capacity(length * width);
    for position in 2..length + 2 {
        let angles = frequencies.iter().map(|frequency| position as f32 * frequency);
        values.extend(angles.clone().map(f32::sin));
        values.extend(angles.map(f32::cos));
        values.extend((2 * half..width).map(|_| 0.0));
    }
    Tensor::from_vec(values, (length, width), &Device::Cpu)
}

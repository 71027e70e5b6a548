//! CPU fast paths behind [`crate::model`]'s layers: the same arithmetic as candle's operations, on plain slices of
//! `f32`, vectorised for the machine at hand.
//!
//! Everything here runs on rayon's current thread pool and gives each row a result that does not depend on the other
//! rows, so that a batch can't change a translation.

mod attention;
mod linear;
mod norm;
mod peak;
mod table;

use candle_core::{CpuStorage, Device, Result, Storage, Tensor};

pub use attention::{DistanceBias, PathAttention, Queries, Scoring, SpanAttention, SpanMemory, Strided};
pub use linear::{Arithmetic, LinearBuilder, LinearKernel, WeightRun};
pub use norm::{add_norm, layer_norm, rms_norm};
pub use peak::matrix_peak;
pub use table::Table;

/// Lends the values of a contiguous f32 tensor on the CPU to `read`.
pub fn with_values<T>(tensor: &Tensor, read: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let (storage, layout) = tensor.storage_and_layout();
    let Storage::Cpu(CpuStorage::F32(values)) = &*storage else {
        candle_core::bail!("a fast path needs f32 on the CPU, not {:?} on {:?}", tensor.dtype(), tensor.device());
    };
    match layout.contiguous_offsets().and_then(|(start, end)| values.get(start..end)) {
        Some(values) => read(values),
        None => candle_core::bail!("a fast path needs a contiguous tensor, not {layout:?}"),
    }
}

/// A tensor of `rows` of equal width from their values.
pub fn to_rows(values: Vec<f32>, rows: usize) -> Result<Tensor> {
    let width = values.len().checked_div(rows).unwrap_or(0);
    Tensor::from_vec(values, (rows, width), &Device::Cpu)
}

/// Values in -1..1, the same at every run.
#[cfg(test)]
fn noise(count: usize, seed: u32) -> Vec<f32> {
    (0..count as u32)
        .map(|i| ((i.wrapping_mul(2_654_435_761).wrapping_add(seed * 7919) >> 7) % 2001) as f32 / 1000.0 - 1.0)
        .collect()
}

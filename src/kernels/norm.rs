//! Layer normalisation together with the residual sum before it.

use rten_simd::SimdOp;
use rten_vecmath::{Normalize, NormalizeOptions, Sum, SumSquareSub};

/// Adds `residual` to `rows` and normalises every row of `scale.len()` values in place: mean 0, variance 1 (biased, with
/// `epsilon` added), times `scale`, plus `bias`. All slices of rows have the same length.
pub fn add_norm(rows: &mut [f32], residual: &[f32], scale: &[f32], bias: &[f32], epsilon: f32) {
    let width = scale.len().max(1);
    for (row, residual) in rows.chunks_exact_mut(width).zip(residual.chunks_exact(width)) {
        for (value, other) in row.iter_mut().zip(residual) {
            *value += other;
        }
        let mean = Sum::new(row).dispatch() / width as f32;
        let variance = SumSquareSub::new(row, mean).dispatch() / width as f32;
        let options = NormalizeOptions {
            pre_scale_bias: mean,
            scale: (variance + epsilon).sqrt().recip(),
            element_scale: Some(scale),
            bias: 0.0,
            element_bias: Some(bias),
        };
        Normalize::new_mut(row, options).dispatch();
    }
}

//! Normalisation of rows in place, of layers together with the residual sum before it.

use rten_simd::SimdOp;
use rten_vecmath::{Normalize, NormalizeOptions, Sum, SumSquare, SumSquareSub};

/// Adds `residual` to `rows` and normalises every row of `scale.len()` values in place: mean 0, variance 1 (biased, with
/// `epsilon` added), times `scale`, plus `bias`. All slices of rows have the same length.
pub fn add_norm(rows: &mut [f32], residual: &[f32], scale: &[f32], bias: &[f32], epsilon: f32) {
    let width = scale.len().max(1);
    for (row, residual) in rows.chunks_exact_mut(width).zip(residual.chunks_exact(width)) {
        for (value, other) in row.iter_mut().zip(residual) {
            *value += other;
        }
        normalize(row, scale, bias, epsilon);
    }
}

/// [`add_norm`] without a residual.
pub fn layer_norm(rows: &mut [f32], scale: &[f32], bias: &[f32], epsilon: f32) {
    for row in rows.chunks_exact_mut(scale.len().max(1)) {
        normalize(row, scale, bias, epsilon);
    }
}

/// Divides every row of `scale.len()` values by the root of its mean square (with `epsilon` added), and multiplies it by
/// `scale` (Zhang and Sennrich 2019).
pub fn rms_norm(rows: &mut [f32], scale: &[f32], epsilon: f32) {
    let width = scale.len().max(1);
    for row in rows.chunks_exact_mut(width) {
        let mean_square = SumSquare::new(row).dispatch() / width as f32;
        let options = NormalizeOptions {
            scale: (mean_square + epsilon).sqrt().recip(),
            element_scale: Some(scale),
            ..Default::default()
        };
        Normalize::new_mut(row, options).dispatch();
    }
}

fn normalize(row: &mut [f32], scale: &[f32], bias: &[f32], epsilon: f32) {
    let width = row.len() as f32;
    let mean = Sum::new(row).dispatch() / width;
    let variance = SumSquareSub::new(row, mean).dispatch() / width;
    let options = NormalizeOptions {
        pre_scale_bias: mean,
        scale: (variance + epsilon).sqrt().recip(),
        element_scale: Some(scale),
        bias: 0.0,
        element_bias: Some(bias),
    };
    Normalize::new_mut(row, options).dispatch();
}

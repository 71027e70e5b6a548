//! Scaled dot-product attention over keys and values that lie anywhere in one buffer.
//!
//! Encoder, decoder and cross-attention are one thing here: every query row has a window of slots in a memory whose
//! slots hold a key and a value. Nothing is padded, nothing is masked, and no cache moves when beams are reordered.

use std::ops::Range;

use rayon::prelude::*;
use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, SimdOp};
use rten_vecmath::Softmax;

/// The slots that a query row attends to.
#[derive(Debug, Clone)]
pub enum Window<'a> {
    /// Neighbouring ones.
    Span(Range<usize>),
    /// Any ones, in order.
    List(&'a [u32]),
}

impl Window<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Span(span) => span.len(),
            Self::List(list) => list.len(),
        }
    }

    #[inline(always)]
    fn slot(&self, at: usize) -> usize {
        match self {
            Self::Span(span) => span.start + at,
            Self::List(list) => list.get(at).copied().unwrap_or_default() as usize,
        }
    }
}

/// Rows of queries, and the memory that they look into.
#[derive(Debug, Clone, Copy)]
pub struct Attend<'a> {
    /// Query rows, each of `query_stride` values and beginning with the query itself.
    pub queries: &'a [f32],
    /// Distance between query rows.
    pub query_stride: usize,
    /// Slots, each of `slot_stride` values.
    pub memory: &'a [f32],
    /// Distance between slots.
    pub slot_stride: usize,
    /// Where the key begins in a slot; the value follows it.
    pub key_offset: usize,
    /// Number of heads; divides `width`.
    pub heads: usize,
    /// Width of a query, a key and a value.
    pub width: usize,
}

/// Below this many multiplications another thread costs more than it brings.
const WORTH_A_THREAD: usize = 1 << 18;

impl Attend<'_> {
    /// What each query row gathers from its window, `[windows.len(), width]`.
    ///
    /// Slots outside the memory are an error of the caller and count as absent.
    pub fn run(&self, windows: &[Window]) -> Vec<f32> {
        let mut out = vec![0.0; windows.len() * self.width];
        let work: usize = windows.iter().map(Window::len).sum::<usize>() * self.width;
        let chunk =
            if work < WORTH_A_THREAD { windows.len() } else { windows.len().div_ceil(rayon::current_num_threads()) }
                .max(1);
        if chunk >= windows.len() {
            Rows { attend: self, first: 0, windows, out: &mut out }.dispatch();
        } else {
            out.par_chunks_mut(chunk * self.width)
                .zip(windows.par_chunks(chunk))
                .enumerate()
                .for_each(|(part, (out, windows))| Rows { attend: self, first: part * chunk, windows, out }.dispatch());
        }
        out
    }
}

/// A run of query rows, beginning with row `first`.
struct Rows<'a> {
    attend: &'a Attend<'a>,
    first: usize,
    windows: &'a [Window<'a>],
    out: &'a mut [f32],
}

impl SimdOp for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let Attend { queries, query_stride, memory, slot_stride, key_offset, heads, width } = *self.attend;
        let depth = width / heads.max(1);
        let scale = (depth as f32).sqrt().recip();
        let mut scores = Vec::new();
        for (row, (window, out)) in self.windows.iter().zip(self.out.chunks_exact_mut(width.max(1))).enumerate() {
            let start = (self.first + row) * query_stride;
            let Some(query) = queries.get(start..start + width) else { continue };
            let length = window.len();
            scores.clear();
            scores.resize(length * heads, 0.0);
            for at in 0..length {
                let start = window.slot(at) * slot_stride + key_offset;
                let Some(key) = memory.get(start..start + width) else { continue };
                let pairs = query.chunks_exact(depth).zip(key.chunks_exact(depth));
                for (score, (query, key)) in scores.iter_mut().skip(at).step_by(length).zip(pairs) {
                    *score = dot(isa, query, key) * scale;
                }
            }
            for scores in scores.chunks_exact_mut(length.max(1)) {
                Softmax::new_mut(scores).eval(isa);
            }
            for at in 0..length {
                let start = window.slot(at) * slot_stride + key_offset + width;
                let Some(value) = memory.get(start..start + width) else { continue };
                let pairs = out.chunks_exact_mut(depth).zip(value.chunks_exact(depth));
                for (score, (out, value)) in scores.iter().skip(at).step_by(length).zip(pairs) {
                    add_scaled(isa, out, value, *score);
                }
            }
        }
    }
}

#[inline(always)]
fn dot<I: Isa>(isa: I, a: &[f32], b: &[f32]) -> f32 {
    let ops = isa.f32();
    let lanes = ops.len();
    let (mut a, mut b) = (a.chunks_exact(lanes), b.chunks_exact(lanes));
    let mut sum = ops.zero();
    for (a, b) in a.by_ref().zip(b.by_ref()) {
        sum = ops.mul_add(ops.load(a), ops.load(b), sum);
    }
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    ops.sum(sum) + rest
}

/// `out += factor * values`
#[inline(always)]
fn add_scaled<I: Isa>(isa: I, out: &mut [f32], values: &[f32], factor: f32) {
    let ops = isa.f32();
    let lanes = ops.len();
    let factors = ops.splat(factor);
    let (mut out, mut values) = (out.chunks_exact_mut(lanes), values.chunks_exact(lanes));
    for (out, values) in out.by_ref().zip(values.by_ref()) {
        let sum = ops.mul_add(ops.load(values), factors, ops.load(out));
        ops.store(sum, out);
    }
    for (out, value) in out.into_remainder().iter_mut().zip(values.remainder()) {
        *out += factor * value;
    }
}

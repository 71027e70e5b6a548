//! Attention to what has been decoded.

use rayon::prelude::*;
use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, SimdOp};

use super::{PADDING, Scoring, Strided, gather, share, softmax};

/// Queries, and the slots of keys and values that their paths lead through.
#[derive(Clone, Copy)]
pub struct PathAttention<'a> {
    /// Rows of queries.
    pub queries: Strided<'a>,
    /// A slot's key.
    pub keys: Strided<'a>,
    /// A slot's value.
    pub values: Strided<'a>,
    /// Number of heads.
    pub heads: usize,
    /// Width of a head.
    pub depth: usize,
    /// How products become scores; a query stands at the end of its path.
    pub scoring: Scoring<'a>,
}

impl PathAttention<'_> {
    /// What each row gathers along its path, `[rows, heads * depth]`.
    pub fn run(&self, paths: &[Vec<u32>]) -> Vec<f32> {
        let width = self.heads * self.depth;
        let mut out = vec![0.0; paths.len() * width];
        let share = share(paths.len(), paths.iter().map(Vec::len).sum::<usize>() * width);
        if share >= paths.len() {
            Part { attention: *self, first: 0, paths, out: &mut out }.dispatch();
        } else {
            out.par_chunks_mut(share * width).zip(paths.par_chunks(share)).enumerate().for_each(
                |(part, (out, paths))| {
                    Part { attention: *self, first: part * share, paths, out }.dispatch();
                },
            );
        }
        out
    }
}

/// The work of one thread, whose first row is `first`.
struct Part<'a> {
    attention: PathAttention<'a>,
    first: usize,
    paths: &'a [Vec<u32>],
    out: &'a mut [f32],
}

impl SimdOp for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let PathAttention { queries, keys, values, heads, depth, scoring } = self.attention;
        let mut scores = Vec::new();
        for (row, (path, out)) in self.paths.iter().zip(self.out.chunks_exact_mut(heads * depth)).enumerate() {
            for (head, out) in out.chunks_exact_mut(depth).enumerate() {
                let query = queries.part(self.first + row, head * depth, depth);
                scores.clear();
                scores.resize(path.len().next_multiple_of(PADDING), f32::NEG_INFINITY);
                for (score, slot) in scores.iter_mut().zip(path) {
                    *score = dot(isa, query, keys.part(*slot as usize, head * depth, depth));
                }
                scoring.apply(&mut scores[..path.len()], head, path.len().saturating_sub(1));
                softmax(isa, &mut scores);
                gather(isa, [&scores[..path.len()]], |at| path[at] as usize, values, head * depth, [out]);
            }
        }
    }
}

#[inline(always)]
fn dot<I: Isa>(isa: I, a: &[f32], b: &[f32]) -> f32 {
    let ops = isa.f32();
    let lanes = ops.len();
    let (a, b) = (a.chunks_exact(2 * lanes), b.chunks_exact(2 * lanes));
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    let (mut even, mut odd) = (ops.zero(), ops.zero());
    for (a, b) in a.zip(b) {
        even = ops.mul_add(ops.load(a), ops.load(b), even);
        odd = ops.mul_add(ops.load(&a[lanes..]), ops.load(&b[lanes..]), odd);
    }
    ops.sum(ops.add(even, odd)) + rest
}

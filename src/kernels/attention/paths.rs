//! Attention to what has been decoded.

use rayon::prelude::*;
use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, SimdOp};
use rten_vecmath::Softmax;

use super::{Scoring, Strided, gather, share};

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
                scores.extend(path.iter().map(|slot| {
                    let key = keys.part(*slot as usize, head * depth, depth);
                    dot(isa, query, key)
                }));
                scoring.apply(&mut scores, head, path.len().saturating_sub(1));
                Softmax::new_mut(&mut scores).eval(isa);
                gather(isa, [&scores], |at| path[at] as usize, values, head * depth, [out]);
            }
        }
    }
}

#[inline(always)]
fn dot<I: Isa>(isa: I, a: &[f32], b: &[f32]) -> f32 {
    let ops = isa.f32();
    let lanes = ops.len();
    let (mut a, mut b) = (a.chunks_exact(2 * lanes), b.chunks_exact(2 * lanes));
    let mut sums = [ops.zero(); 2];
    for (a, b) in a.by_ref().zip(b.by_ref()) {
        let (a, b) = (ops.load_many::<2>(a), ops.load_many::<2>(b));
        for (sum, (a, b)) in sums.iter_mut().zip(a.into_iter().zip(b)) {
            *sum = ops.mul_add(a, b, *sum);
        }
    }
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    let [even, odd] = sums;
    ops.sum(ops.add(even, odd)) + rest
}

//! Attention to whole segments.

use std::array;
use std::ops::Range;

use rayon::prelude::*;
use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, SimdOp};
use rten_vecmath::Softmax;

use super::{Scoring, Strided, gather, share};

/// Lengths are filled up to a multiple of this: as many values as the widest vector has.
const PADDING: usize = 16;

/// The keys of several segments, turned so that a vector holds one value of neighbouring tokens: for each segment and
/// head `[depth, length]`.
pub struct SpanKeys {
    values: Vec<f32>,
    spans: Vec<Range<usize>>,
    /// Where each segment's keys begin.
    starts: Vec<usize>,
    heads: usize,
    depth: usize,
}

impl SpanKeys {
    /// Turns the keys, `heads * depth` values wide, of the segments whose tokens are these rows.
    pub fn new(keys: Strided, spans: Vec<Range<usize>>, heads: usize, depth: usize) -> Self {
        let mut starts = Vec::with_capacity(spans.len());
        let mut end = 0;
        for span in &spans {
            starts.push(end);
            end += span.len().next_multiple_of(PADDING) * heads * depth;
        }
        let mut values = vec![0.0; end];
        for (span, start) in spans.iter().zip(&starts) {
            let length = span.len().next_multiple_of(PADDING);
            for (at, row) in span.clone().enumerate() {
                let key = keys.part(row, 0, heads * depth);
                for (place, value) in values[*start..].iter_mut().skip(at).step_by(length).zip(key) {
                    *place = *value;
                }
            }
        }
        Self { values, spans, starts, heads, depth }
    }

    /// A segment's tokens, its keys, and the length of a row of these.
    fn segment(&self, segment: usize) -> (Range<usize>, &[f32], usize) {
        let span = self.spans[segment].clone();
        let length = span.len().next_multiple_of(PADDING);
        let start = self.starts[segment];
        (span, &self.values[start..start + length * self.heads * self.depth], length)
    }
}

/// Neighbouring rows that look into the same segment.
#[derive(Debug, Clone)]
pub struct Queries {
    /// The rows.
    pub rows: Range<usize>,
    /// The segment.
    pub segment: usize,
}

/// Queries, and the keys and values that they look into.
#[derive(Clone, Copy)]
pub struct SpanAttention<'a> {
    /// Rows of queries.
    pub queries: Strided<'a>,
    /// The segments' keys.
    pub keys: &'a SpanKeys,
    /// A row of values for each of the segments' tokens.
    pub values: Strided<'a>,
    /// How products become scores; a query's position is its place in its group.
    pub scoring: Scoring<'a>,
}

impl SpanAttention<'_> {
    /// What rows gather from their segments, `[rows, heads * depth]`. `groups` cover the rows in order.
    pub fn run(&self, groups: &[Queries]) -> Vec<f32> {
        let width = self.keys.heads * self.keys.depth;
        let lengths = groups.iter().map(|group| group.rows.len() * self.keys.spans[group.segment].len());
        let work = lengths.sum::<usize>() * width;
        let mut out = vec![0.0; groups.last().map_or(0, |group| group.rows.end) * width];
        let mut parts = Vec::new();
        let mut rest = out.as_mut_slice();
        for groups in groups.chunks(share(groups.len(), work)) {
            let rows: usize = groups.iter().map(|group| group.rows.len()).sum();
            let (out, after) = rest.split_at_mut(rows * width);
            parts.push(Part { attention: *self, groups, out });
            rest = after;
        }
        match parts.len() {
            1 => parts.into_iter().for_each(|part| part.dispatch()),
            _ => parts.into_par_iter().for_each(|part| part.dispatch()),
        }
        out
    }

    /// [`Self::run`] for `ROWS` rows of a group from `first` on. Each row's sums are made in one order whatever `ROWS` is.
    #[inline(always)]
    fn attend<I: Isa, const ROWS: usize>(&self, isa: I, first: usize, group: &Queries, out: &mut [f32]) {
        let SpanKeys { heads, depth, .. } = *self.keys;
        let (span, keys, length) = self.keys.segment(group.segment);
        let mut scores = vec![0.0; ROWS * length];
        for head in 0..heads {
            let queries = array::from_fn(|row| self.queries.part(first + row, head * depth, depth));
            score::<I, ROWS>(isa, queries, &keys[head * depth * length..][..depth * length], length, &mut scores);
            for (row, scores) in scores.chunks_exact_mut(length).enumerate() {
                let scores = &mut scores[..span.len()];
                self.scoring.apply(scores, head, first + row - group.rows.start);
                Softmax::new_mut(scores).eval(isa);
            }
            let mut rows = out.chunks_exact_mut(heads * depth);
            let out = array::from_fn(|_| rows.next().map_or(&mut [][..], |row| &mut row[head * depth..][..depth]));
            let scores: [&[f32]; ROWS] = array::from_fn(|row| &scores[row * length..][..span.len()]);
            gather(isa, scores, |at| span.start + at, self.values, head * depth, out);
        }
    }
}

/// The work of one thread.
struct Part<'a> {
    attention: SpanAttention<'a>,
    groups: &'a [Queries],
    out: &'a mut [f32],
}

impl SimdOp for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        /// Rows that share what is loaded of keys and values.
        const TILE: usize = 4;
        let width = self.attention.keys.heads * self.attention.keys.depth;
        let mut rest = self.out;
        for group in self.groups {
            let mut rows = group.rows.clone();
            while !rows.is_empty() {
                let count = if rows.len() >= TILE { TILE } else { 1 };
                let (out, after) = rest.split_at_mut(count * width);
                match count {
                    TILE => self.attention.attend::<I, TILE>(isa, rows.start, group, out),
                    _ => self.attention.attend::<I, 1>(isa, rows.start, group, out),
                }
                rows.start += count;
                rest = after;
            }
        }
    }
}

/// Products of `ROWS` queries with the keys of one head, `[depth, length]`, into rows of `length` scores.
#[inline(always)]
fn score<I: Isa, const ROWS: usize>(isa: I, queries: [&[f32]; ROWS], keys: &[f32], length: usize, scores: &mut [f32]) {
    let lanes = isa.f32().len();
    let mut at = 0;
    while at < length {
        let scores = &mut scores[at..];
        // As many sums at once as there are registers for: one alone would wait for itself at every step.
        at += match ((length - at) / lanes, ROWS) {
            (0 | 1, _) => score_block::<I, ROWS, 1>(isa, queries, keys, length, at, scores),
            (2, _) | (_, 2..) => score_block::<I, ROWS, 2>(isa, queries, keys, length, at, scores),
            (3, _) => score_block::<I, ROWS, 3>(isa, queries, keys, length, at, scores),
            (4, _) => score_block::<I, ROWS, 4>(isa, queries, keys, length, at, scores),
            (5, _) => score_block::<I, ROWS, 5>(isa, queries, keys, length, at, scores),
            (6, _) => score_block::<I, ROWS, 6>(isa, queries, keys, length, at, scores),
            (7, _) => score_block::<I, ROWS, 7>(isa, queries, keys, length, at, scores),
            _ => score_block::<I, ROWS, 8>(isa, queries, keys, length, at, scores),
        };
    }
}

/// [`score`] for the `BLOCK` vectors of tokens from `at` on; gives their number of tokens.
#[inline(always)]
fn score_block<I: Isa, const ROWS: usize, const BLOCK: usize>(
    isa: I,
    queries: [&[f32]; ROWS],
    keys: &[f32],
    length: usize,
    at: usize,
    scores: &mut [f32],
) -> usize {
    let ops = isa.f32();
    let lanes = ops.len();
    let mut sums = [[ops.zero(); BLOCK]; ROWS];
    let depth = keys.len() / length;
    let queries = queries.map(|query| &query[..depth]);
    for (place, keys) in keys.chunks_exact(length).enumerate() {
        let keys = ops.load_many::<BLOCK>(&keys[at..]);
        for (sums, query) in sums.iter_mut().zip(queries) {
            let query = ops.splat(query[place]);
            for (sum, keys) in sums.iter_mut().zip(keys) {
                *sum = ops.mul_add(keys, query, *sum);
            }
        }
    }
    for (scores, sums) in scores.chunks_mut(length).zip(sums) {
        for (scores, sum) in scores.chunks_exact_mut(lanes).zip(sums) {
            ops.store(sum, scores);
        }
    }
    BLOCK * lanes
}

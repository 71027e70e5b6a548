//! Attention to whole segments.

use std::array;
use std::ops::Range;

use rayon::prelude::*;
use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, SimdOp};

use super::{PADDING, Scoring, Strided, gather, load, share, softmax};

/// What several segments hold for attention, each head's part of a segment by itself: keys turned, so that a vector holds
/// one value of neighbouring tokens, `[depth, length]`, and values as they come, `[length, depth]`.
pub struct SpanMemory {
    keys: Vec<f32>,
    values: Vec<f32>,
    spans: Vec<Range<usize>>,
    /// Where each segment's keys and values begin.
    starts: Vec<usize>,
    heads: usize,
    depth: usize,
}

impl SpanMemory {
    /// Takes the keys and values, `heads * depth` wide, of the segments whose tokens are these rows.
    pub fn new(keys: Strided, values: Strided, spans: Vec<Range<usize>>, heads: usize, depth: usize) -> Self {
        let width = heads * depth;
        let mut starts = Vec::with_capacity(spans.len());
        let mut end = 0;
        for span in &spans {
            starts.push(end);
            end += span.len().next_multiple_of(PADDING) * width;
        }
        let mut memory = Self { keys: vec![0.0; end], values: vec![0.0; end], spans, starts, heads, depth };
        for (span, start) in memory.spans.iter().zip(&memory.starts) {
            let length = span.len().next_multiple_of(PADDING);
            // A line of the cache is filled before the next one's turn.
            for at in (0..span.len()).step_by(PADDING) {
                let tokens: Vec<&[f32]> =
                    (span.start + at..span.end).take(PADDING).map(|row| keys.part(row, 0, width)).collect();
                for (place, keys) in memory.keys[*start..].chunks_exact_mut(length.max(1)).take(width).enumerate() {
                    for (key, token) in keys[at..].iter_mut().zip(&tokens) {
                        *key = token[place];
                    }
                }
            }
            for (head, own) in memory.values[*start..].chunks_exact_mut((length * depth).max(1)).take(heads).enumerate()
            {
                for (row, own) in span.clone().zip(own.chunks_exact_mut(depth)) {
                    own.copy_from_slice(values.part(row, head * depth, depth));
                }
            }
        }
        memory
    }

    /// The keys and values of a segment's head, and the length of a row of keys.
    #[inline(always)]
    fn part(&self, segment: usize, head: usize) -> (&[f32], &[f32], usize) {
        let length = self.spans[segment].len().next_multiple_of(PADDING);
        let size = length * self.depth;
        let start = self.starts[segment] + head * size;
        (&self.keys[start..start + size], &self.values[start..start + size], length)
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
    /// The segments' keys and values.
    pub memory: &'a SpanMemory,
    /// How products become scores; a query's position is its place in its group.
    pub scoring: Scoring<'a>,
}

impl SpanAttention<'_> {
    /// What rows gather from their segments, `[rows, heads * depth]`. `groups` cover the rows in order.
    pub fn run(&self, groups: &[Queries]) -> Vec<f32> {
        let width = self.memory.heads * self.memory.depth;
        let lengths = groups.iter().map(|group| group.rows.len() * self.memory.spans[group.segment].len());
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
        let SpanMemory { heads, depth, .. } = *self.memory;
        let count = self.memory.spans[group.segment].len();
        let mut scores = vec![0.0; ROWS * count.next_multiple_of(PADDING)];
        for head in 0..heads {
            let (keys, values, length) = self.memory.part(group.segment, head);
            let queries = array::from_fn(|row| self.queries.part(first + row, head * depth, depth));
            score::<I, ROWS>(isa, queries, keys, length, &mut scores);
            for (row, scores) in scores.chunks_exact_mut(length).enumerate() {
                let (real, padding) = scores.split_at_mut(count);
                self.scoring.apply(real, head, first + row - group.rows.start);
                padding.fill(f32::NEG_INFINITY);
                softmax(isa, scores);
            }
            let mut rows = out.chunks_exact_mut(heads * depth);
            let out = array::from_fn(|_| rows.next().map_or(&mut [][..], |row| &mut row[head * depth..][..depth]));
            let scores: [&[f32]; ROWS] = array::from_fn(|row| &scores[row * length..][..count]);
            gather(isa, scores, |at| at, Strided { values, stride: depth, offset: 0 }, 0, out);
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
        let width = self.attention.memory.heads * self.attention.memory.depth;
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
        let most = match ROWS {
            1 => 8,
            _ if lanes >= PADDING => 4,
            _ => 2,
        };
        at += match ((length - at) / lanes).min(most) {
            0 | 1 => score_block::<I, ROWS, 1>(isa, queries, keys, length, at, scores),
            2 => score_block::<I, ROWS, 2>(isa, queries, keys, length, at, scores),
            3 => score_block::<I, ROWS, 3>(isa, queries, keys, length, at, scores),
            4 => score_block::<I, ROWS, 4>(isa, queries, keys, length, at, scores),
            5 => score_block::<I, ROWS, 5>(isa, queries, keys, length, at, scores),
            6 => score_block::<I, ROWS, 6>(isa, queries, keys, length, at, scores),
            7 => score_block::<I, ROWS, 7>(isa, queries, keys, length, at, scores),
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
        let keys = load::<I, BLOCK>(isa, &keys[at..at + BLOCK * lanes]);
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

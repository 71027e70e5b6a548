//! Scaled dot-product attention without padding, masks or copies.
//!
//! Encoder and cross-attention look into whole segments, which are laid out for it once ([`SpanAttention`]). Attention to
//! what has been decoded follows paths through shared slots ([`PathAttention`]), so that no cache moves when beams are
//! reordered.

mod paths;
mod spans;

use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, Simd, SimdUnaryOp};
use rten_vecmath::Exp;

pub use paths::PathAttention;
pub use spans::{Queries, SpanAttention, SpanMemory};

/// Rows of equal width within rows of a matrix.
#[derive(Debug, Clone, Copy)]
pub struct Strided<'a> {
    /// The matrix.
    pub values: &'a [f32],
    /// Width of a row of the matrix.
    pub stride: usize,
    /// Where a row begins in that of the matrix.
    pub offset: usize,
}

impl<'a> Strided<'a> {
    /// `width` values of a row from its value `at` on.
    #[inline(always)]
    fn part(&self, row: usize, at: usize, width: usize) -> &'a [f32] {
        let start = row * self.stride + self.offset + at;
        &self.values[start..start + width]
    }
}

/// How products of queries and keys become scores.
#[derive(Debug, Clone, Copy)]
pub struct Scoring<'a> {
    /// Factor of the products.
    pub scale: f32,
    /// What is added to them.
    pub bias: Option<DistanceBias<'a>>,
}

/// An addend for every head and distance from a query to a key. Positions count from the beginning of a segment or path.
#[derive(Debug, Clone, Copy)]
pub struct DistanceBias<'a> {
    /// For each head a row of addends, one for each distance, rising: a key before its query is at a negative one.
    pub values: &'a [f32],
    /// Number of distances.
    pub stride: usize,
    /// Place of distance 0 in a row.
    pub origin: usize,
}

impl Scoring<'_> {
    /// Turns the products of the query at `position` with the first keys into scores.
    #[inline(always)]
    fn apply(&self, products: &mut [f32], head: usize, position: usize) {
        match self.bias {
            Some(DistanceBias { values, stride, origin }) => {
                let bias = &values[head * stride + origin - position..][..products.len()];
                for (product, bias) in products.iter_mut().zip(bias) {
                    *product = *product * self.scale + bias;
                }
            }
            None => products.iter_mut().for_each(|product| *product *= self.scale),
        }
    }
}

/// Below this many multiplications another thread costs more than it brings.
const WORTH_A_THREAD: usize = 1 << 18;

/// Rows that one of rayon's threads takes, for `rows` of so many multiplications in all.
fn share(rows: usize, work: usize) -> usize {
    if work < WORTH_A_THREAD { rows.max(1) } else { rows.div_ceil(rayon::current_num_threads()).max(1) }
}

/// Rows of scores are filled up to a multiple of this: as many values as the widest vector has.
const PADDING: usize = 16;

/// Turns scores, whole vectors of them, into weights: their softmax.
#[inline(always)]
fn softmax<I: Isa>(isa: I, scores: &mut [f32]) {
    let ops = isa.f32();
    let lanes = ops.len();
    let mut greatest = ops.splat(f32::NEG_INFINITY);
    for scores in scores.chunks_exact(lanes) {
        greatest = ops.max(greatest, ops.load(scores));
    }
    let greatest = ops.splat(greatest.to_array().into_iter().fold(f32::NEG_INFINITY, f32::max));
    let mut sum = ops.zero();
    for scores in scores.chunks_exact_mut(lanes) {
        let weights = Exp::apply(isa, ops.sub(ops.load(scores), greatest));
        sum = ops.add(sum, weights);
        ops.store(weights, scores);
    }
    let factor = ops.splat(ops.sum(sum).recip());
    for scores in scores.chunks_exact_mut(lanes) {
        ops.store(ops.mul(ops.load(scores), factor), scores);
    }
}

/// The first `BLOCK` vectors of `values`. (Closures, such as `array::from_fn` takes, are not always inlined, and then
/// neither are the machine's instructions in them.)
#[inline(always)]
fn load<I: Isa, const BLOCK: usize>(isa: I, values: &[f32]) -> [I::F32; BLOCK] {
    let ops = isa.f32();
    let mut vectors = [ops.zero(); BLOCK];
    for (vector, values) in vectors.iter_mut().zip(values.chunks_exact(ops.len())) {
        *vector = ops.load(values);
    }
    vectors
}

/// Sums of values weighted by scores, for `ROWS` rows with the same slots. `slot` gives the row of `values` that a score
/// belongs to, which is read from `column` on for as long as a row of `out` is.
#[inline(always)]
fn gather<I: Isa, const ROWS: usize>(
    isa: I,
    scores: [&[f32]; ROWS],
    slot: impl Fn(usize) -> usize + Copy,
    values: Strided,
    column: usize,
    mut out: [&mut [f32]; ROWS],
) {
    let lanes = isa.f32().len();
    let width = out.first().map_or(0, |out| out.len());
    let mut at = 0;
    while at < width {
        let out = out.each_mut().map(|out| &mut out[at..]);
        let column = column + at;
        let done = match (width - at) / lanes {
            0 => gather_rest(scores, slot, values, column, out),
            1 => gather_block::<I, ROWS, 1>(isa, scores, slot, values, column, out),
            2 | 3 => gather_block::<I, ROWS, 2>(isa, scores, slot, values, column, out),
            4..8 => gather_block::<I, ROWS, 4>(isa, scores, slot, values, column, out),
            _ if ROWS > 1 => gather_block::<I, ROWS, 4>(isa, scores, slot, values, column, out),
            _ => gather_block::<I, ROWS, 8>(isa, scores, slot, values, column, out),
        };
        at += done;
    }
}

/// [`gather`] for the first `BLOCK` vectors of the rows; gives their number of values.
#[inline(always)]
fn gather_block<I: Isa, const ROWS: usize, const BLOCK: usize>(
    isa: I,
    scores: [&[f32]; ROWS],
    slot: impl Fn(usize) -> usize,
    values: Strided,
    column: usize,
    out: [&mut [f32]; ROWS],
) -> usize {
    let ops = isa.f32();
    let lanes = ops.len();
    let mut sums = [[ops.zero(); BLOCK]; ROWS];
    let count = scores.first().map_or(0, |scores| scores.len());
    let scores = scores.map(|scores| &scores[..count]);
    for at in 0..count {
        let values = load::<I, BLOCK>(isa, values.part(slot(at), column, BLOCK * lanes));
        for (sums, scores) in sums.iter_mut().zip(scores) {
            let score = ops.splat(scores[at]);
            for (sum, values) in sums.iter_mut().zip(values) {
                *sum = ops.mul_add(values, score, *sum);
            }
        }
    }
    for (out, sums) in out.into_iter().zip(sums) {
        for (out, sum) in out.chunks_exact_mut(lanes).zip(sums) {
            ops.store(sum, out);
        }
    }
    BLOCK * lanes
}

/// [`gather`] for less than a vector.
#[inline(always)]
fn gather_rest<const ROWS: usize>(
    scores: [&[f32]; ROWS],
    slot: impl Fn(usize) -> usize,
    values: Strided,
    column: usize,
    out: [&mut [f32]; ROWS],
) -> usize {
    let width = out.first().map_or(0, |out| out.len());
    for (out, scores) in out.into_iter().zip(scores) {
        out.fill(0.0);
        for (at, score) in scores.iter().enumerate() {
            for (out, value) in out.iter_mut().zip(values.part(slot(at), column, width)) {
                *out = value.mul_add(*score, *out);
            }
        }
    }
    width
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::noise;

    /// Addends for distances of less than 50 either way.
    const BIAS: DistanceBias = DistanceBias { values: &[], stride: 99, origin: 49 };

    /// What the query at `position` gathers from some slots, by the definition.
    fn plain(
        query: &[f32],
        position: usize,
        slots: &[usize],
        memory: &[f32],
        (heads, depth): (usize, usize),
        scoring: Scoring,
    ) -> Vec<f32> {
        let width = heads * depth;
        let mut out = vec![0.0; width];
        for (head, out) in out.chunks_mut(depth).enumerate() {
            let part = |row: &[f32]| row[head * depth..][..depth].to_vec();
            let query = part(query);
            let key = |slot: usize| part(&memory[slot * 2 * width..]);
            let value = |slot: usize| part(&memory[slot * 2 * width + width..]);
            let score = |(at, slot): (usize, &usize)| {
                let bias =
                    scoring.bias.map_or(0.0, |bias| bias.values[head * bias.stride + bias.origin + at - position]);
                query.iter().zip(key(*slot)).map(|(a, b)| a * b).sum::<f32>() * scoring.scale + bias
            };
            let weights: Vec<f32> = slots.iter().enumerate().map(|place| score(place).exp()).collect();
            let total: f32 = weights.iter().sum();
            for (slot, weight) in slots.iter().zip(weights) {
                out.iter_mut().zip(value(*slot)).for_each(|(out, value)| *out += weight / total * value);
            }
        }
        out
    }

    fn assert_close(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { cases: 64, failure_persistence: None, ..Default::default() })]

        #[test]
        fn spans_are_attended_to_as_defined(
            lengths in proptest::collection::vec((1usize..40, 0usize..12), 1..6), heads in 1usize..4, depth in 1usize..80,
            biased: bool,
        ) {
            let width = heads * depth;
            let bias = noise(heads * BIAS.stride, 5);
            let scoring = Scoring {
                scale: (depth as f32).sqrt().recip(),
                bias: biased.then_some(DistanceBias { values: &bias, ..BIAS }),
            };
            let ends = |count: fn(&(usize, usize)) -> usize| {
                lengths.iter().map(count).scan(0, |end, count| { *end += count; Some(*end - count..*end) }).collect::<Vec<_>>()
            };
            let (spans, rows) = (ends(|(tokens, _)| *tokens), ends(|(_, rows)| *rows));
            let kept = noise(spans.last().unwrap().end * 2 * width, 1);
            let queries = noise(rows.last().unwrap().end * width, 2);
            let groups: Vec<_> = rows.iter().enumerate().map(|(segment, rows)| Queries { rows: rows.clone(), segment }).collect();
            let part = |offset| Strided { values: &kept, stride: 2 * width, offset };
            let memory = SpanMemory::new(part(0), part(width), spans.clone(), heads, depth);
            let queries_part = Strided { values: &queries, stride: width, offset: 0 };
            let found = SpanAttention { queries: queries_part, memory: &memory, scoring }.run(&groups);
            for group in groups {
                let slots: Vec<usize> = spans[group.segment].clone().collect();
                for (position, row) in group.rows.enumerate() {
                    let query = &queries[row * width..][..width];
                    let expected = plain(query, position, &slots, &kept, (heads, depth), scoring);
                    assert_close(&found[row * width..][..width], &expected);
                }
            }
        }

        #[test]
        fn paths_are_attended_to_as_defined(
            paths in proptest::collection::vec(proptest::collection::vec(0u32..50, 1..40), 1..9), heads in 1usize..4, depth in 1usize..80,
            biased: bool,
        ) {
            let width = heads * depth;
            let bias = noise(heads * BIAS.stride, 5);
            let scoring = Scoring {
                scale: (depth as f32).sqrt().recip(),
                bias: biased.then_some(DistanceBias { values: &bias, ..BIAS }),
            };
            let (memory, queries) = (noise(50 * 2 * width, 3), noise(paths.len() * width, 4));
            let part = |offset| Strided { values: &memory, stride: 2 * width, offset };
            let queries_part = Strided { values: &queries, stride: width, offset: 0 };
            let attention =
                PathAttention { queries: queries_part, keys: part(0), values: part(width), heads, depth, scoring };
            let found = attention.run(&paths);
            for ((path, found), query) in paths.iter().zip(found.chunks(width)).zip(queries.chunks(width)) {
                let slots: Vec<usize> = path.iter().map(|slot| *slot as usize).collect();
                assert_close(found, &plain(query, path.len() - 1, &slots, &memory, (heads, depth), scoring));
            }
        }
    }
}

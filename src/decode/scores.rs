//! From logits to log-probabilities: normalisation, constraints and the best candidates of a row.

use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, Simd, SimdOp, SimdUnaryOp};
use rten_vecmath::Exp;

use super::{Constraints, Edit, GenerationOptions};

/// A token that may follow, with its log-probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The token.
    pub token: u32,
    /// Its log-probability after the constraints.
    pub logprob: f32,
}

/// Applies constraints to logits and ranks what remains.
pub struct Scorer {
    constraints: Constraints,
    renormalize: bool,
}

impl Scorer {
    /// The scorer that `options` ask for.
    pub fn new(options: &GenerationOptions) -> Self {
        Self { constraints: Constraints::new(options), renormalize: options.renormalize }
    }

    /// The `count` best continuations of `prefix` as beam search ranks them: constraints act on log-probabilities.
    ///
    /// Best first; equal ones by token id. `logits` is overwritten. Banned tokens are never returned.
    pub fn best(&self, prefix: &[u32], logits: &mut [f32], count: usize) -> Vec<Candidate> {
        let mut edits = Vec::new();
        self.constraints.edits(prefix, &mut edits);
        // Bans commute with the first normalisation when there is a second one: one pass is enough.
        let bans_alone = edits.iter().all(|edit| matches!(edit, Edit::Ban(_)));
        if self.renormalize && bans_alone {
            apply(&edits, logits, 0.0);
            edits.clear();
        }
        let mut scan = Scan::of(logits);
        if !edits.is_empty() {
            apply(&edits, logits, scan.log_sum_exp);
            let offset = scan.log_sum_exp;
            scan = Scan::of(logits);
            if !self.renormalize {
                scan.log_sum_exp = offset;
            }
        }
        let candidate = |(token, logit)| Candidate { token, logprob: logit - scan.log_sum_exp };
        scan.top(logits, count).into_iter().map(candidate).collect()
    }

    /// The best continuation of `prefix` as greedy search picks it: constraints act on the logits themselves.
    ///
    /// `None` only where every token is banned.
    pub fn greedy(&self, prefix: &[u32], logits: &mut [f32]) -> Option<Candidate> {
        self.constrain_logits(prefix, logits);
        let scan = Scan::of(logits);
        let (token, logit) = scan.top(logits, 1).pop()?;
        Some(Candidate { token, logprob: logit - scan.log_sum_exp })
    }

    /// Applies the constraints to raw logits in place.
    pub fn constrain_logits(&self, prefix: &[u32], logits: &mut [f32]) {
        let mut edits = Vec::new();
        self.constraints.edits(prefix, &mut edits);
        apply(&edits, logits, 0.0);
    }
}

/// Applies `edits` in order to a row whose scores are `value - offset`.
fn apply(edits: &[Edit], row: &mut [f32], offset: f32) {
    for edit in edits {
        match edit {
            Edit::Ban(token) => {
                if let Some(value) = row.get_mut(*token as usize) {
                    *value = f32::NEG_INFINITY;
                }
            }
            Edit::Penalise(token, factor) => {
                if let Some(value) = row.get_mut(*token as usize) {
                    let score = *value - offset;
                    *value = offset + if score < 0.0 { score * factor } else { score / factor };
                }
            }
            Edit::Force(tokens) => {
                row.fill(f32::NEG_INFINITY);
                for token in tokens {
                    if let Some(value) = row.get_mut(*token as usize) {
                        *value = offset;
                    }
                }
            }
        }
    }
}

/// Log-probability of `token` under the logits of `row`.
pub(super) fn log_probability(row: &[f32], token: u32) -> Option<f32> {
    Some(row.get(token as usize)? - Scan::of(row).log_sum_exp)
}

/// Values whose greatest one is kept, so that a block which does not reach a ranking is passed over whole.
const BLOCK: usize = 128;

/// What one pass over a row of logits finds.
struct Scan {
    /// Logarithm of the sum of the exponentials; 0 for a row of nothing but minus infinities.
    log_sum_exp: f32,
    /// The greatest value of every block.
    maxima: Vec<f32>,
}

impl Scan {
    fn of(row: &[f32]) -> Self {
        ScanRow(row).dispatch()
    }

    /// The `count` greatest finite values of the row scanned, with their places, greatest first, the lower place first
    /// among equals.
    fn top(&self, row: &[f32], count: usize) -> Vec<(u32, f32)> {
        let mut best: Vec<(u32, f32)> = Vec::with_capacity(count + 1);
        let mut least = f32::NEG_INFINITY;
        for (block, (values, greatest)) in row.chunks(BLOCK).zip(&self.maxima).enumerate() {
            if *greatest <= least {
                continue;
            }
            for (place, value) in values.iter().enumerate() {
                if *value > least {
                    let at = best.partition_point(|(_, other)| other >= value);
                    best.insert(at, ((block * BLOCK + place) as u32, *value));
                    best.truncate(count);
                    if best.len() == count {
                        least = best.last().map_or(least, |(_, value)| *value);
                    }
                }
            }
        }
        best
    }
}

/// The pass itself. The sum is kept relative to the greatest value so far (Milakov and Gimelshein 2018), so that the row
/// is read once.
struct ScanRow<'a>(&'a [f32]);

impl SimdOp for ScanRow<'_> {
    type Output = Scan;

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) -> Scan {
        let ops = isa.f32();
        let lanes = ops.len();
        let mut maxima = Vec::with_capacity(self.0.len().div_ceil(BLOCK));
        let mut max = f32::NEG_INFINITY;
        let mut sum = 0.0;
        for block in self.0.chunks(BLOCK) {
            let vectors = block.chunks_exact(lanes);
            let rest = vectors.remainder();
            let mut greatest = ops.splat(f32::NEG_INFINITY);
            for vector in vectors.clone() {
                greatest = ops.max(greatest, ops.load(vector));
            }
            let greatest =
                greatest.to_array().into_iter().chain(rest.iter().copied()).fold(f32::NEG_INFINITY, f32::max);
            maxima.push(greatest);
            if greatest > max {
                sum *= (max - greatest).exp();
                max = greatest;
            }
            if max == f32::NEG_INFINITY {
                continue;
            }
            let offset = ops.splat(max);
            let mut sums = ops.zero();
            for vector in vectors {
                sums = ops.add(sums, Exp::apply(isa, ops.sub(ops.load(vector), offset)));
            }
            sum += ops.sum(sums) + rest.iter().map(|value| (value - max).exp()).sum::<f32>();
        }
        Scan { log_sum_exp: if max == f32::NEG_INFINITY { 0.0 } else { max + sum.ln() }, maxima }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(length: u32) -> Vec<f32> {
        (0..length).map(|i| ((i.wrapping_mul(2_654_435_761) >> 8) % 97) as f32 / 3.0).collect()
    }

    #[test]
    fn top_equals_a_full_sort() {
        let row = row(1000);
        let mut sorted: Vec<(u32, f32)> = row.iter().enumerate().map(|(i, v)| (i as u32, *v)).collect();
        sorted.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        sorted.truncate(12);
        assert_eq!(Scan::of(&row).top(&row, 12), sorted);
    }

    #[test]
    fn log_sum_exp_equals_that_in_double_precision() {
        for length in [1, 7, 129, 1000] {
            let mut row = row(length);
            row.extend([f32::NEG_INFINITY; 200]);
            let exact = row.iter().map(|x| f64::from(*x).exp()).sum::<f64>().ln();
            assert!((f64::from(Scan::of(&row).log_sum_exp) - exact).abs() < 1e-5, "{length}");
        }
        assert_eq!(Scan::of(&[f32::NEG_INFINITY; 3]).log_sum_exp, 0.0);
    }

    #[test]
    fn banned_tokens_are_never_ranked() {
        let row = [f32::NEG_INFINITY, 1.0, f32::NEG_INFINITY];
        assert_eq!(Scan::of(&row).top(&row, 3), vec![(1, 1.0)]);
    }
}

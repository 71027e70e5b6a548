//! From logits to log-probabilities: normalisation, constraints and the best candidates of a row.

use rten_simd::SimdOp;
use rten_vecmath::{MaxNum, SumExpSub};

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
        let offset = self.constrain_logprobs(prefix, logits);
        top(logits, count).into_iter().map(|(token, logit)| Candidate { token, logprob: logit - offset }).collect()
    }

    /// The best continuation of `prefix` as greedy search picks it: constraints act on the logits themselves.
    ///
    /// `None` only where every token is banned.
    pub fn greedy(&self, prefix: &[u32], logits: &mut [f32]) -> Option<Candidate> {
        self.constrain_logits(prefix, logits);
        let (token, logit) = top(logits, 1).pop()?;
        Some(Candidate { token, logprob: logit - log_sum_exp(logits) })
    }

    /// Applies the constraints to raw logits in place.
    pub fn constrain_logits(&self, prefix: &[u32], logits: &mut [f32]) {
        let mut edits = Vec::new();
        self.constraints.edits(prefix, &mut edits);
        apply(&edits, logits, 0.0);
    }

    /// Applies the constraints to the log-probabilities of `logits`, and returns what to subtract from each value to
    /// get its log-probability. (Shifting the row itself would cost another pass over the vocabulary.)
    fn constrain_logprobs(&self, prefix: &[u32], logits: &mut [f32]) -> f32 {
        let mut edits = Vec::new();
        self.constraints.edits(prefix, &mut edits);
        // Bans commute with the first normalisation when there is a second one: one pass is enough.
        if self.renormalize && edits.iter().all(|edit| matches!(edit, Edit::Ban(_))) {
            apply(&edits, logits, 0.0);
            return log_sum_exp(logits);
        }
        let offset = log_sum_exp(logits);
        apply(&edits, logits, offset);
        if self.renormalize { log_sum_exp(logits) } else { offset }
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

/// Logarithm of the sum of the exponentials.
fn log_sum_exp(row: &[f32]) -> f32 {
    let max = MaxNum::new(row).dispatch();
    if max == f32::NEG_INFINITY {
        return 0.0;
    }
    max + SumExpSub::new(row, max).dispatch().ln()
}

/// Log-probability of `token` under the logits of `row`.
pub(super) fn log_probability(row: &[f32], token: u32) -> Option<f32> {
    Some(row.get(token as usize)? - log_sum_exp(row))
}

/// Rows are scanned in blocks, and a block whose greatest value does not reach the list is passed over whole.
const BLOCK: usize = 64;

/// The `count` greatest finite values with their places, greatest first, the lower place first among equals.
fn top(row: &[f32], count: usize) -> Vec<(u32, f32)> {
    let mut best: Vec<(u32, f32)> = Vec::with_capacity(count + 1);
    let mut least = f32::NEG_INFINITY;
    for (block, values) in row.chunks(BLOCK).enumerate() {
        let greatest = values.iter().fold(f32::NEG_INFINITY, |a, b| if *b > a { *b } else { a });
        if greatest <= least {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn top_equals_a_full_sort() {
        let row: Vec<f32> = (0..1000u32).map(|i| ((i.wrapping_mul(2_654_435_761) >> 8) % 97) as f32).collect();
        let mut sorted: Vec<(u32, f32)> = row.iter().enumerate().map(|(i, v)| (i as u32, *v)).collect();
        sorted.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        sorted.truncate(12);
        assert_eq!(top(&row, 12), sorted);
    }

    #[test]
    fn banned_tokens_are_never_ranked() {
        assert_eq!(top(&[f32::NEG_INFINITY, 1.0, f32::NEG_INFINITY], 3), vec![(1, 1.0)]);
    }
}

//! BLEU of word n-grams.

use std::collections::HashMap;
use std::fmt;
use std::ops::AddAssign;

use super::{Counts, Parts, Score, ngrams, tokenize};

const MAX_ORDER: usize = 4;

/// What BLEU is made of. Displayed as sacreBLEU's verbose line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BleuParts {
    /// Smoothed precision of 1- to 4-grams, in percent.
    pub precisions: [f64; MAX_ORDER],
    /// From 0 to 1: a factor below 1 where the hypotheses are shorter than the references.
    pub brevity_penalty: f64,
    /// Tokens of the hypotheses.
    pub hypothesis_length: u64,
    /// Tokens of the references, of several to a segment those of the closest length.
    pub reference_length: u64,
}

impl BleuParts {
    /// Length of the hypotheses over that of the references; 0 where these are empty.
    pub fn ratio(&self) -> f64 {
        if self.reference_length == 0 { 0.0 } else { self.hypothesis_length as f64 / self.reference_length as f64 }
    }
}

impl fmt::Display for BleuParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let precisions = self.precisions.map(|precision| format!("{precision:.1}")).join("/");
        let Self { brevity_penalty, hypothesis_length, reference_length, .. } = self;
        write!(f, "{precisions} (BP = {brevity_penalty:.3} ratio = {:.3} ", self.ratio())?;
        write!(f, "hyp_len = {hypothesis_length} ref_len = {reference_length})")
    }
}

/// What BLEU counts in segments.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct BleuCounts {
    hypothesis_length: u64,
    reference_length: u64,
    orders: [OrderCounts; MAX_ORDER],
}

/// n-grams of one order.
#[derive(Debug, Clone, Copy, Default)]
struct OrderCounts {
    matches: u64,
    total: u64,
}

impl AddAssign for BleuCounts {
    fn add_assign(&mut self, other: Self) {
        self.hypothesis_length += other.hypothesis_length;
        self.reference_length += other.reference_length;
        for (order, other) in self.orders.iter_mut().zip(other.orders) {
            order.matches += other.matches;
            order.total += other.total;
        }
    }
}

impl BleuCounts {
    /// Of one segment. An n-gram matches as often as it occurs in the reference that has it most often.
    pub(super) fn of(hypothesis: &str, references: &[&str]) -> Self {
        let hypothesis = tokenize::tokenize_13a(hypothesis);
        let hypothesis: Vec<&str> = tokenize::words(&hypothesis).collect();
        let references: Vec<String> = references.iter().map(|text| tokenize::tokenize_13a(text)).collect();
        let references: Vec<Vec<&str>> = references.iter().map(|text| tokenize::words(text).collect()).collect();
        let mut counts = Self {
            hypothesis_length: hypothesis.len() as u64,
            reference_length: closest_length(hypothesis.len(), &references) as u64,
            ..Self::default()
        };
        for (order, counts) in (1..).zip(&mut counts.orders) {
            let mut most: HashMap<&[&str], u64> = HashMap::new();
            for reference in &references {
                for (ngram, count) in ngrams::count(reference, order) {
                    let most = most.entry(ngram).or_default();
                    *most = count.max(*most);
                }
            }
            counts.matches = ngrams::matches(&ngrams::count(&hypothesis, order), &most);
            counts.total = ngrams::total(hypothesis.len(), order);
        }
        counts
    }

    fn score(&self, effective_order: bool) -> Score {
        let (hypothesis_length, reference_length) = (self.hypothesis_length, self.reference_length);
        let brevity_penalty = match hypothesis_length {
            0 if reference_length > 0 => 0.0,
            length if length < reference_length => (1.0 - reference_length as f64 / length as f64).exp(),
            _ => 1.0,
        };
        let mut precisions = [0.0; MAX_ORDER];
        let mut value = 0.0;
        if self.orders.iter().any(|order| order.matches > 0) {
            let mut smoothing = 1.0;
            for (precision, order) in precisions.iter_mut().zip(self.orders).take_while(|(_, order)| order.total > 0) {
                *precision = if order.matches == 0 {
                    smoothing *= 2.0;
                    100.0 / (smoothing * order.total as f64)
                } else {
                    100.0 * order.matches as f64 / order.total as f64
                };
            }
            let observed = self.orders.iter().filter(|order| order.total > 0).count();
            let averaged = if effective_order { observed } else { MAX_ORDER };
            let logarithms = precisions.iter().take(averaged).map(|precision| floored_ln(*precision));
            value = brevity_penalty * (logarithms.sum::<f64>() / averaged as f64).exp();
        }
        let parts = BleuParts { precisions, brevity_penalty, hypothesis_length, reference_length };
        Score { value, parts: Parts::Bleu(parts) }
    }
}

impl Counts for BleuCounts {
    fn corpus_score(&self) -> Score {
        self.score(false)
    }

    /// Orders that a short segment has no n-grams of are left out of the mean.
    fn segment_score(&self) -> Score {
        self.score(true)
    }
}

/// The length of the reference closest to `length`, the shorter of two as close.
fn closest_length(length: usize, references: &[Vec<&str>]) -> usize {
    let lengths = references.iter().map(Vec::len);
    lengths.min_by_key(|reference| (reference.abs_diff(length), *reference)).unwrap_or(0)
}

/// The logarithm of a precision; of none, a value that makes the mean of them vanish.
fn floored_ln(precision: f64) -> f64 {
    if precision == 0.0 { -9_999_999_999.0 } else { precision.ln() }
}

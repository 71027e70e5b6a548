//! chrF of character n-grams, and chrF++ of word n-grams besides.

use std::hash::Hash;
use std::ops::AddAssign;

use super::{Counts, Parts, Score, ngrams, tokenize};

const CHARACTER_ORDERS: usize = 6;
const WORD_ORDERS: usize = 2;
const ORDERS: usize = CHARACTER_ORDERS + WORD_ORDERS;

/// The square of beta: recall weighs twice as much as precision.
const BETA_SQUARED: f64 = 4.0;

/// What chrF counts in segments. Orders of which the hypothesis or the reference has no n-grams don't bear on the score;
/// such are those of words in chrF without `++`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ChrfCounts {
    orders: [OrderCounts; ORDERS],
}

/// n-grams of one order.
#[derive(Debug, Clone, Copy, Default)]
struct OrderCounts {
    hypothesis: u64,
    reference: u64,
    matches: u64,
}

impl AddAssign for ChrfCounts {
    fn add_assign(&mut self, other: Self) {
        for (order, other) in self.orders.iter_mut().zip(other.orders) {
            order.hypothesis += other.hypothesis;
            order.reference += other.reference;
            order.matches += other.matches;
        }
    }
}

impl ChrfCounts {
    /// Of one segment, for chrF.
    pub(super) fn of_characters(hypothesis: &str, references: &[&str]) -> Self {
        Self::of(hypothesis, references, |_| Vec::new())
    }

    /// Of one segment, for chrF++.
    pub(super) fn of_characters_and_words(hypothesis: &str, references: &[&str]) -> Self {
        Self::of(hypothesis, references, words)
    }

    fn of(hypothesis: &str, references: &[&str], words: impl Fn(&str) -> Vec<&str>) -> Self {
        let (hypothesis_characters, hypothesis_words) = (characters(hypothesis), words(hypothesis));
        let counts = references.iter().map(|reference| {
            let mut counts = Self::default();
            let (of_characters, of_words) = counts.orders.split_at_mut(CHARACTER_ORDERS);
            count(of_characters, &hypothesis_characters, &characters(reference));
            count(of_words, &hypothesis_words, &words(reference));
            counts
        });
        Self::best(counts)
    }

    /// Those by the reference that gives the highest score, the first of several.
    fn best(counts: impl Iterator<Item = Self>) -> Self {
        let better = |best: Self, next: Self| if next.score() > best.score() { next } else { best };
        counts.reduce(better).unwrap_or_default()
    }

    /// F of the mean precision and the mean recall over the orders that hypothesis and reference both have.
    fn score(&self) -> f64 {
        let (mut precision, mut recall, mut orders) = (0.0, 0.0, 0.0);
        for order in self.orders.iter().filter(|order| order.hypothesis > 0 && order.reference > 0) {
            precision += order.matches as f64 / order.hypothesis as f64;
            recall += order.matches as f64 / order.reference as f64;
            orders += 1.0;
        }
        if precision + recall == 0.0 {
            return 0.0;
        }
        let (precision, recall) = (precision / orders, recall / orders);
        100.0 * ((1.0 + BETA_SQUARED) * precision * recall / (BETA_SQUARED * precision + recall))
    }
}

impl Counts for ChrfCounts {
    fn corpus_score(&self) -> Score {
        Score { value: self.score(), parts: Parts::Chrf }
    }
}

/// Fills in the orders from 1 on. Where the reference has no n-grams of an order, those of the hypothesis don't count.
fn count<T: Eq + Hash>(orders: &mut [OrderCounts], hypothesis: &[T], reference: &[T]) {
    for (order, counts) in (1..).zip(orders) {
        counts.reference = ngrams::total(reference.len(), order);
        if counts.reference > 0 {
            counts.hypothesis = ngrams::total(hypothesis.len(), order);
            counts.matches = ngrams::matches(&ngrams::count(hypothesis, order), &ngrams::count(reference, order));
        }
    }
}

/// The characters of a text without white space.
fn characters(text: &str) -> Vec<char> {
    tokenize::words(text).flat_map(str::chars).collect()
}

/// The words of a text. One mark of punctuation is split off each: the last character, or else the first.
fn words(text: &str) -> Vec<&str> {
    let is_mark = |char: char| char.is_ascii_punctuation();
    let mut words = Vec::new();
    for word in tokenize::words(text) {
        let at = match (word.strip_suffix(is_mark), word.strip_prefix(is_mark)) {
            (Some(rest), _) => rest.len(),
            (None, Some(rest)) => word.len() - rest.len(),
            (None, None) => 0,
        };
        let (left, right) = word.split_at(at);
        words.extend([left, right].into_iter().filter(|part| !part.is_empty()));
    }
    words
}

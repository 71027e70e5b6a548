//! n-grams and how often they occur.

use std::collections::HashMap;
use std::hash::Hash;

/// How often each run of `order` neighbouring items occurs.
pub(super) fn count<T: Eq + Hash>(items: &[T], order: usize) -> HashMap<&[T], u64> {
    let mut counts = HashMap::new();
    for ngram in items.windows(order) {
        *counts.entry(ngram).or_default() += 1;
    }
    counts
}

/// How many of the n-grams counted in `hypothesis` are in `reference` too, each as often as it occurs in both.
pub(super) fn matches<T: Eq + Hash>(hypothesis: &HashMap<&[T], u64>, reference: &HashMap<&[T], u64>) -> u64 {
    hypothesis.iter().filter_map(|(ngram, count)| Some(reference.get(ngram)?.min(count))).sum()
}

/// How many n-grams of `order` a sequence of `length` has.
pub(super) fn total(length: usize, order: usize) -> u64 {
    (length + 1).saturating_sub(order) as u64
}

//! ROUGE-1, ROUGE-2 and ROUGE-L (Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004), as the Python
//! package rouge_score computes them.

use std::ops::AddAssign;

use super::{Counts, Parts, Rouge, Score, ngrams, porter};

/// The scores of segments, added up. A corpus has the mean of its segments' scores.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RougeCounts {
    segments: f64,
    overlap: Overlap,
}

/// How much of each other a hypothesis and a reference hold, from 0 to 1.
#[derive(Debug, Clone, Copy, Default)]
struct Overlap {
    precision: f64,
    recall: f64,
    f1: f64,
}

impl AddAssign for RougeCounts {
    fn add_assign(&mut self, other: Self) {
        self.segments += other.segments;
        self.overlap.precision += other.overlap.precision;
        self.overlap.recall += other.overlap.recall;
        self.overlap.f1 += other.overlap.f1;
    }
}

impl RougeCounts {
    /// Of one segment, by the reference that gives the highest F, the first of several.
    pub(super) fn of(rouge: Rouge, stemmed: bool, hypothesis: &str, references: &[&str]) -> Self {
        let hypothesis = tokens(hypothesis, stemmed);
        let overlaps = references.iter().map(|reference| {
            let reference = tokens(reference, stemmed);
            match rouge {
                Rouge::One => of_ngrams(1, &hypothesis, &reference),
                Rouge::Two => of_ngrams(2, &hypothesis, &reference),
                Rouge::L => {
                    let common = longest_common_subsequence(&hypothesis, &reference);
                    Overlap::of(common as u64, hypothesis.len() as u64, reference.len() as u64)
                }
            }
        });
        let better = |best: Overlap, next: Overlap| if next.f1 > best.f1 { next } else { best };
        Self { segments: 1.0, overlap: overlaps.reduce(better).unwrap_or_default() }
    }
}

impl Counts for RougeCounts {
    fn corpus_score(&self) -> Score {
        let percent = |sum: f64| 100.0 * sum / self.segments.max(1.0);
        let Overlap { precision, recall, f1 } = self.overlap;
        let parts = Parts::Rouge { precision: percent(precision), recall: percent(recall) };
        Score { value: percent(f1), parts }
    }
}

impl Overlap {
    fn of(matches: u64, hypothesis: u64, reference: u64) -> Self {
        let precision = matches as f64 / hypothesis.max(1) as f64;
        let recall = matches as f64 / reference.max(1) as f64;
        let f1 = if matches == 0 { 0.0 } else { 2.0 * precision * recall / (precision + recall) };
        Self { precision, recall, f1 }
    }
}

fn of_ngrams(order: usize, hypothesis: &[String], reference: &[String]) -> Overlap {
    let matches = ngrams::matches(&ngrams::count(hypothesis, order), &ngrams::count(reference, order));
    Overlap::of(matches, ngrams::total(hypothesis.len(), order), ngrams::total(reference.len(), order))
}

/// Length of the longest sequence of tokens that is in both, with gaps allowed.
fn longest_common_subsequence(left: &[String], right: &[String]) -> usize {
    // Of the table of lengths by prefixes of both, the row of `left`'s current prefix.
    let mut row = vec![0; right.len() + 1];
    for token in left {
        let mut diagonal = 0;
        let mut before = 0;
        for (other, length) in right.iter().zip(row.iter_mut().skip(1)) {
            let longest = if token == other { diagonal + 1 } else { before.max(*length) };
            diagonal = *length;
            before = longest;
            *length = longest;
        }
    }
    row.last().copied().unwrap_or(0)
}

/// The runs of a to z and 0 to 9 in the text's lower case; all else stands between tokens. Words of up to three
/// letters have no stem but themselves.
fn tokens(text: &str, stemmed: bool) -> Vec<String> {
    let lower = text.to_lowercase();
    let words = lower.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| if stemmed && word.len() > 3 { porter::stem(word) } else { word.to_owned() }).collect()
}

//! Which sentences say what the others say too: LexRank.

use std::collections::HashMap;

/// Probability of a jump to any sentence, whatever its words.
const JUMP: f64 = 0.15;
const ENOUGH: f64 = 1e-6;
const MOST_STEPS: usize = 100;

/// Cosine similarities of sentences, each given by its terms.
///
/// Terms weigh as in Erkan and Radev, "LexRank: Graph-based Lexical Centrality as Salience in Text Summarization"
/// (JAIR 22, 2004), section 3: by frequency in the sentence and rarity among the sentences.
pub(super) struct Similarities {
    count: usize,
    cosines: Vec<f64>,
}

impl Similarities {
    pub(super) fn of(sentences: &[Vec<String>]) -> Self {
        let vectors = vectors(sentences);
        let count = vectors.len();
        let mut cosines = vec![0.0; count * count];
        for (row, a) in cosines.chunks_mut(count.max(1)).zip(&vectors) {
            for (cosine, b) in row.iter_mut().zip(&vectors) {
                *cosine = dot(a, b);
            }
        }
        Self { count, cosines }
    }

    /// 0 for sentences without a common term, 1 for equal ones.
    pub(super) fn between(&self, a: usize, b: usize) -> f64 {
        self.cosines.get(a * self.count + b).copied().unwrap_or(0.0)
    }

    /// The sentences' centralities, the most central one's being 1: continuous LexRank, by power iteration. A sentence
    /// does not vote for itself, or one that is like no other would keep its whole vote.
    pub(super) fn centralities(&self) -> Vec<f64> {
        let count = self.count;
        let votes = || {
            let rows = self.cosines.chunks(count.max(1)).enumerate();
            rows.map(|(own, row)| row.iter().enumerate().map(move |(at, cosine)| if at == own { 0.0 } else { *cosine }))
        };
        let sums: Vec<f64> = votes().map(Iterator::sum).collect();
        let mut ranks = vec![1.0 / count as f64; count];
        for _ in 0..MOST_STEPS {
            let mut next = vec![JUMP / count as f64; count];
            for ((row, sum), rank) in votes().zip(&sums).zip(&ranks) {
                for (next, cosine) in next.iter_mut().zip(row) {
                    // A sentence that is like no other leads nowhere in particular.
                    let share = if *sum > 0.0 { cosine / sum } else { 1.0 / count as f64 };
                    *next += (1.0 - JUMP) * rank * share;
                }
            }
            let change: f64 = next.iter().zip(&ranks).map(|(a, b)| (a - b).abs()).sum();
            ranks = next;
            if change < ENOUGH {
                break;
            }
        }
        let most = ranks.iter().copied().fold(0.0, f64::max);
        ranks.iter().map(|rank| if most > 0.0 { rank / most } else { 0.0 }).collect()
    }
}

/// Unit vectors, sorted by term.
fn vectors(sentences: &[Vec<String>]) -> Vec<Vec<(usize, f64)>> {
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut containing: Vec<usize> = Vec::new();
    let mut counts = Vec::new();
    for sentence in sentences {
        let mut count: HashMap<usize, f64> = HashMap::new();
        for term in sentence {
            let next = numbers.len();
            let number = *numbers.entry(term).or_insert(next);
            *count.entry(number).or_default() += 1.0;
        }
        for number in count.keys() {
            containing.resize(containing.len().max(number + 1), 0);
            if let Some(containing) = containing.get_mut(*number) {
                *containing += 1;
            }
        }
        counts.push(count);
    }
    let weight = |number: usize, count: f64| {
        let containing = containing.get(number).copied().unwrap_or(1);
        count * (1.0 + sentences.len() as f64 / containing as f64).ln()
    };
    let unit = |count: HashMap<usize, f64>| {
        let mut vector: Vec<(usize, f64)> =
            count.into_iter().map(|(number, count)| (number, weight(number, count))).collect();
        vector.sort_unstable_by_key(|(number, _)| *number);
        let length = vector.iter().map(|(_, weight)| weight * weight).sum::<f64>().sqrt();
        vector.iter_mut().for_each(|(_, weight)| *weight /= length);
        vector
    };
    counts.into_iter().map(unit).collect()
}

fn dot(a: &[(usize, f64)], b: &[(usize, f64)]) -> f64 {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let mut sum = 0.0;
    while let (Some((x, weight)), Some((y, other))) = (a.peek(), b.peek()) {
        match x.cmp(y) {
            std::cmp::Ordering::Less => drop(a.next()),
            std::cmp::Ordering::Greater => drop(b.next()),
            std::cmp::Ordering::Equal => {
                sum += weight * other;
                a.next();
                b.next();
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn similarities(sentences: &[&str]) -> Similarities {
        let terms = |sentence: &&str| sentence.split(' ').filter(|term| !term.is_empty()).map(str::to_owned).collect();
        Similarities::of(&sentences.iter().map(terms).collect::<Vec<Vec<String>>>())
    }

    #[test]
    fn equal_sentences_have_cosine_1_and_strangers_0() {
        let similarities = similarities(&["a b b", "b a b", "c d", ""]);
        assert!((similarities.between(0, 1) - 1.0).abs() < 1e-9);
        assert_eq!((similarities.between(0, 2), similarities.between(0, 3)), (0.0, 0.0));
    }

    #[test]
    fn the_sentence_that_shares_most_is_the_most_central() {
        let centralities = similarities(&["a b", "c d", "a b c d", "e f"]).centralities();
        assert_eq!(centralities[2], 1.0);
        assert!(centralities[3] < centralities[0] && centralities[0] < 1.0, "{centralities:?}");
        assert!((centralities[0] - centralities[1]).abs() < 1e-9);
        assert_eq!(similarities(&[]).centralities(), [0.0; 0]);
        assert_eq!(similarities(&["", ""]).centralities(), [1.0, 1.0]);
    }
}

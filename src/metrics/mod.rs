//! BLEU, chrF and chrF++ of translations as sacreBLEU computes and prints them, ROUGE of summaries as rouge_score
//! computes it, and the significance of a difference between systems.
//!
//! The formulas, their treatment of borderline cases and the printed lines are those of sacreBLEU with its default
//! options (Post, "A Call for Clarity in Reporting BLEU Scores", 2018), and of ROUGE those of Google's Python package.
//!
//! ```
//! use translate::metrics::{Corpus, Metric, TestSet};
//!
//! let corpus = |name: &str, text: &str| Corpus::new(name, text.lines().map(str::to_owned).collect());
//! let test_set = TestSet::new(vec![corpus("reference", "The port reopened on Monday.\nNobody was hurt.\n")])?;
//! let found = test_set.evaluate(Metric::Bleu, &corpus("system", "The port opened on Monday.\nNobody was hurt.\n"))?;
//! assert_eq!(format!("{:.1} {}", found.score.value, found.signature),
//!     "53.9 nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0+translate");
//! # Ok::<(), translate::metrics::MetricsError>(())
//! ```

mod bleu;
mod bootstrap;
mod chrf;
mod ngrams;
mod numpy;
mod porter;
mod rouge;
mod signature;
mod tokenize;

use std::ops::AddAssign;

use thiserror::Error;

pub use bleu::BleuParts;
pub use bootstrap::{Comparison, Estimate, RESAMPLES, SEED};
pub use signature::Signature;
pub use tokenize::tokenize_13a;

use bleu::BleuCounts;
use chrf::ChrfCounts;
use rouge::RougeCounts;
use signature::Scope;

/// How hypotheses are scored. Scores go from 0 to 100, and more is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Precision of word 1- to 4-grams with a penalty for brevity (Papineni et al., 2002); tokenizer 13a, mixed case,
    /// exponential smoothing.
    Bleu,
    /// F2 of character 1- to 6-grams (Popović, 2015).
    Chrf,
    /// F2 of character 1- to 6-grams and word 1- and 2-grams (Popović, 2017).
    ChrfPlusPlus,
    /// F1 of what hypothesis and reference share, the mean over segments (Lin, 2004).
    Rouge {
        /// What is shared.
        rouge: Rouge,
        /// Whether words are compared by their stems, as in most published figures of summaries.
        stemmed: bool,
    },
}

/// What ROUGE looks for in both texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rouge {
    /// Words.
    One,
    /// Pairs of neighbouring words.
    Two,
    /// The longest sequence of words, with gaps allowed.
    L,
}

impl Metric {
    /// Its name in score lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bleu => "BLEU",
            Self::Chrf => "chrF2",
            Self::ChrfPlusPlus => "chrF2++",
            Self::Rouge { rouge: Rouge::One, .. } => "ROUGE-1",
            Self::Rouge { rouge: Rouge::Two, .. } => "ROUGE-2",
            Self::Rouge { rouge: Rouge::L, .. } => "ROUGE-L",
        }
    }
}

/// What a metric says of hypotheses.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// From 0 to 100.
    pub value: f64,
    /// What it is made of.
    pub parts: Parts,
}

/// What a score is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Parts {
    /// Of BLEU.
    Bleu(BleuParts),
    /// chrF is a whole.
    Chrf,
    /// Of ROUGE; both are means over segments, from 0 to 100.
    Rouge {
        /// How much of the hypothesis is in the reference.
        precision: f64,
        /// How much of the reference is in the hypothesis.
        recall: f64,
    },
}

impl Score {
    /// As sacreBLEU prints it, after the signature: the value with `decimals` digits, then the parts of BLEU. Those of
    /// ROUGE stand in its place in the same way.
    pub fn text(&self, decimals: usize) -> String {
        let value = format!("{:.decimals$}", self.value);
        match &self.parts {
            Parts::Bleu(parts) => format!("{value} {parts}"),
            Parts::Chrf => value,
            Parts::Rouge { precision, recall } => {
                format!("{value} (P = {precision:.decimals$} R = {recall:.decimals$})")
            }
        }
    }
}

/// A text of one segment a line, and what messages call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corpus {
    name: String,
    segments: Vec<String>,
}

impl Corpus {
    /// `name` is for messages, a file's name for example.
    pub fn new(name: impl Into<String>, segments: Vec<String>) -> Self {
        Self { name: name.into(), segments }
    }

    /// What messages call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The segments in order.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }
}

/// References to score hypotheses by: one or several translations of the same segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestSet {
    first: Corpus,
    others: Vec<Corpus>,
}

/// A system's scores by one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Of all segments together.
    pub score: Score,
    /// What must be known to compare `score` with others.
    pub signature: Signature,
    /// Of each segment for itself; of BLEU with the effective order, as `sacrebleu --sentence-level` prints them.
    pub segments: Vec<Score>,
    /// What must be known to compare the scores of segments with others.
    pub segment_signature: Signature,
}

/// Why hypotheses can't be scored.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say it")]
pub enum MetricsError {
    #[error("there are no references to score by; name at least one file of them")]
    NoReferences,
    #[error("{name} has no segments; a score needs one at least")]
    Empty { name: String },
    #[error("{name} has {}, but {reference} has {expected}; line by line they must belong together", lines(*.count))]
    Lengths { name: String, count: usize, reference: String, expected: usize },
}

fn lines(count: usize) -> String {
    format!("{count} line{}", if count == 1 { "" } else { "s" })
}

/// What a metric counts in segments; the counts of many segments add up.
trait Counts: Copy + Default + AddAssign {
    /// The score of a corpus with these counts.
    fn corpus_score(&self) -> Score;

    /// The score of a single segment with these counts.
    fn segment_score(&self) -> Score {
        self.corpus_score()
    }
}

impl TestSet {
    /// References of the same number of segments, of which there must be some.
    pub fn new(references: Vec<Corpus>) -> Result<Self, MetricsError> {
        let mut references = references.into_iter();
        let first = references.next().ok_or(MetricsError::NoReferences)?;
        if first.segments.is_empty() {
            return Err(MetricsError::Empty { name: first.name });
        }
        let test_set = Self { first, others: references.collect() };
        test_set.others.iter().try_for_each(|other| test_set.check(other))?;
        Ok(test_set)
    }

    /// Whether `corpus` has as many segments as the references.
    pub fn check(&self, corpus: &Corpus) -> Result<(), MetricsError> {
        let (count, expected) = (corpus.segments.len(), self.first.segments.len());
        if count == expected {
            return Ok(());
        }
        let (name, reference) = (corpus.name.clone(), self.first.name.clone());
        Err(MetricsError::Lengths { name, count, reference, expected })
    }

    /// The references, one for each time that the segments were translated.
    pub fn references(&self) -> impl Iterator<Item = &Corpus> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// Scores a system.
    pub fn evaluate(&self, metric: Metric, system: &Corpus) -> Result<Evaluation, MetricsError> {
        self.check(system)?;
        let (score, segments) = match metric {
            Metric::Bleu => scores(&self.counts(system, BleuCounts::of)),
            Metric::Chrf => scores(&self.counts(system, ChrfCounts::of_characters)),
            Metric::ChrfPlusPlus => scores(&self.counts(system, ChrfCounts::of_characters_and_words)),
            Metric::Rouge { rouge, stemmed } => scores(&self.counts(system, rouge_counts(rouge, stemmed))),
        };
        let signature = |scope| Signature::new(metric, 1 + self.others.len(), scope);
        Ok(Evaluation {
            score,
            signature: signature(Scope::Corpus),
            segments,
            segment_signature: signature(Scope::Segment),
        })
    }

    /// Tells by paired bootstrap resampling whether a system differs from a baseline by more than chance.
    pub fn compare(&self, metric: Metric, system: &Corpus, baseline: &Corpus) -> Result<Comparison, MetricsError> {
        self.check(system)?;
        self.check(baseline)?;
        let signature = Signature::new(metric, 1 + self.others.len(), Scope::Bootstrap);
        Ok(match metric {
            Metric::Bleu => self.bootstrap(signature, system, baseline, BleuCounts::of),
            Metric::Chrf => self.bootstrap(signature, system, baseline, ChrfCounts::of_characters),
            Metric::ChrfPlusPlus => self.bootstrap(signature, system, baseline, ChrfCounts::of_characters_and_words),
            Metric::Rouge { rouge, stemmed } => {
                self.bootstrap(signature, system, baseline, rouge_counts(rouge, stemmed))
            }
        })
    }

    fn bootstrap<C: Counts>(
        &self,
        signature: Signature,
        system: &Corpus,
        baseline: &Corpus,
        count: impl Fn(&str, &[&str]) -> C,
    ) -> Comparison {
        bootstrap::compare(signature, &self.counts(system, &count), &self.counts(baseline, &count))
    }

    /// The counts of each segment.
    fn counts<C>(&self, system: &Corpus, count: impl Fn(&str, &[&str]) -> C) -> Vec<C> {
        let mut references: Vec<_> = self.references().map(|corpus| corpus.segments.iter()).collect();
        let segments = system.segments.iter().map(|hypothesis| {
            let references: Vec<&str> =
                references.iter_mut().filter_map(|lines| lines.next()).map(String::as_str).collect();
            count(hypothesis, &references)
        });
        segments.collect()
    }
}

fn rouge_counts(rouge: Rouge, stemmed: bool) -> impl Fn(&str, &[&str]) -> RougeCounts {
    move |hypothesis, references| RougeCounts::of(rouge, stemmed, hypothesis, references)
}

/// The score of all segments, and of each.
fn scores<C: Counts>(counts: &[C]) -> (Score, Vec<Score>) {
    (sum(counts).corpus_score(), counts.iter().map(C::segment_score).collect())
}

fn sum<'c, C: Counts + 'c>(counts: impl IntoIterator<Item = &'c C>) -> C {
    counts.into_iter().fold(C::default(), |mut total, segment| {
        total += *segment;
        total
    })
}

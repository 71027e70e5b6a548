//! Paired bootstrap resampling (Koehn, 2004), as `sacrebleu --paired-bs` does it.

use super::numpy::Rng;
use super::{Counts, Signature, sum};

/// Resamples of a test set.
pub const RESAMPLES: usize = 1000;

/// Seed of the random numbers that draw them, sacreBLEU's default.
pub const SEED: u32 = 12345;

/// Two systems beside each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The system.
    pub system: Estimate,
    /// What it is compared with.
    pub baseline: Estimate,
    /// How likely chance alone makes a difference as large as that between the two scores, or larger; from
    /// `1 / (RESAMPLES + 1)` to 1. It is (c + 1) / (n + 1), where c of n resamples have a difference whose excess over
    /// the mean difference is above the real one. Two systems that never differ get the lowest value, as in sacreBLEU.
    pub p_value: f64,
    /// What must be known to compare it with others.
    pub signature: Signature,
}

impl Comparison {
    /// Whether sacreBLEU would mark the difference with an asterisk: `p_value` is 0.05 at most.
    pub fn is_significant(&self) -> bool {
        self.p_value <= 0.05
    }
}

/// A score and how far it would be another on another test set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The score itself.
    pub score: f64,
    /// The mean over resamples.
    pub mean: f64,
    /// Half the width of the interval that holds 95 % of them.
    pub interval: f64,
}

/// Scores resamples of the segments of both systems: numpy's random numbers choose the same ones as in sacreBLEU. Scores
/// are computed with double precision; sacreBLEU's, of resamples, are rounded to single precision on the way, which shows
/// from the sixth digit on.
pub(super) fn compare<C: Counts>(signature: Signature, system: &[C], baseline: &[C]) -> Comparison {
    let pairs: Vec<(&C, &C)> = system.iter().zip(baseline).collect();
    let segments = u32::try_from(pairs.len()).unwrap_or(u32::MAX);
    let mut rng = Rng::new();
    let (mut of_system, mut of_baseline) = (Vec::new(), Vec::new());
    for _ in 0..RESAMPLES {
        let (mut system, mut baseline) = (C::default(), C::default());
        for _ in 0..segments {
            if let Some((of_system, of_baseline)) = pairs.get(rng.below(segments) as usize) {
                system += **of_system;
                baseline += **of_baseline;
            }
        }
        of_system.push(system.corpus_score().value);
        of_baseline.push(baseline.corpus_score().value);
    }
    let differences: Vec<f64> = of_system.iter().zip(&of_baseline).map(|(left, right)| (left - right).abs()).collect();
    let system = Estimate::new(sum(system).corpus_score().value, of_system);
    let baseline = Estimate::new(sum(baseline).corpus_score().value, of_baseline);
    let real = (system.score - baseline.score).abs();
    let mean = mean(&differences);
    let larger = differences.iter().filter(|difference| *difference - mean > real).count();
    Comparison { system, baseline, p_value: (larger + 1) as f64 / (RESAMPLES + 1) as f64, signature }
}

impl Estimate {
    fn new(score: f64, mut resampled: Vec<f64>) -> Self {
        resampled.sort_by(f64::total_cmp);
        let tail = resampled.len() / 40;
        let (lower, upper) = (resampled.get(tail), resampled.iter().rev().nth(tail));
        let interval = lower.zip(upper).map_or(0.0, |(lower, upper)| 0.5 * (upper - lower));
        Self { score, mean: mean(&resampled), interval }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

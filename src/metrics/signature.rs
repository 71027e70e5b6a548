//! What a score was computed with, in sacreBLEU's words.

use std::fmt;

use super::{Metric, RESAMPLES, SEED};

/// The release of sacreBLEU whose scores these equal. What follows the `+` says that another program computed them, as
/// it does in the version numbers of Python packages.
const VERSION: &str = "2.6.0+translate";

/// The same of rouge_score, which has no signatures of its own.
const ROUGE_VERSION: &str = "rouge_score-0.1.2+translate";

/// The options behind a score, as `name:value` pairs joined by `|`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    metric: Metric,
    references: usize,
    scope: Scope,
}

/// What is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// All segments together.
    Corpus,
    /// A segment for itself.
    Segment,
    /// Two corpora and their resamples.
    Bootstrap,
}

impl Signature {
    pub(super) fn new(metric: Metric, references: usize, scope: Scope) -> Self {
        Self { metric, references, scope }
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nrefs:{}", self.references)?;
        if self.scope == Scope::Bootstrap {
            write!(f, "|bs:{RESAMPLES}|seed:{SEED}")?;
        }
        let options = match (self.metric, self.scope) {
            (Metric::Bleu, Scope::Segment) => "eff:yes|tok:13a|smooth:exp",
            (Metric::Bleu, _) => "eff:no|tok:13a|smooth:exp",
            (Metric::Chrf, _) => "eff:yes|nc:6|nw:0|space:no",
            (Metric::ChrfPlusPlus, _) => "eff:yes|nc:6|nw:2|space:no",
            (Metric::Rouge { stemmed, .. }, _) => {
                let stems = if stemmed { "yes" } else { "no" };
                return write!(f, "|case:lc|stem:{stems}|version:{ROUGE_VERSION}");
            }
        };
        write!(f, "|case:mixed|{options}|version:{VERSION}")
    }
}

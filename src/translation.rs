//! The result of one segment.

use crate::text::PassThrough;

/// A segment and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Translation {
    /// The segment as it was given.
    pub source: String,
    /// Its translation; the source itself where it passed through.
    pub text: String,
    /// The hypothesis' score, as the search ranks it; of a segment that was split, the mean of its pieces'. `None`
    /// where nothing was decoded.
    pub score: Option<f32>,
    /// What a reader should know of it.
    pub flags: Vec<Flag>,
    /// The next best translations with their scores, best first; only where several hypotheses were asked for and the
    /// segment was not split.
    pub alternatives: Vec<(String, f32)>,
    /// Ids that the model read, those of all pieces in a row.
    pub source_ids: Vec<u32>,
    /// Ids that it wrote.
    pub target_ids: Vec<u32>,
    /// Log-probability of each of `target_ids`.
    pub token_logprobs: Vec<f32>,
}

/// A remark on a translation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// Copied, not translated, for this reason.
    PassedThrough(PassThrough),
    /// Too long for the model: translated in pieces.
    Split,
    /// The first translation repeated itself or had another defect; this one was made with repetition blocked.
    Mended,
    /// May be no sound translation: repeats itself, breaks off, or is far longer or shorter than its source.
    Suspect,
    /// Has a number, percentage, month or weekday that its source does not have; looked for from Arabic to English only.
    UnsupportedNumber,
}

impl Flag {
    /// Its name in outputs; stable.
    pub fn name(self) -> &'static str {
        match self {
            Self::PassedThrough(reason) => reason.flag(),
            Self::Split => "split",
            Self::Mended => "mended",
            Self::Suspect => "suspect",
            Self::UnsupportedNumber => "unsupported-number",
        }
    }

    /// Whether somebody should look at the translation.
    pub fn wants_checking(self) -> bool {
        matches!(self, Self::Suspect | Self::UnsupportedNumber)
    }
}

impl Translation {
    /// A segment that stays as it is; blank ones need no reason.
    pub(crate) fn copied(source: String, reason: Option<PassThrough>) -> Self {
        Self {
            text: source.clone(),
            source,
            score: None,
            flags: reason.map(Flag::PassedThrough).into_iter().collect(),
            alternatives: Vec::new(),
            source_ids: Vec::new(),
            target_ids: Vec::new(),
            token_logprobs: Vec::new(),
        }
    }
}

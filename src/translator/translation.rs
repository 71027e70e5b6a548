//! The result of one segment.

use crate::decode::Hypothesis;
use crate::text::PassThrough;
use crate::tokenizer::Tokenizer;

use super::core::Decoded;

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
}

impl Flag {
    /// Its name in outputs; stable.
    pub fn name(self) -> &'static str {
        match self {
            Self::PassedThrough(reason) => reason.flag(),
            Self::Split => "split",
            Self::Mended => "mended",
            Self::Suspect => "suspect",
        }
    }
}

impl Translation {
    /// A segment that stays as it is; blank ones need no reason.
    pub(super) fn copied(source: String, reason: Option<PassThrough>) -> Self {
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

    /// Of the decoded pieces of a segment, each with the ids it was decoded from.
    pub(super) fn joined(source: String, pieces: Vec<(Vec<u32>, Decoded)>, tokenizer: &dyn Tokenizer) -> Self {
        let mut joined = Self::copied(source, None);
        let mut texts = Vec::new();
        let mut scores = 0.0;
        for (ids, decoded) in &pieces {
            joined.source_ids.extend(ids);
            if let Some(best) = decoded.hypotheses.first() {
                texts.push(tokenizer.decode(&best.ids));
                scores += best.score;
                joined.target_ids.extend(&best.ids);
                joined.token_logprobs.extend(&best.token_logprobs);
            }
        }
        joined.score = Some(scores / pieces.len().max(1) as f32);
        joined.text = texts.join(" ");
        joined.flags = [
            (pieces.len() > 1, Flag::Split),
            (pieces.iter().any(|(_, decoded)| decoded.mended), Flag::Mended),
            (pieces.iter().any(|(_, decoded)| decoded.suspect), Flag::Suspect),
        ]
        .into_iter()
        .filter_map(|(holds, flag)| holds.then_some(flag))
        .collect();
        if let [(_, only)] = pieces.as_slice() {
            let text = |hypothesis: &Hypothesis| (tokenizer.decode(&hypothesis.ids), hypothesis.score);
            joined.alternatives = only.hypotheses.iter().skip(1).map(text).collect();
        }
        joined
    }
}

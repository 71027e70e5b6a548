//! Decoded pieces back to one segment.

use super::core::Decoded;
use crate::decode::Hypothesis;
use crate::profile::{self, Stage};
use crate::tokenizer::Tokenizer;
use crate::translation::{Flag, Translation};

/// The translation of a segment from its decoded pieces, each with the ids it was decoded from.
pub(super) fn join(source: String, pieces: Vec<(Vec<u32>, Decoded)>, tokenizer: &dyn Tokenizer) -> Translation {
    let mut joined = Translation::copied(source, None);
    let mut texts = Vec::new();
    let mut scores = 0.0;
    for (ids, decoded) in &pieces {
        joined.source_ids.extend(ids);
        if let Some(best) = decoded.hypotheses.first() {
            texts.push(profile::time(Stage::Detokenize, || tokenizer.decode(&best.ids)));
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

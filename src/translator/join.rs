//! Decoded pieces back to one segment.

use super::core::Decoded;
use crate::decode::Hypothesis;
use crate::figures::{Said, figures, unsupported};
use crate::profile::{self, Stage};
use crate::text::Normalization;
use crate::tokenizer::Tokenizer;
use crate::translation::{Flag, Translation};

/// The translation of a segment from its decoded pieces, each with the ids it was decoded from. `checks_figures` flags
/// figures that the source does not have.
pub(super) fn join(
    source: String,
    pieces: Vec<(Vec<u32>, Decoded)>,
    tokenizer: &dyn Tokenizer,
    checks_figures: bool,
) -> Translation {
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
        (checks_figures && has_unsupported(&joined.text, &joined.source), Flag::UnsupportedNumber),
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

/// Whether `text` has a figure that `source`, cleaned as for a model, does not have.
fn has_unsupported(text: &str, source: &str) -> bool {
    let ours = figures(text);
    if ours.is_empty() {
        return false;
    }
    let source = Normalization::default().apply(source);
    !unsupported(&ours, &Said::by(&figures(&source), &[&source])).is_empty()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::hub::ModelFile;
    use crate::tokenizer::MarianTokenizer;

    #[test]
    fn a_number_that_the_source_does_not_have_is_flagged() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/starter");
        let file = |name: &str| ModelFile::from(folder.join(name));
        let (source, target, vocabulary) = (file("source.spm"), file("target.spm"), file("vocab.json"));
        let tokenizer = MarianTokenizer::from_files(&source, &target, &vocabulary, None, None).unwrap();
        let flags = |source: &str, english: &str| {
            let ids = tokenizer.encode_target(english).unwrap();
            let hypotheses = vec![Hypothesis { token_logprobs: vec![0.0; ids.len()], ids, score: 0.0 }];
            let decoded = Decoded { hypotheses, mended: false, suspect: false };
            let joined = join(source.to_owned(), vec![(tokenizer.encode(source).unwrap(), decoded)], &tokenizer, true);
            assert_eq!(joined.text, english);
            joined.flags
        };
        let source = "بلغت القيمة ٣٥ مليون دولار في ٩ تشرين الثاني";
        assert_eq!(flags(source, "The value was $35 million on Nov. 9"), []);
        assert_eq!(flags(source, "The value was $53 million on Nov. 9"), [Flag::UnsupportedNumber]);
        assert_eq!(flags(source, "The value was $35 billion on Nov. 9"), [Flag::UnsupportedNumber]);
        assert_eq!(flags(source, "The value was $35 million on Oct. 9"), [Flag::UnsupportedNumber]);
        // A mark of direction and letters as they were drawn.
        assert_eq!(flags("بنسبة 35\u{200F}% أي 2 ﻣﻠﻴﻮﻥ", "by 35%, or 2 million"), []);
    }
}

//! One segment's way to the network and back: cleaned, tokenized, split where it is too long; decoded; rejoined.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::batch::Size;
use crate::decode::{GenerationOptions, Hypothesis};
use crate::hub::Provenance;
use crate::model::{ModelError, Seq2Seq};
use crate::profile::{self, Stage};
use crate::text::{Normalization, PassThrough, passes_through, split_long};
use crate::tokenizer::{Tokenizer, TokenizerError};

use super::{Fallback, guard};

/// Everything that translating a segment needs, shared by all workers.
pub(super) struct Core {
    pub(super) model: Box<dyn Seq2Seq>,
    pub(super) tokenizer: Box<dyn Tokenizer>,
    pub(super) options: GenerationOptions,
    pub(super) care: Care,
    /// Where the model comes from.
    pub(super) provenance: Provenance,
    pub(super) fallback: Option<Fallback>,
    /// Whether figures are looked for in sources: those of Arabic and English are known.
    pub(super) checks_figures: bool,
    /// Found when first needed.
    pub(super) repeatable: OnceLock<Arc<[u32]>>,
}

/// What is done around the model.
#[derive(Debug, Clone, Copy)]
pub(super) enum Care {
    /// Cleaning, passing through, splitting and mending.
    Full {
        normalization: Normalization,
        /// Most tokens that a piece of a segment may have, the end token included.
        longest: usize,
    },
    /// Nothing that changes what the model itself says.
    Exact,
}

/// What is to be done with a segment.
pub(super) enum Prepared {
    /// Nothing: it stays as it is.
    Copy(Option<PassThrough>),
    /// To be decoded: the ids of one piece, or of several where it was too long for the model.
    Decode(Vec<Vec<u32>>),
}

/// A decoded piece.
#[derive(Debug, Clone)]
pub(super) struct Decoded {
    /// Best first.
    pub(super) hypotheses: Vec<Hypothesis>,
    /// Whether it was decoded a second time, with repetition blocked.
    pub(super) mended: bool,
    /// Whether it is still not a sound translation.
    pub(super) suspect: bool,
}

impl Core {
    pub(super) fn prepare(&self, segment: &str) -> Result<Prepared, TokenizerError> {
        if segment.trim().is_empty() {
            return Ok(Prepared::Copy(None));
        }
        match self.care {
            Care::Exact => self.pieces(segment, self.model.max_positions()),
            Care::Full { normalization, longest } => match passes_through(segment) {
                Some(reason) => Ok(Prepared::Copy(Some(reason))),
                None => self.pieces(&normalization.apply(segment), longest.min(self.model.max_positions())),
            },
        }
    }

    fn pieces(&self, text: &str, longest: usize) -> Result<Prepared, TokenizerError> {
        let ids = profile::time(Stage::Tokenize, || self.tokenizer.encode(text))?;
        if ids.len() <= longest {
            return Ok(Prepared::Decode(vec![ids]));
        }
        let fits = |piece: &str| self.tokenizer.encode(piece).is_ok_and(|ids| ids.len() <= longest);
        let ranges = split_long(text, &fits);
        let pieces = ranges.into_iter().filter_map(|range| text.get(range)).map(|piece| self.tokenizer.encode(piece));
        Ok(Prepared::Decode(pieces.collect::<Result<_, _>>()?))
    }

    /// What decoding `ids` takes: multiplications, if the translation is about as long as its source.
    pub(super) fn size(&self, ids: &[u32]) -> Size {
        let (per_token, per_row) = self.model.products();
        let steps = ids.len().clamp(self.options.min_length, self.options.max_length.max(self.options.min_length));
        Size { tokens: ids.len(), cost: ids.len() * per_token + steps * self.options.num_beams * per_row }
    }

    /// Decodes `sources` as one batch, and those that went wrong once more.
    pub(super) fn decode(&self, sources: &[&[u32]]) -> Result<Vec<Decoded>, ModelError> {
        let first = self.model.generate(sources, &self.options)?;
        let sound = |hypotheses: Vec<Hypothesis>| Decoded { hypotheses, mended: false, suspect: false };
        let mut decoded: Vec<Decoded> = first.into_iter().map(sound).collect();
        if let Care::Full { .. } = self.care {
            self.mend(sources, &mut decoded)?;
        }
        Ok(decoded)
    }

    /// Decodes what is defective once more: together where the options are the same, so that no result depends on the
    /// batch's other segments.
    fn mend(&self, sources: &[&[u32]], decoded: &mut [Decoded]) -> Result<(), ModelError> {
        let mut groups: BTreeMap<usize, Vec<(&[u32], &mut Decoded)>> = BTreeMap::new();
        for (source, decoded) in sources.iter().zip(decoded) {
            if self.is_defective(source, &decoded.hypotheses) {
                groups.entry(guard::shortest(&self.options, source.len())).or_default().push((source, decoded));
            }
        }
        for (min_length, group) in groups {
            let options = guard::stricter(&self.options, min_length, self.repeatable());
            let again = self.model.generate(&group.iter().map(|(source, _)| *source).collect::<Vec<_>>(), &options)?;
            for ((source, decoded), hypotheses) in group.into_iter().zip(again) {
                *decoded = Decoded { suspect: self.is_defective(source, &hypotheses), hypotheses, mended: true };
            }
        }
        Ok(())
    }

    fn is_defective(&self, source: &[u32], hypotheses: &[Hypothesis]) -> bool {
        let is_word = |id| self.tokenizer.decode(&[id]).chars().any(char::is_alphabetic);
        hypotheses.first().is_none_or(|best| guard::defect(source, best, &self.options, is_word).is_some())
    }

    /// The tokens of figures, in rising order: digits and the comma between them.
    fn repeatable(&self) -> Arc<[u32]> {
        let is_figure = |id: &u32| {
            let text = self.tokenizer.decode(&[*id]);
            !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == ',')
        };
        let targets =
            || self.tokenizer.target_pieces().unwrap_or_else(|| (0..self.tokenizer.vocab_size() as u32).collect());
        Arc::clone(self.repeatable.get_or_init(|| targets().into_iter().filter(is_figure).collect()))
    }
}

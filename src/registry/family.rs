//! The architectures that can be run, and the files that make a model of each.

use serde::Deserialize;

/// Architectures that the program can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Marian transformers, as the OPUS-MT models are.
    Marian,
    /// T5 and its kin: mT5, flan-t5, MADLAD.
    T5,
    /// M2M100 and NLLB.
    M2m100,
    /// mBART-50.
    Mbart,
    /// BART and DistilBART.
    Bart,
    /// Pegasus.
    Pegasus,
}

impl Family {
    /// Every family.
    pub const ALL: [Family; 6] =
        [Family::Marian, Family::T5, Family::M2m100, Family::Mbart, Family::Bart, Family::Pegasus];

    /// The values of `model_type` that its `config.json` may carry.
    pub fn model_types(self) -> &'static [&'static str] {
        match self {
            Family::Marian => &["marian"],
            Family::T5 => &["t5", "mt5"],
            Family::M2m100 => &["m2m_100"],
            Family::Mbart => &["mbart"],
            Family::Bart => &["bart"],
            Family::Pegasus => &["pegasus"],
        }
    }

    /// The sets of files that its vocabulary may come as; of those that are whole, the first is taken.
    pub fn vocabularies(self) -> &'static [&'static [&'static str]] {
        match self {
            Family::Marian => &[&["source.spm", "target.spm", "vocab.json"]],
            Family::T5 | Family::Pegasus => &[&["tokenizer.json"], &["spiece.model"]],
            // That of M2M100, then those of NLLB.
            Family::M2m100 => {
                &[&["vocab.json", "sentencepiece.bpe.model"], &["tokenizer.json"], &["sentencepiece.bpe.model"]]
            }
            Family::Mbart => &[&["tokenizer.json"], &["sentencepiece.bpe.model"]],
            Family::Bart => &[&["tokenizer.json"], &["vocab.json", "merges.txt"]],
        }
    }

    /// Files that some of its repositories have.
    pub fn optional_files(self) -> &'static [&'static str] {
        match self {
            Family::Marian => &["generation_config.json", "target_vocab.json", "tokenizer_config.json"],
            _ => &["generation_config.json", "tokenizer_config.json"],
        }
    }

    /// Whether its models name languages by tokens, so that the vocabulary knows best which it offers.
    pub fn names_languages(self) -> bool {
        matches!(self, Family::M2m100 | Family::Mbart)
    }
}

//! What can be wrong with a tokenizer's files.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::hub::ModelFile;

/// Why a tokenizer cannot be made from its files.
#[derive(Debug, Error)]
pub enum TokenizerError {
    /// A file cannot be read.
    #[error("cannot read the tokenizer file {}: {source}; check that the model's folder is complete", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A `.spm` file is damaged, or of a kind that is not supported.
    #[error("{} is not a usable SentencePiece model: {reason}; fetch the model again", path.display())]
    SentencePiece {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A vocabulary is damaged.
    #[error("{} is not a usable vocabulary: {reason}; fetch the model again", path.display())]
    Vocabulary {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A token that the model cannot do without is missing.
    #[error("the vocabulary {} lacks the special token {token:?}; fetch the model again, or choose another", path.display())]
    MissingToken {
        /// The vocabulary.
        path: PathBuf,
        /// The token.
        token: String,
    },
    /// The configuration is damaged.
    #[error("cannot understand the tokenizer's configuration {}: {reason}; fetch the model again", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A tokenizer's files are sound each, but no tokenizer can be made of them.
    #[error("no tokenizer can be made of {}: {reason}; fetch the model again, or choose another", path.display())]
    Build {
        /// The file, or one of them.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A text that the tokenizer fails on.
    #[error("the tokenizer fails on a text: {reason}; choose another model, and please report it")]
    Text {
        /// What it says.
        reason: String,
    },
    /// A language that the model has no token for.
    #[error("the model has no language {asked:?}; it offers {offered}")]
    Language {
        /// As it was asked for.
        asked: String,
        /// Some of the codes of those that it has, the most similar first, and how many there are.
        offered: String,
    },
    /// The configuration names a second vocabulary, and none is given.
    #[error(
        "{} says that source and target have vocabularies of their own, and target_vocab.json is missing; \
         fetch the model again",
        path.display()
    )]
    NoTargetVocabulary {
        /// The configuration.
        path: PathBuf,
    },
}

impl TokenizerError {
    /// [`Self::Language`], for a model that has the languages `codes`.
    pub(super) fn unknown_language<'a>(asked: &str, codes: impl Iterator<Item = &'a str>) -> Self {
        const SHOWN: usize = 8;
        let mut codes: Vec<&str> = codes.collect();
        codes.sort_by(|a, b| strsim::jaro_winkler(asked, b).total_cmp(&strsim::jaro_winkler(asked, a)));
        let shown = codes.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
        let offered = match codes.len().saturating_sub(SHOWN) {
            0 => shown,
            more => format!("{shown} and {more} more"),
        };
        Self::Language { asked: asked.to_owned(), offered }
    }
}

/// The whole file, or an error that names it.
pub(super) fn read(file: &ModelFile) -> Result<Cow<'static, [u8]>, TokenizerError> {
    file.read().map_err(|source| TokenizerError::Read { path: file.path().to_owned(), source })
}

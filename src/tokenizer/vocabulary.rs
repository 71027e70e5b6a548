//! `vocab.json` and `tokenizer_config.json`, as the published models have them.

use std::collections::HashMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use super::error::{TokenizerError, read};
use crate::hub::ModelFile;

/// Ids stay below this: far more than any model has, and little memory if a file lies.
const MAX_VOCABULARY: usize = 1 << 20;

/// Pieces and their ids, both ways.
#[derive(Debug)]
pub(super) struct Vocabulary {
    path: PathBuf,
    ids: HashMap<String, u32>,
    /// By id; empty where no piece has the id.
    pieces: Vec<String>,
}

impl Vocabulary {
    /// Reads a JSON object of pieces and ids.
    pub(super) fn from_file(file: &ModelFile) -> Result<Self, TokenizerError> {
        let invalid = |reason| TokenizerError::Vocabulary { path: file.path().to_owned(), reason };
        let ids: HashMap<String, u32> =
            serde_json::from_slice(&read(file)?).map_err(|source| invalid(source.to_string()))?;
        let size = ids.values().max().map_or(0, |id| *id as usize + 1);
        if size > MAX_VOCABULARY {
            return Err(invalid(format!("its id {} is out of range", size - 1)));
        }
        let mut pieces = vec![None; size];
        for (piece, id) in &ids {
            if let Some(other) = pieces.get_mut(*id as usize).and_then(|slot| slot.replace(piece)) {
                let (first, second) = if other < piece { (other, piece) } else { (piece, other) };
                return Err(invalid(format!("{first:?} and {second:?} both have the id {id}")));
            }
        }
        let pieces = pieces.into_iter().map(|piece| piece.cloned().unwrap_or_default()).collect();
        Ok(Self { path: file.path().to_owned(), ids, pieces })
    }

    pub(super) fn id(&self, piece: &str) -> Option<u32> {
        self.ids.get(piece).copied()
    }

    /// The id of a token that must be there.
    pub(super) fn require(&self, token: &str) -> Result<u32, TokenizerError> {
        let missing = || TokenizerError::MissingToken { path: self.path.clone(), token: token.to_owned() };
        self.id(token).ok_or_else(missing)
    }

    /// One more than the largest id.
    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// All pieces by id, empty where no piece has the id.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().map(String::as_str)
    }
}

/// The settings of a tokenizer that bear on ids and text.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct Config {
    pub(super) eos_token: Token,
    pub(super) unk_token: Token,
    pub(super) pad_token: Token,
    /// Tokens that text is cut at, by id in decimal digits.
    added_tokens_decoder: HashMap<String, Token>,
    /// Their old name; newer files have `extra_special_tokens`.
    additional_special_tokens: Option<Vec<Token>>,
    /// A list of tokens; newer files may name each in an object.
    extra_special_tokens: Value,
    pub(super) separate_vocabs: bool,
    pub(super) clean_up_tokenization_spaces: Option<bool>,
    /// How many sentinels `<extra_id_0>`, … a T5 vocabulary has beyond its pieces.
    pub(super) extra_ids: Option<usize>,
    /// Whether a byte-level tokenizer takes text to begin with a space.
    pub(super) add_prefix_space: Option<bool>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            eos_token: "</s>".to_owned().into(),
            unk_token: "<unk>".to_owned().into(),
            pad_token: "<pad>".to_owned().into(),
            added_tokens_decoder: HashMap::new(),
            additional_special_tokens: None,
            extra_special_tokens: Value::Null,
            separate_vocabs: false,
            clean_up_tokenization_spaces: None,
            extra_ids: None,
            add_prefix_space: None,
        }
    }
}

/// A token that is found in text as it stands, before the rest is cut into pieces.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "TokenForm")]
pub(super) struct Token {
    pub(super) content: String,
    /// Takes the white space before it along.
    pub(super) lstrip: bool,
    /// Takes the white space after it along.
    pub(super) rstrip: bool,
    /// Left out of decoded text.
    pub(super) special: bool,
}

/// How files write a token.
#[derive(Deserialize)]
#[serde(untagged)]
enum TokenForm {
    Content(String),
    Full {
        content: String,
        #[serde(default)]
        lstrip: bool,
        #[serde(default)]
        rstrip: bool,
        #[serde(default)]
        special: bool,
    },
}

impl From<String> for Token {
    fn from(content: String) -> Self {
        Self { content, lstrip: false, rstrip: false, special: true }
    }
}

impl From<TokenForm> for Token {
    fn from(form: TokenForm) -> Self {
        match form {
            TokenForm::Content(content) => content.into(),
            TokenForm::Full { content, lstrip, rstrip, special } => Self { content, lstrip, rstrip, special },
        }
    }
}

impl Config {
    /// Reads `tokenizer_config.json`; without one, everything is as usual.
    pub(super) fn from_file(file: Option<&ModelFile>) -> Result<Self, TokenizerError> {
        let Some(file) = file else { return Ok(Self::default()) };
        serde_json::from_slice(&read(file)?)
            .map_err(|source| TokenizerError::Config { path: file.path().to_owned(), reason: source.to_string() })
    }

    /// The tokens that text is cut at, each once, with their ids.
    ///
    /// Those that the file lists with an id have it; the others have that of the vocabulary, and a token that the
    /// vocabulary lacks too is not one the model knows.
    pub(super) fn added_tokens(&self, vocabulary: &Vocabulary) -> Vec<(Token, u32)> {
        let mut tokens = self.listed_tokens();
        for token in self.named_tokens() {
            if let Some(id) = vocabulary.id(&token.content)
                && !tokens.iter().any(|(known, _)| known.content == token.content)
            {
                tokens.push((token, id));
            }
        }
        tokens.retain(|(token, _)| !token.content.is_empty());
        tokens
    }

    /// The tokens that the file lists with an id, by id.
    pub(super) fn listed_tokens(&self) -> Vec<(Token, u32)> {
        let listed = self.added_tokens_decoder.iter().filter_map(|(id, token)| Some((token.clone(), id.parse().ok()?)));
        let mut tokens: Vec<(Token, u32)> = listed.collect();
        tokens.sort_by_key(|(_, id)| *id);
        tokens
    }

    /// The special tokens that the file names.
    pub(super) fn named_tokens(&self) -> impl Iterator<Item = Token> {
        let extra = Vec::<Token>::deserialize(&self.extra_special_tokens).unwrap_or_default();
        let named = [&self.eos_token, &self.unk_token, &self.pad_token].into_iter().cloned();
        let all = named.chain(self.additional_special_tokens.iter().flatten().cloned()).chain(extra);
        all.map(|token| Token { special: true, ..token })
    }
}

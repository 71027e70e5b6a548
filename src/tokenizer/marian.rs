//! The tokenizer of Marian models: a SentencePiece model for each side, and a vocabulary that both share or one each.
//!
//! Ids and text equal those of `MarianTokenizer` of Hugging Face transformers.

use std::sync::Arc;

use super::Tokenizer;
use super::added::{AddedTokens, Fragment};
use super::error::{TokenizerError, read};
use super::spm::{Part, SentencePiece, Surface};
use super::surface;
use super::vocabulary::{Config, Vocabulary};
use crate::hub::ModelFile;

/// Tokenizer of a Marian model.
#[derive(Debug)]
pub struct MarianTokenizer {
    source: Side,
    target: Side,
    /// What each target id looks like in text, special tokens as nothing.
    surfaces: Vec<Surface>,
    added: AddedTokens,
    eos: u32,
    unk: u32,
    pad: u32,
    clean_up_spaces: bool,
}

/// One language: its pieces, and the ids that the model knows them by.
#[derive(Debug)]
struct Side {
    pieces: Arc<SentencePiece>,
    vocabulary: Arc<Vocabulary>,
    /// Id of each piece, by its index in `pieces`.
    ids: Vec<u32>,
    unk: u32,
}

impl Side {
    fn new(pieces: Arc<SentencePiece>, vocabulary: Arc<Vocabulary>, unk: &str) -> Result<Self, TokenizerError> {
        let unk = vocabulary.require(unk)?;
        let ids = pieces.pieces().map(|piece| vocabulary.id(piece).unwrap_or(unk)).collect();
        Ok(Self { pieces, vocabulary, ids, unk })
    }

    /// Ids of text without added tokens; a language code such as `>>eng<<` at its start is one token.
    fn encode(&self, text: &str, ids: &mut Vec<u32>) {
        let id = |piece: &str| self.vocabulary.id(piece).unwrap_or(self.unk);
        let (code, text) = split_language_code(text);
        ids.extend(code.map(id));
        self.pieces.segment(text, |part| {
            ids.push(match part {
                Part::Piece(piece) => self.ids.get(piece as usize).copied().unwrap_or(self.unk),
                // What the pieces of this side lack can still be in the vocabulary, as a piece of the other side.
                Part::Unknown(text) => id(text),
            });
        });
    }
}

/// The language code `>>…<<` that text starts with, and the rest.
fn split_language_code(text: &str) -> (Option<&str>, &str) {
    let end = text.strip_prefix(">>").and_then(|rest| rest.find("<<")).map(|at| at + ">>".len() + "<<".len());
    match end.and_then(|end| text.split_at_checked(end)) {
        Some((code, rest)) => (Some(code), rest),
        None => (None, text),
    }
}

impl MarianTokenizer {
    /// Makes the tokenizer from a model's files: `source.spm`, `target.spm`, `vocab.json`, `target_vocab.json` where
    /// source and target have vocabularies of their own, and `tokenizer_config.json` where there is one.
    ///
    /// # Errors
    /// A file that cannot be read, is damaged, or lacks a token that the others name; each error names the file.
    pub fn from_files(
        source_spm: &ModelFile,
        target_spm: &ModelFile,
        vocab: &ModelFile,
        target_vocab: Option<&ModelFile>,
        tokenizer_config: Option<&ModelFile>,
    ) -> Result<Self, TokenizerError> {
        let config = Config::from_file(tokenizer_config)?;
        let vocabulary = Arc::new(Vocabulary::from_file(vocab)?);
        let target_vocabulary = match (config.separate_vocabs, target_vocab, tokenizer_config) {
            (true, Some(file), _) => Arc::new(Vocabulary::from_file(file)?),
            (true, None, file) => {
                return Err(TokenizerError::NoTargetVocabulary { path: file.unwrap_or(vocab).path().to_owned() });
            }
            (false, ..) => vocabulary.clone(),
        };
        let (source_pieces, target_pieces) = both_sides(source_spm, target_spm)?;
        let target = Side::new(target_pieces, target_vocabulary, &config.unk_token.content)?;
        target.vocabulary.require(&config.eos_token.content)?;
        let added = AddedTokens::new(config.added_tokens(&vocabulary));
        Ok(Self {
            eos: vocabulary.require(&config.eos_token.content)?,
            unk: vocabulary.require(&config.unk_token.content)?,
            pad: vocabulary.require(&config.pad_token.content)?,
            source: Side::new(source_pieces, vocabulary, &config.unk_token.content)?,
            surfaces: surfaces(&target, &added),
            target,
            added,
            clean_up_spaces: config.clean_up_tokenization_spaces.unwrap_or(false),
        })
    }

    /// Ids of text that may hold added tokens, for one side, with the end-of-sequence id last.
    fn encode_side(&self, side: &Side, text: &str) -> Vec<u32> {
        let mut ids = Vec::with_capacity(text.len() / 4 + 2);
        self.added.split(text, |fragment| match fragment {
            Fragment::Text(text) => side.encode(text, &mut ids),
            Fragment::Token(id) => ids.push(id),
        });
        ids.push(self.eos);
        ids
    }
}

/// The pieces of source and target, which are the same where both files are.
fn both_sides(
    source: &ModelFile,
    target: &ModelFile,
) -> Result<(Arc<SentencePiece>, Arc<SentencePiece>), TokenizerError> {
    let source_pieces = Arc::new(SentencePiece::from_file(source)?);
    let target_pieces = match read(source)? == read(target)? {
        true => source_pieces.clone(),
        false => Arc::new(SentencePiece::from_file(target)?),
    };
    Ok((source_pieces, target_pieces))
}

/// What each id of the target vocabulary looks like in text.
fn surfaces(target: &Side, added: &AddedTokens) -> Vec<Surface> {
    let mut surfaces = target.pieces.surfaces(target.vocabulary.pieces());
    for (token, id) in added.iter() {
        let id = target.vocabulary.id(&token.content).unwrap_or(*id);
        if let Some(surface) = surfaces.get_mut(id as usize) {
            *surface = Surface::Text(if token.special { String::new() } else { token.content.clone() });
        }
    }
    surfaces
}

impl Tokenizer for MarianTokenizer {
    fn encode(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        Ok(self.encode_side(&self.source, text))
    }

    fn encode_target(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        Ok(self.encode_side(&self.target, text))
    }

    fn decode(&self, ids: &[u32]) -> String {
        let text = surface::join(ids, &self.surfaces, &self.target.pieces);
        if self.clean_up_spaces { surface::clean_up(&text) } else { text }
    }

    fn target_pieces(&self) -> Option<Vec<u32>> {
        let known = self.target.pieces.text_pieces().filter_map(|piece| self.target.vocabulary.id(piece));
        let mut ids: Vec<u32> = known.chain([self.eos, self.target.unk]).collect();
        ids.sort_unstable();
        ids.dedup();
        Some(ids)
    }

    fn vocab_size(&self) -> usize {
        self.source.vocabulary.len()
    }

    fn eos_id(&self) -> u32 {
        self.eos
    }

    fn unk_id(&self) -> u32 {
        self.unk
    }

    fn pad_id(&self) -> u32 {
        self.pad
    }
}

//! The tokenizer of M2M100: a SentencePiece model, a vocabulary with an order of its own, and a token for each language.
//!
//! Ids and text equal those of `M2M100Tokenizer` of Hugging Face transformers.

use super::added::{AddedTokens, Fragment};
use super::error::TokenizerError;
use super::languages::M2M100;
use super::spm::{Part, SentencePiece, Surface};
use super::vocabulary::{Config, Token, Vocabulary};
use super::{Task, Tokenizer, surface};
use crate::hub::{ModelFile, ModelFolder};

/// Tokenizer of an M2M100 model, for one pair of languages.
#[derive(Debug)]
pub struct M2m100Tokenizer {
    pieces: SentencePiece,
    vocabulary: Vocabulary,
    /// Id of each piece, by its index in `pieces`.
    ids: Vec<u32>,
    /// What each id looks like in text, special tokens as nothing.
    surfaces: Vec<Surface>,
    added: AddedTokens,
    /// What stands before every text.
    prefix: String,
    source: u32,
    target: u32,
    eos: u32,
    unk: u32,
    pad: u32,
}

impl M2m100Tokenizer {
    /// Makes the tokenizer from a model's `sentencepiece.bpe.model`, `vocab.json` and, where there is one,
    /// `tokenizer_config.json`.
    ///
    /// # Errors
    /// Files that are damaged, and languages that the model lacks.
    pub fn load(folder: &ModelFolder, task: Task) -> Result<Self, TokenizerError> {
        let file = |name: &str| folder.file(name).cloned().unwrap_or_else(|| ModelFile::from(name));
        let config = Config::from_file(folder.file("tokenizer_config.json"))?;
        let pieces = SentencePiece::from_file(&file("sentencepiece.bpe.model"))?;
        let vocabulary = Vocabulary::from_file(&file("vocab.json"))?;
        // The languages follow the vocabulary, which does not list them.
        let languages: Vec<String> = M2M100.tokens().collect();
        let language = |asked: &str| {
            let token = M2M100.find(asked)?;
            let place = languages.iter().position(|known| *known == token).unwrap_or_default();
            Ok((vocabulary.len() + place) as u32)
        };
        let (source, target) = (language(task.from)?, language(task.to)?);
        let mut added = config.added_tokens(&vocabulary);
        const BOS: &str = "<s>";
        added.extend(vocabulary.id(BOS).map(|id| (Token::from(BOS.to_owned()), id)));
        let listed = languages.iter().zip(vocabulary.len() as u32..);
        added.extend(listed.map(|(token, id)| (Token::from(token.clone()), id)));
        let added = AddedTokens::new(added);
        let mut surfaces = pieces.surfaces(vocabulary.pieces());
        surfaces.resize(vocabulary.len() + languages.len(), Surface::Text(String::new()));
        for (_, id) in added.iter().filter(|(token, _)| token.special) {
            if let Some(surface) = surfaces.get_mut(*id as usize) {
                *surface = Surface::Text(String::new());
            }
        }
        let unk = vocabulary.require(&config.unk_token.content)?;
        Ok(Self {
            ids: pieces.pieces().map(|piece| vocabulary.id(piece).unwrap_or(unk)).collect(),
            eos: vocabulary.require(&config.eos_token.content)?,
            unk,
            pad: vocabulary.require(&config.pad_token.content)?,
            prefix: task.prefix.unwrap_or_default().to_owned(),
            source,
            target,
            pieces,
            vocabulary,
            surfaces,
            added,
        })
    }

    fn encode_in(&self, language: u32, text: &str) -> Vec<u32> {
        let mut ids = Vec::with_capacity(text.len() / 4 + 3);
        ids.push(language);
        self.added.split(text, |fragment| match fragment {
            Fragment::Token(id) => ids.push(id),
            Fragment::Text(text) => self.pieces.segment(text, |part| {
                let id = match part {
                    Part::Piece(piece) => self.ids.get(piece as usize).copied(),
                    Part::Unknown(text) => self.vocabulary.id(text),
                };
                ids.push(id.unwrap_or(self.unk));
            }),
        });
        ids.push(self.eos);
        ids
    }
}

impl Tokenizer for M2m100Tokenizer {
    fn encode(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        Ok(match self.prefix.as_str() {
            "" => self.encode_in(self.source, text),
            prefix => self.encode_in(self.source, &format!("{prefix}{text}")),
        })
    }

    fn encode_target(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        Ok(self.encode_in(self.target, text))
    }

    fn decode(&self, ids: &[u32]) -> String {
        surface::join(ids, &self.surfaces, &self.pieces)
    }

    fn target_pieces(&self) -> Option<Vec<u32>> {
        None
    }

    fn first_target(&self) -> Option<u32> {
        Some(self.target)
    }

    fn vocab_size(&self) -> usize {
        self.surfaces.len()
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

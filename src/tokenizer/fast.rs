//! The tokenizers that transformers runs on the `tokenizers` library too: those of T5, mT5, MADLAD, NLLB, mBART-50,
//! Pegasus and BART.
//!
//! Ids and text equal those of transformers 5, which takes the vocabulary from the model's files and all the rest from
//! its own description of the family. There is one exception: it takes `</s>` for the unknown token of every T5 vocabulary
//! and knows no spelling in bytes, which is wrong for MADLAD; here the model's files have the last word on both.

use std::collections::HashSet;
use std::path::Path;

use sentencepiece_model::{SentencePieceModel, Type};
use tokenizers::decoders::DecoderWrapper;
use tokenizers::decoders::byte_fallback::ByteFallback;
use tokenizers::models::ModelWrapper;
use tokenizers::models::bpe::{BPE, Merges, Vocab};
use tokenizers::models::unigram::Unigram;
use tokenizers::normalizers::replace::ReplacePattern;
use tokenizers::normalizers::{NormalizerWrapper, Precompiled, Replace, Sequence};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::metaspace::{Metaspace, PrependScheme};
use tokenizers::pre_tokenizers::whitespace::WhitespaceSplit;
use tokenizers::{AddedToken, decoders, pre_tokenizers};

use super::charsmap::CharsMap;
use super::error::{TokenizerError, read};
use super::languages::{Languages, MBART50, NLLB};
use super::vocabulary::{Config, Token};
use super::{Task, Tokenizer, surface};
use crate::hub::{ModelFile, ModelFolder};
use crate::registry::Family;

/// Tokenizer of a model, for one task.
pub struct FastTokenizer {
    inner: tokenizers::Tokenizer,
    /// What stands before every text.
    prefix: String,
    /// The token that every source begins with.
    first: Option<u32>,
    /// The token that names the target's language.
    language: Option<u32>,
    eos: u32,
    unk: u32,
    pad: u32,
    /// Ids from here on are unknown to the network.
    rows: usize,
    clean_up_spaces: bool,
}

/// What the families' tokenizers differ in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    T5,
    Pegasus,
    Nllb,
    Mbart50,
    Bart,
}

impl FastTokenizer {
    /// Makes the tokenizer from `tokenizer.json`, or else from a SentencePiece model or from `vocab.json` and
    /// `merges.txt`, with `tokenizer_config.json` where there is one. `rows` is the number of the network's embeddings.
    ///
    /// # Errors
    /// Files that are damaged or lack a special token, and languages that the model lacks.
    pub fn load(folder: &ModelFolder, task: Task, rows: usize) -> Result<Self, TokenizerError> {
        let config = Config::from_file(folder.file("tokenizer_config.json"))?;
        let (kind, spm) = match folder.family {
            Family::T5 => (Kind::T5, "spiece.model"),
            Family::Pegasus => (Kind::Pegasus, "spiece.model"),
            Family::M2m100 => (Kind::Nllb, "sentencepiece.bpe.model"),
            Family::Mbart => (Kind::Mbart50, "sentencepiece.bpe.model"),
            Family::Bart | Family::Marian => (Kind::Bart, "vocab.json"),
        };
        let file = |name: &str| folder.file(name).cloned().unwrap_or_else(|| ModelFile::from(name));
        let main = folder.file("tokenizer.json").cloned().unwrap_or_else(|| file(spm));
        let path = main.path().to_owned();
        let build = |error: tokenizers::Error| TokenizerError::Build { path: path.clone(), reason: error.to_string() };
        let mut inner = if folder.file("tokenizer.json").is_some() {
            tokenizers::Tokenizer::from_bytes(read(&main)?).map_err(build)?
        } else if kind == Kind::Bart {
            from_merges(&path, file("merges.txt").path()).map_err(build)?
        } else {
            from_pieces(kind, &main, &config)?
        };
        kind.equip(&mut inner, &config).map_err(build)?;
        let missing = |token: &str| TokenizerError::MissingToken { path: path.clone(), token: token.to_owned() };
        let require =
            |inner: &tokenizers::Tokenizer, token: &str| inner.token_to_id(token).ok_or_else(|| missing(token));
        let [eos, unk, pad] =
            [&config.eos_token, &config.unk_token, &config.pad_token].map(|token| require(&inner, &token.content));
        let (eos, unk, pad) = (eos?, unk?, pad?);
        inner.add_tokens(config.listed_tokens().into_iter().map(|(token, _)| added(token))).map_err(build)?;
        inner.add_special_tokens(kind.special_tokens(&config).into_iter().map(added)).map_err(build)?;

        let mut prefix = task.prefix.unwrap_or_default().to_owned();
        let (mut first, mut language) = (None, None);
        if let Some(languages) = kind.languages() {
            // The mBART of 25 languages differs from that of 50 by nothing else that its files tell.
            let lacks = |token: &String| inner.token_to_id(token).is_some_and(|id| id as usize >= rows);
            if kind == Kind::Mbart50 && languages.tokens().any(|token| lacks(&token)) {
                let reason =
                    "the network has fewer languages than mBART-50, and no other mBART is supported".to_owned();
                return Err(TokenizerError::Build { path: path.clone(), reason });
            }
            first = Some(require(&inner, &languages.find(task.from)?)?);
            language = Some(require(&inner, &languages.find(task.to)?)?);
        } else if kind == Kind::Bart {
            first = Some(require(&inner, "<s>")?);
        } else if kind == Kind::T5 && inner.token_to_id("<2en>").is_some() && task.prefix.is_none() {
            prefix = language_prefix(&inner, task.to)?;
        }
        Ok(Self {
            eos,
            unk,
            pad,
            // transformers cleans up after every model but BPE.
            clean_up_spaces: config.clean_up_tokenization_spaces == Some(true)
                && matches!(inner.get_model(), ModelWrapper::Unigram(_)),
            inner,
            prefix,
            first,
            language,
            rows,
        })
    }

    fn encode_after(&self, first: Option<u32>, text: &str) -> Result<Vec<u32>, TokenizerError> {
        let failed = |error: tokenizers::Error| TokenizerError::Text { reason: error.to_string() };
        let encoding = self.inner.encode_fast(text, false).map_err(failed)?;
        let known = encoding.get_ids().iter().map(|id| if (*id as usize) < self.rows { *id } else { self.unk });
        Ok(first.into_iter().chain(known).chain([self.eos]).collect())
    }
}

impl Tokenizer for FastTokenizer {
    fn encode(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        match self.prefix.as_str() {
            "" => self.encode_after(self.first, text),
            prefix => self.encode_after(self.first, &format!("{prefix}{text}")),
        }
    }

    fn encode_target(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        self.encode_after(self.language.or(self.first), text)
    }

    fn decode(&self, ids: &[u32]) -> String {
        let text = self.inner.decode(ids, true).unwrap_or_default();
        if self.clean_up_spaces { surface::clean_up(&text) } else { text }
    }

    fn target_pieces(&self) -> Option<Vec<u32>> {
        None
    }

    fn first_target(&self) -> Option<u32> {
        self.language
    }

    fn vocab_size(&self) -> usize {
        let added = self.inner.get_added_tokens_decoder();
        let is_special = |size: &usize| added.get(&(*size as u32 - 1)).is_some_and(|token| token.special);
        (1..=self.inner.get_vocab_size(false)).rev().find(|size| !is_special(size)).unwrap_or(0)
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

impl Kind {
    fn languages(self) -> Option<Languages> {
        match self {
            Kind::Nllb => Some(NLLB),
            Kind::Mbart50 => Some(MBART50),
            Kind::T5 | Kind::Pegasus | Kind::Bart => None,
        }
    }

    /// The tokens that come before the pieces of a SentencePiece model, and how many of the model's own they replace.
    fn tokens_before(self) -> (Vec<String>, usize) {
        let owned = |tokens: &[&str]| tokens.iter().map(|token| token.to_string()).collect();
        match self {
            Kind::T5 | Kind::Bart => (Vec::new(), 0),
            Kind::Pegasus => {
                let mut tokens: Vec<String> = owned(&["<pad>", "</s>", "<mask_1>", "<mask_2>"]);
                tokens.extend((2..103).map(|number| format!("<unk_{number}>")));
                (tokens, 2)
            }
            Kind::Nllb | Kind::Mbart50 => (owned(&["<s>", "<pad>", "</s>", "<unk>"]), 3),
        }
    }

    /// The tokens that come after the pieces of a SentencePiece model.
    fn tokens_after(self, config: &Config) -> Vec<String> {
        match self {
            Kind::T5 => {
                let extra = config.extra_ids.unwrap_or(100).min(1000);
                (0..extra).rev().map(|number| format!("<extra_id_{number}>")).collect()
            }
            Kind::Pegasus | Kind::Bart => Vec::new(),
            Kind::Nllb => NLLB.tokens().chain(["<mask>".to_owned()]).collect(),
            Kind::Mbart50 => MBART50.tokens().chain(["<mask>".to_owned()]).collect(),
        }
    }

    /// The tokens that text is cut at and that do not show in it.
    fn special_tokens(self, config: &Config) -> Vec<Token> {
        let (before, _) = self.tokens_before();
        let own = before.into_iter().chain(self.tokens_after(config));
        let of_bart = ["<s>", "<mask>"].map(str::to_owned).into_iter().filter(|_| self == Kind::Bart);
        own.chain(of_bart).map(Token::from).chain(config.named_tokens()).collect()
    }

    /// Prepares and cuts text, and joins it again, as transformers does for the family.
    fn equip(self, inner: &mut tokenizers::Tokenizer, config: &Config) -> tokenizers::Result<()> {
        if self == Kind::Bart {
            let bytes = ByteLevel::new(config.add_prefix_space.unwrap_or(false), true, true);
            inner.with_normalizer(None::<NormalizerWrapper>)?;
            inner.with_pre_tokenizer(Some(bytes)).with_decoder(Some(ByteLevel::default()));
            return Ok(());
        }
        let charsmap = inner.get_normalizer().and_then(charsmap);
        let replace =
            |what: &str| Replace::new(ReplacePattern::Regex(what.to_owned()), " ").map(NormalizerWrapper::from);
        let mut steps: Vec<NormalizerWrapper> = Vec::new();
        match (charsmap, self) {
            (Some(charsmap), _) => steps.push(charsmap.into()),
            (None, Kind::Pegasus) => steps.push(replace(r"\n")?),
            (None, _) => {}
        }
        if self == Kind::Mbart50 || self == Kind::Pegasus || self == Kind::Nllb && !steps.is_empty() {
            steps.push(replace(r" {2,}")?);
        }
        inner.with_normalizer((!steps.is_empty()).then(|| Sequence::new(steps)))?;
        let spaces = || Metaspace::new('\u{2581}', PrependScheme::Always, true);
        let splitting = match self {
            Kind::T5 => {
                let steps: Vec<PreTokenizerWrapper> = vec![WhitespaceSplit.into(), spaces().into()];
                pre_tokenizers::sequence::Sequence::new(steps).into()
            }
            _ => PreTokenizerWrapper::from(spaces()),
        };
        let spells_in_bytes = matches!(inner.get_model(), ModelWrapper::Unigram(model) if model.byte_fallback());
        let joining = if spells_in_bytes {
            let steps: Vec<DecoderWrapper> = vec![ByteFallback::new().into(), spaces().into()];
            decoders::sequence::Sequence::new(steps).into()
        } else {
            DecoderWrapper::from(spaces())
        };
        inner.with_pre_tokenizer(Some(splitting)).with_decoder(Some(joining));
        Ok(())
    }
}

fn added(token: Token) -> AddedToken {
    AddedToken::from(token.content, token.special).lstrip(token.lstrip).rstrip(token.rstrip)
}

/// The character map of a SentencePiece model, wherever it is in a normaliser.
fn charsmap(normalizer: &NormalizerWrapper) -> Option<Precompiled> {
    match normalizer {
        NormalizerWrapper::Precompiled(charsmap) => Some(charsmap.clone()),
        NormalizerWrapper::Sequence(steps) => steps.as_ref().iter().find_map(charsmap),
        _ => None,
    }
}

/// What MADLAD wants before a text that is to become `language`.
fn language_prefix(inner: &tokenizers::Tokenizer, language: &str) -> Result<String, TokenizerError> {
    let token = format!("<2{language}>");
    if inner.token_to_id(&token).is_some() {
        return Ok(format!("{token} "));
    }
    let vocabulary = inner.get_vocab(true);
    let code = |token: &'_ String| token.strip_prefix("<2").and_then(|rest| rest.strip_suffix('>')).map(str::to_owned);
    let codes: Vec<String> = vocabulary.keys().filter_map(code).collect();
    Err(TokenizerError::unknown_language(language, codes.iter().map(String::as_str)))
}

/// A byte-level BPE from its vocabulary and its merges.
fn from_merges(vocabulary: &Path, merges: &Path) -> tokenizers::Result<tokenizers::Tokenizer> {
    let (vocabulary, merges) = BPE::read_file(&vocabulary.to_string_lossy(), &merges.to_string_lossy())?;
    Ok(tokenizers::Tokenizer::new(BPE::builder().vocab_and_merges(vocabulary, merges).build()?))
}

/// A tokenizer with the pieces and the character map of a SentencePiece model.
fn from_pieces(kind: Kind, file: &ModelFile, config: &Config) -> Result<tokenizers::Tokenizer, TokenizerError> {
    let broken = |reason: String| TokenizerError::SentencePiece { path: file.path().to_owned(), reason };
    let model = SentencePieceModel::from_slice(read(file)?).map_err(|_| broken("it is damaged or cut short".into()))?;
    let trainer = model.trainer().cloned().unwrap_or_default();
    let (before, replaced) = kind.tokens_before();
    let own = model.pieces().iter().skip(replaced).map(|piece| (piece.piece().to_owned(), f64::from(piece.score())));
    let pieces: Vec<(String, f64)> = before.into_iter().map(|token| (token, 0.0)).chain(own).collect();
    if model.pieces().len() <= replaced || pieces.iter().any(|(piece, score)| piece.is_empty() || !score.is_finite()) {
        return Err(broken("it has no pieces, or one without text or without a score".into()));
    }
    let unknown = pieces.iter().position(|(piece, _)| *piece == config.unk_token.content);
    let built = if kind == Kind::Nllb {
        let merges = merges_of(&pieces);
        let vocabulary: Vocab = pieces.into_iter().map(|(piece, _)| piece).zip(0..).collect();
        let unknown = config.unk_token.content.clone();
        let builder = BPE::builder().vocab_and_merges(vocabulary, merges).unk_token(unknown).fuse_unk(true);
        builder.build().map(tokenizers::Tokenizer::new)
    } else {
        Unigram::from(pieces, unknown, trainer.byte_fallback()).map(tokenizers::Tokenizer::new)
    };
    let mut built = built.map_err(|error| broken(error.to_string()))?;
    let bytes = model.normalizer().map(|spec| spec.precompiled_charsmap()).filter(|bytes| !bytes.is_empty());
    if let Some(bytes) = bytes {
        CharsMap::parse(bytes).map_err(|reason| broken(reason.to_owned()))?;
        let charsmap = Precompiled::from(bytes).map_err(|error| broken(error.to_string()))?;
        built.with_normalizer(Some(charsmap)).map_err(|error| broken(error.to_string()))?;
    }
    let defined = model
        .pieces()
        .iter()
        .skip(replaced)
        .filter(|piece| matches!(piece.r#type(), Type::Control | Type::UserDefined));
    let defined =
        defined.map(|piece| AddedToken::from(piece.piece(), piece.r#type() == Type::Control).normalized(false));
    built.add_tokens(defined).map_err(|error| broken(error.to_string()))?;
    Ok(built)
}

/// The merges that make `pieces`, best first, as `generate_merges` of transformers finds them: every way to cut a piece in
/// two, in the order of the pieces, the shortest first half first.
fn merges_of(pieces: &[(String, f64)]) -> Merges {
    let known: HashSet<&str> = pieces.iter().map(|(piece, _)| piece.as_str()).collect();
    let mut merges = Vec::new();
    for (piece, _) in pieces {
        let cuts = piece.char_indices().skip(1).filter_map(|(at, _)| piece.split_at_checked(at));
        let known = cuts.filter(|(left, right)| known.contains(left) && known.contains(right));
        merges.extend(known.map(|(left, right)| (left.to_owned(), right.to_owned())));
    }
    merges
}

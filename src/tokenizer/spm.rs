//! SentencePiece models, unigram or BPE, read from `.spm` and `.model` files.
//!
//! Segmentation is written out here, although the `tokenizers` crate has a unigram model: ids must equal those of
//! SentencePiece itself, which adds scores in single precision (the crate in double, so that ties come out differently),
//! applies the character map to the longest match (the crate to grapheme clusters), and prefers user-defined symbols.

mod bpe;

use std::collections::{HashMap, HashSet};

use sentencepiece_model::{ModelType, SentencePieceModel, Type};

use super::error::{TokenizerError, read};
use super::normalizer::{Normalizer, SPACE_SYMBOL};
use super::trie::Trie;
use crate::hub::ModelFile;

/// How much worse than the worst piece an unknown character is (`kUnkPenalty` of SentencePiece).
const UNKNOWN_PENALTY: f32 = 10.0;

/// SentencePiece refuses longer pieces, in bytes; it bounds the time that a character takes.
const MAX_PIECE_LENGTH: usize = 8000;

/// A model: pieces with scores, and the rules that prepare text for them.
#[derive(Debug)]
pub(super) struct SentencePiece {
    algorithm: Algorithm,
    pieces: Vec<Entry>,
    trie: Trie,
    unknown_score: f32,
    /// Index of the piece for each byte, where unknown characters are spelt in bytes.
    byte_pieces: Option<Box<[u32; 256]>>,
    normalizer: Normalizer,
    denormalizer: Option<Normalizer>,
    unknown_surface: String,
}

/// How text is cut into pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    /// So that the scores' sum is the highest.
    Unigram,
    /// By merging neighbours, those of the best piece first.
    Bpe,
}

/// Start and end of a part of a text, in bytes, and its piece; `None` where no piece covers it.
type Segment = (usize, usize, Option<u32>);

#[derive(Debug)]
struct Entry {
    piece: String,
    score: f32,
    kind: Type,
}

/// A part of a segmented text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// A piece, by its index in the model.
    Piece(u32),
    /// A run of characters that no piece covers.
    Unknown(&'a str),
}

/// What a piece stands for in text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Surface {
    Text(String),
    Byte(u8),
}

/// The best segmentation of the text up to some byte.
#[derive(Debug, Clone, Copy)]
struct Best {
    score: f32,
    /// Index of the last piece, `None` for an unknown character.
    piece: Option<u32>,
    /// Byte at which the last piece starts; `None` where no segmentation ends.
    start: Option<usize>,
}

impl SentencePiece {
    /// Reads a `.spm` file.
    pub(super) fn from_file(file: &ModelFile) -> Result<Self, TokenizerError> {
        let broken = |reason| TokenizerError::SentencePiece { path: file.path().to_owned(), reason };
        Self::from_slice(&read(file)?).map_err(broken)
    }

    /// Reads the bytes of a `.spm` file; the error says what is wrong with them.
    pub(super) fn from_slice(bytes: &[u8]) -> Result<Self, String> {
        let model = SentencePieceModel::from_slice(bytes).map_err(|_| "it is damaged or cut short".to_owned())?;
        let trainer = model.trainer().cloned().unwrap_or_default();
        let algorithm = match trainer.model_type() {
            ModelType::Unigram => Algorithm::Unigram,
            ModelType::Bpe => Algorithm::Bpe,
            other => return Err(format!("its type is {other:?} where only Unigram and Bpe are supported")),
        };
        let pieces: Vec<Entry> = model
            .pieces()
            .iter()
            .map(|piece| Entry { piece: piece.piece().to_owned(), score: piece.score(), kind: piece.r#type() })
            .collect();
        check(&pieces)?;
        if algorithm == Algorithm::Bpe && pieces.iter().any(|entry| entry.kind == Type::Unused) {
            return Err("it has merges of no use of their own, which are not supported".to_owned());
        }
        let byte_pieces = if trainer.byte_fallback() { Some(byte_pieces(&pieces)?) } else { None };
        let lowest = pieces.iter().filter(|entry| entry.kind == Type::Normal).map(|entry| entry.score);
        let symbols = |kinds: &[Type]| {
            let chosen = pieces.iter().zip(0..).filter(|(entry, _)| kinds.contains(&entry.kind));
            Trie::new(chosen.map(|(entry, i)| (entry.piece.as_str(), i)))
        };
        let normalizer = Normalizer::new(
            &model.normalizer().cloned().unwrap_or_default(),
            trainer.treat_whitespace_as_suffix(),
            symbols(&[Type::UserDefined]),
        )?;
        let denormalizer = model
            .denormalizer()
            .filter(|spec| !spec.precompiled_charsmap().is_empty())
            .map(|spec| Normalizer::new(spec, false, Trie::new([])))
            .transpose()?;
        Ok(Self {
            algorithm,
            trie: symbols(&[Type::Normal, Type::UserDefined]),
            unknown_score: lowest.fold(f32::MAX, f32::min) - UNKNOWN_PENALTY,
            byte_pieces,
            normalizer,
            denormalizer,
            unknown_surface: trainer.unk_surface().to_owned(),
            pieces,
        })
    }

    /// All pieces by index.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().map(|entry| entry.piece.as_str())
    }

    /// The pieces that segmentation can give.
    pub(super) fn text_pieces(&self) -> impl Iterator<Item = &str> {
        let kinds = [Type::Normal, Type::UserDefined, Type::Byte];
        self.pieces.iter().filter(move |entry| kinds.contains(&entry.kind)).map(|entry| entry.piece.as_str())
    }

    /// Cuts text into pieces and hands each to `emit`, in order.
    pub(super) fn segment(&self, text: &str, mut emit: impl FnMut(Part<'_>)) {
        let normalized = self.normalizer.normalize(text);
        let parts = match self.algorithm {
            Algorithm::Unigram => self.best_path(&normalized),
            Algorithm::Bpe => self.merge(&normalized),
        };
        let mut parts = parts.into_iter().peekable();
        while let Some((start, mut end, piece)) = parts.next() {
            if let Some(piece) = piece {
                emit(Part::Piece(piece));
                continue;
            }
            while let Some((_, next_end, _)) = parts.next_if(|(_, _, piece)| piece.is_none()) {
                end = next_end;
            }
            let unknown = normalized.get(start..end).unwrap_or_default();
            match &self.byte_pieces {
                Some(pieces) => unknown.bytes().for_each(|byte| emit(Part::Piece(pieces[usize::from(byte)]))),
                None => emit(Part::Unknown(unknown)),
            }
        }
    }

    /// The segmentation of the highest score, in order; every unknown character is a segment.
    ///
    /// Sums and comparisons are in single precision and the first of equals wins, as in
    /// `unigram::Model::EncodeOptimized` of SentencePiece: how ties such as `0 00` and `00 0` end hangs on it.
    fn best_path(&self, text: &str) -> Vec<Segment> {
        let mut best = vec![Best { score: 0.0, piece: None, start: None }; text.len() + 1];
        for (start, character) in text.char_indices() {
            let Some(so_far) = best.get(start).map(|best| best.score) else { break };
            let mut consider = |length: usize, piece: Option<u32>, score: f32| {
                let Some(end) = best.get_mut(start + length) else { return };
                if end.start.is_none() || score > end.score {
                    *end = Best { score, piece, start: Some(start) };
                }
            };
            let mut covered = false;
            let rest = text.as_bytes().get(start..).unwrap_or_default();
            for (length, piece) in self.trie.prefixes(rest) {
                consider(length, Some(piece), self.score(piece) + so_far);
                covered |= length == character.len_utf8();
            }
            if !covered {
                consider(character.len_utf8(), None, self.unknown_score + so_far);
            }
        }
        let mut path = Vec::new();
        let mut end = text.len();
        while let Some(Best { piece, start: Some(start), .. }) = best.get(end) {
            path.push((*start, end, *piece));
            end = *start;
        }
        path.reverse();
        path
    }

    /// The score of a piece in a path. A user-defined symbol gets one that nothing in its place reaches.
    fn score(&self, piece: u32) -> f32 {
        match self.pieces.get(piece as usize) {
            Some(Entry { kind: Type::UserDefined, .. }) => -0.1,
            Some(entry) => entry.score,
            None => f32::NEG_INFINITY,
        }
    }

    /// What each of these pieces looks like in text, whether the model has it or not.
    pub(super) fn surfaces<'a>(&self, pieces: impl Iterator<Item = &'a str>) -> Vec<Surface> {
        // Reserved pieces come last, they win over a text piece of the same spelling.
        let (text, reserved): (Vec<&Entry>, Vec<&Entry>) =
            self.pieces.iter().partition(|entry| !is_reserved(entry.kind));
        let kinds: HashMap<&str, Type> =
            text.into_iter().chain(reserved).map(|entry| (entry.piece.as_str(), entry.kind)).collect();
        let surface = |piece: &str| match (kinds.get(piece), byte_of(piece)) {
            (Some(Type::Control), _) => Surface::Text(String::new()),
            (Some(Type::Unknown), _) => Surface::Text(self.unknown_surface.clone()),
            (Some(Type::Byte), Some(byte)) => Surface::Byte(byte),
            _ => Surface::Text(piece.replace(SPACE_SYMBOL, " ")),
        };
        pieces.map(surface).collect()
    }

    /// The last step of detokenisation.
    pub(super) fn denormalize(&self, text: String) -> String {
        match &self.denormalizer {
            Some(denormalizer) => denormalizer.normalize(&text),
            None => text,
        }
    }
}

/// Whether pieces of the kind never match text.
fn is_reserved(kind: Type) -> bool {
    matches!(kind, Type::Control | Type::Unknown | Type::Byte)
}

/// What SentencePiece demands of the pieces, and scores that can be compared.
fn check(pieces: &[Entry]) -> Result<(), String> {
    let mut seen = HashSet::new();
    for Entry { piece, score, kind } in pieces {
        if piece.is_empty() || piece.contains('\0') || piece.len() >= MAX_PIECE_LENGTH {
            return Err("it has a piece that is empty, too long or contains a NUL".to_owned());
        }
        if !score.is_finite() {
            return Err(format!("the score of its piece {piece:?} is not a number"));
        }
        if !seen.insert((is_reserved(*kind), piece)) {
            return Err(format!("it has the piece {piece:?} twice"));
        }
    }
    match pieces.iter().filter(|entry| entry.kind == Type::Unknown).count() {
        1 => Ok(()),
        count => Err(format!("it has {count} unknown pieces where there must be one")),
    }
}

/// The index of the piece for every byte.
fn byte_pieces(pieces: &[Entry]) -> Result<Box<[u32; 256]>, String> {
    let mut found = Box::new([u32::MAX; 256]);
    for (entry, i) in pieces.iter().zip(0..).filter(|(entry, _)| entry.kind == Type::Byte) {
        let byte = byte_of(&entry.piece).ok_or_else(|| format!("its piece {:?} stands for no byte", entry.piece))?;
        found[usize::from(byte)] = i;
    }
    if found.contains(&u32::MAX) {
        return Err("it spells unknown characters in bytes and lacks pieces for some of them".to_owned());
    }
    Ok(found)
}

/// The byte that a piece such as `<0x0A>` stands for.
fn byte_of(piece: &str) -> Option<u8> {
    let digits = piece.strip_prefix("<0x")?.strip_suffix('>')?;
    let byte = u8::from_str_radix(digits, 16).ok()?;
    (format!("{byte:02X}") == digits).then_some(byte)
}

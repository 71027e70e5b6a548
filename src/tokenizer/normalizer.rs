//! How a SentencePiece model prepares text before it looks for pieces.

use sentencepiece_model::NormalizerSpec;

use super::charsmap::CharsMap;
use super::trie::Trie;

/// Stands for a space inside pieces.
pub(super) const SPACE_SYMBOL: &str = "\u{2581}";

/// Rewrites characters by the model's rules and treats white space as the model was trained to.
#[derive(Debug)]
pub(super) struct Normalizer {
    rules: Option<CharsMap>,
    /// Symbols that the rules leave alone.
    protected: Trie,
    dummy_space: DummySpace,
    remove_extra_spaces: bool,
    space: &'static str,
}

/// Where a space is added that the text lacks, so that words are alike wherever they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DummySpace {
    None,
    Before,
    After,
}

impl Normalizer {
    /// The error says what is wrong with the specification.
    pub(super) fn new(spec: &NormalizerSpec, after: bool, protected: Trie) -> Result<Self, &'static str> {
        let rules = match spec.precompiled_charsmap() {
            [] => None,
            bytes => Some(CharsMap::parse(bytes)?),
        };
        let dummy_space = match (spec.add_dummy_prefix(), after) {
            (false, _) => DummySpace::None,
            (true, false) => DummySpace::Before,
            (true, true) => DummySpace::After,
        };
        let space = if spec.escape_whitespaces() { SPACE_SYMBOL } else { " " };
        Ok(Self { rules, protected, dummy_space, remove_extra_spaces: spec.remove_extra_whitespaces(), space })
    }

    /// Text as the pieces spell it.
    pub(super) fn normalize(&self, text: &str) -> String {
        let mut start = 0;
        if self.remove_extra_spaces {
            while let Some((" ", length)) = self.rewrite(text, start) {
                start += length;
            }
        }
        if start >= text.len() {
            return String::new();
        }
        let mut normalized = String::with_capacity(text.len() * 3 / 2);
        if self.dummy_space == DummySpace::Before {
            normalized.push_str(self.space);
        }
        let mut after_space = self.remove_extra_spaces;
        while let Some((mut rewritten, length)) = self.rewrite(text, start) {
            if after_space {
                rewritten = rewritten.trim_start_matches(' ');
            }
            for (i, part) in rewritten.split(' ').enumerate() {
                if i > 0 {
                    normalized.push_str(self.space);
                }
                normalized.push_str(part);
            }
            // A character that the rules delete leaves what stood before it in force.
            if !rewritten.is_empty() {
                after_space = self.remove_extra_spaces && rewritten.ends_with(' ');
            }
            start += length;
        }
        if self.remove_extra_spaces {
            normalized.truncate(normalized.trim_end_matches(self.space).len());
        }
        if self.dummy_space == DummySpace::After {
            normalized.push_str(self.space);
        }
        normalized
    }

    /// The length of the longest protected symbol that text begins with.
    pub(super) fn protected_at(&self, text: &[u8]) -> Option<usize> {
        self.protected.prefixes(text).last().map(|(length, _)| length)
    }

    /// What stands at byte `start` after rewriting, and how many bytes of the text that covers; `None` at the end.
    fn rewrite<'a>(&'a self, text: &'a str, start: usize) -> Option<(&'a str, usize)> {
        let rest = text.as_bytes().get(start..).filter(|rest| !rest.is_empty())?;
        if let Some(length) = self.protected_at(rest) {
            return Some((text.get(start..start + length)?, length));
        }
        if let Some((length, replacement)) = self.rules.as_ref().and_then(|rules| rules.longest_match(rest)) {
            return Some((replacement, length));
        }
        // A rule can end inside a character; what it leaves is no character any more.
        let Some(character) = text.get(start..).and_then(|rest| rest.chars().next()) else {
            return Some(("\u{FFFD}", 1));
        };
        Some((text.get(start..start + character.len_utf8())?, character.len_utf8()))
    }
}

//! Segmentation by merges: the pair that makes the best piece first.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::{Segment, SentencePiece};

/// A run of text that is a piece or may become part of one, in a list that is linked both ways.
struct Symbol {
    start: usize,
    /// Equal to `start` once another has swallowed it.
    end: usize,
    previous: Option<usize>,
    next: Option<usize>,
    /// A user-defined symbol, which stays as it is.
    frozen: bool,
}

/// Two neighbours that make a piece.
struct Pair {
    left: usize,
    right: usize,
    score: f32,
    /// Length of the piece; it tells whether both are still what they were.
    length: usize,
}

impl Ord for Pair {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(other.left.cmp(&self.left))
    }
}

impl PartialOrd for Pair {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Pair {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Pair {}

impl SentencePiece {
    /// The segmentation of `bpe::Model::Encode` of SentencePiece: of all neighbours that make a piece those of the best
    /// piece are joined, the leftmost of equals, until none are left.
    pub(super) fn merge(&self, text: &str) -> Vec<Segment> {
        let mut symbols = self.symbols(text);
        let mut agenda = BinaryHeap::new();
        for right in 1..symbols.len() {
            agenda.extend(self.pair(text, &symbols, Some(right - 1), Some(right)));
        }
        while let Some(Pair { left, right, length, .. }) = agenda.pop() {
            let (Some(a), Some(b)) = (symbols.get(left), symbols.get(right)) else { continue };
            if a.start == a.end || b.start == b.end || b.end - a.start != length {
                continue;
            }
            let (previous, next, end) = (a.previous, b.next, b.end);
            if let Some(symbol) = symbols.get_mut(left) {
                (symbol.end, symbol.next) = (end, next);
            }
            if let Some(symbol) = symbols.get_mut(right) {
                symbol.end = symbol.start;
            }
            if let Some(symbol) = next.and_then(|next| symbols.get_mut(next)) {
                symbol.previous = Some(left);
            }
            agenda.extend(self.pair(text, &symbols, previous, Some(left)));
            agenda.extend(self.pair(text, &symbols, Some(left), next));
        }
        let whole = symbols.iter().filter(|symbol| symbol.start < symbol.end);
        whole.map(|symbol| (symbol.start, symbol.end, self.piece(text, symbol.start, symbol.end))).collect()
    }

    /// The characters and user-defined symbols of text.
    fn symbols(&self, text: &str) -> Vec<Symbol> {
        let mut symbols = Vec::with_capacity(text.len());
        let mut start = 0;
        while let Some(character) = text.get(start..).and_then(|rest| rest.chars().next()) {
            let defined = self.normalizer.protected_at(text.as_bytes().get(start..).unwrap_or_default());
            let end = start + defined.unwrap_or(character.len_utf8());
            let place = symbols.len();
            let next = (end < text.len()).then_some(place + 1);
            symbols.push(Symbol { start, end, previous: place.checked_sub(1), next, frozen: defined.is_some() });
            start = end;
        }
        symbols
    }

    fn pair(&self, text: &str, symbols: &[Symbol], left: Option<usize>, right: Option<usize>) -> Option<Pair> {
        let (left, right) = (left?, right?);
        let (a, b) = (symbols.get(left)?, symbols.get(right)?);
        if a.frozen || b.frozen {
            return None;
        }
        let score = self.score(self.piece(text, a.start, b.end)?);
        Some(Pair { left, right, score, length: b.end - a.start })
    }

    fn piece(&self, text: &str, start: usize, end: usize) -> Option<u32> {
        self.trie.get(text.as_bytes().get(start..end)?)
    }
}

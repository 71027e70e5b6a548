//! Words, numbers and marks of a text, as datelines and dates are read.

use std::ops::Range;

use crate::text::fold;

/// A word, number or mark, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Bytes of the text.
    pub(super) range: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Letters, folded: see [`fold`].
    Word(String),
    /// A run of digits, its value and how many there are.
    Number { value: u32, digits: usize },
    /// A punctuation mark or other sign; dashes of every kind are `-`.
    Mark(char),
}

impl Token {
    pub(super) fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }

    /// The value of a number of at most `digits` digits.
    pub(super) fn number(&self, digits: usize) -> Option<u32> {
        match self.kind {
            Kind::Number { value, digits: found } if found <= digits => Some(value),
            _ => None,
        }
    }

    pub(super) fn is_mark(&self, marks: &[char]) -> bool {
        matches!(self.kind, Kind::Mark(mark) if marks.contains(&mark))
    }
}

/// The first tokens of `text`, at most `limit`.
pub(super) fn tokens(text: &str, limit: usize) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next())
        && tokens.len() < limit
    {
        let rest = text.get(at..).unwrap_or_default();
        let run = |holds: fn(char) -> bool| rest.find(|c| !holds(c)).unwrap_or(rest.len());
        let length = match c {
            _ if is_letter(c) => run(is_letter),
            _ if is_digit(c) => run(is_digit),
            _ => c.len_utf8(),
        };
        let range = at..at + length;
        at += length;
        let kind = match c {
            _ if c.is_whitespace() || is_mute(c) => continue,
            _ if is_letter(c) => Kind::Word(fold(rest.get(..length).unwrap_or_default())),
            _ if is_digit(c) => {
                let digits = rest.get(..length).unwrap_or_default().chars().filter_map(digit);
                let value = digits.clone().fold(0u32, |value, digit| value.saturating_mul(10).saturating_add(digit));
                Kind::Number { value, digits: digits.count() }
            }
            '–' | '—' | '―' | '‒' | '‐' | '‑' | '−' | '-' => Kind::Mark('-'),
            _ => Kind::Mark(c),
        };
        tokens.push(Token { kind, range });
    }
    tokens
}

/// Letters, and what stands inside words.
fn is_letter(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '\u{0640}' | '\u{064B}'..='\u{065F}' | '\u{0670}' | '’' | '\'')
}

fn is_digit(c: char) -> bool {
    digit(c).is_some()
}

fn digit(c: char) -> Option<u32> {
    crate::text::digit(c).map(u32::from)
}

/// Directional and zero-width characters.
fn is_mute(c: char) -> bool {
    crate::text::is_invisible(c)
}

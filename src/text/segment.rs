//! Sentences out of a paragraph, for Arabic and, as releases mix them, for English.
//!
//! Arabic has no capitals, so a full stop is judged by the word before it (abbreviation, initial, number),
//! by the quotation around it and, where both readings are possible, by the word after it. In doubt two
//! sentences stay together: a model forgives a long segment more easily than half a sentence.

use std::ops::Range;

use super::abbreviations::{Dot, continues, dot_after, says, starts_sentence};
use super::quotations::Quotations;
use super::script::{is_arabic_letter, is_digit};

/// The sentences of `paragraph` as byte ranges: in order, not empty, on character borders, and covering
/// everything but white space. Line breaks always end a sentence. Linear in the length of the paragraph.
///
/// ```
/// let text = "وصل د. أحمد اليوم. هل سيبقى؟ نعم.";
/// let sentences: Vec<_> = translate::text::split(text).into_iter().map(|range| &text[range]).collect();
/// assert_eq!(sentences, ["وصل د. أحمد اليوم.", "هل سيبقى؟", "نعم."]);
/// ```
pub fn split(paragraph: &str) -> Vec<Range<usize>> {
    let mut sentences = Vec::new();
    let mut start = 0;
    for line in paragraph.split_inclusive(is_line_break) {
        Line { text: line, quotations: Quotations::of(line) }.split(start, &mut sentences);
        start += line.len();
    }
    sentences
}

/// The length in bytes of the bullet or number that begins `line`, with the white space after it; 0 if
/// there is none. Markers that read the same in every language only (`•`, `-`, `1.`, `(2)`, `b)`), so that
/// they can be copied: `أ-` and `١.` are left to the sentence that they begin.
pub fn list_marker(line: &str) -> usize {
    let rest = line.trim_start_matches(|c| BULLETS.contains(&c));
    let rest = if rest.len() < line.len() {
        let glued = line.starts_with(['•', '●', '▪', '■', '►', '‣']);
        if !glued && !rest.starts_with(char::is_whitespace) {
            return 0;
        }
        rest
    } else {
        match after_number(line) {
            Some(rest) if rest.starts_with(char::is_whitespace) => rest,
            _ => return 0,
        }
    };
    let content = rest.trim_start();
    if content.is_empty() { 0 } else { line.len() - content.len() }
}

const BULLETS: [char; 24] = [
    '-', '–', '—', '•', '●', '○', '◦', '▪', '▫', '■', '□', '►', '▸', '▶', '‣', '⁃', '·', '*', '+', '>', '✓', '✔', '➢',
    '♦',
];

/// What follows `1.`, `12)`, `(3)`, `1-`, `b)` at the start of `line`.
fn after_number(line: &str) -> Option<&str> {
    let (line, in_brackets) = line.strip_prefix('(').map_or((line, false), |rest| (rest, true));
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let letter = line.starts_with(|c: char| c.is_ascii_alphabetic());
    let length = match digits {
        1..=3 => digits,
        0 if letter => 1,
        _ => return None,
    };
    let rest = line.get(length..)?;
    let ends: &[char] = if in_brackets || letter { &[')'] } else { &['.', ')', '-', '–', '/'] };
    rest.strip_prefix(ends)
}

fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{0B}' | '\u{0C}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_terminator(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '؟' | '…' | '۔' | '‼' | '⁇' | '⁈' | '⁉')
}

fn is_closer(c: char) -> bool {
    matches!(
        c,
        '»' | '›' | '”' | '“' | '"' | '\'' | '’' | ')' | ']' | '}' | '\u{200E}' | '\u{200F}' | '\u{202C}' | '\u{2069}'
    )
}

/// A run of terminators, read as one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Terminator {
    /// One full stop.
    Stop,
    /// Two dots or more, or `…`: a pause as often as an end.
    Ellipsis,
    /// Anything with a question or exclamation mark.
    Mark,
}

struct Line<'a> {
    text: &'a str,
    quotations: Quotations,
}

impl Line<'_> {
    /// Appends the sentences of the line, which begins at byte `offset` of its paragraph.
    fn split(&self, offset: usize, sentences: &mut Vec<Range<usize>>) {
        let mut start = self.text.len() - self.text.trim_start().len();
        let mut at = 0;
        while let Some(found) = self.after(at).find(is_terminator) {
            let run = at + found;
            let (kind, run_end) = self.terminator(run);
            let end = self.closers(run_end);
            if self.ends_sentence(start, run, kind, end) {
                self.push(start..end, offset, sentences);
                start = self.text.len() - self.after(end).trim_start().len();
            }
            at = end;
        }
        self.push(start..self.text.len(), offset, sentences);
    }

    fn push(&self, range: Range<usize>, offset: usize, sentences: &mut Vec<Range<usize>>) {
        let length = self.between(range.clone()).trim_end().len();
        if length > 0 {
            sentences.push(offset + range.start..offset + range.start + length);
        }
    }

    /// The kind and the end of the run of terminators at `start`; dots with spaces between them are a run.
    fn terminator(&self, start: usize) -> (Terminator, usize) {
        let mut end = start;
        let mut dots = 0;
        let mut kind = Terminator::Stop;
        loop {
            let rest = self.after(end);
            let spaces = rest.len() - rest.trim_start_matches(' ').len();
            let next = rest.trim_start_matches(' ').chars().next().filter(|&c| is_terminator(c));
            let Some(c) = next.filter(|&c| spaces == 0 || (spaces == 1 && c == '.' && dots > 0)) else { break };
            end += spaces + c.len_utf8();
            match c {
                '.' | '…' => dots += if c == '…' { 3 } else { 1 },
                '۔' => {}
                _ => kind = Terminator::Mark,
            }
        }
        if kind == Terminator::Stop && dots > 1 {
            kind = Terminator::Ellipsis;
        }
        (kind, end)
    }

    /// The end of the closing marks after `end`: those that stand there, and one set off by a space
    /// (`« نعم. »`) where it closes what was opened.
    fn closers(&self, end: usize) -> usize {
        let mut end = end;
        loop {
            let rest = self.after(end);
            let spaced = rest.trim_start_matches([' ', '\u{A0}', '\u{202F}']);
            let mark = end + rest.len() - spaced.len();
            match spaced.chars().next() {
                Some(c) if is_closer(c) && self.closes(mark, mark == end) => {
                    end = mark + c.len_utf8();
                }
                _ => return end,
            }
        }
    }

    /// Whether the mark at `at` closes what stands before it: it is known to or, directly after a terminator,
    /// nothing says that it opens what follows.
    fn closes(&self, at: usize, directly: bool) -> bool {
        self.quotations.closed_at(at).is_some() || directly && !self.quotations.opened_at(at)
    }

    /// Whether the sentence from `start` ends at `end`, after the run of terminators at `run` and the closing
    /// marks behind it.
    fn ends_sentence(&self, start: usize, run: usize, kind: Terminator, end: usize) -> bool {
        let before = self.between(start..run);
        let rest = self.after(end);
        let next = rest.trim_start();
        let Some(first) = next.chars().next() else { return true };
        if self.quotations.protect(end) || kind == Terminator::Stop && is_only_a_marker(before) {
            return false;
        }
        if next.len() == rest.len() {
            return ends_without_space(before.trim_end_matches(is_closer), kind, next);
        }
        if matches!(first, '،' | '؛' | ',' | ';' | ':' | ')' | ']' | '»') || continues(next) {
            return false;
        }
        if first.is_lowercase() && before.chars().next_back().is_some_and(|c| !is_arabic_letter(c)) {
            return false;
        }
        // "Yahoo!" and its like, inside an Arabic sentence.
        let after_latin = before.ends_with(|c: char| c.is_ascii_alphabetic());
        if kind == Terminator::Mark && after_latin && is_arabic_letter(first) && !starts_sentence(next) {
            return false;
        }
        if kind == Terminator::Ellipsis {
            return starts_sentence(next) || first.is_uppercase();
        }
        let dot = if kind == Terminator::Stop { dot_after(before) } else { Dot::FullStop };
        match dot {
            Dot::FullStop => self.quotation_lets_end(start, kind, end, next),
            Dot::Leads => false,
            Dot::MayEnd => starts_sentence(next),
        }
    }

    /// Whether the closing mark before `end`, if there is one, lets the sentence end. A question or a call is often
    /// quoted inside a sentence that goes on («من يربح؟» برنامج جديد); a full stop is quoted only at the end of one.
    fn quotation_lets_end(&self, start: usize, kind: Terminator, end: usize, next: &str) -> bool {
        let last = self.between(start..end).char_indices().next_back().map_or(end, |(at, _)| start + at);
        let Some(pair) = self.quotations.closed_at(last) else { return true };
        if says(next) {
            return false;
        }
        kind == Terminator::Stop
            || self.between(start..pair.open).trim_end().ends_with(':')
            || starts_sentence(next)
            || next.starts_with('و')
            || next.starts_with(char::is_uppercase)
    }

    fn after(&self, at: usize) -> &str {
        self.text.get(at..).unwrap_or_default()
    }

    fn between(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }
}

/// Whether a terminator with no space after it ends a sentence, as it does where a writer forgot the space:
/// between Arabic words, after a question or exclamation mark always, after a dot before a word that starts
/// sentences.
fn ends_without_space(before: &str, kind: Terminator, next: &str) -> bool {
    let between_words = before.chars().next_back().is_some_and(is_arabic_letter) && next.starts_with(is_arabic_letter);
    match kind {
        Terminator::Mark => between_words,
        Terminator::Stop => between_words && dot_after(before) == Dot::FullStop && starts_sentence(next),
        Terminator::Ellipsis => false,
    }
}

/// Whether what stands before a dot is a number or a letter of a list: `1`, `12`, `ب`, `IV`.
fn is_only_a_marker(before: &str) -> bool {
    const LONGEST: usize = 12;
    let marker = before.trim_start();
    if marker.is_empty() || marker.len() > LONGEST {
        return false;
    }
    let marker = marker.trim_start_matches(|c| c == '(' || BULLETS.contains(&c)).trim();
    let length = marker.chars().count();
    (1..=3).contains(&length) && marker.chars().all(is_digit)
        || length == 1 && marker.chars().all(char::is_alphabetic)
        || (1..=4).contains(&length) && marker.chars().all(|c| matches!(c, 'I' | 'V' | 'X'))
}

//! Text whose lines a program broke at a column, as wire copy and e-mail have it.
//!
//! To join lines that were meant to stand alone (a headline and its sub-headline, an address, a table) spoils a
//! document more than to leave a paragraph broken. So lines are joined only where all the signs say so.

use super::Line;
use crate::text;

/// Columns (characters) at which programs wrap.
const WIDTHS: std::ops::RangeInclusive<usize> = 50..=120;

/// Most lines of a block, which bounds what is held in memory.
const LONGEST_BLOCK: usize = 200;

/// So many lines that all break at one column did not come about by chance.
const SURELY_WRAPPED: usize = 4;

/// Whether `line` may go on the paragraph that the lines of `block` begin: both are prose of a width at which
/// programs wrap, with no bullet on the new line and no indentation but the paragraph's own.
pub(super) fn continues(block: &[Line], line: &Line) -> bool {
    let (Some(first), Some(before)) = (block.first(), block.last()) else { return false };
    let indent = indentation(&line.text);
    block.len() < LONGEST_BLOCK
        && WIDTHS.contains(&columns(&before.text))
        && is_prose(&before.text)
        && is_prose(&line.text)
        && (indent == 0 || indent == indentation(&before.text) || indent == hanging_indentation(&first.text))
        && text::list_marker(line.text.trim_start()) == 0
}

/// The paragraph that the lines of `block` are, joined by spaces, without the end of its last line; `None` if they
/// are lines in their own right.
///
/// They are one paragraph if every line was broken where its next word would have passed the longest line's end, if
/// breaks fall inside sentences rather than between them, and if the last line ends a sentence.
pub(super) fn joined(block: &[Line]) -> Option<String> {
    let width = block.iter().map(|line| columns(&line.text)).max()?;
    let breaks = block.len().checked_sub(1).filter(|&breaks| breaks > 0)?;
    let is_forced = |line: &Line, next: &Line| {
        let word = next.text.split_whitespace().next().map_or(0, |word| word.chars().count());
        columns(&line.text) + 1 + word > width
    };
    let is_forced = block.iter().zip(block.iter().skip(1)).all(|(line, next)| is_forced(line, next));
    let between_sentences = block.iter().take(breaks).filter(|line| ends_sentence(&line.text)).count();
    let is_whole = block.len() >= SURELY_WRAPPED || block.last().is_some_and(|last| ends_sentence(&last.text));
    if !is_forced || 2 * between_sentences > breaks || !is_whole {
        return None;
    }
    let mut paragraph = String::new();
    for (number, line) in block.iter().enumerate() {
        let text = if number == 0 { &line.text } else { line.text.trim_start_matches(BLANKS) };
        paragraph += if number < breaks { text.trim_end_matches(BLANKS) } else { text };
        paragraph += if number < breaks { " " } else { "" };
    }
    Some(paragraph)
}

const BLANKS: [char; 2] = [' ', '\t'];

fn columns(line: &str) -> usize {
    line.trim_end().chars().count()
}

fn indentation(line: &str) -> usize {
    line.chars().take_while(|c| c.is_whitespace()).count()
}

/// Where the text after the bullet of `line` begins; 0 if it has none.
fn hanging_indentation(line: &str) -> usize {
    let body = line.trim_start();
    match text::list_marker(body) {
        0 => 0,
        marker => indentation(line) + body.get(..marker).map_or(0, |marker| marker.chars().count()),
    }
}

/// Whether a line has words and is no row of a table.
fn is_prose(line: &str) -> bool {
    let body = line.trim();
    body.contains(char::is_alphabetic) && !body.contains("   ") && !body.contains('\t') && body.matches('|').count() < 2
}

fn ends_sentence(line: &str) -> bool {
    let closers = ['»', '›', '”', '“', '"', '\'', '’', ')', ']', '\u{200E}', '\u{200F}'];
    let body = line.trim_end().trim_end_matches(closers).trim_end();
    body.ends_with(['.', '!', '?', '؟', '…', '۔', ':'])
}

//! Lines to parts: what in a document is to be translated, and what only stands around it.

use std::collections::VecDeque;
use std::io::Read;

use serde_json::{Map, Value};

use super::{DocumentError, Line, Lines, Part, Segment};
use crate::text;

/// How a document is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// Prose: every line is a paragraph and is cut into sentences; lines that an editor program wrapped at a column are
    /// one paragraph.
    Prose,
    /// Every line is one segment, whatever is on it.
    Lines,
    /// JSON Lines: every line is an object with prose in a field.
    Records {
        /// The field's name.
        field: String,
    },
}

/// The parts of a document, in order.
pub fn parts<R: Read>(lines: Lines<R>, layout: Layout) -> Parts<R> {
    Parts { lines, layout, ready: VecDeque::new(), block: Vec::new(), paragraph: 0, failed: None }
}

/// Iterator over the parts of a document.
pub struct Parts<R> {
    lines: Lines<R>,
    layout: Layout,
    ready: VecDeque<Part>,
    /// Lines of prose that may be one wrapped paragraph.
    block: Vec<Line>,
    paragraph: u64,
    failed: Option<DocumentError>,
}

impl<R: Read> Iterator for Parts<R> {
    type Item = Result<Part, DocumentError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(part) = self.ready.pop_front() {
                return Some(Ok(part));
            }
            if let Some(error) = self.failed.take() {
                return Some(Err(error));
            }
            match self.lines.next() {
                Some(Ok(line)) => self.take(line),
                Some(Err(error)) => {
                    self.flush();
                    self.failed = Some(error);
                }
                None if self.block.is_empty() => return None,
                None => self.flush(),
            }
        }
    }
}

impl<R: Read> Parts<R> {
    fn take(&mut self, line: Line) {
        match &self.layout {
            Layout::Prose => {
                if !continues_block(&self.block, &line) {
                    self.flush();
                }
                self.block.push(line);
            }
            Layout::Lines => {
                let segment = Segment { text: line.text, paragraph: self.lines.number(), number: 1 };
                self.ready.push_back(Part::Segment(segment));
                self.verbatim(line.ending);
            }
            Layout::Records { .. } if line.text.trim().is_empty() => {}
            Layout::Records { field } => match record(&line.text, field) {
                Ok((record, text)) => {
                    self.ready.push_back(Part::Record(record));
                    self.paragraph = 0;
                    for line in text.split_inclusive('\n') {
                        self.prose(line);
                    }
                }
                Err(reason) => {
                    self.failed = Some(DocumentError::Record {
                        name: self.lines.name().to_owned(),
                        line: self.lines.number(),
                        field: field.clone(),
                        reason,
                    });
                }
            },
        }
    }

    /// Makes parts of the block: of one paragraph if it is wrapped text, else of one for each line.
    fn flush(&mut self) {
        let block = std::mem::take(&mut self.block);
        if is_wrapped(&block) {
            let ending = block.last().map_or("", |line| line.ending);
            let text: Vec<&str> = block
                .iter()
                .enumerate()
                .map(|(at, line)| if at == 0 { line.text.trim_end() } else { line.text.trim() })
                .collect();
            self.prose(&text.join(" "));
            self.verbatim(ending);
        } else {
            for line in block {
                self.prose(&line.text);
                self.verbatim(line.ending);
            }
        }
    }

    /// Cuts a paragraph into sentences and what stands between them.
    fn prose(&mut self, paragraph: &str) {
        let indent = paragraph.len() - paragraph.trim_start().len();
        let body = paragraph.get(indent..).unwrap_or_default();
        let mut end = indent + text::list_marker(body);
        let sentences: Vec<_> = text::split(paragraph.get(end..).unwrap_or_default());
        let offset = end;
        if !sentences.is_empty() {
            self.paragraph += 1;
        }
        let mut start = 0;
        for (sentence, number) in sentences.into_iter().zip(1..) {
            end = offset + sentence.start;
            self.verbatim(paragraph.get(start..end).unwrap_or_default());
            start = offset + sentence.end;
            let text = paragraph.get(end..start).unwrap_or_default().to_owned();
            self.ready.push_back(Part::Segment(Segment { text, paragraph: self.paragraph, number }));
        }
        self.verbatim(paragraph.get(start..).unwrap_or_default());
    }

    fn verbatim(&mut self, text: &str) {
        match self.ready.back_mut() {
            _ if text.is_empty() => {}
            Some(Part::Verbatim(before)) => before.push_str(text),
            _ => self.ready.push_back(Part::Verbatim(text.to_owned())),
        }
    }
}

/// The object on a line and the text in its field.
fn record(line: &str, field: &str) -> Result<(Map<String, Value>, String), String> {
    let record: Map<String, Value> = serde_json::from_str(line).map_err(|error| error.to_string())?;
    match record.get(field) {
        Some(Value::String(text)) => {
            let text = text.clone();
            Ok((record, text))
        }
        Some(_) => Err("the field holds no string".to_owned()),
        None => Err("there is no such field".to_owned()),
    }
}

/// Columns between which programs wrap text.
const WRAP: std::ops::RangeInclusive<usize> = 40..=120;

/// Most lines of a wrapped paragraph: bounds what is held in memory.
const LONGEST_BLOCK: usize = 200;

fn columns(line: &str) -> usize {
    line.trim_end().chars().count()
}

/// Whether `line` may go on the paragraph that `block` begins: neither is blank, and the line before would have had to be
/// broken. Bullets and indented lines begin paragraphs of their own.
fn continues_block(block: &[Line], line: &Line) -> bool {
    let Some(before) = block.last() else { return false };
    block.len() < LONGEST_BLOCK
        && WRAP.contains(&columns(&before.text))
        && !line.text.trim().is_empty()
        && !line.text.starts_with(char::is_whitespace)
        && text::list_marker(&line.text) == 0
}

/// Whether the lines of a block are one paragraph, wrapped: every line is broken where its next word would have passed
/// the longest line's end.
fn is_wrapped(block: &[Line]) -> bool {
    let Some(width) = block.iter().map(|line| columns(&line.text)).max() else { return false };
    block.len() > 1
        && block.windows(2).all(|pair| match pair {
            [line, next] => {
                let word = next.text.split_whitespace().next().map_or(0, |word| word.chars().count());
                columns(&line.text) + 1 + word > width
            }
            _ => true,
        })
}

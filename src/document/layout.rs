//! Lines to parts: what in a document is to be translated, and what only stands around it.

use std::collections::VecDeque;
use std::io::Read;

use serde_json::{Map, Value};

use super::{DocumentError, Line, Lines, Part, Segment, wrap};
use crate::text;

/// How a document is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// Prose: every line is a paragraph and is cut into sentences. Lines that a program wrapped at a column (50 to 120
    /// characters) are one paragraph and are joined by spaces.
    Prose,
    /// Every line is one segment, whatever is on it: also an empty one, and white space around it. Only `\n` and
    /// `\r\n` end lines.
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
            Layout::Prose => self.take_prose(line),
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
                    text.split_inclusive('\n').for_each(|line| self.take_prose(Line::new(line)));
                    self.flush();
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

    fn take_prose(&mut self, line: Line) {
        if !wrap::continues(&self.block, &line) {
            self.flush();
        }
        self.block.push(line);
    }

    /// Makes parts of the block: of one paragraph if it is wrapped text, else of one for each line.
    fn flush(&mut self) {
        let block = std::mem::take(&mut self.block);
        match (wrap::joined(&block), block.last()) {
            (Some(paragraph), Some(last)) => {
                self.prose(&paragraph);
                self.verbatim(last.ending);
            }
            _ => {
                for line in block {
                    self.prose(&line.text);
                    self.verbatim(line.ending);
                }
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

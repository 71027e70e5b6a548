//! Bytes to lines.

use std::io::{ErrorKind, Read};

use encoding_rs::{CoderResult, Decoder, DecoderResult};

use super::encoding::{Detected, detect};
use super::{DocumentError, Encoding};

/// A line and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The text before the line end.
    pub text: String,
    /// `\n`, `\r\n`, or nothing for a last line without an end.
    pub ending: &'static str,
}

impl Line {
    /// The line that `text` is, taken with the end that it may have.
    pub(super) fn new(text: &str) -> Self {
        let (text, ending) = match text.strip_suffix('\n') {
            Some(text) => text.strip_suffix('\r').map_or((text, "\n"), |text| (text, "\r\n")),
            None => (text, ""),
        };
        Self { text: text.to_owned(), ending }
    }
}

/// Longest line in bytes of UTF-8.
const LONGEST_LINE: usize = 16 << 20;

/// Bytes that the encoding is judged by, and that are read at a time.
const CHUNK: usize = 64 << 10;

/// The lines of a document, decoded to UTF-8, without its byte-order mark.
pub struct Lines<R> {
    name: String,
    input: R,
    state: State,
    /// What the user says the encoding is.
    stated: Option<Encoding>,
    text: String,
    /// Where the next line begins in `text`.
    start: usize,
    /// Up to where `text` was searched for a line end.
    searched: usize,
    number: u64,
}

enum State {
    Fresh,
    Decoding(Decoder),
    Ended,
}

impl<R: Read> Lines<R> {
    /// Of a document called `name` in messages. Without a stated encoding it is detected, and bytes that are invalid in
    /// it are an error; in a stated one they become U+FFFD.
    pub fn new(name: impl Into<String>, input: R, encoding: Option<Encoding>) -> Self {
        Self {
            name: name.into(),
            input,
            state: State::Fresh,
            stated: encoding,
            text: String::new(),
            start: 0,
            searched: 0,
            number: 0,
        }
    }

    /// What messages call the document.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of the line given last, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    fn next_line(&mut self) -> Result<Option<Line>, DocumentError> {
        loop {
            let rest = self.text.get(self.searched..).unwrap_or_default();
            if let Some(found) = rest.find('\n') {
                let end = self.searched + found + 1;
                let line = Line::new(self.text.get(self.start..end).unwrap_or_default());
                self.start = end;
                self.searched = self.start;
                self.number += 1;
                return Ok(Some(line));
            }
            self.searched = self.text.len();
            if self.searched - self.start > LONGEST_LINE {
                return Err(DocumentError::LongLine {
                    name: self.name.clone(),
                    line: self.number + 1,
                    limit_mib: LONGEST_LINE >> 20,
                });
            }
            if let State::Ended = self.state {
                let text = self.text.split_off(self.start);
                self.searched = self.start;
                if text.is_empty() {
                    return Ok(None);
                }
                self.number += 1;
                return Ok(Some(Line::new(&text)));
            }
            self.text.drain(..self.start);
            self.searched -= self.start;
            self.start = 0;
            self.read_on()?;
        }
    }

    /// Decodes the next chunk.
    fn read_on(&mut self) -> Result<(), DocumentError> {
        let mut bytes = vec![0; CHUNK];
        let mut filled = 0;
        while let Some(free) = bytes.get_mut(filled..).filter(|free| !free.is_empty()) {
            match self.input.read(free) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(source) => return Err(DocumentError::Read { name: self.name.clone(), source }),
            }
            // What has come is enough unless the encoding is still to be judged: a pipe may be slow.
            if matches!(self.state, State::Decoding(_)) {
                break;
            }
        }
        bytes.truncate(filled);
        let last = filled == 0 || matches!(self.state, State::Fresh) && filled < CHUNK;
        if let State::Fresh = self.state {
            let Encoding(encoding) = match (self.stated, detect(&bytes, last)) {
                (Some(encoding), _) | (None, Detected::Text(encoding)) => encoding,
                (None, Detected::Binary(kind)) => {
                    return Err(DocumentError::Binary { name: self.name.clone(), kind });
                }
            };
            self.state = State::Decoding(encoding.new_decoder());
        }
        if let State::Decoding(mut decoder) = std::mem::replace(&mut self.state, State::Ended) {
            self.decode(&mut decoder, &bytes, last)?;
            if !last {
                self.state = State::Decoding(decoder);
            }
        }
        Ok(())
    }

    fn decode(&mut self, decoder: &mut Decoder, bytes: &[u8], last: bool) -> Result<(), DocumentError> {
        let mut rest = bytes;
        loop {
            let room = decoder.max_utf8_buffer_length(rest.len()).unwrap_or(4 * rest.len() + 16);
            self.text.reserve(room);
            let (done, read) = if self.stated.is_some() {
                let (result, read, _) = decoder.decode_to_string(rest, &mut self.text, last);
                (result == CoderResult::InputEmpty, read)
            } else {
                match decoder.decode_to_string_without_replacement(rest, &mut self.text, last) {
                    (DecoderResult::Malformed(..), _) => {
                        let before = self.text.get(self.start..).unwrap_or_default();
                        return Err(DocumentError::Encoding {
                            name: self.name.clone(),
                            line: self.number + 1 + before.matches('\n').count() as u64,
                            encoding: decoder.encoding().name(),
                        });
                    }
                    (result, read) => (result == DecoderResult::InputEmpty, read),
                }
            };
            if done {
                return Ok(());
            }
            rest = rest.get(read..).unwrap_or_default();
        }
    }
}

impl<R: Read> Iterator for Lines<R> {
    type Item = Result<Line, DocumentError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_line().transpose();
        if let Some(Err(_)) = next {
            // Nothing after an error can be trusted.
            self.state = State::Ended;
            self.text.clear();
            self.start = 0;
            self.searched = 0;
        }
        next
    }
}

//! Documents in and out: bytes become lines ([`Lines`]), lines become [`Part`]s ([`parts`]), and writers put the
//! translations where their sources stood.
//!
//! Everything streams: what is in memory is a line, or a paragraph of wrapped lines.

mod encoding;
mod layout;
mod lines;
mod wrap;
mod write;

use std::path::PathBuf;

use thiserror::Error;

pub use encoding::Encoding;
pub use layout::{Layout, Parts, parts};
pub use lines::{Line, Lines};
pub use write::{BilingualWriter, DocumentName, JsonLinesWriter, JsonWriter, RecordWriter, TextWriter, Writer};

/// A piece of a document. The parts of a document, one after the other, are the document.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// What stands between segments: white space, line ends, bullets.
    Verbatim(String),
    /// What is to be translated.
    Segment(Segment),
    /// A JSON Lines record begins; the parts up to the next one are the text in it.
    Record(serde_json::Map<String, serde_json::Value>),
}

/// A sentence or so, and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The text, without white space around it.
    pub text: String,
    /// Number of its paragraph in the document (or record), from 1; in line-by-line documents, of its line.
    pub paragraph: u64,
    /// Its number in the paragraph, from 1.
    pub number: u64,
}

/// Why a document can't be read.
#[derive(Debug, Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say it")]
pub enum DocumentError {
    #[error("{name} can't be read: {source}")]
    Read { name: String, source: std::io::Error },
    #[error("{} is a folder; name the files in it", path.display())]
    Folder { path: PathBuf },
    #[error("{name} is {kind}, not text; save it as plain text first")]
    Binary { name: String, kind: &'static str },
    #[error(
        "line {line} of {name} is not valid {encoding}; state the encoding with --encoding (which also replaces what is \
         still invalid by �)"
    )]
    Encoding { name: String, line: u64, encoding: &'static str },
    #[error("line {line} of {name} is longer than {limit_mib} MiB; break it into lines of a paragraph or less")]
    LongLine { name: String, line: u64, limit_mib: usize },
    #[error("line {line} of {name} is no JSON object with a text in {field:?} ({reason}); see --field")]
    Record { name: String, line: u64, field: String, reason: String },
}

//! Parts and their translations to a file.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Part, Segment};
use crate::translation::Translation;

/// A form of output. Takes the parts of one document in order, segments with their translations.
pub trait Writer {
    /// Takes what stands between segments, or the beginning of a record.
    fn other(&mut self, part: &Part) -> io::Result<()>;

    /// Takes a segment.
    fn segment(&mut self, segment: &Segment, translation: &Translation) -> io::Result<()>;

    /// Ends the document.
    fn finish(&mut self) -> io::Result<()>;
}

/// The document, with every segment replaced by its translation.
pub struct TextWriter<W> {
    out: W,
}

impl<W: Write> TextWriter<W> {
    /// To `out`.
    pub fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write> Writer for TextWriter<W> {
    fn other(&mut self, part: &Part) -> io::Result<()> {
        match part {
            Part::Verbatim(text) => self.out.write_all(text.as_bytes()),
            _ => Ok(()),
        }
    }

    fn segment(&mut self, _: &Segment, translation: &Translation) -> io::Result<()> {
        self.out.write_all(translation.text.as_bytes())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Every paragraph of the source with its translation below it, and a blank line after both.
pub struct BilingualWriter<W> {
    out: W,
    paragraph: Option<u64>,
    source: String,
    target: String,
}

impl<W: Write> BilingualWriter<W> {
    /// To `out`.
    pub fn new(out: W) -> Self {
        Self { out, paragraph: None, source: String::new(), target: String::new() }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.paragraph.take().is_some() {
            writeln!(self.out, "{}\n{}\n", self.source.trim(), self.target.trim())?;
        }
        self.source.clear();
        self.target.clear();
        Ok(())
    }
}

impl<W: Write> Writer for BilingualWriter<W> {
    fn other(&mut self, part: &Part) -> io::Result<()> {
        match part {
            Part::Verbatim(text) if text.contains('\n') => self.flush(),
            Part::Verbatim(text) => {
                self.source += text;
                self.target += text;
                Ok(())
            }
            _ => self.flush(),
        }
    }

    fn segment(&mut self, segment: &Segment, translation: &Translation) -> io::Result<()> {
        self.paragraph = Some(segment.paragraph);
        self.source += &translation.source;
        self.target += &translation.text;
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.flush()?;
        self.out.flush()
    }
}

/// A segment as `json` and `jsonl` give it.
#[derive(Serialize)]
struct SegmentRecord<'a> {
    document: &'a str,
    paragraph: u64,
    segment: u64,
    source: &'a str,
    translation: &'a str,
    score: Option<f32>,
    flags: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alternatives: Vec<Alternative<'a>>,
    #[serde(flatten)]
    detail: Option<Detail<'a>>,
}

#[derive(Serialize)]
struct Alternative<'a> {
    translation: &'a str,
    score: f32,
}

#[derive(Serialize)]
struct Detail<'a> {
    source_ids: &'a [u32],
    target_ids: &'a [u32],
    token_logprobs: &'a [f32],
}

impl<'a> SegmentRecord<'a> {
    fn new(document: &'a str, segment: &'a Segment, translation: &'a Translation, detail: bool) -> Self {
        let alternative = |(translation, score): &'a (String, f32)| Alternative { translation, score: *score };
        Self {
            document,
            paragraph: segment.paragraph,
            segment: segment.number,
            source: &translation.source,
            translation: &translation.text,
            score: translation.score,
            flags: translation.flags.iter().map(|flag| flag.name()).collect(),
            alternatives: translation.alternatives.iter().map(alternative).collect(),
            detail: detail.then_some(Detail {
                source_ids: &translation.source_ids,
                target_ids: &translation.target_ids,
                token_logprobs: &translation.token_logprobs,
            }),
        }
    }
}

/// One JSON object a line for every segment.
pub struct JsonLinesWriter<W> {
    out: W,
    document: String,
    detail: bool,
}

impl<W: Write> JsonLinesWriter<W> {
    /// To `out`; `document` names the document, `detail` adds token ids and their log-probabilities.
    pub fn new(out: W, document: impl Into<String>, detail: bool) -> Self {
        Self { out, document: document.into(), detail }
    }
}

impl<W: Write> Writer for JsonLinesWriter<W> {
    fn other(&mut self, part: &Part) -> io::Result<()> {
        if let Part::Record(record) = part {
            self.document = record_name(record).unwrap_or_else(|| self.document.clone());
        }
        Ok(())
    }

    fn segment(&mut self, segment: &Segment, translation: &Translation) -> io::Result<()> {
        let record = SegmentRecord::new(&self.document, segment, translation, self.detail);
        serde_json::to_writer(&mut self.out, &record)?;
        self.out.write_all(b"\n")
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// What a record calls itself.
fn record_name(record: &Map<String, Value>) -> Option<String> {
    match record.get("id")? {
        Value::String(id) => Some(id.clone()),
        other => Some(other.to_string()),
    }
}

/// One JSON array of all segments.
pub struct JsonWriter<W> {
    out: W,
    document: String,
    detail: bool,
    started: bool,
}

impl<W: Write> JsonWriter<W> {
    /// As [`JsonLinesWriter::new`].
    pub fn new(out: W, document: impl Into<String>, detail: bool) -> Self {
        Self { out, document: document.into(), detail, started: false }
    }
}

impl<W: Write> Writer for JsonWriter<W> {
    fn other(&mut self, part: &Part) -> io::Result<()> {
        if let Part::Record(record) = part {
            self.document = record_name(record).unwrap_or_else(|| self.document.clone());
        }
        Ok(())
    }

    fn segment(&mut self, segment: &Segment, translation: &Translation) -> io::Result<()> {
        self.out.write_all(if self.started { b",\n" } else { b"[\n" })?;
        self.started = true;
        serde_json::to_writer(&mut self.out, &SegmentRecord::new(&self.document, segment, translation, self.detail))?;
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.write_all(if self.started { b"\n]\n" } else { b"[]\n" })?;
        self.out.flush()
    }
}

/// JSON Lines records as they came, each with its text's translation in the field `translation`.
pub struct RecordWriter<W> {
    out: W,
    record: Option<Map<String, Value>>,
    translation: String,
}

impl<W: Write> RecordWriter<W> {
    /// To `out`.
    pub fn new(out: W) -> Self {
        Self { out, record: None, translation: String::new() }
    }

    fn flush(&mut self) -> io::Result<()> {
        let translation = std::mem::take(&mut self.translation);
        if let Some(mut record) = self.record.take() {
            record.insert("translation".to_owned(), Value::String(translation));
            serde_json::to_writer(&mut self.out, &record)?;
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }
}

impl<W: Write> Writer for RecordWriter<W> {
    fn other(&mut self, part: &Part) -> io::Result<()> {
        match part {
            Part::Record(record) => {
                self.flush()?;
                self.record = Some(record.clone());
            }
            Part::Verbatim(text) => self.translation += text,
            Part::Segment(_) => {}
        }
        Ok(())
    }

    fn segment(&mut self, _: &Segment, translation: &Translation) -> io::Result<()> {
        self.translation += &translation.text;
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.flush()?;
        self.out.flush()
    }
}

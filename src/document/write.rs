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

/// The document, with every segment replaced by its translation. Records begin on lines of their own.
pub struct TextWriter<W> {
    out: W,
    is_inside_line: bool,
}

impl<W: Write> TextWriter<W> {
    /// To `out`.
    pub fn new(out: W) -> Self {
        Self { out, is_inside_line: false }
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.is_inside_line = text.chars().next_back().map_or(self.is_inside_line, |last| last != '\n');
        self.out.write_all(text.as_bytes())
    }
}

impl<W: Write> Writer for TextWriter<W> {
    fn other(&mut self, part: &Part) -> io::Result<()> {
        match part {
            Part::Verbatim(text) => self.write(text),
            Part::Record(_) if self.is_inside_line => self.write("\n"),
            Part::Record(_) | Part::Segment(_) => Ok(()),
        }
    }

    fn segment(&mut self, _: &Segment, translation: &Translation) -> io::Result<()> {
        self.write(&translation.text)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Every paragraph of the source with its translation below it, and a blank line after both.
///
/// Each stands on a line of its own, so that programs give each its own direction; no control characters are added
/// that an editor would copy along.
pub struct BilingualWriter<W> {
    out: W,
    source: String,
    target: String,
}

impl<W: Write> BilingualWriter<W> {
    /// To `out`.
    pub fn new(out: W) -> Self {
        Self { out, source: String::new(), target: String::new() }
    }

    fn add(&mut self, source: &str, target: &str) {
        self.source += source;
        self.target += target;
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.source.trim().is_empty() {
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
            Part::Verbatim(text) => {
                let (end, begin) =
                    text.rsplit_once('\n').map_or((None, text.as_str()), |(end, begin)| (Some(end), begin));
                if let Some(end) = end {
                    self.add(end, end);
                    self.flush()?;
                }
                self.add(begin, begin);
                Ok(())
            }
            _ => self.flush(),
        }
    }

    fn segment(&mut self, segment: &Segment, translation: &Translation) -> io::Result<()> {
        self.add(&segment.text, &translation.text);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.flush()?;
        self.out.flush()
    }
}

/// A segment as `json` and `jsonl` give it, its fields in their order.
#[derive(Serialize)]
struct SegmentObject<'a> {
    document: &'a str,
    model: &'a str,
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

/// Segments as JSON objects.
struct Objects<W> {
    out: W,
    document: DocumentName,
    model: String,
    detail: bool,
}

/// What results call a document.
pub struct DocumentName {
    /// The whole document's name.
    whole: String,
    /// `whole` or, of records, the record's `id` or else `whole#NUMBER`.
    current: String,
    records: u64,
}

impl DocumentName {
    /// Of a document; of its records once [`Self::next`] has gone on to one.
    pub fn new(name: String) -> Self {
        Self { current: name.clone(), whole: name, records: 0 }
    }

    /// Goes on to the next record.
    pub fn next(&mut self, record: &Map<String, Value>) {
        self.records += 1;
        self.current = match record.get("id") {
            Some(Value::String(id)) => id.clone(),
            Some(id @ Value::Number(_)) => id.to_string(),
            _ => format!("{}#{}", self.whole, self.records),
        };
    }

    /// The name.
    pub fn current(&self) -> &str {
        &self.current
    }
}

impl<W: Write> Objects<W> {
    fn new(out: W, name: String, model: String, detail: bool) -> Self {
        Self { out, document: DocumentName::new(name), model, detail }
    }

    fn other(&mut self, part: &Part) {
        if let Part::Record(record) = part {
            self.document.next(record);
        }
    }

    fn write(&mut self, segment: &Segment, translation: &Translation) -> io::Result<()> {
        let object = SegmentObject {
            document: self.document.current(),
            model: &self.model,
            paragraph: segment.paragraph,
            segment: segment.number,
            source: &segment.text,
            translation: &translation.text,
            score: translation.score,
            flags: translation.flags.iter().map(|flag| flag.name()).collect(),
            alternatives: translation
                .alternatives
                .iter()
                .map(|(translation, score)| Alternative { translation, score: *score })
                .collect(),
            detail: self.detail.then_some(Detail {
                source_ids: &translation.source_ids,
                target_ids: &translation.target_ids,
                token_logprobs: &translation.token_logprobs,
            }),
        };
        Ok(serde_json::to_writer(&mut self.out, &object)?)
    }
}

/// One JSON object a line for every segment.
pub struct JsonLinesWriter<W>(Objects<W>);

impl<W: Write> JsonLinesWriter<W> {
    /// To `out`; `document` names the document, `model` what translated it, `detail` adds token ids and their
    /// log-probabilities.
    pub fn new(out: W, document: impl Into<String>, model: impl Into<String>, detail: bool) -> Self {
        Self(Objects::new(out, document.into(), model.into(), detail))
    }
}

impl<W: Write> Writer for JsonLinesWriter<W> {
    fn other(&mut self, part: &Part) -> io::Result<()> {
        self.0.other(part);
        Ok(())
    }

    fn segment(&mut self, segment: &Segment, translation: &Translation) -> io::Result<()> {
        self.0.write(segment, translation)?;
        self.0.out.write_all(b"\n")
    }

    fn finish(&mut self) -> io::Result<()> {
        self.0.out.flush()
    }
}

/// One JSON array of all segments.
pub struct JsonWriter<W> {
    objects: Objects<W>,
    is_started: bool,
}

impl<W: Write> JsonWriter<W> {
    /// As [`JsonLinesWriter::new`].
    pub fn new(out: W, document: impl Into<String>, model: impl Into<String>, detail: bool) -> Self {
        Self { objects: Objects::new(out, document.into(), model.into(), detail), is_started: false }
    }
}

impl<W: Write> Writer for JsonWriter<W> {
    fn other(&mut self, part: &Part) -> io::Result<()> {
        self.objects.other(part);
        Ok(())
    }

    fn segment(&mut self, segment: &Segment, translation: &Translation) -> io::Result<()> {
        self.objects.out.write_all(if self.is_started { b",\n" } else { b"[\n" })?;
        self.is_started = true;
        self.objects.write(segment, translation)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.objects.out.write_all(if self.is_started { b"\n]\n" } else { b"[]\n" })?;
        self.objects.out.flush()
    }
}

/// JSON Lines records as they came, each with its text's translation in the field `translation`, and what made it in
/// `translation_model`.
pub struct RecordWriter<W> {
    out: W,
    model: String,
    record: Option<Map<String, Value>>,
    translation: String,
}

impl<W: Write> RecordWriter<W> {
    /// To `out`; `model` names what translates.
    pub fn new(out: W, model: impl Into<String>) -> Self {
        Self { out, model: model.into(), record: None, translation: String::new() }
    }

    fn flush(&mut self) -> io::Result<()> {
        let translation = std::mem::take(&mut self.translation);
        if let Some(mut record) = self.record.take() {
            record.insert("translation".to_owned(), Value::String(translation));
            record.insert("translation_model".to_owned(), Value::String(self.model.clone()));
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

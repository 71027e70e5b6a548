//! Translated documents as news objects.

use std::io::{self, Write};
use std::time::SystemTime;

use crate::document::{DocumentName, Part, Segment, Writer};
use crate::hub::Provenance;
use crate::translation::{Flag, Translation};

use super::{ModelRole, Story};

/// One news object a line for every document with text in it, and for every record. A document is held in memory until
/// it ends.
pub struct NinjsWriter<'a, W> {
    out: W,
    origin: Origin<'a>,
    document: DocumentName,
    is_record: bool,
    source: String,
    body: String,
    suspect: usize,
}

/// What all stories of a run have in common.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// Language of the sources, as a BCP 47 tag.
    pub from: &'a str,
    /// Language of the translations, as a BCP 47 tag.
    pub to: &'a str,
    /// The model that translates.
    pub model: &'a Provenance,
    /// The time of the run.
    pub created: SystemTime,
}

impl<'a, W: Write> NinjsWriter<'a, W> {
    /// To `out`; `document` names the document.
    pub fn new(out: W, document: impl Into<String>, origin: Origin<'a>) -> Self {
        Self {
            out,
            origin,
            document: DocumentName::new(document.into()),
            is_record: false,
            source: String::new(),
            body: String::new(),
            suspect: 0,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let (source, body) = (std::mem::take(&mut self.source), std::mem::take(&mut self.body));
        let suspect = std::mem::take(&mut self.suspect);
        if source.trim().is_empty() && !self.is_record {
            return Ok(());
        }
        let warning = format!("Segments that may be unsound, flagged \"suspect\": {suspect}.");
        let Origin { from, to, model, created } = self.origin;
        let story = Story {
            source_id: self.document.current(),
            source: source.trim(),
            from,
            to,
            headline: None,
            summary: None,
            body: Some(body.trim()),
            city: None,
            date: None,
            models: vec![(ModelRole::MachineTranslation, model)],
            warning: (suspect > 0).then_some(&warning),
            created,
        };
        serde_json::to_writer(&mut self.out, &story.item())?;
        self.out.write_all(b"\n")
    }
}

impl<W: Write> Writer for NinjsWriter<'_, W> {
    fn other(&mut self, part: &Part) -> io::Result<()> {
        match part {
            Part::Verbatim(text) => {
                self.source += text;
                self.body += text;
            }
            Part::Record(record) => {
                self.flush()?;
                self.document.next(record);
                self.is_record = true;
            }
            Part::Segment(_) => {}
        }
        Ok(())
    }

    fn segment(&mut self, segment: &Segment, translation: &Translation) -> io::Result<()> {
        self.source += &segment.text;
        self.body += &translation.text;
        self.suspect += usize::from(translation.flags.contains(&Flag::Suspect));
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.flush()?;
        self.out.flush()
    }
}

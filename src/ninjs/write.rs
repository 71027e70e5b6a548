//! Translated documents as news objects.

use std::collections::BTreeSet;
use std::io::{self, Write};

use crate::document::{DocumentName, Part, Segment, Writer};
use crate::release::Release;
use crate::summarizer::{BYTES_AT_ONCE, RELEASES_AT_ONCE, Summarizer};
use crate::translation::Translation;

use super::{Origin, Story};

/// One news object a line for every document with text in it, and for every record: headline, summary and the whole text
/// without its headline. A document is held in memory until it ends, records until there are enough to summarise together.
pub struct NinjsWriter<'a, W> {
    out: W,
    origin: Origin<'a>,
    summarizer: Summarizer,
    document: DocumentName,
    is_record: bool,
    /// The parts so far, and what stands in their place in English.
    parts: Vec<Part>,
    english: Vec<String>,
    flags: BTreeSet<&'static str>,
    /// Ended, and to be summarised together.
    pending: Vec<Pending>,
}

/// A document or record whose summary is to come.
struct Pending {
    document: String,
    release: Release,
    /// Its headline in English, and the text without it.
    headline: String,
    body: String,
    flags: BTreeSet<&'static str>,
}

impl<'a, W: Write> NinjsWriter<'a, W> {
    /// To `out`; `document` names the document.
    pub fn new(out: W, document: impl Into<String>, origin: Origin<'a>, summarizer: Summarizer) -> Self {
        Self {
            out,
            origin,
            summarizer,
            document: DocumentName::new(document.into()),
            is_record: false,
            parts: Vec::new(),
            english: Vec::new(),
            flags: BTreeSet::new(),
            pending: Vec::new(),
        }
    }

    /// Ends the document or record at hand.
    fn end(&mut self) {
        let (parts, english) = (std::mem::take(&mut self.parts), std::mem::take(&mut self.english));
        let flags = std::mem::take(&mut self.flags);
        let release = Release::read(&parts);
        if release.paragraphs.is_empty() && !self.is_record {
            return;
        }
        let (headline, body) = without_headline(&release, &parts, &english);
        let document = self.document.current().to_owned();
        self.pending.push(Pending { document, release, headline, body, flags });
    }

    /// Summarises and writes what has ended.
    fn write_pending(&mut self) -> io::Result<()> {
        let mut pending = std::mem::take(&mut self.pending);
        let releases: Vec<Release> = pending.iter_mut().map(|ended| std::mem::take(&mut ended.release)).collect();
        let summaries = self.summarizer.summarize_batch(&releases).map_err(io::Error::other)?;
        for ((ended, release), summary) in pending.into_iter().zip(&releases).zip(&summaries) {
            let story = Story::new(&ended.document, release, summary, &self.origin, self.summarizer.models());
            let flags: BTreeSet<&str> = story.flags.iter().copied().chain(ended.flags).collect();
            let flags = flags.into_iter().collect();
            let full_headline =
                Some(ended.headline).filter(|headline| headline.trim_end_matches('.') != story.headline);
            let story = Story { body: Some(ended.body), full_headline, flags, ..story };
            serde_json::to_writer(&mut self.out, &story.item())?;
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }
}

/// The release's headline in English, and the text without it.
fn without_headline(release: &Release, parts: &[Part], english: &[String]) -> (String, String) {
    let headline = release.headline().map(|headline| headline.number);
    let (mut above, mut text) = (String::new(), String::new());
    let mut is_headline = false;
    for (part, english) in parts.iter().zip(english) {
        if let Part::Segment(segment) = part {
            is_headline = Some(segment.paragraph) == headline;
        }
        if is_headline { above += english } else { text += english }
    }
    (above.trim().to_owned(), text.trim().to_owned())
}

impl<W: Write> Writer for NinjsWriter<'_, W> {
    fn other(&mut self, part: &Part) -> io::Result<()> {
        match part {
            Part::Verbatim(text) => {
                self.parts.push(part.clone());
                self.english.push(text.clone());
            }
            Part::Record(record) => {
                self.end();
                let bytes: usize = self.pending.iter().map(|ended| ended.body.len()).sum();
                if self.pending.len() >= RELEASES_AT_ONCE || bytes >= BYTES_AT_ONCE {
                    self.write_pending()?;
                }
                self.document.next(record);
                self.is_record = true;
            }
            Part::Segment(_) => {}
        }
        Ok(())
    }

    fn segment(&mut self, segment: &Segment, translation: &Translation) -> io::Result<()> {
        self.parts.push(Part::Segment(segment.clone()));
        self.english.push(translation.text.clone());
        let wanted = translation.flags.iter().filter(|flag| flag.wants_checking());
        self.flags.extend(wanted.map(|flag| flag.name()));
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.end();
        self.write_pending()?;
        self.out.flush()
    }
}

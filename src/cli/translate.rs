//! `translate [INPUT]...`: documents in, English in the same shape out.

use std::io;
use std::time::SystemTime;

use clap::{Args, ValueEnum};
use translate::document::{
    BilingualWriter, DocumentError, JsonLinesWriter, JsonWriter, Layout, Part, RecordWriter, TextWriter, Writer,
};
use translate::ninjs::{NinjsWriter, Origin};
use translate::summarizer::Summarizer;
use translate::translator::{Translation, Translator};

use super::jobs::{Job, JobArgs, Unread, usage};
use super::load::load;
use super::options::{ModelArgs, NormalizationArg, SearchArgs};
use super::output::{Output, WriteError, clean_up_on_interrupt};
use super::progress::Meter;
use super::{Common, Failure, env};

/// `translate [OPTIONS] [INPUT]...`
#[derive(Debug, Args)]
pub struct TranslateArgs {
    #[command(flatten)]
    jobs: JobArgs,
    /// Form of the result [default: text; for JSON Lines the records with a field `translation`]
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// Take every line for one segment, and give one line for it
    #[arg(long, conflicts_with = "field")]
    lines: bool,
    /// Cleaning of the source before the model reads it: all, none, or steps separated by commas
    #[arg(long, value_name = "STEPS", default_value = "default")]
    normalize: NormalizationArg,
    /// Give exactly what the model makes of each segment: no cleaning, nothing passed through, nothing mended
    #[arg(long, conflicts_with = "normalize")]
    exact: bool,
    /// With json and jsonl: token ids and their log-probabilities too
    #[arg(long)]
    detail: bool,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    search: SearchArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The document in English
    Text,
    /// Each paragraph with its translation below it
    Bilingual,
    /// One JSON array of all segments
    Json,
    /// One JSON object a line for every segment
    Jsonl,
    /// IPTC ninjs 3.1: a news object for the document, or one a line for every record
    Ninjs,
}

impl Format {
    /// The extension of a result's name; without one it is that of the document.
    fn extension(self, layout: &Layout) -> Option<&'static str> {
        match (self, layout) {
            (Self::Text | Self::Bilingual, _) | (Self::Ninjs, Layout::Records { .. }) => None,
            (Self::Json | Self::Ninjs, _) => Some("json"),
            (Self::Jsonl, _) => Some("jsonl"),
        }
    }
}

/// What travels through the translator beside a segment's text.
enum Tag {
    Begin(usize),
    Part(Part),
    Failed(DocumentError),
}

/// Runs the command.
pub fn run(args: &TranslateArgs, common: &Common) -> Result<(), Failure> {
    if args.detail && !matches!(args.format, Some(Format::Json | Format::Jsonl)) {
        usage("--detail needs --format json or --format jsonl");
    }
    let extension = |layout: &Layout| args.format.and_then(|format| format.extension(layout));
    let jobs = args.jobs.jobs(args.model.target(), args.lines.then_some(&Layout::Lines), extension)?;
    clean_up_on_interrupt();
    let registry = env::registry(common.models_file.as_deref())?;
    let builder = Translator::builder()
        .generation(args.search.generation())
        .normalization(args.normalize.0)
        .exact(args.exact)
        // Of several hypotheses the summarizer chooses the headline.
        .every_hypothesis(args.format == Some(Format::Ninjs));
    let translator = load(args.model.apply(registry, builder), common)?;
    args.translate(&jobs, &translator, common)
}

impl TranslateArgs {
    fn writer<'o>(&'o self, job: &Job, translator: &Translator, out: &'o mut Output) -> Box<dyn Writer + 'o> {
        let model = translator.model();
        match (self.format, &job.layout) {
            (None, Layout::Records { .. }) => Box::new(RecordWriter::new(out, model.to_string())),
            (None | Some(Format::Text), _) => Box::new(TextWriter::new(out)),
            (Some(Format::Bilingual), _) => Box::new(BilingualWriter::new(out)),
            (Some(Format::Json), _) => Box::new(JsonWriter::new(out, job.name(), model.to_string(), self.detail)),
            (Some(Format::Jsonl), _) => Box::new(JsonLinesWriter::new(out, job.name(), model.to_string(), self.detail)),
            (Some(Format::Ninjs), _) => {
                let (from, to) = (self.model.source(), self.model.target());
                let origin = Origin { from, to, created: SystemTime::now() };
                Box::new(NinjsWriter::new(out, job.name(), origin, Summarizer::new(translator.clone())))
            }
        }
    }

    /// Sends the segments of all documents through the translator in one stream, and writes what comes out. Of several
    /// documents one that can't be read is left out.
    fn translate(&self, jobs: &[Job], translator: &Translator, common: &Common) -> Result<(), Failure> {
        let meter = Meter::new(common.quiet, jobs.iter().map(|job| job.input.as_deref()));
        let segments = jobs
            .iter()
            .enumerate()
            .flat_map(|(number, job)| std::iter::once((Tag::Begin(number), String::new())).chain(segments(job)));
        let mut stream = translator.stream(segments);
        let mut unread = Unread::new(jobs, common);
        let mut next = stream.next().transpose()?;
        while let Some((Tag::Begin(number), _)) = next
            && let Some(job) = jobs.get(number)
        {
            let mut out = Output::open(job.output.as_deref())?;
            let place = out.place();
            let mut writer = self.writer(job, translator, &mut out);
            loop {
                next = stream.next().transpose()?;
                match &next {
                    Some((Tag::Part(part), translation)) => {
                        write_part(&mut *writer, part, translation).map_err(WriteError::at(&place))?;
                        meter.add(part, translation);
                    }
                    Some((Tag::Failed(_) | Tag::Begin(_), _)) | None => break,
                }
            }
            if let Some((Tag::Failed(error), _)) = next {
                unread.add(error)?;
                next = stream.next().transpose()?;
                continue;
            }
            writer.finish().map_err(WriteError::at(&place))?;
            drop(writer);
            out.finish()?;
        }
        // The other formats have the flags.
        if matches!(self.format, None | Some(Format::Text | Format::Bilingual)) {
            meter.note_doubtful();
        }
        meter.finish(common.verbose);
        Ok(unread.finish()?)
    }
}

/// The parts of a document, with the texts to translate; after a failure it ends.
fn segments(job: &Job) -> Box<dyn Iterator<Item = (Tag, String)>> {
    let parts = match job.parts() {
        Ok(parts) => parts,
        Err(error) => return Box::new(std::iter::once((Tag::Failed(error), String::new()))),
    };
    Box::new(parts.map(|part| match part {
        Ok(Part::Segment(segment)) => {
            let text = segment.text.clone();
            (Tag::Part(Part::Segment(segment)), text)
        }
        Ok(part) => (Tag::Part(part), String::new()),
        Err(error) => (Tag::Failed(error), String::new()),
    }))
}

fn write_part(writer: &mut dyn Writer, part: &Part, translation: &Translation) -> io::Result<()> {
    match part {
        Part::Segment(segment) => writer.segment(segment, translation),
        other => writer.other(other),
    }
}

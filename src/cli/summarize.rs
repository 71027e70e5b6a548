//! `translate summarize [INPUT]...`: releases in, an English headline and summary of each out.

use std::io::{self, IsTerminal, Write};

use clap::builder::RangedU64ValueParser;
use clap::{Args, ValueEnum};
use serde_json::{Map, Value};
use translate::decode::GenerationConfig;
use translate::document::{DocumentError, DocumentName, Layout, Part};
use translate::hub::Provenance;
use translate::release::Release;
use translate::summarizer::{Report, Style, Summarizer, Summary};
use translate::translator::Translator;

use super::jobs::{Job, JobArgs};
use super::options::ModelArgs;
use super::output::{Output, WriteError, clean_up_on_interrupt};
use super::progress::DownloadBar;
use super::{Common, Failure, env};

/// `translate summarize [OPTIONS] [INPUT]...`
#[derive(Debug, Args)]
pub struct SummarizeArgs {
    #[command(flatten)]
    jobs: JobArgs,
    /// Form of the result [default: text; for JSON Lines the records with fields `headline` and `summary`]
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// House style, which says how long and in which form headlines are
    #[arg(long, value_enum, value_name = "STYLE", default_value = "reuters")]
    style: StyleArg,
    /// Most characters of a headline [default: 60 in ap, 64 in reuters, 70 in web]
    #[arg(long, value_name = "N", value_parser = at_least_one())]
    headline_chars: Option<usize>,
    /// Most words of a summary
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = at_least_one())]
    summary_words: usize,
    /// Width of the beam, of which the hypotheses are that fit is chosen from [default: the model's own]
    #[arg(long, value_name = "N", value_parser = at_least_one())]
    beam_size: Option<usize>,
    #[command(flatten)]
    model: ModelArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The headline, a blank line, the summary
    Text,
    /// A JSON object; of JSON Lines an array of them
    Json,
    /// One JSON object a line
    Jsonl,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum StyleArg {
    Ap,
    Reuters,
    Web,
}

impl From<StyleArg> for Style {
    fn from(style: StyleArg) -> Self {
        match style {
            StyleArg::Ap => Self::Ap,
            StyleArg::Reuters => Self::Reuters,
            StyleArg::Web => Self::Web,
        }
    }
}

fn at_least_one() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..)
}

/// Releases that are summarised together: enough to fill batches, and a bound on memory.
const RELEASES: usize = 256;
const BYTES: usize = 4 << 20;

/// A release and where it stands.
struct Item {
    /// Number of its job.
    job: usize,
    record: Option<Map<String, Value>>,
    /// What outputs call it.
    document: String,
    release: Release,
}

/// Runs the command.
pub fn run(args: &SummarizeArgs, common: &Common) -> Result<(), Failure> {
    let extension = |layout: &Layout| match (args.format, layout) {
        (Some(Format::Json), _) => Some("json"),
        (Some(Format::Jsonl), _) => Some("jsonl"),
        (Some(Format::Text), Layout::Records { .. }) => Some("txt"),
        (None | Some(Format::Text), _) => None,
    };
    let jobs = args.jobs.jobs(args.model.target(), extension)?;
    clean_up_on_interrupt();
    let registry = env::registry(common.models_file.as_deref())?;
    let builder = Translator::builder()
        .hub(env::hub_options(common)?)
        .generation(GenerationConfig { num_beams: args.beam_size, ..GenerationConfig::default() })
        .every_hypothesis(true);
    let translator = args.model.apply(registry, builder).build_with(&mut DownloadBar::new(common.quiet))?;
    let mut summarizer = Summarizer::new(translator).style(args.style.into()).summary_words(args.summary_words);
    if let Some(chars) = args.headline_chars {
        summarizer = summarizer.headline_chars(chars);
    }
    args.summarize(&jobs, &summarizer, common)
}

impl SummarizeArgs {
    /// Reads ahead as many releases as are summarised together, and writes them to the results of their jobs.
    fn summarize(&self, jobs: &[Job], summarizer: &Summarizer, common: &Common) -> Result<(), Failure> {
        let mut results = Results { args: self, jobs, model: summarizer.model(), open: None, next: 0 };
        let mut items = jobs.iter().enumerate().flat_map(|(number, job)| items(number, job)).peekable();
        while items.peek().is_some() {
            let mut batch = Vec::new();
            let mut bytes = 0;
            while batch.len() < RELEASES
                && bytes < BYTES
                && let Some(item) = items.next().transpose()?
            {
                bytes += item
                    .release
                    .paragraphs
                    .iter()
                    .flat_map(|paragraph| &paragraph.sentences)
                    .map(String::len)
                    .sum::<usize>();
                batch.push(item);
            }
            let releases: Vec<Release> = batch.iter_mut().map(|item| std::mem::take(&mut item.release)).collect();
            let summaries = summarizer.summarize_batch(&releases)?;
            for (item, summary) in batch.into_iter().zip(summaries) {
                note(&item.document, &summary, self.format, common);
                results.add(item, &summary)?;
            }
        }
        results.finish()
    }
}

/// The releases of a job: the document, or its records. After a failure it ends.
fn items(number: usize, job: &Job) -> Box<dyn Iterator<Item = Result<Item, DocumentError>> + '_> {
    let mut parts = match job.parts() {
        Ok(parts) => parts.peekable(),
        Err(error) => return Box::new(std::iter::once(Err(error))),
    };
    let mut name = DocumentName::new(job.name());
    let mut ended = false;
    Box::new(std::iter::from_fn(move || {
        let is_prose = job.layout == Layout::Prose;
        if ended || !is_prose && parts.peek().is_none() {
            return None;
        }
        let mut item = Item { job: number, record: None, document: String::new(), release: Release::default() };
        let mut content = Vec::new();
        loop {
            match parts
                .next_if(|part| !matches!(part, Ok(Part::Record(_))) || item.record.is_none() && content.is_empty())
            {
                Some(Ok(Part::Record(record))) => {
                    name.next(&record);
                    item.record = Some(record);
                }
                Some(Ok(part)) => content.push(part),
                Some(Err(error)) => {
                    ended = true;
                    return Some(Err(error));
                }
                None => break,
            }
        }
        ended = is_prose;
        item.document = name.current().to_owned();
        item.release = Release::read(&content);
        Some(Ok(item))
    }))
}

/// Says on a terminal what an editor should know; JSON has it in `flags`.
fn note(document: &str, summary: &Summary, format: Option<Format>, common: &Common) {
    let is_in_result = matches!(format, Some(Format::Json | Format::Jsonl));
    if common.quiet || is_in_result || !io::stderr().is_terminal() {
        return;
    }
    for remark in &summary.remarks {
        eprintln!("note: {document}: {}", remark.name());
    }
}

/// The results of the jobs, one after the other.
struct Results<'a> {
    args: &'a SummarizeArgs,
    jobs: &'a [Job],
    model: &'a Provenance,
    /// The result at hand, and whether something is in it.
    open: Option<(Output, bool)>,
    /// The job whose result is opened next.
    next: usize,
}

impl Results<'_> {
    fn add(&mut self, item: Item, summary: &Summary) -> Result<(), Failure> {
        self.open_up_to(item.job)?;
        let format = self.format();
        let is_array = format == Some(Format::Json) && item.record.is_some();
        let Some((output, has_content)) = &mut self.open else { return Ok(()) };
        let place = output.place();
        let report = Report::of(&item.document, summary, &[("translate", self.model)]);
        let write = || -> io::Result<()> {
            match (format, item.record) {
                (Some(Format::Jsonl), _) => serde_json::to_writer(&mut *output, &report)?,
                (Some(Format::Json), Some(_)) => {
                    output.write_all(if *has_content { b",\n" } else { b"[\n" })?;
                    serde_json::to_writer(&mut *output, &report)?;
                }
                (Some(Format::Json), None) => serde_json::to_writer_pretty(&mut *output, &report)?,
                (None, Some(mut record)) => {
                    record.insert("headline".to_owned(), summary.headline.as_str().into());
                    record.insert("summary".to_owned(), summary.summary.as_str().into());
                    serde_json::to_writer(&mut *output, &record)?;
                }
                (None | Some(Format::Text), _) => {
                    let between = if *has_content { "\n" } else { "" };
                    write!(output, "{between}{}\n\n{}", summary.headline, summary.summary)?;
                }
            }
            if is_array { Ok(()) } else { output.write_all(b"\n") }
        };
        write().map_err(WriteError::at(&place))?;
        *has_content = true;
        Ok(())
    }

    /// Ends the results before that of `job` and opens it.
    fn open_up_to(&mut self, job: usize) -> Result<(), Failure> {
        while self.next <= job {
            self.close()?;
            let output = Output::open(self.jobs.get(self.next).and_then(|job| job.output.as_deref()))?;
            self.open = Some((output, false));
            self.next += 1;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Failure> {
        let Some((mut output, has_content)) = self.open.take() else { return Ok(()) };
        let job = self.next.checked_sub(1).and_then(|last| self.jobs.get(last));
        if self.format() == Some(Format::Json) && job.is_some_and(|job| job.layout != Layout::Prose) {
            let place = output.place();
            output.write_all(if has_content { b"\n]\n" } else { b"[]\n" }).map_err(WriteError::at(&place))?;
        }
        Ok(output.finish()?)
    }

    fn finish(mut self) -> Result<(), Failure> {
        if let Some(last) = self.jobs.len().checked_sub(1) {
            self.open_up_to(last)?;
        }
        self.close()
    }

    fn format(&self) -> Option<Format> {
        self.args.format
    }
}

//! `translate summarize [INPUT]...`: releases in, an English headline and summary of each out.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal, Write};
use std::time::SystemTime;

use clap::builder::RangedU64ValueParser;
use clap::{Args, ValueEnum};
use serde_json::{Map, Value};
use translate::decode::GenerationConfig;
use translate::document::{DocumentError, DocumentName, Layout, Part};
use translate::hub::{self, NoProgress, Provenance};
use translate::ninjs::{Origin, Story};
use translate::registry::{ModelRef, ModelSpec, Registry, Task};
use translate::release::Release;
use translate::summarizer::{BYTES_AT_ONCE, RELEASES_AT_ONCE, Report, Style, Summarizer, Summary};
use translate::translator::Translator;

use super::jobs::{Job, JobArgs, Unread, usage};
use super::load::load;
use super::options::ModelArgs;
use super::output::{Output, WriteError, clean_up_on_interrupt};
use super::{Common, Failure, env};

/// `translate summarize [OPTIONS] [INPUT]...`
#[derive(Debug, Args)]
pub struct SummarizeArgs {
    #[command(flatten)]
    jobs: JobArgs,
    /// Form of the result [default: text; for JSON Lines the records with fields `headline` and `summary`]
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// How the summary comes about
    #[arg(long, value_enum, value_name = "STRATEGY", default_value = "auto")]
    strategy: StrategyArg,
    /// Model that writes the summary: registry name, org/repo[@revision], or folder
    #[arg(long, value_name = "NAME", help_heading = "Models")]
    summary_model: Option<String>,
    /// What stands before every text that this model reads, such as `summarize: ` [default: what the registry has]
    #[arg(long, value_name = "TEXT", requires = "summary_model", help_heading = "Models")]
    summary_prefix: Option<String>,
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
    /// IPTC ninjs 3.1: a news object a line, with headline and summary
    Ninjs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StrategyArg {
    /// With a summary model that is named, or cached and reads the source's language: as suits it; else extract
    Auto,
    /// A cross-lingual model reads the source and writes English
    Direct,
    /// The text is translated, then a model shortens the English
    TranslateFirst,
    /// A model shortens the source, then that is translated
    SummarizeFirst,
    /// The best sentences of the source are translated; needs no summary model
    Extract,
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
        (Some(Format::Ninjs), Layout::Prose | Layout::Lines) => Some("json"),
        (None | Some(Format::Text | Format::Ninjs), _) => None,
    };
    let jobs = args.jobs.jobs(args.model.target(), None, extension)?;
    clean_up_on_interrupt();
    let translator = args.load(None, common)?;
    let writer = args.writer(common)?;
    let mut summarizer = Summarizer::new(translator);
    if let Some((strategy, model)) = writer {
        let model = args.load(Some((strategy, model)), common)?;
        summarizer = match strategy {
            ModelStrategy::Direct => summarizer.direct(model),
            ModelStrategy::TranslateFirst => summarizer.translate_first(model),
            ModelStrategy::SummarizeFirst => summarizer.summarize_first(model),
        };
    }
    summarizer = summarizer.style(args.style.into()).summary_words(args.summary_words);
    if let Some(chars) = args.headline_chars {
        summarizer = summarizer.headline_chars(chars);
    }
    args.summarize(&jobs, &summarizer, common)
}

/// A strategy that needs a summary model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ModelStrategy {
    Direct,
    TranslateFirst,
    SummarizeFirst,
}

impl SummarizeArgs {
    /// Loads the model that translates, or the one that writes summaries.
    fn load(&self, writer: Option<(ModelStrategy, String)>, common: &Common) -> Result<Translator, Failure> {
        let builder = Translator::builder()
            .generation(GenerationConfig { num_beams: self.beam_size, ..GenerationConfig::default() })
            .every_hypothesis(true);
        let mut builder = self.model.apply(env::registry(common.models_file.as_deref())?, builder);
        if let Some((strategy, model)) = writer {
            let (from, to) = self.languages(strategy);
            builder = builder.model(model).task(Task::Summarize).languages(from, to).exact(true);
            if let Some(prefix) = &self.summary_prefix {
                builder = builder.prefix(prefix);
            }
        }
        load(builder, common)
    }

    /// Languages that a summary model reads and writes.
    fn languages(&self, strategy: ModelStrategy) -> (&str, &str) {
        let (from, to) = (self.model.source(), self.model.target());
        match strategy {
            ModelStrategy::Direct => (from, to),
            ModelStrategy::TranslateFirst => (to, to),
            ModelStrategy::SummarizeFirst => (from, from),
        }
    }

    /// The strategy with its model; `None` to extract.
    fn writer(&self, common: &Common) -> Result<Option<(ModelStrategy, String)>, Failure> {
        let registry = env::registry(common.models_file.as_deref())?;
        let strategy = match self.strategy {
            StrategyArg::Extract if self.summary_model.is_some() => {
                usage("--strategy extract takes no --summary-model")
            }
            StrategyArg::Extract => return Ok(None),
            StrategyArg::Direct => ModelStrategy::Direct,
            StrategyArg::TranslateFirst => ModelStrategy::TranslateFirst,
            StrategyArg::SummarizeFirst => ModelStrategy::SummarizeFirst,
            StrategyArg::Auto => match &self.summary_model {
                Some(name) => self.suits(&ModelRef::parse(name, &registry)?),
                None => return self.cached(&registry, common),
            },
        };
        let (from, to) = self.languages(strategy);
        // One that anyone may use comes first.
        let free =
            |spec: &&ModelSpec| spec.task == Task::Summarize && spec.offers(from, to) && !spec.forbids_commercial_use();
        let free = registry.models().iter().find(free);
        let default = || {
            let spec = free.map_or_else(|| registry.default_for(Task::Summarize, from, to), Ok);
            spec.map(|spec| spec.name.clone())
        };
        let model = self.summary_model.clone().map_or_else(default, Ok)?;
        Ok(Some((strategy, model)))
    }

    /// What a model is for, as far as the registry knows; any other is taken for a cross-lingual one.
    fn suits(&self, model: &ModelRef) -> ModelStrategy {
        let (from, to) = (self.model.source(), self.model.target());
        match model {
            ModelRef::Registry(spec) if !spec.offers(from, to) && spec.offers(to, to) => ModelStrategy::TranslateFirst,
            ModelRef::Registry(spec) if !spec.offers(from, to) => ModelStrategy::SummarizeFirst,
            _ => ModelStrategy::Direct,
        }
    }

    /// The registry's cross-lingual summary model, if the cache has it.
    fn cached(&self, registry: &Registry, common: &Common) -> Result<Option<(ModelStrategy, String)>, Failure> {
        let (from, to) = self.languages(ModelStrategy::Direct);
        let Ok(spec) = registry.default_for(Task::Summarize, from, to) else { return Ok(None) };
        let (model, hub) = (ModelRef::Registry(Box::new(spec.clone())), env::hub_options(common)?);
        let is_cached = hub::cached(&model, &hub, &mut NoProgress)?.is_some();
        Ok(is_cached.then(|| (ModelStrategy::Direct, spec.name.clone())))
    }

    /// Reads ahead as many releases as are summarised together, and writes them to the results of their jobs. Of several
    /// documents one that can't be read is left out.
    fn summarize(&self, jobs: &[Job], summarizer: &Summarizer, common: &Common) -> Result<(), Failure> {
        let mut results =
            Results { args: self, jobs, models: summarizer.models(), open: None, next: 0, left_out: BTreeSet::new() };
        let mut unread = Unread::new(jobs, common);
        let items = |(number, job)| items(number, job).map(move |item| (number, item));
        let mut items = jobs.iter().enumerate().flat_map(items).peekable();
        while items.peek().is_some() {
            let mut batch: Vec<Item> = Vec::new();
            let mut bytes = 0;
            while batch.len() < RELEASES_AT_ONCE
                && bytes < BYTES_AT_ONCE
                && let Some((job, item)) = items.next()
            {
                let item = match item {
                    Ok(item) => item,
                    Err(error) => {
                        unread.add(error)?;
                        results.leave_out(job);
                        batch.retain(|item| item.job != job);
                        continue;
                    }
                };
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
            for ((item, release), summary) in batch.into_iter().zip(&releases).zip(summaries) {
                note(&item.document, &summary, self.format, common);
                results.add(item, release, &summary)?;
            }
        }
        results.finish()?;
        Ok(unread.finish()?)
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
    models: Vec<(&'static str, &'a Provenance)>,
    /// The result at hand, and whether something is in it.
    open: Option<(Output, bool)>,
    /// The job whose result is opened next.
    next: usize,
    /// Jobs that have no result.
    left_out: BTreeSet<usize>,
}

impl Results<'_> {
    fn add(&mut self, item: Item, release: &Release, summary: &Summary) -> Result<(), Failure> {
        self.open_up_to(item.job)?;
        let format = self.format();
        let is_array = format == Some(Format::Json) && item.record.is_some();
        let Some((output, has_content)) = &mut self.open else { return Ok(()) };
        let place = output.place();
        let report = Report::of(&item.document, summary, &self.models);
        let write = || -> io::Result<()> {
            match (format, item.record) {
                (Some(Format::Jsonl), _) => serde_json::to_writer(&mut *output, &report)?,
                (Some(Format::Json), Some(_)) => {
                    output.write_all(if *has_content { b",\n" } else { b"[\n" })?;
                    serde_json::to_writer(&mut *output, &report)?;
                }
                (Some(Format::Json), None) => serde_json::to_writer_pretty(&mut *output, &report)?,
                (Some(Format::Ninjs), _) => {
                    let (from, to) = (self.args.model.source(), self.args.model.target());
                    let origin = Origin { from, to, created: SystemTime::now() };
                    let story = Story::new(&item.document, release, summary, &origin, self.models.clone());
                    serde_json::to_writer(&mut *output, &story.item())?;
                }
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
            if !self.left_out.contains(&self.next) {
                let output = Output::open(self.jobs.get(self.next).and_then(|job| job.output.as_deref()))?;
                self.open = Some((output, false));
            }
            self.next += 1;
        }
        Ok(())
    }

    /// Gives `job` no result, and drops what there is of it.
    fn leave_out(&mut self, job: usize) {
        self.left_out.insert(job);
        if self.next == job + 1 {
            self.open = None;
        }
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

//! `translate [INPUT]...`: documents in, English in the same shape out.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, ValueEnum};
use thiserror::Error;
use translate::document::{
    BilingualWriter, DocumentError, Encoding, JsonLinesWriter, JsonWriter, Layout, Lines, Part, RecordWriter,
    TextWriter, Writer, parts,
};
use translate::ninjs::{NinjsWriter, Origin};
use translate::summarizer::Summarizer;
use translate::translator::{Translation, Translator};

use super::load::load;
use super::options::{ModelArgs, NormalizationArg, SearchArgs};
use super::output::{Output, WriteError, clean_up_on_interrupt};
use super::progress::Meter;
use super::{Cli, Common, Failure, env, report};

/// `translate [OPTIONS] [INPUT]...`
#[derive(Debug, Args)]
pub struct TranslateArgs {
    /// Documents to translate; `-` or none: standard input
    #[arg(value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Form of the result [default: text; for JSON Lines the records with a field `translation`]
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// Write to a file, which appears only when it is whole
    #[arg(short, long, value_name = "FILE", conflicts_with = "output_dir")]
    output: Option<PathBuf>,
    /// Write each result into this folder, as NAME.en.EXTENSION
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
    /// Take every line for one segment, and give one line for it
    #[arg(long)]
    lines: bool,
    /// Read JSON Lines, with the text in this field [default for .jsonl and .ndjson: text]
    #[arg(long, value_name = "NAME", conflicts_with = "lines")]
    field: Option<String>,
    /// Encoding of the documents, such as windows-1256 [default: detected]
    #[arg(long, value_name = "ENCODING")]
    encoding: Option<Encoding>,
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

/// A document to translate and where its result goes.
struct Job {
    /// `None` is standard input.
    input: Option<PathBuf>,
    output: Option<PathBuf>,
    layout: Layout,
}

impl Job {
    fn name(&self) -> String {
        self.input.as_ref().map_or_else(|| "standard input".to_owned(), |path| path.display().to_string())
    }

    fn open(&self) -> Result<Box<dyn Read>, DocumentError> {
        let Some(path) = &self.input else { return Ok(Box::new(io::stdin().lock())) };
        File::open(path)
            .map(|file| Box::new(file) as Box<dyn Read>)
            .map_err(|source| DocumentError::Read { name: self.name(), source })
    }
}

/// Some of several documents can't be read; each has been reported.
#[derive(Debug, Error)]
#[error("{failed} of {documents} documents were not translated; the results of the others are written")]
struct Incomplete {
    failed: usize,
    documents: usize,
}

/// What travels through the translator beside a segment's text.
enum Tag {
    Begin(usize),
    Part(Part),
    Failed(DocumentError),
}

/// Runs the command.
pub fn run(args: &TranslateArgs, common: &Common) -> Result<(), Failure> {
    check_inputs(&args.inputs)?;
    let jobs = args.jobs();
    if let Some(folder) = &args.output_dir {
        fs::create_dir_all(folder).map_err(WriteError::at(&folder.display().to_string()))?;
    }
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
    /// The documents and their results; combinations that make no sense end the program with status 2.
    fn jobs(&self) -> Vec<Job> {
        let standard = self.inputs.iter().all(|input| is_standard(input));
        if self.inputs.len() > 1 && self.output_dir.is_none() {
            usage("several inputs need --output-dir DIR for their results");
        }
        if self.output_dir.is_some() && (standard || self.inputs.iter().any(|input| is_standard(input))) {
            usage("--output-dir needs named inputs, not standard input");
        }
        if self.detail && !matches!(self.format, Some(Format::Json | Format::Jsonl)) {
            usage("--detail needs --format json or --format jsonl");
        }
        if standard {
            return vec![Job { input: None, output: self.output.clone(), layout: self.layout(Path::new("")) }];
        }
        let mut taken = BTreeMap::new();
        let mut jobs = Vec::new();
        for input in &self.inputs {
            let output = self.output_dir.as_ref().map(|folder| folder.join(self.output_name(input)));
            if let Some(other) = output.clone().and_then(|output| taken.insert(output, input)) {
                usage(&format!("{} and {} would have one result file", other.display(), input.display()));
            }
            let output = output.or_else(|| self.output.clone());
            if output.as_deref().is_some_and(|output| is_same_file(input, output)) {
                usage(&format!("{} would be replaced by its own translation; name another output", input.display()));
            }
            jobs.push(Job { input: Some(input.clone()), output, layout: self.layout(input) });
        }
        jobs
    }

    fn layout(&self, input: &Path) -> Layout {
        let records = input.extension().is_some_and(|extension| extension == "jsonl" || extension == "ndjson");
        match &self.field {
            Some(field) => Layout::Records { field: field.clone() },
            None if self.lines => Layout::Lines,
            None if records => Layout::Records { field: "text".to_owned() },
            None => Layout::Prose,
        }
    }

    /// `release.txt` becomes `release.en.txt`.
    fn output_name(&self, input: &Path) -> PathBuf {
        let of_format = self.format.and_then(|format| format.extension(&self.layout(input)));
        let mut name = OsString::from(input.file_stem().unwrap_or_default());
        name.push(format!(".{}", self.model.target()));
        if let Some(extension) = of_format.map(OsStr::new).or(input.extension()) {
            name.push(".");
            name.push(extension);
        }
        name.into()
    }

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
            .flat_map(|(number, job)| std::iter::once((Tag::Begin(number), String::new())).chain(self.segments(job)));
        let mut stream = translator.stream(segments);
        let mut failed = 0;
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
                    Some((Tag::Failed(_), _)) => break,
                    Some((Tag::Begin(_), _)) | None => break,
                }
            }
            if let Some((Tag::Failed(error), _)) = next {
                if jobs.len() == 1 {
                    return Err(error.into());
                }
                // The others are none the worse for it.
                report(&error, common.verbose);
                failed += 1;
                next = stream.next().transpose()?;
                continue;
            }
            writer.finish().map_err(WriteError::at(&place))?;
            drop(writer);
            out.finish()?;
        }
        meter.finish(common.verbose);
        if failed > 0 { Err(Incomplete { failed, documents: jobs.len() }.into()) } else { Ok(()) }
    }

    /// The parts of a document, with the texts to translate; after a failure it ends.
    fn segments(&self, job: &Job) -> Box<dyn Iterator<Item = (Tag, String)>> {
        let input = match job.open() {
            Ok(input) => input,
            Err(error) => return Box::new(std::iter::once((Tag::Failed(error), String::new()))),
        };
        let lines = Lines::new(job.name(), input, self.encoding);
        Box::new(parts(lines, job.layout.clone()).map(|part| match part {
            Ok(Part::Segment(segment)) => {
                let text = segment.text.clone();
                (Tag::Part(Part::Segment(segment)), text)
            }
            Ok(part) => (Tag::Part(part), String::new()),
            Err(error) => (Tag::Failed(error), String::new()),
        }))
    }
}

fn write_part(writer: &mut dyn Writer, part: &Part, translation: &Translation) -> io::Result<()> {
    match part {
        Part::Segment(segment) => writer.segment(segment, translation),
        other => writer.other(other),
    }
}

/// Whether both paths lead to one existing file.
fn is_same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Finds what is wrong with the inputs before a model is loaded for them. Pipes are left alone: what is in one can be
/// read once.
fn check_inputs(inputs: &[PathBuf]) -> Result<(), DocumentError> {
    for path in inputs.iter().filter(|path| !is_standard(path)) {
        let cannot = |source| DocumentError::Read { name: path.display().to_string(), source };
        let kind = fs::metadata(path).map_err(cannot)?;
        if kind.is_dir() {
            return Err(DocumentError::Folder { path: path.clone() });
        }
        if kind.is_file() {
            File::open(path).map_err(cannot)?;
        }
    }
    Ok(())
}

fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}

fn usage(message: &str) -> ! {
    Cli::command().error(ErrorKind::ArgumentConflict, message).exit()
}

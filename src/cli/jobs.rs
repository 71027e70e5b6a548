//! Documents named on the command line, and where their results go.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Args, CommandFactory};
use translate::document::{DocumentError, Encoding, Layout, Lines, Parts, parts};

use super::output::WriteError;
use super::{Cli, Failure};

/// Which documents, and where their results go.
#[derive(Debug, Args)]
pub struct JobArgs {
    /// Documents; `-` or none: standard input
    #[arg(value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Write to a file, which appears only when it is whole
    #[arg(short, long, value_name = "FILE", conflicts_with = "output_dir")]
    output: Option<PathBuf>,
    /// Write each result into this folder, as NAME.en.EXTENSION
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
    /// Read JSON Lines, with the text in this field [default for .jsonl and .ndjson: text]
    #[arg(long, value_name = "NAME")]
    field: Option<String>,
    /// Encoding of the documents, such as windows-1256 [default: detected]
    #[arg(long, value_name = "ENCODING")]
    encoding: Option<Encoding>,
}

/// A document and where its result goes.
pub struct Job {
    /// `None` is standard input.
    input: Option<PathBuf>,
    pub output: Option<PathBuf>,
    pub layout: Layout,
    encoding: Option<Encoding>,
}

impl Job {
    /// What messages call it.
    pub fn name(&self) -> String {
        self.input.as_ref().map_or_else(|| "standard input".to_owned(), |path| path.display().to_string())
    }

    /// Its parts, as its layout gives them.
    pub fn parts(&self) -> Result<Parts<Box<dyn Read>>, DocumentError> {
        Ok(parts(Lines::new(self.name(), self.open()?, self.encoding), self.layout.clone()))
    }

    fn open(&self) -> Result<Box<dyn Read>, DocumentError> {
        let Some(path) = &self.input else { return Ok(Box::new(io::stdin().lock())) };
        File::open(path)
            .map(|file| Box::new(file) as Box<dyn Read>)
            .map_err(|source| DocumentError::Read { name: self.name(), source })
    }

    /// Finds what is wrong with the input before a model is loaded for it.
    fn check(&self) -> Result<(), DocumentError> {
        match &self.input {
            Some(path) if path.is_dir() => Err(DocumentError::Folder { path: path.to_owned() }),
            Some(_) => self.open().map(drop),
            None => Ok(()),
        }
    }
}

impl JobArgs {
    /// The documents and their results, the folder for these made if need be; combinations that make no sense end the
    /// program with status 2. A result is named `NAME.TARGET.EXTENSION`, with the document's own extension unless
    /// `extension` gives another for its layout.
    pub fn jobs(&self, target: &str, extension: impl Fn(&Layout) -> Option<&'static str>) -> Result<Vec<Job>, Failure> {
        let standard = self.inputs.is_empty() || self.inputs == [Path::new("-")];
        if self.inputs.len() > 1 && self.output_dir.is_none() {
            usage("several inputs need --output-dir DIR for their results");
        }
        if standard && self.output_dir.is_some() {
            usage("--output-dir needs named inputs, not standard input");
        }
        let job = |input: Option<&PathBuf>, output: Option<PathBuf>| Job {
            input: input.cloned(),
            output,
            layout: self.layout(input.map_or(Path::new(""), PathBuf::as_path)),
            encoding: self.encoding,
        };
        if standard {
            return Ok(vec![job(None, self.output.clone())]);
        }
        let mut taken = BTreeMap::new();
        let mut jobs = Vec::new();
        for input in &self.inputs {
            let name = || {
                let stem = input.file_stem().unwrap_or_default().to_string_lossy();
                let own = input.extension().map(|extension| extension.to_string_lossy().into_owned());
                let extension = extension(&self.layout(input)).map(str::to_owned).or(own);
                [Some(stem.as_ref()), Some(target), extension.as_deref()]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(".")
            };
            let output = self.output_dir.as_ref().map(|folder| folder.join(name()));
            if let Some(other) = output.clone().and_then(|output| taken.insert(output, input)) {
                usage(&format!("{} and {} would have one result file", other.display(), input.display()));
            }
            let output = output.or_else(|| self.output.clone());
            if output.as_deref().is_some_and(|output| is_same_file(input, output)) {
                usage(&format!("{} would be replaced by its own result; name another output", input.display()));
            }
            jobs.push(job(Some(input), output));
        }
        jobs.iter().try_for_each(Job::check)?;
        if let Some(folder) = &self.output_dir {
            std::fs::create_dir_all(folder).map_err(WriteError::at(&folder.display().to_string()))?;
        }
        Ok(jobs)
    }

    fn layout(&self, input: &Path) -> Layout {
        let records = input.extension().is_some_and(|extension| extension == "jsonl" || extension == "ndjson");
        match &self.field {
            Some(field) => Layout::Records { field: field.clone() },
            None if records => Layout::Records { field: "text".to_owned() },
            None => Layout::Prose,
        }
    }
}

/// Whether both paths lead to one existing file.
fn is_same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Ends the program as clap does for wrong usage, with status 2.
pub fn usage(message: &str) -> ! {
    Cli::command().error(ErrorKind::ArgumentConflict, message).exit()
}

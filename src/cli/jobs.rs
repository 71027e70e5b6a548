//! Documents named on the command line, and where their results go.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Args, CommandFactory};
use thiserror::Error;
use translate::document::{DocumentError, Encoding, Layout, Lines, Parts, parts};

use super::output::WriteError;
use super::{Cli, Common, Failure, report};

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
    pub input: Option<PathBuf>,
    /// `None` is standard output.
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
}

impl JobArgs {
    /// The documents and their results, the folder for these made if need be; combinations that make no sense end the
    /// program with status 2. All documents have the `layout`, or else that of `--field` or their extension. A result is
    /// named `NAME.TARGET.EXTENSION`, with the document's own extension unless `extension` gives another for its layout.
    pub fn jobs(
        &self,
        target: &str,
        layout: Option<&Layout>,
        extension: impl Fn(&Layout) -> Option<&'static str>,
    ) -> Result<Vec<Job>, Failure> {
        self.inputs.iter().filter(|input| !is_standard(input)).try_for_each(|input| check(input))?;
        let standard = self.inputs.iter().all(|input| is_standard(input));
        if self.inputs.len() > 1 && self.output_dir.is_none() {
            usage("several inputs need --output-dir DIR for their results");
        }
        if self.output_dir.is_some() && (standard || self.inputs.iter().any(|input| is_standard(input))) {
            usage("--output-dir needs named inputs, not standard input");
        }
        let layout = |input: &Path| layout.cloned().unwrap_or_else(|| self.layout(input));
        if standard {
            let (output, layout) = (self.output.clone(), layout(Path::new("")));
            return Ok(vec![Job { input: None, output, layout, encoding: self.encoding }]);
        }
        let mut taken = BTreeMap::new();
        let mut jobs = Vec::new();
        for input in &self.inputs {
            let layout = layout(input);
            let name = || output_name(input, target, extension(&layout));
            let output = self.output_dir.as_ref().map(|folder| folder.join(name()));
            if let Some(other) = output.clone().and_then(|output| taken.insert(output, input)) {
                usage(&format!("{} and {} would have one result file", other.display(), input.display()));
            }
            let output = output.or_else(|| self.output.clone());
            if output.as_deref().is_some_and(|output| is_same_file(input, output)) {
                usage(&format!("{} would be replaced by its own result; name another output", input.display()));
            }
            jobs.push(Job { input: Some(input.clone()), output, layout, encoding: self.encoding });
        }
        if let Some(folder) = &self.output_dir {
            fs::create_dir_all(folder).map_err(WriteError::at(&folder.display().to_string()))?;
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

/// Counts the documents that can't be read: one alone ends the program, of several the others are none the worse for it.
pub struct Unread {
    documents: usize,
    failed: usize,
    verbose: bool,
}

impl Unread {
    /// Of `jobs`, none yet.
    pub fn new(jobs: &[Job], common: &Common) -> Self {
        Self { documents: jobs.len(), failed: 0, verbose: common.verbose }
    }

    /// Reports a document that is to be left out, or gives the error back if it is the only one.
    pub fn add(&mut self, error: DocumentError) -> Result<(), DocumentError> {
        if self.documents == 1 {
            return Err(error);
        }
        report(&error, self.verbose);
        self.failed += 1;
        Ok(())
    }

    /// Fails if any has been left out.
    pub fn finish(self) -> Result<(), Incomplete> {
        let Self { documents, failed, .. } = self;
        if failed > 0 { Err(Incomplete { failed, documents }) } else { Ok(()) }
    }
}

/// Some of several documents can't be read; each has been reported.
#[derive(Debug, Error)]
#[error("{failed} of {documents} documents have no result; those of the others are written")]
pub struct Incomplete {
    failed: usize,
    documents: usize,
}

/// Finds what is wrong with an input before a model is loaded for it. Pipes are left alone: what is in one can be read
/// once.
fn check(path: &Path) -> Result<(), DocumentError> {
    let cannot = |source| DocumentError::Read { name: path.display().to_string(), source };
    let kind = fs::metadata(path).map_err(cannot)?;
    if kind.is_dir() {
        return Err(DocumentError::Folder { path: path.to_owned() });
    }
    if kind.is_file() {
        File::open(path).map_err(cannot)?;
    }
    Ok(())
}

/// `release.txt` becomes `release.en.txt`, unless another `extension` is given.
fn output_name(input: &Path, target: &str, extension: Option<&str>) -> OsString {
    let mut name = OsString::from(input.file_stem().unwrap_or_default());
    name.push(format!(".{target}"));
    if let Some(extension) = extension.map(OsStr::new).or(input.extension()) {
        name.push(".");
        name.push(extension);
    }
    name
}

fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}

/// Whether both paths lead to one existing file.
fn is_same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Ends the program as clap does for wrong usage, with status 2.
pub fn usage(message: &str) -> ! {
    Cli::command().error(ErrorKind::ArgumentConflict, message).exit()
}

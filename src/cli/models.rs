//! `translate models`: the registry and the cache.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use thiserror::Error;
use translate::hub::{self, HubOptions, ModelFolder, Progress};
use translate::registry::{self, ModelRef, ModelSpec, Registry, RepoId, Revision};

/// `translate models …`
#[derive(Debug, Args)]
pub struct ModelsArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the known models, and which of them are in the cache
    List,
    /// Fetch models, or bring cached ones up to date; every file's checksum is verified
    Pull {
        /// Registry name or org/repo, either with @revision
        #[arg(required = true, value_name = "MODEL")]
        models: Vec<String>,
    },
    /// Show what is known of a model: licence, size, and the cached commit and files
    Show {
        /// Registry name or org/repo, either with @revision, or a local folder
        #[arg(value_name = "MODEL")]
        model: String,
        /// Read every cached file and compare its checksum with the recorded one
        #[arg(long)]
        verify: bool,
    },
    /// Remove models from the cache, which Python programs share
    Remove {
        /// Registry name or org/repo
        #[arg(required = true, value_name = "MODEL")]
        models: Vec<String>,
    },
}

/// Why a `models` command failed.
#[derive(Debug, Error)]
pub enum Error {
    /// The model asked for.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// The hub or the cache.
    #[error(transparent)]
    Hub(#[from] hub::Error),
    /// Standard output.
    #[error("cannot write the result: {0}")]
    Write(#[from] io::Error),
}

/// Runs the command; results go to `out`, progress to `progress`.
pub fn run(
    args: &ModelsArgs,
    registry: &Registry,
    options: &HubOptions,
    progress: &mut dyn Progress,
    out: &mut dyn Write,
) -> Result<(), Error> {
    match &args.command {
        Command::List => list(registry, options, out),
        Command::Pull { models } => models.iter().try_for_each(|model| {
            let model = ModelRef::parse(model, registry)?;
            let folder = hub::pull(&model, options, progress)?;
            pulled(&model, &folder, out)
        }),
        Command::Show { model, verify } => {
            show(&ModelRef::parse(model, registry)?, *verify, registry, options, progress, out)
        }
        Command::Remove { models } => models.iter().try_for_each(|model| {
            let model = ModelRef::parse(model, registry)?;
            let bytes = hub::remove(&model, options)?;
            writeln!(out, "removed {}: {} freed", model.name(), size(bytes))?;
            Ok(())
        }),
    }
}

fn list(registry: &Registry, options: &HubOptions, out: &mut dyn Write) -> Result<(), Error> {
    let cached = hub::cached_repos(options);
    let mut rows = vec![["NAME", "TASK", "LANGUAGES", "DOWNLOAD", "LICENCE", "CACHED"].map(str::to_owned).to_vec()];
    let mark = |repo: &RepoId| if cached.contains(repo) { "yes" } else { "no" }.to_owned();
    for spec in registry.models() {
        let default = if registry.is_default(spec) { " (default)" } else { "" };
        rows.push(vec![
            format!("{}{default}", spec.name),
            spec.task.to_string(),
            spec.pairs().collect::<Vec<_>>().join(" "),
            spec.repo.as_ref().map_or_else(|| "-".to_owned(), |_| format!("{} MB", spec.download_mb)),
            licence(spec),
            spec.repo.as_ref().map_or_else(|| built_in().to_owned(), mark),
        ]);
    }
    let known = |repo: &RepoId| registry.models().iter().any(|spec| spec.repo.as_ref() == Some(repo));
    for repo in cached.iter().filter(|repo| !known(repo)) {
        let blank = || "-".to_owned();
        rows.push(vec![repo.to_string(), blank(), blank(), blank(), blank(), mark(repo)]);
    }
    table(&rows, out)?;
    for spec in registry.models() {
        write!(out, "\n{}: {}", spec.name, spec.advice)?;
    }
    writeln!(out)?;
    Ok(())
}

fn pulled(model: &ModelRef, folder: &ModelFolder, out: &mut dyn Write) -> Result<(), Error> {
    let Some(commit) = &folder.provenance.commit else {
        writeln!(out, "{} is built into the program: there is nothing to fetch", model.name())?;
        return Ok(());
    };
    writeln!(out, "{} is complete and verified at commit {commit}", model.name())?;
    Ok(())
}

fn show(
    model: &ModelRef,
    verify: bool,
    registry: &Registry,
    options: &HubOptions,
    progress: &mut dyn Progress,
    out: &mut dyn Write,
) -> Result<(), Error> {
    writeln!(out, "{}", model.name())?;
    match model {
        ModelRef::Folder(_) => return show_folder(&hub::fetch(model, options, progress)?, out),
        ModelRef::Registry(spec) => {
            show_spec(spec, registry.is_default(spec), out)?;
            if spec.repo.is_none() {
                return Ok(());
            }
        }
        ModelRef::Repo { repo, revision } => show_source(repo, revision, out)?,
    }
    let Some(found) = hub::cached(model, options, progress)? else {
        writeln!(out, "cached      no; `translate models pull {}` fetches it", model.command_name())?;
        return Ok(());
    };
    writeln!(out, "commit      {}", found.folder.provenance.commit.as_deref().unwrap_or("-"))?;
    writeln!(out, "cached      {}\n", size(found.files.iter().map(|file| file.size).sum()))?;
    let rows: Vec<Vec<String>> =
        found.files.iter().map(|file| vec![file.name.clone(), file.size.to_string(), file.sha256.clone()]).collect();
    let head = ["FILE", "BYTES", "SHA256"].map(str::to_owned).to_vec();
    table(&[vec![head], rows].concat(), out)?;
    if verify {
        hub::verify(model, options, progress)?;
        writeln!(out, "\nall {} files are as downloaded", found.files.len())?;
    }
    Ok(())
}

fn show_spec(spec: &ModelSpec, default: bool, out: &mut dyn Write) -> io::Result<()> {
    match &spec.repo {
        Some(repo) => show_source(repo, &spec.revision, out)?,
        None => writeln!(out, "built in    {}", built_in())?,
    }
    writeln!(out, "task        {}", spec.task)?;
    writeln!(out, "languages   {}", spec.pairs().collect::<Vec<_>>().join(" "))?;
    writeln!(out, "licence     {}", licence(spec))?;
    if spec.repo.is_some() {
        writeln!(out, "download    {} MB", spec.download_mb)?;
    }
    writeln!(out, "memory      {} MB", spec.memory_mb)?;
    writeln!(out, "advice      {}", spec.advice)?;
    if default { writeln!(out, "default     yes") } else { Ok(()) }
}

fn licence(spec: &ModelSpec) -> String {
    let limit = if spec.forbids_commercial_use() { " (no commercial use)" } else { "" };
    format!("{}{limit}", spec.licence)
}

fn show_source(repo: &RepoId, revision: &Revision, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "repository  {repo}\nrevision    {revision}")
}

fn show_folder(folder: &ModelFolder, out: &mut dyn Write) -> Result<(), Error> {
    for file in folder.weights() {
        writeln!(out, "weights     {} ({})", file.path().display(), size(file.size()?))?;
    }
    Ok(())
}

/// Where the built-in model is.
fn built_in() -> &'static str {
    if hub::starter::IS_BUILT_IN { "built in" } else { "not in this build" }
}

/// Columns side by side, two blanks between them.
fn table(rows: &[Vec<String>], out: &mut dyn Write) -> io::Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// Bytes for people, in decimal units as the hub shows them.
fn size(bytes: u64) -> String {
    indicatif::DecimalBytes(bytes).to_string()
}

//! The command line: one file for each command, with its flags and its printing.

mod bench;
mod chart;
mod env;
mod eval;
mod jobs;
mod load;
mod models;
mod options;
mod output;
mod progress;
mod summarize;
mod translate;

use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

/// Translate Arabic documents to English with an open model that runs on this machine.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    translate: translate::TranslateArgs,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write an English headline and summary of each release
    Summarize(Box<summarize::SummarizeArgs>),
    /// Measure speed, latency and memory
    Bench(Box<bench::BenchArgs>),
    /// Score translations by references: BLEU and chrF as sacreBLEU computes them, ROUGE as rouge_score does
    Eval(Box<eval::EvalArgs>),
    /// The known models and the cached ones
    Models(models::ModelsArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Flags of every command.
#[derive(Debug, clap::Args)]
pub struct Common {
    /// Add the models of this file to the known ones
    #[arg(long, global = true, value_name = "FILE", help_heading = "Models")]
    models_file: Option<PathBuf>,
    /// Never touch the network
    #[arg(long, global = true, help_heading = "Models")]
    offline: bool,
    /// Fetch models, too, whose licence forbids commercial use
    #[arg(long, global = true, help_heading = "Models")]
    accept_license: bool,
    /// Show no progress
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say what is done, and with errors what caused them
    #[arg(short, long, global = true)]
    verbose: bool,
}

type Failure = Box<dyn Error>;

impl Cli {
    /// Runs the command. Errors are printed, on standard error.
    pub fn run(self) -> ExitCode {
        let verbose = self.common.verbose;
        match self.dispatch() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) if is_closed_pipe(&*error) => ExitCode::SUCCESS,
            Err(error) => {
                report(&*error, verbose);
                ExitCode::FAILURE
            }
        }
    }

    fn dispatch(self) -> Result<(), Failure> {
        match &self.command {
            None => translate::run(&self.translate, &self.common),
            Some(Command::Summarize(args)) => summarize::run(args, &self.common),
            Some(Command::Bench(args)) => bench::run(args, &self.common),
            Some(Command::Eval(args)) => eval::run(args, &self.common),
            Some(Command::Models(args)) => {
                let registry = env::registry(self.common.models_file.as_deref())?;
                let hub = env::hub_options(&self.common)?;
                let mut bar = progress::DownloadBar::new(self.common.quiet);
                Ok(models::run(args, &registry, &hub, &mut bar, &mut io::stdout().lock())?)
            }
            Some(Command::Completions { shell }) => {
                let mut script = Vec::new();
                clap_complete::generate(*shell, &mut Cli::command(), "translate", &mut script);
                Ok(io::stdout().write_all(&script)?)
            }
        }
    }
}

/// Whether the reader of standard output has gone, as in `translate … | head`: no failure of ours.
fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            return true;
        }
        cause = error.source();
    }
    false
}

fn report(error: &(dyn Error + 'static), verbose: bool) {
    let mut text = format!("error: {error}\n");
    let mut cause = error.source().filter(|_| verbose);
    while let Some(error) = cause {
        text += &format!("  caused by: {error}\n");
        cause = error.source();
    }
    // Where even standard error is closed, the exit status still tells.
    let _ = io::stderr().write_all(text.as_bytes());
}

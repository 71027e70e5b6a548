//! The command line.

mod cli;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Add the models of this file to the known ones
    #[arg(long, global = true, value_name = "FILE")]
    models_file: Option<PathBuf>,
    /// Never touch the network
    #[arg(long, global = true)]
    offline: bool,
    /// Show no progress
    #[arg(short, long, global = true)]
    quiet: bool,
}

#[derive(Subcommand)]
enum Command {
    /// The known models and the cached ones
    Models(cli::models::ModelsArgs),
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let registry = cli::env::registry(arguments.models_file.as_deref())?;
    let options = cli::env::hub_options(arguments.offline)?;
    let mut bar = cli::progress::DownloadBar::new(arguments.quiet);
    let Command::Models(models) = &arguments.command;
    Ok(cli::models::run(models, &registry, &options, &mut bar, &mut std::io::stdout().lock())?)
}

//! `translate bench`: how fast, how much memory, and where the time goes.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use thiserror::Error;
use translate::bench::{Measurement, Plan, Settings, measure, measure_summaries};
use translate::decode::GenerationConfig;
use translate::kernels::Arithmetic;
use translate::release::Release;
use translate::translator::{Device, Translator};

use super::chart::{self, Bar};
use super::load::load;
use super::options::PrecisionArg;
use super::output::{Output, WriteError};
use super::{Common, Failure, env};

/// What is translated where no input is given.
const TEXT: &str = include_str!("../../examples/port.txt");

/// What is summarised.
const RELEASES: [&str; 4] = [
    TEXT,
    include_str!("../../examples/earnings.txt"),
    include_str!("../../examples/final.txt"),
    include_str!("../../examples/wire.txt"),
];

/// `translate bench [OPTIONS]`
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Model: registry name, org/repo[@revision], or folder
    #[arg(short, long, value_name = "NAME", env = "TRANSLATE_MODEL")]
    model: Option<String>,
    /// Text to translate, one segment a line [default: a built-in press release]
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Take the first N lines only
    #[arg(long, value_name = "N", value_parser = at_least_one())]
    sentences: Option<usize>,
    /// Decode every segment to exactly N tokens: fixed work, to compare engines by
    #[arg(long, value_name = "N", value_parser = at_least_one())]
    fixed_length: Option<usize>,
    /// Timed runs
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = at_least_one())]
    runs: usize,
    /// Segments to measure one by one for the latency
    #[arg(long, value_name = "N", default_value_t = 20)]
    latencies: usize,
    /// Measure headlines and summaries too: of N short releases, all together and one by one
    #[arg(long, value_name = "N", value_parser = at_least_one())]
    summaries: Option<usize>,
    /// Beam widths to measure [default: the model's own]
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = at_least_one())]
    beam_size: Vec<usize>,
    /// Numbers of threads to measure [default: one for each core]
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = at_least_one())]
    threads: Vec<usize>,
    /// Batch sizes in source tokens to measure [default: the program's choice]
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = at_least_one())]
    batch_tokens: Vec<usize>,
    /// Number formats to measure
    #[arg(long, value_name = "FORMAT,…", value_delimiter = ',', value_enum, default_value = "auto")]
    precision: Vec<PrecisionArg>,
    /// Devices to measure
    #[arg(long, value_name = "DEVICE,…", value_delimiter = ',', default_value = "auto")]
    device: Vec<Device>,
    /// Write the results as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draw the rates, and those compared with, as an SVG chart
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Show the ratios to earlier results, or to what another engine's script printed
    #[arg(long, value_name = "FILE.json")]
    compare: Option<PathBuf>,
}

/// Why a bench failed before it measured.
#[derive(Debug, Error)]
enum BenchError {
    #[error("{path} can't be read: {source}", path = path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} holds no results of a bench: {source}", path.display())]
    Results { path: PathBuf, source: serde_json::Error },
    #[error("{} has no lines to translate", path.display())]
    Empty { path: PathBuf },
    #[error("the chart can't be drawn: {0}")]
    Chart(Box<dyn std::error::Error + Send + Sync>),
}

fn at_least_one() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..)
}

/// Runs the command.
pub fn run(args: &BenchArgs, common: &Common) -> Result<(), Failure> {
    let earlier = args.compare.as_deref().map(read_results).transpose()?;
    let segments = args.segments()?;
    let mut results = Vec::new();
    let mut out = io::stdout().lock();
    for setting in args.settings() {
        let measurement = args.measure(&setting, &segments, common)?;
        print(&mut out, &measurement, earlier.as_deref().unwrap_or_default())?;
        results.push(measurement);
    }
    if let Some(path) = &args.json {
        let mut file = Output::open(Some(path))?;
        serde_json::to_writer_pretty(&mut file, &results)?;
        writeln!(file).map_err(WriteError::at(&path.display().to_string()))?;
        file.finish()?;
    }
    if let Some(path) = &args.plot {
        let earlier = earlier.iter().flatten().map(|measurement| bar(measurement, true));
        let bars: Vec<Bar> = results.iter().map(|measurement| bar(measurement, false)).chain(earlier).collect();
        let chart = chart::draw("translate bench", "target tokens a second", &bars).map_err(BenchError::Chart)?;
        let mut file = Output::open(Some(path))?;
        file.write_all(chart.as_bytes()).map_err(WriteError::at(&path.display().to_string()))?;
        file.finish()?;
    }
    Ok(())
}

fn bar(measurement: &Measurement, earlier: bool) -> Bar {
    let Measurement { engine, compute, beam, device, threads, .. } = measurement;
    let batch = measurement.batch_tokens.map(|tokens| format!(", {tokens} a batch")).unwrap_or_default();
    let name = format!("{engine}, {compute}, beam {beam}, {device}, {threads} threads{batch}");
    Bar { name, rate: measurement.target_tokens_per_s, earlier }
}

/// One point of a sweep.
struct Setting {
    device: Device,
    precision: PrecisionArg,
    threads: Option<usize>,
    batch_tokens: Option<usize>,
    beam_size: Option<usize>,
}

impl BenchArgs {
    fn segments(&self) -> Result<Vec<String>, BenchError> {
        let read =
            |path: &PathBuf| fs::read_to_string(path).map_err(|source| BenchError::Read { path: path.clone(), source });
        let text = self.input.as_ref().map_or_else(|| Ok(TEXT.to_owned()), read)?;
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let segments: Vec<String> = lines.take(self.sentences.unwrap_or(usize::MAX)).map(str::to_owned).collect();
        match &self.input {
            Some(path) if segments.is_empty() => Err(BenchError::Empty { path: path.clone() }),
            _ => Ok(segments),
        }
    }

    /// Every combination of what was listed.
    fn settings(&self) -> Vec<Setting> {
        let mut settings = Vec::new();
        for device in &self.device {
            for precision in &self.precision {
                for threads in or_default(&self.threads) {
                    for batch_tokens in or_default(&self.batch_tokens) {
                        for beam_size in or_default(&self.beam_size) {
                            let (device, precision) = (*device, *precision);
                            settings.push(Setting { device, precision, threads, batch_tokens, beam_size });
                        }
                    }
                }
            }
        }
        settings
    }

    fn measure(&self, setting: &Setting, segments: &[String], common: &Common) -> Result<Measurement, Failure> {
        let generation = GenerationConfig {
            num_beams: setting.beam_size,
            max_new_tokens: self.fixed_length,
            min_length: self.fixed_length.map(|length| length.saturating_add(1)),
            ..GenerationConfig::default()
        };
        let mut builder = Translator::builder()
            .registry(env::registry(common.models_file.as_deref())?)
            .device(setting.device)
            .precision(setting.precision.into())
            .generation(generation)
            // Work that is to be equal must not be mended; what the model may write is the program's choice all the same.
            .exact(self.fixed_length.is_some())
            .whole_vocabulary(false)
            .every_hypothesis(self.summaries.is_some());
        if let Some(model) = &self.model {
            builder = builder.model(model);
        }
        if let Some(threads) = setting.threads {
            builder = builder.threads(threads);
        }
        if let Some(tokens) = setting.batch_tokens {
            builder = builder.batch_tokens(tokens);
        }
        let started = Instant::now();
        let translator = load(builder, common)?;
        let settings = Settings {
            compute: setting.precision.name().to_owned(),
            device: setting.device.to_string(),
            batch_tokens: setting.batch_tokens,
            arithmetic: match (setting.device, setting.precision) {
                (Device::Cuda(_) | Device::Metal, _) => None,
                (_, PrecisionArg::Int8) => Some(Arithmetic::Int8),
                _ => Some(Arithmetic::F32),
            },
            load: started.elapsed(),
        };
        let plan = Plan { runs: self.runs, latencies: self.latencies };
        let mut measurement = measure(&translator, segments, plan, &settings)?;
        if let Some(count) = self.summaries {
            let releases: Vec<Release> = RELEASES.iter().cycle().take(count).map(|text| Release::parse(text)).collect();
            measurement.summaries_per_s = Some(measure_summaries(&translator, &releases)?);
        }
        Ok(measurement)
    }
}

fn or_default(values: &[usize]) -> Vec<Option<usize>> {
    if values.is_empty() { vec![None] } else { values.iter().copied().map(Some).collect() }
}

/// One result, or a list of them, or one a line.
fn read_results(path: &Path) -> Result<Vec<Measurement>, BenchError> {
    let text = fs::read_to_string(path).map_err(|source| BenchError::Read { path: path.to_owned(), source })?;
    let list = serde_json::from_str::<Vec<Measurement>>(&text);
    let lines = || text.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str).collect();
    list.or_else(|_| lines()).map_err(|source| BenchError::Results { path: path.to_owned(), source })
}

fn print(out: &mut impl Write, result: &Measurement, earlier: &[Measurement]) -> io::Result<()> {
    let Measurement { compute, beam, device, threads, .. } = result;
    let batch = result.batch_tokens.map(|tokens| format!(", batches of {tokens} tokens")).unwrap_or_default();
    writeln!(out, "{compute}, beam {beam}, {device}, {threads} threads{batch}")?;
    let mut row = |name: &str, value: String| writeln!(out, "  {name:<20}{value}");
    let spread = result.range_s.map(|(low, high)| format!(" ({low:.2} to {high:.2})")).unwrap_or_default();
    row("load", format!("{:.2} s", result.load_s))?;
    if let Some(first) = result.first_segment_s {
        row("first segment", format!("{first:.2} s"))?;
    }
    row("run", format!("{:.2} s{spread}", result.median_s))?;
    row("segments", format!("{} = {:.1}/s", result.sentences, result.sentences_per_s))?;
    row("source tokens", format!("{:.0}/s", result.source_tokens_per_s))?;
    row("target tokens", format!("{:.0}/s", result.target_tokens_per_s))?;
    if let Some(words) = result.words_per_s {
        row("source words", format!("{words:.0}/s"))?;
    }
    if let Some([p50, p95, p99]) = result.latency_s {
        row("latency", format!("p50 {p50:.3} s, p95 {p95:.3} s, p99 {p99:.3} s"))?;
    }
    if let Some(memory) = result.peak_memory_mb {
        row("peak memory", format!("{memory:.0} MB"))?;
    }
    if let Some((reached, peak)) = result.gops {
        row("matrix products", format!("{reached:.0} of {peak:.0} GOP/s = {:.0} %", 100.0 * reached / peak))?;
    }
    if let Some([together, one_by_one]) = result.summaries_per_s {
        let ratio = together / one_by_one;
        row("summaries", format!("{together:.1}/s together, {one_by_one:.1}/s one by one = {ratio:.2} times"))?;
    }
    for (stage, share) in &result.stages {
        row(stage, format!("{:.1} %", 100.0 * share))?;
    }
    for other in earlier.iter().filter(|other| other.beam == *beam && other.sentences == result.sentences) {
        let ratio = result.target_tokens_per_s / other.target_tokens_per_s;
        writeln!(out, "  {ratio:.2} times the target tokens a second of {} {}", other.engine, other.compute)?;
    }
    Ok(())
}

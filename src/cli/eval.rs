//! `translate eval`: how close translations come to references.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use translate::document::{DocumentError, Encoding, Lines, Part, Segment};
use translate::metrics::{Comparison, Corpus, Estimate, Evaluation, Metric, Parts, RESAMPLES, Rouge, Score, TestSet};
use translate::translator::Translator;

use super::load::load;
use super::options::{ModelArgs, SearchArgs};
use super::output::{Output, WriteError};
use super::progress::Meter;
use super::{Common, Failure, env};

/// `translate eval --reference FILE [OPTIONS] [INPUT]`
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// Source text to translate and score, one segment a line; `-` or none: standard input
    #[arg(value_name = "INPUT", conflicts_with = "hypothesis")]
    input: Option<PathBuf>,
    /// Reference translation, line by line; more of them are alternatives
    #[arg(short, long, value_name = "FILE", required = true)]
    reference: Vec<PathBuf>,
    /// Score this translation rather than making one; `-`: standard input
    #[arg(long, value_name = "FILE")]
    hypothesis: Option<PathBuf>,
    /// Tell whether the difference to this translation is significant
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Metrics
    #[arg(long, value_enum, value_name = "METRIC,…", value_delimiter = ',', default_value = "bleu,chrf,chrf++")]
    metrics: Vec<MetricArg>,
    /// ROUGE: compare words by their stems, as most published figures of summaries do
    #[arg(long)]
    stem: bool,
    /// Decimals of scores
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(..=12))]
    decimals: u8,
    /// Print JSON, with the scores of every segment
    #[arg(long)]
    json: bool,
    /// Encoding of all files, such as windows-1256 [default: detected]
    #[arg(long, value_name = "ENCODING")]
    encoding: Option<Encoding>,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    search: SearchArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum MetricArg {
    /// Word n-grams
    Bleu,
    /// Character n-grams
    Chrf,
    /// Character n-grams and words
    #[value(name = "chrf++")]
    ChrfPlusPlus,
    /// Of summaries: words
    Rouge1,
    /// Of summaries: pairs of words
    Rouge2,
    /// Of summaries: the longest common sequence of words
    #[value(name = "rougel")]
    RougeL,
}

impl MetricArg {
    fn metric(self, stemmed: bool) -> Metric {
        match self {
            Self::Bleu => Metric::Bleu,
            Self::Chrf => Metric::Chrf,
            Self::ChrfPlusPlus => Metric::ChrfPlusPlus,
            Self::Rouge1 => Metric::Rouge { rouge: Rouge::One, stemmed },
            Self::Rouge2 => Metric::Rouge { rouge: Rouge::Two, stemmed },
            Self::RougeL => Metric::Rouge { rouge: Rouge::L, stemmed },
        }
    }
}

/// A system beside the references.
struct Report {
    test_set: TestSet,
    /// Where the system's output was made here: of what, and by which model.
    made: Option<Made>,
    system: Corpus,
    baseline: Option<Corpus>,
    results: Vec<MetricResult>,
}

/// A translation's source and the model that made it.
struct Made {
    source: Corpus,
    model: String,
}

/// What one metric says.
struct MetricResult {
    metric: Metric,
    evaluation: Evaluation,
    comparison: Option<Comparison>,
}

/// Runs the command.
pub fn run(args: &EvalArgs, common: &Common) -> Result<(), Failure> {
    let report = args.report(common)?;
    let mut out = Output::open(None)?;
    let written =
        if args.json { report.write_json(&mut out) } else { report.write_text(&mut out, args.decimals.into()) };
    written.map_err(WriteError::at(&out.place()))?;
    Ok(out.finish()?)
}

impl EvalArgs {
    fn report(&self, common: &Common) -> Result<Report, Failure> {
        let references = self.reference.iter().map(|path| self.read(Some(path))).collect::<Result<_, _>>()?;
        let test_set = TestSet::new(references)?;
        let baseline = self.baseline.as_deref().map(|path| self.read(Some(path))).transpose()?;
        // What can be found wrong before a translation of hours is.
        baseline.iter().try_for_each(|baseline| test_set.check(baseline))?;
        let (made, system) = match &self.hypothesis {
            Some(path) => (None, self.read(Some(path))?),
            None => {
                let source = self.read(self.input.as_deref())?;
                test_set.check(&source)?;
                let (system, model) = self.translate(&source, common)?;
                (Some(Made { source, model }), system)
            }
        };
        let mut results = Vec::new();
        for metric in self.metrics.iter().map(|metric| metric.metric(self.stem)) {
            let evaluation = test_set.evaluate(metric, &system)?;
            let compare = |baseline| test_set.compare(metric, &system, baseline);
            results.push(MetricResult { metric, evaluation, comparison: baseline.as_ref().map(compare).transpose()? });
        }
        Ok(Report { test_set, made, system, baseline, results })
    }

    /// The lines of a file, or of standard input.
    fn read(&self, path: Option<&Path>) -> Result<Corpus, DocumentError> {
        let path = path.filter(|path| *path != Path::new("-"));
        let name = path.map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
        let input: Box<dyn Read> = match path {
            None => Box::new(io::stdin().lock()),
            Some(path) if path.is_dir() => return Err(DocumentError::Folder { path: path.to_owned() }),
            Some(path) => match File::open(path) {
                Ok(file) => Box::new(file),
                Err(source) => return Err(DocumentError::Read { name, source }),
            },
        };
        let lines = Lines::new(name.clone(), input, self.encoding).map(|line| Ok(line?.text));
        Ok(Corpus::new(name, lines.collect::<Result<_, _>>()?))
    }

    /// The translation of each segment, as `translate --lines` makes it, and what names the model.
    fn translate(&self, source: &Corpus, common: &Common) -> Result<(Corpus, String), Failure> {
        let builder = Translator::builder().generation(self.search.generation());
        let registry = env::registry(common.models_file.as_deref())?;
        let translator = load(self.model.apply(registry, builder), common)?;
        let meter = Meter::new(common.quiet, std::iter::once(self.input.as_deref()));
        let segments = (1..).zip(source.segments()).map(|(paragraph, text)| {
            (Part::Segment(Segment { text: text.clone(), paragraph, number: 1 }), text.clone())
        });
        let mut hypotheses = Vec::new();
        for result in translator.stream(segments) {
            let (part, translation) = result?;
            meter.add(&part, &translation);
            hypotheses.push(translation.text);
        }
        meter.finish(common.verbose);
        Ok((Corpus::new(format!("the translation of {}", source.name()), hypotheses), translator.model().to_string()))
    }
}

impl Report {
    /// The lines that sacreBLEU prints, and below them how the system compares with the baseline.
    fn write_text(&self, out: &mut impl Write, decimals: usize) -> io::Result<()> {
        let lines = self.results.iter().map(|MetricResult { metric, evaluation, .. }| {
            (format!("{}|{}", metric.name(), evaluation.signature), evaluation.score.text(decimals))
        });
        write_aligned(out, &lines.collect::<Vec<_>>())?;
        let Some(baseline) = &self.baseline else { return Ok(()) };
        writeln!(out, "\nAgainst the baseline {}:", baseline.name())?;
        let lines = self.results.iter().filter_map(|MetricResult { metric, comparison, .. }| {
            let Comparison { system, baseline, p_value, signature } = comparison.as_ref()?;
            let mark = if comparison.as_ref()?.is_significant() { "*" } else { "" };
            let (system, baseline) = (estimate(system, decimals), estimate(baseline, decimals));
            Some((format!("{}|{signature}", metric.name()), format!("{system}, {baseline}, p = {p_value:.4}{mark}")))
        });
        write_aligned(out, &lines.collect::<Vec<_>>())?;
        writeln!(
            out,
            "System, baseline (mean ± half the 95 % interval of {RESAMPLES} resamples), probability of the difference by \
             chance (* significant: at most 0.05)."
        )
    }

    fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, &self.json())?;
        writeln!(out)
    }

    fn json(&self) -> Value {
        let references: Vec<&Corpus> = self.test_set.references().collect();
        let names: Vec<&str> = references.iter().map(|reference| reference.name()).collect();
        let scores: Vec<Value> = self.results.iter().map(MetricResult::json).collect();
        let segments: Vec<Value> = (0..self.system.segments().len()).map(|at| self.segment(at, &references)).collect();
        json!({
            "hypothesis": self.system.name(),
            "model": self.made.as_ref().map(|made| &made.model),
            "references": names,
            "baseline": self.baseline.as_ref().map(Corpus::name),
            "scores": scores,
            "segments": segments,
        })
    }

    fn segment(&self, at: usize, references: &[&Corpus]) -> Value {
        let text = |corpus: &Corpus| corpus.segments().get(at).cloned();
        let mut segment = serde_json::Map::new();
        segment.insert("segment".to_owned(), json!(at + 1));
        if let Some(made) = &self.made {
            segment.insert("source".to_owned(), json!(text(&made.source)));
        }
        segment.insert("hypothesis".to_owned(), json!(text(&self.system)));
        segment.insert("references".to_owned(), references.iter().map(|reference| json!(text(reference))).collect());
        for MetricResult { metric, evaluation, .. } in &self.results {
            let value = evaluation.segments.get(at).map(|score| score.value);
            segment.insert(metric.name().to_owned(), json!(value));
        }
        segment.into()
    }
}

impl MetricResult {
    fn json(&self) -> Value {
        let Evaluation { score, signature, segment_signature, .. } = &self.evaluation;
        let Score { value, parts } = score;
        let mut result = json!({
            "name": self.metric.name(),
            "score": value,
            "signature": signature.to_string(),
            "segment_signature": segment_signature.to_string(),
        });
        match parts {
            Parts::Bleu(parts) => {
                result["verbose_score"] = json!(parts.to_string());
                result["precisions"] = json!(parts.precisions);
                result["brevity_penalty"] = json!(parts.brevity_penalty);
                result["hypothesis_length"] = json!(parts.hypothesis_length);
                result["reference_length"] = json!(parts.reference_length);
            }
            Parts::Chrf => {}
            Parts::Rouge { precision, recall } => {
                result["precision"] = json!(precision);
                result["recall"] = json!(recall);
            }
        }
        if let Some(Comparison { system, baseline, p_value, signature }) = &self.comparison {
            let estimate = |Estimate { score, mean, interval }: &Estimate| json!({ "score": score, "mean": mean, "interval": interval });
            result["comparison"] = json!({
                "p_value": p_value,
                "system": estimate(system),
                "baseline": estimate(baseline),
                "signature": signature.to_string(),
            });
        }
        result
    }
}

fn estimate(Estimate { score, mean, interval }: &Estimate, decimals: usize) -> String {
    format!("{score:.decimals$} ({mean:.decimals$} ± {interval:.decimals$})")
}

/// Lines of what is measured and its value, the `=` between them in one column.
fn write_aligned(out: &mut impl Write, lines: &[(String, String)]) -> io::Result<()> {
    let width = lines.iter().map(|(left, _)| left.len()).max().unwrap_or(0);
    lines.iter().try_for_each(|(left, right)| writeln!(out, "{left:>width$} = {right}"))
}

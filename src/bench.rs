//! The measuring loop behind `translate bench`.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::kernels::{Arithmetic, matrix_peak};
use crate::profile;
use crate::release::Release;
use crate::summarizer::Summarizer;
use crate::translator::{TranslateError, Translation, Translator};

/// What one set of settings was measured to do. Rates are of the median run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Program and version.
    pub engine: String,
    /// Number format.
    pub compute: String,
    /// Beam width.
    pub beam: usize,
    /// Device.
    pub device: String,
    /// Threads that work at once.
    pub threads: usize,
    /// Most source tokens in a batch; absent for the program's own choice.
    #[serde(default)]
    pub batch_tokens: Option<usize>,
    /// Segments of the work.
    pub sentences: usize,
    /// Seconds to load the model.
    pub load_s: f64,
    /// Seconds from the call to the first translation.
    #[serde(default)]
    pub first_segment_s: Option<f64>,
    /// Seconds of a run: the median.
    pub median_s: f64,
    /// Seconds of the fastest and the slowest run.
    #[serde(default)]
    pub range_s: Option<(f64, f64)>,
    /// Segments a second.
    pub sentences_per_s: f64,
    /// Source tokens a second.
    pub source_tokens_per_s: f64,
    /// Target tokens a second.
    pub target_tokens_per_s: f64,
    /// Source words a second.
    #[serde(default)]
    pub words_per_s: Option<f64>,
    /// Seconds that a segment by itself takes: 50th, 95th and 99th percentile.
    #[serde(default)]
    pub latency_s: Option<[f64; 3]>,
    /// Peak memory of the process so far, in MB, where the system tells.
    #[serde(default)]
    pub peak_memory_mb: Option<f64>,
    /// 10^9 operations a second in matrix products, and the machine's peak in the same arithmetic and threads.
    #[serde(default)]
    pub gops: Option<(f64, f64)>,
    /// Share of the threads' time in each stage.
    #[serde(default)]
    pub stages: Vec<(String, f64)>,
    /// Releases summarised a second, all together and one by one; see [`measure_summaries`].
    #[serde(default)]
    pub summaries_per_s: Option<[f64; 2]>,
}

/// How to measure.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Timed runs, 1 or more.
    pub runs: usize,
    /// Segments whose latency is measured one by one; 0 for none.
    pub latencies: usize,
}

/// What is known of the settings, for the record.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Number format by name.
    pub compute: String,
    /// Device by name.
    pub device: String,
    /// Most source tokens in a batch, where stated.
    pub batch_tokens: Option<usize>,
    /// Arithmetic to measure the peak in; `None` where the CPU does not do the work.
    pub arithmetic: Option<Arithmetic>,
    /// Seconds that loading took.
    pub load: Duration,
}

/// Runs `segments` through the translator: once to warm up, then as often as the plan says, then one by one.
pub fn measure(
    translator: &Translator,
    segments: &[String],
    plan: Plan,
    settings: &Settings,
) -> Result<Measurement, TranslateError> {
    let warm_up = segments.get(..segments.len().min(8 * translator.threads())).unwrap_or_default();
    translator.translate_batch(warm_up)?;

    let mut seconds = Vec::new();
    let mut first_segment = 0.0;
    let mut results = Vec::new();
    profile::start();
    let started = Instant::now();
    for _ in 0..plan.runs.max(1) {
        let run = Instant::now();
        let mut stream = translator.translate_iter(segments.iter().cloned());
        let first: Option<Translation> = stream.next().transpose()?;
        first_segment = run.elapsed().as_secs_f64();
        results = first.into_iter().map(Ok).chain(stream).collect::<Result<Vec<_>, TranslateError>>()?;
        seconds.push(run.elapsed().as_secs_f64());
    }
    let total = started.elapsed().as_secs_f64() * translator.threads() as f64;
    let stages = profile::stop();
    seconds.sort_by(f64::total_cmp);
    let median = percentile(&seconds, 50);

    let source: usize = results.iter().map(|result| result.source_ids.len()).sum();
    let target: usize = results.iter().map(|result| result.target_ids.len()).sum();
    let words: usize = segments.iter().map(|segment| segment.split_whitespace().count()).sum();
    let beam = translator.options().num_beams;
    let (per_source, per_row) = translator.products();
    let operations = 2.0 * (source as f64 * per_source as f64 + (target * beam) as f64 * per_row as f64);
    let peak = settings.arithmetic.map(|arithmetic| matrix_peak(arithmetic, translator.threads()));
    Ok(Measurement {
        engine: concat!("translate ", env!("CARGO_PKG_VERSION")).to_owned(),
        compute: settings.compute.clone(),
        beam,
        device: settings.device.clone(),
        threads: translator.threads(),
        batch_tokens: settings.batch_tokens,
        sentences: segments.len(),
        load_s: settings.load.as_secs_f64(),
        first_segment_s: Some(first_segment),
        median_s: median,
        range_s: seconds.first().copied().zip(seconds.last().copied()),
        sentences_per_s: segments.len() as f64 / median,
        source_tokens_per_s: source as f64 / median,
        target_tokens_per_s: target as f64 / median,
        words_per_s: Some(words as f64 / median),
        latency_s: latencies(translator, segments, plan.latencies)?,
        peak_memory_mb: peak_memory_mb(),
        gops: peak.map(|peak| (operations / median / 1e9, peak)),
        stages: stages.into_iter().map(|(stage, time)| (stage.name().to_owned(), time.as_secs_f64() / total)).collect(),
        summaries_per_s: None,
    })
}

/// Headlines and summaries a second, by extraction: of all releases together, and of one after the other.
pub fn measure_summaries(translator: &Translator, releases: &[Release]) -> Result<[f64; 2], TranslateError> {
    let summarizer = Summarizer::new(translator.clone());
    let started = Instant::now();
    summarizer.summarize_batch(releases)?;
    let together = started.elapsed();
    let started = Instant::now();
    for release in releases {
        summarizer.summarize_batch(std::slice::from_ref(release))?;
    }
    Ok([together, started.elapsed()].map(|time| releases.len() as f64 / time.as_secs_f64()))
}

/// Percentiles of the time that segments take one by one, spread over the whole text.
fn latencies(translator: &Translator, segments: &[String], count: usize) -> Result<Option<[f64; 3]>, TranslateError> {
    let mut seconds = Vec::new();
    let step = (segments.len() / count.max(1)).max(1);
    for segment in segments.iter().step_by(step).take(count) {
        let started = Instant::now();
        translator.translate_batch(std::slice::from_ref(segment))?;
        seconds.push(started.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    Ok((!seconds.is_empty()).then(|| [50, 95, 99].map(|percent| percentile(&seconds, percent))))
}

/// The smallest of the sorted values that `percent` per cent of them don't exceed.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}

/// Peak resident memory of this process, from `/proc` on Linux; unknown elsewhere.
fn peak_memory_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = kib.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let values: Vec<f64> = (1..=20).map(f64::from).collect();
        assert_eq!([50, 95, 99].map(|percent| percentile(&values, percent)), [10.0, 19.0, 20.0]);
        assert_eq!(percentile(&[7.0], 50), 7.0);
    }
}

//! Where the time goes: seconds spent in each stage of the pipeline, summed over all threads.
//!
//! Off by default, and then it costs one relaxed load where a stage begins.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A stage of the pipeline. Stages don't overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Text to source ids.
    Tokenize,
    /// The encoder, and the keys and values that it leaves for the decoder.
    Encode,
    /// The decoder's layers, without their attention.
    DecodeStep,
    /// The decoder's self- and cross-attention.
    Attention,
    /// Decoder outputs to logits.
    OutputProjection,
    /// Log-probabilities, constraints, ranking, bookkeeping of beams.
    Search,
    /// Target ids to text.
    Detokenize,
}

impl Stage {
    /// All, in the order of the pipeline.
    pub const ALL: [Self; 7] = [
        Self::Tokenize,
        Self::Encode,
        Self::DecodeStep,
        Self::Attention,
        Self::OutputProjection,
        Self::Search,
        Self::Detokenize,
    ];

    /// What tables call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tokenize => "tokenize",
            Self::Encode => "encode",
            Self::DecodeStep => "decode step",
            Self::Attention => "attention",
            Self::OutputProjection => "output projection",
            Self::Search => "search",
            Self::Detokenize => "detokenize",
        }
    }
}

static ON: AtomicBool = AtomicBool::new(false);
static NANOSECONDS: [AtomicU64; Stage::ALL.len()] = [const { AtomicU64::new(0) }; Stage::ALL.len()];

/// Starts to count, from zero, for the whole process.
pub fn start() {
    for sum in &NANOSECONDS {
        sum.store(0, Relaxed);
    }
    ON.store(true, Relaxed);
}

/// Stops counting and gives the time of every stage.
pub fn stop() -> Vec<(Stage, Duration)> {
    ON.store(false, Relaxed);
    Stage::ALL
        .into_iter()
        .zip(&NANOSECONDS)
        .map(|(stage, sum)| (stage, Duration::from_nanos(sum.load(Relaxed))))
        .collect()
}

/// Does `work`, and counts its time for `stage`.
pub fn time<T>(stage: Stage, work: impl FnOnce() -> T) -> T {
    if !ON.load(Relaxed) {
        return work();
    }
    let started = Instant::now();
    let result = work();
    if let Some(sum) = NANOSECONDS.get(stage as usize) {
        sum.fetch_add(started.elapsed().as_nanos() as u64, Relaxed);
    }
    result
}

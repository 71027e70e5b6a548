//! The search for the best target sequence, over any autoregressive network.
//!
//! [`generate`] decodes a batch of sources at once. Each segment keeps a search of its own, so a result never
//! depends on the other segments of the batch; a finished one leaves, and its rows are computed no more.

mod beam;
mod constraints;
mod options;
mod sample;
mod scores;

use serde::Serialize;

use crate::profile::{self, Stage};

pub use constraints::{Constraint, Constraints, Edit};
pub(crate) use constraints::{WORDLESS_TIMES, WORDLESS_TOKENS};
pub use options::{EarlyStopping, GenerationConfig, GenerationOptions, OptionsError, Sampling, TokenIds};
pub use scores::{Candidate, Scorer};

/// An encoder-decoder as the search sees it.
pub trait Network {
    /// What decoding one batch needs to remember: encoded sources, caches.
    type State;
    /// What can go wrong in the network.
    type Error;

    /// Encodes `sources` (token ids with their end token) and returns the state before the first step.
    fn start(&self, sources: &[&[u32]]) -> Result<Self::State, Self::Error>;

    /// Feeds one token to each row and puts the logits that follow, shape `[rows.len(), vocabulary]`, into `logits`.
    fn step(&self, state: &mut Self::State, rows: &[Row], logits: &mut Logits) -> Result<(), Self::Error>;
}

/// One row of a decoding step: a hypothesis and the token that extends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Index of the source in the batch given to [`Network::start`].
    pub source: u32,
    /// The row of the previous step that this one continues; ignored at the first step.
    pub parent: u32,
    /// The token to feed.
    pub token: u32,
}

/// Unnormalised log-probabilities of a step, row after row. One buffer serves all steps of a search: at tens of
/// megabytes, fresh memory would cost more than the arithmetic on it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Logits {
    values: Vec<f32>,
    vocabulary: usize,
}

impl Logits {
    /// Makes room for `rows` of `vocabulary` values (more than 0) and lends it; what is in it is of no account.
    pub fn reset(&mut self, rows: usize, vocabulary: usize) -> &mut [f32] {
        self.vocabulary = vocabulary.max(1);
        self.values.resize(rows * self.vocabulary, 0.0);
        &mut self.values
    }

    /// The rows, each of `vocabulary` values.
    pub fn rows_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.values.chunks_exact_mut(self.vocabulary.max(1))
    }
}

/// One finished target sequence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hypothesis {
    /// Generated token ids: without the start token, with the end token where the model produced one.
    pub ids: Vec<u32>,
    /// Sum of the log-probabilities of `ids` over their number to the power of the length penalty.
    pub score: f32,
    /// Log-probability of each of `ids`, after the constraints.
    pub token_logprobs: Vec<f32>,
}

/// Decodes every source; the n-th result holds the hypotheses of the n-th source, best first, at most
/// `num_return_sequences` and at least one.
pub fn generate<N: Network>(
    network: &N,
    sources: &[&[u32]],
    options: &GenerationOptions,
) -> Result<Vec<Vec<Hypothesis>>, N::Error> {
    let mut searches: Vec<Search> = sources.iter().map(|_| Search::new(options)).collect();
    if sources.is_empty() {
        return Ok(Vec::new());
    }
    let scorer = Scorer::new(options);
    let mut state = network.start(sources)?;
    let mut logits = Logits::default();
    loop {
        let mut rows = Vec::new();
        let mut owners = Vec::new();
        for (source, search) in searches.iter_mut().enumerate() {
            let live = search.rows(source as u32, &mut rows);
            if live > 0 {
                owners.push((source, live));
            }
        }
        if rows.is_empty() {
            break;
        }
        network.step(&mut state, &rows, &mut logits)?;
        profile::time(Stage::Search, || {
            let mut next = logits.rows_mut();
            let mut first_row = 0;
            for (source, live) in owners {
                if let Some(search) = searches.get_mut(source) {
                    search.advance(&scorer, &mut next, first_row);
                }
                first_row += live as u32;
            }
        });
    }
    Ok(searches.into_iter().map(Search::finish).collect())
}

/// The search of one segment.
enum Search {
    Beam(beam::BeamSearch),
    Single(Box<sample::SingleSearch>),
}

impl Search {
    fn new(options: &GenerationOptions) -> Self {
        if options.num_beams > 1 {
            Self::Beam(beam::BeamSearch::new(options))
        } else {
            Self::Single(Box::new(sample::SingleSearch::new(options)))
        }
    }

    /// Appends the rows to compute next and returns their number; 0 when the search is over.
    fn rows(&mut self, source: u32, rows: &mut Vec<Row>) -> usize {
        match self {
            Self::Beam(search) => search.rows(source, rows),
            Self::Single(search) => search.rows(source, rows),
        }
    }

    /// Takes the logits of the rows it asked for; the first of them is row `first_row` of the step.
    fn advance<'a>(&mut self, scorer: &Scorer, logits: &mut impl Iterator<Item = &'a mut [f32]>, first_row: u32) {
        match self {
            Self::Beam(search) => search.advance(scorer, logits, first_row),
            Self::Single(search) => search.advance(scorer, logits, first_row),
        }
    }

    fn finish(self) -> Vec<Hypothesis> {
        match self {
            Self::Beam(search) => search.finish(),
            Self::Single(search) => search.finish(),
        }
    }
}

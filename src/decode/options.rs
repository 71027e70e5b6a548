//! What to generate: the options of `generation_config.json`, and how the layers of defaults combine.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// When a beam search of a segment ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EarlyStopping {
    /// As soon as `num_beams` hypotheses are finished (`true`).
    Yes,
    /// When no running hypothesis beats the worst finished one at its present length (`false`).
    #[default]
    Heuristic,
    /// When none can, whatever length it may grow to (`"never"`).
    Never,
}

impl<'de> Deserialize<'de> for EarlyStopping {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Flag(bool),
            Word(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Flag(true) => Ok(Self::Yes),
            Written::Flag(false) => Ok(Self::Heuristic),
            Written::Word(word) if word == "never" => Ok(Self::Never),
            Written::Word(word) => {
                Err(serde::de::Error::custom(format!("early_stopping is true, false or \"never\", not \"{word}\"")))
            }
        }
    }
}

/// One id or several, as both are written in the hub's files.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum TokenIds {
    /// One.
    One(u32),
    /// Several.
    Many(Vec<u32>),
}

impl TokenIds {
    fn into_vec(self) -> Vec<u32> {
        match self {
            Self::One(id) => vec![id],
            Self::Many(ids) => ids,
        }
    }
}

/// Generation settings as a file or a command line states them: what is absent falls through to the next layer.
///
/// Field names are those of `generation_config.json`; fields that are not about the search are ignored.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct GenerationConfig {
    /// Width of the beam; 1 is greedy search.
    pub num_beams: Option<usize>,
    /// Exponent of the length in a hypothesis' score.
    pub length_penalty: Option<f64>,
    /// When a segment's search ends.
    pub early_stopping: Option<EarlyStopping>,
    /// Longest target in tokens, the start token included.
    pub max_length: Option<usize>,
    /// Longest target in tokens, without the start token; wins over `max_length`.
    pub max_new_tokens: Option<usize>,
    /// Shortest target in tokens, the start token included.
    pub min_length: Option<usize>,
    /// No sequence of this many tokens occurs twice; 0 is off.
    pub no_repeat_ngram_size: Option<usize>,
    /// Factor against tokens that have occurred; 1 is off.
    pub repetition_penalty: Option<f32>,
    /// Token sequences that must not occur.
    pub bad_words_ids: Option<Vec<Vec<u32>>>,
    /// The first token.
    pub forced_bos_token_id: Option<u32>,
    /// The only tokens allowed in the last place of a target of `max_length`.
    pub forced_eos_token_id: Option<TokenIds>,
    /// Normalise again after the constraints.
    pub renormalize_logits: Option<bool>,
    /// How many hypotheses to return, at most `num_beams`.
    pub num_return_sequences: Option<usize>,
    /// Draw tokens at random rather than searching.
    pub do_sample: Option<bool>,
    /// Divides the logits before sampling.
    pub temperature: Option<f64>,
    /// Sample among the most probable tokens of this total probability.
    pub top_p: Option<f64>,
    /// Sample among this many tokens; 0 is off.
    pub top_k: Option<usize>,
    /// Seed of the sampling.
    pub seed: Option<u64>,
    /// The tokens that end a target.
    pub eos_token_id: Option<TokenIds>,
    /// The token that decoding starts from.
    pub decoder_start_token_id: Option<u32>,
}

impl GenerationConfig {
    /// This layer where it says something, `lower` elsewhere.
    pub fn or(self, lower: Self) -> Self {
        // A length stated in one unit must not be overruled by a lower layer's in the other.
        let lower_new = if self.max_length.is_some() { None } else { lower.max_new_tokens };
        Self {
            num_beams: self.num_beams.or(lower.num_beams),
            length_penalty: self.length_penalty.or(lower.length_penalty),
            early_stopping: self.early_stopping.or(lower.early_stopping),
            max_length: self.max_length.or(lower.max_length),
            max_new_tokens: self.max_new_tokens.or(lower_new),
            min_length: self.min_length.or(lower.min_length),
            no_repeat_ngram_size: self.no_repeat_ngram_size.or(lower.no_repeat_ngram_size),
            repetition_penalty: self.repetition_penalty.or(lower.repetition_penalty),
            bad_words_ids: self.bad_words_ids.or(lower.bad_words_ids),
            forced_bos_token_id: self.forced_bos_token_id.or(lower.forced_bos_token_id),
            forced_eos_token_id: self.forced_eos_token_id.or(lower.forced_eos_token_id),
            renormalize_logits: self.renormalize_logits.or(lower.renormalize_logits),
            num_return_sequences: self.num_return_sequences.or(lower.num_return_sequences),
            do_sample: self.do_sample.or(lower.do_sample),
            temperature: self.temperature.or(lower.temperature),
            top_p: self.top_p.or(lower.top_p),
            top_k: self.top_k.or(lower.top_k),
            seed: self.seed.or(lower.seed),
            eos_token_id: self.eos_token_id.or(lower.eos_token_id),
            decoder_start_token_id: self.decoder_start_token_id.or(lower.decoder_start_token_id),
        }
    }

    fn sampling(&self) -> Result<Sampling, OptionsError> {
        let temperature = self.temperature.unwrap_or(1.0);
        if !(temperature.is_finite() && temperature > 0.0) {
            return Err(OptionsError::Range { name: "temperature", want: "above 0" });
        }
        if self.top_p.is_some_and(|p| !(p > 0.0 && p <= 1.0)) {
            return Err(OptionsError::Range { name: "probability of top-p", want: "above 0 and at most 1" });
        }
        let top_k = self.top_k.filter(|k| *k > 0);
        Ok(Sampling { seed: self.seed.unwrap_or(0), temperature, top_p: self.top_p, top_k })
    }

    /// Fills what no layer said with transformers' defaults and checks the whole.
    ///
    /// `max_positions` is the longest sequence that the network has positions for.
    pub fn resolve(self, max_positions: usize) -> Result<GenerationOptions, OptionsError> {
        let num_beams = self.num_beams.unwrap_or(1);
        let num_return_sequences = self.num_return_sequences.unwrap_or(1);
        let do_sample = self.do_sample.unwrap_or(false);
        let length_penalty = self.length_penalty.unwrap_or(1.0);
        let repetition_penalty = self.repetition_penalty.unwrap_or(1.0);
        if !(1..=MOST_BEAMS).contains(&num_beams) {
            return Err(OptionsError::Range { name: "beam size", want: "from 1 to 256" });
        }
        if num_return_sequences == 0 || num_return_sequences > num_beams {
            return Err(OptionsError::TooManyReturned { asked: num_return_sequences, num_beams });
        }
        if do_sample && num_beams > 1 {
            return Err(OptionsError::SampledBeams { num_beams });
        }
        if !length_penalty.is_finite() {
            return Err(OptionsError::Range { name: "length penalty", want: "a finite number" });
        }
        if !(repetition_penalty.is_finite() && repetition_penalty > 0.0) {
            return Err(OptionsError::Range { name: "repetition penalty", want: "above 0" });
        }
        let sampling = do_sample.then(|| self.sampling()).transpose()?;
        let max_length = match (self.max_new_tokens, self.max_length) {
            (Some(new), _) => new.saturating_add(1),
            (None, Some(length)) => length,
            (None, None) => max_positions,
        }
        .min(max_positions);
        if max_length < 2 {
            return Err(OptionsError::Range { name: "longest target", want: "at least 1 token" });
        }
        let start = self.decoder_start_token_id.ok_or(OptionsError::Missing("decoder_start_token_id"))?;
        let eos = self.eos_token_id.ok_or(OptionsError::Missing("eos_token_id"))?.into_vec();
        if eos.is_empty() {
            return Err(OptionsError::Missing("eos_token_id"));
        }
        Ok(GenerationOptions {
            num_beams,
            length_penalty,
            early_stopping: self.early_stopping.unwrap_or_default(),
            max_length,
            min_length: self.min_length.unwrap_or(0),
            no_repeat_ngram_size: self.no_repeat_ngram_size.unwrap_or(0),
            repetition_penalty,
            no_loops: false,
            repeatable: Arc::default(),
            bad_words: self.bad_words_ids.unwrap_or_default(),
            forced_bos: self.forced_bos_token_id,
            forced_eos: self.forced_eos_token_id.map(TokenIds::into_vec).unwrap_or_default(),
            renormalize: self.renormalize_logits.unwrap_or(false),
            num_return_sequences,
            sampling,
            eos,
            start,
        })
    }
}

/// Widest beam: one much wider than a vocabulary's plausible tokens fills the memory and finds nothing better.
const MOST_BEAMS: usize = 256;

/// Complete, checked generation options.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GenerationOptions {
    /// Width of the beam, 1 to 256.
    pub num_beams: usize,
    /// Exponent of the length in a hypothesis' score.
    pub length_penalty: f64,
    /// When a segment's search ends.
    #[serde(skip)]
    pub early_stopping: EarlyStopping,
    /// Longest target in tokens, the start token included; 2 or more.
    pub max_length: usize,
    /// Shortest target in tokens, the start token included.
    pub min_length: usize,
    /// No sequence of this many tokens occurs twice; 0 is off.
    pub no_repeat_ngram_size: usize,
    /// Factor against tokens that have occurred, above 0; 1 is off.
    pub repetition_penalty: f32,
    /// No sequence of tokens, of whatever length, stands three times in a row. Not one of transformers' options.
    #[serde(skip)]
    pub no_loops: bool,
    /// Tokens that the three options above leave alone, in rising order; transformers leaves none alone.
    #[serde(skip)]
    pub repeatable: Arc<[u32]>,
    /// Token sequences that must not occur.
    pub bad_words: Vec<Vec<u32>>,
    /// The first token, where it is prescribed.
    pub forced_bos: Option<u32>,
    /// The tokens allowed in the last place of a target of `max_length`; empty for any.
    pub forced_eos: Vec<u32>,
    /// Normalise again after the constraints.
    pub renormalize: bool,
    /// How many hypotheses to return, 1 to `num_beams`.
    pub num_return_sequences: usize,
    /// Draw tokens at random; only with a beam of 1.
    #[serde(skip)]
    pub sampling: Option<Sampling>,
    /// The tokens that end a target, one at least.
    pub eos: Vec<u32>,
    /// The token that decoding starts from.
    pub start: u32,
}

impl GenerationOptions {
    /// The same options for a vocabulary in which each token is called `rename(token)`, or is absent. Sequences with an
    /// absent token can't occur and need no ban.
    pub fn renamed(&self, rename: impl Fn(u32) -> Option<u32>) -> Self {
        let all = |ids: &[u32]| ids.iter().filter_map(|id| rename(*id)).collect::<Vec<_>>();
        let whole = |ids: &Vec<u32>| ids.iter().map(|id| rename(*id)).collect::<Option<Vec<u32>>>();
        let mut repeatable = all(&self.repeatable);
        repeatable.sort_unstable();
        Self {
            repeatable: repeatable.into(),
            bad_words: self.bad_words.iter().filter_map(whole).collect(),
            forced_bos: self.forced_bos.and_then(&rename),
            forced_eos: all(&self.forced_eos),
            eos: all(&self.eos),
            start: rename(self.start).unwrap_or(self.start),
            ..self.clone()
        }
    }

    /// Every token that the options speak of by itself: what a reduced vocabulary must keep.
    pub fn named_tokens(&self) -> impl Iterator<Item = u32> + '_ {
        let single = [self.start].into_iter().chain(self.forced_bos);
        single.chain(self.eos.iter().copied()).chain(self.forced_eos.iter().copied())
    }
}

/// How to draw tokens at random.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// Seed of every segment's generator, so that a draw does not depend on the batch.
    pub seed: u64,
    /// Divides the logits.
    pub temperature: f64,
    /// Sample among the most probable tokens of this total probability.
    pub top_p: Option<f64>,
    /// Sample among this many tokens.
    pub top_k: Option<usize>,
}

/// Generation options that contradict themselves.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum OptionsError {
    #[error("the {name} must be {want}; change the flag or the model's generation_config.json")]
    Range { name: &'static str, want: &'static str },
    #[error("{asked} hypotheses were asked for from a beam of {num_beams}; ask for 1 to {num_beams}")]
    TooManyReturned { asked: usize, num_beams: usize },
    #[error("sampling works with a beam of 1, not {num_beams}; set the beam size to 1")]
    SampledBeams { num_beams: usize },
    #[error("neither config.json nor generation_config.json of the model has {0}; the model's files are incomplete")]
    Missing(&'static str),
}

//! One hypothesis at a time: greedy search, or sampling with a seed.

use candle_core::{Device, Tensor};
use candle_transformers::generation::{LogitsProcessor, Sampling as Draw};

use super::{Candidate, GenerationOptions, Hypothesis, Row, Sampling, Scorer};

pub(super) struct SingleSearch {
    ids: Vec<u32>,
    token_logprobs: Vec<f32>,
    row: u32,
    over: bool,
    sampler: Option<LogitsProcessor>,
    length_penalty: f64,
    max_length: usize,
    eos: Vec<u32>,
}

impl SingleSearch {
    pub(super) fn new(options: &GenerationOptions) -> Self {
        Self {
            ids: vec![options.start],
            token_logprobs: Vec::new(),
            row: 0,
            over: false,
            sampler: options.sampling.map(sampler),
            length_penalty: options.length_penalty,
            max_length: options.max_length,
            eos: options.eos.clone(),
        }
    }

    pub(super) fn rows(&self, source: u32, rows: &mut Vec<Row>) -> usize {
        match self.ids.last() {
            Some(token) if !self.over => {
                rows.push(Row { source, parent: self.row, token: *token });
                1
            }
            _ => 0,
        }
    }

    pub(super) fn advance<'a>(
        &mut self,
        scorer: &Scorer,
        logits: &mut impl Iterator<Item = &'a mut [f32]>,
        first_row: u32,
    ) {
        let next = logits.next().and_then(|row| match &mut self.sampler {
            None => scorer.greedy(&self.ids, row),
            Some(sampler) => draw(sampler, scorer, &self.ids, row),
        });
        self.row = first_row;
        self.over = match next {
            Some(Candidate { token, logprob }) => {
                self.ids.push(token);
                self.token_logprobs.push(logprob);
                self.ids.len() >= self.max_length || self.eos.contains(&token)
            }
            None => true,
        };
    }

    pub(super) fn finish(self) -> Vec<Hypothesis> {
        let sum: f32 = self.token_logprobs.iter().sum();
        let length = self.token_logprobs.len().max(1) as f64;
        vec![Hypothesis {
            ids: self.ids.get(1..).unwrap_or_default().to_vec(),
            score: sum / length.powf(self.length_penalty) as f32,
            token_logprobs: self.token_logprobs,
        }]
    }
}

fn sampler(sampling: Sampling) -> LogitsProcessor {
    let Sampling { seed, temperature, top_p, top_k } = sampling;
    let draw = match (top_k, top_p) {
        (None, None) => Draw::All { temperature },
        (Some(k), None) => Draw::TopK { k, temperature },
        (None, Some(p)) => Draw::TopP { p, temperature },
        (Some(k), Some(p)) => Draw::TopKThenTopP { k, p, temperature },
    };
    LogitsProcessor::from_sampling(seed, draw)
}

/// Draws the next token; `None` where every token is banned.
fn draw(sampler: &mut LogitsProcessor, scorer: &Scorer, prefix: &[u32], row: &mut [f32]) -> Option<Candidate> {
    scorer.constrain_logits(prefix, row);
    let logits = Tensor::from_slice(row, row.len(), &Device::Cpu).ok()?;
    let token = sampler.sample(&logits).ok()?;
    let logprob = super::scores::log_probability(row, token)?;
    Some(Candidate { token, logprob })
}

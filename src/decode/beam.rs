//! Beam search of one segment, step for step that of Hugging Face transformers (`GenerationMixin._beam_search`).

use std::cmp::Ordering;

use super::{EarlyStopping, GenerationOptions, Hypothesis, Row, Scorer};

/// The score of a hypothesis that is there in name only. Added to real scores in single precision, as in the
/// reference, so that the same ones tie.
const VOID: f32 = -1.0e9;

/// A hypothesis in the making.
#[derive(Clone)]
struct Beam {
    /// Start token and what was generated.
    ids: Vec<u32>,
    token_logprobs: Vec<f32>,
    /// Sum of the log-probabilities.
    score: f32,
    /// The row of the previous step that computed it.
    row: u32,
}

pub(super) struct BeamSearch {
    running: Vec<Beam>,
    /// Best first, at most `num_beams`.
    finished: Vec<Hypothesis>,
    over: bool,
    num_beams: usize,
    num_return_sequences: usize,
    length_penalty: f64,
    early_stopping: EarlyStopping,
    max_length: usize,
    eos: Vec<u32>,
}

impl BeamSearch {
    pub(super) fn new(options: &GenerationOptions) -> Self {
        let start = Beam { ids: vec![options.start], token_logprobs: Vec::new(), score: 0.0, row: 0 };
        Self {
            running: vec![start],
            finished: Vec::new(),
            over: false,
            num_beams: options.num_beams,
            num_return_sequences: options.num_return_sequences,
            length_penalty: options.length_penalty,
            early_stopping: options.early_stopping,
            max_length: options.max_length,
            eos: options.eos.clone(),
        }
    }

    pub(super) fn rows(&self, source: u32, rows: &mut Vec<Row>) -> usize {
        if self.over {
            return 0;
        }
        rows.extend(self.running.iter().filter_map(|beam| {
            let token = *beam.ids.last()?;
            Some(Row { source, parent: beam.row, token })
        }));
        self.running.len()
    }

    pub(super) fn advance<'a>(
        &mut self,
        scorer: &Scorer,
        logits: &mut impl Iterator<Item = &'a mut [f32]>,
        first_row: u32,
    ) {
        // Enough candidates that as many go on as there are beams, even if every beam can end.
        let keep = (1 + self.eos.len()).max(2) * self.num_beams;
        let candidates = self.candidates(scorer, logits, first_row, keep);
        let length = self.running.first().map_or(0, |beam| beam.ids.len());

        let at_limit = length + 1 >= self.max_length;
        let ends = |beam: &Beam| at_limit || beam.ids.last().is_some_and(|token| self.eos.contains(token));
        let ended: Vec<bool> = candidates.iter().map(ends).collect();

        // Only what ranks among the first `num_beams` may finish; the rest is there to keep the beam full.
        let finishing: Vec<Hypothesis> = candidates
            .iter()
            .zip(&ended)
            .take(self.num_beams)
            .filter(|(_, ended)| **ended)
            .map(|(beam, _)| self.hypothesis(beam, length))
            .collect();
        self.running = candidates.into_iter().zip(&ended).filter(|(_, ended)| !**ended).map(|(beam, _)| beam).collect();
        self.running.truncate(self.num_beams);

        if !(self.early_stopping == EarlyStopping::Yes && self.is_full()) {
            self.finished.extend(finishing);
            self.finished.sort_by(|a, b| descending(a.score, b.score));
            self.finished.truncate(self.num_beams);
        }
        self.over = at_limit || self.running.is_empty() || !self.may_improve(length + 1);
    }

    /// All beams' best continuations, best first.
    fn candidates<'a>(
        &self,
        scorer: &Scorer,
        logits: &mut impl Iterator<Item = &'a mut [f32]>,
        first_row: u32,
        keep: usize,
    ) -> Vec<Beam> {
        let mut all = Vec::new();
        for (place, (beam, row)) in self.running.iter().zip(logits).enumerate() {
            for candidate in scorer.best(&beam.ids, row, keep) {
                all.push((place, candidate, candidate.logprob + beam.score));
            }
        }
        if let [_] = self.running.as_slice()
            && self.running.iter().all(|beam| beam.ids.len() == 1)
        {
            // The reference starts from copies of the first beam that are void by their score: they matter only
            // where fewer tokens than candidates are allowed.
            let firsts = all.clone();
            for _ in 1..self.num_beams {
                all.extend(firsts.iter().map(|(place, token, score)| (*place, *token, score + VOID)));
            }
        }
        all.sort_by(|a, b| descending(a.2, b.2));
        all.truncate(keep);
        all.into_iter()
            .filter_map(|(place, candidate, score)| {
                let beam = self.running.get(place)?;
                let extend = |ids: &[u32], next| [ids, &[next]].concat();
                Some(Beam {
                    ids: extend(&beam.ids, candidate.token),
                    token_logprobs: [beam.token_logprobs.as_slice(), &[candidate.logprob]].concat(),
                    score,
                    row: first_row + place as u32,
                })
            })
            .collect()
    }

    /// `beam` with its final score; `length` counts its tokens without the start token.
    fn hypothesis(&self, beam: &Beam, length: usize) -> Hypothesis {
        Hypothesis {
            ids: beam.ids.get(1..).unwrap_or_default().to_vec(),
            score: beam.score / (length as f64).powf(self.length_penalty) as f32,
            token_logprobs: beam.token_logprobs.clone(),
        }
    }

    fn is_full(&self) -> bool {
        self.finished.len() == self.num_beams
    }

    /// Whether going on can still change the result, for running beams of `length` tokens with the start token.
    fn may_improve(&self, length: usize) -> bool {
        if !self.is_full() {
            return true;
        }
        if self.early_stopping == EarlyStopping::Yes {
            return false;
        }
        let reachable = if self.early_stopping == EarlyStopping::Never && self.length_penalty > 0.0 {
            self.max_length
        } else {
            length
        };
        let best_running = self.running.first().map_or(f32::NEG_INFINITY, |beam| beam.score);
        let possible = best_running / ((reachable - 1) as f64).powf(self.length_penalty) as f32;
        self.finished.last().is_none_or(|worst| possible > worst.score)
    }

    pub(super) fn finish(mut self) -> Vec<Hypothesis> {
        if self.finished.is_empty() {
            // Every continuation was banned: the best that was running is all there is.
            let length = self.running.first().map_or(1, |beam| (beam.ids.len() - 1).max(1));
            self.finished = self.running.iter().map(|beam| self.hypothesis(beam, length)).collect();
        }
        self.finished.truncate(self.num_return_sequences);
        self.finished
    }
}

fn descending(a: f32, b: f32) -> Ordering {
    b.total_cmp(&a)
}

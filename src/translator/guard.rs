//! Guard rails: what a beam search gives when a model loses its way, recognised and decoded again.

use crate::decode::{GenerationOptions, Hypothesis};

/// What is wrong with a hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// It says the same thing again and again.
    Loop,
    /// It never ended: the length limit cut it off.
    Endless,
    /// It is far longer than its source.
    TooLong,
    /// It leaves most of its source out, or all.
    TooShort,
}

/// Arabic tokens become about as many English ones. Farther from that than this factor is no translation, once the
/// numbers are large enough to say so.
const RATIO: usize = 4;
const SLACK: usize = 16;

/// The defect of a hypothesis of a source of `source_length` tokens, if it has one.
pub fn defect(source_length: usize, hypothesis: &Hypothesis, options: &GenerationOptions) -> Option<Defect> {
    let ended = hypothesis.ids.last().is_some_and(|id| options.eos.contains(id));
    let words = if ended { hypothesis.ids.split_last().map(|(_, rest)| rest) } else { Some(hypothesis.ids.as_slice()) }
        .unwrap_or_default();
    if has_loop(words) {
        Some(Defect::Loop)
    } else if !ended || hypothesis.ids.len() + 1 >= options.max_length && source_length * 2 < options.max_length {
        Some(Defect::Endless)
    } else if words.len() > RATIO * source_length + SLACK {
        Some(Defect::TooLong)
    } else if words.is_empty() && source_length > 1 || words.len() * RATIO + SLACK < source_length {
        Some(Defect::TooShort)
    } else {
        None
    }
}

/// Whether some run of 1 to 12 tokens stands so often in a row that no writer means it: 12 tokens in all at least, and
/// four times at least.
fn has_loop(ids: &[u32]) -> bool {
    const LONGEST_UNIT: usize = 12;
    const TIMES: usize = 4;
    const TOKENS: usize = 12;
    (1..=LONGEST_UNIT).any(|unit| {
        let needed = (unit * TIMES).max(TOKENS) - unit;
        let mut run = 0;
        ids.iter().zip(ids.iter().skip(unit)).any(|(a, b)| {
            run = if a == b { run + 1 } else { 0 };
            run >= needed
        })
    })
}

/// The options for a second try: no three tokens twice, what was said less likely, and not cut short; a token at least.
pub fn stricter(options: &GenerationOptions, source_length: usize) -> GenerationOptions {
    GenerationOptions {
        no_repeat_ngram_size: 3,
        repetition_penalty: options.repetition_penalty.max(1.2),
        min_length: options.min_length.max(source_length / RATIO).max(2).min(options.max_length - 1),
        ..options.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::GenerationConfig;

    fn options() -> GenerationOptions {
        let config = r#"{"eos_token_id": 0, "decoder_start_token_id": 9, "max_length": 100}"#;
        serde_json::from_str::<GenerationConfig>(config).unwrap().resolve(512).unwrap()
    }

    fn hypothesis(ids: Vec<u32>) -> Hypothesis {
        Hypothesis { token_logprobs: vec![0.0; ids.len()], ids, score: 0.0 }
    }

    #[test]
    fn sound_hypotheses_pass() {
        let ids: Vec<u32> = (1..30).chain([0]).collect();
        assert_eq!(defect(28, &hypothesis(ids), &options()), None);
        // A list of three equal words is language, not a loop.
        assert_eq!(defect(6, &hypothesis(vec![5, 5, 5, 6, 0]), &options()), None);
        // Nothing but the end was read.
        assert_eq!(defect(1, &hypothesis(vec![0]), &options()), None);
    }

    #[test]
    fn degenerate_ones_are_told_apart() {
        let loops: Vec<u32> = [1, 2].into_iter().chain([7, 8, 9].repeat(5)).chain([0]).collect();
        assert_eq!(defect(15, &hypothesis(loops), &options()), Some(Defect::Loop));
        assert_eq!(defect(15, &hypothesis((1..99).collect()), &options()), Some(Defect::Endless));
        assert_eq!(defect(8, &hypothesis((1..80).chain([0]).collect()), &options()), Some(Defect::TooLong));
        assert_eq!(defect(60, &hypothesis(vec![4, 5, 0]), &options()), Some(Defect::TooShort));
        assert_eq!(defect(2, &hypothesis(vec![0]), &options()), Some(Defect::TooShort));
    }
}

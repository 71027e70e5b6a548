//! Guard rails: what a beam search gives when a model loses its way, recognised and decoded again.

use std::cell::OnceCell;
use std::sync::Arc;

use crate::decode::{GenerationOptions, Hypothesis, WORDLESS_TIMES, WORDLESS_TOKENS};

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

/// The defect of a hypothesis of `source`, if it has one. `is_word` tells tokens with letters from digits and marks.
pub fn defect(
    source: &[u32],
    hypothesis: &Hypothesis,
    options: &GenerationOptions,
    is_word: impl Fn(u32) -> bool,
) -> Option<Defect> {
    let source_length = source.len();
    let ended = hypothesis.ids.last().is_some_and(|id| options.eos.contains(id));
    let words = if ended { hypothesis.ids.split_last().map(|(_, rest)| rest) } else { Some(hypothesis.ids.as_slice()) }
        .unwrap_or_default();
    let times = repetitions(words, &is_word);
    if times >= 3 && times > repetitions(source, &is_word) {
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

/// How many times in a row the most repeated run of tokens with a word among them stands; hardly a writer means three.
/// A run of digits and marks alone counts from [`WORDLESS_TIMES`] and [`WORDLESS_TOKENS`] on: 2,000,000,000 is a number.
fn repetitions(ids: &[u32], is_word: impl Fn(u32) -> bool) -> usize {
    let words: OnceCell<Vec<bool>> = OnceCell::new();
    let words = || words.get_or_init(|| ids.iter().map(|id| is_word(*id)).collect());
    let mut most = 1;
    for unit in 1..=ids.len() / 3 {
        let mut run = 0;
        for (end, (a, b)) in ids.iter().zip(ids.iter().skip(unit)).enumerate() {
            run = if a == b { run + 1 } else { 0 };
            let times = 1 + run / unit;
            let has_word = || words().iter().skip(end + 1 - unit).take(unit).any(|is_word| *is_word);
            let is_long = || times >= WORDLESS_TIMES && times * unit >= WORDLESS_TOKENS;
            if times >= 3 && times > most && (is_long() || has_word()) {
                most = times;
            }
        }
    }
    most
}

/// Shortest target, the start token included, that a second try of a source of `source_length` tokens may have: a token at
/// least.
pub fn shortest(options: &GenerationOptions, source_length: usize) -> usize {
    options.min_length.max(source_length / RATIO).max(2).min(options.max_length - 1)
}

/// The options for a second try: nothing three times in a row, no three tokens twice, what was said less likely, and not
/// cut short. The first three leave `repeatable` tokens alone: a figure must be free to be 2,000,000.
pub fn stricter(options: &GenerationOptions, min_length: usize, repeatable: Arc<[u32]>) -> GenerationOptions {
    GenerationOptions {
        no_loops: true,
        no_repeat_ngram_size: 3,
        repetition_penalty: options.repetition_penalty.max(1.2),
        repeatable,
        min_length,
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

    /// Tokens from 50 on are digits.
    fn defect_of(source: &[u32], ids: impl IntoIterator<Item = u32>) -> Option<Defect> {
        defect(source, &hypothesis(ids.into_iter().collect()), &options(), |id| id < 50)
    }

    fn source(length: u32) -> Vec<u32> {
        (0..length).collect()
    }

    #[test]
    fn sound_hypotheses_pass() {
        assert_eq!(defect_of(&source(28), (1..30).chain([0])), None);
        // Twice is language, and so are the noughts of a million.
        assert_eq!(defect_of(&source(6), [5, 6, 5, 6, 0]), None);
        assert_eq!(defect_of(&source(6), [5, 50, 50, 50, 0]), None);
        // The source says it three times as well, but not five times.
        assert_eq!(defect_of(&[3, 3, 3, 0], [5, 5, 5, 0]), None);
        assert_eq!(defect_of(&[3, 3, 3, 0], [5, 5, 5, 5, 5, 0]), Some(Defect::Loop));
        // Nothing but the end was read.
        assert_eq!(defect_of(&source(1), [0]), None);
    }

    #[test]
    fn degenerate_ones_are_told_apart() {
        assert_eq!(defect_of(&source(6), [1, 2, 7, 7, 7, 0]), Some(Defect::Loop));
        assert_eq!(
            defect_of(&source(15), [1, 2].into_iter().chain([7, 50, 51].repeat(3)).chain([8, 0])),
            Some(Defect::Loop)
        );
        assert_eq!(defect_of(&source(15), [1].into_iter().chain([50; 20]).chain([0])), Some(Defect::Loop));
        assert_eq!(defect_of(&source(15), 1..99), Some(Defect::Endless));
        assert_eq!(defect_of(&source(8), (1..80).chain([0])), Some(Defect::TooLong));
        assert_eq!(defect_of(&source(60), [4, 5, 0]), Some(Defect::TooShort));
        assert_eq!(defect_of(&source(2), [0]), Some(Defect::TooShort));
    }
}

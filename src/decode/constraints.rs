//! Token constraints: small rules that look at what a hypothesis holds so far and change what may follow.
//!
//! Each rule equals the logits processor of the same purpose in Hugging Face transformers, and they apply in its order;
//! only [`NoLoop`], and what it leaves free, are our own.

use std::sync::Arc;

use super::GenerationOptions;

/// One change to the scores of the next token.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// The token must not follow.
    Ban(u32),
    /// The token's score is multiplied by the factor where negative, divided by it where positive.
    Penalise(u32, f32),
    /// Only these tokens may follow, all with log-probability 0.
    Force(Vec<u32>),
}

/// A rule about the next token of a hypothesis.
pub trait Constraint: Send + Sync {
    /// Appends to `edits` what the rule says of the token after `prefix` (never empty: it begins with the start token).
    fn edits(&self, prefix: &[u32], edits: &mut Vec<Edit>);
}

/// The rules in force, in order.
pub struct Constraints(Vec<Box<dyn Constraint>>);

impl Constraints {
    /// The rules that `options` ask for.
    pub fn new(options: &GenerationOptions) -> Self {
        let mut rules: Vec<Box<dyn Constraint>> = Vec::new();
        let free = Arc::clone(&options.repeatable);
        if options.repetition_penalty != 1.0 {
            rules.push(Box::new(RepetitionPenalty { factor: options.repetition_penalty, free: free.clone() }));
        }
        if options.no_repeat_ngram_size > 0 {
            rules.push(Box::new(NoRepeatNgram { size: options.no_repeat_ngram_size, free: free.clone() }));
        }
        if options.no_loops {
            rules.push(Box::new(NoLoop { free }));
        }
        let is_end = |words: &Vec<u32>| matches!(words.as_slice(), [only] if options.eos.contains(only));
        let bad_words: Vec<_> = options.bad_words.iter().filter(|words| !is_end(words)).cloned().collect();
        if !bad_words.is_empty() {
            rules.push(Box::new(NoBadWords(bad_words)));
        }
        if options.min_length > 0 {
            rules.push(Box::new(MinLength { min_length: options.min_length, eos: options.eos.clone() }));
        }
        if let Some(token) = options.forced_bos {
            rules.push(Box::new(ForcedAt { length: 1, tokens: vec![token] }));
        }
        if !options.forced_eos.is_empty() {
            rules.push(Box::new(ForcedAt { length: options.max_length - 1, tokens: options.forced_eos.clone() }));
        }
        Self(rules)
    }

    /// All edits for the token after `prefix`, in order of application.
    pub fn edits(&self, prefix: &[u32], edits: &mut Vec<Edit>) {
        edits.clear();
        for rule in &self.0 {
            rule.edits(prefix, edits);
        }
    }
}

/// Makes tokens that have occurred less likely (Keskar et al. 2019, CTRL).
struct RepetitionPenalty {
    factor: f32,
    free: Arc<[u32]>,
}

impl Constraint for RepetitionPenalty {
    fn edits(&self, prefix: &[u32], edits: &mut Vec<Edit>) {
        for (place, token) in prefix.iter().enumerate() {
            let seen = prefix.get(..place).unwrap_or_default();
            if !seen.contains(token) && self.free.binary_search(token).is_err() {
                edits.push(Edit::Penalise(*token, self.factor));
            }
        }
    }
}

/// Forbids a token that would complete an n-gram for the second time.
struct NoRepeatNgram {
    size: usize,
    free: Arc<[u32]>,
}

impl Constraint for NoRepeatNgram {
    fn edits(&self, prefix: &[u32], edits: &mut Vec<Edit>) {
        let Some(begin) = (prefix.len() + 1).checked_sub(self.size) else { return };
        let open = prefix.get(begin..).unwrap_or_default();
        for ngram in prefix.windows(self.size) {
            if let Some((last, head)) = ngram.split_last()
                && head == open
                && self.free.binary_search(last).is_err()
            {
                edits.push(Edit::Ban(*last));
            }
        }
    }
}

/// How often in a row tokens that are free to repeat may stand at most, where that makes [`WORDLESS_TOKENS`] tokens.
pub const WORDLESS_TIMES: usize = 5;
/// See [`WORDLESS_TIMES`]; noughts and commas of a number in the trillions are fewer.
pub const WORDLESS_TOKENS: usize = 20;

/// Forbids a token that would say the same for the third time in a row, or too often if all of it is free.
struct NoLoop {
    free: Arc<[u32]>,
}

impl NoLoop {
    /// The token that would complete the last `length` tokens of `times` repetitions, if the rest of them is there.
    fn completes(prefix: &[u32], length: usize, times: usize) -> Option<u32> {
        let tail = prefix.get((prefix.len() + 1).checked_sub(times * length)?..)?;
        let repeats = tail.iter().zip(tail.get(length..)?).all(|(a, b)| a == b);
        tail.get(length - 1).copied().filter(|_| repeats)
    }
}

impl Constraint for NoLoop {
    fn edits(&self, prefix: &[u32], edits: &mut Vec<Edit>) {
        for length in 1..=(prefix.len() + 1) / 3 {
            let Some(last) = Self::completes(prefix, length, 3) else { continue };
            let is_free = |token: &u32| self.free.binary_search(token).is_ok();
            let is_wordless = is_free(&last) && prefix.iter().rev().take(length - 1).all(is_free);
            let times = WORDLESS_TIMES.max(WORDLESS_TOKENS.div_ceil(length));
            if !is_wordless || Self::completes(prefix, length, times).is_some() {
                edits.push(Edit::Ban(last));
            }
        }
    }
}

/// Forbids token sequences.
struct NoBadWords(Vec<Vec<u32>>);

impl Constraint for NoBadWords {
    fn edits(&self, prefix: &[u32], edits: &mut Vec<Edit>) {
        for words in &self.0 {
            if let Some((last, head)) = words.split_last()
                && prefix.ends_with(head)
            {
                edits.push(Edit::Ban(*last));
            }
        }
    }
}

/// Forbids the end before a length.
struct MinLength {
    min_length: usize,
    eos: Vec<u32>,
}

impl Constraint for MinLength {
    fn edits(&self, prefix: &[u32], edits: &mut Vec<Edit>) {
        if prefix.len() < self.min_length {
            edits.extend(self.eos.iter().map(|token| Edit::Ban(*token)));
        }
    }
}

/// Prescribes the token after a prefix of a certain length.
struct ForcedAt {
    length: usize,
    tokens: Vec<u32>,
}

impl Constraint for ForcedAt {
    fn edits(&self, prefix: &[u32], edits: &mut Vec<Edit>) {
        if prefix.len() == self.length {
            edits.push(Edit::Force(self.tokens.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn banned(rule: &dyn Constraint, prefix: &[u32]) -> Vec<Edit> {
        let mut edits = Vec::new();
        rule.edits(prefix, &mut edits);
        edits
    }

    #[test]
    fn the_third_time_in_a_row_is_a_loop() {
        let rule = NoLoop { free: [50, 51].into() };
        assert_eq!(banned(&rule, &[9, 7]), []);
        assert_eq!(banned(&rule, &[9, 7, 7]), [Edit::Ban(7)]);
        assert_eq!(banned(&rule, &[9, 1, 2, 3, 1, 2, 3, 1, 2]), [Edit::Ban(3)]);
        assert_eq!(banned(&rule, &[9, 1, 2, 3, 1, 2, 4, 1, 2]), []);
        // Noughts may go on for long, a word with a nought may not.
        assert_eq!(banned(&rule, &[9, 50, 50, 51, 50, 51, 50]), []);
        assert_eq!(banned(&rule, &[9, 4, 50, 4, 50, 4]), [Edit::Ban(50)]);
        assert_eq!(banned(&rule, &[50; 18]), []);
        assert!(banned(&rule, &[50; 19]).contains(&Edit::Ban(50)));
    }

    #[test]
    fn a_free_token_may_repeat_an_ngram() {
        let prefix = [9, 4, 50, 50, 4, 50];
        assert_eq!(banned(&NoRepeatNgram { size: 3, free: [].into() }, &prefix), [Edit::Ban(50)]);
        assert_eq!(banned(&NoRepeatNgram { size: 3, free: [50].into() }, &prefix), []);
    }
}

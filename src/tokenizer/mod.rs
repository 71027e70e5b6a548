//! Text to token ids and back, one file per family of tokenizers.

mod charsmap;
mod error;
mod marian;
mod normalizer;
mod spm;
mod trie;
mod vocabulary;

pub use error::TokenizerError;
pub use marian::MarianTokenizer;

/// Turns text into the ids that a model reads, and the ids that it writes into text.
pub trait Tokenizer: Send + Sync {
    /// Ids of source text, with the end-of-sequence id last. Text of any length and content is welcome; nothing is
    /// cut off.
    fn encode(&self, text: &str) -> Result<Vec<u32>, TokenizerError>;

    /// As [`encode`](Self::encode), for text in the target language.
    fn encode_target(&self, text: &str) -> Result<Vec<u32>, TokenizerError>;

    /// Text of target ids, special tokens left out. Ids that the vocabulary lacks give no text.
    fn decode(&self, ids: &[u32]) -> String;

    /// Ids that can occur in target text: what the target side can write, end-of-sequence and unknown, in rising order.
    fn target_pieces(&self) -> Vec<u32>;

    /// One more than the largest id of the source vocabulary: the rows that an embedding needs at least.
    fn vocab_size(&self) -> usize;

    /// Id that ends every sequence.
    fn eos_id(&self) -> u32;

    /// Id that stands for what the vocabulary lacks.
    fn unk_id(&self) -> u32;

    /// Id that fills up the shorter sequences of a batch.
    fn pad_id(&self) -> u32;
}

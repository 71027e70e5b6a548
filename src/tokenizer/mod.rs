//! Text to token ids and back, one file per family of tokenizers.

mod added;
mod charsmap;
mod error;
mod fast;
mod languages;
mod m2m100;
mod marian;
mod normalizer;
mod spm;
mod surface;
mod trie;
mod vocabulary;

pub use error::TokenizerError;
pub use fast::FastTokenizer;
pub use m2m100::M2m100Tokenizer;
pub use marian::MarianTokenizer;

use crate::hub::{ModelFile, ModelFolder};
use crate::registry::Family;

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
    /// `None` where that may be any.
    fn target_pieces(&self) -> Option<Vec<u32>>;

    /// The token that every target has to begin with, where it names the target's language.
    fn first_target(&self) -> Option<u32> {
        None
    }

    /// One more than the largest id that text may have: the rows that an embedding needs at least.
    fn vocab_size(&self) -> usize;

    /// Id that ends every sequence.
    fn eos_id(&self) -> u32;

    /// Id that stands for what the vocabulary lacks.
    fn unk_id(&self) -> u32;

    /// Id that fills up the shorter sequences of a batch.
    fn pad_id(&self) -> u32;
}

/// What a model is asked to do with texts.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// Language of the texts, for models that name it: the model's own code or one of ISO 639.
    pub from: &'a str,
    /// Language to write.
    pub to: &'a str,
    /// What stands before every text, as in `summarize: `; `None` for what the model's languages call for.
    pub prefix: Option<&'a str>,
}

/// The tokenizer of a model whose network has `rows` embeddings.
///
/// # Errors
/// Files that are damaged or don't belong together, and languages that the model lacks.
pub fn load(folder: &ModelFolder, task: Task, rows: usize) -> Result<Box<dyn Tokenizer>, TokenizerError> {
    let file = |name: &str| folder.file(name).cloned().unwrap_or_else(|| ModelFile::from(name));
    Ok(match folder.family {
        Family::Marian => Box::new(MarianTokenizer::from_files(
            &file("source.spm"),
            &file("target.spm"),
            &file("vocab.json"),
            folder.file("target_vocab.json"),
            folder.file("tokenizer_config.json"),
        )?),
        Family::M2m100 if folder.file("vocab.json").is_some() => Box::new(M2m100Tokenizer::load(folder, task)?),
        _ => Box::new(FastTokenizer::load(folder, task, rows)?),
    })
}

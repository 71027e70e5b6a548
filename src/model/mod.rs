//! The networks, in candle: configuration, layers, and one file for each way to build
//! an encoder-decoder.
//!
//! [`load`] builds a network from the files of a checkpoint; [`crate::decode`] searches it.
//! On a CPU its layers run on the fast paths of [`crate::kernels`], on a GPU on candle's own operations.

mod activation;
mod attention;
mod bart;
mod config;
mod embedding;
mod head;
mod layers;
mod legacy;
mod load;
mod mapped;
mod stored;
mod t5;
mod weights;

use std::path::PathBuf;

use thiserror::Error;

pub use activation::Activation;
pub use bart::{Bart, BartState};
pub use config::{BartConfig, FeedForwardKind, ModelConfig, Positions, T5Config};
pub use layers::Execution;
pub use load::{Precision, Seq2Seq, build, config, generation_config, load};
pub use t5::{T5, T5State};
pub use weights::Weights;

/// Why a network can't be loaded or run.
#[derive(Debug, Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ModelError {
    #[error("{path} can't be read: {source}; fetch the model again with `translate models pull`")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{path} is damaged or no weights file: {reason}; fetch the model again with `translate models pull`")]
    Broken { path: PathBuf, reason: String },
    #[error("the model's configuration makes no sense: {0}")]
    Config(String),
    #[error(
        "config.json describes {found}, which can't be run; supported are {supported}: choose another model, `translate \
         models list` names some"
    )]
    Unsupported { found: String, supported: &'static str },
    #[error("the weights have no tensor {0}, which config.json calls for; the files don't belong together")]
    Missing(String),
    #[error(
        "tensor {name} has shape {found:?} where config.json calls for {expected:?}; the files don't belong together"
    )]
    Shape { name: String, found: Vec<usize>, expected: Vec<usize> },
    #[error("tensor {name} holds {found}, not f32, f16, bf16 or scaled int8; this checkpoint can't be used")]
    Type { name: String, found: String },
    #[error("tensor {name} can't be read: {reason}; fetch the model again with `translate models pull`")]
    Unreadable { name: String, reason: String },
    #[error("token {id} is outside the vocabulary of {size}; the tokenizer and the weights don't belong together")]
    Token { id: u32, size: usize },
    #[error("a sequence of {length} tokens is longer than the {limit} that the model has positions for")]
    TooLong { length: usize, limit: usize },
    #[error("this precision can't be used: {0}")]
    Precision(&'static str),
    #[error("the network can't compute: {0}")]
    Compute(#[from] candle_core::Error),
}

//! BART, mBART, Marian, M2M100 (and so NLLB) and Pegasus.

use serde::Deserialize;

use super::check_sizes;
use crate::model::{Activation, ModelError};

/// The shape of an encoder-decoder that is built as BART is. Field names are those of the file. What it says of
/// normalisation and positions is not read: for transformers the `model_type` decides on them, and old files err.
#[derive(Debug, Clone, PartialEq)]
pub struct BartConfig {
    /// Source vocabulary.
    pub vocab_size: usize,
    /// Target vocabulary.
    pub decoder_vocab_size: usize,
    /// Width of the network.
    pub d_model: usize,
    /// Number of encoder layers.
    pub encoder_layers: usize,
    /// Number of decoder layers.
    pub decoder_layers: usize,
    /// Heads of the encoder's attention; divides `d_model`.
    pub encoder_attention_heads: usize,
    /// Heads of the decoder's attentions; divides `d_model`.
    pub decoder_attention_heads: usize,
    /// Inner width of the encoder's feed-forward networks.
    pub encoder_ffn_dim: usize,
    /// Inner width of the decoder's feed-forward networks.
    pub decoder_ffn_dim: usize,
    /// Activation of the feed-forward networks.
    pub activation_function: Activation,
    /// Longest sequence that the network has positions for.
    pub max_position_embeddings: usize,
    /// Whether embeddings are multiplied by the square root of `d_model`.
    pub scale_embedding: bool,
    /// Whether source and target share one embedding.
    pub share_encoder_decoder_embeddings: bool,
    /// Whether the output projection is the target embedding.
    pub tie_word_embeddings: bool,
    /// Whether a sub-layer's input is normalised, rather than its sum with its input.
    pub normalize_before: bool,
    /// Whether embeddings are normalised.
    pub normalize_embedding: bool,
    /// Whether what the last layer gives is normalised.
    pub add_final_layer_norm: bool,
    /// What is added to embeddings.
    pub positions: Positions,
}

/// Absolute positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Positions {
    /// Sines and cosines from position 0 on, as Marian and Pegasus have them. Some checkpoints store them.
    Sinusoidal,
    /// Sines and cosines from position 2 on, as fairseq has them. They are not stored.
    SinusoidalFromTwo,
    /// Learned ones, stored after two rows of no meaning.
    Learned,
}

/// Those that are built as BART is, by their `model_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bart,
    M2m100,
    Marian,
    Mbart,
    Pegasus,
}

/// `config.json` as it is written.
#[derive(Deserialize)]
pub(super) struct Written {
    vocab_size: usize,
    decoder_vocab_size: Option<usize>,
    d_model: usize,
    encoder_layers: usize,
    decoder_layers: usize,
    encoder_attention_heads: usize,
    decoder_attention_heads: usize,
    encoder_ffn_dim: usize,
    decoder_ffn_dim: usize,
    activation_function: Option<Activation>,
    max_position_embeddings: Option<usize>,
    scale_embedding: Option<bool>,
    share_encoder_decoder_embeddings: Option<bool>,
    tie_word_embeddings: Option<bool>,
}

impl BartConfig {
    /// With the defaults of transformers.
    pub(super) fn new(written: Written, kind: Kind) -> Self {
        let normalize_before = matches!(kind, Kind::M2m100 | Kind::Mbart | Kind::Pegasus);
        let tied = written.tie_word_embeddings.unwrap_or(true);
        let default_activation = if kind == Kind::M2m100 { Activation::Relu } else { Activation::Gelu };
        Self {
            vocab_size: written.vocab_size,
            decoder_vocab_size: written
                .decoder_vocab_size
                .filter(|_| kind == Kind::Marian)
                .unwrap_or(written.vocab_size),
            d_model: written.d_model,
            encoder_layers: written.encoder_layers,
            decoder_layers: written.decoder_layers,
            encoder_attention_heads: written.encoder_attention_heads,
            decoder_attention_heads: written.decoder_attention_heads,
            encoder_ffn_dim: written.encoder_ffn_dim,
            decoder_ffn_dim: written.decoder_ffn_dim,
            activation_function: written.activation_function.unwrap_or(default_activation),
            max_position_embeddings: written.max_position_embeddings.unwrap_or(1024),
            scale_embedding: written.scale_embedding.unwrap_or(kind == Kind::M2m100),
            share_encoder_decoder_embeddings: match kind {
                Kind::Marian => written.share_encoder_decoder_embeddings.unwrap_or(true),
                Kind::Bart | Kind::M2m100 | Kind::Mbart | Kind::Pegasus => tied,
            },
            tie_word_embeddings: tied,
            normalize_before,
            normalize_embedding: matches!(kind, Kind::Bart | Kind::Mbart),
            add_final_layer_norm: normalize_before,
            positions: match kind {
                Kind::Bart | Kind::Mbart => Positions::Learned,
                Kind::Marian | Kind::Pegasus => Positions::Sinusoidal,
                Kind::M2m100 => Positions::SinusoidalFromTwo,
            },
        }
    }

    /// Refuses shapes that no network can have.
    pub(in crate::model) fn check(&self) -> Result<(), ModelError> {
        check_sizes(&[
            ("vocab_size", self.vocab_size),
            ("decoder_vocab_size", self.decoder_vocab_size),
            ("d_model", self.d_model),
            ("encoder_layers", self.encoder_layers),
            ("decoder_layers", self.decoder_layers),
            ("encoder_attention_heads", self.encoder_attention_heads),
            ("decoder_attention_heads", self.decoder_attention_heads),
            ("encoder_ffn_dim", self.encoder_ffn_dim),
            ("decoder_ffn_dim", self.decoder_ffn_dim),
            ("max_position_embeddings", self.max_position_embeddings),
        ])?;
        for (name, heads) in [
            ("encoder_attention_heads", self.encoder_attention_heads),
            ("decoder_attention_heads", self.decoder_attention_heads),
        ] {
            if !self.d_model.is_multiple_of(heads) {
                return Err(ModelError::Config(format!(
                    "d_model ({}) is no multiple of {name} ({heads})",
                    self.d_model
                )));
            }
        }
        if self.positions == Positions::SinusoidalFromTwo && self.d_model < 4 {
            return Err(ModelError::Config(format!("d_model is {}, too little for positions", self.d_model)));
        }
        if self.share_encoder_decoder_embeddings && self.decoder_vocab_size != self.vocab_size {
            return Err(ModelError::Config(format!(
                "the embeddings are shared, but vocab_size is {} and decoder_vocab_size {}",
                self.vocab_size, self.decoder_vocab_size
            )));
        }
        Ok(())
    }
}

//! Marian.

use serde::Deserialize;

use super::check_sizes;
use crate::model::{Activation, ModelError};

/// The shape of a Marian encoder-decoder. Field names are those of the file; what has no influence on inference is
/// ignored (transformers' Marian always normalises after each sub-layer, whatever `normalize_before` says).
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct MarianConfig {
    /// Source vocabulary, and the target's where `decoder_vocab_size` is absent.
    pub vocab_size: usize,
    decoder_vocab_size: Option<usize>,
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
    #[serde(default)]
    pub activation_function: Activation,
    /// Longest sequence that the network has positions for.
    #[serde(default = "default_positions")]
    pub max_position_embeddings: usize,
    /// Whether embeddings are multiplied by the square root of `d_model`.
    #[serde(default)]
    pub scale_embedding: bool,
    /// Whether source and target share one embedding.
    #[serde(default = "default_true")]
    pub share_encoder_decoder_embeddings: bool,
    /// Whether the output projection is the target embedding.
    #[serde(default = "default_true")]
    pub tie_word_embeddings: bool,
}

fn default_positions() -> usize {
    1024
}

fn default_true() -> bool {
    true
}

impl MarianConfig {
    /// Size of the target vocabulary.
    pub fn target_vocab_size(&self) -> usize {
        self.decoder_vocab_size.unwrap_or(self.vocab_size)
    }

    /// Refuses shapes that no network can have.
    pub(in crate::model) fn check(&self) -> Result<(), ModelError> {
        let sizes = [
            ("vocab_size", self.vocab_size),
            ("decoder_vocab_size", self.target_vocab_size()),
            ("d_model", self.d_model),
            ("encoder_layers", self.encoder_layers),
            ("decoder_layers", self.decoder_layers),
            ("encoder_attention_heads", self.encoder_attention_heads),
            ("decoder_attention_heads", self.decoder_attention_heads),
            ("encoder_ffn_dim", self.encoder_ffn_dim),
            ("decoder_ffn_dim", self.decoder_ffn_dim),
            ("max_position_embeddings", self.max_position_embeddings),
        ];
        check_sizes(&sizes)?;
        for (name, heads) in [sizes[5], sizes[6]] {
            if !self.d_model.is_multiple_of(heads) {
                return Err(ModelError::Config(format!(
                    "d_model ({}) is no multiple of {name} ({heads})",
                    self.d_model
                )));
            }
        }
        if self.share_encoder_decoder_embeddings && self.target_vocab_size() != self.vocab_size {
            return Err(ModelError::Config(format!(
                "the embeddings are shared, but vocab_size is {} and decoder_vocab_size {}",
                self.vocab_size,
                self.target_vocab_size()
            )));
        }
        Ok(())
    }
}

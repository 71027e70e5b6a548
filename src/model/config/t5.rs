//! T5 and mT5.

use serde::{Deserialize, Deserializer};

use super::check_sizes;
use crate::model::{Activation, ModelError};

/// The shape of a T5 encoder-decoder. Field names are those of the file; what has no influence on inference is ignored.
#[derive(Debug, Clone, PartialEq)]
pub struct T5Config {
    /// Size of the vocabulary, which source and target share.
    pub vocab_size: usize,
    /// Width of the network.
    pub d_model: usize,
    /// Width of an attention's head.
    pub d_kv: usize,
    /// Inner width of the feed-forward networks.
    pub d_ff: usize,
    /// Number of encoder layers.
    pub num_layers: usize,
    /// Number of decoder layers.
    pub num_decoder_layers: usize,
    /// Heads of every attention; their widths need not sum to `d_model`.
    pub num_heads: usize,
    /// Number of classes of distances.
    pub relative_attention_num_buckets: usize,
    /// The distance from which on all belong to the last class.
    pub relative_attention_max_distance: usize,
    /// What normalisation adds to the mean square.
    pub layer_norm_epsilon: f64,
    /// Form of the feed-forward networks.
    pub feed_forward_proj: FeedForwardKind,
    /// Whether the decoder's outputs are divided by the root of `d_model` before the output projection.
    pub scale_outputs: bool,
}

/// `feed_forward_proj`: an activation, or `gated-` and an activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedForwardKind {
    /// Whether the activated half of the inner values is multiplied with another half.
    pub gated: bool,
    /// The activation.
    pub activation: Activation,
}

impl FeedForwardKind {
    const T5: Self = Self { gated: false, activation: Activation::Relu };
    const MT5: Self = Self { gated: true, activation: Activation::GeluNew };
}

impl<'de> Deserialize<'de> for FeedForwardKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let (gated, activation) = match name.strip_prefix("gated-") {
            // "gelu" meant its approximation when the first of these models were published.
            Some("gelu") => (true, "gelu_new"),
            Some(activation) => (true, activation),
            None => (false, name.as_str()),
        };
        let activation = Activation::deserialize(serde::de::value::StrDeserializer::new(activation))?;
        Ok(Self { gated, activation })
    }
}

/// `config.json` as it is written.
#[derive(Deserialize)]
pub(super) struct Written {
    vocab_size: usize,
    d_model: usize,
    d_kv: usize,
    d_ff: usize,
    num_layers: usize,
    num_decoder_layers: Option<usize>,
    num_heads: usize,
    #[serde(default = "default_buckets")]
    relative_attention_num_buckets: usize,
    #[serde(default = "default_max_distance")]
    relative_attention_max_distance: usize,
    #[serde(default = "default_epsilon")]
    layer_norm_epsilon: f64,
    feed_forward_proj: Option<FeedForwardKind>,
    tie_word_embeddings: Option<bool>,
}

fn default_buckets() -> usize {
    32
}

fn default_max_distance() -> usize {
    128
}

fn default_epsilon() -> f64 {
    1e-6
}

impl T5Config {
    /// Relative positions set no limit, but memory grows with the square of the length: as many as BART has.
    pub const MAX_POSITIONS: usize = 1024;

    /// With the defaults of T5, which scales its outputs unless the file says that embeddings are not tied; this is what
    /// transformers goes by, whatever the weights hold.
    pub(super) fn t5(written: Written) -> Self {
        let scale_outputs = written.tie_word_embeddings != Some(false);
        Self::new(written, FeedForwardKind::T5, scale_outputs)
    }

    /// With the defaults of mT5, which never scales its outputs.
    pub(super) fn mt5(written: Written) -> Self {
        Self::new(written, FeedForwardKind::MT5, false)
    }

    fn new(written: Written, feed_forward: FeedForwardKind, scale_outputs: bool) -> Self {
        Self {
            vocab_size: written.vocab_size,
            d_model: written.d_model,
            d_kv: written.d_kv,
            d_ff: written.d_ff,
            num_layers: written.num_layers,
            num_decoder_layers: written.num_decoder_layers.unwrap_or(written.num_layers),
            num_heads: written.num_heads,
            relative_attention_num_buckets: written.relative_attention_num_buckets,
            relative_attention_max_distance: written.relative_attention_max_distance,
            layer_norm_epsilon: written.layer_norm_epsilon,
            feed_forward_proj: written.feed_forward_proj.unwrap_or(feed_forward),
            scale_outputs,
        }
    }

    /// Width of all heads of an attention.
    pub fn inner_width(&self) -> usize {
        self.num_heads * self.d_kv
    }

    /// Refuses shapes that no network can have.
    pub(in crate::model) fn check(&self) -> Result<(), ModelError> {
        check_sizes(&[
            ("vocab_size", self.vocab_size),
            ("d_model", self.d_model),
            ("d_kv", self.d_kv),
            ("d_ff", self.d_ff),
            ("num_layers", self.num_layers),
            ("num_decoder_layers", self.num_decoder_layers),
            ("num_heads", self.num_heads),
            ("relative_attention_num_buckets", self.relative_attention_num_buckets),
            ("relative_attention_max_distance", self.relative_attention_max_distance),
        ])?;
        check_sizes(&[("num_heads times d_kv", self.inner_width())])?;
        let (buckets, distance) = (self.relative_attention_num_buckets, self.relative_attention_max_distance);
        if buckets < 4 || distance <= buckets / 2 {
            return Err(ModelError::Config(format!(
                "{buckets} relative_attention_num_buckets do not fit a relative_attention_max_distance of {distance}"
            )));
        }
        if !(self.layer_norm_epsilon.is_finite() && self.layer_norm_epsilon >= 0.0) {
            return Err(ModelError::Config(format!(
                "layer_norm_epsilon is {}, not 0 or more",
                self.layer_norm_epsilon
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_shapes_are_refused() {
        let t5 = |change: &str| {
            let text = format!(
                r#"{{"vocab_size": 9, "d_model": 4, "d_kv": 2, "d_ff": 8, "num_layers": 1,
                    "num_heads": 2 {change}}}"#
            );
            serde_json::from_str(&text)
                .map_err(|error| ModelError::Config(error.to_string()))
                .and_then(|written| T5Config::t5(written).check())
        };
        assert!(t5("").is_ok());
        for change in [
            r#", "num_decoder_layers": 0"#,
            r#", "relative_attention_num_buckets": 2"#,
            r#", "relative_attention_max_distance": 8"#,
            r#", "layer_norm_epsilon": -1.0"#,
            r#", "feed_forward_proj": "gated-nothing""#,
            r#", "feed_forward_proj": "open-relu""#,
        ] {
            assert!(matches!(t5(change), Err(ModelError::Config(_))), "{change}");
        }
    }
}

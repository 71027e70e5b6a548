//! Marian: the transformer of Vaswani et al. (2017), normalised after every sub-layer, as OPUS-MT trains it.

use candle_core::{DType, Device, Tensor};

use super::attention::{CrossMemory, Heads, Packing, SelfMemory, self_attention};
use super::embedding::{Embedding, sinusoidal_positions};
use super::layers::{Execution, LayerNorm, Linear, Loader};
use super::{Activation, MarianConfig, ModelError, Weights};
use crate::decode::{Logits, Network, Row};
use crate::profile::{self, Stage};

/// A Marian encoder-decoder.
pub struct Marian {
    config: MarianConfig,
    device: Device,
    dtype: DType,
    execution: Execution,
    source: Embedding,
    encoder: Vec<EncoderLayer>,
    target: Embedding,
    decoder: Vec<DecoderLayer>,
    output: Linear,
    /// The tokens that the output projection covers, in rising order; `None` is all of them.
    outputs: Option<Vec<u32>>,
}

impl Marian {
    /// Builds the network from its weights, checking every tensor's name, shape and type.
    ///
    /// With `outputs`, tokens in rising order, the network can write these alone, and calls them by their places in the
    /// list: a vocabulary that two languages share is half useless to the one that is written.
    pub fn load(
        config: MarianConfig,
        weights: &Weights,
        execution: Execution,
        device: &Device,
        dtype: DType,
        outputs: Option<Vec<u32>>,
    ) -> Result<Self, ModelError> {
        config.check()?;
        let root = Loader::new(weights, execution);
        let (width, vocabulary) = (config.d_model, config.target_vocab_size());
        let shared = config.share_encoder_decoder_embeddings;

        // Tied tensors are stored once, under whichever of their names was written.
        const SHARED: [&str; 4] = [
            "model.shared.weight",
            "model.decoder.embed_tokens.weight",
            "model.encoder.embed_tokens.weight",
            "lm_head.weight",
        ];
        const TARGET: [&str; 2] = ["model.decoder.embed_tokens.weight", "lm_head.weight"];
        let source_name = if shared { root.first_of(&SHARED) } else { "model.encoder.embed_tokens.weight" };
        let target_name = if shared { source_name } else { root.first_of(&TARGET) };
        let source = root.token_table(source_name, [config.vocab_size, width])?;
        let target = if shared { source.clone() } else { root.token_table(target_name, [vocabulary, width])? };
        let projection_name = if config.tie_word_embeddings { target_name } else { "lm_head.weight" };
        if let Some(id) = outputs.iter().flatten().find(|id| **id as usize >= vocabulary) {
            return Err(ModelError::Token { id: *id, size: vocabulary });
        }
        let bias = root.tensor("final_logits_bias", &[1, vocabulary])?.flatten_all()?;
        let output = root.projection(projection_name, Some(&bias), [vocabulary, width], outputs.as_deref())?;

        // Positions are fixed, but some checkpoints hold them, rounded to their own precision.
        let positions = |name: &str| -> Result<Tensor, ModelError> {
            let length = config.max_position_embeddings;
            if weights.has(name) {
                root.tensor(name, &[length, width])
            } else {
                Ok(sinusoidal_positions(length, width, device, dtype)?)
            }
        };
        let source_positions = positions("model.encoder.embed_positions.weight")?;
        let target_positions = positions("model.decoder.embed_positions.weight")?;
        let scale = if config.scale_embedding { (width as f64).sqrt() } else { 1.0 };
        let encoder = root.at("model.encoder.layers");
        let decoder = root.at("model.decoder.layers");
        Ok(Self {
            source: Embedding::new(source, source_positions, scale),
            encoder: (0..config.encoder_layers)
                .map(|layer| EncoderLayer::load(&encoder.at(layer), &config))
                .collect::<Result<_, _>>()?,
            target: Embedding::new(target, target_positions, scale),
            decoder: (0..config.decoder_layers)
                .map(|layer| DecoderLayer::load(&decoder.at(layer), &config))
                .collect::<Result<_, _>>()?,
            output,
            outputs,
            device: device.clone(),
            dtype,
            execution,
            config,
        })
    }

    /// The network's shape.
    pub fn config(&self) -> &MarianConfig {
        &self.config
    }

    /// The tokens that it can write, where that is not all of them.
    pub fn outputs(&self) -> Option<&[u32]> {
        self.outputs.as_deref()
    }

    /// Multiplications in the matrix products of one source token in the encoder, and of one row in a decoding step.
    pub fn products(&self) -> (usize, usize) {
        let MarianConfig { d_model: width, encoder_ffn_dim, decoder_ffn_dim, .. } = self.config;
        let vocabulary = self.outputs.as_ref().map_or(self.config.target_vocab_size(), Vec::len);
        let encoder = self.encoder.len() * width * (4 * width + 2 * encoder_ffn_dim);
        let memory = self.decoder.len() * 2 * width * width;
        let decoder = self.decoder.len() * width * (6 * width + 2 * decoder_ffn_dim);
        (encoder + memory, decoder + vocabulary * width)
    }

    /// The token that the network calls `token` at its output.
    fn output_token(&self, token: u32) -> u32 {
        match &self.outputs {
            Some(tokens) => tokens.get(token as usize).copied().unwrap_or(token),
            None => token,
        }
    }
}

/// Where the decoding of a batch stands.
pub struct MarianState {
    packing: Packing,
    cross: Vec<CrossMemory>,
    past: SelfMemory,
    /// Number of tokens that every row has behind it.
    length: u32,
}

impl Network for Marian {
    type State = MarianState;
    type Error = ModelError;

    fn start(&self, sources: &[&[u32]]) -> Result<MarianState, ModelError> {
        profile::time(Stage::Encode, || {
            let lengths: Vec<usize> = sources.iter().map(|ids| ids.len()).collect();
            let packing = Packing::new(&lengths, self.execution, &self.device, self.dtype)?;
            let positions: Vec<u32> = lengths.iter().flat_map(|length| 0..*length as u32).collect();
            let mut x = self.source.forward(&sources.concat(), &positions)?;
            for layer in &self.encoder {
                x = layer.forward(&x, &packing)?;
            }
            let cross = self.decoder.iter().map(|layer| layer.remember(&x, &packing)).collect::<Result<_, _>>()?;
            Ok(MarianState { packing, cross, past: SelfMemory::new(self.decoder.len(), self.execution), length: 0 })
        })
    }

    fn step(&self, state: &mut MarianState, rows: &[Row], logits: &mut Logits) -> Result<(), ModelError> {
        let tokens: Vec<u32> = rows.iter().map(|row| self.output_token(row.token)).collect();
        let mut x = self.target.forward(&tokens, &vec![state.length; rows.len()])?;
        state.length += 1;
        state.past.follow(rows, &self.device)?;
        let step = |work: &dyn Fn() -> candle_core::Result<Tensor>| profile::time(Stage::DecodeStep, work);
        for (place, (layer, cross)) in self.decoder.iter().zip(&mut state.cross).enumerate() {
            let qkv = step(&|| layer.self_qkv.forward(&x))?;
            let attended = profile::time(Stage::Attention, || state.past.attend(place, &qkv, layer.heads, None))?;
            x = step(&|| layer.self_norm.add_and_normalize(&layer.self_out.forward(&attended)?, &x))?;
            let query = step(&|| layer.cross_query.forward(&x))?;
            let attended = profile::time(Stage::Attention, || cross.attend(&query, rows, &state.packing, layer.heads))?;
            x = step(&|| {
                let x = layer.cross_norm.add_and_normalize(&layer.cross_out.forward(&attended)?, &x)?;
                layer.feed_forward.forward(&x)
            })?;
        }
        let vocabulary = self.outputs.as_ref().map_or(self.config.target_vocab_size(), Vec::len);
        let out = logits.reset(rows.len(), vocabulary);
        Ok(profile::time(Stage::OutputProjection, || self.output.forward_into(&x, out))?)
    }
}

struct EncoderLayer {
    qkv: Linear,
    out: Linear,
    norm: LayerNorm,
    feed_forward: FeedForward,
    heads: Heads,
}

impl EncoderLayer {
    fn load(loader: &Loader, config: &MarianConfig) -> Result<Self, ModelError> {
        let width = config.d_model;
        let attention = loader.at("self_attn");
        Ok(Self {
            qkv: attention.fused_linear(&["q_proj", "k_proj", "v_proj"], width, width)?,
            out: attention.linear("out_proj", width, width)?,
            norm: loader.layer_norm("self_attn_layer_norm", width)?,
            feed_forward: FeedForward::load(loader, width, config.encoder_ffn_dim, config.activation_function)?,
            heads: Heads::scaled(config.encoder_attention_heads, width),
        })
    }

    fn forward(&self, x: &Tensor, packing: &Packing) -> Result<Tensor, ModelError> {
        let attended = self_attention(&self.qkv.forward(x)?, packing, self.heads, None)?;
        let x = self.norm.add_and_normalize(&self.out.forward(&attended)?, x)?;
        Ok(self.feed_forward.forward(&x)?)
    }
}

struct DecoderLayer {
    self_qkv: Linear,
    self_out: Linear,
    self_norm: LayerNorm,
    cross_query: Linear,
    cross_key_value: Linear,
    cross_out: Linear,
    cross_norm: LayerNorm,
    feed_forward: FeedForward,
    heads: Heads,
}

impl DecoderLayer {
    fn load(loader: &Loader, config: &MarianConfig) -> Result<Self, ModelError> {
        let width = config.d_model;
        let (own, cross) = (loader.at("self_attn"), loader.at("encoder_attn"));
        Ok(Self {
            self_qkv: own.fused_linear(&["q_proj", "k_proj", "v_proj"], width, width)?,
            self_out: own.linear("out_proj", width, width)?,
            self_norm: loader.layer_norm("self_attn_layer_norm", width)?,
            cross_query: cross.linear("q_proj", width, width)?,
            cross_key_value: cross.fused_linear(&["k_proj", "v_proj"], width, width)?,
            cross_out: cross.linear("out_proj", width, width)?,
            cross_norm: loader.layer_norm("encoder_attn_layer_norm", width)?,
            feed_forward: FeedForward::load(loader, width, config.decoder_ffn_dim, config.activation_function)?,
            heads: Heads::scaled(config.decoder_attention_heads, width),
        })
    }

    /// What the layer's cross-attention will look into, from the encoded sources.
    fn remember(&self, encoded: &Tensor, packing: &Packing) -> Result<CrossMemory, ModelError> {
        Ok(CrossMemory::new(&self.cross_key_value.forward(encoded)?, packing, self.heads)?)
    }
}

struct FeedForward {
    inner: Linear,
    outer: Linear,
    norm: LayerNorm,
    activation: Activation,
}

impl FeedForward {
    fn load(loader: &Loader, width: usize, inner: usize, activation: Activation) -> Result<Self, ModelError> {
        Ok(Self {
            inner: loader.linear("fc1", width, inner)?,
            outer: loader.linear("fc2", inner, width)?,
            norm: loader.layer_norm("final_layer_norm", width)?,
            activation,
        })
    }

    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let inner = self.inner.forward_activated(x, self.activation)?;
        self.norm.add_and_normalize(&self.outer.forward(&inner)?, x)
    }
}

//! T5: normalised before every sub-layer, without biases, with relative positions in place of absolute ones
//! (Raffel et al. 2020). mT5, flan-t5 and MADLAD differ in what their configurations say.

mod bias;

use candle_core::{DType, Device, Tensor};

use self::bias::{Buckets, RelativeBias};
use super::attention::{CrossMemory, Heads, Packing, SelfMemory, self_attention};
use super::config::{FeedForwardKind, T5Config};
use super::embedding::TokenTable;
use super::head::Head;
use super::layers::{Execution, Linear, Loader, RmsNorm};
use super::{ModelError, Seq2Seq, Weights};
use crate::decode::{GenerationOptions, Hypothesis, Logits, Network, Row};
use crate::profile::{self, Stage};

/// A T5 encoder-decoder.
pub struct T5 {
    config: T5Config,
    device: Device,
    dtype: DType,
    execution: Execution,
    embedding: TokenTable,
    encoder: Stack<EncoderLayer>,
    decoder: Stack<DecoderLayer>,
    head: Head,
}

/// Layers, the positions that all of them know, and the normalisation after them.
struct Stack<L> {
    layers: Vec<L>,
    positions: RelativeBias,
    norm: RmsNorm,
}

impl T5 {
    /// Builds the network from its weights, checking every tensor's name, shape and type. `outputs` are as in
    /// [`Head::load`].
    pub fn load(
        config: T5Config,
        weights: &Weights,
        execution: Execution,
        device: &Device,
        dtype: DType,
        outputs: Option<Vec<u32>>,
    ) -> Result<Self, ModelError> {
        config.check()?;
        let root = Loader::new(weights, execution);
        let (width, epsilon) = (config.d_model, config.layer_norm_epsilon);
        // Tied tensors are stored once, under whichever of their names was written.
        const SHARED: [&str; 4] =
            ["shared.weight", "decoder.embed_tokens.weight", "encoder.embed_tokens.weight", "lm_head.weight"];
        let shape = [config.vocab_size, width];
        let name = root.first_of(&SHARED);
        let head_name = root.first_of(&["lm_head.weight", name]);
        let embedding = root.token_table(name, shape)?;
        let head = Head::load(&root, head_name, None, shape, outputs)?;
        let factor = if config.scale_outputs { (width as f64).sqrt().recip() } else { 1.0 };
        let (encoder, decoder) = (root.at("encoder"), root.at("decoder"));
        let positions = |stack: &Loader, bidirectional| {
            let first = stack.at("block.0.layer.0.SelfAttention");
            RelativeBias::load(&first, &config, Buckets::new(&config, bidirectional), execution)
        };
        Ok(Self {
            encoder: Stack {
                layers: encoder.layers(config.num_layers, |layer| {
                    EncoderLayer::load(&encoder.at(format_args!("block.{layer}.layer")), &config)
                })?,
                positions: positions(&encoder, true)?,
                norm: encoder.rms_norm("final_layer_norm", width, epsilon, 1.0)?,
            },
            decoder: Stack {
                layers: decoder.layers(config.num_decoder_layers, |layer| {
                    DecoderLayer::load(&decoder.at(format_args!("block.{layer}.layer")), &config)
                })?,
                positions: positions(&decoder, false)?,
                norm: decoder.rms_norm("final_layer_norm", width, epsilon, factor)?,
            },
            embedding,
            head,
            device: device.clone(),
            dtype,
            execution,
            config,
        })
    }

    /// The network's shape.
    pub fn config(&self) -> &T5Config {
        &self.config
    }
}

impl Seq2Seq for T5 {
    fn generate(&self, sources: &[&[u32]], options: &GenerationOptions) -> Result<Vec<Vec<Hypothesis>>, ModelError> {
        self.head.generate(self, sources, options)
    }

    fn max_positions(&self) -> usize {
        T5Config::MAX_POSITIONS
    }

    fn products(&self) -> (usize, usize) {
        let (width, projection) = (self.config.d_model, self.config.d_model * self.config.inner_width());
        let matrices = if self.config.feed_forward_proj.gated { 3 } else { 2 };
        let feed_forward = matrices * width * self.config.d_ff;
        let encoder = self.config.num_layers * (4 * projection + feed_forward);
        let memory = self.config.num_decoder_layers * 2 * projection;
        let decoder = self.config.num_decoder_layers * (6 * projection + feed_forward);
        (encoder + memory, decoder + self.head.size() * width)
    }
}

/// Where the decoding of a batch stands.
pub struct T5State {
    packing: Packing,
    cross: Vec<CrossMemory>,
    past: SelfMemory,
    /// Number of tokens that every row has behind it.
    length: usize,
}

impl Network for T5 {
    type State = T5State;
    type Error = ModelError;

    fn start(&self, sources: &[&[u32]]) -> Result<T5State, ModelError> {
        profile::time(Stage::Encode, || {
            let lengths: Vec<usize> = sources.iter().map(|ids| ids.len()).collect();
            let packing = Packing::new(&lengths, self.execution, &self.device, self.dtype)?;
            let longest = lengths.iter().copied().max().unwrap_or(0);
            let bias = self.encoder.positions.between(0..longest, longest)?;
            let mut x = self.embedding.look_up(&sources.concat(), 1.0)?;
            for layer in &self.encoder.layers {
                let qkv = layer.qkv.forward(&layer.norm.normalize(&x)?)?;
                x = (layer.out.forward(&self_attention(&qkv, &packing, layer.heads, Some(&bias))?)? + x)?;
                x = layer.feed_forward.forward(&x)?;
            }
            let encoded = self.encoder.norm.normalize(&x)?;
            let remember = |layer: &DecoderLayer| {
                CrossMemory::new(&layer.cross_key_value.forward(&encoded)?, &packing, layer.heads)
            };
            let cross = self.decoder.layers.iter().map(remember).collect::<Result<_, _>>()?;
            let past = SelfMemory::new(self.decoder.layers.len(), self.execution);
            Ok(T5State { packing, cross, past, length: 0 })
        })
    }

    fn step(&self, state: &mut T5State, rows: &[Row], logits: &mut Logits) -> Result<(), ModelError> {
        let tokens: Vec<u32> = rows.iter().map(|row| self.head.token(row.token)).collect();
        let mut x = self.embedding.look_up(&tokens, 1.0)?;
        state.past.follow(rows, &self.device)?;
        let bias = self.decoder.positions.between(state.length..state.length + 1, state.length + 1)?;
        state.length += 1;
        let step = |work: &dyn Fn() -> candle_core::Result<Tensor>| profile::time(Stage::DecodeStep, work);
        for (place, (layer, cross)) in self.decoder.layers.iter().zip(&mut state.cross).enumerate() {
            let qkv = step(&|| layer.self_qkv.forward(&layer.self_norm.normalize(&x)?))?;
            let attended =
                profile::time(Stage::Attention, || state.past.attend(place, &qkv, layer.heads, Some(&bias)))?;
            x = step(&|| layer.self_out.forward(&attended)? + &x)?;
            let query = step(&|| layer.cross_query.forward(&layer.cross_norm.normalize(&x)?))?;
            let attended = profile::time(Stage::Attention, || cross.attend(&query, rows, &state.packing, layer.heads))?;
            x = step(&|| layer.feed_forward.forward(&(layer.cross_out.forward(&attended)? + &x)?))?;
        }
        let x = step(&|| self.decoder.norm.normalize(&x))?;
        Ok(profile::time(Stage::OutputProjection, || self.head.forward_into(&x, logits))?)
    }
}

struct EncoderLayer {
    norm: RmsNorm,
    qkv: Linear,
    out: Linear,
    feed_forward: FeedForward,
    heads: Heads,
}

impl EncoderLayer {
    fn load(loader: &Loader, config: &T5Config) -> Result<Self, ModelError> {
        let (width, inner) = (config.d_model, config.inner_width());
        let attention = loader.at("0.SelfAttention");
        Ok(Self {
            norm: loader.rms_norm("0.layer_norm", width, config.layer_norm_epsilon, 1.0)?,
            qkv: attention.unbiased_linear(&["q", "k", "v"], width, inner)?,
            out: attention.unbiased_linear(&["o"], inner, width)?,
            feed_forward: FeedForward::load(&loader.at(1), config)?,
            heads: Heads::unscaled(config.num_heads),
        })
    }
}

struct DecoderLayer {
    self_norm: RmsNorm,
    self_qkv: Linear,
    self_out: Linear,
    cross_norm: RmsNorm,
    cross_query: Linear,
    cross_key_value: Linear,
    cross_out: Linear,
    feed_forward: FeedForward,
    heads: Heads,
}

impl DecoderLayer {
    fn load(loader: &Loader, config: &T5Config) -> Result<Self, ModelError> {
        let (width, inner, epsilon) = (config.d_model, config.inner_width(), config.layer_norm_epsilon);
        let (own, cross) = (loader.at("0.SelfAttention"), loader.at("1.EncDecAttention"));
        Ok(Self {
            self_norm: loader.rms_norm("0.layer_norm", width, epsilon, 1.0)?,
            self_qkv: own.unbiased_linear(&["q", "k", "v"], width, inner)?,
            self_out: own.unbiased_linear(&["o"], inner, width)?,
            cross_norm: loader.rms_norm("1.layer_norm", width, epsilon, 1.0)?,
            cross_query: cross.unbiased_linear(&["q"], width, inner)?,
            cross_key_value: cross.unbiased_linear(&["k", "v"], width, inner)?,
            cross_out: cross.unbiased_linear(&["o"], inner, width)?,
            feed_forward: FeedForward::load(&loader.at(2), config)?,
            heads: Heads::unscaled(config.num_heads),
        })
    }
}

struct FeedForward {
    norm: RmsNorm,
    inner: Linear,
    outer: Linear,
    kind: FeedForwardKind,
}

impl FeedForward {
    fn load(loader: &Loader, config: &T5Config) -> Result<Self, ModelError> {
        let (width, inner, kind) = (config.d_model, config.d_ff, config.feed_forward_proj);
        let names: &[&str] = if kind.gated { &["wi_0", "wi_1"] } else { &["wi"] };
        let layers = loader.at("DenseReluDense");
        Ok(Self {
            norm: loader.rms_norm("layer_norm", width, config.layer_norm_epsilon, 1.0)?,
            inner: layers.unbiased_linear(names, width, inner)?,
            outer: layers.unbiased_linear(&["wo"], inner, width)?,
            kind,
        })
    }

    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let normal = self.norm.normalize(x)?;
        let inner = if self.kind.gated {
            self.inner.forward_gated(&normal, self.kind.activation)?
        } else {
            self.inner.forward_activated(&normal, self.kind.activation)?
        };
        self.outer.forward(&inner)? + x
    }
}

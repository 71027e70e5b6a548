//! The transformer of Vaswani et al. (2017) as BART has it (Lewis et al. 2020), and with it mBART, Marian, M2M100, NLLB
//! and Pegasus: where they normalise, what positions they know and what they share is said by their configurations.

use candle_core::{DType, Device, Tensor};

use super::attention::{CrossMemory, Heads, Packing, SelfMemory, self_attention};
use super::config::{BartConfig, Positions};
use super::embedding::{Embedding, TokenTable, fairseq_positions, sinusoidal_positions};
use super::head::Head;
use super::layers::{Execution, LayerNorm, Linear, Loader};
use super::{Activation, ModelError, Seq2Seq, Weights};
use crate::decode::{GenerationOptions, Hypothesis, Logits, Network, Row};
use crate::profile::{self, Stage};

/// An encoder-decoder that is built as BART is.
pub struct Bart {
    config: BartConfig,
    device: Device,
    dtype: DType,
    execution: Execution,
    encoder: Stack<EncoderLayer>,
    decoder: Stack<DecoderLayer>,
    head: Head,
}

impl Bart {
    /// Builds the network from its weights, checking every tensor's name, shape and type.
    ///
    /// With `outputs`, tokens in rising order, the network can write these alone: a vocabulary that two languages share
    /// is half useless to the one that is written.
    pub fn load(
        config: BartConfig,
        weights: &Weights,
        execution: Execution,
        device: &Device,
        dtype: DType,
        outputs: Option<Vec<u32>>,
    ) -> Result<Self, ModelError> {
        config.check()?;
        let root = Loader::new(weights, execution);
        let (width, vocabulary) = (config.d_model, config.decoder_vocab_size);

        // Tied tensors are stored once, under whichever of their names was written.
        const SHARED: &str = "model.shared.weight";
        const SOURCE: &str = "model.encoder.embed_tokens.weight";
        const TARGET: &str = "model.decoder.embed_tokens.weight";
        const HEAD: &str = "lm_head.weight";
        let (source_name, target_name) = if config.share_encoder_decoder_embeddings {
            let name = root.first_of(&[SHARED, TARGET, SOURCE, HEAD]);
            (name, name)
        } else {
            (root.first_of(&[SOURCE, SHARED]), root.first_of(&[TARGET, SHARED, HEAD]))
        };
        let source = root.token_table(source_name, [config.vocab_size, width])?;
        let target = match source_name == target_name {
            true => source.clone(),
            false => root.token_table(target_name, [vocabulary, width])?,
        };
        let head_name = if config.tie_word_embeddings { target_name } else { HEAD };
        const BIAS: &str = "final_logits_bias";
        let bias = weights.has(BIAS).then(|| root.tensor(BIAS, &[1, vocabulary])).transpose()?;
        let bias = bias.map(|bias| bias.flatten_all()).transpose()?;
        let head = Head::load(&root, head_name, bias.as_ref(), [vocabulary, width], outputs)?;

        let (encoder, decoder) = (root.at("model.encoder"), root.at("model.decoder"));
        let positions = |loader| Ok::<_, ModelError>(positions(loader, &config)?.to_device(device)?.to_dtype(dtype)?);
        Ok(Self {
            encoder: Stack::load(&encoder, &config, source, positions(&encoder)?, config.encoder_layers)?,
            decoder: Stack::load(&decoder, &config, target, positions(&decoder)?, config.decoder_layers)?,
            head,
            device: device.clone(),
            dtype,
            execution,
            config,
        })
    }

    /// The network's shape.
    pub fn config(&self) -> &BartConfig {
        &self.config
    }
}

/// The positions of the encoder or the decoder, `[max_position_embeddings, d_model]`.
fn positions(loader: &Loader, config: &BartConfig) -> Result<Tensor, ModelError> {
    const STORED: &str = "embed_positions.weight";
    let (length, width) = (config.max_position_embeddings, config.d_model);
    Ok(match config.positions {
        Positions::Learned => loader.tensor(STORED, &[length + 2, width])?.narrow(0, 2, length)?.contiguous()?,
        // Stored ones are rounded to the precision of their checkpoint.
        Positions::Sinusoidal if loader.has(STORED) => loader.tensor(STORED, &[length, width])?,
        Positions::Sinusoidal => sinusoidal_positions(length, width)?,
        Positions::SinusoidalFromTwo => fairseq_positions(length, width)?,
    })
}

impl Seq2Seq for Bart {
    fn generate(&self, sources: &[&[u32]], options: &GenerationOptions) -> Result<Vec<Vec<Hypothesis>>, ModelError> {
        self.head.generate(self, sources, options)
    }

    fn max_positions(&self) -> usize {
        self.config.max_position_embeddings
    }

    fn products(&self) -> (usize, usize) {
        let BartConfig { d_model: width, encoder_ffn_dim, decoder_ffn_dim, .. } = self.config;
        let encoder = self.config.encoder_layers * width * (4 * width + 2 * encoder_ffn_dim);
        let memory = self.config.decoder_layers * 2 * width * width;
        let decoder = self.config.decoder_layers * width * (6 * width + 2 * decoder_ffn_dim);
        (encoder + memory, decoder + self.head.size() * width)
    }
}

/// Where the decoding of a batch stands.
pub struct BartState {
    packing: Packing,
    cross: Vec<CrossMemory>,
    past: SelfMemory,
    /// Number of tokens that every row has behind it.
    length: u32,
}

impl Network for Bart {
    type State = BartState;
    type Error = ModelError;

    fn start(&self, sources: &[&[u32]]) -> Result<BartState, ModelError> {
        profile::time(Stage::Encode, || {
            let lengths: Vec<usize> = sources.iter().map(|ids| ids.len()).collect();
            let packing = Packing::new(&lengths, self.execution, &self.device, self.dtype)?;
            let positions: Vec<u32> = lengths.iter().flat_map(|length| 0..*length as u32).collect();
            let mut x = self.encoder.embed(&sources.concat(), &positions)?;
            for layer in &self.encoder.layers {
                x = layer.forward(&x, &packing)?;
            }
            let x = self.encoder.finish(x)?;
            let layers = &self.decoder.layers;
            let cross = layers.iter().map(|layer| layer.remember(&x, &packing)).collect::<Result<_, _>>()?;
            Ok(BartState { packing, cross, past: SelfMemory::new(layers.len(), self.execution), length: 0 })
        })
    }

    fn step(&self, state: &mut BartState, rows: &[Row], logits: &mut Logits) -> Result<(), ModelError> {
        let tokens: Vec<u32> = rows.iter().map(|row| self.head.token(row.token)).collect();
        let mut x = self.decoder.embed(&tokens, &vec![state.length; rows.len()])?;
        state.length += 1;
        state.past.follow(rows, &self.device)?;
        let step = |work: &dyn Fn() -> candle_core::Result<Tensor>| profile::time(Stage::DecodeStep, work);
        for (place, (layer, cross)) in self.decoder.layers.iter().zip(&mut state.cross).enumerate() {
            let qkv = step(&|| layer.self_qkv.forward(&layer.self_norm.before(&x)?))?;
            let attended = profile::time(Stage::Attention, || state.past.attend(place, &qkv, layer.heads, None))?;
            x = step(&|| layer.self_norm.after(layer.self_out.forward(&attended)?, &x))?;
            let query = step(&|| layer.cross_query.forward(&layer.cross_norm.before(&x)?))?;
            let attended = profile::time(Stage::Attention, || cross.attend(&query, rows, &state.packing, layer.heads))?;
            x = step(&|| {
                let x = layer.cross_norm.after(layer.cross_out.forward(&attended)?, &x)?;
                layer.feed_forward.forward(&x)
            })?;
        }
        let x = self.decoder.finish(x)?;
        Ok(profile::time(Stage::OutputProjection, || self.head.forward_into(&x, logits))?)
    }
}

/// The encoder or the decoder.
struct Stack<L> {
    embedding: Embedding,
    embedding_norm: Option<LayerNorm>,
    layers: Vec<L>,
    norm: Option<LayerNorm>,
}

/// A layer of a [`Stack`].
trait Layer: Sized + Send {
    fn load(loader: &Loader, config: &BartConfig) -> Result<Self, ModelError>;
}

impl<L: Layer> Stack<L> {
    fn load(
        loader: &Loader,
        config: &BartConfig,
        tokens: TokenTable,
        positions: Tensor,
        layers: usize,
    ) -> Result<Self, ModelError> {
        let width = config.d_model;
        let scale = if config.scale_embedding { (width as f64).sqrt() } else { 1.0 };
        let norm = |there: bool, name| there.then(|| loader.layer_norm(name, width)).transpose();
        Ok(Self {
            embedding: Embedding::new(tokens, positions, scale),
            embedding_norm: norm(config.normalize_embedding, "layernorm_embedding")?,
            layers: loader.layers(layers, |layer| L::load(&loader.at("layers").at(layer), config))?,
            norm: norm(config.add_final_layer_norm, "layer_norm")?,
        })
    }
}

impl<L> Stack<L> {
    fn embed(&self, tokens: &[u32], positions: &[u32]) -> Result<Tensor, ModelError> {
        let x = self.embedding.forward(tokens, positions)?;
        Ok(self.embedding_norm.as_ref().map_or(Ok(x.clone()), |norm| norm.normalize(&x))?)
    }

    /// What follows the last layer.
    fn finish(&self, x: Tensor) -> candle_core::Result<Tensor> {
        match &self.norm {
            Some(norm) => norm.normalize(&x),
            None => Ok(x),
        }
    }
}

/// The normalisation of a sub-layer, of its input or of its sum with its input.
struct Residual {
    norm: LayerNorm,
    normalize_before: bool,
}

impl Residual {
    fn load(loader: &Loader, name: &str, config: &BartConfig) -> Result<Self, ModelError> {
        Ok(Self { norm: loader.layer_norm(name, config.d_model)?, normalize_before: config.normalize_before })
    }

    /// What the sub-layer reads.
    fn before(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        if self.normalize_before { self.norm.normalize(x) } else { Ok(x.clone()) }
    }

    /// What goes on, from what the sub-layer made of `x`.
    fn after(&self, made: Tensor, x: &Tensor) -> candle_core::Result<Tensor> {
        if self.normalize_before { made + x } else { self.norm.add_and_normalize(&made, x) }
    }
}

struct EncoderLayer {
    qkv: Linear,
    out: Linear,
    norm: Residual,
    feed_forward: FeedForward,
    heads: Heads,
}

impl Layer for EncoderLayer {
    fn load(loader: &Loader, config: &BartConfig) -> Result<Self, ModelError> {
        let width = config.d_model;
        let attention = loader.at("self_attn");
        Ok(Self {
            qkv: attention.fused_linear(&["q_proj", "k_proj", "v_proj"], width, width)?,
            out: attention.linear("out_proj", width, width)?,
            norm: Residual::load(loader, "self_attn_layer_norm", config)?,
            feed_forward: FeedForward::load(loader, config.encoder_ffn_dim, config)?,
            heads: Heads::scaled(config.encoder_attention_heads, width),
        })
    }
}

impl EncoderLayer {
    fn forward(&self, x: &Tensor, packing: &Packing) -> Result<Tensor, ModelError> {
        let attended = self_attention(&self.qkv.forward(&self.norm.before(x)?)?, packing, self.heads, None)?;
        let x = self.norm.after(self.out.forward(&attended)?, x)?;
        Ok(self.feed_forward.forward(&x)?)
    }
}

struct DecoderLayer {
    self_qkv: Linear,
    self_out: Linear,
    self_norm: Residual,
    cross_query: Linear,
    cross_key_value: Linear,
    cross_out: Linear,
    cross_norm: Residual,
    feed_forward: FeedForward,
    heads: Heads,
}

impl Layer for DecoderLayer {
    fn load(loader: &Loader, config: &BartConfig) -> Result<Self, ModelError> {
        let width = config.d_model;
        let (own, cross) = (loader.at("self_attn"), loader.at("encoder_attn"));
        Ok(Self {
            self_qkv: own.fused_linear(&["q_proj", "k_proj", "v_proj"], width, width)?,
            self_out: own.linear("out_proj", width, width)?,
            self_norm: Residual::load(loader, "self_attn_layer_norm", config)?,
            cross_query: cross.linear("q_proj", width, width)?,
            cross_key_value: cross.fused_linear(&["k_proj", "v_proj"], width, width)?,
            cross_out: cross.linear("out_proj", width, width)?,
            cross_norm: Residual::load(loader, "encoder_attn_layer_norm", config)?,
            feed_forward: FeedForward::load(loader, config.decoder_ffn_dim, config)?,
            heads: Heads::scaled(config.decoder_attention_heads, width),
        })
    }
}

impl DecoderLayer {
    /// What the layer's cross-attention will look into, from the encoded sources.
    fn remember(&self, encoded: &Tensor, packing: &Packing) -> Result<CrossMemory, ModelError> {
        Ok(CrossMemory::new(&self.cross_key_value.forward(encoded)?, packing, self.heads)?)
    }
}

struct FeedForward {
    inner: Linear,
    outer: Linear,
    norm: Residual,
    activation: Activation,
}

impl FeedForward {
    fn load(loader: &Loader, inner: usize, config: &BartConfig) -> Result<Self, ModelError> {
        Ok(Self {
            inner: loader.linear("fc1", config.d_model, inner)?,
            outer: loader.linear("fc2", inner, config.d_model)?,
            norm: Residual::load(loader, "final_layer_norm", config)?,
            activation: config.activation_function,
        })
    }

    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let inner = self.inner.forward_activated(&self.norm.before(x)?, self.activation)?;
        self.norm.after(self.outer.forward(&inner)?, x)
    }
}

//! From a model's folder to a network that runs.

use std::borrow::Cow;

use candle_core::{DType, Device};
use serde::de::DeserializeOwned;

use super::{Bart, Execution, ModelConfig, ModelError, T5, Weights};
use crate::decode::{GenerationConfig, GenerationOptions, Hypothesis};
use crate::hub::{ModelFile, ModelFolder};
use crate::kernels::Arithmetic;

/// A network that turns source ids into target ids, whatever its family.
pub trait Seq2Seq: Send + Sync {
    /// Decodes `sources` as one batch; see [`crate::decode::generate`].
    fn generate(&self, sources: &[&[u32]], options: &GenerationOptions) -> Result<Vec<Vec<Hypothesis>>, ModelError>;

    /// Longest source or target, in tokens.
    fn max_positions(&self) -> usize;

    /// Multiplications in the matrix products of one source token, and of one row in a decoding step.
    fn products(&self) -> (usize, usize);
}

/// Number format of weights and arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// The best that is known to keep the quality on the device at hand: on a CPU f32, or int8 for weights that are stored
    /// so; on a GPU f16, or bf16 for T5.
    #[default]
    Auto,
    /// Single precision.
    F32,
    /// Half precision; GPUs only.
    F16,
    /// Brain floating point; GPUs only.
    BF16,
    /// 8-bit integers in linear layers, f32 elsewhere; CPUs only.
    Int8,
}

impl Precision {
    /// The type that tensors are loaded as, and how layers compute; `stored_int8` tells how the weights are stored.
    fn resolve(
        self,
        device: &Device,
        config: &ModelConfig,
        stored_int8: bool,
    ) -> Result<(DType, Execution), ModelError> {
        let kernels = |arithmetic| Ok((DType::F32, Execution::Kernels(arithmetic)));
        let wide = matches!(config, ModelConfig::T5(_));
        match (self, device.is_cpu()) {
            (Self::Auto, true) if stored_int8 => kernels(Arithmetic::Int8),
            (Self::Auto | Self::F32, true) => kernels(Arithmetic::F32),
            (Self::Int8, true) => kernels(Arithmetic::Int8),
            (Self::F16 | Self::BF16, true) => Err(ModelError::Precision("f16 and bf16 are for GPUs; use f32 or int8")),
            (Self::F16, false) if wide => {
                Err(ModelError::Precision("the hidden states of T5 networks exceed the range of f16; use bf16 or f32"))
            }
            (Self::Auto, false) if wide => Ok((DType::BF16, Execution::Candle)),
            (Self::Auto | Self::F16, false) => Ok((DType::F16, Execution::Candle)),
            (Self::BF16, false) => Ok((DType::BF16, Execution::Candle)),
            (Self::F32, false) => Ok((DType::F32, Execution::Candle)),
            (Self::Int8, false) => Err(ModelError::Precision("int8 is for CPUs; use f16, bf16 or f32")),
        }
    }
}

/// The generation settings that come with a model: those of generation_config.json, then those of config.json.
pub fn generation_config(folder: &ModelFolder) -> Result<GenerationConfig, ModelError> {
    let own: GenerationConfig = read_json(config_file(folder)?)?;
    Ok(match folder.file("generation_config.json") {
        Some(file) => read_json::<GenerationConfig>(file)?.or(own),
        None => own,
    })
}

/// The configuration of the network of `folder`.
pub fn config(folder: &ModelFolder) -> Result<ModelConfig, ModelError> {
    let file = config_file(folder)?;
    let text = read(file)?;
    let text = std::str::from_utf8(&text).map_err(|error| unclear(file, &error))?;
    ModelConfig::from_json(text)
}

/// Loads the network of `folder`; `outputs` are the only tokens that it has to be able to write, `None` is all.
pub fn load(
    folder: &ModelFolder,
    device: &Device,
    precision: Precision,
    outputs: Option<Vec<u32>>,
) -> Result<Box<dyn Seq2Seq>, ModelError> {
    let config = config(folder)?;
    let weights = Weights::open(folder.weights(), device, DType::F32)?;
    let (dtype, execution) = precision.resolve(device, &config, weights.are_int8())?;
    build(config, &weights.loaded_as(dtype), execution, device, dtype, outputs)
}

/// Builds the network of `config` from its weights, which were opened for `device` and `dtype`.
pub fn build(
    config: ModelConfig,
    weights: &Weights,
    execution: Execution,
    device: &Device,
    dtype: DType,
    outputs: Option<Vec<u32>>,
) -> Result<Box<dyn Seq2Seq>, ModelError> {
    Ok(match config {
        ModelConfig::Bart(config) => Box::new(Bart::load(config, weights, execution, device, dtype, outputs)?),
        ModelConfig::T5(config) => Box::new(T5::load(config, weights, execution, device, dtype, outputs)?),
    })
}

fn config_file(folder: &ModelFolder) -> Result<&ModelFile, ModelError> {
    folder.file("config.json").ok_or_else(|| ModelError::Config("config.json is not there".into()))
}

fn read(file: &ModelFile) -> Result<Cow<'static, [u8]>, ModelError> {
    file.read().map_err(|source| ModelError::Io { path: file.path().to_owned(), source })
}

fn read_json<T: DeserializeOwned>(file: &ModelFile) -> Result<T, ModelError> {
    serde_json::from_slice(&read(file)?).map_err(|error| unclear(file, &error))
}

fn unclear(file: &ModelFile, error: &dyn std::error::Error) -> ModelError {
    ModelError::Config(format!("{} can't be understood ({error})", file.path().display()))
}

//! Flags that several commands share: which model, where it runs, how it searches.

use std::str::FromStr;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use translate::decode::GenerationConfig;
use translate::model::Precision;
use translate::registry::Registry;
use translate::text::Normalization;
use translate::translator::{Device, TranslatorBuilder};

/// Which model runs, and where.
#[derive(Debug, Args)]
pub struct ModelArgs {
    /// Language of the source
    #[arg(long, value_name = "LANG", default_value = "ar", help_heading = "Models")]
    from: String,
    /// Language of the translation
    #[arg(long, value_name = "LANG", default_value = "en", help_heading = "Models")]
    to: String,
    /// Registry name, org/repo[@revision] on the hub, or a local folder in the hub's layout
    #[arg(short, long, value_name = "NAME", env = "TRANSLATE_MODEL", help_heading = "Models")]
    model: Option<String>,
    /// Where the model runs: auto, cpu, cuda[:N] or metal
    #[arg(long, value_name = "DEVICE", default_value = "auto", help_heading = "Speed")]
    device: Device,
    /// Number format of weights and arithmetic
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "auto", help_heading = "Speed")]
    precision: PrecisionArg,
    /// Processor threads to use at most [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Speed")]
    threads: Option<u16>,
    /// Source tokens that are translated together at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Speed")]
    batch_tokens: Option<u32>,
}

/// Number formats by name.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum PrecisionArg {
    Auto,
    F32,
    F16,
    Bf16,
    Int8,
}

impl PrecisionArg {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::Int8 => "int8",
        }
    }
}

impl From<PrecisionArg> for Precision {
    fn from(precision: PrecisionArg) -> Self {
        match precision {
            PrecisionArg::Auto => Self::Auto,
            PrecisionArg::F32 => Self::F32,
            PrecisionArg::F16 => Self::F16,
            PrecisionArg::Bf16 => Self::BF16,
            PrecisionArg::Int8 => Self::Int8,
        }
    }
}

impl ModelArgs {
    /// Language of the source.
    pub fn source(&self) -> &str {
        &self.from
    }

    /// Language of the translation.
    pub fn target(&self) -> &str {
        &self.to
    }

    /// A builder with what the flags say.
    pub fn apply(&self, registry: Registry, builder: TranslatorBuilder) -> TranslatorBuilder {
        let mut builder = builder
            .registry(registry)
            .languages(&self.from, &self.to)
            .device(self.device)
            .precision(self.precision.into());
        if let Some(model) = &self.model {
            builder = builder.model(model);
        }
        if let Some(threads) = self.threads {
            builder = builder.threads(threads.into());
        }
        if let Some(tokens) = self.batch_tokens {
            builder = builder.batch_tokens(tokens as usize);
        }
        builder
    }
}

/// Steps of the cleaning, by name.
#[derive(Debug, Clone, Copy)]
pub struct NormalizationArg(pub Normalization);

impl FromStr for NormalizationArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut steps = match text {
            "default" => return Ok(Self(Normalization::default())),
            "all" => return Ok(Self(Normalization::all())),
            _ => Normalization::none(),
        };
        for name in text.split(',').filter(|name| *name != "none") {
            let step = match name {
                "tatweel" => &mut steps.tatweel,
                "invisible" => &mut steps.invisible,
                "presentation-forms" => &mut steps.presentation_forms,
                "farsi-letters" => &mut steps.farsi_letters,
                "digits" => &mut steps.digits,
                "compose" => &mut steps.compose,
                "quotes" => &mut steps.quotes,
                "dashes" => &mut steps.dashes,
                "tashkeel" => &mut steps.tashkeel,
                _ => {
                    return Err(format!(
                        "{name:?} is no step; they are tatweel, invisible, presentation-forms, farsi-letters, digits, \
                         compose, quotes, dashes, tashkeel"
                    ));
                }
            };
            *step = true;
        }
        Ok(Self(steps))
    }
}

/// How hypotheses are searched; what is not given is the model's own setting.
#[derive(Debug, Args)]
#[command(next_help_heading = "Search (default: the model's own settings)")]
pub struct SearchArgs {
    /// Width of the beam; 1 is greedy search
    #[arg(long, value_name = "N", value_parser = at_least_one())]
    beam_size: Option<usize>,
    /// Exponent of the length in scores: above 0 favours long translations
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    length_penalty: Option<f64>,
    /// Longest translation of a segment, in tokens
    #[arg(long, value_name = "N", value_parser = at_least_one())]
    max_length: Option<usize>,
    /// Shortest translation of a segment, in tokens
    #[arg(long, value_name = "N")]
    min_length: Option<usize>,
    /// Allow no sequence of N tokens twice in a segment
    #[arg(long, value_name = "N")]
    no_repeat_ngram: Option<usize>,
    /// Make tokens that have occurred less likely: above 1
    #[arg(long, value_name = "X")]
    repetition_penalty: Option<f32>,
    /// Give the N best translations of each segment (with json and jsonl)
    #[arg(long, value_name = "N", value_parser = at_least_one())]
    n_best: Option<usize>,
    /// Draw tokens at random, with this seed, rather than searching
    #[arg(long, value_name = "SEED")]
    sample: Option<u64>,
    /// With --sample: above 1 more varied, below 1 less
    #[arg(long, value_name = "X", requires = "sample")]
    temperature: Option<f64>,
    /// With --sample: draw among the N most probable tokens
    #[arg(long, value_name = "N", requires = "sample")]
    top_k: Option<usize>,
    /// With --sample: draw among the most probable tokens of total probability X
    #[arg(long, value_name = "X", requires = "sample")]
    top_p: Option<f64>,
}

impl SearchArgs {
    /// The settings that the flags give. Lengths count what is generated, the end token included.
    pub fn generation(&self) -> GenerationConfig {
        GenerationConfig {
            num_beams: self.beam_size.or(self.sample.map(|_| 1)),
            length_penalty: self.length_penalty,
            max_new_tokens: self.max_length,
            min_length: self.min_length.map(|length| length.saturating_add(1)),
            no_repeat_ngram_size: self.no_repeat_ngram,
            repetition_penalty: self.repetition_penalty,
            num_return_sequences: self.n_best,
            do_sample: self.sample.map(|_| true),
            seed: self.sample,
            temperature: self.temperature,
            top_k: self.top_k,
            top_p: self.top_p,
            ..GenerationConfig::default()
        }
    }
}

fn at_least_one() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..)
}

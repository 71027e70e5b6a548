//! `config.json`, checked: which network a model is, and its shape.

mod bart;
mod t5;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::ModelError;

use bart::Kind;
pub use bart::{BartConfig, Positions};
pub use t5::{FeedForwardKind, T5Config};

/// A network that can be run.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelConfig {
    /// BART and what is built like it: mBART, Marian, M2M100, NLLB, Pegasus.
    Bart(BartConfig),
    /// T5 and its kin: mT5, flan-t5, MADLAD.
    T5(T5Config),
}

/// The values of `model_type` that are understood.
const SUPPORTED: &str = "bart, m2m_100, marian, mbart, mt5, pegasus, t5";

impl ModelConfig {
    /// Reads the text of a `config.json`.
    pub fn from_json(text: &str) -> Result<Self, ModelError> {
        #[derive(Deserialize)]
        struct Named {
            model_type: Option<String>,
            #[serde(default)]
            architectures: Option<Vec<String>>,
        }
        let named: Named = parse(text)?;
        let bart = |kind| Ok(Self::Bart(BartConfig::new(parse(text)?, kind)));
        match named.model_type.as_deref() {
            Some("bart") => bart(Kind::Bart),
            Some("m2m_100") => bart(Kind::M2m100),
            Some("marian") => bart(Kind::Marian),
            Some("mbart") => bart(Kind::Mbart),
            Some("pegasus") => bart(Kind::Pegasus),
            Some("t5") => Ok(Self::T5(T5Config::t5(parse(text)?))),
            Some("mt5") => Ok(Self::T5(T5Config::mt5(parse(text)?))),
            _ => {
                let names = named.architectures.unwrap_or_default().join(", ");
                let found = match (named.model_type, names.as_str()) {
                    (Some(model_type), "") => model_type,
                    (Some(model_type), names) => format!("{names} (model_type {model_type})"),
                    (None, "") => "no model_type".to_owned(),
                    (None, names) => format!("{names} (no model_type)"),
                };
                Err(ModelError::Unsupported { found, supported: SUPPORTED })
            }
        }
    }

    /// Size of the source vocabulary.
    pub fn vocab_size(&self) -> usize {
        match self {
            Self::Bart(config) => config.vocab_size,
            Self::T5(config) => config.vocab_size,
        }
    }

    /// Longest source or target, in tokens.
    pub fn max_positions(&self) -> usize {
        match self {
            Self::Bart(config) => config.max_position_embeddings,
            Self::T5(_) => T5Config::MAX_POSITIONS,
        }
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ModelError> {
    serde_json::from_str(text).map_err(|error| ModelError::Config(format!("config.json can't be understood ({error})")))
}

/// Refuses sizes that no network can have, before anything is allocated.
fn check_sizes(sizes: &[(&str, usize)]) -> Result<(), ModelError> {
    const LARGEST: usize = 1 << 24;
    match sizes.iter().find(|(_, value)| !(1..=LARGEST).contains(value)) {
        Some((name, value)) => Err(ModelError::Config(format!("{name} is {value}, outside 1 to {LARGEST}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unsupported_network_is_named_beside_those_that_are_supported() {
        let told = |text: &str| ModelConfig::from_json(text).unwrap_err().to_string();
        let error = told(r#"{"model_type": "bert", "architectures": ["BertModel"]}"#);
        assert!(error.contains("BertModel (model_type bert)") && error.contains("marian, "), "{error}");
        assert!(told(r#"{"vocab_size": 5}"#).contains("no model_type"));
        assert!(told("[]").contains("config.json"));
    }
}

//! What is known of one model.

use std::fmt;
use std::num::NonZeroU32;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::Family;
use crate::decode::GenerationConfig;

/// One entry of the registry.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSpec {
    /// What users call it: letters, digits, `.`, `_` and `-`.
    #[serde(deserialize_with = "model_name")]
    pub name: String,
    /// Where the hub keeps it; nowhere if it is [`STARTER`](super::STARTER), which is built in.
    pub repo: Option<RepoId>,
    /// Branch, tag or commit.
    #[serde(default)]
    pub revision: Revision,
    /// Architecture, which decides the files it is made of.
    pub family: Family,
    /// Languages it reads, as ISO 639 codes; at least one.
    #[serde(deserialize_with = "languages")]
    pub source: Vec<String>,
    /// Languages it writes, as ISO 639 codes; at least one.
    #[serde(deserialize_with = "languages")]
    pub target: Vec<String>,
    /// What it is trained to do.
    pub task: Task,
    /// SPDX identifier of the weights' licence, or `not stated`.
    pub licence: String,
    /// Size of the files that are fetched, in 10^6 bytes, approximate.
    pub download_mb: u32,
    /// Size of the weights once loaded, in f32 unless they are stored as int8, in 10^6 bytes, approximate.
    pub memory_mb: u32,
    /// One line that helps to choose.
    pub advice: String,
    /// What stands before every text that it reads, such as `summarize: `.
    #[serde(default)]
    pub prefix: Option<String>,
    /// Generation settings that differ from the model's own.
    #[serde(default)]
    pub generation: GenerationOverrides,
}

impl ModelSpec {
    /// Whether it reads `from` and writes `to`.
    pub fn offers(&self, from: &str, to: &str) -> bool {
        self.source.iter().any(|s| s == from) && self.target.iter().any(|t| t == to)
    }

    /// Whether the licence forbids commercial use: such a one has `NC` as a part of its SPDX identifier.
    pub fn forbids_commercial_use(&self) -> bool {
        self.licence.split('-').any(|part| part == "NC")
    }

    /// Its pairs of languages, as `ar-en`.
    pub fn pairs(&self) -> impl Iterator<Item = String> + '_ {
        self.source.iter().flat_map(|from| self.target.iter().map(move |to| format!("{from}-{to}")))
    }
}

/// What a model does with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// The same text in another language.
    Translate,
    /// A shorter text.
    Summarize,
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Task::Translate => "translate",
            Task::Summarize => "summarize",
        })
    }
}

/// Generation settings of a registry entry; what is absent stays as the model has it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenerationOverrides {
    /// Beams of the search; 1 is greedy.
    pub num_beams: Option<NonZeroU32>,
    /// Power of the length by which a hypothesis' score is divided.
    #[serde(default, deserialize_with = "finite")]
    pub length_penalty: Option<f64>,
    /// Longest hypothesis, in tokens.
    pub max_length: Option<NonZeroU32>,
    /// Length of the n-grams that may stand only once; 0 allows all.
    pub no_repeat_ngram_size: Option<u32>,
    /// Factor, above 0, by which a token's score falls once it has been used; 1 changes nothing.
    #[serde(default, deserialize_with = "finite_positive")]
    pub repetition_penalty: Option<f64>,
}

impl From<&GenerationOverrides> for GenerationConfig {
    fn from(overrides: &GenerationOverrides) -> Self {
        Self {
            num_beams: overrides.num_beams.map(|beams| beams.get() as usize),
            length_penalty: overrides.length_penalty,
            max_length: overrides.max_length.map(|length| length.get() as usize),
            no_repeat_ngram_size: overrides.no_repeat_ngram_size.map(|size| size as usize),
            repetition_penalty: overrides.repetition_penalty.map(|penalty| penalty as f32),
            ..Self::default()
        }
    }
}

/// A repository on the hub, `org/name`, known to obey the hub's rules for names, hence safe in paths and addresses.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct RepoId(String);

impl RepoId {
    /// As `org/name`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RepoId {
    type Error = String;

    /// The rules are those of huggingface_hub's `validate_repo_id`, the organisation being obligatory.
    fn try_from(text: String) -> Result<Self, String> {
        let well_formed = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
                && !part.starts_with(['.', '-'])
                && !part.ends_with(['.', '-'])
        };
        let plain = text.split_once('/').is_some_and(|(org, name)| well_formed(org) && well_formed(name));
        if plain && text.len() <= 96 && !text.contains("--") && !text.contains("..") && !text.ends_with(".git") {
            Ok(Self(text))
        } else {
            Err(format!("{text:?} is not a repository of the form org/name"))
        }
    }
}

impl fmt::Display for RepoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A branch, tag or commit, known to be safe in paths and addresses; `main` unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Revision(String);

impl Revision {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Revision {
    fn default() -> Self {
        Self("main".to_owned())
    }
}

impl TryFrom<String> for Revision {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let safe = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+".contains(&b))
        };
        if text.len() <= 200 && text.split('/').all(safe) {
            Ok(Self(text))
        } else {
            Err(format!("{text:?} is not a branch, tag or commit"))
        }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn model_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if plain && !name.is_empty() && !name.starts_with(['.', '-']) {
        Ok(name)
    } else {
        Err(D::Error::custom(format!("{name:?} is no name: use letters, digits, '.', '_' and '-'")))
    }
}

fn languages<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let languages = Vec::<String>::deserialize(deserializer)?;
    let is_code =
        |code: &String| !code.is_empty() && code.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    match languages.iter().find(|code| !is_code(code)) {
        Some(code) => Err(D::Error::custom(format!("{code:?} is no language code"))),
        None if languages.is_empty() => Err(D::Error::custom("at least one language is needed")),
        None => Ok(languages),
    }
}

fn finite<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let number = f64::deserialize(deserializer)?;
    if number.is_finite() { Ok(Some(number)) } else { Err(D::Error::custom("a finite number is needed")) }
}

fn finite_positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    match finite(deserializer)? {
        Some(number) if number <= 0.0 => Err(D::Error::custom("a number above 0 is needed")),
        number => Ok(number),
    }
}

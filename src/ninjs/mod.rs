//! Stories as IPTC ninjs 3.1, "News in JSON" (<https://iptc.org/standards/ninjs/>), which newsroom systems take in.
//!
//! What is written satisfies the schemas 3.0 to 3.3, `digitalSourceType` apart, which is new in 3.1. They have no field
//! for a translation's origin; here the source is an association with the relation `translatedFrom` and an alternative
//! id with the role `translationOf`, and the models are information sources.

mod write;

use std::time::SystemTime;

use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use write::{NinjsWriter, Origin};

use crate::hub::Provenance;

/// What a machine has written about, or made of, one source document.
#[derive(Debug, Clone)]
pub struct Story<'a> {
    /// What the user calls the source: a file's name, a record's id.
    pub source_id: &'a str,
    /// The source's text, which makes the story's `uri`: the same text has the same one, whatever the model.
    pub source: &'a str,
    /// Language of the source, as a BCP 47 tag.
    pub from: &'a str,
    /// Language of the story, as a BCP 47 tag.
    pub to: &'a str,
    /// Without a full stop.
    pub headline: Option<&'a str>,
    /// In a few sentences.
    pub summary: Option<&'a str>,
    /// The whole text without its headline, as plain text; absent where there is a summary alone.
    pub body: Option<&'a str>,
    /// The place of the dateline, in the story's language.
    pub city: Option<&'a str>,
    /// Day of release, as `2026-10-14`.
    pub date: Option<&'a str>,
    /// The models that wrote it, each with its part in that.
    pub models: Vec<(ModelRole, &'a Provenance)>,
    /// What an editor must look at, as a sentence.
    pub warning: Option<&'a str>,
    /// When it was written.
    pub created: SystemTime,
}

/// What a model did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ModelRole {
    /// Translated.
    MachineTranslation,
    /// Summarised.
    MachineSummarization,
}

/// A news object. Fields without a value are left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Identifies the story, whatever its version.
    pub uri: String,
    /// `text`.
    pub r#type: &'static str,
    /// `full`, or `partial` where there is no body.
    pub representation_type: &'static str,
    /// The standard that this follows.
    pub standard: Standard,
    /// When the translation was made, in RFC 3339.
    pub version_created: String,
    /// When the source was released; the schema wants a time, which is midnight in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_created: Option<String>,
    /// BCP 47 tag.
    pub language: String,
    /// One or none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headlines: Vec<Text>,
    /// The summary, or none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub descriptions: Vec<Text>,
    /// One or none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bodies: Vec<Body>,
    /// Says that a machine wrote it.
    pub by: String,
    /// The dateline's place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub located: Option<String>,
    /// What an editor should know; not for publication.
    pub ed_note: String,
    /// The models.
    pub info_sources: Vec<InfoSource>,
    /// The source's id.
    pub alt_ids: Vec<AltId>,
    /// The source.
    pub associations: Vec<Association>,
    /// Machine-made.
    pub digital_source_type: DigitalSourceType,
}

/// The standard and its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standard {
    name: &'static str,
    version: &'static str,
    schema: &'static str,
}

/// A headline or a description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Text {
    /// Its place in the story.
    pub role: &'static str,
    /// Media type.
    pub content_type: &'static str,
    /// The text.
    pub value: String,
}

/// The text of a story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Body {
    /// Its place in the story.
    pub role: &'static str,
    /// Media type.
    pub content_type: &'static str,
    /// Characters, white space included.
    pub char_count: usize,
    /// Runs of characters without white space.
    pub word_count: usize,
    /// The text.
    pub value: String,
}

/// A party to the making of a story: here a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InfoSource {
    /// What the user calls the model.
    pub name: String,
    /// What it did.
    pub role: ModelRole,
    /// Its page on the hub, of the very revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Repository and revision, or the folder.
    pub literal: String,
}

/// Another identifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AltId {
    /// What it identifies.
    pub role: &'static str,
    /// The identifier.
    pub value: String,
}

/// Another news object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Association {
    /// What it is to this one.
    pub name: &'static str,
    /// The relation of this one to it.
    pub rel: &'static str,
    /// Identifies it.
    pub uri: String,
    /// `text`.
    pub r#type: &'static str,
    /// BCP 47 tag.
    pub language: String,
    /// What the user calls it.
    pub title: String,
}

/// A term of <http://cv.iptc.org/newscodes/digitalsourcetype/>.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DigitalSourceType {
    /// Its identifier.
    pub uri: &'static str,
}

const VERSION: Standard =
    Standard { name: "ninjs", version: "3.1", schema: "http://www.iptc.org/std/ninjs/ninjs-schema_3.1.json#" };
const PLAIN_TEXT: &str = "text/plain";
const TYPE: &str = "text";
const MAIN: &str = "main";
/// What a trained model has made.
const TRAINED_MODEL: &str = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";

impl Story<'_> {
    /// The story as a news object.
    pub fn item(&self) -> Item {
        let text = |role, value: &str| Text { role, content_type: PLAIN_TEXT, value: value.to_owned() };
        let form = if self.body.is_some() { "full" } else { "partial" };
        let timestamp = humantime::format_rfc3339_seconds(self.created).to_string();
        Item {
            uri: identifier(&[self.source, self.to, form]),
            r#type: TYPE,
            representation_type: form,
            standard: VERSION,
            version_created: timestamp,
            content_created: self.date.map(|date| format!("{date}T00:00:00Z")),
            language: self.to.to_owned(),
            headlines: self.headline.map(|value| text(MAIN, value)).into_iter().collect(),
            descriptions: self.summary.map(|value| text("summary", value)).into_iter().collect(),
            bodies: self.body.map(Body::of).into_iter().collect(),
            by: "Machine translation".to_owned(),
            located: self.city.map(str::to_owned),
            ed_note: self.note(),
            info_sources: self.models.iter().map(|(role, model)| InfoSource::of(*role, model)).collect(),
            alt_ids: vec![AltId { role: "translationOf", value: self.source_id.to_owned() }],
            associations: vec![Association {
                name: "source",
                rel: "translatedFrom",
                uri: identifier(&[self.source, self.from]),
                r#type: TYPE,
                language: self.from.to_owned(),
                title: self.source_id.to_owned(),
            }],
            digital_source_type: DigitalSourceType { uri: TRAINED_MODEL },
        }
    }

    fn note(&self) -> String {
        let Self { from, to, models, .. } = self;
        let models = models.iter().map(|(_, model)| model.to_string()).collect::<Vec<_>>().join(" and ");
        let version = env!("CARGO_PKG_VERSION");
        let made = format!("Machine translation from {from} to {to} by {models} with translate {version}; not edited.");
        self.warning.map_or(made.clone(), |warning| format!("{made} {warning}"))
    }
}

impl Body {
    fn of(value: &str) -> Self {
        Self {
            role: MAIN,
            content_type: PLAIN_TEXT,
            char_count: value.chars().count(),
            word_count: value.split_whitespace().count(),
            value: value.to_owned(),
        }
    }
}

impl InfoSource {
    fn of(role: ModelRole, model: &Provenance) -> Self {
        let page = model.repo.as_ref().zip(model.commit.as_ref());
        Self {
            name: model.name.clone(),
            role,
            uri: page.map(|(repo, commit)| format!("https://huggingface.co/{repo}/tree/{commit}")),
            literal: model.to_string(),
        }
    }
}

/// A UUID of version 8 (RFC 9562) from the SHA-256 of `parts`, as a URN.
fn identifier(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash.finalize()).for_each(|(byte, hashed)| *byte = hashed);
    Uuid::new_v8(bytes).urn().to_string()
}

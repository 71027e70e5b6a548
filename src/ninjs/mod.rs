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

pub use write::NinjsWriter;

use crate::hub::Provenance;
use crate::release::Release;
use crate::summarizer::{Remark, Summary};

/// What a machine has written about, or made of, one source document.
#[derive(Debug, Clone)]
pub struct Story<'a> {
    /// What the user calls the source: a file's name, a record's id.
    pub source_id: &'a str,
    /// The source's text, which makes the story's `uri`: the same text has the same one, whatever the model.
    pub source: String,
    /// Language of the source, as a BCP 47 tag.
    pub from: &'a str,
    /// Language of the story, as a BCP 47 tag.
    pub to: &'a str,
    /// In the house style; absent where it is empty.
    pub headline: &'a str,
    /// The release's own headline, translated whole, where it says more.
    pub full_headline: Option<String>,
    /// In a few sentences; absent where it is empty.
    pub summary: &'a str,
    /// The whole text without its headline, as plain text; absent where there is a summary alone.
    pub body: Option<String>,
    /// The place of the dateline, in the story's language.
    pub city: Option<&'a str>,
    /// Day of release, as `2026-10-14`.
    pub date: Option<String>,
    /// The models that wrote it, each with what it did: `translate`, `summarize`.
    pub models: Vec<(&'static str, &'a Provenance)>,
    /// What an editor must look at, in words that outputs flag it with.
    pub flags: Vec<&'static str>,
    /// When it was written.
    pub created: SystemTime,
}

/// What all stories of a run have in common.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// Language of the sources, as a BCP 47 tag.
    pub from: &'a str,
    /// Language of the stories, as a BCP 47 tag.
    pub to: &'a str,
    /// The time of the run.
    pub created: SystemTime,
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
    /// That in the house style, and the release's own where it says more.
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
    pub role: &'static str,
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

impl<'a> Story<'a> {
    /// The story that a summary of a release tells, without a body.
    pub fn new(
        source_id: &'a str,
        release: &Release,
        summary: &'a Summary,
        origin: &Origin<'a>,
        models: Vec<(&'static str, &'a Provenance)>,
    ) -> Self {
        let sentences = release.paragraphs.iter().flat_map(|paragraph| &paragraph.sentences);
        let mut flags: Vec<&str> = summary.remarks.iter().map(Remark::name).collect();
        flags.sort_unstable();
        flags.dedup();
        Self {
            source_id,
            source: sentences.map(String::as_str).collect::<Vec<_>>().join("\n"),
            from: origin.from,
            to: origin.to,
            headline: &summary.headline,
            full_headline: None,
            summary: &summary.summary,
            body: None,
            city: summary.dateline.as_ref().and_then(|dateline| dateline.city.english.as_deref()),
            date: summary.date.and_then(|date| date.iso()),
            models,
            flags,
            created: origin.created,
        }
    }

    /// The story as a news object.
    pub fn item(&self) -> Item {
        let text = |role, value: &str| Text { role, content_type: PLAIN_TEXT, value: value.to_owned() };
        let headlines = [(MAIN, Some(self.headline)), ("full", self.full_headline.as_deref())];
        let has_text = |value: &&str| !value.is_empty();
        let form = if self.body.is_some() { "full" } else { "partial" };
        Item {
            uri: identifier(&[&self.source, self.to, form]),
            r#type: TYPE,
            representation_type: form,
            standard: VERSION,
            version_created: humantime::format_rfc3339_seconds(self.created).to_string(),
            content_created: self.date.as_ref().map(|date| format!("{date}T00:00:00Z")),
            language: self.to.to_owned(),
            headlines: headlines
                .into_iter()
                .filter_map(|(role, value)| Some(text(role, value.filter(has_text)?)))
                .collect(),
            descriptions: Some(self.summary).filter(has_text).map(|value| text("summary", value)).into_iter().collect(),
            bodies: self.body.as_deref().map(Body::of).into_iter().collect(),
            by: "Machine translation".to_owned(),
            located: self.city.map(str::to_owned),
            ed_note: self.note(),
            info_sources: self.models.iter().map(|(role, model)| InfoSource::of(role, model)).collect(),
            alt_ids: vec![AltId { role: "translationOf", value: self.source_id.to_owned() }],
            associations: vec![Association {
                name: "source",
                rel: "translatedFrom",
                uri: identifier(&[&self.source, self.from]),
                r#type: TYPE,
                language: self.from.to_owned(),
                title: self.source_id.to_owned(),
            }],
            digital_source_type: DigitalSourceType { uri: TRAINED_MODEL },
        }
    }

    fn note(&self) -> String {
        let Self { from, to, models, flags, .. } = self;
        let models = models.iter().map(|(_, model)| model.to_string()).collect::<Vec<_>>().join(" and ");
        let version = env!("CARGO_PKG_VERSION");
        let made = format!("Machine translation from {from} to {to} by {models} with translate {version}; not edited.");
        if flags.is_empty() { made } else { format!("{made} To be checked: {}.", flags.join(", ")) }
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
    fn of(role: &'static str, model: &Provenance) -> Self {
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

//! A summary as JSON.

use serde::Serialize;

use super::{Remark, SourceSentence, SourceSpan, Summary};
use crate::hub::Provenance;
use crate::release::Dateline;

/// What `translate summarize -f json` gives for one document; see [`Report::of`].
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    document: &'a str,
    headline: &'a str,
    summary: &'a str,
    dateline: Option<DatelineObject<'a>>,
    date: Option<String>,
    contact: &'a [String],
    strategy: &'static str,
    models: Vec<ModelObject<'a>>,
    scores: Scores<'a>,
    flags: Vec<FlagObject<'a>>,
    sources: Vec<SourceObject<'a>>,
}

#[derive(Debug, Serialize)]
struct DatelineObject<'a> {
    text: String,
    city: &'a str,
    agency: Option<&'a str>,
    date: Option<String>,
    source: &'a str,
}

#[derive(Debug, Serialize)]
struct ModelObject<'a> {
    task: &'static str,
    name: &'a str,
    repo: Option<&'a str>,
    revision: Option<&'a str>,
    commit: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Scores<'a> {
    headline: Option<f32>,
    summary: &'a [Option<f32>],
}

#[derive(Debug, Default, Serialize)]
struct FlagObject<'a> {
    flag: &'static str,
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    part: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chars: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sources: Option<Vec<SpanObject<'a>>>,
}

#[derive(Debug, Serialize)]
struct SpanObject<'a> {
    paragraph: u64,
    segment: u64,
    text: &'a str,
}

#[derive(Debug, Serialize)]
struct SourceObject<'a> {
    paragraph: u64,
    segment: u64,
    used_for: &'static str,
    text: &'a str,
    rank: Option<f64>,
    score: Option<f32>,
}

impl<'a> Report<'a> {
    /// Of the summary of `document`, with the models that made it and what each did (`translate`, `summarize`).
    pub fn of(document: &'a str, summary: &'a Summary, models: &[(&'static str, &'a Provenance)]) -> Self {
        Self {
            document,
            headline: &summary.headline,
            summary: &summary.summary,
            dateline: summary.dateline.as_ref().map(DatelineObject::from),
            date: summary.date.map(|date| date.iso().unwrap_or_else(|| date.english())),
            contact: &summary.contact,
            strategy: summary.strategy.name(),
            models: models.iter().map(|(task, model)| ModelObject::of(task, model)).collect(),
            scores: Scores { headline: summary.headline_score, summary: &summary.summary_scores },
            flags: summary.remarks.iter().map(FlagObject::from).collect(),
            sources: summary.sources.iter().map(SourceObject::from).collect(),
        }
    }
}

impl<'a> From<&'a Dateline> for DatelineObject<'a> {
    fn from(dateline: &'a Dateline) -> Self {
        Self {
            text: dateline.english(),
            city: dateline.city.english(),
            agency: dateline.agency.as_ref().map(|agency| agency.english()),
            date: dateline.date.map(|date| date.iso().unwrap_or_else(|| date.english())),
            source: &dateline.text,
        }
    }
}

impl<'a> ModelObject<'a> {
    fn of(task: &'static str, model: &'a Provenance) -> Self {
        Self {
            task,
            name: &model.name,
            repo: model.repo.as_deref(),
            revision: model.revision.as_deref(),
            commit: model.commit.as_deref(),
        }
    }
}

impl<'a> From<&'a Remark> for FlagObject<'a> {
    fn from(remark: &'a Remark) -> Self {
        let flag = remark.name();
        match remark {
            Remark::NoText => Self { flag, ..Self::default() },
            Remark::HeadlineTooLong { chars } => Self { flag, chars: Some(*chars), ..Self::default() },
            Remark::SummaryTooLong { words } => Self { flag, words: Some(*words), ..Self::default() },
            Remark::Suspect { part } => Self { flag, part: Some(part.name()), ..Self::default() },
            Remark::UnverifiedPlace { source } => Self { flag, text: Some(source), ..Self::default() },
            Remark::UnsupportedNumber { part, text, sources } => Self {
                flag,
                part: Some(part.name()),
                text: Some(text),
                sources: Some(sources.iter().map(SpanObject::from).collect()),
                ..Self::default()
            },
        }
    }
}

impl<'a> From<&'a SourceSpan> for SpanObject<'a> {
    fn from(span: &'a SourceSpan) -> Self {
        Self { paragraph: span.paragraph, segment: span.segment, text: &span.text }
    }
}

impl<'a> From<&'a SourceSentence> for SourceObject<'a> {
    fn from(source: &'a SourceSentence) -> Self {
        let SourceSentence { paragraph, segment, text, part, rank, score } = source;
        Self { paragraph: *paragraph, segment: *segment, used_for: part.name(), text, rank: *rank, score: *score }
    }
}

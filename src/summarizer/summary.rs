//! What a summarizer gives.

use super::check::Evidence;
use super::extract::Choice;
use crate::release::{Date, Dateline, Release, Role};
use crate::translation::Translation;

/// How a headline or summary came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// The best sentences of the source, translated.
    Extract,
    /// A model read the source and wrote English.
    Direct,
    /// The text was translated, and a model shortened the English.
    TranslateFirst,
    /// A model shortened the source, and that was translated.
    SummarizeFirst,
}

impl Strategy {
    /// Its name; stable.
    pub fn name(self) -> &'static str {
        match self {
            Self::Extract => "extract",
            Self::Direct => "direct",
            Self::TranslateFirst => "translate-first",
            Self::SummarizeFirst => "summarize-first",
        }
    }
}

/// A release in short.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// One line in the style's form; empty where the release has no text.
    pub headline: String,
    /// Whole sentences, in one paragraph.
    pub summary: String,
    /// Where, when and by whom the release was sent; the city with an English name.
    pub dateline: Option<Dateline>,
    /// The day of release.
    pub date: Option<Date>,
    /// The lines of the contact block, as the source has them.
    pub contact: Vec<String>,
    /// How it came about.
    pub strategy: Strategy,
    /// Score of the headline's hypothesis, as the search ranks it; `None` where nothing was decoded.
    pub headline_score: Option<f32>,
    /// Scores of what the summary was made of: its sentences' translations, or the texts of the model that wrote it.
    pub summary_scores: Vec<Option<f32>>,
    /// What the headline was made of, then the sentences that the summary tells, in the order of the source.
    pub sources: Vec<SourceSentence>,
    /// What an editor should know.
    pub remarks: Vec<Remark>,
}

/// A sentence of the source that was used.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceSentence {
    /// Number of its paragraph in the document, from 1.
    pub paragraph: u64,
    /// Its number in the paragraph, from 1.
    pub segment: u64,
    /// Its text, without a dateline.
    pub text: String,
    /// What it was used for.
    pub part: OutputPart,
    /// How well it ranks among the sentences of the text, above 0 for the better ones; `None` where nothing was chosen.
    pub rank: Option<f64>,
    /// Score of its translation; `None` where nothing was decoded.
    pub score: Option<f32>,
}

/// A part of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputPart {
    /// The headline.
    Headline,
    /// The summary.
    Summary,
}

impl OutputPart {
    /// Its name; stable.
    pub fn name(self) -> &'static str {
        match self {
            Self::Headline => "headline",
            Self::Summary => "summary",
        }
    }
}

/// A remark for the desk.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Remark {
    /// The release has no text to summarise.
    NoText,
    /// No whole form of the headline keeps the limit.
    HeadlineTooLong {
        /// Characters that it has.
        chars: usize,
    },
    /// Not even one sentence keeps the limit.
    SummaryTooLong {
        /// Words that it has.
        words: usize,
    },
    /// The translation may be unsound: see [`Flag::Suspect`].
    Suspect {
        /// Where.
        part: OutputPart,
    },
    /// The city of the dateline is in no table; its English is the model's.
    UnverifiedPlace {
        /// As the source has it.
        source: String,
    },
    /// A number, percentage, month or weekday that the source sentence does not have.
    UnsupportedNumber {
        /// Where.
        part: OutputPart,
        /// As it stands there.
        text: String,
        /// The figures of the source sentences in question, which it may have been meant for.
        sources: Vec<SourceSpan>,
    },
}

impl Remark {
    /// Its name in outputs; stable.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoText => "no-text",
            Self::HeadlineTooLong { .. } => "headline-too-long",
            Self::SummaryTooLong { .. } => "summary-too-long",
            Self::Suspect { .. } => "suspect",
            Self::UnverifiedPlace { .. } => "unverified-place",
            Self::UnsupportedNumber { .. } => "unsupported-number",
        }
    }
}

/// A place in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSpan {
    /// Number of the paragraph, from 1.
    pub paragraph: u64,
    /// Number of the sentence in it, from 1.
    pub segment: u64,
    /// What stands there.
    pub text: String,
}

impl Summary {
    pub(super) fn empty(release: &Release, strategy: Strategy) -> Self {
        Self {
            headline: String::new(),
            summary: String::new(),
            dateline: release.dateline.clone(),
            date: release.date,
            contact: release.with(Role::Contact).map(|paragraph| paragraph.text()).collect(),
            strategy,
            headline_score: None,
            summary_scores: Vec::new(),
            sources: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// Gives the dateline's city the model's name for it.
    pub(super) fn place(&mut self, city: Option<Translation>) {
        if let (Some(dateline), Some(city)) = (&mut self.dateline, city) {
            let name = city.text.trim().trim_end_matches('.').to_owned();
            self.remarks.push(Remark::UnverifiedPlace { source: dateline.city.source.clone() });
            dateline.city.english = Some(name).filter(|name| !name.is_empty());
        }
    }
}

impl SourceSentence {
    pub(super) fn of(choice: &Choice, part: OutputPart) -> Self {
        let Choice { candidate, score } = choice;
        let (paragraph, segment, text) = (candidate.paragraph, candidate.segment, candidate.text.clone());
        Self { paragraph, segment, text, part, rank: Some(*score), score: None }
    }

    pub(super) fn evidence(&self) -> Evidence<'_> {
        Evidence { paragraph: self.paragraph, segment: self.segment, text: &self.text }
    }
}

//! English headlines and summaries of press releases.
//!
//! A release's sentences are ranked in the source, the best are translated with several hypotheses each, and of these
//! are taken, whole or without a clause, those that keep the lengths of the house style.

mod extract;
mod figures;
mod headline;
mod lexrank;
mod report;
mod shorten;
mod style;
mod terms;

use self::extract::Choice;
use self::figures::{Value, figures};
use self::headline::{Hypothesis, capitalised};
use self::shorten::shortenings;
use crate::hub::Provenance;
use crate::release::{Date, Dateline, Release, Role, words};
use crate::text::fold;
use crate::translator::{Flag, TranslateError, Translation, Translator};
pub use report::Report;
pub use style::Style;

/// Writes headlines and summaries. Cheap to clone; every clone shares the weights.
#[derive(Clone)]
pub struct Summarizer {
    translator: Translator,
    style: Style,
    headline_chars: usize,
    summary_words: usize,
}

/// Words of a summary, unless it is told otherwise.
const SUMMARY_WORDS: usize = 60;

/// English words for each Arabic one, on FLORES-200 devtest.
const WORDS_PER_SOURCE_WORD: f64 = 1.12;

/// Of the sentences that rank best, as many are translated as would fill the summary this many times.
const CHOICE: f64 = 2.0;

/// Most sentences that are translated for a summary.
const MOST_SENTENCES: usize = 12;

/// How a headline or summary came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// Sentences of the source, translated.
    Extract,
}

impl Strategy {
    /// Its name; stable.
    pub fn name(self) -> &'static str {
        match self {
            Self::Extract => "extract",
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
    /// What the headline was made of, then the summary's sentences in the order of the source.
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
    /// How well it ranks among the sentences of the text, above 0 for the better ones; `None` for the release's headline.
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

impl Summarizer {
    /// A summarizer on top of `translator`, which should have been built with
    /// [`TranslatorBuilder::every_hypothesis`](crate::translator::TranslatorBuilder::every_hypothesis), so that there is a
    /// choice. The style is Reuters', a summary has 60 words at most.
    pub fn new(translator: Translator) -> Self {
        let style = Style::default();
        Self { translator, style, headline_chars: style.headline_chars(), summary_words: SUMMARY_WORDS }
    }

    /// In another house style, with its length of headlines.
    pub fn style(self, style: Style) -> Self {
        Self { style, headline_chars: style.headline_chars(), ..self }
    }

    /// Headlines of at most so many characters.
    pub fn headline_chars(self, chars: usize) -> Self {
        Self { headline_chars: chars, ..self }
    }

    /// Summaries of at most so many words.
    pub fn summary_words(self, words: usize) -> Self {
        Self { summary_words: words, ..self }
    }

    /// Headline and summary of a document.
    pub fn summarize(&self, document: &str) -> Result<Summary, TranslateError> {
        let summaries = self.summarize_batch(&[Release::parse(document)])?;
        Ok(summaries.into_iter().next().unwrap_or_else(|| Summary::empty(&Release::default())))
    }

    /// Headlines and summaries of releases, in their order; what is to be translated of them all is batched together.
    pub fn summarize_batch(&self, releases: &[Release]) -> Result<Vec<Summary>, TranslateError> {
        let plans: Vec<Plan> = releases.iter().map(|release| self.plan(release)).collect();
        let texts: Vec<&str> = plans.iter().flat_map(Plan::texts).collect();
        let mut translations = self.translator.translate_batch(&texts)?.into_iter();
        let english = |plan: &Plan| translations.by_ref().take(plan.texts().count()).collect();
        let english: Vec<Vec<Translation>> = plans.iter().map(english).collect();
        let all = releases.iter().zip(plans).zip(english);
        Ok(all.map(|((release, plan), english)| self.shape(release, plan, english)).collect())
    }

    /// The model that translates.
    pub fn model(&self) -> &Provenance {
        self.translator.model()
    }

    /// What of `release` is to be translated.
    fn plan(&self, release: &Release) -> Plan {
        let mut sentences = extract::choose(extract::candidates(release), MOST_SENTENCES);
        let wanted = self.summary_words as f64 * CHOICE / WORDS_PER_SOURCE_WORD;
        let mut words_so_far = 0;
        sentences.retain(|choice| {
            let is_wanted = (words_so_far as f64) < wanted;
            words_so_far += words(&choice.candidate.text);
            is_wanted
        });
        let headline = release.headline().map(|headline| SourceSentence {
            paragraph: headline.number,
            segment: 1,
            text: headline.text(),
            part: OutputPart::Headline,
            rank: None,
            score: None,
        });
        let first = sentences.first().map(|choice| choice.candidate.text.as_str());
        let told = headline.as_ref().map(|headline| headline.text.as_str()).or(first).unwrap_or_default();
        let city = release.dateline.as_ref().map(|dateline| &dateline.city).filter(|city| city.english.is_none());
        Plan {
            clause: leading_clause(told, self.headline_chars).map(str::to_owned),
            city: city.map(|city| city.source.clone()),
            headline,
            sentences,
        }
    }

    /// Makes headline and summary of the translations of what the plan lists.
    fn shape(&self, release: &Release, plan: Plan, english: Vec<Translation>) -> Summary {
        let mut summary = Summary::empty(release);
        let mut english = english.into_iter();
        let headline = plan.headline.as_ref().and_then(|_| english.next());
        let clause = plan.clause.as_ref().and_then(|_| english.next());
        let city = plan.city.as_ref().and_then(|_| english.next());
        let sentences: Vec<(Choice, Translation)> = plan.sentences.into_iter().zip(english).collect();
        summary.place(city);
        let Some(told) = headline.as_ref().or(sentences.first().map(|(_, english)| english)) else {
            summary.remarks.push(Remark::NoText);
            return summary;
        };
        let source = plan
            .headline
            .or_else(|| sentences.first().map(|(choice, _)| SourceSentence::of(choice, OutputPart::Headline)));
        self.write_headline(&mut summary, source, told, clause.as_ref(), &sentences);
        self.write_summary(&mut summary, &sentences);
        if summary.summary.is_empty() {
            summary.summary = sentence(&told.text);
        }
        summary
    }

    fn write_headline(
        &self,
        summary: &mut Summary,
        source: Option<SourceSentence>,
        told: &Translation,
        clause: Option<&Translation>,
        sentences: &[(Choice, Translation)],
    ) {
        /// What a headline costs that tells a part of what it was made of.
        const CLAUSE_PRICE: f64 = 0.3;
        let lower_case = headline::lower_case_words(sentences.iter().map(|(_, english)| english.text.as_str()));
        let mut all = hypotheses(told, 0.0);
        all.extend(clause.into_iter().flat_map(|clause| hypotheses(clause, CLAUSE_PRICE)));
        let Some((text, score)) = headline::choose(&all, self.headline_chars, self.style, &lower_case) else { return };
        let chars = text.chars().count();
        if chars > self.headline_chars {
            summary.remarks.push(Remark::HeadlineTooLong { chars });
        }
        if told.flags.contains(&Flag::Suspect) {
            summary.remarks.push(Remark::Suspect { part: OutputPart::Headline });
        }
        summary.headline = text;
        summary.headline_score = told.score.map(|_| score);
        let source = source.map(|source| SourceSentence { score: told.score.map(|_| score), ..source });
        summary.remarks.extend(source.iter().flat_map(|source| unsupported(&summary.headline, source)));
        summary.sources.extend(source);
    }

    /// Takes sentences, the best first, as long as they or a shorter form of them fit; puts them in the source's order.
    fn write_summary(&self, summary: &mut Summary, sentences: &[(Choice, Translation)]) {
        let mut left = self.summary_words;
        let mut taken = Vec::new();
        for (choice, english) in sentences {
            if let Some(form) = sentence_forms(english).find(|form| words(form) <= left) {
                left -= words(&form);
                taken.push((choice, english, form));
            }
        }
        if let (true, Some((choice, english))) = (taken.is_empty(), sentences.first()) {
            let shortest = sentence_forms(english).min_by_key(|form| words(form)).unwrap_or_default();
            summary.remarks.push(Remark::SummaryTooLong { words: words(&shortest) });
            taken.push((choice, english, shortest));
        }
        taken.sort_by_key(|(choice, ..)| (choice.candidate.paragraph, choice.candidate.segment));
        if taken.iter().any(|(_, english, _)| english.flags.contains(&Flag::Suspect)) {
            summary.remarks.push(Remark::Suspect { part: OutputPart::Summary });
        }
        for (choice, english, text) in &taken {
            let source = SourceSentence { score: english.score, ..SourceSentence::of(choice, OutputPart::Summary) };
            summary.remarks.extend(unsupported(text, &source));
            summary.sources.push(source);
        }
        let texts: Vec<&str> = taken.iter().map(|(.., text)| text.as_str()).collect();
        summary.summary = texts.join(" ");
    }
}

/// What of a release is to be translated, in this order.
struct Plan {
    headline: Option<SourceSentence>,
    /// The beginning of what the headline is made of, where that is long.
    clause: Option<String>,
    city: Option<String>,
    /// Best first.
    sentences: Vec<Choice>,
}

impl Plan {
    fn texts(&self) -> impl Iterator<Item = &str> {
        let headline = self.headline.as_ref().map(|headline| headline.text.as_str());
        let others = [headline, self.clause.as_deref(), self.city.as_deref()].into_iter().flatten();
        others.chain(self.sentences.iter().map(|choice| choice.candidate.text.as_str()))
    }
}

impl Summary {
    fn empty(release: &Release) -> Self {
        Self {
            headline: String::new(),
            summary: String::new(),
            dateline: release.dateline.clone(),
            date: release.date,
            contact: release.with(Role::Contact).map(|paragraph| paragraph.text()).collect(),
            strategy: Strategy::Extract,
            headline_score: None,
            sources: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// Gives the dateline's city the model's name for it.
    fn place(&mut self, city: Option<Translation>) {
        if let (Some(dateline), Some(city)) = (&mut self.dateline, city) {
            let name = city.text.trim().trim_end_matches('.').to_owned();
            self.remarks.push(Remark::UnverifiedPlace { source: dateline.city.source.clone() });
            dateline.city.english = Some(name).filter(|name| !name.is_empty());
        }
    }
}

impl SourceSentence {
    fn of(choice: &Choice, part: OutputPart) -> Self {
        let Choice { candidate, score } = choice;
        let (paragraph, segment, text) = (candidate.paragraph, candidate.segment, candidate.text.clone());
        Self { paragraph, segment, text, part, rank: Some(*score), score: None }
    }
}

/// All hypotheses of a translation, best first.
fn hypotheses(english: &Translation, price: f64) -> Vec<Hypothesis> {
    let best = std::iter::once((english.text.as_str(), english.score.unwrap_or(0.0)));
    let others = english.alternatives.iter().map(|(text, score)| (text.as_str(), *score));
    best.chain(others).map(|(text, score)| Hypothesis { text: text.to_owned(), score, price }).collect()
}

/// The forms in which a sentence may stand in a summary, the best first: whole, by another hypothesis, shortened.
fn sentence_forms(english: &Translation) -> impl Iterator<Item = String> {
    let whole = hypotheses(english, 0.0).into_iter().map(|hypothesis| hypothesis.text);
    let shorter = shortenings(&english.text).into_iter().skip(1).map(|form| form.text);
    whole.chain(shorter).map(|form| sentence(&form)).filter(|form| !form.is_empty())
}

/// `text` as a sentence that stands by itself: with a capital, without the "and" that Arabic begins sentences with, and
/// with an end mark.
fn sentence(text: &str) -> String {
    let text = text.trim();
    let text = ["And ", "and "].iter().find_map(|and| text.strip_prefix(and)).unwrap_or(text).trim_start();
    let text = capitalised(text);
    let closed = text.trim_end_matches(['"', '”', '»', '\'', '’', ')']).ends_with(['.', '!', '?', '…']);
    if closed || text.is_empty() { text } else { format!("{}.", text.trim_end_matches([',', ';', ':', ' '])) }
}

/// The figures of `text` that its source does not have, each with those of the source that `text` lacks.
fn unsupported(text: &str, source: &SourceSentence) -> Vec<Remark> {
    let (ours, theirs) = (figures(text), figures(&source.text));
    let is_ours = |value: Value| ours.iter().any(|figure| figure.value.is_said_by(value));
    let span = |range: std::ops::Range<usize>| SourceSpan {
        paragraph: source.paragraph,
        segment: source.segment,
        text: source.text.get(range).unwrap_or_default().to_owned(),
    };
    let missing =
        || theirs.iter().filter(|figure| !is_ours(figure.value)).map(|figure| span(figure.range.clone())).collect();
    let is_unsupported = |value: Value| !theirs.iter().any(|figure| value.is_said_by(figure.value));
    ours.iter()
        .filter(|figure| is_unsupported(figure.value))
        .map(|figure| Remark::UnsupportedNumber {
            part: source.part,
            text: text.get(figure.range.clone()).unwrap_or_default().to_owned(),
            sources: missing(),
        })
        .collect()
}

/// The beginning of an Arabic sentence that is longer than a headline of `chars` characters: up to a comma or to a word that
/// adds a circumstance, and no longer than such a headline; `None` where there is no such border.
fn leading_clause(text: &str, chars: usize) -> Option<&str> {
    const CIRCUMSTANCES: &[&str] = &[
        "بحضور",
        "وذلك",
        "حيث",
        "خلال",
        "علي",
        "بهدف",
        "في",
        "ضمن",
        "تحت",
        "بمشاركه",
        "برعايه",
        "بعد",
        "قبل",
        "اثر",
        "منذ",
        "فيما",
        "بينما",
        "كما",
        "مقابل",
        "بقيمه",
        "بزياده",
        "بنسبه",
        "بكلفه",
        "بتكلفه",
        "مما",
        "ما",
        "بفضل",
        "بسبب",
        "لدي",
        "عقب",
        "وسط",
    ];
    const FEWEST: usize = 4;
    /// Characters of a headline for each source word.
    const CHARS_PER_WORD: usize = 6;
    let most = chars / CHARS_PER_WORD;
    let mut best = None;
    let mut count = 0;
    let mut at = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let before = text.get(..at).unwrap_or_default().trim_end();
        let is_border = before.ends_with(['،', '؛', ',', ';']) || CIRCUMSTANCES.contains(&fold(word.trim()).as_str());
        if is_border && (FEWEST..=most).contains(&count) {
            best = Some(before.trim_end_matches(['،', '؛', ',', ';']));
        }
        count += usize::from(word.contains(char::is_alphanumeric));
        at += word.len();
        if count > most {
            return best;
        }
    }
    None
}

//! English headlines and summaries of press releases.
//!
//! Without a model of its own, a summary is extracted: a release's sentences are ranked in the source, the best are
//! translated with several hypotheses each, and of these are taken, whole or without a clause, those that keep the lengths
//! of the house style. A model that was trained to summarise can write it instead, see [`Strategy`].

mod check;
mod clause;
mod extract;
mod headline;
mod lexrank;
mod report;
mod shorten;
mod style;
mod summary;
mod terms;
mod windows;

use self::check::{Evidence, unsupported};
use self::clause::leading_clause;
use self::extract::Choice;
use self::headline::{Hypothesis, capitalised};
use self::shorten::shortenings;
use crate::hub::Provenance;
use crate::release::{Paragraph, Release, Role, words};
use crate::text::{Normalization, split};
use crate::translator::{Flag, TranslateError, Translation, Translator};
pub use report::Report;
pub use style::Style;
pub use summary::{OutputPart, Remark, SourceSentence, SourceSpan, Strategy, Summary};

/// Writes headlines and summaries. Cheap to clone; every clone shares the weights.
#[derive(Clone)]
pub struct Summarizer {
    translator: Translator,
    writer: Writer,
    style: Style,
    headline_chars: usize,
    summary_words: usize,
}

/// What writes the summary.
#[derive(Clone)]
enum Writer {
    /// The release itself.
    Extract,
    /// A model that was trained to.
    Direct(Translator),
    TranslateFirst(Translator),
    SummarizeFirst(Translator),
}

/// Releases that are worth summarising together: enough to fill batches, and a bound on memory.
pub const RELEASES_AT_ONCE: usize = 256;
/// Bytes of text at which fewer releases are enough.
pub const BYTES_AT_ONCE: usize = 4 << 20;

/// Words of a summary, unless it is told otherwise.
const SUMMARY_WORDS: usize = 60;

/// English words for each Arabic one, on FLORES-200 devtest.
const WORDS_PER_SOURCE_WORD: f64 = 1.12;

/// Of the sentences that rank best, as many are translated as would fill the summary this many times.
const CHOICE: f64 = 2.0;

/// Most sentences that are translated for a summary.
const MOST_SENTENCES: usize = 12;

impl Summarizer {
    /// A summarizer on top of `translator`, which should have been built with
    /// [`TranslatorBuilder::every_hypothesis`](crate::translator::TranslatorBuilder::every_hypothesis), so that there is a
    /// choice. Summaries are extracted, the style is Reuters', a summary has 60 words at most.
    pub fn new(translator: Translator) -> Self {
        let style = Style::default();
        let headline_chars = style.headline_chars();
        Self { translator, writer: Writer::Extract, style, headline_chars, summary_words: SUMMARY_WORDS }
    }

    /// With a cross-lingual model that reads the source and writes English; build it with
    /// [`Task::Summarize`](crate::registry::Task::Summarize), as exact, and with every hypothesis.
    pub fn direct(self, model: Translator) -> Self {
        Self { writer: Writer::Direct(model), ..self }
    }

    /// With a model that shortens English, built as for [`Self::direct`]: the text is translated first.
    pub fn translate_first(self, model: Translator) -> Self {
        Self { writer: Writer::TranslateFirst(model), ..self }
    }

    /// With a model that shortens texts of the source's language, built as for [`Self::direct`]; what it writes is
    /// translated.
    pub fn summarize_first(self, model: Translator) -> Self {
        Self { writer: Writer::SummarizeFirst(model), ..self }
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

    /// How summaries come about.
    pub fn strategy(&self) -> Strategy {
        match self.writer {
            Writer::Extract => Strategy::Extract,
            Writer::Direct(_) => Strategy::Direct,
            Writer::TranslateFirst(_) => Strategy::TranslateFirst,
            Writer::SummarizeFirst(_) => Strategy::SummarizeFirst,
        }
    }

    /// The models in use, each with its task: `translate` or `summarize`.
    pub fn models(&self) -> Vec<(&'static str, &Provenance)> {
        let writer = match &self.writer {
            Writer::Extract => None,
            Writer::Direct(model) | Writer::TranslateFirst(model) | Writer::SummarizeFirst(model) => Some(model),
        };
        let translator = [("translate", self.translator.model())];
        translator.into_iter().chain(writer.map(|model| ("summarize", model.model()))).collect()
    }

    /// Headline and summary of a document.
    pub fn summarize(&self, document: &str) -> Result<Summary, TranslateError> {
        let summaries = self.summarize_batch(&[Release::parse(document)])?;
        let none = || Summary::empty(&Release::default(), self.strategy());
        Ok(summaries.into_iter().next().unwrap_or_else(none))
    }

    /// Headlines and summaries of releases, in their order; what the models read of them all is batched together.
    pub fn summarize_batch(&self, releases: &[Release]) -> Result<Vec<Summary>, TranslateError> {
        let written = self.write(releases)?;
        let plans: Vec<Plan> = releases.iter().map(|release| self.plan(release)).collect();
        let english = translated(&self.translator, plans.iter().map(|plan| plan.texts().collect()).collect())?;
        let all = releases.iter().zip(plans).zip(english).zip(written);
        Ok(all.map(|(((release, plan), english), written)| self.shape(release, plan, english, written)).collect())
    }

    /// What a model writes of each release: pieces of its summary with their hypotheses, none where it is extracted.
    fn write(&self, releases: &[Release]) -> Result<Vec<Vec<Translation>>, TranslateError> {
        let clean = |text: String| Normalization::default().apply(&text).into_owned();
        let sources = || {
            let paragraphs = |release| body(release).map(|paragraph| clean(paragraph.text())).collect();
            releases.iter().map(paragraphs).collect::<Vec<Vec<String>>>()
        };
        match &self.writer {
            Writer::Extract => Ok(releases.iter().map(|_| Vec::new()).collect()),
            Writer::Direct(model) => windows::condense(model, sources()),
            Writer::TranslateFirst(model) => {
                let sentences = |release| body(release).flat_map(Paragraph::texts).collect();
                let english = translated(&self.translator, releases.iter().map(sentences).collect())?;
                let in_paragraphs = |(release, english): (&Release, Vec<Translation>)| {
                    let mut english = english.into_iter().map(|sentence| sentence.text);
                    let join = |paragraph: &Paragraph| {
                        english.by_ref().take(paragraph.texts().count()).collect::<Vec<_>>().join(" ")
                    };
                    body(release).map(join).collect()
                };
                windows::condense(model, releases.iter().zip(english).map(in_paragraphs).collect())
            }
            Writer::SummarizeFirst(model) => {
                let short = windows::condense(model, sources())?;
                let sentences = |pieces: &Vec<Translation>| {
                    let sentences = |piece: &Translation| sentences_of(&piece.text);
                    pieces.iter().flat_map(sentences).collect::<Vec<String>>()
                };
                let short: Vec<Vec<String>> = short.iter().map(sentences).collect();
                translated(
                    &self.translator,
                    short.iter().map(|texts| texts.iter().map(String::as_str).collect()).collect(),
                )
            }
        }
    }

    /// What of `release` is to be translated for headline, dateline and, if it is extracted, the summary.
    fn plan(&self, release: &Release) -> Plan {
        let mut sentences = match self.writer {
            Writer::Extract => extract::choose(extract::candidates(release), MOST_SENTENCES),
            _ => Vec::new(),
        };
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

    /// Makes headline and summary of the translations of what the plan lists, and of what a model wrote.
    fn shape(&self, release: &Release, plan: Plan, english: Vec<Translation>, written: Vec<Translation>) -> Summary {
        let mut summary = Summary::empty(release, self.strategy());
        let mut english = english.into_iter();
        let own = plan.headline.as_ref().and_then(|_| english.next());
        let clause = plan.clause.as_ref().and_then(|_| english.next());
        summary.place(plan.city.as_ref().and_then(|_| english.next()));
        let sentences: Vec<(Choice, Translation)> = plan.sentences.into_iter().zip(english).collect();
        let first = written.first().or(sentences.first().map(|(_, english)| english));
        let Some(told) = own.as_ref().or(first) else {
            summary.remarks.push(Remark::NoText);
            return summary;
        };
        let chosen = || sentences.first().map(|(choice, _)| SourceSentence::of(choice, OutputPart::Headline));
        let texts = sentences.iter().map(|(_, english)| english).chain(&written).map(|english| english.text.as_str());
        let lower_case = headline::lower_case_words(texts);
        let mut options = headline_hypotheses(told, 0.0);
        options.extend(clause.iter().flat_map(|clause| headline_hypotheses(clause, CLAUSE_PRICE)));
        if let Some((text, score)) = headline::choose(&options, self.headline_chars, self.style, &lower_case) {
            summary.headline = text;
            summary.headline_score = told.score.map(|_| score);
        }
        let source = plan.headline.or_else(chosen);
        self.check_headline(&mut summary, release, source, told);
        if written.is_empty() {
            self.extract(&mut summary, &sentences);
        } else {
            self.fit(&mut summary, release, &written);
        }
        if summary.summary.is_empty() {
            summary.summary = sentence(&told.text);
        }
        summary
    }

    fn check_headline(
        &self,
        summary: &mut Summary,
        release: &Release,
        source: Option<SourceSentence>,
        told: &Translation,
    ) {
        let chars = summary.headline.chars().count();
        if chars > self.headline_chars {
            summary.remarks.push(Remark::HeadlineTooLong { chars });
        }
        if told.flags.contains(&Flag::Suspect) {
            summary.remarks.push(Remark::Suspect { part: OutputPart::Headline });
        }
        let evidence = match &source {
            Some(source) => vec![source.evidence()],
            None => evidence(release),
        };
        summary.remarks.extend(unsupported(&summary.headline, OutputPart::Headline, &evidence));
        let score = summary.headline_score;
        summary.sources.extend(source.map(|source| SourceSentence { score, ..source }));
    }

    /// Takes sentences, the best first, as long as they or a shorter form of them fit; puts them in the source's order.
    fn extract(&self, summary: &mut Summary, sentences: &[(Choice, Translation)]) {
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
            summary.remarks.extend(unsupported(text, OutputPart::Summary, &[source.evidence()]));
            summary.summary_scores.push(english.score);
            summary.sources.push(source);
        }
        let texts: Vec<&str> = taken.iter().map(|(.., text)| text.as_str()).collect();
        summary.summary = texts.join(" ");
    }

    /// Takes of what a model wrote the first hypotheses that fit together, else the sentences that do, from the first on.
    fn fit(&self, summary: &mut Summary, release: &Release, written: &[Translation]) {
        let mut left = self.summary_words;
        let mut taken: Vec<String> = Vec::new();
        for piece in written {
            let whole = hypotheses(piece, 0.0).into_iter().map(|hypothesis| in_sentences(&hypothesis.text).join(" "));
            let fitting = whole.filter(|text| !text.is_empty()).find(|text| words(text) <= left);
            if let Some(text) = fitting {
                left -= words(&text);
                taken.push(text);
                continue;
            }
            for text in in_sentences(&piece.text) {
                let forms = std::iter::once(text.clone()).chain(shortened(&text));
                let Some(form) = forms.into_iter().find(|form| words(form) <= left) else { break };
                left -= words(&form);
                taken.push(form);
            }
            break;
        }
        if taken.is_empty() {
            let first = written.iter().flat_map(|piece| in_sentences(&piece.text)).next().unwrap_or_default();
            let shortest = shortened(&first).into_iter().min_by_key(|form| words(form)).unwrap_or(first);
            summary.remarks.push(Remark::SummaryTooLong { words: words(&shortest) });
            taken.push(shortest);
        }
        if written.iter().any(|piece| piece.flags.contains(&Flag::Suspect)) {
            summary.remarks.push(Remark::Suspect { part: OutputPart::Summary });
        }
        summary.summary = taken.join(" ");
        summary.summary_scores = written.iter().map(|piece| piece.score).collect();
        summary.remarks.extend(unsupported(&summary.summary, OutputPart::Summary, &evidence(release)));
        let read = |paragraph: &Paragraph| {
            let number = paragraph.number;
            let skipped = paragraph.sentences.len() - paragraph.texts().count();
            let source = move |(text, segment): (&str, u64)| SourceSentence {
                paragraph: number,
                segment,
                text: text.to_owned(),
                part: OutputPart::Summary,
                rank: None,
                score: None,
            };
            paragraph.texts().zip(skipped as u64 + 1..).map(source).collect::<Vec<_>>()
        };
        summary.sources.extend(body(release).flat_map(read));
    }
}

/// What a headline costs that tells a part of what it was made of, on the scale of the hypotheses' scores.
const CLAUSE_PRICE: f64 = 0.3;

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

/// The translations of each group's texts; all are batched together.
fn translated(translator: &Translator, groups: Vec<Vec<&str>>) -> Result<Vec<Vec<Translation>>, TranslateError> {
    let mut english = translator.translate_batch(&groups.concat())?.into_iter();
    Ok(groups.iter().map(|group| english.by_ref().take(group.len()).collect()).collect())
}

fn body(release: &Release) -> impl Iterator<Item = &Paragraph> {
    release.with(Role::Body)
}

/// Everything that a release says, dateline and blocks included.
fn evidence(release: &Release) -> Vec<Evidence<'_>> {
    let mut all = Vec::new();
    for paragraph in &release.paragraphs {
        let number = paragraph.number;
        let texts = paragraph.sentences.iter().zip(1..);
        all.extend(texts.map(|(text, segment)| Evidence { paragraph: number, segment, text }));
    }
    all
}

/// All hypotheses of a translation, best first.
fn hypotheses(english: &Translation, price: f64) -> Vec<Hypothesis> {
    let best = std::iter::once((english.text.as_str(), english.score.unwrap_or(0.0)));
    let others = english.alternatives.iter().map(|(text, score)| (text.as_str(), *score));
    best.chain(others).map(|(text, score)| Hypothesis { text: text.to_owned(), score, price }).collect()
}

/// The first sentence of every hypothesis.
fn headline_hypotheses(english: &Translation, price: f64) -> Vec<Hypothesis> {
    let first = |text: &str| sentences_of(text).into_iter().next().unwrap_or_default();
    hypotheses(english, price)
        .into_iter()
        .map(|hypothesis| Hypothesis { text: first(&hypothesis.text), ..hypothesis })
        .collect()
}

fn sentences_of(text: &str) -> Vec<String> {
    split(text).into_iter().filter_map(|range| text.get(range)).map(str::to_owned).collect()
}

/// The sentences of `text`, each fit to stand by itself.
fn in_sentences(text: &str) -> Vec<String> {
    sentences_of(text).iter().map(|text| sentence(text)).filter(|text| !text.is_empty()).collect()
}

/// The forms in which a sentence may stand in a summary, the best first: whole, by another hypothesis, shortened.
fn sentence_forms(english: &Translation) -> impl Iterator<Item = String> {
    let whole = hypotheses(english, 0.0).into_iter().map(|hypothesis| sentence(&hypothesis.text));
    whole.chain(shortened(&english.text)).filter(|form| !form.is_empty())
}

/// Shorter forms of a sentence, the one that gives up least first.
fn shortened(text: &str) -> Vec<String> {
    shortenings(text).into_iter().skip(1).map(|form| sentence(&form.text)).collect()
}

/// `text` as a sentence that stands by itself: with a capital, without the "and" that Arabic begins sentences with, and
/// with an end mark.
fn sentence(text: &str) -> String {
    let text = text.trim().trim_start_matches(['-', '–', '•', ' ']);
    let text = ["And ", "and "].iter().find_map(|and| text.strip_prefix(and)).unwrap_or(text).trim_start();
    let text = capitalised(text);
    let closed = text.trim_end_matches(['"', '”', '»', '\'', '’', ')']).ends_with(['.', '!', '?', '…']);
    if closed || text.is_empty() { text } else { format!("{}.", text.trim_end_matches([',', ';', ':', ' '])) }
}

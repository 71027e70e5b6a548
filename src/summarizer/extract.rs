//! Which of a release's sentences tell its story: ranked in the source, so that only what is chosen is translated.

use super::lexrank::Similarities;
use super::terms::{lists, terms};
use crate::release::{Release, Role, ends_sentence, words};
use crate::text::{digit, fold};

/// A sentence of the text that may be chosen.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    /// Numbers of its paragraph in the document and of itself in the paragraph, from 1.
    pub(super) paragraph: u64,
    pub(super) segment: u64,
    /// Without the dateline.
    pub(super) text: String,
    is_item: bool,
    /// How many candidates stand before it.
    place: usize,
}

/// A choice and how well it ranks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choice {
    pub(super) candidate: Candidate,
    pub(super) score: f64,
}

/// Sentences that are compared with each other at once. A longer text is ranked in windows along paragraph borders, of
/// which the best go into the next round.
const WINDOW: usize = 128;
/// How many of a window's sentences reach the next round.
const WINNERS: usize = 16;

/// Sentences more alike than this say the same.
const REPEATED: f64 = 0.6;

/// The sentences of the text, in order: without headings, list items and rows of tables, unless there is nothing else.
pub(super) fn candidates(release: &Release) -> Vec<Candidate> {
    let mut all = Vec::new();
    for paragraph in release.with(Role::Body) {
        // A dateline on its own is no text, but has its number.
        let skipped = paragraph.sentences.len() - paragraph.texts().count();
        for (text, segment) in paragraph.texts().zip(skipped as u64 + 1..) {
            let (paragraph, is_item) = (paragraph.number, paragraph.is_item);
            all.push(Candidate { paragraph, segment, text: text.to_owned(), is_item, place: all.len() });
        }
    }
    let is_sentence = |candidate: &Candidate| {
        let text = candidate.text.as_str();
        !candidate.is_item
            && !text.trim_end().ends_with(':')
            && !text.contains("   ")
            && !text.contains('\t')
            && words(text) > 0
    };
    if all.iter().any(is_sentence) { all.into_iter().filter(is_sentence).collect() } else { all }
}

/// The candidates to translate, best first: at most `count`, none of which repeats a better one.
pub(super) fn choose(mut candidates: Vec<Candidate>, count: usize) -> Vec<Choice> {
    while candidates.len() > WINDOW {
        let mut winners = Vec::new();
        let mut rest = candidates.as_slice();
        while !rest.is_empty() {
            let (window, after) = rest.split_at(window(rest));
            winners.extend(rank(window, WINNERS).into_iter().map(|choice| choice.candidate));
            rest = after;
        }
        winners.sort_by_key(|candidate| candidate.place);
        candidates = winners;
    }
    rank(&candidates, count)
}

/// How many of the next candidates make a window: whole paragraphs, unless one alone is too long.
fn window(candidates: &[Candidate]) -> usize {
    let Some(next) = candidates.get(WINDOW) else { return candidates.len() };
    let begins = |pair: &[Candidate]| matches!(pair, [before, after] if before.paragraph != after.paragraph);
    let inside = candidates.get(..=WINDOW).unwrap_or_default();
    match inside.windows(2).rposition(begins) {
        Some(border) if inside.get(border).is_some_and(|last| last.paragraph != next.paragraph) => border + 1,
        _ => WINDOW,
    }
}

fn rank(candidates: &[Candidate], count: usize) -> Vec<Choice> {
    let similarities = Similarities::of(&candidates.iter().map(|candidate| terms(&candidate.text)).collect::<Vec<_>>());
    let centralities = similarities.centralities();
    let mut order: Vec<(usize, f64)> = candidates
        .iter()
        .zip(centralities)
        .map(|(candidate, centrality)| centrality + worth(candidate))
        .enumerate()
        .collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut chosen: Vec<(usize, f64)> = Vec::new();
    for (at, score) in order {
        let repeats = |&(better, _): &(usize, f64)| similarities.between(at, better) > REPEATED;
        let has_support = || chosen.iter().any(|(other, _)| at == other + 1);
        let is_leaning = candidates.get(at).is_some_and(|candidate| candidate.place > 0 && leans(&candidate.text));
        if chosen.len() < count && !chosen.iter().any(repeats) && (!is_leaning || has_support()) {
            chosen.push((at, score));
        }
    }
    let choice = |(at, score): (usize, f64)| Some(Choice { candidate: candidates.get(at)?.clone(), score });
    chosen.into_iter().filter_map(choice).collect()
}

/// What a sentence is worth by itself, on the scale of centrality (0 to 1): position first of all, as Edmundson found
/// ("New Methods in Automatic Extracting", JACM 16, 1969) and news writing teaches, then names and numbers; less for
/// quotations, for what leans on the sentence before it, and for fragments.
fn worth(candidate: &Candidate) -> f64 {
    let text = candidate.text.as_str();
    let position = 1.0 / (1.0 + candidate.place as f64).sqrt();
    let few = |count: usize| count.min(3) as f64 / 3.0;
    let length = words(text);
    let penalties = [
        (1.5 * quoted_share(text), true),
        (0.3, leans(text)),
        (0.4, !ends_sentence(text)),
        (0.5, length < 5),
        (0.2, length > 50),
    ];
    let penalty: f64 = penalties.iter().filter(|(_, holds)| *holds).map(|(penalty, _)| penalty).sum();
    1.5 * position + 0.2 * few(numbers(text)) + 0.2 * few(names(text)) - penalty
}

/// How much of the text stands between quotation marks, 0 to 1.
fn quoted_share(text: &str) -> f64 {
    let (mut inside, mut quoted, mut all) = (false, 0usize, 0usize);
    for c in text.chars() {
        match c {
            '«' | '“' => inside = true,
            '»' | '”' => inside = false,
            '"' => inside = !inside,
            _ => {
                all += 1;
                quoted += usize::from(inside);
            }
        }
    }
    quoted as f64 / all.max(1) as f64
}

/// Whether a sentence needs the one before it: it begins with a pronoun, with a connective, or with a verb of saying that
/// does not name who spoke (`وأضاف أن`).
fn leans(text: &str) -> bool {
    const PRONOUNS: &str = "\
        وهو وهي وهم وذلك لكن ولكن لكنه لكنها بدوره بدورها كما ومن فيما he she it they but and however also moreover \
        these this";
    const SAYING: &str = "\
        اضاف اضافت اوضح اوضحت اشار اشارت تابع تابعت لفت لفتت شدد شددت اكد اكدت بين بينت ذكر ذكرت قال قالت نوه نوهت \
        استطرد اردف";
    let mut words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).map(fold);
    let (Some(first), second) = (words.next(), words.next().unwrap_or_default()) else { return false };
    let says = lists(SAYING, first.strip_prefix('و').unwrap_or(&first));
    let is_unnamed =
        matches!(second.as_str(), "ان" | "انه" | "انها" | "انهم" | "الي" | "علي" | "ب" | "بان" | "قائلا" | "قائله");
    lists(PRONOUNS, &first) || says && is_unnamed
}

fn numbers(text: &str) -> usize {
    text.split_whitespace().filter(|word| word.contains(|c| digit(c).is_some())).count()
}

/// Names, as far as Arabic shows them: what is quoted in a few words, written in Latin letters, or follows a title.
fn names(text: &str) -> usize {
    const TITLES: &str = "\
        وزير وزيره وزاره رئيس رئيسه مدير مديره شركه هيئه مؤسسه جامعه بنك مصرف امير ملك سفير سفيره مجلس محافظ منظمه \
        جمعيه اتحاد نادي مجموعه مدينه محافظه";
    let is_title = |word: &str| {
        let word = fold(word);
        lists(TITLES, word.strip_prefix('و').unwrap_or(&word)) || lists(TITLES, &word)
    };
    let is_latin = |word: &str| word.starts_with(|c: char| c.is_ascii_uppercase());
    let quoted = text.matches('«').count();
    quoted + text.split_whitespace().skip(1).filter(|word| is_latin(word) || is_title(word)).count()
}

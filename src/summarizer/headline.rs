//! English headlines in wire style: sentence case, no full stop, no dateline, no "a press release said".

use std::collections::HashSet;
use std::sync::LazyLock;

use super::shorten::{is_verb, shortenings};
use super::style::Style;
use crate::release::Dateline;

/// A hypothesis that a headline or a sentence of a summary can be made of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hypothesis {
    pub(super) text: String,
    /// As the search ranks it; 0 for what was not decoded.
    pub(super) score: f32,
    /// What taking it costs besides, on the scale of the scores.
    pub(super) price: f64,
}

/// The best headline of at most `limit` characters that the hypotheses hold, with the score of its hypothesis; failing
/// that, the shortest one. `lower_case` are words seen in lower case in the same release.
pub(super) fn choose(
    hypotheses: &[Hypothesis],
    limit: usize,
    style: Style,
    lower_case: &HashSet<String>,
) -> Option<(String, f32)> {
    let mut best: Option<((bool, f64), String, f32)> = None;
    for hypothesis in hypotheses {
        for form in shortenings(&without_frame(&hypothesis.text)) {
            let text = wire(&form.text, style, lower_case);
            let length = text.chars().count();
            if length == 0 {
                continue;
            }
            let fits = length <= limit;
            let worth =
                if fits { f64::from(hypothesis.score) - hypothesis.price - form.loss } else { -(length as f64) };
            if best.as_ref().is_none_or(|(most, ..)| (fits, worth) > *most) {
                best = Some(((fits, worth), text, hypothesis.score));
            }
        }
    }
    best.map(|(_, text, score)| (text, score))
}

/// `text` without what stands around the news: a dateline, a label (`Press release:`), a remark that a release says so.
fn without_frame(text: &str) -> String {
    const LABELS: [&str; 9] = [
        "press release",
        "news release",
        "media release",
        "press statement",
        "statement",
        "urgent",
        "breaking",
        "breaking news",
        "for immediate release",
    ];
    const SOURCES: [&str; 5] = ["press release", "news release", "media release", "press statement", "statement"];
    let mut text = text.trim().trim_start_matches(['-', '–', '•', ' ']);
    if let Some(dateline) = Dateline::parse(text) {
        text = text.get(dateline.text.len()..).unwrap_or_default().trim_start();
    }
    if let Some((label, rest)) = text.split_once([':', '|', '/'])
        && LABELS.contains(&label.trim().to_lowercase().as_str())
    {
        text = rest.trim_start();
    }
    // "A press release said that …", "According to a statement, …"
    let lower = text.to_ascii_lowercase();
    let start =
        ["a ", "the ", "according to a ", "according to the ", "in a ", "in a joint "].iter().find_map(|start| {
            let source = SOURCES
                .iter()
                .find(|source| lower.strip_prefix(start).is_some_and(|rest| rest.starts_with(**source)))?;
            let end = start.len() + source.len();
            let verb = ["said that ", "said ", "stated that ", "announced that ", ", "];
            verb.iter().find_map(|verb| lower.get(end..)?.trim_start().strip_prefix(verb).map(str::len))
        });
    if let Some(left) = start {
        text = text.get(text.len() - left..).unwrap_or_default();
    }
    if let Some((before, clause)) = text.rsplit_once(", ") {
        let clause = clause.to_lowercase();
        if SOURCES.iter().any(|source| clause.contains(source)) && clause.split_whitespace().count() <= 12 {
            text = before;
        }
    }
    text.to_owned()
}

/// `text` as a headline is set: see the module. Its words stay.
fn wire(text: &str, style: Style, lower_case: &HashSet<String>) -> String {
    let text = text.trim().trim_end_matches(['.', '…', ',', ';', ':', '!', ' ']);
    let text = sentence_case(text, lower_case);
    let mut headline = String::with_capacity(text.len());
    for (number, word) in text.split_whitespace().enumerate() {
        let after_number = headline.ends_with(|c: char| c.is_ascii_digit());
        match word.trim_end_matches([',', ';']) {
            bare @ ("percent" | "pct") if after_number => {
                headline.push('%');
                headline += word.get(bare.len()..).unwrap_or_default();
                continue;
            }
            _ => {}
        }
        if number > 0 {
            headline.push(' ');
        }
        headline += &without_stops(word);
    }
    let headline = headline.replace(" per cent", "%").replace(" %", "%");
    capitalised(&quoted(&headline, style))
}

/// `U.S.` as `US`, and its like.
fn without_stops(word: &str) -> String {
    let letters: Vec<&str> = word.split('.').collect();
    let is_initials = letters.len() > 2
        && letters
            .iter()
            .take(letters.len() - 1)
            .all(|part| part.len() == 1 && part.chars().all(|c| c.is_ascii_uppercase()));
    if is_initials { word.replace('.', "") } else { word.to_owned() }
}

/// With the style's quotation marks.
fn quoted(text: &str, style: Style) -> String {
    let (open, close) = style.headline_quotes();
    let mut is_open = false;
    let mark = |c: char| match c {
        '"' => {
            is_open = !is_open;
            if is_open { open } else { close }
        }
        '“' | '«' | '„' => open,
        '”' | '»' => close,
        c => c,
    };
    text.chars().map(mark).collect()
}

/// Words that press English writes in lower case; `training/lower_case.py` lists them.
const LOWER_CASE: &str = include_str!("lower_case.txt");

/// In sentence case, where `text` has a capital on nearly every word: words that are written in lower case elsewhere lose
/// it. What may be a name keeps it.
fn sentence_case(text: &str, lower_case: &HashSet<String>) -> String {
    static COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| LOWER_CASE.lines().collect());
    const FEWEST: usize = 4;
    let is_long = |word: &&str| word.chars().count() > 3 && word.starts_with(char::is_alphabetic);
    let long: Vec<&str> = text.split_whitespace().skip(1).filter(is_long).collect();
    let capitals = long.iter().filter(|word| word.starts_with(char::is_uppercase)).count();
    if long.len() < FEWEST || capitals * 10 < long.len() * 8 {
        return text.to_owned();
    }
    let lowered = |word: &str| {
        let lower = word.to_lowercase();
        let bare = lower.trim_matches(|c: char| !c.is_alphanumeric());
        let bare = bare.strip_suffix("'s").or(bare.strip_suffix("’s")).unwrap_or(bare);
        let parts = || bare.split('-').filter(|part| !part.is_empty());
        let is_common =
            |part: &str| part.len() < 3 || COMMON.contains(part) || is_verb(part) || lower_case.contains(part);
        let is_short_name = word.len() < 4 && word.chars().all(char::is_uppercase);
        if parts().all(is_common) && !is_short_name { lower } else { word.to_owned() }
    };
    let mut words = Vec::new();
    let mut begins = true;
    for word in text.split_whitespace() {
        words.push(if begins { word.to_owned() } else { lowered(word) });
        begins = word.ends_with(':');
    }
    words.join(" ")
}

/// With a capital first letter, unless the first word has one inside (`iPhone`).
pub(super) fn capitalised(text: &str) -> String {
    let first_word = text.split_whitespace().next().unwrap_or_default();
    let mut chars = text.chars();
    match chars.next() {
        Some(first) if first.is_lowercase() && !first_word.contains(char::is_uppercase) => {
            first.to_uppercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

/// Words that `texts` have in lower case.
pub(super) fn lower_case_words<'a>(texts: impl Iterator<Item = &'a str>) -> HashSet<String> {
    let words = texts.flat_map(str::split_whitespace).map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    words.filter(|word| word.starts_with(char::is_lowercase)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headline(texts: &[&str], limit: usize) -> String {
        let hypotheses: Vec<Hypothesis> = texts
            .iter()
            .enumerate()
            .map(|(rank, text)| Hypothesis { text: (*text).to_owned(), score: -0.1 * rank as f32, price: 0.0 })
            .collect();
        choose(&hypotheses, limit, Style::Reuters, &HashSet::new()).unwrap().0
    }

    #[test]
    fn headlines_are_set_as_on_the_wire() {
        let cases = [
            ("The ministry opened a terminal.", "The ministry opened a terminal"),
            ("RIYADH, March 5 (SPA) - profit rose 8.4 percent, bank says", "Profit rose 8.4%, bank says"),
            ("Press release: the U.S. and the U.N. sign a deal", "The US and the UN sign a deal"),
            ("A press release said that the club won the cup", "The club won the cup"),
            ("The club won the cup, a press release said.", "The club won the cup"),
            ("Coach: \"We did not give up\"", "Coach: 'We did not give up'"),
            (
                "Health Ministry Declares The Country Free Of Polio",
                "Health Ministry declares the country free of polio",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(headline(&[text], 200), expected);
        }
    }

    #[test]
    fn another_hypothesis_is_better_than_a_cut() {
        let long = "The Ministry of Transport inaugurated the new terminal in the port on Sunday";
        let short = "Transport Ministry opens new terminal in port";
        assert_eq!(headline(&[long, short], 64), short);
        assert_eq!(headline(&[long, short], 200), long);
    }

    #[test]
    fn what_cannot_be_kept_is_the_shortest_whole() {
        let text = "Incomprehensibilities of multidimensional internationalisation";
        assert_eq!(headline(&[text], 20), text);
    }
}

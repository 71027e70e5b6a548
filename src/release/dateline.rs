//! Where, when and by whom: `الرياض في 5 مارس /واس/ -`, `بيروت (رويترز) -`, `DUBAI, Feb. 12, 2024 (WAM) –`.

use super::date::{Date, date, is_weekday};
use super::names;
use super::tokens::{Token, tokens};
use crate::text::fold;

/// What stands before the text of a release's first paragraph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dateline {
    /// As it is written, the dash after it included.
    pub text: String,
    /// The place that the release comes from.
    pub city: Name,
    /// The agency that sent it.
    pub agency: Option<Name>,
    /// The day.
    pub date: Option<Date>,
}

/// A name in the source, and in English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// As the source has it.
    pub source: String,
    /// As English copy has it, if it is known.
    pub english: Option<String>,
}

/// Tokens among which a dateline is sought.
const LONGEST: usize = 48;
/// Most words of a name that no table knows.
const LONGEST_NAME: usize = 4;

impl Dateline {
    /// The dateline that `sentence` begins with.
    ///
    /// A city that the tables know needs a dash behind it; any other name needs a date or an agency too.
    pub fn parse(sentence: &str) -> Option<Self> {
        let tokens = tokens(sentence, LONGEST);
        let mut reader = Reader { text: sentence, tokens: &tokens, at: 0 };
        let city = reader.city()?;
        let mut agency = None;
        let mut date = None;
        loop {
            let before = reader.at;
            if date.is_none() {
                date = reader.date();
            }
            if agency.is_none() {
                agency = reader.agency();
            }
            if reader.at == before && !(date.is_none() && agency.is_none() && reader.region()) {
                break;
            }
        }
        let is_known = names::place(&city.source).is_some();
        let is_set_off = !city.source.contains(char::is_lowercase) && city.source.is_ascii();
        let ended = reader.end();
        let is_whole = reader.at == tokens.len() && tokens.len() < LONGEST;
        let holds = match (&agency, &date) {
            (Some(_), Some(_)) => true,
            (Some(agency), None) => {
                is_known || names::agency(&agency.source).is_some() || ended && (is_set_off || names_itself(agency))
            }
            (None, Some(_)) => ended || is_whole,
            (None, None) => is_known && reader.is_after_spaced_dash() && !is_whole && !reader.at_place(),
        };
        let end = reader.tokens.get(reader.at.checked_sub(1)?)?.range.end;
        holds.then(|| Self { text: sentence.get(..end).unwrap_or_default().to_owned(), city, agency, date })
    }

    /// In wire style, without a dash: `RIYADH, March 5 (SPA)`. Names that are not known in English stay as they are.
    pub fn english(&self) -> String {
        let mut english = self.city.english().to_uppercase();
        if let Some(date) = self.date {
            english += &format!(", {}", date.english());
        }
        if let Some(agency) = &self.agency {
            english += &format!(" ({})", agency.english());
        }
        english
    }
}

impl Name {
    /// The English name or, where it is not known, the source's.
    pub fn english(&self) -> &str {
        self.english.as_deref().unwrap_or(&self.source)
    }
}

/// A place in the tokens of a sentence, which the methods move on over what they recognise.
struct Reader<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
}

const DASHES: [char; 1] = ['-'];
const SEPARATORS: [char; 4] = ['،', ',', '-', '\u{2022}'];

impl Reader<'_> {
    fn rest(&self) -> &[Token] {
        self.tokens.get(self.at..).unwrap_or_default()
    }

    /// The text of the tokens from `from` up to `to`.
    fn between(&self, from: usize, to: usize) -> &str {
        let text = || {
            let first = self.tokens.get(from)?;
            let last = self.tokens.get(to.checked_sub(1)?)?;
            self.text.get(first.range.start..last.range.end)
        };
        text().unwrap_or_default()
    }

    /// How many of the next tokens are words in a row.
    fn words(&self) -> usize {
        self.rest().iter().take_while(|token| token.word().is_some()).count()
    }

    /// The longest name at hand that `table` knows, its tokens and its English.
    fn known(&self, from: usize, table: fn(&str) -> Option<&'static str>) -> Option<(usize, &'static str)> {
        (1..=names::LONGEST).rev().find_map(|length| {
            let last = self.tokens.get(from + length - 1)?;
            last.word()?;
            table(self.between(from, from + length)).map(|english| (length, english))
        })
    }

    /// A city of the tables, or a few words before a separator, a number or a bracket.
    fn city(&mut self) -> Option<Name> {
        if let Some((length, english)) = self.known(0, names::place) {
            self.at = length;
            return Some(Name { source: self.between(0, length).to_owned(), english: Some(english.to_owned()) });
        }
        let is_end = |token: &&Token| token.word().is_some_and(|word| word != "في");
        let length = self.rest().iter().take_while(is_end).count();
        if !(1..=LONGEST_NAME).contains(&length) || length == self.tokens.len() {
            return None;
        }
        self.at = length;
        let source = self.between(0, length).to_owned();
        // A Latin name is English already.
        let english = source.is_ascii().then(|| in_mixed_case(&source));
        Some(Name { source, english })
    }

    fn separators(&self) -> usize {
        self.rest().iter().take_while(|token| token.is_mark(&SEPARATORS)).count()
    }

    /// A date, in brackets or not, after separators, `في`, `يوم` and a weekday.
    fn date(&mut self) -> Option<Date> {
        let leads = |token: &&Token| {
            let word = |word: &str| matches!(word, "في" | "يوم" | "اليوم" | "on") || is_weekday(word);
            token.is_mark(&SEPARATORS) || token.is_mark(&['(']) || token.word().is_some_and(word)
        };
        let lead = self.rest().iter().take_while(leads).count();
        let opened = self.rest().iter().take(lead).any(|token| token.is_mark(&['(']));
        let rest = self.rest().get(lead..)?;
        let (date, taken) = date(rest).or_else(|| day_and_month(rest))?;
        let closed = rest.get(taken).is_some_and(|token| token.is_mark(&[')']));
        if opened && !closed {
            return None;
        }
        self.at += lead + taken + usize::from(opened);
        Some(date)
    }

    /// An agency: known, or whatever stands in brackets or between slashes.
    fn agency(&mut self) -> Option<Name> {
        let lead = self.separators();
        let begin = self.at + lead;
        let name = |source: &str| Name {
            source: source.to_owned(),
            english: names::agency(source).map(str::to_owned).or_else(|| source.is_ascii().then(|| source.to_owned())),
        };
        let closing = match self.tokens.get(begin) {
            Some(token) if token.is_mark(&['(']) => Some(')'),
            Some(token) if token.is_mark(&['[']) => Some(']'),
            Some(token) if token.is_mark(&['/']) => Some('/'),
            _ => None,
        };
        if let Some(closing) = closing {
            let inside = self.tokens.get(begin + 1..)?;
            let length = inside.iter().take(2 * LONGEST_NAME).position(|token| token.is_mark(&[closing]))?;
            let has_words = inside.iter().take(length).any(|token| token.word().is_some());
            self.at = if has_words { begin + length + 2 } else { self.at };
            return has_words.then(|| name(self.between(begin + 1, begin + 1 + length)));
        }
        let (length, _) = self.known(begin, names::agency)?;
        let ended = self.tokens.get(begin + length).is_none_or(|token| token.is_mark(&['-', ':', '/']));
        if lead == 0 && self.at < 2 || !ended {
            return None;
        }
        self.at = begin + length;
        Some(name(self.between(begin, begin + length)))
    }

    /// Skips a country or region behind the city: a few words between separators.
    fn region(&mut self) -> bool {
        let lead = self.rest().iter().take_while(|token| token.is_mark(&[',', '،'])).count();
        let skipped = Reader { at: self.at + lead, ..*self };
        let length = skipped.words();
        let next = skipped.rest().get(length);
        let holds = lead > 0
            && (1..=LONGEST_NAME).contains(&length)
            && next.is_some_and(|token| {
                token.is_mark(&SEPARATORS) || token.is_mark(&['(', '/']) || token.number(2).is_some()
            });
        self.at += if holds { lead + length } else { 0 };
        holds
    }

    /// Skips the dash or colon that ends a dateline; whether there was one.
    fn end(&mut self) -> bool {
        let before = self.at.checked_sub(1).and_then(|before| self.tokens.get(before));
        let has_agency_mark = before.is_some_and(|token| token.is_mark(&['/', ')', ']']));
        let marks =
            self.rest().iter().take_while(|token| token.is_mark(&DASHES) || token.is_mark(&[':', '،', ','])).count();
        let ends = self.rest().iter().take(marks).any(|token| token.is_mark(&DASHES) || token.is_mark(&[':']));
        if ends || has_agency_mark {
            self.at += marks;
        }
        ends
    }

    /// Whether a dash with spaces around it has just been read: not one inside `كركوك-جيهان`.
    fn is_after_spaced_dash(&self) -> bool {
        let read = self.tokens.get(..self.at).unwrap_or_default();
        let marks = read.iter().rev().take_while(|token| token.is_mark(&DASHES)).count();
        let dashes = read.get(read.len() - marks..).unwrap_or_default();
        let ends = dashes.first().zip(dashes.last()).map(|(first, last)| (first.range.start, last.range.end));
        ends.is_some_and(|(start, end)| {
            let before = self.text.get(..start).unwrap_or_default();
            let after = self.text.get(end..).unwrap_or_default();
            before.ends_with(char::is_whitespace) && after.starts_with(char::is_whitespace)
        })
    }

    /// Whether another city follows and no more: `القاهرة - أسوان: …` names a route, not a dateline.
    fn at_place(&self) -> bool {
        let after = self.known(self.at, names::place).map(|(length, _)| self.at + length);
        after.is_some_and(|after| self.tokens.get(after).is_none_or(|next| next.word().is_none()))
    }
}

/// Whether an agency that no table knows says that it is one.
fn names_itself(agency: &Name) -> bool {
    let name = fold(&agency.source);
    ["وكاله", "وكالات", "agency", "newswire", "wire"].iter().any(|word| name.contains(word))
}

/// `ABU DHABI` as `Abu Dhabi`; a name that is not all capitals stays.
fn in_mixed_case(name: &str) -> String {
    if name.contains(char::is_lowercase) {
        return name.to_owned();
    }
    let mut after_letter = false;
    let mixed = |c: char| {
        let lower = after_letter;
        after_letter = c.is_alphabetic();
        if lower { c.to_ascii_lowercase() } else { c }
    };
    name.chars().map(mixed).collect()
}

/// Day and month as the Kuwait News Agency has them, before its name: `- 21 - 1 (كونا) --`.
fn day_and_month(tokens: &[Token]) -> Option<(Date, usize)> {
    let [day, dash, month, next, ..] = tokens else { return None };
    if !dash.is_mark(&['-', '/']) || !next.is_mark(&['(', '-']) {
        return None;
    }
    let (day, month) = (u8::try_from(day.number(2)?).ok()?, u8::try_from(month.number(2)?).ok()?);
    let is_day = (1..=31).contains(&day) && (1..=12).contains(&month);
    let calendar = super::date::Calendar::Gregorian;
    is_day.then_some((Date { day, month, year: None, calendar }, 3))
}

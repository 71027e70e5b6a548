//! What a full stop may belong to without ending a sentence, and which words show that it did end one.

use super::script::{is_arabic_letter, is_digit};

/// What the dot after a word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dot {
    /// An ordinary word: the dot is a full stop.
    FullStop,
    /// An abbreviation that leads to what follows it (`د. أحمد`): never a full stop.
    Leads,
    /// An abbreviation that a sentence may end with (`أ.ف.ب.`): a full stop before a word that starts sentences.
    MayEnd,
}

/// Abbreviations of several letters that lead on to a name or a number. (Single letters are always
/// abbreviations, and so is anything with a dot between its letters.)
const LEADING: &[&str] = &[
    // Professor, engineer and their kin, the post-office box.
    "أد", "اد", "أ.د", "ا.د", "م.د", "د.م", "أ.م.د", "ا.م.د", "ص.ب", // Latin.
    "mr", "mrs", "ms", "mx", "dr", "prof", "gen", "col", "capt", "lt", "maj", "sgt", "cmdr", "adm", "rep", "sen",
    "gov", "hon", "rev", "pres", "messrs", "mt", "vs", "e.g", "i.e", "cf", "nos", "fig", "vol", "p.o", "tel", "ext",
    "approx", "mme", "mlle",
];

/// Abbreviations of several letters with which a sentence may end.
const CLOSING: &[&str] = &[
    "etc", "no", "st", "inc", "ltd", "co", "corp", "bros", "plc", "jr", "sr", "dept", "est", "ave", "blvd", "rd",
    "ph.d", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
];

/// Words that start the next sentence of a release when they follow a dot, and next to never anything else.
const ARABIC_STARTERS: &[&str] = &[
    "وقال",
    "وقالت",
    "وأضاف",
    "وأضافت",
    "وأوضح",
    "وأوضحت",
    "وأكد",
    "وأكدت",
    "وأشار",
    "وأشارت",
    "وذكر",
    "وذكرت",
    "وتابع",
    "وتابعت",
    "وصرح",
    "وصرحت",
    "وبين",
    "وبينت",
    "ولفت",
    "ولفتت",
    "وشدد",
    "وشددت",
    "واعتبر",
    "واعتبرت",
    "ورأى",
    "ورأت",
    "وختم",
    "واختتم",
    "واختتمت",
    "وأعرب",
    "وأعربت",
    "ودعا",
    "ودعت",
    "وجاء",
    "وجاءت",
    "ويأتي",
    "وتأتي",
    "ويعد",
    "وتعد",
    "ويذكر",
    "وسيتم",
    "وسوف",
    "وتم",
    "وقد",
    "ولم",
    "ولا",
    "وفي",
    "ومن",
    "وعلى",
    "وبلغ",
    "وبلغت",
    "وأعلن",
    "وأعلنت",
    "وتوقع",
    "وتوقعت",
    "ويتوقع",
    "ويتضمن",
    "وتتضمن",
    "ويشمل",
    "وتشمل",
    "قال",
    "قالت",
    "يذكر",
    "كما",
    "غير",
    "لكن",
    "ولكن",
    "أما",
    "وأما",
    "إن",
    "وإن",
    "هذا",
    "وهذا",
    "هذه",
    "وهذه",
    "لقد",
    "بدوره",
    "بدورها",
];

const ENGLISH_STARTERS: &[&str] = &[
    "The",
    "A",
    "An",
    "This",
    "That",
    "These",
    "Those",
    "It",
    "He",
    "She",
    "We",
    "They",
    "You",
    "I",
    "His",
    "Her",
    "Its",
    "Our",
    "Their",
    "In",
    "On",
    "At",
    "But",
    "And",
    "However",
    "Meanwhile",
    "If",
    "When",
    "While",
    "After",
    "Before",
    "There",
    "What",
    "How",
    "Why",
    "Who",
    "For",
    "From",
    "With",
];

/// Verbs of saying that carry a sentence on after the quotation that it began with.
const SAYING: &[&str] = &[
    "قال",
    "قالت",
    "قالوا",
    "يقول",
    "تقول",
    "أضاف",
    "أضافت",
    "صرح",
    "صرحت",
    "أكد",
    "أكدت",
    "سأل",
    "سألت",
    "تساءل",
    "تساءلت",
    "أجاب",
    "أجابت",
    "هتف",
    "هتفت",
    "صاح",
    "صاحت",
    "كتب",
    "كتبت",
    "علق",
    "علقت",
    "هكذا",
    "بهذه",
];

/// Words that carry a sentence on after a dot: a Hijri date and its Gregorian one ("1445هـ. الموافق").
const CONTINUING: &[&str] = &["الموافق", "الموافقة"];

/// The longest abbreviation looked for, in bytes: everything longer is a word.
const LONGEST: usize = 24;

/// What a dot after `text` is, judged by the word at the end of `text` and what stands before it.
pub(crate) fn dot_after(text: &str) -> Dot {
    let word = last_word(text);
    let bare = word.trim_end_matches('.');
    if bare.is_empty() {
        return Dot::FullStop;
    }
    let lower = bare.to_lowercase();
    let stems = [lower.as_str(), without_prefix(&lower)];
    if stems.iter().any(|stem| LEADING.contains(stem)) {
        return Dot::Leads;
    }
    let before = text.get(..text.len() - word.len()).unwrap_or_default();
    let letters = bare.chars().filter(|&c| !is_mark(c)).count();
    if letters == 1 && bare.chars().all(|c| is_arabic_letter(c) || c.is_uppercase() || is_mark(c)) {
        // "2024 م." ends on a full stop, and so do letters in a row without dots: "أ ف ب."
        let before = before.trim_end();
        let previous = last_word(before);
        let in_a_row = previous.chars().count() == 1 && previous.chars().all(is_arabic_letter);
        let after_number = before.chars().next_back().is_some_and(is_digit);
        return if in_a_row || after_number { Dot::FullStop } else { Dot::MayEnd };
    }
    if stems.iter().any(|stem| CLOSING.contains(stem) || is_dotted(stem)) || is_prefixed_title(&lower) {
        return Dot::MayEnd;
    }
    Dot::FullStop
}

/// Whether the text after a dot begins as sentences begin.
pub(crate) fn starts_sentence(text: &str) -> bool {
    let word = first_word(text);
    ARABIC_STARTERS.contains(&word) || ENGLISH_STARTERS.contains(&word)
}

/// Whether the text after a closed quotation carries on the sentence that the quotation began.
pub(crate) fn says(text: &str) -> bool {
    SAYING.contains(&first_word(text))
}

/// Whether the text after a dot belongs to what stands before the dot.
pub(crate) fn continues(text: &str) -> bool {
    CONTINUING.contains(&first_word(text))
}

fn first_word(text: &str) -> &str {
    let text = text.trim_start_matches(['«', '“', '”', '"', '(', '\u{200F}', '\u{200E}']);
    text.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default()
}

/// The run of letters and inner dots at the end of `text`, empty if it is longer than any abbreviation.
fn last_word(text: &str) -> &str {
    let mut start = text.len();
    for (at, c) in text.char_indices().rev() {
        if !(c.is_alphabetic() || c == '.' || is_mark(c)) {
            break;
        }
        if text.len() - at > LONGEST {
            return "";
        }
        start = at;
    }
    text.get(start..).unwrap_or_default().trim_start_matches('.')
}

/// `word` without one of the particles that Arabic writes together with the next word.
fn without_prefix(word: &str) -> &str {
    word.strip_prefix(['و', 'ف', 'ب', 'ل', 'ك']).unwrap_or(word).trim_start_matches('\u{0640}')
}

/// A particle written together with a title of one letter ("ود. أحمد").
fn is_prefixed_title(word: &str) -> bool {
    matches!(word, "ود" | "وأ" | "وم" | "لد" | "بد")
}

/// Letters in parts of at most three, with dots between them: initials, agencies, company forms, currencies.
fn is_dotted(word: &str) -> bool {
    word.contains('.')
        && word.split('.').all(|part| {
            let letters = part.chars().filter(|&c| c != '\u{0640}').count();
            (1..=2).contains(&letters)
        })
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{0640}' | '\u{064B}'..='\u{0652}' | '\u{200C}'..='\u{200F}')
}

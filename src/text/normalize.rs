//! Cleaning before the model, and only the cleaning that helps it.
//!
//! An Arabic model was trained on natural spelling: folding alef, ya or ta marbuta is for search engines
//! and would harm it. What does harm it is what a PDF, a web page or a word processor leaves in a text and
//! no reader sees. SentencePiece's own `nmt_nfkc` rules keep tatweel, directional controls and Arabic-Indic
//! digits and turn some zero-width characters into spaces inside words, so the cleaning comes first. Typographic
//! quotation marks and dashes, which every release has, are unknown tokens to a model whose training text was
//! cleaned of them, as that of opus-mt-ar-en was.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::script::{digit, is_digit, is_invisible};

/// Which steps of the cleaning are taken. Every step is independent and [`Normalization::apply`] is
/// idempotent for every choice of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Normalization {
    /// Delete the stretching stroke U+0640. On by default.
    pub tatweel: bool,
    /// Delete directional controls, zero-width characters, soft hyphens and stray byte-order marks, without
    /// leaving a space. On by default.
    pub invisible: bool,
    /// Replace presentation forms (U+FB50–FDFF, U+FE70–FEFC) by the letters that they show, as NFKC does;
    /// nothing outside these ranges is touched. On by default.
    pub presentation_forms: bool,
    /// Replace the Farsi ya and kaf by the Arabic ones. On by default.
    pub farsi_letters: bool,
    /// Write Arabic-Indic and Persian digits as 0–9 and, beside digits only, `٫` as `.`, `٬` as `,` and `٪` as `%`.
    /// The Arabic comma stays, also between digits. On by default.
    pub digits: bool,
    /// Compose to Unicode normalisation form C. On by default.
    pub compose: bool,
    /// Write `« » “ ” „ ‟` as `"` and `‘ ’ ‚ ‛` as `'`. On by default.
    pub quotes: bool,
    /// Write the dashes `‒ – — ―` as `-`. On by default.
    pub dashes: bool,
    /// Delete vowel marks (U+064B–0652, U+0670). Off by default: models have seen some.
    pub tashkeel: bool,
}

impl Default for Normalization {
    fn default() -> Self {
        Self {
            tatweel: true,
            invisible: true,
            presentation_forms: true,
            farsi_letters: true,
            digits: true,
            compose: true,
            quotes: true,
            dashes: true,
            tashkeel: false,
        }
    }
}

impl Normalization {
    /// Every step, the optional ones too.
    pub const fn all() -> Self {
        Self {
            tatweel: true,
            invisible: true,
            presentation_forms: true,
            farsi_letters: true,
            digits: true,
            compose: true,
            quotes: true,
            dashes: true,
            tashkeel: true,
        }
    }

    /// No step at all: the model gets the text as it stands, as it does in a reference implementation.
    pub const fn none() -> Self {
        Self {
            tatweel: false,
            invisible: false,
            presentation_forms: false,
            farsi_letters: false,
            digits: false,
            compose: false,
            quotes: false,
            dashes: false,
            tashkeel: false,
        }
    }

    /// `text` after the chosen steps; borrowed when none of them changes anything.
    pub fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if text.is_ascii() {
            return Cow::Borrowed(text);
        }
        let mut text = Cow::Borrowed(text);
        if text.chars().any(|c| self.changes(c)) {
            text = Cow::Owned(self.characters(&text));
        }
        if self.digits && text.chars().any(is_foreign_number) {
            text = Cow::Owned(european_numbers(&text));
        }
        if self.compose && !is_nfc(&text) {
            text = Cow::Owned(text.nfc().collect());
        }
        text
    }

    fn changes(&self, c: char) -> bool {
        self.deletes(c) || self.replacement(c) != c || (self.presentation_forms && is_presentation_form(c))
    }

    fn characters(&self, text: &str) -> String {
        let mut clean = String::with_capacity(text.len());
        let mut keep = |c: char| {
            if !self.deletes(c) {
                clean.push(self.replacement(c));
            }
        };
        for c in text.chars() {
            if self.presentation_forms && is_presentation_form(c) {
                // An isolated vowel mark is shown on a space (U+FE70 and its like); the mark alone belongs to
                // the letter before it.
                std::iter::once(c).nfkc().skip_while(|&part| part == ' ').for_each(&mut keep);
            } else {
                keep(c);
            }
        }
        clean
    }

    fn deletes(&self, c: char) -> bool {
        (self.tatweel && c == '\u{0640}')
            || (self.invisible && is_invisible(c))
            || (self.tashkeel && matches!(c, '\u{064B}'..='\u{0652}' | '\u{0670}'))
    }

    fn replacement(&self, c: char) -> char {
        match c {
            '\u{06CC}' if self.farsi_letters => '\u{064A}',
            '\u{06A9}' if self.farsi_letters => '\u{0643}',
            '«' | '»' | '“' | '”' | '„' | '‟' if self.quotes => '"',
            '‘' | '’' | '‚' | '‛' if self.quotes => '\'',
            '‒' | '–' | '—' | '―' if self.dashes => '-',
            _ => c,
        }
    }
}

fn is_presentation_form(c: char) -> bool {
    matches!(c, '\u{FB50}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}')
}

fn is_foreign_number(c: char) -> bool {
    !c.is_ascii() && (is_digit(c) || matches!(c, '٫' | '٬' | '٪'))
}

/// Digits in European form, and the marks that belong to them where they stand beside digits.
fn european_numbers(text: &str) -> String {
    let mut mapped = String::with_capacity(text.len());
    let mut before = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let after = rest.clone().next();
        let beside = |side: Option<char>| side.is_some_and(is_digit);
        mapped.push(match c {
            '٫' if beside(before) && beside(after) => '.',
            '٬' if beside(before) && beside(after) => ',',
            '٪' if beside(before) || beside(after) => '%',
            _ => digit(c).map_or(c, |value| char::from(b'0' + value)),
        });
        before = Some(c);
    }
    mapped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(text: &str) -> String {
        Normalization::default().apply(text).into_owned()
    }

    #[test]
    fn what_hurts_goes_and_leaves_no_gap() {
        assert_eq!(clean("مـــرحبا"), "مرحبا");
        assert_eq!(clean("\u{200F}الر\u{200D}ياض\u{202C} \u{2067}اليوم\u{2069}"), "الرياض اليوم");
        assert_eq!(clean("می\u{200C}خواهم"), "ميخواهم");
        assert_eq!(clean("\u{FEFF}نص"), "نص");
    }

    #[test]
    fn presentation_forms_become_letters_and_nothing_else_is_compatibility_folded() {
        assert_eq!(clean("ﺍﻟﺮﻳﺎﺽ"), "الرياض");
        assert_eq!(clean("ﻻ"), "لا");
        assert_eq!(clean("ﷺ"), "صلى الله عليه وسلم");
        assert_eq!(clean("\u{0645}\u{FE76}"), "مَ");
        assert_eq!(clean("½ م² ﹙س﹚ № ﬁ"), "½ م² ﹙س﹚ № ﬁ");
    }

    #[test]
    fn spelling_is_left_alone() {
        let text = "إلى آخر الأخبار على مدى السنة، مِن المدينة؟ قَرأ؛ مستشفى…";
        assert!(matches!(Normalization::default().apply(text), Cow::Borrowed(same) if same == text));
    }

    #[test]
    fn numbers_take_european_digits_and_marks_only_beside_digits() {
        assert_eq!(clean("١٬٢٣٤٫٥٠"), "1,234.50");
        assert_eq!(clean("۱۲٪ و٪٥"), "12% و%5");
        assert_eq!(clean("١٥،٠٠"), "15،00");
        assert_eq!(clean("نسبة ٪ و٫ و٬"), "نسبة ٪ و٫ و٬");
        assert_eq!(clean("في ٥/٣/٢٠٢٤"), "في 5/3/2024");
    }

    #[test]
    fn typographic_marks_become_those_that_models_know() {
        assert_eq!(clean("جدة – «قال “نعم” ل‘سالم’» — 2020–2024"), "جدة - \"قال \"نعم\" ل'سالم'\" - 2020-2024");
    }

    #[test]
    fn letters_are_composed() {
        assert_eq!(clean("ا\u{0653}خر"), "آخر");
        assert_eq!(clean("اـ\u{0653}خر"), "آخر");
        assert_eq!(clean("cafe\u{0301} عربي"), "café عربي");
    }

    #[test]
    fn each_step_can_be_switched() {
        let text = "مـ\u{200F}ﻻیكَ«٣»–ا\u{0653}";
        assert_eq!(Normalization::none().apply(text), text);
        assert_eq!(Normalization::all().apply(text), "ملايك\"3\"-آ");
        let only = |change: fn(&mut Normalization)| {
            let mut steps = Normalization::none();
            change(&mut steps);
            steps.apply(text).into_owned()
        };
        assert_eq!(only(|n| n.tatweel = true), text.replace('ـ', ""));
        assert_eq!(only(|n| n.invisible = true), text.replace('\u{200F}', ""));
        assert_eq!(only(|n| n.presentation_forms = true), text.replace('ﻻ', "لا"));
        assert_eq!(only(|n| n.farsi_letters = true), text.replace('ی', "ي"));
        assert_eq!(only(|n| n.digits = true), text.replace('٣', "3"));
        assert_eq!(only(|n| n.compose = true), text.replace("ا\u{0653}", "آ"));
        assert_eq!(only(|n| n.tashkeel = true), text.replace('\u{064E}', ""));
        assert_eq!(only(|n| n.quotes = true), text.replace(['«', '»'], "\""));
        assert_eq!(only(|n| n.dashes = true), text.replace('–', "-"));
    }
}

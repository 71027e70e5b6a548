//! Pieces of a sentence that is too long for the model.

use std::ops::Range;

/// The first guess, in bytes, of how much text fits; corrected after the first question.
const FIRST_GUESS: usize = 512;

/// Cuts `sentence` into pieces that each satisfy `fits`, as byte ranges: in order, not empty, and covering
/// everything but the white space at the cuts. A sentence that fits is one piece.
///
/// Cuts fall, by preference, after `؛ ; :` or a full stop inside a quotation, after a comma before `و`, after
/// any comma, before `و`, at a space, and inside a word only when the word alone is too long. Pieces are of
/// similar length rather than one full and the last one a crumb.
///
/// `fits` may be costly (it counts tokens): it is asked about a handful of texts a piece, none much longer
/// than a piece may be, so that the whole stays linear in the length of the sentence. It should hold for every
/// prefix of a text for which it holds; where it holds not even for one character, that character is a piece.
pub fn split_long(sentence: &str, fits: &dyn Fn(&str) -> bool) -> Vec<Range<usize>> {
    let end = sentence.trim_end().len();
    let mut pieces = Vec::new();
    let mut start = sentence.len() - sentence.trim_start().len();
    let mut guess = FIRST_GUESS;
    while start < end {
        let rest = sentence.get(start..end).unwrap_or_default();
        let longest = longest_prefix(rest, guess, fits);
        let mut length = if longest == rest.len() { longest } else { best_cut(rest, longest) };
        let mut piece = rest.get(..length).unwrap_or_default().trim_end();
        while !fits(piece) && length > first_char(rest) {
            length = floor(rest, length / 2).max(first_char(rest));
            piece = rest.get(..length).unwrap_or_default().trim_end();
        }
        pieces.push(start..start + piece.len());
        guess = longest;
        let left = rest.get(length..).unwrap_or_default();
        start += rest.len() - left.trim_start().len();
    }
    pieces
}

/// The length of about the longest prefix of `text` that fits (to within a sixteenth), sought from `guess`
/// outwards; at least one character.
fn longest_prefix(text: &str, guess: usize, fits: &dyn Fn(&str) -> bool) -> usize {
    let holds = |length: usize| text.get(..length).is_some_and(|prefix| fits(prefix.trim_end()));
    let least = first_char(text);
    let mut good = 0;
    let mut bad = ceil(text, guess.max(least));
    while holds(bad) {
        if bad == text.len() {
            return bad;
        }
        good = bad;
        bad = ceil(text, good + (good / 4).max(1));
    }
    while bad - good > (good / 16).max(1) {
        let middle = floor(text, good.midpoint(bad));
        if middle <= good {
            break;
        }
        if holds(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    good.max(least)
}

/// The best cut of `text`, of which about `longest` bytes fit, at or before `longest`: the strongest border near
/// the length that makes all pieces equal, else the last border, else that length.
fn best_cut(text: &str, longest: usize) -> usize {
    let target = text.len().div_ceil(text.len().div_ceil(longest.max(1)).max(2)).min(longest);
    let mut best: Option<(f64, usize)> = None;
    let mut last = None;
    let mut previous = ' ';
    for (at, c) in text.char_indices().take_while(|&(at, _)| at <= longest) {
        if let Some(strength) = border(previous, c, text.get(at..).unwrap_or_default()) {
            last = Some(at);
            let worth = strength - at.abs_diff(target) as f64 / target.max(1) as f64;
            if at >= target / 3 && best.is_none_or(|(most, _)| worth > most) {
                best = Some((worth, at));
            }
        }
        previous = c;
    }
    best.map(|(_, at)| at).or(last).unwrap_or_else(|| floor(text, target).max(first_char(text)))
}

/// How good a cut is between the characters `previous` and `c`, with `rest` from `c` on: 0 for any space, more for
/// better places, `None` inside a word. A cut at full strength may stand twice as far from the ideal length as
/// one at half of it.
fn border(previous: char, c: char, rest: &str) -> Option<f64> {
    if previous.is_whitespace() {
        return None;
    }
    if !c.is_whitespace() {
        return (matches!(previous, '،' | '؛' | '؟') && !c.is_numeric() && c.is_alphabetic()).then_some(0.4);
    }
    let next = rest.trim_start();
    let conjunction = next.starts_with('و') && next.chars().nth(1).is_some_and(char::is_alphabetic);
    Some(match previous {
        '.' | '!' | '?' | '؟' | '…' | '۔' | '؛' | ';' => 1.0,
        ':' => 0.8,
        '،' | ',' if conjunction => 0.7,
        '،' | ',' | '–' | '—' => 0.6,
        _ if conjunction => 0.35,
        _ => 0.0,
    })
}

fn first_char(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

/// The last character border of `text` at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The first character border of `text` at or after `at`, or its end.
fn ceil(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn words(limit: usize) -> impl Fn(&str) -> bool {
        move |text| text.split_whitespace().count() <= limit
    }

    fn pieces<'a>(sentence: &'a str, fits: &dyn Fn(&str) -> bool) -> Vec<&'a str> {
        split_long(sentence, fits).into_iter().map(|range| &sentence[range]).collect()
    }

    #[test]
    fn what_fits_stays_whole() {
        assert_eq!(pieces("  جملة قصيرة، وافية. ", &words(10)), ["جملة قصيرة، وافية."]);
        assert_eq!(pieces("", &words(10)), [""; 0]);
        assert_eq!(pieces("  ", &words(10)), [""; 0]);
    }

    #[test]
    fn the_strongest_border_near_the_middle_wins() {
        let sentence = "وقع الوزير اتفاقية جديدة، ثم افتتح المعرض؛ وتحدث مع الزوار طويلا، وغادر المدينة مساء";
        assert_eq!(
            pieces(sentence, &words(10)),
            ["وقع الوزير اتفاقية جديدة، ثم افتتح المعرض؛", "وتحدث مع الزوار طويلا، وغادر المدينة مساء"]
        );
        let sentence = "وقع الوزير اتفاقية جديدة وافتتح المعرض، وتحدث مع الزوار طويلا وغادر المدينة مساء";
        assert_eq!(
            pieces(sentence, &words(10)),
            ["وقع الوزير اتفاقية جديدة وافتتح المعرض،", "وتحدث مع الزوار طويلا وغادر المدينة مساء"]
        );
        let sentence = "افتتح الوزير المعرض السنوي الكبير في العاصمة وتحدث مع الزوار عن المشاريع القادمة";
        assert_eq!(
            pieces(sentence, &words(10)),
            ["افتتح الوزير المعرض السنوي الكبير في العاصمة", "وتحدث مع الزوار عن المشاريع القادمة"]
        );
    }

    #[test]
    fn numbers_are_not_cut_at_their_comma() {
        let sentence = "الساعة 15،00 ".repeat(8);
        assert!(pieces(&sentence, &words(3)).iter().all(|piece| !piece.ends_with('،')));
    }

    #[test]
    fn pieces_are_balanced() {
        let sentence = "كلمة ".repeat(110);
        let lengths: Vec<_> = pieces(&sentence, &words(100)).iter().map(|p| p.split_whitespace().count()).collect();
        assert_eq!(lengths.iter().sum::<usize>(), 110);
        assert_eq!(lengths.len(), 2);
        assert!(lengths.iter().all(|&count| count >= 50), "{lengths:?}");
    }

    #[test]
    fn only_a_word_that_is_itself_too_long_is_cut() {
        let limit = |text: &str| text.chars().count() <= 30;
        let word = "ب".repeat(28);
        let sentence = format!("ا {word} ت");
        assert!(pieces(&sentence, &limit).iter().flat_map(|piece| piece.split(' ')).eq(sentence.split(' ')));
        let giant = "ب".repeat(100);
        let cut = pieces(&giant, &limit);
        assert_eq!(cut.concat(), giant);
        assert!(cut.len() <= 5 && cut.iter().all(|piece| limit(piece)));
    }

    #[test]
    fn a_limit_that_nothing_meets_still_ends() {
        assert_eq!(pieces("اب ج😀", &|_| false), ["ا", "ب", "ج", "😀"]);
    }

    #[test]
    fn the_work_is_linear() {
        for sentence in ["كلمة، ".repeat(200_000), "ب".repeat(1_000_000), "a b".repeat(500_000)] {
            let asked = Cell::new(0);
            let fits = |text: &str| {
                asked.set(asked.get() + text.len());
                text.len() <= 1500
            };
            let pieces = split_long(&sentence, &fits);
            assert!(pieces.iter().all(|range| range.len() <= 1500));
            assert!(asked.get() < 12 * sentence.len(), "{} of {}", asked.get(), sentence.len());
        }
    }
}

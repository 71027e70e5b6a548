//! Porter's stemmer ("An algorithm for suffix stripping", 1980) with the extensions that NLTK adds and has as its
//! default, which rouge_score uses. Crates have the original or Snowball's revision of it, whose stems are others.

/// Words that the rules would get wrong, and their stems.
const IRREGULAR: [(&str, &str); 16] = [
    ("sky", "sky"),
    ("skies", "sky"),
    ("dying", "die"),
    ("lying", "lie"),
    ("tying", "tie"),
    ("news", "news"),
    ("innings", "inning"),
    ("inning", "inning"),
    ("outings", "outing"),
    ("outing", "outing"),
    ("cannings", "canning"),
    ("canning", "canning"),
    ("howe", "howe"),
    ("proceed", "proceed"),
    ("exceed", "exceed"),
    ("succeed", "succeed"),
];

/// The stem of a word of lower-case ASCII letters and digits.
pub(super) fn stem(word: &str) -> String {
    if let Some((_, stem)) = IRREGULAR.iter().find(|(irregular, _)| *irregular == word) {
        return (*stem).to_owned();
    }
    if word.len() <= 2 {
        return word.to_owned();
    }
    let word = y_to_i(past_and_participle(plural(word.to_owned())));
    last_l(last_e(shorten(&shorten(&double_suffix(word), &STEP_3), &STEP_4)))
}

/// A suffix and what takes its place where the stem before it satisfies the condition.
type Rule = (&'static str, &'static str, fn(&str) -> bool);

/// Applies the first rule whose suffix the word has, or none where its condition fails.
fn shorten(word: &str, rules: &[Rule]) -> String {
    let found = rules.iter().find_map(|rule| Some((word.strip_suffix(rule.0)?, rule)));
    match found {
        Some((stem, (_, replacement, condition))) if condition(stem) => format!("{stem}{replacement}"),
        _ => word.to_owned(),
    }
}

/// Step 1a: `sses` becomes `ss`, `ies` `i` (`ie` after one letter), and `s` goes unless it follows another.
fn plural(word: String) -> String {
    if let Some(stem) = word.strip_suffix('s').filter(|stem| stem.len() == 3 && stem.ends_with("ie")) {
        return stem.to_owned();
    }
    shorten(&word, &[("sses", "ss", always), ("ies", "i", always), ("ss", "ss", always), ("s", "", always)])
}

/// Step 1b: `eed` becomes `ee`; `ed` and `ing` go, and what is left is made a word again.
fn past_and_participle(word: String) -> String {
    if let Some(stem) = word.strip_suffix("ied") {
        return format!("{stem}{}", if word.len() == 4 { "ie" } else { "i" });
    }
    if word.ends_with("eed") {
        return shorten(&word, &[("eed", "ee", has_measure)]);
    }
    let stem = ["ed", "ing"].iter().find_map(|suffix| word.strip_suffix(suffix).filter(|stem| has_vowel(stem)));
    let Some(stem) = stem else { return word };
    if stem.ends_with("at") || stem.ends_with("bl") || stem.ends_with("iz") {
        format!("{stem}e")
    } else if ends_in_double_consonant(stem) {
        let mut stem = stem.to_owned();
        if !stem.ends_with(['l', 's', 'z']) {
            stem.pop();
        }
        stem
    } else if measure(stem) == 1 && ends_in_short_syllable(stem) {
        format!("{stem}e")
    } else {
        stem.to_owned()
    }
}

/// Step 1c: `y` becomes `i` after a consonant that is not the word's first letter.
fn y_to_i(word: String) -> String {
    shorten(&word, &[("y", "i", |stem| stem.len() > 1 && consonants(stem).last() == Some(&true))])
}

/// Step 2: double suffixes become single ones.
fn double_suffix(word: String) -> String {
    match word.strip_suffix("alli") {
        Some(stem) if has_measure(stem) => double_suffix(format!("{stem}al")),
        _ => shorten(&word, &STEP_2),
    }
}

const STEP_2: [Rule; 22] = [
    ("ational", "ate", has_measure),
    ("tional", "tion", has_measure),
    ("enci", "ence", has_measure),
    ("anci", "ance", has_measure),
    ("izer", "ize", has_measure),
    ("bli", "ble", has_measure),
    ("alli", "al", has_measure),
    ("entli", "ent", has_measure),
    ("eli", "e", has_measure),
    ("ousli", "ous", has_measure),
    ("ization", "ize", has_measure),
    ("ation", "ate", has_measure),
    ("ator", "ate", has_measure),
    ("alism", "al", has_measure),
    ("iveness", "ive", has_measure),
    ("fulness", "ful", has_measure),
    ("ousness", "ous", has_measure),
    ("aliti", "al", has_measure),
    ("iviti", "ive", has_measure),
    ("biliti", "ble", has_measure),
    ("fulli", "ful", has_measure),
    // The `l` counts with the stem, so that `geo` and `theo` are long enough.
    ("logi", "log", |stem| measure(&format!("{stem}l")) > 0),
];

const STEP_3: [Rule; 7] = [
    ("icate", "ic", has_measure),
    ("ative", "", has_measure),
    ("alize", "al", has_measure),
    ("iciti", "ic", has_measure),
    ("ical", "ic", has_measure),
    ("ful", "", has_measure),
    ("ness", "", has_measure),
];

const STEP_4: [Rule; 19] = [
    ("al", "", is_long),
    ("ance", "", is_long),
    ("ence", "", is_long),
    ("er", "", is_long),
    ("ic", "", is_long),
    ("able", "", is_long),
    ("ible", "", is_long),
    ("ant", "", is_long),
    ("ement", "", is_long),
    ("ment", "", is_long),
    ("ent", "", is_long),
    ("ion", "", |stem| is_long(stem) && stem.ends_with(['s', 't'])),
    ("ou", "", is_long),
    ("ism", "", is_long),
    ("ate", "", is_long),
    ("iti", "", is_long),
    ("ous", "", is_long),
    ("ive", "", is_long),
    ("ize", "", is_long),
];

/// Step 5a: a last `e` goes.
fn last_e(word: String) -> String {
    shorten(&word, &[("e", "", |stem| is_long(stem) || measure(stem) == 1 && !ends_in_short_syllable(stem))])
}

/// Step 5b: of a last `ll` one goes.
fn last_l(word: String) -> String {
    shorten(&word, &[("ll", "l", |stem| measure(&format!("{stem}l")) > 1)])
}

fn always(_: &str) -> bool {
    true
}

/// How often a consonant follows a vowel.
fn measure(stem: &str) -> usize {
    consonants(stem).windows(2).filter(|pair| matches!(pair, [false, true])).count()
}

fn has_measure(stem: &str) -> bool {
    measure(stem) > 0
}

fn is_long(stem: &str) -> bool {
    measure(stem) > 1
}

fn has_vowel(stem: &str) -> bool {
    consonants(stem).contains(&false)
}

/// Whether each letter is a consonant: all but a, e, i, o, u, and y only where no consonant stands before it.
fn consonants(word: &str) -> Vec<bool> {
    let mut before = false;
    word.bytes()
        .map(|letter| {
            before = match letter {
                b'a' | b'e' | b'i' | b'o' | b'u' => false,
                b'y' => !before,
                _ => true,
            };
            before
        })
        .collect()
}

fn ends_in_double_consonant(word: &str) -> bool {
    let is_double = matches!(word.as_bytes(), [.., left, right] if left == right);
    is_double && consonants(word).last() == Some(&true)
}

/// Whether it ends in consonant, vowel, consonant other than w, x and y, or is just a vowel and a consonant.
fn ends_in_short_syllable(word: &str) -> bool {
    match consonants(word).as_slice() {
        [false, true] => true,
        [.., true, false, true] => !word.ends_with(['w', 'x', 'y']),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn stems_are_those_of_nltk() {
        #[derive(serde::Deserialize)]
        struct Golden {
            stems: Vec<(String, String)>,
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/metrics/rouge.json");
        let golden: Golden = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        assert!(golden.stems.len() > 1000);
        for (word, expected) in golden.stems {
            assert_eq!(stem(&word), expected, "{word}");
        }
    }
}

//! What sentences are compared by: the stems of their content words.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::text::{fold, is_arabic_letter};

/// Words that say nothing of a sentence's subject, folded.
const STOP_WORDS: &str = "\
    في من علي الي عن ان انه انها التي الذي الذين هذا هذه ذلك تلك هو هي هم كما قد كان كانت يكون تكون ما لا لم لن او \
    ثم بين بعد قبل حتي عند مع كل بعض غير اي حيث منذ خلال عبر ضمن نحو لدي وهو وهي وقد فيه فيها منه منها عليه عليها به \
    بها له لها لهم اليوم وقال قال قالت وقالت اضاف واضاف اكد واكد the a an of to in on at by for from with and or but \
    as is are was were be been has have had will would that this these those it its he she they his her their which \
    who said says also not than more into over after before during";

/// The stems of the content words of `sentence`, in order.
pub(super) fn terms(sentence: &str) -> Vec<String> {
    static STOP: LazyLock<HashSet<&str>> = LazyLock::new(|| STOP_WORDS.split(' ').collect());
    let words = sentence.split(|c: char| !(c.is_alphanumeric() || is_mark(c))).filter(|word| !word.is_empty());
    words
        .map(fold)
        .filter(|word| word.chars().count() > 1 && !STOP.contains(word.as_str()))
        .map(|word| stem(&word))
        .collect()
}

/// Whether `word` is one of `words`, which are separated by spaces.
pub(super) fn lists(words: &str, word: &str) -> bool {
    words.split(' ').any(|listed| listed == word)
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{0640}' | '\u{064B}'..='\u{065F}' | '\u{0670}')
}

/// The light stem of a folded word: of Arabic ones by "light10" (Larkey, Ballesteros, Connell: Light Stemming for Arabic
/// Information Retrieval, 2007), of English ones without plural and possessive endings.
fn stem(word: &str) -> String {
    if !word.contains(is_arabic_letter) {
        let word = word.strip_suffix("'s").unwrap_or(word);
        let plural = word.strip_suffix('s').filter(|stem| stem.len() > 3 && !stem.ends_with('s'));
        return plural.unwrap_or(word).to_owned();
    }
    let leaves = |stem: &str, least: usize| stem.chars().count() >= least;
    let word = word.strip_prefix('و').filter(|stem| leaves(stem, 3)).unwrap_or(word);
    let articles = ["ال", "بال", "كال", "فال", "لل"];
    let without = articles.iter().find_map(|article| word.strip_prefix(article).filter(|stem| leaves(stem, 2)));
    let mut word = without.unwrap_or(word);
    for suffix in ["ها", "ان", "ات", "ون", "ين", "يه", "ه", "ي"] {
        word = word.strip_suffix(suffix).filter(|stem| leaves(stem, 2)).unwrap_or(word);
    }
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_have_one_stem() {
        assert_eq!(terms("والموانئ الموانئ للموانئ"), ["موانئ"; 3]);
        assert_eq!(terms("المهندسون والمهندسين مهندسات"), ["مهندس"; 3]);
        assert_eq!(terms("the Ministry's ministry ports port"), ["ministry", "ministry", "port", "port"]);
        assert_eq!(terms("في من على"), [""; 0]);
    }
}

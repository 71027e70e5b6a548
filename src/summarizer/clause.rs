//! The beginning of a long Arabic sentence, for a short headline.

use super::terms::lists;
use crate::text::fold;

/// The beginning of an Arabic sentence that is longer than a headline of `chars` characters: up to a comma or to a word that
/// adds a circumstance, and no longer than such a headline; `None` where there is no such border.
pub(super) fn leading_clause(text: &str, chars: usize) -> Option<&str> {
    const CIRCUMSTANCES: &str = "\
        بحضور وذلك حيث خلال علي بهدف في ضمن تحت بمشاركه برعايه بعد قبل اثر منذ فيما بينما كما مقابل بقيمه بزياده \
        بنسبه بكلفه بتكلفه مما ما بفضل بسبب لدي عقب وسط";
    const FEWEST: usize = 4;
    /// Characters of a headline for each source word.
    const CHARS_PER_WORD: usize = 6;
    let most = chars / CHARS_PER_WORD;
    let mut best = None;
    let mut count = 0;
    let mut at = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let before = text.get(..at).unwrap_or_default().trim_end();
        let is_border = before.ends_with(['،', '؛', ',', ';']) || lists(CIRCUMSTANCES, &fold(word.trim()));
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

//! Spellings of one word made equal, to look it up; never for a model to read.

use super::script::is_invisible;

/// `text` in lower case, without vowel marks, stretching strokes and invisible characters, every alef bare, and the
/// final letters ى and ة as ي and ه: what Arabic copy spells now one way, now the other.
///
/// ```
/// assert_eq!(translate::text::fold("أبريـل"), translate::text::fold("ابريل"));
/// assert_eq!(translate::text::fold("عَمّان"), "عمان");
/// ```
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{0640}' | '\u{064B}'..='\u{065F}' | '\u{0670}' => {}
            'أ' | 'إ' | 'آ' | 'ٱ' => folded.push('ا'),
            'ى' | 'ی' => folded.push('ي'),
            'ک' => folded.push('ك'),
            'ة' => folded.push('ه'),
            '’' => folded.push('\''),
            _ if is_invisible(c) => {}
            _ => folded.extend(c.to_lowercase()),
        }
    }
    folded
}

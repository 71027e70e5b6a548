//! The tokenizer 13a, which NIST's script mteval-v13a.pl brought into BLEU, as sacreBLEU has it.

/// The tokens of a segment, joined by single spaces: words, and punctuation apart from them.
pub fn tokenize_13a(segment: &str) -> String {
    let text = segment.trim_end_matches(is_space).replace("<skipped>", "").replace("-\n", "").replace('\n', " ");
    let text = text.replace("&quot;", "\"").replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">");
    let mut spaced = String::from(" ");
    for char in text.chars() {
        if is_symbol(char) {
            spaced.extend([' ', char, ' ']);
        } else {
            spaced.push(char);
        }
    }
    spaced.push(' ');
    let digit = |char: char| char.is_ascii_digit();
    let mark = |char: char| char == '.' || char == ',';
    let text = map_pairs(&spaced, |left, right| !digit(left) && mark(right), |left, right| [left, ' ', right, ' ']);
    let text = map_pairs(&text, |left, right| mark(left) && !digit(right), |left, right| [' ', left, ' ', right]);
    let text = map_pairs(&text, |left, right| digit(left) && right == '-', |left, right| [left, ' ', right, ' ']);
    words(&text).collect::<Vec<_>>().join(" ")
}

/// The runs of a text without white space, as Python's `split` finds them.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// White space as Python has it: Unicode's, and the four separators of ASCII.
fn is_space(char: char) -> bool {
    char.is_whitespace() || ('\x1c'..='\x1f').contains(&char)
}

/// What is a token of its own wherever it stands: all that is ASCII and neither letter, digit nor one of `'`, `,`, `-`
/// and `.`, white space but the space itself excluded.
fn is_symbol(char: char) -> bool {
    char == ' ' || char.is_ascii_punctuation() && !matches!(char, '\'' | ',' | '-' | '.')
}

/// Replaces pairs of neighbouring characters; after a pair the search goes on behind it, as with regular expressions.
fn map_pairs(text: &str, is_pair: impl Fn(char, char) -> bool, map: impl Fn(char, char) -> [char; 4]) -> String {
    let mut mapped = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(left) = chars.next() {
        match chars.next_if(|right| is_pair(left, *right)) {
            Some(right) => mapped.extend(map(left, right)),
            None => mapped.push(left),
        }
    }
    mapped
}

//! What token ids look like in text.

use super::added::is_space;
use super::spm::{SentencePiece, Surface};

/// The text of `ids`, whose surfaces are `surfaces` by id; those without one give no text.
pub(super) fn join(ids: &[u32], surfaces: &[Surface], pieces: &SentencePiece) -> String {
    let mut text = String::new();
    let mut bytes = Vec::new();
    for surface in ids.iter().filter_map(|id| surfaces.get(*id as usize)) {
        match surface {
            Surface::Byte(byte) => bytes.push(*byte),
            Surface::Text(piece) => {
                push_bytes(&mut text, &mut bytes);
                text.push_str(piece);
            }
        }
    }
    push_bytes(&mut text, &mut bytes);
    pieces.denormalize(text).trim_matches(is_space).to_owned()
}

/// Moves bytes to the end of text; each byte that is not part of a character becomes U+FFFD.
fn push_bytes(text: &mut String, bytes: &mut Vec<u8>) {
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '\u{FFFD}'));
    }
    bytes.clear();
}

/// Closes the gaps before English punctuation, as `clean_up_tokenization` of transformers does.
pub(super) fn clean_up(text: &str) -> String {
    let gaps = [
        (" .", "."),
        (" ?", "?"),
        (" !", "!"),
        (" ,", ","),
        (" ' ", "'"),
        (" n't", "n't"),
        (" 'm", "'m"),
        (" 's", "'s"),
        (" 've", "'ve"),
        (" 're", "'re"),
    ];
    gaps.iter().fold(text.to_owned(), |text, (gap, closed)| text.replace(gap, closed))
}

//! Which encoding a document is in.

use std::str::FromStr;

use chardetng::{EncodingDetector, Utf8Detection};
use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE};

/// A character encoding, by its name in the WHATWG standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(pub(super) &'static encoding_rs::Encoding);

impl Encoding {
    /// What everything is in, or nearly.
    pub const UTF_8: Self = Self(UTF_8);
}

impl FromStr for Encoding {
    type Err = String;

    fn from_str(label: &str) -> Result<Self, String> {
        encoding_rs::Encoding::for_label(label.as_bytes())
            .map(Self)
            .ok_or_else(|| format!("{label:?} is no encoding; try utf-8, utf-16le or windows-1256"))
    }
}

/// What the beginning of a document tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Detected {
    /// Text in this encoding.
    Text(Encoding),
    /// No text, but this.
    Binary(&'static str),
}

/// Judges a document by its first bytes; `complete` if they are all there are.
///
/// A byte-order mark decides; else what is UTF-8, a few broken places apart, is UTF-8, and the rest is what chardetng
/// makes of it.
pub(super) fn detect(start: &[u8], complete: bool) -> Detected {
    if let Some((encoding, _)) = encoding_rs::Encoding::for_bom(start) {
        return Detected::Text(Encoding(encoding));
    }
    const MAGIC: [(&[u8], &str); 7] = [
        (b"%PDF-", "a PDF file"),
        (b"PK\x03\x04", "a ZIP file, as .docx and .odt are"),
        (b"\xD0\xCF\x11\xE0", "an old Office file"),
        (b"{\\rtf", "an RTF file"),
        (b"\x1F\x8B", "a compressed file"),
        (b"\x89PNG", "an image"),
        (b"\xFF\xD8\xFF", "an image"),
    ];
    if let Some((_, kind)) = MAGIC.iter().find(|(magic, _)| start.starts_with(magic)) {
        return Detected::Binary(kind);
    }
    if start.contains(&0) {
        return match without_mark(start) {
            Some(encoding) => Detected::Text(Encoding(encoding)),
            None => Detected::Binary("a binary file"),
        };
    }
    if is_utf8(start, complete) {
        return Detected::Text(Encoding(UTF_8));
    }
    let mut detector = EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(start, complete);
    // The top-level domain of an Arab country tips the balance where the bytes leave a doubt.
    Detected::Text(Encoding(detector.guess(Some(b"sa"), Utf8Detection::Deny)))
}

/// Whether `start` is UTF-8, perhaps damaged: text of another encoding has hardly a run of bytes that UTF-8 allows,
/// damaged UTF-8 hardly one that it does not. So damage is reported by its place instead of turning all the text into
/// something else.
fn is_utf8(start: &[u8], complete: bool) -> bool {
    const SOUND_FOR_EACH_BROKEN: usize = 20;
    let mut sound = 0;
    let mut broken = 0;
    let mut chunks = start.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        sound += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        // A character may be cut in two where the sample ends.
        let is_cut = !complete && chunks.peek().is_none() && chunk.invalid().len() < 4;
        broken += usize::from(!chunk.invalid().is_empty() && !is_cut);
    }
    broken == 0 || sound >= SOUND_FOR_EACH_BROKEN * broken
}

/// UTF-16 without a byte-order mark: in one half of the byte pairs nearly all are 0 or, in Arabic, 6.
fn without_mark(start: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let pairs = start.len() / 2;
    let high = |offset: usize| {
        start.iter().skip(offset).step_by(2).filter(|byte| matches!(byte, 0x00 | 0x06 | 0x20)).count() >= pairs * 9 / 10
    };
    match (high(0), high(1)) {
        (true, false) => Some(UTF_16BE),
        (false, true) => Some(UTF_16LE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::WINDOWS_1256;

    use super::*;

    const TEXT: &str =
        "أعلنت وزارة الصحة اليوم عن افتتاح مستشفى جديد في المدينة، وقال الوزير إن المشروع سيخدم السكان.\n";

    fn text(encoding: &'static encoding_rs::Encoding) -> Detected {
        Detected::Text(Encoding(encoding))
    }

    fn utf16(to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        TEXT.encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn encodings_of_arabic_are_told_apart() {
        assert_eq!(detect(TEXT.as_bytes(), true), text(UTF_8));
        assert_eq!(detect(&TEXT.as_bytes()[..31], false), text(UTF_8));
        assert_eq!(detect(&[b"\xEF\xBB\xBF", TEXT.as_bytes()].concat(), true), text(UTF_8));
        assert_eq!(detect(&WINDOWS_1256.encode(TEXT).0, true), text(WINDOWS_1256));
        assert_eq!(detect(&[vec![0xFF, 0xFE], utf16(u16::to_le_bytes)].concat(), true), text(UTF_16LE));
        assert_eq!(detect(&utf16(u16::to_le_bytes), true), text(UTF_16LE));
        assert_eq!(detect(&utf16(u16::to_be_bytes), true), text(UTF_16BE));
        assert_eq!(detect(b"", true), text(UTF_8));
    }

    #[test]
    fn what_is_no_text_is_named() {
        assert_eq!(detect(b"%PDF-1.7\n", true), Detected::Binary("a PDF file"));
        assert_eq!(detect(b"\x7FELF\x02\x01\x01\0\0\0\0\0", true), Detected::Binary("a binary file"));
    }
}

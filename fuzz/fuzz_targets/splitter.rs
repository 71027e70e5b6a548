//! Any text may be handed in as a paragraph: sentences and pieces are in order, on character borders, and leave nothing
//! but white space out; cleaning is idempotent; a document's parts, put together, are the document.
#![no_main]

use std::ops::Range;

use libfuzzer_sys::fuzz_target;
use translate::document::{Encoding, Layout, Lines, Part, parts};
use translate::text::{Normalization, list_marker, passes_through, split, split_long};

fn check_cover(text: &str, ranges: &[Range<usize>]) {
    let mut end = 0;
    for range in ranges {
        assert!(range.start >= end && range.end > range.start);
        assert!(text[end..range.start].chars().all(char::is_whitespace));
        end = range.end;
    }
    assert!(text[end..].chars().all(char::is_whitespace));
}

fuzz_target!(|text: &str| {
    let sentences = split(text);
    check_cover(text, &sentences);
    for sentence in sentences {
        let sentence = &text[sentence];
        check_cover(sentence, &split_long(sentence, &|piece| piece.len() <= 40));
    }
    assert!(text.is_char_boundary(list_marker(text)));
    passes_through(text);
    let clean = Normalization::all().apply(text);
    assert_eq!(Normalization::all().apply(&clean), clean);

    // A byte-order mark is taken off; lines that are joined lose their break; all else is kept.
    let lines = Lines::new("fuzz", text.as_bytes(), Some(Encoding::UTF_8));
    let mut document = String::new();
    for part in parts(lines, Layout::Lines) {
        match part.expect("valid UTF-8 is welcome") {
            Part::Segment(segment) => document += &segment.text,
            Part::Verbatim(text) => document += &text,
            Part::Record(_) => unreachable!("plain lines have no records"),
        }
    }
    assert_eq!(document, text.strip_prefix('\u{FEFF}').unwrap_or(text));
    let bare = |text: &str| text.split_whitespace().collect::<String>();
    let lines = Lines::new("fuzz", text.as_bytes(), Some(Encoding::UTF_8));
    let prose: String = parts(lines, Layout::Prose)
        .map(|part| match part.expect("valid UTF-8 is welcome") {
            Part::Segment(segment) => segment.text,
            Part::Verbatim(text) => text,
            Part::Record(_) => unreachable!("prose has no records"),
        })
        .collect();
    assert_eq!(bare(&prose), bare(&document));
});

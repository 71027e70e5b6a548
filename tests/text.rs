//! Sentences, clauses and cleaning, as a reader of Arabic expects them.

use proptest::prelude::*;
use translate::text::{Normalization, list_marker, passes_through, split, split_long};

fn sentences(text: &str) -> Vec<&str> {
    split(text).into_iter().map(|range| &text[range]).collect()
}

#[test]
fn sentences_end_where_a_reader_ends_them() {
    let table = include_str!("fixtures/text/sentences.txt");
    let cases: Vec<_> = table.lines().filter(|line| !line.starts_with("# ")).collect();
    assert!(cases.len() >= 80);
    let mut wrong = String::new();
    for case in cases {
        let source = case.replace("| ", "").replace('|', "");
        let expected: Vec<_> = case.split('|').map(str::trim).collect();
        let found = sentences(&source);
        if found != expected {
            wrong += &format!("\nexpected {}\n   found {}", expected.join(" | "), found.join(" | "));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn long_quotations_are_split_and_keep_their_marks() {
    let clause = "وسنواصل العمل مع شركائنا في القطاعين العام والخاص حتى تتحقق أهداف الخطة كاملة";
    let text = format!("وقال الوزير: «{clause}. {clause}. {clause}.» وشكر الحضور.");
    let found = sentences(&text);
    assert_eq!(found.len(), 4);
    assert!(found[0].starts_with("وقال الوزير: «") && found[2].ends_with(".»"));
    assert_eq!(found[3], "وشكر الحضور.");
}

#[test]
fn line_breaks_always_end_a_sentence() {
    let text = "العنوان الرئيسي\nقال «نعم\r\nولا» أمس\u{2028}النهاية";
    assert_eq!(sentences(text), ["العنوان الرئيسي", "قال «نعم", "ولا» أمس", "النهاية"]);
}

#[test]
fn markers_of_lists_are_recognised() {
    let cases = [
        ("- خفض", "- "),
        ("•خفض", "•"),
        ("•\tخفض", "•\t"),
        ("– خفض", "– "),
        ("1. خفض", "1. "),
        ("12) خفض", "12) "),
        ("(3) خفض", "(3) "),
        ("2- خفض", "2- "),
        ("b) item", "b) "),
        ("> خفض", "> "),
        ("-5 درجات", ""),
        ("1.5 مليون", ""),
        ("2024. قال", ""),
        ("10-12 شخصا", ""),
        ("أ- خفض", ""),
        ("١. خفض", ""),
        ("خفض", ""),
        ("- ", ""),
        ("---", ""),
        ("", ""),
    ];
    for (line, marker) in cases {
        assert_eq!(&line[..list_marker(line)], marker, "{line}");
    }
}

/// Work that grew with the square of the length would not come to an end here.
#[test]
fn megabytes_on_one_line_are_cut_up() {
    let nasty = ["كلمة ", "م.", "«", "\"أ ", "! ", "(", ") ", ".»  ", "،", "“a ", ". . ", "      "];
    for shape in nasty {
        let text = shape.repeat(1_000_000 / shape.len());
        let sentences = split(&text);
        check_cover(&text, &sentences);
        for range in sentences {
            let sentence = &text[range];
            check_cover(sentence, &split_long(sentence, &|piece| piece.len() <= 1000));
        }
    }
}

/// Strings of the pieces that sentence borders are decided by.
fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            ".", "!", "؟", "…", "۔", "..", " ", "  ", "\n", "\r\n", "\t", "«", "»", "“", "”", "\"", "(", ")", "[", "]", "'",
            "،", "؛", ":", "-", "•", "1", "٣", "٫", "٪", "م", "د", "هـ", "أ.د", "ص.ب", "و", "وقال", "كلمة", "The", "a", "Mr",
            "https://a.b/c", "a@b.co", "#وسم", "\u{200F}", "\u{200D}", "\u{0640}", "\u{064E}", "\u{0653}", "ا", "ﻻ", "ﷺ", "\u{A0}",
            "\u{FE70}", "ی", "😀", "\u{0}", "\u{FEFF}",
        ]).prop_map(String::from),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// Ranges are in order, apart, not empty, without white space at their ends, and leave nothing else out.
fn check_cover(text: &str, ranges: &[std::ops::Range<usize>]) {
    let mut end = 0;
    for range in ranges {
        assert!(range.start >= end && range.end > range.start);
        assert!(text[end..range.start].chars().all(char::is_whitespace));
        let part = &text[range.clone()];
        assert_eq!(part, part.trim());
        end = range.end;
    }
    assert!(text[end..].chars().all(char::is_whitespace));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sentences_cover_the_text(text in nasty()) {
        check_cover(&text, &split(&text));
    }

    #[test]
    fn pieces_cover_the_sentence_and_fit(text in nasty(), limit in 1usize..40) {
        let fits = |piece: &str| piece.chars().count() <= limit;
        let pieces = split_long(&text, &fits);
        check_cover(&text, &pieces);
        prop_assert!(pieces.iter().all(|range| fits(&text[range.clone()])));
    }

    #[test]
    fn a_fit_that_is_no_order_still_covers(text in nasty(), salt in 1usize..7) {
        check_cover(&text, &split_long(&text, &|piece| piece.len() % salt == 0));
    }

    #[test]
    fn cleaning_twice_is_cleaning_once(text in nasty(), steps in any::<[bool; 9]>()) {
        let [tatweel, invisible, presentation_forms, farsi_letters, digits, compose, quotes, dashes, tashkeel] = steps;
        let steps =
            Normalization { tatweel, invisible, presentation_forms, farsi_letters, digits, compose, quotes, dashes, tashkeel };
        let once = steps.apply(&text);
        prop_assert_eq!(steps.apply(&once), once.as_ref());
    }

    #[test]
    fn anything_can_be_asked(text in nasty()) {
        let _ = passes_through(&text);
        prop_assert!(text.is_char_boundary(list_marker(&text)));
    }
}

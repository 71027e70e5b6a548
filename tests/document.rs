//! Documents in and out: nothing of a document is lost, whatever its layout and encoding.

use std::cell::Cell;
use std::io::{self, Read};

use encoding_rs::{ISO_8859_6, WINDOWS_1256};
use proptest::prelude::*;
use translate::document::{
    BilingualWriter, DocumentError, Encoding, JsonLinesWriter, JsonWriter, Layout, Lines, Part, RecordWriter,
    TextWriter, Writer, parts,
};
use translate::translator::{Flag, Translation};

fn read_as(bytes: &[u8], layout: Layout, encoding: Option<Encoding>) -> Result<Vec<Part>, DocumentError> {
    parts(Lines::new("release.txt", bytes, encoding), layout).collect()
}

fn prose(text: &str) -> Vec<Part> {
    read_as(text.as_bytes(), Layout::Prose, None).unwrap()
}

fn records(text: &str) -> Vec<Part> {
    read_as(text.as_bytes(), Layout::Records { field: "text".to_owned() }, None).unwrap()
}

/// The parts one after the other.
fn together(parts: &[Part]) -> String {
    parts
        .iter()
        .map(|part| match part {
            Part::Verbatim(text) => text.as_str(),
            Part::Segment(segment) => segment.text.as_str(),
            Part::Record(_) => "",
        })
        .collect()
}

/// The segments, each with the numbers of its paragraph and of itself.
fn segments(parts: &[Part]) -> Vec<(u64, u64, &str)> {
    parts
        .iter()
        .filter_map(|part| match part {
            Part::Segment(segment) => Some((segment.paragraph, segment.number, segment.text.as_str())),
            _ => None,
        })
        .collect()
}

fn texts(parts: &[Part]) -> Vec<&str> {
    segments(parts).into_iter().map(|(_, _, text)| text).collect()
}

/// Writes the parts with a stand-in for the translation of every segment: its number among all segments.
fn write(parts: &[Part], writer: &mut dyn Writer) {
    let mut count = 0;
    for part in parts {
        match part {
            Part::Segment(segment) => {
                count += 1;
                writer.segment(segment, &translation(&segment.text, &format!("EN{count}."))).unwrap();
            }
            other => writer.other(other).unwrap(),
        }
    }
    writer.finish().unwrap();
}

fn translation(source: &str, text: &str) -> Translation {
    Translation {
        source: source.to_owned(),
        text: text.to_owned(),
        score: Some(-0.5),
        flags: vec![Flag::Split],
        alternatives: Vec::new(),
        source_ids: vec![7, 0],
        target_ids: vec![8, 0],
        token_logprobs: vec![-0.25, -0.75],
    }
}

macro_rules! written {
    ($parts:expr, $writer:ident $(, $argument:expr)*) => {{
        let mut out = Vec::new();
        write(&$parts, &mut $writer::new(&mut out $(, $argument)*));
        String::from_utf8(out).unwrap()
    }};
}

#[test]
fn prose_is_cut_into_sentences_and_what_stands_between() {
    let text = "عنوان البيان\r\n\r\n  • بند أول. بند ثان؟  \r\n\t2) بند.\n \nخاتمة";
    let found = prose(text);
    assert_eq!(together(&found), text);
    assert_eq!(
        segments(&found),
        [(1, 1, "عنوان البيان"), (2, 1, "بند أول."), (2, 2, "بند ثان؟"), (3, 1, "بند."), (4, 1, "خاتمة")]
    );
    assert_eq!(written!(found, TextWriter), "EN1.\r\n\r\n  • EN2. EN3.  \r\n\t2) EN4.\n \nEN5.");
}

#[test]
fn page_breaks_and_unusual_line_ends_stay() {
    let text = "\u{0C}صفحة أولى\u{2028}سطر آخر\u{85}وآخر\rوأخير\n\u{0C}\nصفحة ثانية\u{0C}";
    let found = prose(text);
    assert_eq!(together(&found), text);
    assert_eq!(texts(&found), ["صفحة أولى", "سطر آخر", "وآخر", "وأخير", "صفحة ثانية"]);
}

const WRAPPED: &str = "\
    النخيل في 22 نوفمبر (وكالة الساحل) - أعلن المركز أن الهزة وقعت على عمق\n\
    ثمانية عشر كيلومترا عند الساعة الرابعة بالتوقيت المحلي. وأضاف أن مركزها\n\
    يبعد ستين كيلومترا عن العاصمة.\n";

#[test]
fn wrapped_lines_are_one_paragraph() {
    let found = prose(&format!("عنوان قصير\n\n{WRAPPED}\n{WRAPPED}"));
    let paragraph = WRAPPED.trim_end().replace('\n', " ");
    assert_eq!(together(&found), format!("عنوان قصير\n\n{paragraph}\n\n{paragraph}\n"));
    assert_eq!(segments(&found).iter().map(|(paragraph, ..)| *paragraph).collect::<Vec<_>>(), [1, 2, 2, 3, 3]);

    let crlf = prose(&WRAPPED.replace('\n', "\r\n"));
    assert_eq!(together(&crlf), format!("{paragraph}\r\n"));
}

#[test]
fn wrapped_items_hang_from_their_bullets() {
    let [first, second, third] = WRAPPED.lines().collect::<Vec<_>>()[..] else { unreachable!() };
    let item = format!("- {first}\n  {second}\n  {third}\n");
    let paragraph = WRAPPED.trim_end().replace('\n', " ");
    assert_eq!(together(&prose(&item.repeat(2))), format!("- {paragraph}\n").repeat(2));
    let indented = format!("    {first}\n    {second}\n    {third}");
    assert_eq!(together(&prose(&indented)), format!("    {paragraph}"));
}

#[test]
fn lines_in_their_own_right_are_not_joined() {
    let headlines = "وزارة النقل تفتتح محطة الحاويات الجديدة في ميناء الرملة بحضور الوزير\n\
                     الكلفة 1.2 مليار درهم والطاقة 850 ألف حاوية سنويا\n";
    let sentences = "أعلنت الوزارة اليوم افتتاح محطة الحاويات الجديدة في ميناء مدينة الرملة.\n\
                     وشاركت في العمل شركات محلية عديدة طوال السنوات الثلاث الماضية.\n";
    let table = "المؤشر الأول للنمو السنوي في الشركة           12%      14%      15%      \n".repeat(5);
    let rule = format!("{}\n{}\n", "=".repeat(72), "أعلنت الوزارة اليوم افتتاح محطة الحاويات الجديدة في الميناء.");
    for text in [headlines, sentences, &table, &rule] {
        assert_eq!(together(&prose(text)), text);
    }
}

#[test]
fn releases_keep_their_shape() {
    for text in [
        include_str!("../examples/earnings.txt"),
        include_str!("../examples/final.txt"),
        include_str!("../examples/partnership.txt"),
        include_str!("../examples/port.txt"),
    ] {
        assert_eq!(together(&prose(text)), text);
    }
    let wire = include_str!("../examples/wire.txt");
    let found = together(&prose(wire));
    assert_eq!(found.split_whitespace().collect::<Vec<_>>(), wire.split_whitespace().collect::<Vec<_>>());
    assert_eq!(found.matches("\n\n").count(), wire.matches("\n\n").count());
    assert!(found.contains("على مقياس ريختر فجر اليوم"));
}

proptest! {
    #[test]
    fn nothing_is_lost(
        text in "([ \t]{0,2}[-•]? ?[\u{621}-\u{64A} a.،؟«»🏆0-9]{0,20}[\r\u{0C}\u{2028}]?[\u{628} .]{0,20}\r?\n){0,12}[^\0]{0,9}"
    ) {
        prop_assert_eq!(together(&prose(&text)), text.strip_prefix('\u{FEFF}').unwrap_or(&text));
    }

    #[test]
    fn wrapping_loses_only_line_breaks(words in prop::collection::vec("[\u{621}-\u{64A}]{1,9}[.،؟]?", 0..120), width in 10..100_usize) {
        let mut text = String::new();
        let mut column = 0;
        for word in &words {
            let length = word.chars().count() + 1;
            column = if column + length > width { text.push('\n'); length } else { column + length };
            text.push_str(word);
            text.push(' ');
        }
        let found = together(&prose(&text));
        prop_assert_eq!(found.split_whitespace().collect::<Vec<_>>(), text.split_whitespace().collect::<Vec<_>>());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for layout in [Layout::Prose, Layout::Lines, Layout::Records { field: "text".to_owned() }] {
            let _ = read_as(&bytes, layout, None);
        }
    }

    #[test]
    fn lines_are_what_they_are(text in "([a\u{628} .]{0,9}(\n|\r\n)){0,9}[a\u{628}]{0,3}") {
        let found = read_as(text.as_bytes(), Layout::Lines, None).unwrap();
        prop_assert_eq!(together(&found), &text[..]);
        prop_assert_eq!(texts(&found), text.lines().collect::<Vec<_>>());
    }
}

#[test]
fn encodings_are_recognised() {
    let text = include_str!("../examples/earnings.txt").replace(['١', '٣', '٫', '–'], "-");
    let utf16 = |to_bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to_bytes).collect::<Vec<u8>>();
    let cases = [
        ("utf-8", text.clone().into_bytes()),
        ("utf-8 with a mark", [b"\xEF\xBB\xBF", text.as_bytes()].concat()),
        ("utf-16le with a mark", [vec![0xFF, 0xFE], utf16(u16::to_le_bytes)].concat()),
        ("utf-16be with a mark", [vec![0xFE, 0xFF], utf16(u16::to_be_bytes)].concat()),
        ("utf-16le", utf16(u16::to_le_bytes)),
        ("windows-1256", WINDOWS_1256.encode(&text).0.into_owned()),
    ];
    for (name, bytes) in cases {
        assert_eq!(together(&read_as(&bytes, Layout::Prose, None).unwrap()), text, "{name}");
    }
    let text = text.replace(['«', '»'], "\"");
    let (bytes, _, is_lossy) = ISO_8859_6.encode(&text);
    assert!(!is_lossy);
    assert_eq!(together(&read_as(&bytes, Layout::Prose, None).unwrap()), text);
}

#[test]
fn damaged_utf_8_is_reported_by_its_line_and_read_when_stated() {
    let line = "أعلنت الوزارة اليوم افتتاح المستشفى الجديد.\n";
    let bytes = [line.as_bytes(), line.as_bytes(), b"\xD8.\n"].concat();
    let message = read_as(&bytes, Layout::Prose, None).unwrap_err().to_string();
    assert!(message.contains("line 3 of release.txt is not valid UTF-8"), "{message}");
    let stated = read_as(&bytes, Layout::Prose, Some("utf-8".parse().unwrap())).unwrap();
    assert_eq!(together(&stated), format!("{line}{line}\u{FFFD}.\n"));
    assert!("klingon".parse::<Encoding>().is_err());
}

#[test]
fn what_is_no_text_is_named() {
    for (start, kind) in [
        (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], "an image"),
        (b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n", "a PDF file"),
        (b"PK\x03\x04\x14\0\x06\0\x08\0", ".docx"),
        (b"\x7FELF\x02\x01\x01\0\0\0\0\0", "a binary file"),
    ] {
        let error = read_as(start, Layout::Prose, None).unwrap_err();
        let message = error.to_string();
        assert!(matches!(error, DocumentError::Binary { .. }), "{message}");
        assert!(
            message.contains("release.txt") && message.contains(kind) && message.contains("plain text"),
            "{message}"
        );
    }
}

/// A line without end, none of it there before it is asked for.
struct Endless<'a>(&'a Cell<usize>);

impl Read for Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffer.fill(b'a');
        self.0.set(self.0.get() + buffer.len());
        Ok(buffer.len())
    }
}

#[test]
fn a_line_without_end_is_refused_in_time() {
    let read = Cell::new(0);
    let error = parts(Lines::new("endless.txt", Endless(&read), None), Layout::Prose).next().unwrap().unwrap_err();
    assert!(matches!(error, DocumentError::LongLine { line: 1, .. }), "{error}");
    assert!(error.to_string().contains("16 MiB"));
    assert!(read.get() < 17 << 20, "{} bytes", read.get());
}

#[test]
fn no_more_is_read_than_is_needed() {
    let read = Cell::new(0);
    let lines = "سطر من النص.\n".repeat(10_000);
    let input = io::Cursor::new(lines).chain(Endless(&read));
    assert_eq!(
        parts(Lines::new("long.txt", input, None), Layout::Prose).take(10_000).filter(Result::is_ok).count(),
        10_000
    );
    assert_eq!(read.get(), 0);
}

#[test]
fn bilingual_output_stands_paragraph_by_paragraph() {
    let found = prose("\nعنوان\n\n  • بند أول. بند ثان.\n");
    assert_eq!(written!(found, BilingualWriter), "عنوان\nEN1.\n\n• بند أول. بند ثان.\n• EN2. EN3.\n\n");
    let lines = read_as("سطر\n\nآخر".as_bytes(), Layout::Lines, None).unwrap();
    assert_eq!(written!(lines, BilingualWriter), "سطر\nEN1.\n\nآخر\nEN3.\n\n");
}

#[test]
fn json_has_its_fields_in_order() {
    let found = prose("نص \"مقتبس\".\nآخر");
    let first = r#"{"document":"a.txt","model":"tiny@1","paragraph":1,"segment":1,"source":"نص \"مقتبس\".","translation":"EN1.","score":-0.5,"flags":["split"]}"#;
    let second = r#"{"document":"a.txt","model":"tiny@1","paragraph":2,"segment":1,"source":"آخر","translation":"EN2.","score":-0.5,"flags":["split"]}"#;
    assert_eq!(written!(found, JsonLinesWriter, "a.txt", "tiny@1", false), format!("{first}\n{second}\n"));
    assert_eq!(written!(found, JsonWriter, "a.txt", "tiny@1", false), format!("[\n{first},\n{second}\n]\n"));
    assert_eq!(written!([], JsonWriter, "a.txt", "tiny@1", false), "[]\n");
    let detail = r#","source_ids":[7,0],"target_ids":[8,0],"token_logprobs":[-0.25,-0.75]}"#;
    let line = written!(found[..1], JsonLinesWriter, "a.txt", "tiny@1", true);
    assert_eq!(line, format!("{}{detail}\n", first.strip_suffix('}').unwrap()));
}

#[test]
fn records_come_back_whole_and_apart() {
    let text = "{\"id\":\"x\",\"n\":1.5,\"text\":\"خبر.\\n\\nآخر\",\"tags\":[\"a\"]}\n\n{\"text\":\"ثالث\"}\r\n{\"text\":\"\"}";
    let found = records(text);
    assert_eq!(segments(&found), [(1, 1, "خبر."), (2, 1, "آخر"), (1, 1, "ثالث")]);
    assert_eq!(
        written!(found, RecordWriter, "tiny@1"),
        "{\"id\":\"x\",\"n\":1.5,\"text\":\"خبر.\\n\\nآخر\",\"tags\":[\"a\"],\"translation\":\"EN1.\\n\\nEN2.\",\
         \"translation_model\":\"tiny@1\"}\n\
         {\"text\":\"ثالث\",\"translation\":\"EN3.\",\"translation_model\":\"tiny@1\"}\n\
         {\"text\":\"\",\"translation\":\"\",\"translation_model\":\"tiny@1\"}\n"
    );
    assert_eq!(written!(found, TextWriter), "EN1.\n\nEN2.\nEN3.\n");
    let lines = written!(found, JsonLinesWriter, "in.jsonl", "tiny@1", false);
    let documents: Vec<_> = lines.lines().map(|line| &line[..line.find(',').unwrap()]).collect();
    assert_eq!(documents, [r#"{"document":"x""#, r#"{"document":"x""#, r#"{"document":"in.jsonl#2""#]);
}

#[test]
fn a_wrapped_text_in_a_record_is_joined_too() {
    let found = records(&format!("{}\n", serde_json::json!({ "text": WRAPPED })));
    assert_eq!(together(&found), format!("{}\n", WRAPPED.trim_end().replace('\n', " ")));
}

#[test]
fn a_broken_record_is_named_after_those_before_it() {
    let text = "{\"text\":\"خبر\"}\n{\"txt\":\"خبر\"}\n{\"text\":\"لا\"}\n";
    let mut found = parts(Lines::new("in.jsonl", text.as_bytes(), None), Layout::Records { field: "text".to_owned() });
    assert!(matches!(found.next(), Some(Ok(Part::Record(_)))));
    assert!(matches!(found.next(), Some(Ok(Part::Segment(_)))));
    let message = found.next().unwrap().unwrap_err().to_string();
    assert!(message.contains("line 2 of in.jsonl") && message.contains("\"text\""), "{message}");
}

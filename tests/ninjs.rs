//! What `-f ninjs` writes satisfies the rules of the schema of ninjs 3.1, as far as it uses them: they stand below as
//! read from IPTC's `ninjs-schema_3.1.json`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use translate::hub::Provenance;
use translate::ninjs::Story;

/// What a property may hold.
enum Rule {
    Text,
    /// With a scheme.
    Uri,
    /// RFC 3339, with a time and an offset.
    DateTime,
    Count,
    OneOf(&'static [&'static str]),
    Object(&'static Rules),
    Objects(&'static Rules),
}

/// The properties that an object may have, no others, and those that it must have.
struct Rules {
    allowed: &'static [(&'static str, Rule)],
    required: &'static [&'static str],
}

const TEXT: Rules = Rules {
    allowed: &[("role", Rule::Text), ("contentType", Rule::Text), ("value", Rule::Text)],
    required: &["value"],
};
const BODY: Rules = Rules {
    allowed: &[
        ("role", Rule::Text),
        ("contentType", Rule::Text),
        ("charCount", Rule::Count),
        ("wordCount", Rule::Count),
        ("value", Rule::Text),
    ],
    required: &["value"],
};
const NAMED: Rules =
    Rules { allowed: &[("name", Rule::Text), ("uri", Rule::Uri), ("literal", Rule::Text)], required: &[] };
const INFO_SOURCE: Rules = Rules {
    allowed: &[("name", Rule::Text), ("role", Rule::Text), ("uri", Rule::Uri), ("literal", Rule::Text)],
    required: &[],
};
const ALT_ID: Rules = Rules { allowed: &[("role", Rule::Text), ("value", Rule::Text)], required: &[] };
const STANDARD: Rules =
    Rules { allowed: &[("name", Rule::Text), ("version", Rule::Text), ("schema", Rule::Uri)], required: &[] };
const TYPE: Rule =
    Rule::OneOf(&["text", "audio", "video", "picture", "graphic", "composite", "component", "event", "planning"]);
const ASSOCIATION: Rules = Rules {
    allowed: &[
        ("name", Rule::Text),
        ("rel", Rule::Text),
        ("uri", Rule::Uri),
        ("type", TYPE),
        ("language", Rule::Text),
        ("title", Rule::Text),
    ],
    required: &["name", "uri"],
};
const ITEM: Rules = Rules {
    allowed: &[
        ("uri", Rule::Uri),
        ("type", TYPE),
        ("representationType", Rule::OneOf(&["full", "partial"])),
        ("standard", Rule::Object(&STANDARD)),
        ("firstCreated", Rule::DateTime),
        ("versionCreated", Rule::DateTime),
        ("contentCreated", Rule::DateTime),
        ("pubStatus", Rule::OneOf(&["usable", "withheld", "canceled"])),
        ("language", Rule::Text),
        ("headlines", Rule::Objects(&TEXT)),
        ("descriptions", Rule::Objects(&TEXT)),
        ("bodies", Rule::Objects(&BODY)),
        ("by", Rule::Text),
        ("located", Rule::Text),
        ("edNote", Rule::Text),
        ("infoSources", Rule::Objects(&INFO_SOURCE)),
        ("altIds", Rule::Objects(&ALT_ID)),
        ("associations", Rule::Objects(&ASSOCIATION)),
        ("digitalSourceType", Rule::Object(&NAMED)),
    ],
    required: &["uri"],
};

impl Rules {
    fn check(&self, place: &str, value: &Value) {
        let object = value.as_object().unwrap_or_else(|| panic!("{place} is no object: {value}"));
        for required in self.required {
            assert!(object.contains_key(*required), "{place} lacks {required}");
        }
        for (name, value) in object {
            let rule = self.allowed.iter().find(|(allowed, _)| allowed == name);
            rule.unwrap_or_else(|| panic!("{place} may have no {name}")).1.check(&format!("{place}.{name}"), value);
        }
    }
}

impl Rule {
    fn check(&self, place: &str, value: &Value) {
        let text = || value.as_str().unwrap_or_else(|| panic!("{place} is no string: {value}"));
        match self {
            Self::Text => drop(text()),
            Self::Uri => {
                let scheme = text().split_once(':').unwrap_or_else(|| panic!("{place} has no scheme: {value}")).0;
                assert!(scheme.chars().all(|char| char.is_ascii_alphanumeric()), "{place}: {value}");
                assert!(!text().contains(|char: char| char.is_whitespace() || !char.is_ascii()), "{place}: {value}");
            }
            Self::DateTime => drop(humantime::parse_rfc3339(text()).unwrap_or_else(|_| panic!("{place}: {value}"))),
            Self::Count => assert!(value.is_u64(), "{place}: {value}"),
            Self::OneOf(values) => assert!(values.contains(&text()), "{place}: {value}"),
            Self::Object(rules) => rules.check(place, value),
            Self::Objects(rules) => {
                let items = value.as_array().unwrap_or_else(|| panic!("{place} is no array: {value}"));
                items.iter().for_each(|item| rules.check(place, item));
            }
        }
    }
}

fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/golden/press")
}

fn hub_model() -> Provenance {
    Provenance {
        name: "opus-mt-ar-en".to_owned(),
        repo: Some("Helsinki-NLP/opus-mt-ar-en".to_owned()),
        revision: Some("main".to_owned()),
        commit: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
    }
}

fn item(story: &Story) -> Value {
    let value = serde_json::to_value(story.item()).unwrap();
    ITEM.check("item", &value);
    value
}

fn story(model: &Provenance) -> Story<'_> {
    Story {
        source_id: "release.txt",
        source: "الخبر".to_owned(),
        from: "ar",
        to: "en",
        headline: "Port opens",
        full_headline: Some("Port opens after a long wait".to_owned()),
        summary: "A port has opened.",
        body: Some("The port of Ramla — new — opened.\n\nIt is big.".to_owned()),
        city: Some("Ramla"),
        date: Some("2026-10-14".to_owned()),
        models: vec![("translate", model)],
        flags: vec!["suspect"],
        created: SystemTime::UNIX_EPOCH + Duration::from_secs(86_400),
    }
}

#[test]
fn a_story_says_what_it_is_and_where_it_comes_from() {
    let model = hub_model();
    let found = item(&story(&model));
    assert_eq!((&found["type"], &found["language"]), (&"text".into(), &"en".into()));
    assert_eq!(found["representationType"], "full");
    assert_eq!(found["versionCreated"], "1970-01-02T00:00:00Z");
    assert_eq!(found["contentCreated"], "2026-10-14T00:00:00Z");
    assert_eq!(found["headlines"][0]["value"], "Port opens");
    assert_eq!(found["headlines"][1]["value"], "Port opens after a long wait");
    assert_eq!(found["descriptions"][0]["value"], "A port has opened.");
    let body = &found["bodies"][0];
    assert_eq!((&body["charCount"], &body["wordCount"]), (&45.into(), &11.into()));
    assert_eq!(body["contentType"], "text/plain");
    assert_eq!(found["located"], "Ramla");
    assert_eq!(found["altIds"][0]["value"], "release.txt");
    assert_eq!(found["associations"][0]["rel"], "translatedFrom");
    assert_eq!(found["associations"][0]["language"], "ar");
    let uri = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";
    assert_eq!(found["digitalSourceType"]["uri"], uri);
    let revision = "0123456789abcdef0123456789abcdef01234567";
    let page = format!("https://huggingface.co/Helsinki-NLP/opus-mt-ar-en/tree/{revision}");
    assert_eq!(found["infoSources"][0]["uri"], page.as_str());
    let note = found["edNote"].as_str().unwrap();
    assert!(note.contains("not edited") && note.contains(revision) && note.contains("suspect"), "{note}");
}

#[test]
fn what_is_unknown_is_left_out() {
    let model = Provenance { name: "./model".to_owned(), repo: None, revision: None, commit: None };
    let bare = Story { headline: "", full_headline: None, body: None, city: None, date: None, ..story(&model) };
    let found = item(&bare);
    for name in ["headlines", "bodies", "located", "contentCreated"] {
        assert!(found.get(name).is_none(), "{found}");
    }
    assert_eq!(found["representationType"], "partial");
    assert!(found["infoSources"][0].get("uri").is_none());
}

#[test]
fn the_same_text_has_the_same_identity_and_another_has_another() {
    let (one, other) = (hub_model(), Provenance { commit: None, ..hub_model() });
    let uri = |story: Story| item(&story)["uri"].clone();
    assert_eq!(uri(story(&one)), uri(story(&other)));
    let changed = [
        Story { source: "خبر".to_owned(), ..story(&one) },
        Story { to: "fr", ..story(&one) },
        Story { body: None, ..story(&one) },
    ];
    changed.into_iter().for_each(|changed| assert_ne!(uri(changed), uri(story(&one))));
    // The source is another object than its translation, the same one for all translations of it.
    let source = |story: &Story| item(story)["associations"][0]["uri"].clone();
    assert_ne!(source(&story(&one)), item(&story(&one))["uri"]);
    assert_eq!(source(&story(&one)), source(&Story { to: "fr", ..story(&one) }));
}

/// What `translate ARGUMENTS` makes of the input.
fn run(arguments: &[&str], input: &str) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_translate"))
        .args(arguments)
        .args(["--model", model().to_str().unwrap()])
        .env_remove("TRANSLATE_MODEL")
        .env("HF_HUB_OFFLINE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

fn items(output: &str) -> Vec<Value> {
    let items: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    items.iter().for_each(|item| ITEM.check("item", item));
    items
}

const RELEASE: &str = "افتتاح مستشفى جديد في الرياض

الرياض، 5 مارس 2024 (واس) - أعلنت الوزارة اليوم افتتاح المستشفى الجديد. وحضر الافتتاح عدد من السفراء.

• يضم المستشفى 300 سرير.
";

#[test]
fn a_release_becomes_one_story() {
    let found = items(&run(&["-f", "ninjs"], RELEASE));
    assert_eq!(found.len(), 1);
    let found = &found[0];
    // Headline and body together are what `translate` makes of the document.
    let text = run(&[], RELEASE);
    let (headline, body) = text.split_once("\n\n").unwrap();
    assert_eq!(found["bodies"][0]["value"], body.trim());
    let headlines = found["headlines"].as_array().unwrap();
    let is_headline = |value: &Value| value.as_str().is_some_and(|value| value.trim_end_matches('.') == headline);
    assert!(headlines.iter().any(|found| is_headline(&found["value"])), "{headline:?} {headlines:?}");
    assert!(found["descriptions"][0]["value"].as_str().is_some_and(|summary| !summary.is_empty()));
    assert_eq!(found["located"], "Riyadh");
    assert_eq!(found["contentCreated"], "2024-03-05T00:00:00Z");
    assert_eq!(found["altIds"][0]["value"], "standard input");
    assert!(found["infoSources"][0]["name"].as_str().unwrap().ends_with("golden/press"));
    // No text, no story.
    assert_eq!(run(&["-f", "ninjs"], "\n \n"), "");
}

#[test]
fn a_summary_is_a_story_without_a_body() {
    let (whole, short) = (items(&run(&["-f", "ninjs"], RELEASE)), items(&run(&["summarize", "-f", "ninjs"], RELEASE)));
    assert_eq!(short[0]["representationType"], "partial");
    assert!(short[0].get("bodies").is_none());
    for name in ["descriptions", "located", "contentCreated", "associations"] {
        assert_eq!(short[0][name], whole[0][name], "{name}");
    }
    assert_eq!(short[0]["headlines"][0], whole[0]["headlines"][0]);
    assert_ne!(short[0]["uri"], whole[0]["uri"]);
}

#[test]
fn every_record_becomes_a_story() {
    let records = "{\"id\":\"a-1\",\"text\":\"مرحبا.\"}\n{\"text\":\"\"}\n{\"id\":3,\"text\":\"خبر\\n\\nجديد\"}\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.jsonl");
    fs::write(&path, records).unwrap();
    let out = folder.path().join("out");
    run(&["-f", "ninjs", path.to_str().unwrap(), "--output-dir", out.to_str().unwrap()], "");
    let found = items(&fs::read_to_string(out.join("in.en.jsonl")).unwrap());
    let ids: Vec<&Value> = found.iter().map(|item| &item["altIds"][0]["value"]).collect();
    assert_eq!(ids, ["a-1", &format!("{}#2", path.display()), "3"]);
    assert_eq!(found[1]["bodies"][0]["wordCount"], 0);
}

#[test]
fn records_in_company_are_what_they_are_alone() {
    let texts = [RELEASE, "", "The minister opened the port."];
    // More than are summarised together.
    let kinds: Vec<usize> = (0..300).map(|number| (number % 100).min(2)).collect();
    let record = |(id, kind): (usize, &usize)| serde_json::json!({"id": id, "text": texts[*kind]}).to_string();
    let records: Vec<String> = kinds.iter().enumerate().map(record).collect();
    let found = items(&run(&["-f", "ninjs", "--field", "text"], &records.join("\n")));
    assert_eq!(found.len(), 300);
    let alone = texts.map(|text| items(&run(&["-f", "ninjs"], text)).pop());
    for (number, (found, kind)) in found.iter().zip(kinds).enumerate() {
        assert_eq!(found["altIds"][0]["value"], number.to_string());
        // Of a document without text there is no story.
        let Some(alone) = &alone[kind] else { continue };
        for name in ["headlines", "descriptions", "bodies"] {
            assert_eq!(found[name], alone[name], "{name} of {number}");
        }
    }
}

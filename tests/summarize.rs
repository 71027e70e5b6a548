//! `translate summarize`: headlines and summaries that a desk can use, with a tiny model of random weights. What the
//! model says is nonsense; English releases, which are copied, show what becomes of sense.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const ENGLISH: &str = "\
FOR IMMEDIATE RELEASE

Ministry of Transport Opens New Container Terminal In The Port Of Ramla After Three Years Of Work And $300 Million

RAMLA, Oct. 14, 2026 – The Ministry of Transport on Wednesday opened a container terminal in the port of Ramla, which \
cost 1.2 billion dirhams and can handle 850,000 containers a year, the ministry said in a statement.

\"This terminal is an important step in our plan. We expect traffic to rise 35% in three years,\" Transport Minister \
Salem al-Hashimi said. He added that the project had created more than 2,400 jobs.

The project includes:
- a quay 900 meters long;
- eight electric cranes.

Work on the terminal began in March 2023, and 12 local companies took part in building the quay, the yard and the road.

About the Ramla Port Authority
The authority was founded in 1998 and runs three ports.

Media contact: Hoda Salem, +999 11 555 0142
press@port-ramla.example
";

fn command(arguments: &[&str]) -> Command {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/golden/press");
    let mut command = Command::new(env!("CARGO_BIN_EXE_translate"));
    command.args(["summarize", "--model", model.to_str().unwrap()]).args(arguments);
    command.env_remove("TRANSLATE_MODEL").env("HF_HUB_OFFLINE", "1").stdin(Stdio::null());
    command
}

fn success(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn run(arguments: &[&str], input: &str) -> String {
    let mut child =
        command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let feeder = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    success(&output)
}

fn object(arguments: &[&str], input: &str) -> Value {
    serde_json::from_str(&run(&[&["-f", "json"], arguments].concat(), input)).unwrap()
}

fn flags(object: &Value) -> Vec<&str> {
    object["flags"].as_array().unwrap().iter().map(|flag| flag["flag"].as_str().unwrap()).collect()
}

fn word_count(text: &str) -> usize {
    text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count()
}

fn release(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)).unwrap()
}

/// A folder of a tiny model with random weights.
fn family(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/families").join(name).to_str().unwrap().to_owned()
}

const RELEASES: [&str; 5] = ["earnings.txt", "final.txt", "partnership.txt", "port.txt", "wire.txt"];

#[test]
fn an_english_release_becomes_wire_copy() {
    let found = object(&[], ENGLISH);
    assert_eq!(found["headline"], "Ministry of Transport opens new container terminal");
    assert_eq!(
        found["summary"],
        "The Ministry of Transport on Wednesday opened a container terminal in the port of Ramla, which cost 1.2 billion \
         dirhams and can handle 850,000 containers a year, the ministry said in a statement. Work on the terminal began in \
         March 2023, and 12 local companies took part in building the quay, the yard and the road."
    );
    assert_eq!(
        found["dateline"],
        json!({"text": "RAMLA, Oct. 14, 2026", "city": "Ramla", "agency": null, "date": "2026-10-14",
               "source": "RAMLA, Oct. 14, 2026 –"})
    );
    assert_eq!(found["date"], "2026-10-14");
    assert_eq!(found["contact"], json!(["Media contact: Hoda Salem, +999 11 555 0142", "press@port-ramla.example"]));
    assert_eq!((&found["strategy"], &found["flags"]), (&json!("extract"), &json!([])));
    let sources = found["sources"].as_array().unwrap();
    assert!(sources.iter().all(|source| ENGLISH.contains(source["text"].as_str().unwrap())));
    assert_eq!(
        run(&[], ENGLISH),
        format!("{}\n\n{}\n", found["headline"].as_str().unwrap(), found["summary"].as_str().unwrap())
    );
}

#[test]
fn limits_are_kept_by_whole_words_and_clauses_or_flagged() {
    let words: Vec<&str> = ENGLISH.split_whitespace().collect();
    for (chars, count) in [(30, 8), (40, 20), (64, 40), (200, 200)] {
        let (chars_text, count_text) = (chars.to_string(), count.to_string());
        let found = object(&["--headline-chars", &chars_text, "--summary-words", &count_text], ENGLISH);
        let (headline, summary) = (found["headline"].as_str().unwrap(), found["summary"].as_str().unwrap());
        let flags = flags(&found);
        assert_eq!(headline.chars().count() > chars, flags.contains(&"headline-too-long"), "{headline}");
        assert_eq!(word_count(summary) > count, flags.contains(&"summary-too-long"), "{summary}");
        assert!(!headline.ends_with('.') && summary.ends_with('.'));
        let known = |word: &str| {
            let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
            words.iter().any(|whole| whole.trim_matches(|c: char| !c.is_alphanumeric()).eq_ignore_ascii_case(bare))
        };
        assert!(headline.split(' ').chain(summary.split(' ')).all(known), "{headline} {summary}");
    }
}

#[test]
fn styles_set_the_length_of_headlines() {
    for (style, limit) in [("ap", 60), ("reuters", 64), ("web", 70)] {
        let found = object(&["--style", style], ENGLISH);
        assert!(found["headline"].as_str().unwrap().chars().count() <= limit);
        assert_eq!(found["flags"], json!([]));
    }
}

#[test]
fn arabic_releases_give_what_can_be_told_without_the_model() {
    let cases = [
        ("earnings.txt", Some("2026-11-03"), 1),
        ("final.txt", Some("2026-06-07"), 1),
        ("partnership.txt", Some("2026-01-18"), 0),
        ("port.txt", Some("2026-10-14"), 2),
        ("wire.txt", Some("Nov. 22"), 0),
    ];
    for (name, date, contacts) in cases {
        let found = object(&[], &release(name));
        assert_eq!(found["date"].as_str(), date, "{name}");
        assert_eq!(found["contact"].as_array().unwrap().len(), contacts, "{name}: {}", found["contact"]);
        let (headline, summary) = (found["headline"].as_str().unwrap(), found["summary"].as_str().unwrap());
        assert!(!headline.is_empty() && !summary.is_empty());
        let flags = flags(&found);
        assert_eq!(headline.chars().count() > 64, flags.contains(&"headline-too-long"), "{headline}");
        assert_eq!(word_count(summary) > 60, flags.contains(&"summary-too-long"), "{summary}");
        assert!(flags.contains(&"unverified-place"), "{name} comes from a city of fiction");
        let model = &found["models"][0];
        assert_eq!((&model["task"], &model["repo"]), (&json!("translate"), &Value::Null));
        for source in found["sources"].as_array().unwrap() {
            let wrapped = release(name).split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(wrapped.contains(source["text"].as_str().unwrap()), "{source}");
        }
    }
}

#[test]
fn the_sources_of_a_release_are_its_news() {
    let found = object(&["--summary-words", "1000"], &release("port.txt"));
    let sources = found["sources"].as_array().unwrap();
    let of = |part: &str| -> Vec<&str> {
        let used = sources.iter().filter(|source| source["used_for"] == part);
        used.map(|source| source["text"].as_str().unwrap()).collect()
    };
    assert_eq!(of("headline"), ["وزارة النقل تفتتح محطة الحاويات الجديدة في ميناء الرملة"]);
    let summary = of("summary");
    assert!(summary[0].starts_with("أعلنت وزارة النقل اليوم افتتاح محطة الحاويات"), "no dateline: {summary:?}");
    for never in ["ويشمل المشروع:", "تأسست الهيئة", "press@", "#"] {
        assert!(summary.iter().all(|text| !text.contains(never)), "{never} in {summary:?}");
    }
}

#[test]
fn records_keep_their_order_and_ids() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("releases.jsonl");
    let texts: Vec<String> =
        RELEASES.iter().chain(&RELEASES).map(|name| release(name)).chain([String::new()]).collect();
    let lines: Vec<String> =
        texts.iter().enumerate().map(|(number, text)| json!({"id": number * 7, "text": text}).to_string()).collect();
    fs::write(&path, lines.join("\n")).unwrap();
    let path = path.to_str().unwrap();
    let objects = |arguments: &[&str]| -> Vec<Value> {
        success(&command(&[&[path], arguments].concat()).output().unwrap())
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let together = objects(&["-f", "jsonl"]);
    assert_eq!(together.len(), 11);
    for (number, (found, text)) in together.iter().zip(&texts).enumerate() {
        assert_eq!(found["document"], (number * 7).to_string());
        let mut alone = object(&[], text);
        alone["document"] = found["document"].clone();
        assert_eq!(*found, alone, "in company and alone");
    }
    let records = objects(&[]);
    for ((found, record), text) in together.iter().zip(&records).zip(&texts) {
        assert_eq!((&record["headline"], &record["summary"]), (&found["headline"], &found["summary"]));
        assert_eq!(record["text"], text.as_str());
    }
    let array: Vec<Value> = serde_json::from_str(&success(&command(&[path, "-f", "json"]).output().unwrap())).unwrap();
    assert_eq!(array, together);
}

#[test]
fn several_documents_have_a_result_each() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b, empty) = (folder.path().join("a.txt"), folder.path().join("b.txt"), folder.path().join("c.jsonl"));
    fs::write(&a, release("port.txt")).unwrap();
    fs::write(&b, ENGLISH).unwrap();
    fs::write(&empty, "").unwrap();
    let out = folder.path().join("out");
    let paths = [&a, &b, &empty, &out].map(|path| path.to_str().unwrap().to_owned());
    success(&command(&[&paths[0], &paths[1], &paths[2], "--output-dir", &paths[3]]).output().unwrap());
    assert_eq!(fs::read_to_string(out.join("a.en.txt")).unwrap(), run(&[], &release("port.txt")));
    assert_eq!(fs::read_to_string(out.join("b.en.txt")).unwrap(), run(&[], ENGLISH));
    assert_eq!(fs::read_to_string(out.join("c.en.jsonl")).unwrap(), "");
    assert_eq!(command(&[&paths[0], &paths[1]]).output().unwrap().status.code(), Some(2));
}

#[test]
fn a_broken_document_does_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let record = format!("{}\n", json!({"text": "The minister opened the port."}));
    let a = file("a.jsonl", &record);
    // More records than are summarised together.
    let b = file("b.jsonl", &format!("{}no json\n", record.repeat(300)));
    let c = file("c.jsonl", &format!("{record}no json\n"));
    let d = file("d.txt", ENGLISH);
    let out = folder.path().join("out");
    let output = command(&[&a, &b, &c, &d, "--output-dir", out.to_str().unwrap()]).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    let lines: Vec<&str> = message.lines().collect();
    let [first, second, last] = lines[..] else { panic!("{message}") };
    assert!(first.contains("line 301") && first.contains("b.jsonl"), "{message}");
    assert!(second.contains("line 2") && second.contains("c.jsonl"), "{message}");
    assert!(last.contains("2 of 4 documents"), "{message}");
    let mut names: Vec<_> = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["a.en.jsonl", "d.en.txt"]);
    assert!(
        fs::read_to_string(out.join("a.en.jsonl")).unwrap().contains("\"headline\":\"The minister opened the port\"")
    );
    assert_eq!(fs::read_to_string(out.join("d.en.txt")).unwrap(), run(&[], ENGLISH));
}

#[test]
fn empty_and_odd_documents_are_no_failure() {
    for text in ["", "\n \n", "...", "#خبر"] {
        let found = object(&[], text);
        assert_eq!(
            found["sources"].as_array().unwrap().is_empty(),
            flags(&found).contains(&"no-text"),
            "{text:?}: {found}"
        );
    }
    let found = object(&[], "");
    assert_eq!(
        (&found["headline"], &found["summary"], &found["flags"]),
        (&json!(""), &json!(""), &json!([{"flag": "no-text"}]))
    );
    assert_eq!(object(&[], "The minister opened the port.")["headline"], "The minister opened the port");
}

#[test]
fn a_megabyte_is_read_to_its_end() {
    let paragraph =
        "The council met on Sunday to discuss the budget of the city and its schools. It approved the plan.\n";
    let news =
        "The council of Ramla approved a budget of 12 million dirhams for schools, roads and the port on Sunday.\n";
    let long = format!("{}{news}", paragraph.repeat(10_700));
    assert!(long.len() > 1 << 20);
    let found = object(&["--summary-words", "60"], &long);
    assert!(word_count(found["summary"].as_str().unwrap()) <= 60);
    assert!(found["summary"].as_str().unwrap().contains("12 million dirhams"), "{}", found["summary"]);

    let arabic = release("port.txt").repeat(710);
    assert!(arabic.len() > 1 << 20);
    let found = object(&[], &arabic);
    assert!(!found["headline"].as_str().unwrap().is_empty());

    let one_line = "word ".repeat(1 << 18);
    assert!(flags(&object(&[], &one_line)).contains(&"summary-too-long"));
}

#[test]
fn models_that_summarise_do_so_before_between_or_after_translation() {
    let (mt5, t5, bart) = (family("mt5"), family("t5"), family("bart"));
    let cases: [(&str, &str, &[&str]); 4] = [
        ("direct", &mt5, &[]),
        ("summarize-first", &mt5, &[]),
        ("translate-first", &t5, &["--summary-prefix", "summarize: "]),
        ("translate-first", &bart, &[]),
    ];
    let text = release("port.txt");
    for (strategy, model, more) in cases {
        let arguments = [&["--strategy", strategy, "--summary-model", model, "--beam-size", "3"], more].concat();
        let found = object(&arguments, &text);
        assert_eq!(found["strategy"], strategy);
        let tasks: Vec<&str> =
            found["models"].as_array().unwrap().iter().map(|model| model["task"].as_str().unwrap()).collect();
        assert_eq!(tasks, ["translate", "summarize"]);
        assert_eq!(found["models"][1]["name"], *model);
        let (headline, summary) = (found["headline"].as_str().unwrap(), found["summary"].as_str().unwrap());
        assert!(!headline.is_empty() && !summary.is_empty(), "{found}");
        assert!(word_count(summary) <= 60 || flags(&found).contains(&"summary-too-long"), "{summary}");
        assert!(found["scores"]["summary"][0].is_number(), "{found}");
        let sources = found["sources"].as_array().unwrap();
        assert!(sources.iter().all(|source| text.contains(source["text"].as_str().unwrap())));
        // A model reads the whole text, and nothing of the blocks around it.
        let read = sources.iter().filter(|source| source["used_for"] == "summary").count();
        assert_eq!(read, 9, "{found}");
    }
    // Unless told otherwise, a model that is named writes the summary.
    assert_eq!(object(&["--summary-model", &mt5], &text)["strategy"], "direct");
    let wrong = command(&["--summary-model", &mt5, "--strategy", "extract"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn a_long_text_is_summarised_in_windows_and_keeps_its_company() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("releases.jsonl");
    // The network of this model has 256 positions.
    let arguments =
        ["--strategy", "translate-first", "--summary-model", &family("bart"), "--beam-size", "2", "-f", "jsonl"];
    let long = ENGLISH.repeat(8);
    let texts = [long.as_str(), ENGLISH, "", "The minister opened the port."];
    let lines: Vec<String> = texts.iter().map(|text| json!({"text": text}).to_string()).collect();
    fs::write(&path, lines.join("\n")).unwrap();
    let output = success(&command(&[&[path.to_str().unwrap()], &arguments[..]].concat()).output().unwrap());
    let together: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(together.len(), texts.len());
    for (found, text) in together.iter().zip(texts) {
        let alone: Value = serde_json::from_str(&run(&arguments, text)).unwrap();
        assert_eq!((&found["headline"], &found["summary"]), (&alone["headline"], &alone["summary"]));
        assert_eq!(text.is_empty(), flags(found).contains(&"no-text"));
    }
}

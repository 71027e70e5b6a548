//! The command `translate`, from text to text, with a tiny model whose outputs Hugging Face transformers recorded.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

#[derive(Deserialize)]
struct Golden {
    segments: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    source: String,
    source_ids: Vec<u32>,
    ids: Vec<u32>,
    score: f32,
    logprobs: Vec<f32>,
    translation: String,
}

fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/golden/press")
}

fn golden() -> Vec<Expected> {
    let text = fs::read(model().with_extension("json")).unwrap();
    serde_json::from_slice::<Golden>(&text).unwrap().segments
}

/// `translate --model PRESS …`, offline and in an empty home.
fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_translate"));
    command.args(["--model", model().to_str().unwrap()]).args(arguments);
    command.env_remove("TRANSLATE_MODEL").env("HF_HUB_OFFLINE", "1").stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn run_with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut child =
        command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    output
}

/// Standard output of a run that must succeed and say nothing else.
fn success(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The message of a run that must fail with `status`, print nothing and give one line of help.
fn failure(output: &Output, status: i32) -> String {
    let message = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(status), "{message}");
    assert!(output.stdout.is_empty());
    if status == 1 {
        assert_eq!(message.lines().count(), 1, "{message}");
        assert!(message.starts_with("error: "), "{message}");
    }
    message
}

fn file(folder: &TempDir, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

fn objects(jsonl: &str) -> Vec<Value> {
    jsonl.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

#[test]
fn every_line_is_what_transformers_makes_of_it() {
    let golden = golden();
    let input: String = golden.iter().map(|expected| format!("{}\n", expected.source)).collect();
    for batch_tokens in ["1", "60", "4096"] {
        for threads in ["1", "3"] {
            let arguments =
                ["--lines", "--exact", "-f", "jsonl", "--detail", "--batch-tokens", batch_tokens, "--threads", threads];
            let found = objects(&success(&run_with_input(&arguments, input.as_bytes())));
            assert_eq!(found.len(), golden.len());
            for (line, (found, expected)) in found.iter().zip(&golden).enumerate() {
                assert_eq!(found["source"], expected.source.as_str());
                assert_eq!(found["translation"], expected.translation.as_str());
                assert_eq!(found["document"], "standard input");
                assert_eq!((&found["paragraph"], &found["segment"]), (&Value::from(line + 1), &Value::from(1)));
                assert_eq!(
                    numbers(&found["source_ids"]),
                    expected.source_ids.iter().map(|id| f64::from(*id)).collect::<Vec<_>>()
                );
                assert_eq!(
                    numbers(&found["target_ids"]),
                    expected.ids.iter().map(|id| f64::from(*id)).collect::<Vec<_>>()
                );
                assert!((found["score"].as_f64().unwrap() - f64::from(expected.score)).abs() < 1e-4);
                for (found, expected) in numbers(&found["token_logprobs"]).iter().zip(&expected.logprobs) {
                    assert!((found - f64::from(*expected)).abs() < 1e-4);
                }
            }
        }
    }
}

#[test]
fn a_document_keeps_its_shape() {
    let golden = golden();
    let [first, second] = [&golden[0], &golden[1]];
    let document =
        format!("{}\r\n\r\n  - {}\r\n\n\t12/3 99%\nhttps://example.org/a\nEnglish here.", first.source, second.source);
    let english = success(&run_with_input(&[], document.as_bytes()));
    let lines: Vec<&str> = english.split('\n').collect();
    assert_eq!(lines.len(), 7, "{english}");
    assert!(lines[0].ends_with('\r') && lines[0].len() > 2);
    assert_eq!(lines[1], "\r");
    assert!(lines[2].starts_with("  - ") && lines[2].ends_with('\r'));
    assert_eq!(&lines[3..], ["", "\t12/3 99%", "https://example.org/a", "English here."]);
}

#[test]
fn empty_input_gives_empty_output() {
    for arguments in [&[][..], &["--lines"], &["-f", "bilingual"], &["-f", "jsonl"]] {
        assert_eq!(success(&run_with_input(arguments, b"")), "");
    }
    assert_eq!(success(&run_with_input(&["-f", "json"], b"")), "[]\n");
    assert_eq!(success(&run_with_input(&[], b"\n \n\n")), "\n \n\n");
}

#[test]
fn lines_in_are_lines_out() {
    let source = &golden()[0].source;
    let input = format!("{source}\n\n{source} {source}\n   \nwww.example.com\n{source}");
    let output = success(&run_with_input(&["--lines"], input.as_bytes()));
    let lines: Vec<&str> = output.split('\n').collect();
    assert_eq!(lines.len(), 6);
    assert_eq!((lines[1], lines[3], lines[4]), ("", "   ", "www.example.com"));
    assert_eq!(lines[0], lines[5]);
}

#[test]
fn formats_say_the_same() {
    let golden = golden();
    let document = format!("{}\n\n{}\n", golden[0].source, golden[2].source);
    let text = success(&run_with_input(&[], document.as_bytes()));
    let english: Vec<&str> = text.split("\n\n").map(str::trim).collect();

    let bilingual = success(&run_with_input(&["-f", "bilingual"], document.as_bytes()));
    let expected = format!("{}\n{}\n\n{}\n{}\n\n", golden[0].source, english[0], golden[2].source, english[1]);
    assert_eq!(bilingual, expected);

    let lines = objects(&success(&run_with_input(&["-f", "jsonl"], document.as_bytes())));
    let array: Vec<Value> =
        serde_json::from_str(&success(&run_with_input(&["-f", "json"], document.as_bytes()))).unwrap();
    assert_eq!(lines, array);
    let keys: Vec<&str> = lines[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["document", "model", "paragraph", "segment", "source", "translation", "score", "flags"]);
    assert!(lines.iter().all(|line| line["model"] == model().to_str().unwrap()));
}

#[test]
fn what_needs_no_translation_is_flagged() {
    let found = objects(&success(&run_with_input(
        &["--lines", "-f", "jsonl"],
        "Just English.\na@b.org\n#خبر\n15.3\n".as_bytes(),
    )));
    let flags: Vec<&Value> = found.iter().map(|object| &object["flags"][0]).collect();
    assert_eq!(flags, ["not-arabic", "email", "hashtag", "number"]);
    assert!(found.iter().all(|object| object["score"].is_null() && object["source"] == object["translation"]));
}

#[test]
fn overlong_segments_are_split_and_rejoined() {
    let sentence = golden()[0].source.replace('.', "");
    let long = format!("{}.", vec![sentence; 30].join("، "));
    let found = objects(&success(&run_with_input(&["--lines", "-f", "jsonl", "--max-length", "10"], long.as_bytes())));
    assert_eq!(found.len(), 1);
    assert!(found[0]["flags"].as_array().unwrap().contains(&"split".into()));
    assert!(found[0]["translation"].as_str().unwrap().split(' ').count() > 20);
}

#[test]
fn json_lines_come_back_with_a_translation() {
    let source = &golden()[0].source;
    let translated = success(&run_with_input(&["--lines"], source.as_bytes()));
    let input = format!("{{\"id\":7,\"text\":\"{source}\",\"z\":[1]}}\n\n{{\"id\":\"b\",\"text\":\"\"}}\n");
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "in.jsonl", &input);
    let found = objects(&success(&run(&[&path])));
    let model = model().to_str().unwrap().to_owned();
    let expected = serde_json::json!(
        {"id": 7, "text": source, "z": [1], "translation": translated, "translation_model": model}
    );
    assert_eq!(found[0], expected);
    let empty = serde_json::json!({"id": "b", "text": "", "translation": "", "translation_model": model});
    assert_eq!(found[1], empty);
    assert_eq!(found.len(), 2);

    let renamed = input.replace("\"text\"", "\"body\"");
    let again = objects(&success(&run_with_input(&["--field", "body", "-f", "jsonl"], renamed.as_bytes())));
    assert_eq!((&again[0]["document"], &again[0]["translation"]), (&"7".into(), &translated.into()));

    let message = failure(&run_with_input(&["--field", "text"], b"{\"text\": 3}\n"), 1);
    assert!(message.contains("line 1") && message.contains("--field"), "{message}");
}

#[test]
fn the_n_best_are_ranked() {
    let source = golden()[3].source.clone();
    let found =
        objects(&success(&run_with_input(&["--lines", "--exact", "-f", "jsonl", "--n-best", "3"], source.as_bytes())));
    let scores: Vec<f64> = std::iter::once(&found[0]["score"])
        .chain(found[0]["alternatives"].as_array().unwrap().iter().map(|other| &other["score"]))
        .map(|score| score.as_f64().unwrap())
        .collect();
    assert_eq!(scores.len(), 3);
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
}

#[test]
fn sampling_repeats_with_its_seed() {
    let source = golden()[4].source.clone();
    let sample = |seed: &str| {
        let arguments = ["--lines", "--exact", "--sample", seed, "--temperature", "1.5"];
        success(&run_with_input(&arguments, source.as_bytes()))
    };
    assert_eq!(sample("1"), sample("1"));
    assert_ne!(sample("1"), sample("2"));
}

#[test]
fn encodings_are_recognised_or_stated() {
    let source = golden()[0].source.clone();
    let expected = success(&run_with_input(&[], source.as_bytes()));
    let (bytes, _, _) = encoding_rs::WINDOWS_1256.encode(&source);
    assert_eq!(success(&run_with_input(&[], &bytes)), expected);
    let utf16: Vec<u8> = source.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(success(&run_with_input(&[], &[&[0xFF, 0xFE], utf16.as_slice()].concat())), expected);
    assert_eq!(success(&run_with_input(&["--encoding", "utf-16le"], &utf16)), expected);
    assert_eq!(success(&run_with_input(&[], &[b"\xEF\xBB\xBF", source.as_bytes()].concat())), expected);

    let broken = [b"ok\n".repeat(40_000), vec![0xD8, b'\n']].concat();
    let message = String::from_utf8(run_with_input(&["--lines"], &broken).stderr).unwrap();
    assert!(message.contains("line 40001") && message.contains("--encoding"), "{message}");
}

#[test]
fn a_file_appears_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let source = golden()[0].source.clone();
    let input = file(&folder, "release.txt", &source);
    let result = folder.path().join("out.txt");
    success(&run(&[&input, "-o", result.to_str().unwrap()]));
    assert_eq!(fs::read_to_string(&result).unwrap(), success(&run(&[&input])));

    let before = fs::read_to_string(&result).unwrap();
    let broken = file(&folder, "broken.jsonl", "{\"text\": \"مرحبا\"}\nno json\n");
    failure(&run(&[&broken, "-o", result.to_str().unwrap()]), 1);
    assert_eq!(fs::read_to_string(&result).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);

    let message = failure(&run(&[&input, "-o", &input]), 2);
    assert!(message.contains("release.txt"), "{message}");
    assert_eq!(fs::read_to_string(&input).unwrap(), source);

    let message = failure(&run(&[&input, "-o", "/nowhere/at/all.txt"]), 1);
    assert!(message.contains("/nowhere/at/all.txt"), "{message}");
}

#[cfg(unix)]
#[test]
fn links_and_devices_stay_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let input = file(&folder, "release.txt", &golden()[0].source);
    let (result, link) = (folder.path().join("out.txt"), folder.path().join("link.txt"));
    fs::write(&result, "old").unwrap();
    std::os::unix::fs::symlink("out.txt", &link).unwrap();
    success(&run(&[&input, "-o", link.to_str().unwrap()]));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&result).unwrap(), success(&run(&[&input])));

    assert_eq!(success(&run(&[&input, "-o", "/dev/null"])), "");
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn several_documents_go_into_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let golden = golden();
    let (a, b) = (file(&folder, "a.txt", &golden[0].source), file(&folder, "b.md", &golden[1].source));
    let out = folder.path().join("new/english");
    success(&run(&[&a, &b, "--output-dir", out.to_str().unwrap()]));
    assert_eq!(fs::read_to_string(out.join("a.en.txt")).unwrap(), success(&run(&[&a])));
    assert_eq!(fs::read_to_string(out.join("b.en.md")).unwrap(), success(&run(&[&b])));

    assert!(failure(&run(&[&a, &b]), 2).contains("--output-dir"));
}

#[test]
fn a_broken_document_does_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let good = format!("{{\"text\": {:?}}}\n", golden()[0].source);
    let a = file(&folder, "a.jsonl", &good);
    let b = file(&folder, "b.jsonl", format!("{good}no json\n"));
    let c = file(&folder, "c.txt", "12345\n");
    let out = folder.path().join("out");
    let output = run(&[&a, &b, &c, "--output-dir", out.to_str().unwrap()]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    let lines: Vec<&str> = message.lines().collect();
    assert!(lines.len() == 2 && lines[0].contains("line 2") && lines[0].contains("b.jsonl"), "{message}");
    assert!(lines[1].contains("1 of 3 documents"), "{message}");
    let mut names: Vec<_> = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["a.en.jsonl", "c.en.txt"]);
    assert_eq!(fs::read_to_string(out.join("c.en.txt")).unwrap(), "12345\n");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_reported_and_leaves_the_old_file() {
    let source = golden()[0].source.clone();
    let mut child = command(&[]);
    child.stdin(Stdio::piped()).stdout(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let mut child = child.stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("standard output can't be written"));
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let source = format!("{}\n", golden()[0].source).repeat(5000);
    let mut child =
        command(&["--lines"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || drop(stdin.write_all(source.as_bytes())));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[cfg(unix)]
#[test]
fn an_interrupt_leaves_no_half_file() {
    let folder = tempfile::tempdir().unwrap();
    let result = folder.path().join("out.txt");
    let mut child = command(&["--lines", "-o", result.to_str().unwrap()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let line = format!("{}\n", golden()[0].source);
    // The half-written file shows that the run is under way; input without end keeps it so.
    while fs::read_dir(folder.path()).unwrap().count() == 0 {
        stdin.write_all(line.as_bytes()).unwrap();
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let status = child.wait().unwrap();
    drop(stdin);
    assert_eq!(status.code(), Some(130));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

//! The command `translate eval`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// What sacreBLEU made of hypotheses and references (see make_scores.py there).
fn golden() -> Value {
    let path = fixtures().join("metrics/scores.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// Files of the golden texts.
struct Files {
    folder: TempDir,
    golden: Value,
}

impl Files {
    fn new() -> Self {
        let files = Self { folder: tempfile::tempdir().unwrap(), golden: golden() };
        let golden = &files.golden;
        for name in ["hypotheses", "other", "close"] {
            files.write(name, &texts(&golden[name]));
        }
        for (number, reference) in golden["references"].as_array().unwrap().iter().enumerate() {
            files.write(&format!("reference{number}"), &texts(reference));
        }
        files
    }

    fn write(&self, name: &str, texts: &[String]) -> String {
        fs::write(self.path(name), texts.iter().map(|text| format!("{}\n", text)).collect::<String>()).unwrap();
        self.path(name)
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// The golden evaluation of `hypotheses` by `references` of them.
    fn expected(&self, metric: &str, references: u64) -> &Value {
        let evaluations = self.golden["evaluations"].as_array().unwrap();
        let wanted = |e: &&Value| e["metric"] == metric && e["references"] == references && e["system"] == "hypotheses";
        evaluations.iter().find(wanted).unwrap()
    }
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn eval(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_translate"));
    command.arg("eval").args(arguments);
    command.env_remove("TRANSLATE_MODEL").env("HF_HUB_OFFLINE", "1").stdin(Stdio::null());
    command
}

/// Standard output of a run that must succeed and say nothing else.
fn success(output: &Output) -> String {
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The message of a run that must fail with `status` and print nothing.
fn failure(output: &Output, status: i32) -> String {
    let message = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(status), "{message}");
    assert!(output.stdout.is_empty());
    message
}

#[test]
fn prints_the_lines_that_sacrebleu_prints() {
    let files = Files::new();
    let references: Vec<String> = (0..3).map(|number| files.path(&format!("reference{number}"))).collect();
    let [first, second, third] = [0, 1, 2].map(|number| references[number].as_str());
    let hypotheses = files.path("hypotheses");

    let found = success(&eval(&["-r", first, "--hypothesis", &hypotheses]).output().unwrap());
    let expected: Vec<&Value> = ["BLEU", "chrF2", "chrF2++"].map(|metric| files.expected(metric, 1)).to_vec();
    let found: Vec<String> = found.lines().map(|line| line.trim_start().replace("+translate", "")).collect();
    let lines: Vec<&str> = expected.iter().map(|expected| expected["corpus"]["line"].as_str().unwrap()).collect();
    assert_eq!(found, lines);

    let all = ["-r", first, "-r", second, "-r", third, "--hypothesis", "-", "--metrics", "bleu"];
    let mut child = eval(&all).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&fs::read(hypotheses).unwrap()).unwrap();
    let found = success(&child.wait_with_output().unwrap());
    let expected = files.expected("BLEU", 3);
    assert_eq!(found.replace("+translate", "").trim(), expected["corpus"]["line"].as_str().unwrap());
}

#[test]
fn json_has_every_segment() {
    let files = Files::new();
    let (hypotheses, reference) = (files.path("hypotheses"), files.path("reference0"));
    let output = eval(&["-r", &reference, "--hypothesis", &hypotheses, "--json"]).output().unwrap();
    let found: Value = serde_json::from_str(&success(&output)).unwrap();
    assert_eq!((&found["hypothesis"], &found["references"][0]), (&Value::from(hypotheses), &Value::from(reference)));
    let near = |found: &Value, expected: &Value| (found.as_f64().unwrap() - expected.as_f64().unwrap()).abs() < 1e-9;
    for (number, metric) in ["BLEU", "chrF2", "chrF2++"].into_iter().enumerate() {
        let expected = files.expected(metric, 1);
        let score = &found["scores"][number];
        assert_eq!(score["name"], metric);
        assert!(near(&score["score"], &expected["corpus"]["score"]), "{score}");
        let segments = expected["segments"].as_array().unwrap();
        assert_eq!(found["segments"].as_array().unwrap().len(), segments.len());
        for (at, expected) in segments.iter().enumerate() {
            let segment = &found["segments"][at];
            assert_eq!(segment["segment"], at + 1);
            assert!(near(&segment[metric], &expected["score"]), "{segment}");
        }
    }
    let first = &found["segments"][0];
    assert_eq!(first["hypothesis"], files.golden["hypotheses"][0]);
    assert_eq!(first["references"][0], files.golden["references"][0][0]);
}

#[test]
fn rouge_is_printed_and_stands_with_every_segment() {
    let files = Files::new();
    let hypothesis = files.write("summary.en", &["Ministers opened the port.".to_owned(), "Yes.".to_owned()]);
    let reference = files.write("expected.en", &["The minister opened the port.".to_owned(), "No.".to_owned()]);
    let arguments = ["-r", &reference, "--hypothesis", &hypothesis, "--metrics", "rouge1,rouge2,rougel"];
    // By hand: words the, opened, port of 4 and 5, so F1 = 2/3; the segments' mean is half of it.
    let text = success(&eval(&arguments).output().unwrap());
    let first = "ROUGE-1|nrefs:1|case:lc|stem:no|version:rouge_score-0.1.2+translate = 33.3 (P = 37.5 R = 30.0)";
    assert_eq!(text.lines().next(), Some(first), "{text}");
    assert_eq!(text.lines().count(), 3);

    let json = success(&eval(&arguments).args(["--stem", "--json"]).output().unwrap());
    let json: Value = serde_json::from_str(&json).unwrap();
    let near = |value: &Value, expected: f64| (value.as_f64().unwrap() - expected).abs() < 1e-9;
    let segment = &json["segments"][0];
    // With stems the ministers are one, too.
    assert!(near(&segment["ROUGE-1"], 100.0 * 8.0 / 9.0) && near(&segment["ROUGE-L"], 100.0 * 8.0 / 9.0), "{segment}");
    assert!(near(&json["scores"][0]["recall"], 40.0), "{json}");
}

#[test]
fn a_baseline_gives_the_significance() {
    let files = Files::new();
    let (system, baseline, reference) = (files.path("close"), files.path("hypotheses"), files.path("reference0"));
    let arguments = ["-r", &reference, "--hypothesis", &system, "--baseline", &baseline, "--metrics", "bleu"];
    let text = success(&eval(&arguments).output().unwrap());
    let expected = files.golden["comparisons"].as_array().unwrap().iter();
    let expected = expected.clone().find(|e| e["metric"] == "BLEU" && e["system"] == "close").unwrap();
    let expected = &expected["expected"];
    let number = |value: &Value| value.as_f64().unwrap();
    let estimate = |of: &Value| {
        format!("{:.1} ({:.1} ± {:.1})", number(&of["score"]), number(&of["mean"]), number(&of["interval"]))
    };
    let line = format!(
        "BLEU|{} = {}, {}, p = {:.4}",
        expected["signature"].as_str().unwrap(),
        estimate(&expected["system"]),
        estimate(&expected["baseline"]),
        number(&expected["p_value"])
    );
    let found: Vec<String> = text.lines().map(|line| line.replace("+translate", "")).collect();
    assert!(found.contains(&line), "{text}");

    let json = success(&eval(&arguments).arg("--json").output().unwrap());
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["scores"][0]["comparison"]["p_value"], expected["p_value"]);
}

#[test]
fn translates_and_scores_in_one_go() {
    let files = Files::new();
    let golden = fs::read(fixtures().join("golden/press.json")).unwrap();
    let golden: Value = serde_json::from_slice(&golden).unwrap();
    let segments = || golden["segments"].as_array().unwrap().iter().take(12);
    let column = |name: &str| segments().map(|segment| segment[name].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let source = files.write("source.ar", &column("source"));
    let model = fixtures().join("golden/press");
    let model = model.to_str().unwrap();

    let lines = Command::new(env!("CARGO_BIN_EXE_translate")).args(["--lines", "-m", model, &source]).output().unwrap();
    let reference = files.path("reference.en");
    fs::write(&reference, success(&lines)).unwrap();

    let output = eval(&["-m", model, "-r", &reference, "--metrics", "chrf++", "--decimals", "3", &source]).output();
    let found = success(&output.unwrap());
    assert!(found.starts_with("chrF2++|") && found.ends_with(" = 100.000\n"), "{found}");

    let output = eval(&["-m", model, "-r", &reference, "--json", &source]).output().unwrap();
    let json: Value = serde_json::from_str(&success(&output)).unwrap();
    assert_eq!(json["segments"][0]["source"], golden["segments"][0]["source"]);
    assert_eq!(json["model"], model);
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let files = Files::new();
    let short = files.write("short.en", &["One line.".to_owned()]);
    let (reference, hypotheses) = (files.path("reference0"), files.path("hypotheses"));
    let count = files.golden["hypotheses"].as_array().unwrap().len();
    // The source is refused before any model is looked for.
    let nowhere = "nobody/nothing";
    for arguments in [
        vec!["-r", &reference, "--hypothesis", &short],
        vec!["-r", &reference, "-r", &short, "--hypothesis", &hypotheses],
        vec!["-r", &reference, "--hypothesis", &hypotheses, "--baseline", &short],
        vec!["-r", &reference, "-m", nowhere, &short],
    ] {
        let message = failure(&eval(&arguments).output().unwrap(), 1);
        let expected = format!("error: {short} has 1 line, but {reference} has {count}; ");
        assert!(message.starts_with(&expected), "{message}");
    }
    let empty = files.write("empty.en", &[]);
    let message = failure(&eval(&["-r", &empty, "--hypothesis", &empty]).output().unwrap(), 1);
    assert!(message.starts_with(&format!("error: {empty} has no segments")), "{message}");

    let message = failure(&eval(&["-r", "/nowhere/ref.en", "--hypothesis", &short]).output().unwrap(), 1);
    assert!(message.contains("/nowhere/ref.en can't be read"), "{message}");

    let message = failure(&eval(&["--hypothesis", &short]).output().unwrap(), 2);
    assert!(message.contains("--reference"), "{message}");
    let message = failure(&eval(&["-r", &reference, "--hypothesis", &short, &short]).output().unwrap(), 2);
    assert!(message.contains("--hypothesis"), "{message}");
}

//! `translate bench` counts what was done. (How fast it was is not for a test to say.)

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn bench(arguments: &[&str]) -> String {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/golden/press");
    let output = Command::new(env!("CARGO_BIN_EXE_translate"))
        .args(["bench", "--runs", "1", "--latencies", "2", "--model", model.to_str().unwrap()])
        .args(arguments)
        .env("HF_HUB_OFFLINE", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_sweep_measures_every_combination_of_fixed_work() {
    let folder = tempfile::tempdir().unwrap();
    let (json, input) = (folder.path().join("bench.json"), folder.path().join("lines.txt"));
    fs::write(&input, "افتتح الوزير المعرض اليوم.\nنعم.\n\nلا.\n").unwrap();
    let table = bench(&[
        "--input",
        input.to_str().unwrap(),
        "--beam-size",
        "1,2",
        "--precision",
        "f32,int8",
        "--fixed-length",
        "6",
        "--json",
        json.to_str().unwrap(),
    ]);
    let results: Vec<Value> = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    let settings: Vec<(&str, u64)> =
        results.iter().map(|result| (result["compute"].as_str().unwrap(), result["beam"].as_u64().unwrap())).collect();
    assert_eq!(settings, [("f32", 1), ("f32", 2), ("int8", 1), ("int8", 2)]);
    for result in &results {
        assert_eq!(result["sentences"], 3);
        let number = |name: &str| result[name].as_f64().unwrap();
        let tokens = number("target_tokens_per_s") * number("median_s");
        assert!((tokens - 18.0).abs() < 1e-6, "{tokens}");
        assert!((number("sentences_per_s") * number("median_s") - 3.0).abs() < 1e-6);
        let shares: f64 = result["stages"].as_array().unwrap().iter().map(|stage| stage[1].as_f64().unwrap()).sum();
        // Of the worker threads' time; the thread that feeds them may add its own.
        assert!(shares > 0.0 && shares <= 2.0, "{shares}");
    }
    for word in ["latency", "peak memory", "GOP/s", "attention"] {
        assert!(table.contains(word), "{table}");
    }

    let chart = folder.path().join("chart.svg");
    let (input, json, plot) = (input.to_str().unwrap(), json.to_str().unwrap(), chart.to_str().unwrap());
    let again = bench(&["--input", input, "--beam-size", "2", "--compare", json, "--plot", plot]);
    assert_eq!(again.matches("times the target tokens").count(), 2, "{again}");
    let svg = fs::read_to_string(&chart).unwrap();
    assert_eq!(svg.matches(", int8, beam 2, ").count(), 1, "{svg}");
    for result in &results {
        let rate = format!("{:.0}", result["target_tokens_per_s"].as_f64().unwrap());
        assert!(svg.lines().any(|line| line.trim() == rate), "{svg}");
    }
}

#[test]
fn results_of_the_ctranslate2_script_can_be_compared_with() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("ct2.json");
    let line = r#"{"engine": "ctranslate2 4.8.5", "compute": "int8", "beam": 4, "device": "cpu", "workers": 2, "threads": 1,
        "sentences": 2, "load_s": 0.1, "median_s": 1.0, "sentences_per_s": 2, "source_tokens_per_s": 9,
        "target_tokens_per_s": 1.0}"#;
    fs::write(&other, line.replace('\n', " ")).unwrap();
    let table = bench(&["--sentences", "2", "--compare", other.to_str().unwrap()]);
    assert!(table.contains("of ctranslate2 4.8.5 int8"), "{table}");
}

#[test]
fn summaries_are_measured_together_and_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("bench.json");
    let table = bench(&["--sentences", "1", "--beam-size", "2", "--summaries", "5", "--json", json.to_str().unwrap()]);
    let results: Vec<Value> = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    let rates: Vec<f64> =
        results[0]["summaries_per_s"].as_array().unwrap().iter().map(|rate| rate.as_f64().unwrap()).collect();
    assert!(rates.len() == 2 && rates.iter().all(|rate| *rate > 0.0), "{rates:?}");
    assert!(table.contains(&format!("{:.1}/s together", rates[0])), "{table}");
}

//! The tokenizer of opus-mt-ar-en against transformers' on every line of FLORES, both languages on both sides.
//!
//! Needs files that are not in the repository, and passes with a note where they are not named. To run it:
//!
//! ```sh
//! python tests/reference/tokenizer_ids.py FOLDER ids.jsonl
//! TRANSLATE_SHARED=FOLDER TRANSLATE_TOKENIZER_IDS=ids.jsonl cargo test --release --test tokenizer_real -- --nocapture
//! ```
//!
//! FOLDER holds `opus-mt-ar-en/` and `data/flores200-{dev,devtest}.{ar,en}`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Deserialize;
use translate::hub::ModelFile;
use translate::tokenizer::{MarianTokenizer, Tokenizer};

#[derive(Deserialize)]
struct Case {
    text: String,
    source: Vec<u32>,
    target: Vec<u32>,
    decoded: String,
}

/// The folder that an environment variable names, or a note that there is none.
fn named(variable: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variable).map(PathBuf::from);
    if path.is_none() {
        eprintln!("skipped: {variable} is not set, the head of this file says how to run it");
    }
    path
}

fn opus(shared: &Path) -> MarianTokenizer {
    let file = |name: &str| ModelFile::from(shared.join("opus-mt-ar-en").join(name));
    let config = file("tokenizer_config.json");
    MarianTokenizer::from_files(&file("source.spm"), &file("target.spm"), &file("vocab.json"), None, Some(&config))
        .unwrap()
}

#[test]
fn every_line_of_flores_has_the_ids_and_the_text_of_transformers() {
    let (Some(shared), Some(ids)) = (named("TRANSLATE_SHARED"), named("TRANSLATE_TOKENIZER_IDS")) else { return };
    let tokenizer = opus(&shared);
    let cases = std::fs::read_to_string(ids).unwrap();
    let cases: Vec<Case> = cases.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(cases.len() > 4000, "FLORES dev and devtest have 4018 lines in two languages");
    let mut differing = 0;
    for case in &cases {
        let equal = tokenizer.encode(&case.text).unwrap() == case.source
            && tokenizer.encode_target(&case.text).unwrap() == case.target
            && tokenizer.decode(&case.target) == case.decoded;
        if !equal {
            eprintln!("differs: {:?}", case.text);
            differing += 1;
        }
    }
    println!("{} texts compared, {} equal", cases.len(), cases.len() - differing);
    assert_eq!(differing, 0);
}

#[test]
fn long_words_and_many_lines_are_encoded_fast() {
    let Some(shared) = named("TRANSLATE_SHARED") else { return };
    let started = Instant::now();
    let tokenizer = opus(&shared);
    println!("loaded in {:?}", started.elapsed());

    let started = Instant::now();
    assert!(tokenizer.encode(&"والوزير".repeat(1_430)).unwrap().len() > 1);
    assert!(started.elapsed() < Duration::from_millis(100), "10,000 characters took {:?}", started.elapsed());

    let lines = std::fs::read_to_string(shared.join("data/flores200-devtest.ar")).unwrap();
    let started = Instant::now();
    let tokens: usize = lines.lines().map(|line| tokenizer.encode(line).unwrap().len()).sum();
    let seconds = started.elapsed().as_secs_f64();
    println!("{tokens} tokens, {:.0} lines a second", lines.lines().count() as f64 / seconds);
}

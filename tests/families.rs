//! Every family but Marian, from text to text: `fixtures/families` holds tiny models in the hub's layout and what Hugging
//! Face transformers made of texts with them (see `make_families.py` there).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde::Deserialize;
use translate::decode::GenerationConfig;
use translate::hub::{self, HubOptions, NoProgress};
use translate::model;
use translate::registry::{Family, ModelRef};
use translate::tokenizer::{self, Task, Tokenizer, TokenizerError};
use translate::translator::{Translator, TranslatorBuilder};

#[derive(Deserialize)]
struct Golden {
    texts: Vec<TextCase>,
    decode: Vec<DecodeCase>,
    segments: Vec<Segment>,
}

#[derive(Deserialize)]
struct TextCase {
    text: String,
    ids: Vec<u32>,
    decoded: String,
}

#[derive(Deserialize)]
struct DecodeCase {
    ids: Vec<u32>,
    text: String,
}

#[derive(Deserialize)]
struct Segment {
    source: String,
    source_ids: Vec<u32>,
    ids: Vec<u32>,
    score: f32,
    text: String,
}

/// The models, with the prefix that each wants where nothing else gives it.
const MODELS: [(&str, Family, Option<&str>); 8] = [
    ("t5", Family::T5, Some("summarize: ")),
    ("mt5", Family::T5, None),
    ("madlad", Family::T5, None),
    ("m2m100", Family::M2m100, None),
    ("nllb", Family::M2m100, None),
    ("mbart50", Family::Mbart, None),
    ("bart", Family::Bart, None),
    ("pegasus", Family::Pegasus, None),
];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/families")
}

fn golden(name: &str) -> Golden {
    serde_json::from_slice(&fs::read(fixtures().join(name).with_extension("json")).unwrap()).unwrap()
}

fn load(folder: &Path, from: &str, to: &str, prefix: Option<&str>) -> Result<Box<dyn Tokenizer>, TokenizerError> {
    let options = HubOptions::new(PathBuf::from("nowhere"));
    let folder = hub::fetch(&ModelRef::Folder(folder.to_owned()), &options, &mut NoProgress).unwrap();
    let rows = model::config(&folder).unwrap().vocab_size();
    tokenizer::load(&folder, Task { from, to, prefix }, rows)
}

fn agrees(name: &str, tokenizer: &dyn Tokenizer) {
    let Golden { texts, decode, .. } = golden(name);
    assert!(texts.len() > 150 && decode.len() >= 40);
    for case in texts {
        assert_eq!(tokenizer.encode(&case.text).unwrap(), case.ids, "{name}: ids of {:?}", case.text);
        assert_eq!(tokenizer.decode(&case.ids), case.decoded, "{name}: text of {:?}", case.ids);
    }
    for case in decode {
        assert_eq!(tokenizer.decode(&case.ids), case.text, "{name}: text of {:?}", case.ids);
    }
}

#[test]
fn tokenizers_agree_with_transformers() {
    for (name, _, prefix) in MODELS {
        agrees(name, &*load(&fixtures().join(name), "ar", "en", prefix).unwrap());
    }
}

/// A copy of a model without some of its files.
fn without(name: &str, files: &[&str]) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(fixtures().join(name)).unwrap() {
        let entry = entry.unwrap();
        if !files.iter().any(|file| entry.file_name() == *file) {
            fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
    }
    copy
}

#[test]
fn either_form_of_a_vocabulary_serves() {
    for (name, other) in [("nllb", "sentencepiece.bpe.model"), ("madlad", "spiece.model"), ("pegasus", "spiece.model")]
    {
        for missing in ["tokenizer.json", other] {
            agrees(name, &*load(without(name, &[missing]).path(), "ar", "en", None).unwrap());
        }
    }
    for missing in [&["tokenizer.json"][..], &["vocab.json", "merges.txt"]] {
        agrees("bart", &*load(without("bart", missing).path(), "ar", "en", None).unwrap());
    }
}

#[test]
fn languages_go_by_the_models_codes_or_by_those_of_iso() {
    let first = |name: &str, from: &str, to: &str| {
        let tokenizer = load(&fixtures().join(name), from, to, None).unwrap();
        (tokenizer.encode("x").unwrap()[0], tokenizer.first_target())
    };
    assert_eq!(first("nllb", "ar", "en"), first("nllb", "arb_Arab", "eng_Latn"));
    assert_ne!(first("nllb", "arz_Arab", "en"), first("nllb", "ar", "en"));
    assert_eq!(first("mbart50", "ar", "en"), first("mbart50", "ar_AR", "en_XX"));
    assert_ne!(first("m2m100", "en", "ar"), first("m2m100", "ar", "en"));
    assert_eq!(first("madlad", "ar", "fr").1, None);
    for (name, to, offered) in
        [("nllb", "en_XX", "eng_Latn"), ("mbart50", "arz", "ar_AR"), ("m2m100", "eng", "en"), ("madlad", "de", "<2")]
    {
        let error = load(&fixtures().join(name), "ar", to, None).err().unwrap().to_string();
        assert!(error.contains(&format!("{to:?}")), "{error}");
        assert!(name == "madlad" || error.contains(offered), "{error}");
    }
}

fn translator(name: &str, prefix: Option<&str>) -> TranslatorBuilder {
    let builder = Translator::builder().model(fixtures().join(name).to_str().unwrap()).exact(true);
    match prefix {
        Some(prefix) => builder.prefix(prefix),
        None => builder,
    }
}

#[test]
fn texts_become_what_transformers_makes_of_them() {
    for (name, _, prefix) in MODELS {
        let segments = golden(name).segments;
        let sources: Vec<&str> = segments.iter().map(|segment| segment.source.as_str()).collect();
        let translator = translator(name, prefix).threads(1).build().unwrap();
        let mut checked = 0;
        for (found, expected) in translator.translate_batch(&sources).unwrap().iter().zip(&segments) {
            assert_eq!(found.source_ids, expected.source_ids, "{name}");
            assert_eq!(found.target_ids, expected.ids, "{name}");
            assert_eq!(found.text, expected.text, "{name}");
            let score = found.score.unwrap();
            assert!((score - expected.score).abs() <= 1e-4 * expected.score.abs().max(1.0), "{name}: {score}");
            checked += 1;
        }
        assert!(checked > 6, "{name}");
    }
}

#[test]
fn a_batch_changes_nothing() {
    for (name, _, prefix) in MODELS {
        let segments: Vec<String> = golden(name).texts.into_iter().take(32).map(|case| case.text).collect();
        let translator = translator(name, prefix).threads(1).batch_tokens(1).build().unwrap();
        let alone = translator.translate_batch(&segments).unwrap();
        for size in [2, 7, 32] {
            let tokens = size * segments.iter().map(String::len).max().unwrap_or(1);
            let translator = self::translator(name, prefix).batch_tokens(tokens).build().unwrap();
            let found: Vec<_> =
                segments.chunks(size).flat_map(|chunk| translator.translate_batch(chunk).unwrap()).collect();
            assert!(found == alone, "{name}: batches of {size}");
        }
    }
}

#[test]
fn several_hypotheses_of_a_summary_come_best_first() {
    let generation = GenerationConfig { num_return_sequences: Some(4), ..GenerationConfig::default() };
    for (name, prefix) in [("t5", Some("summarize: ")), ("bart", None), ("pegasus", None)] {
        let segment = golden(name).segments.remove(0);
        let summariser = translator(name, prefix).generation(generation.clone()).build().unwrap();
        let found = summariser.translate_batch(&[&segment.source]).unwrap().remove(0);
        assert_eq!(found.text, segment.text);
        assert_eq!(found.alternatives.len(), 3);
        let scores: Vec<f32> =
            found.score.into_iter().chain(found.alternatives.iter().map(|(_, score)| *score)).collect();
        assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    }
}

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_translate"));
    command.args(arguments).env_remove("TRANSLATE_MODEL").env("HF_HUB_OFFLINE", "1").output().unwrap()
}

#[test]
fn the_program_runs_every_family() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("input.txt");
    for (name, ..) in MODELS.iter().filter(|(.., prefix)| prefix.is_none()) {
        let segments = golden(name).segments;
        let sources: Vec<&str> = segments.iter().map(|segment| segment.source.as_str()).collect();
        fs::write(&input, sources.join("\n")).unwrap();
        let model = fixtures().join(name);
        let output = run(&["-m", model.to_str().unwrap(), "--exact", "--lines", input.to_str().unwrap()]);
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let found = String::from_utf8(output.stdout).unwrap();
        let expected: Vec<&str> = segments.iter().map(|segment| segment.text.as_str()).collect();
        assert_eq!(found, expected.join("\n"), "{name}");
    }
}

#[test]
fn what_cannot_be_run_is_named_beside_what_can() {
    let folder = without("nllb", &["config.json"]);
    fs::write(folder.path().join("config.json"), r#"{"model_type": "llama", "architectures": ["LlamaForCausalLM"]}"#)
        .unwrap();
    let output = run(&["-m", folder.path().to_str().unwrap(), "-"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    for part in ["llama", "LlamaForCausalLM", "marian", "t5", "m2m_100", "mbart", "bart", "pegasus"] {
        assert!(error.contains(part), "{error}");
    }
    let bare = without("bart", &["tokenizer.json", "merges.txt"]);
    let error = String::from_utf8(run(&["-m", bare.path().to_str().unwrap(), "-"]).stderr).unwrap();
    assert!(error.contains("lacks tokenizer.json or vocab.json with merges.txt"), "{error}");
}

#[test]
fn an_mbart_with_other_languages_than_the_50_is_refused() {
    let options = HubOptions::new(PathBuf::from("nowhere"));
    let folder = hub::fetch(&ModelRef::Folder(fixtures().join("mbart50")), &options, &mut NoProgress).unwrap();
    let task = Task { from: "ar", to: "en", prefix: None };
    let rows = model::config(&folder).unwrap().vocab_size();
    assert!(tokenizer::load(&folder, task, rows).is_ok());
    let error = tokenizer::load(&folder, task, rows - 27).err().unwrap().to_string();
    assert!(error.contains("fewer languages than mBART-50"), "{error}");
}

#[test]
fn damaged_vocabularies_are_errors_that_name_the_file() {
    for (name, file) in [
        ("t5", "spiece.model"),
        ("nllb", "tokenizer.json"),
        ("mbart50", "sentencepiece.bpe.model"),
        ("m2m100", "sentencepiece.bpe.model"),
        ("m2m100", "vocab.json"),
        ("pegasus", "tokenizer.json"),
    ] {
        let whole = fs::read(fixtures().join(name).join(file)).unwrap();
        for content in [&whole[..whole.len() / 3], b"{}", b""] {
            let copy = without(name, &[file]);
            fs::write(copy.path().join(file), content).unwrap();
            let error =
                load(copy.path(), "ar", "en", None).err().unwrap_or_else(|| panic!("{name}/{file}")).to_string();
            assert!(error.contains(file) && !error.contains('\n'), "{error}");
        }
    }
}

#[test]
fn each_folder_is_taken_for_its_family() {
    let options = HubOptions::new(PathBuf::from("nowhere"));
    let families: BTreeMap<&str, Family> = MODELS.iter().map(|(name, family, _)| (*name, *family)).collect();
    for (name, family) in families {
        let folder = hub::fetch(&ModelRef::Folder(fixtures().join(name)), &options, &mut NoProgress).unwrap();
        assert_eq!(folder.family, family);
    }
}

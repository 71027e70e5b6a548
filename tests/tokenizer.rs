//! The Marian tokenizer against transformers' on the small tokenizers in `fixtures/tokenizer`, and against broken files.
//! Ids and texts expected come from `fixtures/tokenizer/golden.py`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Deserialize;
use translate::hub::ModelFile;
use translate::tokenizer::{MarianTokenizer, Tokenizer, TokenizerError};

#[derive(Deserialize)]
struct Golden {
    texts: Vec<TextCase>,
    decode: Vec<DecodeCase>,
}

#[derive(Deserialize)]
struct TextCase {
    text: String,
    source: Vec<u32>,
    target: Vec<u32>,
    decoded: String,
}

#[derive(Deserialize)]
struct DecodeCase {
    ids: Vec<u32>,
    text: String,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tokenizer")
}

fn golden(name: &str) -> Golden {
    let all = fs::read(fixtures().join("golden.json")).unwrap();
    let mut all: std::collections::HashMap<String, Golden> = serde_json::from_slice(&all).unwrap();
    all.remove(name).unwrap()
}

fn load(folder: &Path) -> Result<MarianTokenizer, TokenizerError> {
    let file = |name: &str| ModelFile::from(folder.join(name));
    let optional = |name: &str| Some(file(name)).filter(|file| file.path().exists());
    MarianTokenizer::from_files(
        &file("source.spm"),
        &file("target.spm"),
        &file("vocab.json"),
        optional("target_vocab.json").as_ref(),
        optional("tokenizer_config.json").as_ref(),
    )
}

fn agrees_with_transformers(name: &str) {
    let tokenizer = load(&fixtures().join(name)).unwrap();
    let Golden { texts, decode } = golden(name);
    assert!(texts.len() > 200 && decode.len() > 50);
    for case in texts {
        assert_eq!(tokenizer.encode(&case.text).unwrap(), case.source, "source ids of {:?}", case.text);
        assert_eq!(tokenizer.encode_target(&case.text).unwrap(), case.target, "target ids of {:?}", case.text);
        assert_eq!(tokenizer.decode(&case.target), case.decoded, "text of {:?}", case.target);
    }
    for case in decode {
        assert_eq!(tokenizer.decode(&case.ids), case.text, "text of {:?}", case.ids);
    }
}

#[test]
fn a_tokenizer_like_the_published_ones_agrees_with_transformers() {
    agrees_with_transformers("small");
}

#[test]
fn own_rules_symbols_bytes_and_two_vocabularies_agree_with_transformers() {
    agrees_with_transformers("odd");
}

#[test]
fn a_word_of_ten_thousand_characters_takes_no_time() {
    let tokenizer = load(&fixtures().join("small")).unwrap();
    let started = Instant::now();
    for word in ["ا".repeat(10_000), "x".repeat(10_000), "والوزير".repeat(1_430)] {
        assert!(tokenizer.encode(&word).unwrap().len() > 1);
    }
    assert!(started.elapsed() < Duration::from_millis(300), "{:?}", started.elapsed());
}

#[test]
fn target_pieces_are_those_of_the_target_side_with_end_and_unknown() {
    let tokenizer = load(&fixtures().join("small")).unwrap();
    let pieces = tokenizer.target_pieces().unwrap();
    assert!(pieces.is_sorted_by(|a, b| a < b));
    assert!(pieces.contains(&tokenizer.eos_id()) && pieces.contains(&tokenizer.unk_id()));
    assert!(!pieces.contains(&tokenizer.pad_id()));
    let arabic = tokenizer.encode("قال الوزير").unwrap();
    assert!(arabic.iter().any(|id| !pieces.contains(id)));
    for case in golden("small").texts {
        // What the target side cannot spell it marks as unknown, unless a piece of the source is spelt so.
        let known = |id: &u32| pieces.contains(id) || !tokenizer.decode(&[*id]).is_ascii();
        assert!(case.text.contains("<pad>") || case.target.iter().all(known), "{:?}", case.text);
    }
}

#[test]
fn ids_outside_the_vocabulary_give_no_text() {
    let tokenizer = load(&fixtures().join("small")).unwrap();
    assert_eq!(tokenizer.vocab_size(), tokenizer.pad_id() as usize + 1);
    assert_eq!(tokenizer.decode(&[u32::MAX, tokenizer.vocab_size() as u32, tokenizer.pad_id()]), "");
}

/// A copy of the small tokenizer that a test may damage.
struct Copy(tempfile::TempDir);

impl Copy {
    fn of(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(fixtures().join(name)).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
        Self(folder)
    }

    fn write(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        fs::write(self.0.path().join(name), content).unwrap();
        self
    }

    fn remove(self, name: &str) -> Self {
        fs::remove_file(self.0.path().join(name)).unwrap();
        self
    }

    /// The one sentence that loading it fails with.
    fn error(&self) -> String {
        let message = load(self.0.path()).unwrap_err().to_string();
        assert!(!message.contains('\n') && message.contains("; "), "{message}");
        message
    }
}

#[test]
fn a_missing_file_is_named() {
    for name in ["source.spm", "target.spm", "vocab.json"] {
        assert!(Copy::of("small").remove(name).error().contains(name));
    }
    assert!(Copy::of("odd").remove("target_vocab.json").error().contains("target_vocab.json"));
}

#[test]
fn truncated_or_foreign_spm_files_are_errors_that_name_the_file() {
    let whole = fs::read(fixtures().join("odd/source.spm")).unwrap();
    for length in (1..whole.len()).step_by(97) {
        let copy = Copy::of("odd").write("source.spm", &whole[..length]);
        // A cut between two fields can leave a smaller model that is whole.
        if load(copy.0.path()).is_err() {
            assert!(copy.error().contains("source.spm"));
        }
    }
    for content in [&b""[..], b"not a model", b"{}", &[0xFF; 64]] {
        assert!(Copy::of("small").write("target.spm", content).error().contains("target.spm"));
    }
}

#[test]
fn damaged_spm_bytes_never_panic() {
    let whole = fs::read(fixtures().join("odd/source.spm")).unwrap();
    for at in (0..whole.len()).step_by(41) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        if let Ok(tokenizer) = load(Copy::of("odd").write("source.spm", bytes).0.path()) {
            assert!(!tokenizer.encode("قال abc ـ عاجل 😀").unwrap().is_empty());
        }
    }
}

#[test]
fn vocabularies_that_cannot_be_are_errors_that_say_why() {
    let specials = r#""</s>": 0, "<unk>": 1, "<pad>": 2"#;
    let cases = [
        ("{", "EOF"),
        ("[]", "map"),
        (r#"{"</s>": -1}"#, "-1"),
        (r#"{"</s>": 0.5}"#, "0.5"),
        (r#"{"</s>": 4294967296}"#, "4294967296"),
        ("{}", "<unk>"),
        (r#"{"<unk>": 0, "<pad>": 1}"#, "</s>"),
        (r#"{"</s>": 0, "<pad>": 1}"#, "<unk>"),
        (r#"{"</s>": 0, "<unk>": 1}"#, "<pad>"),
        (&format!(r#"{{{specials}, "a": 4294967295}}"#), "4294967295 is out of range"),
        (&format!(r#"{{{specials}, "a": 2}}"#), r#""<pad>" and "a" both have the id 2"#),
    ];
    for (content, reason) in cases {
        let message = Copy::of("small").write("vocab.json", content).error();
        assert!(message.contains("vocab.json") && message.contains(reason), "{message}");
    }
}

#[test]
fn a_broken_configuration_is_named_and_none_is_needed() {
    let message = Copy::of("small").write("tokenizer_config.json", "{\"eos_token\": 1}").error();
    assert!(message.contains("tokenizer_config.json"), "{message}");
    let plain = load(Copy::of("small").remove("tokenizer_config.json").0.path()).unwrap();
    let text = "قال الوزير";
    assert_eq!(plain.encode(text).unwrap(), load(&fixtures().join("small")).unwrap().encode(text).unwrap());
}

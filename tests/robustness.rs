//! What is wrong with files and arguments: each fault has its exit status and one sentence that helps.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

fn press() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/golden/press")
}

fn translate(model: &Path, input: &str, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_translate"))
        .args([input, "--model", model.to_str().unwrap()])
        .args(more)
        .env_remove("TRANSLATE_MODEL")
        .env("HF_HUB_OFFLINE", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Checks a failure's status, its one sentence and the words that must be in it.
fn assert_fails(output: &Output, status: i32, words: &[&str]) {
    let message = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(status), "{message}");
    assert!(output.stdout.is_empty());
    assert!(!message.contains("panicked"), "{message}");
    for word in words {
        assert!(message.contains(word), "{word:?} is not in {message}");
    }
    if status == 1 {
        assert_eq!(message.trim_end().lines().count(), 1, "{message}");
    }
}

fn write(folder: &TempDir, name: &str, content: &[u8]) -> String {
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A copy of the model that a test may damage, and a text for it.
fn damaged(damage: impl FnOnce(&Path)) -> (TempDir, PathBuf, String) {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    fs::create_dir(&model).unwrap();
    for entry in fs::read_dir(press()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), model.join(entry.file_name())).unwrap();
    }
    damage(&model);
    let text = write(&folder, "text.txt", "مرحبا".as_bytes());
    (folder, model, text)
}

#[test]
fn inputs_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    assert_fails(&translate(&press(), "missing.txt", &[]), 1, &["missing.txt"]);
    assert_fails(&translate(&press(), folder.path().to_str().unwrap(), &[]), 1, &["is a folder"]);
    let image = write(&folder, "a.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    assert_fails(&translate(&press(), &image, &[]), 1, &["a.txt", "an image", "plain text"]);
    let binary = write(&folder, "b.txt", &[7, 0, 1, 0, 0, 200, 3, 9, 0, 14]);
    assert_fails(&translate(&press(), &binary, &[]), 1, &["b.txt", "binary"]);
}

#[test]
fn mistyped_commands_and_misplaced_dashes() {
    let folder = tempfile::tempdir().unwrap();
    let text = write(&folder, "text.txt", "مرحبا".as_bytes());
    assert_fails(&translate(&press(), "sumarize", &[&text]), 1, &["sumarize can't be read"]);
    let out = folder.path().join("out");
    let arguments = ["-", "--output-dir", out.to_str().unwrap()];
    assert_fails(&translate(&press(), &text, &arguments), 2, &["standard input"]);
    assert_fails(
        &translate(&press(), "summarize", &[&[text.as_str()], &arguments[..]].concat()),
        2,
        &["standard input"],
    );
    assert_fails(&translate(&press(), "summarize", &[&text, "missing.txt"]), 1, &["missing.txt can't be read"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_named_pipe_is_read_once_and_names_need_not_be_utf_8() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    const TEXT: &str = "The minister opened the port.\n";
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let name = |bytes| folder.path().join(OsStr::from_bytes(bytes));
    fs::write(name(b"a\xFF.txt"), "1\n").unwrap();
    fs::write(name(b"a\xFE.txt"), TEXT).unwrap();
    for (command, expected) in [(None, TEXT), (Some("summarize"), &format!("The minister opened the port\n\n{TEXT}"))] {
        let run = |arguments: &[&OsStr]| {
            let output = Command::new(env!("CARGO_BIN_EXE_translate"))
                .args(command)
                .args(["--model", press().to_str().unwrap()])
                .args(arguments)
                .env("HF_HUB_OFFLINE", "1")
                .output()
                .unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        let feeder = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::write(pipe, TEXT)
        });
        assert_eq!(run(&[pipe.as_os_str()]), expected);
        feeder.join().unwrap().unwrap();

        let (one, other) = (name(b"a\xFF.txt"), name(b"a\xFE.txt"));
        run(&[one.as_os_str(), other.as_os_str(), OsStr::new("--output-dir"), folder.path().as_os_str()]);
        assert_eq!(fs::read_to_string(name(b"a\xFE.en.txt")).unwrap(), expected);
    }
}

#[test]
fn ten_megabytes_on_a_line_are_translated_and_fifty_refused() {
    let folder = tempfile::tempdir().unwrap();
    // Numbers pass through, so that the text is read, split and written, but costs no decoding.
    let ten = write(&folder, "ten.txt", "12345 ".repeat(10_000_000 / 6).as_bytes());
    let output = translate(&press(), &ten, &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.stdout, fs::read(&ten).unwrap());

    let fifty = write(&folder, "fifty.txt", "كلمة ".repeat(50_000_000 / 9).as_bytes());
    assert_fails(&translate(&press(), &fifty, &[]), 1, &["line 1", "fifty.txt", "16 MiB"]);
}

#[test]
fn models_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let text = write(&folder, "text.txt", "مرحبا".as_bytes());
    let no = |name: &str, words: &[&str]| assert_fails(&translate(Path::new(name), &text, &[]), 1, words);
    no("opus-mt-ar-eng", &["opus-mt-ar-eng", "opus-mt-ar-en"]);
    no("./no-such-folder", &["no-such-folder"]);
    no(folder.path().to_str().unwrap(), &["config.json"]);
    assert_fails(&translate(Path::new("opus-mt-ar-en"), &text, &["--from", "ja"]), 1, &["ja", "ar-en"]);
}

#[test]
fn an_unreachable_hub() {
    let folder = tempfile::tempdir().unwrap();
    let text = write(&folder, "text.txt", "مرحبا".as_bytes());
    let output = Command::new(env!("CARGO_BIN_EXE_translate"))
        .args([text.as_str(), "--model", "opus-mt-ar-en"])
        .env_remove("HF_HUB_OFFLINE")
        .env("HF_HOME", folder.path())
        .env("HF_ENDPOINT", "http://127.0.0.1:9")
        .output()
        .unwrap();
    assert_fails(&output, 1, &["127.0.0.1:9", "HF_ENDPOINT"]);
    let output = translate(Path::new("opus-mt-ar-en"), &text, &["--offline"]);
    assert_fails(&output, 1, &["opus-mt-ar-en"]);
}

#[test]
fn truncated_weights() {
    for keep in [0, 5, 100, 20_000] {
        let (_folder, model, text) = damaged(|model| {
            let path = model.join("model.safetensors");
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, &bytes[..keep.min(bytes.len() - 1)]).unwrap();
        });
        assert_fails(&translate(&model, &text, &[]), 1, &["model.safetensors", "models pull"]);
    }
}

#[test]
fn weights_that_are_no_weights() {
    let (_folder, model, text) = damaged(|model| {
        fs::remove_file(model.join("model.safetensors")).unwrap();
        fs::write(model.join("pytorch_model.bin"), b"not a pickle").unwrap();
    });
    assert_fails(&translate(&model, &text, &[]), 1, &["pytorch_model.bin"]);
}

#[test]
fn files_that_disagree() {
    let (_folder, model, text) = damaged(|model| {
        let path = model.join("vocab.json");
        let mut vocab: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        vocab.insert("▁extra".into(), vocab.len().into());
        fs::write(&path, serde_json::to_vec(&vocab).unwrap()).unwrap();
    });
    assert_fails(&translate(&model, &text, &[]), 1, &["the vocabulary has", "belong together"]);

    let edit = |from: &'static str, to: &'static str| {
        damaged(move |model| {
            let path = model.join("config.json");
            let config = fs::read_to_string(&path).unwrap();
            assert!(config.contains(from), "{config}");
            fs::write(&path, config.replace(from, to)).unwrap();
        })
    };
    let (_folder, model, text) = edit("\"decoder_ffn_dim\": 32", "\"decoder_ffn_dim\": 33");
    assert_fails(&translate(&model, &text, &[]), 1, &["model.decoder.layers.0.fc1.weight", "[32, 16]", "[33, 16]"]);
    let (_folder, model, text) = edit("\"encoder_layers\": 1", "\"encoder_layers\": 2");
    assert_fails(&translate(&model, &text, &[]), 1, &["model.encoder.layers.1"]);
    let (_folder, model, text) = edit("\"d_model\": 16", "\"d_model\": 15");
    assert_fails(&translate(&model, &text, &[]), 1, &["d_model (15)", "encoder_attention_heads (2)"]);
}

#[test]
fn usage_errors_have_status_2() {
    let folder = tempfile::tempdir().unwrap();
    let text = write(&folder, "text.txt", "مرحبا".as_bytes());
    for arguments in [
        &["--beam-size", "0"][..],
        &["--device", "toaster"],
        &["--format", "pdf"],
        &["--encoding", "klingon"],
        &["--detail"],
        &["--normalize", "nothing"],
    ] {
        assert_fails(&translate(&press(), &text, arguments), 2, &["error:"]);
    }
    assert_fails(&translate(&press(), &text, &["--n-best", "9"]), 1, &["9", "beam"]);
    // What would take all memory, or draw no token at all.
    assert_fails(&translate(&press(), &text, &["--beam-size", "70000"]), 1, &["beam size", "256"]);
    for (flag, value) in [("--temperature", "0"), ("--temperature", "nan"), ("--top-p", "0"), ("--top-p", "2")] {
        let name = flag.trim_start_matches('-');
        assert_fails(&translate(&press(), &text, &["--sample", "1", flag, value]), 1, &[name]);
    }
    let drawn = |flags: &[&str]| translate(&press(), &text, &[&["--sample", "1"], flags].concat()).stdout;
    assert_eq!(drawn(&["--top-k", "0"]), drawn(&[]));
    assert_fails(&translate(&press(), &text, &["--precision", "f16"]), 1, &["GPU"]);
    assert_fails(&translate(&press(), &text, &["--device", "cuda"]), 1, &["cuda:0", "--device cpu"]);
}

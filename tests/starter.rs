//! The built-in model, and which model runs where none is named.

mod support;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use candle_core::{DType, Device};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use support::hub::isolate;
use support::world::{REPO, World, assert_says, failure, stderr};
use translate::model::Precision;
use translate::registry::Registry;
use translate::translator::Translator;

const SENTENCE: &str = "أعلنت الوزارة اليوم افتتاح المستشفى الجديد.";
const DEFAULT: &str = "opus-mt-tc-big-ar-en";
/// What the translation says does not matter here.
const SHORT: [&str; 4] = ["--exact", "--max-length", "12", "--beam-size=2"];
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// An address on this machine where nobody listens.
fn closed_port() -> String {
    format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap())
}

/// `translate` for one sentence, with an empty cache and no hub but the one at `endpoint`.
fn translate(endpoint: &str, change: impl FnOnce(&mut Command)) -> Output {
    let home = tempfile::tempdir().unwrap();
    let text = home.path().join("text.txt");
    fs::write(&text, SENTENCE).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_translate"));
    isolate(&mut command, home.path());
    command.env("HF_ENDPOINT", endpoint).env_remove("TRANSLATE_MODEL").arg(text).args(SHORT);
    change(&mut command);
    command.output().unwrap()
}

/// Names the hub's model as the default one.
fn own_default(world: &World) -> std::path::PathBuf {
    let file = world.home.path().join("own.toml");
    let entry = format!(
        "default = \"ours\"\n[[model]]\nname = \"ours\"\nrepo = \"{REPO}\"\nfamily = \"marian\"\nsource = [\"ar\"]\n\
         target = [\"en\"]\ntask = \"translate\"\nlicence = \"MIT\"\ndownload_mb = 1\nmemory_mb = 1\nadvice = \"Ours.\"\n"
    );
    fs::write(&file, entry).unwrap();
    file
}

/// `translate` for one sentence with the world's hub and cache, and its model as the default one.
fn translate_in(world: &World, arguments: &[&str]) -> Output {
    let text = world.home.path().join("text.txt");
    fs::write(&text, SENTENCE).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_translate"));
    world.hub.configure(&mut command, world.home.path());
    command
        .env_remove("TRANSLATE_MODEL")
        .arg(text)
        .arg("--models-file")
        .arg(own_default(world))
        .args(SHORT)
        .args(arguments);
    command.output().unwrap()
}

#[test]
fn a_model_that_is_named_is_never_replaced() {
    let named = translate(&closed_port(), |command| _ = command.args(["--model", "opus-mt-ar-en"]));
    assert_says(&failure(&named), &["cannot reach the hub"]);
    let by_variable = translate(&closed_port(), |command| _ = command.env("TRANSLATE_MODEL", DEFAULT));
    assert_says(&failure(&by_variable), &["cannot reach the hub"]);
    let offline = translate(&closed_port(), |command| _ = command.args(["--model", DEFAULT, "--offline"]));
    assert_says(&failure(&offline), &["the network is off", DEFAULT]);
}

#[test]
fn the_default_model_runs_where_it_can_be_had() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/golden/press");
    let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<(String, Vec<u8>)> = entries
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
        .collect();
    let world = World::with(&files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect::<Vec<_>>());
    for arguments in [&["-f", "jsonl"][..], &["-f", "jsonl", "--offline"]] {
        let output = translate_in(&world, arguments);
        assert!(output.status.success() && output.stderr.is_empty(), "{}", stderr(&output));
        let segment: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(segment["model"], format!("ours@{}", world.commit));
    }
}

/// Stores every matrix of a folder's weights as integers, as `training/quantise.py` does.
fn stored_as_int8(folder: &Path, out: &Path) {
    let bytes = |values: &[f32]| -> Vec<u8> { values.iter().flat_map(|value| value.to_le_bytes()).collect() };
    let mut tensors = Vec::new();
    for (name, tensor) in candle_core::safetensors::load(folder.join("model.safetensors"), &Device::Cpu).unwrap() {
        let shape = tensor.dims().to_vec();
        let values: Vec<f32> = tensor.to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        if shape.len() < 2 || !name.ends_with(".weight") {
            tensors.push((name, Dtype::F32, shape, bytes(&values)));
            continue;
        }
        let (mut integers, mut scales) = (Vec::new(), Vec::new());
        for row in values.chunks(shape[1]) {
            let scale = row.iter().fold(0f32, |most, value| most.max(value.abs())) / 127.0;
            integers.extend(row.iter().map(|value| ((value * scale.recip()).round_ties_even() as i8).cast_unsigned()));
            scales.push(scale);
        }
        tensors.push((format!("{name}_scale"), Dtype::F32, vec![shape[0]], bytes(&scales)));
        tensors.push((name, Dtype::I8, shape, integers));
    }
    let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
        let view = TensorView::new(*dtype, shape.clone(), bytes).unwrap();
        (name.clone(), view)
    });
    safetensors::serialize_to_file(views, None, &out.join("model.safetensors")).unwrap();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
        if !entry.file_name().to_str().unwrap().starts_with("model.safetensors") {
            fs::copy(entry.path(), out.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn weights_stored_as_int8_are_what_is_made_of_f32_at_run_time() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/golden/press");
    let stored = tempfile::tempdir().unwrap();
    stored_as_int8(&folder, stored.path());
    let translate = |folder: &Path, precision| {
        let builder = Translator::builder().model(folder.to_str().unwrap()).precision(precision);
        builder.build().unwrap().translate_batch(&[SENTENCE, "وبلغ عدد المشتركين 11.3 مليون مشترك."]).unwrap()
    };
    let made = translate(&folder, Precision::Int8);
    assert_eq!(translate(stored.path(), Precision::Auto), made);
    assert_ne!(translate(stored.path(), Precision::F32), made);
}

#[test]
fn the_name_starter_is_the_built_in_models() {
    let mut registry = Registry::builtin().unwrap();
    let entry = "[[model]]\nname = \"starter\"\nrepo = \"a/b\"\nfamily = \"marian\"\nsource = [\"ar\"]\ntarget = [\"en\"]\n\
                 task = \"translate\"\nlicence = \"MIT\"\ndownload_mb = 1\nmemory_mb = 1\nadvice = \"Ours.\"\n";
    let error = registry.extend_from_str(entry, "own.toml").unwrap_err().to_string();
    assert_says(&error, &["own.toml:1", "\"starter\" is the built-in model's"]);
    let nowhere = entry.replace("repo = \"a/b\"\n", "").replace("starter", "other");
    assert_says(&registry.extend_from_str(&nowhere, "own.toml").unwrap_err().to_string(), &["missing field `repo`"]);

    let world = World::new();
    assert_says(&world.fail(&["remove", "starter"]), &["starter is built into the program"]);
    let other = translate(&closed_port(), |command| _ = command.args(["--model", "starter@0.0.0-other"]));
    assert_says(&failure(&other), &["0.0.0-other", VERSION]);
    assert!(world.hub.requests().is_empty());
}

#[cfg(not(feature = "starter"))]
mod without {
    use super::*;

    #[test]
    fn a_build_without_it_says_where_to_get_a_model() {
        let world = World::new();
        assert_says(&world.succeed(&["list"]), &["not in this build"]);
        assert_says(&world.fail(&["pull", "starter"]), &["built without the starter model", "translate models list"]);
        let named = translate(&closed_port(), |command| _ = command.args(["--model", "starter"]));
        assert_says(&failure(&named), &["built without the starter model", "translate models pull"]);
        assert_says(&failure(&translate(&closed_port(), |_| {})), &["cannot reach the hub"]);
    }
}

#[cfg(feature = "starter")]
mod with {
    use std::time::Instant;

    use translate::hub::HubOptions;

    use super::support::hub::Fault;
    use super::support::world::{WEIGHTS, weights};
    use super::*;

    /// What a run that must end well with the built-in model says on standard error, its one line.
    #[track_caller]
    fn fallback(output: &Output) -> String {
        let note = stderr(output);
        assert!(output.status.success(), "{note}");
        assert!(!output.stdout.is_empty());
        assert_eq!(note.lines().count(), 1, "{note}");
        assert_says(&note, &["starter", "built-in"]);
        note
    }

    /// Four seconds are waited, and a busy machine may take a while for the rest; without that limit it would be twenty and
    /// more.
    fn assert_quick(started: Instant) {
        assert!(started.elapsed().as_secs_f64() < 15.0, "{:?}", started.elapsed());
    }

    #[test]
    fn a_dead_network_leaves_the_built_in_model() {
        let started = Instant::now();
        let output = translate(&closed_port(), |command| _ = command.args(["-q", "-f", "json"]));
        assert_quick(started);
        let why = format!("{DEFAULT} can't be had (the hub at http://127.0.0.1");
        assert_says(&fallback(&output), &[&why, &format!("translate models pull {DEFAULT}"), "607 MB"]);
        let segments: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(segments[0]["model"], format!("starter@{VERSION}"));
        let letters = segments[0]["translation"].as_str().unwrap().chars().filter(|c| c.is_alphabetic());
        assert!(letters.clone().count() > 0 && letters.into_iter().all(|c| c.is_ascii()), "{segments}");
    }

    #[test]
    fn a_hub_that_is_silent_or_out_of_order_is_not_waited_for() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let started = Instant::now();
        let output = translate(&format!("http://{}", silent.local_addr().unwrap()), |_| {});
        assert_quick(started);
        assert_says(&fallback(&output), &["no answer in time"]);

        let world = World::new();
        world.hub.fail("GET /api/models", Fault::Status(503, &[("Retry-After", "30")]));
        let started = Instant::now();
        let output = translate_in(&world, &[]);
        assert_quick(started);
        assert_says(&fallback(&output), &["ours can't be had (the hub answers with status 503)"]);

        let world = World::new();
        world.hub.fail("HEAD /test/marian-ar-en/resolve", Fault::Silence);
        let started = Instant::now();
        let output = translate_in(&world, &[]);
        assert_quick(started);
        assert_says(&fallback(&output), &["no answer in time"]);
    }

    #[test]
    fn a_download_that_breaks_off_is_kept_for_the_next_try() {
        let world = World::new();
        world.hub.fail("GET /cdn/test/marian-ar-en/pytorch", Fault::Cut(150_000));
        world.hub.fail("GET /cdn/test/marian-ar-en/pytorch", Fault::Status(503, &[("Retry-After", "3600")]));
        let note = fallback(&translate_in(&world, &[]));
        assert_says(&note, &["status 503", "translate models pull ours", "goes on where an earlier try stopped"]);
        assert_eq!(fs::metadata(world.partial(&weights())).unwrap().len(), 150_000);

        world.succeed(&["pull", REPO]);
        let last = world.hub.requests().into_iter().rfind(|r| r.path.contains("cdn") && r.path.ends_with(WEIGHTS));
        assert_eq!(last.unwrap().headers["range"], "bytes=150000-");
    }

    #[test]
    fn offline_takes_what_is_there() {
        let world = World::new();
        let note = fallback(&translate_in(&world, &["--offline"]));
        assert_says(&note, &["the network is off and the cache lacks its config.json"]);
        assert!(world.hub.requests().is_empty());
        let by_variable = translate(&closed_port(), |command| _ = command.env("HF_HUB_OFFLINE", "1"));
        assert_says(&fallback(&by_variable), &["the network is off"]);
    }

    #[test]
    fn it_runs_by_its_name_without_a_word() {
        let output = translate(&closed_port(), |command| _ = command.args(["--model", "starter"]));
        assert!(output.status.success() && output.stderr.is_empty(), "{}", stderr(&output));
        assert!(!output.stdout.is_empty());
        let pinned = translate(&closed_port(), |command| {
            command.args(["--model", &format!("starter@{VERSION}")]);
        });
        assert_eq!(pinned.stdout, output.stdout);
        let other_pair = translate(&closed_port(), |command| _ = command.args(["--to", "fr"]));
        assert_says(&failure(&other_pair), &["no known model is there to translate ar to fr"]);
    }

    #[test]
    fn it_is_listed_and_shown_as_built_in() {
        let world = World::new();
        let list = world.succeed(&["list"]);
        let row = list.lines().find(|line| line.starts_with("starter ")).unwrap();
        assert!(row.ends_with("built in"), "{row}");
        assert_says(&world.succeed(&["show", "starter"]), &["built in", "ar-en", "licence"]);
        assert_says(&world.succeed(&["pull", "starter"]), &["nothing to fetch"]);
        assert!(world.hub.requests().is_empty());
    }

    #[test]
    fn a_program_chooses_and_sees_which_model_runs() {
        let home = tempfile::tempdir().unwrap();
        let hub = HubOptions { endpoint: closed_port(), ..HubOptions::new(home.path().to_owned()) };
        let builder = Translator::builder().hub(hub);
        assert!(builder.clone().build().is_err());
        let translator = builder.clone().fall_back(true).build().unwrap();
        assert_eq!(translator.fallback().unwrap().wanted.name, DEFAULT);
        let model = translator.model();
        assert_eq!((model.name.as_str(), &model.repo, model.revision.as_deref()), ("starter", &None, Some(VERSION)));
        let named = builder.model("starter").build().unwrap();
        assert!(named.fallback().is_none());
        assert_eq!(named.model(), model);
    }
}

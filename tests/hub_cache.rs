//! Models in the cache: what lies there, how it is verified, and who shares it.

mod support;

use std::fs;
use std::path::Path;
use std::process::Stdio;

use support::hub::{files, git_sha1, noise, sha256};
use support::world::{REPO, WEIGHTS, World, assert_says, bytes_of, failure, model, publish, stderr, weights};
use translate::hub::{self, HubOptions, NoProgress, Progress};
use translate::registry::{ModelRef, Registry};

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_pull_fetches_what_the_family_needs_into_pythons_layout() {
    let world = World::new();
    let text = world.succeed(&["pull", REPO]);
    assert_says(&text, &[REPO, &world.commit]);

    let mut wanted: Vec<String> = files().iter().map(|(name, _)| name.to_string()).collect();
    wanted.retain(|name| name != "README.md" && name != "tf_model.h5");
    assert_eq!(names_in(&world.snapshot()), wanted);
    assert_eq!(fs::read_to_string(world.repo().join("refs/main")).unwrap(), world.commit);
    for name in &wanted {
        let bytes = bytes_of(&files(), name);
        assert_eq!(fs::read(world.snapshot().join(name)).unwrap(), bytes);
        let large = name.ends_with(".spm") || name.ends_with(".bin");
        let etag = if large { sha256(&bytes) } else { git_sha1(&bytes) };
        #[cfg(unix)]
        assert_eq!(fs::read_link(world.snapshot().join(name)).unwrap(), Path::new("../../blobs").join(&etag));
        assert!(world.repo().join("blobs").join(&etag).is_file());
    }
    assert_eq!(names_in(&world.repo().join("blobs")).len(), wanted.len(), "partial files are left behind");
}

#[test]
fn the_commit_sizes_and_checksums_are_recorded_and_shown() {
    let world = World::new();
    world.succeed(&["pull", REPO]);
    let record: serde_json::Value =
        serde_json::from_slice(&fs::read(world.repo().join("translate.json")).unwrap()).unwrap();
    assert_eq!(record["revisions"]["main"], world.commit);
    let file = &record["commits"][&world.commit][WEIGHTS];
    assert_eq!(file["size"], weights().len());
    assert_eq!(file["sha256"], sha256(&weights()));

    let shown = world.succeed(&["show", REPO, "--verify"]);
    assert_says(&shown, &[&world.commit, WEIGHTS, &sha256(&weights()), "all 7 files are as downloaded"]);
    assert_says(&world.succeed(&["list"]), &["opus-mt-ar-en", "Apache-2.0", REPO]);
}

#[test]
fn a_cached_model_needs_no_network() {
    let world = World::new();
    world.succeed(&["pull", REPO]);
    let before = world.hub.requests().len();
    let folder = hub::fetch(&model(), &world.options(), &mut NoProgress).unwrap();
    assert_eq!(world.hub.requests().len(), before);
    assert_eq!(folder.file("vocab.json").unwrap().path(), world.snapshot().join("vocab.json"));
    assert!(folder.file("target_vocab.json").is_none());
    assert_eq!(folder.weights()[0].path(), world.snapshot().join(WEIGHTS));
    assert_eq!(folder.provenance.commit.as_deref(), Some(world.commit.as_str()));
}

#[test]
fn a_pinned_revision_stays_until_it_is_pulled_again() {
    let world = World::new();
    world.succeed(&["pull", REPO]);
    let mut newer = files();
    newer[3].1 = noise(1000, 9);
    let newer = publish(&world.hub, &newer);
    assert_says(&world.succeed(&["show", REPO]), &[&world.commit]);
    assert_says(&world.succeed(&["pull", REPO]), &[&newer]);
    assert_says(&world.succeed(&["show", REPO]), &[&newer]);
}

#[test]
fn a_second_pull_fetches_nothing_twice() {
    let world = World::new();
    world.succeed(&["pull", REPO]);
    world.succeed(&["pull", REPO]);
    assert_eq!(world.hub.requests_for("GET /cdn").len(), 3);
}

#[test]
fn offline_makes_no_request_and_names_the_missing_file() {
    let world = World::new();
    let offline = HubOptions { offline: true, ..world.options() };
    let error = hub::fetch(&model(), &offline, &mut NoProgress).unwrap_err().to_string();
    assert_says(&error, &["config.json is missing", &format!("translate models pull {REPO}")]);
    assert_says(&world.fail(&["pull", REPO, "--offline"]), &["network is off", "HF_HUB_OFFLINE"]);
    let by_variable = world.command(&["pull", REPO]).env("HF_HUB_OFFLINE", "1").output().unwrap();
    assert_says(&failure(&by_variable), &["network is off"]);
    assert!(world.hub.requests().is_empty());

    world.succeed(&["pull", REPO]);
    hub::fetch(&model(), &offline, &mut NoProgress).unwrap();
    fs::remove_file(world.snapshot().join("vocab.json")).unwrap();
    let error = hub::fetch(&model(), &offline, &mut NoProgress).unwrap_err().to_string();
    assert_says(&error, &["vocab.json is missing"]);
}

#[test]
fn a_damaged_cached_file_is_named_and_mended_by_a_pull() {
    let world = World::new();
    world.succeed(&["pull", REPO]);
    fs::write(world.blob(&weights()), &weights()[..1000]).unwrap();
    let error = hub::fetch(&model(), &world.options(), &mut NoProgress).unwrap_err().to_string();
    assert_says(&error, &[WEIGHTS, "1000 bytes", "200000 bytes", &format!("translate models pull {REPO}")]);
    world.succeed(&["pull", REPO]);
    hub::fetch(&model(), &world.options(), &mut NoProgress).unwrap();

    let mut changed = weights();
    changed[5] ^= 1;
    fs::write(world.blob(&weights()), &changed).unwrap();
    let output = world.run(&["show", REPO, "--verify"]);
    assert_eq!(output.status.code(), Some(1));
    assert_says(&stderr(&output), &[WEIGHTS, &sha256(&weights()), &sha256(&changed)]);
    world.succeed(&["pull", REPO]);
    world.succeed(&["show", REPO, "--verify"]);
}

#[test]
fn a_lost_cached_file_is_fetched_again() {
    let world = World::new();
    world.succeed(&["pull", REPO]);
    fs::remove_file(world.blob(&weights())).unwrap();
    hub::fetch(&model(), &world.options(), &mut NoProgress).unwrap();
    assert_eq!(fs::read(world.snapshot().join(WEIGHTS)).unwrap(), weights());
}

#[test]
fn what_python_cached_is_used_and_verified_without_network() {
    let world = World::new();
    world.succeed(&["pull", REPO]);
    fs::remove_file(world.repo().join("translate.json")).unwrap();
    let absent = world.repo().join(".no_exist").join(&world.commit);
    fs::create_dir_all(&absent).unwrap();
    fs::write(absent.join("target_vocab.json"), "").unwrap();
    let before = world.hub.requests().len();
    hub::fetch(&model(), &world.options(), &mut NoProgress).unwrap();
    assert_eq!(world.hub.requests().len(), before);
    assert_says(&world.succeed(&["show", REPO, "--verify"]), &["all 7 files"]);

    fs::remove_file(world.repo().join("translate.json")).unwrap();
    fs::write(world.blob(&weights()), noise(weights().len(), 5)).unwrap();
    let error = hub::fetch(&model(), &world.options(), &mut NoProgress).unwrap_err().to_string();
    assert_says(&error, &[WEIGHTS, "damaged", &sha256(&weights())]);
}

#[test]
fn a_broken_record_is_made_anew() {
    let world = World::new();
    world.succeed(&["pull", REPO]);
    fs::write(world.repo().join("translate.json"), "{\"revisions\": 7").unwrap();
    hub::fetch(&model(), &world.options(), &mut NoProgress).unwrap();
    assert_says(&world.succeed(&["show", REPO, "--verify"]), &["all 7 files"]);
}

#[test]
fn processes_that_pull_the_same_model_share_one_download() {
    let world = World::new();
    let spawn = || world.command(&["pull", REPO]).stdout(Stdio::null()).spawn().unwrap();
    for mut child in [spawn(), spawn(), spawn()] {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(world.hub.requests_for("GET /cdn/test/marian-ar-en/pytorch").len(), 1, "fetched more than once");
    world.succeed(&["show", REPO, "--verify"]);
}

#[test]
fn a_process_that_waits_for_another_says_so() {
    struct Notes(std::sync::mpsc::Sender<String>);
    impl Progress for Notes {
        fn start(&mut self, _: &str, _: u64, _: u64) {}
        fn advance(&mut self, _: u64) {}
        fn finish(&mut self) {}
        fn note(&mut self, message: &str) {
            self.0.send(message.to_owned()).unwrap();
        }
    }
    let world = World::new();
    let lock = world.home.path().join("hub/.locks/models--test--marian-ar-en");
    fs::create_dir_all(&lock).unwrap();
    let held = fs::File::create(lock.join(format!("{}.lock", sha256(&weights())))).unwrap();
    held.lock().unwrap();
    let (sender, notes) = std::sync::mpsc::channel();
    let options = world.options();
    let waiting = std::thread::spawn(move || hub::fetch(&model(), &options, &mut Notes(sender)).map(|_| ()));
    assert_eq!(notes.recv().unwrap(), "another process is fetching pytorch_model.bin: waiting for it");
    drop(held);
    waiting.join().unwrap().unwrap();
}

#[test]
fn a_removed_model_is_gone() {
    let world = World::new();
    world.succeed(&["pull", REPO]);
    assert_says(&world.succeed(&["remove", REPO]), &["removed", "206.0"]);
    assert!(!world.repo().exists());
    assert_says(&world.fail(&["remove", REPO]), &["not in the cache"]);
    assert_says(&world.succeed(&["show", REPO]), &["cached      no", "translate models pull"]);
}

#[test]
fn a_local_folder_is_a_model_too() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files() {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let world = World::new();
    let path = folder.path().to_str().unwrap();
    let reference = ModelRef::parse(path, &Registry::default()).unwrap();
    let found = hub::fetch(&reference, &world.options(), &mut NoProgress).unwrap();
    assert_eq!(found.file("config.json").unwrap().path(), folder.path().join("config.json"));
    assert_eq!(found.weights()[0].path(), folder.path().join(WEIGHTS));
    assert_eq!(found.provenance.commit, None);
    assert!(world.hub.requests().is_empty());
    assert_says(&world.fail(&["remove", path]), &["a folder of yours"]);

    fs::remove_file(folder.path().join("source.spm")).unwrap();
    let error = hub::fetch(&reference, &world.options(), &mut NoProgress).unwrap_err().to_string();
    assert_says(&error, &[path, "lacks source.spm"]);
}

//! Fetching models: what arrives, what is asked of the network, and what happens when it misbehaves. The real
//! binary against a hub on loopback, and the library where time-outs have to be short.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use support::hub::{Fault, Hub, files, git_sha1, noise, sha256, start_proxy};
use tempfile::TempDir;
use translate::hub::{self, HubOptions, NoProgress, Progress};
use translate::registry::{ModelRef, Registry};

const REPO: &str = "test/marian-ar-en";
const WEIGHTS: &str = "pytorch_model.bin";
const NOW: &[(&str, &str)] = &[("Retry-After", "0")];

/// A hub with one model, and an empty cache.
struct World {
    hub: Hub,
    home: TempDir,
    commit: String,
}

impl World {
    fn new() -> Self {
        Self::with(&files())
    }

    fn with(files: &[(&str, Vec<u8>)]) -> Self {
        let hub = Hub::start();
        let commit = publish(&hub, files);
        Self { hub, home: tempfile::tempdir().unwrap(), commit }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_translate"));
        command.arg("models").args(arguments);
        self.hub.configure(&mut command, self.home.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The single line on standard error of a command that fails with status 1.
    fn fail(&self, arguments: &[&str]) -> String {
        failure(&self.run(arguments))
    }

    fn repo(&self) -> PathBuf {
        self.home.path().join("hub/models--test--marian-ar-en")
    }

    fn snapshot(&self) -> PathBuf {
        self.repo().join("snapshots").join(&self.commit)
    }

    fn blob(&self, bytes: &[u8]) -> PathBuf {
        self.repo().join("blobs").join(sha256(bytes))
    }

    fn partial(&self, bytes: &[u8]) -> PathBuf {
        self.blob(bytes).with_extension("incomplete")
    }

    fn options(&self) -> HubOptions {
        HubOptions {
            endpoint: self.hub.endpoint(),
            backoff: Duration::ZERO,
            read_timeout: Duration::from_millis(200),
            retries: 2,
            ..HubOptions::new(self.home.path().join("hub"))
        }
    }
}

fn publish(hub: &Hub, files: &[(&str, Vec<u8>)]) -> String {
    hub.publish(REPO, &files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect::<Vec<_>>())
}

fn model() -> ModelRef {
    ModelRef::parse(REPO, &Registry::default()).unwrap()
}

fn weights() -> Vec<u8> {
    bytes_of(&files(), WEIGHTS)
}

fn bytes_of(files: &[(&str, Vec<u8>)], name: &str) -> Vec<u8> {
    files.iter().find(|(known, _)| *known == name).unwrap().1.clone()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn failure(output: &Output) -> String {
    let text = stderr(output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(output.stdout.is_empty(), "{output:?}");
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

#[track_caller]
fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in {text:?}");
    }
}

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
    assert_eq!(folder.file("vocab.json"), Some(world.snapshot().join("vocab.json")));
    assert_eq!(folder.file("target_vocab.json"), None);
    assert_eq!(folder.weights(), [world.snapshot().join(WEIGHTS)]);
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
fn safetensors_come_before_a_pickle() {
    let mut both = files();
    both.push(("model.safetensors", noise(5000, 7)));
    let world = World::with(&both);
    world.succeed(&["pull", REPO]);
    assert!(world.snapshot().join("model.safetensors").is_file());
    assert!(!world.snapshot().join(WEIGHTS).exists());
}

#[test]
fn shards_are_fetched_by_their_index() {
    let mut sharded = files();
    let index = br#"{"weight_map": {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}}"#;
    sharded.push(("model.safetensors.index.json", index.to_vec()));
    sharded.push(("model-1-of-2.safetensors", noise(5000, 7)));
    sharded.push(("model-2-of-2.safetensors", noise(6000, 8)));
    let world = World::with(&sharded);
    let folder = hub::fetch(&model(), &world.options(), &mut NoProgress).unwrap();
    let shards = ["model-1-of-2.safetensors", "model-2-of-2.safetensors"];
    assert_eq!(folder.weights(), shards.map(|name| world.snapshot().join(name)));
    assert!(folder.weights().iter().all(|shard| shard.is_file()));
}

#[test]
fn an_index_cannot_lead_out_of_the_repository() {
    let mut hostile = files();
    hostile.push(("model.safetensors.index.json", br#"{"weight_map": {"a": "../../../x.safetensors"}}"#.to_vec()));
    let world = World::with(&hostile);
    assert_says(&world.fail(&["pull", REPO]), &["model.safetensors.index.json", "is no name of a shard"]);
}

#[test]
fn another_kind_of_model_is_refused_before_its_weights_are_fetched() {
    let mut other = files();
    other[1].1 = br#"{"model_type": "llama"}"#.to_vec();
    let world = World::with(&other);
    assert_says(&world.fail(&["pull", REPO]), &["\"llama\"", "marian"]);
    assert!(world.hub.requests_for(WEIGHTS).is_empty());
}

#[test]
fn a_model_without_a_file_it_needs_is_refused() {
    let mut lacking = files();
    lacking.retain(|(name, _)| *name != "target.spm");
    let world = World::with(&lacking);
    assert_says(&world.fail(&["pull", REPO]), &[REPO, "lacks target.spm"]);
}

#[test]
fn a_connection_cut_in_the_middle_is_resumed() {
    let world = World::new();
    world.hub.fail("GET /cdn/test/marian-ar-en/pytorch", Fault::Cut(50_000));
    world.hub.fail("GET /cdn/test/marian-ar-en/pytorch", Fault::Cut(70_000));
    let folder = hub::fetch(&model(), &world.options(), &mut NoProgress).unwrap();
    assert_eq!(fs::read(&folder.weights()[0]).unwrap(), weights());
    let requests = world.hub.requests().into_iter();
    let ranges: Vec<_> = requests.filter(|r| r.path.contains("cdn") && r.path.ends_with(WEIGHTS)).collect();
    let ranges: Vec<_> = ranges.iter().map(|request| request.headers.get("range").map(String::as_str)).collect();
    assert_eq!(ranges, [None, Some("bytes=50000-"), Some("bytes=120000-")]);
}

#[test]
fn what_an_interrupted_run_left_is_taken_up_by_the_next() {
    let world = World::new();
    fs::create_dir_all(world.repo().join("blobs")).unwrap();
    fs::write(world.partial(&weights()), &weights()[..120_000]).unwrap();
    world.succeed(&["pull", REPO]);
    assert_eq!(fs::read(world.snapshot().join(WEIGHTS)).unwrap(), weights());
    let last = world.hub.requests().into_iter().rfind(|r| r.path.contains("cdn") && r.path.ends_with(WEIGHTS));
    assert_eq!(last.unwrap().headers["range"], "bytes=120000-");
    assert!(!world.partial(&weights()).exists());
}

#[test]
fn a_killed_run_leaves_what_it_had_to_the_next() {
    let world = World::new();
    world.hub.fail("GET /cdn/test/marian-ar-en/pytorch", Fault::Stall(150_000));
    let mut child = world.command(&["pull", REPO]).spawn().unwrap();
    while fs::metadata(world.partial(&weights())).map_or(0, |partial| partial.len()) < 150_000 {
        assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!world.snapshot().join(WEIGHTS).exists());
    world.succeed(&["pull", REPO]);
    assert_eq!(fs::read(world.snapshot().join(WEIGHTS)).unwrap(), weights());
    let last = world.hub.requests().into_iter().rfind(|r| r.path.contains("cdn") && r.path.ends_with(WEIGHTS));
    assert_eq!(last.unwrap().headers["range"], "bytes=150000-");
}

#[test]
fn a_server_without_ranges_starts_again() {
    let world = World::new();
    fs::create_dir_all(world.repo().join("blobs")).unwrap();
    fs::write(world.partial(&weights()), &weights()[..120_000]).unwrap();
    world.hub.fail("GET /cdn/test/marian-ar-en/pytorch", Fault::IgnoreRange);
    world.succeed(&["pull", REPO]);
    assert_eq!(fs::read(world.snapshot().join(WEIGHTS)).unwrap(), weights());
}

#[test]
fn a_wrong_partial_file_is_noticed_and_fetched_afresh() {
    let world = World::new();
    fs::create_dir_all(world.repo().join("blobs")).unwrap();
    for wrong in [noise(120_000, 77), noise(250_000, 78), noise(weights().len(), 79)] {
        fs::write(world.partial(&weights()), wrong).unwrap();
        world.succeed(&["pull", REPO]);
        assert_eq!(fs::read(world.snapshot().join(WEIGHTS)).unwrap(), weights());
        fs::remove_file(world.blob(&weights())).unwrap();
    }
}

#[test]
fn a_wrong_checksum_is_tried_again_and_then_reported() {
    let world = World::new();
    world.hub.fail("GET /cdn/test/marian-ar-en/pytorch", Fault::Garble);
    world.succeed(&["pull", REPO]);

    let world = World::new();
    world.hub.fail("GET /cdn/test/marian-ar-en/source", Fault::Garble);
    world.hub.fail("GET /cdn/test/marian-ar-en/source", Fault::Garble);
    let text = world.fail(&["pull", REPO]);
    assert_says(&text, &["source.spm", "sha256", &sha256(&bytes_of(&files(), "source.spm")), "HF_ENDPOINT"]);
    assert!(!world.snapshot().join("source.spm").exists());
}

#[test]
fn small_files_are_verified_too() {
    let world = World::new();
    world.hub.fail("GET /api/resolve-cache/test/marian-ar-en/vocab.json", Fault::Garble);
    world.hub.fail("GET /api/resolve-cache/test/marian-ar-en/vocab.json", Fault::Garble);
    assert_says(&world.fail(&["pull", REPO]), &["vocab.json", "git sha1"]);
}

#[test]
fn a_busy_hub_is_asked_again_when_it_says() {
    let world = World::new();
    world.hub.fail("GET /api/models", Fault::Status(429, NOW));
    world.hub.fail("HEAD /test", Fault::Status(503, NOW));
    world.hub.fail("GET /cdn", Fault::Status(500, NOW));
    world.hub.fail("GET /cdn", Fault::Status(429, &[("RateLimit", "\"resolvers\";r=0;t=0")]));
    world.succeed(&["pull", REPO]);
    assert_eq!(fs::read(world.snapshot().join(WEIGHTS)).unwrap(), weights());
}

#[test]
fn a_hub_that_stays_busy_is_reported() {
    let world = World::new();
    for _ in 0..5 {
        world.hub.fail("GET /api/models", Fault::Status(429, NOW));
    }
    assert_says(&world.fail(&["pull", REPO]), &["429", "HF_TOKEN"]);

    let world = World::new();
    world.hub.fail("GET /api/models", Fault::Status(429, &[("Retry-After", "3600")]));
    assert_says(&world.fail(&["pull", REPO]), &["asks to wait 3600 s"]);

    let world = World::new();
    for _ in 0..5 {
        world.hub.fail("HEAD /test", Fault::Status(503, NOW));
    }
    assert_says(&world.fail(&["pull", REPO]), &["status 503", "HF_ENDPOINT"]);
}

#[test]
fn a_connection_that_never_brings_a_byte_is_given_up() {
    let world = World::new();
    for _ in 0..3 {
        world.hub.fail("GET /cdn", Fault::HangUp);
    }
    let error = hub::fetch(&model(), &world.options(), &mut NoProgress).unwrap_err();
    assert_says(&error.to_string(), &["3 times without any progress", "source.spm", "it goes on where it stopped"]);
}

#[test]
fn a_hub_that_falls_silent_is_not_waited_for_forever() {
    let world = World::new();
    world.hub.fail("GET /api/models", Fault::Silence);
    world.hub.fail("HEAD /test", Fault::Silence);
    world.hub.fail("GET /cdn", Fault::Silence);
    hub::fetch(&model(), &world.options(), &mut NoProgress).unwrap();

    let world = World::new();
    for _ in 0..3 {
        world.hub.fail("GET /api/models", Fault::Silence);
    }
    let error = hub::fetch(&model(), &world.options(), &mut NoProgress).unwrap_err();
    assert_says(&error.to_string(), &["broke", "timeout"]);
}

#[test]
fn a_dead_network_is_reported_at_once() {
    let world = World::new();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = world.command(&["pull", REPO]);
    let text = failure(&command.env("HF_ENDPOINT", format!("http://{closed}")).output().unwrap());
    assert_says(&text, &["cannot reach the hub", &closed.to_string(), "HTTPS_PROXY"]);
}

#[test]
fn a_proxy_is_used_except_where_no_proxy_says() {
    let world = World::new();
    let (proxy, targets) = start_proxy(&world.hub);
    let mut command = world.command(&["pull", REPO]);
    command.env("HF_ENDPOINT", "http://hub.invalid").env("HTTP_PROXY", proxy).env("NO_PROXY", "localhost");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let targets = targets.lock().unwrap();
    assert!(!targets.is_empty() && targets.iter().all(|target| target == "CONNECT hub.invalid:80"), "{targets:?}");
}

#[test]
fn a_sign_in_page_is_no_hub() {
    let world = World::new();
    world.hub.fail("GET /api/models", Fault::SignInPage);
    assert_says(&world.fail(&["pull", REPO]), &["not a hub's", "sign-in"]);
}

#[test]
fn what_the_hub_lacks_is_named() {
    let world = World::new();
    assert_says(&world.fail(&["pull", "test/nothing"]), &["no repository test/nothing", "HF_TOKEN"]);
    assert_says(&world.fail(&["pull", &format!("{REPO}@v9")]), &[REPO, "no revision \"v9\"", "main"]);
    world.hub.fail("HEAD", Fault::Status(404, &[("X-Error-Code", "EntryNotFound")]));
    assert_says(&world.fail(&["pull", REPO]), &[REPO, "no file config.json"]);
}

#[test]
fn a_gated_model_needs_the_right_token() {
    let world = World::new();
    world.hub.gate(REPO, "hf_right");
    assert_says(&world.fail(&["pull", REPO]), &["refuses access", "HF_TOKEN", REPO]);
    let wrong = world.command(&["pull", REPO]).env("HF_TOKEN", "hf_wrong").output().unwrap();
    assert_says(&failure(&wrong), &["token that was sent"]);
    assert!(!failure(&wrong).contains("hf_wrong"), "a token is printed");

    let right = world.command(&["pull", REPO]).env("HF_TOKEN", "hf_right").output().unwrap();
    assert!(right.status.success(), "{}", stderr(&right));
    let elsewhere = world.hub.requests().into_iter().filter(|request| request.path.starts_with("/cdn"));
    assert!(elsewhere.into_iter().all(|request| !request.headers.contains_key("authorization")), "the token leaks");
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

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_reported() {
    let world = World::new();
    fs::create_dir_all(world.repo().join("blobs")).unwrap();
    std::os::unix::fs::symlink("/dev/full", world.partial(&weights())).unwrap();
    assert_says(&world.fail(&["pull", REPO]), &["is full", "200000 bytes more", WEIGHTS, "HF_HOME"]);
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
    assert_eq!(found.file("config.json"), Some(folder.path().join("config.json")));
    assert_eq!(found.weights(), [folder.path().join(WEIGHTS)]);
    assert_eq!(found.provenance.commit, None);
    assert!(world.hub.requests().is_empty());
    assert_says(&world.fail(&["remove", path]), &["a folder of yours"]);

    fs::remove_file(folder.path().join("source.spm")).unwrap();
    let error = hub::fetch(&reference, &world.options(), &mut NoProgress).unwrap_err().to_string();
    assert_says(&error, &[path, "lacks source.spm"]);
}

#[test]
fn nothing_but_results_and_errors_is_printed_when_no_terminal_looks_on() {
    let world = World::new();
    world.hub.fail("GET /cdn", Fault::Status(503, NOW));
    let output = world.run(&["pull", REPO]);
    assert_eq!(stderr(&output), "");
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 1);
}

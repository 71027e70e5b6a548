//! Fetching models: what is asked of the network, and what happens when it misbehaves. The real binary against a
//! hub on loopback, and the library where time-outs have to be short.

mod support;

use std::fs;

use support::hub::{Fault, files, noise, sha256, start_proxy};
use support::world::{REPO, WEIGHTS, World, assert_says, bytes_of, failure, model, stderr, weights};
use translate::hub::{self, ModelFile, NoProgress};

/// Try again at once.
const NOW: &[(&str, &str)] = &[("Retry-After", "0")];

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
    for (index, shards) in [
        ("model.safetensors.index.json", ["model-1-of-2.safetensors", "model-2-of-2.safetensors"]),
        ("pytorch_model.bin.index.json", ["pytorch_model-1-of-2.bin", "pytorch_model-2-of-2.bin"]),
    ] {
        let mut sharded = files();
        sharded.retain(|(name, _)| *name != WEIGHTS);
        let map = format!(r#"{{"weight_map": {{"a": "{}", "b": "{}"}}}}"#, shards[0], shards[1]);
        sharded.push((index, map.into_bytes()));
        sharded.push((shards[0], noise(5000, 7)));
        sharded.push((shards[1], noise(6000, 8)));
        let world = World::with(&sharded);
        let folder = hub::fetch(&model(), &world.options(), &mut NoProgress).unwrap();
        let found: Vec<_> = folder.weights().iter().map(ModelFile::path).collect();
        assert_eq!(found, shards.map(|name| world.snapshot().join(name)));
        assert!(found.iter().all(|shard| shard.is_file()));
    }
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
fn a_licence_that_forbids_commercial_use_has_to_be_accepted_once() {
    let world = World::new();
    let registry = world.home.path().join("own.toml");
    let entry = format!(
        "[[model]]\nname = \"restricted\"\nrepo = \"{REPO}\"\nfamily = \"marian\"\nsource = [\"ar\"]\ntarget = [\"en\"]\n\
         task = \"translate\"\nlicence = \"CC-BY-NC-4.0\"\ndownload_mb = 1\nmemory_mb = 1\nadvice = \"Ours.\"\n"
    );
    fs::write(&registry, entry).unwrap();
    let with = |arguments: &[&'static str]| [&["--models-file", registry.to_str().unwrap()], arguments].concat();
    assert_says(&world.succeed(&with(&["list"])), &["CC-BY-NC-4.0 (no commercial use)"]);
    for name in ["restricted", REPO] {
        let refusal = world.fail(&with(&["pull", name]));
        assert_says(&refusal, &["restricted", "CC-BY-NC-4.0", "--accept-license"]);
    }
    assert!(world.hub.requests().is_empty());
    world.succeed(&with(&["--accept-license", "pull", "restricted"]));
    world.succeed(&with(&["pull", "restricted"]));
    assert_says(&world.succeed(&with(&["show", "restricted"])), &["CC-BY-NC-4.0 (no commercial use)"]);
}

#[test]
fn a_connection_cut_in_the_middle_is_resumed() {
    let world = World::new();
    world.hub.fail("GET /cdn/test/marian-ar-en/pytorch", Fault::Cut(50_000));
    world.hub.fail("GET /cdn/test/marian-ar-en/pytorch", Fault::Cut(70_000));
    let folder = hub::fetch(&model(), &world.options(), &mut NoProgress).unwrap();
    assert_eq!(folder.weights()[0].read().unwrap(), weights());
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

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_reported() {
    let world = World::new();
    fs::create_dir_all(world.repo().join("blobs")).unwrap();
    std::os::unix::fs::symlink("/dev/full", world.partial(&weights())).unwrap();
    assert_says(&world.fail(&["pull", REPO]), &["is full", "200000 bytes more", WEIGHTS, "HF_HOME"]);
}

#[test]
fn nothing_but_results_and_errors_is_printed_when_no_terminal_looks_on() {
    let world = World::new();
    world.hub.fail("GET /cdn", Fault::Status(503, NOW));
    let output = world.run(&["pull", REPO]);
    assert_eq!(stderr(&output), "");
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 1);
}

#[test]
fn a_model_is_fetched_once_and_translates() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/golden/press");
    let files: Vec<(String, Vec<u8>)> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    let world = World::with(&files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect::<Vec<_>>());
    let golden: serde_json::Value = serde_json::from_slice(&fs::read(folder.with_extension("json")).unwrap()).unwrap();
    let [source, expected] = ["source", "translation"].map(|key| golden["segments"][0][key].as_str().unwrap());

    let text = world.home.path().join("text.txt");
    fs::write(&text, source).unwrap();
    let translate = |more: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_translate"));
        command.args([text.to_str().unwrap(), "--model", REPO, "--exact", "--lines"]).args(more);
        world.hub.configure(&mut command, world.home.path());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(translate(&[]), expected);
    let asked = world.hub.requests().len();
    assert_eq!(translate(&["--offline"]), expected);
    assert_eq!(world.hub.requests().len(), asked);

    // Results say which commit made them, although `main` was asked for.
    let object: serde_json::Value = serde_json::from_str(&translate(&["-f", "jsonl"])).unwrap();
    assert_eq!(object["model"], format!("{REPO}@{}", world.commit));
}

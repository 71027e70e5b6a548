//! A hub with one model, an empty cache, and the binary between them.
#![allow(dead_code, reason = "each test file uses a part")]

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use tempfile::TempDir;
use translate::hub::HubOptions;
use translate::registry::{ModelRef, Registry};

use super::hub::{Hub, files, sha256};

pub const REPO: &str = "test/marian-ar-en";
pub const WEIGHTS: &str = "pytorch_model.bin";

/// A hub with one model, and an empty cache.
pub struct World {
    pub hub: Hub,
    pub home: TempDir,
    pub commit: String,
}

impl World {
    pub fn new() -> Self {
        Self::with(&files())
    }

    pub fn with(files: &[(&str, Vec<u8>)]) -> Self {
        let hub = Hub::start();
        let commit = publish(&hub, files);
        Self { hub, home: tempfile::tempdir().unwrap(), commit }
    }

    /// `translate models …` against the hub and the cache.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_translate"));
        command.arg("models").args(arguments);
        self.hub.configure(&mut command, self.home.path());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What a command that must succeed prints.
    pub fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// As [`failure`], for a command that must fail.
    pub fn fail(&self, arguments: &[&str]) -> String {
        failure(&self.run(arguments))
    }

    /// The model's folder in the cache.
    pub fn repo(&self) -> PathBuf {
        self.home.path().join("hub/models--test--marian-ar-en")
    }

    pub fn snapshot(&self) -> PathBuf {
        self.repo().join("snapshots").join(&self.commit)
    }

    /// Where a large file of these bytes lies.
    pub fn blob(&self, bytes: &[u8]) -> PathBuf {
        self.repo().join("blobs").join(sha256(bytes))
    }

    /// Where it lies until it is whole.
    pub fn partial(&self, bytes: &[u8]) -> PathBuf {
        self.blob(bytes).with_extension("incomplete")
    }

    /// For calls of the library: hardly any patience.
    pub fn options(&self) -> HubOptions {
        HubOptions {
            endpoint: self.hub.endpoint(),
            backoff: Duration::ZERO,
            read_timeout: Duration::from_millis(200),
            retries: 2,
            ..HubOptions::new(self.home.path().join("hub"))
        }
    }
}

/// Publishes the files as the model's new `main`; gives the commit.
pub fn publish(hub: &Hub, files: &[(&str, Vec<u8>)]) -> String {
    hub.publish(REPO, &files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect::<Vec<_>>())
}

pub fn model() -> ModelRef {
    ModelRef::parse(REPO, &Registry::default()).unwrap()
}

pub fn weights() -> Vec<u8> {
    bytes_of(&files(), WEIGHTS)
}

pub fn bytes_of(files: &[(&str, Vec<u8>)], name: &str) -> Vec<u8> {
    files.iter().find(|(known, _)| *known == name).unwrap().1.clone()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The one line that a failing command, status 1 and no result, prints on standard error.
pub fn failure(output: &Output) -> String {
    let text = stderr(output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(output.stdout.is_empty(), "{output:?}");
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

#[track_caller]
pub fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in {text:?}");
    }
}

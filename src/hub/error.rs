//! What can go wrong between a model's name and its files.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a model's files are not at hand.
#[derive(Debug, Error)]
pub enum Error {
    /// No connection to the hub.
    #[error(
        "cannot reach the hub at {endpoint}: {reason}; check the network and the proxy (HTTPS_PROXY, NO_PROXY), \
         or name a mirror in HF_ENDPOINT"
    )]
    Unreachable {
        /// Address of the hub.
        endpoint: String,
        /// What the connection said.
        reason: String,
    },
    /// The connection broke, again and again.
    #[error(
        "the connection to the hub broke while fetching {url}, {attempts} times without any progress: {reason}; \
         run the command again, it goes on where it stopped"
    )]
    Broken {
        /// What was being fetched.
        url: String,
        /// How often it was tried without a byte arriving.
        attempts: u32,
        /// What the connection said last.
        reason: String,
    },
    /// The hub asks for fewer requests.
    #[error(
        "the hub limits the rate of requests (status 429 for {url}){wait}; try again later, or put a token in \
         HF_TOKEN, which raises the limit"
    )]
    RateLimited {
        /// What was asked for.
        url: String,
        /// Empty, or a clause with the seconds that the hub asks to wait.
        wait: String,
    },
    /// The hub answers with an error of its own.
    #[error("the hub answers {url} with status {status}; try again later, or name a mirror in HF_ENDPOINT")]
    Status {
        /// What was asked for.
        url: String,
        /// HTTP status.
        status: u16,
    },
    /// The answer is not one of a hub.
    #[error("the answer for {url} is not a hub's: {reason}; check HF_ENDPOINT and whether the network wants a sign-in")]
    Protocol {
        /// What was asked for.
        url: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// No such repository, as far as this user can see.
    #[error("the hub has no repository {repo}; check the name, and put a token in HF_TOKEN if it is private")]
    RepoNotFound {
        /// As `org/name`.
        repo: String,
    },
    /// No such branch, tag or commit.
    #[error("the repository {repo} has no revision {revision:?}; `main` is the usual one")]
    RevisionNotFound {
        /// As `org/name`.
        repo: String,
        /// As asked for.
        revision: String,
    },
    /// A file that was listed, or that an index names, is not there.
    #[error("the repository {repo} has no file {file}; choose another model or revision")]
    FileNotFound {
        /// As `org/name`.
        repo: String,
        /// Path in the repository.
        file: String,
    },
    /// Access is refused.
    #[error("the hub refuses access to {repo}: {advice}")]
    Denied {
        /// As `org/name`.
        repo: String,
        /// What to do, which depends on whether a token was sent.
        advice: String,
    },
    /// The network is off and the cache lacks a file.
    #[error(
        "{model} is not complete in the cache {}: {file} is missing and the network is off; run \
         `translate models pull {model}` with the network on, or copy the model's folder into the cache",
        cache.display()
    )]
    NotCached {
        /// How the model was named.
        model: String,
        /// The first file that is missing.
        file: String,
        /// The cache folder.
        cache: PathBuf,
    },
    /// The licence forbids commercial use, and nobody has accepted it.
    #[error(
        "{model} comes under {licence}, which forbids commercial use; read the licence, and if yours is none add \
         --accept-license to fetch the model"
    )]
    Licence {
        /// The model's name.
        model: String,
        /// SPDX identifier.
        licence: String,
    },
    /// A pull was asked for with the network off.
    #[error("cannot pull {model}: the network is off; leave out --offline and unset HF_HUB_OFFLINE")]
    Offline {
        /// How the model was named.
        model: String,
    },
    /// There is nothing in the cache to show or remove.
    #[error("{model} is not in the cache {}; `translate models pull {model}` fetches it", cache.display())]
    NothingCached {
        /// How the model was named.
        model: String,
        /// The cache folder.
        cache: PathBuf,
    },
    /// The reference is a folder, which is not the cache's to manage.
    #[error("{} is a folder of yours, not a model in the cache; name a registry model or org/repo", path.display())]
    NotManaged {
        /// The folder.
        path: PathBuf,
    },
    /// The model is part of the program, which the cache does not manage.
    #[error(
        "{model} is built into the program, not a model in the cache; a build without the feature `starter` lacks it"
    )]
    BuiltIn {
        /// Its name.
        model: String,
    },
    /// The program was built without the built-in model.
    #[error(
        "this program was built without the starter model; build it with the feature `starter`, or take another model: \
         `translate models list` names some, `translate models pull` fetches them"
    )]
    NotBuiltIn,
    /// A model lacks a file that its family needs.
    #[error("{place} lacks {file}, which its kind of model needs; choose another model or revision")]
    Incomplete {
        /// Repository or folder.
        place: String,
        /// The missing file, or the choice of files.
        file: String,
    },
    /// The model's architecture is not one that the program knows, or not the one its registry entry names.
    #[error("{place} holds a model of type {found}, and what can be run here is {supported}; choose another model")]
    WrongFamily {
        /// Repository or folder.
        place: String,
        /// `model_type` of its config.json, with the architectures named there.
        found: String,
        /// The types that would do.
        supported: String,
    },
    /// A small JSON file of the model's cannot be understood.
    #[error("cannot understand {}: {reason}; fetch the model again with `translate models pull`", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A cached file is not what was downloaded.
    #[error(
        "the cached file {} is damaged: it has {found} where {expected} was downloaded; \
         `translate models pull {model}` fetches it again",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Size or checksum that is recorded.
        expected: String,
        /// Size or checksum that it has.
        found: String,
        /// How the model was named.
        model: String,
    },
    /// What arrived is not what the hub announced.
    #[error(
        "{file} arrived damaged twice: its {algorithm} is {found} where the hub announces {expected}; \
         try another network, or a mirror in HF_ENDPOINT"
    )]
    Checksum {
        /// Path in the repository.
        file: String,
        /// `sha256` or `git sha1`.
        algorithm: &'static str,
        /// Checksum that the hub announces, in hexadecimal.
        expected: String,
        /// Checksum of what arrived, in hexadecimal.
        found: String,
    },
    /// The disk is full.
    #[error(
        "the disk that holds {} is full: {file} needs {missing} bytes more; free some space and run the command again, \
         it goes on where it stopped, or name another disk in HF_HOME",
        path.display()
    )]
    DiskFull {
        /// The partial file, which is kept.
        path: PathBuf,
        /// Path in the repository.
        file: String,
        /// Bytes that have yet to be written.
        missing: u64,
    },
    /// Any other failure of the file system.
    #[error("cannot {action} {}: {source}; check the folder's permissions, or name another in HF_HOME", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// What happened, as a clause without advice.
    pub fn reason(&self) -> String {
        match self {
            Self::Unreachable { endpoint, reason } => format!("the hub at {endpoint} can't be reached, {reason}"),
            Self::Broken { reason, .. } => format!("the connection to the hub broke, {reason}"),
            Self::RateLimited { .. } => "the hub limits the rate of requests".to_owned(),
            Self::Status { status, .. } => format!("the hub answers with status {status}"),
            Self::NotCached { file, .. } => format!("the network is off and the cache lacks its {file}"),
            other => {
                let text = other.to_string();
                text.split_once("; ").map_or(text.clone(), |(reason, _)| reason.to_owned())
            }
        }
    }

    /// For `map_err` on a file operation.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

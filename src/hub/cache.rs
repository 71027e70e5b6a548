//! The cache folder, shared byte for byte with Python's huggingface_hub:
//!
//! ```text
//! models--org--name/
//!     blobs/<entity tag>                the files
//!     refs/<revision>                   the commit that it resolves to
//!     snapshots/<commit>/<file>         links to ../../blobs/<entity tag>
//!     translate.json                    ours: what was downloaded, with sizes and checksums
//! .locks/models--org--name/<entity tag>.lock
//! ```

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use hf_hub::{Cache, CacheRepo, Repo, RepoType};
use serde::{Deserialize, Serialize};

use super::digest::Etag;
use super::{Error, Progress};
use crate::registry::{RepoId, Revision};

const RECORD: &str = "translate.json";

/// What was downloaded from one repository.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Record {
    /// Commit by revision.
    revisions: BTreeMap<String, String>,
    /// Files by commit, then by name.
    commits: BTreeMap<String, BTreeMap<String, FileRecord>>,
}

/// One downloaded file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileRecord {
    /// In bytes.
    pub(super) size: u64,
    /// In hexadecimal.
    pub(super) sha256: String,
}

/// Files by name.
pub(super) type Files = BTreeMap<String, FileRecord>;

/// The part of the cache that holds one repository.
pub(super) struct RepoCache {
    layout: CacheRepo,
    root: PathBuf,
    locks: PathBuf,
}

impl RepoCache {
    pub(super) fn new(cache: &Path, repo: &RepoId) -> Self {
        let repo = Repo::new(repo.to_string(), RepoType::Model);
        let folder = repo.folder_name();
        Self {
            layout: Cache::new(cache.to_owned()).repo(repo),
            root: cache.join(&folder),
            locks: cache.join(".locks").join(folder),
        }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn locks(&self) -> &Path {
        &self.locks
    }

    pub(super) fn blob(&self, etag: &Etag) -> PathBuf {
        self.layout.blob_path(etag.as_str())
    }

    /// Where a file stands until it is whole.
    pub(super) fn partial(&self, etag: &Etag) -> PathBuf {
        self.layout.blob_path(&format!("{}.incomplete", etag.as_str()))
    }

    pub(super) fn snapshot(&self, commit: &str) -> PathBuf {
        self.layout.pointer_path(commit)
    }

    /// Whether Python found that the repository has no such file.
    pub(super) fn known_absent(&self, commit: &str, file: &str) -> bool {
        self.root.join(".no_exist").join(commit).join(file).is_file()
    }

    /// The commit that a revision resolved to when it was last fetched, by us or by Python.
    pub(super) fn commit_of(&self, revision: &Revision) -> Option<String> {
        let name = revision.as_str();
        let commit = match fs::read_to_string(self.root.join("refs").join(name)) {
            Ok(text) => text.trim().to_owned(),
            Err(_) => name.to_owned(),
        };
        is_commit(&commit).then_some(commit)
    }

    pub(super) fn set_commit(&self, revision: &Revision, commit: &str) -> Result<(), Error> {
        if revision.as_str() == commit || self.commit_of(revision).as_deref() == Some(commit) {
            return Ok(());
        }
        write_whole(&self.root.join("refs").join(revision.as_str()), commit.as_bytes())
    }

    /// Lets `snapshots/<commit>/<file>` lead to the blob.
    pub(super) fn link(&self, commit: &str, file: &str, etag: &Etag) -> Result<(), Error> {
        let blob = self.blob(etag);
        let pointer = self.snapshot(commit).join(file);
        if let (Ok(at), Ok(to)) = (pointer.canonicalize(), blob.canonicalize())
            && at == to
        {
            return Ok(());
        }
        create_parent(&pointer)?;
        let fresh = beside(&pointer);
        point(&blob, etag, &fresh).and_then(|()| fs::rename(&fresh, &pointer)).map_err(Error::io("write", &pointer))
    }

    /// The recorded commit and files of a revision. A record that cannot be read counts as none: the files
    /// are then checked against their names and recorded anew.
    pub(super) fn recorded(&self, revision: &Revision) -> Option<(String, Files)> {
        let record = self.read_record();
        let commit = record.revisions.get(revision.as_str())?;
        let files = record.commits.get(commit)?;
        let sane = is_commit(commit) && !files.is_empty() && files.keys().all(|name| is_plain_name(name));
        sane.then(|| (commit.clone(), files.clone()))
    }

    /// Records what a revision resolved to; commits that no revision leads to any more are forgotten.
    pub(super) fn record(&self, revision: &Revision, commit: &str, files: Files) -> Result<(), Error> {
        let _lock = self.lock(RECORD, || {})?;
        let mut record = self.read_record();
        record.revisions.insert(revision.to_string(), commit.to_owned());
        record.commits.insert(commit.to_owned(), files);
        record.commits.retain(|commit, _| record.revisions.values().any(|used| used == commit));
        let mut text = serde_json::to_string_pretty(&record).unwrap_or_default();
        text.push('\n');
        write_whole(&self.root.join(RECORD), text.as_bytes())
    }

    /// Whether we have recorded anything here.
    pub(super) fn has_record(&self) -> bool {
        self.root.join(RECORD).is_file()
    }

    fn read_record(&self) -> Record {
        let text = fs::read_to_string(self.root.join(RECORD)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Keeps other processes, Python's among them, from writing the same blob until the file is dropped.
    pub(super) fn lock_blob(&self, etag: &Etag, file: &str, progress: &mut dyn Progress) -> Result<File, Error> {
        let waiting = || progress.note(&format!("another process is fetching {file}: waiting for it"));
        self.lock(etag.as_str(), waiting)
    }

    /// Whoever holds the lock is alive and every wait of its own is bounded, so this one is too. Where the
    /// file system has no locks, partial files are still only used once their checksum is right.
    fn lock(&self, name: &str, waiting: impl FnOnce()) -> Result<File, Error> {
        let path = self.locks.join(format!("{name}.lock"));
        create_parent(&path)?;
        let open = File::options().create(true).truncate(false).write(true).open(&path);
        let file = open.map_err(Error::io("open the lock", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => {
                waiting();
                file.lock().map_err(Error::io("lock", &path))?;
                Ok(file)
            }
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(file),
            Err(TryLockError::Error(error)) => Err(Error::io("lock", &path)(error)),
        }
    }
}

/// A commit as the hub names it: hexadecimal, hence safe in paths.
pub(super) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A file name that stays in its folder, on every system.
pub(super) fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 200
        && !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+".contains(&b))
}

pub(super) fn create_parent(path: &Path) -> Result<(), Error> {
    match path.parent() {
        Some(parent) => fs::create_dir_all(parent).map_err(Error::io("create the folder", parent)),
        None => Ok(()),
    }
}

/// Writes a small file so that no reader ever sees half of it.
fn write_whole(path: &Path, content: &[u8]) -> Result<(), Error> {
    create_parent(path)?;
    let fresh = beside(path);
    fs::write(&fresh, content).and_then(|()| fs::rename(&fresh, path)).map_err(Error::io("write", path))
}

/// A name in the same folder that no other process uses.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}

#[cfg(unix)]
fn point(_blob: &Path, etag: &Etag, pointer: &Path) -> io::Result<()> {
    let _ = fs::remove_file(pointer);
    std::os::unix::fs::symlink(Path::new("../../blobs").join(etag.as_str()), pointer)
}

/// Symbolic links need a privilege on Windows, so a hard link stands in.
#[cfg(not(unix))]
fn point(blob: &Path, _etag: &Etag, pointer: &Path) -> io::Result<()> {
    let _ = fs::remove_file(pointer);
    fs::hard_link(blob, pointer).or_else(|_| fs::copy(blob, pointer).map(|_| ()))
}

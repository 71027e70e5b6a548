//! From a model's name to its files on this machine: the Hugging Face hub, its cache folder, and local folders.
//!
//! The cache is the one that Python's huggingface_hub uses, so a model fetched by either is there for both.
//! A model that has been fetched is recorded with its commit, sizes and checksums; from then on [`fetch`] makes no
//! request at all, and what `main` means stays the same until [`pull`] looks again.

mod cache;
mod client;
mod digest;
mod download;
mod error;
mod file;
mod folder;
pub mod starter;

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cache::{FileRecord, Files, RepoCache};
use client::Client;
use digest::Etag;
pub use error::Error;
pub use file::ModelFile;
use folder::{CONFIG, Names};
pub use folder::{ModelFolder, Provenance};

use crate::registry::{Family, ModelRef, RepoId, Revision};

/// Where the hub is, where its files are kept, and how long to wait for it.
#[derive(Debug, Clone)]
pub struct HubOptions {
    /// Address of the hub or of a mirror, without a slash at the end.
    pub endpoint: String,
    /// The cache folder, which holds `models--org--name` folders.
    pub cache: PathBuf,
    /// Access token; sent to the endpoint's host only.
    pub token: Option<Token>,
    /// Never touch the network.
    pub offline: bool,
    /// Whether models may be fetched whose licence forbids commercial use: whoever runs the program has read it.
    pub accept_licence: bool,
    /// How often in a row a request may fail, without any progress, before it is given up: 0 tries once.
    pub retries: u32,
    /// Pause after the first failure; it doubles with each further one, up to 8 s.
    pub backoff: Duration,
    /// Longest wait for a name to be resolved, and for a connection.
    pub connect_timeout: Duration,
    /// Longest wait for an answer, and for the next bytes of one.
    pub read_timeout: Duration,
    /// Longest time, whatever is tried again meanwhile, until the hub has described a model and sent a first file of it:
    /// for those who have something else to run. Without one, the other limits alone count.
    pub first_answer: Option<Duration>,
}

impl HubOptions {
    /// The public hub, without a token, with patience for a poor line.
    pub fn new(cache: PathBuf) -> Self {
        Self {
            endpoint: "https://huggingface.co".to_owned(),
            cache,
            token: None,
            offline: false,
            accept_licence: false,
            retries: 4,
            backoff: Duration::from_millis(500),
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(20),
            first_answer: None,
        }
    }
}

/// A token that grants access on the hub; it does not show in debug output.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// From its text, as `hf_…`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Its text, for the request that needs it.
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Is told how downloads go.
pub trait Progress {
    /// A file of `bytes` bytes is being fetched, `already` of which are here; called again when a broken
    /// connection is taken up.
    fn start(&mut self, file: &str, bytes: u64, already: u64);
    /// So many bytes more have arrived.
    fn advance(&mut self, bytes: u64);
    /// The file is whole and verified.
    fn finish(&mut self);
    /// Something a user may want to know, as a clause without a full stop.
    fn note(&mut self, message: &str);
}

/// Keeps quiet.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn start(&mut self, _file: &str, _bytes: u64, _already: u64) {}
    fn advance(&mut self, _bytes: u64) {}
    fn finish(&mut self) {}
    fn note(&mut self, _message: &str) {}
}

/// A model in the cache.
#[derive(Debug, Clone)]
pub struct CachedModel {
    /// Its files, ready for use.
    pub folder: ModelFolder,
    /// The same files with what was recorded of them, in the order of their names.
    pub files: Vec<CachedFile>,
}

/// A file in the cache.
#[derive(Debug, Clone)]
pub struct CachedFile {
    /// Name in the repository.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// In bytes, as downloaded.
    pub size: u64,
    /// In hexadecimal, as downloaded.
    pub sha256: String,
}

/// The model's files: from the local folder or the program itself, from the cache without any request where they are
/// there, else from the hub.
///
/// # Errors
/// Every [`Error`] is possible. [`Error::Damaged`] is found by sizes alone; [`verify`] looks closer.
pub fn fetch(model: &ModelRef, options: &HubOptions, progress: &mut dyn Progress) -> Result<ModelFolder, Error> {
    if let ModelRef::Folder(path) = model {
        return folder::open(path);
    }
    let Some((repo, revision)) = model.repo() else { return starter::open() };
    let target = Target::new(model, repo, revision, options);
    match target.cached(progress)? {
        Some(found) => Ok(found.folder),
        None if options.offline => Err(target.not_cached()),
        None => target.pull(options, progress),
    }
}

/// Asks the hub what the revision means now, fetches what is missing or damaged, and verifies the checksum of
/// every file, those in the cache included. For the built-in model there is nothing to do.
///
/// # Errors
/// Every [`Error`] but [`Error::NotCached`] and [`Error::Damaged`] is possible.
pub fn pull(model: &ModelRef, options: &HubOptions, progress: &mut dyn Progress) -> Result<ModelFolder, Error> {
    if is_built_in(model) {
        return starter::open();
    }
    let (repo, revision) = managed(model)?;
    if options.offline {
        return Err(Error::Offline { model: model.command_name() });
    }
    Target::new(model, repo, revision, options).pull(options, progress)
}

/// What the cache holds of the model, or nothing if it is not complete; makes no request.
///
/// # Errors
/// [`Error::Damaged`] if a file has another size than was recorded, and those of the file system.
pub fn cached(
    model: &ModelRef,
    options: &HubOptions,
    progress: &mut dyn Progress,
) -> Result<Option<CachedModel>, Error> {
    let (repo, revision) = managed(model)?;
    let offline = HubOptions { offline: true, ..options.clone() };
    Target::new(model, repo, revision, &offline).cached(progress)
}

/// Reads every cached file of the model and compares its sha256 with the recorded one.
///
/// # Errors
/// [`Error::Damaged`] for the first that differs, [`Error::NothingCached`].
pub fn verify(model: &ModelRef, options: &HubOptions, progress: &mut dyn Progress) -> Result<(), Error> {
    let missing = || Error::NothingCached { model: model.command_name(), cache: options.cache.clone() };
    for file in cached(model, options, progress)?.ok_or_else(missing)?.files {
        let found = digest::sha256_of(&file.path).map_err(Error::io("read", &file.path))?;
        if found != file.sha256 {
            return Err(Error::Damaged {
                path: file.path,
                expected: format!("sha256 {}", file.sha256),
                found: format!("sha256 {found}"),
                model: model.command_name(),
            });
        }
    }
    Ok(())
}

/// Removes the model's repository from the cache, every revision of it, also for Python; gives the bytes freed.
///
/// # Errors
/// [`Error::NothingCached`], [`Error::NotManaged`] for a local folder, and those of the file system.
pub fn remove(model: &ModelRef, options: &HubOptions) -> Result<u64, Error> {
    let (repo, _) = managed(model)?;
    let cache = RepoCache::new(&options.cache, repo);
    if !cache.root().is_dir() {
        return Err(Error::NothingCached { model: model.command_name(), cache: options.cache.clone() });
    }
    let blobs = fs::read_dir(cache.root().join("blobs")).into_iter().flatten().flatten();
    let bytes = blobs.filter_map(|blob| blob.metadata().ok()).map(|blob| blob.len()).sum();
    fs::remove_dir_all(cache.root()).map_err(Error::io("remove", cache.root()))?;
    if cache.locks().is_dir() {
        fs::remove_dir_all(cache.locks()).map_err(Error::io("remove", cache.locks()))?;
    }
    Ok(bytes)
}

/// The repositories in the cache that have been fetched or used by us, in the order of their names.
pub fn cached_repos(options: &HubOptions) -> Vec<RepoId> {
    let entries = fs::read_dir(&options.cache).into_iter().flatten().flatten();
    let names: BTreeSet<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names
        .iter()
        .filter_map(|name| RepoId::try_from(name.strip_prefix("models--")?.replacen("--", "/", 1)).ok())
        .filter(|repo| RepoCache::new(&options.cache, repo).has_record())
        .collect()
}

/// Whether the model's place is the program itself.
fn is_built_in(model: &ModelRef) -> bool {
    !matches!(model, ModelRef::Folder(_)) && model.repo().is_none()
}

/// Repository and revision of a model that the cache manages.
fn managed(model: &ModelRef) -> Result<(&RepoId, &Revision), Error> {
    match model {
        ModelRef::Folder(path) => Err(Error::NotManaged { path: path.clone() }),
        model => model.repo().ok_or_else(|| Error::BuiltIn { model: model.name() }),
    }
}

/// One revision of one repository, and the place for it in the cache.
struct Target<'a> {
    model: &'a ModelRef,
    repo: &'a RepoId,
    revision: &'a Revision,
    cache: RepoCache,
    cache_folder: &'a Path,
    offline: bool,
}

impl<'a> Target<'a> {
    fn new(model: &'a ModelRef, repo: &'a RepoId, revision: &'a Revision, options: &'a HubOptions) -> Self {
        let cache = RepoCache::new(&options.cache, repo);
        Self { model, repo, revision, cache, cache_folder: &options.cache, offline: options.offline }
    }

    /// The family that the registry promises, if it is the registry that named the model.
    fn promised(&self) -> Option<Family> {
        match self.model {
            ModelRef::Registry(spec) => Some(spec.family),
            _ => None,
        }
    }

    fn cached(&self, progress: &mut dyn Progress) -> Result<Option<CachedModel>, Error> {
        match self.recorded()? {
            Some(found) => Ok(Some(found)),
            None => self.adopt(progress),
        }
    }

    /// The model as recorded, if all its files are there; their sizes are compared.
    fn recorded(&self) -> Result<Option<CachedModel>, Error> {
        let Some((commit, files)) = self.cache.recorded(self.revision) else { return Ok(None) };
        let snapshot = self.cache.snapshot(&commit);
        for (name, file) in &files {
            let path = snapshot.join(name);
            let Ok(metadata) = fs::metadata(&path) else { return Ok(None) };
            if metadata.len() != file.size {
                return Err(Error::Damaged {
                    path,
                    expected: format!("{} bytes", file.size),
                    found: format!("{} bytes", metadata.len()),
                    model: self.model.command_name(),
                });
            }
        }
        let held = files.keys().cloned().collect();
        let Some(names) = self.choose(&snapshot, &held) else { return Ok(None) };
        Ok(Some(self.found(&commit, &names, files)))
    }

    /// Takes over what another program has put into the cache, if that is a whole model. The names of its
    /// blobs are their checksums, so it is verified, and recorded. With the network on, a model of which
    /// it is not known whether it has the optional files is left to [`Target::pull`].
    fn adopt(&self, progress: &mut dyn Progress) -> Result<Option<CachedModel>, Error> {
        let Some(commit) = self.cache.commit_of(self.revision) else { return Ok(None) };
        let snapshot = self.cache.snapshot(&commit);
        if !snapshot.is_dir() {
            return Ok(None);
        }
        let held = folder::names_in(&snapshot)?;
        let Some(names) = self.choose(&snapshot, &held) else { return Ok(None) };
        let settled = names
            .family
            .optional_files()
            .iter()
            .all(|name| held.contains(*name) || self.cache.known_absent(&commit, name));
        if !self.offline && !settled {
            return Ok(None);
        }
        progress.note("checking the files that another program put into the cache");
        let mut files = Files::new();
        for name in names.all() {
            files.insert(name.clone(), self.verified(&snapshot.join(name))?);
        }
        if let Err(error) = self.cache.record(self.revision, &commit, files.clone()) {
            progress.note(&format!("the cache can be read but not written ({error})"));
        }
        Ok(Some(self.found(&commit, &names, files)))
    }

    /// The files that make the model, if these do.
    fn choose(&self, snapshot: &Path, held: &BTreeSet<String>) -> Option<Names> {
        let place = self.repo.as_str();
        let family = folder::family_of(&snapshot.join(CONFIG), self.promised(), place).ok()?;
        let mut names = Names::choose(family, held, place).ok()?;
        names.add_shards(snapshot).ok()?;
        let whole = names.all().all(|name| held.contains(name));
        whole.then_some(names)
    }

    /// Size and sha256 of a file whose blob's name is its checksum.
    fn verified(&self, path: &Path) -> Result<FileRecord, Error> {
        let blob = path.canonicalize().map_err(Error::io("read", path))?;
        let size = fs::metadata(&blob).map_err(Error::io("read", &blob))?.len();
        let etag = blob.file_name().and_then(|name| name.to_str()).and_then(Etag::parse);
        let sha256 = match etag {
            None => digest::sha256_of(&blob).map_err(Error::io("read", &blob))?,
            Some(etag) => {
                digest::verify(&blob, &etag).map_err(Error::io("read", &blob))?.map_err(|mismatch| Error::Damaged {
                    path: path.to_owned(),
                    expected: format!("{} {}", mismatch.algorithm, mismatch.expected),
                    found: format!("{} {}", mismatch.algorithm, mismatch.found),
                    model: self.model.command_name(),
                })?
            }
        };
        Ok(FileRecord { size, sha256 })
    }

    fn pull(&self, options: &HubOptions, progress: &mut dyn Progress) -> Result<ModelFolder, Error> {
        self.check_licence(options, progress)?;
        let client = Client::new(options, self.repo);
        let info = client.info(self.revision, progress)?;
        let commit = info.sha;
        if !cache::is_commit(&commit) {
            let url = format!("{}/{}", options.endpoint, self.repo);
            return Err(Error::Protocol { url, reason: format!("{commit:?} is no commit") });
        }
        let held: BTreeSet<String> = info.siblings.into_iter().map(|sibling| sibling.rfilename).collect();
        let place = format!("the repository {}", self.repo);
        if !held.contains(CONFIG) {
            return Err(Error::Incomplete { place, file: CONFIG.to_owned() });
        }

        let snapshot = self.cache.snapshot(&commit);
        let mut files = Files::new();
        let mut get = |name: &str| -> Result<(), Error> {
            let record = download::file(&client, &self.cache, &commit, name, progress)?;
            files.insert(name.to_owned(), record);
            Ok(())
        };
        get(CONFIG)?;
        client.trust();
        let family = folder::family_of(&snapshot.join(CONFIG), self.promised(), &place)?;
        let mut names = Names::choose(family, &held, &place)?;
        for name in names.plain.iter().filter(|name| *name != CONFIG) {
            get(name)?;
        }
        names.add_shards(&snapshot)?;
        for name in &names.weights {
            get(name)?;
        }

        self.cache.set_commit(self.revision, &commit)?;
        self.cache.record(self.revision, &commit, files.clone())?;
        Ok(self.found(&commit, &names, files).folder)
    }

    /// Before the first download: a licence that forbids commercial use has to be accepted.
    fn check_licence(&self, options: &HubOptions, progress: &mut dyn Progress) -> Result<(), Error> {
        let ModelRef::Registry(spec) = self.model else { return Ok(()) };
        if !spec.forbids_commercial_use() || self.cache.has_record() {
            return Ok(());
        }
        let (model, licence) = (spec.name.clone(), spec.licence.clone());
        if !options.accept_licence {
            return Err(Error::Licence { model, licence });
        }
        progress.note(&format!("{model} comes under {licence}, which forbids commercial use"));
        Ok(())
    }

    fn found(&self, commit: &str, names: &Names, files: Files) -> CachedModel {
        let snapshot = self.cache.snapshot(commit);
        let provenance = Provenance {
            name: self.model.name(),
            repo: Some(self.repo.to_string()),
            revision: Some(self.revision.to_string()),
            commit: Some(commit.to_owned()),
        };
        let folder = ModelFolder::new(&snapshot, names, provenance);
        let file = |(name, file): (String, FileRecord)| CachedFile {
            path: snapshot.join(&name),
            name,
            size: file.size,
            sha256: file.sha256,
        };
        CachedModel { folder, files: files.into_iter().map(file).collect() }
    }

    /// Says which file is the first that the cache lacks.
    fn not_cached(&self) -> Error {
        let commit = self.cache.commit_of(self.revision).unwrap_or_default();
        let snapshot = self.cache.snapshot(&commit);
        let held = folder::names_in(&snapshot).unwrap_or_default();
        let family = folder::family_of(&snapshot.join(CONFIG), self.promised(), "").ok().or(self.promised());
        let file = match family.map(|family| Names::choose(family, &held, "")) {
            None => CONFIG.to_owned(),
            Some(Err(Error::Incomplete { file, .. })) => file,
            _ => "a part of its weights".to_owned(),
        };
        Error::NotCached { model: self.model.command_name(), file, cache: self.cache_folder.to_owned() }
    }
}

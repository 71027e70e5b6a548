//! How a user names a model.

use std::path::{Path, PathBuf};

use super::{Error, ModelSpec, Registry, RepoId, Revision, STARTER};

/// A model that a user asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelRef {
    /// An entry of the registry.
    Registry(Box<ModelSpec>),
    /// Any repository on the hub.
    Repo {
        /// The repository.
        repo: RepoId,
        /// Branch, tag or commit.
        revision: Revision,
    },
    /// A local folder in the hub's layout.
    Folder(PathBuf),
}

impl ModelRef {
    /// Reads what a user typed: a registry name, the path of an existing folder, or `org/repo`; a name and a
    /// repository may carry `@revision`. What could be read in several ways is taken in this order; a repository that
    /// the registry knows is its entry there.
    ///
    /// # Errors
    /// [`Error::Unknown`] with near names, [`Error::NoFolder`] for what can only be a path, and
    /// [`Error::BadReference`].
    pub fn parse(text: &str, registry: &Registry) -> Result<Self, Error> {
        let (name, revision) = match text.split_once('@') {
            Some((name, revision)) => (name, Some(revision)),
            None => (text, None),
        };
        let as_revision = |revision: &str| {
            Revision::try_from(revision.to_owned())
                .map_err(|reason| Error::BadReference { text: text.to_owned(), reason })
        };

        if let Some(spec) = registry.models().iter().find(|model| model.name == name) {
            let mut spec = spec.clone();
            let version = env!("CARGO_PKG_VERSION");
            if let (None, Some(other)) = (&spec.repo, revision.filter(|revision| *revision != version)) {
                let reason = format!("the {STARTER} of this program is {version}, not {other}");
                return Err(Error::BadReference { text: text.to_owned(), reason });
            }
            if let Some(revision) = revision {
                spec.revision = as_revision(revision)?;
            }
            return Ok(Self::Registry(Box::new(spec)));
        }
        if Path::new(text).is_dir() {
            return Ok(Self::Folder(PathBuf::from(text)));
        }
        if looks_like_path(name) {
            return Err(Error::NoFolder { path: PathBuf::from(text) });
        }
        if name.contains('/') {
            let repo = RepoId::try_from(name.to_owned())
                .map_err(|reason| Error::BadReference { text: text.to_owned(), reason })?;
            let known = registry.models().iter().find(|model| model.repo.as_ref() == Some(&repo));
            return Ok(match (known, revision.map(as_revision).transpose()?) {
                (Some(spec), None) => Self::Registry(Box::new(spec.clone())),
                (Some(spec), Some(revision)) => Self::Registry(Box::new(ModelSpec { revision, ..spec.clone() })),
                (None, revision) => Self::Repo { repo, revision: revision.unwrap_or_default() },
            });
        }
        Err(Error::Unknown { name: name.to_owned(), suggestion: registry.suggestion(name) })
    }

    /// What to call the model in messages and to give to `--model`: registry name, `org/repo` or path.
    pub fn name(&self) -> String {
        match self {
            Self::Registry(spec) => spec.name.clone(),
            Self::Repo { repo, .. } => repo.to_string(),
            Self::Folder(path) => path.display().to_string(),
        }
    }

    /// The reference written out in full, so that it can be typed again: with `@revision` unless that is `main`.
    pub fn command_name(&self) -> String {
        match self.repo() {
            Some((_, revision)) if *revision != Revision::default() => format!("{}@{revision}", self.name()),
            _ => self.name(),
        }
    }

    /// Repository and revision, unless it is a folder or built in.
    pub fn repo(&self) -> Option<(&RepoId, &Revision)> {
        match self {
            Self::Registry(spec) => spec.repo.as_ref().map(|repo| (repo, &spec.revision)),
            Self::Repo { repo, revision } => Some((repo, revision)),
            Self::Folder(_) => None,
        }
    }
}

/// Whether the text can only be meant as a path: `./x`, `../x`, `/x`, `~/x`, `a\b`, `a/b/c`.
fn looks_like_path(text: &str) -> bool {
    text.starts_with(['.', '/', '~']) || text.contains('\\') || text.matches('/').count() > 1
}

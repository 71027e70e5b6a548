//! One file of a model, wherever it lies.

use std::borrow::Cow;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file on the disk, or one that is compiled into the program.
#[derive(Clone)]
pub struct ModelFile {
    path: PathBuf,
    content: Option<&'static [u8]>,
}

impl ModelFile {
    /// One that is compiled in; `path` is what messages call it.
    #[cfg(feature = "starter")]
    pub(super) fn built_in(path: impl Into<PathBuf>, content: &'static [u8]) -> Self {
        Self { path: path.into(), content: Some(content) }
    }

    /// Where it lies; for one that is compiled in, a name for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds, if it is compiled in.
    pub fn content(&self) -> Option<&'static [u8]> {
        self.content
    }

    /// What it holds.
    pub fn read(&self) -> io::Result<Cow<'static, [u8]>> {
        match self.content {
            Some(content) => Ok(Cow::Borrowed(content)),
            None => fs::read(&self.path).map(Cow::Owned),
        }
    }

    /// Its size in bytes.
    pub fn size(&self) -> io::Result<u64> {
        match self.content {
            Some(content) => Ok(content.len() as u64),
            None => fs::metadata(&self.path).map(|metadata| metadata.len()),
        }
    }
}

impl<P: Into<PathBuf>> From<P> for ModelFile {
    fn from(path: P) -> Self {
        Self { path: path.into(), content: None }
    }
}

impl fmt::Debug for ModelFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.content.is_some() { "built in" } else { "on disk" };
        write!(f, "ModelFile({}, {place})", self.path.display())
    }
}

//! safetensors files: those on the disk, of which no more than the tensor at hand is mapped into memory, and those that are
//! compiled in.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use memmap2::{Mmap, MmapOptions};
use safetensors::tensor::{Metadata, TensorInfo};
use safetensors::{Dtype, SafeTensors};

use super::ModelError;
use crate::hub::ModelFile;

/// An open safetensors file with a sound header.
pub(super) struct MappedFile {
    path: PathBuf,
    place: Place,
    metadata: Metadata,
    /// Where the tensors begin in the file.
    start: u64,
}

enum Place {
    Disk(File),
    Program(&'static [u8]),
}

/// Bytes of a file.
pub(super) enum Bytes {
    Mapped(Mmap),
    BuiltIn(&'static [u8]),
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::BuiltIn(bytes) => bytes,
        }
    }
}

impl MappedFile {
    pub(super) fn open(file: &ModelFile) -> Result<Self, ModelError> {
        let broken = |reason: String| ModelError::Broken { path: file.path().to_owned(), reason };
        let place = match file.content() {
            Some(content) => Place::Program(content),
            None => Place::Disk(File::open(file.path()).map_err(|error| broken(error.to_string()))?),
        };
        let whole = place.bytes(0, None).map_err(|error| broken(error.to_string()))?;
        let (header, metadata) = SafeTensors::read_metadata(&whole).map_err(|error| broken(error.to_string()))?;
        Ok(Self { path: file.path().to_owned(), place, metadata, start: (size_of::<u64>() + header) as u64 })
    }

    /// What the header says of a tensor, if the file has it.
    pub(super) fn info(&self, name: &str) -> Option<&TensorInfo> {
        self.metadata.info(name)
    }

    /// Whether any tensor is of this type.
    pub(super) fn holds(&self, dtype: Dtype) -> bool {
        self.metadata.tensors().values().any(|info| info.dtype == dtype)
    }

    /// The file, if it is on the disk, and where a tensor's elements begin in it.
    pub(super) fn place(&self, info: &TensorInfo) -> Option<(&Path, u64)> {
        let start = self.start + info.data_offsets.0 as u64;
        matches!(self.place, Place::Disk(_)).then_some((self.path.as_path(), start))
    }

    /// A tensor's elements in their stored form.
    pub(super) fn bytes(&self, name: &str, info: &TensorInfo) -> Result<Bytes, ModelError> {
        let (begin, end) = info.data_offsets;
        self.place.bytes(self.start + begin as u64, Some(end - begin)).map_err(|error| ModelError::Unreadable {
            name: name.to_owned(),
            reason: format!("{error} in {}", self.path.display()),
        })
    }
}

impl Place {
    /// The bytes from `offset` on, all or `length` of them.
    fn bytes(&self, offset: u64, length: Option<usize>) -> io::Result<Bytes> {
        match self {
            Self::Disk(file) => map(file, offset, length).map(Bytes::Mapped),
            Self::Program(content) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                let rest = content.get(start..).and_then(|rest| rest.get(..length.unwrap_or(rest.len())));
                rest.map(Bytes::BuiltIn).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
            }
        }
    }
}

fn map(file: &File, offset: u64, length: Option<usize>) -> io::Result<Mmap> {
    let mut options = MmapOptions::new();
    options.offset(offset);
    if let Some(length) = length {
        options.len(length);
    }
    // SAFETY: the map stays valid as long as nobody truncates or rewrites the file under a running process. Models are only
    // ever replaced by renaming a whole new file into place (as every hub client does), which leaves an open one as it was.
    // Maps are short-lived: a tensor is converted from its own at once.
    unsafe { options.map(file) }
}

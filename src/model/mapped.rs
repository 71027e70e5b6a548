//! safetensors files, of which no more than the tensor at hand is mapped into memory.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use memmap2::{Mmap, MmapOptions};
use safetensors::SafeTensors;
use safetensors::tensor::{Metadata, TensorInfo};

use super::ModelError;

/// An open safetensors file with a sound header.
pub(super) struct MappedFile {
    path: PathBuf,
    file: File,
    metadata: Metadata,
    /// Where the tensors begin in the file.
    start: u64,
}

impl MappedFile {
    pub(super) fn open(path: &Path) -> Result<Self, ModelError> {
        let broken = |reason: String| ModelError::Broken { path: path.to_owned(), reason };
        let file = File::open(path).map_err(|error| broken(error.to_string()))?;
        let whole = map(&file, 0, None).map_err(|error| broken(error.to_string()))?;
        let (header, metadata) = SafeTensors::read_metadata(&whole).map_err(|error| broken(error.to_string()))?;
        Ok(Self { path: path.to_owned(), file, metadata, start: (size_of::<u64>() + header) as u64 })
    }

    /// What the header says of a tensor, if the file has it.
    pub(super) fn info(&self, name: &str) -> Option<&TensorInfo> {
        self.metadata.info(name)
    }

    /// A tensor's elements in their stored form.
    pub(super) fn map(&self, name: &str, info: &TensorInfo) -> Result<Mmap, ModelError> {
        let (begin, end) = info.data_offsets;
        map(&self.file, self.start + begin as u64, Some(end - begin)).map_err(|error| ModelError::Unreadable {
            name: name.to_owned(),
            reason: format!("{error} in {}", self.path.display()),
        })
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

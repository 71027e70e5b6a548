//! Where results go: standard output, or a file that appears only when it is whole.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::NamedTempFile;
use thiserror::Error;

/// A result can't be written.
#[derive(Debug, Error)]
#[error("{place} can't be written: {source}; nothing is left of this result")]
pub struct WriteError {
    place: String,
    source: io::Error,
}

impl WriteError {
    /// About `place`, for `map_err`.
    pub fn at(place: &str) -> impl FnOnce(io::Error) -> Self {
        let place = place.to_owned();
        move |source| Self { place, source }
    }
}

/// Half-written files, for the handler of Ctrl-C to remove.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn unfinished() -> std::sync::MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// On Ctrl-C (and a request to terminate) removes what is half written and ends with the status that shells expect.
pub fn clean_up_on_interrupt() {
    const INTERRUPTED: i32 = 130;
    // Only a second handler can fail here, and then the first one does.
    let _ = ctrlc::set_handler(|| {
        for path in unfinished().drain(..) {
            let _ = fs::remove_file(path);
        }
        std::process::exit(INTERRUPTED);
    });
}

/// A sink for one document's result.
pub enum Output {
    /// Standard output.
    Standard(BufWriter<io::StdoutLock<'static>>),
    /// A pipe or device, such as `/dev/null`, which no file may replace, and its path.
    Device { writer: BufWriter<fs::File>, path: PathBuf },
    /// A file in the making, and the path that it will have.
    File { writer: BufWriter<NamedTempFile>, path: PathBuf },
}

impl Output {
    /// Standard output, or the file `path`; where that is a symbolic link, the file that it leads to.
    pub fn open(path: Option<&Path>) -> Result<Self, WriteError> {
        let Some(path) = path else { return Ok(Self::Standard(BufWriter::new(io::stdout().lock()))) };
        if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            let device = fs::OpenOptions::new().write(true).open(path);
            let writer = BufWriter::new(device.map_err(WriteError::at(&path.display().to_string()))?);
            return Ok(Self::Device { writer, path: path.to_owned() });
        }
        let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".translate-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // As any new file, minus what the user's mask takes away.
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let file = builder.tempfile_in(folder).map_err(WriteError::at(&path.display().to_string()))?;
        unfinished().push(file.path().to_owned());
        Ok(Self::File { writer: BufWriter::new(file), path: path.to_owned() })
    }

    /// What messages call it.
    pub fn place(&self) -> String {
        match self {
            Self::Standard(_) => "standard output".to_owned(),
            Self::Device { path, .. } | Self::File { path, .. } => path.display().to_string(),
        }
    }

    /// Makes the result final: a file takes its name, and with it the place of an older one.
    pub fn finish(self) -> Result<(), WriteError> {
        let place = self.place();
        let result = match self {
            Self::Standard(mut writer) => writer.flush(),
            Self::Device { mut writer, .. } => writer.flush(),
            Self::File { writer, path } => {
                writer.into_inner().map_err(io::IntoInnerError::into_error).and_then(|file| {
                    file.as_file().sync_all()?;
                    if let Ok(old) = fs::metadata(&path) {
                        file.as_file().set_permissions(old.permissions())?;
                    }
                    let temporary = file.path().to_owned();
                    file.persist(&path)?;
                    unfinished().retain(|path| *path != temporary);
                    Ok(())
                })
            }
        };
        result.map_err(WriteError::at(&place))
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Standard(writer) => writer.write(bytes),
            Self::Device { writer, .. } => writer.write(bytes),
            Self::File { writer, .. } => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Standard(writer) => writer.flush(),
            Self::Device { writer, .. } => writer.flush(),
            Self::File { writer, .. } => writer.flush(),
        }
    }
}

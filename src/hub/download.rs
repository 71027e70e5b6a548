//! One file from the hub into the cache: resumed, verified, and there all at once or not at all.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use super::cache::{FileRecord, RepoCache, create_parent};
use super::client::{Client, Failure, Metadata, Patience};
use super::digest::{self, Mismatch, Verifier};
use super::{Error, Progress};

/// Makes sure that the cache holds the file as the hub has it at the commit, linked from its snapshot.
pub(super) fn file(
    client: &Client,
    cache: &RepoCache,
    commit: &str,
    file: &str,
    progress: &mut dyn Progress,
) -> Result<FileRecord, Error> {
    let metadata = client.metadata(commit, file, progress)?;
    let _lock = cache.lock_blob(&metadata.etag, file, progress)?;
    let sha256 = match whole_blob(cache, &metadata, file, progress)? {
        Some(sha256) => sha256,
        None => Download { client, cache, commit, file, metadata: &metadata }.run(progress)?,
    };
    cache.link(commit, file, &metadata.etag)?;
    Ok(FileRecord { size: metadata.size, sha256 })
}

/// The sha256 of the blob, if it is there and undamaged; a damaged one is removed.
fn whole_blob(
    cache: &RepoCache,
    metadata: &Metadata,
    file: &str,
    progress: &mut dyn Progress,
) -> Result<Option<String>, Error> {
    let blob = cache.blob(&metadata.etag);
    let Ok(found) = fs::metadata(&blob) else { return Ok(None) };
    if found.len() == metadata.size
        && let Ok(sha256) = digest::verify(&blob, &metadata.etag).map_err(Error::io("read", &blob))?
    {
        return Ok(Some(sha256));
    }
    progress.note(&format!("the cached {file} is damaged: fetching it again"));
    fs::remove_file(&blob).map_err(Error::io("remove", &blob))?;
    Ok(None)
}

struct Download<'a> {
    client: &'a Client<'a>,
    cache: &'a RepoCache,
    commit: &'a str,
    file: &'a str,
    metadata: &'a Metadata,
}

impl Download<'_> {
    /// Fetches until the file is whole. Attempts that bring bytes are free, since each brings the end
    /// nearer; those in a row that bring none are limited.
    fn run(&self, progress: &mut dyn Progress) -> Result<String, Error> {
        let partial = self.cache.partial(&self.metadata.etag);
        create_parent(&partial)?;
        let mut patience = Patience::new(self.client);
        let mut damaged_before = false;
        loop {
            let mut arrived = 0;
            let failure = match self.attempt(&partial, &mut arrived, progress) {
                Ok(Ok(sha256)) => {
                    let blob = self.cache.blob(&self.metadata.etag);
                    fs::rename(&partial, &blob).map_err(Error::io("move into place", &blob))?;
                    progress.finish();
                    return Ok(sha256);
                }
                Ok(Err(mismatch)) => {
                    fs::remove_file(&partial).map_err(Error::io("remove", &partial))?;
                    if damaged_before {
                        return Err(self.checksum(mismatch));
                    }
                    damaged_before = true;
                    progress.note(&format!("{} arrived damaged: fetching it again", self.file));
                    continue;
                }
                Err(failure) => failure,
            };
            if arrived > 0 {
                patience.renew();
            }
            patience.after(failure, progress)?;
        }
    }

    /// One connection: adds to the partial file what is missing, and compares checksums if that was all.
    fn attempt(
        &self,
        partial: &Path,
        arrived: &mut u64,
        progress: &mut dyn Progress,
    ) -> Result<Result<String, Mismatch>, Failure> {
        let size = self.metadata.size;
        let io = |action| move |source| Failure::Final(Error::io(action, partial)(source));
        let mut out = File::options().create(true).read(true).append(true).open(partial).map_err(io("open"))?;
        let mut held = out.metadata().map_err(io("read"))?.len();
        if held > size {
            out.set_len(0).map_err(io("shorten"))?;
            held = 0;
        }
        let mut verifier = Verifier::new(&self.metadata.etag, size);
        digest::read_through((&out).take(held), |bytes| verifier.update(bytes)).map_err(io("read"))?;

        if held < size {
            let (start, mut response) = self.client.open(self.commit, self.file, held)?;
            if start != held {
                out.set_len(0).map_err(io("shorten"))?;
                verifier = Verifier::new(&self.metadata.etag, size);
                held = start;
            }
            progress.start(self.file, size, held);
            let mut body = response.body_mut().as_reader().take(size - held);
            let mut buffer = vec![0; 1 << 16];
            while held < size {
                let n = match body.read(&mut buffer) {
                    Ok(0) => return Err(self.client.interrupted(self.commit, self.file, &"it ended early")),
                    Ok(n) => n,
                    Err(error) => return Err(self.client.interrupted(self.commit, self.file, &error)),
                };
                let bytes = buffer.get(..n).unwrap_or_default();
                out.write_all(bytes).map_err(|error| Failure::Final(self.write_failed(partial, size - held, error)))?;
                verifier.update(bytes);
                held += n as u64;
                *arrived += n as u64;
                progress.advance(n as u64);
            }
            out.sync_data().map_err(|error| Failure::Final(self.write_failed(partial, 0, error)))?;
        }
        Ok(verifier.finish())
    }

    /// What has been written is kept, for the next run to go on from.
    fn write_failed(&self, partial: &Path, missing: u64, error: io::Error) -> Error {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        match error.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => {
                Error::DiskFull { path: partial.to_owned(), file: self.file.to_owned(), missing }
            }
            _ => Error::io("write", partial)(error),
        }
    }

    fn checksum(&self, mismatch: Mismatch) -> Error {
        let Mismatch { algorithm, expected, found } = mismatch;
        Error::Checksum { file: format!("{}/{}", self.client.repo(), self.file), algorithm, expected, found }
    }
}

//! Checksums: what the hub announces as an entity tag, and what files have.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// An entity tag of the hub, known to be safe as a file name: the sha256 of a large file, the git object
/// id of a small one, and on some mirrors neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Etag(String);

impl Etag {
    /// Reads a header's value: quotes and a weakness mark are stripped, as huggingface_hub does.
    pub(super) fn parse(header: &str) -> Option<Self> {
        let tag = header.trim().trim_start_matches("W/").trim_matches('"');
        let safe = !tag.is_empty()
            && tag.len() <= 128
            && !tag.starts_with('.')
            && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        safe.then(|| Self(tag.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    fn is_hex(&self, digits: usize) -> bool {
        self.0.len() == digits && self.0.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    }
}

/// A checksum that is not the announced one.
#[derive(Debug)]
pub(super) struct Mismatch {
    pub(super) algorithm: &'static str,
    pub(super) expected: String,
    pub(super) found: String,
}

/// Takes a file's bytes in order and compares their checksum with the entity tag.
pub(super) struct Verifier {
    etag: Etag,
    sha256: Sha256,
    /// Git's object id, when the tag is one.
    git: Option<Sha1>,
}

impl Verifier {
    /// For a file of `size` bytes; git hashes the size first.
    pub(super) fn new(etag: &Etag, size: u64) -> Self {
        let git = etag.is_hex(40).then(|| Sha1::new_with_prefix(format!("blob {size}\0")));
        Self { etag: etag.clone(), sha256: Sha256::new(), git }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        if let Some(git) = &mut self.git {
            git.update(bytes);
        }
    }

    /// The sha256 in hexadecimal, if the checksum that the tag stands for is right. A tag that is no
    /// checksum is right for everything.
    pub(super) fn finish(self) -> Result<String, Mismatch> {
        let sha256 = hex(&self.sha256.finalize());
        let (algorithm, found) = match self.git {
            Some(git) => ("git sha1", hex(&git.finalize())),
            None if self.etag.is_hex(64) => ("sha256", sha256.clone()),
            None => return Ok(sha256),
        };
        if found == self.etag.0 { Ok(sha256) } else { Err(Mismatch { algorithm, expected: self.etag.0, found }) }
    }
}

/// Hands all bytes of a reader to `take`, piece by piece.
pub(super) fn read_through(mut reader: impl Read, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 17];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => take(buffer.get(..n).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The file's sha256 in hexadecimal.
pub(super) fn sha256_of(path: &Path) -> io::Result<String> {
    let mut sha256 = Sha256::new();
    read_through(File::open(path)?, |bytes| sha256.update(bytes))?;
    Ok(hex(&sha256.finalize()))
}

/// The file's sha256 in hexadecimal, if its checksum is the one that the tag stands for.
pub(super) fn verify(path: &Path, etag: &Etag) -> io::Result<Result<String, Mismatch>> {
    let file = File::open(path)?;
    let mut verifier = Verifier::new(etag, file.metadata()?.len());
    read_through(file, |bytes| verifier.update(bytes))?;
    Ok(verifier.finish())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

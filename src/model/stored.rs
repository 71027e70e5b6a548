//! Rows of a matrix that stay in their file and are read as they are asked for: embeddings, of which a text needs few, would
//! otherwise take as much memory as the output projection that they are tied to.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use candle_core::DType;
use half::{bf16, f16};

use super::ModelError;

/// An open file and the place of a matrix in it.
pub struct StoredRows {
    path: PathBuf,
    file: Mutex<File>,
    /// Where the first row begins.
    start: u64,
    dtype: DType,
    rows: usize,
    width: usize,
}

impl StoredRows {
    /// The matrix of `rows` rows of `width` values in f32, f16 or bf16, little-endian, from byte `start` of a file; nothing
    /// for other types and where the file can't be opened.
    pub(super) fn open(path: &Path, start: u64, dtype: DType, [rows, width]: [usize; 2]) -> Option<Self> {
        let known = matches!(dtype, DType::F32 | DType::F16 | DType::BF16);
        let file = File::open(path).ok().filter(|_| known && rows > 0)?;
        let length = (rows * width * dtype.size_in_bytes()) as u64;
        let fits = start.checked_add(length).is_some_and(|end| file.metadata().is_ok_and(|found| found.len() >= end));
        fits.then(|| Self { path: path.to_owned(), file: Mutex::new(file), start, dtype, rows, width })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// These rows, one after the other, each value times `factor`.
    pub fn look_up(&self, rows: &[u32], factor: f32) -> Result<Vec<f32>, ModelError> {
        let size = self.width * self.dtype.size_in_bytes();
        let mut bytes = vec![0; rows.len() * size];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut read = |row: u32, bytes: &mut [u8]| {
            file.seek(SeekFrom::Start(self.start + u64::from(row) * size as u64))?;
            file.read_exact(bytes)
        };
        for (row, bytes) in rows.iter().zip(bytes.chunks_exact_mut(size.max(1))) {
            read(*row, bytes).map_err(|source| ModelError::Io { path: self.path.clone(), source })?;
        }
        Ok(match self.dtype {
            DType::F16 => {
                bytes.as_chunks().0.iter().map(|bytes| f16::from_le_bytes(*bytes).to_f32() * factor).collect()
            }
            DType::BF16 => {
                bytes.as_chunks().0.iter().map(|bytes| bf16::from_le_bytes(*bytes).to_f32() * factor).collect()
            }
            _ => bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes) * factor).collect(),
        })
    }
}

/// Where an entry's bytes begin in a ZIP file that holds it uncompressed, as PyTorch writes tensors.
pub(super) fn start_in_zip(path: &Path, entry: &str) -> io::Result<Option<u64>> {
    let mut archive = zip::ZipArchive::new(BufReader::new(File::open(path)?))?;
    let entry = archive.by_name(entry)?;
    let plain = entry.compression() == zip::CompressionMethod::Stored;
    Ok(entry.data_start().filter(|_| plain))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn rows_come_back_from_their_place() {
        let values = [1.0f32, -2.0, 0.5, 3.0, 4.0, -0.25];
        for (dtype, bytes) in [
            (DType::F32, values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()),
            (DType::F16, values.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect()),
            (DType::BF16, values.iter().flat_map(|value| bf16::from_f32(*value).to_le_bytes()).collect()),
        ] {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(b"head").unwrap();
            file.write_all(&bytes).unwrap();
            let rows = StoredRows::open(file.path(), 4, dtype, [3, 2]).unwrap();
            assert_eq!(rows.look_up(&[2, 0], 2.0).unwrap(), [8.0, -0.5, 2.0, -4.0]);
            assert!(StoredRows::open(file.path(), 5, dtype, [3, 2]).is_none());
        }
        assert!(StoredRows::open(Path::new("nowhere"), 0, DType::F32, [1, 1]).is_none());
    }
}

//! Checkpoints of PyTorch before 1.6, as many `pytorch_model.bin` of the hub still are: four pickles and then the bare
//! storages, without the ZIP file around them that candle's reader expects.
//!
//! Layout, after `torch.serialization._legacy_save`: a magic number, a protocol number, facts about the writer's machine,
//! the state dictionary (whose tensors name their storages), the list of storage keys in the order of the storages, and
//! for each storage its number of elements (u64, little-endian) and its elements.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use candle_core::pickle::{Object, Stack, TensorInfo};
use candle_core::{Device, Error, Result, Tensor};

/// The first two pickles: the magic number 0x1950a86a20f9469cfc6c and protocol 1001, both as protocol-2 pickles.
const HEADER: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.";

/// An open legacy checkpoint.
pub(super) struct LegacyTensors {
    path: PathBuf,
    tensors: HashMap<String, TensorInfo>,
    /// Where each storage's elements begin in the file.
    storages: HashMap<String, u64>,
}

impl LegacyTensors {
    /// Whether the file begins as legacy checkpoints do.
    pub(super) fn recognises(path: &Path) -> bool {
        let mut start = Vec::new();
        let read = File::open(path).and_then(|file| file.take(HEADER.len() as u64).read_to_end(&mut start));
        read.is_ok() && start == HEADER
    }

    /// Reads everything but the elements.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let mut file = BufReader::new(File::open(path)?);
        let length = file.get_ref().metadata()?.len();
        file.seek(SeekFrom::Start(HEADER.len() as u64))?;
        read_pickle(&mut file)?;
        let Object::Dict(entries) = state_dict(read_pickle(&mut file)?) else {
            candle_core::bail!("the checkpoint holds no dictionary of tensors");
        };
        let mut tensors = HashMap::new();
        let mut sizes = HashMap::new();
        for (name, value) in entries {
            if let Some(info) = value.into_tensor_info(name, Path::new(""))? {
                sizes.insert(info.path.clone(), info.dtype.size_in_bytes() as u64);
                tensors.insert(info.name.clone(), info);
            }
        }
        let storages = storages(&mut file, length, &sizes)?;
        Ok(Self { path: path.to_owned(), tensors, storages })
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Reads one tensor; it must be contiguous.
    pub(super) fn get(&self, name: &str) -> Result<Option<Tensor>> {
        let Some(info) = self.tensors.get(name) else { return Ok(None) };
        let Some(start) = self.storages.get(&info.path) else { candle_core::bail!("its storage is not in the file") };
        if !info.layout.is_contiguous() {
            candle_core::bail!("its elements do not lie in order");
        }
        let mut file = File::open(&self.path)?;
        // candle's offsets are in bytes already.
        file.seek(SeekFrom::Start(start.saturating_add(info.layout.start_offset() as u64)))?;
        let length = info.layout.shape().elem_count().saturating_mul(info.dtype.size_in_bytes());
        let mut bytes = Vec::new();
        file.take(length as u64).read_to_end(&mut bytes)?;
        if bytes.len() < length {
            candle_core::bail!("the file ends within it");
        }
        Tensor::from_raw_buffer(&bytes, info.dtype, info.layout.dims(), &Device::Cpu).map(Some)
    }
}

fn read_pickle(file: &mut impl BufRead) -> Result<Object> {
    let mut stack = Stack::empty();
    stack.read_loop(file)?;
    stack.finalize()
}

/// The dictionary itself, which an `OrderedDict` builds with its attributes.
fn state_dict(object: Object) -> Object {
    match object {
        Object::Build { callable, .. } => *callable,
        other => other,
    }
}

/// Finds where the elements of every storage begin. Keys of storages are the last part of a tensor's path.
fn storages(
    file: &mut (impl BufRead + Seek),
    length: u64,
    sizes: &HashMap<String, u64>,
) -> Result<HashMap<String, u64>> {
    let Object::List(keys) = read_pickle(file)? else { candle_core::bail!("the checkpoint lists no storages") };
    let mut found = HashMap::new();
    for key in keys {
        let Object::Unicode(key) = key else { candle_core::bail!("a storage has no name") };
        let mut count = [0; 8];
        file.read_exact(&mut count)?;
        let start = file.stream_position()?;
        let path = sizes.keys().find(|path| Path::new(path).file_name().is_some_and(|name| name == key.as_str()));
        let Some((path, size)) = path.and_then(|path| sizes.get_key_value(path)) else {
            candle_core::bail!("storage {key} belongs to no tensor");
        };
        let end = u64::from_le_bytes(count).checked_mul(*size).and_then(|bytes| start.checked_add(bytes));
        match end.filter(|end| *end <= length) {
            Some(end) => file.seek(SeekFrom::Start(end))?,
            None => return Err(Error::msg("the file ends before its storages do")),
        };
        found.insert(path.clone(), start);
    }
    Ok(found)
}

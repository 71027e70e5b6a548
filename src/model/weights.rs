//! Tensors by name, from whatever files a checkpoint has, each checked against what the network expects.

use std::path::{Path, PathBuf};

use candle_core::pickle::PthTensors;
use candle_core::safetensors::MmapedSafetensors;
use candle_core::{DType, Device, Tensor};

use super::ModelError;
use super::legacy::LegacyTensors;

/// The tensors of a checkpoint, and where and as what they are to be loaded.
pub struct Weights {
    files: Files,
    device: Device,
    dtype: DType,
}

enum Files {
    Safetensors(MmapedSafetensors),
    Pickle { tensors: PthTensors, path: PathBuf },
    Legacy { tensors: LegacyTensors, path: PathBuf },
}

impl Weights {
    /// Opens weights files: one or several `.safetensors`, which are mapped into memory, or one `.bin`, whose pickle is
    /// read without executing anything. Tensors are loaded to `device` as `dtype`.
    pub fn open(paths: &[PathBuf], device: &Device, dtype: DType) -> Result<Self, ModelError> {
        let files = match paths {
            [path] if path.extension().is_some_and(|e| e == "bin") => Files::open_pickle(path)?,
            paths => Files::map_safetensors(paths)?,
        };
        Ok(Self { files, device: device.clone(), dtype })
    }

    /// Whether the checkpoint has a tensor of this name.
    pub fn has(&self, name: &str) -> bool {
        match &self.files {
            Files::Safetensors(files) => files.get(name).is_ok(),
            Files::Pickle { tensors, .. } => tensors.tensor_infos().contains_key(name),
            Files::Legacy { tensors, .. } => tensors.contains(name),
        }
    }

    /// The tensor `name`, which must have `shape` and hold floating-point numbers (f32, f16 or bf16).
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<Tensor, ModelError> {
        let tensor = self.read(name)?;
        if tensor.dims() != shape {
            return Err(ModelError::Shape {
                name: name.to_owned(),
                found: tensor.dims().to_vec(),
                expected: shape.to_vec(),
            });
        }
        if !matches!(tensor.dtype(), DType::F32 | DType::F16 | DType::BF16) {
            return Err(ModelError::Type { name: name.to_owned(), found: tensor.dtype().as_str().to_owned() });
        }
        let moved = tensor.to_device(&self.device).and_then(|tensor| tensor.to_dtype(self.dtype));
        Ok(moved?.contiguous()?)
    }

    fn read(&self, name: &str) -> Result<Tensor, ModelError> {
        if !self.has(name) {
            return Err(ModelError::Missing(name.to_owned()));
        }
        let unreadable = |reason: String| ModelError::Unreadable { name: name.to_owned(), reason };
        let in_file = |path: &Path, error| unreadable(format!("{error} in {}", path.display()));
        let tensor = match &self.files {
            Files::Safetensors(files) => {
                Some(files.load(name, &Device::Cpu).map_err(|error| unreadable(error.to_string()))?)
            }
            Files::Pickle { tensors, path } => tensors.get(name).map_err(|error| in_file(path, error))?,
            Files::Legacy { tensors, path } => tensors.get(name).map_err(|error| in_file(path, error))?,
        };
        tensor.ok_or_else(|| ModelError::Missing(name.to_owned()))
    }
}

impl Files {
    fn map_safetensors(paths: &[PathBuf]) -> Result<Self, ModelError> {
        for path in paths {
            std::fs::File::open(path).map_err(|error| broken(path, &error))?;
        }
        // SAFETY: the map stays valid as long as nobody truncates or rewrites the files under a running process. Models
        // are only ever replaced by renaming a whole new file into place (as every hub client does), which leaves mapped
        // ones as they were. The header is validated before any tensor is read, and tensors are copied out once.
        let files = unsafe { MmapedSafetensors::multi(paths) };
        files.map(Self::Safetensors).map_err(|error| {
            let culprit = paths.iter().find(|path| !opens(path)).or(paths.first());
            culprit.map_or_else(|| ModelError::Missing("model.safetensors".into()), |path| broken(path, &error))
        })
    }

    fn open_pickle(path: &Path) -> Result<Self, ModelError> {
        let broken = |error| broken(path, &error);
        Ok(if LegacyTensors::recognises(path) {
            Self::Legacy { tensors: LegacyTensors::open(path).map_err(broken)?, path: path.to_owned() }
        } else {
            Self::Pickle { tensors: PthTensors::new(path, None).map_err(broken)?, path: path.to_owned() }
        })
    }
}

/// Whether a safetensors file has a sound header.
fn opens(path: &Path) -> bool {
    // SAFETY: as in `map_safetensors`; the map is dropped at once.
    unsafe { MmapedSafetensors::new(path) }.is_ok()
}

fn broken(path: &Path, error: &dyn std::fmt::Display) -> ModelError {
    ModelError::Broken { path: path.to_owned(), reason: error.to_string() }
}

//! Tensors by name, from whatever files a checkpoint has, each checked against what the network expects.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use candle_core::pickle::PthTensors;
use candle_core::{DType, Device, Tensor};
use half::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::TensorInfo;

use super::ModelError;
use super::legacy::LegacyTensors;
use super::mapped::MappedFile;
use super::stored::{StoredRows, start_in_zip};
use crate::hub::ModelFile;
use crate::kernels::WeightRun;

/// The tensors of a checkpoint, and where and as what they are to be loaded.
pub struct Weights {
    files: Files,
    device: Device,
    dtype: DType,
}

enum Files {
    Safetensors(Vec<MappedFile>),
    Pickles(Vec<Pickle>),
}

/// The tensors of one `.bin`.
struct Pickle {
    tensors: PickleTensors,
    path: PathBuf,
}

enum PickleTensors {
    Zip(PthTensors),
    Legacy(LegacyTensors),
}

/// Takes a run of a tensor's values, whole rows of its last dimension.
type Taker<'a> = &'a mut dyn FnMut(WeightRun) -> Result<(), ModelError>;

/// Values that are converted at a time: few enough to stay in the cache.
const RUN: usize = 1 << 18;

impl Weights {
    /// Opens weights files, whole or in shards: `.safetensors`, whose tensors are mapped into memory, or `.bin`, whose
    /// pickles are read without executing anything. Tensors are loaded to `device` as `dtype`.
    pub fn open(files: &[ModelFile], device: &Device, dtype: DType) -> Result<Self, ModelError> {
        if files.is_empty() {
            return Err(ModelError::Missing("model.safetensors".into()));
        }
        let files = if files.iter().any(|file| file.path().extension().is_some_and(|e| e == "bin")) {
            Files::Pickles(files.iter().map(|file| Pickle::open(file.path())).collect::<Result<_, _>>()?)
        } else {
            Files::Safetensors(files.iter().map(MappedFile::open).collect::<Result<_, _>>()?)
        };
        Ok(Self { files, device: device.clone(), dtype })
    }

    /// The same, to be loaded as another type.
    pub fn loaded_as(self, dtype: DType) -> Self {
        Self { dtype, ..self }
    }

    /// Whether the checkpoint holds 8-bit integers.
    pub fn are_int8(&self) -> bool {
        match &self.files {
            Files::Safetensors(files) => files.iter().any(|file| file.holds(Dtype::I8)),
            Files::Pickles(_) => false,
        }
    }

    /// Whether the checkpoint has a tensor of this name.
    pub fn has(&self, name: &str) -> bool {
        match &self.files {
            Files::Safetensors(files) => files.iter().any(|file| file.info(name).is_some()),
            Files::Pickles(pickles) => pickles.iter().any(|pickle| pickle.has(name)),
        }
    }

    /// The tensor `name`, which must have `shape` and a type that [`Self::read`] knows.
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<Tensor, ModelError> {
        let mut values = Vec::with_capacity(shape.iter().product());
        self.read(name, shape, &mut |run| {
            values.extend_from_slice(&run.into_f32());
            Ok(())
        })?;
        Ok(Tensor::from_vec(values, shape, &Device::Cpu)?.to_device(&self.device)?.to_dtype(self.dtype)?)
    }

    /// The rows of the tensor `name` as they stand in their file, if they can be read from there one by one: from
    /// safetensors and from the ZIP files of PyTorch, in f32, f16 or bf16.
    pub fn stored_rows(&self, name: &str, shape: [usize; 2]) -> Option<StoredRows> {
        match &self.files {
            Files::Safetensors(files) => {
                let (file, info) = files.iter().find_map(|file| Some((file, file.info(name)?)))?;
                let dtype = match info.dtype {
                    Dtype::F32 => DType::F32,
                    Dtype::F16 => DType::F16,
                    Dtype::BF16 => DType::BF16,
                    _ => return None,
                };
                let (path, start) = file.place(info)?;
                StoredRows::open(path, start, dtype, shape).filter(|_| info.shape == shape)
            }
            Files::Pickles(pickles) => pickles.iter().find(|pickle| pickle.has(name))?.stored_rows(name, shape),
        }
    }

    /// Hands the values of the tensor `name`, which must have `shape`, to `take` in runs of whole rows, in f32 or as stored
    /// integers, without ever holding all of them in f32.
    ///
    /// Tensors are f32, f16 or bf16, or in a safetensors file 8-bit integers: then `{name}_scale` holds an f32 factor for
    /// each place in the first dimension.
    pub fn read(&self, name: &str, shape: &[usize], take: Taker) -> Result<(), ModelError> {
        let missing = || ModelError::Missing(name.to_owned());
        match &self.files {
            Files::Safetensors(files) => {
                let (file, info) = files.iter().find_map(|file| Some((file, file.info(name)?))).ok_or_else(missing)?;
                check_shape(name, &info.shape, shape)?;
                let scales = match info.dtype {
                    Dtype::I8 => self.scales(&format!("{name}_scale"), shape)?,
                    _ => Vec::new(),
                };
                decode(name, info, &file.bytes(name, info)?, &scales, take)
            }
            Files::Pickles(pickles) => {
                let pickle = pickles.iter().find(|pickle| pickle.has(name)).ok_or_else(missing)?;
                let unreadable = |error: candle_core::Error| ModelError::Unreadable {
                    name: name.to_owned(),
                    reason: format!("{error} in {}", pickle.path.display()),
                };
                hand_over(name, &pickle.get(name).map_err(unreadable)?.ok_or_else(missing)?, shape, take)
            }
        }
    }

    fn scales(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let rows = shape.first().copied().unwrap_or(1);
        let mut scales = Vec::with_capacity(rows);
        self.read(name, &[rows], &mut |run| {
            scales.extend_from_slice(&run.into_f32());
            Ok(())
        })?;
        Ok(scales)
    }
}

impl Pickle {
    fn open(path: &Path) -> Result<Self, ModelError> {
        let broken =
            |error: candle_core::Error| ModelError::Broken { path: path.to_owned(), reason: error.to_string() };
        let tensors = if LegacyTensors::recognises(path) {
            PickleTensors::Legacy(LegacyTensors::open(path).map_err(broken)?)
        } else {
            PickleTensors::Zip(PthTensors::new(path, None).map_err(broken)?)
        };
        Ok(Self { tensors, path: path.to_owned() })
    }

    fn has(&self, name: &str) -> bool {
        match &self.tensors {
            PickleTensors::Zip(tensors) => tensors.tensor_infos().contains_key(name),
            PickleTensors::Legacy(tensors) => tensors.contains(name),
        }
    }

    fn stored_rows(&self, name: &str, shape: [usize; 2]) -> Option<StoredRows> {
        let PickleTensors::Zip(tensors) = &self.tensors else { return None };
        let info = tensors.tensor_infos().get(name)?;
        if info.layout.dims() != shape || !info.layout.is_contiguous() {
            return None;
        }
        let skipped = info.layout.start_offset() * info.dtype.size_in_bytes();
        let start = start_in_zip(&self.path, &info.path).ok()?? + skipped as u64;
        StoredRows::open(&self.path, start, info.dtype, shape)
    }

    fn get(&self, name: &str) -> candle_core::Result<Option<Tensor>> {
        match &self.tensors {
            PickleTensors::Zip(tensors) => tensors.get(name),
            PickleTensors::Legacy(tensors) => tensors.get(name),
        }
    }
}

fn check_shape(name: &str, found: &[usize], expected: &[usize]) -> Result<(), ModelError> {
    if found == expected {
        return Ok(());
    }
    Err(ModelError::Shape { name: name.to_owned(), found: found.to_vec(), expected: expected.to_vec() })
}

/// Values of whole rows that make a run.
fn run(shape: &[usize]) -> usize {
    let width = shape.last().copied().unwrap_or(1).max(1);
    (RUN / width).max(1) * width
}

/// Hands over a tensor that is in memory.
fn hand_over(name: &str, tensor: &Tensor, shape: &[usize], take: Taker) -> Result<(), ModelError> {
    check_shape(name, tensor.dims(), shape)?;
    if !matches!(tensor.dtype(), DType::F32 | DType::F16 | DType::BF16) {
        return Err(ModelError::Type { name: name.to_owned(), found: tensor.dtype().as_str().to_owned() });
    }
    let flat = tensor.flatten_all()?;
    let (count, run) = (flat.dim(0)?, run(shape));
    for start in (0..count).step_by(run) {
        let values = flat.narrow(0, start, run.min(count - start))?.to_dtype(DType::F32)?;
        take(WeightRun::F32(values.to_vec1::<f32>()?.into()))?;
    }
    Ok(())
}

/// Hands over a tensor in its stored form, little-endian.
fn decode(name: &str, info: &TensorInfo, bytes: &[u8], scales: &[f32], take: Taker) -> Result<(), ModelError> {
    let run = run(&info.shape);
    let mut values = Vec::with_capacity(run);
    let mut hand = |convert: &mut dyn FnMut(&mut Vec<f32>)| {
        values.clear();
        convert(&mut values);
        take(WeightRun::F32(values.as_slice().into()))
    };
    match info.dtype {
        Dtype::F32 => {
            bytes.as_chunks().0.chunks(run).try_for_each(|run| {
                hand(&mut |values| values.extend(run.iter().map(|bytes| f32::from_le_bytes(*bytes))))
            })
        }
        Dtype::F16 => bytes.as_chunks().0.chunks(run).try_for_each(|run| {
            hand(&mut |values| values.extend(run.iter().map(|bytes| f16::from_le_bytes(*bytes).to_f32())))
        }),
        Dtype::BF16 => bytes.as_chunks().0.chunks(run).try_for_each(|run| {
            hand(&mut |values| values.extend(run.iter().map(|bytes| bf16::from_le_bytes(*bytes).to_f32())))
        }),
        Dtype::I8 => {
            take(WeightRun::Int8 { values: Cow::Borrowed(bytemuck::cast_slice(bytes)), scales: scales.into() })
        }
        found => Err(ModelError::Type { name: name.to_owned(), found: format!("{found:?}") }),
    }
}

#[cfg(test)]
mod tests {
    use safetensors::tensor::TensorView;

    use super::*;

    #[test]
    fn eight_bit_rows_come_back_times_their_scales() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let integers: Vec<u8> = [1i8, -2, 127, -127, 0, 4].map(i8::cast_unsigned).to_vec();
        let scales: Vec<u8> = [0.5f32, 2.0].iter().flat_map(|scale| scale.to_le_bytes()).collect();
        let tensors = [
            ("x.weight", TensorView::new(Dtype::I8, vec![2, 3], &integers).unwrap()),
            ("x.weight_scale", TensorView::new(Dtype::F32, vec![2], &scales).unwrap()),
            ("y.weight", TensorView::new(Dtype::I8, vec![2, 3], &integers).unwrap()),
        ];
        safetensors::serialize_to_file(tensors, None, &path).unwrap();
        let weights = Weights::open(&[path.into()], &Device::Cpu, DType::F32).unwrap();
        let read = weights.get("x.weight", &[2, 3]).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(read, [[0.5, -1.0, 63.5], [-254.0, 0.0, 8.0]]);
        let error = weights.get("y.weight", &[2, 3]).unwrap_err();
        assert!(error.to_string().contains("y.weight_scale"), "{error}");
    }
}

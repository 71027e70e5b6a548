//! Where a model runs.

use std::str::FromStr;

use super::TranslateError;

/// A device, by the user's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Device {
    /// A GPU where this build and the machine have one, else the CPU.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// The CUDA device of this number.
    Cuda(usize),
    /// Apple's GPU.
    Metal,
}

impl Device {
    pub(super) fn open(self) -> Result<candle_core::Device, TranslateError> {
        let unavailable = |source| TranslateError::Device { device: self, source };
        match self {
            Self::Cpu => Ok(candle_core::Device::Cpu),
            Self::Cuda(number) => candle_core::Device::new_cuda(number).map_err(unavailable),
            Self::Metal => candle_core::Device::new_metal(0).map_err(unavailable),
            Self::Auto => Ok(candle_core::Device::new_cuda(0)
                .or_else(|_| candle_core::Device::new_metal(0))
                .unwrap_or(candle_core::Device::Cpu)),
        }
    }
}

impl std::fmt::Display for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
            Self::Metal => f.write_str("metal"),
        }
    }
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':').map_or((text, None), |(kind, number)| (kind, Some(number))) {
            ("auto", None) => Ok(Self::Auto),
            ("cpu", None) => Ok(Self::Cpu),
            ("metal", None) => Ok(Self::Metal),
            ("cuda", None) => Ok(Self::Cuda(0)),
            ("cuda", Some(number)) => {
                number.parse().map(Self::Cuda).map_err(|_| format!("{number:?} is no number of a CUDA device"))
            }
            _ => Err(format!("{text:?} is no device; it is auto, cpu, cuda, cuda:N or metal")),
        }
    }
}

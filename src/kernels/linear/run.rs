//! Rows of weights as a checkpoint stores them.

use std::borrow::Cow;

/// Some neighbouring rows of a matrix of weights, row after row.
#[derive(Debug, Clone, PartialEq)]
pub enum WeightRun<'a> {
    /// Single precision.
    F32(Cow<'a, [f32]>),
    /// 8-bit integers of a magnitude up to 127, and for each row the factor that its integers are to be multiplied by.
    Int8 {
        /// Row after row.
        values: Cow<'a, [i8]>,
        /// One for each row.
        scales: Cow<'a, [f32]>,
    },
}

impl<'a> WeightRun<'a> {
    /// The values in single precision.
    pub fn into_f32(self) -> Cow<'a, [f32]> {
        match self {
            Self::F32(values) => values,
            Self::Int8 { values, scales } => {
                let width = values.len().checked_div(scales.len()).unwrap_or(0).max(1);
                let rows = values.chunks_exact(width).zip(scales.iter());
                rows.flat_map(|(row, scale)| row.iter().map(move |value| f32::from(*value) * scale)).collect()
            }
        }
    }

    /// The rows, of `width` values, that `keep` chooses by their place.
    pub fn select(&self, width: usize, mut keep: impl FnMut(usize) -> bool) -> WeightRun<'static> {
        let width = width.max(1);
        match self {
            Self::F32(values) => {
                let rows = values.chunks_exact(width).enumerate().filter(|(place, _)| keep(*place));
                WeightRun::F32(rows.flat_map(|(_, row)| row).copied().collect())
            }
            Self::Int8 { values, scales } => {
                let (mut kept, mut kept_scales) = (Vec::new(), Vec::new());
                for (place, (row, scale)) in values.chunks_exact(width).zip(scales.iter()).enumerate() {
                    if keep(place) {
                        kept.extend_from_slice(row);
                        kept_scales.push(*scale);
                    }
                }
                WeightRun::Int8 { values: kept.into(), scales: kept_scales.into() }
            }
        }
    }
}

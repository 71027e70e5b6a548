//! What T5 knows of positions: an addend for each head and class of distances.

use std::ops::Range;

use candle_core::{DType, Device, Tensor};

use crate::model::ModelError;
use crate::model::attention::PositionBias;
use crate::model::config::T5Config;
use crate::model::layers::{Execution, Loader};

/// Classes of distances from queries to keys (Raffel et al. 2020, section 2.1): small distances have classes of their own,
/// larger ones share them on a logarithmic scale.
#[derive(Debug, Clone, Copy)]
pub struct Buckets {
    number: usize,
    max_distance: usize,
    /// Whether keys may lie after their queries; half of the classes is for these.
    bidirectional: bool,
}

impl Buckets {
    pub fn new(config: &T5Config, bidirectional: bool) -> Self {
        Self {
            number: config.relative_attention_num_buckets,
            max_distance: config.relative_attention_max_distance,
            bidirectional,
        }
    }

    /// The class of keys that lie `ahead` of their query, or behind it where that is negative.
    fn of(&self, ahead: isize) -> usize {
        let (number, first) = match self.bidirectional {
            true => (self.number / 2, if ahead > 0 { self.number / 2 } else { 0 }),
            false => (self.number, 0),
        };
        let distance = if self.bidirectional || ahead < 0 { ahead.unsigned_abs() } else { 0 };
        let exact = number / 2;
        if distance < exact {
            return first + distance;
        }
        // In single precision and in this order, as in the reference: distances lie on the very borders of classes.
        let logarithm = (distance as f32 / exact as f32).ln() / (self.max_distance as f64 / exact as f64).ln() as f32;
        first + (exact + (logarithm * (number - exact) as f32) as usize).min(number - 1)
    }
}

/// Relative positions of a stack of layers, all of which share them.
pub struct RelativeBias {
    /// For each class an addend for each head.
    table: Vec<f32>,
    heads: usize,
    buckets: Buckets,
    execution: Execution,
    device: Device,
    dtype: DType,
}

impl RelativeBias {
    pub fn load(
        loader: &Loader,
        config: &T5Config,
        buckets: Buckets,
        execution: Execution,
    ) -> Result<Self, ModelError> {
        let shape = [config.relative_attention_num_buckets, config.num_heads];
        let table = loader.at("relative_attention_bias").tensor("weight", &shape)?;
        let (device, dtype) = (table.device().clone(), table.dtype());
        let table = table.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        Ok(Self { table, heads: config.num_heads, buckets, execution, device, dtype })
    }

    /// For queries at these positions, and keys at all positions before `keys`.
    pub fn between(&self, queries: Range<usize>, keys: usize) -> candle_core::Result<PositionBias> {
        let addend = |head: usize, ahead: isize| {
            self.table.get(self.buckets.of(ahead) * self.heads + head).copied().unwrap_or_default()
        };
        let ahead = |query: usize, key: usize| key as isize - query as isize;
        Ok(match self.execution {
            Execution::Kernels(_) => {
                let origin = queries.end.saturating_sub(1);
                let distances = ahead(origin, 0)..ahead(queries.start, keys);
                let row = |head: usize| distances.clone().map(move |distance| addend(head, distance));
                PositionBias::Kernel { values: (0..self.heads).flat_map(row).collect(), origin }
            }
            Execution::Candle => {
                let mut values = Vec::with_capacity(self.heads * queries.len() * keys);
                for head in 0..self.heads {
                    for query in queries.clone() {
                        values.extend((0..keys).map(|key| addend(head, ahead(query, key))));
                    }
                }
                let shape = (self.heads, queries.len(), keys);
                PositionBias::Candle(Tensor::from_vec(values, shape, &self.device)?.to_dtype(self.dtype)?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Shape {
        bidirectional: bool,
        buckets: usize,
        max_distance: usize,
        /// Distances at which another class begins, and this class.
        starts: Vec<(isize, usize)>,
        end: isize,
    }

    #[test]
    fn classes_are_those_of_transformers() {
        let shapes: Vec<Shape> =
            serde_json::from_str(include_str!("../../../tests/fixtures/golden/t5_buckets.json")).unwrap();
        for shape in shapes {
            let buckets =
                Buckets { number: shape.buckets, max_distance: shape.max_distance, bidirectional: shape.bidirectional };
            let ends = shape.starts.iter().skip(1).map(|(start, _)| *start).chain([shape.end]);
            for ((start, class), end) in shape.starts.iter().zip(ends) {
                for ahead in *start..end {
                    assert_eq!(buckets.of(ahead), *class, "{buckets:?}: {ahead}");
                }
            }
        }
    }
}

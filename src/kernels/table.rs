//! Rows that are looked up rather than multiplied.

use super::linear::{Arithmetic, WeightRows, WeightRun};

/// A table of rows of equal width, such as embeddings.
pub struct Table {
    rows: Rows,
    width: usize,
}

enum Rows {
    F32(Vec<f32>),
    Int8(WeightRows),
}

impl Table {
    /// Empty, for rows of `width` values.
    pub fn new(arithmetic: Arithmetic, width: usize) -> Self {
        let rows = match arithmetic {
            Arithmetic::F32 => Rows::F32(Vec::new()),
            Arithmetic::Int8 => Rows::Int8(WeightRows::new(width)),
        };
        Self { rows, width }
    }

    /// Appends rows.
    pub fn extend(&mut self, rows: WeightRun) {
        match &mut self.rows {
            Rows::F32(values) => values.extend_from_slice(&rows.into_f32()),
            Rows::Int8(values) => values.extend(rows),
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        match &self.rows {
            Rows::F32(values) => values.len() / self.width.max(1),
            Rows::Int8(values) => values.scales.len(),
        }
    }

    /// Appends a row to `out`, each value times `factor`; nothing if there is no such row.
    pub fn look_up(&self, row: usize, factor: f32, out: &mut Vec<f32>) {
        match &self.rows {
            Rows::F32(values) => {
                let values = values.chunks_exact(self.width.max(1)).nth(row).unwrap_or_default();
                out.extend(values.iter().map(|value| value * factor));
            }
            Rows::Int8(values) => {
                let scale = values.scales.get(row).copied().unwrap_or_default();
                let values = values.values.chunks_exact(values.width.max(1)).nth(row).unwrap_or_default();
                out.extend(values.iter().take(self.width).map(|value| f32::from(*value) * scale * factor));
            }
        }
    }
}

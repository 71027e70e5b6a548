//! Products by x86's fused multiplications and additions, AVX-512 or AVX2.

use std::arch::x86_64::*;
use std::mem::transmute;
use std::ops::Range;

use crate::kernels::linear::panels::{
    self, HALF, Kernel, Outputs, Panels, WIDTH, padded, prefetch, store, tiles, with_rows,
};

/// 32-bit values of an AVX2 register.
const LANES: usize = 8;

/// A set of instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Instructions {
    Avx2,
    Avx512,
}

impl Instructions {
    /// Those that this processor has, the fastest last.
    pub(super) fn available() -> Vec<Self> {
        let all = [(Self::Avx2, panels::have_avx2()), (Self::Avx512, panels::have_avx512())];
        all.into_iter().filter(|(_, available)| *available).map(|(instructions, _)| instructions).collect()
    }
}

/// The weights of a layer.
pub(super) struct FloatPanels {
    panels: Panels<f32>,
    bias: Vec<f32>,
    instructions: Instructions,
}

impl FloatPanels {
    pub(super) fn pack(weight: &[f32], bias: Vec<f32>, inputs: usize, instructions: Instructions) -> Self {
        Self { panels: Panels::pack(weight, inputs.max(1)), bias: padded(bias), instructions }
    }

    /// Fills `out`, as many rows as `rows` has.
    pub(super) fn multiply(&self, rows: &[f32], out: &mut [f32]) {
        let count = rows.len() / self.panels.depth();
        match self.instructions {
            Instructions::Avx2 => panels::multiply(&Avx2 { layer: self, rows }, &self.panels, count, out),
            Instructions::Avx512 => panels::multiply(&Avx512 { layer: self, rows }, &self.panels, count, out),
        }
    }

    /// The rows of a tile.
    fn tile<'a, const ROWS: usize>(&self, rows: &'a [f32], first: usize) -> [&'a [f32]; ROWS] {
        let depth = self.panels.depth();
        std::array::from_fn(|row| &rows[(first + row) * depth..][..depth])
    }

    /// The bias of a panel.
    fn bias(&self, panel: usize) -> &[[f32; HALF]] {
        self.bias[panel * WIDTH..][..WIDTH].as_chunks().0
    }
}

struct Avx512<'a> {
    layer: &'a FloatPanels,
    rows: &'a [f32],
}

impl Kernel for Avx512<'_> {
    type Weight = f32;

    fn multiply(&self, panels: Range<usize>, rows: Range<usize>, mut out: Outputs) {
        assert!(panels::have_avx512(), "this processor has no AVX-512");
        for (place, panel) in panels.enumerate() {
            for tile in tiles(rows.len(), 12) {
                let first = rows.start + tile.start;
                let fetch = tile.start == 0;
                let out = out.tile(place, tile.clone());
                // SAFETY: the processor was checked above.
                with_rows!(tile.len(), ROWS => unsafe { self.tile::<ROWS>(panel, first, fetch, out) });
            }
        }
    }
}

impl Avx512<'_> {
    #[target_feature(enable = "avx512f,avx512bw")]
    fn tile<'o, const ROWS: usize>(
        &self,
        panel: usize,
        first: usize,
        fetch: bool,
        out: impl Iterator<Item = &'o mut [f32]>,
    ) {
        let weights = self.layer.panels.panel(panel);
        let tile = self.layer.tile::<ROWS>(self.rows, first);
        let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
        for (place, line) in weights.iter().enumerate() {
            if fetch {
                prefetch(line, weights.len());
            }
            // SAFETY: both types are 64 bytes of plain numbers.
            let line = line.0.map(|half| unsafe { transmute::<[f32; HALF], __m512>(half) });
            for (row, sums) in tile.iter().zip(&mut sums) {
                // SAFETY: a row has as many values as the panel has lines.
                let value = _mm512_set1_ps(unsafe { *row.get_unchecked(place) });
                for (sum, weights) in sums.iter_mut().zip(line) {
                    *sum = _mm512_fmadd_ps(value, weights, *sum);
                }
            }
        }
        let bias = self.layer.bias(panel);
        for (out, sums) in out.zip(sums) {
            let mut finished = sums;
            for (finished, bias) in finished.iter_mut().zip(bias) {
                // SAFETY: both types are 64 bytes of plain numbers.
                *finished = _mm512_add_ps(*finished, unsafe { transmute::<[f32; HALF], __m512>(*bias) });
            }
            store(finished, out);
        }
    }
}

struct Avx2<'a> {
    layer: &'a FloatPanels,
    rows: &'a [f32],
}

impl Kernel for Avx2<'_> {
    type Weight = f32;

    fn multiply(&self, panels: Range<usize>, rows: Range<usize>, mut out: Outputs) {
        assert!(panels::have_avx2(), "this processor has no AVX2");
        for (place, panel) in panels.enumerate() {
            for tile in tiles(rows.len(), 6) {
                let first = rows.start + tile.start;
                let fetch = tile.start == 0;
                let out = out.tile(place, tile.clone());
                // SAFETY: the processor was checked above.
                with_rows!(tile.len(), ROWS => unsafe { self.tile::<ROWS>(panel, first, fetch, out) });
            }
        }
    }
}

impl Avx2<'_> {
    #[target_feature(enable = "avx2,fma")]
    fn tile<'o, const ROWS: usize>(
        &self,
        panel: usize,
        first: usize,
        fetch: bool,
        out: impl Iterator<Item = &'o mut [f32]>,
    ) {
        let weights = self.layer.panels.panel(panel);
        let tile = self.layer.tile::<ROWS>(self.rows, first);
        let mut finished = [[[0.0; LANES]; WIDTH / LANES]; ROWS];
        for half in 0..2 {
            let mut sums = [[_mm256_setzero_ps(); 2]; ROWS];
            for (place, line) in weights.iter().enumerate() {
                if fetch && half == 0 {
                    prefetch(line, weights.len());
                }
                // SAFETY: both types are 64 bytes of plain numbers.
                let line = unsafe { transmute::<[f32; HALF], [__m256; 2]>(line.0[half]) };
                for (row, sums) in tile.iter().zip(&mut sums) {
                    // SAFETY: a row has as many values as the panel has lines.
                    let value = _mm256_set1_ps(unsafe { *row.get_unchecked(place) });
                    for (sum, weights) in sums.iter_mut().zip(line) {
                        *sum = _mm256_fmadd_ps(value, weights, *sum);
                    }
                }
            }
            // SAFETY: both types are 64 bytes of plain numbers.
            let bias = unsafe { transmute::<[f32; HALF], [__m256; 2]>(self.layer.bias(panel)[half]) };
            for (finished, sums) in finished.iter_mut().zip(sums) {
                for ((finished, sum), bias) in finished[2 * half..].iter_mut().zip(sums).zip(bias) {
                    // SAFETY: both types are 32 bytes of plain numbers.
                    *finished = unsafe { transmute::<__m256, [f32; LANES]>(_mm256_add_ps(sum, bias)) };
                }
            }
        }
        for (out, finished) in out.zip(&finished) {
            out.copy_from_slice(&finished.as_flattened()[..out.len()]);
        }
    }
}

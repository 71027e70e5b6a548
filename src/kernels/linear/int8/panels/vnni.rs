//! Dot products of four pairs of integers each.

use std::arch::x86_64::*;
use std::mem::transmute;
use std::ops::Range;

use super::Int8Panels;
use crate::kernels::linear::int8::rows::{GROUP, Rows};
use crate::kernels::linear::panels::{self, HALF, Kernel, Outputs, prefetch, tiles, with_rows};

pub(super) fn available() -> bool {
    panels::have_avx512() && is_x86_feature_detected!("avx512vnni")
}

pub(super) struct Vnni<'a> {
    pub(super) layer: &'a Int8Panels,
    pub(super) rows: &'a Rows,
}

impl Kernel for Vnni<'_> {
    type Weight = [i8; GROUP];

    fn multiply(&self, panels: Range<usize>, rows: Range<usize>, mut out: Outputs) {
        assert!(available(), "this processor has no AVX-512 VNNI");
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

impl Vnni<'_> {
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn tile<'o, const ROWS: usize>(
        &self,
        panel: usize,
        first: usize,
        fetch: bool,
        out: impl Iterator<Item = &'o mut [f32]>,
    ) {
        let weights = self.layer.panels.panel(panel);
        let (groups, _) = self.rows.values().as_chunks::<GROUP>();
        let tile: [&[[u8; GROUP]]; ROWS] =
            std::array::from_fn(|row| &groups[(first + row) * weights.len()..][..weights.len()]);
        let mut sums = [[_mm512_setzero_si512(); 2]; ROWS];
        for (place, line) in weights.iter().enumerate() {
            if fetch {
                prefetch(line, weights.len());
            }
            // SAFETY: both types are 64 bytes of plain integers.
            let line = line.0.map(|half| unsafe { transmute::<[[i8; GROUP]; HALF], __m512i>(half) });
            for (row, sums) in tile.iter().zip(&mut sums) {
                // SAFETY: a row has as many groups as the panel has lines.
                let values = unsafe { *row.get_unchecked(place) };
                let values = _mm512_set1_epi32(i32::from_ne_bytes(values));
                for (sum, weights) in sums.iter_mut().zip(line) {
                    *sum = _mm512_dpbusd_epi32(*sum, values, weights);
                }
            }
        }
        self.layer.finish(panel, self.rows, first, sums.into_iter(), out);
    }
}

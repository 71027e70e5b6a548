//! Products by rten-gemm, which has kernels for most processors.

use candle_core::{Error, Result};
use rayon::prelude::*;
use rten_gemm::{GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_simd::ops::{BitOps, NumOps, ToFloat};
use rten_simd::{Isa, SimdOp};
use rten_tensor::NdTensorView;

use super::rows::{Rows, WeightRows};

/// Outputs that are computed at a time: their integer sums stay in the cache until they are scaled.
pub(super) const BLOCK: usize = 2048;

type Gemm = GemmExecutor<u8, i8, i32>;

/// Whether products of neighbours are added in 16 bits on this processor, which is too few: x86 without VNNI, which has
/// panels.
#[cfg(test)]
pub(super) fn may_saturate() -> bool {
    Gemm::default().may_saturate()
}

/// The weights of a layer, in blocks of neighbouring outputs.
pub(super) struct Blocks {
    blocks: Vec<Block>,
    outputs: usize,
}

struct Block {
    weight: PackedBMatrix<i8>,
    scales: Vec<f32>,
    totals: Vec<i32>,
    bias: Vec<f32>,
}

impl Blocks {
    pub(super) fn pack(weights: &WeightRows, bias: &[f32]) -> Result<Self> {
        let columns =
            weights.scales.par_chunks(BLOCK).zip(weights.totals.par_chunks(BLOCK)).zip(bias.par_chunks(BLOCK));
        let blocks = weights
            .values
            .par_chunks(BLOCK * weights.width.max(1))
            .zip(columns)
            .map(|(values, ((scales, totals), bias))| {
                let matrix = NdTensorView::try_from_data([scales.len(), weights.width], values).map_err(Error::wrap)?;
                Ok(Block {
                    weight: Gemm::default().prepack_b(matrix.transposed()),
                    scales: scales.to_vec(),
                    totals: totals.to_vec(),
                    bias: bias.to_vec(),
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self { blocks, outputs: weights.scales.len() })
    }

    pub(super) fn multiply(&self, rows: &Rows, out: &mut [f32]) -> Result<()> {
        let count = rows.scales.len();
        let matrix = NdTensorView::try_from_data([count, rows.width], &rows.values()[..count * rows.width])
            .map_err(Error::wrap)?;
        let mut sums = vec![0; count * BLOCK.min(self.outputs)];
        let mut start = 0;
        for block in &self.blocks {
            let width = block.scales.len();
            let Some(sums) = sums.get_mut(..count * width) else { candle_core::bail!("a block is too wide") };
            Gemm::default()
                .gemm(
                    sums,
                    GemmInputA::Unpacked(matrix),
                    GemmInputB::Packed(&block.weight),
                    // Zero points are taken off below: rten-gemm 0.27 mistakes them from the second tile of rows on.
                    GemmOptions::default(),
                )
                .map_err(Error::wrap)?;
            let quants = rows.scales.iter().zip(&rows.zero_points);
            for ((out, sums), (scale, zero_point)) in
                out.chunks_exact_mut(self.outputs).zip(sums.chunks_exact(width)).zip(quants)
            {
                if let Some(out) = out.get_mut(start..start + width) {
                    Scale { block, sums, scale: *scale, zero_point: *zero_point, out }.dispatch();
                }
            }
            start += width;
        }
        Ok(())
    }
}

/// `out = (sums - zero_point * totals) * scale * scales + bias`
struct Scale<'a> {
    block: &'a Block,
    sums: &'a [i32],
    scale: f32,
    zero_point: i32,
    out: &'a mut [f32],
}

impl SimdOp for Scale<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let (ops, ints) = (isa.f32(), isa.i32());
        let lanes = ops.len();
        let (scale, zero_point) = (ops.splat(self.scale), ints.splat(self.zero_point));
        let sums = self.sums.chunks(lanes).zip(self.block.totals.chunks(lanes));
        let columns = self.block.scales.chunks(lanes).zip(self.block.bias.chunks(lanes));
        for ((out, (sums, totals)), (scales, bias)) in self.out.chunks_mut(lanes).zip(sums).zip(columns) {
            if out.len() == lanes {
                let sums = ints.sub(ints.load(sums), ints.mul(ints.load(totals), zero_point));
                let scales = ops.mul(ops.load(scales), scale);
                ops.store(ops.mul_add(ints.to_float(sums), scales, ops.load(bias)), out);
            } else {
                let columns = sums.iter().zip(totals).zip(scales.iter().zip(bias));
                for (out, ((sum, total), (scale, bias))) in out.iter_mut().zip(columns) {
                    *out = ((sum - total * self.zero_point) as f32).mul_add(scale * self.scale, *bias);
                }
            }
        }
    }
}

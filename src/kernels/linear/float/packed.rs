//! Products by rten-gemm, which has kernels for most processors.

use candle_core::{Error, Result};
use rten_gemm::{BiasVector, GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_tensor::NdTensorView;

/// The weights of a layer.
pub(super) struct Packed {
    weight: PackedBMatrix<f32>,
    bias: Option<Vec<f32>>,
}

impl Packed {
    pub(super) fn pack(weight: &[f32], bias: Option<Vec<f32>>, outputs: usize, inputs: usize) -> Result<Self> {
        let matrix = NdTensorView::try_from_data([outputs, inputs], weight).map_err(Error::wrap)?;
        Ok(Self { weight: GemmExecutor::<f32>::default().prepack_b(matrix.transposed()), bias })
    }

    pub(super) fn multiply(&self, rows: &[f32], out: &mut [f32]) -> Result<()> {
        let inputs = self.weight.rows();
        let rows = NdTensorView::try_from_data([rows.len() / inputs, inputs], rows).map_err(Error::wrap)?;
        // The executor is a choice of kernel and nothing else: to make one is to ask which vector unit there is.
        GemmExecutor::<f32>::default()
            .gemm(
                out,
                GemmInputA::Unpacked(rows),
                GemmInputB::Packed(&self.weight),
                GemmOptions { bias: self.bias.as_deref().map(BiasVector::Row), ..Default::default() },
            )
            .map_err(Error::wrap)
    }
}

//! Matrix products against weights that were packed once for the machine's vector unit.

use candle_core::{Error, Result, Tensor};
use rten_gemm::{BiasVector, GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_tensor::NdTensorView;

use super::with_values;

/// A linear layer in f32: `x W^T + b`.
pub struct PackedLinear {
    weight: PackedBMatrix<f32>,
    bias: Option<Vec<f32>>,
}

impl PackedLinear {
    /// Packs `weight`, shape `[out, in]`, with `bias`, shape `[out]`.
    pub fn new(weight: &Tensor, bias: Option<&Tensor>) -> Result<Self> {
        let (outputs, inputs) = weight.dims2()?;
        let weight = with_values(weight, |values| {
            let matrix = NdTensorView::try_from_data([outputs, inputs], values).map_err(Error::wrap)?;
            Ok(GemmExecutor::<f32>::default().prepack_b(matrix.transposed()))
        })?;
        let bias = bias.map(|bias| bias.to_vec1()).transpose()?;
        Ok(Self { weight, bias })
    }

    /// The layer's outputs for `rows` (a multiple of the layer's inputs), row after row.
    pub fn forward(&self, rows: &[f32]) -> Result<Vec<f32>> {
        let mut out = vec![0.0; rows.len() / self.weight.rows() * self.weight.cols()];
        self.forward_into(rows, &mut out)?;
        Ok(out)
    }

    /// [`Self::forward`] into a slice of the right length.
    pub fn forward_into(&self, rows: &[f32], out: &mut [f32]) -> Result<()> {
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

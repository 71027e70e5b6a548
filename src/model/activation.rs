//! The activations that configurations name.

use candle_core::{Result, Tensor};
use rten_simd::SimdUnaryOp;
use rten_vecmath::{ApproxGelu, Gelu, Sigmoid, Silu, Tanh};
use serde::Deserialize;

/// An activation function, by the names of transformers' `ACT2FN`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x Phi(x)` with the normal distribution's Phi.
    #[default]
    #[serde(alias = "gelu_python")]
    Gelu,
    /// The same with Phi through a hyperbolic tangent.
    #[serde(alias = "gelu_pytorch_tanh", alias = "gelu_fast", alias = "gelu_accurate")]
    GeluNew,
    /// `x sigmoid(1.702 x)`
    QuickGelu,
    /// `max(x, 0)`
    Relu,
    /// `max(x, 0)^2`
    Relu2,
    /// `min(max(x, 0), 6)`
    Relu6,
    /// `x sigmoid(x)`
    #[serde(alias = "swish")]
    Silu,
    /// `1 / (1 + exp(-x))`
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// None.
    Linear,
}

impl Activation {
    /// Applies it by candle's operations.
    pub fn forward(self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Gelu => x.gelu_erf(),
            Self::GeluNew => x.gelu(),
            Self::QuickGelu => x * candle_nn::ops::sigmoid(&(x * 1.702)?)?,
            Self::Relu => x.relu(),
            Self::Relu2 => x.relu()?.sqr(),
            Self::Relu6 => x.clamp(0f32, 6f32),
            Self::Silu => x.silu(),
            Self::Sigmoid => candle_nn::ops::sigmoid(x),
            Self::Tanh => x.tanh(),
            Self::Linear => Ok(x.clone()),
        }
    }

    /// Applies it in place.
    pub fn apply(self, values: &mut [f32]) {
        match self {
            Self::Gelu => Gelu {}.map_mut(values),
            Self::GeluNew => ApproxGelu {}.map_mut(values),
            Self::QuickGelu => values.iter_mut().for_each(|x| *x /= 1.0 + (-1.702 * *x).exp()),
            Self::Relu => values.iter_mut().for_each(|x| *x = x.max(0.0)),
            Self::Relu2 => values.iter_mut().for_each(|x| *x = x.max(0.0).powi(2)),
            Self::Relu6 => values.iter_mut().for_each(|x| *x = x.clamp(0.0, 6.0)),
            Self::Silu => Silu {}.map_mut(values),
            Self::Sigmoid => Sigmoid {}.map_mut(values),
            Self::Tanh => Tanh {}.map_mut(values),
            Self::Linear => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn both_ways_agree_for_every_name() {
        let names = [
            "gelu",
            "gelu_python",
            "gelu_new",
            "gelu_pytorch_tanh",
            "gelu_fast",
            "quick_gelu",
            "relu",
            "relu2",
            "relu6",
            "silu",
            "swish",
            "sigmoid",
            "tanh",
            "linear",
        ];
        let inputs: Vec<f32> = (-80..=80).map(|x| x as f32 / 8.0).collect();
        for name in names {
            let activation: Activation = serde_json::from_value(name.into()).unwrap();
            let mut fast = inputs.clone();
            activation.apply(&mut fast);
            let x = Tensor::new(inputs.as_slice(), &Device::Cpu).unwrap();
            let plain: Vec<f32> = activation.forward(&x).unwrap().to_vec1().unwrap();
            for ((fast, plain), x) in fast.iter().zip(plain).zip(&inputs) {
                assert!((fast - plain).abs() <= 2e-6 * plain.abs().max(1.0), "{name}({x}): {fast} and {plain}");
            }
        }
    }
}

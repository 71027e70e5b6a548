//! The output projection, over the whole vocabulary or the part of it that a text can need.

use candle_core::Tensor;

use super::ModelError;
use super::layers::{Linear, Loader};
use crate::decode::{self, GenerationOptions, Hypothesis, Logits, Network};

/// From the last hidden states to logits.
pub struct Head {
    projection: Linear,
    /// The tokens that it covers, in rising order; `None` is all of them.
    tokens: Option<Vec<u32>>,
    size: usize,
}

impl Head {
    /// From the tensor `name`, `[vocabulary, width]`, and `bias`, shape `[vocabulary]`.
    ///
    /// With `tokens`, in rising order, it covers these alone, and calls them by their places in the list: a vocabulary
    /// that two languages share is half useless to the one that is written.
    pub fn load(
        loader: &Loader,
        name: &str,
        bias: Option<&Tensor>,
        shape: [usize; 2],
        tokens: Option<Vec<u32>>,
    ) -> Result<Self, ModelError> {
        let [size, _] = shape;
        if let Some(id) = tokens.iter().flatten().find(|id| **id as usize >= size) {
            return Err(ModelError::Token { id: *id, size });
        }
        let projection = loader.projection(name, bias, shape, tokens.as_deref())?;
        Ok(Self { size: tokens.as_ref().map_or(size, Vec::len), projection, tokens })
    }

    /// Number of tokens that it covers.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The token that the head calls `place`.
    pub fn token(&self, place: u32) -> u32 {
        match &self.tokens {
            Some(tokens) => tokens.get(place as usize).copied().unwrap_or(place),
            None => place,
        }
    }

    /// Logits of hidden states, `[rows, width]`.
    pub fn forward_into(&self, x: &Tensor, logits: &mut Logits) -> candle_core::Result<()> {
        self.projection.forward_into(x, logits.reset(x.dim(0)?, self.size))
    }

    /// [`decode::generate`] for the network of this head: options and results name tokens as the vocabulary does.
    pub fn generate<N: Network<Error = ModelError>>(
        &self,
        network: &N,
        sources: &[&[u32]],
        options: &GenerationOptions,
    ) -> Result<Vec<Vec<Hypothesis>>, ModelError> {
        let Some(tokens) = &self.tokens else { return decode::generate(network, sources, options) };
        let place = |token| tokens.binary_search(&token).ok().map(|place| place as u32);
        let mut generated = decode::generate(network, sources, &options.renamed(place))?;
        for id in generated.iter_mut().flatten().flat_map(|hypothesis| &mut hypothesis.ids) {
            *id = self.token(*id);
        }
        Ok(generated)
    }
}

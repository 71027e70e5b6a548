"""Word alignments to guide cross-attention: a start that spares a short CPU training the long search for them.

A lexicon p(target piece | source piece) is estimated by IBM model 1 with the diagonal prior of fast_align (Dyer et al. 2013,
"A Simple, Fast, and Effective Reparameterization of IBM Model 2"); its posteriors are what one head of every decoder
layer is drawn to, as in Chen et al. 2016, "Guided Alignment Training for Topic-Aware Neural Machine Translation".
"""

import torch

from batches import Corpus

TENSION = 4.0  # of the prior towards the diagonal, as fast_align starts with


def _links(lexicon: torch.Tensor, source: torch.Tensor, target: torch.Tensor, pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Places in the flat lexicon, and the posterior of each source position, both [rows, target length, source length]."""
    vocabulary = pad + 1
    places = source[:, None, :] * vocabulary + target[:, :, None]
    lengths = (side != pad for side in (source, target))
    across, down = (torch.arange(side.shape[1]) / real.sum(1, keepdim=True) for side, real in zip((source, target), lengths))
    scores = lexicon[places] * torch.exp(-TENSION * (across[:, None, :] - down[:, :, None]).abs())
    scores = scores.masked_fill(((source == pad)[:, None, :]) | ((target == pad)[:, :, None]), 0.0)
    return places, scores / scores.sum(2, keepdim=True).clamp(min=1e-20)


def train_lexicon(corpus: Corpus, weights: list[float], vocabulary: int, seed: int, rounds: int = 4) -> torch.Tensor:
    """p(target | source) at source * vocabulary + target, flat [vocabulary * vocabulary]."""
    lexicon = torch.ones(vocabulary * vocabulary)
    for _ in range(rounds):
        counts = torch.zeros(vocabulary * vocabulary)
        for rows in corpus.epoch([min(weight, 1.0) for weight in weights], 1 << 14, seed):
            places, posterior = _links(lexicon, *corpus.gather(rows, vocabulary - 1), vocabulary - 1)
            counts.index_add_(0, places.reshape(-1), posterior.reshape(-1))
        counts = counts.view(vocabulary, vocabulary)
        counts /= counts.sum(1, keepdim=True).clamp(min=1e-20)
        lexicon = counts.view(-1)
    return lexicon


def guidance(lexicon: torch.Tensor, attentions: tuple, source: torch.Tensor, target: torch.Tensor, pad: int) -> torch.Tensor:
    """Summed cross-entropy (nats) of the first head of each layer's cross-attention against the posteriors.

    `attentions` holds a layer's weights each, [rows, heads, target length, source length].
    """
    _, posterior = _links(lexicon, source, target, pad)
    heads = [layer[:, 0].float().clamp(min=1e-4).log() for layer in attentions]
    return -sum((posterior * head).sum() for head in heads) / len(heads)

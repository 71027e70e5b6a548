"""Bilingual embeddings from co-occurrence: a start that spares a short CPU training most of its lexicon learning.

Pieces that occur in the same sentence pairs get near vectors (positive pointwise mutual information, factorised), so a
word starts out beside its translation, and attending to a source word already suggests its English.
"""

import numpy as np
import torch

from batches import Corpus


def bilingual_embeddings(corpus: Corpus, weights: list[float], vocabulary: int, width: int, seed: int) -> torch.Tensor:
    """Vectors [vocabulary, width], of length 1 each, so that scaled by the root of the width they outweigh the positions."""
    counts = torch.zeros(vocabulary * vocabulary)
    for rows in corpus.epoch([min(weight, 1.0) for weight in weights], 1 << 14, seed):
        source, target = (side.cpu().numpy() for side in corpus.gather(rows, vocabulary - 1))
        bag = np.sort(np.concatenate([source, target], 1), axis=1)
        bag[:, 1:][bag[:, 1:] == bag[:, :-1]] = vocabulary - 1  # each piece once; the rest counts as padding
        bag = np.sort(bag, axis=1)[:, : int((bag < vocabulary - 1).sum(1).max())]
        codes = (bag[:, :, None] * vocabulary + bag[:, None, :]).reshape(-1)
        counts.index_add_(0, torch.from_numpy(codes), torch.ones(len(codes)))
    counts = counts.view(vocabulary, vocabulary)
    counts[-1], counts[:, -1] = 0, 0
    single = counts.diagonal().clone().clamp_(min=1)
    pairs = max(1.0, float(counts.diagonal().max()))
    counts *= counts >= 3
    information = (counts * (pairs / single[:, None]) / single[None, :]).clamp_(min=1).log_()
    left, strength, _ = torch.svd_lowrank(information, q=width, niter=3)
    vectors = left * strength.sqrt()
    vectors -= vectors[single > 20].mean(0)
    vectors /= vectors.norm(dim=1, keepdim=True).clamp(min=1e-3)
    generator = torch.Generator().manual_seed(seed)
    mixed = vectors @ torch.linalg.qr(torch.randn(width, width, generator=generator))[0]
    vectors = mixed + 0.1 * width**-0.5 * torch.randn(vocabulary, width, generator=generator)
    vectors[-1] = 0
    return vectors

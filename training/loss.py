"""Cross-entropy with label smoothing, a few rows at a time: what stays in a core's cache is four times as fast there."""

import torch

ROWS = 16


class SmoothedCrossEntropy(torch.autograd.Function):
    """Summed loss (nats) of logits [tokens, vocabulary] and targets [tokens]; the gradient is made on the way forward."""

    @staticmethod
    def forward(ctx, logits: torch.Tensor, target: torch.Tensor, smoothing: float) -> torch.Tensor:
        vocabulary = logits.shape[1]
        rows = len(logits) if logits.is_cuda else ROWS
        gradient = torch.empty_like(logits)
        total = logits.new_zeros((), dtype=torch.float32)
        for scores, labels, slopes in zip(logits.split(rows), target[:, None].split(rows), gradient.split(rows)):
            logp = scores.float().log_softmax(1)
            chosen = logp.gather(1, labels)
            total -= (1 - smoothing) * chosen.sum() + smoothing / vocabulary * logp.sum()
            slope = logp.exp_().sub_(smoothing / vocabulary)
            slopes.copy_(slope.scatter_add_(1, labels, torch.full_like(chosen, smoothing - 1)))
        ctx.save_for_backward(gradient)
        return total

    @staticmethod
    def backward(ctx, scale: torch.Tensor):
        (gradient,) = ctx.saved_tensors
        return gradient * scale, None, None

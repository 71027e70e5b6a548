"""int8 storage: `X.weight` as I8 [out, in] beside `X.weight_scale` as F32 [out], weight = int8 * scale of its row.

Every matrix is stored so, the embeddings (whose rows are the output layer's channels) among them; biases and norms stay
f32. The scale of a row is its largest magnitude over 127, so -128 never occurs.
"""

import torch

SUFFIX = "_scale"


def quantise(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The int8 form of a model's tensors."""
    stored = {}
    for name, tensor in tensors.items():
        tensor = tensor.float()
        if not name.endswith(".weight") or tensor.dim() != 2:
            stored[name] = tensor.contiguous()
            continue
        scale = tensor.abs().amax(1) / 127
        scale[scale == 0] = 1.0
        # As the program quantises f32 weights: times the reciprocal, which can differ from a division in the last bit.
        stored[name] = (tensor * scale.reciprocal()[:, None]).round().to(torch.int8)
        stored[name + SUFFIX] = scale
    return stored


def dequantise(stored: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The f32 tensors that an int8 (or f16) file stands for."""
    tensors = {}
    for name, tensor in stored.items():
        if not name.endswith(SUFFIX):
            scale = stored.get(name + SUFFIX)
            tensors[name] = tensor.float() if scale is None else tensor.float() * scale[:, None]
    return tensors

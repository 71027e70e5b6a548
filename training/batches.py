"""The training set on a device, and batches of about equal padded size drawn from it."""

from pathlib import Path

import numpy as np
import torch

ROUND = 8  # padded lengths are multiples of this, so that few distinct shapes occur


def _round_up(length: int) -> int:
    return -(-length // ROUND) * ROUND


class Corpus:
    """Pairs of token ids, flat on the device, with a group number a pair."""

    def __init__(self, folder: Path, device: str):
        shards = [np.load(path) for path in sorted(folder.glob("shard-*.npz"))]
        if not shards:
            raise SystemExit(f"{folder} holds no shard-*.npz; run prepare.py first")
        joined = {name: np.concatenate([shard[name] for shard in shards]) for name in shards[0].files}
        self.group = joined["group"]
        self.lengths, self.ids, self.starts = [], [], []
        for side in ("source", "target"):
            lengths = joined[f"{side}_length"].astype(np.int64)
            self.lengths.append(lengths)
            self.ids.append(torch.from_numpy(joined[side].astype(np.int32)).to(device))
            self.starts.append(torch.from_numpy(np.cumsum(lengths) - lengths).to(device))
        self.device = device

    def epoch(self, weights: list[float], tokens: int, seed: int) -> list[np.ndarray]:
        """Row numbers of one epoch's batches; a group of weight w has each of its pairs w times on average.

        A batch holds at most `tokens` padded tokens on its longer side.
        """
        rng = np.random.default_rng(seed)
        copies = np.floor(np.array(weights)[self.group] + rng.random(len(self.group))).astype(np.int64)
        rows = np.repeat(np.arange(len(copies)), copies)
        longest = np.maximum(self.lengths[0], self.lengths[1])[rows]
        order = np.argsort(longest + rng.random(len(rows)))
        rows, longest = rows[order], longest[order]
        batches, start = [], 0
        while start < len(rows):
            size = max(1, tokens // _round_up(longest[start]))
            size = max(1, tokens // _round_up(longest[min(start + size, len(rows)) - 1]))
            batches.append(rows[start : start + size])
            start += size
        rng.shuffle(batches)
        return batches

    def gather(self, rows: np.ndarray, pad: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Source and target ids, each [rows, padded length]."""
        index = torch.from_numpy(rows).to(self.device)
        sides = []
        for ids, starts, lengths in zip(self.ids, self.starts, self.lengths):
            length = torch.from_numpy(lengths[rows]).to(self.device)[:, None]
            column = torch.arange(_round_up(int(lengths[rows].max())), device=self.device)
            position = (starts[index][:, None] + column).clamp_(max=len(ids) - 1)
            sides.append(torch.where(column < length, ids[position], pad).long())
        return sides[0], sides[1]

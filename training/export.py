"""From the averaged weights of a run to a model folder in the hub's layout.

    python export.py --run run --data data --out export/f16 --precision f16 --pieces 15
    python export.py --run run --data data --out ../models/starter
"""

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from card import facts_of
from quantise import quantise
from train import build

HERE = Path(__file__).parent
WEIGHTS = "model.safetensors"
MIB = 1 << 20


def write_model(best: dict, data: Path, out: Path, precision: str) -> None:
    """Write the model folder."""
    vocabulary = len(json.loads((data / "tokenizer/vocab.json").read_text("utf-8")))
    model = build(best["shape"], vocabulary, dropout=0.1)
    model.load_state_dict(best["model"])
    model.to(torch.float16 if precision == "f16" else torch.float32).save_pretrained(out)
    if precision == "int8":
        tensors = {name: tensor.contiguous() for name, tensor in load_file(out / WEIGHTS).items()}
        save_file(quantise(tensors), out / WEIGHTS, metadata={"format": "pt"})
    for path in sorted((data / "tokenizer").iterdir()):
        shutil.copy(path, out / path.name)


def split(file: Path, size: int) -> list[Path]:
    """Pieces of at most `size` bytes, FILE.part-00 and on; `cat FILE.part-* > FILE` joins them."""
    whole = file.read_bytes()
    pieces = []
    for number, start in enumerate(range(0, len(whole), size)):
        pieces.append(file.with_name(f"{file.name}.part-{number:02}"))
        pieces[-1].write_bytes(whole[start : start + size])
    return pieces


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=HERE / "run")
    parser.add_argument("--data", type=Path, default=HERE / "data")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--precision", choices=["f32", "f16", "int8"], default="int8")
    parser.add_argument("--pieces", type=int, help="also split the weights into pieces of so many MiB at most")
    options = parser.parse_args()
    best = torch.load(options.run / "best.pt", map_location="cpu", weights_only=True)
    write_model(best, options.data, options.out, options.precision)
    facts = facts_of(options.out)
    print(f"{options.out}: {facts['parameters']:.1f} M parameters, {facts['megabytes']:.1f} MB as {facts['precision']}")
    if options.pieces:
        pieces = split(options.out / WEIGHTS, options.pieces * MIB)
        print(f"{len(pieces)} pieces; join them with: cat {WEIGHTS}.part-* > {WEIGHTS}")


if __name__ == "__main__":
    main()

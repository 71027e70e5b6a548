"""From the averaged weights of a run to a model folder in the hub's layout, and its card.

    python export.py --run run --data data --out export/f16 --precision f16 --pieces 15
    python export.py --run run --data data --out export/int8 --precision int8 --scores scores --machine "one NVIDIA H200"
"""

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from card import write_card
from quantise import quantise
from train import build

HERE = Path(__file__).parent
WEIGHTS = "model.safetensors"
MIB = 1 << 20


def write_model(best: dict, data: Path, out: Path, precision: str) -> dict:
    """The model folder; returns the facts that its card states."""
    vocabulary = len(json.loads((data / "tokenizer/vocab.json").read_text("utf-8")))
    model = build(best["shape"], vocabulary, dropout=0.1)
    model.load_state_dict(best["model"])
    model.to(torch.float16 if precision == "f16" else torch.float32).save_pretrained(out)
    if precision == "int8":
        tensors = {name: tensor.contiguous() for name, tensor in load_file(out / WEIGHTS).items()}
        save_file(quantise(tensors), out / WEIGHTS, metadata={"format": "pt"})
    for path in sorted((data / "tokenizer").iterdir()):
        shutil.copy(path, out / path.name)
    config = model.config
    return {
        "layers": f"{config.encoder_layers} + {config.decoder_layers} layers", "width": config.d_model,
        "pieces": vocabulary - 1, "parameters": sum(tensor.numel() for tensor in model.parameters()) / 1e6,
        "precision": precision, "megabytes": (out / WEIGHTS).stat().st_size / 1e6,
    }  # fmt: skip


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
    parser.add_argument("--scores", type=Path, help="folder that evaluate.py --out wrote; writes the card")
    parser.add_argument("--machine", default="a machine not named", help="for the card")
    parser.add_argument("--notes", type=Path, help="Markdown for the card's end: strengths, errors, examples")
    parser.add_argument("--examples", type=int, default=8, help="held-back press sentences shown in the card")
    options = parser.parse_args()
    best = torch.load(options.run / "best.pt", map_location="cpu", weights_only=True)
    facts = write_model(best, options.data, options.out, options.precision)
    print(f"{options.out}: {facts['parameters']:.1f} M parameters, {facts['megabytes']:.1f} MB as {facts['precision']}")
    if options.pieces:
        pieces = split(options.out / WEIGHTS, options.pieces * MIB)
        print(f"{len(pieces)} pieces; join them with: cat {WEIGHTS}.part-* > {WEIGHTS}")
    if options.scores:
        log = [json.loads(line) for line in (options.run / "log.jsonl").read_text("utf-8").splitlines()]
        facts |= {"steps": log[-1]["step"], "minutes": log[-1]["minutes"], "machine": options.machine}
        notes = options.notes.read_text("utf-8") if options.notes else ""
        write_card(options.out, facts, options.data, options.scores, notes, options.examples)


if __name__ == "__main__":
    main()

"""BLEU and chrF of a model folder on the prepared test sets, as sacreBLEU counts them.

    python evaluate.py models/starter --sets flores-devtest press-test
"""

import argparse
import json
from pathlib import Path

import sacrebleu
import torch
from safetensors.torch import load_file
from transformers import MarianConfig, MarianMTModel, MarianTokenizer

from quantise import dequantise

HERE = Path(__file__).parent


def load(folder: Path) -> MarianMTModel:
    """The model of a folder in f32, whatever precision its weights are stored in."""
    tensors = dequantise(load_file(folder / "model.safetensors"))
    return MarianMTModel.from_pretrained(None, config=MarianConfig.from_pretrained(folder), state_dict=tensors)


@torch.inference_mode()
def translate(model: MarianMTModel, tokenizer: MarianTokenizer, lines: list[str], beams: int, rows: int) -> list[str]:
    """Translations in the order of `lines`; batches of `rows` lines of similar length."""
    order = sorted(range(len(lines)), key=lambda line: len(lines[line]))
    found = [""] * len(lines)
    for start in range(0, len(order), rows):
        chunk = order[start : start + rows]
        batch = tokenizer([lines[line] for line in chunk], return_tensors="pt", padding=True, truncation=True)
        batch = batch.to(model.device)
        most = min(256, 2 * batch["input_ids"].shape[1] + 16)
        with torch.autocast(model.device.type, torch.bfloat16, enabled=model.device.type == "cuda"):
            ids = model.generate(**batch, num_beams=beams, max_length=most)
        for line, text in zip(chunk, tokenizer.batch_decode(ids, skip_special_tokens=True)):
            found[line] = text
    return found


def read_set(folder: Path, name: str, most: int | None = None) -> tuple[list[str], list[str]]:
    """Source and reference lines of a prepared test set."""
    sides = [(folder / f"{name}.{language}").read_text("utf-8").splitlines()[:most] for language in ("ar", "en")]
    return sides[0], sides[1]


def score(found: list[str], references: list[str]) -> dict[str, float]:
    """Corpus BLEU and chrF with sacreBLEU's defaults."""
    bleu, chrf = sacrebleu.corpus_bleu(found, [references]), sacrebleu.corpus_chrf(found, [references])
    return {"bleu": round(bleu.score, 2), "chrf": round(chrf.score, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, default=HERE / "data")
    parser.add_argument("--sets", nargs="+", default=["flores-devtest", "press-test"])
    parser.add_argument("--beams", type=int, default=4)
    parser.add_argument("--rows", type=int, default=32, help="lines a batch")
    parser.add_argument("--lines", type=int, help="only the first lines of each set")
    parser.add_argument("--out", type=Path, help="folder for the translations and scores.json")
    options = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = load(options.model).eval().to(device)
    tokenizer = MarianTokenizer.from_pretrained(options.model)
    bleu, chrf = sacrebleu.BLEU(), sacrebleu.CHRF()
    scores = {}
    for name in options.sets:
        sources, references = read_set(options.data / "valid", name, options.lines)
        found = translate(model, tokenizer, sources, options.beams, options.rows)
        bleu.corpus_score(found, [references]), chrf.corpus_score(found, [references])
        scores[name] = score(found, references) | {"lines": len(found), "beams": options.beams}
        if options.out:
            options.out.mkdir(parents=True, exist_ok=True)
            (options.out / f"{name}.en").write_text("".join(f"{line}\n" for line in found), "utf-8")
    scores["signatures"] = [str(bleu.get_signature()), str(chrf.get_signature())]
    if options.out:
        (options.out / "scores.json").write_text(json.dumps(scores, indent=1) + "\n", "utf-8")
    print(json.dumps(scores, indent=1))


if __name__ == "__main__":
    main()

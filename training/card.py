"""The model card, README.md of a model folder: what it was trained on, how, how well it does, and what it gets wrong.

    python card.py models/starter --run run --data data --scores scores --machine "two cores of a Xeon" --notes notes.md

`--scores` is the folder that measure.py or evaluate.py wrote; `--notes` is Markdown by someone who has read the output:
what the model is good for and what it gets wrong, with examples of the project's own text.
"""

import argparse
import json
from pathlib import Path

from safetensors import safe_open

HERE = Path(__file__).parent
# BLEU and chrF on FLORES-200 devtest of published systems, from the outputs stored in Mozilla's
# firefox-translations-models (evaluation/ar-en), counted by sacreBLEU 2.6.0.
PUBLISHED = [
    ("Argos Translate", 29.5, 57.3),
    ("opus-mt-ar-en", 33.9, 61.0),
    ("NLLB-200 distilled 600M", 36.5, 62.4),
    ("Bergamot base-memory", 38.6, 64.7),
    ("Bergamot base", 38.9, 64.9),
    ("Microsoft", 43.7, 67.8),
    ("Google", 45.1, 70.0),
]

CARD = """---
language: [ar, en]
license: [mit, apache-2.0]
pipeline_tag: translation
library_name: transformers
tags: [marian, translation]
---
# starter: Arabic to English, small

A Marian encoder-decoder ({layers}, width {width}, {pieces:,} joint pieces, {parameters:.1f} million parameters), trained
from nothing for press releases: no other model's weights went into it. Much of what it read was itself written or
translated by machines: the sources below say where, and this project's own press text was drafted by a language model.
Weights: {precision}, {megabytes:.1f} MB. It is what `translate` runs where no better model can be had, and it reads like
that: a rough draft to be edited beside its source.

## Quality
Beam 4. The published systems' figures are of their stored outputs, counted the same way.

| system | FLORES-200 devtest BLEU | chrF | held-back press BLEU | chrF |
| --- | --- | --- | --- | --- |
{quality}

{signatures}

{measured}

## Training
{steps:,} steps in {minutes:,.0f} minutes on {machine}; {tokens:,} tokens in the training set ({pairs:,} pairs).
Label smoothing 0.1, averaged weights; see `training/` for the rest. The best checkpoint by the mean BLEU on FLORES dev and
held-back press sentences is the one that is kept.

## Data
Pairs kept after cleaning, and how many times an epoch draws each (the weight). `press` is this project's own text and
`templates` are sentences filled in from its own templates. Licences are those stated in the sources. The weights come
under this project's licence; none of the sources' text is part of them or of the repository, and what a source's licence
says of models learned from it is for its user to judge.

| name | source | licence | domain | weight | pairs read | pairs used |
| --- | --- | --- | --- | --- | --- | --- |
{data}

Left out: {removed}.

### Overlap with the test sets
Removed before training: {overlap} pairs that share an 8-gram of words (either language) with FLORES-200 dev or devtest, and
{near} that share half of their trigrams with a held-back press sentence. Held back: {held}. The held-back press sentences
are of the same hands and subjects as the training text, so that their scores say what the model can do with copy like
that, not with any copy.

{notes}

## Held-back press sentences
The first {shown}, none of them chosen.

| Arabic | reference | output |
| --- | --- | --- |
{examples}
"""


def facts_of(folder: Path) -> dict:
    """Shape and size of a model folder."""
    config = json.loads((folder / "config.json").read_text("utf-8"))
    weights = folder / "model.safetensors"
    types, parameters = set(), 0
    with safe_open(weights, "np") as tensors:
        for name in tensors.keys():
            part = tensors.get_slice(name)
            if not name.endswith("_scale"):
                size = 1
                for length in part.get_shape():
                    size *= length
                parameters += size
                types.add(part.get_dtype())
    stored = {"I8": "int8", "F16": "f16", "F32": "f32"}
    return {
        "layers": f"{config['encoder_layers']} + {config['decoder_layers']} layers", "width": config["d_model"],
        "pieces": config["vocab_size"] - 1, "parameters": parameters / 1e6,
        "precision": next(stored[kind] for kind in stored if kind in types),
        "megabytes": weights.stat().st_size / 1e6,
    }  # fmt: skip


def _row(*cells) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _data_rows(report: dict, weights: dict) -> list[str]:
    own = {"repository": "this project", "licence": "this project's", "domain": "press releases"}
    groups = {"press": "press", "templates": "template"} | report["source_groups"]
    weights = dict(zip(report["groups"], report["weights"])) | weights
    rows = []
    for name, counts in report["by_source"].items():
        index = report["index"].get(name, own)
        cells = (name, index["repository"], index["licence"], index["domain"], weights[groups[name]])
        rows.append(_row(*cells, f"{sum(counts.values()):,}", f"{counts.get('kept', 0):,}"))
    return rows


def _quality_rows(scores: dict) -> list[str]:
    flores, press = scores["flores-devtest"], scores["press-test"]
    rows = [_row("**starter**", flores["bleu"], flores["chrf"], press["bleu"], press["chrf"])]
    if exact := scores.get("f32"):
        rows.append(_row("the same weights in f32", exact["bleu"], exact["chrf"], "", ""))
    return rows + [_row(*system, "", "") for system in PUBLISHED]


def _measured(scores: dict) -> str:
    """What only measure.py knows."""
    if "cold_start" not in scores:
        return ""
    flores, start = scores["flores-devtest"], scores["cold_start"]
    defects = sum(flores["defects"].values())
    kinds = ", ".join(f"{kind} {count}" for kind, count in flores["defects"].items())
    flags = ", ".join(f"`{flag}` {count}" for flag, count in flores["flags"].items()) or "none"
    commands = "\n".join(f"    {command}" for command in scores["commands"])
    return (
        f"- Degenerate lines on FLORES-200 devtest: {defects} of {flores['lines']} ({kinds}), after the program's guard rails,"
        f" whose flags were: {flags}.\n"
        f"- Cold start to the English of 20 held-back press sentences, two threads: {start['median']} s (median of"
        f" {start['runs']}).\n\nMeasured with translate {scores['version']}:\n\n{commands}"
    )


def write_card(
    folder: Path, training: dict, weights: dict, data: Path, scores: Path, notes: str, examples: int
) -> None:
    """Write README.md into a model folder; `training` has its steps, minutes and machine, `weights` what train.py was told."""
    report = json.loads((data / "report.json").read_text("utf-8"))
    measured = json.loads((scores / "scores.json").read_text("utf-8"))
    removed = {reason: count for reason, count in report["removed"].items() if reason != "kept"}
    sides = [data / "valid/press-test.ar", data / "valid/press-test.en", scores / "press-test.en"]
    shown = list(zip(*(path.read_text("utf-8").splitlines() for path in sides)))[:examples]
    card = CARD.format(
        quality="\n".join(_quality_rows(measured)),
        signatures="\n".join(f"`{signature}`  " for signature in measured["signatures"]),
        measured=_measured(measured),
        data="\n".join(_data_rows(report, weights)),
        removed=", ".join(f"{reason} {count:,}" for reason, count in sorted(removed.items())),
        overlap=removed.get("overlaps FLORES", 0),
        near=removed.get("near a held-back sentence", 0),
        held=", ".join(f"{name} {count:,}" for name, count in report["held_back"].items()),
        shown=len(shown),
        examples="\n".join(_row(*row) for row in shown),
        pairs=report["pairs"],
        tokens=report["tokens"],
        notes=notes.strip(),
        **training,
        **facts_of(folder),
    )
    (folder / "README.md").write_text(card.rstrip() + "\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--run", type=Path, default=HERE / "run")
    parser.add_argument("--data", type=Path, default=HERE / "data")
    parser.add_argument("--scores", type=Path, required=True)
    parser.add_argument("--machine", required=True, help="what it was trained on")
    parser.add_argument("--weights", nargs="+", default=[], help="those that train.py was given: press=12 ...")
    parser.add_argument("--notes", type=Path, required=True, help="Markdown: strengths and errors, with examples")
    parser.add_argument("--examples", type=int, default=8, help="held-back press sentences that are shown")
    options = parser.parse_args()
    log = [json.loads(line) for line in (options.run / "log.jsonl").read_text("utf-8").splitlines()]
    training = {"steps": log[-1]["step"], "minutes": log[-1]["minutes"], "machine": options.machine}
    notes = options.notes.read_text("utf-8")
    weights = dict(weight.split("=") for weight in options.weights)
    write_card(options.model, training, weights, options.data, options.scores, notes, options.examples)


if __name__ == "__main__":
    main()

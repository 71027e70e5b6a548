"""The model card: what the model was trained on, how, and how well it does."""

import json
from pathlib import Path

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
pipeline_tag: translation
library_name: transformers
tags: [marian, translation]
---
# starter: Arabic to English, small

A Marian encoder-decoder ({layers}, width {width}, {pieces:,} joint pieces, {parameters:.1f} million parameters), trained
from nothing for press releases. Weights: {precision}, {megabytes:.1f} MB.

## Quality
Beam 4, sacreBLEU. Published systems from their stored outputs, counted the same way.

| system | FLORES-200 devtest BLEU | chrF | held-back press BLEU | chrF |
| --- | --- | --- | --- | --- |
{quality}

{signatures}

## Training
{steps:,} steps in {minutes:.0f} minutes on {machine}; {tokens:,} tokens in the training set ({pairs:,} pairs).
Label smoothing 0.1, Adam, averaged weights.

## Data
Pairs kept after cleaning, and how many times an epoch draws each (the weight). `press` is this project's own text and
`templates` are sentences filled in from its own templates. Licences are those stated in the sources.

| name | source | licence | domain | weight | pairs read | pairs used |
| --- | --- | --- | --- | --- | --- | --- |
{data}

Left out: {removed}.
Test sets: {overlap} pairs that share an 8-gram with FLORES dev or devtest were removed, and {near} that share half
of their trigrams with a held-back press sentence. Held back: {held}.

## Examples
From the held-back press sentences.

| Arabic | reference | output |
| --- | --- | --- |
{examples}

{notes}
"""


def _row(*cells) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _data_rows(report: dict) -> list[str]:
    own = {"repository": "this project", "licence": "this project's", "domain": "press releases"}
    groups = {"press": "press", "templates": "template"} | report["source_groups"]
    weights = dict(zip(report["groups"], report["weights"]))
    rows = []
    for name, counts in report["by_source"].items():
        index = report["index"].get(name, own)
        cells = (name, index["repository"], index["licence"], index["domain"], weights[groups[name]])
        rows.append(_row(*cells, f"{sum(counts.values()):,}", f"{counts.get('kept', 0):,}"))
    return rows


def _quality_rows(scores: dict) -> list[str]:
    flores, press = scores["flores-devtest"], scores["press-test"]
    own = _row("**starter**", flores["bleu"], flores["chrf"], press["bleu"], press["chrf"])
    return [own] + [_row(*system, "", "") for system in PUBLISHED]


def write_card(folder: Path, facts: dict, data: Path, scores: Path, notes: str, examples: int) -> None:
    """Write README.md into a model folder; `scores` is the folder that evaluate.py --out wrote."""
    report = json.loads((data / "report.json").read_text("utf-8"))
    measured = json.loads((scores / "scores.json").read_text("utf-8"))
    removed = {reason: count for reason, count in report["removed"].items() if reason != "kept"}
    sides = [data / "valid/press-test.ar", data / "valid/press-test.en", scores / "press-test.en"]
    shown = list(zip(*(path.read_text("utf-8").splitlines() for path in sides)))[:examples]
    card = CARD.format(
        quality="\n".join(_quality_rows(measured)),
        signatures="\n".join(f"`{signature}`  " for signature in measured["signatures"]),
        data="\n".join(_data_rows(report)),
        removed=", ".join(f"{reason} {count:,}" for reason, count in sorted(removed.items())),
        overlap=removed.get("overlaps FLORES", 0),
        near=removed.get("near a held-back sentence", 0),
        held=", ".join(f"{name} {count:,}" for name, count in report["held_back"].items()),
        examples="\n".join(_row(*row) for row in shown),
        pairs=report["pairs"],
        tokens=report["tokens"],
        notes=notes,
        **facts,
    )
    (folder / "README.md").write_text(card.rstrip() + "\n", "utf-8")

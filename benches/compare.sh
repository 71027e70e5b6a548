#!/usr/bin/env bash
# Times `translate` and CTranslate2 in turns on the same work and prints the ratios. Arguments go to compare.py:
#
#     benches/compare.sh --tokenizer FOLDER --input LINES [--models FOLDER] [--rounds 3]
set -euo pipefail
cd "$(dirname "$0")/.."
[ -x .venv/bin/python ] || python3 -m venv .venv
.venv/bin/python -c 'import torch, transformers, ctranslate2, sentencepiece' 2>/dev/null ||
    .venv/bin/pip install --quiet torch transformers sentencepiece sacremoses safetensors ctranslate2
cargo build --release --quiet
exec .venv/bin/python benches/compare.py "$@"

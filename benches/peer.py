"""Translates lines with CTranslate2, as a user's script would, and reports what it took.

    python peer.py MODEL LINES --precision int8 --beam 4 --length 32 --threads 2 [--lone] > translations

MODEL is a Marian folder beside which MODEL-int8 and MODEL-f32 hold its conversions. Each line is decoded to exactly --length tokens.
With --lone all threads work on one batch, otherwise each on its own. The last line of standard error is JSON: target
tokens a second from text on, after a warm-up, and peak memory in MB.
"""

import argparse
import json
import resource
import sys
import time

import ctranslate2
from sentencepiece import SentencePieceProcessor

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("lines")
parser.add_argument("--precision", required=True)
parser.add_argument("--beam", type=int, required=True)
parser.add_argument("--length", type=int, required=True)
parser.add_argument("--threads", type=int, required=True)
parser.add_argument("--lone", action="store_true")
args = parser.parse_args()

source, target = (SentencePieceProcessor(f"{args.model}/{side}.spm") for side in ("source", "target"))
inter, intra = (1, args.threads) if args.lone else (args.threads, 1)
translator = ctranslate2.Translator(f"{args.model}-{args.precision}", inter_threads=inter, intra_threads=intra)
with open(args.lines, encoding="utf-8") as file:
    lines = file.read().splitlines()


def translate(lines: list[str]) -> list[str]:
    results = translator.translate_batch(
        [source.encode(line, out_type=str) + ["</s>"] for line in lines], beam_size=args.beam,
        min_decoding_length=args.length, max_decoding_length=args.length, max_batch_size=2048, batch_type="tokens")
    return [target.decode(result.hypotheses[0]) for result in results]


if not args.lone:
    translate(lines[:16])
started = time.perf_counter()
print("\n".join(translate(lines)))
rate = len(lines) * args.length / (time.perf_counter() - started)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
print(json.dumps({"rate": rate, "peak_mb": peak}), file=sys.stderr)

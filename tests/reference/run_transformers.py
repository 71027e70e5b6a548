"""Translates a text file, one segment a line, with Hugging Face transformers: the reference for ids, scores and speed.

    python run_transformers.py MODEL_FOLDER FILE [--lines N] [--beam 4] [--max-new-tokens 48] > reference.jsonl

Needs torch, transformers and sentencepiece (made with torch 2.15 and transformers 5.23). Each line of output is
{"source_ids", "target_ids", "score"}: ids with their end token, the target without the start token; the score is the
beam search's own, or the sum of the log-probabilities for a beam of 1. Wall time, CPU time (which tells whether other
work held the run up) and target tokens a second go to standard error; they count generation and tokenisation, not
loading.

Segments are batched by length, as anybody would who cares for speed. To compare speed, add --ids-only: transformers
keeps the log-probabilities of every step (of the whole vocabulary) to give scores, which costs it time and memory.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, PreTrainedModel


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--lines", type=int, help="only the first N lines")
    parser.add_argument("--beam", type=int, default=4)
    parser.add_argument("--max-new-tokens", type=int, default=48)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--from", dest="source", help="the source's code, for models that know several languages")
    parser.add_argument("--to", dest="target", help="the target's code, likewise")
    parser.add_argument("--ids-only", action="store_true", help="no scores: the fair setting for speed")
    return parser.parse_args()


def translate(model: PreTrainedModel, sources: list[list[int]], language: int | None, args: argparse.Namespace) -> list[dict]:
    pad = model.config.pad_token_id
    width = max(map(len, sources))
    input_ids = torch.tensor([ids + [pad] * (width - len(ids)) for ids in sources])
    lengths = torch.tensor([len(ids) for ids in sources])
    output = model.generate(
        input_ids=input_ids,
        attention_mask=(torch.arange(width) < lengths[:, None]).long(),
        num_beams=args.beam,
        max_new_tokens=args.max_new_tokens,
        do_sample=False,
        **({} if language is None else {"forced_bos_token_id": language}),
        num_return_sequences=1,
        return_dict_in_generate=True,
        output_scores=not args.ids_only,
    )
    eos = model.generation_config.eos_token_id
    ends = set(eos if isinstance(eos, list) else [eos])
    targets = [up_to_end(row[1:], ends) for row in output.sequences.tolist()]
    if args.ids_only:
        scores = [None] * len(targets)
    elif args.beam > 1:
        scores = output.sequences_scores.tolist()
    else:
        steps = torch.stack(output.scores, dim=1).log_softmax(-1)
        scores = [
            sum(steps[row, step, token].item() for step, token in enumerate(target))
            for row, target in enumerate(targets)
        ]
    return [
        {"source_ids": source, "target_ids": target, "score": score}
        for source, target, score in zip(sources, targets, scores, strict=True)
    ]


def up_to_end(ids: list[int], ends: set[int]) -> list[int]:
    """`ids` up to and with the first end token; what follows is padding."""
    return next((ids[: i + 1] for i, token in enumerate(ids) if token in ends), ids)


def main() -> None:
    args = arguments()
    torch.set_num_threads(args.threads)
    languages = {"src_lang": args.source, "tgt_lang": args.target} if args.target else {}
    tokenizer = AutoTokenizer.from_pretrained(args.model, **languages)
    language = tokenizer.convert_tokens_to_ids(args.target) if args.target else None
    model = AutoModelForSeq2SeqLM.from_pretrained(args.model, dtype=torch.float32).eval()
    lines = args.file.read_text(encoding="utf-8").splitlines()[: args.lines]

    begin, cpu_begin = time.perf_counter(), time.process_time()
    sources = tokenizer(lines)["input_ids"]
    by_length = sorted(range(len(sources)), key=lambda i: len(sources[i]))
    results: list[dict] = [{}] * len(sources)
    for first in range(0, len(by_length), args.batch_size):
        batch = by_length[first : first + args.batch_size]
        done = translate(model, [sources[i] for i in batch], language, args)
        for i, result in zip(batch, done, strict=True):
            results[i] = result
    wall, cpu = time.perf_counter() - begin, time.process_time() - cpu_begin

    for result in results:
        print(json.dumps(result))
    tokens = sum(len(result["target_ids"]) for result in results)
    seconds = f"{wall:.2f} s ({cpu:.2f} s of CPU)"
    print(f"{len(lines)} segments, {tokens} target tokens, {seconds}, {tokens / wall:.1f} tokens/s", file=sys.stderr)


if __name__ == "__main__":
    main()

"""Compares our translations with those of transformers, and shows whether what differs is a tie.

    translate FILE --lines --format jsonl --detail ... > ours.jsonl
    python run_transformers.py MODEL_FOLDER FILE ... > theirs.jsonl
    python check_scores.py MODEL_FOLDER ours.jsonl theirs.jsonl

Counts the segments with the same target ids. For each other one it has transformers score both hypotheses (teacher
forcing, in single and in double precision, under the folder's own constraints) as beam search does: the sum of the
log-probabilities over the length to the power of the penalty. Exit status 1 if fewer than 99 % are identical or the
scores of two hypotheses, in double precision, lie 1e-4 or more apart.
"""

import argparse
import copy
import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForSeq2SeqLM, PreTrainedModel

SAME = 0.99
TIE = 1e-4


def score(model: PreTrainedModel, source: list[int], target: list[int], max_new_tokens: int) -> float:
    """The score that beam search gives `target`, from one run over the whole of it."""
    settings = model.generation_config
    prefix = [settings.decoder_start_token_id, *target[:-1]]
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([source]), decoder_input_ids=torch.tensor([prefix])).logits[0]
    logprobs = logits.log_softmax(-1)
    for [token] in (words for words in settings.bad_words_ids or [] if len(words) == 1):
        logprobs[:, token] = -torch.inf
    if settings.forced_eos_token_id is not None and len(target) == max_new_tokens:
        logprobs[-1] = -torch.inf
        logprobs[-1, settings.forced_eos_token_id] = 0.0
    if settings.renormalize_logits:
        logprobs = logprobs.log_softmax(-1)
    total = logprobs[torch.arange(len(target)), torch.tensor(target)].sum().item()
    penalty = 1.0 if settings.length_penalty is None else settings.length_penalty
    return total / len(target) ** penalty


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("ours", type=Path)
    parser.add_argument("theirs", type=Path)
    parser.add_argument("--max-new-tokens", type=int, default=48, help="the limit that both were made with")
    args = parser.parse_args()

    ours, theirs = read(args.ours), read(args.theirs)
    if len(ours) != len(theirs) or not ours:
        print(f"{len(ours)} segments of ours against {len(theirs)} of theirs: they must be as many, and some")
        return 1
    pairs = list(enumerate(zip(ours, theirs, strict=True), start=1))
    strangers = [line for line, (our, their) in pairs if our["source_ids"] != their["source_ids"]]
    if strangers:
        print(f"source ids differ on lines {strangers[:10]}: the tokenizers disagree, and nothing else can be compared")
        return 1

    differing = [(line, our, their) for line, (our, their) in pairs if our["target_ids"] != their["target_ids"]]
    same = len(pairs) - len(differing)
    print(f"{same} of {len(pairs)} segments have identical target ids ({same / len(pairs):.2%})")
    gaps = [abs(our["score"] - their["score"]) for _, (our, their) in pairs if our["target_ids"] == their["target_ids"]]
    if gaps:
        print(f"their scores lie at most {max(gaps):.1e} apart")
    ties = show_differing(args.model, differing, args.max_new_tokens) if differing else True
    return 0 if ties and same >= SAME * len(pairs) else 1


def show_differing(folder: Path, differing: list[tuple[int, dict, dict]], max_new_tokens: int) -> bool:
    """Prints both hypotheses' scores for each segment; whether all are ties."""
    single = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32).eval()
    double = copy.deepcopy(single).double()
    ties = True
    for line, our, their in differing:
        print(f"line {line}:")
        for name, model in (("f32", single), ("f64", double)):
            our_score = score(model, our["source_ids"], our["target_ids"], max_new_tokens)
            their_score = score(model, their["source_ids"], their["target_ids"], max_new_tokens)
            gap = our_score - their_score
            print(f"  {name}: ours {our_score:.7f}, theirs {their_score:.7f}, difference {gap:+.2e}")
        tie = abs(gap) < TIE
        print("  a tie" if tie else "  NOT a tie")
        ties &= tie
    return ties


if __name__ == "__main__":
    sys.exit(main())

"""Parallel text in, training set out: clean, filter, deduplicate, hold back, expand templates, build the vocabulary.

    python prepare.py --corpus ../shared/corpus --flores ../shared/data --out data

Writes `shard-NN.npz` (token ids), `valid/*.{ar,en}` (test text), `tokenizer/` (source.spm, target.spm, vocab.json,
tokenizer_config.json) and `report.json` (what was kept and why the rest was not).
"""

import argparse
import csv
import gzip
import hashlib
import json
import random
import shutil
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import sentencepiece

from templates import expand, read_lexicon, read_pairs
from text import ngrams, normalise, normaliser_rules, reject, words

HERE = Path(__file__).parent
TEST_ORDER = 8  # an 8-gram shared with a test set is an overlap
HELD_ORDER = 3  # and half of a held-back sentence's trigrams makes a near-duplicate
HELD_SHARE = 0.5
# Characters that get a piece however rare they are here: the Arabic letters, names in Latin script, signs of the news.
REQUIRED = "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچڤگ،؛؟%$€£¥°×⁄–—áàâäãåçéèêëíìîïñóòôöõøúùûüýğışłčšžÁÉÍÓÚÖÜÇÅØİŞ"


def read_domains() -> tuple[dict[str, str], dict[str, float]]:
    """Corpus name to group, and group to sampling weight."""
    with (HERE / "domains.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    groups = {name: row["group"] for row in rows for name in (row["names"] or "").split()}
    return groups, {row["group"]: float(row["weight"]) for row in rows}


def read_press(folders: list[Path]) -> tuple[list, list, dict]:
    """Sentence pairs, templates and the lexicon of the `press` folders."""
    files = [path for folder in folders for path in sorted(folder.glob("*.tsv"))]
    templates = [path for path in files if path.name.startswith("templates")]
    lexicon = [path for path in files if path.name.startswith("lexicon")]
    pairs = [path for path in files if path not in templates and path not in lexicon]
    rows = [[row for path in group for row in read_pairs(path, 2)] for group in (pairs, templates)]
    return rows[0], rows[1], read_lexicon(lexicon)


def held_back(source: str) -> str | None:
    """The set that keeps a press pair out of training, by a hash, so that growing text never moves a pair."""
    share = int.from_bytes(hashlib.sha256(source.encode()).digest()[:4], "big") / 2**32
    return "press-test" if share < 0.07 else "press-dev" if share < 0.14 else None


class Overlap:
    """Finds training text that repeats a test set's 8-grams or nearly repeats a held-back press sentence."""

    def __init__(self, tests: list[str], held: list[str]):
        self.test_grams = {gram for text in tests for gram in ngrams(text, TEST_ORDER)}
        self.held = [ngrams(text, HELD_ORDER) for text in held]
        self.index = defaultdict(list)
        for number, grams in enumerate(self.held):
            for gram in grams:
                self.index[gram].append(number)

    def reason(self, text: str) -> str | None:
        if not self.test_grams.isdisjoint(ngrams(text, TEST_ORDER)):
            return "overlaps FLORES"
        hits = Counter(number for gram in ngrams(text, HELD_ORDER) for number in self.index.get(gram, ()))
        if any(count >= max(2, HELD_SHARE * len(self.held[number])) for number, count in hits.items()):
            return "near a held-back sentence"
        return None


class Collector:
    """Takes pairs one at a time, keeps the fit and new ones, and counts what became of every one."""

    def __init__(self, overlap: Overlap):
        self.overlap = overlap
        self.seen = set()
        self.pairs = []  # (group, source, target)
        self.report = defaultdict(Counter)

    def add(self, name: str, group: str, source: str, target: str, trusted: bool) -> None:
        source, target = normalise(source), normalise(target)
        key = hash((" ".join(words(source)), " ".join(words(target)), source if trusted else ""))
        reason = None if trusted else reject(source, target)
        if not reason and key in self.seen:
            reason = "duplicate"
        reason = reason or self.overlap.reason(source) or self.overlap.reason(target)
        self.report[name][reason or "kept"] += 1
        if not reason:
            self.seen.add(key)
            self.pairs.append((group, source, target))


def read_index(folder: Path) -> dict[str, dict[str, str]]:
    """The corpus index: name to repository, licence, domain and number of pairs, in its order."""
    with (folder / "INDEX.tsv").open(encoding="utf-8") as index:
        return {row["name"]: row for row in csv.DictReader(index, delimiter="\t")}


def read_corpus(folder: Path, names: list[str]):
    """Every corpus row as (name, Arabic, English); a row that is no pair is left out."""
    for name in names:
        with gzip.open(folder / f"{name}.tsv.gz", "rt", encoding="utf-8") as file:
            for line in file:
                cells = line.rstrip("\n").split("\t")
                if len(cells) == 2:
                    yield name, *cells


def write_lines(folder: Path, name: str, pairs: list[tuple[str, str]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for side, language in enumerate(("ar", "en")):
        text = "".join(f"{pair[side]}\n" for pair in pairs)
        (folder / f"{name}.{language}").write_text(text, "utf-8")


def train_tokenizer(pairs: list, weights: dict[str, float], size: int, out: Path, rng: random.Random) -> None:
    """One joint unigram model in the hub's Marian layout: `</s>` 0, `<unk>` 1, `<pad>` last."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        rules, text = Path(temporary, "rules.tsv"), Path(temporary, "text")
        rules.write_text("\n".join(normaliser_rules()) + "\n", "utf-8")
        with text.open("w", encoding="utf-8") as file:
            for group, source, target in pairs:
                file.write(f"{source}\n{target}\n" * int(weights[group] + rng.random()))
        sentencepiece.SentencePieceTrainer.train(
            input=str(text), model_prefix=str(Path(temporary, "spm")), vocab_size=size, model_type="unigram",
            normalization_rule_tsv=str(rules), character_coverage=0.9999, split_digits=True, byte_fallback=False,
            eos_id=0, unk_id=1, bos_id=-1, pad_id=-1, input_sentence_size=500_000, shuffle_input_sentence=True,
            num_threads=16, required_chars=REQUIRED, minloglevel=1,
        )  # fmt: skip
        model = Path(temporary, "spm.model").read_bytes()
    for name in ("source.spm", "target.spm"):
        (out / name).write_bytes(model)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    vocabulary = {processor.id_to_piece(piece): piece for piece in range(size)} | {"<pad>": size}
    (out / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False, indent=0), "utf-8")
    config = {
        "tokenizer_class": "MarianTokenizer", "source_lang": "ar", "target_lang": "en", "separate_vocabs": False,
        "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>", "model_max_length": 256,
        "clean_up_tokenization_spaces": False,
    }  # fmt: skip
    (out / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")


def write_shards(pairs: list, groups: list[str], out: Path, shard_size: int, longest: int) -> int:
    """Token ids, `</s>` included, and a group number a pair, in compressed shards; returns the number of tokens."""
    processor = sentencepiece.SentencePieceProcessor(model_file=str(out / "tokenizer/source.spm"))
    total = 0
    for number, start in enumerate(range(0, len(pairs), shard_size)):
        chunk = pairs[start : start + shard_size]
        sides = [processor.encode([pair[side] for pair in chunk], add_eos=True) for side in (1, 2)]
        fit = [row for row in range(len(chunk)) if max(len(sides[0][row]), len(sides[1][row])) <= longest]
        arrays = {"group": np.array([groups.index(chunk[row][0]) for row in fit], np.uint8)}
        for name, side in zip(("source", "target"), sides):
            arrays[name] = np.concatenate([np.array(side[row], np.uint16) for row in fit])
            arrays[f"{name}_length"] = np.array([len(side[row]) for row in fit], np.uint8)
            total += len(arrays[name])
        np.savez_compressed(out / f"shard-{number:02}.npz", **arrays)
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=HERE / "../../shared/corpus")
    parser.add_argument("--flores", type=Path, default=HERE / "../../shared/data")
    parser.add_argument("--out", type=Path, default=HERE / "data")
    parser.add_argument("--vocabulary", type=int, default=16_000, help="pieces, <pad> not counted")
    parser.add_argument("--tokenizer", type=Path, help="take the vocabulary of this model folder, to train that model on")
    parser.add_argument("--per-template", type=int, default=500, help="most sentences made from one template")
    parser.add_argument("--shard-size", type=int, default=150_000, help="pairs in a shard")
    parser.add_argument("--longest", type=int, default=128, help="tokens in a source or target, </s> included, at most 255")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    domains, weights = read_domains()

    options.out.mkdir(parents=True, exist_ok=True)
    for old in options.out.glob("shard-*.npz"):
        old.unlink()
    tests = {}
    for name in ("dev", "devtest"):
        sides = [(options.flores / f"flores200-{name}.{lang}").read_text("utf-8").splitlines() for lang in ("ar", "en")]
        tests[f"flores-{name}"] = list(zip(*sides, strict=True))
    press, templates, lexicon = read_press([options.corpus / "press", HERE / "press"])
    press = list(dict.fromkeys(press))
    held = [pair for pair in press if held_back(pair[0])]
    for name in ("press-dev", "press-test"):
        # References in the one style of quotes that the model is taught; FLORES has that style already.
        tests[name] = [(source, normalise(target)) for source, target in held if held_back(source) == name]
    for name, pairs in tests.items():
        write_lines(options.out / "valid", name, pairs)

    flores = [normalise(text) for name, pairs in tests.items() if "flores" in name for pair in pairs for text in pair]
    collector = Collector(Overlap(flores, [normalise(text) for pair in held for text in pair]))
    for pair in press:
        if not held_back(pair[0]):
            collector.add("press", "press", *pair, trusted=True)
    unknown_slots = Counter()
    for template in templates:
        try:
            for pair in expand(template, lexicon, rng, options.per_template):
                collector.add("templates", "template", *pair, trusted=True)
        except KeyError as slot:
            unknown_slots[slot.args[0]] += 1
    index = read_index(options.corpus)
    for name, source, target in read_corpus(options.corpus, list(index)):
        collector.add(name, domains[name], source, target, trusted=False)

    rng.shuffle(collector.pairs)
    if options.tokenizer:
        (options.out / "tokenizer").mkdir(parents=True, exist_ok=True)
        for name in ("source.spm", "target.spm", "vocab.json", "tokenizer_config.json"):
            shutil.copy(options.tokenizer / name, options.out / "tokenizer" / name)
    else:
        train_tokenizer(collector.pairs, weights, options.vocabulary, options.out / "tokenizer", rng)
    groups = list(weights)
    tokens = write_shards(collector.pairs, groups, options.out, options.shard_size, options.longest)
    report = {
        "pairs": len(collector.pairs), "tokens": tokens, "seed": options.seed, "groups": groups,
        "weights": [weights[group] for group in groups],
        "pairs_by_group": Counter(group for group, _, _ in collector.pairs),
        "held_back": {name: len(pairs) for name, pairs in tests.items()}, "templates": len(templates),
        "unknown_slots": unknown_slots, "by_source": collector.report, "index": index, "source_groups": domains,
        "removed": sum((counts for counts in collector.report.values()), Counter()),
    }  # fmt: skip
    (options.out / "report.json").write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", "utf-8")
    print(json.dumps({key: report[key] for key in report if key not in ("by_source", "index", "source_groups")}, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()

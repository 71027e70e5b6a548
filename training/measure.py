"""Measure a model folder with `translate` itself: quality, what int8 costs, degenerate lines, cold start.

    python measure.py models/starter --translate ../target/release/translate --data data --f32 export/f32 --out scores

Writes `NAME.en` (the translations of each test set) and `scores.json`, which card.py reads, into `--out`.
"""

import argparse
import json
import re
import statistics
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).parent
SETS = ["flores-devtest", "press-test"]
ARABIC = re.compile(r"[\u0600-\u06ff]")
# One to six words, three times in a row.
REPETITION = re.compile(r"(\b\S+(?: \S+){0,5})(?: \1){2}\b")


def defect(source: str, translation: str) -> str | None:
    """What makes a line useless, if anything does; sources are sentences with Arabic in them."""
    if not translation.strip():
        return "empty"
    if len(ARABIC.findall(translation)) > len(translation) / 4:
        return "untranslated"
    return "repetitive" if REPETITION.search(translation) and not REPETITION.search(source) else None


class Program:
    """The `translate` program, and a record of how it was called."""

    def __init__(self, path: Path):
        self.path = path
        self.commands: list[str] = []

    def run(self, *arguments: object) -> str:
        command = [str(self.path), *map(str, arguments)]
        self.commands.append(" ".join(["translate", *(Path(word).name if "/" in word else word for word in command[1:])]))
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def score(self, references: Path, translations: Path) -> dict:
        """BLEU and chrF with their signatures."""
        report = json.loads(self.run("eval", "--json", "--metrics", "bleu,chrf", "-r", references, "--hypothesis", translations))
        scores = {score["name"].lower(): score for score in report["scores"]}
        return {
            "bleu": round(scores["bleu"]["score"], 2), "chrf": round(scores["chrf2"]["score"], 2),
            "signatures": [scores["bleu"]["signature"], scores["chrf2"]["signature"]],
        }  # fmt: skip

    def translate(self, model: object, source: Path, out: Path, *more: object) -> list[dict]:
        """The segments of a test set; their translations go to `out`."""
        lines = self.run("--lines", "-f", "jsonl", "--model", model, "--beam-size", 4, *more, source).splitlines()
        segments = [json.loads(line) for line in lines]
        out.write_text("".join(f"{segment['translation']}\n" for segment in segments), "utf-8")
        return segments


def measure_set(program: Program, model: object, data: Path, name: str, out: Path) -> dict:
    source, references = data / f"valid/{name}.ar", data / f"valid/{name}.en"
    segments = program.translate(model, source, out / f"{name}.en")
    scores = program.score(references, out / f"{name}.en")
    defects = [defect(segment["source"], segment["translation"]) for segment in segments]
    flags = [flag for segment in segments for flag in segment["flags"]]
    return scores | {
        "lines": len(segments), "beams": 4, "model": segments[0]["model"],
        "defects": {kind: defects.count(kind) for kind in ("empty", "untranslated", "repetitive")},
        "flags": {flag: flags.count(flag) for flag in sorted(set(flags))},
    }  # fmt: skip


def cold_start(program: Program, model: object, data: Path, out: Path, runs: int) -> dict:
    """Seconds from the start of the process to its end, for a release of 20 sentences."""
    lines = (data / "valid/press-test.ar").read_text("utf-8").splitlines()[:20]
    release = out / "release.txt"
    release.write_text(" ".join(lines) + "\n", "utf-8")
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        program.run("--threads", 2, "--model", model, release)
        seconds.append(time.perf_counter() - started)
    return {"median": round(statistics.median(seconds), 3), "best": round(min(seconds), 3), "runs": runs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="the model's folder, or `starter` for the one that is built in")
    parser.add_argument("--translate", type=Path, default=HERE.parent / "target/release/translate")
    parser.add_argument("--data", type=Path, default=HERE / "data")
    parser.add_argument("--f32", type=Path, help="the same weights as f32, for what int8 costs")
    parser.add_argument("--runs", type=int, default=5, help="cold starts")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    program = Program(options.translate)
    scores: dict = {name: measure_set(program, options.model, options.data, name, options.out) for name in SETS}
    if options.f32:
        source, exact = options.data / "valid/flores-devtest.ar", options.out / "flores-devtest-f32.en"
        program.translate(options.f32, source, exact, "--precision", "f32")
        scores["f32"] = program.score(options.data / "valid/flores-devtest.en", exact)
    scores["cold_start"] = cold_start(program, options.model, options.data, options.out, options.runs)
    scores["signatures"] = scores[SETS[0]]["signatures"]
    scores["commands"] = list(dict.fromkeys(program.commands))
    scores["version"] = program.run("--version").split()[-1]
    (options.out / "scores.json").write_text(json.dumps(scores, indent=1) + "\n", "utf-8")
    print(json.dumps({name: value for name, value in scores.items() if name != "commands"}, indent=1))


if __name__ == "__main__":
    main()

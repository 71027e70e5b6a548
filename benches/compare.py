"""Runs `translate` and CTranslate2 in turns on fixed work, and prints a table of speed and memory.

    python compare.py --tokenizer FOLDER --input LINES [--models FOLDER] [--shapes small big] [--only WORD]
                      [--sentences 512] [--length 32] [--rounds 3] [--threads 2]

The folder of --tokenizer holds config.json, generation_config.json, source.spm, target.spm and vocab.json of a Marian
model; weights of that shape are made at random, since speed does not depend on what they mean, and again in the wider
shape of opus-mt-tc-big (1024 wide, 16 heads, 4096 inside). With --models they are kept, and used again by the next run.
LINES holds one segment a line; each is decoded to exactly --length tokens. Slow work takes a part of the lines, as the
table says.

A round runs both engines, one right after the other; a ratio is that of the two in a round, and the table gives medians
of the rounds, beside the ratio that is asked for. On a shared machine speed changes from minute to minute, ratios of
neighbours hardly. Rows come out as they are measured, so that a run can be stopped at any time.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import ctranslate2

BIG = {"d_model": 1024, "encoder_attention_heads": 16, "decoder_attention_heads": 16, "encoder_ffn_dim": 4096,
       "decoder_ffn_dim": 4096, "activation_function": "relu", "max_position_embeddings": 1024}
PROGRAM = Path(__file__).resolve().parents[1] / "target" / "release" / "translate"
PEER = Path(__file__).with_name("peer.py")
RELEASE = 20
QUANTIZATION = {"int8": "int8", "f32": "float32"}
FLAGS = ("avx2", "avx512f", "avx512_vnni", "amx_int8", "amx_bf16")


class Task(NamedTuple):
    """A row of the table, or with memory two."""

    shape: str
    precision: str
    beam: int
    must: float
    part: int = 1  # of the lines
    cold: bool = False
    memory: bool = False

    def name(self) -> str:
        search = "greedy" if self.beam == 1 else f"beam {self.beam}"
        return f"{self.shape}, {self.precision}, {search}"


TASKS = (
    Task("small", "int8", 1, 1.5, memory=True),
    Task("small", "int8", 4, 1.5),
    Task("small", "f32", 1, 1.3),
    Task("small", "int8", 4, 1.5, cold=True),
    Task("small", "f32", 4, 1.0, cold=True),
    Task("big", "int8", 1, 1.5, memory=True),
    Task("big", "int8", 4, 1.5, part=2),
    Task("big", "f32", 1, 1.3, part=4),
    Task("big", "int8", 4, 1.5, cold=True),
)


def make_model(tokenizer: Path, folder: Path, big: bool) -> None:
    import torch
    from transformers import MarianConfig, MarianMTModel

    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(tokenizer, folder)
    if big:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | BIG))
    settings = {name: (folder / name).read_bytes() for name in ("config.json", "generation_config.json")}
    torch.manual_seed(0)
    MarianMTModel(MarianConfig.from_pretrained(folder)).eval().save_pretrained(folder)
    for name, content in settings.items():
        (folder / name).write_bytes(content)
    converter = Path(sys.executable).parent / "ct2-transformers-converter"
    for precision, quantization in QUANTIZATION.items():
        subprocess.run([converter, "--model", folder, "--output_dir", f"{folder}-{precision}", "--quantization", quantization,
                        "--force"], check=True, capture_output=True)


class Work:
    """Lines to decode, and how."""

    def __init__(self, args: argparse.Namespace, model: Path, lines: Path, precision: str, beam: int):
        self.model, self.lines = model, lines
        self.precision, self.beam, self.length, self.threads = precision, beam, args.length, args.threads

    def _peer(self, *flags: str) -> list[str]:
        return [sys.executable, str(PEER), str(self.model), str(self.lines), "--precision", self.precision, "--beam",
                str(self.beam), "--length", str(self.length), "--threads", str(self.threads), *flags]

    def peer(self) -> tuple[float, float]:
        """Target tokens a second and peak memory in MB of CTranslate2."""
        run = subprocess.run(self._peer(), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        report = json.loads(run.stderr.splitlines()[-1])
        return report["rate"], report["peak_mb"]

    def own(self) -> tuple[float, float]:
        """The same of `translate bench`."""
        with tempfile.NamedTemporaryFile(suffix=".json") as out:
            subprocess.run(
                [PROGRAM, "bench", "--quiet", "--model", self.model, "--input", self.lines, "--runs", "1", "--latencies",
                 "0", "--fixed-length", str(self.length), "--beam-size", str(self.beam), "--precision", self.precision,
                 "--threads", str(self.threads), "--json", out.name], check=True, stdout=subprocess.DEVNULL)
            report = json.loads(Path(out.name).read_text())[0]
            return report["target_tokens_per_s"], report["peak_memory_mb"]

    def cold_peer(self) -> float:
        """Seconds from the start of a process to its end."""
        return seconds(self._peer("--lone"))

    def cold_own(self) -> float:
        """The same of `translate`, with the model's whole vocabulary."""
        # A target's length counts the start token.
        length = str(self.length + 1)
        return seconds([str(PROGRAM), str(self.lines), "--lines", "--exact", "-m", str(self.model), "--precision",
                        self.precision, "--beam-size", str(self.beam), "--min-length", length, "--max-length", length,
                        "--threads", str(self.threads)])


def seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def machine(threads: int) -> str:
    """The processor, what it has of what matters here, and the threads used."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    known = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    flags = known.get("flags", "").split()
    has = ", ".join(flag for flag in FLAGS if flag in flags)
    return f"{known.get('model name', 'processor unknown')} (model {known.get('model', '?')}; {has}), {threads} threads"


def row(name: str, unit: str, pairs: list[tuple[float, float]], higher_is_better: bool, must: float) -> None:
    theirs, own = (statistics.median(side) for side in zip(*pairs))
    ratio = statistics.median(o / t if higher_is_better else t / o for t, o in pairs)
    print(f"| {name} | {theirs:.{unit}} | {own:.{unit}} | {ratio:.2f} | {must} |", flush=True)


def measure(task: Task, args: argparse.Namespace, model: Path, lines: list[str], scratch: Path) -> None:
    """Runs a task's rounds and prints its rows."""
    chosen = lines[:RELEASE] if task.cold else lines[: len(lines) // task.part]
    text = scratch / "lines.txt"
    text.write_text("".join(f"{line}\n" for line in chosen), encoding="utf-8")
    work = Work(args, model, text, task.precision, task.beam)
    if task.cold:
        times = [(work.cold_peer(), work.cold_own()) for _ in range(args.rounds)]
        row(f"{task.name()}, {len(chosen)} lines, cold process to last byte, seconds", "2f", times, False, task.must)
        return
    rounds = [(work.peer(), work.own()) for _ in range(args.rounds)]
    row(f"{task.name()}, {len(chosen)} lines, target tokens a second", "0f",
        [(theirs[0], own[0]) for theirs, own in rounds], True, task.must)
    if task.memory:
        row(f"{task.name()}, {len(chosen)} lines, peak memory in MB", "0f",
            [(theirs[1], own[1]) for theirs, own in rounds], False, 1.0)


def compare(args: argparse.Namespace, models: Path) -> None:
    for shape in args.shapes:
        if not (models / f"{shape}-f32" / "model.bin").exists():
            make_model(args.tokenizer, models / shape, shape == "big")
    lines = args.input.read_text(encoding="utf-8").splitlines()[: args.sentences]
    print(f"{machine(args.threads)}; {args.rounds} rounds; {args.length} tokens a line\n")
    print(f"| work | CTranslate2 {ctranslate2.__version__} | translate | ratio | asked |\n| --- | --- | --- | --- | --- |",
          flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        for task in TASKS:
            if task.shape in args.shapes and args.only in f"{task.name()}{', cold' * task.cold}":
                measure(task, args, models / task.shape, lines, Path(scratch))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--input", type=Path, required=True)
    parser.add_argument("--models", type=Path, help="where models are kept; otherwise they are made anew")
    parser.add_argument("--shapes", nargs="+", choices=["small", "big"], default=["small", "big"])
    parser.add_argument("--only", default="", metavar="TEXT", help='work whose name has this, such as "int8, greedy"')
    parser.add_argument("--sentences", type=int, default=512)
    parser.add_argument("--length", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    try:
        if args.models:
            compare(args, args.models)
        else:
            with tempfile.TemporaryDirectory() as models:
                compare(args, Path(models))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

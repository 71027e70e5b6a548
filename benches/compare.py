"""Runs `translate` and CTranslate2 in turns on fixed work, and prints a table of speed and memory.

    python compare.py --tokenizer FOLDER --input LINES [--big] [--sentences 512] [--length 32] [--rounds 3] [--threads 2]

FOLDER holds config.json, generation_config.json, source.spm, target.spm and vocab.json of a Marian model; weights of
that shape are made at random, since speed does not depend on what they mean. --big widens the shape to that of
opus-mt-tc-big (1024 wide, 16 heads, 4096 inside). LINES holds one segment a line; each is decoded to exactly --length
tokens.

A round runs both engines, one right after the other; a ratio is that of the two in a round, and the table gives medians
of the rounds. On a shared machine speed changes from minute to minute, ratios of neighbours hardly.
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

import ctranslate2

BIG = {"d_model": 1024, "encoder_attention_heads": 16, "decoder_attention_heads": 16, "encoder_ffn_dim": 4096,
       "decoder_ffn_dim": 4096, "activation_function": "relu", "max_position_embeddings": 1024}
PROGRAM = Path(__file__).resolve().parents[1] / "target" / "release" / "translate"
PEER = Path(__file__).with_name("peer.py")
RELEASE = 20
QUANTIZATION = {"int8": "int8", "f32": "float32"}


def make_model(tokenizer: Path, folder: Path, big: bool) -> None:
    import torch
    from transformers import MarianConfig, MarianMTModel

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
        subprocess.run([converter, "--model", folder, "--output_dir", f"{folder}-{precision}", "--quantization", quantization],
                       check=True, capture_output=True)


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


def row(name: str, unit: str, theirs: list[float], own: list[float], ratios: list[float]) -> None:
    median = statistics.median
    print(f"| {name} | {median(theirs):.{unit}} | {median(own):.{unit}} | {median(ratios):.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--input", type=Path, required=True)
    parser.add_argument("--big", action="store_true")
    parser.add_argument("--sentences", type=int, default=512)
    parser.add_argument("--length", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--beams", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--precisions", nargs="+", choices=QUANTIZATION, default=list(QUANTIZATION))
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        make_model(args.tokenizer, model, args.big)
        lines = args.input.read_text(encoding="utf-8").splitlines()[: args.sentences]
        everything, release = Path(folder) / "lines.txt", Path(folder) / "release.txt"
        everything.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        release.write_text("".join(f"{line}\n" for line in lines[:RELEASE]), encoding="utf-8")

        print(f"| work | CTranslate2 {ctranslate2.__version__} | translate | ratio |\n| --- | --- | --- | --- |")
        for precision in args.precisions:
            for beam in args.beams:
                work = Work(args, model, everything, precision, beam)
                rounds = [(work.peer(), work.own()) for _ in range(args.rounds)]
                rates = [(theirs[0], own[0]) for theirs, own in rounds]
                memory = [(theirs[1], own[1]) for theirs, own in rounds]
                name = f"{precision}, beam {beam}"
                row(f"{name}, target tokens a second", "0f", *zip(*rates), [own / theirs for theirs, own in rates])
                row(f"{name}, peak memory in MB", "0f", *zip(*memory), [theirs / own for theirs, own in memory])
            work = Work(args, model, release, precision, 4)
            times = [(work.cold_peer(), work.cold_own()) for _ in range(args.rounds)]
            name = f"{precision}, beam 4, {RELEASE} sentences, cold process to last byte, seconds"
            row(name, "2f", *zip(*times), [theirs / own for theirs, own in times])


if __name__ == "__main__":
    main()

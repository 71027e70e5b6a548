"""Times `translate bench` and CTranslate2 in turns on fixed work, and prints a table of target tokens a second.

    python compare.py --tokenizer FOLDER --input LINES [--big] [--sentences 128] [--length 32] [--rounds 3] [--threads 2]

FOLDER holds config.json, generation_config.json, source.spm, target.spm and vocab.json of a Marian model; weights of
that shape are made at random, since speed does not depend on what they mean. --big widens the shape to that of
opus-mt-tc-big (1024 wide, 16 heads, 4096 inside). LINES holds one segment a line; each is decoded to exactly --length
tokens.

A round runs every engine once, one right after the other; a ratio is that of two neighbours in a round, and the table
gives the median of the rounds. On a shared machine speed changes from minute to minute, ratios of neighbours hardly.
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

BIG = {"d_model": 1024, "encoder_attention_heads": 16, "decoder_attention_heads": 16, "encoder_ffn_dim": 4096,
       "decoder_ffn_dim": 4096, "activation_function": "relu", "max_position_embeddings": 1024}
PRECISIONS = {"int8": "int8", "f32": "float32"}
PROGRAM = Path(__file__).resolve().parents[1] / "target" / "release" / "translate"


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


def ctranslate2_rate(model: Path, lines: list[str], args: argparse.Namespace, precision: str, beam: int) -> float:
    import ctranslate2
    from sentencepiece import SentencePieceProcessor

    pieces = SentencePieceProcessor(str(model / "source.spm"))
    translator = ctranslate2.Translator(str(model) + "-ct2", compute_type=PRECISIONS[precision],
                                        inter_threads=args.threads, intra_threads=1)
    options = {"beam_size": beam, "min_decoding_length": args.length, "max_decoding_length": args.length,
               "max_batch_size": 2048, "batch_type": "tokens"}
    translator.translate_batch([pieces.encode(line, out_type=str) + ["</s>"] for line in lines[:16]], **options)
    started = time.perf_counter()
    # As translate's own measurement does, from text on.
    translator.translate_batch([pieces.encode(line, out_type=str) + ["</s>"] for line in lines], **options)
    return len(lines) * args.length / (time.perf_counter() - started)


def translate_rate(model: Path, input_file: Path, args: argparse.Namespace, precision: str, beam: int) -> float:
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        subprocess.run(
            [PROGRAM, "bench", "--quiet", "--model", model, "--input", input_file, "--runs", "1", "--latencies", "0",
             "--fixed-length", str(args.length), "--beam-size", str(beam), "--precision", precision,
             "--threads", str(args.threads), "--json", out.name],
            check=True, stdout=subprocess.DEVNULL)
        return json.loads(Path(out.name).read_text())[0]["target_tokens_per_s"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--input", type=Path, required=True)
    parser.add_argument("--big", action="store_true")
    parser.add_argument("--sentences", type=int, default=128)
    parser.add_argument("--length", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--beams", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=list(PRECISIONS))
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as work:
        model = Path(work) / "model"
        make_model(args.tokenizer, model, args.big)
        subprocess.run([Path(sys.executable).parent / "ct2-transformers-converter", "--model", model, "--output_dir", f"{model}-ct2"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        lines = args.input.read_text(encoding="utf-8").splitlines()[: args.sentences]
        input_file = Path(work) / "lines.txt"
        input_file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

        import ctranslate2
        print(f"| work | CTranslate2 {ctranslate2.__version__} | translate | ratio |\n| --- | --- | --- | --- |")
        for precision in args.precisions:
            for beam in args.beams:
                rounds = [(ctranslate2_rate(model, lines, args, precision, beam),
                           translate_rate(model, input_file, args, precision, beam)) for _ in range(args.rounds)]
                theirs, ours = (statistics.median(rates) for rates in zip(*rounds))
                ratio = statistics.median(own / other for other, own in rounds)
                print(f"| {precision}, beam {beam} | {theirs:.0f} | {ours:.0f} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()

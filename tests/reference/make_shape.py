"""Writes a model with random weights in the shape of facebook/nllb-200-distilled-600M or csebuetnlp's mT5 summarisers.

    python make_shape.py nllb|mt5 OUT TEXT... [--weights bin|safetensors]

How long loading takes, how much memory a model wants and whether two engines agree on ids does not depend on what weights
mean. The tokenizer has the published size: some thousand pieces are trained on the lines of TEXT, rare characters fill it up.
The folder has the files that the hub has, so that both engines load it as they would the real one:

    python run_transformers.py OUT FLORES.ar --lines 4 > theirs.jsonl     (NLLB: --from arb_Arab --to eng_Latn)
    translate -m OUT FLORES.ar --exact --lines --format jsonl --detail > ours.jsonl
    python check_scores.py OUT ours.jsonl theirs.jsonl

Needs torch, transformers, sentencepiece and protobuf (made with torch 2.15, transformers 5.23, sentencepiece 0.2.3).
"""

import argparse
import itertools
import json
import shutil
import sys
import tempfile
from pathlib import Path

import sentencepiece as spm
import torch
from transformers import AutoConfig, AutoModelForSeq2SeqLM
from transformers.convert_slow_tokenizer import SentencePieceExtractor

sys.path[:0] = [str(Path(__file__).parents[1] / "fixtures" / name) for name in ("families", "golden", "tokenizer")]
from make_families import TINY, write_tokenizer_json  # noqa: E402

TRAINED = 6000
NLLB = {
    "architectures": ["M2M100ForConditionalGeneration"], "model_type": "m2m_100", "vocab_size": 256206, "d_model": 1024,
    "encoder_layers": 12, "decoder_layers": 12, "encoder_attention_heads": 16, "decoder_attention_heads": 16,
    "encoder_ffn_dim": 4096, "decoder_ffn_dim": 4096, "activation_function": "relu", "max_position_embeddings": 1024,
    "scale_embedding": True, "bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2,
    "max_length": 200, "is_encoder_decoder": True,
}
MT5 = {
    "architectures": ["MT5ForConditionalGeneration"], "model_type": "mt5", "vocab_size": 250112, "d_model": 768, "d_kv": 64,
    "d_ff": 2048, "num_layers": 12, "num_decoder_layers": 12, "num_heads": 12, "feed_forward_proj": "gated-gelu",
    "relative_attention_num_buckets": 32, "tie_word_embeddings": False, "decoder_start_token_id": 0, "pad_token_id": 0,
    "eos_token_id": 1, "is_encoder_decoder": True, "length_penalty": 0.6, "max_length": 84, "no_repeat_ngram_size": 2,
    "num_beams": 4,
}


def write_pieces(path: Path, texts: list[Path], size: int, **options) -> None:
    """A SentencePiece model of `size` pieces: those that the texts give, then pairs of rare characters."""
    with tempfile.TemporaryDirectory() as scratch:
        spm.SentencePieceTrainer.train(input=",".join(map(str, texts)), model_prefix=f"{scratch}/model", vocab_size=TRAINED,
                                       character_coverage=1.0, num_threads=2, minloglevel=2, **options)
        proto = SentencePieceExtractor(f"{scratch}/model.model").proto
    known = {piece.piece for piece in proto.pieces}
    rare = [chr(code) for code in range(0xAC00, 0xAC00 + 520) if chr(code) not in known]
    worst = min(piece.score for piece in proto.pieces)
    for filler in itertools.islice(itertools.chain(rare, map("".join, itertools.product(rare, rare))), size - len(known)):
        proto.pieces.add(piece=filler, score=worst - 1.0)
    path.write_bytes(proto.SerializeToString())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=["nllb", "mt5"])
    parser.add_argument("out", type=Path)
    parser.add_argument("texts", type=Path, nargs="+")
    parser.add_argument("--weights", choices=["bin", "safetensors"], default="bin", help="bin is what the hub has")
    args = parser.parse_args()

    shutil.rmtree(args.out, ignore_errors=True)
    args.out.mkdir(parents=True)
    config = NLLB if args.shape == "nllb" else MT5
    (args.out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    if args.shape == "nllb":
        write_pieces(args.out / "sentencepiece.bpe.model", args.texts, 256000, model_type="bpe", unk_id=0, bos_id=1, eos_id=2)
        [tiny] = [tiny for tiny in TINY if tiny.name == "nllb"]
        write_tokenizer_json(tiny, args.out)
        (args.out / "tokenizer_config.json").write_text('{"tokenizer_class": "NllbTokenizer"}\n')
    else:
        write_pieces(args.out / "spiece.model", args.texts, 250100, pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
        (args.out / "tokenizer_config.json").write_text('{"extra_ids": 0, "tokenizer_class": "T5Tokenizer"}\n')
    torch.manual_seed(0)
    model = AutoModelForSeq2SeqLM.from_config(AutoConfig.for_model(**config))
    if args.shape == "mt5":
        model.lm_head.weight = torch.nn.Parameter(torch.randn(config["vocab_size"], config["d_model"]) / config["d_model"] ** 0.5)
    if args.weights == "bin":
        torch.save(model.state_dict(), args.out / "pytorch_model.bin")
    else:
        own = (args.out / "config.json").read_bytes()
        model.save_pretrained(args.out, max_shard_size="100GB")
        (args.out / "config.json").write_bytes(own)
        (args.out / "generation_config.json").unlink()
    print(args.out)


if __name__ == "__main__":
    main()

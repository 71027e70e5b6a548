"""Train a Marian model on the shards of prepare.py within a wall-clock budget; stops and resumes at any time.

    python train.py --data data --out run --minutes 25                                    # a GPU
    python train.py --data data --out run --minutes 120 --shape tiny --tokens 2048 ...    # two CPU cores (README.md)

`run/checkpoint.pt` resumes, `run/best.pt` holds the averaged weights that scored best, `run/log.jsonl` the measurements.
"""

import argparse
import json
import os
import signal
import time
from copy import deepcopy
from pathlib import Path

import torch
import torch.nn.functional as F
from transformers import GenerationConfig, MarianConfig, MarianMTModel, MarianTokenizer

from alignments import guidance, train_lexicon
from batches import Corpus
from embeddings import bilingual_embeddings
from evaluate import load, read_set, score, translate
from loss import SmoothedCrossEntropy

HERE = Path(__file__).parent
# width, feed-forward width, heads, encoder layers, decoder layers
SHAPES = {"base": (512, 2048, 8, 6, 2), "small": (384, 1536, 6, 6, 2), "tiny": (256, 1024, 4, 4, 1)}


def build(shape: str, vocabulary: int, dropout: float) -> MarianMTModel:
    """A fresh model in opus-mt's configuration; `vocabulary` counts `<pad>`, its last id."""
    width, inner, heads, encoder, decoder = SHAPES[shape]
    pad = vocabulary - 1
    config = MarianConfig(
        vocab_size=vocabulary, decoder_vocab_size=vocabulary, d_model=width,
        encoder_ffn_dim=inner, decoder_ffn_dim=inner, encoder_attention_heads=heads, decoder_attention_heads=heads,
        encoder_layers=encoder, decoder_layers=decoder, num_hidden_layers=encoder, activation_function="swish",
        dropout=dropout, attention_dropout=0.0, activation_dropout=0.0, max_position_embeddings=512,
        scale_embedding=True, static_position_embeddings=True, share_encoder_decoder_embeddings=True,
        pad_token_id=pad, decoder_start_token_id=pad, eos_token_id=0, bos_token_id=0, forced_eos_token_id=0,
        normalize_before=False, normalize_embedding=False, add_final_layer_norm=False,
    )  # fmt: skip
    # PyTorch's fused attention has a slow backward pass on a CPU: plain products train 1.3 times as fast there.
    model = MarianMTModel._from_config(config, attn_implementation="sdpa" if torch.cuda.is_available() else "eager")
    # Against repetition, to which a model trained for so short is prone; chosen on FLORES dev and press-dev. No blocking of
    # n-grams, which those of digits would be too.
    model.generation_config = GenerationConfig(
        repetition_penalty=1.1,
        bad_words_ids=[[pad]], num_beams=4, max_length=256, renormalize_logits=True, forced_eos_token_id=0,
        pad_token_id=pad, decoder_start_token_id=pad, eos_token_id=0, bos_token_id=0,
    )  # fmt: skip
    return model


def optimisers(model: MarianMTModel) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers, with updates of the size that Adam's have; Adam for all else.

    Muon: Jordan et al. 2024; the size: Liu et al. 2025, "Muon is Scalable for LLM Training".
    """
    matrices, others = [], []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            (matrices if ".layers." in name and parameter.ndim == 2 else others).append(parameter)
    return [
        torch.optim.Muon(matrices, lr=0.0, weight_decay=0.0, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
        torch.optim.Adam(others, lr=0.0, betas=(0.9, 0.98), eps=1e-9, fused=True),
    ]


def losses(model: MarianMTModel, source, target, smoothing: float, guide=None) -> tuple[torch.Tensor, int, torch.Tensor]:
    """Summed cross-entropy (nats) over the target tokens, their number, and the loss of alignment to a lexicon, if any."""
    pad = model.config.pad_token_id
    shifted = F.pad(target[:, :-1], (1, 0), value=pad)
    hidden = model.model(
        input_ids=source, attention_mask=source != pad, decoder_input_ids=shifted, use_cache=False,
        output_attentions=guide is not None,
    )  # fmt: skip
    real = target != pad
    logits = model.lm_head(hidden.last_hidden_state[real])  # final_logits_bias is not trained and stays 0
    loss = SmoothedCrossEntropy.apply(logits, target[real], smoothing)
    aligned = torch.zeros(()) if guide is None else guidance(guide, hidden.cross_attentions, source, target, pad)
    return loss, int(real.sum()), aligned


class Trainer:
    """Model, averaged model, optimisers and the place in the data: all that a checkpoint holds."""

    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        # A CPU without products in bf16 is faster in f32.
        self.half = self.device == "cuda" or torch.cpu._is_avx512_bf16_supported()
        torch.manual_seed(options.seed)
        torch.set_float32_matmul_precision("high")
        report = json.loads((options.data / "report.json").read_text("utf-8"))
        weights = dict(zip(report["groups"], report["weights"])) | dict(options.weights)
        self.weights = [weights[group] for group in report["groups"]]
        self.corpus = Corpus(options.data, self.device)
        self.tokenizer = MarianTokenizer.from_pretrained(options.data / "tokenizer")
        self.model = build(options.shape, len(self.tokenizer.get_vocab()), options.dropout).to(self.device)
        self.ema = deepcopy(self.model).eval().requires_grad_(False)
        self.optimisers = optimisers(self.model)
        self.lexicon = None
        if options.guide:
            self.lexicon = train_lexicon(self.corpus, self.weights, self.model.config.vocab_size, options.seed)
        self.step, self.epoch, self.position, self.trained_for, self.tokens, self.best = 0, 0, 0, 0.0, 0, -1.0
        self.started = time.monotonic()
        self.stopped = False

    @property
    def elapsed(self) -> float:
        """Seconds of training, earlier runs of the same checkpoint included."""
        return self.trained_for + time.monotonic() - self.started

    def log(self, **values) -> None:
        line = json.dumps({"minutes": round(self.elapsed / 60, 2), "step": self.step, **values})
        print(line, flush=True)
        with (self.options.out / "log.jsonl").open("a") as file:
            file.write(line + "\n")

    def start_from(self, folder: Path) -> None:
        """The weights of an exported model of the same shape and vocabulary, with a fresh optimiser."""
        state = load(folder).state_dict()
        for model in (self.model, self.ema):
            model.load_state_dict(state)
        self.log(event=f"started from {folder}")

    def start_bilingual(self) -> None:
        """Embeddings from co-occurrence instead of noise."""
        vocabulary, width = self.model.model.shared.weight.shape
        vectors = bilingual_embeddings(self.corpus, self.weights, vocabulary, width, self.options.seed)
        for model in (self.model, self.ema):
            model.model.shared.weight.data.copy_(vectors)
        self.log(event="bilingual embeddings")

    def rate(self) -> float:
        """Inverse square root after the warm-up, times a linear fall to zero over the last part of the budget."""
        step, warmup = self.step + 1, self.options.warmup
        left = 1 - self.elapsed / (60 * self.options.minutes)
        return self.options.rate * min(step / warmup, (warmup / step) ** 0.5) * min(1.0, max(0.0, left / self.options.decay))

    def update(self, rows) -> float:
        """One optimiser step; the loss a target token, in nats."""
        source, target = self.corpus.gather(rows, self.model.config.pad_token_id)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.half):
            loss, count, aligned = losses(self.model, source, target, self.options.smoothing, self.lexicon)
        ((loss + self.options.guide * aligned) / count).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        rate = self.rate()
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.step()
        self.model.zero_grad(set_to_none=True)
        self.step += 1
        self.tokens += int(source.numel() + target.numel())
        keep = min(self.options.ema, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(list(self.ema.parameters()), list(self.model.parameters()), 1 - keep)
        return loss.detach() / count

    @torch.inference_mode()
    def validation_loss(self, name: str) -> float:
        """Nats a target token of the averaged model, unsmoothed."""
        sources, targets = read_set(self.options.data / "valid", name, self.options.valid_lines)
        total = count = 0
        for start in range(0, len(sources), 16):
            chunk = slice(start, start + 16)
            settings = {"return_tensors": "pt", "padding": True, "truncation": True}
            batch = self.tokenizer(sources[chunk], text_target=targets[chunk], **settings).to(self.device)
            with torch.autocast(self.device, torch.bfloat16, enabled=self.half):
                loss, tokens, _ = losses(self.ema, batch["input_ids"], batch["labels"], 0.0)
            total, count = total + float(loss), count + tokens
        return round(total / count, 4)

    def validate(self) -> None:
        """Loss, BLEU and chrF (greedy) on FLORES dev and held-back press; the best mean BLEU so far is kept."""
        values = {}
        for name in ("flores-dev", "press-dev"):
            sources, references = read_set(self.options.data / "valid", name, self.options.valid_lines)
            found = translate(self.ema, self.tokenizer, sources, 1, 128 if self.device == "cuda" else 25)
            values[name] = {"loss": self.validation_loss(name)} | score(found, references)
            values[name]["sample"] = found[0][:200]
        bleu = sum(value["bleu"] for value in values.values()) / len(values)
        if bleu >= self.best:
            self.best = bleu
            self.write("best.pt", {"shape": self.options.shape, "step": self.step, "model": self.ema.state_dict()})
        self.log(event="validation", **values)

    def write(self, name: str, state: dict) -> None:
        """Never half a file: written beside it, then renamed."""
        temporary = self.options.out / f"{name}.tmp"
        torch.save(state, temporary)
        os.replace(temporary, self.options.out / name)

    def save(self) -> None:
        names = ("step", "epoch", "position", "tokens", "best")
        state = {name: getattr(self, name) for name in names} | {"elapsed": self.elapsed, "shape": self.options.shape}
        for name in ("model", "ema"):
            state[name] = getattr(self, name).state_dict()
        state["optimisers"] = [optimiser.state_dict() for optimiser in self.optimisers]
        self.write("checkpoint.pt", state)
        self.log(event="checkpoint")

    def resume(self) -> None:
        state = torch.load(self.options.out / "checkpoint.pt", map_location=self.device, weights_only=True)
        for name in ("model", "ema"):
            getattr(self, name).load_state_dict(state[name])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        for name in ("step", "epoch", "position", "tokens", "best"):
            setattr(self, name, state[name])
        self.trained_for = state["elapsed"]
        self.log(event="resumed")

    def run(self) -> None:
        """Train until the budget is spent or a signal asks for an end; both leave a checkpoint."""
        options = self.options
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "stopped", True))
        self.model.train()
        validated = saved = logged = time.monotonic()
        losses_seen, tokens_logged = [], self.tokens
        while not self.stopped and self.elapsed < 60 * options.minutes:
            batches = self.corpus.epoch(self.weights, options.tokens, options.seed + self.epoch)
            for rows in batches[self.position :]:
                losses_seen.append(self.update(rows))
                self.position += 1
                now = time.monotonic()
                if now - logged > options.log_seconds:
                    rate = (self.tokens - tokens_logged) / (now - logged)
                    mean = float(torch.stack(losses_seen).mean())
                    self.log(loss=round(mean, 4), lr=round(self.rate(), 6), epoch=self.epoch, tokens_per_s=round(rate))
                    losses_seen, tokens_logged, logged = [], self.tokens, now
                if now - validated > 60 * options.validate_minutes:
                    self.validate()
                    logged = validated = time.monotonic()
                    losses_seen, tokens_logged = [], self.tokens
                if now - saved > 60 * options.save_minutes:
                    self.save()
                    saved = time.monotonic()
                if self.stopped or self.elapsed >= 60 * options.minutes:
                    break
            else:
                self.epoch, self.position = self.epoch + 1, 0
        self.save()
        if not self.stopped:
            self.validate()


def weight(text: str) -> tuple[str, float]:
    """`group=weight` of the command line."""
    group, _, value = text.partition("=")
    return group, float(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=HERE / "data")
    parser.add_argument("--out", type=Path, default=HERE / "run")
    parser.add_argument("--minutes", type=float, required=True, help="wall-clock budget, earlier runs of --out included")
    parser.add_argument("--shape", choices=SHAPES, default="base")
    parser.add_argument("--tokens", type=int, default=65_536, help="padded tokens a batch on its longer side")
    parser.add_argument("--rate", type=float, default=1e-3, help="peak learning rate")
    parser.add_argument("--warmup", type=int, default=2000, help="steps")
    parser.add_argument("--decay", type=float, default=0.4, help="last share of the budget, in which the rate falls to 0")
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--smoothing", type=float, default=0.1, help="label smoothing")
    parser.add_argument("--ema", type=float, default=0.999, help="decay of the averaged weights, a step")
    parser.add_argument("--weights", type=weight, nargs="+", default=[], help="in place of domains.tsv's: press=12 ...")
    parser.add_argument("--init", type=Path, help="start from the weights of this exported model folder")
    parser.add_argument("--bilingual-init", action="store_true", help="start the embeddings from co-occurrence")
    parser.add_argument("--guide", type=float, default=0.0, help="weight of alignment to a lexicon, on a CPU: 0.3, say")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads, without a GPU")
    parser.add_argument("--save-minutes", type=float, default=5)
    parser.add_argument("--validate-minutes", type=float, default=4)
    parser.add_argument("--valid-lines", type=int, default=300, help="lines of each validation set")
    parser.add_argument("--log-seconds", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    trainer = Trainer(options)
    if (options.out / "checkpoint.pt").exists():
        trainer.resume()
    elif options.init:
        trainer.start_from(options.init)
    elif options.bilingual_init:
        trainer.start_bilingual()
    trainer.run()


if __name__ == "__main__":
    main()

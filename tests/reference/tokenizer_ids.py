"""Writes ids and texts by transformers' MarianTokenizer for every line of FLORES, for tests/tokenizer_real.rs.

Run: python tokenizer_ids.py FOLDER OUT
     TRANSLATE_SHARED=FOLDER TRANSLATE_TOKENIZER_IDS=OUT cargo test --release --test tokenizer_real

FOLDER holds opus-mt-ar-en/ (the tokenizer's files) and data/flores200-{dev,devtest}.{ar,en}. OUT gets one JSON object a
line: {"text", "source", "target", "decoded"} with the ids of the text on either side and the text of the target ids,
decoded as transformers does by default. The nasty texts of tests/fixtures/tokenizer/golden.py follow the lines of
FLORES. The time that encoding takes is printed.
"""

import json
import sys
import time
from pathlib import Path

from transformers import MarianTokenizer

sys.path.insert(0, str(Path(__file__).parents[1] / "fixtures" / "tokenizer"))
from golden import NASTY, random_lines  # noqa: E402


def main() -> None:
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    tokenizer = MarianTokenizer.from_pretrained(folder / "opus-mt-ar-en")
    sets = {
        (split, language): (folder / "data" / f"flores200-{split}.{language}").read_text(encoding="utf-8").splitlines()
        for split in ("dev", "devtest")
        for language in ("ar", "en")
    }
    started = time.perf_counter()
    for line in sets["devtest", "ar"]:
        tokenizer(line)
    print(f"{len(sets['devtest', 'ar']) / (time.perf_counter() - started):.0f} lines a second")
    texts = [line for lines in sets.values() for line in lines]
    with out.open("w", encoding="utf-8") as file:
        for text in [*texts, *NASTY, *random_lines(2000), "ا" * 10000, "والوزير" * 1430]:
            target = tokenizer(text_target=text)["input_ids"]
            decoded = tokenizer.decode(target, skip_special_tokens=True)
            case = {"text": text, "source": tokenizer(text)["input_ids"], "target": target, "decoded": decoded}
            file.write(json.dumps(case) + "\n")


if __name__ == "__main__":
    main()

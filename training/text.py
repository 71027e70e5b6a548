"""Cleaning of Arabic-English text: one normaliser for training and inference, and the filters a pair must pass.

The normaliser is compiled into the SentencePiece models as their own rules (`normaliser_rules`), so that whatever
loads the model cleans its input exactly as the training text was cleaned.
"""

import re
import unicodedata
from functools import lru_cache

# Deleted: tatweel, vowel marks and Koranic signs. Format characters (bidi controls, zero-width, soft hyphen) go too.
_DELETED = {0x0640, 0x0670, *range(0x0610, 0x061B), *range(0x064B, 0x0653), *range(0x06D6, 0x06EE)}
# Quotes are typography, to be restored after translation; digits and their marks are values, alike in both languages.
_MAPPED = {
    **{0x0660 + digit: str(digit) for digit in range(10)},
    **{0x06F0 + digit: str(digit) for digit in range(10)},
    **{ord(char): '"' for char in "«»“”„‟"},
    **{ord(char): "'" for char in "‘’‚‛"},
    ord("٪"): "%", ord("٫"): ".", ord("٬"): ",", ord("ی"): "ي", ord("ک"): "ك",
}  # fmt: skip


@lru_cache(maxsize=None)
def _clean_char(char: str) -> str:
    if char in "\t\n\r" or unicodedata.category(char) in ("Zs", "Zl", "Zp"):
        return " "
    code = ord(char)
    if code in _DELETED or unicodedata.category(char) in ("Cc", "Cf"):
        return ""
    return _MAPPED.get(code, char)


def normalise(text: str) -> str:
    """Clean text, NFKC, single spaces. Presentation forms become letters; Arabic-Indic digits become 0-9."""
    text = unicodedata.normalize("NFKC", "".join(map(_clean_char, text)))
    return " ".join("".join(map(_clean_char, text)).split())


def normaliser_rules() -> list[str]:
    """`normalise` as SentencePiece rules (`hex hex<TAB>hex`), for the Basic Multilingual Plane without CJK and Hangul."""
    rules = {}
    for code in range(1, 0x10000):
        char = chr(code)
        if unicodedata.category(char) in ("Cn", "Cs", "Co") or 0x2E80 <= code <= 0xABFF or 0xD7B0 <= code <= 0xFAFF:
            continue
        parts = unicodedata.normalize("NFD", char)
        if len(parts) == 2 and unicodedata.normalize("NFC", parts) == char:
            rules[parts] = char
        clean = _clean_char(char)
        clean = "".join(map(_clean_char, unicodedata.normalize("NFKC", clean)))
        if clean != char:
            rules[char] = clean
    rules = {source: target for source, target in rules.items() if source != " "}
    return [f"{_hex(source)}\t{_hex(target)}" for source, target in sorted(rules.items())]


def _hex(text: str) -> str:
    return " ".join(f"{ord(char):04X}" for char in text)


_MARKUP = re.compile(
    r"%[sdifu(]|%\d+\$|\$\{|\{\w*\}|\{\{|\}\}|</?\w|/>|&\w+;|&#|https?:|www\.|\w@\w|\\[a-z]|__|\[\[|\]\]|::|[=-]>|==|`"
    r"|\b\w+_\w+|\w\(\)|\b[A-Z]:\\|(?<!\S)--?\w|(?<!\S)[~/.]\w+[/.]|\w\.(?:js|py|md|json|ya?ml|exe|html?|php|xml|cs)\b"
    r"|[|©®™→←•■✓✔#*^~]|(?<!\S)[@$]\w|\b[a-z]+[A-Z]\w*"
)
_NUMBER = re.compile(r"\d+")


def _share(text: str, first: int, last: int) -> float:
    letters = [char for char in text if char.isalpha()]
    return sum(first <= ord(char) <= last for char in letters) / len(letters) if letters else 0.0


def reject(source: str, target: str) -> str | None:
    """Why a normalised Arabic-English pair is unfit for training, or None when it is fit."""
    if len(source) < 2 or len(target) < 2:
        return "empty"
    if max(len(source), len(target)) > 600 or max(len(source.split()), len(target.split())) > 90:
        return "too long"
    ratio = len(target) / len(source)
    if not (0.5 if len(source) > 30 else 0.25) <= ratio <= (2.4 if len(target) > 30 else 5.0):
        return "length ratio"
    if _MARKUP.search(source) or _MARKUP.search(target):
        return "markup"
    if _share(source, 0x0600, 0x06FF) < 0.7 or _share(target, 0x0041, 0x024F) < 0.98:
        return "script"
    if sorted(_NUMBER.findall(source)) != sorted(_NUMBER.findall(target)):
        return "digits"
    return None


def words(text: str) -> list[str]:
    """Lower-case words without punctuation, every number as `0`: the tokens in which overlap is measured."""
    return [_NUMBER.sub("0", word) for word in re.findall(r"\w+", text.lower())]


def ngrams(text: str, order: int) -> set[tuple[str, ...]]:
    """The distinct word n-grams of a text."""
    tokens = words(text)
    return {tuple(tokens[start : start + order]) for start in range(len(tokens) - order + 1)}

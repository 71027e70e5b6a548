"""Lists the words that press English writes in lower case: those of training/press that stand inside sentences with a
capital in at most one case out of five. `translate summarize` turns headlines in Title Case into sentence case by it.

    python training/lower_case.py > src/summarizer/lower_case.txt
"""

import re
from collections import Counter
from pathlib import Path

small, capital = Counter(), Counter()
for path in sorted(Path(__file__).parent.glob("press/*.tsv")):
    if path.name.startswith(("lexicon", "templates")):
        continue
    for line in path.read_text(encoding="utf-8").splitlines():
        english = line.split("\t")[-1]
        if not re.search(r'[.!?”"]$', english):
            continue  # A headline, which may be in Title Case itself.
        before = "."
        for word in re.findall(r"[A-Za-z][A-Za-z'’-]*|[.!?:“\"]", english):
            if before not in '.!?:“"' and len(word) > 2:
                (small if word.islower() else capital)[word.lower()] += 1
            before = word
words = sorted(word for word in small if capital[word] * 4 <= small[word] and re.fullmatch("[a-z]+", word))
print("\n".join(words))

"""Expansion of sentence templates: `{slot}` in an Arabic-English pair becomes matching text on both sides.

A slot is looked up without its trailing digits, so `{city}` and `{city2}` are two draws from the lexicon's `city`.
The lexicon's entries come first; the number-like slots of `BUILT_IN` need no lexicon.
"""

import random
import re
from collections import defaultdict
from pathlib import Path

Pair = tuple[str, str]

_SLOT = re.compile(r"\{([A-Za-z_]+?)(\d*)\}")

# Gregorian months: the names of the Gulf and Egypt, of the Levant and Iraq, of the Maghreb (Tunisia and Algeria, then
# Morocco); English in full and in wire style.
_MONTHS = [
    ("January", "Jan.", "يناير", "كانون الثاني", "جانفي", "يناير"),
    ("February", "Feb.", "فبراير", "شباط", "فيفري", "فبراير"),
    ("March", "March", "مارس", "آذار", "مارس", "مارس"),
    ("April", "April", "أبريل", "نيسان", "أفريل", "أبريل"),
    ("May", "May", "مايو", "أيار", "ماي", "ماي"),
    ("June", "June", "يونيو", "حزيران", "جوان", "يونيو"),
    ("July", "July", "يوليو", "تموز", "جويلية", "يوليوز"),
    ("August", "Aug.", "أغسطس", "آب", "أوت", "غشت"),
    ("September", "Sept.", "سبتمبر", "أيلول", "سبتمبر", "شتنبر"),
    ("October", "Oct.", "أكتوبر", "تشرين الأول", "أكتوبر", "أكتوبر"),
    ("November", "Nov.", "نوفمبر", "تشرين الثاني", "نوفمبر", "نونبر"),
    ("December", "Dec.", "ديسمبر", "كانون الأول", "ديسمبر", "دجنبر"),
]
_WEEKDAYS = [
    ("الأحد", "Sunday"),
    ("الاثنين", "Monday"),
    ("الثلاثاء", "Tuesday"),
    ("الأربعاء", "Wednesday"),
    ("الخميس", "Thursday"),
    ("الجمعة", "Friday"),
    ("السبت", "Saturday"),
]
# Arabic, English, and roughly how many make a dollar, so that amounts come in magnitudes seen in the news.
_DOLLARS = ("دولار", "dollars", 1)
_CURRENCIES = [
    ("ريال سعودي", "Saudi riyals", 4),
    ("ريال", "riyals", 4),
    ("ريال قطري", "Qatari riyals", 4),
    ("ريال عماني", "Omani rials", 0.4),
    ("ريال يمني", "Yemeni rials", 500),
    ("درهم", "dirhams", 4),
    ("درهم إماراتي", "UAE dirhams", 4),
    ("درهم مغربي", "Moroccan dirhams", 10),
    ("دينار", "dinars", 0.7),
    ("دينار كويتي", "Kuwaiti dinars", 0.3),
    ("دينار بحريني", "Bahraini dinars", 0.4),
    ("دينار أردني", "Jordanian dinars", 0.7),
    ("دينار عراقي", "Iraqi dinars", 1300),
    ("دينار جزائري", "Algerian dinars", 130),
    ("دينار تونسي", "Tunisian dinars", 3),
    ("دينار ليبي", "Libyan dinars", 5),
    ("جنيه", "pounds", 50),
    ("جنيه مصري", "Egyptian pounds", 50),
    ("جنيه سوداني", "Sudanese pounds", 600),
    ("ليرة سورية", "Syrian pounds", 12000),
    ("ليرة لبنانية", "Lebanese pounds", 90000),
    ("أوقية", "ouguiyas", 40),
    ("فرنك جيبوتي", "Djiboutian francs", 180),
    ("دولار أمريكي", "U.S. dollars", 1),
    ("يورو", "euros", 1),
]
_SCALES = [
    (10**12, "تريليون", "تريليونات", " trillion"),
    (10**9, "مليار", "مليارات", " billion"),
    (10**6, "مليون", "ملايين", " million"),
    (10**3, "ألف", "آلاف", ",000"),
]


def _day(rng: random.Random) -> Pair:
    return (day := str(rng.randint(1, 28)), day)


def _year(rng: random.Random) -> Pair:
    return (year := str(rng.randint(2005, 2040)), year)


def _month(rng: random.Random) -> tuple[str, str, str]:
    full, short, *arabic = rng.choice(_MONTHS)
    eastern = f"{arabic[1]}/{arabic[0]}" if rng.random() < 0.3 else arabic[1]
    return rng.choices([arabic[0], eastern, arabic[2], arabic[3]], [5, 3, 1, 1])[0], full, short


def _month_name(rng: random.Random) -> Pair:
    return _month(rng)[:2]


def _day_month(rng: random.Random) -> Pair:
    day, (arabic, _, short) = _day(rng)[0], _month(rng)
    return f"{day} {arabic}", f"{short} {day}"


def _date(rng: random.Random) -> Pair:
    (arabic, english), (year, _) = _day_month(rng), _year(rng)
    return f"{arabic} {year}", f"{english}, {year}"


def _month_year(rng: random.Random) -> Pair:
    (arabic, english, _), (year, _) = _month(rng), _year(rng)
    return f"{arabic} {year}", f"{english} {year}"


def _weekday(rng: random.Random) -> Pair:
    return rng.choice(_WEEKDAYS)


def _few(rng: random.Random) -> Pair:
    return (number := str(rng.randint(3, 10)), number)


def _number(rng: random.Random) -> Pair:
    # From 11 to 99 a noun stays singular; round hundreds and thousands keep it so ("300 طالب").
    kind = rng.random()
    if kind < 0.4:
        value = rng.randint(11, 99)
    elif kind < 0.7:
        value = rng.randint(2, 99) * 100
    else:
        value = rng.randint(11, 999) * 1000 + rng.choice([0, 0, 500, rng.randint(11, 99)])
    return f"{value:,}" if rng.random() < 0.7 else str(value), f"{value:,}"


def _decimal(rng: random.Random, most: int = 99) -> str:
    whole = rng.randint(1, most)
    return str(whole) if rng.random() < 0.5 else f"{whole}.{rng.randint(1, 9)}"


def _percent(rng: random.Random) -> Pair:
    # Mostly below 10, as rates and changes are; a few below 1 or above 100.
    kind, less, more = rng.random(), f"0.{rng.randint(1, 9)}", str(rng.randint(10, 45) * 10)
    value = less if kind < 0.08 else _decimal(rng, 9) if kind < 0.5 else _decimal(rng) if kind < 0.96 else more
    return rng.choice([f"{value}%", f"%{value}", f"{value} في المئة", f"{value} بالمئة", f"{value} في المائة"]), f"{value}%"


def _amount(rng: random.Random) -> Pair:
    currency, english, rate = _DOLLARS if rng.random() < 0.2 else rng.choice(_CURRENCIES)
    value = min(rate * 10 ** rng.triangular(4.6, 10.7, 7.7), 9e14)
    value = float(f"{value:.{rng.choice([0, 1, 1, 2])}e}")  # one to three significant digits
    unit, scale, plural, english_scale = next(row for row in _SCALES if value >= row[0] or row == _SCALES[-1])
    digits = f"{max(11, value // unit) if unit == 1000 else value / unit:.3g}"
    digits = "2.5" if digits == "2" else digits  # the dual depends on the case
    arabic = f"{digits} {plural if digits in map(str, range(3, 11)) else scale}" if digits != "1" else scale
    number = digits + english_scale
    return f"{arabic} {currency}", f"${number}" if english == "dollars" else f"{number} {english}"


def _time(rng: random.Random) -> Pair:
    hour, minute = rng.randint(1, 11), rng.choice(["", ":15", ":30", ":45"])
    arabic, english = rng.choice([("صباحا", "a.m."), ("مساء", "p.m.")])
    return f"{hour}{minute} {arabic}", f"{hour}{minute} {english}"


BUILT_IN = {
    "amount": _amount, "money": _amount, "date": _date, "day": _day, "daymonth": _day_month, "day_month": _day_month,
    "decimal": lambda rng: (value := _decimal(rng), value), "few": _few, "small": _few, "month": _month_name,
    "monthyear": _month_year, "month_year": _month_year, "num": _number, "number": _number, "n": _number,
    "pct": _percent, "percent": _percent, "time": _time, "weekday": _weekday, "year": _year,
}  # fmt: skip


def read_pairs(path: Path, columns: int) -> list[tuple[str, ...]]:
    """The tab-separated rows of a file, blank lines left out; a row with other than `columns` cells is an error."""
    rows = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        cells = tuple(cell.strip() for cell in line.split("\t"))
        if cells == ("",):
            continue
        if len(cells) != columns or not all(cells):
            raise SystemExit(f"{path}, line {number}: {columns} tab-separated cells are needed; mend the line")
        rows.append(cells)
    return rows


def read_lexicon(paths: list[Path]) -> dict[str, list[Pair]]:
    """Slot name to its Arabic-English entries, from `slot<TAB>ar<TAB>en` files."""
    lexicon = defaultdict(list)
    for path in paths:
        for slot, arabic, english in read_pairs(path, 3):
            lexicon[slot].append((arabic, english))
    return lexicon


def expand(template: Pair, lexicon: dict[str, list[Pair]], rng: random.Random, most: int) -> list[Pair]:
    """At most `most` distinct fillings of a template; fewer for one with few slots. Unknown slots raise `KeyError`."""
    slots = list(dict.fromkeys(_SLOT.findall(template[0] + template[1])))
    variety = 1
    for name, _ in slots:
        if name not in lexicon and name not in BUILT_IN:
            raise KeyError(name)
        variety *= len(lexicon[name]) if name in lexicon else 30
    filled = {}
    for _ in range(min(most, 2 * variety)):
        values = _draw(slots, lexicon, rng)
        pair = tuple(_SLOT.sub(lambda slot: values[slot.groups()][side], template[side]) for side in (0, 1))
        filled[pair[0]] = (pair[0], pair[1][:1].upper() + pair[1][1:])
    return list(filled.values())


def _draw(slots: list[Pair], lexicon: dict[str, list[Pair]], rng: random.Random) -> dict[Pair, Pair]:
    """One value a slot; two slots of one name get two values where the lexicon has them."""
    values, used = {}, set()
    for slot in slots:
        for _ in range(20):
            value = rng.choice(lexicon[slot[0]]) if slot[0] in lexicon else BUILT_IN[slot[0]](rng)
            if value not in used:
                break
        used.add(value)
        values[slot] = value
    return values

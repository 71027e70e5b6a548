//! Numbers, percentages, months and weekdays in Arabic and English text, so that those of a translation or headline can be
//! looked for in its source.

use std::cmp::Ordering;
use std::ops::Range;

use crate::release::{month, weekday};
use crate::text::{digit, fold};

/// Something that a translation must not change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figure {
    pub(crate) value: Value,
    /// What the same words may say too: `بين 3 و5 في المئة` has 3 per cent, `19:00` is 7 p.m.
    pub(crate) others: Vec<Value>,
    /// Whether it is written in words.
    pub(crate) is_spelt: bool,
    /// Bytes of the text, the unit (`million`, `%`) included.
    pub(crate) range: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(crate) enum Value {
    /// In units: 1.2 million is 1,200,000.
    Number(f64),
    Percent(f64),
    /// 1 to 12, of either calendar.
    Month(u8),
    /// 0 to 6, from Saturday.
    Weekday(u8),
}

impl Figure {
    /// Whether `source` says it, in whatever form.
    pub(crate) fn is_said_by(&self, source: &Self) -> bool {
        self.values().any(|value| source.values().any(|said| value.is_said_by(said)))
    }

    /// All that its words may say.
    fn values(&self) -> impl Iterator<Item = Value> {
        std::iter::once(self.value).chain(self.others.iter().copied())
    }
}

impl Value {
    fn is_said_by(self, source: Self) -> bool {
        match (self, source) {
            (Self::Number(a), Self::Number(b)) | (Self::Percent(a), Self::Percent(b)) => (a - b).abs() <= slack(a),
            (Self::Month(a), Self::Month(b)) | (Self::Weekday(a), Self::Weekday(b)) => a == b,
            // `13/6/2026` says June.
            (Self::Month(a), Self::Number(b)) => f64::from(a) == b,
            _ => false,
        }
    }

    /// What it is looked up by: no value is said by one with another number.
    fn number(self) -> f64 {
        match self {
            Self::Number(number) | Self::Percent(number) => number,
            Self::Month(number) | Self::Weekday(number) => number.into(),
        }
    }
}

/// How far from `number` one may be that counts as equal.
fn slack(number: f64) -> f64 {
    1e-9 * number.abs().max(1.0)
}

/// What a text's sources say, to be looked up: a line of 10 MB has more figures than can be compared in pairs.
pub(crate) struct Said {
    /// By their numbers, in rising order, each once.
    values: Vec<Value>,
    has_dual: bool,
}

impl Said {
    /// By `sources`, which have `figures`.
    pub(crate) fn by(figures: &[Figure], sources: &[&str]) -> Self {
        let mut values: Vec<Value> = figures.iter().flat_map(Figure::values).collect();
        values.sort_unstable_by(|a, b| {
            let kinds = || a.partial_cmp(b).unwrap_or(Ordering::Equal);
            a.number().total_cmp(&b.number()).then_with(kinds)
        });
        values.dedup();
        let has_dual = sources.iter().any(|source| source.split_whitespace().any(may_be_dual));
        Self { values, has_dual }
    }

    fn says(&self, value: Value) -> bool {
        let (number, slack) = (value.number(), slack(value.number()));
        let from = self.values.partition_point(|said| said.number() < number - slack);
        let near = self.values.iter().skip(from).take_while(|said| said.number() <= number + slack);
        near.copied().any(|said| value.is_said_by(said))
    }
}

/// Those of `figures` that were not said.
///
/// One and two in words, a plain 1 and a nought are not looked for: English has them where Arabic has a form of the noun, or
/// a word (`بهدفين نظيفين` is 2-0); and 2 is said by a dual.
pub(crate) fn unsupported<'a>(figures: &'a [Figure], said: &Said) -> Vec<&'a Figure> {
    let is_supported = |figure: &&Figure| match figure.value {
        Value::Number(0.0 | 1.0) => true,
        Value::Number(number) if figure.is_spelt && number <= 2.0 => true,
        Value::Number(2.0) if said.has_dual => true,
        _ => figure.values().any(|value| said.says(value)),
    };
    figures.iter().filter(|figure| !is_supported(figure)).collect()
}

/// Whether `word` ends as Arabic duals do (and many plurals).
fn may_be_dual(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphabetic());
    word.chars().count() > 3 && (word.ends_with("ان") || word.ends_with("ين"))
}

/// The figures of `text`, in order.
pub(crate) fn figures(text: &str) -> Vec<Figure> {
    let words = split(text);
    let mut figures = Vec::new();
    let mut at = 0;
    while let Some(rest) = words.get(at..).filter(|rest| !rest.is_empty()) {
        let found = number_at(text, rest).or_else(|| month_name(rest)).or_else(|| weekday_name(rest));
        match found {
            Some((value, taken)) => {
                let last = rest.get(taken - 1).or(rest.first());
                let range = rest.first().map_or(0, |word| word.range.start)..last.map_or(0, |word| word.range.end);
                let is_spelt = rest.first().is_some_and(|first| first.digits().is_none());
                figures.push(Figure { value, others: others(text, value, rest, taken), is_spelt, range });
                at += taken;
            }
            None => at += 1,
        }
    }
    figures
}

/// A run of letters, a number in digits, or a sign.
struct Word {
    /// Letters folded, their first capital remembered.
    text: String,
    is_capital: bool,
    range: Range<usize>,
}

impl Word {
    fn digits(&self) -> Option<f64> {
        self.text.starts_with(|c: char| c.is_ascii_digit()).then(|| self.text.parse().ok())?
    }
}

/// Words and numbers of `text`; a number's separators are resolved, so that its text is one that Rust parses.
fn split(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(c) = rest.chars().next() else { break };
        let (length, word) = if digit(c).is_some() {
            let length = number_length(rest);
            (length, Some(european(rest.get(..length).unwrap_or_default())))
        } else if is_letter(c) {
            let length = rest.find(|c| !is_letter(c)).unwrap_or(rest.len());
            (length, rest.get(..length).map(fold))
        } else {
            (c.len_utf8(), (!c.is_whitespace()).then(|| c.to_string()))
        };
        if let Some(text) = word {
            words.push(Word { text, is_capital: c.is_uppercase(), range: at..at + length });
        }
        at += length;
    }
    words
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '\u{0640}' | '\u{064B}'..='\u{065F}' | '\u{0670}')
}

/// The length of digits and the separators between them at the beginning of `text`.
fn number_length(text: &str) -> usize {
    let mut end = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next_is_digit = chars.peek().is_some_and(|(_, next)| digit(*next).is_some());
        if digit(c).is_none() && !(matches!(c, '.' | ',' | '٫' | '٬' | '،') && next_is_digit) {
            break;
        }
        end = at + c.len_utf8();
    }
    end
}

/// A number in digits of any kind as Rust writes it. Commas before groups of three are of thousands, and so are full
/// stops if there are several; a single one is of decimals.
fn european(number: &str) -> String {
    let separators = |wanted: &[char]| number.chars().filter(|c| wanted.contains(c)).count();
    let groups = number.split([',', '٬', '،']).skip(1);
    let are_thousands = groups.clone().all(|group| group.chars().take_while(|c| digit(*c).is_some()).count() == 3);
    let dots = separators(&['.', '٫']);
    number
        .chars()
        .filter_map(|c| match c {
            '.' | '٫' => (dots == 1).then_some('.'),
            ',' | '٬' | '،' => (!are_thousands && dots == 0).then_some('.'),
            c => digit(c).and_then(|value| char::from_digit(u32::from(value), 10)),
        })
        .collect()
}

/// A number at the beginning of `words`, in digits or spelt, with the unit behind it.
fn number_at(text: &str, words: &[Word]) -> Option<(Value, usize)> {
    let first = words.first()?;
    let (mut value, mut taken) = match first.digits() {
        Some(value) => (value, 1),
        None => spelt(words)?,
    };
    if first.digits().is_some() {
        // `14th`, and the letters of `5G` or `2024م`, are no units.
        if let Some(scale) = words.get(taken).and_then(scale_word) {
            value *= scale;
            taken += 1;
        }
    }
    let rest = words.get(taken..).unwrap_or_default();
    let percent = percent_sign(rest).or_else(|| {
        let before = text.get(..first.range.start)?.trim_end().chars().next_back()?;
        matches!(before, '%' | '٪').then_some(0)
    });
    match percent {
        Some(more) => Some((Value::Percent(value), taken + more)),
        None => Some((Value::Number(value), taken)),
    }
}

/// What the first `taken` of `words`, which say `value`, may say too, with what stands behind them.
fn others(text: &str, value: Value, words: &[Word], taken: usize) -> Vec<Value> {
    let Value::Number(number) = value else { return Vec::new() };
    let mut others = Vec::new();
    let first = words.first().map_or("", |word| word.text.as_str());
    let last = taken.checked_sub(1).and_then(|last| words.get(last));
    let unit = last.and_then(|last| scale(without_particles(&last.text))).unwrap_or(1.0);
    let next = words.get(taken..).unwrap_or_default();
    let word = |at: usize| next.get(at).map_or("", |word| word.text.as_str());
    // `مليونا` is an accusative or a dual.
    others.extend(scale(first).filter(|_| first.ends_with('ا')).map(|scale| 2.0 * scale));
    // `ثلاثة أمتار ونصف المتر`, `مليون ونصف المليون`.
    if (0..3).any(|at| word(at) == "ونصف") {
        others.push(number + unit / 2.0);
    }
    // `السابعة والنصف`.
    others.extend(match word(0) {
        "والنصف" => Some(30.0),
        "والربع" => Some(15.0),
        _ => None,
    });
    // `the 100m final` is of meters.
    if matches!(last.map_or("", |word| word.text.as_str()), "m" | "b") && taken > 1 {
        others.extend(words.first().and_then(Word::digits));
    }
    // `نصف مليون`, `ثلث المليار`: the scale itself was taken for the number.
    let before = text.get(..words.first().map_or(0, |word| word.range.start)).unwrap_or_default();
    if let Some(part) = before.split_whitespace().next_back().and_then(fraction) {
        others.push(number * part);
    }
    // `ربع مليون`, taken for four of them.
    if let Some(part) = fraction(first) {
        others.extend([unit * part, unit]);
    }
    // `15 000 درهم`.
    let thousands = || next.iter().map_while(|word| (word.text.len() == 3).then(|| word.digits())?);
    if taken == 1 && number < 1000.0 && number.fract() == 0.0 {
        others.extend(thousands().scan(number, |sum, group| {
            *sum = *sum * 1000.0 + group;
            Some(*sum)
        }));
    }
    // `سبعينيات القرن الماضي`.
    if first.ends_with("ينيات") && number < 100.0 {
        others.extend([1900.0 + number, 2000.0 + number]);
    }
    let digits = next.get(1).and_then(Word::digits);
    // The 24 hours of a clock.
    if let (":", Some(minutes)) = (word(0), digits) {
        others.extend([number - 12.0, (number + 12.0) % 24.0, 100.0 * number + minutes]);
    }
    let mut others: Vec<Value> = others.into_iter().map(Value::Number).collect();
    // `مليون و400 ألف` is one number, `3.1 و3.3 مليارات` has one unit, and so has `3% to 5%`.
    if matches!(word(0), "و" | "and" | "to" | "-" | "–" | "الي")
        && let Some((second, more)) = digits.and_then(|_| number_at(text, next.get(1..)?))
    {
        let unit = next.get(more).and_then(scale_word).unwrap_or(1.0);
        others.push(match second {
            Value::Percent(_) => Value::Percent(number),
            _ => Value::Number(number * unit),
        });
        if let Value::Number(second) = second {
            others.push(Value::Number(number + second));
        }
    }
    others
}

/// The part of a whole that a word stands for before a unit.
fn fraction(word: &str) -> Option<f64> {
    match word.trim_start_matches(['و', 'ب', 'ل', 'ك', 'ف']) {
        "نصف" => Some(0.5),
        "ثلث" => Some(1.0 / 3.0),
        "ربع" => Some(0.25),
        _ => None,
    }
}

/// How many of `words` say "per cent".
fn percent_sign(words: &[Word]) -> Option<usize> {
    let word = |at: usize| words.get(at).map_or("", |word| word.text.as_str());
    match (word(0), word(1)) {
        ("%" | "٪" | "percent" | "pct" | "بالمئه" | "بالمائه" | "بالميه", _) => Some(1),
        ("per", "cent") | ("في", "المئه" | "المائه" | "الميه") => Some(2),
        _ => None,
    }
}

/// The factor that a word after a number stands for.
fn scale_word(word: &Word) -> Option<f64> {
    scale(&word.text)
}

fn scale(word: &str) -> Option<f64> {
    let value = match word {
        "الف" | "الاف" | "الفا" | "thousand" => 1e3,
        "الفي" | "الفين" | "الفان" => 2e3,
        "مليون" | "ملايين" | "مليونا" | "million" | "m" => 1e6,
        "مليوني" | "مليونين" | "مليونان" => 2e6,
        "مليار" | "مليارات" | "مليارا" | "بليون" | "بلايين" | "billion" | "bn" | "b" => {
            1e9
        }
        "ملياري" | "مليارين" | "ملياران" => 2e9,
        "تريليون" | "تريليونات" | "تريليونا" | "trillion" => 1e12,
        _ => return None,
    };
    Some(value)
}

/// A number in words: `خمسة وعشرون ألف`, `two hundred and fifty million`.
fn spelt(words: &[Word]) -> Option<(f64, usize)> {
    let (mut total, mut group, mut taken, mut figures) = (0.0, 0.0, 0, 0);
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let text = word.text.as_str();
        // `-` and `and` join the parts of an English number, و those of an Arabic one.
        if at > 0 && at == taken && matches!(text, "-" | "and") {
            at += 1;
            continue;
        }
        let bare = if at > 0 { text.strip_prefix('و').unwrap_or(text) } else { text };
        let bare = if cardinal(bare).is_some() || scale(bare).is_some() { bare } else { without_particles(bare) };
        // Sunday and Monday, and nothing of eleven or two.
        if matches!(text, "الاحد" | "الاثنين") {
            break;
        }
        match (cardinal(bare), scale(bare), bare) {
            (Some(100.0), ..) if group > 0.0 && group < 10.0 => group *= 100.0,
            (Some(value), ..) if fits(group, value) => group += value,
            (_, Some(scale), _) if group > 0.0 || at == 0 && !matches!(bare, "m" | "b" | "bn") => {
                total += f64::max(group, 1.0) * scale;
                group = 0.0;
            }
            _ => break,
        }
        figures += 1;
        at += 1;
        taken = at;
    }
    (figures > 0).then_some((total + group, taken))
}

/// Whether `value` may be added to the parts of a number below a thousand that make `group` so far: hundreds, then tens
/// and units in either order.
fn fits(group: f64, value: f64) -> bool {
    let (units, tens) = (group % 10.0, group % 100.0 - group % 10.0);
    match value {
        _ if group == 0.0 => true,
        10.0 => tens == 0.0 && units > 0.0,
        _ if value >= 100.0 => false,
        _ if value >= 20.0 => tens == 0.0,
        _ if value > 10.0 => tens == 0.0 && units == 0.0,
        _ => units == 0.0 && tens != 10.0,
    }
}

fn without_particles(word: &str) -> &str {
    let prefixes = ["وال", "فال", "بال", "لل", "ال", "و", "ف", "ب", "ل", "ك"];
    let known = |stem: &&str| cardinal(stem).is_some() || scale(stem).is_some();
    prefixes.iter().filter_map(|prefix| word.strip_prefix(prefix)).find(known).unwrap_or(word)
}

/// The value below a thousand of one word; ordinals count as their number.
fn cardinal(word: &str) -> Option<f64> {
    // The accusative of a number by itself: `خمسا وعشرين`.
    let word = word.strip_suffix('ا').filter(|word| word.ends_with(['ث', 'ع', 'س', 'ت', 'ر'])).unwrap_or(word);
    let value = match word {
        "one" | "اول" | "اولي" | "فاتح" | "واحد" | "واحده" | "احد" | "احدي" | "حادي" | "حاديه" => {
            1
        }
        "two" | "اثنا" | "اثنتا" | "اثني" | "اثنتي" | "اثنان" | "اثنين" | "اثنتان" | "اثنتين" | "ثاني" | "ثانيه" => {
            2
        }
        "three" | "third" | "ثلاث" | "ثلاثه" | "ثالث" | "ثالثه" | "ثلث" | "ثلثي" | "ثلثه" | "ثلثها" | "ثلاثي"
        | "ثلاثيه" => 3,
        "four" | "fourth" | "اربع" | "اربعه" | "رابع" | "رابعه" | "ربع" | "رباعي" | "رباعيه" => {
            4
        }
        "five" | "fifth" | "خمس" | "خمسه" | "خامس" | "خامسه" | "خماسي" | "خماسيه" | "خمسيه" => {
            5
        }
        "six" | "sixth" | "ست" | "سته" | "سادس" | "سادسه" | "سدس" | "سداسي" | "سداسيه" => 6,
        "seven" | "seventh" | "سبع" | "سبعه" | "سابع" | "سابعه" => 7,
        "eight" | "eighth" | "ثمان" | "ثماني" | "ثمانيه" | "ثامن" | "ثامنه" => 8,
        "nine" | "ninth" | "تسع" | "تسعه" | "تاسع" | "تاسعه" => 9,
        "ten" | "tenth" | "عشر" | "عشره" | "عاشر" | "عاشره" => 10,
        "eleven" | "eleventh" => 11,
        "twelve" | "twelfth" => 12,
        "thirteen" => 13,
        "fourteen" => 14,
        "fifteen" => 15,
        "sixteen" => 16,
        "seventeen" => 17,
        "eighteen" => 18,
        "nineteen" => 19,
        "twenty" | "عشرون" | "عشرين" | "عشرينيات" => 20,
        "thirty" | "ثلاثون" | "ثلاثين" | "ثلاثينيات" => 30,
        "forty" | "اربعون" | "اربعين" | "اربعينيات" => 40,
        "fifty" | "خمسون" | "خمسين" | "خمسينيات" => 50,
        "sixty" | "ستون" | "ستين" | "ستينيات" => 60,
        "seventy" | "سبعون" | "سبعين" | "سبعينيات" => 70,
        "eighty" | "ثمانون" | "ثمانين" | "ثمانينيات" => 80,
        "ninety" | "تسعون" | "تسعين" | "تسعينيات" => 90,
        "hundred" | "مئه" | "مائه" | "ميه" | "مئات" => 100,
        "مئتان" | "مئتين" | "مئتي" | "مائتان" | "مائتين" | "مائتي" => 200,
        "ثلاثمئه" | "ثلاثمائه" => 300,
        "اربعمئه" | "اربعمائه" => 400,
        "خمسمئه" | "خمسمائه" => 500,
        "ستمئه" | "ستمائه" => 600,
        "سبعمئه" | "سبعمائه" => 700,
        "ثمانمئه" | "ثمانمائه" | "ثمانيمئه" => 800,
        "تسعمئه" | "تسعمائه" => 900,
        _ => return None,
    };
    Some(f64::from(value))
}

/// A month's name. English ones are months only with a capital, and those that are other words or names too only
/// before a number.
fn month_name(words: &[Word]) -> Option<(Value, usize)> {
    let first = words.first()?;
    let is_latin = first.text.is_ascii();
    if is_latin && (!first.is_capital || first.text.len() < 3) {
        return None;
    }
    let is_verb_too = matches!(first.text.as_str(), "may" | "march" | "mar" | "jan");
    let next_is_number = words.iter().skip(1).find(|word| word.text != ".").is_some_and(|word| word.digits().is_some());
    if is_verb_too && !next_is_number {
        return None;
    }
    let name = first.text.strip_prefix('و').filter(|bare| month(bare).is_some()).unwrap_or(&first.text);
    let pair = words.get(1).and_then(|second| month(&format!("{name} {}", second.text))).map(|found| (found, 2));
    let ((month, _), taken) = pair.or_else(|| month(name).map(|found| (found, 1)))?;
    Some((Value::Month(month), taken))
}

fn weekday_name(words: &[Word]) -> Option<(Value, usize)> {
    let first = words.first()?;
    let is_name = !first.text.is_ascii() || first.is_capital;
    // `كل خميس` has no article, `والخميس` more than it.
    let spellings = [first.text.clone(), format!("ال{}", first.text), first.text.replacen('و', "", 1)];
    spellings.iter().find_map(|name| weekday(name)).filter(|_| is_name).map(|day| (Value::Weekday(day), 1))
}

#[cfg(test)]
mod tests {
    use super::Value::*;
    use super::*;

    fn values(text: &str) -> Vec<Value> {
        figures(text).into_iter().map(|figure| figure.value).collect()
    }

    #[test]
    fn both_languages_say_the_same() {
        let pairs = [
            ("بكلفة 1.2 مليار درهم", "at a cost of 1.2 billion dirhams", vec![Number(1.2e9)]),
            ("أكثر من 2,400 فرصة", "more than 2,400 jobs", vec![Number(2400.0)]),
            ("١١٫٣ مليون مشترك", "11.3 million subscribers", vec![Number(11.3e6)]),
            ("٨٥٠ ألف حاوية", "850,000 containers", vec![Number(850e3)]),
            ("بنسبة 35%", "by 35 percent", vec![Percent(35.0)]),
            ("بنسبة ٣٥٪", "by 35 per cent", vec![Percent(35.0)]),
            ("52 في المائة و5 بالمئة", "52% and 5%", vec![Percent(52.0), Percent(5.0)]),
            ("خمسة وعشرون عاما", "twenty-five years", vec![Number(25.0)]),
            ("ثلاثة عشر لاعبا", "thirteen players", vec![Number(13.0)]),
            ("مئة وخمسين ألف نازح", "one hundred and fifty thousand displaced", vec![Number(150e3)]),
            ("ثماني رافعات", "eight cranes", vec![Number(8.0)]),
            ("للمرة الرابعة", "for the fourth time", vec![Number(4.0)]),
            ("في 5 آذار/مارس", "on March 5", vec![Number(5.0), Month(3), Month(3)]),
            ("14 تشرين الأول 2026", "14 October 2026", vec![Number(14.0), Month(10), Number(2026.0)]),
            ("يوم الأحد المقبل", "next Sunday", vec![Weekday(1)]),
        ];
        for (arabic, english, expected) in pairs {
            assert_eq!(values(arabic), expected, "{arabic}");
            let said = |figure: &Value| expected.iter().any(|source| figure.is_said_by(*source));
            assert!(
                values(english).iter().all(said) && !values(english).is_empty(),
                "{english}: {:?}",
                values(english)
            );
        }
    }

    #[test]
    fn words_may_say_more_than_one_thing() {
        let pairs = [
            ("مليوناً و400 ألف بطاقة", "1.4 million cards"),
            ("مليونا فتاة", "2 million girls"),
            ("ملياري ليرة", "2 billion pounds"),
            ("ثلاثة أمتار ونصف المتر", "3.5 meters"),
            ("مليار ونصف المليار", "1.5 billion"),
            ("بين 3 و5 في المائة", "between 3% and 5%"),
            ("بين 3% و5%", "between 3 and 5 percent"),
            ("بين 3.1 و3.3 مليارات", "between 3.1 billion and 3.3 billion"),
            ("الساعة 19:00", "at 7"),
            ("الساعة 14:30", "at 1430 GMT"),
            ("السابعة والنصف من مساء الاثنين", "7:30 p.m. Monday"),
            ("سبعينيات القرن", "the 1970s"),
            ("خمساً وعشرين سنة", "25 years"),
            ("في الأول من ديسمبر", "on Dec. 1"),
            ("ثلث الطلبة", "a third of students"),
            ("يومي الأربعاء والخميس", "Wednesday and Thursday"),
            ("نصف مليون دولار", "$500,000"),
            ("ربع مليون نسمة", "a quarter of a million people, or 250,000"),
            ("سباق 100 متر", "the 100m final"),
            ("15 000 درهم", "15,000 dirhams"),
            ("1 250 000 نسمة", "1,250,000 people"),
            ("مئات المتظاهرين", "several hundred protesters"),
            ("قال يان", "said Jan Egeland"),
        ];
        for (arabic, english) in pairs {
            let source = figures(arabic);
            let said = |figure: &Figure| source.iter().any(|source| figure.is_said_by(source));
            assert!(figures(english).iter().all(said), "{english}: {:?} in {source:?}", figures(english));
        }
    }

    #[test]
    fn other_figures_are_told_apart() {
        assert!(!Number(1.2e6).is_said_by(Number(1.2e9)));
        assert!(!Percent(35.0).is_said_by(Number(35.0)));
        assert_eq!(values("some of them may march on"), []);
        assert_eq!(values("الأحد العاشر"), [Weekday(1), Number(10.0)]);
        assert_eq!(values("2:11.60, 6-6, 1.250.000"), [2.0, 11.6, 6.0, 6.0, 1.25e6].map(Number));
        assert_eq!(values("الساعة 15،30"), [Number(15.3)]);
    }

    #[test]
    fn ranges_name_the_text() {
        let text = "بقيمة 27.5 مليون دولار";
        assert_eq!(figures(text).into_iter().map(|figure| &text[figure.range]).collect::<Vec<_>>(), ["27.5 مليون"]);
    }
}

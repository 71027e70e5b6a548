//! Days as releases write them: by the month names of the Gulf and Egypt, the Levant and the Maghreb, in numbers, in
//! the Hijri calendar, and in English.

use super::tokens::{Token, tokens};
use crate::text::fold;

/// A day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// Day of the month, 1 to 31.
    pub day: u8,
    /// Month, 1 to 12.
    pub month: u8,
    /// Year, where it is stated.
    pub year: Option<u16>,
    /// The calendar that the month belongs to.
    pub calendar: Calendar,
}

/// The calendar of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calendar {
    /// The world's.
    Gregorian,
    /// The lunar one of Islam; its days are given as they stand, never converted.
    Hijri,
}

/// The spellings of each month, folded; two words are one month where they stand together.
const GREGORIAN: [&[&str]; 12] = [
    &["يناير", "كانون الثاني", "جانفي", "january", "jan"],
    &["فبراير", "شباط", "فيفري", "february", "feb"],
    &["مارس", "اذار", "march", "mar"],
    &["ابريل", "نيسان", "افريل", "april", "apr"],
    &["مايو", "ايار", "ماي", "may"],
    &["يونيو", "يونيه", "حزيران", "جوان", "june", "jun"],
    &["يوليو", "يوليه", "تموز", "جويليه", "يوليوز", "july", "jul"],
    &["اغسطس", "اب", "اوت", "غشت", "august", "aug"],
    &["سبتمبر", "ايلول", "شتنبر", "september", "sept", "sep"],
    &["اكتوبر", "تشرين الاول", "october", "oct"],
    &["نوفمبر", "تشرين الثاني", "نونبر", "november", "nov"],
    &["ديسمبر", "كانون الاول", "دجنبر", "december", "dec"],
];

const HIJRI: [&[&str]; 12] = [
    &["محرم", "المحرم", "muharram"],
    &["صفر", "safar"],
    &["ربيع الاول", "ربيع اول"],
    &["ربيع الاخر", "ربيع الثاني", "ربيع ثاني"],
    &["جمادي الاولي", "جمادي الاول"],
    &["جمادي الاخره", "جمادي الاخري", "جمادي الثانيه", "جمادي الثاني"],
    &["رجب", "rajab"],
    &["شعبان"],
    &["رمضان", "ramadan"],
    &["شوال", "shawwal"],
    &["ذو القعده", "ذي القعده", "القعده"],
    &["ذو الحجه", "ذي الحجه", "الحجه"],
];

/// Names in English, as AP abbreviates them beside a day.
const AP_MONTHS: [&str; 12] =
    ["Jan.", "Feb.", "March", "April", "May", "June", "July", "Aug.", "Sept.", "Oct.", "Nov.", "Dec."];

const HIJRI_MONTHS: [&str; 12] = [
    "Muharram",
    "Safar",
    "Rabi al-Awwal",
    "Rabi al-Thani",
    "Jumada al-Ula",
    "Jumada al-Akhira",
    "Rajab",
    "Shaaban",
    "Ramadan",
    "Shawwal",
    "Dhu al-Qadah",
    "Dhu al-Hijjah",
];

/// The spellings of each day of the week, folded, from Saturday.
const WEEKDAYS: [&[&str]; 7] = [
    &["السبت", "saturday"],
    &["الاحد", "sunday"],
    &["الاثنين", "monday"],
    &["الثلاثاء", "tuesday"],
    &["الاربعاء", "wednesday"],
    &["الخميس", "thursday"],
    &["الجمعه", "friday"],
];

impl Date {
    /// `2024-02-12`, of a Gregorian date with its year.
    pub fn iso(&self) -> Option<String> {
        let year = self.year.filter(|_| self.calendar == Calendar::Gregorian)?;
        Some(format!("{year:04}-{:02}-{:02}", self.month, self.day))
    }

    /// As English copy has it: `Feb. 12, 2024`, `March 5`; Hijri dates as `7 Jumada al-Ula 1446 H`.
    pub fn english(&self) -> String {
        let months = match self.calendar {
            Calendar::Gregorian => AP_MONTHS,
            Calendar::Hijri => HIJRI_MONTHS,
        };
        let month = months.get(usize::from(self.month).wrapping_sub(1)).copied().unwrap_or_default();
        match (self.calendar, self.year) {
            (Calendar::Gregorian, Some(year)) => format!("{month} {}, {year}", self.day),
            (Calendar::Gregorian, None) => format!("{month} {}", self.day),
            (Calendar::Hijri, Some(year)) => format!("{} {month} {year} H", self.day),
            (Calendar::Hijri, None) => format!("{} {month}", self.day),
        }
    }

    /// The date that `text` consists of, a weekday and a label such as `التاريخ:` apart.
    pub fn parse(text: &str) -> Option<Self> {
        const LABELS: [&str; 8] = ["التاريخ", "تاريخ", "بتاريخ", "النشر", "البيان", "يوم", "date", "released"];
        let tokens = tokens(text, 24);
        let is_label = |token: &Token| {
            token.word().is_some_and(|word| LABELS.contains(&word) || is_weekday(word))
                || token.is_mark(&[':', ',', '،', '-', '('])
        };
        let begin = tokens.iter().position(|token| !is_label(token))?;
        let tokens = tokens.get(begin..)?;
        let (date, taken) = date(tokens)?;
        let rest = tokens.get(taken..)?;
        rest.iter().all(|token| token.is_mark(&['.', ')', '،', ','])).then_some(date)
    }
}

/// The day of the week that `name` names, in Arabic or English: 0 for Saturday to 6 for Friday.
pub fn weekday(name: &str) -> Option<u8> {
    let name = fold(name);
    WEEKDAYS.iter().zip(0..).find(|(names, _)| names.contains(&name.as_str())).map(|(_, day)| day)
}

pub(super) fn is_weekday(word: &str) -> bool {
    weekday(word).is_some()
}

/// The month (1 to 12) and the calendar that `name` names, in Arabic or English.
pub fn month(name: &str) -> Option<(u8, Calendar)> {
    let name = fold(name);
    let place = |months: &[&[&str]; 12]| months.iter().position(|names| names.contains(&name.as_str()));
    let number = |place: usize| u8::try_from(place + 1).ok();
    let gregorian = place(&GREGORIAN).and_then(number).map(|month| (month, Calendar::Gregorian));
    gregorian.or_else(|| place(&HIJRI).and_then(number).map(|month| (month, Calendar::Hijri)))
}

/// The month at the beginning of `tokens` and how many of them it takes; a double name (`شباط/فبراير`) is one month.
fn month_name(tokens: &[Token]) -> Option<(u8, Calendar, usize)> {
    let one = |tokens: &[Token]| {
        let first = tokens.first()?.word()?;
        let second = tokens.get(1).and_then(Token::word).unwrap_or_default();
        let pair = month(&format!("{first} {second}")).map(|(month, calendar)| (month, calendar, 2));
        pair.or_else(|| month(first).map(|(month, calendar)| (month, calendar, 1)))
    };
    let (number, calendar, taken) = one(tokens)?;
    let after = tokens.get(taken..).unwrap_or_default();
    let bracket = after.first().is_some_and(|token| token.is_mark(&['(']));
    if after.first().is_some_and(|token| token.is_mark(&['/', '-', '(']))
        && let Some((again, _, more)) = after.get(1..).and_then(one)
        && again == number
    {
        let closed = usize::from(bracket && after.get(1 + more).is_some_and(|token| token.is_mark(&[')'])));
        return Some((number, calendar, taken + 1 + more + closed));
    }
    Some((number, calendar, taken))
}

/// The date at the beginning of `tokens` and how many of them it takes. Of a date in both calendars (`… هـ الموافق …`)
/// the Gregorian one is given.
pub(super) fn date(tokens: &[Token]) -> Option<(Date, usize)> {
    let (first, taken) = one_date(tokens)?;
    let rest = tokens.get(taken..).unwrap_or_default();
    let between = rest.iter().take_while(|token| links_calendars(token)).count();
    let Some((second, more)) = rest.get(between..).and_then(one_date) else { return Some((first, taken)) };
    if second.calendar == first.calendar {
        return Some((first, taken));
    }
    let end = taken + between + more;
    let opened = rest.get(..between).unwrap_or_default().iter().any(|token| token.is_mark(&['(']));
    let closed = opened && tokens.get(end).is_some_and(|token| token.is_mark(&[')']));
    let date = if second.calendar == Calendar::Gregorian { second } else { first };
    Some((date, end + usize::from(closed)))
}

/// Whether `token` may stand between one day's dates in two calendars.
fn links_calendars(token: &Token) -> bool {
    let links = |word: &str| matches!(word, "الموافق" | "الموافقه" | "للموافق" | "ل") || is_weekday(word);
    token.is_mark(&['،', ',', '/', '-', '(', '=']) || token.word().is_some_and(links)
}

fn one_date(tokens: &[Token]) -> Option<(Date, usize)> {
    day_month(tokens).or_else(|| month_day(tokens)).or_else(|| numeric(tokens))
}

/// `5 مارس 2024`, `12 May 2024`.
fn day_month(tokens: &[Token]) -> Option<(Date, usize)> {
    let day = tokens.first()?.number(2)?;
    let of = usize::from(tokens.get(1)?.word().is_some_and(|word| matches!(word, "من" | "of" | "شهر")));
    let (month, calendar, length) = month_name(tokens.get(1 + of..)?)?;
    let taken = 1 + of + length;
    with_year(day, month, calendar, tokens, taken)
}

/// `March 5, 2024`.
fn month_day(tokens: &[Token]) -> Option<(Date, usize)> {
    let (month, calendar, length) = month_name(tokens)?;
    let dot = usize::from(tokens.get(length)?.is_mark(&['.']));
    let day = tokens.get(length + dot)?.number(2)?;
    with_year(day, month, calendar, tokens, length + dot + 1)
}

/// `12/5/2024`, `12-5-2024`, `2024-05-12`.
fn numeric(tokens: &[Token]) -> Option<(Date, usize)> {
    let [first, mark, second, again, third, ..] = tokens else { return None };
    if !mark.is_mark(&['/', '-', '.', '\\']) || mark.kind != again.kind {
        return None;
    }
    let (day, month, year) = match (first.number(2), third.number(2)) {
        (Some(day), None) => (day, second.number(2)?, third.number(4)?),
        (None, Some(day)) => (day, second.number(2)?, first.number(4)?),
        _ => return None,
    };
    let calendar = if year < 1700 { Calendar::Hijri } else { Calendar::Gregorian };
    let date = checked(day, u8::try_from(month).ok()?, Some(year), calendar)?;
    Some((date, 5 + era(tokens.get(5..).unwrap_or_default(), calendar)))
}

fn with_year(day: u32, month: u8, calendar: Calendar, tokens: &[Token], taken: usize) -> Option<(Date, usize)> {
    let rest = tokens.get(taken..).unwrap_or_default();
    let skipped = rest.iter().take_while(|token| is_before_year(token)).count();
    let year = rest.get(skipped).and_then(|token| token.number(4)).filter(|year| (1300..=2200).contains(year));
    let date = checked(day, month, year, calendar)?;
    let Some(_) = year else { return Some((date, taken)) };
    let taken = taken + skipped + 1;
    Some((date, taken + era(tokens.get(taken..).unwrap_or_default(), calendar)))
}

fn is_before_year(token: &Token) -> bool {
    token.is_mark(&[',', '،', '.']) || token.word().is_some_and(|word| matches!(word, "عام" | "سنه" | "لعام" | "من"))
}

/// How many tokens the letter of the era takes after a year: `2024م`, `1446هـ`.
fn era(tokens: &[Token], calendar: Calendar) -> usize {
    let letters: &[&str] = match calendar {
        Calendar::Gregorian => &["م", "ميلادي", "ميلاديه"],
        Calendar::Hijri => &["ه", "هجري", "هجريه"],
    };
    usize::from(tokens.first().and_then(Token::word).is_some_and(|word| letters.contains(&word)))
}

fn checked(day: u32, month: u8, year: Option<u32>, calendar: Calendar) -> Option<Date> {
    let day = u8::try_from(day).ok().filter(|day| (1..=31).contains(day))?;
    let month = Some(month).filter(|month| (1..=12).contains(month))?;
    let year = year.map(u16::try_from).transpose().ok()?;
    Some(Date { day, month, year, calendar })
}

//! What a paragraph of a release is for, told by how it begins and by the company it keeps.

use super::date::Date;
use super::dateline::Dateline;
use super::{Paragraph, Role};
use crate::text::{PassThrough, fold, passes_through};

/// Beginnings of paragraphs, folded, that stand above the headline.
const NOTICES: &[&str] = &[
    "بيان صحفي",
    "بيان صحافي",
    "خبر صحفي",
    "خبر صحافي",
    "بيان اعلامي",
    "للنشر",
    "عاجل",
    "محظور النشر",
    "حظر النشر",
    "press release",
    "news release",
    "media release",
    "for immediate release",
    "embargoed",
    "embargo",
    "under embargo",
];

/// Beginnings of what tells the press whom to ask.
const CONTACTS: &[&str] = &[
    "للتواصل",
    "للاتصال",
    "للاعلاميين",
    "للاعلام",
    "للصحافه",
    "للصحفيين",
    "للاستفسار",
    "للاستفسارات",
    "للمزيد",
    "لمزيد من المعلومات",
    "للحصول علي",
    "جهه الاتصال",
    "جهات الاتصال",
    "مسؤول الاتصال",
    "الاتصال الاعلامي",
    "المكتب الاعلامي",
    "مكتب الاعلام",
    "العلاقات العامه",
    "العلاقات الاعلاميه",
    "هاتف",
    "البريد الالكتروني",
    "فاكس",
    "media contact",
    "press contact",
    "contact",
    "contacts",
    "for more information",
    "for further information",
    "for media",
    "for press",
    "media inquiries",
    "media enquiries",
    "media relations",
    "press office",
];

/// Beginnings of what the sender says of itself under every release.
const ABOUTS: &[&str] = &["نبذه عن", "نبذه عامه", "نبذه", "لمحه عن", "حول", "عن", "about"];

/// Beginnings of what is meant for editors, and of what ends a release.
const NOTES: &[&str] = &[
    "ملاحظه",
    "ملاحظات",
    "ملحوظه",
    "الي المحررين",
    "تنويه",
    "اخلاء مسؤوليه",
    "انتهي",
    "النهايه",
    "note",
    "notes",
    "editor",
    "disclaimer",
    "forward looking",
    "safe harbor",
    "ends",
    "end",
];

/// Most words of a headline, of a line of contact data, and of a heading.
const LONGEST_HEADLINE: usize = 30;
const LONGEST_CONTACT: usize = 14;
const LONGEST_HEADING: usize = 10;

/// Most lines between a headline and the text.
const MOST_SUBHEADS: usize = 3;

/// Gives every paragraph its role.
pub(super) fn assign(paragraphs: &mut [Paragraph]) {
    let texts: Vec<String> = paragraphs.iter().map(|paragraph| paragraph.sentences.join(" ")).collect();
    let body = head(paragraphs, &texts);
    let mut section = Role::Body;
    let last_prose = texts.iter().rposition(|text| ends_sentence(text) && !has_address(text)).unwrap_or(0);
    for (at, (paragraph, text)) in paragraphs.iter_mut().zip(&texts).enumerate().skip(body) {
        if at == body {
            continue;
        }
        // Remarks in brackets, initials and tags say nothing of what follows them.
        if is_aside(text) {
            paragraph.role = if at > last_prose || section != Role::Body { Role::Note } else { Role::Body };
            continue;
        }
        section = if heads(text, NOTES) {
            Role::Note
        } else if heads(text, CONTACTS) || begins(text, CONTACTS) && has_address(text) {
            Role::Contact
        } else if heads(text, ABOUTS) && !paragraph.is_item {
            Role::About
        } else if is_contact_data(text) && (section != Role::Body || at > last_prose) {
            Role::Contact
        } else if section == Role::Contact
            && !has_address(text)
            && (ends_sentence(text) || words(text) > LONGEST_CONTACT)
        {
            Role::Note
        } else {
            section
        };
        paragraph.role = section;
    }
}

/// Finds notices, headline and subheads at the top; gives the number of paragraphs that they are.
fn head(paragraphs: &mut [Paragraph], texts: &[String]) -> usize {
    let mut headings = 0;
    for (at, (paragraph, text)) in paragraphs.iter_mut().zip(texts).enumerate() {
        let rest = texts.get(at + 1..).unwrap_or_default();
        let is_longer = |next: &String| words(next) > words(text).min(LONGEST_HEADING);
        paragraph.role = if is_notice(text) {
            Role::Notice
        } else if paragraph.is_item || !is_headline_like(text) || !rest.iter().any(is_longer) {
            return at;
        } else if headings == 0 {
            Role::Headline
        } else if headings <= MOST_SUBHEADS {
            Role::Subhead
        } else {
            return at;
        };
        headings += usize::from(paragraph.role != Role::Notice);
    }
    paragraphs.len()
}

fn is_notice(text: &str) -> bool {
    begins(text, NOTICES) && words(text) <= LONGEST_HEADING
        || is_slug(text)
        || Date::parse(text).is_some()
        || is_lone_dateline(text)
}

/// A line of no more than a sentence that does not end as sentences do.
fn is_headline_like(text: &str) -> bool {
    let dateline_of_a_story =
        Dateline::parse(text).is_some_and(|dateline| dateline.date.is_some() || dateline.agency.is_some());
    words(text) <= LONGEST_HEADLINE
        && text.contains(char::is_alphabetic)
        && (!ends_sentence(text) || text.ends_with(['!', '?', '؟', '…']))
        && !text.ends_with([':', '،', '؛'])
        && !dateline_of_a_story
        && !is_contact_data(text)
}

fn is_lone_dateline(text: &str) -> bool {
    Dateline::parse(text).is_some_and(|dateline| dateline.text.trim_end() == text.trim_end())
}

/// `عاجل/ زلزال/ جزر النخيل`: a few short words between slashes.
fn is_slug(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    parts.len() > 1
        && !text.contains("//")
        && words(text) <= LONGEST_HEADING
        && !ends_sentence(text)
        && parts.iter().all(|part| words(part) <= 3)
}

/// Initials of a writer and an editor (`م ع / ر ن`), tags, signs, or a paragraph in brackets.
fn is_aside(text: &str) -> bool {
    let parts =
        || text.split(|c: char| c.is_whitespace() || matches!(c, '/' | '.' | '-')).filter(|part| !part.is_empty());
    let is_initials = words(text) <= LONGEST_HEADING && parts().all(|part| part.chars().count() == 1);
    let is_copied = |kind| matches!(kind, PassThrough::Hashtag | PassThrough::Symbols);
    is_initials || passes_through(text).is_some_and(is_copied) || text.starts_with('(') && text.ends_with(')')
}

/// Whether `text` is a heading that begins so, or begins with one and a colon.
fn heads(text: &str, beginnings: &[&str]) -> bool {
    let is_heading = |heading: &str| words(heading) <= LONGEST_HEADING && begins(heading, beginnings);
    is_heading(text) && !ends_sentence(text) || text.split_once(':').is_some_and(|(heading, _)| is_heading(heading))
}

/// Addresses, numbers, hashtags, or a short line with one of them.
fn is_contact_data(text: &str) -> bool {
    let is_copied = |kind| matches!(kind, PassThrough::Email | PassThrough::Url | PassThrough::Hashtag);
    passes_through(text).is_some_and(is_copied)
        || has_address(text) && words(text) <= LONGEST_CONTACT && !ends_sentence(text)
}

/// Whether there is an e-mail or web address or a telephone number.
fn has_address(text: &str) -> bool {
    let is_address =
        |word: &str| matches!(passes_through(word), Some(PassThrough::Email | PassThrough::Url)) || word.contains('@');
    let digits = text.chars().filter(|c| crate::text::digit(*c).is_some()).count();
    text.split_whitespace().any(is_address) || text.contains('+') && digits >= 7
}

fn begins(text: &str, beginnings: &[&str]) -> bool {
    const LONGEST_BEGINNING: usize = 80;
    let start: String = text.chars().take(LONGEST_BEGINNING).collect();
    let folded = fold(&start);
    let letters = folded.trim_start_matches(|c: char| !c.is_alphanumeric());
    beginnings
        .iter()
        .any(|beginning| letters.strip_prefix(beginning).is_some_and(|rest| !rest.starts_with(char::is_alphabetic)))
}

pub(crate) fn ends_sentence(text: &str) -> bool {
    let closers = ['»', '›', '”', '“', '"', '\'', '’', ')', ']'];
    text.trim_end().trim_end_matches(closers).trim_end().ends_with(['.', '!', '?', '؟', '…', '۔'])
}

pub(crate) fn words(text: &str) -> usize {
    text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count()
}

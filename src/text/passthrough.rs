//! Segments that no model should see: translating them invents text (a number changes, a lone hashtag
//! becomes a sentence), so they come out as they went in, and flagged.

use super::script::is_arabic_letter;

/// Why a segment is copied instead of translated. Of several reasons the lesser one, in this order, is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PassThrough {
    /// Words of other scripts, with Arabic ones among them at most as names are cited in an English sentence.
    NotArabic,
    /// Web addresses, and at most e-mail addresses, hashtags and numbers beside them.
    Url,
    /// E-mail addresses, and at most hashtags and numbers beside them.
    Email,
    /// Hashtags, and at most numbers beside them.
    Hashtag,
    /// Digits, and at most punctuation and currency signs beside them.
    Number,
    /// Neither letters nor digits.
    Symbols,
}

impl PassThrough {
    /// The name under which the outputs flag the segment; stable.
    pub const fn flag(self) -> &'static str {
        match self {
            Self::NotArabic => "not-arabic",
            Self::Url => "url",
            Self::Email => "email",
            Self::Hashtag => "hashtag",
            Self::Number => "number",
            Self::Symbols => "symbols",
        }
    }
}

/// In a segment that begins in another script, one word in this many may be Arabic without making it Arabic prose.
const WORDS_PER_CITED: usize = 8;

/// Whether `segment`, met in a document whose source language is Arabic, is to be copied, and why. Arabic
/// words outside addresses and hashtags make a segment prose, which is translated, unless it begins in
/// another script and at most one word in eight is Arabic: an English sentence that cites an Arabic name.
pub fn passes_through(segment: &str) -> Option<PassThrough> {
    let mut prose = Contents::default();
    let mut special = None;
    for token in segment.split_whitespace() {
        match special_token(token) {
            Some(kind) => special = Some(special.map_or(kind, |seen: PassThrough| seen.min(kind))),
            None => prose.add(token),
        }
    }
    if prose.is_arabic() {
        return None;
    }
    Some(match special {
        _ if prose.foreign > 0 => PassThrough::NotArabic,
        Some(kind) => kind,
        None if prose.digits => PassThrough::Number,
        None => PassThrough::Symbols,
    })
}

#[derive(Default)]
struct Contents {
    /// Words with an Arabic letter.
    arabic: usize,
    /// Words with letters, none of them Arabic.
    foreign: usize,
    begins_foreign: bool,
    digits: bool,
}

impl Contents {
    fn add(&mut self, token: &str) {
        if token.contains(is_arabic_letter) {
            self.arabic += 1;
        // Tatweel is alphabetic to Unicode, but says nothing alone.
        } else if token.contains(|c: char| c.is_alphabetic() && c != '\u{0640}') {
            self.begins_foreign |= self.arabic == 0;
            self.foreign += 1;
        }
        self.digits |= token.contains(char::is_numeric);
    }

    fn is_arabic(&self) -> bool {
        let words = self.arabic + self.foreign;
        self.arabic > 0 && !(self.begins_foreign && self.arabic * WORDS_PER_CITED <= words)
    }
}

fn special_token(token: &str) -> Option<PassThrough> {
    let token = token.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '#' | '/' | '_' | '='));
    if is_hashtag(token) {
        Some(PassThrough::Hashtag)
    } else if is_email(token) {
        Some(PassThrough::Email)
    } else if is_url(token) {
        Some(PassThrough::Url)
    } else {
        None
    }
}

fn is_hashtag(token: &str) -> bool {
    token.strip_prefix('#').is_some_and(|tag| {
        tag.chars().any(char::is_alphabetic)
            && tag.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '#') || is_mark(c))
    })
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{064B}'..='\u{065F}' | '\u{0670}' | '\u{200C}' | '\u{200D}')
}

fn is_email(token: &str) -> bool {
    let token = token.strip_prefix("mailto:").unwrap_or(token);
    token.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && user.bytes().all(|b| b.is_ascii_alphanumeric() || b"._%+-".contains(&b)) && is_host(host)
    })
}

fn is_url(token: &str) -> bool {
    let has_scheme = token.split_once("://").is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && !scheme.is_empty()
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    });
    has_scheme || is_host(token.split(['/', '?', '#']).next().unwrap_or_default())
}

/// `label.label.tld`, in ASCII, with at least one dot and a last label of two letters or more.
fn is_host(host: &str) -> bool {
    let Some((labels, tld)) = host.rsplit_once('.') else { return false };
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    tld.len() >= 2 && tld.bytes().all(|b| b.is_ascii_alphabetic()) && labels.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::PassThrough::*;
    use super::*;

    #[test]
    fn what_is_copied_and_why() {
        let cases = [
            ("Arab Health 2024, Dubai World Trade Centre", Some(NotArabic)),
            ("Пресс-релиз", Some(NotArabic)),
            ("Contact: press@example.org", Some(NotArabic)),
            (
                "The Ministry of Health (وزارة الصحة) said on Sunday that it will open twelve new hospitals",
                Some(NotArabic),
            ),
            ("https://www.example.org/ar/news?id=5", Some(Url)),
            ("https://example.org/أخبار/اليوم", Some(Url)),
            ("(www.example.com)", Some(Url)),
            ("example.com/path, http://a.b/c.", Some(Url)),
            ("https://example.org #أخبار", Some(Url)),
            ("press@example.org.sa", Some(Email)),
            ("mailto:press@example.org", Some(Email)),
            ("#السعودية #رؤية_2030", Some(Hashtag)),
            ("#Riyadh", Some(Hashtag)),
            ("١٢٬٣٤٥٫٦٧", Some(Number)),
            ("$1,234.50 - €20", Some(Number)),
            ("+966 11 555 0100", Some(Number)),
            ("½", Some(Number)),
            ("15:30", Some(Number)),
            ("500 ﷼", Some(Number)),
            ("***", Some(Symbols)),
            ("- ، ؟ …", Some(Symbols)),
            ("ــــ", Some(Symbols)),
            ("", Some(Symbols)),
            ("😀", Some(Symbols)),
        ];
        for (segment, expected) in cases {
            assert_eq!(passes_through(segment), expected, "{segment}");
        }
    }

    #[test]
    fn any_arabic_prose_is_translated() {
        let cases = [
            "وقال John Smith من Example Corp",
            "500 ريال",
            "هاتف: +966 11 555 0100",
            "للتواصل: press@example.org",
            "زوروا https://example.org",
            "أطلقت #السعودية مبادرة",
            "5 م",
            "ﺍﻟﺮﻳﺎﺽ",
            "Microsoft و Google",
            "The Line مشروع جديد",
            "المصدر: World Health Organization Regional Office for the Eastern Mediterranean",
        ];
        for segment in cases {
            assert_eq!(passes_through(segment), None, "{segment}");
        }
    }

    #[test]
    fn flags_are_stable() {
        let flags = [NotArabic, Url, Email, Hashtag, Number, Symbols].map(PassThrough::flag);
        assert_eq!(flags, ["not-arabic", "url", "email", "hashtag", "number", "symbols"]);
    }
}

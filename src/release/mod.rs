//! What a press release is made of: headline, dateline, text, contact block.
//!
//! ```
//! use translate::release::Release;
//!
//! let release = Release::parse("افتتاح المستشفى\n\nالرياض في 5 مارس /واس/ - افتتح الوزير اليوم المستشفى الجديد.\n");
//! assert_eq!(release.headline().map(|headline| headline.text()).as_deref(), Some("افتتاح المستشفى"));
//! assert_eq!(release.dateline.map(|dateline| dateline.english()).as_deref(), Some("RIYADH, March 5 (SPA)"));
//! ```

mod date;
mod dateline;
mod names;
mod roles;
mod tokens;

pub use date::{Calendar, Date, month, weekday};
pub use dateline::{Dateline, Name};
pub(crate) use roles::{ends_sentence, words};

use crate::document::{Encoding, Layout, Lines, Part, parts};
use crate::text::list_marker;

/// A release, its paragraphs told apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Release {
    /// All paragraphs, in the document's order.
    pub paragraphs: Vec<Paragraph>,
    /// Where, when and by whom it was sent; the text of the first [`Role::Body`] paragraph follows it, unless it stands
    /// on a line of its own.
    pub dateline: Option<Dateline>,
    /// The day of release: the dateline's, or that of a line of its own.
    pub date: Option<Date>,
}

/// A paragraph and its part in the release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paragraph {
    /// Its number in the document, as [`crate::document::Segment::paragraph`] gives it.
    pub number: u64,
    /// What it is for.
    pub role: Role,
    /// Whether it is an item of a list.
    pub is_item: bool,
    /// Its sentences as the document has them, one at least.
    pub sentences: Vec<String>,
    /// How many bytes of the first sentence the dateline takes; 0 where there is none.
    pub dateline: usize,
}

/// What a paragraph is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Above the headline: "for immediate release", a slug, the date on a line of its own.
    Notice,
    /// The headline.
    Headline,
    /// Between headline and text.
    Subhead,
    /// The text, lists and the headings in it included.
    Body,
    /// What the sender says of itself under every release.
    About,
    /// Whom to ask: names, telephone numbers, addresses.
    Contact,
    /// Notes to editors, sign-offs, hashtags.
    Note,
}

impl Release {
    /// Of a whole document's text.
    pub fn parse(text: &str) -> Self {
        let parts: Vec<Part> = parts(Lines::new("the text", text.as_bytes(), Some(Encoding::UTF_8)), Layout::Prose)
            .map_while(Result::ok)
            .collect();
        Self::read(&parts)
    }

    /// Of the parts of one document or record.
    pub fn read(parts: &[Part]) -> Self {
        let mut paragraphs: Vec<Paragraph> = Vec::new();
        let mut before = "";
        for part in parts {
            match part {
                Part::Segment(segment) => match paragraphs.last_mut().filter(|last| last.number == segment.paragraph) {
                    Some(paragraph) => paragraph.sentences.push(segment.text.clone()),
                    None => paragraphs.push(Paragraph {
                        number: segment.paragraph,
                        role: Role::Body,
                        is_item: is_list_marker(before),
                        sentences: vec![segment.text.clone()],
                        dateline: 0,
                    }),
                },
                Part::Verbatim(text) => before = text,
                Part::Record(_) => before = "",
            }
        }
        roles::assign(&mut paragraphs);
        let mut release = Self { paragraphs, dateline: None, date: None };
        release.find_dateline();
        let date = |paragraph: &Paragraph| Date::parse(paragraph.first());
        release.date = release
            .dateline
            .as_ref()
            .and_then(|dateline| dateline.date)
            .or_else(|| release.with(Role::Notice).find_map(date));
        release
    }

    /// The paragraphs of one role.
    pub fn with(&self, role: Role) -> impl Iterator<Item = &Paragraph> {
        self.paragraphs.iter().filter(move |paragraph| paragraph.role == role)
    }

    /// The headline, if it has one.
    pub fn headline(&self) -> Option<&Paragraph> {
        self.with(Role::Headline).next()
    }

    /// The role of the paragraph of that number.
    pub fn role(&self, number: u64) -> Option<Role> {
        let place = self.paragraphs.binary_search_by_key(&number, |paragraph| paragraph.number).ok()?;
        self.paragraphs.get(place).map(|paragraph| paragraph.role)
    }

    /// The dateline is that of the first paragraph of the text; failing that, of a line above it or of the headline.
    fn find_dateline(&mut self) {
        for roles in [&[Role::Body][..], &[Role::Notice, Role::Headline]] {
            let candidates = self.paragraphs.iter_mut().filter(|paragraph| roles.contains(&paragraph.role));
            let of_text = if roles.contains(&Role::Body) { 1 } else { usize::MAX };
            for paragraph in candidates.take(of_text) {
                let Some(dateline) = Dateline::parse(paragraph.first()) else { continue };
                paragraph.dateline = dateline.text.len();
                if self.dateline.is_none() {
                    self.dateline = Some(dateline);
                }
            }
        }
    }
}

impl Paragraph {
    /// Its first sentence.
    fn first(&self) -> &str {
        self.sentences.first().map_or("", String::as_str)
    }

    /// Its text without the dateline.
    pub fn text(&self) -> String {
        self.texts().collect::<Vec<_>>().join(" ")
    }

    /// Its sentences without the dateline, from the first that has more than it.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let first = self.first().get(self.dateline..).unwrap_or_default().trim_start();
        let rest = self.sentences.iter().skip(1).map(String::as_str);
        std::iter::once(first).filter(|first| !first.is_empty()).chain(rest)
    }
}

fn is_list_marker(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or_default().trim_start();
    list_marker(&format!("{line}x")) > 0
}

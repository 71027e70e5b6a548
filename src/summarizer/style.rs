//! House styles: how long a headline may be and how it is written.

use std::fmt;
use std::str::FromStr;

/// A house style.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// Associated Press: 60 characters, `%` and single quotation marks in headlines, no full stops in `US` and `UN`.
    Ap,
    /// Reuters: 64 characters.
    #[default]
    Reuters,
    /// Web pages: 70 characters, what search engines show.
    Web,
}

impl Style {
    /// Every style.
    pub const ALL: [Self; 3] = [Self::Ap, Self::Reuters, Self::Web];

    /// Its name; stable.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ap => "ap",
            Self::Reuters => "reuters",
            Self::Web => "web",
        }
    }

    /// Most characters of a headline.
    pub fn headline_chars(self) -> usize {
        match self {
            Self::Ap => 60,
            Self::Reuters => 64,
            Self::Web => 70,
        }
    }

    /// Marks around a quotation in a headline.
    pub(super) fn headline_quotes(self) -> (char, char) {
        match self {
            Self::Ap | Self::Reuters => ('\'', '\''),
            Self::Web => ('“', '”'),
        }
    }
}

impl fmt::Display for Style {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Style {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|style| style.name() == text).ok_or_else(|| format!("{text:?} is no style"))
    }
}

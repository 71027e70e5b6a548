//! Cities and news agencies by their Arabic names.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::text::fold;

/// Arabic name, tab, English name.
const PLACES: &str = include_str!("places.tsv");
const AGENCIES: &str = include_str!("agencies.tsv");

/// Most words that a name in the tables has.
pub(super) const LONGEST: usize = 5;

type Names = HashMap<String, &'static str>;

fn table(text: &'static str) -> Names {
    let rows = text.lines().filter_map(|line| line.split_once('\t'));
    // An English name stands for itself.
    rows.flat_map(|(arabic, english)| [(key(arabic), english), (key(english), english)]).collect()
}

/// What names are compared by: letters and figures only.
fn key(name: &str) -> String {
    fold(name).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The English name of a city.
pub(super) fn place(name: &str) -> Option<&'static str> {
    static NAMES: LazyLock<Names> = LazyLock::new(|| table(PLACES));
    let key = key(name);
    NAMES.get(&key).or_else(|| NAMES.get(key.strip_prefix("مدينه")?)).copied()
}

/// The English name or abbreviation of a news agency.
pub(super) fn agency(name: &str) -> Option<&'static str> {
    static NAMES: LazyLock<Names> = LazyLock::new(|| table(AGENCIES));
    NAMES.get(&key(name)).copied()
}

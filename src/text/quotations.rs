//! Which opening mark belongs to which closing mark.

/// A quotation or bracket of at most this many characters is one unit: no sentence ends inside it.
const SHORT: usize = 120;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Guillemets,
    Curly,
    Straight,
    Round,
    Square,
}

impl Family {
    const COUNT: usize = 5;

    fn of(c: char) -> Option<Self> {
        Some(match c {
            '«' | '»' | '‹' | '›' => Self::Guillemets,
            '“' | '”' | '„' | '‟' => Self::Curly,
            '"' => Self::Straight,
            '(' | ')' => Self::Round,
            '[' | ']' => Self::Square,
            _ => return None,
        })
    }

    fn is_bracket(self) -> bool {
        matches!(self, Self::Round | Self::Square)
    }
}

/// A mark and its partner, as the byte positions at which they start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub open: usize,
    pub close: usize,
}

/// The quotations and brackets of a line that sentences respect.
pub(crate) struct Quotations {
    /// All pairs, in the order of the closing marks.
    pairs: Vec<Pair>,
    /// Where the pairs open, in order.
    opens: Vec<usize>,
    /// The outermost short pairs, in order; they do not overlap.
    units: Vec<Pair>,
}

impl Quotations {
    /// Pairs the marks of one line. In Arabic copy either mark of a family may open (`”نص“`, `»نص«`), so
    /// position decides for quotation marks; a mark without a partner is ignored.
    pub(crate) fn of(line: &str) -> Self {
        let mut pairs = Vec::new();
        let mut units: Vec<Pair> = Vec::new();
        let mut open: Vec<(Family, char, usize, usize)> = Vec::new();
        let mut waiting = [0usize; Family::COUNT];
        let mut before = None;
        let mut chars = line.char_indices().enumerate();
        while let Some((count, (at, c))) = chars.next() {
            let previous = before.replace(c);
            let Some(family) = Family::of(c) else { continue };
            let after = chars.clone().next().map(|(_, (_, c))| c);
            if waiting[family as usize] > 0 && closes(family, c, &open, previous, after) {
                // Marks opened since and never closed are dropped with it, so each is looked at once.
                while let Some((inner, _, start, start_count)) = open.pop() {
                    waiting[inner as usize] -= 1;
                    if inner == family {
                        let pair = Pair { open: start, close: at };
                        pairs.push(pair);
                        if count - start_count <= SHORT {
                            while units.last().is_some_and(|unit| unit.open > start) {
                                units.pop();
                            }
                            units.push(pair);
                        }
                        break;
                    }
                }
            } else if !matches!(c, ')' | ']') {
                waiting[family as usize] += 1;
                open.push((family, c, at, count));
            }
        }
        let mut opens: Vec<usize> = pairs.iter().map(|pair| pair.open).collect();
        opens.sort_unstable();
        Self { pairs, opens, units }
    }

    /// Whether the border at byte `at` lies inside a unit.
    pub(crate) fn protect(&self, at: usize) -> bool {
        let next = self.units.partition_point(|unit| unit.close < at);
        self.units.get(next).is_some_and(|unit| unit.open < at)
    }

    /// Whether the mark at byte `at` opens a pair.
    pub(crate) fn opened_at(&self, at: usize) -> bool {
        self.opens.binary_search(&at).is_ok()
    }

    /// The pair that is closed by the mark at byte `at`.
    pub(crate) fn closed_at(&self, at: usize) -> Option<Pair> {
        let index = self.pairs.binary_search_by_key(&at, |pair| pair.close).ok()?;
        self.pairs.get(index).copied()
    }
}

fn closes(
    family: Family,
    c: char,
    open: &[(Family, char, usize, usize)],
    before: Option<char>,
    after: Option<char>,
) -> bool {
    if family.is_bracket() {
        return matches!(c, ')' | ']');
    }
    if family == Family::Straight {
        return true;
    }
    let opener = open.iter().rev().find(|(other, ..)| *other == family).map(|&(_, opener, ..)| opener);
    let at_a_start = before.is_none_or(|c| c.is_whitespace() || matches!(c, '(' | '[' | ':'))
        && after.is_some_and(|c| !c.is_whitespace() && !c.is_ascii_punctuation() && !matches!(c, '،' | '؛' | '؟'));
    opener != Some(c) || !at_a_start
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(line: &str) -> Vec<&str> {
        let quotations = Quotations::of(line);
        quotations.pairs.iter().map(|pair| &line[pair.open..pair.close]).collect()
    }

    #[test]
    fn marks_are_paired_whichever_way_they_point() {
        assert_eq!(pairs("قال «نعم» ثم"), ["«نعم"]);
        assert_eq!(pairs("قال ”نعم“ ثم “لا”"), ["”نعم", "“لا"]);
        assert_eq!(pairs("قال »نعم« ثم"), ["»نعم"]);
        assert_eq!(pairs("قال “نعم“ ثم"), ["“نعم"]);
        assert_eq!(pairs("قال \"نعم\" ثم \"لا\""), ["\"نعم", "\"لا"]);
        assert_eq!(pairs("«قال «نعم» أمس»"), ["«نعم", "«قال «نعم» أمس"]);
        assert_eq!(pairs("(«أ») [ب]"), ["«أ", "(«أ»", "[ب"]);
    }

    #[test]
    fn marks_without_a_partner_are_ignored() {
        assert_eq!(pairs("1) أولا 2) ثانيا « و"), [""; 0]);
        assert_eq!(pairs("(قال «نعم) ثم"), ["(قال «نعم"]);
    }

    #[test]
    fn only_short_pairs_are_units() {
        let long = format!("«{} (نص) »", "كلمة ".repeat(40));
        let quotations = Quotations::of(&long);
        assert!(!quotations.protect(12));
        assert!(quotations.protect(long.find("نص").unwrap()));
    }
}

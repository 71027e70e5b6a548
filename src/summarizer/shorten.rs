//! Shorter forms of an English sentence, by whole clauses and phrases only.

use super::terms::lists;

/// A shorter form and how much it gives up.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shortened {
    pub(super) text: String,
    /// 0 for the sentence itself, about 1 for half of it.
    pub(super) loss: f64,
}

/// Bytes of a sentence in which shorter forms are sought: no headline or summary is longer.
const LONGEST: usize = 2048;

/// Fewest words that still tell something.
const FEWEST: usize = 4;

/// `sentence` and its shorter forms, each without end mark, the one that gives up least first. What goes: remarks of who
/// said so, asides in brackets, relative clauses between commas, then everything from a conjunction, participle or
/// preposition on. Nothing is cut inside a quotation, and what remains has a verb.
pub(super) fn shortenings(sentence: &str) -> Vec<Shortened> {
    let whole = sentence.trim().trim_end_matches('.').trim_end().to_owned();
    let mut forms = vec![Shortened { text: whole.clone(), loss: 0.0 }];
    let start = whole.get(..whole.floor_char_boundary(LONGEST)).unwrap_or_default();
    let mut base = start.to_owned();
    for (drop, price) in
        [(without_attribution as fn(&str) -> Option<String>, 0.02), (without_brackets, 0.05), (without_relative, 0.15)]
    {
        while let Some(shorter) = drop(&base).filter(|shorter| start.len() == whole.len() && stands(shorter)) {
            base = shorter;
            forms.push(Shortened { loss: price + lost(&whole, &base) / 2.0, text: base.clone() });
        }
    }
    for base in [start, &base] {
        for (end, price) in borders(base) {
            let text =
                base.get(..end).unwrap_or_default().trim_end_matches([' ', ',', ';', ':', '–', '—', '-']).to_owned();
            if stands(&text) {
                forms.push(Shortened { loss: price + lost(&whole, &text), text });
            }
        }
    }
    forms.sort_by(|a, b| a.loss.total_cmp(&b.loss));
    forms.dedup_by(|a, b| a.text == b.text);
    forms
}

/// The share of `whole` that `part` lacks, 0 to 1.
fn lost(whole: &str, part: &str) -> f64 {
    1.0 - part.len() as f64 / whole.len().max(1) as f64
}

/// Whether a cut form can stand alone: long enough, with a verb, and not ending on a word that wants another.
fn stands(text: &str) -> bool {
    const WANTING: &str = "\
        a an the of to in on at by for from with and or but as that which who is are was were be been has have had \
        will would its his her their into than more about between under through during including after before said \
        not";
    let words: Vec<String> = text.split_whitespace().map(bare).filter(|word| !word.is_empty()).collect();
    let is_balanced = depths(text).last().is_none_or(|(_, depth)| *depth == 0);
    words.len() >= FEWEST
        && is_balanced
        && words.last().is_some_and(|last| !lists(WANTING, last))
        && has_verb(text)
        && completes_clauses(text)
        && has_no_stump(text)
}

/// Whether what begins with a conjunction goes on to its main clause, and "that" is followed by a verb.
fn completes_clauses(text: &str) -> bool {
    const CONJUNCTIONS: &str = "if when while after although though as because since unless once until before had";
    let first = bare(text.split_whitespace().next().unwrap_or_default());
    let after_that = text.rsplit_once(" that ").map(|(_, clause)| clause);
    (!lists(CONJUNCTIONS, &first) || text.contains(", "))
        && after_that.is_none_or(|clause| clause.split_whitespace().map(bare).any(|word| is_verb(&word)))
}

/// Whether there is a verb after the first word, outside relative clauses.
fn has_verb(text: &str) -> bool {
    const RELATIVE: &str = "who which whose whom that where";
    let main = std::iter::successors(Some(text.to_owned()), |text| without_relative(text)).last().unwrap_or_default();
    let words = main.split_whitespace().map(bare);
    words.take_while(|word| !lists(RELATIVE, word)).skip(1).any(|word| is_verb(&word))
}

/// Whether what stands after the last comma, if anything does, is a clause or at least a phrase of some length.
fn has_no_stump(text: &str) -> bool {
    let Some((_, last)) = text.rsplit_once(", ") else { return true };
    let words: Vec<String> = last.split_whitespace().map(bare).collect();
    words.len() >= FEWEST || words.iter().any(|word| is_verb(word))
}

fn bare(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

/// Places where the rest of `text` can go, with the price: before a clause or phrase, outside quotations and brackets.
fn borders(text: &str) -> Vec<(usize, f64)> {
    const CLAUSES: &str = "\
        a an the once most all some up down part half one each both \
        while whereas where which who whose because after before as when since although though so amid following \
        including noting adding stressing saying pointing explaining bringing making compared according followed \
        despite unless if until and but with";
    const PHRASES: &str = "\
        in on at during within under through via for with by from as at over across along alongside against among \
        between near since until after before while where which amid following ahead towards toward worth using \
        according compared";
    let mut found = Vec::new();
    let mut before = ' ';
    for (at, depth) in depths(text) {
        let rest = text.get(at..).unwrap_or_default();
        let c = rest.chars().next().unwrap_or(' ');
        if depth == 0 && c == ' ' && !leaves_participle(text.get(..at).unwrap_or_default(), rest) {
            let next = bare(rest.split_whitespace().next().unwrap_or_default());
            let price = match before {
                ';' | '–' | '—' | '-' => Some(0.2),
                ',' if lists(CLAUSES, &next) || next.ends_with("ing") => Some(0.2),
                ',' if lists(PHRASES, &next) => Some(0.25),
                _ if lists(PHRASES, &next) => Some(0.4),
                _ => None,
            };
            found.extend(price.map(|price| (at, price)));
        }
        before = c;
    }
    found
}

/// Whether `before` would end on a participle that wants what follows: `funded` by, `starting` at.
fn leaves_participle(before: &str, rest: &str) -> bool {
    let last = bare(before.split_whitespace().next_back().unwrap_or_default());
    last.ends_with("ing") || last.ends_with("ed") && rest.trim_start().starts_with("by ")
}

/// Each character's place and how many quotations and brackets it stands in.
fn depths(text: &str) -> Vec<(usize, usize)> {
    let (mut depth, mut quoted) = (0usize, false);
    let mut depths = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '“' | '«' => depth += 1,
            ')' | ']' | '”' | '»' => depth = depth.saturating_sub(1),
            '"' => quoted = !quoted,
            _ => {}
        }
        depths.push((at, depth + usize::from(quoted)));
    }
    depths
}

/// Without a last clause that says who said so: `…, the ministry said in a statement`, `…, according to a press release`.
fn without_attribution(text: &str) -> Option<String> {
    const SAYING: &str = "\
        said says announced added reported stated explained noted confirmed told";
    const LONGEST: usize = 14;
    let (before, clause) = text.rsplit_once(", ")?;
    let words: Vec<String> = clause.split_whitespace().map(bare).collect();
    let is_source = words.first().is_some_and(|word| word == "according")
        || words.iter().take(8).any(|word| lists(SAYING, word)) && !words.iter().any(|word| word == "that");
    (is_source && words.len() <= LONGEST && depths(before).last().is_none_or(|(_, depth)| *depth == 0))
        .then(|| before.to_owned())
}

/// Without the last aside in brackets.
fn without_brackets(text: &str) -> Option<String> {
    let open = text.rfind('(')?;
    let close = open + text.get(open..)?.find(')')?;
    let before = text.get(..open)?.trim_end();
    Some(format!("{before}{}", text.get(close + 1..)?))
}

/// Without the last relative clause or apposition between two commas that begins as such.
fn without_relative(text: &str) -> Option<String> {
    const BEGINNINGS: &str = "\
        which who whose including where noting";
    let commas: Vec<usize> = text.match_indices(", ").map(|(at, _)| at).collect();
    commas.windows(2).rev().find_map(|pair| {
        let [open, close] = pair else { return None };
        let clause = text.get(open + 2..*close)?;
        let first = bare(clause.split_whitespace().next()?);
        let is_outside = depths(text.get(..*open)?).last().is_none_or(|(_, depth)| *depth == 0);
        (lists(BEGINNINGS, &first) && is_outside)
            .then(|| Some(format!("{}{}", text.get(..*open)?, text.get(close + 1..)?)))?
    })
}

/// Whether `word` is a finite verb, as far as a list of those that news is written with tells.
pub(super) fn is_verb(word: &str) -> bool {
    const AUXILIARIES: &str = "\
        is are was were has have had will would can could may might must should be do does did";
    const IRREGULAR: &str = "\
        said won wins beat beats met meets held holds made makes took takes gave gives got gets led leads left \
        leaves lost loses rose rises fell falls grew grows began begins brought brings built builds came comes cut \
        cuts found finds hit hits kept keeps put puts set sets shut shuts sold sells sent sends saw sees spent \
        spends stood stands struck strikes told tells thought went goes wrote writes became becomes chose chooses \
        drew draws drove drives fought fights flew hurt paid pays ran runs sank shot shows showed swept swore taught \
        threw tops topped";
    const REGULAR: &str = "\
        accept achieve add adopt advance affirm agree aim allocate allow announce approve arrest arrive ask attend \
        award back ban boost call cancel celebrate chair claim close complete condemn confirm consider continue \
        convict create declare decline decrease defeat delay deliver deny deploy develop direct discuss drop ease \
        edge elect end enter establish evacuate exceed expand expect explain express extend face finish form host \
        hope implement improve inaugurate include increase inject inspect introduce invest investigate invite issue \
        join jump kill launch lift list mark move name need offer open operate order organise organize participate \
        pass plan pledge post praise present prevent produce promise propose protect provide publish raise ratify \
        reach receive record reduce refer reject release remain renew report require rescue resume return reveal \
        review save score secure seek seize sentence serve sign slip start stop stress strengthen support suspend \
        target test train transfer triple double unveil urge use visit vote vow warn welcome win witness work";
    let forms = |verb: &str| {
        [Some(verb), verb.strip_suffix('s'), verb.strip_suffix("es"), verb.strip_suffix("ed"), verb.strip_suffix('d')]
            .into_iter()
            .flatten()
            .map(str::to_owned)
            .chain(verb.strip_suffix("ies").or(verb.strip_suffix("ied")).map(|stem| format!("{stem}y")))
            .chain(verb.strip_suffix("ed").and_then(undoubled))
            .collect::<Vec<_>>()
    };
    lists(AUXILIARIES, word) || lists(IRREGULAR, word) || forms(word).iter().any(|form| lists(REGULAR, form))
}

/// `plann` of "planned" as `plan`.
fn undoubled(stem: &str) -> Option<String> {
    let last = stem.chars().next_back()?;
    let shorter = stem.strip_suffix(last)?;
    shorter.ends_with(last).then(|| shorter.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sentence: &str) -> Vec<String> {
        shortenings(sentence).into_iter().map(|form| form.text).collect()
    }

    #[test]
    fn the_whole_comes_first_and_cuts_fall_between_phrases() {
        let sentence =
            "The Transport Ministry opened the new container terminal in the port of Ramla, the ministry said.";
        let forms = texts(sentence);
        assert_eq!(
            forms[0],
            "The Transport Ministry opened the new container terminal in the port of Ramla, the ministry said"
        );
        assert_eq!(forms[1], "The Transport Ministry opened the new container terminal in the port of Ramla");
        assert!(forms.contains(&"The Transport Ministry opened the new container terminal".to_owned()), "{forms:?}");
        assert!(forms.iter().all(|form| sentence.starts_with(form.as_str())));
    }

    #[test]
    fn nothing_is_cut_inside_quotations_or_down_to_a_stump() {
        assert_eq!(texts("He said \"we opened it in the north with care\"").len(), 1);
        assert_eq!(texts("The minister of transport in the capital on Sunday").len(), 1);
        assert_eq!(texts("Ministry opens"), ["Ministry opens"]);
    }

    #[test]
    fn brackets_and_relative_clauses_go() {
        let forms = texts("The plant (Phase 1), which cost $5 million, opened on Sunday");
        assert!(forms.contains(&"The plant, which cost $5 million, opened on Sunday".to_owned()), "{forms:?}");
        assert!(forms.contains(&"The plant opened on Sunday".to_owned()), "{forms:?}");
    }
}

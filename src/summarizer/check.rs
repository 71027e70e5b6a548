//! Whether what was written says only what its source says.

use super::summary::{OutputPart, Remark, SourceSpan};
use crate::figures::{self, Figure, Said, figures};

/// A sentence of the source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evidence<'a> {
    pub(super) paragraph: u64,
    pub(super) segment: u64,
    pub(super) text: &'a str,
}

/// The figures of `text` that no sentence of its source has, each with those of the source that `text` lacks.
pub(super) fn unsupported(text: &str, part: OutputPart, source: &[Evidence]) -> Vec<Remark> {
    let ours = figures(text);
    let (theirs, spans): (Vec<Figure>, Vec<SourceSpan>) = source.iter().flat_map(spans).unzip();
    let sources: Vec<&str> = source.iter().map(|evidence| evidence.text).collect();
    let is_left_out = |said: &Figure| !ours.iter().any(|figure| figure.is_said_by(said));
    let left_out =
        || theirs.iter().zip(&spans).filter(|(said, _)| is_left_out(said)).map(|(_, span)| span.clone()).collect();
    let remark = |figure: &Figure| Remark::UnsupportedNumber {
        part,
        text: text.get(figure.range.clone()).unwrap_or_default().to_owned(),
        sources: left_out(),
    };
    figures::unsupported(&ours, &Said::by(&theirs, &sources)).into_iter().map(remark).collect()
}

fn spans(evidence: &Evidence) -> Vec<(Figure, SourceSpan)> {
    let Evidence { paragraph, segment, text } = *evidence;
    let span = |range| SourceSpan { paragraph, segment, text: text.get(range).map_or_else(String::new, str::to_owned) };
    figures(text).into_iter().map(|figure| (figure.clone(), span(figure.range))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_source_does_not_say_comes_with_what_it_says() {
        let evidence = |segment, text| Evidence { paragraph: 2, segment, text };
        let source = [evidence(1, "بكلفة 1.2 مليار درهم في 14 أكتوبر"), evidence(2, "بنسبة 35%")];
        let text = "It cost 1.2 million dirhams on Oct. 14, up 35%";
        let span = |segment, text: &str| SourceSpan { paragraph: 2, segment, text: text.to_owned() };
        assert_eq!(
            unsupported(text, OutputPart::Summary, &source),
            [Remark::UnsupportedNumber {
                part: OutputPart::Summary,
                text: "1.2 million".to_owned(),
                sources: vec![span(1, "1.2 مليار")],
            }]
        );
        let text = "It cost 1.2 billion dirhams on Monday, Nov. 14, up 35";
        let found = unsupported(text, OutputPart::Summary, &source);
        let texts: Vec<&str> = found
            .iter()
            .map(|remark| match remark {
                Remark::UnsupportedNumber { text, .. } => text.as_str(),
                _ => "",
            })
            .collect();
        assert_eq!(texts, ["Monday", "Nov", "35"]);
        assert_eq!(unsupported("Nothing in figures", OutputPart::Headline, &source), []);
    }

    /// `text` with the first number of several digits made another, if it has one.
    fn altered(text: &str) -> Option<String> {
        let bytes = text.as_bytes();
        let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        let at = (1..bytes.len()).find(|&at| is_digit(at - 1) && is_digit(at))?;
        let other = if bytes[at] == b'7' { "4" } else { "7" };
        Some(format!("{}{other}{}", &text[..at], &text[at + 1..]))
    }

    #[test]
    fn translations_by_hand_pass_and_altered_ones_do_not() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("training/press");
        let (mut pairs, mut false_alarms, mut alterations, mut found) = (0, 0, 0, 0);
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let lines = text.lines().filter(|line| !line.contains('{') && line.matches('\t').count() == 1);
            for (arabic, english) in lines.filter_map(|line| line.split_once('\t')) {
                let evidence = [Evidence { paragraph: 1, segment: 1, text: arabic }];
                let is_flagged = |english: &str| !unsupported(english, OutputPart::Summary, &evidence).is_empty();
                pairs += 1;
                false_alarms += usize::from(is_flagged(english));
                if let Some(altered) = altered(english).filter(|_| !is_flagged(english)) {
                    alterations += 1;
                    found += usize::from(is_flagged(&altered));
                }
            }
        }
        assert!(pairs > 3000 && false_alarms * 100 < pairs, "{false_alarms} false alarms in {pairs} pairs");
        assert!(alterations > 500 && found * 100 > alterations * 97, "{found} of {alterations} alterations found");
    }
}

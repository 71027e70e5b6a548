//! Whether what was written says only what its source says.

use super::figures::{Value, figures};
use super::summary::{OutputPart, Remark, SourceSpan};

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
    let theirs: Vec<(Value, SourceSpan)> = source.iter().flat_map(spans).collect();
    let is_ours = |value: Value| ours.iter().any(|figure| figure.value.is_said_by(value));
    let missing: Vec<SourceSpan> =
        theirs.iter().filter(|(value, _)| !is_ours(*value)).map(|(_, span)| span.clone()).collect();
    let is_unsupported = |value: Value| !theirs.iter().any(|(said, _)| value.is_said_by(*said));
    ours.iter()
        .filter(|figure| is_unsupported(figure.value))
        .map(|figure| Remark::UnsupportedNumber {
            part,
            text: text.get(figure.range.clone()).unwrap_or_default().to_owned(),
            sources: missing.clone(),
        })
        .collect()
}

fn spans(evidence: &Evidence) -> Vec<(Value, SourceSpan)> {
    let Evidence { paragraph, segment, text } = *evidence;
    let span = |range| SourceSpan { paragraph, segment, text: text.get(range).map_or_else(String::new, str::to_owned) };
    figures(text).into_iter().map(|figure| (figure.value, span(figure.range))).collect()
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
}

//! Texts longer than a model reads, in windows along paragraph borders.

use crate::text::split;
use crate::translator::{TranslateError, Translation, Translator};

/// What `model` makes of each document, whose paragraphs are given: one text or, where the document takes several windows
/// and their texts together are no shorter than a window, several in a row. All documents are batched together.
///
/// A window's paragraphs are whole, sentences are where a paragraph alone is too long for the model; where a sentence is,
/// the translator splits it.
pub(super) fn condense(
    model: &Translator,
    documents: Vec<Vec<String>>,
) -> Result<Vec<Vec<Translation>>, TranslateError> {
    let mut results: Vec<Vec<Translation>> = documents.iter().map(|_| Vec::new()).collect();
    let windowed = |(place, paragraphs): (usize, Vec<String>)| Ok((place, windows(model, &paragraphs)?));
    let mut pending: Vec<(usize, Vec<String>)> =
        documents.into_iter().enumerate().map(windowed).collect::<Result<_, TranslateError>>()?;
    while !pending.is_empty() {
        let texts: Vec<&str> = pending.iter().flat_map(|(_, windows)| windows).map(String::as_str).collect();
        let mut written = model.translate_batch(&texts)?.into_iter();
        let mut longer = Vec::new();
        for (place, windows_before) in pending {
            let pieces: Vec<Translation> = written.by_ref().take(windows_before.len()).collect();
            let texts: Vec<String> = pieces.iter().map(|piece| piece.text.clone()).collect();
            let again = if pieces.len() > 1 { windows(model, &texts)? } else { Vec::new() };
            if !again.is_empty() && again.len() < windows_before.len() {
                longer.push((place, again));
            } else if let Some(result) = results.get_mut(place) {
                *result = pieces;
            }
        }
        pending = longer;
    }
    Ok(results)
}

/// The texts that `model` reads one by one.
fn windows(model: &Translator, paragraphs: &[String]) -> Result<Vec<String>, TranslateError> {
    let longest = model.longest_source();
    let length = |text: &str| -> Result<usize, TranslateError> { Ok(model.tokenizer().encode(text)?.len()) };
    let mut windows: Vec<String> = Vec::new();
    let mut left = 0;
    for paragraph in paragraphs.iter().filter(|paragraph| !paragraph.trim().is_empty()) {
        let whole = length(paragraph)?;
        let pieces = match whole > longest {
            true => split(paragraph).into_iter().filter_map(|range| paragraph.get(range)).collect(),
            false => vec![paragraph.as_str()],
        };
        for piece in pieces {
            let tokens = if piece.len() == paragraph.len() { whole } else { length(piece)? };
            match windows.last_mut().filter(|_| tokens <= left) {
                Some(window) => {
                    window.push(' ');
                    window.push_str(piece);
                    left -= tokens;
                }
                None => {
                    windows.push(piece.to_owned());
                    left = longest.saturating_sub(tokens);
                }
            }
        }
    }
    Ok(windows)
}

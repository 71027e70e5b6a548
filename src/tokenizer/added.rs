//! Tokens that are found in text as they stand, before the rest is cut into pieces.

use super::vocabulary::Token;

/// The tokens that text is cut at, with their ids.
#[derive(Debug)]
pub(super) struct AddedTokens(Vec<(Token, u32)>);

/// A part of a text.
pub(super) enum Fragment<'a> {
    Text(&'a str),
    Token(u32),
}

impl AddedTokens {
    pub(super) fn new(tokens: Vec<(Token, u32)>) -> Self {
        Self(tokens)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(Token, u32)> {
        self.0.iter()
    }

    /// Cuts text at the tokens and hands the fragments to `emit`, in order.
    pub(super) fn split<'a>(&self, text: &'a str, mut emit: impl FnMut(Fragment<'a>)) {
        let mut rest = text;
        while let Some((before, (token, id), after)) = self.next(rest) {
            emit(Fragment::Text(if token.lstrip { before.trim_end_matches(is_space) } else { before }));
            emit(Fragment::Token(*id));
            rest = if token.rstrip { after.trim_start_matches(is_space) } else { after };
        }
        emit(Fragment::Text(rest));
    }

    /// The first token in text, the longest of those that start there, with what stands around it.
    fn next<'a>(&self, text: &'a str) -> Option<(&'a str, &(Token, u32), &'a str)> {
        text.char_indices().find_map(|(at, _)| {
            let (before, here) = text.split_at_checked(at)?;
            let found = self.0.iter().filter(|(token, _)| here.starts_with(&token.content));
            let longest = found.max_by_key(|(token, _)| token.content.len())?;
            Some((before, longest, here.strip_prefix(&longest.0.content)?))
        })
    }
}

/// White space as Python's `str.strip` has it.
pub(super) fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\x1C'..='\x1F').contains(&character)
}

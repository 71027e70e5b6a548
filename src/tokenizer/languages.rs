//! What models that know several languages call each of them.

use super::TokenizerError;

/// How the vocabulary of a family names languages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Languages {
    /// A language a line, in the order of the ids: the family's code, then the ISO 639-1 codes that mean it.
    list: &'static str,
    /// What stands around the code in the token.
    around: (&'static str, &'static str),
}

/// The codes of FLORES-200, as NLLB has them.
pub(super) const NLLB: Languages = Languages { list: include_str!("languages/nllb.txt"), around: ("", "") };

/// The 52 codes of mBART-50.
pub(super) const MBART50: Languages = Languages { list: include_str!("languages/mbart50.txt"), around: ("", "") };

/// The 100 codes of M2M100.
pub(super) const M2M100: Languages = Languages { list: include_str!("languages/m2m100.txt"), around: ("__", "__") };

impl Languages {
    /// The tokens of all languages, in the order of their ids.
    pub(super) fn tokens(self) -> impl Iterator<Item = String> {
        self.list.lines().filter_map(|line| line.split(' ').next()).map(move |code| self.token(code))
    }

    /// The token of a language by any of its names: a code as it is, an ISO 639-1 code, or `arz` for `arz_Arab`.
    ///
    /// # Errors
    /// [`TokenizerError::Language`], with some of the codes on offer.
    pub(super) fn find(self, asked: &str) -> Result<String, TokenizerError> {
        let is_named = |line: &&str| line.split(' ').any(|name| name == asked);
        let starts = |line: &&str| line.split_once('_').is_some_and(|(language, _)| language == asked);
        let mut starting = self.list.lines().filter(starts);
        let found = self.list.lines().find(is_named).or_else(|| starting.next().filter(|_| starting.next().is_none()));
        match found.and_then(|line| line.split(' ').next()) {
            Some(code) => Ok(self.token(code)),
            None => Err(TokenizerError::unknown_language(
                asked,
                self.list.lines().filter_map(|line| line.split(' ').next()),
            )),
        }
    }

    fn token(self, code: &str) -> String {
        let (before, after) = self.around;
        format!("{before}{code}{after}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_go_by_several_names() {
        for (languages, asked, token) in [
            (NLLB, "ar", "arb_Arab"),
            (NLLB, "arz_Arab", "arz_Arab"),
            (NLLB, "arz", "arz_Arab"),
            (NLLB, "zh", "zho_Hans"),
            (NLLB, "en", "eng_Latn"),
            (MBART50, "ar", "ar_AR"),
            (MBART50, "en_XX", "en_XX"),
            (M2M100, "ar", "__ar__"),
        ] {
            assert_eq!(languages.find(asked).unwrap(), token);
        }
    }

    #[test]
    fn an_unknown_language_is_an_error_with_some_that_are_known() {
        for (languages, asked, near) in
            [(NLLB, "arc_Arab", "arb_Arab"), (NLLB, "zho", "zho_Hant"), (M2M100, "arb", "ar")]
        {
            let error = languages.find(asked).unwrap_err().to_string();
            assert!(error.contains(asked) && error.contains(near), "{error}");
        }
    }
}

//! Loading a model, as every command that runs one does it.

use std::io::{self, Write};

use translate::registry::STARTER;
use translate::translator::{Fallback, Translator, TranslatorBuilder};

use super::progress::DownloadBar;
use super::{Common, Failure, env};

/// Builds the translator, with a bar for what is fetched. Where the built-in model takes the place of the default one, that
/// is said whoever looks on: it changes the result.
pub fn load(builder: TranslatorBuilder, common: &Common) -> Result<Translator, Failure> {
    let builder = builder.hub(env::hub_options(common)?).fall_back(true);
    let translator = builder.build_with(&mut DownloadBar::new(common.quiet))?;
    if let Some(fallback) = translator.fallback() {
        // Where standard error is closed, the model's name in the result still tells.
        let _ = writeln!(io::stderr(), "{}", note(fallback));
    }
    Ok(translator)
}

fn note(fallback: &Fallback) -> String {
    let (wanted, megabytes) = (&fallback.wanted.name, fallback.wanted.download_mb);
    format!(
        "note: translating with {STARTER}, the small built-in model, because {wanted} can't be had ({}); `translate models \
         pull {wanted}` fetches that better one ({megabytes} MB), and goes on where an earlier try stopped",
        fallback.error.reason()
    )
}

//! The pipeline: segments to ids to batches to ids to translations.

mod builder;
mod core;
mod device;
mod guard;
mod join;
mod stream;

use std::sync::Arc;

use thiserror::Error;

use self::core::Core;
use self::stream::Plan;
pub use builder::TranslatorBuilder;
pub use device::Device;
pub use stream::Stream;

use crate::decode::{GenerationOptions, OptionsError};
use crate::document::{DocumentError, Encoding, Layout, Lines, Part, parts};
use crate::hub::{self, Provenance};
use crate::model::ModelError;
use crate::registry::{self, ModelSpec, Task};
use crate::tokenizer::{Tokenizer, TokenizerError};
pub use crate::translation::{Flag, Translation};

/// A loaded model, ready to translate. Cheap to clone; every clone shares the weights.
#[derive(Clone)]
pub struct Translator {
    core: Arc<Core>,
    plan: Plan,
}

impl Translator {
    /// A translator with all settings at their defaults, to be changed before it is built.
    pub fn builder() -> TranslatorBuilder {
        TranslatorBuilder::default()
    }

    /// A whole document in English, in the same shape: paragraphs, blank lines, bullets and line ends stay.
    pub fn translate(&self, document: &str) -> Result<String, TranslateError> {
        let lines = Lines::new("the text", document.as_bytes(), Some(Encoding::UTF_8));
        let tagged = parts(lines, Layout::Prose).map(|part| match part {
            Ok(Part::Segment(segment)) => (Ok(None), segment.text),
            Ok(Part::Verbatim(text)) => (Ok(Some(text)), String::new()),
            Ok(Part::Record(_)) => (Ok(None), String::new()),
            Err(error) => (Err(error), String::new()),
        });
        let mut english = String::new();
        for result in self.stream(tagged) {
            let (verbatim, translation) = result?;
            english.push_str(&verbatim?.unwrap_or(translation.text));
        }
        Ok(english)
    }

    /// The translations of `segments`, in order. A segment is a sentence or two: [`crate::text::split`] finds them.
    pub fn translate_batch<S: AsRef<str>>(&self, segments: &[S]) -> Result<Vec<Translation>, TranslateError> {
        self.translate_iter(segments.iter().map(|segment| segment.as_ref().to_owned())).collect()
    }

    /// The translations of any number of segments, in order, in bounded memory: segments are read a window ahead.
    pub fn translate_iter(
        &self,
        segments: impl IntoIterator<Item = String>,
    ) -> impl Iterator<Item = Result<Translation, TranslateError>> {
        let tagged = segments.into_iter().map(|segment| ((), segment));
        self.stream(tagged).map(|result| result.map(|((), translation)| translation))
    }

    /// [`Self::translate_iter`] for segments that each carry a tag, which comes out beside the translation.
    pub fn stream<T, I: IntoIterator<Item = (T, String)>>(&self, segments: I) -> Stream<T, I::IntoIter> {
        Stream::new(segments.into_iter(), self.core.clone(), self.plan.clone())
    }

    /// Multiplications in the matrix products of one source token, and of one row in a decoding step.
    pub fn products(&self) -> (usize, usize) {
        self.core.model.products()
    }

    /// Longest source that the model reads in one piece, in tokens with those that stand around every text.
    pub fn longest_source(&self) -> usize {
        self.core.model.max_positions()
    }

    /// Threads that work at once.
    pub fn threads(&self) -> usize {
        self.plan.threads
    }

    /// Why it is the built-in model and not the default one, if that is so.
    pub fn fallback(&self) -> Option<&Fallback> {
        self.core.fallback.as_ref()
    }

    /// The generation options in force.
    pub fn options(&self) -> &GenerationOptions {
        &self.core.options
    }

    /// Which model translates, and its revision.
    pub fn model(&self) -> &Provenance {
        &self.core.provenance
    }

    /// The model's tokenizer.
    pub fn tokenizer(&self) -> &dyn Tokenizer {
        &*self.core.tokenizer
    }
}

/// Why the built-in model runs in place of the default one; see [`TranslatorBuilder::fall_back`].
#[derive(Debug)]
pub struct Fallback {
    /// The default model.
    pub wanted: ModelSpec,
    /// Why it can't be had.
    pub error: hub::Error,
}

/// Why something can't be translated.
#[derive(Debug, Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say it")]
pub enum TranslateError {
    #[error(transparent)]
    Registry(#[from] registry::Error),
    #[error(transparent)]
    Hub(#[from] hub::Error),
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    #[error(transparent)]
    Options(#[from] OptionsError),
    #[error("the model {model} does not translate {from} to {to}; it offers {offered}")]
    WrongPair { model: String, from: String, to: String, offered: String },
    #[error("the model {model} is there to {task}, not to {asked}; choose another, `translate models list` names some")]
    WrongTask { model: String, task: Task, asked: Task },
    #[error(
        "the vocabulary has {pieces} pieces, but the weights have rows for {rows}; the model's files don't belong together"
    )]
    Vocabulary { pieces: usize, rows: usize },
    #[error("the device {device} can't be used: {source}; use --device cpu, or a build with that device's feature")]
    Device { device: Device, source: candle_core::Error },
    #[error("no home folder is known to keep models in; state a cache folder")]
    NoHome,
    #[error("a worker thread can't be started: {0}")]
    Thread(std::io::Error),
    #[error("a worker thread ended before its work was done; this is a defect of the program, please report it")]
    Worker,
}

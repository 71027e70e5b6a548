//! Arabic to English on your own machine: documents in, English in the same shape out.
//!
//! ```no_run
//! use translate::translator::Translator;
//!
//! let translator = Translator::builder().model("opus-mt-ar-en").build()?;
//! print!("{}", translator.translate("الأخبار\n\nافتتح الوزير المعرض اليوم. وحضر الافتتاح عدد من السفراء.\n")?);
//! # Ok::<(), translate::translator::TranslateError>(())
//! ```
//!
//! Data flows one way. A document is read into parts ([`document`]), its text is cut into segments
//! ([`text`]), the segments become token ids ([`tokenizer`]), ids of similar length are batched
//! ([`batch`]) and pushed through one encoder-decoder ([`model`], [`decode`]), and the way back puts
//! every translation exactly where its source stood. [`translator`] is all of it in one.

pub mod batch;
pub mod bench;
pub mod decode;
pub mod document;
mod figures;
pub mod hub;
pub mod kernels;
pub mod metrics;
pub mod model;
pub mod ninjs;
pub mod profile;
pub mod registry;
pub mod release;
pub mod summarizer;
pub mod text;
pub mod tokenizer;
mod translation;
pub mod translator;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

//! What happens to Arabic text around the model: sentences out of a paragraph ([`split`]), pieces out of
//! a sentence that is too long ([`split_long`]), the cleaning that the model wants ([`Normalization`]),
//! and what needs no model at all ([`passes_through`]).
//!
//! Everything here works on `&str` and byte ranges, allocates little and runs in time linear in the text.

mod abbreviations;
mod clauses;
mod fold;
mod normalize;
mod passthrough;
mod quotations;
mod script;
mod segment;

pub use clauses::split_long;
pub use fold::fold;
pub use normalize::Normalization;
pub use passthrough::{PassThrough, passes_through};
pub(crate) use script::{digit, is_arabic_letter, is_invisible};
pub use segment::{list_marker, split};

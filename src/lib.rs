//! Arabic to English on your own machine: documents in, English in the same shape out.
//!
//! Data flows one way. A document is read into parts ([`document`]), its text is cut into segments
//! ([`text`]), the segments become token ids ([`tokenizer`]), ids of similar length are batched
//! ([`batch`]) and pushed through one encoder-decoder ([`model`], [`decode`]), and the way back puts
//! every translation exactly where its source stood.

pub mod batch;
pub mod decode;
pub mod document;
pub mod hub;
pub mod kernels;
pub mod model;
pub mod registry;
pub mod text;
pub mod tokenizer;
pub mod translator;

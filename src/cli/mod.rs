//! Commands, flags and printing.

pub mod env;
pub mod models;
pub mod progress;

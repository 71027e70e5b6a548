//! What several test files share.

pub mod hub;
pub mod world;

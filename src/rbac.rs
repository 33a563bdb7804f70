//! What a program may do on an API server: what it needs, what a set of roles grants, and the rule that is missing.
//!
//! Pure: nothing here asks an API server or reads a file.

pub mod requirement;
mod rule;

pub(crate) use rule::Rule;

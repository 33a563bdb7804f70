//! Go's text forms, which Kubernetes' answers are made of: `%q`, JSON in lines, and the errors of `time.Parse`.
//!
//! Clients and people match on these texts, so they are reproduced to the letter. Nothing of
//! Kubernetes itself belongs here.

pub(crate) mod indent;
pub(crate) mod json;
pub(crate) mod quote;
pub(crate) mod time;

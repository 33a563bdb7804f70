//! Go's text forms, which Kubernetes' messages are made of: `%q`, and the errors of `time.Parse`.
//!
//! Clients and people match on these texts, so they are reproduced to the letter. Nothing of
//! Kubernetes itself belongs here.

pub(crate) mod quote;
pub(crate) mod time;

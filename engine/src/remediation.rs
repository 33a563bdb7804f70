//! Signals and RemediationRequests: one request for a storm of one alert, and the right count.
//!
//! For each signal either a RemediationRequest is created or the one that suppresses it is counted up. No HTTP is
//! served here, no payload is parsed and no target is resolved: a [`Signal`] comes in that already knows its
//! fingerprint.

pub mod api;
pub mod count;
pub mod dedup;
pub mod exchange;
pub mod list;
pub mod name;
pub mod outcome;
pub mod processor;
pub mod request;
pub mod run;
pub mod signal;
pub mod trace;

pub use outcome::{Disposition, Failure, Processed};
pub use processor::SignalProcessor;
pub use request::{RemediationRequest, RemediationRequestSpec, TargetResource, TargetType};
pub use signal::Signal;

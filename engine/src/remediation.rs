//! Signals and RemediationRequests: one request for a storm of one alert, and the right count.
//!
//! For each signal either a RemediationRequest is created or the one that suppresses it is counted up. No HTTP is
//! served here, no payload is parsed and no target is resolved: a [`Signal`] comes in that already knows its
//! fingerprint.

pub mod request;
pub mod signal;

pub use request::{RemediationRequest, RemediationRequestSpec, TargetResource, TargetType};
pub use signal::Signal;

//! The ingestion side of a gateway: from the body of a webhook to a signal that can be locked and counted.
//!
//! ```text
//! body -> prometheus | event     what was sent, within limits, or which field is wrong
//!      -> freshness              whether it is recent enough to act on
//!      -> target (kinds)         which object an alert's labels mean
//!      -> owner                  the workload that this object belongs to
//!      -> scope                  whether anything is to be done about it
//!      -> normalize              the signal
//! ```
//!
//! [`ingest`] goes the whole way.
//!
//! `compose` goes the other way and makes bodies, and `reply` says what a sender is told.
//!
//! Everything up to the owner is pure: bytes, labels and `now` go in. What has to be asked of the API server goes
//! through `objects`.
//!
//! # What has to agree with a running gateway
//!
//! Only the key: two gateways that compute different keys for one alert take two leases and make two
//! RemediationRequests. So wherever a better rule would give another key, the running gateway's rule stays, and the
//! header of the module says so. An alert that the running gateway makes no RemediationRequest of is free to be treated
//! better.
//!
//! No HTTP server, lease or RemediationRequest is in here, and nothing is printed.

pub mod audit;
pub mod compose;
pub mod dedup;
pub mod event;
pub mod freshness;
pub mod ingest;
pub mod kinds;
mod names;
pub mod normalize;
pub mod objects;
pub mod owner;
pub mod payload;
pub mod prometheus;
pub mod reply;
pub mod resolve;
pub mod scope;
#[cfg(feature = "serve")]
pub mod server;
pub mod target;

/// Where Alertmanager sends.
pub const PROMETHEUS_PATH: &str = "/api/v1/signals/prometheus";
/// Where forwarders of events send.
pub const EVENT_PATH: &str = "/api/v1/signals/kubernetes-event";

/// Whose rules for targets and fingerprints are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GatewayVersion {
    /// The gateway of August 2026: kinds from discovery, owners resolved, fingerprints of the resource alone.
    #[default]
    Current,
    /// The first gateway that took leases (January 2026): a fixed list of labels, no owners, the signal's name in the
    /// fingerprint.
    January,
}

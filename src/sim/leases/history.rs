//! What every handler did, in true time.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

/// A hold of one key by one handler, from the answer to its acquisition to the start of its release.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Term {
    pub(crate) pod: String,
    pub(crate) handler: u32,
    pub(crate) key: String,
    /// Since when it waited, after the start of the simulation.
    #[serde(serialize_with = "millis")]
    pub(crate) asked: Duration,
    #[serde(serialize_with = "millis")]
    pub(crate) from: Duration,
    #[serde(serialize_with = "millis")]
    pub(crate) to: Duration,
    /// When the release was answered.
    #[serde(serialize_with = "millis")]
    pub(crate) released: Duration,
    /// The fencing token; the gateway has none.
    pub(crate) token: Option<String>,
}

/// Everything that was recorded.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// In the order of their beginnings.
    pub(crate) terms: Vec<Term>,
    /// Acquisitions that failed, with the reason.
    pub(crate) failures: Vec<String>,
    pub(crate) requests: BTreeMap<String, u64>,
    pub(crate) simulated: Duration,
    pub(crate) leases_left: Vec<String>,
}

fn millis<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((duration.as_secs_f64() * 1e6).round() / 1e3)
}

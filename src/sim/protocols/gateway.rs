//! The Kubernaut Gateway's protocol, exactly as its pods run it, defects included.
//!
//! Written from the observed contract, so that others can be measured and tested against it. Every request is the one
//! that a gateway would send, in its order; nothing is done better here.

mod decision;
mod lock;
mod over;
mod requests;
mod signals;

pub use lock::{Attempt, GatewayLock};
pub use over::RequestContext;
pub use signals::{GatewaySignals, Hold, HoldObserver, Outcome, Place, Reply};

/// Why a signal ended without being processed. The gateway answers 500, or 504 when its own deadline has passed.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// Ten attempts found it held.
    #[error("lock acquisition timeout after {} attempts", lock::ATTEMPTS)]
    Timeout,
    /// Nobody waits for the answer any more.
    #[error("the request is over")]
    Over,
    /// A request failed.
    #[error(transparent)]
    Api(#[from] kube::Error),
}

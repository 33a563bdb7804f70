//! The protocol on a real API server, over kube and tokio.
//!
//! One request per method in [`lease_api`], meaning given to answers once in [`api_error`], and the machines of
//! [`crate::protocol`] driven in [`lock`]. No rule of the protocol is decided here.

pub mod api_error;
pub mod clock;
pub mod convert;
pub mod handle;
pub mod lease_api;
pub mod list;
pub mod lock;
pub mod trace;
pub mod transport;
pub mod watch;

pub use clock::{Clock, SystemClock, TokioClock};
pub use handle::LeaseHandle;
pub use lease_api::LeaseApi;
pub use lock::{AcquireError, LeaseGuard, LeaseLock};
pub use trace::{Exchange, ExchangeObserver};

//! The protocol on a real API server, over kube and tokio.
//!
//! One request per method in [`lease_api`], meaning given to answers once in [`api_error`], and the machines of
//! [`crate::protocol`] driven in [`lock`]. No rule of the protocol is decided here.
//!
//! ```
//! use std::time::Duration;
//!
//! use gwlock_engine::client::LeaseLock;
//! use gwlock_engine::protocol::key::LeaseName;
//! use gwlock_engine::protocol::release::Released;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let client = kube::Client::new(gwlock_apiserver::ApiServer::new(), "default");
//! // On a cluster: `transport::connect(kube::Config::infer().await?)?`.
//! let lease = LeaseName::new("nightly-backup")?;
//! let lock = LeaseLock::builder(client, "default", lease, "backup-0").build();
//! let guard = lock.acquire(Duration::from_secs(35)).await?;
//! // Renewed in the background; the work is dropped when the lease is lost.
//! let token = guard.fencing_token().clone();
//! let done = guard.run(async { format!("backed up under {token}") }).await?;
//! assert!(done.starts_with("backed up under "));
//! assert_eq!(guard.release().await, Released::Deleted);
//! # Ok(())
//! # }
//! ```

pub mod api_error;
pub mod clock;
pub mod convert;
pub mod handle;
pub mod lease_api;
pub mod list;
pub mod lock;
pub mod removal;
pub mod trace;
pub mod transport;
pub mod watch;

pub use clock::{Clock, SystemClock, TokioClock};
pub use handle::LeaseHandle;
pub use lease_api::LeaseApi;
pub use lock::{AcquireError, LeaseGuard, LeaseLock};
pub use trace::{Exchange, ExchangeObserver};

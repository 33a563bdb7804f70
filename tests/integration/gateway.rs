//! The ingestion side of a gateway, on the embedded API server and on whatever bytes somebody sends.

#[cfg(feature = "serve")]
mod audit;
mod bytes;
mod cluster;
#[cfg(feature = "serve")]
mod fleet;
#[cfg(feature = "serve")]
mod kinds;
#[cfg(feature = "serve")]
mod metrics;
mod owners;
mod requests;
#[cfg(feature = "serve")]
mod serve;
mod signals;
#[cfg(feature = "serve")]
mod sockets;
#[cfg(feature = "serve")]
mod storms;
mod targets;
#[cfg(feature = "serve")]
mod tls;
#[cfg(feature = "serve")]
mod unanswered;

//! What a gateway is accepted by, with replicas as processes on a real API server, over HTTP, with exact numbers.
//!
//! Each test's documentation says which situation it is; the exactness is that of the docs' promise: what is answered is
//! counted, and what is counted was sent.

mod auth;
mod chaos;
mod counting;
mod events;
mod faults;
mod input;
mod locks;
mod metrics_and_audit;
mod phases;
mod soak;
mod storms;
mod targets;

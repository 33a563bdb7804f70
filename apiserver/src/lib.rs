//! A Kubernetes API server in process.
//!
//! [`ApiServer`] is a tower service: put it under `kube::Client::new` and no network is involved, or serve it on
//! loopback for kubectl with [`serve`]. It stores the kinds of [`registry`], answers in Kubernetes' words, evaluates
//! RBAC from the stored objects, and injects the faults of [`faults`] on request.
//!
//! What makes it fit for testing locks: a check and the write that depends on it happen under one mutex
//! ([`store`]), so that of two conflicting writes exactly one wins; every write of a field moves its writer's stamp
//! in `managedFields` ([`fields`]); time and uids come from outside, so that a simulation is the same on every run.
//!
//! It knows HTTP and objects. It knows nothing of locks, and there is no scheduler, controller or kubelet behind it.

pub mod access;
pub mod body;
pub mod clock;
mod discovery;
pub mod faults;
mod fields;
mod object;
mod patch;
pub mod registry;
mod request;
mod schema;
mod selector;
pub mod serve;
mod server;
mod status;
mod store;
mod table;
mod validate;
mod verbs;
mod watch;

pub use clock::{Clock, SystemClock, TokioClock, Uids};
pub use server::{Answering, ApiServer, ApiServerBuilder, Exchange};

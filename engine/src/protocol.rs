//! The lease protocol as pure state machines.
//!
//! No clock, no I/O, no async, no kube: every function takes `now` and hands the next deadline out, so that the
//! client, the simulator and the narrated cases drive the same code.

pub mod acquire;
mod backoff;
pub mod clock;
pub mod exchange;
pub mod expiry;
pub mod fence;
pub mod hold;
pub mod holder;
pub mod key;
pub mod record;
pub mod release;
pub mod removal;
pub mod step;
pub mod timing;

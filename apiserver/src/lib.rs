//! A Kubernetes API server in process.

#![cfg_attr(
    test,
    expect(
        clippy::needless_pass_by_value,
        reason = "tests write JSON where it is used"
    )
)]

pub mod access;
mod body;
mod call;
pub mod clock;
mod convert;
mod defaults;
mod definitions;
mod discovery;
pub mod faults;
mod fields;
mod golang;
mod negotiate;
mod object;
mod patch;
mod protobuf;
mod query;
pub mod registry;
mod render;
mod route;
pub mod schema;
mod selector;
pub mod serve;
mod server;
pub mod status;
mod store;
mod table;
mod types;
mod uids;
pub mod validate;
mod verbs;
mod watch;

pub use body::{Body, ConnectionLost};
pub use clock::{Clock, SystemClock, TokioClock};
pub use server::{Answering, ApiServer, ApiServerBuilder, Exchange};
pub use uids::Uids;

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
#[expect(dead_code, reason = "not wired yet")]
mod discovery;
mod fields;
mod golang;
pub mod ids;
mod negotiate;
mod object;
mod patch;
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
#[expect(dead_code, reason = "not wired yet")]
mod table;
#[expect(dead_code, reason = "the descriptions are for the OpenAPI documents")]
mod types;
pub mod validate;
mod verbs;
mod watch;

pub use body::{Body, ConnectionClosed};
pub use server::{ApiServer, Authentication, Builder};

//! A Kubernetes API server in process.

pub mod body;
pub mod clock;
mod fields;
pub mod ids;
mod object;
mod query;
pub mod registry;
mod route;
mod selector;
pub mod status;
mod store;

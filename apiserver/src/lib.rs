//! A Kubernetes API server in process.

pub mod access;
pub mod body;
pub mod clock;
mod fields;
mod golang;
pub mod ids;
mod object;
mod query;
pub mod registry;
mod route;
pub mod schema;
mod selector;
pub mod status;
mod store;
mod table;
mod types;
pub mod validate;

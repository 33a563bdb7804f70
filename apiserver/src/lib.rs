//! A Kubernetes API server in process.

pub mod access;
mod golang;
pub mod schema;
mod types;
pub mod validate;

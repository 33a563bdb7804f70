//! A Kubernetes API server in process.

pub mod access;
mod golang;
mod types;
pub mod validate;

//! A Kubernetes API server in process.

mod golang;
mod types;
pub mod validate;

//! A Kubernetes API server in process.

pub mod registry;

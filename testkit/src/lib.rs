//! The real control plane for tests.

//! The one lease engine.

//! Protocols to compare the engine's with.

pub mod gateway;

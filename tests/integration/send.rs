//! `send` as a process: each flag, each exit code, and what is printed.

mod arena;
mod bursts;
mod direct;
mod dry_run;
mod fake;
mod gateway;
mod prompt;
#[cfg(feature = "serve")]
mod replica;
mod trace;
mod usage;

//! The command line as a process: wiring, text and exit codes. What a rule of the protocol does is tested in the engine.

mod claims;
mod completion;
mod exit_codes;
mod fixture;
#[cfg(feature = "sim")]
mod gateway_lock;
mod generated;
mod help;
mod inspect;
mod tidy;

//! The command line as a process: wiring, text and exit codes; and the gateway as a library. What a rule of the protocol
//! does is tested in the engine.

mod bench;
#[cfg(all(feature = "serve", feature = "sim"))]
mod bench_signals;
mod claims;
mod clock_skew;
mod completion;
mod dedup;
mod defects;
mod deploy;
mod doctor;
#[cfg(feature = "sim")]
mod drills;
mod exit_codes;
mod fixture;
mod force_expire;
mod gateway;
#[cfg(feature = "sim")]
mod gateway_lock;
mod gc;
mod generated;
mod help;
mod hints;
mod inspect;
mod inspect_watch;
mod rbac;
mod rbac_live;
#[cfg(feature = "serve")]
mod rbac_operations;
#[cfg(feature = "serve")]
#[path = "../support/rbac_steps/mod.rs"]
mod rbac_steps;
#[cfg(feature = "serve")]
mod replica;
mod resolve;
mod run;
#[cfg(feature = "sim")]
mod runbook;
mod send;
#[cfg(feature = "sim")]
mod side_by_side;
#[cfg(feature = "sim")]
mod simulate;
#[cfg(all(feature = "serve", feature = "sim"))]
mod simulate_job;
#[cfg(all(feature = "serve", feature = "sim"))]
mod simulate_processes;
mod tidy;
#[cfg(feature = "sim")]
mod tune;

//! On a real control plane: processes of gwlock's protocol beside processes that speak the gateway's, and what a gateway
//! assumes of an API server.

#[cfg(feature = "serve")]
mod alertmanager;
#[cfg(all(feature = "serve", feature = "sim"))]
mod bench_requests;
#[cfg(all(feature = "serve", feature = "sim"))]
mod bench_signals;
#[cfg(feature = "sim")]
mod contention;
mod dedup;
mod definition;
mod doctor;
#[cfg(feature = "serve")]
mod exchange;
mod gateway;
mod hints;
mod inspect;
mod inspect_watch;
mod long_lists;
#[cfg(all(feature = "serve", feature = "sim"))]
mod mixed_fleet;
mod rbac;
#[cfg(feature = "serve")]
mod rbac_profiles;
#[cfg(feature = "serve")]
#[path = "../support/rbac_steps/mod.rs"]
mod rbac_steps;
mod removal;
mod run;
#[cfg(feature = "serve")]
mod scenarios;
mod send;
#[cfg(feature = "serve")]
mod serve;
#[cfg(feature = "serve")]
mod service;
#[cfg(all(feature = "serve", feature = "sim"))]
mod simulate_job;
#[cfg(all(feature = "serve", feature = "sim"))]
mod simulate_processes;

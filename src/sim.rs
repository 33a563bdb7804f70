//! Many pods, one server, no network and no waiting: contention under a paused clock, the same on every run of a seed.
//!
//! Each pod runs the real client code. What happened is recorded as a history, and a checker that shares no code with
//! the players judges it.

mod checks;
mod history;
pub mod protocols;
mod report;
mod world;

use std::time::Duration;

use clap::ValueEnum;
use serde::Serialize;

pub(crate) use report::Report;

/// Which protocol the pods speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// The engine's
    #[default]
    Gwlock,
    /// The Kubernaut Gateway's, as it is, defects included
    Gateway,
    /// Every other pod speaks the gateway's
    Mixed,
}

/// What is simulated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) seed: u64,
    pub(crate) protocol: Protocol,
    pub(crate) pods: u32,
    /// Requests that one pod handles at the same time.
    pub(crate) handlers: u32,
    pub(crate) keys: u32,
    /// How often each handler acquires.
    pub(crate) rounds: u32,
    /// The longest that a handler holds a lease.
    pub(crate) hold: Duration,
    pub(crate) wait: Duration,
    /// How far wall clocks are off at most.
    pub(crate) clock_skew: Duration,
}

/// Runs a simulation to its end.
pub(crate) fn run(settings: Settings) -> anyhow::Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    let history = runtime.block_on(world::play(settings))?;
    Ok(Report::of(settings, history))
}

//! Handlers that contend for leases and do nothing else: hand-over and exclusion alone, without faults.
//!
//! Signals and what becomes of them are not here.

mod checks;
mod history;
mod report;
mod world;

use std::time::Duration;

pub(crate) use report::Report;

use super::protocol::Protocol;

/// What is simulated.
#[derive(Debug, Clone)]
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
pub(crate) fn run(settings: &Settings) -> anyhow::Result<Report> {
    let history = super::paused(world::play(settings.clone()))??;
    Ok(Report::of(settings.clone(), history))
}

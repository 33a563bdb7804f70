//! Many pods, one API server, no network and no waiting: contention under a paused clock, the same on every run of a seed.
//!
//! Each pod runs the real client code on a network that loses, delays and refuses. What happened is recorded as a
//! history, and a checker that shares no code with the players judges it. The arrows: `world` has pods, `pod` runs a
//! protocol on a `network`, all of them write through the `recorder`; `check` sees the `history` alone.

mod check;
mod clock;
mod history;
mod junit;
pub(crate) mod leases;
mod network;
mod order;
mod plan;
mod pod;
pub mod protocol;
pub mod protocols;
mod recorder;
mod report;
pub(crate) mod scenario;
mod shared;
mod svg;
mod sweep;
mod timeline;
mod world;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::future::Future;
use std::io::{BufRead, Write};

use check::Violation;
use history::{FORMAT, Header, History};
use protocol::Protocol;
use scenario::Scenario;

pub(crate) use report::Report;
pub(crate) use sweep::sweep;

/// How long a signal may wait while its pod can work. Both protocols give it 15 s; one that comes while a count of others
/// is being sent waits for that run to end, and then has a run of its own. 2 s are for sleeps that nobody cuts short.
const LONGEST_WAIT_SECONDS: u64 = 32;

/// What is simulated.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The scenario's name or file.
    pub(crate) name: String,
    pub(crate) scenario: Scenario,
    pub(crate) protocol: Protocol,
    /// The command that simulates the same, but for the seed.
    pub(crate) command: String,
}

/// One run and what was found in it.
#[derive(Debug)]
pub(crate) struct Run {
    history: History,
    by_verb: BTreeMap<String, u64>,
    violations: Vec<Violation>,
}

/// Runs one seed to its end, and judges it.
pub(crate) fn run(settings: &Settings, seed: u64) -> anyhow::Result<Run> {
    let played = world::play(&settings.scenario, &settings.protocol, seed);
    let recorded = paused(played)??;
    let header = Header {
        format: FORMAT.to_owned(),
        seed: Some(seed),
        protocol: settings.protocol.to_string(),
        scenario: settings.name.clone(),
        replay: Some(format!("{} --seed {seed}", settings.command)),
        longest_wait: Some(LONGEST_WAIT_SECONDS * 1_000_000),
    };
    Ok(Run::of(
        History {
            header,
            events: recorded.events,
        },
        recorded.by_verb,
    ))
}

impl Run {
    fn of(history: History, by_verb: BTreeMap<String, u64>) -> Self {
        Self {
            violations: check::check(&history),
            history,
            by_verb,
        }
    }

    /// Judges a history that was recorded.
    pub(crate) fn read(from: &mut dyn BufRead) -> anyhow::Result<Self> {
        let history = History::read(from)?;
        let mut by_verb = BTreeMap::new();
        for event in &history.events {
            if let history::What::Call { verb, resource, .. } = &event.what {
                *by_verb.entry(format!("{verb} {resource}")).or_default() += 1;
            }
        }
        Ok(Self::of(history, by_verb))
    }

    /// Writes the history.
    pub(crate) fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        self.history.write(out)
    }

    /// Who held what when, for a terminal.
    pub(crate) fn timeline(&self) -> String {
        timeline::render(&self.history, &self.violations)
    }

    /// The same as a picture.
    pub(crate) fn svg(&self) -> String {
        svg::render(&self.history, &self.violations)
    }
}

/// Runs something under a clock that does not wait.
fn paused<T>(future: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    if tracing::enabled!(tracing::Level::INFO) {
        return Ok(runtime.block_on(future));
    }
    // What pods warn of is what they are simulated for. It stands in the history.
    let silence = tracing::Dispatch::none();
    Ok(tracing::dispatcher::with_default(&silence, || {
        runtime.block_on(future)
    }))
}

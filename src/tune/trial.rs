//! Has a timing simulated on what was measured: its latencies, its failures and its outages, with crashes and pauses at the
//! moments at which a lease is held.

use std::collections::BTreeMap;
use std::time::Duration;

use gwlock_engine::protocol::timing::{DEFAULT_MARGIN, Timing};

use super::distribution::Distribution;
use super::history::measure;
use super::measured::{Measured, Requests};
use crate::sim::protocol::Protocol;
use crate::sim::scenario::{self, Arrival, Kind, Latency, Now, Planned, Scenario, Span};
use crate::sim::{self, Settings};

const PODS: u32 = 5;
/// What befalls the pods, one after another, each about a fingerprint of its own.
const ROUNDS: [Kind; 3] = [Kind::Crash, Kind::Pause, Kind::Crash];
/// Signals that come at the same time when a round begins.
const STORM: u32 = 5;
/// How long signals go on to come after a lease can be taken, so that somebody wants it.
const AFTER: Duration = Duration::from_secs(12);
/// In requests: a hold begins with the second after its signal, and its RemediationRequest is created with the fourth.
const INTO_A_HOLD: f64 = 2.2;
/// Between those signals.
const BETWEEN: Duration = Duration::from_millis(930);
/// Multiples of it are spread evenly, modulo 1.
const GOLDEN: f64 = 0.618_033_988_749_895;
/// As many latencies as show one in a thousand.
const LATENCIES: u64 = 1000;
/// Whoever crashes is back after a moment, under the same name.
const AWAY: Span = Span(Duration::from_secs(1), Duration::from_secs(5));

/// What simulations of a timing have shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trial {
    pub(crate) timing: Timing,
    pub(crate) seeds: u64,
    /// How often each rule was broken, and the first seed of each.
    pub(crate) violations: BTreeMap<&'static str, (u64, u64)>,
    pub(crate) holds: u64,
    /// Lost by a holder that was neither paused nor cut off.
    pub(crate) lost: u64,
    pub(crate) lost_stopped: u64,
    pub(crate) recoveries: Distribution,
}

/// Simulates every seed of a range.
pub(crate) fn run(
    measured: &Measured,
    timing: Timing,
    (first, last): (u64, u64),
    threads: usize,
) -> anyhow::Result<Trial> {
    let seeds = sim::each(first, last, threads, |seed| {
        let settings = Settings {
            name: "tune".to_owned(),
            scenario: scenario(measured, timing, seed),
            protocol: Protocol::default(),
            command: "gwlock tune".to_owned(),
        };
        let run = sim::run(&settings, seed)?;
        let rules: Vec<_> = run.violated().map(|rule| (rule, seed)).collect();
        Ok((measure(run.history()), rules))
    })?;
    let mut all = Measured::default();
    let mut violations = BTreeMap::new();
    for (seen, rules) in &seeds {
        all.absorb(seen);
        for (rule, seed) in rules {
            violations.entry(*rule).or_insert((0, *seed)).0 += 1;
        }
    }
    Ok(Trial {
        timing,
        seeds: seeds.len() as u64,
        violations,
        holds: all.rate.holds,
        lost: all.lost,
        lost_stopped: all.lost_stopped,
        recoveries: all.recoveries,
    })
}

/// The scenario in which a timing is tried. No seed begins at the same part of a second as the one before: stamps are whole
/// seconds, and how they are cut off decides about half of a second.
pub(super) fn scenario(measured: &Measured, timing: Timing, seed: u64) -> Scenario {
    let latencies = match measured.all.latencies.count() {
        0 => &measured.leases.latencies,
        _ => &measured.all.latencies,
    };
    let lasts = timing.lease_duration() + DEFAULT_MARGIN;
    let round = lasts + AFTER;
    let held = latencies.mean().unwrap_or(0.0) * INTO_A_HOLD;
    let held = Duration::try_from_secs_f64(held).unwrap_or_default();
    let rounds = ROUNDS.len();
    let (mut arrival, mut at) = (Vec::new(), Vec::new());
    for (number, fault) in (0..).zip(ROUNDS) {
        let part = (seed as f64 + f64::from(number) / rounds as f64) * GOLDEN;
        let begin = round * number + Duration::from_secs_f64(part.fract());
        arrival.extend((0..STORM).map(|_| (begin, Some(number))));
        let later = 1..round.div_duration_f64(BETWEEN) as u32;
        arrival.extend(later.map(|next| (begin + BETWEEN * next, Some(number))));
        let lasting = match fault {
            Kind::Pause => Span(Duration::from_secs(1), lasts * 2),
            _ => AWAY,
        };
        // Which of them holds the lease is not known before. One is left.
        let others = (0..PODS).filter(|pod| *pod != number % PODS);
        at.extend(others.map(|pod| Planned {
            at: begin + held,
            pod,
            fault,
            lasting,
        }));
    }
    let rounds = u32::try_from(rounds).unwrap_or(1);
    let mut scenario = Scenario {
        pods: PODS,
        fingerprints: rounds,
        arrival: Arrival::Times(arrival),
        lasting: round * rounds,
        timing,
        requests: failing(&measured.all, &measured.leases),
        at,
        ..Scenario::default()
    };
    if let Some(latency) = quantiles(latencies) {
        scenario.latency = latency;
    }
    scenario.often.partition = outages(measured);
    scenario
}

/// Outages as they were measured: as often for each process, and of every length between the shortest and the longest.
fn outages(measured: &Measured) -> Option<Now> {
    let lengths = &measured.outages;
    let count = lengths.count();
    let every = Duration::try_from_secs_f64(measured.watched / count as f64).ok()?;
    let length = |share| Duration::try_from_secs_f64(lengths.quantile(share)?).ok();
    Some(Now {
        every: every.max(Duration::from_secs(1)),
        lasting: Span(length(0.0)?, length(1.0)?),
    })
}

fn quantiles(latencies: &Distribution) -> Option<Latency> {
    let times = (0..=LATENCIES).filter_map(|part| {
        let seconds = latencies.quantile(part as f64 / LATENCIES as f64)?;
        Duration::try_from_secs_f64(seconds).ok()
    });
    Latency::measured(times.collect())
}

/// Every kind of failure in its share. What was not answered was carried out every other time.
fn failing(all: &Requests, leases: &Requests) -> scenario::Requests {
    let of = if all.attempts() > 0 { all } else { leases };
    let share = |count: u64| count as f64 / of.attempts().max(1) as f64;
    let status = |status: u16| of.refused.get(&status).copied().unwrap_or(0);
    let named = [0, 401, 403, 429, 503, 504];
    let others = of.refused.iter().filter(|(code, _)| !named.contains(code));
    let dark = share(of.unanswered + status(0)) / 2.0;
    scenario::Requests {
        lost: dark,
        unanswered: dark,
        too_many: share(status(429)),
        failing: share(others.map(|(_, count)| count).sum()),
        unavailable: share(status(503)),
        timed_out: share(status(504)),
        ..scenario::Requests::default()
    }
}

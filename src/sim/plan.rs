//! Which signal comes when, and what goes wrong when: everything random that does not depend on what pods do.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, RngExt};

use super::scenario::{Arrival, Kind, Latency, Now, Requests, Scenario, Span};

/// Something that happens at a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) at: Duration,
    pub(super) action: Action,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Action {
    /// A signal arrives for this fingerprint, at this pod if it runs.
    Signal {
        key: u32,
        pod: u32,
    },
    Begin {
        kind: Kind,
        pod: u32,
    },
    Finish {
        kind: Kind,
        pod: u32,
    },
}

/// Pods that this kind of fault befalls one by one.
pub(super) fn is_of_a_pod(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Crash | Kind::Pause | Kind::Partition | Kind::CutWatches | Kind::StallWatches
    )
}

/// Draws a plan, in the order of time; signals come all, faults until `lasting` or the last signal, whichever is later.
pub(super) fn draw(scenario: &Scenario, rng: &mut StdRng) -> Vec<Step> {
    let mut steps = signals(scenario, rng);
    let last = steps.last().map_or(Duration::ZERO, |step| step.at);
    let lasting = scenario.lasting.max(last);
    let often = &scenario.often;
    for (kind, now) in [
        (Kind::Crash, often.crash),
        (Kind::Pause, often.pause),
        (Kind::Partition, often.partition),
        (Kind::CutWatches, often.cut_watches),
        (Kind::StallWatches, often.stall_watches),
        (Kind::Restart, often.restart),
        (Kind::RestartWithoutCache, often.restart_without_cache),
        (Kind::DenyStatus, often.deny_status),
        (Kind::DenyLeases, often.deny_leases),
        (Kind::Touch, often.touch),
        (Kind::Orchestrate, often.orchestrate),
        (Kind::Delete, often.delete),
    ] {
        let Some(now) = now else { continue };
        let pods = if is_of_a_pod(kind) { scenario.pods } else { 1 };
        for pod in 0..pods {
            now_and_then(kind, pod, now, lasting, rng, &mut steps);
        }
    }
    for planned in &scenario.at {
        let (kind, pod) = (planned.fault, planned.pod);
        let ends = planned.at + within(planned.lasting, rng);
        push(kind, pod, planned.at, ends, &mut steps);
    }
    // Stable, so that what was drawn first happens first.
    steps.sort_by_key(|step| step.at);
    steps
}

fn signals(scenario: &Scenario, rng: &mut StdRng) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut at = Duration::ZERO;
    let fingerprints = scenario.fingerprints.max(1);
    let times = match &scenario.arrival {
        Arrival::Times(times) => times.clone(),
        Arrival::Burst => (0..scenario.signals)
            .map(|_| (Duration::from_secs_f64(rng.random_range(0.0..0.005)), None))
            .collect(),
        Arrival::Poisson(rate) => (0..scenario.signals)
            .map(|_| {
                at += exponential(Duration::from_secs_f64(1.0 / rate), rng);
                (at, None)
            })
            .collect(),
    };
    for (at, key) in times {
        let key = key.unwrap_or_else(|| rng.random_range(0..fingerprints)) % fingerprints;
        let signal = |pod| Action::Signal { key, pod };
        let pod = rng.random_range(0..scenario.pods);
        steps.push(Step {
            at,
            action: signal(pod),
        });
        if rng.random_bool(scenario.duplicates.clamp(0.0, 1.0)) {
            let pod = rng.random_range(0..scenario.pods);
            let later = Duration::from_secs_f64(rng.random_range(0.0..2.0));
            steps.push(Step {
                at: at + later,
                action: signal(pod),
            });
        }
    }
    steps.sort_by_key(|step| step.at);
    steps
}

fn now_and_then(
    kind: Kind,
    pod: u32,
    now: Now,
    lasting: Duration,
    rng: &mut StdRng,
    steps: &mut Vec<Step>,
) {
    let mut at = exponential(now.every, rng);
    while at < lasting {
        let ends = at + within(now.lasting, rng);
        push(kind, pod, at, ends, steps);
        at = ends + exponential(now.every, rng);
    }
}

fn push(kind: Kind, pod: u32, at: Duration, ends: Duration, steps: &mut Vec<Step>) {
    let step = |at, action| Step { at, action };
    steps.push(step(at, Action::Begin { kind, pod }));
    steps.push(step(ends, Action::Finish { kind, pod }));
}

/// Scales everything that a scenario varies, or leaves it out.
pub(super) fn vary(scenario: &mut Scenario, rng: &mut StdRng) {
    if !scenario.vary {
        return;
    }
    // Most faults are rare in most runs, so that those that are not come in all combinations.
    let mut scale = || match rng.next_u32() % 3 {
        0 => 0.0,
        1 => 0.125,
        _ => 1.0,
    };
    let Requests {
        lost,
        unanswered,
        late,
        slow,
        conflict,
        too_many,
        failing,
        unavailable,
        timed_out,
        late_by: _,
        slow_by: _,
    } = &mut scenario.requests;
    for rate in [
        lost,
        unanswered,
        late,
        slow,
        conflict,
        too_many,
        failing,
        unavailable,
        timed_out,
    ] {
        *rate *= scale();
    }
    let clocks = &mut scenario.clocks;
    for offset in [&mut clocks.offset, &mut clocks.api_server_offset] {
        *offset = offset.mul_f64(scale());
    }
    // A whole number of parts per million.
    if scale() == 0.0 {
        clocks.drift_ppm = 0;
    }
    let often = &mut scenario.often;
    for now in [
        &mut often.crash,
        &mut often.pause,
        &mut often.partition,
        &mut often.cut_watches,
        &mut often.stall_watches,
        &mut often.restart,
        &mut often.restart_without_cache,
        &mut often.deny_status,
        &mut often.deny_leases,
        &mut often.touch,
        &mut often.orchestrate,
        &mut often.delete,
    ] {
        let scale = scale();
        *now = now.filter(|_| scale > 0.0).map(|now| Now {
            every: now.every.div_f64(scale.sqrt()),
            ..now
        });
    }
}

/// A time between two bounds.
pub(super) fn within(span: Span, rng: &mut StdRng) -> Duration {
    let share: f64 = rng.random();
    span.0 + (span.1 - span.0).mul_f64(share)
}

/// How long one request takes. What was measured is read between its neighbours, and takes as many draws as a span.
pub(super) fn latency(latency: &Latency, rng: &mut StdRng) -> Duration {
    let times = match latency {
        Latency::Span(span) => return within(*span, rng),
        Latency::Measured(times) => times,
    };
    let share: f64 = rng.random();
    let place = share * (times.len() - 1) as f64;
    let (below, part) = (place.floor() as usize, place.fract());
    let above = (below + 1).min(times.len() - 1);
    times[below] + (times[above] - times[below]).mul_f64(part)
}

/// The time to the next of what happens independently, with this average.
fn exponential(mean: Duration, rng: &mut StdRng) -> Duration {
    let share: f64 = rng.random();
    mean.mul_f64(-(1.0 - share).ln())
}

//! What a run has to show, and whether it did. Pure.

use std::time::Duration;

use super::Protocol;
use super::measured::{KEEPS_UP, Measured};
use super::report::Highest;

/// By how much the P95 may rise with a lock, when each signal has its own fingerprint and when all have one: plan P5.
pub(super) const UNCONTENDED_RISE: Duration = Duration::from_millis(20);
pub(super) const CONTENDED_RISE: Duration = Duration::from_millis(50);
/// The share of signals that may fail in plan P5.
pub(super) const FEW: f64 = 0.001;

/// One line of the verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    pub(super) what: String,
    pub(super) measured: String,
    pub(super) wanted: String,
    pub(super) is_met: bool,
}

/// What every load has to show: no failure, and exact counts.
pub(super) fn of_load(measured: &Measured) -> Vec<Check> {
    let failures = measured.tally.failures();
    vec![
        Check {
            what: named(measured, "signals that failed"),
            measured: failures.to_string(),
            wanted: "0".to_owned(),
            is_met: failures == 0,
        },
        of_counts(measured),
    ]
}

/// What shows that a rate is held.
pub(super) fn of_rate(measured: &Measured) -> Vec<Check> {
    let rate = measured.block.load.rate;
    let mut checks = of_load(measured);
    checks.push(Check {
        what: named(measured, "p99"),
        measured: millis(measured.p99()),
        wanted: format!("at most {}", millis(measured.block.limit)),
        is_met: measured.p99() <= measured.block.limit,
    });
    checks.push(Check {
        what: named(measured, "answered a second"),
        measured: format!("{:.1}", measured.achieved()),
        wanted: format!("at least {:.1}", rate * KEEPS_UP),
        is_met: measured.keeps_up(),
    });
    checks
}

/// A search has to find something.
pub(super) fn of_search(highest: &[Highest]) -> Vec<Check> {
    let own = highest
        .iter()
        .filter(|highest| highest.protocol == Protocol::Gwlock);
    own.map(|highest| Check {
        what: "gwlock: the highest rate that is held".to_owned(),
        measured: highest
            .rate
            .map_or_else(|| "none".to_owned(), |rate| format!("{rate}/s")),
        wanted: "any".to_owned(),
        is_met: highest.rate.is_some(),
    })
    .collect()
}

/// One line of plan P5: how much a lock costs.
pub(super) fn of_rise(
    baseline: &Measured,
    measured: &Measured,
    what: &str,
    most: Duration,
) -> Vec<Check> {
    let (before, after) = (baseline.p95(), measured.p95());
    let rise = after.as_secs_f64() - before.as_secs_f64();
    let share = measured.failed_share();
    vec![
        Check {
            what: format!("{what}: rise of the p95"),
            measured: format!(
                "{:+.2} ms ({} without a lock, {} with it)",
                rise * 1e3,
                millis(before),
                millis(after)
            ),
            wanted: format!("below {}", millis(most)),
            is_met: rise < most.as_secs_f64(),
        },
        Check {
            what: format!("{what}: signals that failed"),
            measured: format!("{:.3} %", share * 100.0),
            wanted: format!("below {} %", FEW * 100.0),
            is_met: share < FEW,
        },
        Check {
            what: format!("{what}: counts"),
            ..of_counts(measured)
        },
    ]
}

/// Whether the RemediationRequests say what the senders were told.
pub(super) fn of_counts(measured: &Measured) -> Check {
    let exactness = &measured.exactness;
    let wrong = exactness.wrong.iter();
    let wrong: Vec<String> = wrong
        .map(|(wrong, (count, first))| format!("{count} {}, the first is {first}", wrong.words()))
        .collect();
    let exact = || {
        format!(
            "{} RemediationRequests, {} counted",
            exactness.created, exactness.counted
        )
    };
    let wanted = match exactness.unanswered {
        0 => format!("{} and {}", exactness.expected, exactness.answered),
        unanswered => format!(
            "up to {} and {} to {}",
            exactness.expected,
            exactness.answered,
            exactness.answered + unanswered
        ),
    };
    Check {
        what: named(measured, "counts"),
        measured: if wrong.is_empty() {
            exact()
        } else {
            wrong.join("; ")
        },
        wanted,
        is_met: exactness.is_exact(),
    }
}

fn named(measured: &Measured, what: &str) -> String {
    format!("{}: {what}", measured.block)
}

/// A latency, with as many digits as say something.
pub(super) fn millis(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1e3;
    match millis {
        ..10.0 => format!("{millis:.2} ms"),
        ..100.0 => format!("{millis:.1} ms"),
        _ => format!("{millis:.0} ms"),
    }
}

//! What was found, for people: tables, and the reasons in words. As JSON it is in `value`.

mod value;

use std::fmt::Write as _;
use std::time::Duration;

use gwlock_engine::protocol::timing::Timing;

use super::Measured;
use super::advice::{Advice, Candidate};
use super::distribution::Distribution;
use super::measured::Requests;
use super::trial::Trial;
use crate::output::table;

/// What the columns mean.
const LEGEND: [&str; 4] = [
    "FALSE EXPIRY: a holder that is alive loses its lease; at most, with 95 % confidence.",
    "AS SEEN: the same by the outages and pauses that were seen. /DAY: at most so many of all holds of a day.",
    "TRIES of a renewal before the deadline if each is refused, and if none is answered.",
    "RECOVERY: from the crash of a holder to the next one, on the average and at most.",
];

/// Everything that is told.
pub(crate) struct Report {
    /// What was read, each in words.
    pub(crate) sources: Vec<String>,
    pub(crate) measured: Measured,
    pub(crate) advice: Advice,
    /// Of the recommended timing and of the present one, as far as they were simulated.
    pub(crate) trials: Vec<Trial>,
}

impl Report {
    /// Whether there is a recommendation, and no simulation speaks against it.
    pub(crate) fn is_ok(&self) -> bool {
        let mut trials = self.trials.iter();
        self.advice.chosen.is_some() && trials.all(|trial| trial.violations.is_empty())
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = self.computed_from();
        text.push('\n');
        text.push_str(&self.table());
        text.push('\n');
        for line in self.reasons() {
            let _ = writeln!(text, "{line}");
        }
        if !self.trials.is_empty() {
            text.push('\n');
            text.push_str(&self.simulated());
        }
        text
    }

    fn computed_from(&self) -> String {
        let measured = &self.measured;
        let mut text = format!("Computed from {}:\n", self.sources.join(", "));
        let mut line = |what: &str, value: String| {
            let _ = writeln!(text, "  {what:<20} {value}");
        };
        line("holds", spread(&measured.holds));
        line("lease requests", told(&measured.leases));
        line("all requests", told(&measured.all));
        line("outages", self.outages());
        line(
            "pauses",
            match &measured.pauses {
                Some(pauses) => spread(pauses),
                None => "not measured: nothing read tells of them".to_owned(),
            },
        );
        line("crash recovery", spread(&measured.recoveries));
        line(
            "hand-over",
            match measured.hand_overs.count() {
                0 => "none seen; two requests are assumed".to_owned(),
                _ => spread(&measured.hand_overs),
            },
        );
        line(
            "lost leases",
            format!(
                "{} by healthy holders, {} by others or unknown; {} taken over",
                measured.lost, measured.lost_stopped, measured.takeovers
            ),
        );
        text
    }

    fn outages(&self) -> String {
        let measured = &self.measured;
        if measured.watched <= 0.0 {
            return "not measured: say with --over for how long the metrics count".to_owned();
        }
        let unexplained = match measured.unexplained {
            0 => String::new(),
            count => format!(", and {count} failures that may be some"),
        };
        let watched = time(measured.watched);
        format!(
            "{}{unexplained}, in {watched} of pod time",
            spread(&measured.outages)
        )
    }

    fn table(&self) -> String {
        let header = [
            "DURATION",
            "DEADLINE",
            "RETRY",
            "TRIES",
            "FALSE EXPIRY/HOLD",
            "AS SEEN",
            "/DAY",
            "RECOVERY",
            "WORST",
            "RENEWALS/S",
            "",
        ];
        let rows = self.advice.candidates.iter();
        let rows: Vec<Vec<String>> = rows.map(|candidate| self.row(candidate)).collect();
        table::render(&header, &rows)
    }

    fn row(&self, candidate: &Candidate) -> Vec<String> {
        let Candidate {
            timing,
            risk,
            recovery,
            load,
        } = candidate;
        let per_day = self.measured.rate.per_day();
        vec![
            duration(timing.lease_duration()),
            duration(timing.renew_deadline()),
            duration(timing.retry_period()),
            format!("{} ({})", load.tries, load.tries_unanswered),
            chance(risk.per_hold()),
            chance(risk.per_hold_seen()),
            per_day.map_or("-".to_owned(), |holds| count(holds * risk.per_hold())),
            time(recovery.mean),
            time(recovery.worst),
            format!("{:.3}", load.renewals),
            self.mark(candidate).to_owned(),
        ]
    }

    fn mark(&self, candidate: &Candidate) -> &'static str {
        let advice = &self.advice;
        let is = |other: &Candidate| other.timing == candidate.timing;
        let is_present = is(&advice.present);
        match (advice.chosen.as_ref().is_some_and(is), is_present) {
            (true, true) => "<- recommended, and as it is",
            (true, false) => "<- recommended",
            (false, true) => "as it is",
            _ if !candidate.is_tried_enough() => "fewer than 3 tries",
            _ => "",
        }
    }

    /// Why, and what to type.
    fn reasons(&self) -> Vec<String> {
        let advice = &self.advice;
        let target = chance(advice.target);
        let mut lines: Vec<String> = LEGEND.map(str::to_owned).into();
        lines.push(String::new());
        let Some(chosen) = &advice.chosen else {
            lines.extend(self.why_none_is_shorter());
            lines.push(self.why_none());
            lines.push(format!(
                "Until then {} stays as it is.",
                words(advice.present.timing)
            ));
            return lines;
        };
        lines.extend(self.why_none_is_shorter());
        lines.push(format!(
            "Recommended: {}, for a fleet of gwlock alone.",
            words(chosen.timing)
        ));
        lines.push(format!("  gwlock serve {}", flags(chosen.timing)));
        lines.push(format!(
            "It is the shortest lease that at most {target} of the holds lose while their holder is alive:"
        ));
        lines.push(format!("  {}.", parts(chosen)));
        if let Some(shorter) = self.next_shorter(chosen) {
            lines.push(if shorter.is_tried_enough() {
                format!(
                    "{} would be {}: {}.",
                    duration(shorter.timing.lease_duration()),
                    chance(shorter.risk.per_hold()),
                    parts(shorter)
                )
            } else {
                format!(
                    "{} leaves room for fewer than three tries.",
                    duration(shorter.timing.lease_duration())
                )
            });
        }
        lines.push(format!(
            "After a crash the next holder comes {} later on the average and {} at most, instead of {} and {}.",
            time(chosen.recovery.mean),
            time(chosen.recovery.worst),
            time(advice.present.recovery.mean),
            time(advice.present.recovery.worst)
        ));
        lines.push(format!(
            "Each lease that is held for long costs {:.3} requests a second, and {:.1} while they fail.",
            chosen.load.renewals, chosen.load.failing
        ));
        lines.push(beside_gateways(advice));
        lines
    }

    fn why_none(&self) -> String {
        let advice = &self.advice;
        if self.measured.watched <= 0.0 {
            return "No recommendation: nothing says for how long the metrics have counted, so nothing is known of outages."
                .to_owned();
        }
        format!(
            "No recommendation: these samples cannot show that at most {} of the holds are lost, but at best {}.\n\
             What was not seen may happen: it takes {} of pod time without an outage or a pause that is too long.",
            chance(advice.target),
            chance(advice.reachable),
            time(advice.hours_needed * 3600.0)
        )
    }

    /// Durations that no timing is left for.
    fn why_none_is_shorter(&self) -> Option<String> {
        let first = self.advice.candidates.first()?;
        (first.seconds() > 1).then(|| {
            format!(
                "Less than {} leaves no room for another try after an answer as slow as one in a hundred is, {}.",
                duration(first.timing.lease_duration()),
                self.measured
                    .leases
                    .latencies
                    .quantile(0.99)
                    .map_or("-".to_owned(), time)
            )
        })
    }

    fn next_shorter(&self, chosen: &Candidate) -> Option<&Candidate> {
        let mut shorter = self.advice.candidates.iter();
        shorter.rfind(|candidate| candidate.seconds() < chosen.seconds())
    }

    fn simulated(&self) -> String {
        let header = [
            "SIMULATED",
            "VIOLATIONS",
            "HOLDS",
            "FALSE EXPIRIES",
            "LOST WHILE STOPPED",
            "CRASHES",
            "P50",
            "P95",
            "MAX",
            "PREDICTED",
            "WORST",
        ];
        let rows: Vec<Vec<String>> = self.trials.iter().map(|trial| self.tried(trial)).collect();
        let mut text = table::render(&header, &rows);
        for trial in &self.trials {
            for (rule, (times, seed)) in &trial.violations {
                let _ = writeln!(
                    text,
                    "{}: {rule} was broken {times} times, first with seed {seed}",
                    words(trial.timing)
                );
            }
        }
        text
    }

    fn tried(&self, trial: &Trial) -> Vec<String> {
        let recovery = self.predicted(trial).recovery;
        let of = |share| {
            let quantile = trial.recoveries.quantile(share);
            quantile.map_or("-".to_owned(), time)
        };
        let violations: u64 = trial.violations.values().map(|(times, _)| times).sum();
        vec![
            words(trial.timing),
            violations.to_string(),
            trial.holds.to_string(),
            trial.lost.to_string(),
            trial.lost_stopped.to_string(),
            trial.recoveries.count().to_string(),
            of(0.5),
            of(0.95),
            of(1.0),
            time(recovery.mean),
            time(recovery.worst),
        ]
    }

    /// What the model says of a timing that was simulated.
    fn predicted(&self, trial: &Trial) -> &Candidate {
        let mut candidates = self.advice.candidates.iter().chain(&self.advice.chosen);
        candidates
            .find(|candidate| candidate.timing == trial.timing)
            .unwrap_or(&self.advice.present)
    }
}

/// The flags of a timing.
pub(crate) fn flags(timing: Timing) -> String {
    format!(
        "--lease-duration {} --renew-deadline {} --retry-period {}",
        duration(timing.lease_duration()),
        duration(timing.renew_deadline()),
        duration(timing.retry_period())
    )
}

fn beside_gateways(advice: &Advice) -> String {
    let present = duration(advice.present.timing.lease_duration());
    format!(
        "While plain gateways are in the fleet leave --lease-duration at {present}:\n  one that takes a gw-lock-* lease over \
         inherits its duration, and does not renew it."
    )
}

fn parts(candidate: &Candidate) -> String {
    let risk = &candidate.risk;
    let part = |part: Option<f64>| part.map_or("an unknown share".to_owned(), chance);
    let pauses = match risk.pauses {
        Some(share) => format!(", {} by pauses", chance(share)),
        None => String::new(),
    };
    format!(
        "{} by renewals that fail one by one, {} by outages{pauses}",
        chance(risk.retries),
        part(risk.outages)
    )
}

fn words(timing: Timing) -> String {
    format!(
        "{}/{}/{}",
        duration(timing.lease_duration()),
        duration(timing.renew_deadline()),
        duration(timing.retry_period())
    )
}

fn spread(samples: &Distribution) -> String {
    let of = |share| samples.quantile(share).map_or("-".to_owned(), time);
    match samples.count() {
        0 => "none".to_owned(),
        count => format!(
            "{count} (p50 {}, p99 {}, longest {})",
            of(0.5),
            of(0.99),
            of(1.0)
        ),
    }
}

fn told(requests: &Requests) -> String {
    let of = |share| {
        let quantile = requests.latencies.quantile(share);
        quantile.map_or("-".to_owned(), time)
    };
    let share = |count: u64| {
        let share = count as f64 / requests.attempts().max(1) as f64;
        format!("{:.2} %", share * 100.0)
    };
    let of_status = |status: &u16| requests.refused.get(status).copied().unwrap_or(0);
    let too_many = of_status(&429);
    format!(
        "{} (p50 {}, p99 {}, longest {}); {} not answered, {} 429, {} refused otherwise",
        requests.attempts(),
        of(0.5),
        of(0.99),
        of(1.0),
        share(requests.unanswered),
        share(too_many),
        share(requests.refusals() - too_many)
    )
}

/// A duration as flags take it.
fn duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis % 1000 {
        0 => format!("{}s", millis / 1000),
        _ => format!("{millis}ms"),
    }
}

/// Seconds, as exactly as people want them.
fn time(seconds: f64) -> String {
    match seconds {
        ..0.1 => format!("{:.3}s", seconds.max(0.0)),
        ..10.0 => format!("{seconds:.2}s"),
        ..600.0 => format!("{seconds:.1}s"),
        ..36_000.0 => format!("{:.0}m", seconds / 60.0),
        _ => format!("{:.0}h", seconds / 3600.0),
    }
}

/// A probability.
fn chance(share: f64) -> String {
    match share {
        0.0 => "0".to_owned(),
        0.001.. => format!("{share:.4}"),
        _ => format!("{share:.1e}"),
    }
}

/// How often something is expected.
fn count(times: f64) -> String {
    match times {
        10.0.. => format!("{times:.0}"),
        0.01.. => format!("{times:.2}"),
        _ => chance(times),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_as_exact_as_they_are_of_use() {
        let times = [0.0123, 0.5, 12.34, 700.0, 90_000.0].map(time);
        assert_eq!(times, ["0.012s", "0.50s", "12.3s", "12m", "25h"]);
        let chances = [0.0, 3.14e-7, 0.25].map(chance);
        assert_eq!(chances, ["0", "3.1e-7", "0.2500"]);
        assert_eq!([0.004, 0.5, 123.4].map(count), ["0.0040", "0.50", "123"]);
    }

    #[test]
    fn flags_of_a_timing_are_taken_as_they_are_printed() {
        let timing = Timing::with_duration(Duration::from_secs(9)).unwrap();
        assert_eq!(
            flags(timing),
            "--lease-duration 9s --renew-deadline 6s --retry-period 600ms"
        );
    }
}

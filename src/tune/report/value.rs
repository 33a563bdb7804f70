//! What was found, as JSON: a contract. Times are seconds.

use gwlock_engine::protocol::timing::Timing;
use serde_json::{Value, json};

use super::super::advice::Candidate;
use super::super::distribution::Distribution;
use super::super::measured::Requests;
use super::super::model::Recovery;
use super::super::trial::Trial;
use super::{Report, flags};
use crate::output::API_VERSION;

impl Report {
    /// As JSON.
    pub(crate) fn value(&self) -> Value {
        let Self {
            sources,
            measured,
            advice,
            ..
        } = self;
        let candidates = advice.candidates.iter();
        let candidates: Vec<Value> = candidates
            .map(|candidate| self.candidate(candidate))
            .collect();
        let per_day = measured.rate.per_day();
        let trials: Vec<Value> = self.trials.iter().map(|trial| self.trial(trial)).collect();
        json!({
            "apiVersion": API_VERSION, "kind": "TuningReport",
            "sources": sources,
            "measured": {
                "holds": samples(&measured.holds), "holdsPerDay": per_day,
                "leaseRequests": requests(&measured.leases), "requests": requests(&measured.all),
                "watchedSeconds": measured.watched, "outages": samples(&measured.outages),
                "unexplainedFailures": measured.unexplained, "pauses": measured.pauses.as_ref().map(samples),
                "crashRecovery": samples(&measured.recoveries), "handOver": samples(&measured.hand_overs),
                "lost": {"healthy": measured.lost, "otherwise": measured.lost_stopped}, "takenOver": measured.takeovers,
            },
            "target": advice.target, "reachableTarget": advice.reachable,
            "candidates": candidates,
            "recommendation": advice.chosen.as_ref().map(|chosen| self.candidate(chosen)),
            "besideGateways": timing(advice.present.timing),
            "simulation": trials,
        })
    }

    fn candidate(&self, candidate: &Candidate) -> Value {
        let Candidate {
            timing: own,
            risk,
            recovery: after,
            load,
        } = candidate;
        let per_day = self.measured.rate.per_day();
        let mut value = timing(*own);
        value["flags"] = json!(flags(*own));
        value["falseExpiry"] = json!({
            "perHold": risk.per_hold(), "perHoldSeen": risk.per_hold_seen(), "perHeldHour": risk.held_hour,
            "perDay": per_day.map(|holds| holds * risk.per_hold()), "perRenewal": risk.window,
            "byRetries": risk.retries, "byOutages": risk.outages, "byPauses": risk.pauses,
        });
        value["recoverySeconds"] = recovery(after);
        value["tries"] = json!({"refused": load.tries, "unanswered": load.tries_unanswered});
        value["requestsPerSecond"] = json!({"renewing": load.renewals, "failing": load.failing});
        value
    }

    fn trial(&self, trial: &Trial) -> Value {
        let mut value = timing(trial.timing);
        let violations = trial.violations.iter();
        let violations: Vec<Value> = violations
            .map(|(rule, (times, seed))| json!({"rule": rule, "times": times, "seed": seed}))
            .collect();
        value["seeds"] = json!(trial.seeds);
        value["violations"] = json!(violations);
        value["holds"] = json!(trial.holds);
        value["falseExpiries"] = json!(trial.lost);
        value["lostWhileStopped"] = json!(trial.lost_stopped);
        value["crashRecovery"] = samples(&trial.recoveries);
        value["predictedRecoverySeconds"] = recovery(&self.predicted(trial).recovery);
        value
    }
}

fn timing(timing: Timing) -> Value {
    json!({
        "leaseDurationSeconds": timing.lease_duration().as_secs(),
        "renewDeadlineSeconds": timing.renew_deadline().as_secs_f64(),
        "retryPeriodSeconds": timing.retry_period().as_secs_f64(),
    })
}

fn recovery(recovery: &Recovery) -> Value {
    json!({"mean": recovery.mean, "worst": recovery.worst})
}

fn samples(samples: &Distribution) -> Value {
    json!({
        "count": samples.count(), "mean": samples.mean(), "p50": samples.quantile(0.5), "p95": samples.quantile(0.95),
        "p99": samples.quantile(0.99), "max": samples.longest(),
    })
}

fn requests(requests: &Requests) -> Value {
    let refused: Value = requests
        .refused
        .iter()
        .map(|(status, count)| (status.to_string(), json!(count)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    json!({
        "count": requests.attempts(), "answered": requests.answered, "unanswered": requests.unanswered, "refused": refused,
        "latency": samples(&requests.latencies),
    })
}

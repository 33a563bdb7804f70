//! What a simulation shows.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::Settings;
use super::checks::{Violation, check};
use super::history::{History, Term};
use crate::output::{API_VERSION, table};

/// How many lines of the timeline are shown of a long run.
const SHOWN: usize = 24;

/// A simulation and its verdict.
#[derive(Debug)]
pub(crate) struct Report {
    settings: Settings,
    history: History,
    violations: Vec<Violation>,
    handovers: Vec<Duration>,
}

impl Report {
    pub(super) fn of(settings: Settings, history: History) -> Self {
        Self {
            violations: check(&history),
            handovers: handovers(&history.terms),
            settings,
            history,
        }
    }

    pub(crate) fn is_ok(&self) -> bool {
        self.violations.is_empty()
    }

    fn verdict(&self) -> &'static str {
        if self.is_ok() { "ok" } else { "violation" }
    }

    fn requests(&self) -> u64 {
        self.history.requests.values().sum()
    }

    fn requests_per_round(&self) -> f64 {
        let rounds = self.history.terms.len().max(1);
        // Counts of one run are far below what f64 holds exactly.
        #[expect(clippy::cast_precision_loss, reason = "counts are small")]
        let per_round = self.requests() as f64 / rounds as f64;
        (per_round * 100.0).round() / 100.0
    }

    fn percentile(&self, percent: usize) -> Duration {
        let last = self.handovers.len().saturating_sub(1);
        self.handovers
            .get(last * percent / 100)
            .copied()
            .unwrap_or_default()
    }

    /// As JSON.
    pub(crate) fn value(&self) -> Value {
        let Settings {
            seed,
            protocol,
            pods,
            keys,
            ..
        } = &self.settings;
        let ms = |duration: Duration| (duration.as_secs_f64() * 1e6).round() / 1e3;
        json!({
            "apiVersion": API_VERSION, "kind": "SimulationReport", "seed": seed, "protocol": protocol.to_string(), "pods": pods,
            "keys": keys, "rounds": self.history.terms.len(), "failures": self.history.failures,
            "verdict": self.verdict(), "violations": self.violations, "terms": self.history.terms,
            "simulatedSeconds": self.history.simulated.as_secs_f64(),
            "handoverMs": {"count": self.handovers.len(), "p50": ms(self.percentile(50)), "p95": ms(self.percentile(95)), "max": ms(self.percentile(100))},
            "requests": {"total": self.requests(), "perRound": self.requests_per_round(), "byVerb": self.history.requests},
        })
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let Settings {
            seed,
            pods,
            handlers,
            keys,
            ..
        } = &self.settings;
        let protocol = &self.settings.protocol;
        let terms = &self.history.terms;
        let mut text = format!(
            "{pods} pods × {handlers} handlers on {keys} keys, protocol {protocol}, seed {seed}: {} holds in {:.3}s of \
             simulated time\n\n",
            terms.len(),
            self.history.simulated.as_secs_f64()
        );
        text.push_str(&timeline(terms));
        let _ = write!(text, "\n\n{}", self.summary());
        text
    }

    fn summary(&self) -> String {
        let ms = |duration: Duration| format!("{:.1}ms", duration.as_secs_f64() * 1e3);
        let verbs: Vec<String> = self
            .history
            .requests
            .iter()
            .map(|(verb, count)| format!("{verb} {count}"))
            .collect();
        let mut lines = vec![
            format!(
                "hand-over   p50 {}, p95 {}, max {} ({} hand-overs to a waiting handler)",
                ms(self.percentile(50)),
                ms(self.percentile(95)),
                ms(self.percentile(100)),
                self.handovers.len()
            ),
            format!(
                "requests    {:.2} per hold: {}",
                self.requests_per_round(),
                verbs.join(", ")
            ),
            format!("failed      {} acquisitions", self.history.failures.len()),
        ];
        lines.extend(
            self.history
                .failures
                .iter()
                .take(3)
                .map(|failure| format!("            {failure}")),
        );
        lines.push(format!("verdict     {}", self.verdict()));
        for violation in self.violations.iter().take(5) {
            lines.push(format!(
                "            {}: {}",
                violation.rule, violation.message
            ));
        }
        if !self.is_ok() {
            lines.push(format!(
                "            {} violations; the same again: --seed {}",
                self.violations.len(),
                self.settings.seed
            ));
        }
        lines.join("\n")
    }
}

fn timeline(terms: &[Term]) -> String {
    let seconds = |duration: Duration| format!("{:.4}s", duration.as_secs_f64());
    let rows: Vec<Vec<String>> = terms
        .iter()
        .take(SHOWN)
        .map(|term| {
            vec![
                seconds(term.from),
                seconds(term.to),
                format!("{}/{}", term.pod, term.handler),
                term.key.clone(),
                term.token.clone().unwrap_or_else(|| "-".to_owned()),
                format!("{:.1}ms", (term.from - term.asked).as_secs_f64() * 1e3),
            ]
        })
        .collect();
    let mut text = table::render(
        &["HELD FROM", "TO", "BY", "LEASE", "TOKEN", "WAITED"],
        &rows,
    );
    if terms.len() > SHOWN {
        let _ = write!(
            text,
            "\n… {} more; -o json has them all",
            terms.len() - SHOWN
        );
    }
    text
}

/// From a release's answer to the next acquisition's, where somebody was waiting already.
fn handovers(terms: &[Term]) -> Vec<Duration> {
    let mut last: std::collections::HashMap<&str, &Term> = std::collections::HashMap::new();
    let mut handovers = Vec::new();
    for term in terms {
        if let Some(before) = last.insert(&term.key, term)
            && term.asked < before.to
        {
            handovers.push(term.from.saturating_sub(before.released));
        }
    }
    handovers.sort();
    handovers
}

//! What a run is told as: tables, a document, or JSON.

use serde_json::{Value, json};

use super::Protocol;
use super::checks::{Check, millis};
use super::measured::Measured;
use super::rows::{self, number, ratios};
use super::tally::Latencies;
use crate::output::{API_VERSION, table};

const PERCENTILES: [(&str, f64); 5] = [
    ("p50", 50.0),
    ("p90", 90.0),
    ("p95", 95.0),
    ("p99", 99.0),
    ("p999", 99.9),
];

/// Everything that a run has to say.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) items: Vec<Item>,
    pub(super) highest: Vec<Highest>,
    pub(super) checks: Vec<Check>,
}

/// A block, and what it is called where there are several kinds.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) name: Option<&'static str>,
    pub(super) measured: Measured,
}

/// The highest rate that a protocol holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Highest {
    pub(super) protocol: Protocol,
    pub(super) rate: Option<f64>,
}

impl Item {
    pub(super) fn of(measured: Measured) -> Self {
        Self {
            name: None,
            measured,
        }
    }

    pub(super) fn named(name: &'static str, measured: Measured) -> Self {
        Self {
            name: Some(name),
            measured,
        }
    }
}

impl Report {
    pub(super) fn is_met(&self) -> bool {
        self.checks.iter().all(|check| check.is_met)
    }

    pub(super) fn text(&self, is_wide: bool) -> String {
        let mut parts = vec![self.rows(is_wide)];
        if is_wide || self.items.len() == 1 {
            parts.extend(self.items.iter().flat_map(|item| details(&item.measured)));
        }
        parts.extend(errors(&self.items));
        // What was tried in a search is no measurement of a load.
        if self.highest.is_empty() {
            parts.extend(self.ratios());
        }
        parts.extend(self.found());
        if !self.checks.is_empty() {
            parts.push(self.verdict());
        }
        parts.join("\n")
    }

    /// A table of the blocks, for a document.
    pub(super) fn markdown(&self) -> String {
        let header: Vec<&str> = rows::HEADER.into_iter().chain(rows::WIDE).collect();
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let header: Vec<String> = header.into_iter().map(sentence).collect();
        let items = self.items.iter().map(|item| line(&rows::row(item, true)));
        let items: String = items.collect();
        format!("{}|{}\n{items}", line(&header), "---|".repeat(header.len()))
    }

    pub(super) fn value(&self) -> Value {
        let checks = self.checks.iter().map(|check| {
            json!({
                "check": check.what, "measured": check.measured, "wanted": check.wanted, "met": check.is_met,
            })
        });
        let mut value = json!({
            "apiVersion": API_VERSION,
            "kind": "SignalsBenchReport",
            "verdict": if self.is_met() { "ok" } else { "missed" },
            "checks": checks.collect::<Vec<_>>(),
            "items": self.items.iter().map(item).collect::<Vec<_>>(),
        });
        let ratios = ratios(&self.items);
        if !ratios.is_empty() {
            let ratios = ratios.iter().map(|ratio| {
                json!({
                    "case": ratio.name, "ratePerSecond": ratio.rate, "achieved": ratio.achieved, "p50": ratio.p50, "p99": ratio.p99,
                    "requestsPerSignal": ratio.requests_per_signal,
                })
            });
            value["ratios"] = ratios.collect();
        }
        if !self.highest.is_empty() {
            let highest = self.highest.iter().map(|highest| {
                json!({"protocol": highest.protocol.name(), "ratePerSecond": highest.rate})
            });
            value["highest"] = highest.collect();
            value["ratio"] = json!(self.ratio());
        }
        value
    }

    fn rows(&self, is_wide: bool) -> String {
        let mut header = rows::HEADER.to_vec();
        if is_wide {
            header.extend(rows::WIDE);
        }
        let items = self.items.iter();
        let rows: Vec<Vec<String>> = items.map(|item| rows::row(item, is_wide)).collect();
        table::render(&header, &rows)
    }

    fn ratios(&self) -> Option<String> {
        let rows: Vec<Vec<String>> = ratios(&self.items)
            .iter()
            .map(|ratio| {
                let figures = [
                    ratio.achieved,
                    ratio.p50,
                    ratio.p99,
                    ratio.requests_per_signal,
                ];
                let rate = number(ratio.rate);
                let mut cells = vec![match ratio.name {
                    Some(name) => format!("{rate}, {name}"),
                    None => rate,
                }];
                cells.extend(figures.map(|figure| format!("{figure:.2}")));
                cells
            })
            .collect();
        let header = [
            "GWLOCK / GATEWAY AT",
            "ACHIEVED",
            "P50",
            "P99",
            "REQUESTS/SIGNAL",
        ];
        (!rows.is_empty()).then(|| table::render(&header, &rows))
    }

    fn found(&self) -> Option<String> {
        let highest = self.highest.iter().map(|highest| {
            let rate = highest
                .rate
                .map_or_else(|| "none".to_owned(), |rate| format!("{}/s", number(rate)));
            vec![highest.protocol.name().to_owned(), rate]
        });
        let mut rows: Vec<Vec<String>> = highest.collect();
        if let Some(ratio) = self.ratio() {
            rows.push(vec!["ratio".to_owned(), format!("{ratio:.2}")]);
        }
        (!rows.is_empty()).then(|| table::render(&["PROTOCOL", "HIGHEST RATE HELD"], &rows))
    }

    /// gwlock's highest rate to the other protocol's.
    fn ratio(&self) -> Option<f64> {
        match self.highest.as_slice() {
            [own, other] => Some(own.rate? / other.rate?),
            _ => None,
        }
    }

    fn verdict(&self) -> String {
        let checks = self.checks.iter().map(|check| {
            let verdict = if check.is_met { "ok" } else { "missed" };
            vec![
                verdict.to_owned(),
                check.what.clone(),
                check.measured.clone(),
                check.wanted.clone(),
            ]
        });
        let rows: Vec<Vec<String>> = checks.collect();
        table::render(&["VERDICT", "CHECK", "MEASURED", "WANTED"], &rows)
    }
}

/// The tables of one block.
fn details(measured: &Measured) -> Vec<String> {
    let mut parts = vec![latencies(measured)];
    let requests = measured.requests.0.iter().map(|((verb, resource), count)| {
        vec![
            format!("{verb} {resource}"),
            count.to_string(),
            number(measured.per_second(*count)),
        ]
    });
    let requests: Vec<Vec<String>> = requests.collect();
    if !requests.is_empty() {
        let header = ["API REQUEST", "COUNT", "PER SECOND"];
        parts.push(table::render(&header, &requests));
    }
    parts
}

fn groups(measured: &Measured) -> [(&'static str, Latencies); 4] {
    let tally = &measured.tally;
    [
        ("all", tally.all()),
        ("created", tally.created.clone()),
        ("duplicate", tally.duplicates.clone()),
        ("failed", tally.failed.clone()),
    ]
}

fn latencies(measured: &Measured) -> String {
    let lag = ("(sent late by)", measured.tally.lag.clone());
    let groups = groups(measured).into_iter().chain([lag]);
    let rows = groups
        .filter(|(_, latencies)| latencies.count() > 0)
        .map(|(answer, latencies)| {
            let mut cells = vec![answer.to_owned(), latencies.count().to_string()];
            let percentiles = PERCENTILES.iter();
            cells.extend(
                percentiles.map(|(_, percentile)| millis(latencies.percentile(*percentile))),
            );
            cells.push(millis(latencies.max()));
            cells
        });
    let header = [
        "ANSWER", "SIGNALS", "P50", "P90", "P95", "P99", "P99.9", "MAX",
    ];
    table::render(&header, &rows.collect::<Vec<_>>())
}

fn errors(items: &[Item]) -> Option<String> {
    let rows = items.iter().flat_map(|Item { measured, .. }| {
        let failures = measured.tally.failures.iter();
        failures.map(|(kind, failures)| {
            vec![
                measured.block.to_string(),
                kind.clone(),
                failures.count.to_string(),
                failures.first.clone(),
            ]
        })
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let header = ["FAILED", "ANSWER", "SIGNALS", "THE FIRST ONE SAYS"];
    (!rows.is_empty()).then(|| table::render(&header, &rows))
}

fn item(item: &Item) -> Value {
    let measured = &item.measured;
    let (load, tally) = (&measured.block.load, &measured.tally);
    let latencies = groups(measured).into_iter();
    let latencies: serde_json::Map<String, Value> = latencies
        .map(|(answer, latencies)| (answer.to_owned(), distribution(&latencies)))
        .collect();
    let errors = tally.failures.iter().map(|(kind, failures)| {
        json!({"answer": kind, "signals": failures.count, "first": failures.first})
    });
    let requests = &measured.requests;
    let by_verb = requests.0.iter().map(|((verb, resource), count)| {
        json!({
            "verb": verb, "resource": resource, "count": count, "perSecond": measured.per_second(*count),
        })
    });
    let exactness = &measured.exactness;
    let wrong = exactness.wrong.iter().map(|(wrong, (count, first))| {
        json!({"what": wrong.words(), "fingerprints": count, "first": first})
    });
    let mut value = json!({
        "protocol": measured.block.protocol.name(),
        "replicas": measured.block.replicas,
        "wantedPerSecond": load.rate,
        "achievedPerSecond": measured.achieved(),
        "durationSeconds": load.duration.as_secs_f64(),
        "warmUpSeconds": load.warm_up.as_secs_f64(),
        "duplicates": load.duplicates,
        "workingSet": load.working_set,
        "signals": measured.signals(),
        "failed": tally.failures(),
        "latencyMs": latencies,
        "sendLagMs": distribution(&tally.lag),
        "errors": errors.collect::<Vec<_>>(),
        "requests": {
            "total": requests.total(),
            "perSecond": measured.per_second(requests.total()),
            "perSignal": measured.requests_per_signal(),
            "leasesPerSecond": measured.per_second(requests.leases()),
            "byVerb": by_verb.collect::<Vec<_>>(),
        },
        "counts": {
            "exact": exactness.is_exact(),
            "fingerprints": exactness.expected,
            "remediationRequests": exactness.created,
            "answered": exactness.answered,
            "unanswered": exactness.unanswered,
            "counted": exactness.counted,
            "wrong": wrong.collect::<Vec<_>>(),
        },
    });
    if let Some(name) = item.name {
        value["case"] = json!(name);
    }
    value
}

fn distribution(latencies: &Latencies) -> Value {
    let mut value = json!({"count": latencies.count()});
    if latencies.count() > 0 {
        let millis = |time: std::time::Duration| json!(time.as_secs_f64() * 1e3);
        for (name, percentile) in PERCENTILES {
            value[name] = millis(latencies.percentile(percentile));
        }
        value["max"] = millis(latencies.max());
    }
    value
}

/// `LEASE OPS/S` as `Lease ops/s`.
fn sentence(header: &str) -> String {
    let lower = header.to_lowercase().replace("api", "API");
    let (head, tail) = lower.split_at(1);
    format!("{}{tail}", head.to_uppercase())
}

#[cfg(test)]
mod tests;

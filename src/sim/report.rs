//! What simulations show, as a table and as JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::check::shrink;
use super::history::{Event, Outcome, What};
use super::{Run, Settings};
use crate::output::{API_VERSION, table};

/// How many events of a violation are shown to people.
const SHOWN: usize = 14;
/// How many requests are, so that the verdict is on the first screen.
const REQUESTS_SHOWN: usize = 12;

/// Runs and their verdict.
#[derive(Debug)]
pub(crate) struct Report {
    pub(super) protocol: String,
    pub(super) scenario: String,
    pods: u32,
    pub(super) seeds: Vec<Seed>,
    /// A history that was read, of which nothing else is known.
    recorded: bool,
    /// Pods of which not everything is known.
    incomplete: Vec<String>,
    /// How far times of different pods may be off each other, in microseconds.
    uncertainty: u64,
}

/// What is kept of one seed.
#[derive(Debug)]
pub(crate) struct Seed {
    pub(super) seed: u64,
    pub(super) violations: Vec<Shown>,
    results: Results,
    requests: Vec<Request>,
    by_verb: BTreeMap<String, u64>,
    /// Microseconds.
    pub(super) lasted: u64,
}

/// A violation with what shows it.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) rule: &'static str,
    key: String,
    pub(super) message: String,
    /// Microseconds.
    at: u64,
    /// Empty where the violation was counted only.
    events: Vec<Event>,
    replay: Option<String>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Results {
    signals: u64,
    created: u64,
    duplicate: u64,
    failed: u64,
    unknown: u64,
}

#[derive(Debug)]
struct Request {
    name: String,
    key: String,
    phase: String,
    count: Option<i64>,
    deleted: bool,
}

impl Seed {
    /// What one run showed; its violations reduced to the fewest events if that is wanted.
    pub(super) fn of(run: &Run, explain: bool) -> Self {
        let events = &run.history.events;
        let mut results = Results::default();
        let mut requests: BTreeMap<&str, Request> = BTreeMap::new();
        let mut open = BTreeSet::new();
        for event in events {
            match &event.what {
                What::Signal { signal, .. } => {
                    results.signals += 1;
                    open.insert(*signal);
                }
                What::Answer {
                    signal, outcome, ..
                } => {
                    open.remove(signal);
                    match outcome {
                        Outcome::Created => results.created += 1,
                        Outcome::Duplicate => results.duplicate += 1,
                        Outcome::Failed => results.failed += 1,
                        Outcome::Unknown => results.unknown += 1,
                    }
                }
                What::Request {
                    uid,
                    name,
                    key,
                    phase,
                    count,
                    deleted,
                    ..
                } => {
                    let request = Request {
                        name: name.clone(),
                        key: key.clone(),
                        phase: phase.clone(),
                        count: *count,
                        deleted: *deleted,
                    };
                    requests.insert(uid, request);
                }
                _ => {}
            }
        }
        // Of a signal whose process crashed nobody knows what became of it.
        results.unknown += open.len() as u64;
        let mut requests: Vec<Request> = requests.into_values().collect();
        requests.sort_by(|a, b| (&a.key, &a.name).cmp(&(&b.key, &b.name)));
        let shown = run.violations.iter().map(|violation| Shown {
            rule: violation.rule.as_str(),
            key: violation.key.clone(),
            message: violation.message.clone(),
            at: events[violation.at].at,
            events: match explain {
                true => shrink(&run.history, violation)
                    .into_iter()
                    .cloned()
                    .collect(),
                false => Vec::new(),
            },
            replay: run.history.header.replay.clone(),
        });
        Self {
            seed: run.history.header.seed.unwrap_or(0),
            violations: shown.collect(),
            results,
            requests,
            by_verb: run.by_verb.clone(),
            lasted: events.last().map_or(0, |event| event.at),
        }
    }
}

impl Shown {
    /// Rule, message, events and the command to replay it, a line each.
    pub(super) fn told(&self) -> String {
        let mut text = format!("{}: {}\n", self.rule, self.message);
        for event in &self.events {
            let _ = writeln!(text, "  {}", line(event));
        }
        if let Some(replay) = &self.replay {
            let _ = writeln!(text, "replay: {replay}");
        }
        text
    }
}

impl Report {
    /// Of simulations.
    pub(super) fn of(settings: &Settings, seeds: Vec<Seed>) -> Self {
        Self {
            protocol: settings.protocol.to_string(),
            scenario: settings.name.clone(),
            pods: settings.scenario.pods,
            seeds,
            recorded: false,
            incomplete: Vec::new(),
            uncertainty: 0,
        }
    }

    /// Of one simulation, in full.
    pub(crate) fn of_run(settings: &Settings, run: &Run) -> Self {
        Self::of(settings, vec![Seed::of(run, true)])
    }

    /// Of a history that was recorded somewhere.
    pub(crate) fn of_recorded(run: &Run) -> Self {
        let events = run.history.events.iter();
        let pods: BTreeSet<&str> = events.map(|event| event.pod.as_str()).collect();
        let pods = pods.into_iter().filter(|pod| !pod.is_empty()).count();
        Self {
            protocol: run.history.header.protocol.clone(),
            scenario: run.history.header.scenario.clone(),
            pods: u32::try_from(pods).unwrap_or(u32::MAX),
            seeds: vec![Seed::of(run, true)],
            recorded: true,
            incomplete: run.history.header.incomplete.clone(),
            uncertainty: run.history.header.uncertainty,
        }
    }

    pub(crate) fn is_ok(&self) -> bool {
        self.seeds.iter().all(|seed| seed.violations.is_empty())
    }

    fn verdict(&self) -> &'static str {
        if self.is_ok() { "ok" } else { "violation" }
    }

    fn results(&self) -> Results {
        let mut sum = Results::default();
        for Seed { results, .. } in &self.seeds {
            sum.signals += results.signals;
            sum.created += results.created;
            sum.duplicate += results.duplicate;
            sum.failed += results.failed;
            sum.unknown += results.unknown;
        }
        sum
    }

    fn by_verb(&self) -> BTreeMap<&str, u64> {
        let mut sum = BTreeMap::new();
        for (verb, count) in self.seeds.iter().flat_map(|seed| &seed.by_verb) {
            *sum.entry(verb.as_str()).or_default() += count;
        }
        sum
    }

    fn per_signal(&self) -> f64 {
        let total: u64 = self.by_verb().values().sum();
        // Counts of one run are far below what f64 holds exactly.
        #[expect(clippy::cast_precision_loss, reason = "counts are small")]
        let ratio = total as f64 / self.results().signals.max(1) as f64;
        (ratio * 100.0).round() / 100.0
    }

    /// As JSON.
    pub(crate) fn value(&self) -> Value {
        let results = self.results();
        let by_verb = self.by_verb();
        let violations = self.seeds.iter().flat_map(|seed| {
            seed.violations.iter().map(|violation| {
                json!({
                    "rule": violation.rule, "seed": seed.seed, "key": violation.key, "message": violation.message,
                    "atSeconds": seconds(violation.at), "events": violation.events, "replay": violation.replay,
                })
            })
        });
        let requests = match self.seeds.as_slice() {
            [seed] => seed.requests.as_slice(),
            _ => &[],
        };
        let requests = requests.iter().map(|request| {
            json!({
                "name": request.name, "fingerprint": request.key, "phase": request.phase, "count": request.count,
                "deleted": request.deleted,
            })
        });
        let mut value = json!({
            "apiVersion": API_VERSION, "kind": "SimulationReport",
            "seed": self.seeds.first().map(|seed| seed.seed), "seeds": self.seeds.len(),
            "protocol": self.protocol, "scenario": self.scenario, "pods": self.pods, "signals": results.signals,
            "verdict": self.verdict(), "violations": violations.collect::<Vec<_>>(),
            "results": {
                "created": results.created, "duplicate": results.duplicate, "failed": results.failed,
                "unknown": results.unknown,
            },
            "remediationRequests": requests.collect::<Vec<_>>(),
            "requests": {
                "total": by_verb.values().sum::<u64>(), "perSignal": self.per_signal(), "byVerb": by_verb,
            },
            "simulatedSeconds": seconds(self.seeds.iter().map(|seed| seed.lasted).sum()),
        });
        if self.uncertainty > 0 {
            value["uncertaintySeconds"] = json!(seconds(self.uncertainty));
        }
        if !self.incomplete.is_empty() {
            value["incomplete"] = json!(self.incomplete);
        }
        value
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let results = self.results();
        let what = match (self.recorded, self.seeds.as_slice()) {
            (true, _) => "recorded".to_owned(),
            (_, [seed]) => format!("seed {}", seed.seed),
            (_, seeds) => format!(
                "seeds {} to {}",
                seeds.first().map_or(0, |seed| seed.seed),
                seeds.last().map_or(0, |seed| seed.seed)
            ),
        };
        let mut text = format!(
            "scenario {}, protocol {}, {what}: {} pods, {} signals\n",
            self.scenario, self.protocol, self.pods, results.signals
        );
        let lines = &mut text;
        if let [seed] = self.seeds.as_slice()
            && !seed.requests.is_empty()
        {
            let _ = writeln!(lines, "\n{}", requests_table(&seed.requests));
        }
        let verbs: Vec<String> = self
            .by_verb()
            .iter()
            .map(|(verb, count)| format!("{verb} {count}"))
            .collect();
        let _ = writeln!(
            lines,
            "\nsignals     {} created, {} duplicates, {} failed, {} unknown",
            results.created, results.duplicate, results.failed, results.unknown
        );
        let _ = writeln!(
            lines,
            "requests    {} per signal: {}",
            self.per_signal(),
            verbs.join(", ")
        );
        let _ = write!(lines, "verdict     {}", self.verdict());
        if !self.incomplete.is_empty() {
            let _ = write!(
                lines,
                ", as far as is known without {}",
                self.incomplete.join(", ")
            );
        }
        if !self.is_ok() {
            text.push_str(&self.violations());
        }
        text
    }

    fn violations(&self) -> String {
        let mut text = String::new();
        let violating: Vec<&Seed> = self
            .seeds
            .iter()
            .filter(|seed| !seed.violations.is_empty())
            .collect();
        if self.seeds.len() > 1 {
            let _ = write!(
                text,
                " in {} of {} seeds",
                violating.len(),
                self.seeds.len()
            );
        }
        let mut rules: BTreeMap<&str, (usize, &Seed)> = BTreeMap::new();
        for seed in &violating {
            let own: BTreeSet<&str> = seed.violations.iter().map(|shown| shown.rule).collect();
            for rule in own {
                rules.entry(rule).or_insert((0, seed)).0 += 1;
            }
        }
        text.push_str("\n\n");
        if self.seeds.len() > 1 {
            let rows: Vec<Vec<String>> = rules
                .iter()
                .map(|(rule, (count, first))| {
                    vec![
                        (*rule).to_owned(),
                        count.to_string(),
                        first.seed.to_string(),
                    ]
                })
                .collect();
            let rules = table::render(&["RULE", "SEEDS", "FIRST SEED"], &rows);
            let _ = write!(text, "{}\n\n", rules.trim_end());
        }
        let mut told = violating.iter().flat_map(|seed| &seed.violations);
        if let Some(first) = told.next() {
            let _ = writeln!(text, "{}: {}", first.rule, first.message);
            for event in first.events.iter().take(SHOWN) {
                let _ = writeln!(text, "  {}", line(event));
            }
            if first.events.len() > SHOWN {
                let more = first.events.len() - SHOWN;
                let _ = writeln!(text, "  … {more} more events; -o json has them all");
            }
            if let Some(replay) = &first.replay {
                let _ = writeln!(text, "replay: {replay}");
            }
        }
        if self.seeds.len() == 1 {
            for shown in told {
                let _ = writeln!(text, "{}: {}", shown.rule, shown.message);
            }
        }
        text.trim_end().to_owned()
    }
}

fn requests_table(requests: &[Request]) -> String {
    let rows: Vec<Vec<String>> = requests
        .iter()
        .take(REQUESTS_SHOWN)
        .map(|request| {
            let phase = match (request.deleted, request.phase.as_str()) {
                (true, _) => "(deleted)",
                (_, "") => "-",
                (_, phase) => phase,
            };
            let count = request
                .count
                .map_or("-".to_owned(), |count| count.to_string());
            vec![
                request.name.clone(),
                request.key.clone(),
                phase.to_owned(),
                count,
            ]
        })
        .collect();
    let header = ["REMEDIATIONREQUEST", "FINGERPRINT", "PHASE", "COUNT"];
    let mut text = table::render(&header, &rows).trim_end().to_owned();
    if requests.len() > REQUESTS_SHOWN {
        let more = requests.len() - REQUESTS_SHOWN;
        let _ = write!(text, "\n… {more} more; -o json has them all");
    }
    text
}

/// Seconds to the microsecond.
fn seconds(at: u64) -> f64 {
    // A simulation is far shorter than f64 is exact for.
    #[expect(clippy::cast_precision_loss, reason = "some hours at most")]
    let seconds = at as f64 / 1e6;
    seconds
}

/// An event as a line for people.
pub(super) fn line(event: &Event) -> String {
    let option = |value: &Option<String>| value.clone().unwrap_or_default();
    let what = match &event.what {
        What::Started => "starts".to_owned(),
        What::Crashed => "crashes".to_owned(),
        What::Stopped { why } => format!("is {why}"),
        What::Resumed { why } => format!("is no longer {why}"),
        What::Fault { what } => what.clone(),
        What::Signal { signal, key } => format!("is sent signal {signal} of {key}"),
        What::Answer {
            signal,
            outcome,
            count,
            why,
            ..
        } => {
            let outcome = format!("{outcome:?}").to_lowercase();
            let count = count.map_or(String::new(), |count| format!(", count {count}"));
            let why = why.as_ref().map_or(String::new(), |why| format!(": {why}"));
            format!("answers signal {signal}: {outcome}{count}{why}")
        }
        What::Call {
            call,
            verb,
            resource,
            object,
            requires,
            ..
        } => {
            let requires = requires
                .as_ref()
                .map_or(String::new(), |version| format!(" at version {version}"));
            format!("sends request {call}: {verb} {resource} {object}{requires}")
        }
        What::Reply {
            call,
            status,
            version,
        } => {
            let status = status.map_or("the connection ends".to_owned(), |code| code.to_string());
            let version = version
                .as_ref()
                .map_or(String::new(), |version| format!(", version {version}"));
            format!("is answered request {call}: {status}{version}")
        }
        What::Held {
            key, holder, token, ..
        } => format!("holds {key} as {holder} {}", option(token)),
        What::Ended { key, why, .. } => format!("holds {key} no longer: {why}"),
        What::Request {
            name,
            phase,
            active,
            count,
            deleted,
            ..
        } => {
            let state = match (deleted, active) {
                (true, _) => "deleted",
                (_, true) => "active",
                (_, false) => "ended",
            };
            let count = count.map_or(String::new(), |count| format!(", count {count}"));
            let phase = match phase.as_str() {
                "" => String::new(),
                phase => format!(", phase {phase}"),
            };
            format!("{name} is {state}{phase}{count}")
        }
        What::Left {
            key,
            holder,
            expired,
        } => {
            let state = if *expired { "expired" } else { "not expired" };
            format!("{key} of {holder} is left, {state}")
        }
        What::End => "everybody has come to rest".to_owned(),
    };
    let pod = match (event.pod.as_str(), event.incarnation) {
        ("", _) => "-".to_owned(),
        (pod, 0) => pod.to_owned(),
        (pod, restarts) => format!("{pod}+{restarts}"),
    };
    let what = what.trim_end();
    format!("{:>11.6}s  {pod:<8} {what}", seconds(event.at))
}

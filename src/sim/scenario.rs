//! What is simulated: pods, signals and everything that goes wrong, as a file says it.
//!
//! Data and its reading. What happens at which moment is drawn by `plan`.

mod timing;

use std::sync::Arc;
use std::time::Duration;

use gwlock_engine::protocol::timing::Timing;
use jiff::SignedDuration;
use serde::{Deserialize, Deserializer};

use super::protocol::Protocol;

/// A scenario. What a file leaves out is calm.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Scenario {
    /// One line of help.
    pub(crate) help: String,
    #[serde(deserialize_with = "parsed")]
    pub(crate) protocol: Protocol,
    pub(crate) pods: u32,
    pub(crate) signals: u32,
    pub(crate) fingerprints: u32,
    #[serde(deserialize_with = "parsed")]
    pub(crate) arrival: Arrival,
    /// The share of signals that are delivered once more, to any pod.
    pub(crate) duplicates: f64,
    /// How long things go wrong at least.
    #[serde(deserialize_with = "span_end")]
    pub(crate) lasting: Duration,
    /// Every rate and clock is scaled down or left out at random, so that they come in all combinations.
    pub(crate) vary: bool,
    /// Leases of a process that is gone stand there from the beginning.
    pub(crate) leaked: bool,
    /// How long a request is on its way, there and back together.
    pub(crate) latency: Latency,
    /// How long leases last, and when their holders act; of pods that speak the engine's protocol.
    #[serde(deserialize_with = "timing::read")]
    pub(crate) timing: Timing,
    pub(crate) clocks: Clocks,
    pub(crate) requests: Requests,
    pub(crate) often: Often,
    /// Faults at set times.
    pub(crate) at: Vec<Planned>,
}

/// When signals come.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Arrival {
    /// All of them within some milliseconds.
    Burst,
    /// So many a second, independent of each other.
    Poisson(f64),
    /// At set times; seconds, and which fingerprint where that is said.
    Times(Vec<(Duration, Option<u32>)>),
}

/// From the least to the most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span(pub(crate) Duration, pub(crate) Duration);

/// How long requests take.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Latency {
    /// Any time of a span, all of them equally likely.
    Span(Span),
    /// What was measured: times at equal shares, from the least to the most. At least one.
    Measured(Arc<[Duration]>),
}

/// How far clocks are off at most, either way.
#[derive(Debug, Clone, Copy, Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Clocks {
    /// The wall clocks of pods.
    #[serde(deserialize_with = "span_end")]
    pub(crate) offset: Duration,
    /// How much faster or slower the clocks of pods run, in parts per million.
    pub(crate) drift_ppm: u32,
    /// The clocks of the API servers, of which every pod talks to one.
    #[serde(deserialize_with = "span_end")]
    pub(crate) api_server_offset: Duration,
}

/// What befalls a request; shares of all requests.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Requests {
    /// It is lost on its way.
    pub(crate) lost: f64,
    /// It is carried out, and its answer is lost.
    pub(crate) unanswered: f64,
    /// A write is carried out much later, whether or not its sender still waits.
    pub(crate) late: f64,
    pub(crate) late_by: Span,
    pub(crate) slow: f64,
    pub(crate) slow_by: Span,
    /// 409 for a write, and nothing is done.
    pub(crate) conflict: f64,
    /// 429, and nothing is done.
    pub(crate) too_many: f64,
    /// 500; every other time it was carried out.
    pub(crate) failing: f64,
    /// 503, and nothing is done.
    pub(crate) unavailable: f64,
    /// 504; every other time it was carried out.
    pub(crate) timed_out: f64,
}

/// What happens now and then, at random times: on the average once in `every`, for `lasting`.
#[derive(Debug, Clone, Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Often {
    /// To each pod.
    pub(crate) crash: Option<Now>,
    pub(crate) pause: Option<Now>,
    pub(crate) partition: Option<Now>,
    pub(crate) cut_watches: Option<Now>,
    pub(crate) stall_watches: Option<Now>,
    /// To the API server: nobody reaches it.
    pub(crate) restart: Option<Now>,
    /// The same, and it forgets what watches could go on from.
    pub(crate) restart_without_cache: Option<Now>,
    /// The right to write the status of requests is gone.
    pub(crate) deny_status: Option<Now>,
    /// The rights to leases are gone.
    pub(crate) deny_leases: Option<Now>,
    /// Somebody labels a lease.
    pub(crate) touch: Option<Now>,
    /// The orchestrator moves a request on.
    pub(crate) orchestrate: Option<Now>,
    /// A request that has ended is deleted.
    pub(crate) delete: Option<Now>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Now {
    #[serde(deserialize_with = "span_end")]
    pub(crate) every: Duration,
    #[serde(default = "nothing", rename = "for")]
    pub(crate) lasting: Span,
}

/// A fault at a set time.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Planned {
    #[serde(deserialize_with = "span_end")]
    pub(crate) at: Duration,
    /// The number of the pod, from 0; not needed for what happens to the API server.
    #[serde(default)]
    pub(crate) pod: u32,
    pub(crate) fault: Kind,
    #[serde(default = "nothing", rename = "for")]
    pub(crate) lasting: Span,
}

/// What can happen at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Kind {
    Crash,
    Pause,
    Partition,
    CutWatches,
    StallWatches,
    Restart,
    RestartWithoutCache,
    DenyStatus,
    DenyLeases,
    Touch,
    Orchestrate,
    Delete,
}

/// The scenarios that are built in, with their files.
const BUILT_IN: [(&str, &str); 15] = [
    ("storm", include_str!("../../scenarios/storm.yaml")),
    ("crash", include_str!("../../scenarios/crash.yaml")),
    ("pause", include_str!("../../scenarios/pause.yaml")),
    ("skew", include_str!("../../scenarios/skew.yaml")),
    (
        "lost-answers",
        include_str!("../../scenarios/lost-answers.yaml"),
    ),
    (
        "late-writes",
        include_str!("../../scenarios/late-writes.yaml"),
    ),
    (
        "label-touches",
        include_str!("../../scenarios/label-touches.yaml"),
    ),
    (
        "api-server-skew",
        include_str!("../../scenarios/api-server-skew.yaml"),
    ),
    ("brownout", include_str!("../../scenarios/brownout.yaml")),
    ("rbac", include_str!("../../scenarios/rbac.yaml")),
    ("restart", include_str!("../../scenarios/restart.yaml")),
    (
        "mixed-fleet",
        include_str!("../../scenarios/mixed-fleet.yaml"),
    ),
    ("leak", include_str!("../../scenarios/leak.yaml")),
    ("retention", include_str!("../../scenarios/retention.yaml")),
    (
        "everything",
        include_str!("../../scenarios/everything.yaml"),
    ),
];

impl Scenario {
    /// Reads a scenario from YAML.
    pub(crate) fn parse(yaml: &str) -> Result<Self, serde_yaml::Error> {
        let scenario: Self = serde_yaml::from_str(yaml)?;
        match scenario.wrong() {
            Some(wrong) => Err(serde::de::Error::custom(wrong)),
            None => Ok(scenario),
        }
    }

    /// What cannot be simulated.
    fn wrong(&self) -> Option<String> {
        for (name, number) in [
            ("pods", self.pods),
            ("signals", self.signals),
            ("fingerprints", self.fingerprints),
        ] {
            if number == 0 {
                return Some(format!("{name} has to be at least 1"));
            }
        }
        if self.clocks.drift_ppm > 100_000 {
            return Some("clocks that run a tenth too fast are no clocks: driftPpm".to_owned());
        }
        let requests = self.requests;
        for (name, share) in [
            ("duplicates", self.duplicates),
            ("lost", requests.lost),
            ("unanswered", requests.unanswered),
            ("late", requests.late),
            ("slow", requests.slow),
            ("conflict", requests.conflict),
            ("tooMany", requests.too_many),
            ("failing", requests.failing),
            ("unavailable", requests.unavailable),
            ("timedOut", requests.timed_out),
        ] {
            if !(0.0..=1.0).contains(&share) {
                return Some(format!("{name} is a share, from 0 to 1"));
            }
        }
        let often = [
            self.often.crash,
            self.often.pause,
            self.often.partition,
            self.often.cut_watches,
            self.often.stall_watches,
            self.often.restart,
            self.often.restart_without_cache,
            self.often.deny_status,
            self.often.deny_leases,
            self.often.touch,
            self.often.orchestrate,
            self.often.delete,
        ];
        let least = Duration::from_millis(1);
        let too_often = often.iter().flatten().any(|now| now.every < least);
        too_often.then(|| "every has to be at least 1ms".to_owned())
    }

    /// The scenario of this name, if there is one.
    pub(crate) fn built_in(name: &str) -> Option<Self> {
        let (_, yaml) = BUILT_IN.iter().find(|(own, _)| *own == name)?;
        Self::parse(yaml).ok()
    }

    /// Names and lines of help of all that are built in.
    pub(crate) fn list() -> Vec<(&'static str, String)> {
        BUILT_IN
            .iter()
            .map(|(name, yaml)| {
                let help = Self::parse(yaml).map(|scenario| scenario.help);
                (*name, help.unwrap_or_default())
            })
            .collect()
    }
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            help: String::new(),
            protocol: Protocol::default(),
            pods: 5,
            signals: 50,
            fingerprints: 1,
            arrival: Arrival::Burst,
            duplicates: 0.0,
            lasting: Duration::ZERO,
            vary: false,
            leaked: false,
            latency: Latency::Span(Span(Duration::from_micros(500), Duration::from_millis(3))),
            timing: Timing::default(),
            clocks: Clocks::default(),
            requests: Requests::default(),
            often: Often::default(),
            at: Vec::new(),
        }
    }
}

impl Default for Requests {
    fn default() -> Self {
        let span = |from, to| Span(Duration::from_millis(from), Duration::from_millis(to));
        Self {
            lost: 0.0,
            unanswered: 0.0,
            late: 0.0,
            late_by: span(1_000, 40_000),
            slow: 0.0,
            slow_by: span(10, 2_000),
            conflict: 0.0,
            too_many: 0.0,
            failing: 0.0,
            unavailable: 0.0,
            timed_out: 0.0,
        }
    }
}

impl std::str::FromStr for Arrival {
    type Err = String;

    /// Reads `burst` and `poisson:RATE`.
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "burst" {
            return Ok(Self::Burst);
        }
        let rate = text.strip_prefix("poisson:").map(str::parse::<f64>);
        match rate {
            Some(Ok(rate)) if rate.is_finite() && rate > 0.0 => Ok(Self::Poisson(rate)),
            _ => Err(format!(
                "\"{text}\" is no way to arrive: burst, poisson:RATE and a file are"
            )),
        }
    }
}

impl Arrival {
    /// Reads a line for each signal: seconds, and the number of its fingerprint, from 0, if it matters. `#` begins a
    /// comment.
    pub(crate) fn of_lines(text: &str) -> Result<Self, String> {
        let mut times = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_whitespace();
            let Some(seconds) = words.next() else {
                continue;
            };
            let wrong = || {
                format!(
                    "line {}: \"{line}\" is not SECONDS [FINGERPRINT]",
                    index + 1
                )
            };
            let seconds: f64 = seconds.parse().map_err(|_| wrong())?;
            let at = Duration::try_from_secs_f64(seconds).map_err(|_| wrong())?;
            let key = words.next().map(str::parse::<u32>).transpose();
            times.push((at, key.map_err(|_| wrong())?));
            if words.next().is_some() {
                return Err(wrong());
            }
        }
        if times.is_empty() {
            return Err("no signal is in it".to_owned());
        }
        times.sort_by_key(|(at, _)| *at);
        Ok(Self::Times(times))
    }
}

impl<'de> Deserialize<'de> for Span {
    /// `1s..5s`, or one duration for both.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::of(&text).map_err(serde::de::Error::custom)
    }
}

impl Span {
    fn of(text: &str) -> Result<Self, String> {
        let (from, to) = text.split_once("..").unwrap_or((text, text));
        let span = Self(duration(from)?, duration(to)?);
        if span.0 > span.1 {
            return Err(format!("{text} ends before it begins"));
        }
        Ok(span)
    }
}

impl<'de> Deserialize<'de> for Latency {
    /// A span, or a list of durations.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Span(String),
            Measured(Vec<String>),
        }
        let read = match Written::deserialize(deserializer)? {
            Written::Span(text) => Span::of(&text).map(Self::Span),
            Written::Measured(texts) => texts
                .iter()
                .map(|text| duration(text))
                .collect::<Result<Vec<Duration>, String>>()
                .and_then(|times| {
                    Self::measured(times).ok_or_else(|| "latency is empty".to_owned())
                }),
        };
        read.map_err(serde::de::Error::custom)
    }
}

impl Latency {
    /// From times of which each is as likely as the others, in any order.
    pub(crate) fn measured(mut times: Vec<Duration>) -> Option<Self> {
        times.sort();
        (!times.is_empty()).then(|| Self::Measured(times.into()))
    }
}

fn nothing() -> Span {
    Span(Duration::ZERO, Duration::ZERO)
}

fn span_end<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Span::deserialize(deserializer).map(|span| span.1)
}

fn parsed<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err = String>,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

fn duration(text: &str) -> Result<Duration, String> {
    let signed: SignedDuration = text
        .trim()
        .parse()
        .map_err(|_| format!("\"{text}\" is no duration: 30s, 1m30s and 500ms are"))?;
    Duration::try_from(signed).map_err(|_| format!("\"{text}\" is less than nothing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_scenario_can_be_read_and_says_what_it_is() {
        for (name, yaml) in BUILT_IN {
            let scenario = Scenario::parse(yaml).unwrap_or_else(|error| panic!("{name}: {error}"));
            let help = scenario.help;
            assert!(
                !help.is_empty() && !help.contains('\n') && help.len() < 100,
                "{name}: {help}"
            );
        }
    }

    #[test]
    fn a_scenario_that_cannot_be_meant_is_refused() {
        for yaml in [
            "pod: 3",
            "arrival: poisson:0",
            "protocol: raft",
            "latency: 5s..1s",
            "latency: []",
            "latency: [1ms, soon]",
            "timing: {leaseDuration: 1500ms}",
            "timing: {leaseDuration: 9s, renewDeadline: 9s}",
            "timing: {lease: 9s}",
            "pods: 0",
            "requests: {lost: 1.5}",
            "often: {crash: {every: 0s}}",
            "clocks: {driftPpm: 900000}",
            "often: {crash: {for: 1s}}",
            "at: [{at: 1s, fault: nothing}]",
        ] {
            assert!(Scenario::parse(yaml).is_err(), "{yaml}");
        }
    }

    #[test]
    fn arrivals_are_read_from_lines() {
        let seconds = Duration::from_secs;
        assert_eq!(
            Arrival::of_lines("2\n# nothing\n1 0  # the first\n"),
            Ok(Arrival::Times(vec![
                (seconds(1), Some(0)),
                (seconds(2), None)
            ]))
        );
        for text in ["", "soon", "-1", "1 2 3"] {
            assert!(Arrival::of_lines(text).is_err(), "{text}");
        }
    }
}

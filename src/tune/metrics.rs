//! Reads samples off the metrics of replicas: Prometheus text, as far as `gwlock serve` writes it.
//!
//! Where the text comes from is not known here.

use std::collections::BTreeMap;
use std::time::Duration;

use super::distribution::Distribution;
use super::measured::{Ending, Measured, Rate};

const LATENCIES: &str = "gateway_api_request_duration_seconds_bucket";
const REQUESTS: &str = "gateway_api_requests_total";
const HOLDS: &str = "gateway_lock_hold_duration_seconds_bucket";
const LOST: &str = "gateway_lock_lost_total";
const TAKEOVERS: &str = "gateway_lock_takeovers_total";

/// What a replica counted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Samples(Vec<Sample>);

#[derive(Debug, Clone, PartialEq)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// For how long samples were counted; nothing where nobody knows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Time {
    /// Seconds.
    pub(crate) over: f64,
    /// Seconds of all processes together.
    pub(crate) watched: f64,
}

/// Why a text is of no use.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MetricsError {
    #[error("line {0} is no sample: {1:?}")]
    Line(usize, String),
    #[error("{0} is not in it: these are not the metrics of gwlock serve, or of an older one")]
    Missing(&'static str),
}

impl Time {
    /// Of one process.
    pub(crate) fn of(over: Option<Duration>) -> Self {
        let over = over.map_or(0.0, |over| over.as_secs_f64());
        Self {
            over,
            watched: over,
        }
    }
}

impl Samples {
    /// Reads the text of `/metrics`.
    ///
    /// # Errors
    /// A line that is none, and metrics of something else.
    pub(crate) fn parse(text: &str) -> Result<Self, MetricsError> {
        let mut samples = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let sample = Sample::parse(line);
            let wrong = || MetricsError::Line(index + 1, line.chars().take(80).collect());
            samples.push(sample.ok_or_else(wrong)?);
        }
        let samples = Self(samples);
        for name in [HOLDS, LOST] {
            if samples.of(name).next().is_none() {
                return Err(MetricsError::Missing(name));
            }
        }
        Ok(samples)
    }

    /// What was counted since an earlier reading. A counter that is lower has begun anew, because its replica has.
    #[must_use]
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let before = |sample: &Sample| {
            earlier
                .of(&sample.name)
                .find(|other| other.labels == sample.labels)
                .map(|other| other.value)
                .filter(|value| *value <= sample.value)
        };
        let difference = |sample: &Sample| Sample {
            value: sample.value - before(sample).unwrap_or(0.0),
            ..sample.clone()
        };
        Self(self.0.iter().map(difference).collect())
    }

    /// What they say, and of how long.
    pub(crate) fn measured(&self, Time { over, watched }: Time) -> Measured {
        let holds = self.histogram(HOLDS, |_| true);
        let mut measured = Measured {
            rate: Rate {
                beside: match over > 0.0 {
                    true => holds.count() as f64 / over,
                    false => 0.0,
                },
                ..Rate::default()
            },
            holds,
            watched,
            lost_stopped: self.total(LOST),
            takeovers: self.total(TAKEOVERS),
            ..Measured::default()
        };
        for sample in self.of(REQUESTS) {
            let label = |name: &str| sample.labels.get(name).map_or("", String::as_str);
            let ending = match label("status").parse().unwrap_or(0) {
                0 => Ending::Unanswered,
                status => Ending::of(status),
            };
            let count = whole(sample.value);
            measured.all.add(ending, count);
            if label("resource") == "leases" {
                measured.leases.add(ending, count);
                if ending != Ending::Answered {
                    measured.unexplained += count;
                }
            }
        }
        measured.all.latencies = self.histogram(LATENCIES, |_| true);
        measured.leases.latencies =
            self.histogram(LATENCIES, |resource| resource == Some("leases"));
        measured
    }

    fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Sample> {
        self.0.iter().filter(move |sample| sample.name == name)
    }

    fn total(&self, name: &str) -> u64 {
        whole(self.of(name).map(|sample| sample.value).sum())
    }

    /// The buckets of the series that are about these resources, together.
    fn histogram(&self, name: &str, is_wanted: impl Fn(Option<&str>) -> bool) -> Distribution {
        let mut buckets: Vec<(f64, u64)> = Vec::new();
        for sample in self.of(name) {
            let resource = sample.labels.get("resource").map(String::as_str);
            if !is_wanted(resource) {
                continue;
            }
            let bound = match sample.labels.get("le").map(String::as_str) {
                Some("+Inf") | None => f64::INFINITY,
                Some(bound) => bound.parse().unwrap_or(f64::INFINITY),
            };
            let count = whole(sample.value);
            match buckets.iter_mut().find(|(other, _)| *other == bound) {
                Some((_, sum)) => *sum += count,
                None => buckets.push((bound, count)),
            }
        }
        buckets.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        Distribution::of_buckets(&buckets)
    }
}

impl Sample {
    /// `name{label="value",…} 1.5`, with whatever follows the value.
    fn parse(line: &str) -> Option<Self> {
        let name_ends = line.find(|c: char| c == '{' || c.is_whitespace())?;
        let (name, mut rest) = line.split_at(name_ends);
        let mut labels = BTreeMap::new();
        if let Some(inside) = rest.strip_prefix('{') {
            rest = read_labels(inside, &mut labels)?;
        }
        let value = rest.split_whitespace().next()?;
        let is_name = !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'));
        is_name.then_some(Self {
            name: name.to_owned(),
            labels,
            value: value.parse().ok()?,
        })
    }
}

/// Reads labels up to the brace, and returns what is behind it.
fn read_labels<'a>(mut text: &'a str, labels: &mut BTreeMap<String, String>) -> Option<&'a str> {
    loop {
        text = text.trim_start_matches([',', ' ']);
        if let Some(rest) = text.strip_prefix('}') {
            return Some(rest);
        }
        let (name, rest) = text.split_once("=\"")?;
        let mut value = String::new();
        let mut chars = rest.char_indices();
        let end = loop {
            match chars.next()? {
                (at, '"') => break at,
                (_, '\\') => value.push(match chars.next()?.1 {
                    'n' => '\n',
                    other => other,
                }),
                (_, other) => value.push(other),
            }
        };
        labels.insert(name.trim().to_owned(), value);
        text = &rest[end + 1..];
    }
}

/// A count; what is no number counts nothing.
fn whole(value: f64) -> u64 {
    value.max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const EARLIER: &str = r#"# HELP gateway_lock_lost …
gateway_lock_lost_total 1
gateway_lock_takeovers_total 0
gateway_lock_hold_duration_seconds_sum 4.2
gateway_lock_hold_duration_seconds_bucket{le="0.01"} 10
gateway_lock_hold_duration_seconds_bucket{le="0.1"} 10
gateway_lock_hold_duration_seconds_bucket{le="+Inf"} 10
# EOF
"#;

    const LATER: &str = r#"gateway_lock_lost_total 3
gateway_lock_takeovers_total 2
gateway_lock_hold_duration_seconds_bucket{le="0.01"} 14
gateway_lock_hold_duration_seconds_bucket{le="0.1"} 16
gateway_lock_hold_duration_seconds_bucket{le="+Inf"} 16
gateway_api_requests_total{verb="create",resource="leases",status="201"} 6
gateway_api_requests_total{verb="delete",resource="leases",status="0"} 1
gateway_api_requests_total{verb="create",resource="leases",status="429"} 2
gateway_api_requests_total{verb="list",resource="remediationrequests",status="200"} 9
gateway_api_request_duration_seconds_bucket{le="0.1",verb="create",resource="leases"} 7
gateway_api_request_duration_seconds_bucket{le="+Inf",verb="create",resource="leases"} 8
gateway_api_request_duration_seconds_bucket{le="0.1",verb="list",resource="remediationrequests"} 9
gateway_api_request_duration_seconds_bucket{le="+Inf",verb="list",resource="remediationrequests"} 9
"#;

    fn read(text: &str) -> Samples {
        Samples::parse(text).unwrap()
    }

    #[test]
    fn two_readings_say_what_happened_between_them() {
        let measured = read(LATER)
            .since(&read(EARLIER))
            .measured(Time::of(Some(Duration::from_secs(3))));
        assert_eq!(
            measured.holds,
            Distribution::weighted([(0.01, 4), (0.1, 2)])
        );
        assert_eq!(measured.rate.per_day(), Some(2.0 * 86_400.0));
        assert_eq!((measured.lost_stopped, measured.takeovers), (2, 2));
        assert_eq!((measured.leases.answered, measured.all.answered), (6, 15));
        assert_eq!((measured.leases.unanswered, measured.unexplained), (1, 3));
        assert_eq!(measured.leases.refused, BTreeMap::from([(429, 2)]));
        assert_eq!(
            measured.leases.latencies,
            Distribution::weighted([(0.1, 7), (0.2, 1)])
        );
        assert_eq!((measured.watched, &measured.pauses), (3.0, &None));
    }

    #[test]
    #[cfg(feature = "serve")]
    fn what_a_replica_writes_is_understood() {
        let metrics = crate::gateway::server::metrics::Metrics::default();
        let took = Duration::from_millis(30);
        metrics.asked("create", "leases", 201, took);
        metrics.asked("create", "leases", 0, took);
        metrics.asked("list", "remediationrequests", 503, took);
        let measured = read(&metrics.text().unwrap()).measured(Time::default());
        assert_eq!(
            (measured.leases.answered, measured.leases.unanswered),
            (1, 1)
        );
        assert_eq!(measured.all.refused, BTreeMap::from([(503, 1)]));
        let latencies = &measured.leases.latencies;
        assert_eq!(*latencies, Distribution::weighted([(0.05, 1)]));
        assert_eq!(measured.holds.count(), 0);
    }

    #[test]
    fn a_replica_that_began_anew_has_counted_what_it_says() {
        let measured = read(EARLIER).since(&read(LATER)).measured(Time::default());
        assert_eq!((measured.holds.count(), measured.lost_stopped), (10, 1));
        assert_eq!((measured.rate.per_day(), measured.watched), (None, 0.0));
    }

    #[test]
    fn labels_are_unescaped_and_exemplars_passed_over() {
        let line = r#"a:b{x="1,}\"\\ \n",y=""} 1e3 1700000000 # {trace="t"} 0.5"#;
        let sample = Sample::parse(line).unwrap();
        assert_eq!((sample.name.as_str(), sample.value), ("a:b", 1000.0));
        assert_eq!(sample.labels["x"], "1,}\"\\ \n");
        assert_eq!(sample.labels["y"], "");
    }

    #[test]
    fn text_of_something_else_is_refused_with_what_is_wrong() {
        assert_eq!(
            Samples::parse("<html>\n"),
            Err(MetricsError::Line(1, "<html>".to_owned()))
        );
        assert_eq!(
            Samples::parse("go_goroutines 7\n"),
            Err(MetricsError::Missing(HOLDS))
        );
        for line in ["a", "a{b=\"c\" 1", "a{b=\"c\"} x", "{} 1", "a{b} 1"] {
            assert!(Sample::parse(line).is_none(), "{line}");
        }
    }
}

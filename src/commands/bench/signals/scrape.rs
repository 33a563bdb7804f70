//! What replicas count of themselves: requests out of their metrics, and the metrics of several as those of one.
//!
//! Only what a replica writes is read, not every text that Prometheus takes.

use std::collections::BTreeMap;

const REQUESTS: &str = "gateway_api_requests_total{";
const END: &str = "# EOF";

/// Requests to the API server, by verb and resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Requests(pub(super) BTreeMap<(String, String), u64>);

/// A metric with its description and its samples, in their order.
#[derive(Debug, Default)]
struct Family {
    described: Vec<String>,
    samples: Vec<(String, f64)>,
}

impl Requests {
    /// Those of one replica since it started, whatever they were answered.
    pub(super) fn read(metrics: &str) -> Self {
        let mut requests = BTreeMap::new();
        for line in metrics.lines() {
            let Some((labels, value)) = line
                .strip_prefix(REQUESTS)
                .and_then(|rest| rest.rsplit_once("} "))
            else {
                continue;
            };
            let (Some(verb), Some(resource)) = (label(labels, "verb"), label(labels, "resource"))
            else {
                continue;
            };
            let count: u64 = value.trim().parse().unwrap_or(0);
            *requests
                .entry((verb.to_owned(), resource.to_owned()))
                .or_default() += count;
        }
        Self(requests)
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (asked, count) in &other.0 {
            *self.0.entry(asked.clone()).or_default() += count;
        }
    }

    /// What has come since an earlier reading.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        let since = self.0.iter().map(|(asked, count)| {
            let before = earlier.0.get(asked).copied().unwrap_or(0);
            (asked.clone(), count.saturating_sub(before))
        });
        Self(since.filter(|(_, count)| *count > 0).collect())
    }

    pub(super) fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Those for leases.
    pub(super) fn leases(&self) -> u64 {
        let leases = self
            .0
            .iter()
            .filter(|((_, resource), _)| resource == "leases");
        leases.map(|(_, count)| count).sum()
    }
}

/// The value of a label; a replica's verbs and resources hold nothing that would have to be escaped.
fn label<'a>(labels: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = labels.split_once(&format!("{name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

/// One text in which every sample is the sum of those of the replicas. They all count what has happened.
pub(super) fn sum(texts: &[String]) -> String {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for text in texts {
        let mut name = String::new();
        for line in text.lines().filter(|line| *line != END) {
            if let Some(description) = line.strip_prefix("# ") {
                name = description.split(' ').nth(1).unwrap_or_default().to_owned();
                let family = families.entry(name.clone()).or_default();
                if !family.described.iter().any(|known| known == line) {
                    family.described.push(line.to_owned());
                }
            } else if let Some((series, value)) = line.rsplit_once(' ') {
                let value: f64 = value.parse().unwrap_or(0.0);
                let samples = &mut families.entry(name.clone()).or_default().samples;
                match samples.iter_mut().find(|(known, _)| known == series) {
                    Some((_, sum)) => *sum += value,
                    None => samples.push((series.to_owned(), value)),
                }
            }
        }
    }
    let mut text = String::new();
    for family in families.values() {
        for line in &family.described {
            text.push_str(&format!("{line}\n"));
        }
        for (series, value) in &family.samples {
            text.push_str(&format!("{series} {value}\n"));
        }
    }
    text.push_str(&format!("{END}\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "\
# HELP gateway_api_requests Requests for leases and RemediationRequests; status 0 is no answer.
# TYPE gateway_api_requests counter
gateway_api_requests_total{verb=\"list\",resource=\"remediationrequests\",status=\"200\"} 7
gateway_api_requests_total{verb=\"create\",resource=\"leases\",status=\"201\"} 2
gateway_api_requests_total{verb=\"create\",resource=\"leases\",status=\"409\"} 1
# HELP gateway_lock_hold_duration_seconds Time from the acquisition to the end of the release.
# TYPE gateway_lock_hold_duration_seconds histogram
gateway_lock_hold_duration_seconds_sum 0.25
gateway_lock_hold_duration_seconds_count 2
gateway_lock_hold_duration_seconds_bucket{le=\"+Inf\"} 2
# EOF
";
    const OTHER: &str = "\
# HELP gateway_api_requests Requests for leases and RemediationRequests; status 0 is no answer.
# TYPE gateway_api_requests counter
gateway_api_requests_total{verb=\"delete\",resource=\"leases\",status=\"200\"} 2
gateway_api_requests_total{verb=\"list\",resource=\"remediationrequests\",status=\"200\"} 3
# HELP gateway_lock_hold_duration_seconds Time from the acquisition to the end of the release.
# TYPE gateway_lock_hold_duration_seconds histogram
gateway_lock_hold_duration_seconds_sum 0.5
gateway_lock_hold_duration_seconds_count 3
gateway_lock_hold_duration_seconds_bucket{le=\"+Inf\"} 3
# EOF
";

    fn requests(asked: &[(&str, &str, u64)]) -> Requests {
        let asked = asked.iter();
        Requests(
            asked
                .map(|(verb, resource, count)| {
                    (((*verb).to_owned(), (*resource).to_owned()), *count)
                })
                .collect(),
        )
    }

    #[test]
    fn requests_are_read_whatever_they_were_answered() {
        let read = Requests::read(ONE);
        let expected = [("create", "leases", 3), ("list", "remediationrequests", 7)];
        assert_eq!(read, requests(&expected));
        assert_eq!((read.total(), read.leases()), (10, 3));
        assert_eq!(Requests::read("nothing\n# EOF\n"), Requests::default());
    }

    #[test]
    fn a_difference_holds_what_has_come_since() {
        let mut both = Requests::read(ONE);
        both.add(&Requests::read(OTHER));
        let since = both.since(&Requests::read(ONE));
        let expected = [("delete", "leases", 2), ("list", "remediationrequests", 3)];
        assert_eq!(since, requests(&expected));
    }

    #[test]
    fn the_metrics_of_several_replicas_are_those_of_one() {
        let sum = sum(&[ONE.to_owned(), OTHER.to_owned()]);
        let expected = "\
# HELP gateway_api_requests Requests for leases and RemediationRequests; status 0 is no answer.
# TYPE gateway_api_requests counter
gateway_api_requests_total{verb=\"list\",resource=\"remediationrequests\",status=\"200\"} 10
gateway_api_requests_total{verb=\"create\",resource=\"leases\",status=\"201\"} 2
gateway_api_requests_total{verb=\"create\",resource=\"leases\",status=\"409\"} 1
gateway_api_requests_total{verb=\"delete\",resource=\"leases\",status=\"200\"} 2
# HELP gateway_lock_hold_duration_seconds Time from the acquisition to the end of the release.
# TYPE gateway_lock_hold_duration_seconds histogram
gateway_lock_hold_duration_seconds_sum 0.75
gateway_lock_hold_duration_seconds_count 5
gateway_lock_hold_duration_seconds_bucket{le=\"+Inf\"} 5
# EOF
";
        assert_eq!(sum, expected);
    }
}

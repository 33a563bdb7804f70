//! A line for each block, and how two protocols compare.

use super::Protocol;
use super::checks::millis;
use super::measured::Measured;
use super::report::Item;
use super::scrape::Requests;

pub(super) const HEADER: [&str; 10] = [
    "PROTOCOL",
    "WANTED/S",
    "ACHIEVED/S",
    "P50",
    "P99",
    "FAILED",
    "COUNTS",
    "API REQUESTS/S",
    "LEASE OPS/S",
    "REQUESTS/SIGNAL",
];
/// What there is more of where there is room.
pub(super) const WIDE: [&str; 4] = ["P95", "MAX", "SEND LAG P99", "API REQUESTS/S BY KIND"];

/// How gwlock's figures relate to those of another protocol.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ratio {
    /// What the blocks are called.
    pub(super) name: Option<&'static str>,
    pub(super) rate: f64,
    pub(super) achieved: f64,
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) requests_per_signal: f64,
}

pub(super) fn row(item: &Item, is_wide: bool) -> Vec<String> {
    let measured = &item.measured;
    let all = measured.tally.all();
    let requests = &measured.requests;
    let protocol = match item.name {
        Some(name) => format!("{}, {name}", measured.block.protocol.name()),
        None => measured.block.protocol.name().to_owned(),
    };
    let mut cells = vec![
        protocol,
        number(measured.block.load.rate),
        number(measured.achieved()),
        millis(all.percentile(50.0)),
        millis(all.percentile(99.0)),
        measured.tally.failures().to_string(),
        counts(measured),
        number(measured.per_second(requests.total())),
        number(measured.per_second(requests.leases())),
        format!("{:.2}", measured.requests_per_signal()),
    ];
    if is_wide {
        cells.extend([
            millis(all.percentile(95.0)),
            millis(all.max()),
            millis(measured.tally.lag.percentile(99.0)),
            kinds(measured, requests),
        ]);
    }
    cells
}

/// Whether the counts are exact, and if not, how far off they are.
fn counts(measured: &Measured) -> String {
    let exactness = &measured.exactness;
    if exactness.is_exact() {
        return "exact".to_owned();
    }
    let mut wrong = Vec::new();
    let lost = exactness.answered.saturating_sub(exactness.counted);
    if lost > 0 {
        wrong.push(format!("{lost} lost"));
    }
    let more = exactness.created.saturating_sub(exactness.expected);
    if more > 0 {
        wrong.push(format!("{more} requests too many"));
    }
    if wrong.is_empty() {
        wrong.push("wrong".to_owned());
    }
    wrong.join(", ")
}

/// Requests a second by verb and resource, in kubectl's short names.
fn kinds(measured: &Measured, requests: &Requests) -> String {
    let kinds = requests.0.iter().map(|((verb, resource), count)| {
        let resource = resource.replace("remediationrequests", "rr");
        let resource = resource.replace("leases", "lease");
        format!("{verb} {resource} {}", number(measured.per_second(*count)))
    });
    kinds.collect::<Vec<_>>().join(", ")
}

/// A rate, with as many digits as say something.
pub(super) fn number(rate: f64) -> String {
    let text = format!("{rate:.1}");
    match text.strip_suffix(".0") {
        Some(whole) => whole.to_owned(),
        None if rate >= 100.0 => format!("{rate:.0}"),
        None => text,
    }
}

/// For each load that both protocols were measured with, the medians of the ratios of neighbouring blocks.
pub(super) fn ratios(items: &[Item]) -> Vec<Ratio> {
    let mut ratios: Vec<Vec<Ratio>> = Vec::new();
    for pair in items.windows(2) {
        let [own, other] = [&pair[0].measured, &pair[1].measured];
        let is_pair = own.block.protocol == Protocol::Gwlock
            && other.block.protocol != Protocol::Gwlock
            && own.block.load == other.block.load
            && pair[0].name == pair[1].name;
        if !is_pair {
            continue;
        }
        let ratio = Ratio::of(pair[0].name, own, other);
        match ratios.last_mut() {
            Some(same) if same[0].is_of_the_load_of(&ratio) => same.push(ratio),
            _ => ratios.push(vec![ratio]),
        }
    }
    ratios.iter().map(|same| Ratio::median(same)).collect()
}

impl Ratio {
    fn is_of_the_load_of(&self, other: &Self) -> bool {
        self.name == other.name && self.rate.to_bits() == other.rate.to_bits()
    }

    fn of(name: Option<&'static str>, own: &Measured, other: &Measured) -> Self {
        let percentile = |percentile| {
            let seconds = |measured: &Measured| {
                let all = measured.tally.all();
                all.percentile(percentile).as_secs_f64()
            };
            seconds(own) / seconds(other)
        };
        Self {
            name,
            rate: own.block.load.rate,
            achieved: own.achieved() / other.achieved(),
            p50: percentile(50.0),
            p99: percentile(99.0),
            requests_per_signal: own.requests_per_signal() / other.requests_per_signal(),
        }
    }

    fn median(same: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| {
            let mut figures: Vec<f64> = same.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2]
        };
        Self {
            name: same[0].name,
            rate: same[0].rate,
            achieved: of(|ratio| ratio.achieved),
            p50: of(|ratio| ratio.p50),
            p99: of(|ratio| ratio.p99),
            requests_per_signal: of(|ratio| ratio.requests_per_signal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_as_many_digits_as_say_something() {
        for (rate, expected) in [
            (0.4, "0.4"),
            (5.0, "5"),
            (99.94, "99.9"),
            (99.96, "100"),
            (100.4, "100"),
            (12_345.6, "12346"),
        ] {
            assert_eq!(number(rate), expected, "{rate}");
        }
    }
}

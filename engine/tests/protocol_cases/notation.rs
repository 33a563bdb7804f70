//! How moments, times and requests are written in the cases.

use std::time::Duration;

use gwlock_engine::protocol::clock::Moment;
use gwlock_engine::protocol::exchange::{Request, Version};
use gwlock_engine::protocol::record::Claim;
use jiff::Timestamp;

/// Every case plays on one morning.
const DAY: &str = "2026-11-23";

/// The acquisition that a case tells of; written `me`.
pub(crate) const ME: &str = "gateway-1_00000000000000aa";

/// `250ms`, `4s`, `31.5s`.
pub(crate) fn parse_duration(text: &str) -> Duration {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1e-3),
        None => (
            text.strip_suffix('s')
                .unwrap_or_else(|| panic!("{text:?} has no unit")),
            1.0,
        ),
    };
    let number: f64 = number
        .parse()
        .unwrap_or_else(|_| panic!("{text:?} is no duration"));
    Duration::from_micros((number * unit * 1e6).round() as u64)
}

pub(crate) fn parse_moment(text: &str) -> Moment {
    Moment::from_origin(parse_duration(text))
}

/// `09:00:00` or `09:00:00.25`.
pub(crate) fn parse_time(text: &str) -> Timestamp {
    format!("{DAY}T{text}Z")
        .parse()
        .unwrap_or_else(|_| panic!("{text:?} is no time"))
}

pub(crate) fn show_duration(duration: Duration) -> String {
    let micros = duration.as_micros();
    let (number, unit) = if micros > 0 && micros < 1_000_000 {
        (micros as f64 / 1e3, "ms")
    } else {
        (duration.as_millis() as f64 / 1e3, "s")
    };
    let text = if unit == "ms" {
        format!("{number:.0}")
    } else {
        format!("{number:.3}")
    };
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    format!("{text}{unit}")
}

pub(crate) fn show_moment(moment: Moment) -> String {
    show_duration(moment.since_origin())
}

pub(crate) fn show_time(time: Timestamp) -> String {
    let text = time.to_string();
    match text.strip_prefix(DAY) {
        Some(rest) => rest
            .trim_start_matches('T')
            .trim_end_matches('Z')
            .to_owned(),
        None => text,
    }
}

pub(crate) fn parse_holder(text: &str) -> Option<String> {
    match text {
        "none" => None,
        "me" => Some(ME.to_owned()),
        other => Some(other.to_owned()),
    }
}

pub(crate) fn show_holder(holder: Option<&str>) -> &str {
    match holder {
        None | Some("") => "none",
        Some(ME) => "me",
        Some(other) => other,
    }
}

pub(crate) fn show_claim(claim: &Claim) -> String {
    let mut text = format!("holder={}", show_holder(claim.holder.as_deref()));
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            text.push_str(&format!(" {name}={value}"));
        }
    };
    add("acquire", claim.acquire_time.map(show_time));
    add("renew", claim.renew_time.map(show_time));
    add(
        "duration",
        claim
            .lease_duration_seconds
            .map(|seconds| format!("{seconds}s")),
    );
    add(
        "transitions",
        claim.lease_transitions.map(|count| count.to_string()),
    );
    text
}

pub(crate) fn show_version(version: &Version) -> String {
    format!("uid={} rv={}", version.uid, version.resource_version)
}

/// A request with its deadline, where that is not the usual 5 s.
pub(crate) fn show_request(request: &Request, timeout: Duration) -> String {
    let text = match request {
        Request::Create(claim) => format!("POST {}", show_claim(claim)),
        Request::Get => "GET".to_owned(),
        Request::Replace { version, claim } => {
            format!("PUT {} {}", show_version(version), show_claim(claim))
        }
        Request::Delete(version) => format!("DELETE {}", show_version(version)),
    };
    if timeout == Duration::from_secs(5) {
        text
    } else {
        format!("{text} timeout={}", show_duration(timeout))
    }
}

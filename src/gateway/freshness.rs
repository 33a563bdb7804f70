//! Whether a signal is recent enough to act on. `now` comes from outside.
//!
//! The rules are the running gateway's, but for two:
//!
//! | There | Here |
//! |---|---|
//! | with `X-Timestamp` nobody looks at `startsAt`; without it one alert in the future refuses the whole batch | every alert is looked at, and refused alone |
//! | events that carry only `eventTime` or a series are refused | their own times count |

use jiff::{SignedDuration, Timestamp};

use super::GatewayVersion;
use super::event::Event;
use super::payload::{FieldError, Problem, excerpt};
use super::prometheus::{Alert, Webhook};

/// The header with the moment of sending, in seconds since 1970.
pub const HEADER: &str = "X-Timestamp";

/// How old a request or an event may be: 5 min. Alerts may fire for any time.
pub const MAX_AGE: SignedDuration = SignedDuration::from_mins(5);

/// How far the sender's clock may be ahead: 2 min.
pub const MAX_AHEAD: SignedDuration = SignedDuration::from_mins(2);

/// Checks a webhook as a whole: the header where there is one, otherwise that at least one alert says since when it
/// fires. January's gateway insists on the header.
///
/// # Errors
/// [`FieldError`], which refuses all alerts.
pub fn check_webhook(
    version: GatewayVersion,
    header: Option<&str>,
    webhook: &Webhook,
    now: Timestamp,
) -> Result<(), FieldError> {
    if let Some(text) = header {
        return check_header(text, now);
    }
    if version == GatewayVersion::January {
        return Err(FieldError::new(HEADER, Problem::Missing));
    }
    if webhook.alerts.iter().all(|alert| alert.starts_at.is_none()) {
        return Err(FieldError::new("alerts[0].startsAt", Problem::Missing));
    }
    Ok(())
}

/// Checks one alert: it must not start in the future.
///
/// # Errors
/// [`FieldError`], which refuses this alert.
pub fn check_alert(alert: &Alert, now: Timestamp) -> Result<(), FieldError> {
    alert.starts_at.map_or(Ok(()), |starts_at| {
        not_ahead(starts_at, now)
            .map_err(|problem| FieldError::new(alert.path("startsAt"), problem))
    })
}

/// Checks an event. January's gateway insists on the header; the current one does not look at it.
///
/// # Errors
/// [`FieldError`].
pub fn check_event(
    version: GatewayVersion,
    header: Option<&str>,
    event: &Event,
    now: Timestamp,
) -> Result<(), FieldError> {
    if version == GatewayVersion::January {
        let text = header.ok_or_else(|| FieldError::new(HEADER, Problem::Missing))?;
        return check_header(text, now);
    }
    let last_seen = event
        .last_seen()
        .ok_or_else(|| FieldError::new("lastTimestamp", Problem::Missing))?;
    fresh(last_seen, now).map_err(|problem| FieldError::new("lastTimestamp", problem))
}

fn check_header(text: &str, now: Timestamp) -> Result<(), FieldError> {
    let seconds = text.parse().ok().filter(|seconds: &i64| *seconds >= 0);
    seconds
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .ok_or_else(|| {
            let text = excerpt(text);
            Problem::NotSeconds { text }
        })
        .and_then(|sent| fresh(sent, now))
        .map_err(|problem| FieldError::new(HEADER, problem))
}

fn fresh(moment: Timestamp, now: Timestamp) -> Result<(), Problem> {
    let age = now.duration_since(moment);
    if age > MAX_AGE {
        return Err(Problem::TooOld {
            seconds: age.as_secs(),
            limit: MAX_AGE.as_secs(),
        });
    }
    not_ahead(moment, now)
}

fn not_ahead(moment: Timestamp, now: Timestamp) -> Result<(), Problem> {
    let ahead = moment.duration_since(now);
    if ahead > MAX_AHEAD {
        return Err(Problem::InTheFuture {
            seconds: ahead.as_secs(),
            limit: MAX_AHEAD.as_secs(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use GatewayVersion::{Current, January};
    use serde_json::json;

    use super::*;

    /// 2026-11-23T09:00:00Z
    const NOW: i64 = 1_795_424_400;

    fn now() -> Timestamp {
        Timestamp::from_second(NOW).unwrap()
    }

    fn told(result: Result<(), FieldError>) -> String {
        result.map_or_else(|error| error.to_string(), |()| "fresh".to_owned())
    }

    fn webhook(starts: &[&str]) -> Webhook {
        let alerts: Vec<_> = starts
            .iter()
            .map(|start| json!({"startsAt": start}))
            .collect();
        Webhook::parse(json!({"alerts": alerts}).to_string().into()).unwrap()
    }

    const NEVER: &str = "0001-01-01T00:00:00Z";

    #[test]
    fn the_header_may_be_five_minutes_old_and_two_ahead() {
        for (header, expected) in [
            (NOW.to_string(), "fresh"),
            ((NOW - 300).to_string(), "fresh"),
            (
                (NOW - 301).to_string(),
                "X-Timestamp: 301 s old, at most 300 s are accepted",
            ),
            ((NOW + 120).to_string(), "fresh"),
            (
                (NOW + 121).to_string(),
                "X-Timestamp: 121 s in the future, at most 120 s are accepted",
            ),
            (
                "-1".to_owned(),
                "X-Timestamp: \"-1\" is no number of seconds since 1970",
            ),
            (
                "soon".to_owned(),
                "X-Timestamp: \"soon\" is no number of seconds since 1970",
            ),
            (
                i64::MAX.to_string(),
                "X-Timestamp: \"9223372036854775807\" is no number of seconds since 1970",
            ),
            (
                "99999999999999999999".to_owned(),
                "X-Timestamp: \"99999999999999999999\" is no number of seconds since 1970",
            ),
        ] {
            let hook = webhook(&[NEVER]);
            let answer = told(check_webhook(Current, Some(&header), &hook, now()));
            assert_eq!(answer, expected, "{header}");
        }
    }

    #[test]
    fn without_the_header_one_alert_has_to_say_since_when_it_fires() {
        let hook = webhook(&[NEVER, "1999-01-01T00:00:00Z"]);
        assert_eq!(told(check_webhook(Current, None, &hook, now())), "fresh");
        let hook = webhook(&[NEVER, NEVER]);
        assert_eq!(
            told(check_webhook(Current, None, &hook, now())),
            "alerts[0].startsAt: missing"
        );
    }

    #[test]
    fn an_alert_in_the_future_is_refused_alone() {
        let hook = webhook(&[
            "2026-11-23T09:02:00Z",
            "2026-11-23T09:02:01Z",
            "1999-01-01T00:00:00Z",
            NEVER,
        ]);
        let answers: Vec<_> = hook
            .alerts
            .iter()
            .map(|alert| told(check_alert(alert, now())))
            .collect();
        assert_eq!(
            answers,
            [
                "fresh",
                "alerts[1].startsAt: 121 s in the future, at most 120 s are accepted",
                "fresh",
                "fresh"
            ]
        );
    }

    #[test]
    fn an_event_may_be_five_minutes_old_and_two_ahead() {
        for (first, last, expected) in [
            (None, Some("2026-11-23T08:55:00Z"), "fresh"),
            (
                None,
                Some("2026-11-23T08:54:59Z"),
                "lastTimestamp: 301 s old, at most 300 s are accepted",
            ),
            (
                Some("2026-11-23T09:00:00Z"),
                Some("2026-11-23T08:54:59Z"),
                "lastTimestamp: 301 s old, at most 300 s are accepted",
            ),
            (Some("2026-11-23T09:00:00Z"), None, "fresh"),
            (
                None,
                Some("2026-11-23T09:02:01Z"),
                "lastTimestamp: 121 s in the future, at most 120 s are accepted",
            ),
            (None, None, "lastTimestamp: missing"),
        ] {
            let event = event(json!({"firstTimestamp": first, "lastTimestamp": last}));
            let answer = told(check_event(Current, Some("0"), &event, now()));
            assert_eq!(answer, expected, "{first:?} {last:?}");
        }
        let event = event(json!({"eventTime": "2026-11-23T08:59:00.000000Z"}));
        assert_eq!(told(check_event(Current, None, &event, now())), "fresh");
    }

    #[test]
    fn januarys_gateway_wants_the_header_and_nothing_else() {
        let hook = webhook(&["2026-11-23T09:00:00Z"]);
        let event = event(json!({}));
        for (header, expected) in [
            (None, "X-Timestamp: missing"),
            (Some(NOW.to_string()), "fresh"),
            (
                Some((NOW - 301).to_string()),
                "X-Timestamp: 301 s old, at most 300 s are accepted",
            ),
        ] {
            let header = header.as_deref();
            assert_eq!(told(check_webhook(January, header, &hook, now())), expected);
            assert_eq!(told(check_event(January, header, &event, now())), expected);
        }
    }

    fn event(times: serde_json::Value) -> Event {
        let mut body = json!({
            "type": "Warning", "reason": "r", "involvedObject": {"kind": "Pod", "name": "p"}
        });
        let serde_json::Value::Object(times) = times else {
            panic!("{times}");
        };
        body.as_object_mut().unwrap().extend(times);
        Event::parse(body.to_string().into()).unwrap()
    }
}

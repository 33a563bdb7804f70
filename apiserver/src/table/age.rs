//! Ages as kubectl prints them.

use jiff::Timestamp;
use serde_json::Value;

use crate::golang::time::parse_time;

const UNKNOWN: &str = "<unknown>";

/// The time since a `metav1.Time` in a field; `<unknown>` if there is none.
pub(super) fn since(time: &Value, now: Timestamp) -> String {
    match time.as_str().map(parse_time) {
        Some(Ok(time)) => between(time, now),
        _ => UNKNOWN.to_owned(),
    }
}

/// The time from one moment to another, in kubectl's short form: `5s`, `3m20s`, `7h5m`, `3d7h`.
pub(super) fn between(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.as_second() - from.as_second();
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let with_rest = |value: i64, unit: &str, rest: i64, rest_unit: &str| {
        if rest == 0 {
            format!("{value}{unit}")
        } else {
            format!("{value}{unit}{rest}{rest_unit}")
        }
    };
    match seconds {
        // Clocks differ a little; more than a second is not a little.
        ..-1 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => with_rest(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => with_rest(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => with_rest(hours / 24, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{}d", hours / 24),
        63_072_000..252_288_000 => with_rest(hours / 24 / 365, "y", hours / 24 % 365, "d"),
        _ => format!("{}y", hours / 24 / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_get_coarser_as_they_grow() {
        const MINUTE: i64 = 60;
        const HOUR: i64 = 3600;
        const DAY: i64 = 86_400;
        let cases = [
            (-5, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (3 * MINUTE + 43, "3m43s"),
            (10 * MINUTE + 5, "10m"),
            (179 * MINUTE, "179m"),
            (3 * HOUR, "3h"),
            (7 * HOUR + 5 * MINUTE, "7h5m"),
            (8 * HOUR + 5 * MINUTE, "8h"),
            (47 * HOUR, "47h"),
            (3 * DAY + 7 * HOUR, "3d7h"),
            (7 * DAY, "7d"),
            (8 * DAY + 7 * HOUR, "8d"),
            (729 * DAY, "729d"),
            (730 * DAY, "2y"),
            (6 * 365 * DAY + 328 * DAY, "6y328d"),
            (9 * 365 * DAY + 5 * DAY, "9y"),
        ];
        for (seconds, expected) in cases {
            let to = Timestamp::from_second(seconds).unwrap();
            assert_eq!(between(Timestamp::UNIX_EPOCH, to), expected, "{seconds}");
        }
        assert_eq!(since(&Value::Null, Timestamp::UNIX_EPOCH), "<unknown>");
    }
}

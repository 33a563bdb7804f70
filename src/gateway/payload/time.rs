//! Dates as RFC 3339 has them, and no other of the many forms of ISO 8601.

use jiff::Timestamp;

/// Go's zero time, which its programs write where there is no time.
const ZERO: &str = "0001-01-01T00:00:00Z";

/// Reads a date. `Some(None)` is the zero time.
///
/// Leap seconds are refused, as Go refuses them, and years outside 1 to 9999, which no Kubernetes object can hold.
pub(in crate::gateway) fn rfc3339(text: &str) -> Option<Option<Timestamp>> {
    if !has_shape(text.as_bytes()) || text.get(17..19) == Some("60") {
        return None;
    }
    let moment: Timestamp = text.parse().ok()?;
    let zero: Timestamp = ZERO.parse().ok()?;
    (moment >= zero).then(|| (moment > zero).then_some(moment))
}

/// `dddd-dd-ddTdd:dd:dd[.d…](Z|±dd:dd)`.
fn has_shape(text: &[u8]) -> bool {
    const HEAD: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    const OFFSET: &[u8] = b"dd:dd";
    let fits = |part: &[u8], shape: &[u8]| {
        part.len() == shape.len()
            && part.iter().zip(shape).all(|(byte, shape)| match shape {
                b'd' => byte.is_ascii_digit(),
                _ => byte == shape,
            })
    };
    let Some((head, mut rest)) = text.split_at_checked(HEAD.len()) else {
        return false;
    };
    if let Some(fraction) = rest.strip_prefix(b".") {
        let digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 {
            return false;
        }
        rest = &fraction[digits..];
    }
    fits(head, HEAD)
        && match rest {
            [b'Z'] => true,
            [b'+' | b'-', offset @ ..] => fits(offset, OFFSET),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<Timestamp> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn dates_are_read_as_rfc_3339_has_them() {
        for (text, expected) in [
            ("2026-11-23T09:00:07Z", at("2026-11-23T09:00:07Z")),
            ("2026-11-23T09:00:07.5Z", at("2026-11-23T09:00:07.5Z")),
            (
                "2026-11-23T09:00:07.123456789+01:00",
                at("2026-11-23T08:00:07.123456789Z"),
            ),
            ("1970-01-01T00:00:00-00:00", at("1970-01-01T00:00:00Z")),
            ("0001-01-01T00:00:01Z", at("0001-01-01T00:00:01Z")),
        ] {
            assert_eq!(rfc3339(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn the_zero_time_is_no_time() {
        assert_eq!(rfc3339("0001-01-01T00:00:00Z"), Some(None));
        assert_eq!(rfc3339("0001-01-01T01:00:00+01:00"), Some(None));
    }

    #[test]
    fn absurd_dates_are_no_dates() {
        for text in [
            "",
            "yesterday",
            "1700000000",
            "2026-11-23",
            "2026-11-23 09:00:07Z",
            "2026-11-23T09:00:07",
            "2026-11-23T09:00Z",
            "20261123T090007Z",
            "2026-11-23t09:00:07z",
            "2026-11-23T09:00:07.Z",
            "2026-11-23T09:00:60Z",
            "2026-11-23T24:00:00Z",
            "2026-02-30T09:00:07Z",
            "2026-13-01T09:00:07Z",
            "2026-11-23T09:00:07+99:99",
            "2026-11-23T09:00:07+1:00",
            "2026-11-23T09:00:07Z[UTC]",
            "+002026-11-23T09:00:07Z",
            "0000-12-31T23:59:59Z",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-23:59",
            "2026-11-23T09:00:0７Z",
        ] {
            assert_eq!(rfc3339(text), None, "{text}");
        }
    }
}

//! `metav1.Time` and `metav1.MicroTime`: how they are read, written and refused.
//!
//! The error texts are those of Go's `time.Parse`, which the API server hands to its clients.

use jiff::{Timestamp, civil, tz::Offset};

/// The layout of `metav1.MicroTime`: exactly six decimals.
const MICRO_TIME: &str = "2006-01-02T15:04:05.000000Z07:00";
/// The layout of `metav1.Time`; a fraction of any length may follow the seconds.
const TIME: &str = "2006-01-02T15:04:05Z07:00";

/// Reads a `metav1.MicroTime`.
///
/// # Errors
/// The text of Go's `time.ParseError`.
pub(crate) fn parse_micro_time(text: &str) -> Result<Timestamp, String> {
    Parser::new(MICRO_TIME, text).parse(Fraction::SixDigits)
}

/// Reads a `metav1.Time` (RFC 3339).
///
/// # Errors
/// The text of Go's `time.ParseError`.
pub(crate) fn parse_time(text: &str) -> Result<Timestamp, String> {
    Parser::new(TIME, text).parse(Fraction::Optional)
}

/// A `metav1.MicroTime` as the server prints it: UTC with six decimals.
#[must_use]
pub(crate) fn format_micro_time(time: Timestamp) -> String {
    format!("{time:.6}")
}

/// A `metav1.Time` as the server prints it: UTC, whole seconds.
#[must_use]
pub(crate) fn format_time(time: Timestamp) -> String {
    format!("{time:.0}")
}

#[derive(Clone, Copy)]
enum Fraction {
    SixDigits,
    Optional,
}

struct Parser<'a> {
    layout: &'static str,
    whole: &'a str,
    rest: &'a [u8],
}

impl<'a> Parser<'a> {
    fn new(layout: &'static str, whole: &'a str) -> Self {
        Self {
            layout,
            whole,
            rest: whole.as_bytes(),
        }
    }

    fn parse(mut self, fraction: Fraction) -> Result<Timestamp, String> {
        let year = self.digits(4, "2006")?;
        self.literal("-")?;
        let month = self.digits(2, "01")?;
        if !(1..=12).contains(&month) {
            return Err(self.out_of_range("month"));
        }
        self.literal("-")?;
        let day = self.digits(2, "02")?;
        self.literal("T")?;
        let hour = self.hour()?;
        self.literal(":")?;
        let minute = self.digits(2, "04")?;
        if minute > 59 {
            return Err(self.out_of_range("minute"));
        }
        self.literal(":")?;
        let second = self.digits(2, "05")?;
        if second > 59 {
            return Err(self.out_of_range("second"));
        }
        let nanosecond = match fraction {
            Fraction::SixDigits => self.six_digits()?,
            Fraction::Optional => self.optional_fraction(),
        };
        let offset = self.offset()?;
        if !self.rest.is_empty() {
            let extra = quote(self.rest);
            return Err(format!(
                "parsing time {}: extra text: {extra}",
                quote(self.whole.as_bytes())
            ));
        }
        let out_of_range = || {
            format!(
                "parsing time {}: day out of range",
                quote(self.whole.as_bytes())
            )
        };
        let date =
            civil::Date::new(small(year), small(month), small(day)).map_err(|_| out_of_range())?;
        let time = civil::Time::new(small(hour), small(minute), small(second), nanosecond)
            .map_err(|_| out_of_range())?;
        Offset::from_seconds(offset)
            .and_then(|offset| offset.to_timestamp(date.to_datetime(time)))
            .map_err(|_| out_of_range())
    }

    /// A part of the layout that stands for itself.
    fn literal(&mut self, text: &'static str) -> Result<(), String> {
        match self.rest.strip_prefix(text.as_bytes()) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None => Err(self.cannot_parse(text, self.rest)),
        }
    }

    fn digits(&mut self, count: usize, element: &'static str) -> Result<u32, String> {
        match self.rest.get(..count) {
            Some(digits) if digits.iter().all(u8::is_ascii_digit) => {
                self.rest = &self.rest[count..];
                Ok(number(digits))
            }
            _ => Err(self.cannot_parse(element, self.rest)),
        }
    }

    /// Go's layout for the hour takes one digit too.
    fn hour(&mut self) -> Result<u32, String> {
        let count = self
            .rest
            .iter()
            .take(2)
            .take_while(|b| b.is_ascii_digit())
            .count();
        let hour = self.digits(count.max(1), "15")?;
        if hour > 23 {
            Err(self.out_of_range("hour"))
        } else {
            Ok(hour)
        }
    }

    fn six_digits(&mut self) -> Result<i32, String> {
        const ELEMENT: &str = ".000000";
        let hold = self.rest;
        match hold.get(..7) {
            Some([b'.' | b',', digits @ ..]) if digits.iter().all(u8::is_ascii_digit) => {
                self.rest = &hold[7..];
                Ok(small::<i32>(number(digits)) * 1000)
            }
            _ => Err(self.cannot_parse(ELEMENT, hold)),
        }
    }

    fn optional_fraction(&mut self) -> i32 {
        let [b'.' | b',', tail @ ..] = self.rest else {
            return 0;
        };
        let count = tail.iter().take_while(|b| b.is_ascii_digit()).count();
        if count == 0 {
            return 0;
        }
        self.rest = &tail[count..];
        // Only nine digits fit into nanoseconds; the others are cut off, as Go does.
        let mut nanos = 0;
        for i in 0..9 {
            nanos = nanos * 10 + tail[..count].get(i).map_or(0, |b| i32::from(b - b'0'));
        }
        nanos
    }

    fn offset(&mut self) -> Result<i32, String> {
        const ELEMENT: &str = "Z07:00";
        let hold = self.rest;
        if let [b'Z', rest @ ..] = hold {
            self.rest = rest;
            return Ok(0);
        }
        let Some([sign, h1, h2, b':', m1, m2]) = hold.get(..6) else {
            return Err(self.cannot_parse(ELEMENT, hold));
        };
        if ![h1, h2, m1, m2].iter().all(|b| b.is_ascii_digit()) || !matches!(sign, b'+' | b'-') {
            return Err(self.cannot_parse(ELEMENT, hold));
        }
        self.rest = &hold[6..];
        let (hours, minutes) = (number(&[*h1, *h2]), number(&[*m1, *m2]));
        if hours > 24 {
            return Err(self.out_of_range("time zone offset hour"));
        }
        if minutes > 60 {
            return Err(self.out_of_range("time zone offset minute"));
        }
        let seconds = small::<i32>(hours * 3600 + minutes * 60);
        Ok(if *sign == b'-' { -seconds } else { seconds })
    }

    fn cannot_parse(&self, element: &str, rest: &[u8]) -> String {
        format!(
            "parsing time {} as {}: cannot parse {} as {}",
            quote(self.whole.as_bytes()),
            quote(self.layout.as_bytes()),
            quote(rest),
            quote(element.as_bytes()),
        )
    }

    fn out_of_range(&self, what: &str) -> String {
        format!(
            "parsing time {}: {what} out of range",
            quote(self.whole.as_bytes())
        )
    }
}

fn number(digits: &[u8]) -> u32 {
    digits
        .iter()
        .fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'))
}

/// At most six digits are ever read into one number, and the smaller targets take two of them.
fn small<T: TryFrom<u32> + Default>(value: u32) -> T {
    T::try_from(value).unwrap_or_default()
}

/// The `time` package quotes bytes, not runes, unlike `strconv.Quote`.
fn quote(text: &[u8]) -> String {
    let mut out = String::from("\"");
    for byte in text {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(*byte));
            }
            0x20..=0x7f => out.push(char::from(*byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_micro_time_is_read_in_any_zone_and_printed_in_utc() {
        let time = parse_micro_time("2026-11-23T10:30:00.123456+01:30").unwrap();
        assert_eq!(format_micro_time(time), "2026-11-23T09:00:00.123456Z");
        assert_eq!(format_time(time), "2026-11-23T09:00:00Z");
    }

    #[test]
    fn a_time_may_have_a_fraction_of_any_length() {
        for text in [
            "2026-11-23T09:00:00Z",
            "2026-11-23T09:00:00.5Z",
            "2026-11-23T09:00:00.123456789123Z",
        ] {
            assert_eq!(
                format_time(parse_time(text).unwrap()),
                "2026-11-23T09:00:00Z"
            );
        }
    }

    #[test]
    fn refusals_are_worded_as_go_does() {
        let as_micro = r#"" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "#;
        let cases = [
            (
                "yesterday",
                format!(r#"parsing time "yesterday{as_micro}"yesterday" as "2006""#),
            ),
            ("", format!(r#"parsing time "{as_micro}"" as "2006""#)),
            (
                "2026-11-23T09:00:00Z",
                format!(r#"parsing time "2026-11-23T09:00:00Z{as_micro}"Z" as ".000000""#),
            ),
            (
                "2026-11-23T09:00:00.123Z",
                format!(r#"parsing time "2026-11-23T09:00:00.123Z{as_micro}".123Z" as ".000000""#),
            ),
            (
                "2026-11-23 09:00",
                format!(r#"parsing time "2026-11-23 09:00{as_micro}" 09:00" as "T""#),
            ),
            (
                "2026-13-01T00:00:00.000000Z",
                r#"parsing time "2026-13-01T00:00:00.000000Z": month out of range"#.to_owned(),
            ),
            (
                "2026-02-30T00:00:00.000000Z",
                r#"parsing time "2026-02-30T00:00:00.000000Z": day out of range"#.to_owned(),
            ),
            (
                "2026-11-23T09:00:00.000000Zx",
                r#"parsing time "2026-11-23T09:00:00.000000Zx": extra text: "x""#.to_owned(),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_micro_time(text), Err(expected));
        }
    }
}

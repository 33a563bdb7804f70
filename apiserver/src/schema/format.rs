//! The formats of strings and numbers.

use std::{net::IpAddr, sync::LazyLock};

use base64::Engine as _;
use regex::Regex;

use crate::validate::{is_dns_label, is_dns_subdomain};

/// A format that this server checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    DateTime,
    Date,
    Duration,
    Byte,
    Uuid,
    Ipv4,
    Ipv6,
    Cidr,
    ShortName,
    LongName,
    Int32,
    Int64,
    Float,
    Double,
}

impl Format {
    /// The format of a name for a type; `None` if a server ignores it there.
    ///
    /// # Errors
    /// A format that a real server would check and this one does not.
    pub(super) fn of(ty: &str, name: &str) -> Result<Option<Self>, String> {
        match ty {
            "integer" => Ok(match name {
                "int32" => Some(Self::Int32),
                "int64" => Some(Self::Int64),
                _ => None,
            }),
            "number" => Ok(match name {
                "float" => Some(Self::Float),
                "double" => Some(Self::Double),
                _ => None,
            }),
            "" | "string" => Self::of_string(name),
            _ => Ok(None),
        }
    }

    fn of_string(name: &str) -> Result<Option<Self>, String> {
        Ok(Some(match name.replace('-', "").as_str() {
            "datetime" => Self::DateTime,
            "date" => Self::Date,
            "duration" => Self::Duration,
            "byte" => Self::Byte,
            "uuid" => Self::Uuid,
            "ipv4" => Self::Ipv4,
            "ipv6" => Self::Ipv6,
            "cidr" => Self::Cidr,
            "k8sshortname" => Self::ShortName,
            "k8slongname" => Self::LongName,
            "uri" | "email" | "hostname" | "mac" | "uuid3" | "uuid4" | "uuid5" | "isbn"
            | "isbn10" | "isbn13" | "creditcard" | "ssn" | "hexcolor" | "rgbcolor"
            | "bsonobjectid" => {
                return Err("this server does not check this format".to_owned());
            }
            // `password` is any string, and other names mean nothing to a server either.
            _ => return Ok(None),
        }))
    }

    /// The name in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::DateTime => "date-time",
            Self::Date => "date",
            Self::Duration => "duration",
            Self::Byte => "byte",
            Self::Uuid => "uuid",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Cidr => "cidr",
            Self::ShortName => "k8s-short-name",
            Self::LongName => "k8s-long-name",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Float => "float",
            Self::Double => "double",
        }
    }

    /// Whether the format is one of numbers.
    pub(super) fn is_numeric(self) -> bool {
        matches!(self, Self::Int32 | Self::Int64 | Self::Float | Self::Double)
    }

    /// Whether a string has the format; formats of numbers say nothing about strings.
    pub(super) fn accepts(self, text: &str) -> bool {
        match self {
            Self::DateTime => is_date_time(text),
            Self::Date => is_date(text),
            Self::Duration => DURATION.is_match(text) || matches!(text, "0" | "+0" | "-0"),
            Self::Byte => base64::engine::general_purpose::STANDARD
                .decode(text)
                .is_ok(),
            Self::Uuid => UUID.is_match(text),
            Self::Ipv4 => matches!(text.parse(), Ok(IpAddr::V4(_))),
            Self::Ipv6 => matches!(text.parse(), Ok(IpAddr::V6(_))),
            Self::Cidr => is_cidr(text),
            Self::ShortName => is_dns_label(text),
            Self::LongName => is_dns_subdomain(text),
            Self::Int32 | Self::Int64 | Self::Float | Self::Double => true,
        }
    }
}

static TIME: LazyLock<Regex> = LazyLock::new(|| {
    constant("^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$")
});
static UUID: LazyLock<Regex> = LazyLock::new(|| {
    constant("(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$")
});
/// Go's durations, and numbers with the units that the format adds to them.
static DURATION: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        "(?i)^[+-]?(([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$|\
         [0-9]+\\s*(ns|us|µs|ms|s|m|h|d|w|nano|micro|milli|sec|min|hour|hr|day|week|wk)",
    )
});

fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 10
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && text.parse::<jiff::civil::Date>().is_ok()
}

fn is_date_time(text: &str) -> bool {
    let text = text.to_lowercase();
    let mut parts = text.split('t');
    let (Some(date), Some(time)) = (parts.next(), parts.next()) else {
        return false;
    };
    let Some(captures) = TIME.captures(time) else {
        return false;
    };
    is_date(date) && &captures[1] <= "23" && &captures[2] <= "59" && &captures[3] <= "59"
}

fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else {
        return false;
    };
    let max = match address.parse() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    bits.parse::<u8>().is_ok_and(|bits| bits <= max)
}

#[expect(
    clippy::expect_used,
    reason = "the patterns are constants, and a test compiles every one"
)]
fn constant(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant pattern compiles")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_takes_its_own_texts() {
        let cases: [(Format, &[&str], &[&str]); 10] = [
            (
                Format::DateTime,
                &["2026-11-23T09:00:00Z", "2026-11-23t09:00:00.123456+01:00"],
                &[
                    "yesterday",
                    "2026-11-23",
                    "2026-13-01T00:00:00Z",
                    "2026-11-23T24:00:00Z",
                    "2026-11-23T09:00:00",
                ],
            ),
            (Format::Date, &["2026-11-23"], &["2026-11-31", "23.11.2026"]),
            (
                Format::Duration,
                &["1h30m", "500ms", "-1.5s", "22 ns", "3 days", "0"],
                &["soon", "", "5"],
            ),
            (Format::Byte, &["aGk=", ""], &["a"]),
            (
                Format::Uuid,
                &["00000000-0000-0000-0000-000000000000"],
                &["0000"],
            ),
            (Format::Ipv4, &["10.0.0.1"], &["::1", "10.0.0"]),
            (Format::Ipv6, &["::1"], &["10.0.0.1"]),
            (
                Format::Cidr,
                &["10.0.0.0/8", "::/0"],
                &["10.0.0.0", "10.0.0.0/33"],
            ),
            (Format::ShortName, &["a-b"], &["a.b", "A"]),
            (Format::LongName, &["a.b"], &["A"]),
        ];
        for (format, good, bad) in cases {
            for text in good {
                assert!(format.accepts(text), "{} {text}", format.name());
            }
            for text in bad {
                assert!(!format.accepts(text), "{} {text}", format.name());
            }
        }
    }

    #[test]
    fn formats_belong_to_types() {
        assert_eq!(
            Format::of("string", "date-time"),
            Ok(Some(Format::DateTime))
        );
        assert_eq!(Format::of("integer", "int32"), Ok(Some(Format::Int32)));
        assert_eq!(Format::of("number", "int32"), Ok(None));
        assert_eq!(Format::of("string", "password"), Ok(None));
        assert_eq!(
            Format::of("string", "isbn"),
            Err("this server does not check this format".to_owned())
        );
    }
}

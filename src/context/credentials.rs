//! Whether credentials have expired by this machine's clock.
//!
//! Only asked when a server has refused them: a wrong clock here is no reason to refuse anything.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use kube::config::AuthInfo;
use secrecy::ExposeSecret as _;
use serde_json::Value;

/// Which credential has expired, and when.
pub(super) fn expired(auth: &AuthInfo, now: Timestamp) -> Option<String> {
    let says = |what: &str, at: Timestamp| {
        (at < now).then(|| {
            format!(
                "its {what} expired at {}",
                at.strftime("%Y-%m-%dT%H:%M:%SZ")
            )
        })
    };
    let token = token(auth).and_then(|token| token_end(&token));
    let certificate = certificate(auth).and_then(|pem| certificate_end(&pem));
    token
        .and_then(|at| says("token", at))
        .or_else(|| certificate.and_then(|at| says("client certificate", at)))
}

fn token(auth: &AuthInfo) -> Option<String> {
    match (&auth.token, &auth.token_file) {
        (Some(token), _) => Some(token.expose_secret().to_owned()),
        (None, Some(path)) => fs::read_to_string(path).ok(),
        (None, None) => None,
    }
}

fn certificate(auth: &AuthInfo) -> Option<Vec<u8>> {
    match (&auth.client_certificate_data, &auth.client_certificate) {
        (Some(data), _) => STANDARD.decode(data).ok(),
        (None, Some(path)) => fs::read(path).ok(),
        (None, None) => None,
    }
}

/// `exp` of a JSON web token, as service accounts and OpenID Connect use it.
fn token_end(token: &str) -> Option<Timestamp> {
    let claims = URL_SAFE_NO_PAD
        .decode(token.trim().split('.').nth(1)?)
        .ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    Timestamp::from_second(claims.get("exp")?.as_i64()?).ok()
}

/// `notAfter` of the first certificate of a PEM file.
fn certificate_end(pem: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(pem).ok()?;
    let body = text.split("-----BEGIN CERTIFICATE-----").nth(1)?;
    let body: String = body.split("-----END").next()?.split_whitespace().collect();
    let der = STANDARD.decode(body).ok()?;
    // Certificate { tbsCertificate { [0] version?, serial, algorithm, issuer, validity { notBefore, notAfter }, … }, … }
    let (_, certificate, _) = element(&der)?;
    let (_, mut fields, _) = element(certificate)?;
    if fields.first() == Some(&0xA0) {
        fields = element(fields)?.2;
    }
    for _serial_algorithm_issuer in 0..3 {
        fields = element(fields)?.2;
    }
    let (_, validity, _) = element(fields)?;
    let (_, _, not_after) = element(validity)?;
    let (tag, time, _) = element(not_after)?;
    der_time(tag, std::str::from_utf8(time).ok()?)
}

/// The first DER element: its tag, its content, and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..0x80 => (usize::from(first), rest),
        _ => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
            let length = bytes.iter().try_fold(0_usize, |sum, &byte| {
                sum.checked_mul(256)?.checked_add(usize::from(byte))
            })?;
            (length, rest)
        }
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// `UTCTime` has two digits for the year, `GeneralizedTime` four.
fn der_time(tag: u8, text: &str) -> Option<Timestamp> {
    let whole = match tag {
        0x17 => {
            let century = if text.get(..2)? < "50" { "20" } else { "19" };
            format!("{century}{text}")
        }
        _ => text.to_owned(),
    };
    let time = DateTime::strptime("%Y%m%d%H%M%SZ", whole).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `openssl req -x509 -newkey ed25519 -days 1 -subj /CN=test`.
    const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIBMjCB5aADAgECAhQFuy/geyBJva+bL8Tg8HcV2P8mZTAFBgMrZXAwDzENMAsG
A1UEAwwEdGVzdDAeFw0yNjExMjMxMjU5NDdaFw0yNjExMjQxMjU5NDdaMA8xDTAL
BgNVBAMMBHRlc3QwKjAFBgMrZXADIQAhCZ2H5GUZgnRNpPWrENC79rtXT+MOSgnM
waU4V6ZJMaNTMFEwHQYDVR0OBBYEFE8KRmnKWFlogiv1Zd07Lr1lWsjDMB8GA1Ud
IwQYMBaAFE8KRmnKWFlogiv1Zd07Lr1lWsjDMA8GA1UdEwEB/wQFMAMBAf8wBQYD
K2VwA0EA94WazjxYtB9ijjSdyKoD4ZhtKCcZD44sJtM+SeNigIQEPQdr4jJGHHjx
d/z5bLLthx06Sd13c4O+K/JoywtuBg==
-----END CERTIFICATE-----
";

    #[test]
    fn the_end_of_a_certificate_is_read() {
        assert_eq!(
            certificate_end(CERTIFICATE.as_bytes()),
            "2026-11-24T12:59:47Z".parse().ok()
        );
        assert_eq!(
            certificate_end(b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"),
            None
        );
        assert_eq!(certificate_end(b"nothing"), None);
    }

    #[test]
    fn the_end_of_a_token_is_read() {
        let claims = URL_SAFE_NO_PAD.encode(r#"{"exp":1000,"sub":"x"}"#);
        assert_eq!(
            token_end(&format!("e30.{claims}.sig\n")),
            Timestamp::from_second(1000).ok()
        );
        assert_eq!(token_end("opaque"), None);
    }

    #[test]
    fn times_of_both_kinds_are_read() {
        assert_eq!(
            der_time(0x17, "261124120000Z"),
            "2026-11-24T12:00:00Z".parse().ok()
        );
        assert_eq!(
            der_time(0x17, "991124120000Z"),
            "1999-11-24T12:00:00Z".parse().ok()
        );
        assert_eq!(
            der_time(0x18, "20501124120000Z"),
            "2050-11-24T12:00:00Z".parse().ok()
        );
    }
}

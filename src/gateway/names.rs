//! What can be the name of an object or a namespace. Whatever enters the path of a request is checked here first.

use super::payload::{Problem, excerpt};

/// One label of RFC 1123, of up to 253 characters: `^[a-z0-9]([a-z0-9\-]{0,251}[a-z0-9])?$`. The running gateway takes
/// nothing else from a label for a name or a namespace.
pub(super) fn is_label(text: &str) -> bool {
    let edge = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.len() <= 253
        && matches!((bytes.first(), bytes.last()), (Some(&first), Some(&last)) if edge(first) && edge(last))
        && bytes.iter().all(|&b| edge(b) || b == b'-')
}

/// Labels with dots between them, of up to 253 characters in all.
pub(super) fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

/// Whether an API server would take it for an object's name: kinds such as Role allow nearly everything.
fn is_path_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..")
        && text.len() <= 253
        && !text.contains(['/', '%'])
        && !text.chars().any(char::is_control)
}

/// Checks the name of an object of any kind.
pub(super) fn check_object(name: &str) -> Result<(), Problem> {
    check(is_path_segment(name), name, "an object")
}

/// Checks a namespace; empty means none and is fine.
pub(super) fn check_namespace(name: &str) -> Result<(), Problem> {
    let is_namespace = name.is_empty() || (name.len() <= 63 && is_label(name));
    check(is_namespace, name, "a namespace")
}

/// Checks a kind. The API server takes a wide choice; what is refused would spoil a fingerprint or a line of output.
pub(super) fn check_kind(name: &str) -> Result<(), Problem> {
    let is_kind = (1..=63).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric());
    check(is_kind, name, "a kind")
}

fn check(fits: bool, name: &str, what: &'static str) -> Result<(), Problem> {
    if fits {
        return Ok(());
    }
    let name = excerpt(name);
    Err(Problem::NotAName { name, what })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_subdomains_are_told_apart() {
        let long = "a".repeat(253);
        for (text, label, subdomain) in [
            ("payment-api", true, true),
            ("7", true, true),
            (long.as_str(), true, true),
            ("ip-10-0-0-1.ec2.internal", false, true),
            ("", false, false),
            ("-a", false, false),
            ("a-", false, false),
            ("A", false, false),
            ("a_b", false, false),
            ("a..b", false, false),
            ("a/b", false, false),
            ("ü", false, false),
        ] {
            assert_eq!(is_label(text), label, "{text}");
            assert_eq!(is_subdomain(text), subdomain, "{text}");
        }
        assert!(!is_label(&"a".repeat(254)));
        assert!(!is_subdomain(&["a"; 128].join(".")));
    }

    #[test]
    fn what_could_leave_its_place_in_a_path_is_no_name() {
        for name in ["", ".", "..", "../secrets", "a%2fb", "a\nb"] {
            assert!(check_object(name).is_err(), "{name:?}");
        }
        assert_eq!(check_object("system:node"), Ok(()));
        for name in ["a/b", "a.b", "..", "A"] {
            assert!(check_namespace(name).is_err(), "{name:?}");
        }
        assert_eq!(check_namespace(""), Ok(()));
        assert_eq!(
            check_kind("a:b").unwrap_err().to_string(),
            "\"a:b\" cannot be the name of a kind"
        );
    }
}

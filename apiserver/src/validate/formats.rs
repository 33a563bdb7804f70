//! The formats of names, labels and keys. Each function returns what is wrong with the text, in
//! Kubernetes' words; an empty list means that it is fine.

use std::sync::LazyLock;

use regex::Regex;

const DNS_LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const DNS_LABEL_MAX: usize = 63;
const DNS_SUBDOMAIN: &str = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const DNS_SUBDOMAIN_MAX: usize = 253;
const LABEL_KEY: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const LABEL_VALUE: &str = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?";
const LABEL_MAX: usize = 63;

static DNS_LABEL_REGEX: LazyLock<Regex> = LazyLock::new(|| anchored(DNS_LABEL));
static DNS_SUBDOMAIN_REGEX: LazyLock<Regex> = LazyLock::new(|| anchored(DNS_SUBDOMAIN));
static LABEL_KEY_REGEX: LazyLock<Regex> = LazyLock::new(|| anchored(LABEL_KEY));
static LABEL_VALUE_REGEX: LazyLock<Regex> = LazyLock::new(|| anchored(LABEL_VALUE));

/// A DNS label of RFC 1123: names of namespaces and services.
pub(crate) fn dns_label(text: &str) -> Vec<String> {
    let mut errors = too_long(text, DNS_LABEL_MAX);
    if !DNS_LABEL_REGEX.is_match(text) {
        if DNS_SUBDOMAIN_REGEX.is_match(text) {
            errors.push("must not contain dots".to_owned());
        } else {
            errors.push(format!(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and \
                 end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{DNS_LABEL}')"
            ));
        }
    }
    errors
}

/// A DNS subdomain of RFC 1123: names of most objects.
pub(crate) fn dns_subdomain(text: &str) -> Vec<String> {
    let mut errors = too_long(text, DNS_SUBDOMAIN_MAX);
    if !DNS_SUBDOMAIN_REGEX.is_match(text) {
        errors.push(format!(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start \
             and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{DNS_SUBDOMAIN}')"
        ));
    }
    errors
}

/// What can stand in a URL as one step: names of roles and bindings.
pub(crate) fn path_segment(text: &str) -> Vec<String> {
    if matches!(text, "." | "..") {
        return vec![format!("may not be '{text}'")];
    }
    ["/", "%"]
        .iter()
        .filter(|bad| text.contains(**bad))
        .map(|bad| format!("may not contain '{bad}'"))
        .collect()
}

/// A label key, annotation key or finalizer: an optional DNS prefix and a name.
pub(crate) fn label_key(text: &str) -> Vec<String> {
    let pattern = format!(
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character \
         (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{LABEL_KEY}')"
    );
    let mut errors = Vec::new();
    let name = match text.split('/').collect::<Vec<_>>().as_slice() {
        [name] => *name,
        ["", name] => {
            errors.push("prefix part must be non-empty".to_owned());
            *name
        }
        [prefix, name] => {
            errors.extend(
                dns_subdomain(prefix)
                    .into_iter()
                    .map(|error| format!("prefix part {error}")),
            );
            *name
        }
        _ => {
            return vec![format!(
                "a valid label key {pattern} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        errors.push("name part must be non-empty".to_owned());
    }
    errors.extend(
        too_long(name, LABEL_MAX)
            .into_iter()
            .map(|error| format!("name part {error}")),
    );
    if !LABEL_KEY_REGEX.is_match(name) {
        errors.push(format!("name part {pattern}"));
    }
    errors
}

/// A label value; may be empty.
pub(crate) fn label_value(text: &str) -> Vec<String> {
    let mut errors = too_long(text, LABEL_MAX);
    if !LABEL_VALUE_REGEX.is_match(text) {
        errors.push(format!(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and \
             end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is \
             '{LABEL_VALUE}')"
        ));
    }
    errors
}

fn too_long(text: &str, max: usize) -> Vec<String> {
    if text.len() > max {
        vec![format!("must be no more than {max} characters")]
    } else {
        Vec::new()
    }
}

#[expect(
    clippy::expect_used,
    reason = "the patterns are the constants above, and every one is compiled by a test"
)]
fn anchored(pattern: &str) -> Regex {
    Regex::new(&format!("^(?:{pattern})$")).expect("a constant pattern compiles")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subdomain_is_refused_with_pattern_and_length() {
        let pattern = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must \
                       start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
                       '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
        for name in ["Bad", "a_b", "gw-lock-AbC", "-a", "a.", ""] {
            assert_eq!(dns_subdomain(name), [pattern], "{name}");
        }
        assert_eq!(
            dns_subdomain(&"a".repeat(254)),
            ["must be no more than 253 characters"]
        );
        for name in ["a", "a.b-c.d", &"a".repeat(253)] {
            assert!(dns_subdomain(name).is_empty(), "{name}");
        }
    }

    #[test]
    fn a_label_may_not_contain_dots() {
        assert_eq!(dns_label("a.b"), ["must not contain dots"]);
        assert_eq!(
            dns_label("A"),
            [
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with \
              an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
              '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
            ]
        );
        assert!(dns_label("kube-system").is_empty());
    }

    #[test]
    fn a_path_segment_allows_colons_and_upper_case() {
        assert!(path_segment("system:controller:X").is_empty());
        assert_eq!(path_segment(".."), ["may not be '..'"]);
        assert_eq!(
            path_segment("a/b%c"),
            ["may not contain '/'", "may not contain '%'"]
        );
    }

    #[test]
    fn keys_have_an_optional_prefix() {
        for key in ["app", "app.kubernetes.io/managed-by", "A_b.c"] {
            assert!(label_key(key).is_empty(), "{key}");
        }
        assert_eq!(label_key("/x"), ["prefix part must be non-empty"]);
        assert_eq!(
            label_key("a b"),
            [
                "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric \
              character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
              '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
            ]
        );
        assert_eq!(label_key("a/b/c").len(), 1);
    }

    #[test]
    fn values_may_be_empty_and_have_no_blanks() {
        assert!(label_value("").is_empty());
        assert_eq!(
            label_value("a b"),
            [
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and \
              end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is \
              '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
            ]
        );
        assert_eq!(
            label_value(&"a".repeat(64)),
            ["must be no more than 63 characters"]
        );
    }
}

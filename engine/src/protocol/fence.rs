//! The fencing token.

use std::cmp::Ordering;
use std::fmt;

/// The resourceVersion of the write that acquired a lease: greater for every later acquisition of the same name, also
/// after the lease was deleted and made again.
///
/// Kubernetes promises since 1.35 (KEP-5504) that resourceVersions of one resource type are decimal integers of up to
/// 128 bits that can be compared, by length and then by digit; in practice it held before. An etcd restore can rewind
/// them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FencingToken(String);

impl FencingToken {
    /// Takes a resourceVersion; `None` when it is no decimal integer and so cannot be compared.
    #[must_use]
    pub fn new(resource_version: &str) -> Option<Self> {
        let decimal = !resource_version.is_empty()
            && resource_version.bytes().all(|b| b.is_ascii_digit())
            && (resource_version.len() == 1 || !resource_version.starts_with('0'));
        decimal.then(|| Self(resource_version.to_owned()))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialOrd for FencingToken {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for FencingToken {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_versions(&self.0, &other.0)
    }
}

/// The order of two resourceVersions of one resource type, which are decimal integers of any length.
pub(crate) fn compare_versions(one: &str, other: &str) -> Ordering {
    (one.len(), one).cmp(&(other.len(), other))
}

impl fmt::Display for FencingToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_compare_as_numbers_of_any_length() {
        let token = |text| FencingToken::new(text).unwrap();
        assert!(token("9") < token("10"));
        assert!(token("340282366920938463463374607431768211455") > token("99999999999999999999"));
        assert_eq!(token("42").cmp(&token("42")), Ordering::Equal);
    }

    #[test]
    fn what_is_no_decimal_integer_is_no_token() {
        for text in ["", "007", "1a", "-1"] {
            assert_eq!(FencingToken::new(text), None, "{text}");
        }
    }
}

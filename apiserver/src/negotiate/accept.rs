//! The `Accept` header taken apart: what a client takes, the best first. What the server has is not known here.

use std::cmp::Reverse;

/// One media range of the header with its parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Clause<'a> {
    range: &'a str,
    parameters: &'a str,
}

/// The clauses of a header by their quality; of equals a complete media type comes before a wildcard, and what stands
/// first before what follows. A quality of zero comes last, and is no refusal.
pub(super) fn clauses(header: &str) -> Vec<Clause<'_>> {
    let mut clauses: Vec<Clause<'_>> = header.split(',').map(Clause::parse).collect();
    clauses.sort_by_key(|clause| (Reverse(clause.thousandths()), clause.range.contains('*')));
    clauses
}

impl<'a> Clause<'a> {
    fn parse(text: &'a str) -> Self {
        let (range, parameters) = text.split_once(';').unwrap_or((text, ""));
        Self {
            range: range.trim(),
            parameters,
        }
    }

    /// Whether the media type lies in the range.
    pub(super) fn takes(self, media_type: &str) -> bool {
        match self.range.strip_suffix('*') {
            Some("" | "*/") => true,
            Some(family) => family.ends_with('/') && media_type.starts_with(family),
            None => self.range == media_type,
        }
    }

    /// The value of a parameter.
    pub(super) fn parameter(self, name: &str) -> Option<&'a str> {
        self.parameters
            .split(';')
            .filter_map(|parameter| parameter.split_once('='))
            .find(|(own, _)| own.trim() == name)
            .map(|(_, value)| value.trim())
    }

    fn thousandths(self) -> u16 {
        let quality: Option<f32> = self.parameter("q").and_then(|text| text.parse().ok());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float is cut to the range of the integer"
        )]
        let thousandths = (quality.unwrap_or(1.0) * 1000.0).round() as u16;
        thousandths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(header: &str) -> Vec<&str> {
        clauses(header).iter().map(|clause| clause.range).collect()
    }

    #[test]
    fn the_best_comes_first() {
        assert_eq!(ranges("a/b;q=0.1, a/c"), ["a/c", "a/b"]);
        assert_eq!(ranges("*/*, a/b, a/*;q=0.5"), ["a/b", "*/*", "a/*"]);
        assert_eq!(ranges("a/b;q=0,a/c;q=x"), ["a/c", "a/b"]);
    }

    #[test]
    fn ranges_take_what_lies_in_them() {
        let takes = |range: &str| Clause::parse(range).takes("application/json");
        for range in ["*", "*/*", "application/*", "application/json;q=0.1"] {
            assert!(takes(range), "{range}");
        }
        for range in ["", "text/*", "application", "application/yaml", "app*"] {
            assert!(!takes(range), "{range}");
        }
    }

    #[test]
    fn parameters_are_found_by_name() {
        let clause = Clause::parse("application/json; as=Table;v=v1; g=meta.k8s.io");
        assert_eq!(clause.parameter("g"), Some("meta.k8s.io"));
        assert_eq!(clause.parameter("as"), Some("Table"));
        assert_eq!(clause.parameter("q"), None);
    }
}

//! Severity: the sender's word, and the word that January's gateway wrote into its audit events for it.

use super::{LONGEST_SEVERITY, cut};

/// What stands in place of an empty severity.
const UNKNOWN: &str = "unknown";

/// The word as a RemediationRequest carries it.
pub(super) fn raw(text: &str) -> String {
    if text.is_empty() {
        return UNKNOWN.to_owned();
    }
    cut(text, LONGEST_SEVERITY)
}

/// The word of January's audit events: `critical`, `high`, `medium` and `low` are kept, `warning` is `high`, `info` is
/// `low`, and everything else is `unknown`. Case does not matter.
///
/// It is shown next to the raw one and decides nothing.
#[must_use]
pub fn audit(raw: &str) -> &'static str {
    match raw.to_ascii_lowercase().as_str() {
        "critical" => "critical",
        "high" | "warning" => "high",
        "medium" => "medium",
        "low" | "info" => "low",
        _ => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audit_word_is_the_one_of_januarys_table() {
        for (given, expected) in [
            ("critical", "critical"),
            ("high", "high"),
            ("medium", "medium"),
            ("low", "low"),
            ("warning", "high"),
            ("info", "low"),
            ("CRITICAL", "critical"),
            ("Warning", "high"),
            ("iNfO", "low"),
            ("Error", "unknown"),
            ("Sev1", "unknown"),
            ("P0", "unknown"),
            ("unknown", "unknown"),
            (" critical", "unknown"),
            ("", "unknown"),
        ] {
            assert_eq!(audit(given), expected, "{given}");
        }
    }

    #[test]
    fn the_senders_word_stays_as_it_is() {
        for given in ["critical", "Sev1", "P0", "HIGH", "Warning", " "] {
            assert_eq!(raw(given), given);
        }
        assert_eq!(raw(""), "unknown");
    }

    #[test]
    fn a_long_word_is_cut_between_characters() {
        assert_eq!(raw(&"s".repeat(51)), "s".repeat(50));
        assert_eq!(
            raw(&format!("{}ü", "s".repeat(49))),
            "s".repeat(49),
            "the fiftieth byte is half a character"
        );
    }
}

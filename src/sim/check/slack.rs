//! What the times of different pods say about the order of what they did, where their clocks are known only so well.
//!
//! Nobody is accused of an order that the clocks leave open.

use crate::sim::history::Header;

/// How far times of different pods may be off each other, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slack(u64);

impl Slack {
    pub(super) fn of(header: &Header) -> Self {
        Self(header.uncertainty)
    }

    /// Between what any two have seen.
    pub(super) fn most(self) -> u64 {
        self.0
    }

    /// Between two pods. A pod has one clock; what the world did was seen by any of them.
    pub(super) fn between(self, one: &str, other: &str) -> u64 {
        if one == other && !one.is_empty() {
            0
        } else {
            self.0
        }
    }

    /// Whether what one pod saw was certainly before what another one saw.
    pub(super) fn is_before(self, (pod, at): (&str, u64), (other, later): (&str, u64)) -> bool {
        at.saturating_add(self.between(pod, other)) < later
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_clocks_cannot_have_turned_round_is_an_order() {
        let slack = Slack(10);
        assert!(slack.is_before(("a", 1), ("a", 2)));
        assert!(!slack.is_before(("a", 2), ("a", 2)));
        assert!(!slack.is_before(("a", 1), ("b", 11)));
        assert!(slack.is_before(("a", 1), ("b", 12)));
        assert!(!slack.is_before(("", 1), ("", 11)));
    }
}

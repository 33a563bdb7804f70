//! The search for the highest rate that is held: what to try next, by what was held before. Pure.
//!
//! Rates double until one is not held, and the gap is halved until it is narrow. A rate counts as not held when it was
//! missed twice in a row, because a machine may be busy with something else once.

/// The gap at which a search ends, as a share of the rate.
const NARROW: f64 = 0.05;
/// Nobody sends more.
const HIGHEST: f64 = 100_000.0;
/// A server that holds less than this holds nothing.
const LOWEST: f64 = 1.0;
const STEP: f64 = 2.0;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Search {
    /// The highest rate that was held.
    held: Option<f64>,
    /// The lowest rate that was not.
    missed: Option<f64>,
    next: f64,
    was_missed_once: bool,
}

impl Search {
    pub(super) fn from(rate: f64) -> Self {
        Self {
            held: None,
            missed: None,
            next: rate,
            was_missed_once: false,
        }
    }

    /// The rate to try; none when the search is over.
    pub(super) fn next(&self) -> Option<f64> {
        let is_narrow = match (self.held, self.missed) {
            // Between whole numbers there is none.
            (Some(held), Some(missed)) => {
                missed - held <= NARROW * missed || self.next <= held || self.next >= missed
            }
            (Some(held), None) => held >= HIGHEST,
            (None, Some(missed)) => missed <= LOWEST,
            (None, None) => false,
        };
        (!is_narrow).then_some(self.next)
    }

    /// Tells whether that rate was held.
    pub(super) fn tell(&mut self, is_held: bool) {
        let rate = self.next;
        if !is_held && !self.was_missed_once {
            self.was_missed_once = true;
            return;
        }
        self.was_missed_once = false;
        if is_held {
            self.held = Some(rate);
        } else {
            self.missed = Some(rate);
        }
        self.next = match (self.held, self.missed) {
            (Some(held), Some(missed)) => round(f64::midpoint(held, missed)),
            (Some(held), None) => (held * STEP).min(HIGHEST),
            (None, Some(missed)) => round(missed / STEP).max(LOWEST),
            (None, None) => rate,
        };
    }

    /// The highest rate that was held; none if not even the lowest was.
    pub(super) fn found(&self) -> Option<f64> {
        self.held
    }
}

/// Whole signals per second, where there are several.
fn round(rate: f64) -> f64 {
    if rate > 10.0 { rate.round() } else { rate }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches a server that holds so much, and says what was tried.
    fn tried(from: f64, capacity: f64) -> (Vec<f64>, Option<f64>) {
        let mut search = Search::from(from);
        let mut tried = Vec::new();
        while let Some(rate) = search.next() {
            tried.push(rate);
            search.tell(rate <= capacity);
            assert!(tried.len() < 100, "{tried:?}");
        }
        (tried, search.found())
    }

    #[test]
    fn rates_double_and_then_the_gap_is_halved() {
        let (tried, found) = tried(100.0, 600.0);
        let expected = [
            100.0, 200.0, 400.0, 800.0, 800.0, 600.0, 700.0, 700.0, 650.0, 650.0, 625.0, 625.0,
        ];
        assert_eq!(tried, expected);
        assert_eq!(found, Some(600.0));
    }

    #[test]
    fn what_is_found_is_near_what_is_held() {
        for capacity in [1.0, 7.0, 10.4, 11.9, 99.0, 100.0, 101.0, 777.0, 12_345.0] {
            let (_, found) = tried(100.0, capacity);
            let found = found.unwrap();
            assert!(
                found <= capacity && found >= 0.92 * capacity,
                "{capacity}: {found}"
            );
        }
    }

    #[test]
    fn a_server_that_holds_nothing_or_everything_ends_the_search() {
        assert_eq!(tried(100.0, 0.0).1, None);
        assert_eq!(tried(100.0, 1e9).1, Some(HIGHEST));
    }

    #[test]
    fn a_miss_once_is_tried_again() {
        let mut search = Search::from(100.0);
        search.tell(false);
        assert_eq!((search.next(), search.found()), (Some(100.0), None));
        search.tell(true);
        assert_eq!((search.next(), search.found()), (Some(200.0), Some(100.0)));
    }
}

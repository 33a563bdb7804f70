//! What became of each signal: latencies from the intended times, failures, and what each fingerprint was answered.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

/// Three digits of a latency are kept, which is microseconds up to a second.
const DIGITS: u8 = 3;
/// How much of a failure's message is kept.
const LONGEST_MESSAGE: usize = 200;

/// How a signal ended, as its sender sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// 201.
    Created,
    /// 202.
    Duplicate,
    /// Anything else, or no answer.
    Failed(Failed),
}

/// A signal that was not counted, as far as its sender knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failed {
    /// The status, or in a few words why there is none.
    pub(super) kind: String,
    pub(super) message: String,
}

/// Failures of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failures {
    pub(super) count: u64,
    /// What the first one said.
    pub(super) first: String,
}

/// One fingerprint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sent {
    /// How often it was sent, or may have been.
    pub(super) sent: u64,
    /// How often that was answered with success.
    pub(super) answered: u64,
}

/// Latencies of signals.
#[derive(Debug, Clone)]
pub(super) struct Latencies(Histogram<u64>);

/// Everything that became of a load.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) created: Latencies,
    pub(super) duplicates: Latencies,
    pub(super) failed: Latencies,
    /// How much later than intended signals were sent.
    pub(super) lag: Latencies,
    pub(super) failures: BTreeMap<String, Failures>,
    /// By their numbers, the warm-up included.
    pub(super) fingerprints: Vec<Sent>,
    /// Answers in time of what is measured: the last one, counted from the start.
    pub(super) last_answer: Duration,
    /// Failures of the warm-up as well.
    failed_ever: u64,
    /// Measured signals whose latency is above the limit.
    late: u64,
    limit: Duration,
}

/// When a signal was meant to be sent, when it was, and when its answer came, all counted from the start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) intended: Duration,
    pub(super) sent: Duration,
    pub(super) answered: Duration,
}

impl Default for Latencies {
    fn default() -> Self {
        // A small histogram that grows; the number of digits is one that is allowed.
        Self(Histogram::new(DIGITS).unwrap_or_else(|_| unreachable!("{DIGITS} digits are allowed")))
    }
}

impl Latencies {
    pub(super) fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        // It grows to whatever is recorded.
        let _ = self.0.record(micros.max(1));
    }

    pub(super) fn count(&self) -> u64 {
        self.0.len()
    }

    pub(super) fn percentile(&self, percentile: f64) -> Duration {
        Duration::from_micros(self.0.value_at_percentile(percentile))
    }

    pub(super) fn max(&self) -> Duration {
        Duration::from_micros(self.0.max())
    }

    pub(super) fn add(&mut self, other: &Self) {
        // Both grow to whatever is in the other.
        let _ = self.0.add(&other.0);
    }
}

impl Tally {
    /// Counts those as late that take longer than this.
    pub(super) fn with_limit(limit: Duration) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// A signal of this fingerprint is about to be sent.
    pub(super) fn sent(&mut self, fingerprint: u32) {
        self.of(fingerprint).sent += 1;
    }

    /// A signal has ended; what comes in the warm-up is counted, but not measured.
    pub(super) fn ended(
        &mut self,
        fingerprint: u32,
        is_measured: bool,
        times: Times,
        answer: Answer,
    ) {
        if matches!(answer, Answer::Created | Answer::Duplicate) {
            self.of(fingerprint).answered += 1;
        }
        let latency = times.answered.saturating_sub(times.intended);
        if is_measured {
            self.lag.record(times.sent.saturating_sub(times.intended));
            self.late += u64::from(latency > self.limit);
            self.last_answer = self.last_answer.max(times.answered);
        }
        match answer {
            Answer::Created if is_measured => self.created.record(latency),
            Answer::Duplicate if is_measured => self.duplicates.record(latency),
            Answer::Failed(failed) => self.fail(&failed, is_measured.then_some(latency)),
            Answer::Created | Answer::Duplicate => {}
        }
    }

    /// All answers together.
    pub(super) fn all(&self) -> Latencies {
        let mut all = self.created.clone();
        all.add(&self.duplicates);
        all.add(&self.failed);
        all
    }

    /// Measured signals that were answered with success.
    pub(super) fn answered(&self) -> u64 {
        self.created.count() + self.duplicates.count()
    }

    /// Signals that failed, those of the warm-up included.
    pub(super) fn failures(&self) -> u64 {
        self.failed_ever
    }

    /// Measured signals that took longer than the limit.
    pub(super) fn late(&self) -> u64 {
        self.late
    }

    fn fail(&mut self, failed: &Failed, latency: Option<Duration>) {
        self.failed_ever += 1;
        if let Some(latency) = latency {
            self.failed.record(latency);
        }
        let first = || {
            let end = failed.message.char_indices().nth(LONGEST_MESSAGE);
            let end = end.map_or(failed.message.len(), |(at, _)| at);
            failed.message[..end].to_owned()
        };
        let failures = self.failures.entry(failed.kind.clone());
        failures
            .or_insert_with(|| Failures {
                count: 0,
                first: first(),
            })
            .count += 1;
    }

    fn of(&mut self, fingerprint: u32) -> &mut Sent {
        let place = fingerprint as usize;
        if self.fingerprints.len() <= place {
            self.fingerprints.resize(place + 1, Sent::default());
        }
        &mut self.fingerprints[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(intended: u64, sent: u64, answered: u64) -> Times {
        let millis = Duration::from_millis;
        Times {
            intended: millis(intended),
            sent: millis(sent),
            answered: millis(answered),
        }
    }

    fn failed(kind: &str, message: &str) -> Answer {
        Answer::Failed(Failed {
            kind: kind.to_owned(),
            message: message.to_owned(),
        })
    }

    #[test]
    fn latency_counts_from_the_intended_time() {
        let mut tally = Tally::with_limit(Duration::from_millis(50));
        tally.ended(0, true, times(100, 160, 170), Answer::Created);
        assert_eq!(tally.created.max().as_millis(), 70);
        assert_eq!(tally.lag.max().as_millis(), 60);
        assert_eq!(tally.late(), 1);
        assert_eq!(tally.last_answer, Duration::from_millis(170));
    }

    #[test]
    fn failures_are_told_apart_and_each_says_what_the_first_said() {
        let mut tally = Tally::default();
        tally.ended(0, true, times(0, 0, 5), failed("503", "busy"));
        tally.ended(0, true, times(0, 0, 5), failed("503", "still busy"));
        tally.ended(0, true, times(0, 0, 5), failed("500", &"ü".repeat(300)));
        assert_eq!((tally.failures(), tally.failed.count()), (3, 3));
        let busy = Failures {
            count: 2,
            first: "busy".to_owned(),
        };
        assert_eq!(tally.failures["503"], busy);
        assert_eq!(tally.failures["500"].first, "ü".repeat(LONGEST_MESSAGE));
    }

    #[test]
    fn the_warm_up_is_counted_and_not_measured() {
        let mut tally = Tally::default();
        for fingerprint in [0, 2] {
            tally.sent(fingerprint);
            tally.ended(fingerprint, false, times(0, 0, 900), Answer::Created);
        }
        tally.ended(0, false, times(0, 0, 900), failed("500", "no"));
        assert_eq!((tally.answered(), tally.all().count()), (0, 0));
        assert_eq!(tally.failures(), 1);
        let sent = Sent {
            sent: 1,
            answered: 1,
        };
        assert_eq!(tally.fingerprints, [sent, Sent::default(), sent]);
    }
}

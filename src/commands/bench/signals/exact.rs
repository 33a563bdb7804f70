//! Whether what the RemediationRequests say agrees with what the senders were told. Pure.

use std::collections::{BTreeMap, HashMap};

use gwlock_engine::protocol::key::Fingerprint;

use super::tally::Sent;

/// A RemediationRequest that a load has led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) name: String,
    pub(super) fingerprint: String,
    /// Its `occurrenceCount`; 0 if nothing was counted.
    pub(super) count: u64,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Exactness {
    /// Fingerprints that were sent.
    pub(super) expected: u64,
    /// RemediationRequests.
    pub(super) created: u64,
    /// Signals that were answered with success.
    pub(super) answered: u64,
    /// Signals that were sent and not: they may have been counted.
    pub(super) unanswered: u64,
    /// The sum of all counts.
    pub(super) counted: u64,
    /// Fingerprints with an error, by what it is, each with the first one.
    pub(super) wrong: BTreeMap<Wrong, (u64, String)>,
}

/// What can be wrong with a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wrong {
    /// More than one RemediationRequest.
    Several,
    /// None, although a signal was answered with success.
    None,
    /// Fewer are counted than were answered.
    Lost,
    /// More are counted than were sent.
    TooMany,
}

impl Wrong {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Several => "fingerprints with several RemediationRequests",
            Self::None => "fingerprints without a RemediationRequest",
            Self::Lost => "fingerprints with fewer counted than answered",
            Self::TooMany => "fingerprints with more counted than sent",
        }
    }
}

impl Exactness {
    /// Compares fingerprint by fingerprint: errors of two do not make up for each other.
    pub(super) fn of(
        sent: &[Sent],
        fingerprint: impl Fn(u32) -> Fingerprint,
        requests: &[Request],
    ) -> Self {
        let mut found: HashMap<&str, (u64, u64)> = HashMap::new();
        for request in requests {
            let (number, count) = found.entry(&request.fingerprint).or_default();
            *number += 1;
            *count += request.count;
        }
        let mut exactness = Self {
            created: requests.len() as u64,
            counted: requests.iter().map(|request| request.count).sum(),
            ..Self::default()
        };
        for (number, sent) in (0_u32..).zip(sent).filter(|(_, sent)| sent.sent > 0) {
            let fingerprint = fingerprint(number);
            let (requests, counted) = found.get(fingerprint.as_str()).copied().unwrap_or_default();
            exactness.expected += 1;
            exactness.answered += sent.answered;
            exactness.unanswered += sent.sent - sent.answered;
            let errors = [
                (requests > 1, Wrong::Several),
                (requests == 0 && sent.answered > 0, Wrong::None),
                (requests > 0 && counted < sent.answered, Wrong::Lost),
                (counted > sent.sent, Wrong::TooMany),
            ];
            for (_, wrong) in errors.into_iter().filter(|(is_wrong, _)| *is_wrong) {
                let first = || {
                    let Sent { sent, answered } = sent;
                    format!(
                        "{fingerprint}: {requests} RemediationRequests, {counted} counted, {answered} of {sent} answered"
                    )
                };
                let found = exactness.wrong.entry(wrong);
                found.or_insert_with(|| (0, first())).0 += 1;
            }
        }
        exactness
    }

    pub(super) fn is_exact(&self) -> bool {
        self.wrong.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(number: u32) -> Fingerprint {
        Fingerprint::of(&format!("ns:Lease:app-{number}"))
    }

    fn request(number: u32, count: u64) -> Request {
        Request {
            name: format!("rr-{number}-{count}"),
            fingerprint: fingerprint(number).to_string(),
            count,
        }
    }

    fn wrong(sent: &[(u64, u64)], requests: &[Request]) -> Vec<(Wrong, u64)> {
        let sent: Vec<Sent> = sent
            .iter()
            .map(|(sent, answered)| Sent {
                sent: *sent,
                answered: *answered,
            })
            .collect();
        let exactness = Exactness::of(&sent, fingerprint, requests);
        assert_eq!(exactness.is_exact(), exactness.wrong.is_empty());
        let wrong = exactness.wrong.into_iter();
        wrong.map(|(wrong, (count, _))| (wrong, count)).collect()
    }

    #[test]
    fn what_is_counted_lies_between_what_was_answered_and_what_was_sent() {
        for (count, expected) in [
            (4, vec![(Wrong::Lost, 1)]),
            (5, vec![]),
            (7, vec![]),
            (8, vec![(Wrong::TooMany, 1)]),
        ] {
            assert_eq!(wrong(&[(7, 5)], &[request(0, count)]), expected, "{count}");
        }
    }

    #[test]
    fn errors_of_two_fingerprints_do_not_make_up_for_each_other() {
        let requests = [request(0, 4), request(1, 6)];
        let expected = [(Wrong::Lost, 1), (Wrong::TooMany, 1)];
        assert_eq!(wrong(&[(5, 5), (5, 5)], &requests), expected);
    }

    #[test]
    fn a_fingerprint_has_one_request() {
        let two = [request(0, 2), request(0, 3)];
        assert_eq!(wrong(&[(5, 5)], &two), [(Wrong::Several, 1)]);
        assert_eq!(wrong(&[(5, 5)], &[]), [(Wrong::None, 1)]);
        // Nobody was told that there is one.
        assert_eq!(wrong(&[(5, 0)], &[]), []);
        // A number that was drawn and not sent is none.
        assert_eq!(wrong(&[(0, 0), (1, 1)], &[request(1, 1)]), []);
    }

    #[test]
    fn sums_are_told() {
        let sent = [
            Sent {
                sent: 7,
                answered: 5,
            },
            Sent {
                sent: 1,
                answered: 1,
            },
        ];
        let requests = [request(0, 6), request(1, 1)];
        let expected = Exactness {
            expected: 2,
            created: 2,
            answered: 6,
            unanswered: 2,
            counted: 7,
            wrong: BTreeMap::new(),
        };
        assert_eq!(Exactness::of(&sent, fingerprint, &requests), expected);
    }
}

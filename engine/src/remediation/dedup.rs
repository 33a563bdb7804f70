//! Whether a request that exists suppresses a new one.
//!
//! Only the decision, from what one LIST showed; nothing is read or written here.

use jiff::Timestamp;

use super::request::RemediationRequest;

/// Phases that end a request. Every other text, known or not, and none at all mean that it is active.
pub const TERMINAL_PHASES: [&str; 5] = ["Completed", "Failed", "TimedOut", "Skipped", "Cancelled"];

/// The outcome that suppresses for as long as the request exists.
pub const MANUAL_REVIEW: &str = "ManualReviewRequired";

/// A request that suppresses a signal, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suppression<'a> {
    /// The request to count the signal on.
    pub request: &'a RemediationRequest,
    /// Why it suppresses.
    pub reason: Reason,
}

/// Why a request suppresses a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It is at work.
    Active,
    /// It ended and waits for a person.
    ManualReview,
    /// It ended, and the next one may not begin yet.
    BackOff {
        /// When it may.
        until: Timestamp,
    },
}

/// Finds the request that suppresses a signal, by the server's time of the read.
///
/// Active ones come before ended ones, and the oldest of them first, which is the one that the orchestrator takes for
/// the original. Of those that wait for a person the newest is taken, and of those that back off the last to end.
/// Requests that are being deleted suppress nothing.
#[must_use]
pub fn decide(requests: &[RemediationRequest], now: Timestamp) -> Option<Suppression<'_>> {
    let staying = || requests.iter().filter(|request| !request.deleting);
    let active = staying()
        .filter(|request| is_active(request))
        .min_by_key(|request| age(request));
    let reviewed = || staying().filter(|request| needs_review(request));
    let backing_off = || {
        staying().filter_map(|request| {
            let until = request.status.as_ref()?.next_allowed_execution?;
            (until > now).then_some((until, request))
        })
    };
    if let Some(request) = active {
        return Some(Suppression {
            request,
            reason: Reason::Active,
        });
    }
    if let Some(request) = reviewed().max_by_key(|request| age(request)) {
        return Some(Suppression {
            request,
            reason: Reason::ManualReview,
        });
    }
    backing_off()
        .max_by_key(|(until, request)| (*until, age(request)))
        .map(|(until, request)| Suppression {
            request,
            reason: Reason::BackOff { until },
        })
}

/// Whether a request has not ended.
#[must_use]
pub fn is_active(request: &RemediationRequest) -> bool {
    !TERMINAL_PHASES.contains(&request.phase())
}

/// The order of requests by age; two of one second are ordered by name, as the orchestrator does it.
pub(super) fn age(request: &RemediationRequest) -> (Option<Timestamp>, &str) {
    (request.created, &request.name)
}

fn needs_review(request: &RemediationRequest) -> bool {
    let status = request.status.as_ref();
    status.and_then(|status| status.outcome.as_deref()) == Some(MANUAL_REVIEW)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remediation::request::RequestStatus;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn now() -> Timestamp {
        at("2026-11-23T12:00:00Z")
    }

    fn request(name: &str, created: &str, phase: &str) -> RemediationRequest {
        RemediationRequest {
            name: name.to_owned(),
            namespace: "ns".to_owned(),
            uid: format!("uid of {name}"),
            resource_version: "1".to_owned(),
            created: Some(at(created)),
            deleting: false,
            created_by: None,
            fingerprint: "f".to_owned(),
            status: Some(RequestStatus {
                phase: Some(phase.to_owned()),
                ..RequestStatus::default()
            }),
        }
    }

    fn ended(name: &str, outcome: Option<&str>, next: Option<&str>) -> RemediationRequest {
        let mut request = request(name, "2026-11-23T09:00:00Z", "Failed");
        let status = request.status.as_mut().unwrap();
        status.outcome = outcome.map(str::to_owned);
        status.next_allowed_execution = next.map(at);
        request
    }

    fn decided(requests: &[RemediationRequest]) -> Option<(&str, Reason)> {
        let suppression = decide(requests, now())?;
        Some((&suppression.request.name, suppression.reason))
    }

    #[test]
    fn of_several_active_requests_the_oldest_suppresses_and_names_decide_within_a_second() {
        let requests = [
            request("c", "2026-11-23T09:00:01Z", "Pending"),
            request("b", "2026-11-23T09:00:00Z", "Executing"),
            request("a", "2026-11-23T09:00:00Z", "Blocked"),
        ];
        assert_eq!(decided(&requests), Some(("a", Reason::Active)));
    }

    #[test]
    fn an_active_request_comes_before_one_that_waits_for_a_person() {
        let requests = [
            ended("a", Some(MANUAL_REVIEW), None),
            request("z", "2026-11-23T11:00:00Z", "Executing"),
        ];
        assert_eq!(decided(&requests), Some(("z", Reason::Active)));
    }

    #[test]
    fn every_phase_that_does_not_end_a_request_is_active() {
        for phase in [
            "",
            "Pending",
            "Processing",
            "Analyzing",
            "AwaitingApproval",
            "Executing",
            "Verifying",
            "Blocked",
            "OfTheFuture",
        ] {
            let requests = [request("a", "2026-11-23T09:00:00Z", phase)];
            assert_eq!(decided(&requests), Some(("a", Reason::Active)), "{phase}");
        }
        for phase in TERMINAL_PHASES {
            let requests = [request("a", "2026-11-23T09:00:00Z", phase)];
            assert_eq!(decided(&requests), None, "{phase}");
        }
        let mut bare = request("a", "2026-11-23T09:00:00Z", "");
        bare.status = None;
        assert_eq!(decided(&[bare]), Some(("a", Reason::Active)));
    }

    #[test]
    fn what_is_being_deleted_suppresses_nothing() {
        let mut active = request("a", "2026-11-23T09:00:00Z", "Executing");
        active.deleting = true;
        let mut reviewed = ended("b", Some(MANUAL_REVIEW), None);
        reviewed.deleting = true;
        assert_eq!(decided(&[active, reviewed]), None);
    }

    #[test]
    fn a_back_off_suppresses_until_its_moment_and_not_at_it() {
        let until = "2026-11-23T12:00:01Z";
        assert_eq!(
            decided(&[ended("a", None, Some(until))]),
            Some(("a", Reason::BackOff { until: at(until) }))
        );
        assert_eq!(
            decided(&[ended("a", None, Some("2026-11-23T12:00:00Z"))]),
            None
        );
    }

    #[test]
    fn of_several_back_offs_the_last_to_end_counts() {
        let requests = [
            ended("a", None, Some("2026-11-23T12:10:00Z")),
            ended("b", None, Some("2026-11-23T12:20:00Z")),
            ended("c", None, Some("2026-11-23T12:05:00Z")),
        ];
        let until = at("2026-11-23T12:20:00Z");
        assert_eq!(decided(&requests), Some(("b", Reason::BackOff { until })));
    }

    #[test]
    fn a_person_to_wait_for_comes_before_a_back_off() {
        let requests = [
            ended("a", None, Some("2026-11-23T12:10:00Z")),
            ended("b", Some(MANUAL_REVIEW), None),
            ended("c", Some(MANUAL_REVIEW), None),
        ];
        assert_eq!(decided(&requests), Some(("c", Reason::ManualReview)));
    }
}

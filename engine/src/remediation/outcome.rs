//! How a run ends: for the machine, and for each signal that joined it.
//!
//! What of it goes into an HTTP answer, and with which status, is the business of whoever answers.

use jiff::Timestamp;

use crate::client::AcquireError;
use crate::client::api_error::Denied;
use crate::protocol::key::Fingerprint;

use super::count::Count;
use super::dedup::Reason;
use super::exchange::{Refusal, Rule};

/// A count that stands in the status of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Counted {
    /// What was written.
    pub count: Count,
    /// Why the signals were counted on this request.
    pub because: Because,
}

/// Why signals were counted on a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// This run created it.
    Created,
    /// It suppresses them.
    Suppressed(Reason),
}

/// The answer to one signal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Processed {
    /// Whether this signal created the request. Of the signals of a run that created one, it is the first.
    pub disposition: Disposition,
    /// The signal's fingerprint.
    pub fingerprint: Fingerprint,
    /// The request's name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its uid.
    pub uid: String,
    /// Which occurrence this signal is. No two signals of one request that are answered have the same one.
    pub count: i32,
    /// The count that this signal and those that were counted with it left in the status.
    pub persisted: i32,
    /// `firstSeenAt` of the status, in whole seconds of the server's time.
    pub first_seen: Timestamp,
    /// `lastSeenAt` of the status, in whole seconds of the server's time.
    pub last_seen: Timestamp,
}

/// What became of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// It created the request.
    Created,
    /// It was counted on a request that suppresses it.
    Duplicate(Reason),
}

/// Why a signal was not processed. Its sender should send it again.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Failure {
    /// The server will not do it: no permission, no such resource, a spec that it does not take.
    #[error("{0}")]
    Refused(Refusal),
    /// The lease was not acquired.
    #[error("the lease of the fingerprint was not acquired: {0}")]
    Lease(AcquireError),
    /// The lease was lost, or would not have outlasted a CREATE, before anything was created.
    #[error("the lease of the fingerprint was lost before a request was created")]
    LeaseLost,
    /// The deadline passed. Nothing was counted; if a request was created, it stands without a count, and the next
    /// signal is the first to be counted on it.
    #[error("not done in time: {0}")]
    DeadlineExceeded(String),
    /// The deadline passed, or something unforeseen was read, while the outcome of a write was unknown: signals may be
    /// counted that were not answered.
    #[error("the outcome of a write is unknown: {0}")]
    Unknown(String),
    /// One name after the other was taken.
    #[error("no free name was found for a request")]
    NoFreeName,
    /// Nobody waits for the answer any more.
    #[error("cancelled")]
    Cancelled,
}

impl Failure {
    /// The rule that a role lacks, where that is the reason. Admission and quotas forbid as well, in other words.
    #[must_use]
    pub fn missing_rule(&self) -> Option<Rule> {
        let (code, message, rule) = match self {
            Self::Refused(refusal) => (refusal.code, &refusal.message, refusal.rule),
            Self::Lease(AcquireError::Refused(refusal)) => {
                let rule = Rule {
                    api_group: "coordination.k8s.io",
                    resource: "leases",
                    verb: refusal.verb.as_str(),
                };
                (refusal.code, &refusal.message, rule)
            }
            // What became of a write cannot be found out.
            Self::Unknown(message) => {
                let Some(Denied::Resource { verb, resource, .. }) = Denied::read(message) else {
                    return None;
                };
                let mut rules = Rule::ALL.into_iter();
                return rules.find(|rule| (rule.verb, rule.resource) == (verb, resource));
            }
            _ => return None,
        };
        let is_missing = code == 403
            && matches!(Denied::read(message), Some(Denied::Resource { verb, .. }) if verb == rule.verb);
        is_missing.then_some(rule)
    }

    /// Whether it is the spec that the server does not take: other signals of the same fingerprint may have a better
    /// one.
    #[must_use]
    pub fn is_about_the_spec(&self) -> bool {
        matches!(self, Self::Refused(refusal)
            if refusal.rule == Rule::CREATE && matches!(refusal.code, 400 | 413 | 422))
    }
}

impl Counted {
    /// The answer to the signal that joined as number `i`, from 1, of those that were counted together.
    pub fn answer(&self, fingerprint: &Fingerprint, i: i32) -> Processed {
        let request = self.count.request();
        let disposition = match self.because {
            Because::Created if i == 1 => Disposition::Created,
            Because::Created => Disposition::Duplicate(Reason::Active),
            Because::Suppressed(reason) => Disposition::Duplicate(reason),
        };
        Processed {
            disposition,
            fingerprint: fingerprint.clone(),
            name: request.name.clone(),
            namespace: request.namespace.clone(),
            uid: request.uid.clone(),
            count: self.count.before().saturating_add(i),
            persisted: self.count.after(),
            first_seen: cut(self.count.first_seen()),
            last_seen: cut(self.count.last_seen()),
        }
    }
}

fn cut(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_rule_is_told_from_other_reasons_to_forbid() {
        let missing_rule = |message: &str| {
            let refusal = Refusal {
                code: 403,
                reason: "Forbidden".to_owned(),
                message: message.to_owned(),
                rule: Rule::COUNT,
            };
            Failure::Refused(refusal).missing_rule()
        };
        let by_roles = "remediationrequests.kubernaut.ai \"rr-1\" is forbidden: User \"gateway\" cannot patch resource \
                        \"remediationrequests/status\" in API group \"kubernaut.ai\" in the namespace \"ns\"";
        assert_eq!(missing_rule(by_roles), Some(Rule::COUNT));
        let lost = "whether rr-1 was created; remediationrequests.kubernaut.ai \"rr-1\" is forbidden: User \"gateway\" cannot \
                    get resource \"remediationrequests\" in API group \"kubernaut.ai\" in the namespace \"ns\"";
        assert_eq!(
            Failure::Unknown(lost.to_owned()).missing_rule(),
            Some(Rule::GET)
        );
        assert_eq!(Failure::Unknown("lost".to_owned()).missing_rule(), None);
        let by_admission = "admission webhook \"audit\" denied the request: no";
        assert_eq!(missing_rule(by_admission), None);
    }
}

//! What a failure means for whoever sent a signal: an exit code, and what to do. Nothing is sent here.

use gwlock_engine::client::AcquireError;
use gwlock_engine::remediation::Failure as Cause;
use gwlock_engine::remediation::exchange::{Refusal as RequestRefusal, Rule as RequestRule};

use crate::exit::Exit;
use crate::failure::{Failure, missing_rule};
use crate::gateway::ingest::Refusal;
use crate::gateway::objects::LookupError;
use crate::gateway::reply::{Answered, Failed};

use super::super::answer::Known;
use super::Ended;

/// Where things are.
#[derive(Debug, Clone)]
pub(super) struct Namespaces {
    pub(super) leases: String,
    pub(super) requests: String,
}

/// The cluster does not know what a RemediationRequest is.
pub(super) fn no_such_kind(server: &str) -> Failure {
    let message = format!("the cluster {server} does not serve remediationrequests.kubernaut.ai");
    Failure::says(Exit::Config, message)
        .kubectl(
            "get crd remediationrequests.kubernaut.ai",
            "Kubernaut installs it",
        )
        .run("lab", "a cluster that has it, to try things on")
}

/// It could not become a signal, or not be found out whether its object is managed.
pub(super) fn refused(refusal: &Refusal, known: Option<Known>) -> Ended {
    let failure = match refusal {
        Refusal::Field(_) => Failure::new(Exit::BadInput, refusal.clone()),
        Refusal::Target(_) => Failure::new(Exit::BadInput, refusal.clone())
            .hint("a signal has to be about an object that exists"),
        Refusal::Lookup(LookupError::Refused { code: 401, message }) => {
            Failure::unauthorised(message.clone())
        }
        Refusal::Lookup(LookupError::Refused { code: 403, message }) => Failure::denied(message),
        Refusal::Lookup(error) => Failure::new(Exit::Unreachable, error.clone()),
    };
    ended(failure, known)
}

/// The processor could not do it.
pub(super) fn failed(cause: &Cause, known: Known, namespaces: &Namespaces) -> Ended {
    ended(failure(cause, &known, namespaces), Some(known))
}

fn ended(failure: Failure, known: Option<Known>) -> Ended {
    let failed = Failed {
        fingerprint: known
            .as_ref()
            .map(|known| known.fingerprint.clone())
            .unwrap_or_default(),
        message: failure.message(),
        retriable: failure.exit != Exit::BadInput,
    };
    (Answered::Failed(failed), known, Some(failure))
}

fn failure(cause: &Cause, known: &Known, namespaces: &Namespaces) -> Failure {
    let inspect = format!(
        "inspect {} -n {}",
        known.lease().unwrap_or_default(),
        namespaces.leases
    );
    match cause {
        Cause::Refused(refusal) => refused_request(refusal, namespaces),
        Cause::Lease(AcquireError::Busy { .. }) => {
            Failure::says(Exit::Busy, cause.to_string()).run(inspect, "who holds it now")
        }
        Cause::Lease(AcquireError::Refused(refusal)) if refusal.code == 404 => {
            Failure::says(Exit::Config, &refusal.message)
                .kubectl(format!("create namespace {}", namespaces.leases), "")
        }
        Cause::Lease(AcquireError::Refused(refusal)) => {
            Failure::refused(refusal, Some(&namespaces.leases))
        }
        Cause::Lease(AcquireError::Unreachable(message)) => Failure::unreachable(message),
        Cause::Lease(AcquireError::Unknown(_)) => {
            Failure::says(Exit::Unknown, cause.to_string()).run(inspect, "who holds it now")
        }
        Cause::Unknown(_) => {
            let look = format!("resolve {} -n {}", known.fingerprint, namespaces.leases);
            let failure = Failure::says(Exit::Unknown, cause.to_string());
            let failure = match missing_rule(&cause.to_string()) {
                Some(rule) => failure.hint(rule),
                None => failure,
            };
            failure.run(look, "what there is now")
        }
        Cause::Lease(AcquireError::ClockLied { .. } | AcquireError::Cancelled)
        | Cause::LeaseLost
        | Cause::DeadlineExceeded(_)
        | Cause::NoFreeName
        | Cause::Cancelled => Failure::says(Exit::Unreachable, cause.to_string()),
    }
}

fn refused_request(refusal: &RequestRefusal, namespaces: &Namespaces) -> Failure {
    let message = &refusal.message;
    let namespace = &namespaces.requests;
    match (refusal.code, refusal.rule) {
        (401, _) => Failure::unauthorised(message.clone()),
        (403, _) => Failure::denied(message),
        (404, RequestRule::CREATE) => Failure::says(Exit::Config, message)
            .kubectl(format!("create namespace {namespace}"), ""),
        (404, _) => Failure::says(
            Exit::Config,
            format!("remediationrequests.kubernaut.ai is not served: {message}"),
        ),
        (400, RequestRule::LIST) => Failure::says(
            Exit::Config,
            format!("RemediationRequests cannot be found by their fingerprint: {message}"),
        )
        .hint("selectable fields need Kubernetes 1.31, and a definition that has them"),
        (400 | 413 | 422, _) => Failure::says(Exit::BadInput, message),
        _ => Failure::says(Exit::Unreachable, message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINGERPRINT: &str = "91fce8d5c4949766458bd4bd58859a4fb2e8470ef64ef438c22903744799a9b1";

    fn exit(cause: &Cause) -> Exit {
        let known = Known {
            name: "A".to_owned(),
            source: "prometheus".to_owned(),
            severity: "info".to_owned(),
            target: "prod:Deployment:payment-api".to_owned(),
            fingerprint: FINGERPRINT.to_owned(),
        };
        let namespaces = Namespaces {
            leases: "locks".to_owned(),
            requests: "requests".to_owned(),
        };
        failure(cause, &known, &namespaces).exit
    }

    fn refusal(code: u16, rule: RequestRule) -> Cause {
        Cause::Refused(RequestRefusal {
            code,
            reason: String::new(),
            message: "no".to_owned(),
            rule,
        })
    }

    #[test]
    fn every_cause_has_its_exit() {
        let text = || "why".to_owned();
        for (cause, expected) in [
            (refusal(401, RequestRule::LIST), Exit::Forbidden),
            (refusal(403, RequestRule::COUNT), Exit::Forbidden),
            (refusal(404, RequestRule::LIST), Exit::Config),
            (refusal(404, RequestRule::CREATE), Exit::Config),
            (refusal(400, RequestRule::LIST), Exit::Config),
            (refusal(422, RequestRule::CREATE), Exit::BadInput),
            (refusal(410, RequestRule::LIST), Exit::Unreachable),
            (
                Cause::Lease(AcquireError::Busy { holder: None }),
                Exit::Busy,
            ),
            (
                Cause::Lease(AcquireError::Unreachable(text())),
                Exit::Unreachable,
            ),
            (Cause::Lease(AcquireError::Unknown(text())), Exit::Unknown),
            (Cause::Unknown(text()), Exit::Unknown),
            (Cause::DeadlineExceeded(text()), Exit::Unreachable),
            (Cause::LeaseLost, Exit::Unreachable),
            (Cause::NoFreeName, Exit::Unreachable),
        ] {
            assert_eq!(exit(&cause), expected, "{cause}");
        }
    }
}

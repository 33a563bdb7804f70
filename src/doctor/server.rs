//! What the API server is and serves.

use std::time::Duration;

use serde_json::{Value, json};

use super::check::{Check, Outcome, Read, Step, Subject, several};

/// An answer to the smallest question that takes so long is too slow for a lock: a signal of a new key needs six.
pub(crate) const SLOW: Duration = Duration::from_secs(1);

/// From this minor version of Kubernetes 1 on custom resources have selectable fields.
const SELECTABLE_FROM: u32 = 31;

/// That it answers, how fast, and which version it is.
pub(crate) fn reachable(version: &Read<Value>, latency: Duration, url: &str) -> Check {
    let check = |outcome, message| Check::new(Subject::Connection, "api-server", outcome, message);
    let milliseconds = latency.as_millis();
    let evidence = json!({
        "url": url, "latencyMs": u64::try_from(milliseconds).unwrap_or(u64::MAX),
        "version": version.as_ref().ok().map(|version| &version["gitVersion"]),
    });
    let named = version
        .as_ref()
        .ok()
        .and_then(|version| version["gitVersion"].as_str());
    let who = format!(
        "{} at {url}",
        named.map_or_else(
            || "the API server".to_owned(),
            |version| format!("Kubernetes {version}")
        )
    );
    if latency >= SLOW {
        let message = format!(
            "{who} took {milliseconds} ms to say its version: signals time out when each request takes that long"
        );
        return check(Outcome::Warning, message)
            .with(evidence)
            .step(Step::Kubectl("get --raw '/readyz?verbose'".to_owned()));
    }
    let minor = version.as_ref().ok().and_then(minor);
    if minor.is_some_and(|minor| minor < SELECTABLE_FROM) {
        let message = format!(
            "{who} is older than 1.{SELECTABLE_FROM}: it cannot select requests by fingerprint"
        );
        return check(Outcome::Failure, message)
            .with(evidence)
            .step(Step::Kubectl("version".to_owned()));
    }
    match version {
        Ok(_) => check(Outcome::Ok, format!("{who} answers in {milliseconds} ms")).with(evidence),
        Err(trouble) => {
            let message = format!(
                "{who} answers in {milliseconds} ms, but does not say its version: {}",
                trouble.words()
            );
            check(Outcome::Warning, message).with(evidence)
        }
    }
}

/// Of Kubernetes 1. Some vendors put a `+` behind it.
fn minor(version: &Value) -> Option<u32> {
    let digits: String = version["minor"]
        .as_str()?
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().ok().filter(|_| version["major"] == "1")
}

/// That nothing that was asked stayed without an answer: an API server whose etcd hangs still says its version.
pub(crate) fn answered(silent: &[(String, String)]) -> Check {
    let check = |outcome, message| Check::new(Subject::Connection, "answers", outcome, message);
    let Some((path, why)) = silent.first() else {
        return check(Outcome::Ok, "every question was answered".to_owned());
    };
    let message = format!(
        "{} without an answer, such as {path}: {why}",
        several(silent.len(), "question")
    );
    let evidence: Vec<_> = silent
        .iter()
        .map(|(path, why)| json!({"path": path, "reason": why}))
        .collect();
    check(Outcome::Failure, message)
        .with(json!({"unanswered": evidence}))
        .step(Step::Kubectl("get --raw '/readyz?verbose'".to_owned()))
}

/// That it has Leases.
pub(crate) fn lease_api(resources: &Read<Value>) -> Check {
    let check =
        |outcome, message: &str| Check::new(Subject::Connection, "lease-api", outcome, message);
    let listed = match resources {
        Ok(resources) => resources["resources"].as_array(),
        Err(trouble) if trouble.is_not_found() => None,
        Err(trouble) => return Check::skipped(Subject::Connection, "lease-api", trouble),
    };
    if listed.is_some_and(|listed| listed.iter().any(|resource| resource["name"] == "leases")) {
        return check(Outcome::Ok, "leases of coordination.k8s.io/v1 are served");
    }
    check(
        Outcome::Failure,
        "the server has no leases of coordination.k8s.io/v1: there is nothing to lock with",
    )
    .step(Step::Kubectl(
        "api-resources --api-group=coordination.k8s.io".to_owned(),
    ))
}

/// That the namespace of the leases exists.
pub(crate) fn namespace(read: &Read<Value>, namespace: &str) -> Check {
    let check =
        |outcome, message| Check::new(Subject::Connection, "lock-namespace", outcome, message);
    match read {
        Ok(object) if object["status"]["phase"] == "Terminating" => {
            let message =
                format!("the namespace {namespace} is being deleted: no lease can be made in it");
            check(Outcome::Failure, message)
                .step(Step::Kubectl(format!("get namespace {namespace} -o yaml")))
        }
        Ok(_) => check(Outcome::Ok, format!("leases are looked for in {namespace}")),
        Err(trouble) if trouble.is_not_found() => {
            let message =
                format!("there is no namespace {namespace}: is the gateway's another one?");
            check(Outcome::Failure, message)
                .step(Step::Kubectl("get pods -A -l app=gateway".to_owned()))
                .step(Step::Gwlock("doctor -n NAMESPACE".to_owned()))
        }
        Err(trouble) => Check::skipped(Subject::Connection, "lock-namespace", trouble),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Trouble;
    use super::*;

    fn version(minor: &str) -> Read<Value> {
        Ok(json!({"major": "1", "minor": minor, "gitVersion": format!("v1.{minor}.0")}))
    }

    #[test]
    fn a_server_that_answers_is_named_with_its_version() {
        let check = reachable(&version("36"), Duration::from_millis(12), "https://a:6443");
        assert_eq!(
            (check.outcome, check.message.as_str()),
            (
                Outcome::Ok,
                "Kubernetes v1.36.0 at https://a:6443 answers in 12 ms"
            )
        );
    }

    #[test]
    fn a_slow_an_old_and_a_silent_server_are_told_apart() {
        let of = |read: &Read<Value>, millis| {
            reachable(read, Duration::from_millis(millis), "u").outcome
        };
        assert_eq!(of(&version("36"), 1000), Outcome::Warning);
        assert_eq!(of(&version("30"), 1), Outcome::Failure);
        assert_eq!(of(&version("27+"), 1), Outcome::Failure);
        assert_eq!(of(&version("31"), 1), Outcome::Ok);
        let refused = Err(Trouble::Refused {
            code: 403,
            message: "no".to_owned(),
        });
        assert_eq!(of(&refused, 1), Outcome::Warning);
    }

    #[test]
    fn a_question_without_an_answer_is_a_failure() {
        assert_eq!(answered(&[]).outcome, Outcome::Ok);
        let check = answered(&[("/api/v1/pods".to_owned(), "no answer within 5s".to_owned())]);
        assert_eq!(
            (check.outcome, check.message.as_str()),
            (
                Outcome::Failure,
                "1 question without an answer, such as /api/v1/pods: no answer within 5s"
            )
        );
    }

    #[test]
    fn leases_and_their_namespace_have_to_be_there() {
        let served = Ok(json!({"resources": [{"name": "leases"}]}));
        let other = Ok(json!({"resources": [{"name": "leasecandidates"}]}));
        let none = Err(Trouble::Refused {
            code: 404,
            message: "no".to_owned(),
        });
        let silent = Err(Trouble::NoAnswer("no".to_owned()));
        let outcomes = [&served, &other, &none, &silent].map(|read| lease_api(read).outcome);
        assert_eq!(
            outcomes,
            [
                Outcome::Ok,
                Outcome::Failure,
                Outcome::Failure,
                Outcome::Skipped
            ]
        );
        let ending = Ok(json!({"status": {"phase": "Terminating"}}));
        let outcomes = [&served, &ending, &none, &silent].map(|read| namespace(read, "ns").outcome);
        assert_eq!(
            outcomes,
            [
                Outcome::Ok,
                Outcome::Failure,
                Outcome::Failure,
                Outcome::Skipped
            ]
        );
    }
}

//! What a gateway's answer means for whoever sent the signal: rows, an exit code, and what to do.

use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::gateway::payload::PayloadError;
use crate::rbac::Rule;
use crate::rbac::profiles::gwlock::SENDER;

use super::super::answer::{Answer, Known, Outcome, Told, of_many};
use super::Preview;
use super::client::{Reply, Trouble};

/// What a body is refused for that is not sent.
pub(super) fn unreadable(error: &PayloadError) -> Failure {
    Failure::new(Exit::BadInput, error.clone())
}

pub(super) fn answer(
    ended: Result<Reply, Trouble>,
    known: Vec<Preview>,
    took: Duration,
    url: &str,
) -> Answer {
    let known: Vec<Option<Known>> = known.into_iter().map(Result::ok).collect();
    match ended {
        Ok(reply) => answered(&reply, known, took, url),
        Err(trouble) => {
            let failure = not_answered(&trouble, url);
            Answer {
                signals: all_failed(known, failure.exit, &failure.message()),
                body: None,
                status: None,
                request_id: None,
                took,
                failure: Some(failure),
            }
        }
    }
}

fn answered(reply: &Reply, known: Vec<Option<Known>>, took: Duration, url: &str) -> Answer {
    let body = reply.json();
    let results = body.as_ref().and_then(|body| body["results"].as_array());
    let (signals, failure) = match (&body, results) {
        (Some(_), Some(results)) => of_results(results, known, reply),
        (Some(body), None) if reply.status.is_success() && is_known(body) => {
            let told = Told::of_body(body, known.into_iter().next().flatten());
            (vec![told], None)
        }
        _ => {
            let failure = refused(reply, body.as_ref(), url);
            let signals = all_failed(known, failure.exit, &failure.message());
            (signals, Some(failure))
        }
    };
    Answer {
        signals,
        body,
        status: Some(reply.status.as_u16()),
        request_id: reply.request_id.clone(),
        took,
        failure,
    }
}

fn is_known(body: &Value) -> bool {
    Outcome::of(body["status"].as_str().unwrap_or_default()).is_some()
}

/// The results stand in the order of the signals, unless the gateway saw others than are known here.
fn of_results(
    results: &[Value],
    known: Vec<Option<Known>>,
    reply: &Reply,
) -> (Vec<Told>, Option<Failure>) {
    let are_same = known.len() == results.len();
    let known = known.into_iter().filter(|_| are_same);
    let known = known.chain(std::iter::repeat_with(|| None));
    let signals: Vec<Told> = results
        .iter()
        .zip(known)
        .map(|(result, known)| Told::of_body(result, known))
        .collect();
    let failure = first_failure(&signals).map(|failure| named(failure, reply));
    (signals, failure)
}

/// The first of the signals that failed, in the name of all.
pub(super) fn first_failure(signals: &[Told]) -> Option<Failure> {
    let has_failed = |told: &&Told| told.outcome == Outcome::Failed;
    let first = signals.iter().find(has_failed)?;
    let failed = signals.iter().filter(has_failed).count();
    let failure = Failure::says(first.exit, first.message.clone());
    Some(of_many(failure, failed, signals.len()))
}

/// A request that was refused or failed as a whole.
fn refused(reply: &Reply, body: Option<&Value>, url: &str) -> Failure {
    let status = reply.status;
    let detail = body.and_then(|body| {
        let text = |field: &str| body[field].as_str().filter(|text| !text.is_empty());
        text("detail")
            .or_else(|| text("message"))
            .or_else(|| text("error"))
    });
    let detail = detail.map_or_else(|| first_line(reply.text()), str::to_owned);
    let mut message = format!("the gateway answered {status}");
    if !detail.is_empty() {
        message.push_str(&format!(": {detail}"));
    }
    let failure = Failure::says(exit(status), message);
    let failure = match status.as_u16() {
        401 => failure.hint("--token-file FILE, with a token that the gateway's cluster knows"),
        403 => failure.hint(missing_rule(&detail)),
        429 | 503 => failure.again(
            "--retry 3",
            "sends it again, as Alertmanager does after 503",
        ),
        504 => failure.hint("it may have been counted: look before you send it again"),
        404 | 405 => failure.hint(format!("is {url} a gateway? Its signals are on port 8080")),
        _ => failure,
    };
    named(failure, reply)
}

/// Names the request, so that it can be found in the gateway's log.
fn named(failure: Failure, reply: &Reply) -> Failure {
    match &reply.request_id {
        Some(id) => failure.hint(format!("X-Request-ID {id} names it in the gateway's log")),
        None => failure,
    }
}

fn exit(status: StatusCode) -> Exit {
    match status.as_u16() {
        401 | 403 => Exit::Forbidden,
        // Something answers that is no gateway, or is one elsewhere.
        200..=399 | 404 | 405 => Exit::Config,
        // Too slow: what was asked for may have been done.
        408 | 504 => Exit::Unknown,
        429 | 500.. => Exit::Unreachable,
        _ => Exit::BadInput,
    }
}

/// The permission that a sender lacks. The gateway asks about the Service by its name.
fn missing_rule(detail: &str) -> String {
    let namespace = detail.rsplit_once(" in namespace ");
    let namespace = namespace.map_or("kubernaut-system", |(_, namespace)| namespace.trim());
    let rule = Rule {
        group: SENDER.group,
        resource: SENDER.resource,
        verb: SENDER.verb,
        namespace: Some(namespace),
    };
    format!("the rule that is missing:\n{rule}")
}

/// Shows the Services of gateways.
const GATEWAYS: &str = "get services -A -l app=gateway";

fn not_answered(trouble: &Trouble, url: &str) -> Failure {
    match trouble {
        Trouble::NotSent(why) if why.contains("Connection refused") => Failure::says(
            Exit::Unreachable,
            format!(
                "the connection to the gateway {url} was refused: is it the right host and port?"
            ),
        )
        .kubectl(GATEWAYS, "where gateways are"),
        Trouble::NotSent(why) => Failure::says(
            Exit::Unreachable,
            format!("the gateway {url} cannot be reached: {why}"),
        )
        .kubectl(GATEWAYS, "where gateways are"),
        Trouble::Unclear(why) => Failure::says(
            Exit::Unknown,
            format!(
                "nobody knows what came of the signal, which was sent to the gateway {url}: {why}"
            ),
        )
        .hint("it may have been counted: look before you send it again"),
        Trouble::Untrusted(why) => Failure::says(
            Exit::Config,
            format!("the certificate of the gateway {url} is not trusted: {why}"),
        )
        .hint("--gateway-ca-file FILE names who has signed it"),
    }
}

fn all_failed(known: Vec<Option<Known>>, exit: Exit, message: &str) -> Vec<Told> {
    if known.is_empty() {
        return vec![Told::failed(None, exit, message)];
    }
    let failed = |signal| Told::failed(signal, exit, message);
    known.into_iter().map(failed).collect()
}

/// Of a page of some proxy the beginning is enough.
fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_exit() {
        for (status, expected) in [
            (200, Exit::Config),
            (302, Exit::Config),
            (400, Exit::BadInput),
            (401, Exit::Forbidden),
            (403, Exit::Forbidden),
            (404, Exit::Config),
            (405, Exit::Config),
            (408, Exit::Unknown),
            (413, Exit::BadInput),
            (415, Exit::BadInput),
            (422, Exit::BadInput),
            (429, Exit::Unreachable),
            (500, Exit::Unreachable),
            (502, Exit::Unreachable),
            (503, Exit::Unreachable),
            (504, Exit::Unknown),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(exit(status), expected, "{status}");
        }
    }

    #[test]
    fn the_rule_that_a_sender_lacks_is_in_the_gateways_namespace() {
        assert_eq!(
            missing_rule("bob may not create services/gateway-service in namespace locks"),
            "the rule that is missing:\n  apiVersion: rbac.authorization.k8s.io/v1\n  kind: Role\n  metadata:\n    \
             name: gwlock\n    namespace: locks\n  rules:\n  # to send signals to the gateway\n  \
             - apiGroups: [\"\"]\n    resources: [\"services\"]\n    \
             resourceNames: [\"gateway-service\"]\n    verbs: [\"create\"]"
        );
    }
}

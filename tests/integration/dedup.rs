//! `dedup list` and `dedup check` on an embedded server: exact output and exit codes.

mod check;
mod list;

use gwlock_engine::protocol::key::{Fingerprint, Target};
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::fixture::{NAMESPACE, Server};

const TARGET: &str = "prod:Deployment:payment-api";
const LEASE: &str = "gw-lock-91fce8d5c4949766";

/// A server that knows RemediationRequests.
fn server() -> Server {
    let server = Server::start();
    serve(&server, &definition());
    server
}

fn definition() -> Value {
    serde_yaml::from_str(gwlock_testkit::REMEDIATION_REQUESTS).unwrap()
}

fn serve(server: &Server, definition: &Value) {
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    server.create(path, 0, definition);
}

fn collection(namespace: &str) -> String {
    format!("/apis/kubernaut.ai/v1alpha1/namespaces/{namespace}/remediationrequests")
}

/// A time so many seconds before this one, in whole seconds.
fn ago(now: Timestamp, seconds: i64) -> String {
    let time = now - SignedDuration::from_secs(seconds);
    Timestamp::from_second(time.as_second())
        .unwrap()
        .to_string()
}

fn counted(now: Timestamp, phase: &str, last_seen: i64, count: i32) -> Value {
    json!({
        "overallPhase": phase,
        "deduplication": {
            "firstSeenAt": ago(now, 3660), "lastSeenAt": ago(now, last_seen), "occurrenceCount": count,
        },
    })
}

/// A request about a target, created so many seconds ago.
fn request(server: &Server, name: &str, target: &str, created: i64, status: &Value) -> Value {
    request_in(server, NAMESPACE, name, target, created, status)
}

fn request_in(
    server: &Server,
    namespace: &str,
    name: &str,
    target: &str,
    created: i64,
    status: &Value,
) -> Value {
    let about = Target::parse(target).unwrap();
    let mut resource = json!({"kind": about.kind, "name": about.name});
    if !about.namespace.is_empty() {
        resource["namespace"] = json!(about.namespace);
    }
    let time = ago(Timestamp::now(), created);
    let object = json!({
        "apiVersion": "kubernaut.ai/v1alpha1", "kind": "RemediationRequest",
        "metadata": {"name": name, "labels": {"name": name}},
        "spec": {
            "signalFingerprint": Fingerprint::of(target).as_str(), "signalName": "HighCPU", "severity": "warning",
            "signalType": "alert", "targetType": "kubernetes", "targetResource": resource, "firingTime": time,
            "receivedTime": time,
        },
    });
    let collection = collection(namespace);
    let mut object = server.create(&collection, created, &object);
    if status.is_null() {
        return object;
    }
    object["status"] = status.clone();
    let path = format!("{collection}/{name}/status");
    server.send(Method::PUT, &path, Some(&object))
}

/// What a finding says, with the seconds that depend on the moment left out.
fn without_seconds(text: &str) -> String {
    let words = text.split(' ').collect::<Vec<_>>();
    let is_seconds =
        |at: usize| words.get(at + 1) == Some(&"s") && words[at].parse::<u64>().is_ok();
    let words = words
        .iter()
        .enumerate()
        .map(|(at, word)| if is_seconds(at) { "N" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

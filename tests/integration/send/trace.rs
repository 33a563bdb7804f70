//! `send --trace`: every step in order, without its times.

use super::arena::{Arena, FINGERPRINT, LEASE, POD, REQUEST, TARGET, alert};
use super::fake::{Fake, created};
use crate::fixture::{Gwlock, Run};

/// The lines of a trace; what is different each time is replaced.
fn steps(run: &Run) -> Vec<String> {
    run.stderr
        .lines()
        .map(|line| {
            let (time, rest) = line.trim_start().split_once("  ").unwrap();
            assert!(time.ends_with("ms"), "{line}");
            let mut before = "";
            let words = rest.split_whitespace().map(|word| {
                let kept = match before {
                    "version" | "token" => {
                        "N".to_owned() + word.trim_start_matches(|c: char| c.is_ascii_digit())
                    }
                    "as" if word.starts_with("me_") => "me_NONCE,".to_owned(),
                    _ if word.starts_with("https://127.0.0.1:") => "SERVER".to_owned(),
                    _ if is_time(word.trim_end_matches(',')) => {
                        "T".to_owned() + word.trim_start_matches(|c: char| c != ',')
                    }
                    _ => word.to_owned(),
                };
                before = word;
                kept
            });
            words.collect::<Vec<_>>().join(" ")
        })
        .collect()
}

fn is_time(word: &str) -> bool {
    word.strip_suffix("ms")
        .is_some_and(|number| number.parse::<f64>().is_ok())
}

#[test]
fn a_new_signal_is_told_step_by_step() {
    let arena = Arena::new();
    let run = arena.direct(&[&alert(POD)[..], &["--trace", "-o", "jsonpath={.status}"]].concat());
    assert_eq!((run.code, run.stdout.as_str()), (0, "created"));
    let expected = [
        "cluster SERVER as me, leases in kubernaut-system, RemediationRequests in kubernaut-system",
        "request GET /api -> 200, T",
        "request GET /apis -> 200, T",
        "payload alerts[0] with alertname=HighMemoryUsage namespace=prod pod=payment-api-1 severity=warning",
        "request GET /api/v1/namespaces/prod/pods/payment-api-1 -> 200, T",
        "request GET /apis/apps/v1/namespaces/prod/replicasets/payment-api-7d9 -> 200, T",
        "request GET /apis/apps/v1/namespaces/prod/deployments/payment-api -> 200, T",
        "signal HighMemoryUsage from prometheus, severity warning (audit: high)",
        &format!("target {TARGET}"),
        &format!("fingerprint {FINGERPRINT}"),
        "request GET /api/v1/namespaces/prod -> 200, T",
        &format!("lease {LEASE}, needed only if a RemediationRequest has to be created"),
        "request list remediationrequests -> 200, version N, T",
        "decision no RemediationRequest suppresses it: acquire the lease, then look again",
        &format!("request create leases/{LEASE} -> 201, version N, T"),
        "lease acquired as me_NONCE, fencing token N, 1 request in T",
        "request list remediationrequests -> 200, version N, T",
        &format!("decision create {REQUEST}"),
        &format!("request create remediationrequests/{REQUEST} -> 201, version N, T"),
        &format!("request patch remediationrequests/{REQUEST}/status -> 200, version N, T"),
        &format!("result created {REQUEST}, count 0 -> 1, 1 signal, 5 requests in T"),
        &format!("request delete leases/{LEASE} at version N -> 200, T"),
        "lease released, held T",
    ];
    assert_eq!(steps(&run), expected);
}

#[test]
fn a_duplicate_takes_two_requests() {
    let arena = Arena::new();
    arena.direct(&alert(POD));
    let run = arena.direct(&[&alert(POD)[..], &["--trace"]].concat());
    let steps = steps(&run);
    let from = steps
        .iter()
        .position(|step| step.starts_with("lease "))
        .unwrap();
    assert_eq!(
        steps[from + 1..],
        [
            "request list remediationrequests -> 200, version N, T".to_owned(),
            format!("decision count it on {REQUEST}, which is active"),
            format!("request patch remediationrequests/{REQUEST}/status -> 200, version N, T"),
            format!("result counted on {REQUEST}, count 1 -> 2, 1 signal, 2 requests in T"),
        ]
    );
}

#[test]
fn a_dry_run_tells_what_the_server_checked() {
    let arena = Arena::new();
    let run = arena.direct(&[&alert(POD)[..], &["--trace", "--dry-run=server"]].concat());
    let steps = steps(&run);
    let from = steps
        .iter()
        .position(|step| step.starts_with("decision "))
        .unwrap();
    assert_eq!(
        steps[from + 1..],
        [
            format!("request create leases/{LEASE} -> 201, nothing stored, T"),
            "request list remediationrequests -> 200, version N, T".to_owned(),
            format!("decision create {REQUEST}"),
            format!("request create remediationrequests/{REQUEST} -> 201, nothing stored, T"),
            format!("result {REQUEST} would be created"),
        ]
    );
}

#[test]
fn an_exchange_with_a_gateway_is_told_with_what_can_be_known_here() {
    let fake = Fake::new([created()]);
    let base = [
        "send",
        "--gateway",
        &fake.url,
        "--trace",
        "--starts-at",
        "2026-11-23T09:00:00Z",
    ];
    let run = Gwlock::new(&[&base, &alert("p")[..]].concat()).run();
    let fingerprint = gwlock_engine::protocol::key::Fingerprint::of("prod:Pod:p");
    let url = &fake.url;
    let received = &fake.received()[0];
    assert_eq!(
        steps(&run),
        [
            format!("gateway {url}/ without a token"),
            "signal HighMemoryUsage from prometheus, severity warning (audit: high)".to_owned(),
            "target prod:Pod:p".to_owned(),
            format!("fingerprint {fingerprint}"),
            format!("lease {}", fingerprint.lease_name()),
            "target is told by the payload alone: the gateway follows owners and may find another".to_owned(),
            format!("request POST {url}/api/v1/signals/prometheus, {} bytes", received.body.len()),
            "reply 201 Created in T, X-Request-ID id-1".to_owned(),
            "body {\"duplicate\":false,\"fingerprint\":\"\",\"message\":\"made\",\"remediationRequestName\":\"rr-1\",\
             \"remediationRequestNamespace\":\"ns\",\"status\":\"created\"}"
                .to_owned(),
            "result created, rr-1, count 1: made".to_owned(),
        ]
    );
}

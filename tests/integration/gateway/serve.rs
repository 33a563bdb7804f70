//! A replica's answers, one request at a time.

use std::time::Duration;

use axum::body::Body;
use gwlock::gateway::server::{Limits, PROMETHEUS_PATH};
use gwlock_apiserver::faults::{Action, Fault};
use http::Request;
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::fleet::{Fleet, LOCKS, Options, alert, post};

async fn fleet() -> Fleet {
    let fleet = Fleet::new(1).await;
    fleet.cluster.create("shop/Pod/pod-0", None).await;
    fleet
}

async fn send(fleet: &Fleet) -> (u16, Value) {
    fleet.webhook(0, &[alert("HighCPU", "pod-0")]).await
}

#[tokio::test]
async fn the_first_is_created_and_the_next_are_counted() {
    let fleet = fleet().await;
    let (status, created) = send(&fleet).await;
    let name = created["remediationRequestName"].clone();
    let fingerprint = created["fingerprint"].clone();
    assert_eq!(status, 201);
    assert_eq!(
        created,
        json!({
            "status": "created", "message": "RemediationRequest created", "fingerprint": fingerprint,
            "duplicate": false, "remediationRequestName": name, "remediationRequestNamespace": LOCKS,
        })
    );
    for count in 2..=5 {
        let (status, duplicate) = send(&fleet).await;
        assert_eq!(status, 202);
        let metadata = &duplicate["metadata"];
        assert_eq!(metadata["count"], count);
        assert_eq!(
            metadata["remediationRequestRef"],
            json!(format!("{LOCKS}/{}", name.as_str().unwrap()))
        );
        assert_eq!(
            duplicate,
            json!({
                "status": "duplicate", "message": "counted on a RemediationRequest that exists",
                "fingerprint": fingerprint, "duplicate": true, "remediationRequestName": name,
                "remediationRequestNamespace": LOCKS, "metadata": metadata,
            })
        );
    }
    let [request] = fleet.requests().await.try_into().unwrap();
    let deduplication = &request["status"]["deduplication"];
    assert_eq!(deduplication["occurrenceCount"], 5);
    assert_eq!(deduplication["firstSeenAt"], "2026-11-23T09:00:00Z");
    assert_eq!(request["spec"]["severity"], "warning");
}

#[tokio::test]
async fn every_phase_that_is_not_over_suppresses_and_the_others_do_not() {
    for (phase, expected) in [
        ("Pending", 202),
        ("Processing", 202),
        ("Analyzing", 202),
        ("AwaitingApproval", 202),
        ("Executing", 202),
        ("Verifying", 202),
        ("Blocked", 202),
        ("Completed", 201),
        ("Failed", 201),
        ("TimedOut", 201),
        ("Skipped", 201),
        ("Cancelled", 201),
    ] {
        let fleet = fleet().await;
        let (_, created) = send(&fleet).await;
        let name = created["remediationRequestName"].as_str().unwrap();
        fleet
            .orchestrate(name, json!({"overallPhase": phase}))
            .await;
        let (status, body) = send(&fleet).await;
        assert_eq!(status, expected, "{phase}: {body}");
        let counts = if expected == 202 { vec![2] } else { vec![1, 1] };
        assert_eq!(fleet.counts().await, counts, "{phase}");
    }
}

#[tokio::test]
async fn what_waits_for_a_person_or_backs_off_suppresses_after_its_end() {
    for (status, expected) in [
        (
            json!({"completionStatus": {"outcome": "ManualReviewRequired"}}),
            202,
        ),
        (json!({"completionStatus": {"outcome": "Remediated"}}), 201),
        (
            json!({"routingStatus": {"nextAllowedExecution": "2026-11-23T10:00:00Z"}}),
            202,
        ),
        (
            json!({"routingStatus": {"nextAllowedExecution": "2026-11-23T08:00:00Z"}}),
            201,
        ),
    ] {
        let fleet = fleet().await;
        let (_, created) = send(&fleet).await;
        let name = created["remediationRequestName"].as_str().unwrap();
        let mut all = status.clone();
        all["overallPhase"] = json!("Completed");
        fleet.orchestrate(name, all).await;
        assert_eq!(send(&fleet).await.0, expected, "{status}");
    }
}

#[tokio::test]
async fn what_is_not_managed_is_rejected_with_what_to_do() {
    let fleet = fleet().await;
    fleet.cluster.create("prod/Pod/pod-1", None).await;
    let mut alert = alert("A", "pod-1");
    alert["labels"]["namespace"] = json!("prod");
    let (status, body) = fleet.webhook(0, &[alert]).await;
    assert_eq!(status, 200);
    assert_eq!(body["status"], "rejected");
    assert_eq!(
        body["rejection"],
        json!({
            "status": "rejected", "reason": "unmanaged_resource", "resource": "prod:Pod:pod-1",
            "message": "Pod prod/pod-1 is not managed: neither it nor its namespace has the label \
                        kubernaut.ai/managed=true",
            "action": "kubectl label namespace prod kubernaut.ai/managed=true",
        })
    );
    assert_eq!(fleet.requests().await, [] as [Value; 0]);
    assert!(
        fleet
            .metrics()
            .contains("gateway_signals_rejected_total{reason=\"unmanaged_resource\"} 1\n")
    );
}

#[tokio::test]
async fn an_objects_own_label_wins_over_its_namespaces() {
    let fleet = fleet().await;
    let labelled = |value: &str| json!({"metadata": {"labels": {"kubernaut.ai/managed": value}}});
    fleet
        .cluster
        .create_with("shop/Pod/out", None, labelled("false"))
        .await;
    fleet
        .cluster
        .create_with("prod/Pod/in", None, labelled("true"))
        .await;
    fleet
        .cluster
        .create_with("shop/Pod/odd", None, labelled("maybe"))
        .await;
    fleet
        .cluster
        .create_with("Node/in", None, labelled("true"))
        .await;
    let about = |namespace: Option<&str>, kind: &str, name: &str| {
        let mut alert = alert("A", "x");
        let labels = alert["labels"].as_object_mut().unwrap();
        labels.remove("pod");
        labels.remove("namespace");
        labels.insert(kind.to_owned(), json!(name));
        if let Some(namespace) = namespace {
            labels.insert("namespace".to_owned(), json!(namespace));
        }
        alert
    };
    for (alert, expected) in [
        (about(Some("shop"), "pod", "out"), 200),
        (about(Some("prod"), "pod", "in"), 201),
        (about(Some("shop"), "pod", "odd"), 201),
        (about(None, "node", "in"), 201),
    ] {
        let (status, body) = fleet.webhook(0, &[alert]).await;
        assert_eq!(status, expected, "{body}");
    }
}

#[tokio::test]
async fn resolved_alerts_change_nothing() {
    let fleet = fleet().await;
    let mut resolved = alert("A", "pod-0");
    resolved["status"] = json!("resolved");
    let (status, body) = fleet.webhook(0, &[resolved.clone()]).await;
    assert_eq!((status, &body["status"]), (200, &json!("resolved")));
    // Beside one that fires it is not even counted in the answer.
    let (status, body) = fleet.webhook(0, &[resolved, alert("A", "pod-0")]).await;
    assert_eq!((status, &body["status"]), (201, &json!("created")));
    assert_eq!(fleet.counts().await, [1]);
}

#[tokio::test]
async fn an_event_is_a_signal_too() {
    let fleet = fleet().await;
    let event = json!({
        "type": "Warning", "reason": "BackOff", "message": "restarting",
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "pod-0"},
        "lastTimestamp": jiff::Timestamp::now(),
    });
    assert_eq!(fleet.event(0, &event).await.0, 201);
    assert_eq!(send(&fleet).await.0, 202, "the same object");
    let mut normal = event.clone();
    normal["type"] = json!("Normal");
    assert_eq!(fleet.event(0, &normal).await.0, 400);
    let mut stale = event;
    stale["lastTimestamp"] = json!("2026-11-23T00:00:00Z");
    let (status, body) = fleet.event(0, &stale).await;
    assert_eq!(
        (status, &body["type"]),
        (
            400,
            &json!("https://kubernaut.ai/problems/validation-error")
        )
    );
}

#[tokio::test]
async fn bodies_are_bounded_to_the_byte() {
    let fleet = fleet().await;
    for (bytes, expected) in [(262_144, 400), (262_145, 413), (10_000_000, 413)] {
        let (status, body) = fleet
            .call(0, post(PROMETHEUS_PATH, "x".repeat(bytes)))
            .await;
        assert_eq!(status, expected, "{body}");
    }
    let (status, body) = fleet
        .call(0, post(PROMETHEUS_PATH, r#"{"alerts":[]}"#))
        .await;
    assert_eq!(status, 400, "{body}");
    assert_eq!(fleet.leases().await, 0);
}

#[tokio::test]
async fn what_is_not_offered_is_told_as_a_problem() {
    let fleet = fleet().await;
    for (request, expected) in [
        (Request::get(PROMETHEUS_PATH), 405),
        (Request::post("/api/v1/signals/other"), 404),
        (
            Request::post(PROMETHEUS_PATH).header("content-type", "text/plain"),
            415,
        ),
        (
            Request::post(PROMETHEUS_PATH).header("x-timestamp", "soon"),
            400,
        ),
    ] {
        let body = json!({"alerts": [alert("A", "pod-0")]}).to_string();
        let (status, body) = fleet.call(0, request.body(Body::from(body)).unwrap()).await;
        assert_eq!(
            (status, &body["status"]),
            (expected, &json!(expected)),
            "{body}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_count_fails_the_signal() {
    let fleet = fleet().await;
    let fault = Fault::new(Action::Refuse {
        status: 503,
        retry_after: None,
    });
    fleet
        .cluster
        .inject(fault.verb("patch").resource("remediationrequests"));
    let (status, body) = send(&fleet).await;
    assert_eq!(
        (status, &body["detail"]),
        (500, &json!("Internal server error"))
    );
    fleet.cluster.clear_faults();
    let (status, body) = send(&fleet).await;
    assert_eq!(
        (status, &body["metadata"]["count"]),
        (202, &json!(1)),
        "nothing had been answered"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_too_slow_is_a_504() {
    let limits = Limits {
        request: Duration::from_millis(200),
        ..Limits::default()
    };
    let options = Options {
        limits: Some(limits),
        ..Options::default()
    };
    let fleet = Fleet::with(Cluster::new().await, 1, options).await;
    fleet.cluster.create("shop/Pod/pod-0", None).await;
    let fault = Fault::new(Action::Delay(Duration::from_secs(60)));
    fleet
        .cluster
        .inject(fault.verb("list").resource("remediationrequests"));
    let (status, body) = send(&fleet).await;
    assert_eq!(
        (status, &body["detail"]),
        (504, &json!("Request processing timed out"))
    );
}

#[tokio::test]
async fn beyond_the_slots_the_answer_is_come_again() {
    let limits = Limits {
        in_flight: 0,
        ..Limits::default()
    };
    let options = Options {
        limits: Some(limits),
        ..Options::default()
    };
    let fleet = Fleet::with(Cluster::new().await, 1, options).await;
    let (status, body) = send(&fleet).await;
    assert_eq!(
        (status, &body["type"]),
        (
            503,
            &json!("https://kubernaut.ai/problems/service-unavailable")
        )
    );
}

#[tokio::test]
async fn a_role_without_leases_fails_every_new_signal_and_the_four_verbs_suffice() {
    let reading = [
        "get pods",
        "get namespaces",
        "list remediationrequests.kubernaut.ai",
        "create remediationrequests.kubernaut.ai",
        "get remediationrequests.kubernaut.ai",
        "patch remediationrequests/status.kubernaut.ai",
    ];
    let fleet = Fleet::with(Cluster::with_rights(&reading).await, 1, Options::default()).await;
    fleet.cluster.create("shop/Pod/pod-0", None).await;
    assert_eq!(send(&fleet).await.0, 500);

    let leases = ["get", "create", "update", "delete"]
        .map(|verb| format!("{verb} leases.coordination.k8s.io"));
    let all: Vec<&str> = reading
        .into_iter()
        .chain(leases.iter().map(String::as_str))
        .collect();
    let fleet = Fleet::with(Cluster::with_rights(&all).await, 1, Options::default()).await;
    fleet.cluster.create("shop/Pod/pod-0", None).await;
    assert_eq!(send(&fleet).await.0, 201);
    assert_eq!(send(&fleet).await.0, 202);
}

#[tokio::test]
async fn a_sender_has_to_be_known_and_allowed() {
    let options = Options {
        authenticated: true,
        ..Options::default()
    };
    let fleet = Fleet::with(Cluster::new().await, 1, options).await;
    fleet.cluster.create("shop/Pod/pod-0", None).await;
    let body = json!({"alerts": [alert("A", "pod-0")]}).to_string();
    let with = |value: Option<&str>| {
        let mut request = post(PROMETHEUS_PATH, body.clone());
        if let Some(value) = value {
            request
                .headers_mut()
                .insert("authorization", value.parse().unwrap());
        }
        request
    };
    assert_eq!(fleet.call(0, with(None)).await.0, 401);
    assert_eq!(fleet.call(0, with(Some("Bearer nobody's"))).await.0, 401);
    assert_eq!(
        fleet.call(0, with(Some("Bearer sender-token"))).await.0,
        403
    );
    assert_eq!(fleet.call(0, with(Some("Bearer admin-token"))).await.0, 201);
    fleet.cluster.asked();
    assert_eq!(fleet.call(0, with(Some("Bearer admin-token"))).await.0, 202);
    let asked = fleet.cluster.asked();
    assert!(
        !asked.iter().any(|request| request.contains("review")),
        "it is remembered: {asked:?}"
    );
}

#[tokio::test]
async fn a_replica_that_ends_is_not_ready_and_still_answers() {
    let fleet = fleet().await;
    assert_eq!(fleet.readiness().await, 200);
    fleet.drain();
    assert_eq!(fleet.readiness().await, 503);
    assert_eq!(send(&fleet).await.0, 201);
}

#[tokio::test]
async fn every_duplicate_is_recorded_with_its_count() {
    let fleet = fleet().await;
    for _ in 0..6 {
        send(&fleet).await;
    }
    let audit = fleet.audit();
    let counts: Vec<&Value> = audit
        .iter()
        .filter(|event| event["event_type"] == "gateway.signal.deduplicated")
        .map(|event| &event["event_data"]["occurrence_count"])
        .collect();
    assert_eq!(counts, [2, 3, 4, 5, 6]);
    // The release is not waited for by the answer.
    let mut kinds: Vec<&str> = audit
        .iter()
        .take(4)
        .map(|event| event["event_type"].as_str().unwrap())
        .collect();
    kinds.sort_unstable();
    assert_eq!(
        kinds,
        [
            "gateway.crd.created",
            "gateway.lock.acquired",
            "gateway.lock.released",
            "gateway.signal.received"
        ]
    );
    let duplicate = audit.last().unwrap();
    assert_eq!(duplicate["event_data"]["deduplication_status"], "duplicate");
    assert_eq!(duplicate["event_data"]["severity"], "warning");
    let metrics = fleet.metrics();
    for line in [
        "gateway_signals_received_total{source_type=\"prometheus\",severity=\"high\"} 6",
        "gateway_signals_deduplicated_total{signal_name=\"HighCPU\"} 5",
        "gateway_crds_created_total{source_type=\"prometheus\",status=\"created\"} 1",
        "gateway_lock_acquisition_attempts_total 1",
        "gateway_lock_acquisition_success_total 1",
        "gateway_lock_hold_duration_seconds_count 1",
    ] {
        assert!(
            metrics.contains(&format!("{line}\n")),
            "{line} in\n{metrics}"
        );
    }
}

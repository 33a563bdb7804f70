//! The lease of a fingerprint while somebody else has it, and after the work.

use gwlock_testkit::control_plane;
use gwlock_testkit::proxy::{Fault, Proxy, Rule};
use http::{Method, Request, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::serve::{ROUTE, Tally, World, spread, sum, until, webhook};

/// What a gateway writes when it acquires the lease of a pod's fingerprint, with this duration.
async fn held_by_a_gateway(world: &World, pod: &str, seconds: u32) -> String {
    let name = world.fingerprint("Pod", pod).lease_name().to_string();
    let now = Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        .to_string();
    let lease = json!({
        "metadata": {"name": name},
        "spec": {
            "holderIdentity": "gateway-7f9c-x2x", "leaseDurationSeconds": seconds, "acquireTime": now,
            "renewTime": now,
        },
    });
    world.call(Method::POST, &world.leases_path(), &lease).await;
    name
}

/// What the holder creates: a request about a pod, as its fingerprint's first signal.
async fn create_request(world: &World, pod: &str) -> String {
    let fingerprint = world.fingerprint("Pod", pod);
    let now = Timestamp::now();
    let request = json!({
        "apiVersion": "kubernaut.ai/v1alpha1", "kind": "RemediationRequest",
        "metadata": {"name": format!("rr-{}-01234567", &fingerprint.as_str()[..12])},
        "spec": {
            "signalFingerprint": fingerprint.as_str(), "signalName": "HighCPU", "severity": "critical",
            "signalType": "alert", "targetType": "kubernetes", "firingTime": now, "receivedTime": now,
            "targetResource": {"kind": "Pod", "name": pod, "namespace": world.namespace},
        },
    });
    let created = world
        .call(Method::POST, &world.requests_path(), &request)
        .await;
    created["metadata"]["name"].as_str().unwrap().to_owned()
}

/// Adds the holder's own signal to the count, whatever waiters have added by then: a count that is missing is zero.
async fn count_own(world: &World, name: &str) {
    let path = format!("{}/{name}", world.requests_path());
    loop {
        let get = Request::get(&path).body(Vec::new()).unwrap();
        let request: Value = world.client.request(get).await.unwrap();
        let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let patch = match request.get("status") {
            None => json!([
                {"op": "test", "path": "/status", "value": null},
                {"op": "add", "path": "/status", "value": {"deduplication": {
                    "occurrenceCount": 1, "firstSeenAt": now, "lastSeenAt": now,
                }}},
            ]),
            Some(status) => {
                let count = status["deduplication"]["occurrenceCount"].as_i64().unwrap();
                let path = "/status/deduplication/occurrenceCount";
                json!([
                    {"op": "test", "path": path, "value": count},
                    {"op": "replace", "path": path, "value": count + 1},
                ])
            }
        };
        let patch = Request::patch(format!("{path}/status"))
            .header("content-type", "application/json-patch+json")
            .body(patch.to_string().into_bytes())
            .unwrap();
        match world.client.request::<Value>(patch).await {
            Ok(_) => return,
            Err(kube::Error::Api(status)) if matches!(status.code, 409 | 422) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

async fn release(world: &World, lease: &str) {
    let path = format!("{}/{lease}", world.leases_path());
    world.call(Method::DELETE, &path, &json!({})).await;
}

/// Fifty signals over three replicas wait while somebody else holds the lease, creates the request for a signal of its
/// own, and releases: fifty and one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_waiters_behind_one_holder_are_counted_fifty_one() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let replicas = world.replicas();
    let lease = held_by_a_gateway(&world, "api", 30).await;
    let alert = world.alert("HighCPU", "api");
    let holder = async {
        // Each replica has all of its signals, and has found the lease taken.
        until("all wait", async || {
            sum(&replicas, "gateway_signals_received_total").await == 50
                && sum(&replicas, "gateway_lock_contention_total").await == 3
        })
        .await;
        assert_eq!(world.requests().await, [] as [Value; 0]);
        let name = create_request(&world, "api").await;
        count_own(&world, &name).await;
        release(&world, &lease).await;
    };
    let (answers, ()) = tokio::join!(spread(&replicas, vec![alert; 50]), holder);
    let expected = Tally {
        duplicate: 50,
        ..Tally::default()
    };
    assert_eq!(Tally::of(&answers), expected);
    assert_eq!(world.counts().await, [51]);
    world.until_no_lease_is_left().await;
}

/// Somebody else holds the lease and a request exists: a duplicate, counted without the lease.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_that_is_held_does_not_delay_a_duplicate() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let replica = world.replica("a");
    let lease = held_by_a_gateway(&world, "api", 3600).await;
    let name = create_request(&world, "api").await;
    count_own(&world, &name).await;
    let answer = replica.alert(&world.alert("HighCPU", "api")).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(answer.body["remediationRequestName"], name);
    assert_eq!(world.counts().await, [2]);
    assert_eq!(world.lease_names().await, [lease]);
    let attempts = "gateway_lock_acquisition_attempts_total";
    assert_eq!(replica.metric(attempts).await, 0);
}

/// A lease that is held for ever, and no request: an error that names the fingerprint, in the log and in the audit log,
/// no request, and the lease stays whose it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_that_is_held_for_ever_fails_the_signal_and_creates_nothing() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let folder = tempfile::tempdir().unwrap();
    let audit = folder.path().join("audit.jsonl");
    let replica = world.start(
        "a",
        world.kubeconfig.path(),
        &[
            "--auth",
            "none",
            "--signal-timeout",
            "5s",
            "--audit-log",
            audit.to_str().unwrap(),
        ],
    );
    let lease = held_by_a_gateway(&world, "api", 3600).await;
    let answer = replica.alert(&world.alert("HighCPU", "api")).await;
    assert_eq!(
        (answer.status, &answer.body["detail"]),
        (500, &json!("Internal server error"))
    );
    assert_eq!(world.requests().await, [] as [Value; 0]);
    assert_eq!(world.lease_names().await, [lease]);
    assert_eq!(
        replica
            .metric("gateway_lock_acquisition_failures_total")
            .await,
        1
    );

    let fingerprint = world.fingerprint("Pod", "api");
    let words = ["ERROR", fingerprint.as_str(), "gateway-7f9c-x2x"];
    replica.until_it_says(&words).await;
    let events = super::metrics_and_audit::events(&audit);
    let failed: Vec<_> = events
        .iter()
        .filter(|event| event["event_type"] == "gateway.crd.failed")
        .map(|event| event["event_data"]["fingerprint"].clone())
        .collect();
    assert_eq!(failed, [json!(fingerprint.as_str())]);
}

/// The lease is there while the request is created, and gone afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lease_stands_while_a_request_is_created_and_is_gone_afterwards() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let proxy = Proxy::in_front_of(control_plane).unwrap();
    let kubeconfig = proxy.kubeconfig(gwlock_testkit::User::Admin, &world.namespace);
    let kubeconfig = kubeconfig.unwrap();
    let replica = world.start("a", kubeconfig.path(), &["--auth", "none"]);
    let creates = Rule::new(Fault::DelayRequest(std::time::Duration::from_secs(1)));
    proxy.inject(
        creates
            .method(Method::POST)
            .path_contains("/remediationrequests"),
    );
    let watcher = async {
        until("a request is being created", async || {
            proxy.counts().contains_key("create remediationrequests")
        })
        .await;
        world.lease_names().await
    };
    let alert = world.alert("HighCPU", "api");
    let (answer, leases) = tokio::join!(replica.alert(&alert), watcher);
    assert_eq!(answer.status, 201);
    let lease = world.fingerprint("Pod", "api").lease_name().to_string();
    assert_eq!(leases, [lease]);
    world.until_no_lease_is_left().await;
    assert_eq!(world.counts().await, [1]);
}

/// The LIST by fingerprint is refused: the signal fails, nothing else is asked instead, and no lease is taken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_by_fingerprint_that_is_refused_fails_the_signal_without_a_way_round() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let proxy = Proxy::in_front_of(control_plane).unwrap();
    let kubeconfig = proxy.kubeconfig(gwlock_testkit::User::Admin, &world.namespace);
    let kubeconfig = kubeconfig.unwrap();
    let replica = world.start("a", kubeconfig.path(), &["--auth", "none"]);
    let lists = Rule::new(Fault::refuse(StatusCode::BAD_REQUEST));
    proxy.inject(
        lists
            .method(Method::GET)
            .path_contains("/remediationrequests"),
    );
    proxy.forget();
    let body = webhook(&[world.alert("HighCPU", "api")]);
    let answer = replica.post(ROUTE, body.clone()).await;
    assert_eq!(answer.status, 500, "{answer:?}");
    let counts = proxy.counts();
    assert_eq!(counts.get("list remediationrequests"), Some(&1));
    assert!(
        !counts.keys().any(|request| request.contains("leases")),
        "{counts:?}"
    );
    let lists: Vec<String> = proxy
        .seen()
        .into_iter()
        .filter(|seen| seen.resource == "remediationrequests")
        .map(|seen| seen.target)
        .collect();
    let selector = format!(
        "spec.signalFingerprint%3D{}",
        world.fingerprint("Pod", "api")
    );
    assert!(lists[0].contains(&selector), "{lists:?}");
    assert_eq!(world.requests().await, [] as [Value; 0]);
    proxy.heal();
    assert_eq!(replica.post(ROUTE, body).await.status, 201);
}

//! Replicas of `gwlock serve` beside clients that speak the gateway's protocol, on the same fingerprints: ours add no
//! second RemediationRequest and break nothing of theirs, whatever theirs do to each other.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use gwlock::gateway::GatewayVersion;
use gwlock::gateway::ingest::Ingestion;
use gwlock::sim::protocols::gateway::{GatewaySignals, Place};
use gwlock_engine::client::{SystemClock, transport};
use gwlock_engine::remediation::Signal;
use gwlock_testkit::{ControlPlane, User, control_plane};
use http::{Method, Request};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, WatchEvent, WatchParams};
use kube::client::Body;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::serve::{ROUTE, Replica, World};

const TARGETS: usize = 6;
const ROUNDS: usize = 3;
/// Signals for each target in each round, to each kind of the fleet.
const TO_OURS: usize = 6;
const TO_THEIRS: usize = 4;

/// The holder and creator of everything that is ours carries a nonce; pods of the gateway have plain names.
const CREATED_BY: &str = "gwlock.dev/created-by";
const THEIR_PODS: [&str; 2] = ["gateway-0", "gateway-1"];

/// Pods of the gateway, and how many leases they have deleted.
struct Theirs {
    pods: Vec<Arc<GatewaySignals>>,
    deleted: Arc<AtomicUsize>,
}

/// Everything that happened to the objects of one kind, in order.
struct History {
    events: Arc<Mutex<Vec<(Kind, Value)>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Added,
    Modified,
    Deleted,
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn count(request: &Value) -> u64 {
    let count = request.pointer("/status/deduplication/occurrenceCount");
    count.and_then(Value::as_u64).unwrap_or(0)
}

fn is_ours(request: &Value) -> bool {
    request["metadata"]["annotations"][CREATED_BY].is_string()
}

impl History {
    /// Watches from now on.
    async fn of(world: &World, resource: ApiResource) -> Self {
        let api: Api<DynamicObject> =
            Api::namespaced_with(world.client.clone(), &world.namespace, &resource);
        let now = api.list(&Default::default()).await.unwrap();
        assert!(now.items.is_empty(), "{now:?}");
        let version = now.metadata.resource_version.unwrap();
        let watch = api.watch(&WatchParams::default(), &version).await.unwrap();
        let events: Arc<Mutex<Vec<(Kind, Value)>>> = Arc::default();
        let seen = events.clone();
        tokio::spawn(async move {
            let mut watch = std::pin::pin!(watch);
            while let Some(event) = watch.next().await {
                let (kind, object) = match event.unwrap() {
                    WatchEvent::Added(object) => (Kind::Added, object),
                    WatchEvent::Modified(object) => (Kind::Modified, object),
                    WatchEvent::Deleted(object) => (Kind::Deleted, object),
                    WatchEvent::Bookmark(_) => continue,
                    WatchEvent::Error(error) => panic!("{error:?}"),
                };
                let object = serde_json::to_value(object).unwrap();
                seen.lock().unwrap().push((kind, object));
            }
        });
        Self { events }
    }

    /// Everything up to a write of now.
    async fn until(&self, last: impl Fn(Kind, &Value) -> bool) -> Vec<(Kind, Value)> {
        loop {
            let events = self.events.lock().unwrap().clone();
            if events.iter().any(|(kind, object)| last(*kind, object)) {
                return events;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

impl Theirs {
    fn new(control_plane: &ControlPlane, world: &World) -> Self {
        let deleted = Arc::new(AtomicUsize::new(0));
        let namespace = &world.namespace;
        let pods = THEIR_PODS.iter().enumerate().map(|(seed, pod)| {
            let config = control_plane.config(User::Admin, namespace);
            let inner = transport::connect(config).unwrap();
            let deleted = deleted.clone();
            let service = tower::service_fn(move |request: Request<Body>| {
                let (inner, deleted) = (inner.clone(), deleted.clone());
                async move {
                    let is_delete = request.method() == Method::DELETE;
                    let answer = inner.send(request).await?;
                    if is_delete && answer.status().is_success() {
                        deleted.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok::<_, kube::Error>(answer)
                }
            });
            let place = Place {
                locks: namespace,
                requests: namespace,
                pod: Some(pod),
            };
            let client = kube::Client::new(service, namespace.clone());
            let rng = StdRng::seed_from_u64(seed as u64);
            Arc::new(GatewaySignals::new(
                client,
                place,
                Arc::new(SystemClock),
                rng,
            ))
        });
        Self {
            pods: pods.collect(),
            deleted,
        }
    }
}

fn alert(world: &World, target: usize) -> String {
    let alert = json!({
        "status": "firing", "startsAt": "2026-11-23T08:59:00Z",
        "labels": {
            "alertname": "HighCPU", "severity": "critical", "namespace": world.namespace,
            "pod": format!("api-{target}"),
        },
    });
    json!({"version": "4", "alerts": [alert]}).to_string()
}

/// What a gateway makes of the same alert.
async fn signal(world: &World, target: usize) -> Signal {
    let ingestion = Ingestion::offline(GatewayVersion::Current);
    let (body, now) = (alert(world, target).into_bytes(), Timestamp::now());
    let webhook = ingestion.webhook(body, None, now).unwrap();
    let signal = ingestion.alert(&webhook, &webhook.alerts[0], now).await;
    signal.unwrap()
}

/// One round: every target's alert to everybody. Some targets are created by ours, some by theirs, and the rest by
/// whoever comes first. How many each side has answered, by target.
async fn storm(world: &World, ours: &[Replica], theirs: &Theirs) -> Vec<[u64; 2]> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let client = &client;
    let targets = (0..TARGETS).map(async |target| {
        let body = alert(world, target);
        let signal = signal(world, target).await;
        let to_ours = async |number: usize| {
            let url = &ours[number % ours.len()].url;
            let request = Request::post(format!("{url}{ROUTE}"))
                .header("content-type", "application/json")
                .body(Full::new(bytes::Bytes::from(body.clone())))
                .unwrap();
            let status = client.request(request).await.unwrap().status();
            assert!(matches!(status.as_u16(), 201 | 202), "{status}");
            1
        };
        let to_theirs = async |number: usize| {
            let pod = &theirs.pods[number % theirs.pods.len()];
            // It may give up after ten attempts.
            u64::from(pod.process(&signal).await.is_ok())
        };
        let mut answered = match target % 3 {
            0 => [to_ours(0).await, 0],
            1 => [0, to_theirs(0).await],
            _ => [0, 0],
        };
        let (by_ours, by_theirs) = tokio::join!(
            join_all((0..TO_OURS).map(to_ours)),
            join_all((0..TO_THEIRS).map(to_theirs))
        );
        answered[0] += by_ours.into_iter().sum::<u64>();
        answered[1] += by_theirs.into_iter().sum::<u64>();
        answered
    });
    join_all(targets).await
}

/// The orchestrator ends every request, so that the next round creates again.
async fn end_all(world: &World) {
    for request in world.try_requests().await.unwrap() {
        let (name, namespace) = (text(&request, "/metadata/name"), &world.namespace);
        let path = format!(
            "/apis/kubernaut.ai/v1alpha1/namespaces/{namespace}/remediationrequests/{name}/status"
        );
        let patch = json!({"status": {"overallPhase": "Completed"}}).to_string();
        let patch = Request::patch(path)
            .header("content-type", "application/merge-patch+json")
            .body(patch.into_bytes());
        let _: Value = world.client.request(patch.unwrap()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ours_add_no_second_request_and_break_none_of_theirs() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    for target in 0..TARGETS {
        pod(&world, &format!("api-{target}")).await;
    }
    let resource = ApiResource {
        group: "kubernaut.ai".to_owned(),
        version: "v1alpha1".to_owned(),
        api_version: "kubernaut.ai/v1alpha1".to_owned(),
        kind: "RemediationRequest".to_owned(),
        plural: "remediationrequests".to_owned(),
    };
    let requests = History::of(&world, resource).await;
    let leases = History::of(&world, ApiResource::erase::<Lease>(&())).await;
    let ours = ["a", "b", "c"].map(|name| world.replica(name));
    let theirs = Theirs::new(control_plane, &world);
    let mut answered = vec![[0, 0]; TARGETS];
    for _ in 0..ROUNDS {
        let round = storm(&world, &ours, &theirs).await;
        for (sum, [by_ours, by_theirs]) in answered.iter_mut().zip(round) {
            sum[0] += by_ours;
            sum[1] += by_theirs;
        }
        end_all(&world).await;
    }
    for replica in ours {
        assert_eq!(replica.end(), Some(0));
    }
    assert_eq!(world.leases().await, 0);

    let mut fingerprints = Vec::new();
    for target in 0..TARGETS {
        fingerprints.push(signal(&world, target).await.fingerprint().to_string());
    }
    let last = ended_requests(&world).await;
    let requests = requests.until(|_, object| last == text(object, "/metadata/resourceVersion"));
    judge_requests(&requests.await);
    judge_counts(&world, &fingerprints, &answered).await;
    // A lease of the test's own ends the history.
    let end = lease(&world).await;
    let leases = leases.until(|_, object| end == text(object, "/metadata/name"));
    judge_leases(&leases.await, theirs.deleted.load(Ordering::Relaxed));
}

async fn pod(world: &World, name: &str) {
    let namespace = &world.namespace;
    let pod = json!({
        "metadata": {"name": name}, "spec": {"containers": [{"name": "api", "image": "api"}]}
    });
    let pod = Request::post(format!("/api/v1/namespaces/{namespace}/pods"))
        .header("content-type", "application/json")
        .body(pod.to_string().into_bytes());
    let _: Value = world.client.request(pod.unwrap()).await.unwrap();
}

async fn lease(world: &World) -> String {
    let namespace = &world.namespace;
    let path = format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases");
    let lease = json!({"metadata": {"name": "end"}}).to_string();
    let lease = Request::post(path)
        .header("content-type", "application/json")
        .body(lease.into_bytes());
    let lease: Value = world.client.request(lease.unwrap()).await.unwrap();
    text(&lease, "/metadata/name").to_owned()
}

/// The version of the last write to a request.
async fn ended_requests(world: &World) -> String {
    let requests = world.try_requests().await.unwrap();
    let version = |request: &Value| {
        let version: u64 = text(request, "/metadata/resourceVersion").parse().unwrap();
        version
    };
    requests.iter().map(version).max().unwrap().to_string()
}

fn judge_requests(events: &[(Kind, Value)]) {
    let mut now: HashMap<&str, &Value> = HashMap::new();
    let mut created = [0, 0];
    for (kind, object) in events {
        let name = text(object, "/metadata/name");
        match kind {
            Kind::Added => {
                let is_same = |other: &&&Value| {
                    let fingerprint = "/spec/signalFingerprint";
                    let ended = text(other, "/status/overallPhase") == "Completed";
                    text(other, fingerprint) == text(object, fingerprint) && !ended
                };
                let active: Vec<&&Value> = now.values().filter(is_same).collect();
                created[usize::from(!is_ours(object))] += 1;
                assert!(
                    !is_ours(object) || active.is_empty(),
                    "{object} beside {active:?}"
                );
            }
            Kind::Modified => {
                let before = now[name];
                if !is_ours(before) {
                    only_counted(before, object);
                }
            }
            Kind::Deleted => panic!("{object}"),
        }
        now.insert(name, object);
    }
    // Both sides have had something to do with it.
    assert!(created[0] > 0 && created[1] > 0, "{created:?}");
}

/// Nothing has changed but the count, which grew, and what the test's orchestrator wrote.
fn only_counted(before: &Value, after: &Value) {
    assert!(count(after) >= count(before), "{before} -> {after}");
    let without = |object: &Value| {
        let mut object = object.clone();
        for field in ["resourceVersion", "managedFields"] {
            object["metadata"].as_object_mut().unwrap().remove(field);
        }
        if let Some(status) = object["status"].as_object_mut() {
            status.remove("deduplication");
            status.remove("overallPhase");
        }
        let is_empty = object["status"]
            .as_object()
            .is_none_or(serde_json::Map::is_empty);
        if is_empty {
            object.as_object_mut().unwrap().remove("status");
        }
        object
    };
    assert_eq!(without(before), without(after));
    let first = "/status/deduplication/firstSeenAt";
    assert!(
        text(before, first).is_empty() || text(before, first) == text(after, first),
        "{before} -> {after}"
    );
}

/// What ours have answered is counted to the last one; theirs lose some of their own.
async fn judge_counts(world: &World, fingerprints: &[String], answered: &[[u64; 2]]) {
    let requests = world.try_requests().await.unwrap();
    for (fingerprint, [by_ours, by_theirs]) in fingerprints.iter().zip(answered) {
        let of_it = requests
            .iter()
            .filter(|request| text(request, "/spec/signalFingerprint") == fingerprint);
        let counted: u64 = of_it.map(count).sum();
        assert!(
            (*by_ours..=by_ours + by_theirs).contains(&counted),
            "{counted} of {by_ours} and {by_theirs}"
        );
    }
}

/// Nobody has taken a lease of theirs, and they have deleted all of them themselves.
fn judge_leases(events: &[(Kind, Value)], deleted_by_theirs: usize) {
    let holder = |object: &Value| text(object, "/spec/holderIdentity").to_owned();
    let is_theirs = |object: &Value| THEIR_PODS.contains(&holder(object).as_str());
    let mut holders: HashMap<&str, String> = HashMap::new();
    let mut ended = 0;
    for (kind, object) in events {
        let uid = text(object, "/metadata/uid");
        let before = holders.insert(uid, holder(object));
        if let Some(before) = before.filter(|before| THEIR_PODS.contains(&before.as_str())) {
            assert_eq!(before, holder(object), "taken over while it was live");
        }
        ended += usize::from(*kind == Kind::Deleted && is_theirs(object));
    }
    assert!(ended > 0);
    assert_eq!(ended, deleted_by_theirs);
}

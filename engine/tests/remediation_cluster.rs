//! The dedup protocol on a real control plane: the same requests as on the embedded server, with the same answers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use gwlock_engine::client::transport;
use gwlock_engine::protocol::key::Target;
use gwlock_engine::remediation::request::RemediationRequest;
use gwlock_engine::remediation::trace::{Event, Traced};
use gwlock_engine::remediation::{
    Disposition, Processed, RemediationRequestSpec, Signal, SignalProcessor, TargetResource,
    TargetType,
};
use gwlock_testkit::{ControlPlane, REMEDIATION_REQUESTS, User, control_plane};
use jiff::Timestamp;
use kube::client::Body;
use serde_json::{Value, json};

/// A namespace of the control plane in which requests are served, and what processors in it have sent.
struct World {
    client: kube::Client,
    namespace: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl World {
    async fn new(control_plane: &ControlPlane) -> Self {
        let namespace = control_plane.namespace().await;
        let client = transport::connect(control_plane.config(User::Admin, &namespace)).unwrap();
        let world = Self {
            client,
            namespace,
            log: Arc::default(),
        };
        let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        let definition = http::Request::post(definitions)
            .header("content-type", "application/yaml")
            .body(Body::from(REMEDIATION_REQUESTS.as_bytes().to_vec()))
            .unwrap();
        // Another test may have defined them.
        let code = world.client.send(definition).await.unwrap().status();
        assert!(code == 201 || code == 409, "{code}");
        let served = async || {
            let list = http::Request::get(world.path(""))
                .body(Body::empty())
                .unwrap();
            world.client.send(list).await.unwrap().status() == 200
        };
        while !served().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        world
    }

    fn path(&self, rest: &str) -> String {
        let namespace = &self.namespace;
        format!("/apis/kubernaut.ai/v1alpha1/namespaces/{namespace}/remediationrequests{rest}")
    }

    async fn object(&self, name: &str) -> Value {
        let path = self.path(&format!("/{name}"));
        let get = http::Request::get(path).body(Vec::new()).unwrap();
        self.client.request(get).await.unwrap()
    }

    async fn set_status(&self, name: &str, status: Value) {
        let patch = http::Request::patch(self.path(&format!("/{name}/status")))
            .header("content-type", "application/merge-patch+json")
            .body(json!({"status": status}).to_string().into_bytes())
            .unwrap();
        let _: Value = self.client.request(patch).await.unwrap();
    }

    async fn requests(&self) -> Vec<RemediationRequest> {
        let list = http::Request::get(self.path("")).body(Vec::new()).unwrap();
        let list: Value = self.client.request(list).await.unwrap();
        let items = list["items"].as_array().unwrap().iter();
        items
            .map(|item| RemediationRequest::read(item).unwrap())
            .collect()
    }

    fn pod(&self, name: &str) -> SignalProcessor {
        let log = self.log.clone();
        let observer = Arc::new(move |traced: &Traced| {
            if let Event::Exchanged(exchange) = &traced.event {
                let status = exchange.status.unwrap_or(0);
                let line = format!("{} {} {status}", exchange.verb, exchange.resource);
                log.lock().unwrap().push(line);
            }
        });
        let namespace = &self.namespace;
        SignalProcessor::builder(self.client.clone(), namespace, namespace, name)
            .observer(observer)
            .build()
    }

    fn log(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }
}

fn signal() -> Signal {
    let target = Target::parse("prod/Deployment/payment-api").unwrap();
    let now = Timestamp::now();
    Signal::new(RemediationRequestSpec {
        signal_fingerprint: target.fingerprint(),
        signal_name: "HighMemoryUsage".to_owned(),
        severity: "critical".to_owned(),
        signal_type: "alert".to_owned(),
        signal_source: Some("prometheus".to_owned()),
        target_type: TargetType::Kubernetes,
        target_resource: TargetResource {
            api_version: None,
            kind: target.kind,
            name: target.name,
            namespace: Some(target.namespace),
        },
        cluster_id: None,
        firing_time: now,
        received_time: now,
        signal_labels: [].into(),
        signal_annotations: [].into(),
        provider_data: None,
        original_payload: None,
    })
}

async fn process(processor: &SignalProcessor) -> Processed {
    let processed = processor.process(signal()).await.unwrap();
    processor.settled().await;
    processed
}

#[tokio::test]
async fn a_new_signal_takes_six_requests_and_a_duplicate_two() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let processor = world.pod("gateway-1");
    let created = process(&processor).await;
    assert_eq!(
        world.log(),
        [
            "list remediationrequests 200",
            "create leases 201",
            "list remediationrequests 200",
            "create remediationrequests 201",
            "patch remediationrequests/status 200",
            "delete leases 200",
        ]
    );
    assert_eq!(
        (created.disposition, created.count),
        (Disposition::Created, 1)
    );
    // A field of the orchestrator, of a later version than ours, has to survive the count.
    let theirs = json!({"overallPhase": "Executing", "ofTheFuture": {"a": [1]}});
    world.set_status(&created.name, theirs).await;
    // A consistent list is answered when the server's cache has that write. Before, a duplicate that finds the state before
    // it takes a second look.
    assert_eq!(world.requests().await.len(), 1);
    let duplicate = process(&processor).await;
    assert_eq!(
        world.log(),
        [
            "list remediationrequests 200",
            "patch remediationrequests/status 200",
        ]
    );
    assert_eq!((&duplicate.uid, duplicate.count), (&created.uid, 2));
    let status = world.object(&created.name).await["status"].take();
    assert_eq!(status["ofTheFuture"], json!({"a": [1]}));
    assert_eq!(status["deduplication"]["occurrenceCount"], 2);
}

#[tokio::test]
async fn every_form_of_a_status_is_counted_on() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    for status in [
        Value::Null,
        json!({"blockReason": "ResourceBusy"}),
        json!({"overallPhase": "Pending"}),
        json!({"deduplication": {}}),
        json!({"deduplication": {"occurrenceCount": 3}}),
    ] {
        let before = status["deduplication"]["occurrenceCount"].as_i64();
        let name = format!("rr-{}", world.requests().await.len());
        let object = signal().to_object(&world.namespace, &name, Timestamp::now());
        let post = http::Request::post(world.path(""))
            .header("content-type", "application/json")
            .body(object.to_string().into_bytes())
            .unwrap();
        let _: Value = world.client.request(post).await.unwrap();
        if !status.is_null() {
            world.set_status(&name, status.clone()).await;
        }
        // One that has seen nothing yet lists what is there now.
        let processed = process(&world.pod("gateway-1")).await;
        assert_eq!(processed.name, name, "{status}");
        assert_eq!(
            i64::from(processed.count),
            before.unwrap_or(0) + 1,
            "{status}"
        );
        assert_eq!(world.log().len(), 2, "{status}");
        world
            .set_status(&name, json!({"overallPhase": "Completed"}))
            .await;
    }
}

#[tokio::test]
async fn a_storm_over_three_processes_makes_one_request_and_counts_every_signal() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let pods = ["gateway-1", "gateway-2", "gateway-3"].map(|name| world.pod(name));
    let signals = pods
        .iter()
        .flat_map(|pod| (0..34).map(move |_| pod.process(signal())));
    let processed: Vec<Processed> = join_all(signals)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let mut counts: Vec<i32> = processed.iter().map(|one| one.count).collect();
    counts.sort_unstable();
    assert_eq!(counts, (1..=102).collect::<Vec<_>>());
    let created = processed
        .iter()
        .filter(|one| one.disposition == Disposition::Created);
    assert_eq!(created.count(), 1);
    let requests = world.requests().await;
    let all: Vec<i32> = requests.iter().map(RemediationRequest::count).collect();
    assert_eq!(all, [102]);
}

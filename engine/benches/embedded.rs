//! Acquire and release, and signals, through the whole client, on the embedded API server and one core: no network, so
//! what is measured is the code of both.

use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use gwlock_apiserver::ApiServer;
use gwlock_engine::client::LeaseLock;
use gwlock_engine::protocol::key::{LeaseName, Target};
use gwlock_engine::protocol::release::Released;
use gwlock_engine::remediation::dedup::Reason;
use gwlock_engine::remediation::{
    Disposition, RemediationRequestSpec, Signal, SignalProcessor, TargetResource, TargetType,
};
use gwlock_testkit::REMEDIATION_REQUESTS;
use tokio::runtime::Runtime;

/// Exists on every server.
const NAMESPACE: &str = "default";

fn acquire_and_release(criterion: &mut Criterion) {
    let runtime = runtime();
    let lock = runtime.block_on(async {
        let client = kube::Client::new(ApiServer::new(), NAMESPACE);
        let name = LeaseName::new("gw-lock-91fce8d5c4949766").expect("a name");
        LeaseLock::builder(client, NAMESPACE, name, "bench").build()
    });
    let mut group = criterion.benchmark_group("embedded");
    group
        .throughput(Throughput::Elements(1))
        .measurement_time(Duration::from_secs(5));
    group.bench_function("acquire and release", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let guard = lock
                    .acquire(Duration::ZERO)
                    .await
                    .expect("nobody else acquires");
                assert_eq!(guard.release().await, Released::Deleted);
            });
        });
    });
    group.finish();
}

/// New ones in a block, so that the server does not grow with the length of the measurement.
const NEW: u64 = 100;
/// Duplicates that come at once, as in a storm.
const AT_ONCE: u64 = 500;

struct Signals {
    processor: SignalProcessor,
    signals: Vec<Signal>,
}

impl Signals {
    /// A server that has seen no signal yet.
    async fn new() -> Self {
        let server = ApiServer::new();
        let post = async |path: &str, media_type: &str, body: &'static str| {
            let request = http::Request::post(path)
                .header("content-type", media_type)
                .body(http_body_util::Full::new(bytes::Bytes::from_static(
                    body.as_bytes(),
                )))
                .expect("a request");
            let answer = tower::ServiceExt::oneshot(server.clone(), request).await;
            assert_eq!(answer.expect("an answer").status(), 201);
        };
        let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        post(definitions, "application/yaml", REMEDIATION_REQUESTS).await;
        let client = kube::Client::new(server.clone(), NAMESPACE);
        Self {
            processor: SignalProcessor::builder(client, NAMESPACE, NAMESPACE, "bench").build(),
            signals: (0..NEW).map(signal).collect(),
        }
    }

    /// Comes back, so that the end of the server is not measured.
    async fn send_one_after_the_other(self) -> Self {
        for signal in &self.signals {
            let processed = self.processor.process(signal.clone()).await;
            let disposition = processed.expect("it is created").disposition;
            assert_eq!(disposition, Disposition::Created);
        }
        self.processor.settled().await;
        self
    }
}

fn new_signals(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("embedded");
    group
        .throughput(Throughput::Elements(NEW))
        .measurement_time(Duration::from_secs(5));
    group.bench_function("new signals", |bencher| {
        bencher.iter_batched(
            || runtime.block_on(Signals::new()),
            |signals| runtime.block_on(signals.send_one_after_the_other()),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn coalesced_duplicates(criterion: &mut Criterion) {
    let runtime = runtime();
    let world = runtime.block_on(async {
        let world = Signals::new().await;
        let first = world.processor.process(world.signals[0].clone()).await;
        assert_eq!(first.expect("it is created").count, 1);
        world
    });
    let mut group = criterion.benchmark_group("embedded");
    group
        .throughput(Throughput::Elements(AT_ONCE))
        .measurement_time(Duration::from_secs(5));
    group.bench_function("coalesced duplicates", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let signal = &world.signals[0];
                let storm = (0..AT_ONCE).map(|_| world.processor.process(signal.clone()));
                for processed in join_all(storm).await {
                    let disposition = processed.expect("it is counted").disposition;
                    assert_eq!(disposition, Disposition::Duplicate(Reason::Active));
                }
            });
        });
    });
    group.finish();
}

fn signal(number: u64) -> Signal {
    let target = Target::parse(&format!("prod/Deployment/app-{number}")).expect("a target");
    let now = jiff::Timestamp::now();
    Signal::new(RemediationRequestSpec {
        signal_fingerprint: target.fingerprint(),
        signal_name: "HighMemoryUsage".to_owned(),
        severity: "critical".to_owned(),
        signal_type: "alert".to_owned(),
        signal_source: None,
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

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime")
}

criterion_group!(
    benches,
    acquire_and_release,
    new_signals,
    coalesced_duplicates
);
criterion_main!(benches);

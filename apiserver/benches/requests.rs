//! How fast the server answers: single requests on the service, and whole rounds through the kube client.
//!
//! ```console
//! $ cargo bench -p gwlock-apiserver
//! ```

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gwlock_apiserver::ApiServer;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{Api, DeleteParams, ObjectMeta, PostParams, Preconditions};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tower::Service;

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
const BODY: &str = r#"{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"a"},"spec":{"acquireTime":"2026-11-23T09:00:00.000000Z","holderIdentity":"gateway-7f9c_0123456789abcdef","leaseDurationSeconds":30,"leaseTransitions":0,"renewTime":"2026-11-23T09:00:00.000000Z"}}"#;

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime")
}

async fn send(server: &mut ApiServer, method: Method, path: &str, body: impl Into<Bytes>) -> Bytes {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("user-agent", "bench/1")
        .header("content-type", "application/json")
        .body(Full::new(body.into()))
        .expect("a request");
    let response = server.call(request).await.expect("an answer");
    assert!(response.status().is_success(), "{response:?}");
    response
        .into_body()
        .collect()
        .await
        .expect("a whole answer")
        .to_bytes()
}

/// POST and DELETE of a lease on the service alone: the share of the server in a round.
fn service(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut server = ApiServer::new();
    let mut group = criterion.benchmark_group("service");
    group.throughput(Throughput::Elements(1));
    group.bench_function("post and delete a lease", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                send(&mut server, Method::POST, LEASES, BODY).await;
                send(&mut server, Method::DELETE, &format!("{LEASES}/a"), "").await;
            });
        });
    });
    let created = runtime.block_on(send(&mut server, Method::POST, LEASES, BODY));
    let mut lease: Value = serde_json::from_slice(&created).expect("a lease");
    let mut renewals = 0;
    group.bench_function("put a renewal", |bencher| {
        bencher.iter(|| {
            renewals = (renewals + 1) % 1_000_000;
            lease["spec"]["renewTime"] = format!("2026-11-23T09:00:00.{renewals:06}Z").into();
            let path = format!("{LEASES}/a");
            let renewed =
                runtime.block_on(send(&mut server, Method::PUT, &path, lease.to_string()));
            lease = serde_json::from_slice(&renewed).expect("a lease");
        });
    });
    group.bench_function("get a lease", |bencher| {
        bencher
            .iter(|| runtime.block_on(send(&mut server, Method::GET, &format!("{LEASES}/a"), "")));
    });
    group.finish();
}

/// Acquire and release as the engine does it: POST, then DELETE with uid and version, through the whole client.
fn client(criterion: &mut Criterion) {
    let runtime = runtime();
    let leases: Api<Lease> = {
        let _inside = runtime.enter();
        Api::namespaced(kube::Client::new(ApiServer::new(), "default"), "default")
    };
    let now = || Some(MicroTime(k8s_openapi::jiff::Timestamp::now()));
    let post = PostParams {
        field_manager: Some("bench".into()),
        ..PostParams::default()
    };
    let mut group = criterion.benchmark_group("client");
    group.throughput(Throughput::Elements(1));
    group.bench_function("acquire and release", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let lease = Lease {
                    metadata: ObjectMeta {
                        name: Some("a".into()),
                        ..ObjectMeta::default()
                    },
                    spec: Some(LeaseSpec {
                        acquire_time: now(),
                        holder_identity: Some("gateway-7f9c_0123456789abcdef".into()),
                        lease_duration_seconds: Some(30),
                        lease_transitions: Some(0),
                        renew_time: now(),
                        ..LeaseSpec::default()
                    }),
                };
                let held = leases.create(&post, &lease).await.expect("created");
                let only_this = Preconditions {
                    uid: held.metadata.uid,
                    resource_version: held.metadata.resource_version,
                };
                let parameters = DeleteParams::default().preconditions(only_this);
                leases.delete("a", &parameters).await.expect("deleted")
            })
        });
    });
    group.finish();
}

criterion_group!(benches, service, client);
criterion_main!(benches);

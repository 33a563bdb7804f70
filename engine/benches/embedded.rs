//! Acquire and release through the whole client, on the embedded API server and one core: no network, so what is
//! measured is the code of both.

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gwlock_apiserver::ApiServer;
use gwlock_engine::client::LeaseLock;
use gwlock_engine::protocol::key::LeaseName;
use gwlock_engine::protocol::release::Released;

/// Exists on every server.
const NAMESPACE: &str = "default";

fn acquire_and_release(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
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

criterion_group!(benches, acquire_and_release);
criterion_main!(benches);

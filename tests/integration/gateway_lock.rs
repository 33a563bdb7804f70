//! The gateway's lock and ours side by side on the embedded server: what both do, and what only one does right.

use std::sync::Arc;
use std::time::Duration;

use gwlock::sim::protocols::gateway::{Attempt, GatewayError, GatewayLock};
use gwlock_apiserver::faults::{Action, Fault};
use gwlock_apiserver::{ApiServer, TokioClock as ServerClock};
use gwlock_engine::client::{AcquireError, LeaseGuard, LeaseLock, TokioClock};
use gwlock_engine::protocol::key::{Key, KeyError, KeyMode, LeaseName, gateway_lease_name};
use gwlock_engine::protocol::release::Released;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::PostParams;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;

const NAMESPACE: &str = "default";
const LEASE: &str = "gw-lock-0123456789abcdef";

/// A server with a clock that stands still unless something waits.
struct World {
    server: ApiServer,
    clock: TokioClock,
}

impl World {
    fn new() -> Self {
        let start: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
        let server = ApiServer::builder()
            .clock(Arc::new(ServerClock::starting_at(start)))
            .build();
        Self {
            server,
            clock: TokioClock::starting_at(start),
        }
    }

    fn client(&self) -> kube::Client {
        kube::Client::new(self.server.clone(), NAMESPACE)
    }

    fn leases(&self) -> Api<Lease> {
        Api::namespaced(self.client(), NAMESPACE)
    }

    fn gateway(&self, pod: &str) -> GatewayLock {
        GatewayLock::new(self.leases(), pod, Arc::new(self.clock))
    }

    fn ours(&self, base: &str) -> LeaseLock {
        let name = LeaseName::new(LEASE).unwrap();
        LeaseLock::builder(self.client(), NAMESPACE, name, base)
            .clock(Arc::new(self.clock))
            .build()
    }

    async fn hold(&self, base: &str) -> LeaseGuard {
        self.ours(base).acquire(Duration::ZERO).await.unwrap()
    }

    async fn lease(&self) -> Option<Lease> {
        self.leases().get_opt(LEASE).await.unwrap()
    }

    async fn holder(&self) -> Option<String> {
        self.lease().await?.spec?.holder_identity
    }

    /// A gateway's lease that was renewed so many seconds ago.
    async fn foreign(&self, seconds: i64) {
        tokio::time::advance(Duration::from_secs(60)).await;
        let renewed =
            gwlock_engine::client::Clock::wall(&self.clock) - SignedDuration::from_secs(seconds);
        let renewed = renewed.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
        let lease = json!({
            "metadata": {"name": LEASE},
            "spec": {"holderIdentity": "other", "leaseDurationSeconds": 30, "renewTime": renewed}
        });
        let lease = serde_json::from_value(lease).unwrap();
        self.leases()
            .create(&PostParams::default(), &lease)
            .await
            .unwrap();
    }

    fn fails(&self, verb: &str, action: Action) {
        self.server
            .faults()
            .inject(Fault::new(action).verb(verb).resource("leases").times(1));
    }
}

fn rng() -> StdRng {
    StdRng::seed_from_u64(1)
}

fn is_busy(error: &AcquireError) -> bool {
    matches!(error, AcquireError::Busy { .. })
}

#[tokio::test(start_paused = true)]
async fn a_free_lease_is_created_and_is_gone_after_its_release() {
    let world = World::new();
    let gateway = world.gateway("a");
    assert_eq!(gateway.attempt(LEASE).await.unwrap(), Attempt::Held);
    assert_eq!(world.holder().await.as_deref(), Some("a"));
    gateway.release(LEASE).await.unwrap();
    assert_eq!(world.lease().await, None);

    let guard = world.hold("a").await;
    assert_eq!(world.holder().await, Some(guard.identity().to_string()));
    assert_eq!(guard.release().await, Released::Deleted);
    assert_eq!(world.lease().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_lease_of_ones_own_is_held_again_by_a_gateway_and_busy_for_us() {
    let world = World::new();
    let gateway = world.gateway("a");
    gateway.attempt(LEASE).await.unwrap();
    assert_eq!(
        gateway.attempt(LEASE).await.unwrap(),
        Attempt::Held,
        "the gateway's defect"
    );
    gateway.release(LEASE).await.unwrap();

    let lock = world.ours("a");
    let guard = lock.acquire(Duration::ZERO).await.unwrap();
    assert!(is_busy(&lock.acquire(Duration::ZERO).await.unwrap_err()));
    drop(guard);
}

#[tokio::test(start_paused = true)]
async fn a_live_lease_of_somebody_else_stays_his() {
    let world = World::new();
    world.foreign(5).await;
    let before = world.lease().await;
    assert_eq!(
        world.gateway("a").attempt(LEASE).await.unwrap(),
        Attempt::Contended
    );
    assert!(is_busy(
        &world.ours("a").acquire(Duration::ZERO).await.unwrap_err()
    ));
    assert_eq!(world.lease().await, before);
}

#[tokio::test(start_paused = true)]
async fn an_expired_lease_is_taken_over_by_the_clock_that_each_trusts() {
    // Written a moment ago with a time that is a minute old: by the holder's clock it has expired.
    let world = World::new();
    world.foreign(60).await;
    assert!(is_busy(
        &world.ours("a").acquire(Duration::ZERO).await.unwrap_err()
    ));
    assert_eq!(
        world.gateway("a").attempt(LEASE).await.unwrap(),
        Attempt::Held,
        "the gateway's defect: the lease is live"
    );

    // Nobody has written it for duration and margin by the server's clock.
    tokio::time::advance(Duration::from_secs(33)).await;
    let guard = world.hold("b").await;
    let spec = world.lease().await.unwrap().spec.unwrap();
    assert_eq!(spec.holder_identity, Some(guard.identity().to_string()));
    assert_eq!(spec.lease_transitions, Some(1));
    assert_eq!(spec.acquire_time, spec.renew_time);
}

#[tokio::test(start_paused = true)]
async fn a_release_by_somebody_else_leaves_the_lease() {
    let world = World::new();
    world.foreign(5).await;
    let before = world.lease().await;
    world.gateway("a").release(LEASE).await.unwrap();
    assert_eq!(world.lease().await, before);

    // Ours was taken away while it was held: what stands now is not deleted.
    let world = World::new();
    let guard = world.hold("a").await;
    world
        .leases()
        .delete(LEASE, &kube::api::DeleteParams::default())
        .await
        .unwrap();
    world.foreign(5).await;
    let before = world.lease().await;
    assert!(matches!(guard.release().await, Released::NotOurs(_)));
    assert_eq!(world.lease().await, before);
}

#[tokio::test(start_paused = true)]
async fn releasing_twice_is_no_failure() {
    let world = World::new();
    let gateway = world.gateway("a");
    gateway.attempt(LEASE).await.unwrap();
    gateway.release(LEASE).await.unwrap();
    gateway.release(LEASE).await.unwrap();

    let guard = world.hold("a").await;
    world
        .leases()
        .delete(LEASE, &kube::api::DeleteParams::default())
        .await
        .unwrap();
    assert_eq!(guard.release().await, Released::AlreadyGone);
}

#[tokio::test(start_paused = true)]
async fn of_two_who_create_at_once_one_holds() {
    let world = World::new();
    let (a, b) = (world.gateway("a"), world.gateway("b"));
    let (a, b) = tokio::join!(a.attempt(LEASE), b.attempt(LEASE));
    assert_eq!(
        (a.unwrap(), b.unwrap()),
        (Attempt::Held, Attempt::Contended)
    );
    world.gateway("a").release(LEASE).await.unwrap();

    let (a, b) = (world.ours("a"), world.ours("b"));
    let (a, b) = tokio::join!(a.acquire(Duration::ZERO), b.acquire(Duration::ZERO));
    assert!(a.is_ok() && is_busy(&b.unwrap_err()));
}

#[tokio::test(start_paused = true)]
async fn of_two_who_take_over_at_once_one_holds() {
    let world = World::new();
    world.foreign(0).await;
    tokio::time::advance(Duration::from_secs(33)).await;
    let (a, b) = (world.ours("a"), world.ours("b"));
    let (a, b) = tokio::join!(a.acquire(Duration::ZERO), b.acquire(Duration::ZERO));
    let held = [&a, &b].into_iter().filter(|held| held.is_ok()).count();
    assert_eq!(held, 1, "{:?} {:?}", a.err(), b.err());

    let world = World::new();
    world.foreign(0).await;
    tokio::time::advance(Duration::from_secs(33)).await;
    let (a, b) = (world.gateway("a"), world.gateway("b"));
    let (a, b) = tokio::join!(a.attempt(LEASE), b.attempt(LEASE));
    assert_eq!(
        (a.unwrap(), b.unwrap()),
        (Attempt::Held, Attempt::Contended)
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_error_ends_a_gateways_signal_and_is_waited_out_by_us() {
    let world = World::new();
    world.fails(
        "get",
        Action::Refuse {
            status: 500,
            retry_after: None,
        },
    );
    let error = world
        .gateway("a")
        .acquire(LEASE, &mut rng())
        .await
        .unwrap_err();
    assert!(
        matches!(error, GatewayError::Api(_)),
        "the gateway's defect"
    );

    world.fails(
        "create",
        Action::Refuse {
            status: 500,
            retry_after: None,
        },
    );
    let guard = world
        .ours("a")
        .acquire(Duration::from_secs(5))
        .await
        .unwrap();
    assert!(guard.is_held());
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_caller_leaks_the_gateways_lease_and_not_ours() {
    let world = World::new();
    let gateway = world.gateway("a");
    let handler = async {
        gateway.attempt(LEASE).await.unwrap();
        tokio::time::sleep(Duration::from_secs(20)).await;
        gateway.release(LEASE).await.unwrap();
    };
    // The deadline of the request, or a client that went away.
    tokio::time::timeout(Duration::from_secs(15), handler)
        .await
        .unwrap_err();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(
        world.holder().await.as_deref(),
        Some("a"),
        "the gateway's defect"
    );

    let world = World::new();
    let lock = world.ours("a");
    let handler = async {
        let guard = lock.acquire(Duration::ZERO).await.unwrap();
        tokio::time::sleep(Duration::from_secs(20)).await;
        guard.release().await
    };
    tokio::time::timeout(Duration::from_secs(15), handler)
        .await
        .unwrap_err();
    lock.settled().await;
    assert_eq!(world.lease().await, None);
}

#[tokio::test(start_paused = true)]
async fn without_a_pod_name_the_gateway_has_no_lock_and_we_have_one() {
    let world = World::new();
    let lock = GatewayLock::of_environment(world.leases(), None, Arc::new(world.clock));
    assert!(
        lock.is_none(),
        "the gateway's defect: every signal runs unlocked"
    );
    let lock = GatewayLock::of_environment(world.leases(), Some(""), Arc::new(world.clock));
    assert!(
        lock.is_none(),
        "the gateway's defect: every signal runs unlocked"
    );

    let guard = world.hold("somebody@somewhere").await;
    assert_eq!(guard.identity().base(), "somebody@somewhere");
    assert!(is_busy(
        &world
            .ours("somebody@somewhere")
            .acquire(Duration::ZERO)
            .await
            .unwrap_err()
    ));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_no_dns_name_never_reaches_the_server() {
    let world = World::new();
    let key = "Prod/Deployment/payment-api";
    let name = gateway_lease_name(key).unwrap();
    let kube::Error::Api(status) = world.gateway("a").attempt(&name).await.unwrap_err() else {
        panic!("no answer")
    };
    assert_eq!(status.code, 422, "the gateway's defect: HTTP 500 for ever");

    let raw = Key::parse_as(key, KeyMode::Raw).unwrap_err();
    assert!(matches!(raw, KeyError::NotADnsName { .. }), "{raw:?}");
    assert_eq!(
        Key::parse(key).unwrap().lease.as_str(),
        "gw-lock-0c68605c478822b8"
    );
    // The sixteenth byte is the first half of a character.
    let cut = Key::parse_as("123456789012345ü", KeyMode::Raw).unwrap_err();
    assert!(matches!(cut, KeyError::SplitCharacter { .. }), "{cut:?}");
}

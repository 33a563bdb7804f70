//! The lock on the embedded API server, under a paused clock: real client code, no network, no waiting.

#[path = "lock/removal.rs"]
mod removal;
mod support;

use std::time::Duration;

use gwlock_apiserver::faults::{Action, Fault};
use gwlock_engine::client::AcquireError;
use gwlock_engine::protocol::release::Released;
use kube::api::DeleteParams;
use support::{Pod, World};

const SHORT: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn acquire_and_release_of_a_free_lease_take_two_requests() {
    let world = World::new();
    let guard = world
        .pod("gateway-1")
        .lock("a")
        .acquire(Duration::ZERO)
        .await
        .unwrap();
    assert!(guard.is_held());
    assert_eq!(guard.requests(), 1);
    assert_eq!(guard.release().await, Released::Deleted);
    assert_eq!(
        world.requests(),
        ["create leases 201", "delete leases/a 200"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_held_lease_is_busy_for_everybody_else_even_in_the_same_pod() {
    let world = World::new();
    let pod = world.pod("gateway-1");
    let guard = pod.lock("a").acquire(Duration::ZERO).await.unwrap();
    let error = pod.lock("a").acquire(Duration::ZERO).await.err().unwrap();
    let AcquireError::Busy {
        holder: Some((record, _)),
    } = error
    else {
        panic!("{error:?}")
    };
    assert_eq!(record.holder(), Some(guard.identity().to_string().as_str()));
}

#[tokio::test(start_paused = true)]
async fn a_waiter_acquires_as_soon_as_the_holder_releases() {
    let world = World::new();
    let first = world
        .pod("gateway-1")
        .lock("a")
        .acquire(Duration::ZERO)
        .await
        .unwrap();
    let waiting = tokio::spawn({
        let lock = world.pod("gateway-2").lock("a");
        async move {
            lock.acquire(Duration::from_secs(35))
                .await
                .map(|guard| (guard, tokio::time::Instant::now()))
        }
    });
    tokio::time::sleep(Duration::from_secs(5)).await;
    let token = first.fencing_token().clone();
    assert_eq!(first.release().await, Released::Deleted);
    let released = tokio::time::Instant::now();
    let (second, acquired) = waiting.await.unwrap().unwrap();
    assert!(
        acquired - released <= Duration::from_millis(4),
        "{:?}",
        acquired - released
    );
    assert!(second.fencing_token() > &token);
}

#[tokio::test(start_paused = true)]
async fn a_holder_renews_and_keeps_the_lease_for_as_long_as_it_works() {
    let world = World::new();
    let guard = world
        .pod("gateway-1")
        .lock("a")
        .acquire(Duration::ZERO)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert!(guard.is_held());
    let error = world
        .pod("gateway-2")
        .lock("a")
        .acquire(Duration::from_secs(35))
        .await
        .err()
        .unwrap();
    assert!(matches!(error, AcquireError::Busy { .. }), "{error:?}");
    assert_eq!(guard.release().await, Released::Deleted);
}

#[tokio::test(start_paused = true)]
async fn a_crashed_holders_lease_is_taken_over_after_duration_and_margin() {
    let world = World::new();
    world.lease_of_a_crashed_gateway("a").await;
    let started = tokio::time::Instant::now();
    let guard = world
        .pod("gateway-2")
        .lock("a")
        .acquire(Duration::from_secs(35))
        .await
        .unwrap();
    let waited = started.elapsed();
    assert!(
        (Duration::from_secs(32)..=Duration::from_secs(34)).contains(&waited),
        "{waited:?}"
    );
    assert_eq!(guard.acquired().claim.lease_transitions, Some(1));
    assert_eq!(
        guard.acquired().claim.acquire_time,
        guard.acquired().claim.renew_time
    );
}

#[tokio::test(start_paused = true)]
async fn a_takeover_that_meets_a_deletion_is_refused_and_the_lease_is_created_anew() {
    let world = World::new();
    world.lease_of_a_crashed_gateway("a").await;
    world.server.faults().inject(
        Fault::new(Action::Delay(Duration::from_secs(1)))
            .verb("update")
            .times(1),
    );
    let lock = world.pod("gateway-2").lock("a");
    let acquiring = tokio::spawn(async move { lock.acquire(Duration::from_secs(40)).await });
    // Its holder deletes it while the takeover is on its way.
    while world.server.requests("leases", "update") == 0 {
        tokio::time::sleep(SHORT).await;
    }
    let leases = world.leases();
    leases.delete("a", &DeleteParams::default()).await.unwrap();
    let guard = acquiring.await.unwrap().unwrap();
    assert_eq!(guard.acquired().claim.lease_transitions, None);
    let requests = world.requests();
    assert!(
        requests.contains(&"update leases/a 409".to_owned()),
        "{requests:?}"
    );
    assert_eq!(requests.last().unwrap(), "create leases 201");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_the_post_is_found_out_by_the_nonce() {
    let world = World::new();
    world
        .server
        .faults()
        .inject(Fault::new(Action::LoseAnswer).verb("create").times(1));
    let guard = world
        .pod("gateway-1")
        .lock("a")
        .acquire(Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(guard.requests(), 2);
    assert_eq!(guard.release().await, Released::Deleted);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_acquisition_leaves_nothing_behind() {
    let world = World::new();
    world.server.faults().inject(
        Fault::new(Action::DelayAnswer(Duration::from_secs(1)))
            .verb("create")
            .times(1),
    );
    let lock = world.pod("gateway-1").lock("a");
    assert!(
        tokio::time::timeout(Duration::from_millis(100), lock.acquire(Duration::ZERO))
            .await
            .is_err()
    );
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(world.holder("a").await, None);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_guard_releases_in_the_background() {
    let world = World::new();
    drop(
        world
            .pod("gateway-1")
            .lock("a")
            .acquire(Duration::ZERO)
            .await
            .unwrap(),
    );
    tokio::time::sleep(SHORT).await;
    assert_eq!(world.holder("a").await, None);
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_cannot_renew_stops_at_the_renew_deadline() {
    let world = World::new();
    let guard = world
        .pod("gateway-1")
        .lock("a")
        .acquire(Duration::ZERO)
        .await
        .unwrap();
    world.server.faults().inject(
        Fault::new(Action::Refuse {
            status: 503,
            retry_after: None,
        })
        .verb("update"),
    );
    let started = tokio::time::Instant::now();
    let loss = guard.run(std::future::pending::<()>()).await.unwrap_err();
    assert_eq!(started.elapsed().as_secs(), 20);
    assert_eq!(
        loss.to_string(),
        "no renewal succeeded within 20s: the server is currently unable to handle the request"
    );
    assert!(!guard.is_held());
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_minutes_behind_writes_the_servers_time_after_one_more_request() {
    let world = World::new();
    let guard = world
        .pod_with_clock("gateway-1", -120)
        .lock("a")
        .acquire(Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(
        world.requests(),
        ["create leases 201", "update leases/a 200"]
    );
    let behind = guard
        .acquired()
        .claim
        .renew_time
        .unwrap()
        .duration_since(World::start());
    assert!(behind.as_secs().abs() <= 1, "{behind:?}");
}

#[tokio::test(start_paused = true)]
async fn where_watching_is_forbidden_a_waiter_polls() {
    let world = World::with_tokens(&["create", "get", "update", "delete"]).await;
    let first = world
        .pod("gateway-1")
        .lock("a")
        .acquire(Duration::ZERO)
        .await
        .unwrap();
    let waiting = tokio::spawn({
        let lock = world.pod("gateway-2").lock("a");
        async move { lock.acquire(Duration::from_secs(35)).await }
    });
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(first.release().await, Released::Deleted);
    let released = tokio::time::Instant::now();
    let _second = waiting.await.unwrap().unwrap();
    assert!(
        released.elapsed() <= Duration::from_secs(1),
        "{:?}",
        released.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_forbidden_verb_is_refused_at_once_and_named() {
    let world = World::with_tokens(&["get"]).await;
    let error = world
        .pod("gateway-1")
        .lock("a")
        .acquire(Duration::from_secs(35))
        .await
        .err()
        .unwrap();
    let AcquireError::Refused(refusal) = error else {
        panic!("{error:?}")
    };
    assert_eq!((refusal.code, refusal.verb.as_str()), (403, "create"));
    assert_eq!(
        refusal.message,
        "leases.coordination.k8s.io is forbidden: User \"gateway\" cannot create resource \"leases\" in API group \
         \"coordination.k8s.io\" in the namespace \"locks\""
    );
}

/// Every fault on every request of acquire, renew and release: the answer is never wrong, and nothing blocks for longer
/// than duration and margin.
#[tokio::test(start_paused = true)]
async fn no_fault_on_any_request_makes_the_outcome_wrong() {
    let actions = [
        Action::LoseAnswer,
        Action::LoseRequest,
        Action::Delay(Duration::from_secs(7)),
        Action::DelayAnswer(Duration::from_secs(7)),
        Action::Late(Duration::from_secs(3)),
        Action::Refuse {
            status: 409,
            retry_after: None,
        },
        Action::Refuse {
            status: 429,
            retry_after: Some(1),
        },
        Action::Refuse {
            status: 500,
            retry_after: None,
        },
        Action::Refuse {
            status: 503,
            retry_after: None,
        },
        Action::Refuse {
            status: 504,
            retry_after: None,
        },
        Action::Disguise { status: 500 },
        Action::Disguise { status: 504 },
    ];
    for action in actions {
        for verb in ["create", "get", "update", "delete"] {
            for times in [1, 2, 5] {
                let world = World::new();
                world.server.faults().inject(
                    Fault::new(action.clone())
                        .verb(verb)
                        .resource("leases")
                        .times(times),
                );
                check_one_round(&world, &format!("{action:?} on {verb} × {times}")).await;
            }
        }
    }
}

async fn check_one_round(world: &World, what: &str) {
    let pod: Pod = world.pod("gateway-1");
    match pod.lock("a").acquire(Duration::from_secs(10)).await {
        Ok(guard) => {
            tokio::time::sleep(Duration::from_secs(15)).await;
            let ours = guard.identity().to_string();
            if guard.is_held() {
                assert_eq!(world.holder("a").await, Some(ours), "{what}");
            }
            match guard.release().await {
                Released::Deleted | Released::AlreadyGone => {
                    assert_eq!(world.holder("a").await, None, "{what}");
                }
                Released::Unknown(_) | Released::Unreachable(_) => {}
                other => panic!("{what}: {other:?}"),
            }
        }
        Err(AcquireError::Unknown(_)) => {}
        Err(error) => assert_eq!(world.holder("a").await, None, "{what}: {error:?}"),
    }
    world.server.faults().clear();
    let other = world
        .pod("gateway-2")
        .lock("a")
        .acquire(Duration::from_secs(35))
        .await;
    assert!(other.is_ok(), "{what}: {:?}", other.err());
}

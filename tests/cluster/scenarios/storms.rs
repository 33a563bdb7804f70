//! One alert many times, and many alerts at once.

use gwlock_testkit::control_plane;

use crate::serve::{Tally, World, count, spread, statuses, sum};

fn once_created(duplicates: usize) -> Vec<u16> {
    std::iter::once(201)
        .chain(std::iter::repeat_n(202, duplicates))
        .collect()
}

/// Five senders of the identical alert at once, and nothing before it: without a lock they would create five.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_of_one_alert_at_once_are_one_request_counted_five() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let replica = [world.replica("a")];
    let mut alert = world.alert("TestConcurrentDedup", "api");
    alert["labels"]["severity"] = "warning".into();
    let answers = spread(&replica, vec![alert; 5]).await;
    assert_eq!(statuses(&answers), once_created(4));
    assert_eq!(world.counts().await, [5]);
    world.until_no_lease_is_left().await;
}

/// One anchor, then four of the same at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_at_once_after_the_first_are_all_duplicates() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let replicas = ["a", "b"].map(|name| world.replica(name));
    let alert = world.alert("TestConcurrentDedup", "api");
    assert_eq!(replicas[0].alert(&alert).await.status, 201);
    assert_eq!(statuses(&spread(&replicas, vec![alert; 4]).await), [202; 4]);
    assert_eq!(world.counts().await, [5]);
}

/// The hit count: one alert, then three of it at once over three replicas. The gateway counted two of these four.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_at_once_after_one_are_counted_exactly_four() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    world.pods(["dedup-test-pod"]).await;
    let replicas = world.replicas();
    let mut alert = world.alert("TestAtomicHitCount-0a1b2c3d", "dedup-test-pod");
    alert["labels"]["severity"] = "info".into();
    alert["labels"]["fingerprint"] = "atomic-test-0a1b2c3d".into();
    assert_eq!(replicas[0].alert(&alert).await.status, 201);
    assert_eq!(statuses(&spread(&replicas, vec![alert; 3]).await), [202; 3]);
    assert_eq!(world.counts().await, [4]);
}

/// Fifteen of one alert, spread over three replicas.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifteen_of_one_alert_over_three_replicas_are_one_request_counted_fifteen() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let replicas = world.replicas();
    let alert = world.alert("HighCPU", "api");
    let answers = spread(&replicas, vec![alert; 15]).await;
    assert_eq!(statuses(&answers), once_created(14));
    assert_eq!(world.counts().await, [15]);
    // The creator is told no number; every other one has its own.
    let mut numbers: Vec<u64> = answers
        .iter()
        .flatten()
        .filter_map(|answer| answer.body["metadata"]["count"].as_u64())
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 14);
    assert!(numbers.iter().all(|number| (1..=15).contains(number)));
}

/// A hundred at once over three replicas: all are accepted, and the count is exact.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_of_one_alert_over_three_replicas_are_one_request_counted_a_hundred() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let replicas = world.replicas();
    let tally = world.storm(&replicas, 100).await;
    let expected = Tally {
        created: 1,
        duplicate: 99,
        ..Tally::default()
    };
    assert_eq!(tally, expected);
    assert_eq!(world.counts().await, [100]);
    for replica in replicas {
        assert_eq!(replica.end(), Some(0));
    }
    assert_eq!(world.leases().await, 0);
}

/// Fifty pods one after the other: none is refused, none is lost, and the replica is healthy afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_pods_one_after_the_other_are_fifty_requests() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    world
        .pods((0..50).map(|pod| format!("app-pod-{pod}")))
        .await;
    let replica = world.replica("a");
    for pod in 0..50 {
        let alert = world.alert("HighMemoryUsage", &format!("app-pod-{pod}"));
        assert_eq!(replica.alert(&alert).await.status, 201);
    }
    assert_eq!(replica.probe("/healthz").await, 200);
    assert_eq!(replica.probe("/readyz").await, 200);
    assert_eq!(world.counts().await, [1; 50]);
}

/// Fifty pods at once, over three replicas.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_pods_at_once_are_fifty_requests() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    world
        .pods((0..50).map(|pod| format!("load-pod-{pod}")))
        .await;
    let replicas = world.replicas();
    let alerts = (0..50).map(|pod| world.alert("HighCPU", &format!("load-pod-{pod}")));
    assert_eq!(statuses(&spread(&replicas, alerts).await), [201; 50]);
    assert_eq!(world.counts().await, [1; 50]);
    world.until_no_lease_is_left().await;
}

/// Five senders, each of whom sends four alerts about pods of its own, one after the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_senders_of_four_pods_each_are_twenty_requests() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    world.pods((0..20).map(|pod| format!("pod-{pod}"))).await;
    let replicas = world.replicas();
    let senders = (0..5).map(|sender| {
        let (world, replica) = (&world, &replicas[sender % 3]);
        async move {
            let mut answered = Vec::new();
            for pod in 4 * sender..4 * sender + 4 {
                let alert = world.alert("HighCPU", &format!("pod-{pod}"));
                answered.push(replica.alert(&alert).await.status);
            }
            answered
        }
    });
    let answered = futures_util::future::join_all(senders).await;
    assert_eq!(answered.concat(), [201; 20]);
    assert_eq!(world.counts().await, [1; 20]);
    assert_eq!(sum(&replicas, "gateway_crds_created_total").await, 20);
}

/// Several storms over several replicas, mixed: no fingerprint takes another one's count.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn storms_of_four_pods_at_once_are_counted_apart() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    world.pods((0..4).map(|pod| format!("pod-{pod}"))).await;
    let replicas = world.replicas();
    // Three replicas and four pods: every replica gets every pod.
    let alerts = (0..80).map(|number| world.alert("HighCPU", &format!("pod-{}", number % 4)));
    let tally = Tally::of(&spread(&replicas, alerts).await);
    let expected = Tally {
        created: 4,
        duplicate: 76,
        ..Tally::default()
    };
    assert_eq!(tally, expected);
    let counts: Vec<usize> = world.requests().await.iter().map(count).collect();
    assert_eq!(counts, [20; 4]);
}

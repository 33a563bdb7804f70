//! What takes its time: the real duration of a lease, and a minute of load.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gwlock_testkit::control_plane;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::faults::{frozen_holder, killed_holder};
use crate::serve::{Replica, World, count};

/// The holder is killed; after its lease of thirty seconds another replica takes over, and there is exactly one request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "soak"]
async fn a_holder_that_is_killed_is_taken_over_from_after_thirty_seconds() {
    killed_holder("30s").await;
}

/// The holder is frozen past its lease of thirty seconds, in the middle of its CREATE.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "soak"]
async fn a_holder_that_was_frozen_past_thirty_seconds_creates_no_second_request() {
    frozen_holder("30s").await;
}

/// Fifty signals a second for a minute over three replicas: half of them about pods that are new, half of them about
/// one of ten that all complain at once. None fails, and every count is exact. How long they take is told, not judged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "soak"]
#[expect(
    clippy::disallowed_macros,
    reason = "shown by cargo test -- --nocapture"
)]
async fn fifty_signals_a_second_for_a_minute_fail_never() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    const SIGNALS: usize = 3000;
    const HOT: usize = 10;
    let world = World::new(control_plane).await;
    let pod = |number: usize| match number % 2 {
        0 => format!("hot-{}", number / 2 % HOT),
        _ => format!("cold-{number}"),
    };
    for chunk in (0..SIGNALS).collect::<Vec<_>>().chunks(100) {
        let cold = chunk.iter().filter(|number| *number % 2 == 1);
        world.pods(cold.map(|number| pod(*number))).await;
    }
    world
        .pods((0..HOT).map(|number| format!("hot-{number}")))
        .await;
    let replicas = Arc::new(world.replicas());
    // A machine that cannot keep up is sent less, instead of being driven into overload, whose answer is 503.
    let slots = Arc::new(Semaphore::new(30));
    let mut beat = tokio::time::interval(Duration::from_secs(1) / 50);
    let mut sent = JoinSet::new();
    for number in 0..SIGNALS {
        beat.tick().await;
        let slot = slots.clone().acquire_owned().await.unwrap();
        let alert = world.alert("HighCPU", &pod(number));
        let replicas = replicas.clone();
        sent.spawn(async move {
            let began = Instant::now();
            let answer = replicas[number % 3].alert(&alert).await;
            drop(slot);
            (number, answer, began.elapsed())
        });
    }
    let answers = sent.join_all().await;
    let mut failures = Vec::new();
    let mut took = [Vec::new(), Vec::new()];
    let (mut created, mut duplicate) = (0, 0);
    for (number, answer, elapsed) in answers {
        match answer.status {
            201 => created += 1,
            202 => duplicate += 1,
            _ => failures.push(format!("{number}: {}", answer.text)),
        }
        took[number % 2].push(elapsed);
    }
    let logs = || replicas.iter().map(Replica::log).collect::<String>();
    assert_eq!(failures, [] as [String; 0], "{}", logs());
    assert_eq!((created, duplicate), (SIGNALS / 2 + HOT, SIGNALS / 2 - HOT));
    let mut counts: Vec<usize> = world.requests().await.iter().map(count).collect();
    counts.sort_unstable();
    let mut expected = vec![1; SIGNALS / 2];
    expected.extend([SIGNALS / 2 / HOT; HOT]);
    assert_eq!(counts, expected);
    for (what, mut took) in ["contended", "new"].into_iter().zip(took) {
        took.sort_unstable();
        let p95 = took[took.len() * 95 / 100];
        println!("{what}: p95 {p95:.1?} of {} signals", took.len());
    }
}

//! `gwlock bench signals` on a real API server: what it makes is counted to the last one and removed.
//!
//! `cargo test --release --test cluster bench_signals -- --ignored --nocapture` prints the highest rate that each protocol
//! holds here, which is a figure of the machine and nobody's expectation.

use std::process::Output;

use gwlock_testkit::control_plane;
use serde_json::{Value, json};

use super::bench_requests::gwlock;
use super::serve::World;

fn bench(world: &World, arguments: &[&str]) -> Output {
    gwlock(world, &[&["bench", "signals", "--yes"], arguments].concat())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_is_counted_to_the_last_signal_and_nothing_of_it_stays() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let load = ["--rate", "20", "--duration", "2s", "--warm-up", "0s"];
    let here = ["-n", &world.namespace, "-o", "json"];
    let run = bench(&world, &[&load[..], &here].concat());
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    let item = &report["items"][0];
    assert_eq!(
        item["counts"],
        json!({
            "exact": true, "fingerprints": 4, "remediationRequests": 4, "answered": 40, "unanswered": 0,
            "counted": 40, "wrong": [],
        })
    );
    assert_eq!(world.try_requests().await, Some(Vec::new()));
    assert_eq!(world.leases().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "soak"]
#[expect(
    clippy::disallowed_macros,
    reason = "shown by cargo test -- --nocapture"
)]
async fn the_highest_rate_that_each_protocol_holds_is_found_and_every_count_is_exact() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    // A limit that a busy machine keeps as well: what is slow is no failure here.
    let search = [
        "--find-rate",
        "--rate",
        "25",
        "--duration",
        "3s",
        "--limit",
        "2s",
        "--compare",
        "gateway",
    ];
    let run = bench(&world, &search);
    let text = String::from_utf8(run.stdout.clone()).unwrap();
    println!("{text}");
    assert!(text.contains("HIGHEST RATE HELD"), "{text}");
    assert_eq!(run.status.code(), Some(0), "{text}");
}

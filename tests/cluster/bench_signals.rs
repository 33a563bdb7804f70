//! `gwlock bench signals` on a real API server: what it makes is counted to the last one and removed.
//!
//! `cargo test --release --test cluster bench_signals -- --ignored --nocapture` prints the highest rate that each protocol
//! holds here, which is a figure of the machine and nobody's expectation but for one thing: gwlock's is the higher one.

use std::process::{Command, Output};

use gwlock_testkit::control_plane;
use serde_json::{Value, json};

use super::serve::World;

fn bench(world: &World, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gwlock"))
        .args(["bench", "signals", "--yes"])
        .args(arguments)
        .env("KUBECONFIG", world.kubeconfig.path())
        .env_remove("POD_NAMESPACE")
        .output()
        .unwrap()
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
async fn the_highest_rate_that_is_held_is_higher_than_the_gateways() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let search = ["--find-rate", "--rate", "25", "--compare", "gateway"];
    let run = bench(&world, &search);
    let text = String::from_utf8(run.stdout.clone()).unwrap();
    println!("{text}");
    let ratio = text.lines().find_map(|line| line.strip_prefix("ratio"));
    // A gateway that holds nothing at all has no rate.
    if let Some(ratio) = ratio {
        let ratio: f64 = ratio.trim().parse().unwrap();
        assert!(ratio > 1.0, "{text}");
    }
    assert_eq!(run.status.code(), Some(0), "{text}");
}

//! `gwlock bench requests`: a real API server is asked as often as the embedded one.

use std::process::{Command, Output};

use gwlock_testkit::control_plane;
use serde_json::Value;

use super::serve::World;

/// gwlock on the cluster of this world.
pub(super) fn gwlock(world: &World, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gwlock"))
        .args(arguments)
        .env("KUBECONFIG", world.kubeconfig.path())
        .env_remove("POD_NAMESPACE")
        .output()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_costs_a_real_server_what_it_costs_the_embedded_one() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let arguments = [
        "bench",
        "requests",
        "--yes",
        "--compare",
        "gateway",
        "-o",
        "json",
    ];
    let here = ["-n", &world.namespace];
    let run = gwlock(&world, &[&arguments[..], &here].concat());
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    let items = report["items"].as_array().unwrap().iter();
    let counts: Vec<[Option<u64>; 2]> = items
        .map(|item| ["gwlock", "gateway"].map(|protocol| item[protocol]["requests"].as_u64()))
        .collect();
    assert_eq!(
        counts,
        [
            [Some(6), Some(8)],
            [Some(6), Some(8)],
            [Some(2), Some(7)],
            [Some(2), Some(7)],
            [Some(0), Some(7)],
            [Some(2), Some(140)],
            [Some(6), Some(141)],
            [Some(4), Some(9)],
            [Some(2), Some(4)],
            [Some(6), Some(5)],
            [Some(9), Some(10)],
            [Some(8), Some(8)],
            [None, Some(4)],
            [None, Some(3)],
        ]
    );
    assert_eq!(world.try_requests().await, Some(Vec::new()));
    assert_eq!(world.leases().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nobody_can_be_asked_nothing_is_created() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let run = gwlock(&world, &["bench", "requests", "-n", &world.namespace]);
    let stderr = String::from_utf8(run.stderr).unwrap();
    assert_eq!((run.status.code(), run.stdout), (Some(2), Vec::new()));
    let lines: Vec<&str> = stderr.lines().collect();
    assert_eq!(
        lines[0],
        "error: RemediationRequests start remediations, and nobody can be asked"
    );
    assert!(
        lines[1].starts_with("hint: gwlock bench requests --yes"),
        "{stderr}"
    );
    assert_eq!(world.try_requests().await, Some(Vec::new()));
}

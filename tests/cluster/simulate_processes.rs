//! `gwlock simulate --processes` on a real API server, behind a proxy that loses requests and answers: replicas that are
//! killed and stopped break no rule.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use gwlock_engine::client::transport;
use gwlock_testkit::proxy::{Fault, Proxy, Rule};
use gwlock_testkit::{ControlPlane, User, control_plane, private_control_plane};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use crate::definition::serve_remediation_requests;

const SHORT: &str = "
signals: 60
fingerprints: 3
arrival: poisson:10
at:
- {at: 1s, pod: 0, fault: crash, for: 1s}
- {at: 2s, pod: 1, fault: pause, for: 2s}
- {at: 3s, pod: 2, fault: partition, for: 1s}
- {at: 4s, pod: 3, fault: crash, for: 500ms}
often:
  orchestrate: {every: 1s}
";

const LONG: &str = "
signals: 1500
fingerprints: 4
arrival: poisson:5
duplicates: 0.2
lasting: 5m
often:
  crash: {every: 15s, for: 0s..10s}
  pause: {every: 25s, for: 1s..40s}
  orchestrate: {every: 2s}
  touch: {every: 2s}
";

/// How often a request or an answer is lost.
const DISTURBED_EVERY: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_are_killed_stopped_and_cut_off_break_no_rule() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    define(control_plane).await;
    let proxy = Proxy::in_front_of(control_plane).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let output = simulate(&proxy, folder.path(), SHORT, |rng| disturb(&proxy, rng));
    let events = judged(&output, folder.path());
    assert_eq!(events.count("crashed"), 2);
    assert_eq!(events.count("stopped"), 2);
    assert_eq!(events.count("started"), 6);
    assert_eq!(events.count("signal"), 60);
}

/// Five minutes of everything that can happen to processes and to a control plane. How often it happened is told.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "soak"]
#[expect(
    clippy::disallowed_macros,
    reason = "shown by cargo test -- --nocapture"
)]
async fn five_minutes_of_kills_stops_etcd_restarts_and_lost_answers_break_no_rule() {
    let Some(mut control_plane) = private_control_plane() else {
        return;
    };
    define(&control_plane).await;
    let proxy = Proxy::in_front_of(&control_plane).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut restarts = 0;
    let mut next = Instant::now() + Duration::from_secs(20);
    let output = simulate(&proxy, folder.path(), LONG, |rng| {
        disturb(&proxy, rng);
        if Instant::now() > next {
            control_plane.restart_etcd().unwrap();
            restarts += 1;
            next = Instant::now() + Duration::from_secs(rng.random_range(20..40));
        }
    });
    let events = judged(&output, folder.path());
    let answered = |outcome: &str| events.results[outcome].as_u64().unwrap();
    assert!(answered("created") > 0 && answered("duplicate") > 0);
    assert!(restarts > 0 && events.count("crashed") > 0 && events.count("stopped") > 0);
    let lost = events
        .all
        .iter()
        .filter(|event| event["event"] == "reply" && event["status"].is_null());
    println!(
        "{} signals ({}), {} calls; {} kills, {} stops, {restarts} restarts of etcd, {} connections lost: no violation",
        events.count("signal"),
        events.results,
        events.count("call"),
        events.count("crashed"),
        events.count("stopped"),
        lost.count(),
    );
}

async fn define(control_plane: &ControlPlane) {
    let config = control_plane.config(User::Admin, "default");
    serve_remediation_requests(&transport::connect(config).unwrap()).await;
}

fn disturb(proxy: &Proxy, rng: &mut StdRng) {
    let fault = match rng.random_range(0..3) {
        0 => Fault::LoseRequest,
        1 => Fault::LoseAnswer,
        _ => Fault::DelayAnswer(Duration::from_millis(rng.random_range(0..3000))),
    };
    let path = ["/leases", "/remediationrequests"][rng.random_range(0..2)];
    let rule = Rule::new(fault).path_contains(path).times(1);
    proxy.inject(rule);
}

/// Four processes behind this proxy, and what happens meanwhile.
fn simulate(
    proxy: &Proxy,
    folder: &Path,
    scenario: &str,
    mut meanwhile: impl FnMut(&mut StdRng),
) -> Output {
    let kubeconfig = proxy.kubeconfig(User::Admin, "default").unwrap();
    let file = folder.join("scenario.yaml");
    fs::write(&file, scenario).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_gwlock"))
        .args(["simulate", "--processes", "4", "--on", "cluster", "--yes"])
        .args(["-o", "json", "--scenario"])
        .arg(file)
        .arg("--history")
        .arg(folder.join("history.jsonl"))
        .env("KUBECONFIG", kubeconfig.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut rng = StdRng::seed_from_u64(7);
    while child.try_wait().unwrap().is_none() {
        thread::sleep(DISTURBED_EVERY);
        meanwhile(&mut rng);
    }
    child.wait_with_output().unwrap()
}

struct Events {
    all: Vec<Value>,
    /// Of the signals, as they are reported.
    results: Value,
}

impl Events {
    fn count(&self, kind: &str) -> usize {
        self.all
            .iter()
            .filter(|event| event["event"] == kind)
            .count()
    }
}

/// What happened, if it broke no rule.
fn judged(output: &Output, folder: &Path) -> Events {
    let said = String::from_utf8_lossy(&output.stderr);
    let report = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}{report}");
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["verdict"], "ok");
    let history = fs::read_to_string(folder.join("history.jsonl")).unwrap();
    let events = history.lines().skip(1);
    Events {
        all: events
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
        results: report["results"].clone(),
    }
}

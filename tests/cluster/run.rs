//! `run` on a real API server, behind a proxy that loses requests and answers: processes of one key are killed and stopped
//! at random, and from what their commands wrote, at no moment did two of them live.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use gwlock_testkit::proxy::{Fault, Proxy, Rule};
use gwlock_testkit::{User, control_plane};
use http::StatusCode;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustix::process::{Pid, Signal, kill_process};

/// How many contend at a time.
const WORKERS: usize = 4;

/// Longer than the lease duration, so that a run that stands still for so long has lost its lease.
const FROZEN: Duration = Duration::from_secs(4);

/// Says who lives and when, as do its descendants; a TERM ends none of them.
const COMMAND: &str = r#"
trap '' TERM
live() { for i in 1 2 3 4 5 6 7 8; do echo "$1 $(date +%s%N)" >> "$2"; sleep 0.05; done; }
live "$1" "$2" & echo ready; live "$1" "$2"
"#;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mischief {
    None,
    Kill,
    Freeze,
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_rounds_of_kills_freezes_and_lost_answers_never_overlap() {
    rounds(20, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "soak"]
async fn two_hundred_rounds_of_kills_freezes_and_lost_answers_never_overlap() {
    rounds(200, 2).await;
}

async fn rounds(count: usize, seed: u64) {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let namespace = control_plane.namespace().await;
    let proxy = Proxy::in_front_of(control_plane).unwrap();
    let kubeconfig = proxy.kubeconfig(User::Admin, &namespace).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let next = AtomicUsize::new(0);
    let ended_well: Vec<usize> = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|_| {
                scope.spawn(|| {
                    let mut well = Vec::new();
                    loop {
                        let round = next.fetch_add(1, Ordering::Relaxed);
                        if round >= count {
                            return well;
                        }
                        let mut rng = StdRng::seed_from_u64(seed * 1000 + round as u64);
                        disturb(&proxy, &mut rng);
                        let mischief = match rng.random_range(0..8) {
                            0 => Mischief::Kill,
                            1 => Mischief::Freeze,
                            _ => Mischief::None,
                        };
                        let code = run(kubeconfig.path(), &log, round, mischief);
                        match (mischief, code) {
                            (_, Some(0)) => well.push(round),
                            (Mischief::Kill, None) => {}
                            // Lost; or the server gave no answer, or none that says whether a write was done.
                            (_, Some(69 | 76 | 79)) => {}
                            _ => panic!("round {round}, {mischief:?}: {code:?}"),
                        }
                    }
                })
            })
            .collect();
        let join = |worker: thread::ScopedJoinHandle<'_, Vec<usize>>| worker.join().unwrap();
        workers.into_iter().flat_map(join).collect()
    });
    let turns = turns(&fs::read_to_string(&log).unwrap());
    let mut once = turns.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(turns.len(), once.len(), "seed {seed}: {turns:?}");
    for round in &ended_well {
        assert!(once.contains(round), "{round} had no turn: {once:?}");
    }
    assert!(ended_well.len() > count / 2, "{ended_well:?}");
}

/// One request or answer of those to come is lost, late or refused.
fn disturb(proxy: &Proxy, rng: &mut StdRng) {
    let fault = match rng.random_range(0..4) {
        0 => Fault::LoseRequest,
        1 => Fault::LoseAnswer,
        2 => Fault::DelayAnswer(Duration::from_millis(700)),
        _ => Fault::refuse(StatusCode::SERVICE_UNAVAILABLE),
    };
    let rule = Rule::new(fault).path_contains("/leases");
    proxy.inject(rule.skip(rng.random_range(0..10)).times(1));
}

/// One run; its exit code, if it was not killed.
fn run(kubeconfig: &Path, log: &Path, round: usize, mischief: Mischief) -> Option<i32> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gwlock"))
        .args(["run", "rounds", "--lease-duration", "3s", "--wait", "10m"])
        .args(["--", "sh", "-c", COMMAND, "sh", &round.to_string()])
        .arg(log)
        .env("KUBECONFIG", kubeconfig)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid = Pid::from_child(&child);
    let mut line = String::new();
    let stdout = child.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    if line == "ready\n" {
        // It cannot be anybody else's number before it is waited for.
        match mischief {
            Mischief::None => {}
            Mischief::Kill => kill_process(pid, Signal::KILL).unwrap(),
            Mischief::Freeze => {
                kill_process(pid, Signal::STOP).unwrap();
                thread::sleep(FROZEN);
                kill_process(pid, Signal::CONT).unwrap();
            }
        }
    }
    child.wait().unwrap().code()
}

/// Who lived, in the order of time, each once for as long as nobody else came in between.
fn turns(log: &str) -> Vec<usize> {
    let mut lines: Vec<(u64, usize)> = log
        .lines()
        .map(|line| {
            let (who, when) = line.split_once(' ').unwrap();
            (when.parse().unwrap(), who.parse().unwrap())
        })
        .collect();
    lines.sort_unstable();
    let mut turns: Vec<usize> = lines.into_iter().map(|(_, who)| who).collect();
    turns.dedup();
    turns
}

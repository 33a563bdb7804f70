//! What each command does, in every way that makes a difference to what it asks. A command that does not end as it should
//! ends the steps.

use std::io::{BufRead as _, BufReader};

use gwlock_engine::protocol::key::Fingerprint;
use http::Method;
use serde_json::json;

use super::{Failed, Ground};

/// How many seconds a lease is held that is waited for: longer than a process takes to begin on a slow machine.
pub(super) const A_WHILE: u32 = 5;
/// Somebody holds the lease.
const BUSY: i32 = 75;
/// Input that cannot be used.
const BAD_INPUT: i32 = 65;
/// Wrong usage.
const USAGE: i32 = 2;
/// The answer is no.
const NO: i32 = 1;

/// A lease that is free, one that has expired, one that is held, and one that is waited for.
pub(super) fn run(ground: &Ground<'_>) -> Result<(), Failed> {
    let lease = ground.new_lease();
    ground.gwlock(&["run", &lease, "--", "true"], 0)?;
    let lease = ground.new_lease();
    ground.hold(&lease, 300);
    ground.gwlock(&["run", &lease, "--wait", "0s", "--", "true"], BUSY)?;
    let lease = ground.new_lease();
    ground.cluster.expired_lease(&ground.locks, &lease);
    ground.gwlock(&["run", &lease, "--", "true"], 0)?;
    let lease = ground.new_lease();
    ground.hold(&lease, A_WHILE);
    ground.gwlock(&["run", &lease, "--wait", "60s", "--", "true"], 0)?;
    Ok(())
}

/// The same, and a claim that cannot be handed over.
pub(super) fn acquire(ground: &Ground<'_>) -> Result<(), Failed> {
    let lease = ground.new_lease();
    ground.gwlock(&["acquire", &lease], 0)?;
    ground.pod("at-work");
    let lease = ground.new_lease();
    ground.hold_by(&lease, "at-work", 300);
    ground.gwlock(&["acquire", &lease, "--wait", "0s"], BUSY)?;
    let lease = ground.new_lease();
    ground.cluster.expired_lease(&ground.locks, &lease);
    ground.gwlock(&["acquire", &lease], 0)?;
    let lease = ground.new_lease();
    let nowhere = ground.path("no/such/folder");
    ground.gwlock(&["acquire", &lease, "--handle-file", &nowhere], BAD_INPUT)?;
    let lease = ground.new_lease();
    ground.hold(&lease, A_WHILE);
    ground.gwlock(&["acquire", &lease, "--wait", "60s"], 0)?;
    Ok(())
}

pub(super) fn renew(ground: &Ground<'_>) -> Result<(), Failed> {
    with_a_claim(ground, "renew")
}

pub(super) fn release(ground: &Ground<'_>) -> Result<(), Failed> {
    with_a_claim(ground, "release")
}

pub(super) fn verify(ground: &Ground<'_>) -> Result<(), Failed> {
    with_a_claim(ground, "verify")
}

/// A claim from a file, and one by its holder.
fn with_a_claim(ground: &Ground<'_>, command: &str) -> Result<(), Failed> {
    let file = ground.path(&format!("{command}.json"));
    let lease = ground.new_lease();
    ground.as_admin(&["acquire", &lease, "--handle-file", &file]);
    ground.gwlock(&[command, "--handle-file", &file], 0)?;
    let lease = ground.new_lease();
    let path = "jsonpath={.holder}";
    let holder = ground.as_admin(&["acquire", &lease, "-o", path]);
    ground.gwlock(&[command, &lease, "--holder", holder.trim()], 0)?;
    Ok(())
}

pub(super) fn inspect(ground: &Ground<'_>) -> Result<(), Failed> {
    let lease = ground.new_lease();
    ground.hold(&lease, 300);
    ground.gwlock(&["inspect"], 0)?;
    ground.gwlock(&["inspect", &lease, "--no-evidence"], 0)?;
    Ok(())
}

/// The pods and nodes of so many holders are listed instead of read.
const MANY: usize = 9;

/// Of many leases, and of one that is asked for by its name.
pub(super) fn inspect_evidence(ground: &Ground<'_>) -> Result<(), Failed> {
    for number in 0..MANY {
        let holder = format!("holder-{number}");
        ground.pod(&holder);
        ground.hold_by(&ground.new_lease(), &holder, 300);
    }
    let target = format!("{}:Deployment:evidence", ground.shop);
    let fingerprint = Fingerprint::of(&target);
    let now = jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    let request = json!({
        "apiVersion": "kubernaut.ai/v1alpha1", "kind": "RemediationRequest",
        "metadata": {"name": format!("rr-{}-00000000", &fingerprint.as_str()[..12])},
        "spec": {
            "signalFingerprint": fingerprint.as_str(), "signalName": "A", "severity": "warning", "signalType": "alert",
            "targetType": "kubernetes",
            "targetResource": {"namespace": ground.shop, "kind": "Deployment", "name": "evidence"},
            "firingTime": now, "receivedTime": now,
        },
    });
    let requests = format!(
        "/apis/kubernaut.ai/v1alpha1/namespaces/{}/remediationrequests",
        ground.requests
    );
    let request = ground.make(&requests, &request);
    let lease = fingerprint.lease_name();
    ground.hold_by(lease.as_str(), "holder-0", 300);
    ground.gwlock(&["inspect", "--evidence"], 0)?;
    ground.gwlock(&["inspect", lease.as_str()], 0)?;
    // Nobody counts it, which other operations would find.
    let name = request["metadata"]["name"].as_str().unwrap();
    ground
        .cluster
        .call(Method::DELETE, &format!("{requests}/{name}"), None);
    Ok(())
}

/// With a gateway to ask about, and whatever it finds.
pub(super) fn doctor(ground: &Ground<'_>) -> Result<(), Failed> {
    let pod = json!({
        "metadata": {"name": "gateway-0", "labels": {"app": "gateway"}},
        "spec": {
            "serviceAccountName": ground.account, "automountServiceAccountToken": false,
            "containers": [{"name": "gateway", "image": "gateway"}],
        },
    });
    ground.make(&format!("/api/v1/namespaces/{}/pods", ground.locks), &pod);
    let output = ground.command(&["doctor", "-o", "wide"]).output().unwrap();
    ground.note(&String::from_utf8_lossy(&output.stdout));
    match output.status.code() {
        Some(NO) => ground.ended(output, NO).map(drop),
        _ => ground.ended(output, 0).map(drop),
    }
}

/// Until a change has been shown.
pub(super) fn inspect_watch(ground: &Ground<'_>) -> Result<(), Failed> {
    let lease = ground.new_lease();
    ground.hold(&lease, 300);
    let mut child = ground.start(&mut ground.command(&["inspect", "--watch", "--no-headers"]));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let shown = lines.next().is_some();
    if shown {
        let path = format!("{}/{lease}", ground.leases_path());
        let mut object = ground.cluster.call(Method::GET, &path, None);
        object["metadata"]["labels"] = json!({"changed": "yes"});
        ground.cluster.call(Method::PUT, &path, Some(&object));
    }
    if shown && lines.next().is_some() {
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        ground.note(&String::from_utf8_lossy(&output.stderr));
        return Ok(());
    }
    // It has ended by itself.
    ground.ended(child.wait_with_output().unwrap(), 0).map(drop)
}

pub(super) fn force_expire(ground: &Ground<'_>) -> Result<(), Failed> {
    let lease = ground.new_lease();
    ground.cluster.expired_lease(&ground.locks, &lease);
    ground.pod("gone");
    ground.gwlock(&["force-expire", &lease, "--yes"], 0)?;
    Ok(())
}

/// Nobody can be asked, so that it ends there.
pub(super) fn asks_for_the_lab(ground: &Ground<'_>) -> Result<(), Failed> {
    let lease = ground.new_lease();
    ground.cluster.expired_lease(&ground.locks, &lease);
    ground.gwlock(&["force-expire", &lease], USAGE)?;
    Ok(())
}

pub(super) fn gc(ground: &Ground<'_>) -> Result<(), Failed> {
    let lease = ground.new_lease();
    ground.cluster.expired_lease(&ground.locks, &lease);
    ground.gwlock(&["gc"], 0)?;
    Ok(())
}

pub(super) fn resolve(ground: &Ground<'_>) -> Result<(), Failed> {
    ground.gwlock(&["resolve", &target(ground)], 0)?;
    Ok(())
}

pub(super) fn dedup_list(ground: &Ground<'_>) -> Result<(), Failed> {
    ground.gwlock(&["dedup", "list"], 0)?;
    ground.gwlock(&["dedup", "list", &target(ground)], NO)?;
    Ok(())
}

pub(super) fn dedup_check(ground: &Ground<'_>) -> Result<(), Failed> {
    ground.gwlock(&["dedup", "check"], 0)?;
    ground.gwlock(&["dedup", "check", &target(ground)], 0)?;
    Ok(())
}

fn target(ground: &Ground<'_>) -> String {
    Fingerprint::of(&format!("{}:Deployment:api", ground.shop)).to_string()
}

pub(super) fn bench_lease(ground: &Ground<'_>) -> Result<(), Failed> {
    let small = ["--clients", "1", "--total", "1", "--repeats", "1"];
    ground.gwlock(&[&["bench", "lease"], small.as_slice()].concat(), 0)?;
    ground.gwlock(&["bench", "lease", "--handoff", "--total", "2"], 0)?;
    Ok(())
}

pub(super) fn bench_requests(ground: &Ground<'_>) -> Result<(), Failed> {
    let here = ["--namespace", &ground.locks, "--simultaneous", "2", "--yes"];
    ground.gwlock(&[&["bench", "requests"], here.as_slice()].concat(), 0)?;
    Ok(())
}

pub(super) fn bench_requests_of_its_own(ground: &Ground<'_>) -> Result<(), Failed> {
    ground.gwlock(&["bench", "requests", "--simultaneous", "2", "--yes"], 0)?;
    Ok(())
}

/// A few signals, one after the other.
const LOAD: [&str; 11] = [
    "bench",
    "signals",
    "--yes",
    "--replicas",
    "1",
    "--rate",
    "10",
    "--duration",
    "1s",
    "--warm-up",
    "0s",
];

pub(super) fn bench_signals(ground: &Ground<'_>) -> Result<(), Failed> {
    let here = ["--namespace", &ground.locks];
    ground.gwlock(&[LOAD.as_slice(), &here].concat(), 0)?;
    Ok(())
}

pub(super) fn bench_signals_of_its_own(ground: &Ground<'_>) -> Result<(), Failed> {
    ground.gwlock(&LOAD, 0)?;
    Ok(())
}

/// Nothing is ever said but candidates.
pub(super) fn completion(ground: &Ground<'_>) -> Result<(), Failed> {
    for words in [["inspect", "gw-"].as_slice(), &["inspect", "-n", ""]] {
        let mut command = ground.command(&[&["--", "gwlock"], words].concat());
        let index = words.len().to_string();
        command
            .env("COMPLETE", "bash")
            .env("_CLAP_COMPLETE_INDEX", index);
        let child = ground.start(&mut command);
        ground.ended(child.wait_with_output().unwrap(), 0)?;
    }
    Ok(())
}

pub(super) fn check_live(ground: &Ground<'_>) -> Result<(), Failed> {
    let check = ["rbac", "check", "--live", "--profile", "gwlock-run"];
    ground.gwlock(&check, NO)?;
    Ok(())
}

pub(super) fn check_others(ground: &Ground<'_>) -> Result<(), Failed> {
    let check = ["rbac", "check", "--live", "--profile", "gwlock-run"];
    let other = ["--serviceaccount", "default:somebody"];
    ground.gwlock(&[check.as_slice(), &other].concat(), NO)?;
    Ok(())
}

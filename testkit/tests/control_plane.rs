//! The harness itself, with the real programs.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gwlock_testkit::proxy::{Fault, Proxy, Rule};
use gwlock_testkit::{User, control_plane, private_control_plane};
use http::{Method, StatusCode};
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{ListParams, ObjectMeta, PostParams};
use kube::{Api, Client, Config};

const PATIENCE: Duration = Duration::from_secs(30);

fn leases(config: Config) -> Api<Lease> {
    Api::default_namespaced(Client::try_from(config).unwrap())
}

fn lease(name: &str) -> Lease {
    let metadata = ObjectMeta {
        name: Some(name.to_owned()),
        ..ObjectMeta::default()
    };
    Lease {
        metadata,
        ..Lease::default()
    }
}

fn code(error: &kube::Error) -> Option<u16> {
    match error {
        kube::Error::Api(status) => Some(status.code),
        _ => None,
    }
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < PATIENCE,
            "{what}: not within {PATIENCE:?}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
async fn each_test_has_an_empty_namespace_of_its_own() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let first = control_plane.namespace().await;
    let second = control_plane.namespace().await;
    assert_ne!(first, second);
    for namespace in [first, second] {
        let leases = leases(control_plane.config(User::Admin, &namespace));
        let listed = leases.list(&ListParams::default()).await.unwrap();
        assert_eq!(listed.items, []);
    }
}

#[tokio::test]
async fn a_user_without_a_binding_may_nothing() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let namespace = control_plane.namespace().await;
    for user in User::ALL.into_iter().filter(|user| *user != User::Admin) {
        let leases = leases(control_plane.config(user, &namespace));
        let error = leases.list(&ListParams::default()).await.unwrap_err();
        assert_eq!(code(&error), Some(403), "{error:?}");
    }
}

#[tokio::test]
async fn a_proxy_counts_and_fails_requests_to_the_control_plane() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let namespace = control_plane.namespace().await;
    let proxy = Proxy::in_front_of(control_plane).unwrap();
    proxy.inject(Rule::new(Fault::LoseAnswer).method(Method::POST).nth(1));
    let status = StatusCode::SERVICE_UNAVAILABLE;
    proxy.inject(Rule::new(Fault::refuse(status)).method(Method::GET).nth(1));
    let leases = leases(proxy.config(User::Admin, &namespace));

    let lost = leases.create(&PostParams::default(), &lease("x")).await;
    assert_eq!(code(&lost.unwrap_err()), None);
    assert_eq!(code(&leases.get("x").await.unwrap_err()), Some(503));
    assert_eq!(
        leases.get("x").await.unwrap().metadata.name.as_deref(),
        Some("x")
    );
    let counts: Vec<_> = proxy.counts().into_iter().collect();
    assert_eq!(
        counts,
        [
            ("create leases".to_owned(), 1),
            ("get leases".to_owned(), 2)
        ]
    );
}

#[tokio::test]
async fn data_outlives_a_restart_of_either_part() {
    let Some(mut control_plane) = private_control_plane() else {
        return;
    };
    let namespace = control_plane.namespace().await;
    let admin = |control_plane: &gwlock_testkit::ControlPlane| {
        leases(control_plane.config(User::Admin, &namespace))
    };
    let api = admin(&control_plane);
    let created = api
        .create(&PostParams::default(), &lease("x"))
        .await
        .unwrap();

    control_plane.restart_etcd().unwrap();
    assert_eq!(admin(&control_plane).get("x").await.unwrap(), created);
    control_plane.restart_apiserver().unwrap();
    assert_eq!(admin(&control_plane).get("x").await.unwrap(), created);

    let paused = control_plane.etcd();
    paused.pause();
    let api = admin(&control_plane);
    let two = lease("two");
    let params = PostParams::default();
    let waiting = api.create(&params, &two);
    let mut waiting = std::pin::pin!(waiting);
    let early = tokio::time::timeout(Duration::from_millis(300), &mut waiting).await;
    assert!(early.is_err(), "answered without etcd: {early:?}");
    paused.resume();
    waiting.await.unwrap();

    let folder = control_plane.folder().to_owned();
    drop(control_plane);
    assert!(!folder.exists());
}

/// Nothing of the killed process runs any more: what ends the programs is the guards' work alone.
#[test]
fn nothing_is_left_of_a_control_plane_whose_process_was_killed() {
    if gwlock_testkit::is_skipped() {
        return;
    }
    let mut owner = Command::new(env!("CARGO_BIN_EXE_control-plane"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(owner.stdout.take().unwrap()).lines();
    let said: Vec<String> = lines.take(4).map(Result::unwrap).collect();
    let value = |name: &str| {
        let found = said.iter().find_map(|line| line.strip_prefix(name));
        found.unwrap_or_else(|| panic!("no {name} in {said:?}"))
    };
    let folder = Path::new(value("export KUBECONFIG=")).parent().unwrap();
    let running = [value("etcd="), value("apiserver=")];
    let is_running = |pid: &str| {
        // A zombie has no command line.
        std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
    };
    assert!(running.iter().all(|pid| is_running(pid)), "{said:?}");
    assert!(folder.exists());

    owner.kill().unwrap();
    owner.wait().unwrap();
    wait_until("both programs end", || {
        !running.iter().any(|pid| is_running(pid))
    });
    wait_until("the folder goes", || !folder.exists());
}

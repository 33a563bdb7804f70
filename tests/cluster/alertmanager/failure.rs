//! A replica that is overloaded, cut off, or killed in the middle of a request: what was not delivered comes again.

use std::collections::BTreeMap;
use std::time::Duration;

use gwlock_testkit::User;
use gwlock_testkit::proxy::{Fault, Proxy, Rule};
use http::Method;
use rustix::process::Signal;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::super::serve::{ROUTE, World, until};
use super::super::service::{Attempt, Outcome};
use super::{AT_ONCE, Line, Timing, counted, create, delivered, firing, statuses, world};

const COUNTING: &str = "patch remediationrequests/status";
const GO_ON: &[u8; 25] = b"HTTP/1.1 100 Continue\r\n\r\n";
/// Longer than a test takes.
const LONG: Duration = Duration::from_secs(600);

/// How often this status was answered.
fn times(attempts: &[Attempt], status: u16) -> usize {
    let statuses = statuses(attempts).into_iter();
    statuses.filter(|read| *read == Some(status)).count()
}

fn one(pod: &str, count: u64) -> BTreeMap<String, u64> {
    BTreeMap::from([(pod.to_owned(), count)])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overloaded_replica_gets_it_again_when_it_has_room() {
    let Some((_, world)) = world().await else {
        return;
    };
    let more = ["--auth", "none", "--max-concurrent-requests", "1"];
    let replica = world.start("a", world.kubeconfig.path(), &more);
    let line = Line::to(&[&replica], AT_ONCE).await;
    // A sender whose body does not come takes the only place.
    let mut alert = firing(&world, "api");
    alert["status"] = json!("firing");
    alert["startsAt"] = json!("2026-11-23T08:59:00Z");
    let body = json!({"version": "4", "alerts": [alert]}).to_string();
    let mut slow = TcpStream::connect(replica.url.strip_prefix("http://").unwrap())
        .await
        .unwrap();
    let head = format!(
        "POST {ROUTE} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    // It is asked for when the place has been taken.
    let mut go_on = [0; GO_ON.len()];
    slow.read_exact(&mut go_on).await.unwrap();
    assert_eq!(go_on, *GO_ON);

    line.alertmanager
        .post(&json!([firing(&world, "api")]))
        .await;
    let refused = |attempts: &[Attempt]| times(attempts, 503) >= 2;
    line.service.wait_until("two refusals", refused).await;
    slow.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");

    let attempts = line.delivered(1).await;
    let (last, before) = attempts.split_last().unwrap();
    for attempt in before {
        let Outcome::Answered {
            status,
            retry_after,
            ..
        } = &attempt.outcome
        else {
            panic!("{attempt:?}")
        };
        assert_eq!((*status, retry_after.as_deref()), (503, Some("1")));
    }
    assert_eq!(last.status(), Some(202));
    assert_eq!(
        counted(&world).await,
        one("api", 2),
        "the slow one and this one"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_without_an_api_server_gets_it_again_when_it_has_one() {
    let Some((control_plane, world)) = world().await else {
        return;
    };
    let proxy = Proxy::in_front_of(control_plane).unwrap();
    let kubeconfig = proxy.kubeconfig(User::Admin, &world.namespace).unwrap();
    let replica = world.start("a", kubeconfig.path(), &["--auth", "none"]);
    let line = Line::to(&[&replica], AT_ONCE).await;
    proxy.inject(Rule::new(Fault::LoseRequest));
    line.alertmanager
        .post(&json!([firing(&world, "api")]))
        .await;
    let failed = |attempts: &[Attempt]| times(attempts, 500) >= 2;
    line.service.wait_until("two failures", failed).await;
    proxy.heal();
    let attempts = line.delivered(1).await;
    let (last, before) = attempts.split_last().unwrap();
    assert_eq!(last.status(), Some(201));
    assert_eq!(statuses(before), vec![Some(500); before.len()]);
    assert_eq!(counted(&world).await, one("api", 1));
}

/// Gives the gateway's user these rights.
async fn grant(world: &World, name: &str, rules: &str) {
    let rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces";
    let rbac = format!("{rbac}/{}", world.namespace);
    let metadata = format!("metadata: {{name: {name}}}");
    let role = format!("{metadata}\nrules: {rules}");
    create(world, &format!("{rbac}/roles"), &role).await;
    let role = format!("{{apiGroup: rbac.authorization.k8s.io, kind: Role, name: {name}}}");
    let subject = format!("{{kind: User, name: {}}}", User::Gateway.name());
    let binding = format!("{metadata}\nroleRef: {role}\nsubjects: [{subject}]");
    create(world, &format!("{rbac}/rolebindings"), &binding).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_without_a_right_gets_it_again_when_it_has_the_right() {
    let Some((control_plane, world)) = world().await else {
        return;
    };
    let signals = "
- {apiGroups: [''], resources: [pods, namespaces], verbs: [get]}
- {apiGroups: [kubernaut.ai], resources: [remediationrequests], verbs: [list, get, create]}
- {apiGroups: [kubernaut.ai], resources: [remediationrequests/status], verbs: [patch]}";
    let leases = "
- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [create, get, update, delete]}";
    grant(&world, "signals", signals).await;
    let kubeconfig = control_plane.kubeconfig(User::Gateway, &world.namespace);
    let kubeconfig = kubeconfig.unwrap();
    let replica = world.start("a", kubeconfig.path(), &["--auth", "none"]);
    let line = Line::to(&[&replica], AT_ONCE).await;
    line.alertmanager
        .post(&json!([firing(&world, "api")]))
        .await;
    let failed = |attempts: &[Attempt]| times(attempts, 500) >= 2;
    line.service.wait_until("two failures", failed).await;
    assert_eq!(counted(&world).await, BTreeMap::new());
    grant(&world, "leases", leases).await;
    let attempts = line.delivered(1).await;
    let (last, before) = attempts.split_last().unwrap();
    assert_eq!(last.status(), Some(201));
    assert_eq!(statuses(before), vec![Some(500); before.len()]);
    assert_eq!(counted(&world).await, one("api", 1));
}

/// A replica that is killed while its first count is at this fault, and what is counted in the end.
async fn killed_at(fault: Fault, expected: u64) {
    let Some((control_plane, world)) = world().await else {
        return;
    };
    let proxy = Proxy::in_front_of(control_plane).unwrap();
    let kubeconfig = proxy.kubeconfig(User::Admin, &world.namespace).unwrap();
    let victim = world.start("victim", kubeconfig.path(), &["--auth", "none"]);
    let other = world.replica("other");
    let line = Line::to(&[&victim, &other], AT_ONCE).await;
    proxy.inject(Rule::new(fault).method(Method::PATCH));
    line.alertmanager
        .post(&json!([firing(&world, "api")]))
        .await;
    // The write is at the fault; where the server sees it, it has to be there as well.
    let landed = if expected == 2 { 1 } else { 0 };
    until("its count", async || {
        proxy.counts().contains_key(COUNTING) && counted(&world).await == one("api", landed)
    })
    .await;
    victim.send(Signal::KILL);
    let attempts = line.delivered(1).await;
    let outcomes: Vec<_> = attempts
        .iter()
        .map(|attempt| (attempt.replica, attempt.status()))
        .collect();
    assert_eq!(outcomes, [(0, None), (1, Some(202))]);
    assert_eq!(attempts[0].outcome, Outcome::Unanswered);
    assert_eq!(counted(&world).await, one("api", expected));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_killed_before_its_count_is_written_leaves_it_to_the_next() {
    killed_at(Fault::DelayRequest(LONG), 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_count_whose_replica_was_killed_before_it_answered_is_counted_twice() {
    killed_at(Fault::DelayAnswer(LONG), 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_alerts_none_is_lost_with_the_replica_that_had_them() {
    const ALERTS: usize = 40;
    let Some((control_plane, world)) = world().await else {
        return;
    };
    let proxy = Proxy::in_front_of(control_plane).unwrap();
    let kubeconfig = proxy.kubeconfig(User::Admin, &world.namespace).unwrap();
    let victim = world.start("victim", kubeconfig.path(), &["--auth", "none"]);
    let [a, b] = ["a", "b"].map(|name| world.replica(name));
    let line = Line::to(&[&a, &victim, &b], AT_ONCE).await;
    let alert = |number: usize| {
        let mut alert = firing(&world, "api");
        alert["labels"]["container"] = json!(format!("container-{number}"));
        alert
    };
    // So that nobody dies while it holds the lease, which would have to expire.
    line.alertmanager.post(&json!([alert(0)])).await;
    line.delivered(1).await;
    proxy.inject(Rule::new(Fault::DelayAnswer(LONG)).method(Method::PATCH));
    let many: Vec<_> = (1..ALERTS).map(alert).collect();
    line.alertmanager.post(&json!(many)).await;
    until("the victim counts", async || {
        proxy.counts().contains_key(COUNTING)
    })
    .await;
    victim.send(Signal::KILL);

    let attempts = line.delivered(ALERTS).await;
    let unanswered = attempts
        .iter()
        .filter(|attempt| attempt.outcome == Outcome::Unanswered)
        .count();
    for attempt in &attempts {
        let expected = match attempt.status() {
            Some(201 | 202) => true,
            None => attempt.replica == 1,
            Some(_) => false,
        };
        assert!(expected, "{attempt:?}");
    }
    assert_eq!(delivered(&attempts), ALERTS);
    assert!(unanswered > 0);
    let counted = counted(&world).await["api"];
    let possible = ALERTS as u64..=(ALERTS + unanswered) as u64;
    assert!(possible.contains(&counted), "{counted} of {possible:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_failed_in_part_comes_again_as_a_whole() {
    let Some((control_plane, world)) = world().await else {
        return;
    };
    world.pods(["b"]).await;
    let proxy = Proxy::in_front_of(control_plane).unwrap();
    let kubeconfig = proxy.kubeconfig(User::Admin, &world.namespace).unwrap();
    let replica = world.start("a", kubeconfig.path(), &["--auth", "none"]);
    let timing = Timing {
        group_by: "alertname",
        wait: "1s",
        ..AT_ONCE
    };
    let line = Line::to(&[&replica], timing).await;
    proxy.inject(Rule::new(Fault::LoseRequest).path_contains("/pods/b"));
    let both = ["api", "b"].map(|pod| firing(&world, pod));
    line.alertmanager.post(&json!(both)).await;
    let failed = |attempts: &[Attempt]| attempts.iter().any(|attempt| attempt.status().is_some());
    line.service.wait_until("a failure", failed).await;
    proxy.heal();
    let attempts = line.delivered(1).await;
    let (last, before) = attempts.split_last().unwrap();
    assert_eq!(last.status(), Some(207));
    for (number, attempt) in before.iter().enumerate() {
        let Outcome::Answered { status, body, .. } = &attempt.outcome else {
            panic!("{attempt:?}")
        };
        let of_api = if number == 0 { "created" } else { "duplicate" };
        let results = [&body["results"][0]["status"], &body["results"][1]["status"]];
        assert_eq!(
            (*status, results),
            (500, [&json!(of_api), &json!("failed")])
        );
    }
    let of_api = u64::try_from(attempts.len()).unwrap();
    let expected = BTreeMap::from([("api".to_owned(), of_api), ("b".to_owned(), 1)]);
    assert_eq!(counted(&world).await, expected);
}

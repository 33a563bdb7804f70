//! A real Alertmanager sends to replicas that are processes: what it sends, what it repeats, and what it tries again
//! until it has arrived.
//!
//! A `Service` stands between them, which knows every attempt and what came of it. So the counts are known exactly.

mod failure;
mod secure;

use std::collections::BTreeMap;

use gwlock_testkit::{Alertmanager, ControlPlane, alertmanager, control_plane};
use http::Request;
use kube::client::Body;
use serde_json::{Value, json};

use super::serve::{ROUTE, Replica, World, until};
use super::service::{Attempt, Outcome, Service};

/// Groups whose alerts are sent as soon as they come, and again only after an hour.
const AT_ONCE: Timing = Timing {
    group_by: "'...'",
    wait: "0s",
    interval: "1m",
    repeat: "1h",
};

/// When Alertmanager sends.
#[derive(Clone, Copy)]
struct Timing {
    group_by: &'static str,
    wait: &'static str,
    /// After which a group is looked at again. What fails is tried again for so long, and at least for 10 s.
    interval: &'static str,
    repeat: &'static str,
}

/// Alertmanager, and a Service before replicas.
struct Line {
    alertmanager: Alertmanager,
    service: Service,
}

impl Line {
    async fn to(replicas: &[&Replica], timing: Timing) -> Self {
        let urls: Vec<&str> = replicas.iter().map(|replica| &*replica.url).collect();
        let service = Service::before(&urls).await;
        let Timing {
            group_by,
            wait,
            interval,
            repeat,
        } = timing;
        let url = &service.url;
        let configuration = format!(
            "route:
  receiver: gateway
  group_by: [{group_by}]
  group_wait: {wait}
  group_interval: {interval}
  repeat_interval: {repeat}
receivers:
- name: gateway
  webhook_configs:
  - url: {url}{ROUTE}
    send_resolved: true
"
        );
        Self {
            alertmanager: alertmanager(&configuration).await.unwrap(),
            service,
        }
    }

    /// Every attempt so far, as soon as so many of them were delivered.
    async fn delivered(&self, times: usize) -> Vec<Attempt> {
        let enough = |attempts: &[Attempt]| delivered(attempts) >= times;
        self.service.wait_until("delivered", enough).await
    }
}

fn firing(world: &World, pod: &str) -> Value {
    json!({
        "labels": {
            "alertname": "HighCPU", "severity": "critical", "namespace": world.namespace, "pod": pod,
        },
        "annotations": {"summary": "it is hot"},
    })
}

fn resolved(world: &World, pod: &str) -> Value {
    let mut alert = firing(world, pod);
    alert["endsAt"] = json!(jiff::Timestamp::now());
    alert
}

async fn create(world: &World, path: &str, yaml: &str) -> Value {
    let request = Request::post(path).header("content-type", "application/yaml");
    let request = request.body(Body::from(yaml.as_bytes().to_vec())).unwrap();
    let answer = world.client.send(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect_bytes().await.unwrap();
    assert_eq!(status, 201, "{}", body.escape_ascii());
    serde_json::from_slice(&body).unwrap()
}

fn delivered(attempts: &[Attempt]) -> usize {
    attempts
        .iter()
        .filter(|attempt| attempt.is_delivered())
        .count()
}

fn statuses(attempts: &[Attempt]) -> Vec<Option<u16>> {
    attempts.iter().map(Attempt::status).collect()
}

/// How often each pod was said to fire in what was delivered.
fn sent(attempts: &[Attempt]) -> BTreeMap<String, u64> {
    let mut pods = BTreeMap::new();
    for attempt in attempts.iter().filter(|attempt| attempt.is_delivered()) {
        for alert in attempt.json()["alerts"].as_array().unwrap() {
            if alert["status"] == "firing" {
                let pod = alert["labels"]["pod"].as_str().unwrap().to_owned();
                *pods.entry(pod).or_default() += 1;
            }
        }
    }
    pods
}

/// The count of each pod's one RemediationRequest.
async fn counted(world: &World) -> BTreeMap<String, u64> {
    let requests = world.try_requests().await.unwrap();
    let pods: BTreeMap<String, u64> = requests
        .iter()
        .map(|request| {
            let pod = request["spec"]["targetResource"]["name"].as_str().unwrap();
            let count = &request["status"]["deduplication"]["occurrenceCount"];
            (pod.to_owned(), count.as_u64().unwrap_or_default())
        })
        .collect();
    assert_eq!(pods.len(), requests.len(), "one for each: {requests:?}");
    pods
}

async fn world() -> Option<(&'static ControlPlane, World)> {
    let control_plane = control_plane()?;
    Some((control_plane, World::new(control_plane).await))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_is_counted_whenever_it_is_repeated_until_it_is_resolved() {
    let Some((_, world)) = world().await else {
        return;
    };
    let (a, b) = (world.replica("a"), world.replica("b"));
    let timing = Timing {
        interval: "300ms",
        repeat: "300ms",
        ..AT_ONCE
    };
    let line = Line::to(&[&a, &b], timing).await;
    line.alertmanager
        .post(&json!([firing(&world, "api")]))
        .await;
    line.delivered(3).await;
    line.alertmanager
        .post(&json!([resolved(&world, "api")]))
        .await;
    let is_over = |attempts: &[Attempt]| {
        let last = attempts.last().unwrap();
        last.json()["status"] == "resolved" && last.is_delivered()
    };
    let attempts = line.service.wait_until("resolved", is_over).await;

    let (last, before) = attempts.split_last().unwrap();
    let Outcome::Answered { status, body, .. } = &last.outcome else {
        panic!("{last:?}")
    };
    assert_eq!((*status, &body["status"]), (200, &json!("resolved")));
    let mut expected = vec![Some(202); before.len()];
    expected[0] = Some(201);
    assert_eq!(statuses(before), expected);
    let counts: Vec<u64> = before[1..]
        .iter()
        .map(|attempt| match &attempt.outcome {
            Outcome::Answered { body, .. } => body["metadata"]["count"].as_u64().unwrap(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(counts, Vec::from_iter(2..=before.len() as u64));
    let expected = BTreeMap::from([("api".to_owned(), before.len() as u64)]);
    assert_eq!(sent(&attempts), expected);
    assert_eq!(counted(&world).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_that_is_posted_again_is_not_sent_again() {
    let Some((_, world)) = world().await else {
        return;
    };
    let a = world.replica("a");
    let timing = Timing {
        interval: "100ms",
        ..AT_ONCE
    };
    let line = Line::to(&[&a], timing).await;
    line.alertmanager
        .post(&json!([firing(&world, "api")]))
        .await;
    line.delivered(1).await;
    // It asks its log of notifications each time that it looks at a group.
    let looks = "alertmanager_nflog_queries_total";
    for _ in 0..3 {
        line.alertmanager
            .post(&json!([firing(&world, "api")]))
            .await;
        let before = line.alertmanager.metric(looks).await;
        until("two looks", async || {
            line.alertmanager.metric(looks).await >= before + 2.0
        })
        .await;
    }
    assert_eq!(statuses(&line.service.attempts()), [Some(201)]);
    assert_eq!(
        counted(&world).await,
        BTreeMap::from([("api".to_owned(), 1)])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_alerts_of_a_group_come_as_one_webhook_and_each_has_a_request() {
    let Some((_, world)) = world().await else {
        return;
    };
    world.pods(["b", "c", "d"]).await;
    let a = world.replica("a");
    let timing = Timing {
        group_by: "alertname",
        wait: "1s",
        interval: "1s",
        repeat: "1h",
    };
    let line = Line::to(&[&a], timing).await;
    let first = ["api", "b", "c"].map(|pod| firing(&world, pod));
    line.alertmanager.post(&json!(first)).await;
    let attempts = line.delivered(1).await;
    let [attempt] = attempts.as_slice() else {
        panic!("{attempts:?}")
    };
    let Outcome::Answered { status, body, .. } = &attempt.outcome else {
        panic!("{attempt:?}")
    };
    let summary = json!({"total": 3, "created": 3, "deduplicated": 0, "rejected": 0, "failed": 0});
    assert_eq!((*status, &body["summary"]), (207, &summary));
    let each_once = ["api", "b", "c"].map(|pod| (pod.to_owned(), 1));
    assert_eq!(counted(&world).await, BTreeMap::from(each_once));

    // One is over and another one fires: the whole group comes again, and those that fire are counted again.
    line.alertmanager
        .post(&json!([resolved(&world, "api"), firing(&world, "d")]))
        .await;
    let all_told = |attempts: &[Attempt]| {
        let sent = sent(attempts);
        let over = attempts.iter().any(|attempt| {
            let alerts = attempt.json()["alerts"].clone();
            attempt.is_delivered() && alerts[0]["status"] == "resolved"
        });
        over && sent.contains_key("d")
    };
    let attempts = line
        .service
        .wait_until("d and the end of api", all_told)
        .await;
    assert_eq!(attempts.last().unwrap().status(), Some(207));
    let counted = counted(&world).await;
    assert_eq!(counted, sent(&attempts));
    assert_eq!((counted["api"], counted["d"]), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_alertmanager_sends_has_the_fields_of_the_seed() {
    let Some((_, world)) = world().await else {
        return;
    };
    let a = world.replica("a");
    let line = Line::to(&[&a], AT_ONCE).await;
    line.alertmanager
        .post(&json!([firing(&world, "api")]))
        .await;
    let sent = line.delivered(1).await[0].json();
    let seed = include_str!("../../fuzz/seeds/webhook/alertmanager.json");
    let seed: Value = serde_json::from_str(seed).unwrap();
    assert_eq!(shape(&sent), shape(&seed), "{sent}");
}

/// The names of all fields and the types of their values, without the names of labels.
fn shape(body: &Value) -> Value {
    match body {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| {
                let is_map = name.ends_with("abels") || name.ends_with("nnotations");
                let value = if is_map { json!({}) } else { shape(value) };
                (name.clone(), value)
            })
            .collect(),
        Value::Array(items) => items.iter().take(1).map(shape).collect(),
        Value::String(_) => json!("text"),
        Value::Number(_) => json!("number"),
        Value::Bool(_) => json!("yes or no"),
        Value::Null => Value::Null,
    }
}

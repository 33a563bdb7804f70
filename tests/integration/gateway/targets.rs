//! Which object an alert means in a cluster whose kinds were discovered.

use std::time::Duration;

use gwlock::gateway::GatewayVersion::Current;
use gwlock::gateway::ingest::{Ingestion, Refusal};
use gwlock::gateway::kinds::Kinds;
use gwlock::gateway::objects::LookupError;
use gwlock::gateway::prometheus::Webhook;
use gwlock_apiserver::faults::{Action, Fault};
use serde_json::{Value, json};

use tokio::time::Instant;

use super::cluster::{Cluster, text};

async fn target(ingestion: &Ingestion, labels: Value) -> Result<String, Refusal> {
    let body = json!({"alerts": [{"labels": labels}]}).to_string();
    let webhook = Webhook::parse(body.into()).unwrap();
    let (object, reason) = ingestion.target(&webhook.alerts[0]).await?;
    Ok(format!("{} {reason:?}", text(&object)))
}

async fn in_cluster(cluster: &Cluster) -> Ingestion {
    Ingestion::new(Current, cluster.kinds().await, cluster.objects())
}

#[tokio::test]
async fn the_kinds_that_a_cluster_serves_are_discovered() {
    let kinds = Cluster::new().await.kinds().await;
    for (label, kind, api_version, namespaced) in [
        ("pod", "Pod", "v1", true),
        ("node", "Node", "v1", false),
        ("deployment", "Deployment", "apps/v1", true),
        ("cronjob", "CronJob", "batch/v1", true),
        ("lease", "Lease", "coordination.k8s.io/v1", true),
        (
            "clusterrole",
            "ClusterRole",
            "rbac.authorization.k8s.io/v1",
            false,
        ),
    ] {
        assert_eq!(kinds.of_label(label), Some(kind));
        let built_in = Kinds::built_in();
        for kinds in [&*kinds, &built_in] {
            let found = kinds.get(kind).unwrap();
            assert_eq!(found.api_version(), api_version);
            assert_eq!(found.namespaced, namespaced, "{kind}");
        }
    }
    let groups: Vec<_> = kinds.all("Event").iter().map(|kind| &kind.group).collect();
    assert_eq!(groups, ["", "events.k8s.io"]);
}

#[tokio::test]
async fn the_first_candidate_that_exists_is_the_target() {
    let cluster = Cluster::new().await;
    cluster.create("prod/StatefulSet/db", None).await;
    cluster.create("prod/Pod/db-0", None).await;
    cluster.create("Node/worker-1", None).await;
    let ingestion = in_cluster(&cluster).await;
    for (labels, expected, asked) in [
        (
            json!({"namespace": "prod", "deployment": "kube-state-metrics", "statefulset": "db", "pod": "db-0"}),
            "prod:StatefulSet:db apps/v1 Exists",
            &[
                "get deployments prod/kube-state-metrics",
                "get statefulsets prod/db",
            ] as &[&str],
        ),
        (
            json!({"namespace": "prod", "deployment": "gone", "pod": "gone"}),
            "prod:Deployment:gone apps/v1 First",
            &["get deployments prod/gone", "get pods prod/gone"],
        ),
        (
            json!({"namespace": "prod", "node": "worker-1", "pod": "db-0"}),
            "prod:Pod:db-0 v1 Exists",
            &["get pods prod/db-0"],
        ),
        (
            json!({"node": "worker-1", "pod": "db-0"}),
            ":Node:worker-1 v1 Exists",
            &["get nodes /worker-1"],
        ),
    ] {
        assert_eq!(target(&ingestion, labels).await.unwrap(), expected);
        assert_eq!(cluster.asked(), asked, "{expected}");
    }
}

#[tokio::test]
async fn an_alert_about_nothing_is_refused_with_its_field() {
    let cluster = Cluster::new().await;
    let refusal = target(&in_cluster(&cluster).await, json!({"service": "s"}))
        .await
        .unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "alerts[0].labels: no label names a Kubernetes object"
    );
    assert_eq!(
        (refusal.status(), refusal.problem_type()),
        (400, "validation-error")
    );
    assert!(cluster.asked().is_empty());
}

#[tokio::test]
async fn what_may_not_be_read_counts_as_absent() {
    let cluster = Cluster::with_rights(&["get pods"]).await;
    cluster.create("prod/Secret/tls", None).await;
    cluster.create("prod/Pod/api", None).await;
    let kinds = std::sync::Arc::new(Kinds::built_in());
    let ingestion = Ingestion::new(Current, kinds, cluster.objects());
    let labels = json!({"namespace": "prod", "secret": "tls", "pod": "api"});
    assert_eq!(
        target(&ingestion, labels).await.unwrap(),
        "prod:Pod:api v1 Exists"
    );
}

#[tokio::test(start_paused = true)]
async fn a_candidate_that_nobody_answers_for_is_not_taken_for_absent() {
    let cluster = Cluster::new().await;
    cluster.create("prod/Deployment/api", None).await;
    cluster.create("prod/Pod/api-1", None).await;
    let ingestion = in_cluster(&cluster).await;
    cluster.inject(Fault::new(Action::LoseRequest).resource("deployments"));
    let labels = json!({"namespace": "prod", "deployment": "api", "pod": "api-1"});
    let refusal = target(&ingestion, labels).await.unwrap_err();
    assert!(
        matches!(refusal, Refusal::Lookup(LookupError::Unavailable { .. })),
        "{refusal:?}"
    );
    assert_eq!(
        (refusal.status(), refusal.problem_type()),
        (500, "internal-error")
    );
}

#[tokio::test(start_paused = true)]
async fn a_storm_during_an_outage_ends_for_all_within_five_seconds() {
    let cluster = Cluster::new().await;
    let ingestion = in_cluster(&cluster).await;
    let refused = Action::Refuse {
        status: 503,
        retry_after: None,
    };
    cluster.inject(Fault::new(refused).resource("deployments"));
    let began = Instant::now();
    let labels = || json!({"namespace": "prod", "deployment": "api", "pod": "api-1"});
    let storm = (0..50).map(|_| target(&ingestion, labels()));
    for answer in futures_util::future::join_all(storm).await {
        let refusal = answer.unwrap_err();
        assert_eq!(refusal.status(), 500, "{refusal}");
    }
    assert!(began.elapsed() <= Duration::from_secs(5));
    // The one that failed, and the one after it in the line.
    let asked = cluster.asked().len();
    assert!((8..20).contains(&asked), "{asked}");
}

#[tokio::test]
async fn without_a_cluster_the_first_candidate_is_the_target() {
    let ingestion = Ingestion::offline(Current);
    let labels = json!({"namespace": "prod", "deployment": "api", "pod": "api-1"});
    assert_eq!(
        target(&ingestion, labels).await.unwrap(),
        "prod:Deployment:api apps/v1 First"
    );
}

#[tokio::test]
async fn the_keys_in_the_document_are_the_ones_that_are_made() {
    let cluster = Cluster::new().await;
    for (object, controller) in [
        ("prod/Deployment/payment-api", None),
        (
            "prod/ReplicaSet/payment-api-5d",
            Some("Deployment/payment-api"),
        ),
        ("prod/Pod/payment-api-1", Some("ReplicaSet/payment-api-5d")),
        ("prod/CronJob/nightly", None),
        ("prod/Job/nightly-1", Some("CronJob/nightly")),
        ("prod/Pod/nightly-1-a", Some("Job/nightly-1")),
        ("Node/worker-1", None),
        ("Node/ip-10-0-0-1.ec2.internal", None),
    ] {
        cluster.create(object, controller).await;
    }
    let ingestion = in_cluster(&cluster).await;
    let document = include_str!("../../../docs/signals.md");
    let (_, table) = document.split_once("| Labels of the alert |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| !line.is_empty());
    let rows: Vec<Vec<&str>> = rows
        .map(|row| row.split('|').map(str::trim).collect())
        .collect();
    assert_eq!(rows.len(), 7);
    for row in rows {
        let labels: Value = row[1]
            .trim_matches('`')
            .split(' ')
            .map(|label| label.split_once('=').unwrap())
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        let body = json!({"alerts": [{"labels": labels}]}).to_string();
        let webhook = Webhook::parse(body.into()).unwrap();
        let key = match ingestion.target(&webhook.alerts[0]).await {
            Ok((object, _)) => {
                let owner = ingestion.owner(object).await.unwrap();
                format!("`{}:{}:{}`", owner.namespace, owner.kind, owner.name)
            }
            Err(Refusal::Field(error)) => format!("refused: {}", error.problem),
            Err(refusal) => panic!("{refusal}"),
        };
        assert_eq!(key, row[3], "{}", row[1]);
    }
}

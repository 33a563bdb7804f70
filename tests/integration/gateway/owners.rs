//! Which workload an object belongs to, and what is asked to find out.

use std::time::Duration;

use gwlock::gateway::objects::LookupError;
use gwlock::gateway::owner::{OwnerError, top_owner};
use gwlock_apiserver::faults::{Action, Fault};
use serde_json::json;

use super::cluster::{Cluster, object, text};

/// Every workload of these tests.
async fn workloads() -> Cluster {
    let cluster = Cluster::new().await;
    for (object, controller) in [
        ("prod/Deployment/api", None),
        ("prod/ReplicaSet/api-5d", Some("Deployment/api")),
        ("prod/Pod/api-5d-x", Some("ReplicaSet/api-5d")),
        ("prod/Pod/api-5d-y", Some("ReplicaSet/api-5d")),
        ("prod/StatefulSet/db", None),
        ("prod/Pod/db-0", Some("StatefulSet/db")),
        ("prod/DaemonSet/agent", None),
        ("prod/Pod/agent-z", Some("DaemonSet/agent")),
        ("prod/CronJob/nightly", None),
        ("prod/Job/nightly-1", Some("CronJob/nightly")),
        ("prod/Pod/nightly-1-a", Some("Job/nightly-1")),
        ("prod/Pod/alone", None),
        ("prod/ReplicaSet/rolled", Some("Rollout/canary")),
        ("prod/Pod/rolled-1", Some("ReplicaSet/rolled")),
        ("prod/Pod/orphan", Some("ReplicaSet/deleted")),
        ("prod/ReplicaSet/turn", Some("ReplicaSet/turn")),
        ("Node/worker-1", None),
        ("kube-system/Pod/etcd-worker-1", Some("Node/worker-1")),
    ] {
        cluster.create(object, controller).await;
    }
    cluster
}

async fn owner(cluster: &Cluster, target: &str) -> Result<String, OwnerError> {
    let kinds = cluster.kinds().await;
    let found = top_owner(&cluster.objects(), &kinds, object(target)).await?;
    Ok(text(&found))
}

#[tokio::test]
async fn owners_are_followed_to_the_top() {
    let cluster = workloads().await;
    for (target, expected, asked) in [
        (
            "prod:Pod:api-5d-x",
            "prod:Deployment:api apps/v1",
            &[
                "get pods prod/api-5d-x",
                "get replicasets prod/api-5d",
                "get deployments prod/api",
            ] as &[&str],
        ),
        (
            "prod:ReplicaSet:api-5d",
            "prod:Deployment:api apps/v1",
            &["get replicasets prod/api-5d", "get deployments prod/api"],
        ),
        (
            "prod:Deployment:api",
            "prod:Deployment:api ?",
            &["get deployments prod/api"],
        ),
        (
            "prod:Pod:db-0",
            "prod:StatefulSet:db apps/v1",
            &["get pods prod/db-0", "get statefulsets prod/db"],
        ),
        (
            "prod:Pod:agent-z",
            "prod:DaemonSet:agent apps/v1",
            &["get pods prod/agent-z", "get daemonsets prod/agent"],
        ),
        (
            "prod:Pod:nightly-1-a",
            "prod:CronJob:nightly batch/v1",
            &[
                "get pods prod/nightly-1-a",
                "get jobs prod/nightly-1",
                "get cronjobs prod/nightly",
            ],
        ),
        (
            "prod:Pod:alone",
            "prod:Pod:alone ?",
            &["get pods prod/alone"],
        ),
        (
            ":Node:worker-1",
            ":Node:worker-1 ?",
            &["get nodes /worker-1"],
        ),
    ] {
        assert_eq!(owner(&cluster, target).await, Ok(expected.to_owned()));
        assert_eq!(cluster.asked(), asked, "{target}");
    }
}

#[tokio::test]
async fn the_namespace_stays_where_the_owner_is_a_node() {
    let cluster = workloads().await;
    assert_eq!(
        owner(&cluster, "kube-system:Pod:etcd-worker-1").await,
        Ok("kube-system:Node:worker-1 v1".to_owned())
    );
    assert_eq!(
        cluster.asked(),
        ["get pods kube-system/etcd-worker-1", "get nodes /worker-1"]
    );
}

#[tokio::test]
async fn an_owner_of_another_group_is_the_end() {
    let cluster = workloads().await;
    assert_eq!(
        owner(&cluster, "prod:Pod:rolled-1").await,
        Ok("prod:Rollout:canary example.com/v1".to_owned())
    );
    assert_eq!(
        cluster.asked(),
        ["get pods prod/rolled-1", "get replicasets prod/rolled"]
    );
    cluster
        .create("prod/Lease/owned", Some("Deployment/api"))
        .await;
    for target in ["prod:Certificate:tls", "prod:Lease:owned"] {
        assert_eq!(owner(&cluster, target).await, Ok(format!("{target} ?")));
        assert!(cluster.asked().is_empty());
    }
}

#[tokio::test]
async fn an_owner_that_is_gone_is_still_the_owner() {
    let cluster = workloads().await;
    assert_eq!(
        owner(&cluster, "prod:Pod:orphan").await,
        Ok("prod:ReplicaSet:deleted apps/v1".to_owned())
    );
}

#[tokio::test]
async fn owners_are_followed_for_five_steps() {
    let cluster = workloads().await;
    for number in 1..8 {
        let owner = format!("ReplicaSet/set-{}", number + 1);
        let name = format!("prod/ReplicaSet/set-{number}");
        cluster.create(&name, Some(&owner)).await;
    }
    for (target, expected) in [
        ("prod:ReplicaSet:set-1", "prod:ReplicaSet:set-6 apps/v1"),
        ("prod:ReplicaSet:set-3", "prod:ReplicaSet:set-8 apps/v1"),
        ("prod:ReplicaSet:turn", "prod:ReplicaSet:turn apps/v1"),
    ] {
        assert_eq!(owner(&cluster, target).await, Ok(expected.to_owned()));
    }
}

#[tokio::test]
async fn an_object_that_does_not_exist_has_no_owner() {
    let cluster = workloads().await;
    for target in ["prod:Pod:never", "gone:Pod:api-5d-x", ":Pod:api-5d-x"] {
        let missing = OwnerError::NotFound(object(target));
        assert_eq!(owner(&cluster, target).await, Err(missing), "{target}");
    }
    assert_eq!(
        OwnerError::NotFound(object("prod:Pod:never")).to_string(),
        "Pod/never does not exist in namespace \"prod\""
    );
}

#[tokio::test]
async fn a_service_means_the_alphabetically_first_of_its_pods() {
    let cluster = workloads().await;
    let labels = |app: &str| json!({"metadata": {"labels": {"app": app, "tier": "web"}}});
    let service = |selector| json!({"spec": {"selector": selector, "ports": [{"port": 80}]}});
    for (name, controller) in [
        ("prod/Pod/web-b", Some("StatefulSet/db")),
        ("prod/Pod/web-a", Some("ReplicaSet/api-5d")),
    ] {
        cluster.create_with(name, controller, labels("web")).await;
    }
    for (name, selector) in [
        ("web", json!({"app": "web", "tier": "web"})),
        ("nobody", json!({"app": "nobody"})),
        ("outside", json!({})),
    ] {
        let name = format!("prod/Service/{name}");
        cluster.create_with(&name, None, service(selector)).await;
    }
    for (target, expected) in [
        ("prod:Service:web", "prod:Deployment:api apps/v1"),
        ("prod:Service:nobody", "prod:Service:nobody ?"),
        ("prod:Service:outside", "prod:Service:outside ?"),
        ("prod:Service:never", "prod:Service:never ?"),
        (":Service:web", ":Service:web ?"),
    ] {
        assert_eq!(owner(&cluster, target).await, Ok(expected.to_owned()));
    }
    cluster.asked();
    owner(&cluster, "prod:Service:web").await.unwrap();
    assert_eq!(
        cluster.asked(),
        [
            "get services prod/web",
            "list pods prod/",
            "get pods prod/web-a",
            "get replicasets prod/api-5d",
            "get deployments prod/api",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stumbles_is_asked_again() {
    let cluster = workloads().await;
    let kinds = cluster.kinds().await;
    for action in [
        Action::Refuse {
            status: 503,
            retry_after: None,
        },
        Action::Refuse {
            status: 429,
            retry_after: Some(1),
        },
        Action::LoseRequest,
        Action::LoseAnswer,
        Action::Delay(Duration::from_secs(3)),
    ] {
        let fault = Fault::new(action.clone()).resource("replicasets").times(1);
        cluster.inject(fault);
        let found = top_owner(&cluster.objects(), &kinds, object("prod:Pod:api-5d-x")).await;
        assert_eq!(
            found.map(|found| text(&found)),
            Ok("prod:Deployment:api apps/v1".to_owned()),
            "{action:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_leaves_the_owner_unknown() {
    let cluster = workloads().await;
    let refused = Action::Refuse {
        status: 503,
        retry_after: None,
    };
    for (resource, target) in [
        ("pods", "prod:Pod:api-5d-x"),
        ("replicasets", "prod:Pod:api-5d-x"),
        ("services", "prod:Service:web"),
    ] {
        let cluster = workloads().await;
        cluster.inject(Fault::new(refused.clone()).resource(resource));
        let answer = owner(&cluster, target).await;
        assert!(
            matches!(
                answer,
                Err(OwnerError::Lookup(LookupError::Unavailable { .. }))
            ),
            "{resource}: {answer:?}"
        );
        // After 0, 100, 300, 700, 1500, 2500, 3500 and 4500 ms; the next one would be after the five seconds.
        let asked = cluster.asked();
        let tries = asked.iter().filter(|request| request.contains(resource));
        assert_eq!(tries.count(), 8, "{resource}: {asked:?}");
    }
    cluster.inject(Fault::new(Action::Pause).resource("pods"));
    let began = tokio::time::Instant::now();
    let answer = owner(&cluster, "prod:Pod:api-5d-x").await;
    assert!(matches!(answer, Err(OwnerError::Lookup(_))), "{answer:?}");
    assert!(began.elapsed() <= Duration::from_secs(5));
}

#[tokio::test]
async fn a_missing_permission_is_no_other_owner() {
    let cluster = Cluster::with_rights(&["get pods", "get deployments.apps"]).await;
    cluster.create("prod/ReplicaSet/api-5d", None).await;
    cluster
        .create("prod/Pod/api-5d-x", Some("ReplicaSet/api-5d"))
        .await;
    let kinds = gwlock::gateway::kinds::Kinds::built_in();
    let answer = top_owner(&cluster.objects(), &kinds, object("prod:Pod:api-5d-x")).await;
    assert_eq!(
        answer.unwrap_err().to_string(),
        "the API server refuses (403): replicasets.apps \"api-5d\" is forbidden: User \"gateway\" cannot get resource \
         \"replicasets\" in API group \"apps\" in the namespace \"prod\""
    );
}

#[tokio::test(start_paused = true)]
async fn answers_are_kept_for_half_a_minute_and_absence_for_two_seconds() {
    let cluster = workloads().await;
    let (kinds, objects) = (cluster.kinds().await, cluster.objects());
    let ask = async |target: &str| {
        let found = top_owner(&objects, &kinds, object(target)).await;
        (found.is_ok(), cluster.asked().len())
    };
    assert_eq!(ask("prod:Pod:api-5d-x").await, (true, 3));
    assert_eq!(ask("prod:Pod:api-5d-y").await, (true, 1));
    assert_eq!(ask("prod:Pod:late").await, (false, 1));
    assert_eq!(ask("prod:Pod:late").await, (false, 0));
    cluster
        .create("prod/Pod/late", Some("StatefulSet/db"))
        .await;
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(ask("prod:Pod:late").await, (true, 2));
    tokio::time::advance(Duration::from_millis(27_900)).await;
    assert_eq!(ask("prod:Pod:api-5d-x").await, (true, 0));
    tokio::time::advance(Duration::from_millis(200)).await;
    assert_eq!(ask("prod:Pod:api-5d-x").await, (true, 3));
}

#[tokio::test]
async fn a_storm_about_one_pod_is_one_question() {
    let cluster = workloads().await;
    let (kinds, objects) = (cluster.kinds().await, cluster.objects());
    let storm = (0..100).map(|_| top_owner(&objects, &kinds, object("prod:Pod:api-5d-x")));
    for found in futures_util::future::join_all(storm).await {
        assert_eq!(text(&found.unwrap()), "prod:Deployment:api apps/v1");
    }
    assert_eq!(cluster.asked().len(), 3);
}

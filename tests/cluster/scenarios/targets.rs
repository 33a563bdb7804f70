//! Which signals are one, and which are not.

use gwlock_testkit::control_plane;
use http::Method;
use serde_json::{Value, json};

use crate::serve::{World, spread, statuses, webhook};

/// Ten signals in each of two namespaces, about pods of one name: nothing is deduplicated across namespaces.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_pod_name_in_two_namespaces_is_two_requests_counted_ten_each() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let (world, other) = (
        World::new(control_plane).await,
        World::new(control_plane).await,
    );
    let replicas = world.replicas();
    let alerts = (0..20).map(|number| match number % 2 {
        0 => world.alert("HighCPU", "api"),
        _ => other.alert("HighCPU", "api"),
    });
    let answers = spread(&replicas, alerts).await;
    let mut expected = vec![201; 2];
    expected.extend([202; 18]);
    assert_eq!(statuses(&answers), expected);
    // Both stand where the replicas write, and each names its own namespace.
    assert_eq!(world.counts().await, [10, 10]);
    let mut namespaces: Vec<_> = world
        .requests()
        .await
        .iter()
        .map(|request| request["spec"]["targetResource"]["namespace"].clone())
        .collect();
    namespaces.sort_by_key(Value::to_string);
    let mut expected = vec![json!(world.namespace), json!(other.namespace)];
    expected.sort_by_key(Value::to_string);
    assert_eq!(namespaces, expected);
}

/// Alert name, severity, other labels and annotations do not enter the fingerprint; the object does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_labels_and_annotations_are_the_same_signal_and_another_object_is_not() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    world.pods(["other"]).await;
    let replica = world.replica("a");
    let first = replica.alert(&world.alert("HighCPU", "api")).await;
    assert_eq!(first.status, 201);
    let fingerprint = world.fingerprint("Pod", "api");
    assert_eq!(first.body["fingerprint"], fingerprint.as_str());
    let mut other = world.alert("HighMemory", "api");
    other["labels"]["severity"] = json!("info");
    other["labels"]["team"] = json!("b");
    other["annotations"] = json!({"summary": "other words"});
    let second = replica.alert(&other).await;
    assert_eq!(second.status, 202);
    assert_eq!(second.body["fingerprint"], fingerprint.as_str());
    let third = replica.alert(&world.alert("HighCPU", "other")).await;
    assert_eq!(third.status, 201);
    let mut counts = world.counts().await;
    counts.sort_unstable();
    assert_eq!(counts, [1, 2]);
}

/// Alerts about two pods of one Deployment, at once over two replicas, are one request about the Deployment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alerts_about_two_pods_of_one_deployment_are_one_request_counted_two() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let namespace = &world.namespace;
    let pod = json!({"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let spec = json!({"selector": {"matchLabels": {"app": "a"}}, "template": pod});
    let make = async |path: String, name: &str, owner: Option<(&str, &str)>, mut object: Value| {
        object["metadata"]["name"] = json!(name);
        let owners = owner.map(|(kind, name)| {
            json!({"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "u", "controller": true})
        });
        object["metadata"]["ownerReferences"] = json!(Vec::from_iter(owners));
        world.call(Method::POST, &path, &object).await;
    };
    let apps = format!("/apis/apps/v1/namespaces/{namespace}");
    let pods = format!("/api/v1/namespaces/{namespace}/pods");
    make(
        format!("{apps}/deployments"),
        "shop",
        None,
        json!({"spec": spec}),
    )
    .await;
    let owner = Some(("Deployment", "shop"));
    make(
        format!("{apps}/replicasets"),
        "shop-5d",
        owner,
        json!({"spec": spec}),
    )
    .await;
    for name in ["shop-5d-x", "shop-5d-y"] {
        make(
            pods.clone(),
            name,
            Some(("ReplicaSet", "shop-5d")),
            pod.clone(),
        )
        .await;
    }
    let replicas = ["a", "b"].map(|name| world.replica(name));
    let alerts = ["shop-5d-x", "shop-5d-y"].map(|name| world.alert("HighCPU", name));
    assert_eq!(statuses(&spread(&replicas, alerts).await), [201, 202]);
    let [request] = world.requests().await.try_into().unwrap();
    assert_eq!(
        request["spec"]["targetResource"],
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop", "namespace": namespace})
    );
    assert_eq!(request["status"]["deduplication"]["occurrenceCount"], 2);
}

/// One object name in several clusters, by the group's label: a request for each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_object_in_two_clusters_is_two_requests() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let replica = world.replica("a");
    for (cluster, expected) in [("east", 201), ("west", 201), ("east", 202), ("", 201)] {
        let body = json!({
            "version": "4", "commonLabels": {"cluster": cluster}, "alerts": [world.alert("HighCPU", "api")],
        });
        let answer = replica.post(crate::serve::ROUTE, body.to_string()).await;
        assert_eq!(answer.status, expected, "{cluster}: {answer:?}");
    }
    let mut clusters: Vec<_> = world
        .requests()
        .await
        .iter()
        .map(|request| {
            let cluster = request["spec"]["clusterID"].as_str().unwrap_or_default();
            (cluster.to_owned(), crate::serve::count(request))
        })
        .collect();
    clusters.sort();
    let expected = [("", 1), ("east", 2), ("west", 1)];
    assert_eq!(
        clusters,
        expected.map(|(cluster, count)| (cluster.to_owned(), count))
    );
}

/// A batch is answered 207 with a result for each alert, in their order, and what cannot be a signal spoils no other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_has_one_result_for_each_alert() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    world.pods(["other"]).await;
    let replica = world.replica("a");
    let mut aimless = world.alert("HighCPU", "api");
    aimless["labels"].as_object_mut().unwrap().remove("pod");
    let mut resolved = world.alert("HighCPU", "api");
    resolved["status"] = json!("resolved");
    let alerts = [
        world.alert("HighCPU", "api"),
        world.alert("HighMemory", "api"),
        aimless,
        resolved,
        world.alert("HighCPU", "other"),
    ];
    let answer = replica.post(crate::serve::ROUTE, webhook(&alerts)).await;
    assert_eq!(answer.status, 207, "{answer:?}");
    let [api, other] = ["api", "other"].map(|pod| world.fingerprint("Pod", pod));
    let created = |fingerprint: &str| json!({"status": "created", "fingerprint": fingerprint, "message": "RemediationRequest created"});
    assert_eq!(
        answer.body["results"],
        json!([
            created(api.as_str()),
            {
                "status": "duplicate", "fingerprint": api.as_str(),
                "message": "counted on a RemediationRequest that exists",
            },
            {
                "status": "failed", "fingerprint": "",
                "error": "alerts[2].labels: no label names a Kubernetes object",
            },
            created(other.as_str()),
        ])
    );
    assert_eq!(
        answer.body["summary"],
        json!({"total": 4, "created": 2, "deduplicated": 1, "rejected": 0, "failed": 1})
    );
    let mut counts = world.counts().await;
    counts.sort_unstable();
    assert_eq!(counts, [1, 2]);
}

//! Pods as they are listed, and what is said of them.

use serde_json::{Value, json};

use super::*;

fn field(name: &str, path: &str) -> Value {
    json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}})
}

/// A pod as the gateway's manifests make it.
fn pod(namespace: &str, name: &str) -> Value {
    json!({
        "metadata": {
            "namespace": namespace, "name": name, "labels": {"app": "gateway", "pod-template-hash": "7f9c"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "gateway-7f9c", "controller": true}],
        },
        "spec": {
            "serviceAccountName": "gateway",
            "containers": [
                {"name": "mesh", "image": "mesh", "env": [{"name": "POD_NAME", "value": "mesh"}]},
                {"name": "gateway", "image": "quay.io/kubernaut/gateway:1", "env": [
                    field("POD_NAME", "metadata.name"), field("POD_NAMESPACE", "metadata.namespace"),
                ]},
            ],
        },
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    })
}

fn with_env(mut pod: Value, env: Value) -> Value {
    pod["spec"]["containers"][1]["env"] = env;
    pod
}

fn judged(pods: &[Value]) -> Vec<Check> {
    let gateways = pods.iter().filter_map(Gateway::read).collect();
    let searched = Searched {
        selector: "app=gateway",
        namespace: None,
    };
    checks(&Ok(gateways), searched, "ns", "ns")
}

fn outcomes(pods: &[Value]) -> Vec<Outcome> {
    judged(pods).iter().map(|check| check.outcome).collect()
}

#[test]
fn pods_with_names_of_their_own_in_one_namespace_lock() {
    let checks = judged(&[pod("ns", "a"), pod("ns", "b")]);
    let said: Vec<&str> = checks.iter().map(|check| check.message.as_str()).collect();
    assert_eq!(
        said,
        [
            "2 pods ready",
            "POD_NAME and POD_NAMESPACE of every pod come from the downward API",
            "every gateway locks in ns and makes requests in ns"
        ]
    );
    assert!(checks.iter().all(|check| check.outcome == Outcome::Ok));
}

#[test]
fn several_pods_without_a_name_do_not_lock_and_one_warns() {
    let bare = |name| {
        with_env(
            pod("ns", name),
            json!([field("POD_NAMESPACE", "metadata.namespace")]),
        )
    };
    let checks = judged(&[bare("a"), bare("b")]);
    assert_eq!(
        (checks[1].outcome, checks[1].message.as_str()),
        (
            Outcome::Failure,
            "POD_NAME is not set in ns/a, ns/b: the lock is silently off there, and each pod makes requests of its own"
        )
    );
    assert_eq!(
        checks[1].fix,
        [Step::Kubectl(
            "patch deployment/gateway -n ns --type=strategic -p '{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"env\":[\
             {\"name\":\"POD_NAME\",\"value\":null,\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"metadata.name\"}}},\
             {\"name\":\"POD_NAMESPACE\",\"value\":null,\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"metadata.namespace\"}}}],\
             \"name\":\"gateway\"}]}}}}'"
                .to_owned()
        )]
    );
    assert_eq!(judged(&[bare("a")])[1].outcome, Outcome::Warning);
    // Without a controller there is nothing to patch: what is in a pod stays.
    let mut alone = bare("a");
    alone["metadata"]["ownerReferences"] = Value::Null;
    let Step::Says(words) = &judged(&[alone])[1].fix[0] else {
        panic!("it cannot be done by a command");
    };
    assert!(words.starts_with("nothing makes ns/a anew: "), "{words}");
}

#[test]
fn where_a_name_comes_from_decides() {
    let name = field("POD_NAME", "metadata.name");
    let namespace = field("POD_NAMESPACE", "metadata.namespace");
    for (env, expected) in [
        (json!([name, namespace]), Outcome::Ok),
        (json!([name]), Outcome::Failure),
        (
            json!([name, {"name": "POD_NAMESPACE", "value": "ns"}]),
            Outcome::Warning,
        ),
        (
            json!([{"name": "POD_NAME", "value": "gateway"}, namespace]),
            Outcome::Failure,
        ),
        (
            json!([{"name": "POD_NAME", "value": ""}, namespace]),
            Outcome::Failure,
        ),
        (
            json!([{"name": "POD_NAME", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}, namespace]),
            Outcome::Failure,
        ),
        (
            json!([field("POD_NAME", "spec.nodeName"), namespace]),
            Outcome::Failure,
        ),
        // The last of two counts.
        (
            json!([{"name": "POD_NAME", "value": "x"}, name, namespace]),
            Outcome::Ok,
        ),
    ] {
        let pods = ["a", "b"].map(|name| with_env(pod("ns", name), env.clone()));
        assert_eq!(judged(&pods)[1].outcome, expected, "{env}");
    }
}

#[test]
fn gateways_in_two_lock_namespaces_do_not_exclude_each_other() {
    let checks = judged(&[pod("ns", "a"), pod("other", "b")]);
    assert_eq!(
        (checks[2].outcome, checks[2].message.as_str()),
        (
            Outcome::Failure,
            "gateways lock in different namespaces and do not exclude each other: ns/a in ns; other/b in other"
        )
    );
    assert_eq!(
        checks[2].fix,
        [Step::Kubectl(
            "set env deployment/gateway -n other POD_NAMESPACE=ns".to_owned()
        )]
    );
    // Without the variable it is the gateway's own default.
    let bare = with_env(pod("ns", "a"), json!([field("POD_NAME", "metadata.name")]));
    let check = &judged(&[bare])[2];
    assert_eq!(
        (check.outcome, check.message.as_str()),
        (
            Outcome::Warning,
            "the gateways lock in kubernaut-system, and leases were looked for in ns"
        )
    );
    assert_eq!(
        check.fix,
        [Step::Gwlock("doctor -n kubernaut-system".to_owned())]
    );
}

#[test]
fn pods_that_are_not_ready_are_named_and_those_that_have_ended_are_not_counted() {
    let mut waiting = pod("ns", "b");
    waiting["status"] =
        json!({"phase": "Pending", "conditions": [{"type": "Ready", "status": "False"}]});
    let mut ended = pod("ns", "c");
    ended["status"]["phase"] = json!("Failed");
    let check = &judged(&[pod("ns", "a"), waiting, ended])[0];
    assert_eq!(
        (check.outcome, check.message.as_str()),
        (Outcome::Warning, "1 of 2 pods not ready: ns/b (Pending)")
    );
}

#[test]
fn no_pod_is_a_warning_that_says_where_was_looked() {
    let checks = judged(&[]);
    assert_eq!(checks.len(), 1);
    assert_eq!(checks[0].outcome, Outcome::Warning);
    assert!(
        checks[0]
            .message
            .starts_with("no gateway runs: there are no pods with app=gateway in all namespaces; "),
        "{}",
        checks[0].message
    );
    assert_eq!(outcomes(&[json!({})]), [Outcome::Warning]);
}

#[test]
fn another_gateway_that_only_has_the_label_is_not_kubernauts() {
    let mut other = pod("shop", "a");
    other["spec"]["containers"] = json!([{"name": "gateway", "image": "spring/cloud-gateway"}]);
    assert!(!Gateway::is_kubernauts(&other));
    assert!(Gateway::is_kubernauts(&pod("ns", "a")));
}

#[test]
fn where_requests_are_made_is_the_pods_namespace_unless_it_says_otherwise() {
    let own = Gateway::read(&pod("ns", "a")).unwrap();
    assert_eq!(own.controller_namespace, "ns");
    let env = json!([
        field("POD_NAME", "metadata.name"), field("POD_NAMESPACE", "metadata.namespace"),
        {"name": "KUBERNAUT_CONTROLLER_NAMESPACE", "value": "rr"},
    ]);
    let check = &judged(&[with_env(pod("ns", "a"), env)])[2];
    assert_eq!(
        (check.outcome, check.message.as_str()),
        (
            Outcome::Warning,
            "gateways make requests in rr, and requests were looked for in ns"
        )
    );
    assert_eq!(
        check.fix,
        [Step::Gwlock(
            "doctor -n ns --controller-namespace rr".to_owned()
        )]
    );
}

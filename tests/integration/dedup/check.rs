//! `dedup check`: every class of finding, and what is said where not everything can be looked at.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    LEASE, TARGET, ago, counted, definition, request, request_in, serve, server, without_seconds,
};
use crate::fixture::{Gwlock, NAMESPACE, Run, Server};

fn check(server: &Server, flags: &[&str]) -> Run {
    server.gwlock(&[&["dedup", "check"], flags].concat()).run()
}

/// The findings that `-o json` prints, without seconds that depend on the moment.
fn findings(server: &Server, flags: &[&str]) -> Vec<Value> {
    let run = check(server, &[&["-o", "json"], flags].concat());
    let printed = run.json();
    let found = printed["findings"].as_array().unwrap().clone();
    let (code, verdict) = if found.is_empty() {
        (0, "consistent")
    } else {
        (1, "inconsistent")
    };
    assert_eq!((run.code, run.stderr.as_str()), (code, ""), "{run:?}");
    assert_eq!(printed["verdict"], verdict);
    assert_eq!(printed["kind"], "DedupReport");
    let exact = found.into_iter().map(|mut finding| {
        finding["message"] = json!(without_seconds(finding["message"].as_str().unwrap()));
        finding
    });
    exact.collect()
}

/// Lets `viewer` do what `rules` say, in one namespace.
fn allow(server: &Server, rules: &[(&str, &str, &str)]) {
    let group = "rbac.authorization.k8s.io";
    let path = format!("/apis/{group}/v1/namespaces/{NAMESPACE}");
    let rules: Vec<Value> = rules
        .iter()
        .map(|(verb, resource, group)| json!({"verbs": [verb], "resources": [resource], "apiGroups": [group]}))
        .collect();
    let role = json!({"metadata": {"name": "viewer"}, "rules": rules});
    server.create(&format!("{path}/roles"), 0, &role);
    let binding = json!({
        "metadata": {"name": "viewer"}, "roleRef": {"apiGroup": group, "kind": "Role", "name": "viewer"},
        "subjects": [{"kind": "User", "name": "viewer", "apiGroup": group}],
    });
    server.create(&format!("{path}/rolebindings"), 0, &binding);
}

#[test]
fn what_a_gateway_leaves_is_consistent() {
    let now = Timestamp::now();
    let server = server();
    let run = check(&server, &[]);
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (
            0,
            "consistent: 0 RemediationRequests of 0 keys and 0 leases in namespace kubernaut-system\n",
            ""
        )
    );
    request(
        &server,
        "a",
        TARGET,
        700,
        &counted(now, "Executing", 660, 3),
    );
    request(&server, "b", "prod:Pod:a", 0, &Value::Null);
    server.lease(LEASE, 1, &Server::held_by("gateway-1", 1));
    // A creator at work.
    server.lease(
        "gw-lock-0123456789abcdef",
        5,
        &Server::held_by("gateway-2", 5),
    );
    let run = check(&server, &[]);
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (
            0,
            "consistent: 2 RemediationRequests of 2 keys and 2 leases in namespace kubernaut-system\n",
            ""
        )
    );
    let run = check(&server, &[TARGET, "-o", "json"]);
    assert_eq!(
        run.json(),
        json!({
            "apiVersion": "gwlock.dev/v1alpha1", "kind": "DedupReport", "verdict": "consistent", "findings": [],
            "lookedAt": {
                "controllerNamespace": NAMESPACE, "keys": 1, "leaseNamespace": NAMESPACE, "leases": 1,
                "remediationRequests": 1,
            },
            "notLookedAt": [],
        })
    );
}

#[test]
fn several_active_requests_of_one_key_are_found() {
    let now = Timestamp::now();
    let server = server();
    request(
        &server,
        "younger",
        TARGET,
        600,
        &counted(now, "Blocked", 600, 1),
    );
    request(
        &server,
        "older",
        TARGET,
        700,
        &counted(now, "Executing", 600, 3),
    );
    assert_eq!(
        findings(&server, &[]),
        [json!({
            "class": "several-active", "key": TARGET, "namespace": NAMESPACE,
            "message": "2 are active at once; signals are counted on older, the oldest",
            "objects": [
                {"kind": "RemediationRequest", "name": "older"}, {"kind": "RemediationRequest", "name": "younger"},
            ],
            "fix": "kubectl delete remediationrequests.kubernaut.ai younger -n kubernaut-system",
        })]
    );
}

#[test]
fn a_request_that_was_never_counted_is_found_after_a_while() {
    let server = server();
    let created = request(
        &server,
        "old",
        TARGET,
        100,
        &json!({"overallPhase": "Pending"}),
    );
    request(&server, "new", "prod:Pod:a", 1, &Value::Null);
    let metadata = &created["metadata"];
    let (uid, time) = (
        metadata["uid"].as_str().unwrap(),
        metadata["creationTimestamp"].as_str().unwrap(),
    );
    let patch = format!(
        r#"[{{"op":"test","path":"/metadata/uid","value":"{uid}"}},{{"op":"test","path":"/metadata/deletionTimestamp","value":null}},{{"op":"test","path":"/status/overallPhase","value":"Pending"}},{{"op":"test","path":"/status/deduplication","value":null}},{{"op":"add","path":"/status/deduplication","value":{{"firstSeenAt":"{time}","lastSeenAt":"{time}","occurrenceCount":1}}}}]"#
    );
    assert_eq!(
        findings(&server, &[]),
        [json!({
            "class": "not-counted", "key": TARGET, "namespace": NAMESPACE,
            "message": "it has no occurrence count: its creator ended before the first count, or may not patch \
                        remediationrequests/status",
            "objects": [{"kind": "RemediationRequest", "name": "old"}],
            "fix": format!(
                "kubectl patch remediationrequests.kubernaut.ai old -n kubernaut-system --subresource=status \
                 --type=json -p '{patch}'"
            ),
        })]
    );
}

#[test]
fn counts_on_ended_requests_are_found() {
    let now = Timestamp::now();
    let server = server();
    let mut late = counted(now, "Completed", 600, 3);
    late["completedAt"] = json!(ago(now, 700));
    request(&server, "late", TARGET, 1000, &late);
    let mut beside = counted(now, "Failed", 600, 3);
    beside["completionStatus"] = json!({"outcome": "ManualReviewRequired"});
    request(&server, "ended", "prod:Pod:a", 1000, &beside);
    let status = counted(now, "Executing", 600, 1);
    request(&server, "active", "prod:Pod:a", 900, &status);
    let finding = |class: &str, key: &str, name: &str, message: String| {
        json!({
            "class": class, "key": key, "namespace": NAMESPACE, "message": message,
            "objects": [{"kind": "RemediationRequest", "name": name}],
            "fix": format!("kubectl get remediationrequests.kubernaut.ai {name} -n kubernaut-system -o yaml"),
        })
    };
    let seen = ago(now, 600);
    assert_eq!(
        findings(&server, &[]),
        [
            finding(
                "counted-after-end",
                TARGET,
                "late",
                format!(
                    "it ended at {} and it was last counted at {seen}: that signal made no new request",
                    ago(now, 700)
                ),
            ),
            finding(
                "counted-beside-active",
                "prod:Pod:a",
                "ended",
                format!("it has ended and was last counted at {seen}, although active was active"),
            ),
        ]
    );
}

#[test]
fn a_fingerprint_of_another_target_is_found() {
    let now = Timestamp::now();
    let server = server();
    let status = counted(now, "Executing", 600, 3);
    let collection = super::collection(NAMESPACE);
    let mut other = request(&server, "a", TARGET, 700, &status);
    other["metadata"] = json!({"name": "b"});
    other["spec"]["targetResource"]["name"] = json!("other");
    other["spec"]["clusterID"] = json!("east");
    let mut other = server.create(&collection, 100_000, &other);
    // The server takes no status with a new object.
    other["status"] = counted(now, "Completed", 100_000, 1);
    server.send(
        http::Method::PUT,
        &format!("{collection}/b/status"),
        Some(&other),
    );
    assert_eq!(
        findings(&server, &[]),
        [json!({
            "class": "wrong-fingerprint", "key": TARGET, "namespace": NAMESPACE,
            "message": "its fingerprint is not that of east:prod:Deployment:other, neither by today's rule nor by \
                        January's: signals about that are not counted on it",
            "objects": [{"kind": "RemediationRequest", "name": "b"}],
            "fix": "gwlock resolve east:prod:Deployment:other -n kubernaut-system --controller-namespace \
                    kubernaut-system",
        })]
    );
}

#[test]
fn leases_without_a_partner_are_found() {
    let now = Timestamp::now();
    let server = server();
    let status = counted(now, "Executing", 600, 3);
    request(&server, "a", TARGET, 700, &status);
    server.lease(LEASE, 300, &Server::held_by("gateway-1", 0));
    server.lease(
        "gw-lock-0123456789abcdef",
        100,
        &Server::held_by("gateway-2", 100),
    );
    let mut renewed = server.send(
        http::Method::GET,
        &format!("/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{LEASE}"),
        None,
    );
    renewed["spec"] = Server::held_by("gateway-1", 0);
    renewed["spec"]["acquireTime"] = Server::held_by("gateway-1", 300)["acquireTime"].clone();
    server.send(
        http::Method::PUT,
        &format!("/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{LEASE}"),
        Some(&renewed),
    );
    let orphan = "gw-lock-0123456789abcdef";
    assert_eq!(
        findings(&server, &[]),
        [
            json!({
                "class": "orphan-lease", "key": "0123456789abcdef…", "namespace": NAMESPACE,
                "message": "it has expired and its key has no RemediationRequest: gateway-2 wrote it last, N s ago by \
                            the server's clock",
                "objects": [{"kind": "Lease", "name": orphan}],
                "fix": format!(
                    "gwlock acquire {orphan} -n kubernaut-system --wait 0 --handle-file {orphan}.json && gwlock \
                     release --handle-file {orphan}.json && rm {orphan}.json"
                ),
            }),
            json!({
                "class": "long-held-lease", "key": TARGET, "namespace": NAMESPACE,
                "message": "gateway-1 has held it for N s while a is active: when that ends, no signal of this key \
                            gets through",
                "objects": [{"kind": "Lease", "name": LEASE}, {"kind": "RemediationRequest", "name": "a"}],
                "fix": format!("gwlock inspect {LEASE} -n kubernaut-system -o wide"),
            }),
        ]
    );
    // What is asked for alone is looked at alone.
    let keys = |flags: &[&str]| -> Vec<String> {
        let found = findings(&server, flags);
        found
            .iter()
            .map(|finding| finding["key"].to_string())
            .collect()
    };
    assert_eq!(keys(&[orphan]), ["\"0123456789abcdef…\""]);
    assert_eq!(keys(&["a", TARGET]), [format!("\"{TARGET}\"")]);
    assert_eq!(keys(&["prod/Pod/other"]), Vec::<String>::new());
}

#[test]
fn a_table_has_a_command_for_each_finding_beside_it() {
    let now = Timestamp::now();
    let server = server();
    request(
        &server,
        "younger",
        TARGET,
        600,
        &counted(now, "Pending", 600, 1),
    );
    request(
        &server,
        "older",
        TARGET,
        700,
        &counted(now, "Executing", 600, 3),
    );
    let run = check(&server, &[]);
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (
            1,
            "CLASS            KEY                           OBJECTS         MEANS\n\
             several-active   prod:Deployment:payment-api   older,younger   2 are active at once; signals are counted on older, the oldest\n",
            "error: inconsistent: 1 finding in 2 RemediationRequests of 1 key and 0 leases\n\
             hint: kubectl delete remediationrequests.kubernaut.ai younger -n kubernaut-system   # several-active\n"
        )
    );
    let run = check(&server, &["-o", "wide", "-A", "--no-headers"]);
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (
            1,
            "several-active   kubernaut-system   prod:Deployment:payment-api   older,younger   2 are active at once; signals are counted on older, the oldest   kubectl delete remediationrequests.kubernaut.ai younger -n kubernaut-system\n",
            "error: inconsistent: 1 finding in 2 RemediationRequests of 1 key and 0 leases\n"
        )
    );
    let run = check(&server, &["-o", "name"]);
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (
            1,
            "remediationrequest.kubernaut.ai/older\nremediationrequest.kubernaut.ai/younger\n",
            ""
        )
    );
}

#[test]
fn the_commands_reach_the_cluster_that_was_looked_at() {
    let now = Timestamp::now();
    let server = server();
    request(&server, "b", TARGET, 600, &counted(now, "Pending", 600, 1));
    request(
        &server,
        "a",
        TARGET,
        700,
        &counted(now, "Executing", 600, 3),
    );
    let fix = check(
        &server,
        &["--context", "admin", "-o", "jsonpath={.findings[0].fix}"],
    );
    assert_eq!(
        fix.stdout,
        "kubectl delete remediationrequests.kubernaut.ai b -n kubernaut-system --context admin"
    );
}

#[test]
fn the_lease_of_another_namespace_is_a_partner_where_all_are_looked_at() {
    let now = Timestamp::now();
    let server = server();
    server.create(
        "/api/v1/namespaces",
        0,
        &json!({"metadata": {"name": "control"}}),
    );
    let status = counted(now, "Completed", 600, 1);
    request_in(&server, "control", "a", TARGET, 700, &status);
    server.lease(LEASE, 100, &Server::held_by("gateway-1", 100));
    assert_eq!(findings(&server, &["-A"]), [] as [Value; 0]);
    let flags = ["--controller-namespace", "control"];
    assert_eq!(findings(&server, &flags), [] as [Value; 0]);
    assert_eq!(findings(&server, &[])[0]["class"], "orphan-lease");
}

#[test]
fn without_a_right_to_leases_requests_are_judged_and_the_rest_is_said() {
    let now = Timestamp::now();
    let server = server();
    allow(&server, &[("list", "remediationrequests", "kubernaut.ai")]);
    request(&server, "b", TARGET, 600, &counted(now, "Pending", 600, 1));
    let viewer = |flags: &[&str]| {
        let arguments = [&["dedup", "check"], flags].concat();
        server.gwlock_as("viewer", &arguments).run()
    };
    let refusal = "leases.coordination.k8s.io is forbidden: User \"viewer\" cannot list resource \"leases\" in API \
                   group \"coordination.k8s.io\" in the namespace \"kubernaut-system\"";
    let run = viewer(&[]);
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr),
        (
            0,
            "consistent: 1 RemediationRequest of 1 key in namespace kubernaut-system\n",
            format!(
                "warning: leases were not looked at: {refusal}\nhint: the rule that is missing:\n  \
                 apiVersion: rbac.authorization.k8s.io/v1\n  kind: Role\n  metadata:\n    name: gwlock\n    \
                 namespace: kubernaut-system\n  rules:\n  # to find leases\n  - apiGroups: [\"coordination.k8s.io\"]\n    \
                 resources: [\"leases\"]\n    verbs: [\"list\"]\n"
            )
        )
    );
    let run = viewer(&["-o", "json"]);
    let printed = run.json();
    assert_eq!(
        (run.code, &printed["lookedAt"]["leases"]),
        (0, &Value::Null)
    );
    assert_eq!(
        printed["notLookedAt"],
        json!([{"namespace": NAMESPACE, "reason": refusal, "resource": "leases.coordination.k8s.io"}])
    );
    request(
        &server,
        "a",
        TARGET,
        700,
        &counted(now, "Executing", 600, 3),
    );
    assert_eq!(viewer(&["-o", "json"]).code, 1);
}

#[test]
fn without_a_right_to_requests_the_missing_rule_is_printed() {
    let server = server();
    for subcommand in ["list", "check"] {
        let run = server.gwlock_as("viewer", &["dedup", subcommand]).run();
        assert_eq!(
            (run.code, run.stdout.as_str(), run.stderr.as_str()),
            (
                77,
                "",
                "error: remediationrequests.kubernaut.ai is forbidden: User \"viewer\" cannot list resource \
                 \"remediationrequests\" in API group \"kubernaut.ai\" in the namespace \"kubernaut-system\"\n\
                 hint: the rule that is missing:\n  apiVersion: rbac.authorization.k8s.io/v1\n  kind: Role\n  \
                 metadata:\n    name: gwlock\n    namespace: kubernaut-system\n  rules:\n  # to find the \
                 RemediationRequests of a fingerprint\n  - apiGroups: [\"kubernaut.ai\"]\n    resources: [\"remediationrequests\"]\n    verbs: [\"list\"]\n"
            ),
            "{subcommand}"
        );
        let run = server.gwlock_as("stranger", &["dedup", subcommand]).run();
        assert_eq!(run.code, 77, "{run:?}");
    }
}

#[test]
fn a_cluster_without_requests_or_their_selection_is_a_matter_of_configuration() {
    let server = Server::start();
    let hint = "hint: kubectl get customresourcedefinitions remediationrequests.kubernaut.ai";
    for subcommand in ["list", "check"] {
        let run = server.gwlock(&["dedup", subcommand]).run();
        assert_eq!(
            (run.code, run.stdout.as_str(), run.stderr),
            (
                78,
                "",
                format!(
                    "error: the cluster serves no remediationrequests of kubernaut.ai/v1alpha1\n\
                     {hint}   # which versions are served\n"
                )
            ),
            "{subcommand}"
        );
    }
    let mut definition = definition();
    let version = definition["spec"]["versions"][0].as_object_mut().unwrap();
    version.remove("selectableFields");
    serve(&server, &definition);
    for arguments in [vec!["dedup", "check"], vec!["dedup", "list", TARGET]] {
        let run = server.gwlock(&arguments).run();
        assert_eq!(
            (run.code, run.stdout.as_str(), run.stderr),
            (
                78,
                "",
                format!(
                    "error: the cluster cannot select remediationrequests by spec.signalFingerprint: field label not \
                     supported: spec.signalFingerprint\n\
                     hint: dedup needs Kubernetes 1.31 and a definition with selectableFields\n\
                     {hint} -o jsonpath='{{.spec.versions[*].selectableFields}}'   # the fields that can be selected\n"
                )
            ),
            "{arguments:?}"
        );
    }
}

#[test]
fn a_server_that_does_not_listen_is_unreachable() {
    let mut server = server();
    let kubeconfig = server.kubeconfig("admin");
    server.stop_serving();
    for subcommand in ["list", "check"] {
        let run = Gwlock::new(&["dedup", subcommand])
            .env("KUBECONFIG", &kubeconfig)
            .run();
        assert_eq!((run.code, run.stdout.as_str()), (69, ""), "{run:?}");
    }
}

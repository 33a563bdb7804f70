//! What is generated for the profiles, and that both forms of it say the same.

use super::*;
use crate::rbac::profiles::{self, GatewayVersion};

fn manifests(profile: &str, site: Site<'_>) -> Manifests {
    let program = profiles::find(profile, GatewayVersion::Current).unwrap();
    Manifests::of(&program, site, true)
}

fn site<'a>(requests: &'a str, service_account: &'a str) -> Site<'a> {
    Site {
        leases: "locks",
        requests,
        service_account,
    }
}

/// The documents of the text.
fn read(text: &str) -> Vec<Value> {
    text.split("---\n")
        .map(|document| serde_yaml::from_str(document).unwrap())
        .collect()
}

#[test]
fn both_forms_of_every_profile_say_the_same() {
    for name in profiles::NAMES {
        for site in [site("locks", "123"), site("requests", "true")] {
            let manifests = manifests(name, site);
            assert_eq!(
                json!(read(&manifests.to_string())),
                manifests.list()["items"],
                "{name}"
            );
        }
    }
}

#[test]
fn the_least_role_says_what_each_verb_is_for() {
    assert_eq!(
        manifests("gwlock-run", site("locks", "job")).to_string(),
        r#"# What gwlock-run asks of an API server, and no more.
apiVersion: v1
kind: ServiceAccount
metadata:
  name: job
  namespace: locks
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: job
  namespace: locks
rules:
# get: to see who holds a lease
# watch: to wait for a lease without polling, and show changes as they happen; works without
# create: to acquire a lease that nobody has
# update: to renew a lease, and take over one that has expired
# delete: to release a lease, and remove one that has expired
- apiGroups: ["coordination.k8s.io"]
  resources: ["leases"]
  verbs: ["get", "watch", "create", "update", "delete"]
# get: to see whether the pod of a holder lives; works without
- apiGroups: [""]
  resources: ["pods"]
  verbs: ["get"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: job
  namespace: locks
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: job
subjects:
- kind: ServiceAccount
  name: job
  namespace: locks
"#
    );
}

#[test]
fn requests_in_another_namespace_have_a_role_there_and_the_program_is_told_where_they_are() {
    let manifests = manifests("gwlock-serve", site("requests", "serve"));
    let objects: Vec<(&str, Option<&str>, &str)> = manifests
        .objects
        .iter()
        .map(|object| (object.kind(), object.namespace.as_deref(), &*object.name))
        .collect();
    assert_eq!(
        objects,
        [
            ("ServiceAccount", Some("locks"), "serve"),
            ("Role", Some("locks"), "serve"),
            ("RoleBinding", Some("locks"), "serve"),
            ("Role", Some("requests"), "serve"),
            ("RoleBinding", Some("requests"), "serve"),
            ("ClusterRole", None, "locks-serve"),
            ("ClusterRoleBinding", None, "locks-serve"),
        ]
    );
    let text = manifests.to_string();
    let (_, comment) = text
        .split_once("# The pod template of the workload needs:\n#\n")
        .unwrap();
    let comment: Vec<&str> = comment
        .lines()
        .map(|line| line.strip_prefix("# ").unwrap())
        .collect();
    let template: Value = serde_yaml::from_str(&comment.join("\n")).unwrap();
    assert_eq!(
        template,
        json!({"spec": {
            "serviceAccountName": "serve",
            "containers": [{"env": [
                {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
                {"name": "KUBERNAUT_CONTROLLER_NAMESPACE", "value": "requests"},
            ]}],
        }})
    );
}

#[test]
fn in_one_namespace_there_is_one_role_and_without_cluster_wide_requests_no_cluster_role() {
    let manifests = manifests("gwlock-run", site("locks", "op"));
    let kinds: Vec<&str> = manifests.objects.iter().map(Object::kind).collect();
    assert_eq!(kinds, ["ServiceAccount", "Role", "RoleBinding"]);
}

#[test]
fn what_a_program_works_without_can_be_left_out() {
    let program = profiles::find("gwlock-run", GatewayVersion::Current).unwrap();
    let manifests = Manifests::of(&program, site("locks", "job"), false);
    let value = manifests.list();
    assert_eq!(
        value["items"][1]["rules"][0]["verbs"],
        json!(["get", "create", "update", "delete"])
    );
}

#[test]
fn resources_that_are_asked_the_same_share_a_rule() {
    let manifests = manifests("gwlock-serve", site("locks", "serve"));
    let roles = manifests
        .objects
        .iter()
        .filter_map(|object| match &object.body {
            Body::Role(rules) if object.namespace.is_none() => Some(rules),
            _ => None,
        });
    let apps: Vec<&Rule> = roles
        .flatten()
        .filter(|rule| rule.group == "apps")
        .collect();
    let [apps] = apps.as_slice() else {
        panic!("{apps:?}");
    };
    assert_eq!(
        apps.resources,
        ["deployments", "replicasets", "statefulsets", "daemonsets"]
    );
}

#[test]
fn a_reason_from_a_file_stays_in_its_comment() {
    let rule = Rule {
        group: "g".to_owned(),
        resources: vec!["r".to_owned()],
        names: vec!["x\"y".to_owned()],
        verbs: vec![Verb {
            verb: "get".to_owned(),
            why: "read\n- evil: true".to_owned(),
            need: Need::Needed,
        }],
    };
    let read: Value = serde_yaml::from_str(&rule.to_string()).unwrap();
    assert_eq!(read, json!([rule.value()]));
}

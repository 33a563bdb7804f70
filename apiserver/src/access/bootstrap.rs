//! The roles and bindings that every cluster starts with.
//!
//! Those for people and for what every client needs are here. Those of the control plane's own
//! components are not, because no such component talks to this server.

use serde_json::{Value, json};

const READ: [&str; 3] = ["get", "list", "watch"];
const WRITE: [&str; 5] = ["create", "delete", "deletecollection", "patch", "update"];

/// Resource and object of each default role and binding, to be stored before the first request.
#[must_use]
pub fn bootstrap_objects() -> Vec<(&'static str, Value)> {
    let mut objects = Vec::new();
    objects.extend(roles().into_iter().map(|role| ("clusterroles", role)));
    for (name, group) in [
        ("cluster-admin", "system:masters"),
        ("system:basic-user", "system:authenticated"),
        ("system:discovery", "system:authenticated"),
        ("system:public-info-viewer", "system:authenticated"),
        (
            "system:service-account-issuer-discovery",
            "system:serviceaccounts",
        ),
    ] {
        let mut subjects = vec![subject(group)];
        if name == "system:public-info-viewer" {
            subjects.push(subject("system:unauthenticated"));
        }
        objects.push(("clusterrolebindings", binding(name, &subjects)));
    }
    objects
}

fn roles() -> Vec<Value> {
    vec![
        role(
            "cluster-admin",
            &[],
            &json!([
                {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
                {"nonResourceURLs": ["*"], "verbs": ["*"]},
            ]),
        ),
        role(
            "system:basic-user",
            &[],
            &json!([
                {
                    "apiGroups": ["authorization.k8s.io"],
                    "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
                    "verbs": ["create"],
                },
                {"apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"], "verbs": ["create"]},
            ]),
        ),
        role(
            "system:discovery",
            &[],
            &json!([{
                "nonResourceURLs": [
                    "/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version",
                    "/version/",
                ],
                "verbs": ["get"],
            }]),
        ),
        role(
            "system:public-info-viewer",
            &[],
            &json!([
                {"nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"], "verbs": ["get"]},
            ]),
        ),
        role(
            "system:service-account-issuer-discovery",
            &[],
            &json!([{
                "nonResourceURLs": [
                    "/.well-known/openid-configuration", "/.well-known/openid-configuration/", "/openid/v1/jwks",
                    "/openid/v1/jwks/",
                ],
                "verbs": ["get"],
            }]),
        ),
        role(
            "system:auth-delegator",
            &[],
            &json!([
                {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]},
                {"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"]},
            ]),
        ),
        aggregating("admin", "admin", &[]),
        aggregating("edit", "edit", &["admin"]),
        aggregating("view", "view", &["edit"]),
        role(
            "system:aggregate-to-admin",
            &["admin"],
            &json!([
                {"apiGroups": ["authorization.k8s.io"], "resources": ["localsubjectaccessreviews"], "verbs": ["create"]},
                {
                    "apiGroups": ["rbac.authorization.k8s.io"],
                    "resources": ["rolebindings", "roles"],
                    "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
                },
            ]),
        ),
        role("system:aggregate-to-edit", &["edit"], &edit_rules()),
        role("system:aggregate-to-view", &["view"], &view_rules()),
    ]
}

fn edit_rules() -> Value {
    json!([
        {
            "apiGroups": [""],
            "resources": ["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy"],
            "verbs": READ,
        },
        {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["impersonate"]},
        {
            "apiGroups": [""],
            "resources": ["pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy"],
            "verbs": WRITE,
        },
        {"apiGroups": [""], "resources": ["pods/eviction"], "verbs": ["create"]},
        {
            "apiGroups": [""],
            "resources": [
                "configmaps", "persistentvolumeclaims", "replicationcontrollers", "replicationcontrollers/scale", "secrets",
                "serviceaccounts", "services", "services/proxy",
            ],
            "verbs": WRITE,
        },
        {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]},
        {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": WRITE},
        {
            "apiGroups": ["apps"],
            "resources": [
                "daemonsets", "deployments", "deployments/rollback", "deployments/scale", "replicasets", "replicasets/scale",
                "statefulsets", "statefulsets/scale",
            ],
            "verbs": WRITE,
        },
        {"apiGroups": ["autoscaling"], "resources": ["horizontalpodautoscalers"], "verbs": WRITE},
        {"apiGroups": ["batch"], "resources": ["cronjobs", "jobs"], "verbs": WRITE},
        {"apiGroups": ["policy"], "resources": ["poddisruptionbudgets"], "verbs": WRITE},
        {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses", "networkpolicies"], "verbs": WRITE},
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        },
    ])
}

fn view_rules() -> Value {
    json!([
        {
            "apiGroups": [""],
            "resources": [
                "configmaps", "endpoints", "persistentvolumeclaims", "persistentvolumeclaims/status", "pods",
                "replicationcontrollers", "replicationcontrollers/scale", "serviceaccounts", "services", "services/status",
            ],
            "verbs": READ,
        },
        {
            "apiGroups": [""],
            "resources": [
                "bindings", "limitranges", "namespaces/status", "pods/log", "pods/status", "replicationcontrollers/status",
                "resourcequotas", "resourcequotas/status",
            ],
            "verbs": READ,
        },
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": READ},
        {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": READ},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": READ},
        {
            "apiGroups": ["apps"],
            "resources": [
                "controllerrevisions", "daemonsets", "daemonsets/status", "deployments", "deployments/scale",
                "deployments/status", "replicasets", "replicasets/scale", "replicasets/status", "statefulsets",
                "statefulsets/scale", "statefulsets/status",
            ],
            "verbs": READ,
        },
        {
            "apiGroups": ["autoscaling"],
            "resources": ["horizontalpodautoscalers", "horizontalpodautoscalers/status"],
            "verbs": READ,
        },
        {"apiGroups": ["batch"], "resources": ["cronjobs", "cronjobs/status", "jobs", "jobs/status"], "verbs": READ},
        {
            "apiGroups": ["policy"],
            "resources": ["poddisruptionbudgets", "poddisruptionbudgets/status"],
            "verbs": READ,
        },
        {
            "apiGroups": ["networking.k8s.io"],
            "resources": ["ingresses", "ingresses/status", "networkpolicies"],
            "verbs": READ,
        },
    ])
}

fn role(name: &str, aggregated_to: &[&str], rules: &Value) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": metadata(name, aggregated_to), "rules": rules,
    })
}

fn aggregating(name: &str, label: &str, aggregated_to: &[&str]) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": metadata(name, aggregated_to), "rules": null,
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {aggregation_label(label): "true"}}]},
    })
}

fn binding(role: &str, subjects: &[Value]) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": metadata(role, &[]), "subjects": subjects,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
    })
}

fn subject(group: &str) -> Value {
    json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group})
}

fn metadata(name: &str, aggregated_to: &[&str]) -> Value {
    let mut metadata = json!({
        "name": name,
        "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"},
        "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"},
    });
    for role in aggregated_to {
        metadata["labels"][aggregation_label(role)] = json!("true");
    }
    metadata
}

fn aggregation_label(role: &str) -> String {
    format!("rbac.authorization.k8s.io/aggregate-to-{role}")
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            Attributes, Authorizer, UserInfo,
            fixtures::{Objects, attributes, user},
        },
        *,
    };
    use crate::validate;

    fn defaults() -> Objects {
        bootstrap_objects()
            .into_iter()
            .fold(Objects::default(), |objects, (resource, object)| {
                objects.with(resource, object)
            })
    }

    #[test]
    fn every_default_object_is_valid() {
        for (_, mut object) in bootstrap_objects() {
            let kind = object["kind"].as_str().unwrap().to_owned();
            let group = "rbac.authorization.k8s.io";
            assert_eq!(
                validate::decode(group, "v1", &kind, &mut object),
                Ok(vec![])
            );
            assert_eq!(validate::metadata(group, &kind, false, &object, None), []);
            assert_eq!(validate::built_in(group, &kind, &object, None), []);
        }
    }

    #[test]
    fn everybody_who_has_authenticated_may_discover_and_review_himself() {
        let objects = defaults();
        let alice = UserInfo::new("alice", &["system:authenticated"]);
        let anonymous = UserInfo::anonymous();
        let path = |path: &str| Attributes {
            verb: "get".to_owned(),
            path: Some(path.to_owned()),
            ..Attributes::default()
        };
        let review = attributes(
            "create",
            "authorization.k8s.io/selfsubjectaccessreviews",
            "",
        );
        assert!(Authorizer.authorize(&objects, &alice, &review).allowed);
        assert!(
            Authorizer
                .authorize(&objects, &alice, &path("/apis/apps/v1"))
                .allowed
        );
        assert!(
            !Authorizer
                .authorize(&objects, &anonymous, &path("/apis/apps/v1"))
                .allowed
        );
        assert!(
            Authorizer
                .authorize(&objects, &anonymous, &path("/version"))
                .allowed
        );
    }

    #[test]
    fn the_roles_for_people_include_each_other() {
        let objects = defaults()
            .role_binding("a", "v", ("ClusterRole", "view"), &user("viewer"))
            .role_binding("a", "e", ("ClusterRole", "edit"), &user("editor"))
            .role_binding("a", "d", ("ClusterRole", "admin"), &user("admin"));
        let allowed = |who: &str, verb: &str, resource: &str| {
            Authorizer
                .authorize(
                    &objects,
                    &UserInfo::new(who, &[]),
                    &attributes(verb, resource, "a/x"),
                )
                .allowed
        };
        let cases = [
            ("get", "/pods", [true, true, true]),
            ("update", "coordination.k8s.io/leases", [false, true, true]),
            ("get", "coordination.k8s.io/leases", [false, true, true]),
            ("get", "/secrets", [false, true, true]),
            (
                "create",
                "rbac.authorization.k8s.io/roles",
                [false, false, true],
            ),
            ("get", "/nodes", [false, false, false]),
        ];
        for (verb, resource, expected) in cases {
            let actual = ["viewer", "editor", "admin"].map(|who| allowed(who, verb, resource));
            assert_eq!(actual, expected, "{verb} {resource}");
        }
    }
}

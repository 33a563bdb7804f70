//! Who may create leases in the lock namespace. Their names can be computed from a target, so that whoever may create
//! one can hold back the signals of that target.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::check::{Check, Outcome, Step, Subject, some};
use super::rights::Who;

/// How many subjects are named in a message.
const SHOWN: usize = 5;

/// Groups that everybody is a member of, or every pod.
const BROAD: [&str; 5] = [
    "system:authenticated",
    "system:unauthenticated",
    "system:anonymous",
    "system:serviceaccounts",
    "system:nodes",
];

/// Roles and bindings as they were listed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rbac {
    /// Of the lock namespace.
    pub(crate) roles: Vec<Value>,
    /// Of the lock namespace.
    pub(crate) role_bindings: Vec<Value>,
    pub(crate) cluster_roles: Vec<Value>,
    pub(crate) cluster_role_bindings: Vec<Value>,
}

/// A subject and a binding that lets it create leases.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Creator {
    subject: String,
    binding: String,
    /// It may do everything.
    is_administrator: bool,
}

/// Who may create leases, but for those that have to: the gateways, the cluster's own controllers and its
/// administrators, and the other accounts of the lock namespace, which belong to the same installation.
pub(crate) fn check(rbac: &Rbac, namespace: &str, gateways: &[Who]) -> Check {
    let check =
        |outcome, message| Check::new(Subject::Permissions, "lease-creators", outcome, message);
    let (mut broad, mut others, mut expected) = (Vec::new(), Vec::new(), Vec::new());
    for creator in creators(rbac, namespace) {
        let gateway = gateways.iter().any(|who| who.username() == creator.subject);
        if BROAD.contains(&creator.subject.as_str()) {
            broad.push(creator);
        } else if gateway || is_expected(&creator, namespace) {
            expected.push(creator);
        } else {
            others.push(creator);
        }
    }
    let value = |creators: &[Creator]| -> Value {
        let mut by_subject: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for creator in creators {
            by_subject
                .entry(&creator.subject)
                .or_default()
                .push(&creator.binding);
        }
        json!(by_subject)
    };
    let evidence =
        json!({"broad": value(&broad), "others": value(&others), "expected": value(&expected)});
    let named = |creators: &[Creator]| {
        let mut names: Vec<&str> = creators
            .iter()
            .map(|creator| creator.subject.as_str())
            .collect();
        names.dedup();
        some(&names, SHOWN)
    };
    let (outcome, found, meaning) = if !broad.is_empty() {
        (
            Outcome::Failure,
            &broad,
            "anybody can hold back the signals of a target, whose lease's name is no secret",
        )
    } else if !others.is_empty() {
        (
            Outcome::Warning,
            &others,
            "they can hold back the signals of any target, whose lease's name is no secret",
        )
    } else {
        let message = format!(
            "nobody but gateways, administrators and the cluster may create leases in {namespace}"
        );
        return check(Outcome::Ok, message).with(evidence);
    };
    let message = format!(
        "{} may create leases in {namespace}: {meaning}",
        named(found)
    );
    let mut bindings: Vec<&str> = found
        .iter()
        .map(|creator| creator.binding.as_str())
        .collect();
    bindings.sort_unstable();
    bindings.dedup();
    let shows = bindings.into_iter().take(SHOWN).map(|binding| {
        let mut words = vec!["describe".to_owned(), binding.to_owned()];
        if binding.starts_with("rolebinding/") {
            words.extend(["-n".to_owned(), namespace.to_owned()]);
        }
        Step::KubectlWords(words)
    });
    check(outcome, message).with(evidence).steps(shows)
}

/// Sorted by subject and binding, each once.
fn creators(rbac: &Rbac, namespace: &str) -> Vec<Creator> {
    let grants = |roles: &[Value], name: &Value| {
        roles.iter().any(|role| {
            role["metadata"]["name"] == *name
                && role["rules"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .any(lets_create)
        })
    };
    let mut creators = Vec::new();
    let bindings = rbac
        .role_bindings
        .iter()
        .map(|binding| (binding, "rolebinding"));
    let bindings = bindings.chain(
        rbac.cluster_role_bindings
            .iter()
            .map(|binding| (binding, "clusterrolebinding")),
    );
    for (binding, kind) in bindings {
        let role = &binding["roleRef"];
        let roles = if role["kind"] == "Role" {
            &rbac.roles
        } else {
            &rbac.cluster_roles
        };
        if !grants(roles, &role["name"]) {
            continue;
        }
        let name = binding["metadata"]["name"].as_str().unwrap_or_default();
        for subject in binding["subjects"].as_array().into_iter().flatten() {
            let own = subject["name"].as_str().unwrap_or_default();
            let subject = if subject["kind"] == "ServiceAccount" {
                let place = subject["namespace"].as_str().unwrap_or(namespace);
                format!("system:serviceaccount:{place}:{own}")
            } else {
                own.to_owned()
            };
            creators.push(Creator {
                subject,
                binding: format!("{kind}/{name}"),
                is_administrator: role["kind"] == "ClusterRole" && role["name"] == "cluster-admin",
            });
        }
    }
    creators.sort();
    creators.dedup();
    creators
}

/// A `create` that is limited to names never matches: a new object has none yet.
fn lets_create(rule: &Value) -> bool {
    let has = |field: &str, wanted: &str| {
        let values = rule[field].as_array();
        values.is_some_and(|values| values.iter().any(|value| value == wanted || value == "*"))
    };
    let is_limited = rule["resourceNames"]
        .as_array()
        .is_some_and(|names| !names.is_empty());
    !is_limited
        && has("verbs", "create")
        && has("apiGroups", "coordination.k8s.io")
        && has("resources", "leases")
}

fn is_expected(creator: &Creator, namespace: &str) -> bool {
    let subject = creator.subject.as_str();
    if let Some(account) = subject.strip_prefix("system:serviceaccount:") {
        let (place, name) = account.split_once(':').unwrap_or_default();
        // Whatever runs without an account of its own runs as `default`.
        return place == "kube-system" || (place == namespace && name != "default");
    }
    let is_group_of_accounts = subject.starts_with("system:serviceaccounts:");
    // Whoever may do everything could do this in any case.
    creator.is_administrator || (subject.starts_with("system:") && !is_group_of_accounts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(verbs: &Value) -> Value {
        json!({"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": verbs})
    }

    fn role(name: &str, rules: &Value) -> Value {
        json!({"metadata": {"name": name}, "rules": rules})
    }

    fn binding(name: &str, kind: &str, role: &str, subjects: &Value) -> Value {
        json!({"metadata": {"name": name}, "roleRef": {"kind": kind, "name": role}, "subjects": subjects})
    }

    fn account(namespace: &str, name: &str) -> Value {
        json!({"kind": "ServiceAccount", "namespace": namespace, "name": name})
    }

    fn judged(subject: &Value) -> Check {
        let rbac = Rbac {
            roles: vec![
                role("lock", &json!([rule(&json!(["get", "create"]))])),
                role("look", &json!([rule(&json!(["get"]))])),
            ],
            role_bindings: vec![
                binding(
                    "look",
                    "Role",
                    "look",
                    &json!([{"kind": "Group", "name": "system:authenticated"}]),
                ),
                binding("lock", "Role", "lock", &json!([subject])),
            ],
            cluster_roles: vec![role(
                "cluster-admin",
                &json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]),
            )],
            cluster_role_bindings: vec![binding(
                "cluster-admin",
                "ClusterRole",
                "cluster-admin",
                &json!([{"kind": "Group", "name": "system:masters"}]),
            )],
        };
        check(&rbac, "ns", &[Who::of("system:serviceaccount:gw:gateway")])
    }

    #[test]
    fn a_subject_that_stands_for_everybody_is_a_failure_and_others_a_warning() {
        let group = |name: &str| json!({"kind": "Group", "name": name});
        for (subject, expected) in [
            (account("gw", "gateway"), Outcome::Ok),
            (account("ns", "remediationorchestrator"), Outcome::Ok),
            (
                account("kube-system", "generic-garbage-collector"),
                Outcome::Ok,
            ),
            (
                json!({"kind": "User", "name": "system:kube-controller-manager"}),
                Outcome::Ok,
            ),
            (account("ns", "default"), Outcome::Warning),
            (account("shop", "builder"), Outcome::Warning),
            (json!({"kind": "User", "name": "jane"}), Outcome::Warning),
            (group("system:serviceaccounts:shop"), Outcome::Warning),
            (group("system:authenticated"), Outcome::Failure),
            (group("system:serviceaccounts"), Outcome::Failure),
            (
                json!({"kind": "User", "name": "system:anonymous"}),
                Outcome::Failure,
            ),
        ] {
            let check = judged(&subject);
            assert_eq!(check.outcome, expected, "{subject}: {}", check.message);
        }
        let check = judged(&group("system:authenticated"));
        assert!(
            check
                .message
                .starts_with("system:authenticated may create leases in ns: "),
            "{}",
            check.message
        );
        assert_eq!(
            check.fix,
            [Step::KubectlWords(
                ["describe", "rolebinding/lock", "-n", "ns"]
                    .map(str::to_owned)
                    .to_vec()
            )]
        );
    }

    #[test]
    fn rules_are_read_as_the_server_reads_them() {
        for (change, expected) in [
            (json!({}), true),
            (json!({"verbs": ["*"]}), true),
            (json!({"apiGroups": ["*"]}), true),
            (json!({"resources": ["*"]}), true),
            (json!({"verbs": ["get", "update"]}), false),
            (json!({"apiGroups": [""]}), false),
            (json!({"resources": ["leases/status"]}), false),
            (json!({"resourceNames": ["gw-lock-1"]}), false),
            (json!({"resourceNames": []}), true),
        ] {
            let mut rule = rule(&json!(["create"]));
            for (field, value) in change.as_object().unwrap() {
                rule[field] = value.clone();
            }
            assert_eq!(lets_create(&rule), expected, "{rule}");
        }
    }
}

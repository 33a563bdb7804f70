//! What gwlock declares to ask is what it asks: every operation is run on the embedded server by a ServiceAccount that may
//! do that and no more, and every request is recorded. Then each permission is taken away, one after the other.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use gwlock::rbac::profiles::gwlock::{self as profiles, Operation, Permission, Place};
use gwlock_apiserver::faults::{Action, Fault};
use http::Method;
use serde_json::{Value, json};

use crate::fixture::Server;
use crate::rbac_steps::{
    Cluster, Ground, all_at_once, is_in_one_namespace, is_like_another, run, run_without,
};

/// Who acts as the accounts.
const ACTOR: &str = "viewer";

/// What the embedded server does not serve: on a real one it is asked for.
const NOT_SERVED: [&str; 4] = [
    "persistentvolumes",
    "persistentvolumeclaims",
    "horizontalpodautoscalers",
    "poddisruptionbudgets",
];

struct Embedded {
    server: Server,
}

impl Embedded {
    fn start() -> Self {
        let server = Server::start();
        server.serve_remediation_requests();
        let rbac = "/apis/rbac.authorization.k8s.io/v1";
        let rules = json!([{"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["impersonate"]}]);
        server.post(
            &format!("{rbac}/clusterroles"),
            &json!({"metadata": {"name": ACTOR}, "rules": rules}),
        );
        let binding = json!({
            "metadata": {"name": ACTOR},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": ACTOR},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": ACTOR}],
        });
        server.post(&format!("{rbac}/clusterrolebindings"), &binding);
        Self { server }
    }
}

impl Cluster for Embedded {
    fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        self.server.send(method, path, body)
    }

    fn account(&self, namespace: &str, name: &str) -> PathBuf {
        let kubeconfig = fs::read_to_string(self.server.kubeconfig(ACTOR)).unwrap();
        let mut kubeconfig: Value = serde_json::from_str(&kubeconfig).unwrap();
        kubeconfig["users"][0]["user"]["as"] =
            json!(format!("system:serviceaccount:{namespace}:{name}"));
        let path = self.server.folder().join(format!("{namespace}-{name}"));
        fs::write(&path, kubeconfig.to_string()).unwrap();
        path
    }

    fn admin(&self) -> PathBuf {
        self.server.kubeconfig("admin")
    }

    fn sender(&self) -> String {
        self.server.token("admin").to_owned()
    }

    fn expired_lease(&self, namespace: &str, name: &str) {
        let path = format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases");
        let lease = json!({"metadata": {"name": name}, "spec": Server::held_by("gone", 600)});
        self.server.create(&path, 600, &lease);
    }

    fn lose_an_answer(&self, _namespace: &str) -> bool {
        let lost = Fault::new(Action::LoseAnswer)
            .verb("create")
            .resource("remediationrequests")
            .times(1);
        self.server.inject(lost);
        true
    }
}

/// Whether the operation can be made to ask for it here.
fn is_provoked(operation: &Operation, permission: &Permission) -> bool {
    // A benchmark that loses an answer does not count what it wants to.
    let is_after_a_lost_answer =
        permission.resource == "remediationrequests" && permission.verb == "get";
    let is_never_lost = operation.name == "bench requests" && is_after_a_lost_answer;
    // One replica that nobody contends with and that is not slow neither waits nor renews.
    let is_never_contended = operation.name == "bench signals"
        && (is_after_a_lost_answer || matches!(permission.verb, "watch" | "update"));
    !is_never_lost && !is_never_contended && !NOT_SERVED.contains(&permission.resource)
}

/// As it is told when a set differs.
fn told(permission: &Permission) -> String {
    let Permission {
        group,
        resource,
        verb,
        place,
        ..
    } = permission;
    format!("{verb} {resource}.{group} {place:?}")
}

fn ground_of<'a>(operation: &Operation, cluster: &'a Embedded, label: &str) -> Ground<'a> {
    if is_in_one_namespace(operation) {
        let both = format!("{label}-both");
        Ground::named(cluster, &both, &both, label)
    } else {
        Ground::new(cluster, label)
    }
}

/// The permissions of an operation, and of those without which it cannot be run.
fn granted(operation: &Operation) -> Vec<Permission> {
    let others = beside(operation);
    let all = profiles::operations().filter(|other| others.contains(&other.name));
    let mut granted: Vec<Permission> = operation.permissions().copied().collect();
    granted.extend(all.flat_map(Operation::permissions));
    if is_elsewhere(operation) {
        for own in &mut granted {
            own.place = Place::Cluster;
        }
    }
    granted
}

/// Whether it works in a namespace that is not known before.
fn is_elsewhere(operation: &Operation) -> bool {
    operation.name.starts_with("bench") && operation.name.ends_with("of its own")
}

/// What an operation is granted beside its own permissions, because it cannot be run alone.
fn beside(operation: &Operation) -> &'static [&'static str] {
    match operation.name {
        "force-expire or bench without --yes" => &["force-expire"],
        "serve --auth token" => &["serve"],
        "bench requests in a namespace of its own" => &["bench requests"],
        "bench signals in namespaces of its own" => &["bench signals"],
        _ => &[],
    }
}

/// Grants the account these permissions, a role for each place.
fn grant(ground: &Ground<'_>, permissions: &[Permission]) {
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    for (place, namespace) in [
        (Place::Leases, Some(&ground.locks)),
        (Place::Requests, Some(&ground.requests)),
        (Place::Cluster, None),
    ] {
        let own = permissions.iter().filter(|own| own.place == place);
        let rules: Vec<Value> = own
            .map(|own| {
                json!({"apiGroups": [own.group], "resources": [own.resource], "verbs": [own.verb]})
            })
            .collect();
        if rules.is_empty() {
            continue;
        }
        let name = format!("{}-{place:?}", ground.account).to_lowercase();
        let (kind, collection) = match namespace {
            Some(namespace) => ("Role", format!("{rbac}/namespaces/{namespace}/role")),
            None => ("ClusterRole", format!("{rbac}/clusterrole")),
        };
        let role = json!({"metadata": {"name": name}, "rules": rules});
        let binding = json!({
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": ground.account, "namespace": ground.locks}],
        });
        ground.make(&format!("{collection}s"), &role);
        ground.make(&format!("{collection}bindings"), &binding);
    }
    ground.wait_for(permissions);
}

/// What the account has asked, with where; what everybody may ask is left out.
fn asked(operation: &Operation, server: &Server, ground: &Ground<'_>) -> BTreeSet<String> {
    let mut asked = BTreeSet::new();
    for exchange in server.seen() {
        if exchange.user != ACTOR || exchange.resource.is_empty() {
            continue;
        }
        let place = match exchange.namespace.as_str() {
            _ if is_elsewhere(operation) => Place::Cluster,
            _ if exchange.resource == "namespaces" => Place::Cluster,
            _ if exchange.group == "kubernaut.ai" => Place::Requests,
            namespace if namespace == ground.locks => Place::Leases,
            namespace if namespace == ground.requests => Place::Requests,
            _ => Place::Cluster,
        };
        let resource = if exchange.subresource.is_empty() {
            exchange.resource
        } else {
            format!("{}/{}", exchange.resource, exchange.subresource)
        };
        let of_everybody = profiles::of_everybody().iter();
        let is_of_everybody = of_everybody
            .clone()
            .any(|own| own.resource == resource && own.verb == exchange.verb);
        if !is_of_everybody {
            asked.insert(format!(
                "{} {resource}.{} {place:?}",
                exchange.verb, exchange.group
            ));
        }
    }
    asked
}

#[test]
fn every_operation_asks_what_it_declares_and_nothing_else() {
    let operations: Vec<&Operation> = profiles::operations().collect();
    let (benchmarks, others): (Vec<&Operation>, Vec<&Operation>) = operations
        .into_iter()
        .partition(|operation| operation.name.starts_with("bench"));
    all_at_once(&others, |_, operation| asks_what_it_declares(operation));
    // Nothing else may keep the machine busy for longer than they take for the end of a case.
    benchmarks.into_iter().for_each(asks_what_it_declares);
}

fn asks_what_it_declares(operation: &Operation) {
    let cluster = Embedded::start();
    let ground = ground_of(operation, &cluster, "all");
    grant(&ground, &granted(operation));
    let name = operation.name;
    assert_eq!(run(operation, &ground), Ok(()), "{name}: {}", ground.log());
    let asked = asked(operation, &cluster.server, &ground);
    let declared = granted(operation);
    let declared: BTreeSet<String> = declared.iter().map(told).collect();
    assert_eq!(asked.difference(&declared).next(), None, "{name}");
    let own = operation.needed.len() + operation.optional.len();
    let granted = granted(operation).into_iter().take(own);
    let provoked = granted.filter(|own| is_provoked(operation, own));
    let provoked: BTreeSet<String> = provoked.map(|own| told(&own)).collect();
    assert_eq!(provoked.difference(&asked).next(), None, "{name}");
    let log = ground.log();
    let is_complaint =
        |line: &&str| line.contains("the rule that is missing") || line.contains("the role lacks");
    assert_eq!(log.lines().find(is_complaint), None, "{name}");
}

/// One permission less than an operation asks.
fn without(operation: &Operation, missing: &Permission, label: &str) {
    let cluster = Embedded::start();
    let ground = ground_of(operation, &cluster, label);
    let mut rest = granted(operation);
    rest.retain(|own| own != missing);
    grant(&ground, &rest);
    run_without(operation, missing, &ground);
}

#[test]
fn without_any_one_permission_an_operation_fails_and_names_it_or_does_less_and_says_so() {
    let mut cases: Vec<(&Operation, &Permission)> = profiles::operations()
        .flat_map(|operation| operation.permissions().map(move |own| (operation, own)))
        .filter(|(operation, permission)| is_provoked(operation, permission))
        .filter(|(operation, permission)| !is_like_another(operation, permission))
        .collect();
    // Those that wait begin first.
    cases.sort_by_key(|(_, permission)| permission.verb != "watch");
    all_at_once(&cases, |number, (operation, missing)| {
        without(operation, missing, &format!("case-{number}"));
    });
}

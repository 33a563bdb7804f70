//! What gwlock and the gateways may do, by whoever asks; and that the roles that are proposed are enough.

use serde_json::{Value, json};

use super::*;

/// Applies the YAML of a fix as the administrator: creates what is not there.
fn apply(server: &Server, fix: &str) {
    let yaml = fix
        .split_once("<<'EOF'\n")
        .and_then(|(_, rest)| rest.rsplit_once("\nEOF"))
        .unwrap_or_else(|| panic!("{fix}"))
        .0;
    for document in yaml.split("\n---\n") {
        let object: Value = serde_yaml::from_str(document).unwrap();
        let kind = object["kind"].as_str().unwrap().to_lowercase();
        let path = match object["metadata"]["namespace"].as_str() {
            Some(namespace) => format!("{RBAC}/namespaces/{namespace}/{kind}s"),
            None => format!("{RBAC}/{kind}s"),
        };
        server.post(&path, &object);
    }
}

fn as_viewer(server: &Server) -> Vec<Value> {
    let run = server.gwlock_as("viewer", &["doctor", "-o", "json"]).run();
    run.json()["checks"].as_array().unwrap().clone()
}

fn results(checks: &[Value]) -> Vec<(&str, &str)> {
    let wanted = [
        "may-look",
        "may-act",
        "lease-creators",
        "definition",
        "gateway-pods",
        "stale-leases",
        "active-requests",
    ];
    checks
        .iter()
        .map(|check| {
            (
                check["check"].as_str().unwrap(),
                check["result"].as_str().unwrap(),
            )
        })
        .filter(|(name, _)| wanted.contains(name))
        .collect()
}

#[test]
fn whoever_may_nothing_is_told_what_is_missing_and_its_roles_are_enough() {
    let server = healthy();
    let run = server.gwlock_as("viewer", &["doctor"]).run();
    let said = lines(&run);
    assert_eq!(run.code, 1);
    let of = |check: &str| {
        said.iter()
            .find(|line| line.contains(&format!(" {check} ")))
            .unwrap()
            .clone()
    };
    assert_eq!(
        of("may-look"),
        "failure may-look viewer may not look at leases and requests: it lacks get, list, watch leases.coordination.k8s.io \
         in kubernaut-system; get, list remediationrequests.kubernaut.ai in kubernaut-system; get, list pods in \
         kubernaut-system; get, list nodes everywhere"
    );
    assert_eq!(
        of("may-act"),
        "warning may-act viewer may not acquire and remove leases: it lacks create, update, delete \
         leases.coordination.k8s.io in kubernaut-system; create events.events.k8s.io in kubernaut-system"
    );
    assert_eq!(
        of("lease-creators"),
        "skipped lease-creators roles.rbac.authorization.k8s.io is forbidden: User \"viewer\" cannot list resource \"roles\" \
         in API group \"rbac.authorization.k8s.io\" in the namespace \"kubernaut-system\""
    );
    // A role is shown once for what is missing, and for what was skipped only where it is asked for.
    assert!(!run.stdout.contains("gwlock-doctor-rbac"), "{run:?}");
    let wide = server.gwlock_as("viewer", &["doctor", "-o", "wide"]).run();
    assert!(
        wide.stdout.contains("gwlock-doctor-rbac-viewer"),
        "{wide:?}"
    );

    // Each fix grants the whole of its check, so that after two rounds at most nothing is missing.
    for _ in 0..3 {
        let mut applied = Vec::new();
        for check in as_viewer(&server) {
            let fix = check["fix"].as_str().unwrap_or_default();
            if fix.starts_with("kubectl apply -f - <<'EOF'") && !applied.contains(&fix.to_owned()) {
                apply(&server, fix);
                applied.push(fix.to_owned());
            }
        }
        if applied.is_empty() {
            break;
        }
    }
    let checks = as_viewer(&server);
    let wrong: Vec<&Value> = checks
        .iter()
        .filter(|check| check["result"] != "ok")
        .collect();
    // The viewer may create leases now, which is somebody else than a gateway.
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert_eq!(wrong[0]["check"], "lease-creators");
    assert_eq!(
        results(&checks),
        [
            ("may-look", "ok"),
            ("may-act", "ok"),
            ("lease-creators", "warning"),
            ("definition", "ok"),
            ("gateway-pods", "ok"),
            ("stale-leases", "ok"),
            ("active-requests", "ok"),
        ]
    );
}

#[test]
fn without_the_right_to_list_pods_everywhere_those_of_the_lock_namespace_are_looked_at() {
    let server = healthy();
    let role = json!({"metadata": {"name": "pods"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]});
    bind(&server, Some(NAMESPACE), &role, &user("viewer"));
    let checks = as_viewer(&server);
    let pods = checks
        .iter()
        .find(|check| check["check"] == "gateway-pods")
        .unwrap();
    assert_eq!(
        (
            &pods["result"],
            &pods["message"],
            &pods["evidence"]["namespace"]
        ),
        (&json!("ok"), &json!("2 pods ready"), &json!(NAMESPACE))
    );
    // What their account may do cannot be asked, and the rule for it is there.
    let account = checks
        .iter()
        .find(|check| check["check"] == "gateway-permissions")
        .unwrap();
    assert_eq!(account["result"], "skipped");
    let fix = account["fix"].as_str().unwrap();
    assert!(
        fix.contains("resources: [\"subjectaccessreviews\"]\n  verbs: [\"create\"]"),
        "{fix}"
    );
}

#[test]
fn a_gateway_that_may_not_count_is_a_failure_and_the_role_is_enough() {
    let server = Server::start();
    server.serve_remediation_requests();
    gateway(&server, NAMESPACE, "gateway-a", &downward());
    let rights = check(&server, "gateway-permissions");
    assert_eq!(rights["result"], "failure");
    assert_eq!(
        rights["message"],
        "system:serviceaccount:kubernaut-system:gateway may not lock, make and count requests: it lacks get, create, update, \
         delete leases.coordination.k8s.io in kubernaut-system; get, list, create, watch remediationrequests.kubernaut.ai in \
         kubernaut-system; update remediationrequests/status.kubernaut.ai in kubernaut-system; get, list, watch namespaces \
         everywhere; and 13 more"
    );
    apply(&server, rights["fix"].as_str().unwrap());
    assert_eq!(check(&server, "gateway-permissions")["result"], "ok");
}

#[test]
fn a_gateway_without_the_status_alone_is_told_so() {
    let server = healthy();
    let path = format!("{RBAC}/namespaces/{NAMESPACE}/roles/gateway");
    let mut role = server.get(&path);
    role["rules"].as_array_mut().unwrap().remove(2);
    server.send(Method::PUT, &path, Some(&role));
    assert_eq!(
        line(&server, "gateway-permissions", &[]),
        (
            1,
            "failure gateway-permissions system:serviceaccount:kubernaut-system:gateway may not lock, make and count \
             requests: it lacks update remediationrequests/status.kubernaut.ai in kubernaut-system"
                .to_owned()
        )
    );
}

#[test]
fn an_account_that_may_write_the_leases_of_nodes_is_a_warning() {
    let server = healthy();
    let rules = json!([{"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["update"]}]);
    let role = json!({"metadata": {"name": "too-much"}, "rules": rules});
    let account = json!([{"kind": "ServiceAccount", "name": "gateway", "namespace": NAMESPACE}]);
    bind(&server, None, &role, &account);
    assert_eq!(
        line(&server, "gateway-permissions-beyond", &[]),
        (
            0,
            "warning gateway-permissions-beyond system:serviceaccount:kubernaut-system:gateway may write the leases of nodes \
             too: a Role for leases in kubernaut-system is enough"
                .to_owned()
        )
    );
}

#[test]
fn whoever_else_may_create_leases_is_told_and_everybody_is_a_failure() {
    let rules =
        json!([{"apiGroups": ["coordination.k8s.io"], "resources": ["*"], "verbs": ["create"]}]);
    let role = json!({"metadata": {"name": "lock it; all"}, "rules": rules});
    let server = healthy();
    bind(&server, Some(NAMESPACE), &role, &user("jane"));
    let creators = check(&server, "lease-creators");
    assert_eq!(
        (&creators["result"], &creators["message"]),
        (
            &json!("warning"),
            &json!(
                "jane may create leases in kubernaut-system: they can hold back the signals of any target, whose lease's \
                    name is no secret"
            )
        )
    );
    // A name that a shell would take apart is quoted.
    assert_eq!(
        creators["fix"],
        "kubectl describe 'rolebinding/lock it; all' -n kubernaut-system"
    );
    let server = healthy();
    let everybody = json!([{"kind": "Group", "name": "system:authenticated", "apiGroup": GROUP}]);
    bind(&server, None, &role, &everybody);
    assert_eq!(
        line(&server, "lease-creators", &[]),
        (
            1,
            "failure lease-creators system:authenticated may create leases in kubernaut-system: anybody can hold back the \
             signals of a target, whose lease's name is no secret"
                .to_owned()
        )
    );
}

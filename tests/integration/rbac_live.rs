//! `rbac check --live` and `rbac generate`: what an API server says, and what is not taken for an answer.

use gwlock_apiserver::faults::{Action, Fault};
use serde_json::{Value, json};

use crate::fixture::{Gwlock, NAMESPACE, Run, Server};

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

const PROFILES: [&str; 8] = [
    "gateway",
    "remediation-orchestrator",
    "gwlock-serve",
    "gwlock-operator",
    "gwlock-readonly",
    "gwlock-run",
    "gwlock-gc",
    "gwlock-simulate",
];

fn server() -> Server {
    let server = Server::start();
    server.serve_remediation_requests();
    server
}

fn generated(profile: &str, flags: &[&str]) -> Run {
    let arguments = [&["rbac", "generate", "--profile", profile], flags].concat();
    let run = Gwlock::new(&arguments).run();
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{profile}");
    run
}

/// Makes what is generated for a profile.
fn apply(server: &Server, profile: &str) {
    let list = generated(profile, &["-o", "json"]).json();
    for object in list["items"].as_array().unwrap() {
        let kind = object["kind"].as_str().unwrap();
        let plural = format!("{}s", kind.to_lowercase());
        let place = match object["metadata"]["namespace"].as_str() {
            Some(namespace) => format!("namespaces/{namespace}/"),
            None => String::new(),
        };
        let root = if kind == "ServiceAccount" {
            "/api/v1"
        } else {
            RBAC
        };
        server.post(&format!("{root}/{place}{plural}"), object);
    }
}

/// A ClusterRole with one rule, bound to somebody.
fn bind(server: &Server, name: &str, rule: &Value, subject: &Value) {
    let role = json!({"metadata": {"name": name}, "rules": [rule]});
    server.post(&format!("{RBAC}/clusterroles"), &role);
    let binding = json!({
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [subject],
    });
    server.post(&format!("{RBAC}/clusterrolebindings"), &binding);
}

fn account(name: &str) -> Value {
    json!({"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE})
}

fn check(server: &Server, profile: &str, flags: &[&str]) -> Run {
    let check = ["rbac", "check", "--live", "--profile", profile];
    server.gwlock(&[check.as_slice(), flags].concat()).run()
}

/// The first cell of each row of the answers.
fn answers(run: &Run) -> Vec<&str> {
    let rows = run.stdout.lines().skip(1).take_while(|row| !row.is_empty());
    rows.map(|row| row.split("  ").next().unwrap()).collect()
}

#[test]
fn what_is_generated_for_a_profile_passes_both_checks() {
    for profile in PROFILES {
        let account = format!("{NAMESPACE}:{profile}");
        let manifests = generated(profile, &[]).stdout;
        let check = ["rbac", "check", "-f", "-", "--profile", profile];
        let run = Gwlock::new(&[check.as_slice(), &["--serviceaccount", &account]].concat())
            .stdin(&manifests)
            .run();
        assert_eq!(run.code, 0, "{profile}: {run:?}");
        assert!(run.stdout.contains("no findings"), "{profile}: {run:?}");
    }
    // The embedded server serves all that these ask.
    for profile in [
        "gwlock-operator",
        "gwlock-readonly",
        "gwlock-run",
        "gwlock-gc",
        "gwlock-simulate",
    ] {
        let server = server();
        apply(&server, profile);
        let account = format!("{NAMESPACE}:{profile}");
        let run = check(&server, profile, &["--serviceaccount", &account]);
        assert_eq!(
            (run.code, run.stderr.as_str()),
            (0, ""),
            "{profile}: {run:?}"
        );
        assert!(
            answers(&run).iter().all(|answer| *answer == "yes"),
            "{run:?}"
        );
        let flags = ["--serviceaccount", &account, "-o", "json"];
        let report = check(&server, profile, &flags).json();
        assert_eq!(
            (
                &report["kind"],
                &report["profile"],
                &report["verdict"],
                &report["findings"]
            ),
            (
                &json!("RbacReport"),
                &json!(profile),
                &json!("sufficient"),
                &json!([])
            )
        );
    }
}

#[test]
fn what_is_denied_is_told_with_the_rules_and_the_command_that_makes_them() {
    let server = server();
    let flags = ["--serviceaccount", "kubernaut-system:gc"];
    let run = check(&server, "gwlock-gc", &flags);
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (
            1,
            "ALLOWED   VERB     RESOURCE                     NAMESPACE          NEED     FOR\n\
             no        list     leases.coordination.k8s.io   kubernaut-system   needed   find leases\n\
             no        get      leases.coordination.k8s.io   kubernaut-system   needed   see who holds a lease\n\
             no        delete   leases.coordination.k8s.io   kubernaut-system   needed   release a lease, and remove one that has expired\n",
            "error: insufficient: system:serviceaccount:kubernaut-system:gc lacks 3 of the 3 permissions of gwlock-gc\n\
             hint: the rules that are missing:\n  apiVersion: rbac.authorization.k8s.io/v1\n  kind: Role\n  metadata:\n    \
             name: gwlock\n    namespace: kubernaut-system\n  rules:\n  # get: to see who holds a lease\n  \
             # list: to find leases\n  # delete: to release a lease, and remove one that has expired\n  \
             - apiGroups: [\"coordination.k8s.io\"]\n    resources: [\"leases\"]\n    \
             verbs: [\"get\", \"list\", \"delete\"]\n\
             hint: gwlock rbac generate --profile gwlock-gc --namespace kubernaut-system --serviceaccount gc   # all that is needed\n"
        )
    );
    let report = check(
        &server,
        "gwlock-gc",
        &[&flags[..], &["-o", "json"]].concat(),
    )
    .json();
    assert_eq!(report["verdict"], "insufficient");
    let finding = &report["findings"][0];
    assert_eq!(
        (
            &finding["class"],
            &finding["verb"],
            &finding["group"],
            &finding["resource"]
        ),
        (
            &json!("missing"),
            &json!("list"),
            &json!("coordination.k8s.io"),
            &json!("leases")
        )
    );
}

#[test]
fn a_resource_that_is_not_served_is_no_yes_for_whoever_may_do_everything() {
    let server = Server::start();
    let run = check(&server, "gwlock-readonly", &[]);
    assert_eq!(run.code, 1, "{run:?}");
    // Six of leases and pods, two of RemediationRequests, and two of Events and nodes.
    let mut expected = ["yes"; 10];
    expected[6..8].fill("no such resource");
    assert_eq!(answers(&run), expected, "{run:?}");
    assert!(
        run.stderr.starts_with(
            "error: there is no resource remediationrequests.kubernaut.ai in this cluster\n"
        ),
        "{run:?}"
    );
}

#[test]
fn a_question_without_an_answer_is_not_answered_with_no() {
    let server = server();
    let broken = Fault::new(Action::Refuse {
        status: 500,
        retry_after: None,
    });
    server.inject(broken.resource("selfsubjectaccessreviews"));
    let run = check(&server, "gwlock-gc", &[]);
    assert_eq!(
        (run.code, answers(&run)),
        (69, vec!["unknown"; 3]),
        "{run:?}"
    );
    let words = "error: nobody knows whether list leases.coordination.k8s.io is allowed in namespace kubernaut-system: ";
    assert!(run.stderr.starts_with(words), "{run:?}");
    assert!(
        run.stderr.contains(
            "\nerror: unknown: 3 of the 3 permissions of gwlock-gc could not be asked for\n"
        ),
        "{run:?}"
    );
}

#[test]
fn a_server_that_is_busy_is_asked_again() {
    let server = server();
    let busy = Fault::new(Action::Refuse {
        status: 429,
        retry_after: Some(1),
    });
    server.inject(busy.resource("selfsubjectaccessreviews").times(3));
    let run = check(&server, "gwlock-gc", &[]);
    assert_eq!((run.code, answers(&run)), (0, vec!["yes"; 3]), "{run:?}");
    assert_eq!(server.count_of("create", "selfsubjectaccessreviews"), 6);
}

#[test]
fn who_may_not_ask_for_others_is_told_the_rule() {
    let server = server();
    let check = ["rbac", "check", "--live", "--profile", "gwlock-gc"];
    let others = [check.as_slice(), &["--serviceaccount", "a:b"]].concat();
    let run = server.gwlock_as("viewer", &others).run();
    assert_eq!(
        (run.code, answers(&run)),
        (77, vec!["unknown"; 3]),
        "{run:?}"
    );
    let rule = "hint: the rule that is missing:\n  apiVersion: rbac.authorization.k8s.io/v1\n  kind: ClusterRole\n  \
                metadata:\n    name: gwlock\n  rules:\n  # to find out what somebody else may do\n  \
                - apiGroups: [\"authorization.k8s.io\"]\n    resources: [\"subjectaccessreviews\"]\n    \
                verbs: [\"create\"]\n";
    assert!(run.stderr.ends_with(rule), "{run:?}");
    assert!(run.stderr.contains("error: unknown: 3 of the 3"), "{run:?}");
}

#[test]
fn somebody_else_is_asked_for_under_as_and_told_what_grants_it() {
    let server = server();
    let bob = json!({"kind": "User", "name": "bob"});
    let rule = json!({
        "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "list"],
    });
    bind(&server, "looks", &rule, &bob);
    let run = check(&server, "gwlock-gc", &["--as", "bob", "--why"]);
    assert_eq!(
        (run.code, answers(&run)),
        (1, vec!["yes", "yes", "no"]),
        "{run:?}"
    );
    let row = run.stdout.lines().nth(1).unwrap();
    assert!(
        row.ends_with("ClusterRoleBinding \"looks\" of ClusterRole \"looks\" to User \"bob\""),
        "{row}"
    );
    assert!(
        run.stderr.contains("bob lacks 1 of the 3 permissions"),
        "{run:?}"
    );
    // He may not list roles, so that nothing is said of too much, and that is said.
    let words = "warning: not compared with what is granted, because clusterroles, clusterrolebindings, roles, \
                 rolebindings cannot be listed: ";
    assert!(run.stderr.starts_with(words), "{run:?}");
    assert!(
        run.stderr.contains(
            "    resources: [\"roles\", \"rolebindings\", \"clusterroles\", \"clusterrolebindings\"]\n    verbs: [\"list\"]\n"
        ),
        "{run:?}"
    );
}

#[test]
fn what_is_granted_and_not_needed_is_found_in_the_cluster() {
    let server = server();
    apply(&server, "gwlock-gc");
    let flags = ["--serviceaccount", "kubernaut-system:gwlock-gc"];
    let rule = json!({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]});
    bind(&server, "curious", &rule, &account("gwlock-gc"));
    let run = check(&server, "gwlock-gc", &flags);
    assert_eq!((run.code, answers(&run)), (1, vec!["yes"; 3]), "{run:?}");
    let rows: Vec<&str> = run.stdout.lines().skip(5).collect();
    let [header, finding] = rows.as_slice() else {
        panic!("{run:?}");
    };
    assert!(
        header.starts_with("CLASS       OBJECT                FINDING"),
        "{header}"
    );
    assert!(
        finding.starts_with(
            "excessive   ClusterRole curious   ClusterRole curious grants get of secrets"
        ),
        "{finding}"
    );
    assert_eq!(
        run.stderr,
        "error: system:serviceaccount:kubernaut-system:gwlock-gc has all that gwlock-gc asks, and 1 finding beside\n\
         hint: --fail-on missing ends with 0 for that\n"
    );
    let lenient = [&flags[..], &["--fail-on", "missing"]].concat();
    assert_eq!(check(&server, "gwlock-gc", &lenient).code, 0);
    let report = check(
        &server,
        "gwlock-gc",
        &[&flags[..], &["-o", "json"]].concat(),
    )
    .json();
    assert_eq!(
        (&report["verdict"], &report["findings"][0]["object"]),
        (&json!("sufficient"), &json!("ClusterRole curious"))
    );
}

#[test]
fn a_program_of_ones_own_is_generated_for_and_checked_by_its_file() {
    let server = server();
    let file = server.path("backup.yaml");
    let program = "name: backup\nrequirements:\n- group: coordination.k8s.io\n  resource: leases\n  \
                   verbs: [get, create]\n  scope: lock\n  why: hold the lock of a backup\n";
    std::fs::write(&file, program).unwrap();
    let generate = ["rbac", "generate", "--profile-file", &file];
    let run = Gwlock::new(&generate).run();
    assert_eq!(run.code, 0, "{run:?}");
    let rule = "# get: to hold the lock of a backup\n# create: to hold the lock of a backup\n\
                - apiGroups: [\"coordination.k8s.io\"]\n  resources: [\"leases\"]\n  verbs: [\"get\", \"create\"]\n";
    assert!(run.stdout.contains(rule), "{run:?}");
    let own = [
        "--profile-file",
        &file,
        "--serviceaccount",
        "kubernaut-system:backup",
    ];
    let offline = [&["rbac", "check", "-f", "-"], own.as_slice()].concat();
    let checked = Gwlock::new(&offline).stdin(&run.stdout).run();
    assert_eq!(checked.code, 0, "{checked:?}");
    let live = [&["rbac", "check", "--live"], own.as_slice()].concat();
    let live = server.gwlock(&live).run();
    let hint = format!(
        "hint: gwlock rbac generate --profile-file {file} --namespace kubernaut-system --serviceaccount backup   \
         # all that is needed\n"
    );
    assert_eq!(
        (live.code, live.stderr.ends_with(&hint)),
        (1, true),
        "{live:?}"
    );
}

#[test]
fn the_leases_of_an_account_are_looked_for_where_it_is() {
    let server = server();
    let place = |flags: &[&str]| {
        let flags = [&["--serviceaccount", "elsewhere:gc", "-o", "json"], flags].concat();
        let report = check(&server, "gwlock-readonly", &flags).json();
        let namespace = |verb: &str, resource: &str| {
            let answers = report["answers"].as_array().unwrap();
            let answer = answers
                .iter()
                .find(|answer| answer["verb"] == verb && answer["resource"] == resource);
            answer.unwrap()["namespace"].as_str().unwrap().to_owned()
        };
        (
            namespace("get", "leases"),
            namespace("list", "remediationrequests"),
        )
    };
    let both = |leases: &str, requests: &str| (leases.to_owned(), requests.to_owned());
    assert_eq!(place(&[]), both("elsewhere", "elsewhere"));
    assert_eq!(place(&["-n", "locks"]), both("locks", "locks"));
    assert_eq!(
        place(&[
            "--lock-namespace",
            "locks",
            "--controller-namespace",
            "requests"
        ]),
        both("locks", "requests")
    );
}

#[test]
fn files_and_the_cluster_are_never_taken_for_each_other() {
    let server = server();
    for (flags, expected) in [
        ([].as_slice(), "--filename <PATH>"),
        (&["--live", "-f", "deploy"], "cannot be used with"),
        (&["--why", "-f", "deploy"], "cannot be used with"),
        (&["--live", "--against", "deploy"], "cannot be used with"),
        (&["--live", "-o", "sarif"], "these formats name files"),
        (&["--live", "--serviceaccount", "x"], "is no ServiceAccount"),
    ] {
        let run = server.gwlock(&[&["rbac", "check"], flags].concat()).run();
        assert_eq!(run.code, 2, "{flags:?}: {run:?}");
        assert!(run.stderr.contains(expected), "{flags:?}: {run:?}");
    }
    assert_eq!(server.count_of("create", "selfsubjectaccessreviews"), 0);
}

#[test]
fn names_that_no_api_server_takes_are_not_written_into_manifests() {
    for flags in [
        ["--serviceaccount", "A"],
        ["--controller-namespace", "a\nb"],
        ["--namespace", "a b"],
    ] {
        let arguments = [
            &["rbac", "generate", "--profile", "gwlock-run"],
            flags.as_slice(),
        ]
        .concat();
        let run = Gwlock::new(&arguments).run();
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (2, ""),
            "{flags:?}: {run:?}"
        );
    }
}

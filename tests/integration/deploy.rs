//! The manifests in `deploy/` fit the code: their roles are what is generated, and their ports and probes what `serve` has.

use std::fs;
use std::path::Path;

#[cfg(feature = "serve")]
use serde_json::{Value, json};

use crate::fixture::Gwlock;

fn text(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    fs::read_to_string(folder.join(name)).unwrap()
}

fn generated(profile: &str) -> String {
    let run = Gwlock::new(&["rbac", "generate", "--profile", profile]).run();
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    run.stdout
}

#[test]
fn roles_are_those_that_are_generated() {
    assert_eq!(text("serve/rbac.yaml"), generated("gwlock-serve"));
    assert_eq!(text("operator.yaml"), generated("gwlock-operator"));
    let (_, collects) = generated("gwlock-gc")
        .split_once('\n')
        .map(|(title, rest)| (title.to_owned(), rest.to_owned()))
        .unwrap();
    assert!(text("gc-cronjob.yaml").contains(&collects));
}

#[cfg(feature = "serve")]
#[test]
fn a_replica_is_told_who_and_where_it_is_and_probed_where_it_answers() {
    let deployment: Value = serde_yaml::from_str(&text("serve/deployment.yaml")).unwrap();
    let pod = &deployment["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let field = |path: &str| json!({"fieldRef": {"fieldPath": path}});
    assert_eq!(
        container["env"],
        json!([
            {"name": "POD_NAME", "valueFrom": field("metadata.name")},
            {"name": "POD_NAMESPACE", "valueFrom": field("metadata.namespace")},
        ])
    );
    // The ports are the defaults in the help.
    let help = Gwlock::new(&["serve", "--help"]).run().stdout;
    for (number, (name, flag)) in [
        ("signals", "--bind-address"),
        ("probes", "--health-probe-bind-address"),
        ("metrics", "--metrics-bind-address"),
    ]
    .into_iter()
    .enumerate()
    {
        let port = &container["ports"][number];
        assert_eq!(port["name"], name);
        let (_, rest) = help.split_once(&format!(" {flag} ")).unwrap();
        let (_, rest) = rest.split_once("[default: :").unwrap();
        let (default, _) = rest.split_once(']').unwrap();
        assert_eq!(
            port["containerPort"],
            json!(default.parse::<u16>().unwrap())
        );
    }
    for (probe, path) in [
        ("startupProbe", "/healthz"),
        ("livenessProbe", "/healthz"),
        ("readinessProbe", "/readyz"),
    ] {
        let get = json!({"path": path, "port": "probes"});
        assert_eq!(container[probe]["httpGet"], get, "{probe}");
    }
    assert_eq!(container["args"], json!(["serve"]));
    assert_eq!(pod["serviceAccountName"], "gwlock-serve");
}

#[test]
fn the_manifests_grant_each_program_what_it_asks_and_no_more() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let folder = folder.to_str().unwrap();
    for (profile, flags) in [
        ("gwlock-serve", ["--workload", "Deployment/gwlock-serve"]),
        ("gwlock-gc", ["--workload", "CronJob/gwlock-gc"]),
        (
            "gwlock-operator",
            ["--serviceaccount", "kubernaut-system:gwlock-operator"],
        ),
    ] {
        let check = ["rbac", "check", "-f", folder, "--profile", profile];
        let run = Gwlock::new(&[check.as_slice(), &flags].concat()).run();
        assert_eq!(run.code, 0, "{profile}: {run:?}");
        assert!(run.stdout.contains("no findings"), "{profile}: {run:?}");
    }
}

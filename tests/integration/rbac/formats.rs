//! What other programs read: SARIF, JUnit, annotations, JSON.

use std::collections::HashSet;
use std::fs;

use serde_json::Value;

use super::{check, corpus, gwlock};

const JANUARY: [&str; 2] = ["--gateway-version", "january"];

fn printed(name: &str, format: &str) -> String {
    let run = check(&["-f", name, JANUARY[0], JANUARY[1], "-o", format]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    run.stdout
}

#[test]
fn sarif_has_a_rule_and_a_place_for_each_finding() {
    let sarif: Value = serde_json::from_str(&printed("missing/subresource.yaml", "sarif")).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let ids: HashSet<&str> = rules
        .iter()
        .map(|rule| rule["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), rules.len());
    let results = run["results"].as_array().unwrap();
    let places: Vec<(&str, &str, &str, u64)> = results
        .iter()
        .map(|result| {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
            let place = &result["locations"][0]["physicalLocation"];
            (
                result["ruleId"].as_str().unwrap(),
                result["level"].as_str().unwrap(),
                place["artifactLocation"]["uri"].as_str().unwrap(),
                place["region"]["startLine"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        places,
        [
            ("wrong-resource", "error", "missing/subresource.yaml", 13),
            ("unneeded-verb", "warning", "missing/subresource.yaml", 14),
        ]
    );
}

#[test]
fn junit_has_a_failure_for_what_is_failed_for() {
    let text = printed("missing/subresource.yaml", "junit");
    assert!(
        text.contains(
            "<testsuites name=\"gwlock rbac check\" tests=\"2\" failures=\"2\" errors=\"0\">"
        ),
        "{text}"
    );
    assert!(text.contains("<testcase classname=\"gwlock.rbac.missing\" name=\"wrong-resource at missing/subresource.yaml:13\""), "{text}");
    let run = check(&[
        "-f",
        "missing/subresource.yaml",
        JANUARY[0],
        JANUARY[1],
        "-o",
        "junit",
        "--fail-on",
        "missing",
    ]);
    assert_eq!(run.code, 1);
    assert_eq!(run.stdout.matches("<failure ").count(), 1);
    assert_eq!(run.stdout.matches("<system-out>").count(), 1);
    let names = run
        .stdout
        .matches("&quot;remediationrequests&quot;")
        .count();
    assert_eq!(names, 1, "{}", run.stdout);
}

#[test]
fn annotations_are_one_line_each() {
    let text = printed("missing/subresource.yaml", "github");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(
        lines[0].starts_with(
            "::error file=missing/subresource.yaml,line=13,title=missing%3A wrong-resource::ServiceAccount \
             kubernaut-system/gateway may not update remediationrequests/status.kubernaut.ai"
        ),
        "{text}"
    );
    assert!(
        lines[0].contains("%0A- apiGroups: [\"kubernaut.ai\"]%0A"),
        "{text}"
    );
    let run = check(&[
        "-f",
        "excessive/secrets.yaml",
        JANUARY[0],
        JANUARY[1],
        "-o",
        "github",
        "--fail-on",
        "missing",
    ]);
    assert_eq!(run.code, 0);
    assert!(
        run.stdout
            .starts_with("::warning file=excessive/secrets.yaml,line=13,"),
        "{}",
        run.stdout
    );
}

#[test]
fn json_has_exactly_the_documented_fields() {
    let report: Value = serde_json::from_str(&printed("missing/rule-absent.yaml", "json")).unwrap();
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(
        keys(&report),
        ["apiVersion", "findings", "kind", "profile", "verdict"]
    );
    assert_eq!(
        keys(&report["findings"][0]),
        [
            "class",
            "document",
            "file",
            "fix",
            "group",
            "line",
            "message",
            "namespace",
            "resource",
            "rule",
            "verb"
        ]
    );
    let yaml = printed("missing/rule-absent.yaml", "yaml");
    assert!(
        yaml.contains("kind: RbacReport") && yaml.contains("verdict: insufficient"),
        "{yaml}"
    );
    let path = printed(
        "missing/rule-absent.yaml",
        "jsonpath={.findings[0].resource}",
    );
    assert_eq!(path, "leases");
}

#[test]
fn stdin_is_read_once_and_named() {
    let text = fs::read_to_string(corpus().join("missing/rule-absent.yaml")).unwrap();
    let run = gwlock(&["-f", "-", JANUARY[0], JANUARY[1]])
        .stdin(&text)
        .run();
    assert!(
        run.stdout.starts_with("<stdin>:8: missing: "),
        "{}",
        run.stdout
    );
    let twice = gwlock(&["-f", "-", "--against", "-"]).stdin(&text).run();
    assert_eq!(twice.code, 2, "{}", twice.stderr);
}

#[test]
fn nothing_to_check_is_a_mistake_of_whoever_calls() {
    for arguments in [
        &[][..],
        &["-f", ""],
        &["-f", "clean/plain.yaml", "-o", "wide"],
    ] {
        let run = check(arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
    }
    for arguments in [
        &["-f", "clean/plain.yaml", "--workload", "gateway"][..],
        &["-f", "clean/plain.yaml", "--serviceaccount", "gateway"],
        &["-f", "clean/plain.yaml", "--subject", "jane"],
        &["-f", "clean/plain.yaml", "--profile", "nothing"],
    ] {
        assert_eq!(check(arguments).code, 2, "{arguments:?}");
    }
}

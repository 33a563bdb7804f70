//! Each manifest of the corpus with all that is found in it.
//!
//! `# flags:` in a manifest's second line are those that it is checked with. What is expected stands beside it as JSON;
//! what is in `clean` has no finding. `GWLOCK_BLESS=1 cargo test --test integration corpus` writes the JSON anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{check, corpus};

/// The manifests of a folder, by name.
fn manifests(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(corpus().join(folder)).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".yaml") || name == "json.json")
        .map(|name| format!("{folder}/{name}"))
        .collect();
    names.sort();
    assert!(!names.is_empty(), "{folder} is empty");
    names
}

/// The flags of a manifest. JSON has no comments.
fn flags(name: &str) -> Vec<String> {
    let text = fs::read_to_string(corpus().join(name)).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("# flags:"));
    let words = line.unwrap_or("--gateway-version january");
    words.split_whitespace().map(str::to_owned).collect()
}

/// What `-o json` prints of a manifest, and how it ends.
fn report(name: &str) -> (i32, Value) {
    let flags = flags(name);
    let mut arguments = vec!["-f", name, "-o", "json"];
    arguments.extend(flags.iter().map(String::as_str));
    let run = check(&arguments);
    let report = serde_json::from_str(&run.stdout);
    (
        run.code,
        report.unwrap_or_else(|error| panic!("{name}: {error}: {}", run.stderr)),
    )
}

fn is_blessing() -> bool {
    std::env::var_os("GWLOCK_BLESS").is_some_and(|value| value == "1")
}

fn compare(folder: &str) {
    let mut wrong = Vec::new();
    for name in manifests(folder) {
        let (code, report) = report(&name);
        let findings = report["findings"].as_array().unwrap();
        assert_eq!(code, i32::from(!findings.is_empty()), "{name}");
        let path = corpus().join(&name).with_extension("json");
        let text = format!("{}\n", serde_json::to_string_pretty(&report).unwrap());
        if is_blessing() {
            fs::write(&path, text).unwrap();
        } else if fs::read_to_string(&path).unwrap_or_default() != text {
            wrong.push(format!("{name}: {text}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "GWLOCK_BLESS=1 cargo test --test integration corpus; {}",
        wrong.join("\n")
    );
}

#[test]
fn what_is_missing_is_found_with_its_cause() {
    compare("missing");
}

#[test]
fn what_never_matches_is_found() {
    compare("never");
}

#[test]
fn what_is_too_much_is_found() {
    compare("excessive");
}

#[test]
fn what_is_wrong_with_a_workload_is_found() {
    compare("workload");
}

#[test]
fn programs_and_subjects_are_chosen_by_flags() {
    compare("profiles");
}

#[test]
fn what_is_right_has_no_finding() {
    let mut wrong = Vec::new();
    for name in manifests("clean") {
        let (code, report) = report(&name);
        let findings = report["findings"].as_array().unwrap();
        if code != 0 || report["verdict"] != "sufficient" || !findings.is_empty() {
            wrong.push(format!("{name}: {report:#}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_finding_there_is_has_a_manifest() {
    let mut found = BTreeSet::new();
    for folder in ["missing", "never", "excessive", "workload"] {
        for name in manifests(folder) {
            let path = corpus().join(&name).with_extension("json");
            let report: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
            for finding in report["findings"].as_array().unwrap() {
                let (class, rule) = (&finding["class"], &finding["rule"]);
                found.insert((
                    class.as_str().unwrap().to_owned(),
                    rule.as_str().unwrap().to_owned(),
                ));
            }
        }
    }
    let run = check(&["-f", "clean/plain.yaml", "-o", "sarif"]);
    let sarif: Value = serde_json::from_str(&run.stdout).unwrap();
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array();
    let all: BTreeSet<(String, String)> = rules
        .unwrap()
        .iter()
        .map(|rule| {
            let class = rule["properties"]["tags"][1].as_str().unwrap();
            (class.to_owned(), rule["id"].as_str().unwrap().to_owned())
        })
        // Two sets are compared elsewhere.
        .filter(|(_, rule)| !rule.starts_with("parity"))
        .collect();
    assert_eq!(found, all);
}

#[test]
fn a_line_of_a_finding_is_the_line_of_the_word() {
    for (name, line) in [
        (
            "missing/verb-absent.yaml",
            "  verbs: [\"get\", \"create\", \"update\"]",
        ),
        (
            "missing/wrong-api-group.yaml",
            "- apiGroups: [\"remediation.kubernaut.ai\"]",
        ),
        ("never/misspelt-resource.yaml", "  resources: [\"lease\"]"),
        ("excessive/unneeded-resources.yaml", "  - configmaps"),
        (
            "workload/namespace-differs.yaml",
            "        - name: POD_NAMESPACE",
        ),
        (
            "workload/no-token.yaml",
            "      automountServiceAccountToken: false",
        ),
        ("missing/other-account.yaml", "  name: gateway"),
    ] {
        let (_, report) = report(name);
        let at = report["findings"][0]["line"].as_u64().unwrap();
        let text = fs::read_to_string(corpus().join(name)).unwrap();
        let found = text.lines().nth(usize::try_from(at).unwrap() - 1);
        assert_eq!(found, Some(line), "{name}:{at}");
    }
}

/// Applies the fixes of `fix` that are whole manifests, and finds nothing more.
#[test]
fn a_role_that_is_given_as_a_fix_is_one() {
    for name in [
        "missing/nothing-bound.yaml",
        "missing/role-absent-alone.yaml",
        "missing/not-bound.yaml",
    ] {
        let (_, report) = report(name);
        let fix = report["findings"][0]["fix"].as_str().unwrap();
        let manifest = fs::read_to_string(corpus().join(name)).unwrap();
        let fixed = format!("{manifest}\n---\n{fix}\n");
        let run = super::gwlock(&["-f", "-", "--gateway-version", "january"])
            .stdin(&fixed)
            .run();
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{name}: {fixed}");
    }
}

#[test]
fn a_large_file_is_read_whole() {
    let plain = fs::read_to_string(corpus().join("clean/list.yaml")).unwrap();
    let mut text = plain;
    let mut number = 0;
    while text.len() < 5 * 1024 * 1024 {
        number += 1;
        text.push_str(&format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: map-{number}\n  namespace: prod\ndata:\n  \
             text: |\n    {}\n  other: {{a: [1, 2, {{b: \"c\"}}]}}\n",
            "words and words ".repeat(20)
        ));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.yaml");
    fs::write(&path, text).unwrap();
    let run = check(&["-f", path.to_str().unwrap(), "--gateway-version", "january"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let expected = format!(
        "sufficient for gateway: no findings in {} objects in 1 file\n",
        number + 3
    );
    assert_eq!(run.stdout, expected);
}

#[test]
fn a_folder_is_read_with_all_that_is_below_it() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let plain = fs::read_to_string(corpus().join("clean/list.yaml")).unwrap();
    let base = fs::read_to_string(corpus().join("missing/rule-absent.yaml")).unwrap();
    let documents: Vec<&str> = base.split("---\n").collect();
    write("base/b/role.yml", documents[0]);
    write("base/binding.yaml", documents[1]);
    write("base/a/deployment.yaml", documents[2]);
    write("base/kustomization.yaml", "resources: [binding.yaml]\n");
    write("base/.hidden/other.yaml", &plain);
    write("base/readme.txt", "no manifest");
    std::os::unix::fs::symlink(folder.path().join("base"), folder.path().join("base/loop"))
        .unwrap();
    let run = super::Gwlock::new(&[
        "rbac",
        "check",
        "-f",
        "base",
        "--gateway-version",
        "january",
    ])
    .folder(Path::new(folder.path()))
    .run();
    assert_eq!(run.code, 1);
    let first = run.stdout.lines().next().unwrap();
    assert!(
        first.starts_with("base/b/role.yml:8: missing: ServiceAccount kubernaut-system/gateway may not get, create"),
        "{first}"
    );
    assert_eq!(
        run.stderr,
        "base/kustomization.yaml is not applied: kustomize build base | gwlock rbac check -f -\n\
         error: insufficient for gateway: 1 missing in 3 objects in 3 files\n"
    );
}

#[test]
fn what_kubectl_would_do_silently_is_noted() {
    let run = check(&[
        "-f",
        "clean/duplicate-keys.yaml",
        "--gateway-version",
        "january",
    ]);
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (
            0,
            "clean/duplicate-keys.yaml:12: verbs is given twice; the last one counts, as it does for kubectl\n"
        )
    );
}

#[test]
fn a_stream_of_json_is_read_value_by_value() {
    let list = fs::read_to_string(corpus().join("clean/json.json")).unwrap();
    let list: Value = serde_json::from_str(&list).unwrap();
    let mut objects: Vec<String> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(Value::to_string)
        .collect();
    let flags = ["-f", "-", "--gateway-version", "january"];
    for separator in ["", "\n", "\n\n  "] {
        let run = super::gwlock(&flags).stdin(&objects.join(separator)).run();
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{separator:?}");
    }
    objects[2] = objects[2].replace("\"gateway\",\"namespace\"", "5,\"namespace\"");
    let column = objects[2].find("5,\"namespace\"").unwrap() + 1;
    let run = super::gwlock(&flags).stdin(&objects.join("\n")).run();
    assert!(
        run.stderr
            .starts_with(&format!("error: <stdin>:3:{column}: name is a number")),
        "{}",
        run.stderr
    );
    let one_line = column + objects[0].chars().count() + objects[1].chars().count();
    let run = super::gwlock(&flags).stdin(&objects.concat()).run();
    assert!(
        run.stderr
            .starts_with(&format!("error: <stdin>:1:{one_line}: name is a number")),
        "{}",
        run.stderr
    );
}

//! Two sets of manifests side by side.

use std::fs;

use serde_json::{Value, json};

use super::{check, corpus};

/// A set under another name, with something changed.
fn changed(folder: &tempfile::TempDir, name: &str, changes: &[(&str, &str)]) -> String {
    let mut text = fs::read_to_string(corpus().join("clean/list.yaml")).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn findings(production: &str, others: &[&str]) -> (i32, Vec<Value>) {
    let mut arguments = vec![
        "-f",
        production,
        "--gateway-version",
        "january",
        "-o",
        "json",
    ];
    for other in others {
        arguments.extend(["--against", other]);
    }
    let run = check(&arguments);
    let report: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.stderr));
    let findings = report["findings"].as_array().unwrap().iter();
    let brief = |finding: &Value| {
        let file = finding["file"].as_str().unwrap().rsplit('/').next();
        json!([
            finding["rule"],
            file,
            finding["line"],
            finding["resource"],
            finding["verb"]
        ])
    };
    (run.code, findings.map(brief).collect())
}

#[test]
fn the_same_in_another_namespace_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let production = changed(&folder, "production.yaml", &[]);
    let test = changed(&folder, "test.yaml", &[("kubernaut-system", "e2e")]);
    assert_eq!(findings(&production, &[&test]), (0, Vec::new()));
}

#[test]
fn what_only_one_of_them_grants_is_found_in_both_directions() {
    let folder = tempfile::tempdir().unwrap();
    let production = changed(&folder, "production.yaml", &[]);
    let lacks = changed(
        &folder,
        "lacks.yaml",
        &[
            ("resources: [\"leases\"]", "resources: [\"leases/x\"]"),
            ("kubernaut-system", "e2e"),
        ],
    );
    let more = changed(
        &folder,
        "more.yaml",
        &[(
            "\"update\", \"delete\"]",
            "\"update\", \"delete\", \"patch\"]",
        )],
    );
    let (code, found) = findings(&production, &[&lacks, &more]);
    assert_eq!(code, 1);
    assert_eq!(
        found,
        [
            // In the order of the files.
            json!([
                "parity-extra",
                "lacks.yaml",
                16,
                "leases/x",
                "get,create,update,delete"
            ]),
            json!([
                "parity",
                "lacks.yaml",
                48,
                "leases",
                "get,create,update,delete"
            ]),
            json!(["parity-extra", "more.yaml", 16, "leases", "patch"]),
        ]
    );
    let (code, found) = findings(&lacks, &[&production]);
    assert_eq!(code, 1);
    let rules: Vec<&str> = found.iter().map(|it| it[0].as_str().unwrap()).collect();
    assert_eq!(
        rules,
        ["wrong-resource", "unneeded-resource", "parity-extra"]
    );
}

#[test]
fn a_missing_twin_makes_the_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let production = changed(&folder, "production.yaml", &[]);
    let test = changed(
        &folder,
        "test.yaml",
        &[("\"update\", \"delete\"]", "\"update\"]")],
    );
    let run = check(&[
        "-f",
        &production,
        "--against",
        &test,
        "--gateway-version",
        "january",
        "--fail-on",
        "missing",
    ]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr
            .contains("insufficient for gateway: 1 missing in 3 objects in 2 files"),
        "{}",
        run.stderr
    );
    let excessive = check(&[
        "-f",
        &production,
        "--against",
        &test,
        "--gateway-version",
        "january",
        "--fail-on",
        "excessive",
    ]);
    assert_eq!(excessive.code, 0);
}

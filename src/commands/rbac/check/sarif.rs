//! Findings as SARIF 2.1.0, which code hosts show beside the lines.

use serde_json::{Value, json};

use super::report::Report;
use crate::rbac::finding::{Finding, Kind};

pub(super) fn value(report: &Report) -> Value {
    let rules = Kind::ALL.map(|kind| {
        json!({
            "id": kind.as_str(),
            "shortDescription": {"text": format!("{}.", kind.meaning())},
            "properties": {"tags": ["rbac", kind.class().as_str()]},
        })
    });
    let results: Vec<Value> = report.findings().iter().map(result).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "gwlock",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "results": results,
        }],
    })
}

fn result(finding: &Finding) -> Value {
    let kind = finding.kind;
    let rule = Kind::ALL.iter().position(|other| *other == kind);
    json!({
        "ruleId": kind.as_str(),
        "ruleIndex": rule,
        "level": if finding.blocks { "error" } else { "warning" },
        "message": {"text": format!("{}\n\n{}", finding.message, finding.fix)},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri(&finding.place.file)},
            "region": {"startLine": finding.place.line},
        }}],
    })
}

/// A path as the reference of a URI.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.strip_prefix("./").unwrap_or(path).bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    if uri.starts_with('/') {
        format!("file://{uri}")
    } else {
        uri
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_the_reference_of_a_uri() {
        for (path, expected) in [
            ("deploy/rbac.yaml", "deploy/rbac.yaml"),
            ("./a b/é.yaml", "a%20b/%C3%A9.yaml"),
            ("/srv/x.yaml", "file:///srv/x.yaml"),
            ("<stdin>", "%3Cstdin%3E"),
        ] {
            assert_eq!(uri(path), expected);
        }
    }
}

//! What is printed of a check: text, JSON and YAML. The formats of other programs have files of their own.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::FailOn;
use crate::output::API_VERSION;
use crate::output::escape::escape_line;
use crate::rbac::finding::{Class, Finding};
use crate::rbac::judge::Judged;

/// A check that has been made.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) profile: String,
    pub(super) judged: Judged,
    pub(super) fail_on: FailOn,
    /// How much was looked at: `12 objects in 3 files`.
    pub(super) extent: String,
}

impl Report {
    pub(super) fn findings(&self) -> &[Finding] {
        &self.judged.findings
    }

    /// Whether a finding is one to fail for.
    pub(super) fn fails_for(&self, finding: &Finding) -> bool {
        self.fail_on.is_about(finding)
    }

    pub(super) fn fails(&self) -> bool {
        self.findings()
            .iter()
            .any(|finding| self.fails_for(finding))
    }

    pub(super) fn verdict(&self) -> &'static str {
        if self.judged.is_sufficient() {
            "sufficient"
        } else {
            "insufficient"
        }
    }

    pub(super) fn value(&self) -> Value {
        let finding = |finding: &Finding| {
            json!({
                "class": finding.kind.class().as_str(),
                "rule": finding.kind.as_str(),
                "group": finding.group,
                "resource": finding.resource,
                "verb": finding.verb,
                "namespace": finding.namespace,
                "file": finding.place.file.as_ref(),
                "document": finding.place.document,
                "line": finding.place.line,
                "message": finding.message,
                "fix": finding.fix,
            })
        };
        json!({
            "apiVersion": API_VERSION,
            "kind": "RbacReport",
            "profile": self.profile,
            "verdict": self.verdict(),
            "findings": self.findings().iter().map(finding).collect::<Vec<_>>(),
        })
    }

    /// A line for each finding as compilers write it, and what to do below it.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for finding in self.findings() {
            let (place, class) = (&finding.place, finding.kind.class().as_str());
            let message = escape_line(&finding.message);
            // Writing into memory cannot fail.
            let _ = writeln!(text, "{}:{}: {class}: {message}", place.file, place.line);
            for line in finding.fix.lines() {
                let _ = writeln!(text, "    {}", escape_line(line));
            }
        }
        text
    }

    /// `insufficient for gateway: 2 missing, 1 excessive in 12 objects in 3 files`
    pub(super) fn summary(&self) -> String {
        let counts: Vec<String> = [
            Class::Missing,
            Class::NeverMatches,
            Class::Excessive,
            Class::Workload,
        ]
        .into_iter()
        .filter_map(|class| {
            let of_class = self.findings().iter();
            let count = of_class
                .filter(|finding| finding.kind.class() == class)
                .count();
            (count > 0).then(|| format!("{count} {}", class.as_str()))
        })
        .collect();
        let counts = if counts.is_empty() {
            "no findings".to_owned()
        } else {
            counts.join(", ")
        };
        format!(
            "{} for {}: {counts} in {}",
            self.verdict(),
            self.profile,
            self.extent
        )
    }
}

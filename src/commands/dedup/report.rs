//! Findings as they are printed, each with a command to run next.

use serde::Serialize;
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::gateway::dedup::findings::{Finding, Next, Object};
use crate::output::colour::{self, ATTENTION};
use crate::output::escape::shell_word;
use crate::output::table::Columns;
use crate::output::{self, API_VERSION, OutputError};

/// What was found, and what it was found in.
pub(super) struct Report {
    pub(super) findings: Vec<Finding>,
    pub(super) extent: Extent,
    pub(super) not_looked_at: Option<NotLookedAt>,
    /// How gwlock was called.
    pub(super) program: &'static str,
    /// The flags that choose the cluster, each behind a space.
    pub(super) flags: String,
    /// Where leases are looked for by default.
    pub(super) lease_namespace: String,
}

/// How much was looked at. Fields are sorted.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Extent {
    /// `null` for all.
    pub(super) controller_namespace: Option<String>,
    pub(super) keys: usize,
    /// `null` for all.
    pub(super) lease_namespace: Option<String>,
    /// `null` if they could not be read.
    pub(super) leases: Option<usize>,
    pub(super) remediation_requests: usize,
}

/// Why the leases were not looked at.
#[derive(Debug)]
pub(super) struct NotLookedAt {
    pub(super) reason: String,
    pub(super) namespace: Option<String>,
}

impl Extent {
    /// `3 RemediationRequests of 2 keys and 1 lease`.
    pub(super) fn text(&self) -> String {
        let several = |count: usize, what: &str| {
            let end = if count == 1 { "" } else { "s" };
            format!("{count} {what}{end}")
        };
        let requests = several(self.remediation_requests, "RemediationRequest");
        let keys = several(self.keys, "key");
        match self.leases {
            Some(leases) => format!("{requests} of {keys} and {}", several(leases, "lease")),
            None => format!("{requests} of {keys}"),
        }
    }
}

impl Report {
    pub(super) fn exit(&self) -> Exit {
        if self.findings.is_empty() {
            Exit::Done
        } else {
            Exit::No
        }
    }

    /// What `-o json` prints.
    pub(super) fn value(&self) -> Value {
        let findings = self.findings.iter().map(|finding| {
            let objects = finding.objects.iter().map(|object| {
                let (kind, name) = match object {
                    Object::Request(name) => ("RemediationRequest", name),
                    Object::Lease(name) => ("Lease", name),
                };
                json!({"kind": kind, "name": name})
            });
            json!({
                "class": finding.class,
                "fix": self.fix(finding),
                "key": finding.key,
                "message": finding.message,
                "namespace": finding.namespace,
                "objects": objects.collect::<Vec<_>>(),
            })
        });
        let not_looked_at = self.not_looked_at.iter().map(
            |why| json!({"namespace": why.namespace, "reason": why.reason, "resource": "leases.coordination.k8s.io"}),
        );
        json!({
            "apiVersion": API_VERSION,
            "kind": "DedupReport",
            "verdict": if self.findings.is_empty() { "consistent" } else { "inconsistent" },
            "findings": findings.collect::<Vec<_>>(),
            "lookedAt": self.extent,
            "notLookedAt": not_looked_at.collect::<Vec<_>>(),
        })
    }

    /// The objects of all findings, each once, as kubectl takes them.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for name in self
            .findings
            .iter()
            .flat_map(|finding| &finding.objects)
            .map(resource_name)
        {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    pub(super) fn show_table(
        &self,
        namespaces: bool,
        wide: bool,
        header: bool,
    ) -> Result<(), OutputError> {
        let mut head = vec!["CLASS"];
        if namespaces {
            head.push("NAMESPACE");
        }
        head.extend(["KEY", "OBJECTS", "MEANS"]);
        if wide {
            head.push("FIX");
        }
        let cells = |finding: &Finding| {
            let objects: Vec<String> = finding.objects.iter().map(short_name).collect();
            let mut cells = vec![finding.class.as_str().to_owned()];
            if namespaces {
                cells.push(finding.namespace.clone());
            }
            cells.extend([
                finding.key.clone(),
                objects.join(","),
                finding.message.clone(),
            ]);
            if wide {
                cells.push(self.fix(finding));
            }
            cells
        };
        let mut columns = Columns::new(head, colour::on_stdout());
        for finding in &self.findings {
            columns.measure(&cells(finding));
        }
        output::stream(|out| {
            if header {
                columns.write_header(out)?;
            }
            let rows = self
                .findings
                .iter()
                .map(|finding| (cells(finding), ATTENTION));
            columns.write_all(out, rows)
        })
    }

    /// The command to run next.
    pub(super) fn fix(&self, finding: &Finding) -> String {
        let Self { program, flags, .. } = self;
        let namespace = &finding.namespace;
        let requests = "remediationrequests.kubernaut.ai";
        match &finding.next {
            Next::Delete(names) => {
                let names = names.join(" ");
                format!("kubectl delete {requests} {names} -n {namespace}{flags}")
            }
            Next::Show(names) => {
                let names = names.join(" ");
                format!("kubectl get {requests} {names} -n {namespace} -o yaml{flags}")
            }
            Next::Count(name, patch) => {
                let patch = shell_word(&patch.to_string());
                format!(
                    "kubectl patch {requests} {name} -n {namespace} --subresource=status --type=json -p {patch}{flags}"
                )
            }
            Next::Resolve(target) => format!(
                "{program} resolve {} -n {} --controller-namespace {namespace}{flags}",
                shell_word(target),
                self.lease_namespace
            ),
            Next::Clear(lease) => format!(
                "{program} acquire {lease} -n {namespace} --wait 0 --handle-file {lease}.json{flags} && \
                 {program} release --handle-file {lease}.json{flags} && rm {lease}.json"
            ),
            Next::Inspect(lease) => {
                format!("{program} inspect {lease} -n {namespace} -o wide{flags}")
            }
        }
    }
}

fn resource_name(object: &Object) -> String {
    match object {
        Object::Request(name) => format!("remediationrequest.kubernaut.ai/{name}"),
        Object::Lease(name) => format!("lease.coordination.k8s.io/{name}"),
    }
}

fn short_name(object: &Object) -> String {
    match object {
        Object::Request(name) => name.clone(),
        Object::Lease(name) => format!("lease/{name}"),
    }
}

//! The manifests of a simulation, as values and as YAML.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::rbac::generate::{Manifests, Site};
use crate::rbac::profiles::{self, GatewayVersion};
use crate::sim;

/// What pods of a simulation are granted.
const PROFILE: &str = "gwlock-simulate";
/// Where files are in a pod.
const FOLDER: &str = "/etc/gwlock";
/// What comes before and after the plan: an image that has to be pulled, measuring the clock, the end of every signal.
const AROUND: Duration = Duration::from_secs(900);

/// A simulation on a cluster.
#[derive(Debug)]
pub(super) struct Job<'a> {
    pub(super) name: &'a str,
    pub(super) namespace: &'a str,
    /// Whether the namespace is there.
    pub(super) has_namespace: bool,
    pub(super) image: &'a str,
    pub(super) pods: u32,
    pub(super) fingerprints: u32,
    /// The flags of `gwlock simulate` that say what is played.
    pub(super) words: Vec<String>,
    pub(super) files: Files,
    pub(super) meet_within: Duration,
    /// How long the plan lasts.
    pub(super) lasting: Duration,
}

/// Files that the pods read.
#[derive(Debug, Default)]
pub(super) struct Files(BTreeMap<&'static str, String>);

impl Files {
    pub(super) fn add(&mut self, name: &'static str, text: String) {
        self.0.insert(name, text);
    }

    /// Where a pod finds it.
    pub(super) fn path(name: &str) -> String {
        format!("{FOLDER}/{name}")
    }
}

impl Job<'_> {
    /// How long the Job may take.
    pub(super) fn deadline(&self) -> Duration {
        self.meet_within + self.lasting + AROUND
    }

    /// One stream of documents.
    pub(super) fn yaml(&self) -> Result<String, serde_yaml::Error> {
        let documents: Result<Vec<String>, _> =
            self.objects().iter().map(serde_yaml::to_string).collect();
        Ok(documents?.join("---\n"))
    }

    fn objects(&self) -> Vec<Value> {
        let mut objects = Vec::new();
        if !self.has_namespace {
            let labels = json!({"pod-security.kubernetes.io/enforce": "restricted"});
            objects.push(json!({
                "apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": self.namespace, "labels": labels},
            }));
        }
        objects.extend(self.roles());
        if !self.files.0.is_empty() {
            objects.push(json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": self.metadata(self.name),
                "data": self.files.0,
            }));
        }
        objects.extend((0..self.fingerprints).map(|key| self.subject(key)));
        objects.push(self.job());
        objects
    }

    fn metadata(&self, name: &str) -> Value {
        json!({"name": name, "namespace": self.namespace})
    }

    fn roles(&self) -> Vec<Value> {
        let site = Site {
            leases: self.namespace,
            requests: self.namespace,
            service_account: self.name,
        };
        let program = profiles::find(PROFILE, GatewayVersion::Current);
        let list = program.map(|program| Manifests::of(&program, site, true).list());
        let items = list.and_then(|mut list| list["items"].as_array_mut().map(std::mem::take));
        items.unwrap_or_default()
    }

    /// What signals of a key are about. It runs nothing.
    fn subject(&self, key: u32) -> Value {
        let name = sim::subject(key);
        let labels = json!({"app.kubernetes.io/name": name});
        let container = json!({"name": "none", "image": "none", "securityContext": confined()});
        let pod = json!({"securityContext": unprivileged(), "containers": [container]});
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": self.metadata(&name),
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        })
    }

    fn job(&self) -> Value {
        let labels =
            json!({"app.kubernetes.io/name": PROFILE, "app.kubernetes.io/instance": self.name});
        json!({
            "apiVersion": "batch/v1", "kind": "Job", "metadata": self.metadata(self.name),
            "spec": {
                "completionMode": "Indexed",
                "completions": self.pods,
                "parallelism": self.pods,
                // A member that fails is not played by another one, and the others go on.
                "backoffLimitPerIndex": 0,
                "activeDeadlineSeconds": self.deadline().as_secs(),
                "template": {"metadata": {"labels": labels}, "spec": self.pod(&labels)},
            },
        })
    }

    fn pod(&self, labels: &Value) -> Value {
        // Histories and kubeconfigs are kept there while it runs.
        let mut volumes = vec![json!({"name": "tmp", "emptyDir": {}})];
        let mut mounts = vec![json!({"name": "tmp", "mountPath": "/tmp"})];
        if !self.files.0.is_empty() {
            volumes.push(json!({"name": "files", "configMap": {"name": self.name}}));
            mounts.push(json!({"name": "files", "mountPath": FOLDER, "readOnly": true}));
        }
        let field = |name: &str, path: &str| json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}});
        json!({
            "serviceAccountName": self.name,
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 60,
            "securityContext": unprivileged(),
            "topologySpreadConstraints": [{
                "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": labels},
            }],
            "containers": [{
                "name": PROFILE,
                "image": self.image,
                "args": self.arguments(),
                "env": [
                    field("POD_NAME", "metadata.name"),
                    field("POD_NAMESPACE", "metadata.namespace"),
                    field("MEMBER", "metadata.labels['batch.kubernetes.io/job-completion-index']"),
                    field("RUN", "metadata.labels['batch.kubernetes.io/controller-uid']"),
                ],
                "securityContext": confined(),
                "resources": {
                    "requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "512Mi"},
                },
                "volumeMounts": mounts,
            }],
            "volumes": volumes,
        })
    }

    fn arguments(&self) -> Vec<String> {
        let own = [
            ("--processes", self.pods.to_string()),
            ("--member", "$(MEMBER)".to_owned()),
            ("--run", "$(RUN)".to_owned()),
            ("--job", self.name.to_owned()),
            ("--meet-within", format!("{}s", self.meet_within.as_secs())),
        ];
        let mut arguments = vec!["simulate".to_owned()];
        arguments.extend(
            own.into_iter()
                .flat_map(|(flag, value)| [flag.to_owned(), value]),
        );
        arguments.extend(self.words.iter().cloned());
        arguments.extend(["--on", "cluster", "--yes", "--history", "-"].map(str::to_owned));
        arguments
    }
}

/// What restricted namespaces want of a pod.
fn unprivileged() -> Value {
    json!({"runAsNonRoot": true, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}})
}

/// The same of a container.
fn confined() -> Value {
    json!({
        "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
    })
}

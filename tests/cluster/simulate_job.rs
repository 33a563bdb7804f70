//! `gwlock simulate job` and `collect` on a real API server: what is printed is applied with kubectl, each pod is played by a
//! process with the pod's command, environment and token, and its log comes from a node that has nothing but logs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use gwlock_engine::client::transport;
use gwlock_testkit::{ControlPlane, Kubelet, User, control_plane};
use http::{Method, Request};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::definition::serve_remediation_requests;

const GWLOCK: &str = env!("CARGO_BIN_EXE_gwlock");
const JOB: &str = "gwlock-simulate";

/// Each of three pods has something of its own to do.
const SCENARIO: &str = "
signals: 45
fingerprints: 2
arrival: poisson:9
lasting: 6s
at:
- {at: 1s, pod: 0, fault: crash, for: 500ms}
- {at: 2s, pod: 1, fault: pause, for: 2s}
- {at: 2s, pod: 0, fault: orchestrate}
- {at: 3s, pod: 2, fault: partition, for: 1s}
- {at: 4s, pod: 0, fault: touch}
";

/// A namespace of a real cluster, and a node for the pods in it.
struct Ground {
    control_plane: &'static ControlPlane,
    client: kube::Client,
    namespace: String,
    kubelet: Kubelet,
    folder: TempDir,
}

impl Ground {
    async fn new() -> Option<Self> {
        let control_plane = control_plane()?;
        let namespace = control_plane.namespace().await;
        let config = control_plane.config(User::Admin, &namespace);
        let ground = Self {
            control_plane,
            client: transport::connect(config).unwrap(),
            kubelet: Kubelet::start(&namespace).unwrap(),
            namespace,
            folder: TempDir::new().unwrap(),
        };
        serve_remediation_requests(&ground.client).await;
        let node = ground.kubelet.node();
        ground.call(Method::POST, "/api/v1/nodes", &node).await;
        Some(ground)
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> Value {
        let media_type = match method {
            Method::PATCH => "application/merge-patch+json",
            _ => "application/json",
        };
        let body = match body {
            Value::Null => Vec::new(),
            body => body.to_string().into_bytes(),
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", media_type)
            .body(body)
            .unwrap();
        self.client.request(request).await.unwrap()
    }

    fn pods(&self) -> String {
        format!("/api/v1/namespaces/{}/pods", self.namespace)
    }

    /// The kubeconfig of a user, or with this token.
    fn kubeconfig(&self, token: Option<&str>) -> PathBuf {
        let own = self.control_plane.kubeconfig(User::Admin, &self.namespace);
        let text = fs::read_to_string(own.unwrap().path()).unwrap();
        let mut kubeconfig: Value = serde_yaml::from_str(&text).unwrap();
        if let Some(token) = token {
            kubeconfig["users"][0]["user"]["token"] = json!(token);
        }
        let path = self
            .folder
            .path()
            .join(token.map_or("admin", |_| "account"));
        fs::write(&path, kubeconfig.to_string()).unwrap();
        path
    }

    fn gwlock(&self, arguments: &[&str]) -> Output {
        Command::new(GWLOCK)
            .args(arguments)
            .env("KUBECONFIG", self.kubeconfig(None))
            .output()
            .unwrap()
    }

    fn collect(&self, flags: &[&str]) -> (Option<i32>, String, String) {
        let collect = ["simulate", "collect", "--job", JOB, "-n", &self.namespace];
        let output = self.gwlock(&[&collect, flags].concat());
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    }

    fn kubectl(&self, manifests: &[u8], flags: &[&str]) -> String {
        let path = self.folder.path().join("manifests.yaml");
        fs::write(&path, manifests).unwrap();
        let output = Command::new(self.control_plane.kubectl())
            .args(["apply", "-f"])
            .arg(&path)
            .args(flags)
            .env("KUBECONFIG", self.kubeconfig(None))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Prints the manifests and applies them; the Job as the API server has it.
    async fn apply(&self, flags: &[&str]) -> Value {
        let job = ["simulate", "job", "-n", &self.namespace];
        let printed = self.gwlock(&[&job, flags].concat());
        assert!(printed.status.success(), "{printed:?}");
        self.kubectl(&printed.stdout, &[]);
        let path = format!("/apis/batch/v1/namespaces/{}/jobs/{JOB}", self.namespace);
        self.call(Method::GET, &path, &Value::Null).await
    }

    /// What the Job controller makes of a Job for one index, and the scheduler of that.
    async fn pod(&self, job: &Value, index: u32) -> Value {
        let template = &job["spec"]["template"];
        let mut labels = template["metadata"]["labels"].clone();
        for (label, value) in [
            ("job-name", json!(JOB)),
            ("controller-uid", job["metadata"]["uid"].clone()),
            ("job-completion-index", json!(index.to_string())),
        ] {
            labels[format!("batch.kubernetes.io/{label}")] = value;
        }
        let mut spec = template["spec"].clone();
        spec["nodeName"] = json!(self.namespace);
        let metadata = json!({"name": format!("{JOB}-{index}-x{index}y"), "labels": labels});
        let pod = json!({"metadata": metadata, "spec": spec});
        self.call(Method::POST, &self.pods(), &pod).await
    }

    async fn token(&self, account: &str) -> String {
        let namespace = &self.namespace;
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token");
        let request =
            json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
        let answer = self.call(Method::POST, &path, &request).await;
        answer["status"]["token"].as_str().unwrap().to_owned()
    }

    fn log_of(&self, pod: &Value) -> PathBuf {
        self.folder
            .path()
            .join(pod["metadata"]["name"].as_str().unwrap())
    }

    /// Starts what a kubelet would start of a pod.
    fn start(&self, pod: &Value, kubeconfig: &Path) -> Child {
        let container = &pod["spec"]["containers"][0];
        let environment: Vec<(&str, &str)> = container["env"]
            .as_array()
            .unwrap()
            .iter()
            .map(|variable| (variable["name"].as_str().unwrap(), field(pod, variable)))
            .collect();
        let arguments = container["args"]
            .as_array()
            .unwrap()
            .iter()
            .map(|argument| {
                let mut argument = argument.as_str().unwrap().to_owned();
                for (name, value) in &environment {
                    argument = argument.replace(&format!("$({name})"), value);
                }
                // Where the ConfigMap is mounted.
                argument.replace("/etc/gwlock", self.folder.path().to_str().unwrap())
            });
        let log = File::create(self.log_of(pod)).unwrap();
        Command::new(GWLOCK)
            .args(arguments)
            .env_clear()
            .envs(environment.iter().copied())
            .env("KUBECONFIG", kubeconfig)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            // A node keeps both in one file.
            .stderr(log)
            .spawn()
            .unwrap()
    }

    /// How a pod has ended, and its log, if it is there.
    async fn ended(&self, pod: &Value, status: Value, log: Option<(bool, PathBuf)>) {
        let name = pod["metadata"]["name"].as_str().unwrap();
        let path = format!("{}/{name}/status", self.pods());
        self.call(Method::PATCH, &path, &json!({"status": status}))
            .await;
        if let Some((previous, file)) = log {
            self.kubelet.log(&self.namespace, name, JOB, previous, file);
        }
    }
}

/// What the downward API says.
fn field<'a>(pod: &'a Value, variable: &'a Value) -> &'a str {
    let path = variable["valueFrom"]["fieldRef"]["fieldPath"]
        .as_str()
        .unwrap();
    let metadata = &pod["metadata"];
    let value = match path.strip_prefix("metadata.labels['") {
        Some(label) => &metadata["labels"][label.strip_suffix("']").unwrap()],
        None => &metadata[path.strip_prefix("metadata.").unwrap()],
    };
    value.as_str().unwrap()
}

fn succeeded() -> Value {
    json!({"phase": "Succeeded"})
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_of_a_job_play_at_the_same_time_and_their_logs_are_judged_as_one_history() {
    let Some(ground) = Ground::new().await else {
        return;
    };
    let scenario = ground.folder.path().join("scenario.yaml");
    fs::write(&scenario, SCENARIO).unwrap();
    let flags = ["--scenario", scenario.to_str().unwrap(), "--pods", "3"];
    let job = ground.apply(&flags).await;
    let token = ground.token(JOB).await;
    let kubeconfig = ground.kubeconfig(Some(&token));
    let mut running = Vec::new();
    for index in 0..3 {
        let pod = ground.pod(&job, index).await;
        running.push((ground.start(&pod, &kubeconfig), pod));
    }
    let mut pods = Vec::new();
    for (mut process, pod) in running {
        let status = process.wait().unwrap();
        let log = fs::read_to_string(ground.log_of(&pod)).unwrap();
        assert!(status.success(), "{log}");
        ground
            .ended(&pod, succeeded(), Some((false, ground.log_of(&pod))))
            .await;
        pods.push(pod);
    }

    let history = ground.folder.path().join("joined.jsonl");
    let flags = ["--history", history.to_str().unwrap(), "-o", "json"];
    let (code, report, said) = ground.collect(&flags);
    assert_eq!(code, Some(0), "{report}{said}");
    let report: Value = serde_json::from_str(&report).unwrap();
    let results = &report["results"];
    let answered = ["created", "duplicate", "failed", "unknown"].map(|kind| results[kind].as_i64());
    assert_eq!(answered.into_iter().flatten().sum::<i64>(), 45, "{report}");
    assert_eq!(
        (&report["verdict"], &report["pods"], &report["seed"]),
        (&json!("ok"), &json!(3), &json!(1))
    );
    let text = fs::read_to_string(&history).unwrap();
    let events: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (header, events) = events.split_first().unwrap();
    assert!(header["uncertainty"].as_u64().is_some_and(|off| off > 0));
    let count = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    assert_eq!(
        ["crashed", "stopped", "resumed", "started", "end"].map(count),
        [1, 2, 2, 4, 1]
    );
    // They have waited for each other.
    for pod in &pods {
        let log = fs::read_to_string(ground.log_of(pod)).unwrap();
        let header = log
            .lines()
            .find(|line| line.starts_with(r#"{"format""#))
            .unwrap();
        assert_eq!(
            event(header)["member"]["present"],
            json!([0, 1, 2]),
            "{header}"
        );
    }
    check_what_is_missing(&ground, &pods).await;
}

/// The same pods with other logs, and ends.
async fn check_what_is_missing(ground: &Ground, pods: &[Value]) {
    let name = |number: usize| pods[number]["metadata"]["name"].as_str().unwrap();
    // A number that two signals were told.
    let log = fs::read_to_string(ground.log_of(&pods[0])).unwrap();
    let answer = log
        .lines()
        .filter(|line| line.contains(r#""outcome":"duplicate""#));
    let told: Vec<&str> = answer.collect();
    let (one, other) = (event(told[0]), event(told[1]));
    let same = told[1]
        .replace(
            &format!(r#""count":{}"#, other["count"]),
            &format!(r#""count":{}"#, one["count"]),
        )
        .replace(other["uid"].as_str().unwrap(), one["uid"].as_str().unwrap());
    let forged = ground.folder.path().join("forged");
    fs::write(&forged, log.replace(told[1], &same)).unwrap();
    ground
        .ended(&pods[0], succeeded(), Some((false, forged)))
        .await;
    let (code, report, _) = ground.collect(&[]);
    assert_eq!(code, Some(1), "{report}");
    assert!(
        report.contains("number-twice: two signals were answered with count"),
        "{report}"
    );
    ground
        .ended(
            &pods[0],
            succeeded(),
            Some((false, ground.log_of(&pods[0]))),
        )
        .await;

    // A container that was started again has left its history in the log before, among very many other lines.
    let noise = ground.folder.path().join("noise");
    fs::write(&noise, "nothing to see here\n".repeat(200_000)).unwrap();
    let restarted = json!({"phase": "Succeeded", "containerStatuses": [{
        "name": JOB, "image": "i", "imageID": "i", "ready": false, "restartCount": 1,
    }]});
    ground
        .ended(
            &pods[1],
            restarted.clone(),
            Some((true, ground.log_of(&pods[1]))),
        )
        .await;
    ground
        .ended(&pods[1], restarted, Some((false, noise.clone())))
        .await;
    let (code, report, said) = ground.collect(&[]);
    assert_eq!(code, Some(0), "{report}{said}");
    let passed = said
        .lines()
        .find(|line| line.ends_with(" other lines were passed over"));
    let others: usize = passed.unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(others >= 200_000, "{said}");

    // A history that stops, a node that is gone, a pod that still runs, and one that is not there.
    let log = fs::read_to_string(ground.log_of(&pods[2])).unwrap();
    let stops = ground.folder.path().join("stops");
    fs::write(
        &stops,
        log.replace(r#""event":"end"}"#, r#""event":"fault","what":"x"}"#),
    )
    .unwrap();
    ground.kubelet.forget();
    ground
        .ended(&pods[0], json!({"phase": "Running"}), None)
        .await;
    let evicted = json!({"phase": "Failed", "reason": "Evicted", "containerStatuses": []});
    ground.ended(&pods[1], evicted, None).await;
    ground
        .ended(&pods[2], succeeded(), Some((false, stops)))
        .await;
    let (code, report, said) = ground.collect(&[]);
    assert_eq!((code, report.as_str()), (Some(69), ""));
    for lack in [
        format!("pod {} is still running", name(0)),
        format!(
            "the log of pod {} (failed: Evicted) cannot be read",
            name(1)
        ),
        format!("the history of {} stops before its end", name(2)),
        "hint: gwlock simulate collect".to_owned(),
    ] {
        assert!(said.contains(&lack), "{lack}: {said}");
    }
    let (code, report, said) = ground.collect(&["--partial"]);
    assert_eq!(code, Some(0), "{report}{said}");
    assert!(said.contains("Evicted"), "{said}");
    ground
        .kubelet
        .log(&ground.namespace, name(2), JOB, false, noise);
    let (code, _, said) = ground.collect(&["--partial"]);
    assert_eq!(code, Some(69), "{said}");
    assert!(
        said.contains(&format!("there is no history in pod {}", name(2))),
        "{said}"
    );
    let missing = [
        "simulate",
        "collect",
        "--job",
        "other",
        "-n",
        &ground.namespace,
    ];
    let output = ground.gwlock(&missing);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

fn event(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_never_comes_is_told_and_one_that_comes_late_takes_no_part() {
    let Some(ground) = Ground::new().await else {
        return;
    };
    let flags = ["--pods", "3", "--signals", "6", "--meet-within", "1s"];
    let job = ground.apply(&flags).await;
    let token = ground.token(JOB).await;
    let kubeconfig = ground.kubeconfig(Some(&token));
    // One after the other: the second one comes when the first one has begun without it.
    for index in 0..2 {
        let pod = ground.pod(&job, index).await;
        let status = ground.start(&pod, &kubeconfig).wait().unwrap();
        let log = fs::read_to_string(ground.log_of(&pod)).unwrap();
        assert!(status.success(), "{log}");
        assert_eq!(
            log.contains("this pod has come too late"),
            index == 1,
            "{log}"
        );
        ground
            .ended(&pod, succeeded(), Some((false, ground.log_of(&pod))))
            .await;
    }
    let (code, report, said) = ground.collect(&[]);
    assert_eq!((code, report.as_str()), (Some(69), ""), "{said}");
    let absent = format!("no pod of index 2 is in {}", ground.namespace);
    assert!(said.contains(&absent), "{said}");
    let (code, report, said) = ground.collect(&["--partial"]);
    assert_eq!(code, Some(0), "{report}{said}");
    for number in [1, 2] {
        let late = format!("member {number} did not come in time: the others began without it");
        assert!(said.contains(&late), "{said}");
    }
    assert!(report.contains(" 6 signals"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_printed_is_taken_by_kubectl_with_a_namespace_of_its_own() {
    let Some(ground) = Ground::new().await else {
        return;
    };
    let arrivals = ground.folder.path().join("arrivals");
    fs::write(&arrivals, "0\n1 0\n").unwrap();
    let flags = [
        "--arrival",
        arrivals.to_str().unwrap(),
        "--fingerprints",
        "2",
    ];
    let printed = ground.gwlock(&[&["simulate", "job"], flags.as_slice()].concat());
    assert!(printed.status.success(), "{printed:?}");
    let applied = ground.kubectl(&printed.stdout, &[]);
    let names: Vec<&str> = applied
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(
        names,
        [
            "namespace/gwlock-simulation",
            "serviceaccount/gwlock-simulate",
            "role.rbac.authorization.k8s.io/gwlock-simulate",
            "rolebinding.rbac.authorization.k8s.io/gwlock-simulate",
            "configmap/gwlock-simulate",
            "deployment.apps/app-0",
            "deployment.apps/app-1",
            "job.batch/gwlock-simulate",
        ]
    );
    let checked = ground.kubectl(&printed.stdout, &["--dry-run=server"]);
    assert_eq!(
        checked.matches("unchanged (server dry run)").count(),
        names.len(),
        "{checked}"
    );
    // A pod as the Job describes it is let into a namespace that is restricted.
    let job = "/apis/batch/v1/namespaces/gwlock-simulation/jobs/gwlock-simulate";
    let job = ground.call(Method::GET, job, &Value::Null).await;
    let pod = json!({"metadata": {"name": "pod"}, "spec": job["spec"]["template"]["spec"]});
    let pods = "/api/v1/namespaces/gwlock-simulation/pods?dryRun=All";
    ground.call(Method::POST, pods, &pod).await;
}

//! Signals, through a replica and through `send --direct`: about an object of every kind whose owners are followed, about
//! one whose lease has expired, about one whose lease is waited for, and one whose request is made without an answer.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Child;
use std::sync::{Arc, Mutex};

use gwlock_engine::protocol::key::Fingerprint;
use http::Method;
use serde_json::{Value, json};

use super::commands::A_WHILE;
use super::{Failed, Ground, PATIENCE};

/// A process of `gwlock serve`; killed when it is dropped.
struct Replica {
    child: Child,
    address: String,
    log: Arc<Mutex<String>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

pub(super) fn serve(ground: &Ground<'_>) -> Result<(), Failed> {
    let objects = Objects::make(ground);
    let mut replica = Replica::start(ground, "none")?;
    let sent = objects.send(ground, |event| replica.send(event, None));
    let log = replica.end();
    ground.note(&log);
    sent.map_err(|failed| Failed {
        text: format!("{}\n{log}", failed.text),
        ..failed
    })
}

pub(super) fn serve_auth(ground: &Ground<'_>) -> Result<(), Failed> {
    let path = format!("/apis/apps/v1/namespaces/{}/deployments", ground.shop);
    ground.make(&path, &deployment("guarded"));
    let mut replica = Replica::start(ground, "token")?;
    let sent = replica.send(
        &event("Deployment", &ground.shop, "guarded"),
        Some(&ground.cluster.sender()),
    );
    let log = replica.end();
    ground.note(&log);
    sent.map_err(|failed| Failed {
        text: format!("{}\n{log}", failed.text),
        ..failed
    })
}

pub(super) fn send_direct(ground: &Ground<'_>) -> Result<(), Failed> {
    let objects = Objects::make(ground);
    let (locks, requests) = (ground.locks.as_str(), ground.requests.as_str());
    objects.send(ground, |event| {
        let flags = ["send", "--direct", "--yes", "-f", "-"];
        let places = [
            "--lease-namespace",
            locks,
            "--controller-namespace",
            requests,
        ];
        ground
            .with_stdin(&[flags.as_slice(), &places].concat(), &event.to_string(), 0)
            .map(drop)
    })
}

impl Replica {
    fn start(ground: &Ground<'_>, auth: &str) -> Result<Self, Failed> {
        let mut command = ground.command(&["serve", "--bind-address", "127.0.0.1:0"]);
        command
            .args([
                "--health-probe-bind-address",
                "0",
                "--metrics-bind-address",
                "0",
            ])
            .args(["--shutdown-delay", "0s", "--identity", "r", "--auth", auth]);
        let mut child = ground.start(&mut command);
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let Some(address) = line.trim().strip_prefix("serving signals on http://") else {
            stderr.read_to_string(&mut line).unwrap();
            ground.note(&line);
            let code = child.wait().unwrap().code().unwrap_or(-1);
            return Err(Failed { code, text: line });
        };
        let log = Arc::new(Mutex::new(String::new()));
        let written = log.clone();
        let reader = std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                written.lock().unwrap().push_str(&format!("{line}\n"));
            }
        });
        Ok(Self {
            child,
            address: address.to_owned(),
            log,
            reader: Some(reader),
        })
    }

    fn send(&self, event: &Value, token: Option<&str>) -> Result<(), Failed> {
        let body = event.to_string();
        let bearer = token.map_or_else(String::new, |token| {
            format!("Authorization: Bearer {token}\r\n")
        });
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "POST /api/v1/signals/kubernetes-event HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\
             Content-Type: application/json\r\n{bearer}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let code = text.split(' ').nth(1).unwrap().parse().unwrap();
        if matches!(code, 201 | 202) {
            return Ok(());
        }
        Err(Failed { code, text })
    }

    /// Ends it, and says what it has said. By then every lease is released.
    fn end(&mut self) -> String {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What signals are about.
struct Objects {
    shop: String,
    /// Kind, namespace and name.
    all: Vec<(&'static str, String, String)>,
}

impl Objects {
    fn make(ground: &Ground<'_>) -> Self {
        let shop = &ground.shop;
        let core = format!("/api/v1/namespaces/{shop}");
        let apps = format!("/apis/apps/v1/namespaces/{shop}");
        let batch = format!("/apis/batch/v1/namespaces/{shop}");
        let workload = |name: &str| {
            let mut object = deployment(name);
            object["spec"]["serviceName"] = name.into();
            object
        };
        let owned = |mut object: Value, version: &str, kind: &str, owner: &Value| {
            object["metadata"]["ownerReferences"] = json!([{
                "apiVersion": version, "kind": kind, "controller": true,
                "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
            }]);
            object
        };
        let owner = ground.make(&format!("{apps}/deployments"), &deployment("api"));
        let set = owned(deployment("api-1"), "apps/v1", "Deployment", &owner);
        let set = ground.make(&format!("{apps}/replicasets"), &set);
        let pod = json!({
            "metadata": {"name": "api-1-a", "labels": {"app": "api"}}, "spec": {"containers": containers()},
        });
        let pod = owned(pod, "apps/v1", "ReplicaSet", &set);
        ground.make(&format!("{core}/pods"), &pod);
        for name in ["expired", "held", "lost"] {
            ground.make(&format!("{apps}/deployments"), &deployment(name));
        }
        ground.make(&format!("{apps}/statefulsets"), &workload("db"));
        ground.make(&format!("{apps}/daemonsets"), &deployment("agent"));
        let cron_job = json!({"metadata": {"name": "nightly"}, "spec": {
            "schedule": "0 0 * * *", "jobTemplate": {"spec": {"template": template("Never")}},
        }});
        let cron_job = ground.make(&format!("{batch}/cronjobs"), &cron_job);
        let job =
            json!({"metadata": {"name": "nightly-1"}, "spec": {"template": template("Never")}});
        let job = owned(job, "batch/v1", "CronJob", &cron_job);
        ground.make(&format!("{batch}/jobs"), &job);
        let service = json!({
            "metadata": {"name": "web"}, "spec": {"selector": {"app": "api"}, "ports": [{"port": 80}]},
        });
        ground.make(&format!("{core}/services"), &service);
        let managed = json!({"kubernaut.ai/managed": "true"});
        let node = format!("{shop}-node");
        let object = json!({"metadata": {"name": node, "labels": managed}});
        ground.make("/api/v1/nodes", &object);
        let mut all = vec![
            ("Pod", shop.clone(), "api-1-a".to_owned()),
            ("Service", shop.clone(), "web".to_owned()),
            ("StatefulSet", shop.clone(), "db".to_owned()),
            ("DaemonSet", shop.clone(), "agent".to_owned()),
            ("Job", shop.clone(), "nightly-1".to_owned()),
            ("Node", String::new(), node),
        ];
        all.extend(make_the_rest(ground, &managed));
        Self {
            shop: shop.clone(),
            all,
        }
    }

    fn event(&self, kind: &str, name: &str) -> Value {
        event(kind, &self.shop, name)
    }

    /// Sends all of them.
    fn send(
        &self,
        ground: &Ground<'_>,
        send: impl Fn(&Value) -> Result<(), Failed>,
    ) -> Result<(), Failed> {
        for (kind, namespace, name) in &self.all {
            send(&event(kind, namespace, name))?;
        }
        // A duplicate.
        let (kind, namespace, name) = &self.all[0];
        send(&event(kind, namespace, name))?;
        let lease = |name: &str| {
            let target = format!("{}:Deployment:{name}", self.shop);
            Fingerprint::of(&target).lease_name().to_string()
        };
        ground
            .cluster
            .expired_lease(&ground.locks, &lease("expired"));
        send(&self.event("Deployment", "expired"))?;
        if ground.cluster.lose_an_answer(&ground.requests) {
            send(&self.event("Deployment", "lost"))?;
        }
        ground.hold(&lease("held"), A_WHILE);
        send(&self.event("Deployment", "held"))
    }
}

/// Objects of kinds that only a whole cluster has.
fn make_the_rest(ground: &Ground<'_>, managed: &Value) -> Vec<(&'static str, String, String)> {
    let shop = &ground.shop;
    let volume = format!("{shop}-volume");
    let groups = ground.cluster.call(Method::GET, "/apis", None);
    let groups = groups["groups"].as_array().unwrap();
    if !groups.iter().any(|group| group["name"] == "autoscaling") {
        return Vec::new();
    }
    let size = json!({"storage": "1Gi"});
    let object = json!({"metadata": {"name": volume, "labels": managed}, "spec": {
        "capacity": size, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/nowhere"},
    }});
    ground.make("/api/v1/persistentvolumes", &object);
    let object = json!({"metadata": {"name": "data"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": size},
    }});
    ground.make(
        &format!("/api/v1/namespaces/{shop}/persistentvolumeclaims"),
        &object,
    );
    let object = json!({"metadata": {"name": "scaler"}, "spec": {
        "maxReplicas": 2, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"},
    }});
    ground.make(
        &format!("/apis/autoscaling/v2/namespaces/{shop}/horizontalpodautoscalers"),
        &object,
    );
    let object = json!({"metadata": {"name": "budget"}, "spec": {
        "minAvailable": 1, "selector": {"matchLabels": {"app": "api"}},
    }});
    ground.make(
        &format!("/apis/policy/v1/namespaces/{shop}/poddisruptionbudgets"),
        &object,
    );
    vec![
        ("PersistentVolume", String::new(), volume),
        ("PersistentVolumeClaim", shop.clone(), "data".to_owned()),
        ("HorizontalPodAutoscaler", shop.clone(), "scaler".to_owned()),
        ("PodDisruptionBudget", shop.clone(), "budget".to_owned()),
    ]
}

fn containers() -> Value {
    json!([{"name": "c", "image": "i"}])
}

fn template(restart: &str) -> Value {
    json!({
        "metadata": {"labels": {"app": "api"}}, "spec": {"containers": containers(), "restartPolicy": restart},
    })
}

fn deployment(name: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {
        "selector": {"matchLabels": {"app": "api"}}, "template": template("Always"),
    }})
}

fn event(kind: &str, namespace: &str, name: &str) -> Value {
    let now = jiff::Timestamp::now().to_string();
    json!({
        "type": "Warning", "reason": "Failed", "message": "m", "firstTimestamp": now, "lastTimestamp": now,
        "involvedObject": {"kind": kind, "namespace": namespace, "name": name},
    })
}

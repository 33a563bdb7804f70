//! Changes leases at a steady rate. Who looks at them is not known here.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gwlock_engine::client::transport;
use gwlock_testkit::{ControlPlane, User};
use http::Request;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

/// Writes under way; a server that cannot keep up is not buried.
const AT_ONCE: usize = 64;

/// Leases in a namespace of their own.
pub(crate) struct Writer {
    client: kube::Client,
    namespace: String,
    leases: usize,
}

/// A change that was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Write {
    pub(crate) lease: usize,
    /// Grows with every write of one lease; it is what the holder is called.
    pub(crate) number: usize,
    pub(crate) sent: Instant,
    pub(crate) answered: Instant,
}

impl Writer {
    pub(crate) async fn new(control_plane: &ControlPlane, leases: usize) -> Self {
        let namespace = control_plane.namespace().await;
        let config = control_plane.config(User::Admin, &namespace);
        let writer = Self {
            client: transport::connect(config).unwrap(),
            namespace,
            leases,
        };
        for lease in 0..leases {
            let body = json!({
                "metadata": {"name": name(lease)},
                "spec": {"holderIdentity": "0", "leaseDurationSeconds": 3600},
            });
            let request = Request::post(writer.path())
                .header("content-type", "application/json")
                .body(Body::from(body.to_string().into_bytes()));
            let answer = writer.client.send(request.unwrap()).await.unwrap();
            assert_eq!(answer.status(), 201);
        }
        writer
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    fn path(&self) -> String {
        let namespace = &self.namespace;
        format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases")
    }

    /// Changes one lease after the other; what was written, and how long it took.
    pub(crate) async fn write(&self, rate: u32, lasts: Duration) -> (Vec<Write>, Duration) {
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut writes = JoinSet::new();
        let begun = Instant::now();
        let mut number = 0;
        while begun.elapsed() < lasts {
            ticks.tick().await;
            let permit = permits.clone().acquire_owned().await.unwrap();
            number += 1;
            let lease = number % self.leases;
            let body = json!({"spec": {"holderIdentity": number.to_string()}});
            let request = Request::patch(format!("{}/{}", self.path(), name(lease)))
                .header("content-type", "application/merge-patch+json")
                .body(Body::from(body.to_string().into_bytes()))
                .unwrap();
            let client = self.client.clone();
            writes.spawn(async move {
                let sent = Instant::now();
                let answer = client.send(request).await.unwrap();
                drop(permit);
                assert_eq!(answer.status(), 200);
                Write {
                    lease,
                    number,
                    sent,
                    answered: Instant::now(),
                }
            });
        }
        let writes = writes.join_all().await;
        (writes, begun.elapsed())
    }
}

impl Writer {
    /// Who holds each lease by the server's account.
    pub(crate) async fn holders(&self) -> HashMap<String, usize> {
        let request = Request::get(self.path()).body(Vec::new()).unwrap();
        let list: Value = self.client.request(request).await.unwrap();
        let items = list["items"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        items
            .map(|item| {
                let holder = text(&item["spec"]["holderIdentity"]);
                (text(&item["metadata"]["name"]), holder.parse().unwrap())
            })
            .collect()
    }
}

pub(crate) fn name(lease: usize) -> String {
    format!("gw-lock-{lease:05}")
}

//! One way to ask either server.

use std::collections::HashMap;
use std::time::Duration;

use gwlock_apiserver::ApiServer;
use gwlock_apiserver::access::{Authentication, UserInfo};
use gwlock_testkit::{User, control_plane};
use http::{HeaderMap, Method, Request};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value, json};
use tower::Service;

const NAMESPACE: &str = "contract";

/// A server and a namespace of its own.
pub(crate) struct Server {
    admin: kube::Client,
    gateway: kube::Client,
    stranger: kube::Client,
    pub(crate) namespace: String,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Server {
    pub(crate) async fn embedded() -> Self {
        let users = HashMap::from([
            (
                "admin-token".to_owned(),
                UserInfo::new("admin", &["system:masters"]),
            ),
            ("gateway-token".to_owned(), UserInfo::new("gateway", &[])),
        ]);
        let server = ApiServer::builder()
            .authentication(Authentication::Tokens(users))
            .build();
        let client = |token: &'static str| {
            let server = server.clone();
            let service = tower::service_fn(move |mut request: Request<Body>| {
                let headers = request.headers_mut();
                if !headers.contains_key("authorization") {
                    headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
                }
                server.clone().call(request)
            });
            kube::Client::new(service, NAMESPACE)
        };
        let own = Self {
            admin: client("admin-token"),
            gateway: client("gateway-token"),
            stranger: client("nonsense"),
            namespace: NAMESPACE.to_owned(),
        };
        let made = own
            .post(
                "/api/v1/namespaces",
                json!({"metadata": {"name": NAMESPACE}}),
            )
            .await;
        assert_eq!(made.code, 201, "{made:?}");
        own
    }

    pub(crate) async fn real() -> Option<Self> {
        let control_plane = control_plane()?;
        let namespace = control_plane.namespace().await;
        let client = |user| {
            let mut config = control_plane.config(user, &namespace);
            config.default_retry = false;
            kube::Client::try_from(config).unwrap()
        };
        let mut stranger = control_plane.config(User::Gateway, &namespace);
        stranger.auth_info.token = Some("nonsense".to_owned().into());
        Some(Self {
            admin: client(User::Admin),
            gateway: client(User::Gateway),
            stranger: kube::Client::try_from(stranger).unwrap(),
            namespace: namespace.clone(),
        })
    }

    /// The collection of leases, and what follows it.
    pub(crate) fn leases(&self, rest: &str) -> String {
        format!(
            "/apis/coordination.k8s.io/v1/namespaces/{}/leases{rest}",
            self.namespace
        )
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[], Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, &[], body).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::PUT, path, &[], body).await
    }

    pub(crate) async fn delete(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::DELETE, path, &[], body).await
    }

    pub(crate) async fn patch(&self, path: &str, kind: &str, body: Value) -> Answer {
        let content_type = format!("application/{kind}+json");
        self.ask(
            Method::PATCH,
            path,
            &[("content-type", &content_type)],
            body,
        )
        .await
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Answer {
        send(&self.admin, method, path, headers, body).await
    }

    pub(crate) async fn ask_as_gateway(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Answer {
        send(&self.gateway, method, path, headers, body).await
    }

    /// With a token that is nobody's.
    pub(crate) async fn ask_as_stranger(&self, method: Method, path: &str) -> Answer {
        send(&self.stranger, method, path, &[], Value::Null).await
    }

    /// A new lease with this spec.
    pub(crate) async fn lease(&self, name: &str, spec: Value) -> Value {
        let made = self
            .post(
                &self.leases(""),
                json!({"metadata": {"name": name}, "spec": spec}),
            )
            .await;
        assert_eq!(made.code, 201, "{made:?}");
        made.body
    }

    /// Over a client of its own, in the namespace `default`.
    pub(crate) fn on(client: &kube::Client) -> Self {
        let own = || client.clone();
        Self {
            admin: own(),
            gateway: own(),
            stranger: own(),
            namespace: "default".to_owned(),
        }
    }

    /// The events of a watch until it ends.
    pub(crate) async fn watch(&self, path: &str) -> Vec<Value> {
        let response = self
            .admin
            .send(Request::get(path).body(Body::empty()).unwrap())
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        let collected =
            tokio::time::timeout(Duration::from_secs(30), response.into_body().collect()).await;
        let bytes = collected
            .expect("the watch ends by itself")
            .unwrap()
            .to_bytes();
        bytes
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }
}

async fn send(
    client: &kube::Client,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Value,
) -> Answer {
    let bytes = if body.is_null() {
        Vec::new()
    } else {
        body.to_string().into_bytes()
    };
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .body(Body::from(bytes))
        .unwrap();
    let sent = request.headers_mut();
    sent.insert("content-type", "application/json".parse().unwrap());
    sent.insert("user-agent", "contract/1".parse().unwrap());
    for (name, value) in headers {
        sent.insert(
            http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
            value.parse().unwrap(),
        );
    }
    let (parts, body) = client.send(request).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let body =
        serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes)));
    Answer {
        code: parts.status.as_u16(),
        headers: parts.headers,
        body,
    }
}

impl Answer {
    /// Code, reason and message of a failure.
    pub(crate) fn failure(&self) -> (u16, &str, &str) {
        (
            self.code,
            self.body["reason"].as_str().unwrap_or_default(),
            self.message(),
        )
    }

    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }

    pub(crate) fn version(&self) -> &str {
        self.body["metadata"]["resourceVersion"]
            .as_str()
            .unwrap_or_default()
    }
}

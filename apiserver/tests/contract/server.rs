//! One way to ask either server, and what a case prepares with it.
//!
//! Both sit under a kube client, which adds nothing here but the way to the server: the token, like every other header,
//! is the case's.

use std::collections::HashMap;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use gwlock_apiserver::ApiServer;
use gwlock_apiserver::access::{Authentication, UserInfo};
use gwlock_testkit::{ControlPlane, REMEDIATION_REQUESTS, User, control_plane};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, Method, Request};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value, json};

/// How long a server may take for what has to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

static NAMESPACES: AtomicU32 = AtomicU32::new(0);

/// A server and an empty namespace on it.
pub(crate) struct Server {
    client: kube::Client,
    pub(crate) namespace: String,
}

/// A request that is sent when it is awaited. By the administrator, unless it says otherwise.
#[must_use]
pub(crate) struct Call<'a> {
    server: &'a Server,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

/// An answer that is complete.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// The text as JSON; null where it is none.
    pub(crate) body: Value,
}

/// A watch that is open.
pub(crate) struct Watch {
    body: Body,
    read: BytesMut,
}

impl Server {
    /// A new embedded server.
    pub(crate) async fn embedded() -> Self {
        Self::over(kube::Client::new(embedded(), "default")).await
    }

    /// The real server that all cases share.
    pub(crate) async fn real() -> Option<Self> {
        Some(Self::on(control_plane()?).await)
    }

    /// A real server of one's own.
    pub(crate) async fn on(control_plane: &ControlPlane) -> Self {
        let mut config = control_plane.config(User::Admin, "default");
        config.auth_info = kube::config::AuthInfo::default();
        Self::over(kube::Client::try_from(config).unwrap()).await
    }

    /// Any server, with a namespace that this makes.
    pub(crate) async fn over(client: kube::Client) -> Self {
        let number = NAMESPACES.fetch_add(1, Ordering::Relaxed);
        let server = Self {
            client,
            namespace: format!("contract-{number}"),
        };
        let namespace = json!({"metadata": {"name": server.namespace}});
        server.post("/api/v1/namespaces", &namespace).await.is(201);
        server
    }

    /// The leases of the case's namespace, and what follows in the path.
    pub(crate) fn leases(&self, rest: &str) -> String {
        let namespace = &self.namespace;
        format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases{rest}")
    }

    /// The remediation requests of the case's namespace, and what follows in the path.
    pub(crate) fn requests(&self, rest: &str) -> String {
        let namespace = &self.namespace;
        format!("/apis/kubernaut.ai/v1alpha1/namespaces/{namespace}/remediationrequests{rest}")
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call<'_> {
        let call = Call {
            server: self,
            method,
            path: path.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        };
        call.by(User::Admin)
    }

    pub(crate) fn get(&self, path: &str) -> Call<'_> {
        self.call(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str, object: &Value) -> Call<'_> {
        self.call(Method::POST, path).json(object)
    }

    pub(crate) fn put(&self, path: &str, object: &Value) -> Call<'_> {
        self.call(Method::PUT, path).json(object)
    }

    pub(crate) fn delete(&self, path: &str) -> Call<'_> {
        self.call(Method::DELETE, path)
    }

    /// `kind` is `json`, `merge` or `strategic-merge`.
    pub(crate) fn patch(&self, path: &str, kind: &str, patch: &Value) -> Call<'_> {
        self.call(Method::PATCH, path)
            .json(patch)
            .header(CONTENT_TYPE, &format!("application/{kind}-patch+json"))
    }

    /// A new lease, written by the field manager `creator`.
    pub(crate) async fn lease(&self, name: &str, spec: Value) -> Value {
        let lease = json!({"metadata": {"name": name}, "spec": spec});
        let path = self.leases("?fieldManager=creator");
        self.post(&path, &lease).await.is(201)
    }

    pub(crate) async fn remove(&self, name: &str) {
        self.delete(&self.leases(&format!("/{name}"))).await.is(200);
    }

    /// Gives a user rights in the case's namespace, and waits until they count: a real server's authorizer learns of
    /// a binding through its own watch.
    pub(crate) async fn allow(&self, user: User, rules: Value) {
        let namespace = &self.namespace;
        let rbac = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}");
        let role = json!({"metadata": {"name": "allowed"}, "rules": rules});
        self.post(&format!("{rbac}/roles"), &role).await.is(201);
        let binding = json!({
            "metadata": {"name": "allowed"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "allowed"},
            "subjects": [{"kind": "User", "name": user.name(), "apiGroup": "rbac.authorization.k8s.io"}]
        });
        self.post(&format!("{rbac}/rolebindings"), &binding)
            .await
            .is(201);
        let rule = &rules[0];
        let review = json!({"spec": {"user": user.name(), "resourceAttributes": {
            "namespace": namespace, "group": rule["apiGroups"][0], "resource": rule["resources"][0],
            "verb": rule["verbs"][0]
        }}});
        let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
        until("the binding counts", async || {
            self.post(path, &review).await.is(201)["status"]["allowed"] == true
        })
        .await;
    }

    /// Defines RemediationRequests, if no other case has, and waits until they are served.
    pub(crate) async fn define_requests(&self) {
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        let yaml = self
            .call(Method::POST, path)
            .text("application/yaml", REMEDIATION_REQUESTS);
        let code = yaml.await.code;
        assert!(code == 201 || code == 409, "{code}");
        let collection = self.requests("");
        until("the kind is served", async || {
            self.get(&collection).await.code == 200
        })
        .await;
    }

    /// Waits until the server's clock shows another second, so that a stamp that moves can be told from one that stays.
    pub(crate) async fn next_second(&self) {
        let date = async || self.get("/version").await.headers["date"].clone();
        let now = date().await;
        until("the server's second ends", async || date().await != now).await;
    }

    /// Opens a watch.
    pub(crate) async fn watch(&self, path: &str) -> Watch {
        self.watch_as(path, "application/json").await
    }

    pub(crate) async fn watch_as(&self, path: &str, accept: &str) -> Watch {
        let call = self.get(path).header(ACCEPT, accept);
        let response = self.client.send(call.request()).await.unwrap();
        assert_eq!(response.status(), 200);
        Watch {
            body: response.into_body(),
            read: BytesMut::new(),
        }
    }
}

impl Call<'_> {
    pub(crate) fn by(self, user: User) -> Self {
        self.header(AUTHORIZATION, &format!("Bearer {}", user.token()))
    }

    pub(crate) fn by_nobody(mut self) -> Self {
        self.headers.remove(AUTHORIZATION);
        self
    }

    /// Replaces what was there under this name.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.insert(name, value.parse().unwrap());
        self
    }

    /// Adds to what is there under this name.
    pub(crate) fn another(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(name, value.parse().unwrap());
        self
    }

    pub(crate) fn agent(self, agent: &str) -> Self {
        self.header(USER_AGENT, agent)
    }

    pub(crate) fn table(self) -> Self {
        self.header(ACCEPT, TABLE)
    }

    pub(crate) fn json(self, object: &Value) -> Self {
        self.text("application/json", &object.to_string())
    }

    pub(crate) fn text(mut self, content_type: &str, body: &str) -> Self {
        self.body = Bytes::copy_from_slice(body.as_bytes());
        self.header(CONTENT_TYPE, content_type)
    }

    /// The answer; none if the server closed the connection instead.
    pub(crate) async fn if_answered(self) -> Option<Answer> {
        let what = format!("{} {}", self.method, self.path);
        let ask = async move {
            let client = self.server.client.clone();
            let (parts, body) = client.send(self.request()).await.ok()?.into_parts();
            let bytes = body.collect().await.ok()?.to_bytes();
            Some(Answer {
                code: parts.status.as_u16(),
                headers: parts.headers,
                text: String::from_utf8_lossy(&bytes).into_owned(),
                body: serde_json::from_slice(&bytes).unwrap_or_default(),
            })
        };
        let answer = tokio::time::timeout(PATIENCE, ask).await;
        answer.unwrap_or_else(|_| panic!("{what}: no answer within {PATIENCE:?}"))
    }

    fn request(self) -> Request<Body> {
        let mut request = Request::new(Body::from(self.body.to_vec()));
        *request.method_mut() = self.method;
        *request.uri_mut() = self.path.parse().unwrap();
        *request.headers_mut() = self.headers;
        request
    }
}

impl<'a> IntoFuture for Call<'a> {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        let what = format!("{} {}", self.method, self.path);
        Box::pin(async move {
            let answer = self.if_answered().await;
            answer.unwrap_or_else(|| panic!("{what}: the connection was closed"))
        })
    }
}

impl Answer {
    /// The body of an answer with this code.
    pub(crate) fn is(self, code: u16) -> Value {
        assert_eq!(self.code, code, "{}", self.text);
        self.body
    }

    /// A `Status`, exactly. See [`super::expect`].
    pub(crate) fn fails(&self, expected: &Value) {
        assert_eq!(&self.body, expected);
        assert_eq!(Some(u64::from(self.code)), expected["code"].as_u64());
        assert_eq!(self.header("content-type"), "application/json");
    }

    /// A `Status` whose message begins like this: for the words of a JSON parser, which are its own.
    pub(crate) fn fails_with_words(&self, expected: &Value) {
        let mut status = self.body.clone();
        let start = expected["message"].as_str().unwrap();
        let message = status["message"].as_str().unwrap_or_default();
        assert!(
            message.starts_with(start) && message.len() > start.len(),
            "{message}"
        );
        status["message"] = expected["message"].clone();
        assert_eq!(&status, expected);
        assert_eq!(Some(u64::from(self.code)), expected["code"].as_u64());
    }

    /// Empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }
}

impl Watch {
    /// The next event; none at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line = self.read.split_to(end + 1);
                return Some(serde_json::from_slice(&line).unwrap());
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await;
            match frame.expect("the watch says something") {
                Some(frame) => self.read.extend(frame.unwrap().into_data().unwrap()),
                None => {
                    assert_eq!(self.read, "", "half an event");
                    return None;
                }
            }
        }
    }

    /// All events until the end of the stream.
    pub(crate) async fn rest(mut self) -> Vec<Value> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }

    /// The next event's type and the name of its object.
    pub(crate) async fn next_of(&mut self) -> (String, String) {
        summary(&self.next().await.expect("another event"))
    }
}

/// An event's type and the name of its object.
pub(crate) fn summary(event: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (
        text(&event["type"]),
        text(&event["object"]["metadata"]["name"]),
    )
}

/// An object's resource version.
pub(crate) fn version(object: &Value) -> &str {
    object["metadata"]["resourceVersion"].as_str().unwrap()
}

/// An object's uid.
pub(crate) fn uid(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().unwrap()
}

/// The names in a list, in its order.
pub(crate) fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["metadata"]["name"].as_str().unwrap())
        .collect()
}

/// Asks again until it is so.
pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let poll = async {
        while !condition().await {
            tokio::time::sleep(POLL).await;
        }
    };
    if tokio::time::timeout(PATIENCE, poll).await.is_err() {
        panic!("{what}: not within {PATIENCE:?}");
    }
}

/// An embedded server that knows the users of the test kit by the same tokens as the real one.
pub(crate) fn embedded() -> ApiServer {
    let users = User::ALL.map(|user| {
        let mut info = UserInfo::new(user.name(), user.groups());
        user.name().clone_into(&mut info.uid);
        (user.token(), info)
    });
    ApiServer::builder()
        .authentication(Authentication::Tokens(HashMap::from(users)))
        .build()
}

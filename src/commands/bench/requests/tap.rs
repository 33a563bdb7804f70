//! A client whose requests are written down on their way, and where others act between two of them.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{Method, Request};
use kube::client::Body;

/// How often and how long somebody who ends looks whether requests are under way: five seconds in all.
const LOOKS: u32 = 1000;
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// One request: an RBAC verb and a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) verb: &'static str,
    pub(super) resource: String,
}

/// The requests of one protocol in one case.
#[derive(Clone, Default)]
pub(super) struct Tap(Arc<State>);

#[derive(Default)]
struct State {
    asked: Mutex<Vec<Asked>>,
    reactions: Mutex<Vec<Reaction>>,
}

struct Reaction {
    before: &'static str,
    act: BoxFuture<'static, ()>,
}

/// Whether requests still go through, and how many are on their way.
#[derive(Debug, Clone, Default)]
pub(super) struct Gate(Arc<GateState>);

#[derive(Debug, Default)]
struct GateState {
    closed: AtomicBool,
    under_way: AtomicUsize,
}

struct UnderWay(Gate);

/// The benchmark is over.
#[derive(Debug, thiserror::Error)]
#[error("the benchmark is over")]
struct Over;

impl Tap {
    /// A client on top of this one.
    pub(super) fn client(&self, inner: &kube::Client, gate: &Gate) -> kube::Client {
        let namespace = inner.default_namespace().to_owned();
        let (tap, inner, gate) = (self.clone(), inner.clone(), gate.clone());
        let service = tower::service_fn(move |request: Request<Body>| {
            let (tap, inner, gate) = (tap.clone(), inner.clone(), gate.clone());
            async move {
                let asked = Asked::of(&request);
                if let Some(act) = tap.reaction(&asked) {
                    act.await;
                }
                let _under_way = gate.enter()?;
                lock(&tap.0.asked).push(asked);
                inner.send(request).await.map_err(tower::BoxError::from)
            }
        });
        kube::Client::new(service, namespace)
    }

    /// Does something before the first request like `create leases`, which waits for it.
    pub(super) fn before(
        &self,
        request: &'static str,
        act: impl Future<Output = ()> + Send + 'static,
    ) {
        lock(&self.0.reactions).push(Reaction {
            before: request,
            act: act.boxed(),
        });
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        lock(&self.0.asked).clone()
    }

    fn reaction(&self, asked: &Asked) -> Option<BoxFuture<'static, ()>> {
        let mut reactions = lock(&self.0.reactions);
        let asked = asked.to_string();
        let at = reactions
            .iter()
            .position(|reaction| reaction.before == asked)?;
        Some(reactions.remove(at).act)
    }
}

impl Asked {
    /// From the method and a path such as `/apis/GROUP/VERSION/namespaces/NAMESPACE/RESOURCE/NAME/SUBRESOURCE`.
    fn of(request: &Request<Body>) -> Self {
        let uri = request.uri();
        let parts = uri
            .path()
            .split('/')
            .skip_while(|part| *part != "namespaces");
        let parts: Vec<&str> = parts.skip(2).collect();
        let is_named = parts.len() > 1;
        let is_watch = uri.query().is_some_and(|query| query.contains("watch="));
        let verb = match *request.method() {
            Method::GET if is_watch => "watch",
            Method::GET if is_named => "get",
            Method::GET => "list",
            Method::POST => "create",
            Method::PUT => "update",
            Method::PATCH => "patch",
            _ => "delete",
        };
        let resource = match parts.as_slice() {
            [resource, _, subresource] => format!("{resource}/{subresource}"),
            [resource, ..] => (*resource).to_owned(),
            [] => String::new(),
        };
        Self { verb, resource }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)
    }
}

impl Gate {
    /// Lets nothing through any more, and waits until what is under way has ended, but not for ever.
    pub(super) async fn close(&self) {
        self.0.closed.store(true, Ordering::SeqCst);
        for _ in 0..LOOKS {
            if self.0.under_way.load(Ordering::SeqCst) == 0 {
                return;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    fn enter(&self) -> Result<UnderWay, Over> {
        self.0.under_way.fetch_add(1, Ordering::SeqCst);
        let under_way = UnderWay(self.clone());
        if self.0.closed.load(Ordering::SeqCst) {
            return Err(Over);
        }
        Ok(under_way)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_by_verb_and_resource() {
        let leases = "/apis/coordination.k8s.io/v1/namespaces/ns/leases";
        for (method, path, expected) in [
            (Method::GET, leases.to_owned(), "list leases"),
            (
                Method::GET,
                format!("{leases}?watch=true&resourceVersion=1"),
                "watch leases",
            ),
            (Method::GET, format!("{leases}/a?timeout=5s"), "get leases"),
            (Method::POST, leases.to_owned(), "create leases"),
            (Method::DELETE, format!("{leases}/a"), "delete leases"),
            (
                Method::PUT,
                format!("{leases}/a/status"),
                "update leases/status",
            ),
            (
                Method::PATCH,
                format!("{leases}/a/status"),
                "patch leases/status",
            ),
        ] {
            let request = Request::builder().method(method).uri(&path);
            let asked = Asked::of(&request.body(Body::empty()).unwrap());
            assert_eq!(asked.to_string(), expected, "{path}");
        }
    }
}

//! A client whose requests are written down on their way, and where others act between two of them.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::Request;
use kube::client::Body;

use crate::commands::asked::Asked;

/// How often and how long somebody who ends looks whether requests are under way: five seconds in all.
const LOOKS: u32 = 1000;
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

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

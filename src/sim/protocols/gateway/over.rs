//! How long anybody waits for the answer to a signal.

use std::fmt;
use std::future::Future;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};

use super::GatewayError;

/// The context of an HTTP request: over when the client goes away or the deadline passes. From then on every request to
/// the API server fails, the release of the lease included; sleeps go on to their end.
#[derive(Clone)]
pub struct RequestContext(Option<Shared<BoxFuture<'static, ()>>>);

impl RequestContext {
    /// One that never ends.
    #[must_use]
    pub fn background() -> Self {
        Self(None)
    }

    /// One that is over when this ends.
    #[must_use]
    pub fn until(over: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Some(over.boxed().shared()))
    }

    /// Does it, unless the context is over before.
    pub(super) async fn run<T, E: Into<GatewayError>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, GatewayError> {
        let Some(over) = self.0.clone() else {
            return work.await.map_err(Into::into);
        };
        tokio::select! {
            biased;
            () = over => Err(GatewayError::Over),
            done = work => done.map_err(Into::into),
        }
    }
}

impl fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestContext").finish_non_exhaustive()
    }
}

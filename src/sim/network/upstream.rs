//! The API server behind a network: embedded, by a clock that is as wrong as whichever is asked, or a real one.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use gwlock_apiserver::{ApiServer, Clock, ConnectionLost, TokioClock};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use jiff::{SignedDuration, Timestamp};
use tower::Service;

use super::body::AnswerBody;

/// Who answers in the end.
#[derive(Clone)]
pub(crate) enum Upstream {
    /// In this process. Several servers are one store and a clock.
    Embedded(ApiServer, Arc<ServersClock>),
    /// A cluster, with the rights of this client.
    #[cfg(feature = "serve")]
    Cluster(kube::Client),
}

/// The clock of whichever API server is at work.
pub(crate) struct ServersClock {
    right: TokioClock,
    /// Nanoseconds.
    off: AtomicI64,
}

impl ServersClock {
    pub(crate) fn new(right: TokioClock) -> Self {
        Self {
            right,
            off: AtomicI64::new(0),
        }
    }
}

impl Clock for ServersClock {
    fn now(&self) -> Timestamp {
        self.right.now() + SignedDuration::from_nanos(self.off.load(Ordering::Relaxed))
    }
}

impl Upstream {
    /// Has a request answered, by a server whose clock is off by so much where that is possible.
    pub(crate) async fn serve(
        &self,
        request: Request<Full<Bytes>>,
        off: SignedDuration,
    ) -> Result<Response<AnswerBody>, ConnectionLost> {
        match self {
            Self::Embedded(server, clock) => {
                let mut answering = server.clone().call(request);
                let off = i64::try_from(off.as_nanos()).unwrap_or(0);
                let answer = std::future::poll_fn(|context| {
                    // All of a simulation runs on one thread, so nobody else looks at the clock meanwhile. Where there
                    // are more threads no clock is off.
                    clock.off.store(off, Ordering::Relaxed);
                    let polled = answering.as_mut().poll(context);
                    clock.off.store(0, Ordering::Relaxed);
                    polled
                });
                Ok(answer.await?.map(BodyExt::boxed_unsync))
            }
            #[cfg(feature = "serve")]
            Self::Cluster(client) => {
                let (parts, body) = request.into_parts();
                let body = body.collect().await.map_err(|never| match never {})?;
                let body = kube::client::Body::from(body.to_bytes());
                let answer = client.send(Request::from_parts(parts, body)).await;
                let answer = answer.map_err(|_| ConnectionLost)?;
                Ok(answer.map(|body| body.map_err(|_| ConnectionLost).boxed_unsync()))
            }
        }
    }

    /// Lets the server forget what watches could go on from, where that is in our power.
    pub(crate) fn compact(&self) {
        match self {
            Self::Embedded(server, _) => server.compact(),
            #[cfg(feature = "serve")]
            Self::Cluster(_) => {}
        }
    }
}

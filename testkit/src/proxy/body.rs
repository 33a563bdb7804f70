//! Bodies that pass through, and can be cut.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Body, Frame, Incoming};
use tokio::sync::oneshot;

/// Any body. An error in the middle closes the connection without its end.
pub(super) type AnyBody = UnsyncBoxBody<Bytes, anyhow::Error>;

/// A stream that ends in an error when the other half of `cut` is dropped or used.
pub(super) struct Cuttable {
    pub(super) stream: Incoming,
    pub(super) cut: oneshot::Receiver<()>,
}

impl Body for Cuttable {
    type Data = Bytes;
    type Error = anyhow::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, anyhow::Error>>> {
        if Pin::new(&mut self.cut).poll(context).is_ready() {
            return Poll::Ready(Some(Err(anyhow::anyhow!("the stream was cut"))));
        }
        let frame = ready!(Pin::new(&mut self.stream).poll_frame(context));
        Poll::Ready(frame.map(|frame| frame.map_err(anyhow::Error::from)))
    }
}

//! The body of an answer: one block of bytes, or the open end of a watch.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http_body::{Frame, SizeHint};

/// The body of an answer.
pub struct Body {
    content: Content,
}

enum Content {
    Whole(Bytes),
    Stream(Pin<Box<dyn Stream<Item = Result<Bytes, ConnectionLost>> + Send>>),
}

/// The connection was closed before the answer was complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("connection closed before the answer was complete")]
pub struct ConnectionLost;

impl Body {
    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self {
            content: Content::Whole(bytes),
        }
    }

    pub(crate) fn stream(
        stream: impl Stream<Item = Result<Bytes, ConnectionLost>> + Send + 'static,
    ) -> Self {
        Self {
            content: Content::Stream(Box::pin(stream)),
        }
    }
}

/// What happens to a watch once its fault sets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Break {
    /// The connection closes.
    Cut,
    /// Nothing comes any more, and the connection stays.
    Stall,
}

impl Body {
    /// The same body, broken after some time. A body of one block is there at once and stays whole.
    pub(crate) fn broken_after(self, after: Duration, how: Break) -> Self {
        let Content::Stream(stream) = self.content else {
            return self;
        };
        let onset = Box::pin(tokio::time::sleep(after));
        Self::stream(futures_util::stream::unfold(
            Some((stream, onset)),
            move |state| async move {
                let (mut stream, mut onset) = state?;
                tokio::select! {
                    biased;
                    () = &mut onset => match how {
                        Break::Cut => Some((Err(ConnectionLost), None)),
                        Break::Stall => std::future::pending().await,
                    },
                    chunk = stream.next() => Some((chunk?, Some((stream, onset)))),
                }
            },
        ))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = ConnectionLost;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ConnectionLost>>> {
        match &mut self.get_mut().content {
            Content::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Content::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Content::Stream(stream) => Poll::Ready(
                ready!(stream.as_mut().poll_next(context)).map(|chunk| chunk.map(Frame::data)),
            ),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.content, Content::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Stream(_) => SizeHint::default(),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Content::Whole(bytes) => formatter.debug_tuple("Body").field(bytes).finish(),
            Content::Stream(_) => formatter.write_str("Body(stream)"),
        }
    }
}

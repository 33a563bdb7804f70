//! The body of an answer: one block of bytes, or the open end of a watch.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;
use http_body::{Frame, SizeHint};

/// The body of an answer.
pub struct Body {
    content: Content,
}

enum Content {
    Whole(Bytes),
    Stream(Pin<Box<dyn Stream<Item = Result<Bytes, ConnectionClosed>> + Send>>),
}

/// The connection was closed before the answer was complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("connection closed before the answer was complete")]
pub struct ConnectionClosed;

impl Body {
    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self {
            content: Content::Whole(bytes),
        }
    }

    pub(crate) fn stream(
        stream: impl Stream<Item = Result<Bytes, ConnectionClosed>> + Send + 'static,
    ) -> Self {
        Self {
            content: Content::Stream(Box::pin(stream)),
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = ConnectionClosed;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ConnectionClosed>>> {
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

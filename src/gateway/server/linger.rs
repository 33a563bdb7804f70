//! The end of a connection whose request was answered before it had been read.
//!
//! A connection that is closed with something unread is reset, and a sender that is still writing sees that in place of
//! the answer: it tries again what was refused for good. So the sending half is closed first, and for a short time what
//! still comes is thrown away (RFC 9112, 9.6).
//!
//! A sender that does not take its answers loses its connection, which others may need.
//!
//! Knows nothing of what is served.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// How long what still comes is thrown away.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long an answer may wait to be taken, as in the running gateway.
const TAKEN: Duration = Duration::from_secs(30);

/// Whether the last request of a connection was not read to its end.
#[derive(Debug, Clone, Default)]
pub(super) struct Unread(Arc<AtomicBool>);

impl Unread {
    /// A request has come with this body.
    pub(super) fn watch(&self, body: Incoming) -> Watched {
        self.0.store(false, Ordering::Relaxed);
        Watched {
            body,
            ended: false,
            unread: self.clone(),
        }
    }

    /// The connection's request will not be read at all.
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A body that tells when nobody reads it any more.
pub(super) struct Watched {
    body: Incoming,
    ended: bool,
    unread: Unread,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        self.ended = frame.is_none();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !self.ended && !self.body.is_end_stream() {
            self.unread.set();
        }
    }
}

/// A connection that ends in two steps where something is unread.
pub(super) struct Lingering<S> {
    stream: S,
    unread: Unread,
    /// Set when the sending half is closed.
    until: Option<Pin<Box<Sleep>>>,
    /// Set while nothing can be written.
    stuck: Option<Pin<Box<Sleep>>>,
}

impl<S> Lingering<S> {
    pub(super) fn new(stream: S, unread: Unread) -> Self {
        Self {
            stream,
            unread,
            until: None,
            stuck: None,
        }
    }

    /// What came of writing, unless nothing has for too long.
    fn written<T>(
        &mut self,
        context: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.stuck = None;
            return polled;
        }
        let stuck = self
            .stuck
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(TAKEN)));
        ready!(stuck.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(context);
        self.written(context, polled)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let own = self.get_mut();
        if own.until.is_none() {
            let polled = Pin::new(&mut own.stream).poll_shutdown(context);
            ready!(own.written(context, polled))?;
        }
        if !own.unread.is_set() {
            return Poll::Ready(Ok(()));
        }
        let until = own
            .until
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(PATIENCE)));
        let mut waste = [0; 4096];
        while until.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut waste);
            match ready!(Pin::new(&mut own.stream).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                // The sender has closed its half as well, one way or the other.
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.written(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::time::Instant;

    use super::*;

    fn connection(is_unread: bool) -> (DuplexStream, Lingering<DuplexStream>) {
        let (sender, own) = duplex(16);
        let unread = Unread::default();
        if is_unread {
            unread.set();
        }
        (sender, Lingering::new(own, unread))
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_anything_unread_ends_at_once() {
        let (_sender, mut own) = connection(false);
        let start = Instant::now();
        own.shutdown().await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn what_still_comes_is_thrown_away_until_the_sender_ends() {
        let (mut sender, mut own) = connection(true);
        let sending = tokio::spawn(async move {
            sender.write_all(&[0; 10_000]).await.unwrap();
            sender.read_to_end(&mut Vec::new()).await.unwrap();
        });
        let start = Instant::now();
        own.shutdown().await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO);
        sending.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_sender_that_does_not_end_is_not_waited_for_for_ever() {
        let (_sender, mut own) = connection(true);
        let start = Instant::now();
        own.shutdown().await.unwrap();
        assert_eq!(start.elapsed().as_secs(), PATIENCE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_takes_ends_the_connection() {
        let (mut sender, mut own) = connection(false);
        let start = Instant::now();
        let error = own.write_all(&[0; 17]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(start.elapsed().as_secs(), TAKEN.as_secs());
        // Taken in time, it starts anew.
        sender.read_exact(&mut [0; 16]).await.unwrap();
        own.write_all(&[0; 16]).await.unwrap();
        assert!(own.stuck.is_none());
    }
}

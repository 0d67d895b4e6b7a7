//! A stream that does not wait for ever for somebody to read it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A stream whose writes fail once the other side has taken nothing for a while. Reading is as before: how long the head of a request may
/// take is bounded elsewhere, and so is the whole request.
pub struct Patient<T, G = ()> {
    stream: T,
    patience: Duration,
    /// Since something waits to be taken; no timer where nothing does, as nearly always.
    waiting: Option<Pin<Box<Sleep>>>,
    /// Kept as long as the stream is.
    _guard: G,
}

impl<T, G> Patient<T, G> {
    /// Over a stream; `guard` is dropped with this.
    pub fn new(stream: T, patience: Duration, guard: G) -> Self {
        Self { stream, patience, waiting: None, _guard: guard }
    }

    /// The stream itself, for whoever minds its patience from here on.
    pub fn into_inner(self) -> T {
        self.stream
    }

    /// What became of a write, unless it has waited for too long.
    fn judge(&mut self, written: Poll<io::Result<usize>>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let patience = self.patience;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(waiting.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the other side does not read")))
    }
}

impl<T: AsyncRead + Unpin, G: Unpin> AsyncRead for Patient<T, G> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin, G: Unpin> AsyncWrite for Patient<T, G> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.judge(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.judge(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Of a TCP stream neither this nor the next waits for anybody, so neither tells that something was taken.
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const SHORT: Duration = Duration::from_millis(500);

    #[tokio::test]
    async fn h22_who_does_not_read_is_let_go_and_who_reads_slowly_is_not() {
        let (near, mut far) = duplex(8);
        let guard = Arc::new(());
        let mut patient = Patient::new(near, SHORT, guard.clone());
        patient.write_all(b"12345678").await.expect("room");
        // Nobody reads.
        let error = patient.write_all(b"9").await.expect_err("no room");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(Arc::strong_count(&guard), 2);

        // A byte now and then is progress: together this takes far longer than anybody has patience.
        let mut patient = Patient::new(patient.into_inner(), SHORT, ());
        assert_eq!(Arc::strong_count(&guard), 1, "the place is given back");
        let reading = tokio::spawn(async move {
            let mut every = tokio::time::interval(SHORT / 20);
            let mut read = Vec::new();
            while let Ok(byte) = far.read_u8().await {
                read.push(byte);
                every.tick().await;
            }
            read
        });
        let began = tokio::time::Instant::now();
        patient.write_all(&[b'x'; 60]).await.expect("it is read");
        assert!(began.elapsed() > SHORT * 2);
        drop(patient);
        assert_eq!(reading.await.expect("no panic").len(), 68);
    }
}

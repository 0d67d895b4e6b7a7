//! One connection's TCP stream, on which others than its own task may write.
//!
//! Most of what a connection is sent is a small frame when nothing else waits. Having its task woken for that costs as much as the
//! writing (docs/decisions/0018), so whoever has the frame writes it: see [`super::outbox`]. Three rules keep frames whole:
//!
//! 1. What is left of a frame that did not fit, and small frames that were gathered to be written in one piece, are written before anything
//!    else, by whoever comes first; see `rest` and `gathered`.
//! 2. While the WebSocket library has begun a frame of its own (it answers pings, and closes) nobody else begins one; see `within`.
//! 3. The order of frames is the outbox's business.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, Bytes};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// Frames up to here are put beside their heads and written as one piece; larger ones are written from where they lie.
const SMALL: usize = 512;
/// Bytes of frames that are gathered to be written in one piece.
const GATHER: usize = 4 * 1024;
/// Bytes that most of the time are enough to gather in.
const FEW: usize = 512;
/// The longest head of a frame from a server (RFC 6455, 5.2).
const HEAD: usize = 10;
/// A whole frame of bytes.
const BINARY: u8 = 0x82;

/// The end of a stream that is written to.
#[derive(Debug)]
pub struct Line {
    stream: OwnedWriteHalf,
    writing: Mutex<Writing>,
}

#[derive(Debug, Default)]
struct Writing {
    /// What is left of a frame that has begun.
    rest: Bytes,
    /// Whole frames that follow it.
    gathered: Vec<u8>,
    /// Whether the library is in the middle of a frame.
    within: bool,
}

impl Writing {
    fn is_empty(&self) -> bool {
        self.rest.is_empty() && self.gathered.is_empty()
    }
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The system has it.
    Whole,
    /// It is the line's, and partly written; [`Line::finish`] is to be called.
    Begun,
    /// It cannot begin now. Nothing was written.
    Not,
}

impl Line {
    /// A stream as its two ends: one to send frames on, one for the WebSocket library.
    pub fn new(stream: TcpStream) -> (Arc<Self>, Stream) {
        let (read, write) = stream.into_split();
        let line = Arc::new(Self { stream: write, writing: Mutex::default() });
        (line.clone(), Stream { read, line, left: None })
    }

    /// Sends a frame of bytes, if that is possible without waiting. An error ends the connection, and its task meets it, too.
    pub fn try_send(&self, frame: &Bytes) -> io::Result<Sent> {
        let mut writing = self.lock();
        if writing.within || !writing.is_empty() {
            return Ok(Sent::Not);
        }
        let (head, length) = head(frame.len());
        let head = head.get(..length).unwrap_or_default();
        let written = if frame.len() <= SMALL {
            let mut whole = [0; HEAD + SMALL];
            let mut room = &mut whole[..];
            room.put_slice(head);
            room.put_slice(frame);
            self.socket().send(whole.get(..length + frame.len()).unwrap_or_default())
        } else {
            self.socket().send_vectored(&[IoSlice::new(head), IoSlice::new(frame)])
        };
        let Some(written) = unless_blocked(written)? else { return Ok(Sent::Not) };
        if written == length + frame.len() {
            return Ok(Sent::Whole);
        }
        writing.rest = rest_of(head, frame, written);
        Ok(Sent::Begun)
    }

    /// The stream past the runtime, whose books on it lie elsewhere in memory: looking into them for each frame costs a tenth of what is
    /// ours in sending it. What does not fit is written by way of the runtime, which then finds out by itself that it has to wait.
    fn socket(&self) -> SockRef<'_> {
        SockRef::from(self.stream.as_ref())
    }

    /// Keeps a small frame, to be written together with others by [`Line::try_finish`] or [`Line::finish`]. Returns whether it did.
    pub fn gather(&self, frame: &Bytes) -> bool {
        let mut writing = self.lock();
        let takes = !writing.within && frame.len() <= SMALL && writing.gathered.len() + HEAD + frame.len() <= GATHER;
        if takes {
            let (head, length) = head(frame.len());
            if writing.gathered.capacity() == 0 {
                writing.gathered.reserve_exact(FEW);
            }
            writing.gathered.put_slice(head.get(..length).unwrap_or_default());
            writing.gathered.put_slice(frame);
        }
        takes
    }

    /// Writes what was gathered, as far as that is possible without waiting.
    pub fn try_finish(&self) -> io::Result<Sent> {
        let mut writing = self.lock();
        if writing.within {
            return Ok(Sent::Begun);
        }
        Ok(if self.write_on(&mut writing)? { Sent::Whole } else { Sent::Begun })
    }

    /// Sends a frame of bytes and waits until the system has it. Only for the connection's task, when the library has nothing to write.
    pub async fn send(&self, frame: &Bytes) -> io::Result<()> {
        loop {
            self.finish().await?;
            let begun = match self.try_send(frame)? {
                Sent::Whole => return Ok(()),
                Sent::Begun => true,
                Sent::Not => self.begin(frame)?,
            };
            if begun {
                return self.finish().await;
            }
        }
    }

    /// Makes a frame the next to be written, unless something is to be written before it.
    fn begin(&self, frame: &Bytes) -> io::Result<bool> {
        let mut writing = self.lock();
        if writing.within {
            return Err(ErrorKind::ResourceBusy.into());
        }
        let begins = writing.is_empty();
        if begins {
            let (head, length) = head(frame.len());
            writing.rest = rest_of(head.get(..length).unwrap_or_default(), frame, 0);
        }
        Ok(begins)
    }

    /// Writes what is left of a frame that has begun, and what was gathered.
    pub async fn finish(&self) -> io::Result<()> {
        while !self.write_on(&mut self.lock())? {
            self.stream.writable().await?;
        }
        Ok(())
    }

    /// Whether nothing is left to be written, neither of ours nor of the library's.
    pub fn is_clear(&self) -> bool {
        let writing = self.lock();
        !writing.within && writing.is_empty()
    }

    /// Whether the library is in the middle of a frame, and has to be flushed before anything can be sent.
    pub fn is_within(&self) -> bool {
        self.lock().within
    }

    /// Writes what the system takes of what is to be written; returns whether that was all.
    fn write_on(&self, writing: &mut Writing) -> io::Result<bool> {
        while !writing.rest.is_empty() {
            let Some(written) = self.write(&writing.rest)? else { return Ok(false) };
            writing.rest.advance(written);
        }
        // Not only advanced to its end: it may hold on to a large frame, and idle connections are many. Nor do they keep room to gather in.
        writing.rest = Bytes::new();
        let gathered = std::mem::take(&mut writing.gathered);
        if gathered.is_empty() {
            return Ok(true);
        }
        let written = self.write(&gathered)?.unwrap_or_default();
        if written == gathered.len() {
            return Ok(true);
        }
        writing.rest = Bytes::from(gathered).slice(written..);
        Ok(false)
    }

    /// Writes as much as the system takes; `None` is nothing, and then the runtime knows of it.
    fn write(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
        let written = match self.socket().send(bytes) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.stream.try_write(bytes),
            written => written,
        };
        match unless_blocked(written)? {
            Some(0) => Err(ErrorKind::WriteZero.into()),
            written => Ok(written),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Writing> {
        // Nothing is called while the lock is held that could leave it half changed.
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The stream as the WebSocket library knows it.
#[derive(Debug)]
pub struct Stream {
    read: OwnedReadHalf,
    line: Arc<Line>,
    /// Bytes that may still be read; as many as come, if there is no number.
    left: Option<usize>,
}

impl Stream {
    /// Bounds what may be read from here on. What comes beyond it is an error ([`ErrorKind::QuotaExceeded`]) as soon as it is met: the library
    /// makes room for as much as a frame says that it has, and its own limit for that cannot be changed on a connection.
    pub fn bound(&mut self, bytes: usize) {
        self.left = Some(bytes);
    }

    /// Whatever comes may be read.
    pub fn release(&mut self) {
        self.left = None;
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.read).poll_read(context, buffer))?;
        if let Some(left) = &mut self.left {
            let came = buffer.filled().len() - before;
            *left = left.checked_sub(came).ok_or(ErrorKind::QuotaExceeded)?;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        let line = &self.line;
        loop {
            ready!(line.stream.as_ref().poll_write_ready(context))?;
            let mut writing = line.lock();
            if !line.write_on(&mut writing)? {
                continue;
            }
            if let Some(written) = unless_blocked(line.stream.try_write(buffer))? {
                writing.within = written < buffer.len();
                return Poll::Ready(Ok(written));
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The stream is shut down when the last who may write has let it go.
        Poll::Ready(Ok(()))
    }
}

/// The head of an unmasked, unfragmented frame of bytes, and its length.
fn head(length: usize) -> ([u8; HEAD], usize) {
    let mut head = [0; HEAD];
    head[0] = BINARY;
    let size = match length {
        0..=125 => {
            head[1] = length as u8;
            2
        }
        126..=0xFFFF => {
            head[1] = 126;
            head[2..4].copy_from_slice(&(length as u16).to_be_bytes());
            4
        }
        _ => {
            head[1] = 127;
            head[2..].copy_from_slice(&(length as u64).to_be_bytes());
            HEAD
        }
    };
    (head, size)
}

/// What is left of a frame of which `written` bytes are written, its head included.
fn rest_of(head: &[u8], frame: &Bytes, written: usize) -> Bytes {
    match written.checked_sub(head.len()) {
        Some(of_frame) => frame.slice(of_frame..),
        None => [head.get(written..).unwrap_or_default(), frame].concat().into(),
    }
}

fn unless_blocked(written: io::Result<usize>) -> io::Result<Option<usize>> {
    match written {
        Ok(written) => Ok(Some(written)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{SinkExt, StreamExt};
    use tokio::net::TcpListener;
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::*;

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (near, far) = tokio::join!(listener.accept(), TcpStream::connect(address));
        (near.expect("accepted").0, far.expect("connected"))
    }

    #[test]
    fn heads_are_those_of_rfc_6455() {
        let head = |length| {
            let (head, size) = head(length);
            head[..size].to_vec()
        };
        assert_eq!(head(5), [0x82, 5]);
        assert_eq!(head(125), [0x82, 125]);
        assert_eq!(head(126), [0x82, 126, 0, 126]);
        assert_eq!(head(65_535), [0x82, 126, 0xFF, 0xFF]);
        assert_eq!(head(65_536), [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
    async fn b11_frames_of_many_writers_arrive_whole_and_each_writers_in_order() {
        const FRAMES: u32 = 400;
        const WRITERS: u8 = 3;
        let (near, far) = pair().await;
        let (line, stream) = Line::new(near);
        let mut library = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
        let mut reader = WebSocketStream::from_raw_socket(far, Role::Client, None).await;
        let (mut whole, mut begun) = (0_u32, 0_u32);
        let (counts, mut counted) = tokio::sync::mpsc::unbounded_channel();
        for writer in 0..WRITERS {
            let (line, counts) = (line.clone(), counts.clone());
            tokio::spawn(async move {
                for number in 0..FRAMES {
                    // Of every size, so that many do not fit.
                    let mut frame = vec![writer; 5 + (number as usize * 97) % 40_000];
                    frame[1..5].copy_from_slice(&number.to_be_bytes());
                    let frame = Bytes::from(frame);
                    loop {
                        // Some are gathered, as those of a batch are.
                        let sent = match number % 3 == 0 && line.gather(&frame) {
                            true => line.try_finish().expect("connected"),
                            false => line.try_send(&frame).expect("connected"),
                        };
                        counts.send(sent).expect("counted");
                        if sent != Sent::Not {
                            break;
                        }
                        tokio::task::yield_now().await;
                    }
                }
            });
        }
        drop(counts);
        let own = tokio::spawn(async move {
            // The connection's task: pings in between, and the rests of others.
            let mut pings = 0_u32;
            while let Some(sent) = counted.recv().await {
                match sent {
                    Sent::Whole => whole += 1,
                    Sent::Begun => {
                        begun += 1;
                        line.finish().await.expect("connected");
                    }
                    Sent::Not => {}
                }
                if (whole + begun) % 16 == 0 {
                    library.send(Message::Ping(Bytes::from_static(b"?"))).await.expect("connected");
                    pings += 1;
                }
            }
            line.finish().await.expect("connected");
            // The library stays until all is read: who hangs up with answers unread takes back what was sent.
            (whole, begun, pings, library)
        });
        let mut next = [0_u32; WRITERS as usize];
        while next.iter().any(|next| *next < FRAMES) {
            let message = reader.next().await.expect("more").unwrap_or_else(|error| panic!("{error} at {next:?}"));
            let Message::Binary(frame) = message else { continue };
            let writer = frame[0];
            let number = u32::from_be_bytes(frame[1..5].try_into().expect("four bytes"));
            assert_eq!(number, next[usize::from(writer)]);
            assert_eq!(frame.len(), 5 + (number as usize * 97) % 40_000);
            assert!(frame[5..].iter().all(|byte| *byte == writer));
            next[usize::from(writer)] += 1;
        }
        let (whole, begun, pings, _library) = own.await.expect("no panic");
        assert_eq!(whole + begun, FRAMES * u32::from(WRITERS));
        assert!(begun > 0 && pings > 0, "{begun} frames did not fit, {pings} pings");
    }
}

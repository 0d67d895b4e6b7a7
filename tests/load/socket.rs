//! Many WebSockets on one thread: epoll, one read a wake-up, frames handed on where they lie. A library's socket costs more for each
//! frame than the servers measured here do, and the generator has one core for all of its people.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::event::{Timespec, epoll};

/// Bytes of one read: several frames of everybody's.
const CHUNK: usize = 64 * 1024;
/// Sockets handled in one turn.
const EVENTS: usize = 512;
/// Frames of clients are masked; with what is of no matter here.
const MASK: [u8; 4] = [0x5a, 0x13, 0xc7, 0x2e];

/// What a frame is.
pub mod opcode {
    pub const BINARY: u8 = 2;
    pub const CLOSE: u8 = 8;
    pub const PING: u8 = 9;
    pub const PONG: u8 = 10;
}

/// The sockets that are watched.
pub struct Net {
    epoll: OwnedFd,
    events: Vec<epoll::Event>,
}

/// One connection.
#[derive(Default)]
pub struct Socket {
    stream: Option<TcpStream>,
    /// Whether the server has agreed to speak WebSocket.
    pub open: bool,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
}

/// What a read brought.
pub enum Heard {
    /// Bytes, possibly of several frames.
    Bytes(Vec<u8>),
    /// Nothing that is complete.
    Nothing,
    /// The connection has ended.
    Ended,
}

impl Net {
    pub fn new() -> Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).context("epoll")?;
        Ok(Self { epoll, events: Vec::with_capacity(EVENTS) })
    }

    /// Waits until a socket has something to say, at most `patience`; gives the numbers of those that do.
    pub fn wait(&mut self, patience: Duration, ready: &mut Vec<usize>) -> Result<()> {
        ready.clear();
        self.events.clear();
        let patience = Timespec { tv_sec: patience.as_secs() as i64, tv_nsec: i64::from(patience.subsec_nanos()) };
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut self.events), Some(&patience)) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(()),
            Err(error) => return Err(error).context("epoll"),
        }
        ready.extend(self.events.iter().map(|event| event.data.u64() as usize));
        Ok(())
    }
}

impl Socket {
    /// Connects and asks for an upgrade; the answer comes with the first bytes.
    pub fn connect(net: &Net, number: usize, server: SocketAddr, path: &str) -> Result<Self> {
        let mut stream = TcpStream::connect(server).context("connect")?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        stream.write_all(request.as_bytes())?;
        stream.set_nonblocking(true)?;
        epoll::add(&net.epoll, &stream, epoll::EventData::new_u64(number as u64), epoll::EventFlags::IN)?;
        Ok(Self { stream: Some(stream), ..Self::default() })
    }

    pub fn is_connected(&self) -> bool {
        self.stream.is_some()
    }

    /// Says goodbye and hangs up.
    pub fn hang_up(&mut self) {
        if self.open {
            // Whoever has gone already need not be told.
            let _ = self.frame(opcode::CLOSE, &1000_u16.to_be_bytes());
        }
        *self = Self::default();
    }

    /// Sends a frame.
    pub fn send(&mut self, payload: &[u8]) -> Result<()> {
        self.frame(opcode::BINARY, payload)
    }

    /// Sends a frame of any kind. What the system does not take now goes with the next.
    pub fn frame(&mut self, opcode: u8, payload: &[u8]) -> Result<()> {
        let out = &mut self.outbox;
        out.push(0x80 | opcode);
        match payload.len() {
            length @ 0..=125 => out.push(0x80 | length as u8),
            length @ 126..=0xffff => {
                out.push(0x80 | 126);
                out.extend_from_slice(&(length as u16).to_be_bytes());
            }
            length => {
                out.push(0x80 | 127);
                out.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        out.extend_from_slice(&MASK);
        out.extend(payload.iter().enumerate().map(|(index, byte)| byte ^ MASK[index % 4]));
        self.flush()
    }

    /// Whether something still waits to be sent.
    pub fn is_stuck(&self) -> bool {
        !self.outbox.is_empty()
    }

    pub fn flush(&mut self) -> Result<()> {
        let Some(stream) = &mut self.stream else { bail!("not connected") };
        let mut sent = 0;
        while sent < self.outbox.len() {
            match stream.write(&self.outbox[sent..]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("write"),
            }
        }
        self.outbox.drain(..sent);
        if self.outbox.is_empty() && self.outbox.capacity() > 1024 {
            self.outbox = Vec::new();
        }
        Ok(())
    }

    /// Reads once. Whole frames are in the bytes that come back; give the rest to [`Socket::keep`].
    pub fn read(&mut self, chunk: &mut Vec<u8>) -> Result<Heard> {
        chunk.resize(CHUNK, 0);
        let Some(stream) = &mut self.stream else { return Ok(Heard::Nothing) };
        let count = match stream.read(chunk) {
            Ok(0) => return Ok(Heard::Ended),
            Ok(count) => count,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                return Ok(Heard::Nothing);
            }
            Err(_) => return Ok(Heard::Ended),
        };
        chunk.truncate(count);
        let mut bytes = if self.inbox.is_empty() {
            std::mem::take(chunk)
        } else {
            self.inbox.extend_from_slice(chunk);
            std::mem::take(&mut self.inbox)
        };
        if !self.open {
            let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
                self.inbox = bytes;
                return Ok(Heard::Nothing);
            };
            if !bytes.starts_with(b"HTTP/1.1 101") {
                bail!("no upgrade: {}", String::from_utf8_lossy(&bytes[..end]));
            }
            bytes.drain(..end + 4);
            self.open = true;
        }
        Ok(Heard::Bytes(bytes))
    }

    /// Keeps what was not a whole frame yet.
    pub fn keep(&mut self, rest: &[u8]) {
        self.inbox.clear();
        self.inbox.extend_from_slice(rest);
        if self.inbox.is_empty() {
            self.inbox = Vec::new();
        }
    }
}

/// The next frame of a server, if it is whole: its opcode, its payload, and the bytes it takes.
pub fn next_frame(bytes: &[u8]) -> Result<Option<(u8, &[u8], usize)>> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    if first & 0x80 == 0 || second & 0x80 != 0 {
        bail!("a frame that servers here do not send");
    }
    let (length, header) = match second & 0x7f {
        126 => match rest {
            [a, b, ..] => (usize::from(u16::from_be_bytes([*a, *b])), 4),
            _ => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(length) => (usize::try_from(u64::from_be_bytes(*length))?, 10),
            None => return Ok(None),
        },
        length => (usize::from(length), 2),
    };
    let payload = bytes.get(header..header + length);
    Ok(payload.map(|payload| (first & 0x0f, payload, header + length)))
}

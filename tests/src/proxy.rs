//! A network between guests and a server, with the faults that networks have. Real sockets on both sides.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::api::Api;
use crate::server::Server;

/// The network. It ends with this value.
pub struct Network {
    address: SocketAddr,
    faults: Arc<Faults>,
    _listening: Listening,
}

struct Faults {
    /// Whether what the server says is swallowed.
    deaf: watch::Sender<bool>,
    /// Whether what guests say is.
    mute: watch::Sender<bool>,
    /// Counts cuts: a connection ends when it grows.
    cuts: watch::Sender<u64>,
    /// Bytes swallowed.
    swallowed: AtomicU64,
}

struct Listening(tokio::task::JoinHandle<()>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Network {
    /// Before a server.
    ///
    /// # Errors
    /// No port is free.
    pub async fn before(server: &Server) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let faults = Arc::new(Faults {
            deaf: watch::Sender::new(false),
            mute: watch::Sender::new(false),
            cuts: watch::Sender::new(0),
            swallowed: AtomicU64::new(0),
        });
        let port = server.port();
        let shared = faults.clone();
        let listening = tokio::spawn(async move {
            while let Ok((guest, _)) = listener.accept().await {
                tokio::spawn(carry(guest, port, shared.clone()));
            }
        });
        Ok(Self { address, faults, _listening: Listening(listening) })
    }

    /// The server's HTTP interface through this network.
    pub fn api(&self) -> Api {
        Api::new(&format!("http://{}", self.address))
    }

    /// From now on nothing that the server says arrives, until [`Network::cut`]. What guests say does.
    pub fn swallow_answers(&self) {
        self.faults.deaf.send_replace(true);
    }

    /// From now on nothing that guests say arrives, until [`Network::cut`]. What the server says does.
    pub fn swallow_words(&self) {
        self.faults.mute.send_replace(true);
    }

    /// Bytes that the server said in vain.
    pub fn swallowed(&self) -> u64 {
        self.faults.swallowed.load(Ordering::SeqCst)
    }

    /// Ends all connections, without a word, and carries new ones as it should.
    pub fn cut(&self) {
        self.faults.cuts.send_modify(|cuts| *cuts += 1);
        self.faults.deaf.send_replace(false);
        self.faults.mute.send_replace(false);
    }
}

/// One connection, until either side ends or the network is cut.
async fn carry(mut guest: TcpStream, port: u16, faults: Arc<Faults>) {
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let (mut cuts, deaf, mute) = (faults.cuts.subscribe(), faults.deaf.subscribe(), faults.mute.subscribe());
    cuts.mark_unchanged();
    let (mut up, mut down) = ([0; 16 * 1024], [0; 16 * 1024]);
    loop {
        tokio::select! {
            read = guest.read(&mut up) => match read {
                Ok(n) if n > 0 && *mute.borrow() => {}
                Ok(n) if n > 0 && server.write_all(&up[..n]).await.is_ok() => {}
                _ => return,
            },
            read = server.read(&mut down) => match read {
                Ok(n) if n > 0 && *deaf.borrow() => {
                    faults.swallowed.fetch_add(n as u64, Ordering::SeqCst);
                }
                Ok(n) if n > 0 && guest.write_all(&down[..n]).await.is_ok() => {}
                _ => return,
            },
            _ = cuts.changed() => return,
        }
    }
}

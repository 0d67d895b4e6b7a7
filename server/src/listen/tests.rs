//! Connections as they are taken and let go, over real sockets.

use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);
/// Far more than what the system keeps for a socket that nobody reads.
const LARGE: usize = 64 * 1024 * 1024;

struct House {
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

impl House {
    async fn open(write: Duration, places: Option<u32>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let large = get(|| async { vec![b'x'; LARGE] });
        let router = Router::new().route("/", get(|| async { "here" })).route("/large", large);
        let (stop, stopped) = oneshot::channel::<()>();
        let patience = Patience { head: PATIENCE, write, places };
        tokio::spawn(serve(listener, patience, router, async { drop(stopped.await) }));
        Self { address, _stop: stop }
    }

    /// A connection on which this was asked.
    async fn asks(&self, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.expect("a connection");
        // One that is refused may be closed already.
        let _ = stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await;
        stream
    }

    /// A connection that was answered and stays open; none if it was refused.
    async fn is_served(&self) -> Option<TcpStream> {
        let mut stream = self.asks("/").await;
        let mut beginning = [0; 12];
        let read = timeout(PATIENCE, stream.read_exact(&mut beginning)).await.expect("in time");
        read.is_ok_and(|_| &beginning == b"HTTP/1.1 200").then_some(stream)
    }

    /// The same, once there is a place.
    async fn is_served_soon(&self) -> TcpStream {
        let served = async {
            loop {
                if let Some(stream) = self.is_served().await {
                    return stream;
                }
            }
        };
        timeout(PATIENCE, served).await.expect("a place")
    }
}

#[tokio::test]
async fn h22_an_address_has_so_many_http_connections_and_gets_them_back() {
    let house = House::open(PATIENCE, Some(2)).await;
    let (first, _second) = (house.is_served().await.expect("served"), house.is_served().await.expect("served"));
    assert!(house.is_served().await.is_none(), "one too many");
    drop(first);
    house.is_served_soon().await;
    // Behind a proxy all are the proxy's.
    let house = House::open(PATIENCE, None).await;
    let mut open = Vec::new();
    for _ in 0..20 {
        open.push(house.is_served().await.expect("served"));
    }
}

#[tokio::test]
async fn h22_an_answer_that_nobody_reads_is_not_kept() {
    let house = House::open(Duration::from_millis(200), Some(1)).await;
    let mut deaf = house.asks("/large").await;
    // It has begun to be answered, and reads no further.
    timeout(PATIENCE, deaf.read_u8()).await.expect("in time").expect("an answer");
    assert!(house.is_served().await.is_none(), "it has the only place");
    house.is_served_soon().await;
    drop(deaf);
}

//! Taking connections and serving HTTP on them.
//!
//! By hand instead of with `axum::serve`, which gives no way to bound how long the head of a request may take: a thousand connections
//! that send a letter a minute would stay for ever. Nor does it bound how long an answer may wait to be read, or how many connections one
//! address has.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use shared::limits;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::ServiceExt;

use crate::config::counted;
use crate::http::gate::{Admission, Places};

mod patient;

pub use patient::Patient;

/// How long to wait when the system gives no more connections (file descriptors have run out): some will end.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(500);

/// A connection that is being served; its place is given back when it ends, or becomes a WebSocket, which has a place of its own.
pub type Stream = Patient<TcpStream, Option<Admission>>;

/// What connections may take.
pub struct Patience {
    /// How long the head of a request may take, and a connection be idle.
    pub head: Duration,
    /// How long an answer may wait for its reader to take any of it.
    pub write: Duration,
    /// How many connections one address may have; without a number, as many as it likes.
    pub places: Option<u32>,
}

/// Serves until `stop` resolves. Ends gracefully: it then takes nothing more, and resolves when all requests under way are answered.
/// Sockets that were upgraded are not waited for.
pub async fn serve(listener: TcpListener, patience: Patience, router: Router, stop: impl Future<Output = ()>) {
    let Patience { head: head_time, write, places } = patience;
    let places = places.map(Places::new);
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head_time).max_buf_size(limits::HEAD_BYTES);
    let (stopping, _) = watch::channel(false);
    tokio::pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    if !is_of_one_connection(&error) {
                        tracing::error!(%error, "no connection could be taken; raise the limit of open files if this goes on");
                        tokio::time::sleep(OUT_OF_DESCRIPTORS).await;
                    }
                    continue;
                }
            },
        };
        let place = match places.as_ref().map(|places| places.take(counted(peer.ip()))) {
            Some(None) => {
                // It has read nothing yet, and answering each would cost what is to be saved.
                metrics::counter!("tablehop_refusals_total", "reason" => "too_many_connections").increment(1);
                continue;
            }
            place => place.flatten(),
        };
        let stream: Stream = Patient::new(prompt(stream), write, place);
        let connection = http.serve_connection(TokioIo::new(stream), answering(router.clone(), peer));
        let mut stopped = stopping.subscribe();
        tokio::spawn(async move {
            let mut connection = pin!(connection.with_upgrades());
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = async { drop(stopped.wait_for(|stopped| *stopped).await) } => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, %peer, "a connection ended");
            }
            drop(stopped);
        });
    }
    drop(listener);
    stopping.send_replace(true);
    // Until the last task has dropped its end.
    stopping.closed().await;
}

fn answering(
    router: Router,
    peer: SocketAddr,
) -> impl hyper::service::Service<
    hyper::Request<Incoming>,
    Response = axum::response::Response,
    Error = Infallible,
    Future: Send + 'static,
> + Send {
    service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    })
}

/// Frames are small and people wait for them.
fn prompt(stream: TcpStream) -> TcpStream {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "could not turn Nagle's algorithm off");
    }
    stream
}

/// Whether the failure is that of the connection which was being taken.
fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionRefused | ConnectionAborted | ConnectionReset)
}

#[cfg(test)]
mod tests;

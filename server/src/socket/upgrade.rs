//! From an HTTP request to a WebSocket whose TCP stream is in our own hands.
//!
//! axum's extractor keeps the stream to itself; boards write on it (see [`super::line`]).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::{OnUpgrade, Parts};
use hyper_util::rt::TokioIo;
use shared::limits;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::line::{Line, Stream};
use crate::listen;

/// A connection as the library sees it.
pub type Socket = WebSocketStream<Stream>;

/// A request to speak WebSocket from here on; others are refused with 426.
pub struct Upgrade {
    agreed: Response,
    stream: OnUpgrade,
}

impl<S: Sync> FromRequest<S> for Upgrade {
    type Rejection = Response;

    async fn from_request(mut request: Request, _: &S) -> Result<Self, Response> {
        let stream = request.extensions_mut().remove::<OnUpgrade>();
        match (create_response_with_body(&request, Body::empty), stream) {
            (Ok(agreed), Some(stream)) => Ok(Self { agreed, stream }),
            _ => Err((StatusCode::UPGRADE_REQUIRED, [(header::UPGRADE, "websocket")], "a WebSocket is expected here")
                .into_response()),
        }
    }
}

impl Upgrade {
    /// Agrees, and once the answer is sent has what `then` gives do the rest. That is a task of its own: this one's would keep the room
    /// that it needed before.
    pub fn accept<F>(
        self,
        config: WebSocketConfig,
        then: impl FnOnce(Arc<Line>, Socket) -> F + Send + 'static,
    ) -> Response
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Self { agreed, stream } = self;
        tokio::spawn(async move {
            let upgraded = match stream.await {
                Ok(upgraded) => upgraded,
                Err(error) => return tracing::debug!(%error, "an upgrade failed"),
            };
            let Ok(parts) = upgraded.downcast::<TokioIo<listen::Stream>>() else {
                return tracing::error!("a connection is none of ours: `listen` serves something else than TCP");
            };
            let Parts { io, read_buf, .. } = parts;
            // From here on the line minds how long a write may take, and the socket's own place is counted.
            let (line, mut stream) = Line::new(io.into_inner().into_inner());
            // The buffer of the HTTP connection goes with it.
            let early = read_buf.to_vec();
            drop(read_buf);
            // Nobody knows yet who it is.
            stream.bound(limits::STRANGER_BYTES.saturating_sub(early.len()));
            let socket = WebSocketStream::from_partially_read(stream, early, Role::Server, Some(config)).await;
            tokio::spawn(then(line, socket));
        });
        agreed
    }
}

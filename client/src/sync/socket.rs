//! Bytes on the WebSocket, as frames. The only file that knows the browser's socket.

use std::rc::Rc;

use shared::wire::{ClientFrame, ServerFrame};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

use crate::platform;

/// What the socket says.
pub enum SocketEvent {
    /// It is open.
    Opened,
    /// A frame came.
    Frame(ServerFrame),
    /// Something came that this client does not understand; a newer server may say more.
    Unknown,
    /// It is closed, with this code.
    Closed(u16),
}

/// An open or opening socket. Dropping it closes it, and it says nothing more.
pub struct Socket {
    socket: WebSocket,
    _open: Closure<dyn FnMut()>,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _close: Closure<dyn FnMut(CloseEvent)>,
}

impl Socket {
    /// Opens the socket to the server that the page came from. None if the browser refuses.
    pub fn open(listener: Rc<dyn Fn(SocketEvent)>) -> Option<Self> {
        // http → ws, https → wss.
        let url = platform::origin().replacen("http", "ws", 1) + "/collab";
        let socket = WebSocket::new(&url).ok()?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let open = {
            let listener = listener.clone();
            Closure::<dyn FnMut()>::new(move || listener(SocketEvent::Opened))
        };
        let message = {
            let listener = listener.clone();
            Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                let frame = event
                    .data()
                    .dyn_into::<js_sys::ArrayBuffer>()
                    .ok()
                    .and_then(|buffer| ServerFrame::decode(&js_sys::Uint8Array::new(&buffer).to_vec()).ok());
                listener(frame.map_or(SocketEvent::Unknown, SocketEvent::Frame));
            })
        };
        let close =
            Closure::<dyn FnMut(CloseEvent)>::new(move |event: CloseEvent| listener(SocketEvent::Closed(event.code())));
        socket.set_onopen(Some(open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(message.as_ref().unchecked_ref()));
        // An error is always followed by a close.
        socket.set_onclose(Some(close.as_ref().unchecked_ref()));
        Some(Self { socket, _open: open, _message: message, _close: close })
    }

    /// Sends a frame; returns whether the browser took it.
    pub fn send(&self, frame: &ClientFrame) -> bool {
        self.socket.ready_state() == WebSocket::OPEN && self.socket.send_with_u8_array(&frame.encode()).is_ok()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        let _ = self.socket.close();
    }
}

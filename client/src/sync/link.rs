//! Drives the [`Session`] with the socket, a timer and the browser's events, for one café.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use gloo_timers::callback::Timeout;
use shared::id::WorkshopId;
use shared::wire::{Address, CLIENT_VERSION, ClientFrame, ClientMessage, ServerFrame, ServerMessage};

use super::session::{Input, Output, Session, State};
use super::socket::{Socket, SocketEvent};
use crate::platform::{self, Listener};

/// Who is told what happens on the link.
pub trait LinkEvents {
    /// The session went into another state.
    fn changed(&self, state: &State);
    /// Authenticated for the workshop: boards may be opened.
    fn begin(&self);
    /// No longer connected.
    fn end(&self);
    /// A message for an address came; Auth for the workshop is dealt with already.
    fn message(&self, address: &Address, message: ServerMessage);
}

/// The connection of one café.
pub struct Link {
    itself: Weak<Self>,
    workshop: Address,
    token: String,
    events: OnceCell<Weak<dyn LinkEvents>>,
    session: RefCell<Session>,
    inputs: RefCell<VecDeque<Input>>,
    busy: Cell<bool>,
    open: Cell<bool>,
    socket: RefCell<Option<Socket>>,
    timer: RefCell<Option<Timeout>>,
    listeners: RefCell<Vec<Listener>>,
}

impl Link {
    /// A link that is not started yet.
    pub fn new(workshop: &WorkshopId, token: &str) -> Rc<Self> {
        Rc::new_cyclic(|itself| Self {
            itself: itself.clone(),
            workshop: Address::Workshop(workshop.clone()),
            token: token.to_owned(),
            events: OnceCell::new(),
            session: RefCell::default(),
            inputs: RefCell::default(),
            busy: Cell::new(false),
            open: Cell::new(false),
            socket: RefCell::default(),
            timer: RefCell::default(),
            listeners: RefCell::default(),
        })
    }

    /// Says who is told; once.
    pub fn tell(&self, events: Weak<dyn LinkEvents>) {
        let _ = self.events.set(events);
    }

    /// Connects, and stays connected.
    pub fn start(&self) {
        if self.listeners.borrow().is_empty() {
            let woken = || {
                let link = self.itself.clone();
                move || {
                    if let Some(link) = link.upgrade().filter(|_| platform::visible()) {
                        link.handle(Input::Woken);
                    }
                }
            };
            *self.listeners.borrow_mut() = vec![
                Listener::on_window("online", woken()),
                Listener::on_window("offline", woken()),
                Listener::on_window("pageshow", woken()),
                Listener::on_document("visibilitychange", woken()),
            ];
        }
        self.handle(Input::Start);
    }

    /// Disconnects, and stays so.
    pub fn stop(&self) {
        self.handle(Input::Stop);
        self.listeners.borrow_mut().clear();
    }

    /// Whether messages reach the server at the moment, as far as one can know.
    pub fn is_open(&self) -> bool {
        self.open.get()
    }

    /// Sends a message; returns whether the browser took it.
    pub fn send(&self, address: &Address, message: ClientMessage) -> bool {
        self.open.get() && self.put(&ClientFrame::Message(address.clone().into(), message))
    }

    /// The token for an address.
    pub fn auth(&self) -> ClientMessage {
        ClientMessage::Auth { token: self.token.clone(), version: Some(CLIENT_VERSION.to_owned()) }
    }

    fn put(&self, frame: &ClientFrame) -> bool {
        self.socket.borrow().as_ref().is_some_and(|socket| socket.send(frame))
    }

    /// Inputs that arise while one is being handled wait for their turn.
    fn handle(&self, input: Input) {
        self.inputs.borrow_mut().push_back(input);
        if self.busy.replace(true) {
            return;
        }
        loop {
            let Some(input) = self.inputs.borrow_mut().pop_front() else { break };
            let before = self.session.borrow().state().clone();
            let outputs = self.session.borrow_mut().handle(input, platform::random());
            let after = self.session.borrow().state().clone();
            let open = matches!(after, State::Online { .. } | State::Doubtful);
            if self.open.replace(open)
                && !open
                && let Some(events) = self.events()
            {
                events.end();
            }
            if before != after
                && let Some(events) = self.events()
            {
                events.changed(&after);
            }
            // Each end of an attempt also ends its timer.
            if matches!(after, State::Stopped | State::Refused(_)) {
                self.timer.take();
            }
            outputs.into_iter().for_each(|output| self.perform(output));
        }
        self.busy.set(false);
    }

    fn perform(&self, output: Output) {
        match output {
            Output::Connect => self.connect(),
            Output::Disconnect => drop(self.socket.take()),
            Output::Greet => {
                self.put(&ClientFrame::Message(self.workshop.clone().into(), self.auth()));
            }
            Output::Begin => {
                if let Some(events) = self.events() {
                    events.begin();
                }
            }
            Output::Ping => {
                self.put(&ClientFrame::Ping);
            }
            Output::Wait(milliseconds) => {
                let link = self.itself.clone();
                let timer = Timeout::new(milliseconds, move || {
                    if let Some(link) = link.upgrade() {
                        link.handle(Input::TimeUp);
                    }
                });
                // Dropping the last one cancels it.
                self.timer.replace(Some(timer));
            }
        }
    }

    fn connect(&self) {
        let link = self.itself.clone();
        let listener = move |event: SocketEvent| {
            if let Some(link) = link.upgrade() {
                link.hear(event);
            }
        };
        let socket = Socket::open(Rc::new(listener));
        if socket.is_none() {
            self.inputs.borrow_mut().push_back(Input::Lost(1006));
        }
        self.socket.replace(socket);
    }

    fn hear(&self, event: SocketEvent) {
        match event {
            SocketEvent::Opened => self.handle(Input::Opened),
            SocketEvent::Closed(code) => self.handle(Input::Lost(code)),
            SocketEvent::Unknown | SocketEvent::Frame(ServerFrame::Pong) => self.handle(Input::Heard),
            SocketEvent::Frame(ServerFrame::Ping) => {
                self.put(&ClientFrame::Pong);
                self.handle(Input::Heard);
            }
            SocketEvent::Frame(ServerFrame::Message(addressed, message)) => {
                self.handle(Input::Heard);
                let address = addressed.address;
                match message {
                    ServerMessage::Authenticated { .. } if address == self.workshop => self.handle(Input::Accepted),
                    // Also when it is taken away later: who was taken out, or whose link was ended, reads why.
                    ServerMessage::Denied { reason } | ServerMessage::Close { reason } if address == self.workshop => {
                        self.handle(Input::Denied(reason));
                    }
                    ServerMessage::AskToken => {
                        self.put(&ClientFrame::Message(address.into(), self.auth()));
                    }
                    message => {
                        if let Some(events) = self.events() {
                            events.message(&address, message);
                        }
                    }
                }
            }
        }
    }

    fn events(&self) -> Option<Rc<dyn LinkEvents>> {
        self.events.get()?.upgrade()
    }
}

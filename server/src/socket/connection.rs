//! One connection at work: carries out what its [`Session`] decides, against tokens, boards and workshops. Knows no socket: what is to
//! be written goes into the outbox.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use shared::id::WorkshopId;
use shared::wire::{Address, Addressed, ClientFrame, ServerFrame, ServerMessage, presence};
use tokio::time::Instant;

use super::allowance::Allowance;
use super::dialect::{Dialect, decode_yjs};
use super::guard::{Guard, GuardError, Holder};
use super::outbox::{Class, End, Outbox, Slot};
use super::rights::{pen, right_now, user_of};
use super::session::{Input, Output, Right, Session};
use crate::app::App;
use crate::auth::{Principal, Standing};
use crate::board::{self, Gone, Member, MemberId, read_state_vector};
use crate::store::{Health, StoreError};
use crate::workshop::floor::Arrival;
use crate::workshop::{self, CommandError, Moment, Viewer};

/// Client ids given on a workshop's address: enough for the boards that somebody opens offline.
const IDS_FOR_WORKSHOP: usize = 4;
/// Client ids given on a board's address: one for this opening.
const IDS_FOR_BOARD: usize = 1;

/// The next connection's number.
static CONNECTIONS: AtomicU64 = AtomicU64::new(1);

const RESTART: End = End { code: 1012, reason: "restart" };
const TOO_FAST: End = End { code: 4429, reason: "too_fast" };
const UNAVAILABLE: End = End { code: 1013, reason: "store_unavailable" };

/// Which framing a connection uses.
#[derive(Clone, Debug)]
pub enum Framing {
    /// `/collab`.
    Collab,
    /// `/yjs/<board>`, with the board.
    Yjs(Address),
}

/// A connection's place in the house: its person, and what it has open.
pub struct Connection {
    app: App,
    framing: Framing,
    session: Session,
    outbox: Arc<Outbox>,
    guard: Guard,
    person: Option<Box<Person>>,
    places: Vec<Place>,
    ping: bool,
    /// For the log: counts connections from the start of the process.
    number: u64,
}

/// Who is connected. One socket, one person.
struct Person {
    principal: Principal,
    workshop: workshop::Handle,
    allowance: Allowance,
    _arrival: Arrival,
}

struct Place {
    slot: Slot,
    open: Open,
}

enum Open {
    Board { handle: board::Handle, member: MemberId },
    Workshop { viewer: u64 },
}

impl Connection {
    /// A connection that was just opened.
    pub fn new(app: App, framing: Framing, outbox: Arc<Outbox>) -> Self {
        Self {
            app,
            framing,
            session: Session::new(Instant::now()),
            outbox,
            guard: Guard::default(),
            person: None,
            places: Vec::with_capacity(2),
            ping: false,
            number: CONNECTIONS.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// The connection's number in the log.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// A frame arrived.
    pub async fn hear(&mut self, bytes: &[u8]) {
        // What this person may do is decided on the state as it is now, not as it was at the last change that was noticed.
        if self.has_changed() {
            Box::pin(self.check_rights()).await;
        }
        let frame = match &self.framing {
            Framing::Collab => ClientFrame::decode(bytes),
            Framing::Yjs(board) => decode_yjs(board, bytes),
        };
        self.take(Input::Heard(frame)).await;
    }

    /// Something happened; does what follows from it.
    pub async fn take(&mut self, input: Input) {
        let mut todo: VecDeque<Output> = self.session.decide(Instant::now(), input).into();
        while let Some(output) = todo.pop_front() {
            if let Some(input) = self.perform(output).await {
                // What follows from this comes before the rest.
                for output in self.session.decide(Instant::now(), input).into_iter().rev() {
                    todo.push_front(output);
                }
            }
        }
    }

    /// When to pass [`Input::Tick`] next.
    pub fn wake_at(&self) -> Instant {
        self.session.wake_at()
    }

    /// Whether a WebSocket ping is to be sent.
    pub fn wants_ping(&self) -> bool {
        self.ping
    }

    /// Whether a WebSocket ping is to be sent; asked once.
    pub fn take_ping(&mut self) -> bool {
        std::mem::take(&mut self.ping)
    }

    /// Whether it is known who is connected.
    pub fn is_known(&self) -> bool {
        self.person.is_some()
    }

    /// Whether the café has changed since what was last looked at; then call [`Connection::check_rights`].
    pub fn has_changed(&self) -> bool {
        self.person.as_ref().is_some_and(|person| person.workshop.moment.has_changed().unwrap_or(true))
    }

    /// Resolves when the café changes from what was last looked at; then call [`Connection::check_rights`]. As long as nobody is known,
    /// never.
    pub fn changed(&self) -> impl Future<Output = ()> + use<> {
        let moment = self.person.as_ref().map(|person| person.workshop.moment.clone());
        async move {
            match moment {
                // An error means that the café's task has ended, which is noticed there.
                Some(mut moment) => drop(moment.changed().await),
                None => std::future::pending().await,
            }
        }
    }

    /// Tells the session what may be done on each open address now.
    pub async fn check_rights(&mut self) {
        let Some(person) = &mut self.person else { return };
        if person.workshop.moment.has_changed().is_err() {
            // The café's task has ended, and its viewers with it: begin anew.
            return self.outbox.end(RESTART);
        }
        let moment = person.workshop.moment.borrow_and_update().clone();
        let actor = person.principal.actor.clone();
        let rights: Vec<(Slot, Right)> =
            self.session.open().map(|(slot, to, ..)| (slot, right_now(&moment, &actor, &to.address))).collect();
        for (slot, right) in rights {
            self.take(Input::Rights { slot, right }).await;
        }
    }

    /// The reader was too slow for this address, and has read the rest.
    pub async fn catch_up(&mut self, slot: Slot) {
        let ours = self.session.open().find(|open| open.0 == slot).map(|(_, to, ours, _)| (to.clone(), ours));
        match ours {
            Some((to, true)) => self.send(slot, &to, ServerMessage::Resync),
            Some((_, false)) => {
                if let Some((handle, member)) = self.board(slot) {
                    let refreshed = handle.refresh(member).await;
                    self.still_there(refreshed);
                }
            }
            None => {}
        }
    }

    /// The connection has ended: leaves everything.
    pub async fn leave(&mut self) {
        for place in std::mem::take(&mut self.places) {
            self.leave_place(place).await;
        }
        self.person = None;
    }

    /// What is rare or large is boxed: each message gets room for all that this may be in the middle of.
    async fn perform(&mut self, output: Output) -> Option<Input> {
        match output {
            Output::Authenticate { slot, to, token, ours } => {
                // Boxed, for it is large and rare.
                let right = Box::pin(self.authenticate(slot, &to, &token, ours)).await.unwrap_or_else(Right::None);
                let (connection, principal) = (self.number, self.principal());
                match right {
                    Right::None(reason) => {
                        metrics::counter!("tablehop_refusals_total", "reason" => reason).increment(1);
                        tracing::debug!(connection, principal, address = %to.address, reason, "an address is refused");
                    }
                    _ => tracing::debug!(connection, principal, address = %to.address, ours, "an address is opened"),
                }
                return Some(Input::Granted { slot, right });
            }
            Output::Send { slot, to, message } => self.send(slot, &to, message),
            Output::Sync { slot, state_vector } => {
                let (handle, member) = self.board(slot)?;
                if !self.person.as_ref()?.allowance.sync(Instant::now()) {
                    self.end_too_fast();
                    return None;
                }
                match read_state_vector(&state_vector) {
                    Ok(state_vector) => {
                        let sent = handle.sync(member, state_vector).await;
                        self.still_there(sent);
                    }
                    Err(_) => self.outbox.end(End { code: 1002, reason: "bad_state_vector" }),
                }
            }
            Output::Edit { slot, ack, update, allowed, ours } => {
                let (handle, member) = self.board(slot)?;
                let person = self.person.as_ref()?;
                if !person.allowance.edit(Instant::now(), update.len()) {
                    self.end_too_fast();
                    return None;
                }
                let holder = holder(&self.app, person);
                if allowed && self.guard.bind_lent(holder).await.is_err() {
                    // With a new connection come new ids.
                    self.outbox.end(RESTART);
                    return None;
                }
                match self.guard.check(holder, ours || !allowed, update).await {
                    Ok(update) => {
                        let sent = handle.edit(member, ack, update, allowed).await;
                        self.still_there(sent);
                    }
                    Err(error) => self.end_for(&error),
                }
            }
            Output::Presence { slot, presence } => Box::pin(self.pass_presence(slot, &presence)).await,
            Output::QueryPresence { slot } => {
                let (handle, member) = self.board(slot)?;
                let sent = handle.query_presence(member).await;
                self.still_there(sent);
            }
            Output::Leave { slot } => {
                self.outbox.forget(slot);
                if let Some(index) = self.places.iter().position(|place| place.slot == slot) {
                    let place = self.places.remove(index);
                    Box::pin(self.leave_place(place)).await;
                }
            }
            Output::Ping => self.send_ping(),
            Output::Pong => self.outbox.push(0, Class::Answer, ServerFrame::Pong.encode().into()),
            Output::End(end) => {
                metrics::counter!("tablehop_refusals_total", "reason" => end.reason).increment(1);
                let (connection, principal) = (self.number, self.principal());
                tracing::debug!(connection, principal, code = end.code, reason = end.reason, "a connection is closed");
                self.outbox.end(end);
            }
        }
        None
    }

    /// Who it is, for the log; empty before that is known.
    fn principal(&self) -> &str {
        self.person.as_ref().map_or("", |person| person.principal.actor.id.as_str())
    }

    // -- Opening addresses

    /// Checks a token and opens the address. The error is the stable code of the refusal.
    async fn authenticate(
        &mut self,
        slot: Slot,
        to: &Addressed,
        token: &str,
        ours: bool,
    ) -> Result<Right, &'static str> {
        let principal = match self.app.tokens.check(token).await {
            Ok(Standing::Valid(principal)) => principal,
            Ok(Standing::Expired) => return Err("expired_token"),
            Ok(Standing::Unknown) => return Err("bad_token"),
            // It is not known whose it was; asking again would not tell.
            Err(StoreError::Corrupt { .. }) => return Err("damaged"),
            Err(_) => return Err("store_unavailable"),
        };
        if *workshop_of(&to.address) != principal.workshop {
            return Err("wrong_workshop");
        }
        let moment = self.meet(principal.clone()).await?;
        let right = right_now(&moment, &principal.actor, &to.address);
        if let Right::None(reason) = right {
            return Err(reason);
        }
        let dialect = self.dialect(to);
        match &to.address {
            Address::Workshop(_) => {
                self.welcome(slot, to, false, ours, IDS_FOR_WORKSHOP).await?;
                let viewer = self.app.boards.next_member();
                self.places.push(Place { slot, open: Open::Workshop { viewer } });
                let who = Viewer { actor: principal.actor, dialect, outbox: self.outbox.clone(), slot };
                if let Some(person) = &self.person {
                    person.workshop.watch(viewer, who).await;
                }
            }
            Address::Board(id) => {
                // Loaded first, for a board that cannot be loaded is refused.
                let handle = self.app.boards.open(id).await.map_err(|error| error.code())?;
                self.welcome(slot, to, right == Right::Read, ours, IDS_FOR_BOARD).await?;
                let member = self.app.boards.next_member();
                let moment = self.person.as_ref().ok_or("unavailable")?.workshop.moment.clone();
                let may_write = pen(moment, principal.actor.clone(), to.address.clone());
                let (actor, outbox) = (principal.actor.id, self.outbox.clone());
                let joining = Member { actor, ours, dialect, outbox, slot, may_write };
                handle.join(member, joining).await.map_err(|_| "unavailable")?;
                self.places.push(Place { slot, open: Open::Board { handle, member } });
            }
        }
        Ok(right)
    }

    /// Gets to know the person behind the connection, or finds them known; returns the café as it stands.
    async fn meet(&mut self, principal: Principal) -> Result<Moment, &'static str> {
        let known = match &mut self.person {
            Some(person) if person.principal == principal => person,
            Some(_) => return Err("other_person"),
            None => {
                let workshop = match self.app.workshops.open(&principal.workshop).await {
                    Ok(workshop) => workshop,
                    Err(CommandError::NoSuchWorkshop) => return Err("unknown_workshop"),
                    // Nothing is served of it, and coming again would not mend it.
                    Err(CommandError::Store(StoreError::Corrupt { .. })) => return Err("damaged"),
                    Err(CommandError::Store(_)) => return Err("store_unavailable"),
                    Err(CommandError::Busy | CommandError::Refused(_) | CommandError::KeyReused) => {
                        return Err("unavailable");
                    }
                };
                let arrival = workshop.floor.arrive(principal.actor.id.clone());
                let now = Instant::now();
                let allowance = self.app.allowances.of(&principal.workshop, &principal.actor.id, now);
                self.person.insert(Box::new(Person { principal, workshop, allowance, _arrival: arrival }))
            }
        };
        Ok(known.workshop.moment.borrow().clone())
    }

    /// Says that the token was good, and gives our own clients their ids.
    async fn welcome(
        &mut self,
        slot: Slot,
        to: &Addressed,
        read_only: bool,
        ours: bool,
        ids: usize,
    ) -> Result<(), &'static str> {
        let mut assigned = Vec::new();
        if ours {
            let person = self.person.as_ref().ok_or("unavailable")?;
            let holder = holder(&self.app, person);
            let mut given = self.guard.assign_up_to(holder, ids).await;
            if matches!(given, Err(GuardError::Store(_))) && !self.takes_writes() {
                // They may read all the same.
                given = self.guard.lend(holder, ids).await;
            }
            assigned = match given {
                Ok(ids) => ids,
                Err(GuardError::TooMany) => return Err("too_many_clients"),
                Err(GuardError::Store(StoreError::Corrupt { .. })) => return Err("damaged"),
                Err(_) => return Err("store_unavailable"),
            };
        }
        self.send(slot, to, ServerMessage::Authenticated { read_only });
        for client in assigned {
            self.send(slot, to, ServerMessage::Assigned { client });
        }
        Ok(())
    }

    // -- Traffic

    async fn pass_presence(&mut self, slot: Slot, bytes: &[u8]) {
        let Some((handle, member)) = self.board(slot) else { return };
        let Some(person) = &self.person else { return };
        let Ok(mut entries) = presence::decode(bytes) else {
            return self.outbox.end(End { code: 1002, reason: "bad_presence" });
        };
        let clients = entries.iter().map(|entry| entry.client).collect();
        // Ours claim an id by being present under it, and by nothing else: it was theirs, and the store was restored from a time before.
        match self.guard.foreign(holder(&self.app, person), false, clients).await {
            // Clients also tell of others whom they take for gone; that is for the server to say.
            Ok(foreign) => entries.retain(|entry| !foreign.contains(&entry.client)),
            // Nothing is lost with a caret that is a moment late.
            Err(GuardError::TooFast) => entries.retain(|entry| self.guard.knows(entry.client)),
            // An id cannot be claimed now; reading goes on.
            Err(GuardError::Store(_)) if !self.takes_writes() => return,
            Err(error) => return self.end_for(&error),
        }
        if !entries.is_empty() {
            let Some((_, to, ..)) = self.session.open().find(|open| open.0 == slot) else { return };
            let user = user_of(&person.workshop.moment.borrow().state, &person.principal.actor, &to.address);
            let sent = handle.presence(member, user, entries).await;
            self.still_there(sent);
        }
    }

    fn send_ping(&mut self) {
        self.ping = true;
        let mut ours_open = false;
        let mut others = Vec::new();
        for (slot, to, ours, _) in self.session.open() {
            ours_open |= ours;
            if !ours && matches!(to.address, Address::Board(_)) {
                others.push((slot, to.clone()));
            }
        }
        if ours_open && matches!(self.framing, Framing::Collab) {
            self.outbox.push(0, Class::Answer, ServerFrame::Ping.encode().into());
        }
        // Other clients do not see pings, and drop a connection on which they hear nothing for half a minute.
        for (slot, to) in others {
            self.send(slot, &to, ServerMessage::Awareness(presence::encode(&[])));
        }
    }

    fn send(&self, slot: Slot, to: &Addressed, message: ServerMessage) {
        if let (ServerMessage::Denied { reason } | ServerMessage::Close { reason }, Framing::Yjs(_)) =
            (&message, &self.framing)
        {
            // There is but one address: refusing it, or taking it away, is ending the connection.
            let end = match reason.as_str() {
                "bad_token" => End { code: 4401, reason: "bad_token" },
                "expired_token" => End { code: 4401, reason: "expired_token" },
                "store_unavailable" | "unavailable" => UNAVAILABLE,
                "server_full" => End { code: 1013, reason: "server_full" },
                _ => End { code: 4403, reason: "forbidden" },
            };
            return self.outbox.end(end);
        }
        let frame: Option<Bytes> = self.dialect(to).encode(&to.address, &message);
        if let Some(frame) = frame {
            self.outbox.push(slot, Class::Answer, frame);
        }
    }

    fn dialect(&self, to: &Addressed) -> Dialect {
        match self.framing {
            Framing::Collab => Dialect::Collab(to.session.as_deref().map(Into::into)),
            Framing::Yjs(_) => Dialect::Yjs,
        }
    }

    fn board(&self, slot: Slot) -> Option<(board::Handle, MemberId)> {
        self.places.iter().find(|place| place.slot == slot).and_then(|place| match &place.open {
            Open::Board { handle, member } => Some((handle.clone(), *member)),
            Open::Workshop { .. } => None,
        })
    }

    async fn leave_place(&self, place: Place) {
        match place.open {
            Open::Board { handle, member } => handle.leave(member).await,
            Open::Workshop { viewer } => {
                if let Some(person) = &self.person {
                    person.workshop.unwatch(viewer).await;
                }
            }
        }
    }

    fn takes_writes(&self) -> bool {
        *self.app.store.health().borrow() == Health::Good
    }

    fn still_there(&self, sent: Result<(), Gone>) {
        if sent.is_err() {
            self.outbox.end(RESTART);
        }
    }

    fn end_too_fast(&self) {
        metrics::counter!("tablehop_refusals_total", "reason" => TOO_FAST.reason).increment(1);
        self.outbox.end(TOO_FAST);
    }

    fn end_for(&self, error: &GuardError) {
        let end = match error {
            GuardError::Scan(_) => End { code: 1002, reason: "bad_update" },
            GuardError::TooMany => End { code: 4403, reason: "too_many_clients" },
            GuardError::TooFast => TOO_FAST,
            GuardError::Store(_) => UNAVAILABLE,
        };
        let (connection, principal) = (self.number, self.principal());
        tracing::debug!(connection, principal, %error, code = end.code, reason = end.reason, "a connection is closed");
        metrics::counter!("tablehop_refusals_total", "reason" => end.reason).increment(1);
        self.outbox.end(end);
    }
}

fn holder<'a>(app: &'a App, person: &'a Person) -> Holder<'a> {
    let Person { principal, allowance, .. } = person;
    Holder {
        store: &*app.store,
        workshop: &principal.workshop,
        actor: &principal.actor.id,
        allowance,
        now: Instant::now(),
    }
}

fn workshop_of(address: &Address) -> &WorkshopId {
    match address {
        Address::Workshop(id) => id,
        Address::Board(board) => &board.workshop,
    }
}

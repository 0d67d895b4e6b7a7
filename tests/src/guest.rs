//! A simulated guest on a real socket, speaking `tablehop/1`, with replicas of the boards it has opened.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use shared::board::note::{self, NewNote};
use shared::board::view::{NoteKind, Origin, TableBoard};
use shared::id::{ActorId, BoardId, BoardKind, NoteId, TableId, WorkshopId};
use shared::wire::frame::{Address, Addressed, ClientFrame, ClientMessage, ServerFrame, ServerMessage};
use shared::wire::presence;
use shared::wire::{PresenceEntry, PresenceState};
use shared::workshop::view::{Part, SeatView};
use shared::workshop::{Command, Recorded, View};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::Message;
use yrs::TransactionMut;

use crate::api::Api;
use crate::replica::Replica;
use crate::wire::take_presence;

/// How long a guest waits for a condition before the test fails. Long, because it is never waited out when things work.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A guest; clones are the same guest.
#[derive(Clone)]
pub struct Guest {
    /// HTTP.
    pub api: Api,
    /// Which workshop.
    pub workshop: WorkshopId,
    /// Who.
    pub id: ActorId,
    /// Name given on joining.
    pub name: String,
    /// Bearer token.
    pub token: String,
    state: Arc<Mutex<State>>,
    changes: watch::Sender<u64>,
}

struct State {
    view: Option<View>,
    pool: Vec<u64>,
    boards: BTreeMap<BoardKind, Replica>,
    /// Boards wanted but not yet given a client id.
    wanted: Vec<BoardKind>,
    sender: Option<mpsc::UnboundedSender<Message>>,
    count: u64,
    /// Counts connections, so that the end of an old one does not undo a new one.
    connection: u64,
    /// Close code and reason of the last connection that the server ended.
    closed: Option<(u16, String)>,
}

impl Guest {
    /// Joins with a code as a new person, and connects.
    ///
    /// # Errors
    /// Refused, or the connection failed.
    pub async fn join(api: &Api, code: &str, name: &str) -> Result<Self> {
        let joined = api.join(code, name, None).await?;
        let guest = Self::with_token(api, joined.workshop, joined.participant, name, &joined.token);
        guest.connect().await?;
        Ok(guest)
    }

    /// Somebody who has a token already; not yet connected.
    pub fn with_token(api: &Api, workshop: WorkshopId, id: ActorId, name: &str, token: &str) -> Self {
        let state = State {
            view: None,
            pool: Vec::new(),
            boards: BTreeMap::new(),
            wanted: Vec::new(),
            sender: None,
            count: 0,
            connection: 0,
            closed: None,
        };
        Self {
            api: api.clone(),
            workshop,
            id,
            name: name.to_owned(),
            token: token.to_owned(),
            state: Arc::new(Mutex::new(state)),
            changes: watch::Sender::new(0),
        }
    }

    /// Opens the socket, authenticates the workshop and every board opened before.
    ///
    /// # Errors
    /// The server does not take the connection.
    pub async fn connect(&self) -> Result<()> {
        let url = format!("{}/collab", self.api.base.replacen("http", "ws", 1));
        let (socket, _) = tokio_tungstenite::connect_async(url).await.context("connect")?;
        let (mut sink, mut stream) = socket.split();
        let (sender, mut outgoing) = mpsc::unbounded_channel::<Message>();
        let connection = {
            let mut state = self.lock();
            state.connection += 1;
            state.sender = Some(sender);
            state.closed = None;
            let kinds: Vec<_> = state.boards.keys().copied().collect();
            self.authenticate(&state, Address::Workshop(self.workshop.clone()));
            for kind in kinds {
                self.greet(&mut state, kind);
            }
            state.connection
        };
        tokio::spawn(async move {
            while let Some(message) = outgoing.recv().await {
                if sink.send(message).await.is_err() {
                    break;
                }
            }
            let _ = sink.close().await;
        });
        let guest = self.clone();
        tokio::spawn(async move {
            while let Some(Ok(message)) = stream.next().await {
                match message {
                    Message::Binary(bytes) => guest.receive(&bytes, connection),
                    Message::Close(Some(frame)) => {
                        guest.lock().closed = Some((frame.code.into(), frame.reason.to_string()));
                        break;
                    }
                    _ => {}
                }
            }
            guest.lost(connection);
        });
        Ok(())
    }

    /// Drops the connection at once, as a lost network does.
    pub fn disconnect(&self) {
        let connection = {
            let mut state = self.lock();
            state.sender = None;
            state.connection
        };
        self.lost(connection);
    }

    /// Connects again whenever the connection is lost, until the guest's last clone is dropped or `rounds` attempts failed in a row.
    pub async fn stay_connected(&self) {
        loop {
            let mut changes = self.changes.subscribe();
            if !self.is_connected() && self.connect().await.is_err() {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Whether the socket is open.
    pub fn is_connected(&self) -> bool {
        self.lock().sender.is_some()
    }

    /// Close code and reason, if the server ended the last connection.
    pub fn closed(&self) -> Option<(u16, String)> {
        self.lock().closed.clone()
    }

    /// Sends raw bytes, for tests that misbehave.
    pub fn send_raw(&self, bytes: Vec<u8>) {
        self.push(&self.lock(), bytes);
    }

    /// Sends one message to an address.
    pub fn send(&self, address: Address, message: ClientMessage) {
        self.push_message(&self.lock(), address, message);
    }

    /// The address of one of the workshop's boards.
    pub fn address(&self, kind: BoardKind) -> Address {
        Address::Board(BoardId { workshop: self.workshop.clone(), kind })
    }

    /// Waits until `f` gives something.
    ///
    /// # Errors
    /// It did not within [`PATIENCE`]; `what` says what was waited for.
    pub async fn until<T>(&self, what: &str, mut f: impl FnMut(&Self) -> Option<T>) -> Result<T> {
        let mut changes = self.changes.subscribe();
        let wait = async {
            loop {
                if let Some(found) = f(self) {
                    return Ok(found);
                }
                changes.changed().await.map_err(|_| anyhow!("guest is gone"))?;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.map_err(|_| anyhow!("{} waited in vain for: {what}", self.name))?
    }

    /// Waits until `f` gives something, however long that takes: people talk.
    ///
    /// # Errors
    /// The guest is gone.
    pub async fn until_patiently<T>(&self, mut f: impl FnMut(&Self) -> Option<T>) -> Result<T> {
        let mut changes = self.changes.subscribe();
        loop {
            if let Some(found) = f(self) {
                return Ok(found);
            }
            changes.changed().await.map_err(|_| anyhow!("guest is gone"))?;
        }
    }

    /// Waits for a view that satisfies `f`.
    ///
    /// # Errors
    /// As [`Guest::until`].
    pub async fn sees(&self, what: &str, f: impl Fn(&View) -> bool) -> Result<View> {
        self.until(what, |guest| guest.lock().view.clone().filter(|view| f(view))).await
    }

    /// The last view.
    pub fn view(&self) -> Option<View> {
        self.lock().view.clone()
    }

    /// Where this participant sits, by the last view.
    pub fn seat(&self) -> Option<SeatView> {
        match self.view()?.part {
            Part::Participant(part) => part.seat,
            _ => None,
        }
    }

    /// Opens a board and waits until everything the server has is here.
    ///
    /// # Errors
    /// Refused (the reason is in the message), or not within [`PATIENCE`].
    pub async fn open(&self, kind: BoardKind) -> Result<()> {
        {
            let mut state = self.lock();
            if !state.boards.contains_key(&kind) && !state.wanted.contains(&kind) {
                state.wanted.push(kind);
            }
            self.open_wanted(&mut state);
        }
        self.until("board open", |guest| {
            let mut state = guest.lock();
            guest.open_wanted(&mut state);
            let replica = state.boards.get(&kind)?;
            match &replica.denied {
                Some(reason) => Some(Err(anyhow!("denied: {reason}"))),
                None => replica.synced.then_some(Ok(())),
            }
        })
        .await?
    }

    /// Forgets a board's replica, as a device does that was lost.
    pub fn forget(&self, kind: BoardKind) {
        let mut state = self.lock();
        if state.boards.remove(&kind).is_some() {
            self.push_message(&state, self.address(kind), ClientMessage::Close);
        }
    }

    /// Makes one local edit; it is sent at once, or on return if there is no connection.
    ///
    /// # Errors
    /// The board was not opened.
    pub fn edit(&self, kind: BoardKind, make: impl FnOnce(&mut TransactionMut<'_>, &Replica)) -> Result<()> {
        let mut state = self.lock();
        let replica = state.boards.get_mut(&kind).context("board not open")?;
        if let Some((n, update)) = replica.edit(make) {
            self.push_message(&state, self.address(kind), ClientMessage::Edit { n, update });
        }
        drop(state);
        self.changed();
        Ok(())
    }

    /// Writes a note on a table's board.
    ///
    /// # Errors
    /// The board was not opened.
    pub fn write(&self, table: TableId, kind: NoteKind, text: &str, builds_on: Option<NoteId>) -> Result<NoteId> {
        self.put(table, kind, text, builds_on, None)
    }

    /// Puts a note down on a table's board that was carried from another one.
    ///
    /// # Errors
    /// The board was not opened.
    pub fn carry(&self, table: TableId, kind: NoteKind, text: &str, from: Option<Origin>) -> Result<NoteId> {
        self.put(table, kind, text, None, from)
    }

    fn put(
        &self,
        table: TableId,
        kind: NoteKind,
        text: &str,
        builds_on: Option<NoteId>,
        from: Option<Origin>,
    ) -> Result<NoteId> {
        let (round, now) = match self.view() {
            Some(view) => (view.round.map(|r| r.index), view.now),
            None => (None, 0),
        };
        let id = {
            let mut state = self.lock();
            state.count += 1;
            let client = state.boards.get(&BoardKind::Table(table)).context("board not open")?.doc.client_id();
            NoteId(format!("{:x}-{}", client.get(), state.count))
        };
        // Side by side in the order of writing, as people fill a tablecloth.
        let there = self.table_board(table).map_or(0, |board| board.notes.len());
        let (column, line) = (there % 5, there / 5);
        let note = NewNote {
            id: id.clone(),
            kind,
            text: text.to_owned(),
            x: 40.0 + column as f64 * 260.0,
            y: 40.0 + line as f64 * 190.0,
            w: 220.0,
            color: 0,
            author: self.id.clone(),
            author_name: self.name.clone(),
            round,
            created_at: now,
            builds_on,
            from,
        };
        self.edit(BoardKind::Table(table), |txn, replica| {
            note::create(txn, &replica.table, note);
        })?;
        Ok(id)
    }

    /// Says at a board that this guest is there.
    ///
    /// # Errors
    /// The board was not opened.
    pub fn shows_up(&self, kind: BoardKind) -> Result<()> {
        let mut state = self.lock();
        let replica = state.boards.get_mut(&kind).context("board not open")?;
        replica.clock += 1;
        let entry = PresenceEntry {
            client: replica.doc.client_id().get(),
            clock: replica.clock,
            state: Some(PresenceState { typing: true, ..PresenceState::default() }.to_value()),
        };
        self.push_message(&state, self.address(kind), ClientMessage::Awareness(presence::encode(&[entry])));
        Ok(())
    }

    /// The names of those who are at a board, as this guest is told; once for each of their documents.
    pub fn present(&self, kind: BoardKind) -> Vec<String> {
        let name = |(_, state): &(u32, Value)| state["user"]["name"].as_str().unwrap_or_default().to_owned();
        self.with(kind, |replica| replica.present.values().map(name).collect()).unwrap_or_default()
    }

    /// Waits until everything this guest made is acknowledged.
    ///
    /// # Errors
    /// As [`Guest::until`].
    pub async fn saved(&self) -> Result<()> {
        self.until("everything saved", |guest| guest.lock().boards.values().all(Replica::is_saved).then_some(())).await
    }

    /// What this guest sees of a table's board.
    pub fn table_board(&self, table: TableId) -> Option<TableBoard> {
        self.with(BoardKind::Table(table), Replica::table_board)
    }

    /// Reads one of the replicas.
    pub fn with<T>(&self, kind: BoardKind, f: impl FnOnce(&Replica) -> T) -> Option<T> {
        self.lock().boards.get(&kind).map(f)
    }

    /// Sends a command.
    ///
    /// # Errors
    /// [`crate::api::Refused`], or the connection failed.
    pub async fn command(&self, command: Command) -> Result<Vec<Recorded>> {
        self.api.command(&self.workshop, &self.token, &command).await
    }

    // -- Inside

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.changes.send_modify(|n| *n += 1);
    }

    fn lost(&self, connection: u64) {
        let mut state = self.lock();
        if state.connection == connection {
            state.sender = None;
            state.boards.values_mut().for_each(Replica::disconnected);
        }
        drop(state);
        self.changed();
    }

    fn push(&self, state: &State, bytes: Vec<u8>) {
        if let Some(sender) = &state.sender {
            // A closed channel is a lost connection: `lost` comes next and the edit stays pending.
            let _ = sender.send(Message::Binary(bytes.into()));
        }
    }

    fn push_message(&self, state: &State, address: Address, message: ClientMessage) {
        let frame = ClientFrame::Message(Addressed { address, session: None }, message);
        self.push(state, frame.encode());
    }

    fn authenticate(&self, state: &State, address: Address) {
        let version = Some(presence::CLIENT_VERSION.to_owned());
        self.push_message(state, address, ClientMessage::Auth { token: self.token.clone(), version });
    }

    fn greet(&self, state: &mut State, kind: BoardKind) {
        let Some(replica) = state.boards.get_mut(&kind) else { return };
        replica.denied = None;
        let state_vector = replica.state_vector();
        self.authenticate(state, self.address(kind));
        self.push_message(state, self.address(kind), ClientMessage::Step1 { state_vector });
    }

    fn open_wanted(&self, state: &mut State) {
        while let (Some(kind), false) = (state.wanted.last().copied(), state.pool.is_empty()) {
            state.wanted.pop();
            if let Some(client) = state.pool.pop() {
                state.boards.insert(kind, Replica::new(client));
                self.greet(state, kind);
            }
        }
    }

    fn receive(&self, bytes: &[u8], connection: u64) {
        if let Err(error) = self.take(bytes, connection) {
            eprintln!("{}: bad frame from the server: {error:#}", self.name);
        }
        self.changed();
    }

    fn take(&self, bytes: &[u8], connection: u64) -> Result<()> {
        let frame = ServerFrame::decode(bytes).map_err(|e| anyhow!("{e:?}"))?;
        let mut state = self.lock();
        if state.connection != connection || state.sender.is_none() {
            return Ok(());
        }
        let (address, message) = match frame {
            ServerFrame::Ping => {
                self.push(&state, ClientFrame::Pong.encode());
                return Ok(());
            }
            ServerFrame::Pong => return Ok(()),
            ServerFrame::Message(addressed, message) => (addressed.address, message),
        };
        match (address, message) {
            (_, ServerMessage::Assigned { client }) => {
                state.pool.push(client);
                self.open_wanted(&mut state);
            }
            (Address::Workshop(_), ServerMessage::Stateless(text)) => {
                let mut json: Value = serde_json::from_str(&text)?;
                if json["type"] == "view" {
                    state.view = Some(serde_json::from_value(json["view"].take())?);
                }
            }
            (Address::Workshop(_), ServerMessage::Denied { reason }) => bail!("workshop denied: {reason}"),
            (Address::Workshop(_), _) => {}
            (Address::Board(board), message) => self.take_board(&mut state, board.kind, message)?,
        }
        Ok(())
    }

    fn take_board(&self, state: &mut State, kind: BoardKind, message: ServerMessage) -> Result<()> {
        let Some(replica) = state.boards.get_mut(&kind) else { return Ok(()) };
        match message {
            ServerMessage::Authenticated { read_only } => {
                replica.authenticated = true;
                replica.read_only = read_only;
            }
            ServerMessage::Denied { reason } => replica.denied = Some(reason),
            ServerMessage::RoleChanged { read_only } => {
                let opened = replica.read_only && !read_only;
                replica.read_only = read_only;
                replica.recall();
                if opened {
                    // As our client does: what was not taken goes out in answer to the server's Step1.
                    let state_vector = replica.state_vector();
                    self.push_message(state, self.address(kind), ClientMessage::Step1 { state_vector });
                }
            }
            ServerMessage::Step1 { state_vector } => {
                if let Some((n, update)) = replica.answer_step1(&state_vector)? {
                    // As our client does: present under its id, which is nobody's if the server was restored from a time before.
                    replica.clock += 1;
                    let (client, clock) = (replica.doc.client_id().get(), replica.clock);
                    let here = presence::encode(&[PresenceEntry { client, clock, state: None }]);
                    self.push_message(state, self.address(kind), ClientMessage::Awareness(here));
                    self.push_message(state, self.address(kind), ClientMessage::Edit { n, update });
                }
            }
            ServerMessage::Step2 { update } => {
                replica.receive(&update)?;
                replica.synced = true;
            }
            ServerMessage::Update { update } => replica.receive(&update)?,
            ServerMessage::DurableUpTo { n } => replica.durable_up_to(n),
            ServerMessage::Resync => {
                replica.recall();
                let state_vector = replica.state_vector();
                self.push_message(state, self.address(kind), ClientMessage::Step1 { state_vector });
            }
            ServerMessage::Awareness(bytes) => take_presence(&mut replica.present, &bytes)?,
            ServerMessage::Close { reason } => replica.denied = Some(reason),
            _ => {}
        }
        Ok(())
    }
}

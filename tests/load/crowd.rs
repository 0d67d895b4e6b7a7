//! Everybody, on one thread: what they write, what they hear, and moving them from table to table.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use shared::wire::CLIENT_VERSION;
use shared::wire::lib0::Reader;

use super::ledger::{Ledger, numbers, words};
use super::pen::{Pen, Template};
use super::socket::{Heard, Net, Socket, next_frame, opcode};
use super::target::Target;

/// Edits written before everybody's sockets are looked at again.
const BURST: usize = 16;
/// Tables whose people keep what they hear, to compare documents in the end.
const WITNESSES: usize = 16;
/// A client id as long as most are.
const SOMEBODY: u64 = 0xf0f1_f2f3;

mod kind {
    pub const SYNC: u64 = 0;
    pub const AUTH: u64 = 2;
    pub const STATELESS: u64 = 5;
    pub const CLOSE: u64 = 7;
    pub const SYNC_STATUS: u64 = 8;
    pub const ASSIGNED: u64 = 64;
    pub const EDIT: u64 = 65;
    pub const DURABLE_UP_TO: u64 = 66;
    pub const RESYNC: u64 = 67;
}

/// Somebody, on a socket of their own.
#[derive(Default)]
pub struct Person {
    pub socket: Socket,
    pub token: String,
    /// Where they sit; the table's document is open, or about to be.
    table: Option<usize>,
    seat: u8,
    document: String,
    pen: Option<Pen>,
    /// Client ids that the server has given.
    ids: Vec<u64>,
    /// The number of the last edit on this document.
    numbered: u64,
    unacknowledged: VecDeque<(u64, usize)>,
    /// The round of the last view.
    round: Option<u64>,
    /// Everybody moves, and where this one goes is not known yet. What still comes from the table behind them is nobody's delivery: their
    /// old seat there may be somebody else's by now.
    standing: bool,
    /// While everybody moves: the first edit at the new table.
    first: Option<usize>,
    /// The document came after a resync: what it holds counts as delivered.
    resyncing: bool,
    /// The next document is to be kept for the comparison.
    asked: bool,
}

/// Everybody.
pub struct Crowd {
    pub target: Target,
    server: SocketAddr,
    pub workshop: String,
    /// Those who write, and after them those who only watch.
    pub people: Vec<Person>,
    /// How many write.
    writers: usize,
    /// Who sits where.
    pub tables: Vec<Vec<usize>>,
    pub ledger: Ledger,
    net: Net,
    ready: Vec<usize>,
    chunk: Vec<u8>,
    template: Template,
    random: SmallRng,
    stuck: Vec<usize>,
    /// Whose document has come, with how many known edits in it.
    arrived: Vec<(usize, usize)>,
    /// Who has been seated in a new round, and where.
    seated: Vec<(usize, usize)>,
    /// How many have written at their new table, and have it back.
    live: usize,
    /// What witnesses have heard and written.
    pub heard: HashMap<usize, Vec<Vec<u8>>>,
    /// The servers' documents, by table.
    pub documents: HashMap<usize, Vec<u8>>,
    /// Views received, and their bytes.
    pub views: (u64, u64),
    pub resyncs: u64,
    /// What went wrong, the first few in words.
    pub faults: Vec<String>,
}

/// A span of writing.
pub struct Writing {
    pub edits: usize,
    /// How late edits were sent, in microseconds, ascending.
    pub late: Vec<u32>,
}

/// What a move of everybody took.
#[derive(Clone, Copy)]
pub struct Moved {
    /// Until the last one knew their table.
    pub seated: Duration,
    /// Until the last one had the whole board, had written on it, and heard so.
    pub live: Duration,
}

impl Crowd {
    pub fn new(target: Target, server: SocketAddr, writers: usize, watchers: usize, tables: usize) -> Result<Self> {
        Ok(Self {
            target,
            server,
            workshop: String::new(),
            people: (0..writers + watchers).map(|_| Person::default()).collect(),
            writers,
            tables: vec![Vec::new(); tables],
            ledger: Ledger::new(),
            net: Net::new()?,
            ready: Vec::new(),
            chunk: Vec::new(),
            template: Template::new(SOMEBODY, &words(0xffff_ffff))?,
            random: SmallRng::seed_from_u64(42),
            stuck: Vec::new(),
            arrived: Vec::new(),
            seated: Vec::new(),
            live: 0,
            heard: HashMap::new(),
            documents: HashMap::new(),
            views: (0, 0),
            resyncs: 0,
            faults: Vec::new(),
        })
    }

    /// Connects somebody; for one document a socket, to their table.
    pub fn connect(&mut self, who: usize) -> Result<()> {
        let path = self.target.path(self.people[who].table.unwrap_or_default());
        self.people[who].socket = Socket::connect(&self.net, who, self.server, &path)?;
        Ok(())
    }

    /// Looks at the sockets until something was heard or `patience` is over.
    pub fn turn(&mut self, patience: Duration) -> Result<()> {
        for who in std::mem::take(&mut self.stuck) {
            self.people[who].socket.flush()?;
            self.note_stuck(who);
        }
        let patience = if self.stuck.is_empty() { patience } else { patience.min(Duration::from_millis(1)) };
        let mut ready = std::mem::take(&mut self.ready);
        self.net.wait(patience, &mut ready)?;
        for &who in &ready {
            self.listen(who)?;
        }
        self.ready = ready;
        Ok(())
    }

    /// Turns until `done`.
    pub fn until(
        &mut self,
        what: &str,
        patience: Duration,
        mut done: impl FnMut(&mut Self) -> Result<bool>,
    ) -> Result<()> {
        let end = Instant::now() + patience;
        while !done(self)? {
            if Instant::now() > end {
                bail!("{what}: not within {patience:?}; {:?}", self.faults);
            }
            self.turn(Duration::from_millis(20))?;
        }
        Ok(())
    }

    // -- Moving

    /// Takes everybody for standing: who is seated from now on is seated anew.
    pub fn stand_up(&mut self) {
        self.tables.iter_mut().for_each(Vec::clear);
        self.seated.clear();
        self.arrived.clear();
        self.live = 0;
        for person in &mut self.people {
            person.first = None;
            person.standing = true;
        }
    }

    /// Seats somebody, and opens the table's document unless they stay there.
    pub fn seat(&mut self, who: usize, table: usize) -> Result<()> {
        let seats = &mut self.tables[table];
        let seat = u8::try_from(seats.len()).ok().filter(|seat| *seat < 64).context("a table of more than 64")?;
        seats.push(who);
        let document = self.target.document(&self.workshop, table);
        let is_witness = table.is_multiple_of(self.tables.len().div_ceil(WITNESSES).max(1));
        let person = &mut self.people[who];
        let before = person.table.replace(table);
        person.seat = seat;
        person.standing = false;
        if before == Some(table) {
            self.arrived.push((who, usize::MAX));
            return Ok(());
        }
        let left = std::mem::replace(&mut person.document, document);
        person.pen = None;
        person.numbered = 0;
        person.unacknowledged.clear();
        self.heard.remove(&who);
        if is_witness {
            self.heard.insert(who, Vec::new());
        }
        if self.target.has_addresses() && self.people[who].socket.open {
            if before.is_some() {
                let close = self.target.frame(&left, |writer| {
                    writer.var_uint(kind::CLOSE);
                });
                self.send(who, &close)?;
            }
            return self.open(who);
        }
        self.people[who].socket.hang_up();
        self.connect(who)
    }

    /// Waits until everybody is live at their table: `moving` tells where those go who are told by nobody else.
    pub fn settle_in(&mut self, began: Instant, patience: Duration, moving: &[(usize, usize)]) -> Result<Moved> {
        let known: Vec<usize> = self.ledger.by_table(self.tables.len()).iter().map(Vec::len).collect();
        let mut moving = moving.iter().copied();
        let (mut seated, mut seated_at, mut written) = (0, began, 0);
        let end = began + patience;
        while self.live < self.writers {
            let mut next: Vec<(usize, usize)> = std::mem::take(&mut self.seated);
            next.extend(moving.by_ref().take(BURST));
            let idle = next.is_empty();
            for (who, table) in next {
                self.seat(who, table)?;
                seated += 1;
                seated_at = Instant::now();
            }
            for (who, found) in std::mem::take(&mut self.arrived) {
                let table = self.people[who].table.context("no table")?;
                if found != usize::MAX && found < known[table] && self.target != Target::Relay {
                    self.fault(format!("table {table}: {found} of {} edits were there", known[table]));
                }
                self.people[who].first = Some(self.ledger.len());
                self.write(who, Instant::now(), true)?;
                written += 1;
            }
            if Instant::now() > end {
                bail!(
                    "of {} people {seated} were seated, {written} had their board and {} were live after {patience:?}; {:?} views; {:?}",
                    self.writers,
                    self.live,
                    self.views,
                    self.faults
                );
            }
            self.turn(if idle { Duration::from_millis(20) } else { Duration::ZERO })?;
        }
        Ok(Moved { seated: seated_at - began, live: began.elapsed() })
    }

    /// Opens the document of somebody's table.
    fn open(&mut self, who: usize) -> Result<()> {
        let person = &self.people[who];
        let mut frames = Vec::new();
        if self.target.has_addresses() {
            frames.push(self.auth(&person.document, &person.token));
        }
        frames.push(self.target.frame(&person.document, |writer| {
            writer.var_uint(kind::SYNC).var_uint(0).var_bytes(&[0]);
        }));
        for frame in frames {
            self.send(who, &frame)?;
        }
        Ok(())
    }

    fn auth(&self, address: &str, token: &str) -> Vec<u8> {
        self.target.frame(address, |writer| {
            writer.var_uint(kind::AUTH).var_uint(0).var_string(token);
            if self.target == Target::Tablehop {
                writer.var_string(CLIENT_VERSION);
            }
        })
    }

    // -- Writing

    /// Writes at a steady pace, everybody in turn: `per_second` edits together.
    pub fn write_for(&mut self, span: Duration, per_second: f64) -> Result<Writing> {
        let mut order: Vec<usize> = (0..self.writers).collect();
        order.shuffle(&mut self.random);
        let edits = (span.as_secs_f64() * per_second).round() as usize;
        let mut late = Vec::with_capacity(edits);
        let began = Instant::now();
        let due = |edit: usize| began + Duration::from_secs_f64(edit as f64 / per_second);
        let mut written = 0;
        while written < edits {
            let mut patience = Duration::ZERO;
            for _ in 0..BURST {
                let (now, due) = (Instant::now(), due(written));
                if now < due || written == edits {
                    patience = due.saturating_duration_since(now);
                    break;
                }
                late.push((now - due).as_micros() as u32);
                self.write(order[written % order.len()], due, false)?;
                written += 1;
            }
            self.turn(patience)?;
        }
        late.sort_unstable();
        Ok(Writing { edits, late })
    }

    /// One edit, which was `due` then: whoever waits for it waits from there on. `alone`: only its author must get it, for the others are on
    /// their way.
    fn write(&mut self, who: usize, due: Instant, alone: bool) -> Result<()> {
        let Self { target, people, ledger, tables, template, random, .. } = self;
        let person = &mut people[who];
        let table = person.table.context("no table")?;
        let everybody = u64::MAX >> (64 - tables[table].len());
        let (expected, optional) = if alone { (1 << person.seat, !(1 << person.seat)) } else { (everybody, 0) };
        let (number, words) = ledger.enter(table, expected, optional, due);
        let update = match &mut person.pen {
            Some(pen) => pen.write(&words),
            None => {
                let client = match target {
                    Target::Tablehop => person.ids.pop().context("no client id was assigned")?,
                    _ => random.random_range(1 << 28..1 << 32),
                };
                let (pen, update) = template.note(client, &words)?;
                person.pen = Some(pen);
                update
            }
        };
        let frame = if *target == Target::Tablehop {
            person.numbered += 1;
            person.unacknowledged.push_back((person.numbered, number));
            target.frame(&person.document, |writer| {
                writer.var_uint(kind::EDIT).var_uint(person.numbered).var_bytes(&update);
            })
        } else {
            target.frame(&person.document, |writer| {
                writer.var_uint(kind::SYNC).var_uint(2).var_bytes(&update);
            })
        };
        if let Some(heard) = self.heard.get_mut(&who) {
            heard.push(update);
        }
        self.send(who, &frame)
    }

    fn send(&mut self, who: usize, frame: &[u8]) -> Result<()> {
        self.people[who].socket.send(frame).with_context(|| format!("sending to {}", self.target.name()))?;
        self.note_stuck(who);
        Ok(())
    }

    fn note_stuck(&mut self, who: usize) {
        if self.people[who].socket.is_stuck() && !self.stuck.contains(&who) {
            self.stuck.push(who);
        }
    }

    /// Asks for a table's whole document, to compare.
    pub fn ask_for_document(&mut self, table: usize) -> Result<()> {
        let Some(&who) = self.tables[table].first() else { return Ok(()) };
        self.people[who].asked = true;
        let frame = self.target.frame(&self.people[who].document, |writer| {
            writer.var_uint(kind::SYNC).var_uint(0).var_bytes(&[0]);
        });
        self.send(who, &frame)
    }

    // -- Listening

    fn listen(&mut self, who: usize) -> Result<()> {
        let was_open = self.people[who].socket.open;
        let bytes = match self.people[who].socket.read(&mut self.chunk)? {
            Heard::Bytes(bytes) => bytes,
            Heard::Nothing => return Ok(()),
            Heard::Ended => {
                self.people[who].socket.hang_up();
                self.fault(format!("{who} was disconnected"));
                return Ok(());
            }
        };
        if !was_open {
            self.opened(who)?;
        }
        let now = Instant::now();
        let mut from = 0;
        while let Some((opcode, payload, length)) = next_frame(&bytes[from..])? {
            from += length;
            match opcode {
                opcode::BINARY => self.hear(who, payload, now)?,
                opcode::PING => self.people[who].socket.frame(opcode::PONG, payload)?,
                opcode::CLOSE => {
                    let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                    let why = String::from_utf8_lossy(payload.get(2..).unwrap_or_default()).into_owned();
                    self.fault(format!("{who} was closed: {code:?} {why}"));
                }
                _ => {}
            }
        }
        if self.people[who].socket.is_connected() {
            self.people[who].socket.keep(&bytes[from..]);
        }
        if self.chunk.capacity() < bytes.capacity() {
            self.chunk = bytes;
        }
        Ok(())
    }

    fn opened(&mut self, who: usize) -> Result<()> {
        match self.target {
            Target::Tablehop => {
                let frame = self.auth(&format!("workshop/{}", self.workshop), &self.people[who].token);
                self.send(who, &frame)
            }
            Target::Relay => {
                self.arrived.push((who, 0));
                Ok(())
            }
            Target::Hocuspocus | Target::YWebsocket | Target::YSweet => self.open(who),
        }
    }

    fn hear(&mut self, who: usize, payload: &[u8], now: Instant) -> Result<()> {
        let mut reader = Reader::new(payload);
        if self.target.has_addresses() {
            if let [9] = payload {
                return self.send(who, &[10]);
            }
            let address = reader.var_string()?;
            if self.target == Target::Tablehop && address.starts_with("workshop/") {
                return self.hear_of_workshop(who, reader);
            }
            if address != self.people[who].document {
                return Ok(());
            }
        }
        match reader.var_uint()? {
            kind::SYNC => match reader.var_uint()? {
                1 => self.take_document(who, reader.var_bytes()?, now),
                2 => self.take_update(who, reader.var_bytes()?, now),
                _ => {}
            },
            // What y-websocket calls so is a refusal.
            kind::AUTH => {
                let is_refused = reader.var_uint()? == 1 || !self.target.has_addresses();
                if is_refused {
                    self.fault(format!("{who} was denied: {}", reader.var_string()?));
                }
            }
            kind::CLOSE => self.fault(format!("{who} was closed out: {}", reader.var_string()?)),
            kind::SYNC_STATUS if reader.var_uint()? != 1 => self.fault(format!("{who}: an edit was refused")),
            kind::ASSIGNED => self.people[who].ids.push(reader.var_uint()?),
            kind::DURABLE_UP_TO => {
                let upto = reader.var_uint()?;
                while let Some(&(n, number)) = self.people[who].unacknowledged.front()
                    && n <= upto
                {
                    self.people[who].unacknowledged.pop_front();
                    self.deliver(who, number, now);
                }
            }
            kind::RESYNC => {
                self.resyncs += 1;
                self.people[who].resyncing = true;
                let frame = self.target.frame(&self.people[who].document, |writer| {
                    writer.var_uint(kind::SYNC).var_uint(0).var_bytes(&[0]);
                });
                self.send(who, &frame)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn take_update(&mut self, who: usize, update: &[u8], now: Instant) {
        for number in numbers(update) {
            self.deliver(who, number, now);
        }
        if let Some(heard) = self.heard.get_mut(&who) {
            heard.push(update.to_vec());
        }
    }

    fn take_document(&mut self, who: usize, update: &[u8], now: Instant) {
        let Some(table) = self.people[who].table else { return };
        if std::mem::take(&mut self.people[who].asked) {
            self.documents.insert(table, update.to_vec());
            return;
        }
        if let Some(heard) = self.heard.get_mut(&who) {
            heard.push(update.to_vec());
        }
        if std::mem::take(&mut self.people[who].resyncing) {
            for number in numbers(update) {
                let seat = 1 << self.people[who].seat;
                if self.ledger.get(number).is_some_and(|edit| edit.expected & !edit.got & seat != 0) {
                    self.deliver(who, number, now);
                }
            }
        } else if self.people[who].first.is_none() {
            let found =
                numbers(update).filter(|number| self.ledger.get(*number).is_some_and(|edit| edit.table == table));
            let found = found.count();
            self.arrived.push((who, found));
        }
    }

    fn deliver(&mut self, who: usize, number: usize, now: Instant) {
        let person = &mut self.people[who];
        let Some(table) = person.table.filter(|_| !person.standing) else { return };
        let before = self.ledger.delivered;
        self.ledger.deliver(number, table, person.seat, now);
        if person.first == Some(number) && self.ledger.delivered > before {
            self.live += 1;
        }
    }

    /// Views, of which only the seat is read here.
    fn hear_of_workshop(&mut self, who: usize, mut reader: Reader<'_>) -> Result<()> {
        match reader.var_uint()? {
            kind::ASSIGNED => self.people[who].ids.push(reader.var_uint()?),
            kind::AUTH if reader.var_uint()? == 1 => {
                self.fault(format!("{who} was denied: {}", reader.var_string()?));
            }
            kind::STATELESS => {
                let view = reader.var_string()?;
                self.views.0 += 1;
                self.views.1 += view.len() as u64;
                // Whole views are long, and two numbers are all that moves people.
                let number = |within: &str, key: &str| -> Option<u64> {
                    let inner = &view[view.find(within)?..];
                    let rest = &inner[inner.find(key)? + key.len()..];
                    rest[..rest.find(|letter: char| !letter.is_ascii_digit())?].parse().ok()
                };
                let round = number("\"round\":{", "\"index\":");
                let table = number("\"seat\":{", "\"table\":{\"id\":");
                if let (Some(round), Some(table)) = (round, table)
                    && self.people.get(who).is_some_and(|person| person.round != Some(round))
                {
                    self.people[who].round = Some(round);
                    self.seated.push((who, table as usize - 1));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn fault(&mut self, what: String) {
        if self.faults.len() < 8 {
            self.faults.push(what);
        }
    }
}

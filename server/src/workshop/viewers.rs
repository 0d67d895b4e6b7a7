//! Those who get views of a café over their connections.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use shared::id::{Actor, BoardId, Millis, Role, WorkshopId};
use shared::wire::{Address, ServerMessage};
use shared::workshop::view::{Alert, Part};
use shared::workshop::{Live, Scene, View};

use super::Moment;
use super::floor::Floor;
use super::schedule::Which;
use crate::socket::dialect::Dialect;
use crate::socket::outbox::{Class, Outbox, Slot};
use crate::store::Health;

/// Views made and written before other tasks get a turn.
const TURN: usize = 1_024;
/// What a view begins with whose turn it is to be sent, and what it ends with.
const BEGIN: &[u8] = br#"{"type":"view","view":"#;
const END: &[u8] = b"}";
/// The first field of a view that people see something of.
const ME: &[u8] = br#","me":"#;

/// Somebody who gets views.
pub(crate) struct Viewer {
    /// Whose view.
    pub actor: Actor,
    /// How their connection frames messages.
    pub dialect: Dialect,
    /// Their connection's queue.
    pub outbox: Arc<Outbox>,
    /// The workshop's address within the connection.
    pub slot: Slot,
}

/// All viewers of a café.
#[derive(Default)]
pub(super) struct Viewers {
    all: HashMap<u64, Seat>,
}

struct Seat {
    who: Viewer,
    /// Hash of the last view sent, without its time.
    shown: Option<u64>,
}

impl Viewers {
    pub fn insert(&mut self, viewer: u64, who: Viewer) {
        self.all.insert(viewer, Seat { who, shown: None });
    }

    pub fn remove(&mut self, viewer: u64) {
        self.all.remove(&viewer);
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Sends everybody their view whose view has changed.
    pub async fn show(&mut self, id: &WorkshopId, moment: &Moment, floor: &Floor, now: Millis, which: Which) {
        let address = Address::Workshop(id.clone());
        let is_due = |seat: &Seat| match which {
            Which::All => true,
            Which::Steering => seat.shown.is_none() || seat.who.actor.role == Role::Facilitator,
            Which::New => seat.shown.is_none(),
        };
        let online = |actor: &_| floor.is_online(actor);
        let tables = |table| floor.activity(table, now);
        let live = Live { now, seq: moment.seq, online: &online, tables: &tables };
        let scene = Scene::new(id, &moment.state, &live);
        let mut seats: Vec<&mut Seat> = self.all.values_mut().filter(|seat| is_due(seat)).collect();
        let mut text = Vec::new();
        for turn in seats.chunks_mut(TURN) {
            for seat in turn {
                let mut view = scene.view(&seat.who.actor);
                add_alerts(&mut view, moment.health, floor);
                show_one(seat, &address, &view, &mut text);
            }
            tokio::task::yield_now().await;
        }
    }
}

/// Sends somebody their view if it has changed. `text` is room to write in, for it is written once and most are not sent.
fn show_one(seat: &mut Seat, address: &Address, view: &View, text: &mut Vec<u8>) {
    text.clear();
    text.extend_from_slice(BEGIN);
    // Written as it is: by way of a tree of values it takes several times as long. Views are plain structs, which always have a JSON form.
    if serde_json::to_writer(&mut *text, view).is_err() {
        return;
    }
    let hash = hash_of(view, text);
    text.extend_from_slice(END);
    if seat.shown == Some(hash) {
        return;
    }
    seat.shown = Some(hash);
    let Ok(text) = std::str::from_utf8(text) else { return };
    if let Some(frame) = seat.who.dialect.encode(address, &ServerMessage::Stateless(text.to_owned())) {
        seat.who.outbox.push(seat.who.slot, Class::Latest, frame);
    }
}

/// One person's view.
pub(super) fn view(id: &WorkshopId, moment: &Moment, floor: &Floor, now: Millis, actor: &Actor) -> View {
    let online = |actor: &_| floor.is_online(actor);
    let tables = |table| floor.activity(table, now);
    let live = Live { now, seq: moment.seq, online: &online, tables: &tables };
    let mut view = shared::workshop::view(id, &moment.state, actor, &live);
    add_alerts(&mut view, moment.health, floor);
    view
}

/// Tells a facilitator what is wrong beneath the café.
fn add_alerts(view: &mut View, health: Health, floor: &Floor) {
    let Part::Facilitator(part) = &mut view.part else { return };
    part.alerts.extend(match health {
        Health::Good => None,
        Health::Full => Some(Alert::DiskFull),
        Health::Failing | Health::Broken => Some(Alert::DiskFailing),
    });
    for kind in floor.damaged() {
        let board = BoardId { workshop: view.id.clone(), kind };
        part.alerts.push(Alert::BoardDamaged { board: board.to_string() });
    }
}

/// Equal for views that differ in nothing but when they were made. Those who steer see that something has happened even if the outcome looks
/// the same; for the many others that would be noise.
fn hash_of(view: &View, text: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    if view.me.role == Role::Facilitator {
        view.seq.hash(&mut hasher);
    }
    // When it was made stands before everything that people see, and nothing before it can hold these letters.
    let seen = text.windows(ME.len()).position(|window| window == ME).and_then(|at| text.get(at..));
    seen.unwrap_or(text).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use shared::id::ActorId;
    use shared::workshop::Workshop;

    use super::*;

    #[test]
    fn when_a_view_was_made_makes_no_other_view_of_it() {
        let text = |seq: u64, now: u64, role: Role, title: &str| {
            let mut state = Workshop::default();
            state.draft.title = title.to_owned();
            let live = Live { now, seq, online: &|_| true, tables: &|_| Default::default() };
            let actor = Actor { id: ActorId::from("a"), role };
            let view = shared::workshop::view(&"w".into(), &state, &actor, &live);
            let text = [BEGIN, &serde_json::to_vec(&view).expect("JSON")].concat();
            hash_of(&view, &text)
        };
        let guest = text(1, 1, Role::Participant, "a");
        assert_eq!(guest, text(2, 2, Role::Participant, "a"));
        assert_ne!(guest, text(1, 1, Role::Participant, "b"));
        let host = text(1, 1, Role::Facilitator, "a");
        assert_eq!(host, text(1, 2, Role::Facilitator, "a"));
        assert_ne!(host, text(2, 1, Role::Facilitator, "a"));
    }
}

//! Those who get views of a café over their connections.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use shared::id::{Actor, BoardId, Millis, Role, WorkshopId};
use shared::wire::{Address, ServerMessage};
use shared::workshop::view::{Alert, Part};
use shared::workshop::{Live, Scene, View};

use super::floor::Floor;
use super::{Moment, NO_TIME};
use crate::socket::dialect::Dialect;
use crate::socket::outbox::{Class, Outbox, Slot};
use crate::store::Health;

/// Views made before other tasks get a turn.
const TURN: usize = 256;

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

/// Which viewers are to be shown something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    All,
    /// Those who steer, and those who have not been shown anything yet.
    Steering,
    /// Those who have not been shown anything yet.
    New,
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
        let mut seats: Vec<&mut Seat> = self.all.values_mut().filter(|seat| is_due(seat)).collect();
        for turn in seats.chunks_mut(TURN) {
            // The scene is made anew for each turn, for it cannot be held while others get theirs.
            show_turn(turn, id, &address, moment, floor, now);
            tokio::task::yield_now().await;
        }
    }
}

fn show_turn(seats: &mut [&mut Seat], id: &WorkshopId, address: &Address, moment: &Moment, floor: &Floor, now: Millis) {
    let online = |actor: &_| floor.is_online(actor);
    let tables = |table| floor.activity(table, now);
    let live = Live { now, seq: moment.seq, online: &online, tables: &tables };
    let scene = Scene::new(id, &moment.state, &live);
    for seat in seats {
        let mut view = scene.view(&seat.who.actor);
        add_alerts(&mut view, moment.health, floor);
        let hash = hash_of(&mut view);
        if seat.shown == Some(hash) {
            continue;
        }
        seat.shown = Some(hash);
        // Written as it is: by way of a tree of values it takes several times as long.
        let Ok(json) = serde_json::to_string(&view) else { continue };
        let text = format!(r#"{{"type":"view","view":{json}}}"#);
        if let Some(frame) = seat.who.dialect.encode(address, &ServerMessage::Stateless(text)) {
            seat.who.outbox.push_to_wait(seat.who.slot, Class::Latest, frame);
        }
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

/// Equal for views that differ in nothing but when they were made. The view is as before. Those who steer see that something has
/// happened even if the outcome looks the same; for the many others that would be noise.
fn hash_of(view: &mut View) -> u64 {
    let made = (std::mem::replace(&mut view.now, NO_TIME), view.seq);
    if view.me.role != Role::Facilitator {
        view.seq = 0;
    }
    let mut hasher = DefaultHasher::new();
    // Views are made of plain structs, which always have a JSON form.
    serde_json::to_vec(view).unwrap_or_default().hash(&mut hasher);
    (view.now, view.seq) = made;
    hasher.finish()
}

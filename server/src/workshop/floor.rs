//! What happens on a café's floor at the moment: who is connected, how busy each table is, and which boards are damaged. None of it is an
//! event; it is gone with the process. Boards and connections write it, the host reads it for its views.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use dashmap::DashMap;
use shared::id::{ActorId, BoardKind, Millis, TableId, WorkshopId};
use shared::workshop::TableActivity;
use tokio::sync::Notify;

/// Minutes that the activity line of a table shows.
const MINUTES: usize = 10;
/// Milliseconds of one of them.
const MINUTE: Millis = 60_000;

/// The floors of all cafés that somebody is connected to or that have a board awake.
#[derive(Default)]
pub(crate) struct Floors {
    floors: DashMap<WorkshopId, Weak<Floor>>,
}

impl Floors {
    /// The floor of a café; there is one as long as anybody holds it.
    pub fn of(&self, workshop: &WorkshopId) -> Arc<Floor> {
        let mut entry = self.floors.entry(workshop.clone()).or_default();
        if let Some(floor) = entry.upgrade() {
            return floor;
        }
        let floor = Arc::new(Floor::default());
        *entry = Arc::downgrade(&floor);
        floor
    }

    /// Lets go of floors that nobody holds.
    pub fn sweep(&self) {
        self.floors.retain(|_, floor| floor.strong_count() > 0);
    }
}

/// One café's floor.
#[derive(Default)]
pub(crate) struct Floor {
    now: Mutex<Now>,
    changed: Notify,
}

#[derive(Default)]
struct Now {
    online: HashMap<ActorId, u32>,
    /// Whether somebody has come or gone since it was last asked.
    people_changed: bool,
    tables: BTreeMap<TableId, Tally>,
    damaged: BTreeSet<BoardKind>,
}

#[derive(Default)]
struct Tally {
    notes: u32,
    last_edit: Option<Millis>,
    /// Edits in the minute `latest`, and in those before it.
    minutes: [u16; MINUTES],
    /// Minutes since the epoch.
    latest: Millis,
}

impl Floor {
    /// Somebody has connected; they are online until the returned guard is dropped.
    pub fn arrive(self: &Arc<Self>, actor: ActorId) -> Arrival {
        let mut now = self.lock();
        *now.online.entry(actor.clone()).or_default() += 1;
        now.people_changed = true;
        drop(now);
        self.changed.notify_one();
        Arrival { floor: self.clone(), actor }
    }

    /// Whether somebody has at least one connection.
    pub fn is_online(&self, actor: &ActorId) -> bool {
        self.lock().online.contains_key(actor)
    }

    /// A table's board has `notes` notes, after `edits` further edits, the last of them at `at`.
    pub fn report(&self, table: TableId, notes: u32, edits: u16, at: Millis) {
        let mut now = self.lock();
        let tally = now.tables.entry(table).or_default();
        if tally.notes == notes && edits == 0 {
            return;
        }
        tally.notes = notes;
        if edits > 0 {
            tally.shift_to(at / MINUTE);
            tally.minutes[0] = tally.minutes[0].saturating_add(edits);
            tally.last_edit = Some(at);
        }
        drop(now);
        self.changed.notify_one();
    }

    /// How busy a table is at `at`.
    pub fn activity(&self, table: TableId, at: Millis) -> TableActivity {
        let mut now = self.lock();
        let Some(tally) = now.tables.get_mut(&table) else {
            return TableActivity { activity: vec![0; MINUTES], ..TableActivity::default() };
        };
        tally.shift_to(at / MINUTE);
        TableActivity {
            notes: tally.notes,
            last_edit: tally.last_edit,
            activity: tally.minutes.iter().rev().copied().collect(),
        }
    }

    /// A board was loaded: it is `damaged`, and quarantined, or it is sound.
    pub fn inspected(&self, board: BoardKind, damaged: bool) {
        let mut now = self.lock();
        let changed = if damaged { now.damaged.insert(board) } else { now.damaged.remove(&board) };
        drop(now);
        if changed {
            self.changed.notify_one();
        }
    }

    /// The boards that were found damaged.
    pub fn damaged(&self) -> Vec<BoardKind> {
        self.lock().damaged.iter().copied().collect()
    }

    /// Resolves when something has changed since it last resolved: with whether somebody has come or gone. If not, some table was
    /// busy or a board damaged, which facilitators alone are shown.
    pub async fn changed(&self) -> bool {
        self.changed.notified().await;
        std::mem::take(&mut self.lock().people_changed)
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    fn shift_to(&mut self, minute: Millis) {
        // A clock that was set far back begins a new line; otherwise nothing would be seen until that time comes again.
        let set_back = minute + MINUTES as Millis <= self.latest;
        let passed =
            if set_back { MINUTES } else { minute.saturating_sub(self.latest).min(MINUTES as Millis) as usize };
        if passed > 0 {
            self.minutes.rotate_right(passed % MINUTES);
            self.minutes[..passed].fill(0);
            self.latest = minute;
        }
    }
}

/// Somebody is online as long as this lives.
pub(crate) struct Arrival {
    floor: Arc<Floor>,
    actor: ActorId,
}

impl Drop for Arrival {
    fn drop(&mut self) {
        let mut now = self.floor.lock();
        if let Some(connections) = now.online.get_mut(&self.actor) {
            *connections -= 1;
            if *connections == 0 {
                now.online.remove(&self.actor);
            }
            now.people_changed = true;
        }
        drop(now);
        self.floor.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_is_online_until_their_last_connection_ends() {
        let floors = Floors::default();
        let floor = floors.of(&"w".into());
        let (phone, laptop) = (floor.arrive("p1".into()), floors.of(&"w".into()).arrive("p1".into()));
        drop(phone);
        assert!(floor.is_online(&"p1".into()));
        drop(laptop);
        assert!(!floor.is_online(&"p1".into()));
        drop(floor);
        floors.sweep();
        assert!(floors.floors.is_empty());
    }

    #[test]
    fn the_activity_line_moves_on_with_the_minutes() {
        let floor = Floor::default();
        let table = TableId(1);
        floor.report(table, 2, 3, 100 * MINUTE);
        floor.report(table, 4, 2, 102 * MINUTE + 5);
        assert_eq!(floor.activity(table, 102 * MINUTE).activity, [0, 0, 0, 0, 0, 0, 0, 3, 0, 2]);
        let later = floor.activity(table, 104 * MINUTE);
        assert_eq!(later.activity, [0, 0, 0, 0, 0, 3, 0, 2, 0, 0]);
        assert_eq!((later.notes, later.last_edit), (4, Some(102 * MINUTE + 5)));
        assert_eq!(floor.activity(table, 900 * MINUTE).activity, [0; MINUTES]);
        assert_eq!(floor.activity(TableId(2), 0).notes, 0);
        // The clock is set back by hours.
        floor.report(table, 5, 1, 700 * MINUTE);
        assert_eq!(floor.activity(table, 701 * MINUTE).activity, [0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
    }
}

//! Which boards a view lets its reader open and write on.

use shared::id::BoardKind;
use shared::workshop::view::Part;
use shared::workshop::{Phase, View};

/// What decides over which boards one may see.
pub(super) fn reach(view: &View) -> (Phase, usize, bool) {
    match &view.part {
        Part::Participant(part) => (view.phase, part.visited.len(), part.helper),
        _ => (view.phase, 0, false),
    }
}

/// Whether one may probably write on a board, until the server says so itself. The same rules as the server's
/// `Workshop::may_write`, as far as a view knows.
pub(super) fn may_write(view: &View, kind: BoardKind) -> bool {
    let phase = view.phase;
    let organises = match (&view.part, kind) {
        (Part::Reviewer(_), _) => return false,
        (Part::Participant(part), BoardKind::Table(table)) => {
            return phase < Phase::Vote && !view.locked && part.visited.contains(&table);
        }
        (Part::Participant(part), _) => part.helper,
        (Part::Facilitator(_), _) => true,
    };
    organises
        && match kind {
            BoardKind::Table(_) => phase < Phase::Closed,
            BoardKind::Harvest => (Phase::Gallery..=Phase::Plan).contains(&phase),
            BoardKind::Plan => (Phase::Vote..=Phase::Review).contains(&phase),
        }
}

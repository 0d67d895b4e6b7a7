//! What somebody may do on an address, and under which name others see them there: by the café as it stands. Pure.

use shared::id::{Actor, ActorId, BoardKind, Role};
use shared::wire::{Address, PresenceUser};
use shared::workshop::Workshop;

use tokio::sync::watch;

use super::session::Right;
use crate::board::MayWrite;
use crate::store::Health;
use crate::workshop::Moment;

/// What somebody may do on an address at this moment: while the store cannot write, nobody may.
pub(super) fn right_now(moment: &Moment, actor: &Actor, address: &Address) -> Right {
    match right_on(&moment.state, actor, address) {
        Right::Write if moment.health != Health::Good && board_kind(address).is_some() => Right::Read,
        right => right,
    }
}

/// Whether somebody may write a board, for as long as it is asked. It costs nothing while the café does not change. That the store cannot
/// write is for it to say.
pub(super) fn pen(mut moment: watch::Receiver<Moment>, actor: Actor, board: Address) -> MayWrite {
    let mut known = None;
    Box::new(move || {
        // An error means that the café's task has ended, which the connection notices; how the café was last holds until then.
        let may = known.filter(|_| !moment.has_changed().unwrap_or(true));
        let may = may.unwrap_or_else(|| right_on(&moment.borrow_and_update().state, &actor, &board) == Right::Write);
        *known.insert(may)
    })
}

/// Whom presence names on a board. Where authors are hidden nobody: a name beside the note that is being written would say whose it is.
pub(super) fn user_of(state: &Workshop, actor: &Actor, address: &Address) -> PresenceUser {
    let hides = !state.draft.settings.show_authors && board_kind(address) != Some(BoardKind::Plan);
    if hides {
        return PresenceUser { id: ActorId::from(""), name: String::new(), role: actor.role };
    }
    let name = state.participants.get(&actor.id).map(|person| person.name.clone()).unwrap_or_default();
    PresenceUser { id: actor.id.clone(), name, role: actor.role }
}

/// What somebody may do on an address, by the café's state.
fn right_on(state: &Workshop, actor: &Actor, address: &Address) -> Right {
    if actor.role == Role::Participant && state.participants.get(&actor.id).is_none_or(|person| person.removed) {
        return Right::None("removed");
    }
    if state.has_ended(actor) {
        return Right::None("link_ended");
    }
    // Views are read, commands go over HTTP; clients take this for "nothing is kept from you here".
    let Some(kind) = board_kind(address) else { return Right::Write };
    if state.may_write(actor, kind) {
        Right::Write
    } else if state.may_read(actor, kind) {
        Right::Read
    } else {
        Right::None(match kind {
            BoardKind::Table(table) if state.table_plan(table).is_none() => "unknown_table",
            BoardKind::Table(_) if actor.role == Role::Participant => "not_seated",
            _ => "not_open",
        })
    }
}

fn board_kind(address: &Address) -> Option<BoardKind> {
    match address {
        Address::Workshop(_) => None,
        Address::Board(board) => Some(board.kind),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use shared::id::BoardId;
    use shared::workshop::state::Phase;

    use super::*;

    #[test]
    fn h21_whoever_may_write_no_longer_may_not_at_once() {
        let moment = |state: &Workshop| Moment { seq: 1, state: Arc::new(state.clone()), health: Health::Good };
        let mut state = Workshop { phase: Phase::Plan, ..Workshop::default() };
        let (now, seen) = watch::channel(moment(&state));
        let actor = Actor { id: "f2".into(), role: Role::Facilitator };
        let mut may_write = pen(seen, actor.clone(), Address::Board(BoardId::plan(&"w".into())));
        assert!(may_write() && may_write());
        state.ended_links.insert(actor.id);
        now.send_replace(moment(&state));
        assert!(!may_write() && !may_write());
        // The café is not awake any more: what was known last holds.
        drop(now);
        assert!(!may_write());
    }
}

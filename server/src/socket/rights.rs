//! What somebody may do on an address, and under which name others see them there: by the café as it stands. Pure.

use shared::id::{Actor, ActorId, BoardKind, Role};
use shared::wire::{Address, PresenceUser};
use shared::workshop::Workshop;

use super::session::Right;
use crate::store::Health;
use crate::workshop::Moment;

/// What somebody may do on an address at this moment: while the store cannot write, nobody may.
pub(super) fn right_now(moment: &Moment, actor: &Actor, address: &Address) -> Right {
    match right_on(&moment.state, actor, address) {
        Right::Write if moment.health != Health::Good && board_kind(address).is_some() => Right::Read,
        right => right,
    }
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

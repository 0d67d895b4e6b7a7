//! Who may read and write which board, phase by phase.

use shared::id::{Actor, BoardKind, TableId};
use shared::workshop::{Command, Phase};

use crate::cafe::{Cafe, facilitator, guest_id, participant, reviewer};

/// A café with a helper (guest 0) and everybody seated once, in this phase.
fn cafe(phase: Phase) -> Cafe {
    let mut cafe = Cafe::in_round(4, 12);
    cafe.host(Command::SetHelper { participant: guest_id(0), helper: true }).unwrap();
    while cafe.state.phase > phase {
        cafe.go(cafe.state.phase.previous().unwrap());
    }
    while cafe.state.phase < phase {
        cafe.go(cafe.state.phase.next().unwrap());
    }
    cafe
}

/// The phases in which somebody may read and write a board, as first letters: `r` reads, `w` reads and writes, `W`
/// writes without reading (which must not be), `-` neither.
fn rights(actor: &Actor, board: impl Fn(&Cafe) -> BoardKind) -> String {
    let one = |phase| {
        let cafe = cafe(phase);
        let board = board(&cafe);
        match (cafe.state.may_read(actor, board), cafe.state.may_write(actor, board)) {
            (true, true) => 'w',
            (true, false) => 'r',
            (false, true) => 'W',
            (false, false) => '-',
        }
    };
    Phase::ALL.into_iter().map(one).collect()
}

fn own_table(of: usize) -> impl Fn(&Cafe) -> BoardKind {
    move |cafe| BoardKind::Table(*cafe.state.visited[&guest_id(of)].first().unwrap())
}

fn other_table(of: usize) -> impl Fn(&Cafe) -> BoardKind {
    move |cafe| {
        let been = &cafe.state.visited[&guest_id(of)];
        BoardKind::Table((1..=4).map(TableId).find(|table| !been.contains(table)).unwrap())
    }
}

#[test]
fn rights_by_role_board_and_phase() {
    //           draft lobby rounds gallery harvest vote plan review closed
    assert_eq!(rights(&participant(1), own_table(1)), "wwwwwrrrr");
    assert_eq!(rights(&participant(1), other_table(1)), "---rrrrrr");
    assert_eq!(rights(&participant(1), |_| BoardKind::Harvest), "----rrrrr");
    assert_eq!(rights(&participant(1), |_| BoardKind::Plan), "------rrr");
    assert_eq!(rights(&participant(0), own_table(0)), "wwwwwrrrr");
    assert_eq!(rights(&participant(0), |_| BoardKind::Harvest), "---wwwwrr");
    assert_eq!(rights(&participant(0), |_| BoardKind::Plan), "-----wwwr");
    assert_eq!(rights(&facilitator(), own_table(1)), "wwwwwwwwr");
    assert_eq!(rights(&facilitator(), |_| BoardKind::Harvest), "rrrwwwwrr");
    assert_eq!(rights(&facilitator(), |_| BoardKind::Plan), "rrrrrwwwr");
    for board in [BoardKind::Table(TableId(1)), BoardKind::Harvest, BoardKind::Plan] {
        assert_eq!(rights(&reviewer(), |_| board), "------rrr");
    }
}

#[test]
fn nobody_reads_or_writes_what_is_not_there() {
    for actor in [facilitator(), participant(1), reviewer()] {
        for table in [0, 5, u16::MAX] {
            assert_eq!(rights(&actor, |_| BoardKind::Table(TableId(table))), "---------");
        }
    }
    let stranger = participant(99);
    assert_eq!(rights(&stranger, |_| BoardKind::Table(TableId(1))), "---------");
    assert_eq!(rights(&stranger, |_| BoardKind::Harvest), "---------");
}

#[test]
fn locked_boards_are_closed_to_participants_alone() {
    let mut cafe = cafe(Phase::Rounds);
    cafe.host(Command::LockBoards { locked: true }).unwrap();
    let board = own_table(1)(&cafe);
    assert!(!cafe.state.may_write(&participant(1), board));
    assert!(cafe.state.may_read(&participant(1), board));
    assert!(cafe.state.may_write(&facilitator(), board));
}

#[test]
fn every_table_one_was_at_stays_open_and_being_taken_out_ends_it() {
    let mut cafe = Cafe::open(4, 3, 16);
    let mut tables = Vec::new();
    for _ in 0..3 {
        cafe.host(Command::NextRound).unwrap();
        tables.push(cafe.seat(1).unwrap());
        cafe.host(Command::EndRound).unwrap();
    }
    let rights = |cafe: &Cafe| {
        tables.iter().filter(|table| cafe.state.may_write(&participant(1), BoardKind::Table(**table))).count()
    };
    assert_eq!(rights(&cafe), 3);
    cafe.guest(1, Command::Leave).unwrap();
    assert_eq!(rights(&cafe), 3, "what was written before leaving still arrives");
    cafe.host(Command::RemovePerson { participant: guest_id(1) }).unwrap();
    assert_eq!(rights(&cafe), 0);
    assert!(!cafe.state.may_read(&participant(1), BoardKind::Table(tables[0])));
}

//! The clock, moving people, and hosts.

use shared::id::TableId;
use shared::workshop::command::Internal;
use shared::workshop::{Command, Event, Phase, Refusal, RoundStatus, Workshop};

use crate::cafe::{Cafe, MINUTE, draft, guest_id};

#[test]
fn the_next_round_opens_the_rounds_from_the_lobby() {
    let mut cafe = Cafe::open(4, 3, 12);
    let events = cafe.host(Command::NextRound).unwrap();
    assert_eq!(events[0], Event::PhaseChanged { phase: Phase::Rounds });
    assert!(matches!(events[1], Event::RoundSeated { round: 0, .. }));
    assert_eq!(events.len(), 2);
    // People need time to find their table, in the first round too.
    assert_eq!(cafe.state.deadline(), Some(cafe.ctx.now + 30_000));
    assert_eq!(cafe.host(Command::NextRound), Err(Refusal::WrongRoundStatus));
}

#[test]
fn without_time_to_move_the_clock_starts_at_once() {
    let mut plan = draft(2, 1);
    plan.settings.moving_seconds = 0;
    plan.rounds[0].minutes = 0.05;
    let mut cafe = Cafe::new(plan);
    cafe.go(Phase::Lobby);
    cafe.join(0).unwrap();
    cafe.host(Command::NextRound).unwrap();
    assert_eq!(cafe.state.round.as_ref().unwrap().status, RoundStatus::Running { ends_at: cafe.ctx.now + 3_000 });
}

#[test]
fn nobody_there_means_no_round() {
    let mut cafe = Cafe::open(4, 3, 1);
    cafe.guest(0, Command::Leave).unwrap();
    assert_eq!(cafe.host(Command::NextRound), Err(Refusal::NobodyHere));
    assert_eq!(cafe.host(Command::GoTo { phase: Phase::Rounds }), Err(Refusal::NobodyHere));
}

#[test]
fn timers_are_harmless_when_they_come_at_the_wrong_time() {
    let mut cafe = Cafe::open(4, 3, 12);
    assert_eq!(cafe.internal(Internal::TimeUp), Ok(vec![]));
    cafe.host(Command::NextRound).unwrap();
    assert_eq!(cafe.internal(Internal::TimeUp), Ok(vec![]));
    assert_eq!(cafe.wait_for_deadline(), Ok(vec![Event::RoundStarted { ends_at: cafe.ctx.now + 20 * MINUTE }]));
    assert_eq!(cafe.internal(Internal::TimeUp), Ok(vec![]));
    cafe.host(Command::PauseRound).unwrap();
    cafe.ctx.now += 100 * MINUTE;
    assert_eq!(cafe.internal(Internal::TimeUp), Ok(vec![]));
    cafe.host(Command::ResumeRound).unwrap();
    assert_eq!(cafe.wait_for_deadline(), Ok(vec![Event::RoundEnded]));
    assert_eq!(cafe.state.deadline(), None);
    assert_eq!(cafe.internal(Internal::TimeUp), Ok(vec![]));
}

/// Sets the wall clock of the café's server, by hours.
fn set_clock(cafe: &mut Cafe, hours: i64) {
    let step = hours * 60 * MINUTE.cast_signed();
    cafe.ctx.now = cafe.ctx.now.saturating_add_signed(step);
    cafe.internal(Internal::ClockSet { step }).unwrap();
}

#[test]
fn w11_a_clock_that_steps_an_hour_leaves_a_round_its_length() {
    for hours in [1, -1] {
        let mut cafe = Cafe::open(4, 3, 12);
        cafe.ctx.now += 1_000 * MINUTE;
        cafe.host(Command::NextRound).unwrap();
        set_clock(&mut cafe, hours);
        assert_eq!(cafe.internal(Internal::TimeUp), Ok(vec![]), "{hours} h: still moving");
        assert_eq!(cafe.state.deadline(), Some(cafe.ctx.now + 30_000));
        cafe.wait_for_deadline().unwrap();

        cafe.ctx.now += 5 * MINUTE;
        set_clock(&mut cafe, hours);
        assert_eq!(cafe.internal(Internal::TimeUp), Ok(vec![]), "{hours} h: the round goes on");
        assert_eq!(cafe.state.deadline(), Some(cafe.ctx.now + 15 * MINUTE));
        // Pausing before and after a step, and a step while the clock stands.
        assert_eq!(cafe.host(Command::PauseRound), Ok(vec![Event::RoundPaused { left: 15 * MINUTE }]));
        assert_eq!(cafe.internal(Internal::ClockSet { step: hours }), Ok(vec![]), "a paused round has no deadline");
        set_clock(&mut cafe, -hours);
        cafe.host(Command::ResumeRound).unwrap();
        assert_eq!(cafe.state.deadline(), Some(cafe.ctx.now + 15 * MINUTE));
        assert_eq!(cafe.wait_for_deadline(), Ok(vec![Event::RoundEnded]));
        assert_eq!(cafe.internal(Internal::ClockSet { step: 1 }), Ok(vec![]), "and neither has one that is over");
        assert_eq!(Workshop::fold(&cafe.rows), cafe.state);
    }
}

#[test]
fn pausing_keeps_what_is_left_and_extending_adds_to_it() {
    let mut cafe = Cafe::in_round(4, 12);
    cafe.ctx.now += 5 * MINUTE;
    assert_eq!(cafe.host(Command::PauseRound), Ok(vec![Event::RoundPaused { left: 15 * MINUTE }]));
    assert_eq!(cafe.host(Command::PauseRound), Err(Refusal::WrongRoundStatus));
    cafe.host(Command::ExtendRound { minutes: 2 }).unwrap();
    cafe.ctx.now += 30 * MINUTE;
    let ends_at = cafe.ctx.now + 17 * MINUTE;
    assert_eq!(cafe.host(Command::ResumeRound), Ok(vec![Event::RoundResumed { ends_at }]));
    cafe.host(Command::ExtendRound { minutes: 1 }).unwrap();
    assert_eq!(cafe.state.deadline(), Some(ends_at + MINUTE));
    assert_eq!(cafe.host(Command::StartRound), Err(Refusal::WrongRoundStatus));
    assert_eq!(cafe.host(Command::ResumeRound), Err(Refusal::WrongRoundStatus));
}

#[test]
fn a_round_that_is_over_can_run_again() {
    let mut cafe = Cafe::in_round(4, 12);
    cafe.host(Command::EndRound).unwrap();
    assert_eq!(cafe.host(Command::EndRound), Err(Refusal::WrongRoundStatus));
    let ends_at = cafe.ctx.now + 5 * MINUTE;
    assert_eq!(
        cafe.host(Command::ExtendRound { minutes: 5 }),
        Ok(vec![Event::RoundExtended { minutes: 5 }, Event::RoundResumed { ends_at }])
    );
    assert_eq!(cafe.state.deadline(), Some(ends_at));
}

#[test]
fn a_round_can_be_ended_while_people_move() {
    let mut cafe = Cafe::open(4, 2, 12);
    cafe.host(Command::NextRound).unwrap();
    assert_eq!(cafe.host(Command::ExtendRound { minutes: 1 }), Err(Refusal::WrongRoundStatus));
    assert_eq!(cafe.host(Command::EndRound), Ok(vec![Event::RoundEnded]));
    cafe.host(Command::NextRound).unwrap();
    cafe.host(Command::EndRound).unwrap();
    assert_eq!(cafe.host(Command::NextRound), Err(Refusal::NoRoundLeft));
}

#[test]
fn going_on_ends_a_running_round_and_coming_back_finds_it_over() {
    let mut cafe = Cafe::in_round(4, 12);
    let gallery = Phase::Gallery;
    assert_eq!(
        cafe.host(Command::GoTo { phase: gallery }),
        Ok(vec![Event::RoundEnded, Event::PhaseChanged { phase: gallery }])
    );
    assert_eq!(cafe.state.deadline(), None);
    cafe.go(Phase::Rounds);
    assert_eq!(cafe.state.round.as_ref().unwrap().status, RoundStatus::Over);
    cafe.host(Command::ExtendRound { minutes: 5 }).unwrap();
    assert!(cafe.state.deadline().is_some());
}

#[test]
fn a_person_can_be_moved_but_never_to_a_full_table() {
    let mut cafe = Cafe::in_round(2, 11);
    let (full, other) = if cafe.state.seated_at(TableId(1)) == 6 { (1, 2) } else { (2, 1) };
    let (full, other) = (TableId(full), TableId(other));
    let at = |cafe: &Cafe, table| (0..11).filter(move |i| cafe.seat(*i) == Some(table)).collect::<Vec<_>>();
    let outsider = at(&cafe, other)[0];
    let to_full = Command::MovePerson { participant: guest_id(outsider), table: full };
    assert_eq!(cafe.host(to_full.clone()), Err(Refusal::TableFull));

    let host = (0..11).find(|i| cafe.state.hosts.get(&full) == Some(&guest_id(*i))).unwrap();
    cafe.guest(host, Command::RaiseHand { raised: true }).unwrap();
    let participant = guest_id(host);
    assert_eq!(
        cafe.host(Command::MovePerson { participant: participant.clone(), table: other }),
        Ok(vec![
            Event::HostSet { table: full, participant: None },
            Event::Seated { participant: participant.clone(), table: other },
        ])
    );
    assert!(!cafe.state.hosts.contains_key(&full));
    assert!(!cafe.state.participants[&participant].hand, "the hand was for the old table");
    assert!(cafe.state.visited[&participant].contains(&full), "words for the old table still arrive");
    cafe.host(to_full).unwrap();
}

#[test]
fn hosts_are_seated_at_their_table_and_have_only_one() {
    let mut cafe = Cafe::in_round(4, 12);
    let one = (0..12).find(|i| cafe.seat(*i) == Some(TableId(1))).unwrap();
    let participant = Some(guest_id(one));
    cafe.host(Command::SetHost { table: TableId(2), participant: participant.clone() }).unwrap();
    assert_eq!(cafe.seat(one), Some(TableId(2)));
    cafe.host(Command::SetHost { table: TableId(3), participant: participant.clone() }).unwrap();
    assert_eq!(cafe.seat(one), Some(TableId(3)));
    assert_eq!(cafe.state.hosted_by(&guest_id(one)), Some(TableId(3)));
    assert_eq!(cafe.state.hosts.values().filter(|host| **host == guest_id(one)).count(), 1);
    let none = Event::HostSet { table: TableId(3), participant: None };
    assert_eq!(cafe.host(Command::SetHost { table: TableId(3), participant: None }), Ok(vec![none]));
    assert_eq!(cafe.host(Command::SetHost { table: TableId(3), participant: None }), Ok(vec![]));
}

#[test]
fn a_full_table_takes_a_host_only_from_among_its_own() {
    let mut cafe = Cafe::in_round(2, 12);
    let table = TableId(1);
    let at = |cafe: &Cafe, table| (0..12).find(|i| cafe.seat(*i) == Some(table)).unwrap();
    let (outsider, insider) = (at(&cafe, TableId(2)), at(&cafe, table));
    let set = |i| Command::SetHost { table, participant: Some(guest_id(i)) };
    assert_eq!(cafe.host(set(outsider)), Err(Refusal::TableFull));
    cafe.host(set(insider)).unwrap();
    assert_eq!(cafe.state.hosts[&table], guest_id(insider));
}

#[test]
fn a_host_chosen_in_the_lobby_is_seated_there_and_stays() {
    let mut cafe = Cafe::open(4, 3, 16);
    cafe.host(Command::SetHost { table: TableId(3), participant: Some(guest_id(5)) }).unwrap();
    for _ in 0..3 {
        cafe.host(Command::NextRound).unwrap();
        assert_eq!(cafe.seat(5), Some(TableId(3)));
        assert_eq!(cafe.state.hosts[&TableId(3)], guest_id(5));
        cafe.host(Command::EndRound).unwrap();
    }
}

#[test]
fn a_host_who_leaves_is_followed_by_somebody_who_knows_the_table() {
    let mut cafe = Cafe::in_round(4, 16);
    let host = cafe.state.hosts[&TableId(2)].clone();
    cafe.host(Command::RemovePerson { participant: host.clone() }).unwrap();
    assert!(!cafe.state.hosts.contains_key(&TableId(2)));
    assert_eq!(cafe.state.seat_of(&host), None);
    cafe.host(Command::EndRound).unwrap();
    let before = cafe.state.seats_now().unwrap().clone();
    cafe.host(Command::NextRound).unwrap();
    let successor = &cafe.state.hosts[&TableId(2)];
    assert_eq!(before.get(successor), Some(&TableId(2)));
    assert_eq!(cafe.state.seat_of(successor), Some(TableId(2)));
}

#[test]
fn more_people_than_seats_are_refused_with_numbers() {
    let mut cafe = Cafe::open(2, 2, 13);
    assert_eq!(cafe.host(Command::NextRound), Err(Refusal::NotEnoughSeats { people: 13, seats: 12 }));
    assert_eq!(cafe.state.phase, Phase::Lobby);
}

//! People arrive, late too; leave; return; are taken out.

use shared::id::TableId;
use shared::limits;
use shared::workshop::command::Internal;
use shared::workshop::state::Participant;
use shared::workshop::{Command, Event, Phase, Refusal};

use crate::cafe::{Cafe, draft, guest_id};

#[test]
fn people_join_from_lobby_to_plan() {
    for phase in Phase::ALL {
        let outcome = Cafe::in_phase(phase).join(50);
        match phase {
            Phase::Draft => assert_eq!(outcome, Err(Refusal::WrongPhase { phase })),
            Phase::Review | Phase::Closed => assert_eq!(outcome, Err(Refusal::Closed)),
            _ => assert!(matches!(outcome.as_deref(), Ok([Event::Joined { .. }])), "{phase}: {outcome:?}"),
        }
    }
}

#[test]
fn names_are_cleaned_and_checked() {
    let mut cafe = Cafe::open(2, 1, 0);
    let mut join = |name: &str, department: Option<&str>| {
        let (name, department) = (name.to_string(), department.map(str::to_string));
        cafe.internal(Internal::Join { participant: guest_id(1), name, department })
    };
    assert_eq!(join(" \t ", None), Err(Refusal::empty("name")));
    assert_eq!(join(&"王".repeat(41), None), Err(Refusal::TooLong { field: "name".into(), limit: 40 }));
    assert_eq!(join("a\u{0}b", None), Err(Refusal::ControlCharacters { field: "name".into() }));
    let long = "x".repeat(61);
    assert_eq!(join("Li", Some(&long)), Err(Refusal::TooLong { field: "department".into(), limit: 60 }));
    let joined = Event::Joined { participant: guest_id(1), name: "李 雷".into(), department: None };
    assert_eq!(join("  李   雷 ", Some("  ")), Ok(vec![joined]));
}

#[test]
fn joining_again_is_the_same_person() {
    let mut cafe = Cafe::open(2, 1, 3);
    assert_eq!(cafe.join(1), Ok(vec![]));
    cafe.guest(1, Command::Leave).unwrap();
    assert_eq!(cafe.state.people_here().count(), 2);
    assert_eq!(cafe.join(1), Ok(vec![Event::Returned { participant: guest_id(1) }]));
    cafe.host(Command::RemovePerson { participant: guest_id(1) }).unwrap();
    assert_eq!(cafe.join(1), Err(Refusal::NotAllowed));
    assert_eq!(cafe.state.participants.len(), 3);
}

#[test]
fn a_cafe_has_a_limit_of_people() {
    let mut cafe = Cafe::open(2, 1, 0);
    let person = Participant {
        name: "x".into(),
        department: None,
        joined_at: 0,
        left: false,
        removed: false,
        helper: false,
        hand: false,
        seat_left: None,
    };
    cafe.state.participants = (0..limits::PEOPLE_MAX).map(|i| (guest_id(i), person.clone())).collect();
    assert_eq!(cafe.join(limits::PEOPLE_MAX), Err(Refusal::Full));
}

#[test]
fn late_comers_sit_where_the_fewest_are() {
    let mut cafe = Cafe::in_round(4, 15);
    let smallest = (1..=4).map(TableId).min_by_key(|table| cafe.state.seated_at(*table)).unwrap();
    cafe.join(20).unwrap();
    assert_eq!(cafe.seat(20), Some(smallest));
    assert!(cafe.state.visited[&guest_id(20)].contains(&smallest));
}

#[test]
fn late_comers_do_not_sit_alone_while_there_is_company() {
    let mut cafe = Cafe::in_round(4, 4);
    cafe.join(20).unwrap();
    let table = cafe.seat(20).unwrap();
    assert!(table <= TableId(2) && cafe.state.seated_at(table) == 3);
}

#[test]
fn without_a_free_seat_one_joins_standing() {
    let mut cafe = Cafe::in_round(2, 12);
    assert!(matches!(cafe.join(20).as_deref(), Ok([Event::Joined { .. }])));
    assert_eq!(cafe.seat(20), None);
    cafe.guest(3, Command::Leave).unwrap();
    let free = (1..=2).map(TableId).find(|table| cafe.state.seated_at(*table) < 6).unwrap();
    cafe.host(Command::MovePerson { participant: guest_id(20), table: free }).unwrap();
    assert_eq!(cafe.seat(20), Some(free));
}

#[test]
fn who_returns_in_the_same_round_finds_the_same_seat() {
    for person in 0..12 {
        let mut cafe = Cafe::in_round(4, 12);
        let table = cafe.seat(person).unwrap();
        cafe.guest(person, Command::RaiseHand { raised: true }).unwrap();
        cafe.guest(person, Command::Leave).unwrap();
        assert_eq!(cafe.seat(person), None);
        assert_eq!(cafe.state.hosted_by(&guest_id(person)), None);
        cafe.join(person).unwrap();
        assert_eq!(cafe.seat(person), Some(table));
        assert!(!cafe.state.participants[&guest_id(person)].hand);
    }
}

#[test]
fn w14_a_raised_hand_is_lowered_by_its_person_or_by_a_facilitator_alone() {
    let lowered = |person: usize| Ok(vec![Event::HandRaised { participant: guest_id(person), raised: false }]);
    for phase in [Phase::Lobby, Phase::Gallery, Phase::Plan, Phase::Review] {
        let mut cafe = Cafe::in_phase(if phase == Phase::Review { Phase::Plan } else { phase });
        for person in [1, 2, 3] {
            cafe.guest(person, Command::RaiseHand { raised: true }).unwrap();
        }
        if phase == Phase::Review {
            cafe.go(phase);
        }
        let lower = Command::LowerHand { participant: guest_id(1) };
        assert_eq!(cafe.guest(2, lower.clone()), Err(Refusal::NotAllowed));
        assert_eq!(cafe.review(lower.clone()), Err(Refusal::NotAllowed));
        assert!(cafe.state.participants[&guest_id(1)].hand);
        assert_eq!(cafe.host(lower.clone()), lowered(1), "{phase}");
        // Two facilitators may see it at once, and its person may have been quicker.
        assert_eq!(cafe.host(lower), Ok(vec![]));
        let up = |cafe: &Cafe| [1, 2, 3].map(|person| cafe.state.participants[&guest_id(person)].hand);
        assert_eq!(up(&cafe), [false, true, true]);
        if phase == Phase::Review {
            continue;
        }
        assert_eq!(cafe.guest(2, Command::RaiseHand { raised: false }), lowered(2));
        assert_eq!(cafe.host(Command::LowerHand { participant: guest_id(2) }), Ok(vec![]));
        // It can go up again.
        cafe.guest(1, Command::RaiseHand { raised: true }).unwrap();
        assert_eq!(up(&cafe), [true, false, true]);
    }
}

#[test]
fn who_returns_in_a_later_round_sits_at_a_new_table() {
    let mut cafe = Cafe::in_round(4, 12);
    let table = cafe.seat(1).unwrap();
    cafe.guest(1, Command::Leave).unwrap();
    cafe.host(Command::EndRound).unwrap();
    cafe.host(Command::NextRound).unwrap();
    cafe.join(1).unwrap();
    assert_ne!(cafe.seat(1), Some(table));
}

#[test]
fn the_draft_can_change_only_as_far_as_nothing_is_lost() {
    let mut cafe = Cafe::in_round(4, 12);
    cafe.go(Phase::Lobby);
    cafe.go(Phase::Draft);
    let edit = |draft| Command::EditDraft { draft };
    assert_eq!(cafe.host(edit(draft(3, 3))), Err(Refusal::TooFewTables { min: 4 }));
    let mut shorter = draft(5, 1);
    shorter.settings.seats_per_table = 1;
    assert_eq!(cafe.host(edit(shorter)), Err(Refusal::OutOfRange { field: "settings.seats_per_table".into() }));
    cafe.host(edit(draft(5, 1))).unwrap();
    assert_eq!(cafe.state.draft.tables.len(), 5);
    assert_eq!(cafe.host(edit(draft(5, 1))), Ok(vec![]));
}

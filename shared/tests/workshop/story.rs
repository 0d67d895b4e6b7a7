//! A whole café, from an empty page to the decision, as it goes on a good day.

use std::collections::BTreeSet;

use shared::id::{ActionId, TableId};
use shared::workshop::state::Verdict;
use shared::workshop::view::Part;
use shared::workshop::{Command, Event, Phase, RoundStatus, Workshop};

use crate::cafe::{Cafe, MINUTE, facilitator, guest_id, participant, reviewer, vote};

#[test]
fn twenty_four_people_at_four_tables_in_three_rounds() {
    let mut cafe = Cafe::open(4, 3, 24);
    let mut been = vec![BTreeSet::new(); 24];
    for round in 0..3u8 {
        cafe.host(Command::NextRound).unwrap();
        assert_eq!(cafe.state.round.as_ref().unwrap().index, round);
        for (i, been) in been.iter_mut().enumerate() {
            let table = cafe.seat(i).expect("a seat");
            let hosts = cafe.state.hosted_by(&guest_id(i)) == Some(table);
            assert!(been.insert(table) || hosts, "guest {i} is at {table} again");
        }
        for table in 1..=4 {
            assert_eq!(cafe.state.seated_at(TableId(table)), 6);
        }
        cafe.wait_for_deadline().unwrap();
        cafe.ctx.now += 10 * MINUTE;
        cafe.host(Command::ExtendRound { minutes: 2 }).unwrap();
        assert_eq!(cafe.state.deadline(), Some(cafe.ctx.now + 12 * MINUTE));
        assert_eq!(cafe.wait_for_deadline(), Ok(vec![Event::RoundEnded]));
        assert_eq!(cafe.state.round.as_ref().unwrap().status, RoundStatus::Over);
    }
    let stayed = been.iter().filter(|been| been.len() == 1).count();
    assert_eq!(stayed, 4, "one host a table, and everybody else saw three tables");

    cafe.go(Phase::Gallery);
    cafe.go(Phase::Harvest);
    cafe.host(Command::SetHelper { participant: guest_id(3), helper: true }).unwrap();
    cafe.go(Phase::Vote);
    for i in 0..24 {
        cafe.guest(i, vote(["a", "b"][i % 2], 2)).unwrap();
        cafe.guest(i, vote("c", 1)).unwrap();
    }
    cafe.host(Command::CloseVote).unwrap();
    let counts = cafe.view(&participant(0)).vote.unwrap().tally.unwrap();
    assert_eq!(counts, [("a".into(), 24), ("b".into(), 24), ("c".into(), 24)]);

    cafe.go(Phase::Plan);
    cafe.go(Phase::Review);
    let settle = |action: &str, verdict, reason: &str| Command::Decide {
        action: ActionId::from(action),
        verdict,
        reason: reason.into(),
        name: "王总".into(),
    };
    cafe.review(settle("x", Verdict::Approve, "")).unwrap();
    cafe.review(settle("y", Verdict::Decline, "明年再议")).unwrap();
    let Part::Reviewer(part) = cafe.view(&reviewer()).part else { panic!("a reviewer's view") };
    assert_eq!(part.decisions.iter().map(|d| d.verdict).collect::<Vec<_>>(), [Verdict::Approve, Verdict::Decline]);
    cafe.go(Phase::Closed);
    assert!(cafe.state.people_here().count() == 24 && cafe.view(&facilitator()).phase == Phase::Closed);

    assert_eq!(Workshop::fold(&cafe.rows), cafe.state);
}

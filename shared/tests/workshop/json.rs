//! Every event survives its JSON: what was stored is what is read.

use std::collections::BTreeMap;

use shared::id::{ActorId, TableId};
use shared::workshop::follow_up::Progress;
use shared::workshop::state::{ThemeRef, Verdict};
use shared::workshop::{Command, Event, Phase, Recorded};

use crate::cafe::{draft, guest_id};

fn events() -> Vec<Event> {
    let participant = guest_id(1);
    let name = "李雷".to_string();
    let department = Some("客服".to_string());
    let table = TableId(12);
    vec![
        Event::Created { draft: draft(3, 2), join_code: "ABCD2345".into() },
        Event::DraftEdited { draft: draft(3, 2) },
        Event::TableSet { table, topic: name.clone(), question: "?".into() },
        Event::RoundQuestionSet { round: 1, question: None },
        Event::PhaseChanged { phase: Phase::Harvest },
        Event::Joined { participant: participant.clone(), name: name.clone(), department: department.clone() },
        Event::Returned { participant: participant.clone() },
        Event::Renamed { participant: participant.clone(), name: name.clone(), department },
        Event::Left { participant: participant.clone(), removed: true },
        Event::RoundSeated {
            round: 2,
            seats: BTreeMap::from([(participant.clone(), table)]),
            hosts: BTreeMap::from([(table, participant.clone()), (TableId(2), guest_id(2))]),
            starts_at: 1_790_000_000_000,
        },
        Event::Seated { participant: participant.clone(), table },
        Event::HostSet { table, participant: None },
        Event::RoundStarted { ends_at: 5 },
        Event::RoundPaused { left: 5 },
        Event::RoundResumed { ends_at: 5 },
        Event::RoundExtended { minutes: 5 },
        Event::RoundEnded,
        Event::ClockSet { step: -3_600_000 },
        Event::Announced { text: "\n".into() },
        Event::BoardsLocked { locked: true },
        Event::HelperSet { participant: participant.clone(), helper: true },
        Event::HandRaised { participant: participant.clone(), raised: true },
        Event::LinkEnded { actor: "r1".into() },
        Event::DotsSet { dots: 5 },
        Event::VoteOpened { themes: vec![ThemeRef { id: "a-1".into(), title: name.clone() }] },
        Event::Felt { participant: participant.clone(), table, score: Some(-2) },
        Event::Felt { participant: participant.clone(), table, score: None },
        Event::LineSet { label: name.clone(), level: -20 },
        Event::VoteCast { participant, theme: "a-1".into(), dots: 2 },
        Event::VoteClosed,
        Event::Commented { action: None, text: "t".into(), name: name.clone() },
        Event::Decided { action: "b-1".into(), verdict: Verdict::Change, reason: "r".into(), name: name.clone() },
        Event::FollowedUp {
            action: "b-1".into(),
            after_days: 60,
            progress: Progress::Underway,
            measured: "8 min".into(),
            text: String::new(),
            name,
        },
    ]
}

#[test]
fn every_event_survives_its_json() {
    for event in events() {
        let recorded = Recorded { at: 1_790_000_000_000, by: ActorId::system(), event };
        let text = serde_json::to_string(&recorded).unwrap();
        let read: Recorded = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(read, recorded, "{text}");
    }
}

#[test]
fn commands_read_as_documented_and_refuse_what_they_do_not_know() {
    let command: Command = serde_json::from_str(r#"{"type": "extend_round", "minutes": 2}"#).unwrap();
    assert_eq!(command, Command::ExtendRound { minutes: 2 });
    let command: Command = serde_json::from_str(r#"{"type": "rename", "name": "x"}"#).unwrap();
    assert_eq!(command, Command::Rename { name: "x".into(), department: None });
    assert!(serde_json::from_str::<Command>(r#"{"type": "next_round"}"#).is_ok());
    assert!(serde_json::from_str::<Command>(r#"{"type": "extend_round", "minutes": 2, "hours": 1}"#).is_err());
    assert!(serde_json::from_str::<Command>(r#"{"type": "extend_round", "minutes": 300}"#).is_err());
}

/// A field that a snapshot does not have would be read as its default, and the café would not be what its events say.
#[test]
fn w1_the_shape_of_a_snapshot_has_its_number() {
    use shared::workshop::state::{Participant, STATE_FORMAT, Workshop};
    let keys = |value: serde_json::Value| match value {
        serde_json::Value::Object(fields) => fields.into_iter().map(|(key, _)| key).collect::<Vec<_>>().join(" "),
        other => panic!("no object: {other}"),
    };
    let person = Participant {
        name: String::new(),
        department: None,
        joined_at: 0,
        left: false,
        removed: false,
        helper: false,
        hand: false,
        seat_left: None,
    };
    let shape =
        [serde_json::to_value(Workshop::default()), serde_json::to_value(person)].map(|value| keys(value.unwrap()));
    assert_eq!(
        (STATE_FORMAT, shape.each_ref().map(String::as_str)),
        (
            4,
            [
                "announcement commented comments created_at decisions draft ended_links feelings follow_ups hosts join_code locked participants phase round seats visited vote",
                "department hand helper joined_at left name removed seat_left",
            ]
        ),
        "the state has changed: raise STATE_FORMAT, and then this"
    );
}

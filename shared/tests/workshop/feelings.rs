//! How stages feel: who may say so, what is told of it, and to whom.

use shared::id::{Actor, TableId};
use shared::limits;
use shared::workshop::journey::{LEVEL_MAX, Line};
use shared::workshop::view::FeelingsView;
use shared::workshop::{Command, Draft, Event, Phase, Recorded, Refusal, TablePlan, Workshop};

use crate::cafe::{Cafe, draft, facilitator, guest_id, participant, reviewer};

fn asking(tables: usize) -> Draft {
    let mut draft = draft(tables, 3);
    draft.settings.feelings = true;
    draft
}

/// A café that asks, in its first round.
fn in_round(tables: usize, people: usize) -> Cafe {
    let mut cafe = Cafe::new(asking(tables));
    cafe.go(Phase::Lobby);
    for i in 0..people {
        cafe.join(i).unwrap();
    }
    cafe.host(Command::NextRound).unwrap();
    cafe
}

fn feel(table: TableId, score: i8) -> Command {
    Command::Feel { table, score: Some(score) }
}

fn seen(cafe: &Cafe, by: &Actor) -> FeelingsView {
    cafe.view(by).feelings.expect("the café asks")
}

/// Everybody's number who sits at a table.
fn at(cafe: &Cafe, table: TableId, people: usize) -> Vec<usize> {
    (0..people).filter(|i| cafe.seat(*i) == Some(table)).collect()
}

#[test]
fn w17_the_latest_score_of_a_person_counts_and_can_be_taken_back() {
    let mut cafe = in_round(2, 8);
    let table = cafe.seat(1).unwrap();
    cafe.guest(1, feel(table, -2)).unwrap();
    assert_eq!(cafe.guest(1, feel(table, -2)), Ok(vec![]), "pressed twice");
    cafe.guest(1, feel(table, 2)).unwrap();
    assert_eq!(cafe.state.feelings.scores[&table].values().collect::<Vec<_>>(), [&2]);
    assert_eq!(seen(&cafe, &participant(1)).mine, [(table, 2)]);
    let back = Command::Feel { table, score: None };
    let event = Event::Felt { participant: guest_id(1), table, score: None };
    assert_eq!(cafe.guest(1, back.clone()), Ok(vec![event]));
    assert_eq!(cafe.guest(1, back), Ok(vec![]));
    assert_eq!(seen(&cafe, &participant(1)).mine, []);
}

#[test]
fn w17_only_who_sat_there_speaks_of_a_table_and_only_until_the_vote() {
    let mut cafe = in_round(2, 8);
    let table = cafe.seat(1).unwrap();
    let other = TableId(3 - table.0);
    assert_eq!(cafe.guest(1, feel(other, 1)), Err(Refusal::NotSeatedThere));
    assert_eq!(cafe.guest(1, feel(TableId(9), 1)), Err(Refusal::UnknownTable));
    for score in [-3, 3, i8::MIN, i8::MAX] {
        assert_eq!(cafe.guest(1, feel(table, score)), Err(Refusal::OutOfRange { field: "score".into() }));
    }
    cafe.host(Command::MovePerson { participant: guest_id(1), table: other }).unwrap();
    // Of the table left behind, too; and a locked board is no matter.
    cafe.host(Command::LockBoards { locked: true }).unwrap();
    cafe.guest(1, feel(other, 1)).unwrap();
    cafe.guest(1, feel(table, 0)).unwrap();
    for phase in [Phase::Gallery, Phase::Harvest] {
        cafe.go(phase);
        let score = if phase == Phase::Gallery { -1 } else { 1 };
        assert_eq!(cafe.guest(1, feel(table, score)).map(|events| events.len()), Ok(1), "{phase}");
    }
    cafe.go(Phase::Vote);
    assert_eq!(cafe.guest(1, feel(table, 2)), Err(Refusal::WrongPhase { phase: Phase::Vote }));
}

#[test]
fn w17_a_cafe_that_does_not_ask_takes_no_score_and_shows_none() {
    let mut cafe = Cafe::in_round(4, 8);
    let table = cafe.seat(1).unwrap();
    assert_eq!(cafe.guest(1, feel(table, 1)), Err(Refusal::FeelingsNotAsked));
    let line = Command::SetLine { label: String::new(), level: 5 };
    assert_eq!(cafe.host(line), Err(Refusal::FeelingsNotAsked));
    for reader in [facilitator(), participant(1)] {
        assert_eq!(cafe.view(&reader).feelings, None);
    }
}

#[test]
fn w18_counts_are_told_from_three_on_and_nobodys_alone() {
    let mut cafe = in_round(2, 8);
    let table = TableId(1);
    let people = at(&cafe, table, 8);
    for (n, who) in people.iter().enumerate() {
        cafe.guest(*who, feel(table, if n == 0 { -2 } else { 1 })).unwrap();
        let stages = seen(&cafe, &facilitator()).stages.unwrap();
        let counts = [1, 0, 0, u32::try_from(n).unwrap(), 0];
        assert_eq!(stages, [(n + 1 >= limits::FEELINGS_SHOWN).then_some(counts), None], "{} scores", n + 1);
        // Nobody's score stands beside their name.
        let text = serde_json::to_string(&seen(&cafe, &facilitator())).unwrap();
        assert!(!text.contains(guest_id(*who).as_str()) && !text.contains("mine"), "{text}");
    }
    assert!(people.len() > limits::FEELINGS_SHOWN);
    // With one fewer than three they are hidden again.
    for who in &people[2..] {
        cafe.guest(*who, Command::Feel { table, score: None }).unwrap();
    }
    assert_eq!(seen(&cafe, &facilitator()).stages.unwrap(), [None, None]);
}

#[test]
fn w18_who_is_asked_sees_the_journey_afterwards_and_reviewers_with_the_plan() {
    let mut cafe = in_round(2, 8);
    let people = at(&cafe, TableId(1), 8);
    for who in &people {
        cafe.guest(*who, feel(TableId(1), 1)).unwrap();
    }
    let counts = Some([0, 0, 0, u32::try_from(people.len()).unwrap(), 0]);
    while cafe.state.phase < Phase::Closed {
        let phase = cafe.state.phase;
        let guest = seen(&cafe, &participant(people[0]));
        assert_eq!(guest.stages, (phase >= Phase::Gallery).then(|| vec![counts, None]), "{phase}");
        assert_eq!(guest.mine, [(TableId(1), 1)]);
        assert_eq!(seen(&cafe, &facilitator()).stages, Some(vec![counts, None]), "{phase}");
        let review = cafe.view(&reviewer()).feelings;
        assert_eq!(review.is_some(), phase >= Phase::Plan, "{phase}");
        assert!(review.is_none_or(|seen| seen.stages == Some(vec![counts, None]) && seen.mine.is_empty()));
        cafe.go(phase.next().unwrap());
    }
}

#[test]
fn w17_who_leaves_or_is_taken_out_is_counted_on() {
    let mut cafe = in_round(2, 8);
    let people = at(&cafe, TableId(1), 8);
    for who in &people {
        cafe.guest(*who, feel(TableId(1), -1)).unwrap();
    }
    let before = seen(&cafe, &facilitator()).stages;
    cafe.guest(people[0], Command::Leave).unwrap();
    cafe.host(Command::RemovePerson { participant: guest_id(people[1]) }).unwrap();
    assert_eq!(seen(&cafe, &facilitator()).stages, before);
    assert_eq!(cafe.guest(people[0], feel(TableId(1), 2)), Err(Refusal::UnknownPerson));
    assert_eq!(cafe.guest(people[1], feel(TableId(1), 2)), Err(Refusal::NotAllowed));
}

#[test]
fn the_line_is_bounded_and_shown_to_everybody() {
    let mut cafe = in_round(2, 8);
    let set = |label: &str, level: i8| Command::SetLine { label: label.into(), level };
    assert_eq!(seen(&cafe, &participant(1)).line, Line::default());
    cafe.host(set("  服务 底线 ", -5)).unwrap();
    let line = Line { label: "服务 底线".into(), level: -5 };
    for reader in [facilitator(), participant(1)] {
        assert_eq!(seen(&cafe, &reader).line, line);
    }
    assert_eq!(cafe.host(set("服务 底线", -5)), Ok(vec![]));
    let long = "线".repeat(limits::LINE_CHARS + 1);
    let limit = limits::LINE_CHARS;
    assert_eq!(cafe.host(set(&long, 0)), Err(Refusal::TooLong { field: "label".into(), limit }));
    for level in [LEVEL_MAX + 1, i8::MIN] {
        assert_eq!(cafe.host(set("", level)), Err(Refusal::OutOfRange { field: "level".into() }));
    }
    assert_eq!(cafe.guest(1, set("", 0)), Err(Refusal::NotAllowed));
    while cafe.state.phase < Phase::Review {
        cafe.go(cafe.state.phase.next().unwrap());
    }
    assert!(cafe.host(set("", 7)).is_ok(), "while management reads it");
}

#[test]
fn a_journey_has_a_bounded_number_of_stages() {
    assert!(asking(limits::STAGES_MAX).checked().is_ok());
    let refused = Refusal::TooMany { field: "settings.feelings".into(), limit: limits::STAGES_MAX };
    assert_eq!(asking(limits::STAGES_MAX + 1).checked(), Err(refused));
    assert!(draft(limits::STAGES_MAX + 1, 3).checked().is_ok(), "a café that does not ask may have more tables");
}

#[test]
fn w10_the_longest_journey_fits_a_participants_view() {
    let mut plan = asking(limits::STAGES_MAX);
    plan.title = "题".repeat(limits::TITLE_CHARS);
    plan.purpose = "为".repeat(limits::QUESTION_CHARS);
    let question = "问".repeat(limits::QUESTION_CHARS);
    plan.tables.fill(TablePlan { topic: "桌".repeat(limits::TOPIC_CHARS), question: question.clone() });
    plan.settings.seats_per_table = 5;
    let mut cafe = Cafe::new(plan);
    cafe.go(Phase::Lobby);
    (0..200).for_each(|i| drop(cafe.join(i).unwrap()));
    cafe.host(Command::Announce { text: question }).unwrap();
    cafe.host(Command::SetLine { label: "线".repeat(limits::LINE_CHARS), level: -20 }).unwrap();
    for _ in 0..3 {
        cafe.host(Command::NextRound).unwrap();
        for i in 0..200 {
            let table = cafe.seat(i).unwrap();
            cafe.guest(i, feel(table, -2)).unwrap();
        }
        cafe.host(Command::EndRound).unwrap();
    }
    cafe.go(Phase::Gallery);
    let view = cafe.view(&participant(7));
    let bytes = serde_json::to_string(&view).unwrap().len();
    assert!(bytes <= limits::PARTICIPANT_VIEW_BYTES, "{bytes} bytes");
    let feelings = view.feelings.unwrap();
    assert_eq!((feelings.mine.len(), feelings.stages.map(|stages| stages.len())), (3, Some(limits::STAGES_MAX)));
}

/// As an earlier version wrote it.
#[test]
fn w17_a_log_from_before_reads_as_a_cafe_that_does_not_ask() {
    let rows = [
        r#"{"at":1,"by":"f1","type":"created","draft":{"title":"换桌","purpose":"","language":"zh-CN",
            "tables":[{"topic":"交付","question":""},{"topic":"报修","question":""}],
            "rounds":[{"minutes":20.0}],
            "settings":{"seats_per_table":5,"dots":3,"moving_seconds":30,"show_authors":true}},"join_code":"ABCD2345"}"#,
        r#"{"at":2,"by":"f1","type":"phase_changed","phase":"lobby"}"#,
    ];
    let rows = rows.map(|row| serde_json::from_str::<Recorded>(row).unwrap());
    let state = Workshop::fold(&rows);
    assert!(!state.draft.settings.feelings && state.feelings.scores.is_empty());
    assert_eq!((state.phase, state.feelings.line.level), (Phase::Lobby, 0));
}

//! What each role gets to see, and how large it is.

use shared::id::TableId;
use shared::limits;
use shared::workshop::command::Internal;
use shared::workshop::state::Verdict;
use shared::workshop::view::{Part, ParticipantPart, View};
use shared::workshop::{Command, Phase, RoundPlan, TablePlan};

use crate::cafe::{Cafe, draft, facilitator, guest_id, participant, reviewer};

fn part(view: &View) -> &ParticipantPart {
    match &view.part {
        Part::Participant(part) => part,
        other => panic!("not a participant's: {other:?}"),
    }
}

fn json(view: &View) -> String {
    let text = serde_json::to_string(view).unwrap();
    assert_eq!(&serde_json::from_str::<View>(&text).unwrap(), view, "a view survives its JSON");
    text
}

#[test]
fn the_join_code_is_for_facilitators() {
    let cafe = Cafe::in_round(4, 12);
    assert!(json(&cafe.view(&facilitator())).contains("ABCD2345"));
    assert!(!json(&cafe.view(&participant(1))).contains("ABCD2345"));
    assert!(!json(&cafe.view(&reviewer())).contains("ABCD2345"));
}

#[test]
fn participants_see_their_own_table_and_nobody_elses() {
    let mut cafe = Cafe::in_round(4, 12);
    let table = cafe.seat(1).unwrap();
    let view = cafe.view(&participant(1));
    let seat = part(&view).seat.as_ref().unwrap();
    assert_eq!(seat.table.id, table);
    assert_eq!(seat.host.as_ref(), cafe.state.hosts.get(&table));
    assert!(!seat.stays);
    let text = json(&view);
    for i in 0..12 {
        let same = cafe.seat(i) == Some(table);
        assert_eq!(text.contains(guest_id(i).as_str()), same, "guest {i}");
        assert_eq!(seat.people.iter().any(|person| person.id == guest_id(i)), same);
    }
    cafe.host(Command::EndRound).unwrap();
    cafe.host(Command::NextRound).unwrap();
    for i in 0..12 {
        let view = cafe.view(&participant(i));
        let hosts = cafe.state.hosts.values().any(|host| *host == guest_id(i));
        assert_eq!(part(&view).seat.as_ref().unwrap().stays, hosts);
    }
}

#[test]
fn the_lobby_shows_names_only_in_the_lobby() {
    let mut cafe = Cafe::open(4, 3, 50);
    let view = cafe.view(&participant(3));
    assert_eq!(view.people_count, 50);
    assert_eq!(part(&view).lobby.len(), limits::LOBBY_NAMES);
    assert_eq!(part(&view).lobby.last().unwrap().name, "Guest 49");
    assert_eq!(part(&view).seat, None);
    for i in 24..50 {
        cafe.host(Command::RemovePerson { participant: guest_id(i) }).unwrap();
    }
    cafe.host(Command::NextRound).unwrap();
    assert!(part(&cafe.view(&participant(3))).lobby.is_empty());
}

#[test]
fn reviewers_see_the_phase_before_the_plan_and_the_tables_after() {
    let mut cafe = Cafe::in_phase(Phase::Vote);
    cafe.host(Command::Announce { text: "five minutes".into() }).unwrap();
    let view = cafe.view(&reviewer());
    assert_eq!(view.phase, Phase::Vote);
    assert!(view.tables.is_empty() && view.vote.is_none() && view.announcement.is_none());
    cafe.go(Phase::Plan);
    let comment = Command::Comment { action: None, text: "good".into(), name: "Wang".into() };
    cafe.review(comment).unwrap();
    let view = cafe.view(&reviewer());
    assert_eq!(view.tables.len(), 4);
    assert!(view.vote.is_some());
    assert!(matches!(&view.part, Part::Reviewer(part) if part.comments.len() == 1));
    assert!(matches!(&cafe.view(&facilitator()).part, Part::Facilitator(part) if part.comments.len() == 1));
}

#[test]
fn the_floor_has_every_table_and_every_person() {
    let mut cafe = Cafe::in_round(4, 12);
    cafe.guest(1, Command::RaiseHand { raised: true }).unwrap();
    cafe.guest(2, Command::Leave).unwrap();
    let view = cafe.view(&facilitator());
    json(&view);
    let Part::Facilitator(part) = view.part else { panic!("a facilitator's view") };
    assert_eq!(part.floor.len(), 4);
    assert_eq!(part.floor[0].notes, 2);
    assert_eq!(part.people.len(), 11);
    let one = part.people.iter().find(|person| person.person.id == guest_id(1)).unwrap();
    assert!(one.hand && one.table == cafe.seat(1));
}

#[test]
fn w10_a_participants_view_stays_small_in_the_largest_cafe() {
    let mut plan = draft(limits::TABLES_MAX, limits::ROUNDS_MAX);
    plan.title = "题".repeat(limits::TITLE_CHARS);
    plan.purpose = "为".repeat(limits::QUESTION_CHARS);
    let question = "问".repeat(limits::QUESTION_CHARS);
    plan.tables.fill(TablePlan { topic: "桌".repeat(limits::TOPIC_CHARS), question: String::new() });
    // All of them together would be longer than a plan may be; these are the ones that this participant's view lists.
    let listed = (0..40).chain(limits::TABLES_MAX - 60..limits::TABLES_MAX);
    listed.for_each(|i| plan.tables[i].question.clone_from(&question));
    plan.rounds.fill(RoundPlan { minutes: 20.25, question: Some(question.clone()) });
    plan.settings.seats_per_table = 5;
    let mut cafe = Cafe::new(plan);
    cafe.go(Phase::Lobby);
    for i in 0..400 {
        let name = format!("{i:03}{}", "名".repeat(limits::NAME_CHARS - 3));
        let department = Some("部".repeat(limits::DEPARTMENT_CHARS));
        cafe.internal(Internal::Join { participant: guest_id(i), name, department }).unwrap();
    }
    cafe.host(Command::Announce { text: question }).unwrap();
    let size = |cafe: &Cafe| {
        let view = cafe.view(&participant(399));
        let bytes = json(&view).len();
        assert!(bytes <= limits::PARTICIPANT_VIEW_BYTES, "{bytes} bytes in {}", cafe.state.phase);
        assert_eq!((view.table_count, view.people_count), (2_000, 400));
        view
    };
    let view = size(&cafe);
    assert!(part(&view).lobby.len() >= 10, "still a lobby");
    cafe.host(Command::SetHost { table: TableId(1_999), participant: Some(guest_id(399)) }).unwrap();
    for _ in 0..3 {
        cafe.host(Command::NextRound).unwrap();
        let view = size(&cafe);
        let seat = part(&view).seat.as_ref().unwrap();
        assert_eq!(seat.table.id, TableId(1_999));
        assert_eq!(seat.table.question.chars().count(), limits::QUESTION_CHARS, "one's own question is whole");
        assert!(view.tables.iter().any(|table| table.id == TableId(1_999)));
        cafe.host(Command::EndRound).unwrap();
    }
    cafe.go(Phase::Gallery);
    size(&cafe);
    cafe.go(Phase::Harvest);
    size(&cafe);
}

fn decide(action: &str, verdict: Verdict, reason: String) -> Command {
    Command::Decide { action: action.into(), verdict, reason, name: "Wang".into() }
}

#[test]
fn w13_participants_see_what_was_decided_and_no_comments() {
    let mut cafe = Cafe::in_phase(Phase::Review);
    cafe.review(decide("x", Verdict::Approve, String::new())).unwrap();
    cafe.review(decide("y", Verdict::Decline, "no budget".into())).unwrap();
    cafe.review(Command::Comment { action: None, text: "between us".into(), name: "Wang".into() }).unwrap();
    for phase in [Phase::Review, Phase::Closed] {
        if cafe.state.phase != phase {
            cafe.go(phase);
        }
        let view = cafe.view(&participant(1));
        let seen: Vec<_> = part(&view).decisions.iter().map(|made| (made.verdict, made.reason.as_str())).collect();
        assert_eq!(seen, [(Verdict::Approve, ""), (Verdict::Decline, "no budget")]);
        assert!(!json(&view).contains("between us"));
    }
    cafe.go(Phase::Review);
    cafe.go(Phase::Plan);
    assert!(part(&cafe.view(&participant(1))).decisions.is_empty(), "the plan is being written again");
}

#[test]
fn w10_many_long_reasons_are_shortened_and_no_verdict_is_missing() {
    let mut cafe = Cafe::in_phase(Phase::Review);
    cafe.ctx.actions = (0..40).map(|n| format!("a{n:02}").as_str().into()).collect();
    for n in 0..40 {
        cafe.review(decide(&format!("a{n:02}"), Verdict::Decline, "因".repeat(limits::COMMENT_CHARS))).unwrap();
    }
    let view = cafe.view(&participant(1));
    let decisions = &part(&view).decisions;
    assert_eq!(decisions.len(), 40);
    assert!(decisions.iter().map(|made| made.reason.len()).sum::<usize>() <= limits::PARTICIPANT_VIEW_BYTES);
    cafe.review(decide("a00", Verdict::Decline, "short".into())).unwrap();
    let Part::Facilitator(all) = cafe.view(&facilitator()).part else { panic!("a facilitator's view") };
    assert_eq!(all.decisions[1].reason.chars().count(), limits::COMMENT_CHARS, "whole for those who steer");
}

#[test]
fn an_ordinary_view_loses_nothing() {
    let cafe = Cafe::in_round(4, 12);
    let view = cafe.view(&participant(1));
    assert!(view.tables.iter().all(|table| !table.question.is_empty()));
    assert!(json(&view).len() < 4 * 1024);
}

//! Every command by the wrong role, and in the wrong phase.

use shared::id::{Role, TableId};
use shared::limits;
use shared::workshop::follow_up::Progress;
use shared::workshop::state::Verdict;
use shared::workshop::{Command, Phase, Refusal, create};

use crate::cafe::{Cafe, draft, facilitator, guest_id, participant, reviewer, vote};

/// Every command, who may ask for it, and the first and last phase in which it is not refused for the phase.
fn commands() -> Vec<(Command, &'static [Role], Phase, Phase)> {
    use Phase::{Closed, Draft, Harvest, Lobby, Plan, Review, Rounds, Vote};
    const HOST: &[Role] = &[Role::Facilitator];
    const GUEST: &[Role] = &[Role::Participant];
    const READERS: &[Role] = &[Role::Facilitator, Role::Reviewer];
    let text = || "text".to_string();
    let somebody = || guest_id(1);
    let table = TableId(1);
    vec![
        (Command::EditDraft { draft: draft(3, 2) }, HOST, Draft, Draft),
        (Command::SetTable { table, topic: text(), question: text() }, HOST, Draft, Review),
        (Command::SetRoundQuestion { round: 0, question: text() }, HOST, Draft, Review),
        (Command::NextRound, HOST, Lobby, Rounds),
        (Command::StartRound, HOST, Rounds, Rounds),
        (Command::PauseRound, HOST, Rounds, Rounds),
        (Command::ResumeRound, HOST, Rounds, Rounds),
        (Command::ExtendRound { minutes: 2 }, HOST, Rounds, Rounds),
        (Command::EndRound, HOST, Rounds, Rounds),
        (Command::Announce { text: text() }, HOST, Draft, Review),
        (Command::MovePerson { participant: somebody(), table }, HOST, Rounds, Rounds),
        (Command::SetHost { table, participant: Some(somebody()) }, HOST, Lobby, Rounds),
        (Command::LockBoards { locked: true }, HOST, Draft, Review),
        (Command::SetHelper { participant: somebody(), helper: true }, HOST, Draft, Review),
        (Command::LowerHand { participant: somebody() }, HOST, Draft, Review),
        (Command::RemovePerson { participant: somebody() }, HOST, Draft, Review),
        (Command::EndLink { actor: "r1".into() }, HOST, Draft, Closed),
        (Command::SetDots { dots: 5 }, HOST, Draft, Vote),
        (Command::SetLine { label: text(), level: 0 }, HOST, Draft, Review),
        (Command::CloseVote, HOST, Vote, Vote),
        (Command::ReopenVote, HOST, Vote, Vote),
        (Command::Rename { name: text(), department: None }, GUEST, Draft, Review),
        (Command::RaiseHand { raised: true }, GUEST, Lobby, Plan),
        (Command::Leave, GUEST, Draft, Review),
        (vote("a", 1), GUEST, Vote, Vote),
        (Command::Feel { table, score: Some(1) }, GUEST, Rounds, Harvest),
        (Command::Comment { action: None, text: text(), name: text() }, READERS, Plan, Review),
        (
            Command::Decide { action: "x".into(), verdict: Verdict::Approve, reason: text(), name: text() },
            READERS,
            Review,
            Review,
        ),
        (
            Command::FollowUp {
                action: "x".into(),
                after_days: 30,
                progress: Progress::Done,
                measured: text(),
                text: text(),
                name: text(),
            },
            READERS,
            Review,
            Closed,
        ),
    ]
}

#[test]
fn every_command_is_refused_to_every_other_role() {
    let actors = [facilitator(), participant(1), reviewer()];
    for phase in Phase::ALL {
        for (command, roles, ..) in commands() {
            for actor in actors.iter().filter(|actor| !roles.contains(&actor.role)) {
                let mut cafe = Cafe::in_phase(phase);
                let refused = cafe.act(actor, command.clone());
                assert_eq!(refused, Err(Refusal::NotAllowed), "{command:?} by {actor:?} in {phase}");
            }
        }
        for actor in &actors[1..] {
            for to in Phase::ALL {
                let refused = Cafe::in_phase(phase).act(actor, Command::GoTo { phase: to });
                assert_eq!(refused, Err(Refusal::NotAllowed));
            }
        }
    }
}

#[test]
fn every_command_is_refused_in_every_wrong_phase_and_only_there() {
    for phase in Phase::ALL {
        for (command, roles, first, last) in commands() {
            let actors = [facilitator(), participant(1), reviewer()];
            for actor in actors.iter().filter(|actor| roles.contains(&actor.role)) {
                let outcome = Cafe::in_phase(phase).act(actor, command.clone());
                let wrong = Err(Refusal::WrongPhase { phase });
                if (first..=last).contains(&phase) {
                    assert_ne!(outcome, wrong, "{command:?} in {phase}");
                } else {
                    assert_eq!(outcome, wrong, "{command:?} in {phase}");
                }
            }
        }
    }
}

#[test]
fn phases_are_walked_one_step_at_a_time() {
    for from in Phase::ALL {
        for to in Phase::ALL {
            let mut cafe = Cafe::in_phase(from);
            let outcome = cafe.host(Command::GoTo { phase: to });
            if from == Phase::Closed && to != Phase::Review {
                assert_eq!(outcome, Err(Refusal::WrongPhase { phase: from }));
            } else if from.next() == Some(to) || from.previous() == Some(to) {
                assert!(outcome.is_ok(), "{from} to {to}: {outcome:?}");
                assert_eq!(cafe.state.phase, to);
            } else {
                assert_eq!(outcome, Err(Refusal::NotNextPhase), "{from} to {to}");
            }
        }
    }
}

#[test]
fn people_who_are_not_here_cannot_act_or_be_acted_upon() {
    let mut cafe = Cafe::open(4, 3, 8);
    let nobody = guest_id(99);
    let table = TableId(1);
    assert_eq!(cafe.guest(99, Command::Leave), Err(Refusal::UnknownPerson));
    let unknown = Err(Refusal::UnknownPerson);
    assert_eq!(cafe.host(Command::RemovePerson { participant: nobody.clone() }), unknown);
    assert_eq!(cafe.host(Command::SetHelper { participant: nobody.clone(), helper: true }), unknown);
    assert_eq!(cafe.host(Command::LowerHand { participant: nobody.clone() }), unknown);
    assert_eq!(cafe.host(Command::SetHost { table, participant: Some(nobody.clone()) }), unknown);
    cafe.host(Command::NextRound).unwrap();
    assert_eq!(cafe.host(Command::MovePerson { participant: nobody, table }), unknown);

    cafe.guest(1, Command::Leave).unwrap();
    assert_eq!(cafe.guest(1, Command::RaiseHand { raised: true }), unknown);
    assert_eq!(cafe.guest(1, Command::Leave), Ok(vec![]));
    assert_eq!(cafe.host(Command::MovePerson { participant: guest_id(1), table }), unknown);
    cafe.host(Command::RemovePerson { participant: guest_id(2) }).unwrap();
    assert_eq!(cafe.guest(2, Command::Leave), Err(Refusal::NotAllowed));
    assert_eq!(cafe.host(Command::RemovePerson { participant: guest_id(2) }), Ok(vec![]), "it is so already");
}

#[test]
fn unknown_tables_rounds_and_bad_texts_are_refused() {
    let mut cafe = Cafe::in_round(4, 8);
    for table in [TableId(0), TableId(5), TableId(u16::MAX)] {
        let (topic, question) = ("topic".to_string(), String::new());
        assert_eq!(cafe.host(Command::SetTable { table, topic, question }), Err(Refusal::UnknownTable));
        assert_eq!(cafe.host(Command::MovePerson { participant: guest_id(1), table }), Err(Refusal::UnknownTable));
        assert_eq!(cafe.host(Command::SetHost { table, participant: None }), Err(Refusal::UnknownTable));
    }
    let question = String::new();
    assert_eq!(cafe.host(Command::SetRoundQuestion { round: 3, question }), Err(Refusal::UnknownRound));
    assert_eq!(
        cafe.host(Command::SetTable { table: TableId(1), topic: " \n ".into(), question: String::new() }),
        Err(Refusal::empty("topic"))
    );
    assert_eq!(
        cafe.host(Command::Announce { text: "x".repeat(10_000) }),
        Err(Refusal::TooLong { field: "text".into(), limit: 400 })
    );
    assert_eq!(
        cafe.guest(1, Command::Rename { name: "a\u{202e}b".into(), department: None }),
        Err(Refusal::ControlCharacters { field: "name".into() })
    );
    assert_eq!(cafe.guest(1, Command::Rename { name: "  ".into(), department: None }), Err(Refusal::empty("name")));
    for minutes in [0, 61, 255] {
        let refused = Err(Refusal::OutOfRange { field: "minutes".into() });
        assert_eq!(cafe.host(Command::ExtendRound { minutes }), refused);
    }
}

#[test]
fn h7_all_texts_of_a_plan_together_are_bounded() {
    let refused = || Err(Refusal::TooMuchText { field: "tables".into(), limit: limits::DRAFT_BYTES });
    let with_questions = |bytes: usize| {
        let mut plan = draft(limits::TABLES_MAX, 3);
        let room = bytes - plan.tables.iter().map(|table| table.topic.len()).sum::<usize>() - plan.title.len();
        plan.tables.iter_mut().for_each(|table| table.question = "x".repeat(room / limits::TABLES_MAX));
        let left = bytes - plan.text_bytes();
        plan.tables.iter_mut().take(left).for_each(|table| table.question.push('x'));
        assert_eq!(plan.text_bytes(), bytes);
        plan
    };
    // The largest café has room for a question of a sentence or two at each table.
    let full = with_questions(limits::DRAFT_BYTES);
    assert!(full.tables[1].question.len() > 200);
    assert_eq!(create(with_questions(limits::DRAFT_BYTES + 1), "ABCD2345".into()).map(|_| ()), refused());

    let mut cafe = Cafe::new(full);
    assert_eq!(cafe.host(Command::EditDraft { draft: with_questions(limits::DRAFT_BYTES + 1) }).map(|_| ()), refused());
    let table = |question: &str| Command::SetTable {
        table: TableId(2),
        topic: "Topic 2".into(),
        question: question.to_owned(),
    };
    let longer = "y".repeat(300);
    assert_eq!(cafe.host(table(&longer)).map(|_| ()), refused());
    let round = Command::SetRoundQuestion { round: 0, question: "Why?".into() };
    assert_eq!(cafe.host(round.clone()).map(|_| ()), refused());
    cafe.host(table("Short?")).expect("shorter");
    cafe.host(round).expect("room again");
    // What was taken before there was this bound may still be made shorter.
    cafe.state.draft.purpose = "z".repeat(limits::DRAFT_BYTES);
    cafe.host(table("S?")).expect("shorter");
    assert_eq!(cafe.host(table("Short?")).map(|_| ()), refused());
}

#[test]
fn asking_for_what_is_so_already_changes_nothing() {
    let mut cafe = Cafe::in_round(4, 8);
    let (seat, somebody) = (cafe.seat(1).unwrap(), guest_id(1));
    for command in [
        Command::LockBoards { locked: true },
        Command::SetHelper { participant: somebody.clone(), helper: true },
        Command::SetHost { table: seat, participant: Some(somebody.clone()) },
        Command::SetDots { dots: 4 },
        Command::SetRoundQuestion { round: 1, question: "Why?".into() },
        Command::SetTable { table: TableId(2), topic: "New".into(), question: "Why?".into() },
    ] {
        cafe.host(command.clone()).unwrap();
        assert_eq!(cafe.host(command.clone()), Ok(vec![]), "{command:?}");
    }
    assert_eq!(cafe.host(Command::MovePerson { participant: somebody, table: seat }), Ok(vec![]));
    for command in [Command::RaiseHand { raised: true }, Command::Rename { name: "李雷".into(), department: None }] {
        assert_ne!(cafe.guest(1, command.clone()), Ok(vec![]));
        assert_eq!(cafe.guest(1, command), Ok(vec![]));
    }
}

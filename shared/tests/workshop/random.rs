//! Whatever is asked in whatever order: nothing panics, the invariants hold, and the log alone makes the same state.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use shared::id::{ActionId, Actor, ActorId, TableId, ThemeId};
use shared::workshop::command::Internal;
use shared::workshop::follow_up::Progress;
use shared::workshop::state::{ThemeRef, Verdict};
use shared::workshop::{Command, Event, Phase, Recorded, RoundStatus, Workshop};

use crate::cafe::{Cafe, draft, facilitator, guest_id, participant, reviewer, theme};

#[derive(Clone, Debug)]
enum Step {
    Act(Actor, Command),
    Join(usize),
    TimeUp,
    /// Time passes, in seconds.
    Wait(u64),
    /// The harvest board changes.
    Themes(Vec<ThemeRef>),
    /// The next phase: a walk by chance alone would hardly leave the lobby.
    GoOn,
}

fn who() -> impl Strategy<Value = ActorId> {
    (0usize..14).prop_map(guest_id)
}

fn table() -> impl Strategy<Value = TableId> {
    (0u16..6).prop_map(TableId)
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => Just(String::new()),
        4 => Just("好".to_string()),
        1 => Just("a\u{0}b".to_string()),
        1 => Just("x".repeat(3_000)),
    ]
}

fn theme_id() -> impl Strategy<Value = ThemeId> {
    prop::sample::select(vec!["a", "b", "c", "d"]).prop_map(ThemeId::from)
}

fn edit() -> impl Strategy<Value = Command> {
    (1usize..6, 0usize..4, 1u8..5).prop_map(|(tables, rounds, dots)| {
        let mut draft = draft(tables, rounds);
        draft.settings.dots = dots;
        draft.settings.feelings = true;
        draft.settings.seats_per_table = 3 + dots;
        Command::EditDraft { draft }
    })
}

fn clock() -> impl Strategy<Value = Command> {
    prop_oneof![
        2 => Just(Command::NextRound),
        1 => Just(Command::StartRound),
        1 => Just(Command::PauseRound),
        1 => Just(Command::ResumeRound),
        2 => (0u8..62).prop_map(|minutes| Command::ExtendRound { minutes }),
        1 => Just(Command::EndRound),
    ]
}

fn steering() -> impl Strategy<Value = Command> {
    prop_oneof![
        edit(),
        prop::sample::select(Phase::ALL.to_vec()).prop_map(|phase| Command::GoTo { phase }),
        (who(), table()).prop_map(|(participant, table)| Command::MovePerson { participant, table }),
        (table(), prop::option::of(who())).prop_map(|(table, participant)| Command::SetHost { table, participant }),
        (who(), any::<bool>()).prop_map(|(participant, helper)| Command::SetHelper { participant, helper }),
        who().prop_map(|participant| Command::LowerHand { participant }),
        who().prop_map(|participant| Command::RemovePerson { participant }),
        (0u8..22).prop_map(|dots| Command::SetDots { dots }),
        Just(Command::CloseVote),
        Just(Command::ReopenVote),
    ]
}

fn talking() -> impl Strategy<Value = Command> {
    prop_oneof![
        word().prop_map(|text| Command::Announce { text }),
        any::<bool>().prop_map(|locked| Command::LockBoards { locked }),
        (table(), word(), word()).prop_map(|(table, topic, question)| Command::SetTable { table, topic, question }),
        (0u8..5, word()).prop_map(|(round, question)| Command::SetRoundQuestion { round, question }),
        (word(), prop::option::of(word())).prop_map(|(name, department)| Command::Rename { name, department }),
        any::<bool>().prop_map(|raised| Command::RaiseHand { raised }),
        Just(Command::Leave),
        (word(), -25i8..25).prop_map(|(label, level)| Command::SetLine { label, level }),
        (word(), word()).prop_map(|(text, name)| Command::Comment { action: None, text, name }),
        (word(), word()).prop_map(|(reason, name)| Command::Decide {
            action: ActionId::from("x"),
            verdict: Verdict::Change,
            reason,
            name
        }),
        (word(), word(), 0u8..2).prop_map(|(measured, name, days)| Command::FollowUp {
            action: ActionId::from("x"),
            after_days: 30 + 30 * days,
            progress: Progress::Underway,
            measured,
            text: String::new(),
            name
        }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let actor = prop_oneof![
        3 => Just(facilitator()),
        3 => (0usize..14).prop_map(participant),
        1 => Just(reviewer()),
    ];
    let cast = (0usize..14, theme_id(), 0u8..5)
        .prop_map(|(i, theme, dots)| Step::Act(participant(i), Command::CastVote { theme, dots }));
    let feel = (0usize..14, table(), prop::option::of(-3i8..4))
        .prop_map(|(i, table, score)| Step::Act(participant(i), Command::Feel { table, score }));
    prop_oneof![
        5 => clock().prop_map(|command| Step::Act(facilitator(), command)),
        5 => steering().prop_map(|command| Step::Act(facilitator(), command)),
        4 => (actor, talking()).prop_map(|(actor, command)| Step::Act(actor, command)),
        3 => cast,
        4 => feel,
        3 => (0usize..14).prop_map(Step::Join),
        2 => Just(Step::TimeUp),
        2 => (0u64..2_000).prop_map(Step::Wait),
        1 => prop::collection::vec(theme_id().prop_map(|id| theme(id.as_str())), 0..4).prop_map(Step::Themes),
        2 => Just(Step::GoOn),
    ]
}

fn check(cafe: &Cafe, events: &[Event]) {
    let state = &cafe.state;
    let seats_limit = usize::from(state.draft.settings.seats_per_table);
    let mut sizes: BTreeMap<TableId, usize> = BTreeMap::new();
    for (person, table) in state.seats_now().into_iter().flatten() {
        assert!(state.person_here(person).is_some(), "only those who are here have seats");
        assert!(state.table_plan(*table).is_some());
        assert!(state.visited[person].contains(table));
        *sizes.entry(*table).or_default() += 1;
    }
    for event in events {
        // Seating anybody never passes the limit; lowering the limit in the draft later moves nobody.
        let tables: Vec<&TableId> = match event {
            Event::Seated { table, .. } => vec![table],
            Event::RoundSeated { seats, .. } => seats.values().collect(),
            _ => vec![],
        };
        assert!(tables.iter().all(|table| sizes.get(table).is_none_or(|size| *size <= seats_limit)));
    }
    let mut hosting: Vec<&ActorId> = state.hosts.values().collect();
    hosting.sort();
    hosting.dedup();
    assert_eq!(hosting.len(), state.hosts.len(), "one person hosts one table");
    for (table, host) in &state.hosts {
        assert!(state.person_here(host).is_some() && state.table_plan(*table).is_some());
    }
    for ballot in state.vote.ballots.values() {
        assert!(ballot.values().map(|dots| u32::from(*dots)).sum::<u32>() <= u32::from(state.draft.settings.dots));
    }
    for (table, scores) in &state.feelings.scores {
        assert!(scores.keys().all(|person| state.visited[person].contains(table)), "of tables where they sat");
    }
    assert!(!state.vote.open || state.phase == Phase::Vote, "votes are open in the phase vote alone");
    let on = state.round.as_ref().is_some_and(|round| round.status != RoundStatus::Over);
    assert!(!on || state.phase == Phase::Rounds, "clocks run in the phase rounds alone");
}

/// How far the random cafés got: a test that never left the lobby would prove nothing.
#[derive(Default)]
struct Reached {
    phases: BTreeSet<Phase>,
    events: BTreeSet<&'static str>,
}

fn walk(edits: Vec<Command>, steps: Vec<Step>, reached: &mut Reached) {
    let mut plan = draft(3, 3);
    plan.settings.seats_per_table = 4;
    plan.settings.feelings = true;
    let mut cafe = Cafe::new(plan);
    for command in edits {
        reached.events.extend(cafe.host(command).iter().flatten().map(kind));
    }
    reached.phases.insert(cafe.state.phase);
    cafe.go(Phase::Lobby);
    for i in 0..6 {
        cafe.join(i).unwrap();
    }
    for step in steps {
        let outcome = match step {
            Step::Act(actor, command) => cafe.act(&actor, command),
            Step::Join(i) => cafe.join(i),
            Step::TimeUp => cafe.internal(Internal::TimeUp),
            Step::Wait(seconds) => {
                cafe.ctx.now += seconds * 1_000;
                continue;
            }
            Step::Themes(themes) => {
                cafe.ctx.themes = themes;
                continue;
            }
            Step::GoOn => match cafe.state.phase.next() {
                Some(phase) => cafe.host(Command::GoTo { phase }),
                None => continue,
            },
        };
        if let Err(refusal) = &outcome {
            let json = serde_json::to_value(refusal).unwrap();
            assert_eq!(json["code"].as_str(), Some(refusal.code()));
        }
        let events = outcome.unwrap_or_default();
        check(&cafe, &events);
        reached.phases.insert(cafe.state.phase);
        reached.events.extend(events.iter().map(kind));
    }
    for actor in [facilitator(), participant(0), participant(13), reviewer()] {
        cafe.view(&actor);
    }
    let stored: Vec<String> = cafe.rows.iter().map(|row| serde_json::to_string(row).unwrap()).collect();
    let read: Vec<Recorded> = stored.iter().map(|row| serde_json::from_str(row).unwrap()).collect();
    assert_eq!(Workshop::fold(&read), cafe.state);
}

fn kind(event: &Event) -> &'static str {
    match event {
        Event::RoundSeated { .. } => "round seated",
        Event::RoundResumed { .. } => "round resumed",
        Event::RoundEnded => "round ended",
        Event::Seated { .. } => "seated",
        Event::HostSet { participant: Some(_), .. } => "host set",
        Event::Returned { .. } => "returned",
        Event::Left { removed: true, .. } => "removed",
        Event::VoteCast { .. } => "vote cast",
        Event::VoteClosed => "vote closed",
        Event::Decided { .. } => "decided",
        Event::Felt { .. } => "felt",
        Event::LineSet { .. } => "line set",
        Event::DraftEdited { .. } => "draft edited",
        _ => "others",
    }
}

#[test]
fn w1_any_sequence_of_commands() {
    let reached = RefCell::new(Reached::default());
    let config = ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
    let steps = (prop::collection::vec(edit(), 0..3), prop::collection::vec(step(), 20..200));
    let outcome = TestRunner::new(config).run(&steps, |(edits, steps)| {
        walk(edits, steps, &mut reached.borrow_mut());
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    let Reached { phases, events } = reached.into_inner();
    assert_eq!(phases, Phase::ALL.into_iter().collect());
    assert_eq!(events.len(), 14, "{events:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    /// Events in an order that no café could make are taken without a panic.
    #[test]
    fn any_sequence_of_events(rows in prop::collection::vec((0usize..100, any::<u64>()), 1..80)) {
        let mut source = Cafe::in_round(4, 12);
        source.guest(1, Command::RaiseHand { raised: true }).unwrap();
        source.host(Command::PauseRound).unwrap();
        source.host(Command::ExtendRound { minutes: 60 }).unwrap();
        source.host(Command::ResumeRound).unwrap();
        source.host(Command::MovePerson { participant: guest_id(1), table: TableId(1) }).unwrap();
        source.guest(2, Command::Leave).unwrap();
        source.join(2).unwrap();
        source.host(Command::SetHost { table: TableId(2), participant: Some(guest_id(3)) }).unwrap();
        for phase in [Phase::Gallery, Phase::Harvest, Phase::Vote] {
            source.go(phase);
        }
        source.guest(1, Command::CastVote { theme: "a".into(), dots: 2 }).unwrap();
        source.guest(1, Command::CastVote { theme: "a".into(), dots: 0 }).unwrap();
        source.host(Command::CloseVote).unwrap();
        let strange = [
            Event::Felt { participant: guest_id(9), table: TableId(u16::MAX), score: Some(i8::MIN) },
            Event::LineSet { label: String::new(), level: i8::MAX },
            Event::RoundStarted { ends_at: u64::MAX },
            Event::RoundPaused { left: u64::MAX },
            Event::TableSet { table: TableId(0), topic: String::new(), question: String::new() },
            Event::RoundQuestionSet { round: 255, question: None },
            Event::RoundSeated { round: 255, seats: BTreeMap::new(), hosts: BTreeMap::new(), starts_at: 0 },
            Event::DotsSet { dots: 0 },
            Event::ClockSet { step: i64::MIN },
        ];
        let events: Vec<Event> = source.rows.into_iter().map(|row| row.event).chain(strange).collect();
        let mut cafe = Cafe::new(draft(2, 1));
        let mut state = Workshop::default();
        for (i, at) in rows {
            state.apply(&Recorded { at, by: ActorId::system(), event: events[i % events.len()].clone() });
            cafe.state = state.clone();
            for actor in [facilitator(), participant(1), reviewer()] {
                cafe.view(&actor);
            }
        }
    }
}

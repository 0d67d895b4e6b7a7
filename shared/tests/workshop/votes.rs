//! Dots, comments and decisions.

use shared::id::{ActionId, Actor, Role};
use shared::limits;
use shared::workshop::state::{ThemeRef, Verdict};
use shared::workshop::view::Part;
use shared::workshop::{Command, Event, Phase, Refusal, Workshop};

use crate::cafe::{Cafe, Outcome, facilitator, guest_id, participant, reviewer, theme, vote};

#[test]
fn nobody_places_more_dots_than_they_have() {
    let mut cafe = Cafe::in_phase(Phase::Vote);
    cafe.guest(1, vote("a", 2)).unwrap();
    cafe.guest(1, vote("b", 1)).unwrap();
    assert_eq!(cafe.guest(1, vote("c", 1)), Err(Refusal::NoDotsLeft));
    assert_eq!(cafe.guest(1, vote("a", 255)), Err(Refusal::NoDotsLeft));
    assert_eq!(cafe.guest(1, vote("gone", 1)), Err(Refusal::UnknownTheme));
    cafe.guest(1, vote("a", 0)).unwrap();
    cafe.guest(1, vote("c", 2)).unwrap();
    assert_eq!(cafe.guest(1, vote("c", 2)), Ok(vec![]));
    assert_eq!(cafe.state.vote.tally().into_values().collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn dots_are_not_taken_away_again() {
    let mut cafe = Cafe::in_phase(Phase::Vote);
    cafe.guest(1, vote("a", 3)).unwrap();
    let refused = Err(Refusal::OutOfRange { field: "dots".into() });
    for dots in [0, 2, limits::DOTS_MAX + 1] {
        assert_eq!(cafe.host(Command::SetDots { dots }), refused);
    }
    cafe.host(Command::SetDots { dots: 5 }).unwrap();
    cafe.host(Command::SetDots { dots: 3 }).unwrap();
    cafe.host(Command::CloseVote).unwrap();
    assert_eq!(cafe.host(Command::SetDots { dots: 5 }), Err(Refusal::VoteClosed));
}

#[test]
fn counts_are_hidden_from_everybody_until_the_vote_is_closed() {
    let mut cafe = Cafe::in_phase(Phase::Vote);
    cafe.guest(1, vote("a", 3)).unwrap();
    let tallies = |cafe: &Cafe| {
        [facilitator(), participant(1), participant(2)].map(|actor| cafe.view(&actor).vote.unwrap().tally)
    };
    assert_eq!(tallies(&cafe), [None, None, None]);
    let seen = cafe.view(&participant(2)).vote.unwrap();
    assert_eq!((seen.voters, seen.mine), (1, vec![]));
    cafe.host(Command::CloseVote).unwrap();
    assert_eq!(cafe.guest(1, vote("b", 1)), Err(Refusal::VoteClosed));
    assert_eq!(cafe.host(Command::CloseVote), Err(Refusal::VoteClosed));
    assert!(
        tallies(&cafe)
            .iter()
            .all(|tally| tally.as_deref() == Some(&[("a".into(), 3), ("b".into(), 0), ("c".into(), 0)]))
    );
    cafe.host(Command::ReopenVote).unwrap();
    assert_eq!(tallies(&cafe), [None, None, None]);
    assert_eq!(cafe.host(Command::ReopenVote), Ok(vec![]));
    assert_eq!(
        cafe.host(Command::GoTo { phase: Phase::Plan }),
        Ok(vec![Event::VoteClosed, Event::PhaseChanged { phase: Phase::Plan }])
    );
    assert!(cafe.view(&reviewer()).vote.unwrap().tally.is_some());
    cafe.go(Phase::Vote);
    assert!(!cafe.state.vote.open, "going back does not open it by itself");
}

#[test]
fn a_vote_needs_themes() {
    let mut cafe = Cafe::in_phase(Phase::Harvest);
    let themes = std::mem::take(&mut cafe.ctx.themes);
    assert_eq!(cafe.host(Command::GoTo { phase: Phase::Vote }), Err(Refusal::NoThemes));
    assert_eq!(cafe.state.phase, Phase::Harvest);
    cafe.ctx.themes = themes;
    cafe.go(Phase::Vote);
    cafe.host(Command::CloseVote).unwrap();
    cafe.ctx.themes.clear();
    assert_eq!(cafe.host(Command::ReopenVote), Err(Refusal::NoThemes));
}

#[test]
fn going_back_to_the_harvest_keeps_dots_on_themes_that_remain() {
    let mut cafe = Cafe::in_phase(Phase::Vote);
    cafe.guest(1, vote("a", 2)).unwrap();
    cafe.guest(1, vote("b", 1)).unwrap();
    cafe.guest(2, vote("b", 3)).unwrap();
    cafe.go(Phase::Harvest);
    assert_eq!(cafe.view(&facilitator()).vote, None);
    cafe.ctx.themes = vec![theme("a"), theme("d")];
    cafe.go(Phase::Vote);
    assert!(cafe.state.vote.open);
    assert_eq!(cafe.view(&participant(1)).vote.unwrap().mine, [("a".into(), 2)]);
    assert!(!cafe.state.vote.ballots.contains_key(&guest_id(2)));
    cafe.guest(2, vote("d", 3)).unwrap();
    assert_eq!(cafe.guest(2, vote("b", 1)), Err(Refusal::UnknownTheme));
}

#[test]
fn declining_and_asking_for_a_change_need_a_reason() {
    let mut cafe = Cafe::in_phase(Phase::Review);
    let settle = |action: &str, verdict, reason: &str, name: &str| Command::Decide {
        action: ActionId::from(action),
        verdict,
        reason: reason.into(),
        name: name.into(),
    };
    for verdict in [Verdict::Decline, Verdict::Change] {
        assert_eq!(cafe.review(settle("x", verdict, "  ", "王总")), Err(Refusal::empty("reason")));
    }
    assert_eq!(cafe.review(settle("x", Verdict::Approve, "", " ")), Err(Refusal::empty("name")));
    assert_eq!(cafe.review(settle("gone", Verdict::Approve, "", "王总")), Err(Refusal::UnknownAction));
    cafe.review(settle("x", Verdict::Approve, "", "王总")).unwrap();
    cafe.host(settle("x", Verdict::Decline, "no budget", "王总")).unwrap();
    assert_eq!(cafe.host(settle("x", Verdict::Decline, "no budget", "王总")), Ok(vec![]));
    assert_eq!(cafe.state.decisions.len(), 1);
    assert_eq!(cafe.state.decisions[&ActionId::from("x")].verdict, Verdict::Decline);
}

#[test]
fn comments_are_checked_and_bounded() {
    let mut cafe = Cafe::in_phase(Phase::Plan);
    let comment = |action: Option<&str>, text: &str| Command::Comment {
        action: action.map(ActionId::from),
        text: text.into(),
        name: "Ms Wang".into(),
    };
    assert_eq!(cafe.review(comment(None, " ")), Err(Refusal::empty("text")));
    assert_eq!(cafe.review(comment(Some("gone"), "why?")), Err(Refusal::UnknownAction));
    cafe.review(comment(Some("x"), "why?")).unwrap();
    while cafe.state.comments.len() < limits::COMMENTS_MAX {
        let comment = cafe.state.comments[0].clone();
        cafe.state.comments.push(comment);
    }
    let full = Refusal::TooMany { field: "comments".into(), limit: limits::COMMENTS_MAX };
    assert_eq!(cafe.review(comment(None, "one more")), Err(full));
}

#[test]
fn h23_comments_are_bounded_together_and_by_the_link_they_come_through() {
    let mut cafe = Cafe::in_phase(Phase::Plan);
    let text = "评".repeat(limits::COMMENT_CHARS);
    let comment = || Command::Comment { action: None, text: text.clone(), name: "王总".into() };
    let mut all = |by: &Actor| {
        let full = loop {
            if let Err(refusal) = cafe.act(by, comment()) {
                break refusal;
            }
        };
        assert_eq!(full.code(), "too_much_text");
        (full.limit(), cafe.view(&facilitator()))
    };
    // One link takes half of the room, and others have the rest.
    let (limit, _) = all(&reviewer());
    assert_eq!(limit, Some(limits::COMMENTS_BYTES_PER_LINK as u64));
    let (_, _) = all(&facilitator());
    let third = Actor { id: "r2".into(), role: Role::Reviewer };
    let (limit, view) = all(&third);
    assert_eq!(limit, Some(limits::COMMENTS_BYTES as u64));
    let Part::Facilitator(part) = &view.part else { panic!("a facilitator's view") };
    assert!(part.comments.len() > 40);
    let bytes = serde_json::to_string(&part.comments).expect("JSON").len();
    assert!(bytes <= limits::COMMENTS_BYTES, "{bytes} bytes");
    // The state that comes from the log knows as much.
    assert_eq!(Workshop::fold(&cafe.rows), cafe.state);
}

#[test]
fn h23_decisions_are_bounded_together_and_can_always_be_made_shorter() {
    let mut cafe = Cafe::in_phase(Phase::Review);
    cafe.ctx.actions = (0..4_000).map(|n| ActionId::from(format!("a{n}"))).collect();
    let settle = |n: usize, verdict, reason: String| Command::Decide {
        action: format!("a{n}").into(),
        verdict,
        reason,
        name: "王总".into(),
    };
    let long = || "由".repeat(limits::COMMENT_CHARS);
    let full = |outcome: Outcome| {
        let refused = Refusal::TooMuchText { field: "reason".into(), limit: limits::DECISIONS_BYTES };
        outcome.is_err_and(|refusal| refusal == refused)
    };
    let many = (0..4_000).find(|n| full(cafe.review(settle(*n, Verdict::Decline, long())))).expect("a bound");
    assert!((40..200).contains(&many), "{many} long reasons");
    // Back and forth on one action takes no more room, and shorter ones make some.
    for n in 0..20 {
        let verdict = [Verdict::Change, Verdict::Decline][n % 2];
        cafe.review(settle(0, verdict, long())).expect("in the place of the last one");
    }
    (0..many).for_each(|n| drop(cafe.review(settle(n, Verdict::Decline, "贵".into())).expect("shorter")));
    cafe.review(settle(many, Verdict::Decline, long())).expect("room again");
    // As many actions as a page allows can each be given a reason of usual length.
    let (mut cafe, actions) = (Cafe::in_phase(Phase::Review), cafe.ctx.actions);
    cafe.ctx.actions = actions;
    for n in 0..limits::THEMES_MAX {
        cafe.review(settle(n, Verdict::Change, "由".repeat(390))).expect("room");
    }
    let bytes = serde_json::to_string(&cafe.state.decisions.values().collect::<Vec<_>>()).expect("JSON").len();
    assert!(bytes <= limits::DECISIONS_BYTES, "{bytes} bytes");
}

#[test]
fn w10_titles_are_short_in_the_vote() {
    let mut cafe = Cafe::in_phase(Phase::Harvest);
    let (long, short) = ("题".repeat(limits::FIELD_CHARS), "题".repeat(limits::VOTE_TITLE_CHARS));
    cafe.ctx.themes =
        vec![ThemeRef { id: "a".into(), title: long.clone() }, ThemeRef { id: "b".into(), title: short.clone() }];
    cafe.go(Phase::Vote);
    let titles = |cafe: &Cafe| -> Vec<String> {
        cafe.view(&participant(1)).vote.expect("a vote").themes.into_iter().map(|theme| theme.title).collect()
    };
    assert_eq!(titles(&cafe), [format!("{short}…"), short.clone()]);
    cafe.host(Command::CloseVote).unwrap();
    cafe.host(Command::ReopenVote).unwrap();
    assert_eq!(titles(&cafe)[0], format!("{short}…"));
}

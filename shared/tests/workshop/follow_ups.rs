//! What became of the approved actions: who records it, when, and who sees it.

use shared::limits;
use shared::workshop::follow_up::{AFTER_DAYS, FollowUp, Progress};
use shared::workshop::state::Verdict;
use shared::workshop::view::{Part, View};
use shared::workshop::{Command, Event, Phase, Refusal, Workshop};

use crate::cafe::{Cafe, facilitator, participant, reviewer};

fn settle(action: &str, verdict: Verdict) -> Command {
    Command::Decide { action: action.into(), verdict, reason: "因为".into(), name: "Wang".into() }
}

fn found(action: &str, after_days: u8, progress: Progress, text: &str) -> Command {
    Command::FollowUp {
        action: action.into(),
        after_days,
        progress,
        measured: "71 %".into(),
        text: text.into(),
        name: "Wang".into(),
    }
}

fn seen(view: &View) -> &[FollowUp] {
    match &view.part {
        Part::Participant(part) => &part.follow_ups,
        Part::Facilitator(part) => &part.follow_ups,
        Part::Reviewer(part) => &part.follow_ups,
    }
}

#[test]
fn w15_approved_actions_are_followed_up_in_the_review_and_after_it() {
    let mut cafe = Cafe::in_phase(Phase::Review);
    let early = found("x", 30, Progress::Underway, "half way");
    assert_eq!(cafe.review(early.clone()), Err(Refusal::NotApproved), "not decided");
    for verdict in [Verdict::Change, Verdict::Decline] {
        cafe.review(settle("x", verdict)).unwrap();
        assert_eq!(cafe.review(early.clone()), Err(Refusal::NotApproved), "{verdict:?}");
    }
    cafe.review(settle("x", Verdict::Approve)).unwrap();
    cafe.review(early.clone()).unwrap();
    assert_eq!(cafe.review(early), Ok(vec![]), "it is so already");
    cafe.go(Phase::Closed);
    cafe.ctx.now += 60 * 86_400_000;
    let events = cafe.host(found("x", 60, Progress::Done, "  all of it ")).unwrap();
    assert!(matches!(&events[..], [Event::FollowedUp { text, after_days: 60, .. }] if text == "all of it"));
    // The latest counts, and both stand in the log.
    cafe.review(found("x", 30, Progress::Stopped, "no")).unwrap();
    let all: Vec<_> = seen(&cafe.view(&reviewer())).iter().map(|f| (f.after_days, f.progress)).collect();
    assert_eq!(all, [(30, Progress::Stopped), (60, Progress::Done)]);
    assert_eq!(cafe.rows.iter().filter(|row| matches!(row.event, Event::FollowedUp { .. })).count(), 3);
    assert_eq!(seen(&cafe.view(&facilitator())), seen(&cafe.view(&reviewer())));
    assert_eq!(cafe.state.follow_ups[&"x".into()][&60].at, cafe.ctx.now);

    // Back to the review and declined: what was found stays, and nothing is added.
    cafe.go(Phase::Review);
    cafe.review(settle("x", Verdict::Decline)).unwrap();
    assert_eq!(cafe.review(found("x", 90, Progress::Done, "")), Err(Refusal::NotApproved));
    cafe.go(Phase::Closed);
    assert_eq!(seen(&cafe.view(&participant(1))).len(), 2);
    assert_eq!(Workshop::fold(&cafe.rows), cafe.state);
}

#[test]
fn w15_nothing_else_is_open_in_a_closed_cafe_and_bad_follow_ups_are_refused() {
    let mut cafe = Cafe::in_phase(Phase::Review);
    cafe.review(settle("x", Verdict::Approve)).unwrap();
    let mut plan = Cafe::in_phase(Phase::Plan);
    let too_early = Err(Refusal::WrongPhase { phase: Phase::Plan });
    assert_eq!(plan.review(found("x", 30, Progress::Done, "")), too_early);
    cafe.go(Phase::Closed);
    let wrong = Err(Refusal::WrongPhase { phase: Phase::Closed });
    assert_eq!(cafe.review(settle("x", Verdict::Decline)), wrong);
    assert_eq!(cafe.review(Command::Comment { action: None, text: "x".into(), name: "y".into() }), wrong);
    assert_eq!(cafe.guest(1, found("x", 30, Progress::Done, "")), Err(Refusal::NotAllowed));
    assert_eq!(cafe.review(found("z", 30, Progress::Done, "")), Err(Refusal::UnknownAction));
    for days in [0, 29, 31, 120, u8::MAX] {
        let refused = Err(Refusal::OutOfRange { field: "after_days".into() });
        assert_eq!(cafe.review(found("x", days, Progress::Done, "")), refused);
    }
    let with = |measured: String, text: String, name: &str| Command::FollowUp {
        action: "x".into(),
        after_days: 30,
        progress: Progress::Done,
        measured,
        text,
        name: name.into(),
    };
    let too_long = |field: &str, limit| Err(Refusal::TooLong { field: field.into(), limit });
    let long = "长".repeat(limits::COMMENT_CHARS + 1);
    assert_eq!(cafe.review(with(long.clone(), String::new(), "W")), too_long("measured", limits::MEASURED_CHARS));
    assert_eq!(cafe.review(with(String::new(), long, "W")), too_long("text", limits::COMMENT_CHARS));
    assert_eq!(cafe.review(with(String::new(), String::new(), " ")), Err(Refusal::empty("name")));
    assert_eq!(
        cafe.review(with("a\u{202e}".into(), String::new(), "W")),
        Err(Refusal::ControlCharacters { field: "measured".into() })
    );
    assert!(seen(&cafe.view(&reviewer())).is_empty(), "nothing of it was taken");
}

/// So many actions, approved and followed up three times each, with a long text.
fn followed_up(actions: usize) -> Cafe {
    let mut cafe = Cafe::in_phase(Phase::Review);
    cafe.ctx.actions = (0..actions).map(|n| format!("a{n:03}").as_str().into()).collect();
    for n in 0..actions {
        let action = format!("a{n:03}");
        cafe.review(settle(&action, Verdict::Approve)).unwrap();
        for days in AFTER_DAYS {
            cafe.review(found(&action, days, Progress::Underway, &"话".repeat(300))).unwrap();
        }
    }
    cafe
}

#[test]
fn w15_all_follow_ups_together_are_bounded_and_a_shorter_one_finds_room() {
    let mut cafe = followed_up(80);
    let mut refused = 0;
    for n in 0..80 {
        let more = found(&format!("a{n:03}"), 90, Progress::Done, &"话".repeat(limits::COMMENT_CHARS));
        match cafe.review(more) {
            Ok(_) => {}
            Err(Refusal::TooMuchText { field, limit }) => {
                assert_eq!((field.as_str(), limit), ("text", limits::FOLLOW_UPS_BYTES));
                refused += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(refused > 40, "{refused}");
    let bytes: usize = seen(&cafe.view(&reviewer())).iter().map(FollowUp::bytes).sum();
    assert!(bytes <= limits::FOLLOW_UPS_BYTES);
    cafe.review(found("a000", 90, Progress::Done, "short")).expect("a shorter one");
}

#[test]
fn w16_participants_see_what_was_found_and_their_view_stays_small() {
    // Where all of it is too much the latest of each action stays, with how far it is.
    let cafe = followed_up(60);
    let view = cafe.view(&participant(1));
    let all = seen(&view);
    assert_eq!(all.len(), 60);
    assert!(all.iter().all(|f| f.after_days == 90 && f.progress == Progress::Underway));
    let verdicts = |view: &View| match &view.part {
        Part::Participant(part) => {
            let bare = |f: &FollowUp| FollowUp {
                measured: String::new(),
                text: String::new(),
                name: String::new(),
                ..f.clone()
            };
            serde_json::to_string(&part.decisions).unwrap().len()
                + part.follow_ups.iter().map(|f| serde_json::to_string(&bare(f)).unwrap().len() + 1).sum::<usize>()
        }
        _ => panic!("a participant's"),
    };
    let text = serde_json::to_string(&view).unwrap();
    assert!(text.len() - verdicts(&view) <= limits::PARTICIPANT_VIEW_BYTES, "{} bytes", text.len());
    assert_eq!(seen(&cafe.view(&reviewer())).len(), 180, "all of it for those who follow up");

    // As long as the plan is written again, they see none of it; reviewers do.
    let mut cafe = followed_up(2);
    cafe.go(Phase::Plan);
    assert!(seen(&cafe.view(&participant(1))).is_empty());
    assert_eq!(seen(&cafe.view(&reviewer())).len(), 6);
}

#[test]
fn w16_a_few_follow_ups_reach_participants_whole() {
    let mut cafe = Cafe::in_phase(Phase::Review);
    cafe.review(settle("x", Verdict::Approve)).unwrap();
    for (days, text) in AFTER_DAYS.into_iter().zip(["one", "two", "three"]) {
        cafe.review(found("x", days, Progress::Underway, text)).unwrap();
    }
    cafe.go(Phase::Closed);
    assert_eq!(seen(&cafe.view(&participant(1))), seen(&cafe.view(&reviewer())));
    let text = serde_json::to_string(&cafe.view(&participant(1))).unwrap();
    assert!(text.contains(r#""after_days":30,"progress":"underway","measured":"71 %","text":"one""#), "{text}");
}

#[test]
fn w15_views_and_events_of_earlier_versions_still_load() {
    let mut cafe = Cafe::in_phase(Phase::Closed);
    let view = serde_json::to_string(&cafe.view(&reviewer())).unwrap();
    assert!(!view.contains("follow_ups"), "as earlier versions wrote it");
    assert_eq!(serde_json::from_str::<View>(&view).unwrap(), cafe.view(&reviewer()));
    let event = r#"{"type":"followed_up","action":"x","after_days":30,"progress":"not_started","name":"W"}"#;
    let event: Event = serde_json::from_str(event).unwrap();
    assert!(matches!(&event, Event::FollowedUp { measured, text, .. } if measured.is_empty() && text.is_empty()));
    cafe.ctx.actions.clear();
    assert_eq!(cafe.review(found("x", 30, Progress::Done, "")), Err(Refusal::UnknownAction));
}

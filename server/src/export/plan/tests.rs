use shared::board::view::{NoteRef, Origin};
use shared::id::{Actor, Role};

use super::*;
use crate::export::pdf::Fonts;
use crate::export::sample::{Sample, carrying, guest};

#[test]
fn x1_every_note_that_was_written_is_there_with_where_it_came_from() {
    let export = Sample::cafe().export();
    let texts: Vec<_> = export.tables.iter().flat_map(|t| t.notes.iter().map(|n| n.text.as_str())).collect();
    assert_eq!(texts, ["等了三天没人上门", "维修师傅上门前先打电话", "Flur <b>dunkel</b>", "weg damit"]);
    let second = &export.tables[0].notes[1];
    assert_eq!(second.builds_on.as_ref(), Some(&export.tables[0].notes[0].id));
    assert_eq!((second.round, second.author.as_deref(), second.stars), (Some(2), Some("王芳"), 2));
    assert_eq!(second.theme.as_deref(), Some("上门之前"));
    assert!(export.tables[1].notes[1].deleted);
}

#[test]
fn x2_sources_of_an_action_are_resolved_to_their_words() {
    let export = Sample::cafe().export();
    let action = &export.actions[0];
    assert_eq!(action.reference, "A1");
    assert_eq!(action.themes, ["上门之前"]);
    let source = &action.sources[0];
    assert_eq!(
        (source.text.as_str(), source.topic.as_str(), source.table),
        ("等了三天没人上门", "报修与投诉", TableId(1))
    );
    assert_eq!(action.decision.as_ref().map(|d| d.verdict), Some(Verdict::Approve));
    assert_eq!(action.comments.len(), 1);
    assert_eq!(export.comments.len(), 1, "the one on the whole plan");
}

#[test]
fn what_lies_in_no_theme_is_counted_without_what_was_taken_away() {
    let export = Sample::cafe().export();
    let unplaced: Vec<_> = export.unplaced.iter().map(|s| s.text.as_str()).collect();
    assert_eq!(unplaced, ["Flur <b>dunkel</b>"]);
}

#[test]
fn counts_stay_hidden_while_the_vote_is_open() {
    let mut sample = Sample::cafe();
    assert_eq!(sample.export().themes[0].dots, Some(3));
    sample.workshop.vote.open = true;
    let export = sample.export();
    assert_eq!(export.themes[0].dots, None);
    assert!(export.vote.is_some_and(|v| v.themes.iter().all(|t| t.dots.is_none()) && v.voters == 2));
}

#[test]
fn a_cafe_that_hides_authors_names_none_on_its_notes() {
    let mut sample = Sample::cafe();
    sample.workshop.draft.settings.show_authors = false;
    sample.reader = guest();
    let mut export = sample.export();
    export.participants.clear();
    let json = crate::export::json::write(&export);
    assert!(!json.contains("王芳") && !json.contains("pwang"), "{json}");
}

#[test]
fn the_join_code_and_the_seats_are_for_facilitators() {
    let mut sample = Sample::cafe();
    let export = sample.export();
    assert_eq!(export.workshop.join_code.as_deref(), Some("ABCD2345"));
    assert_eq!(export.rounds[0].seats.len(), 2);
    sample.reader = guest();
    let json = crate::export::json::write(&sample.export());
    assert!(!json.contains("ABCD2345") && !json.contains("seats\""), "{json}");
}

/// What an export for this reader holds, when the café stands in this phase.
fn read(phase: Phase, reader: Actor) -> (Export, String) {
    let mut sample = Sample::cafe();
    (sample.workshop.phase, sample.reader) = (phase, reader);
    let export = sample.export();
    let json = crate::export::json::write(&export);
    assert_eq!(json.contains("费用多少") || json.contains("写得很清楚"), has_comments(&export));
    (export, json)
}

fn has_comments(export: &Export) -> bool {
    !export.comments.is_empty() || export.actions.iter().any(|action| !action.comments.is_empty())
}

#[test]
fn w13_an_export_tells_participants_what_was_decided_and_no_comments() {
    for phase in [Phase::Review, Phase::Closed] {
        let (export, json) = read(phase, guest());
        assert!(!has_comments(&export) && json.contains("先从两栋楼试起"), "{json}");
    }
    // Before the review, or after a step back from it, the plan alone.
    let (export, json) = read(Phase::Plan, guest());
    assert_eq!(export.actions.len(), 1);
    assert!(!has_comments(&export) && export.other_decisions.is_empty() && !json.contains("先从两栋楼试起"), "{json}");
    for role in [Role::Reviewer, Role::Facilitator] {
        let (export, json) = read(Phase::Plan, Actor { id: "x1".into(), role });
        assert!(has_comments(&export) && json.contains("先从两栋楼试起"), "{role:?}: {json}");
    }
}

#[test]
fn x8_an_export_tells_what_became_of_each_action_to_those_who_see_it() {
    for phase in [Phase::Review, Phase::Closed] {
        let (export, json) = read(phase, guest());
        let found = export.actions[0].after(30).map(|found| (found.progress, found.measured.as_str()));
        assert_eq!(found, Some((Progress::Underway, "71 %")), "{json}");
        assert!(json.contains("两栋楼都在打") && export.actions[0].after(60).is_none(), "{json}");
    }
    let (export, json) = read(Phase::Plan, guest());
    assert!(export.actions[0].follow_ups.is_empty() && !json.contains("两栋楼都在打"), "{json}");
    // What was found of an action that is no longer in the plan stays, in every format.
    let mut sample = Sample::cafe();
    sample.plan.as_mut().expect("a plan").actions.clear();
    let export = sample.export();
    assert_eq!(export.other_follow_ups.len(), 1);
    let markdown = crate::export::markdown::write(&export);
    assert!(markdown.contains("  - **30 天后**：**进行中** · 71 %：两栋楼都在打"), "{markdown}");
    for format in [crate::export::Format::Docx, crate::export::Format::Xlsx] {
        let file = format.write(&export, &Fonts::new(None)).expect("a file");
        let all: String = crate::export::sample::parts(&file).into_iter().map(|(_, text)| text).collect();
        assert!(all.contains("两栋楼都在打") && all.contains("71 %"), "{format:?}");
    }
}

#[test]
fn h3_an_export_holds_no_board_that_its_reader_may_not_open() {
    let (gallery, json) = read(Phase::Gallery, guest());
    assert!(gallery.themes.is_empty() && gallery.actions.is_empty() && gallery.vote.is_none(), "{json}");
    assert!(
        !json.contains("上门之前") && !json.contains("上门前半小时打电话") && json.contains("等了三天没人上门"),
        "{json}"
    );
    assert!(gallery.other_decisions.is_empty() && gallery.damaged.is_empty());
    // Themes from the harvest on, counts from the vote on, the plan from its own phase on.
    let (harvest, json) = read(Phase::Harvest, guest());
    assert!(harvest.themes.iter().all(|theme| theme.dots.is_none()) && harvest.themes.len() == 1, "{json}");
    assert!(harvest.vote.is_none() && harvest.actions.is_empty());
    let (vote, json) = read(Phase::Vote, guest());
    assert!(vote.vote.is_some() && vote.themes[0].dots == Some(3) && vote.actions.is_empty(), "{json}");
    let (plan, _) = read(Phase::Plan, guest());
    assert_eq!(plan.actions.len(), 1);
    // Who helps reads what they work on; who steers reads everything, always.
    let mut sample = Sample::cafe();
    (sample.workshop.phase, sample.reader) = (Phase::Vote, guest());
    sample.workshop.participants.entry(guest().id).and_modify(|person| person.helper = true);
    assert_eq!(sample.export().actions.len(), 1);
    let (steered, _) = read(Phase::Gallery, Actor { id: "f1".into(), role: Role::Facilitator });
    assert!(has_comments(&steered) && steered.themes.len() == 1 && steered.actions.len() == 1);
    // A board that is not theirs is not called damaged, either.
    let mut sample = Sample::cafe();
    (sample.workshop.phase, sample.reader) = (Phase::Gallery, guest());
    (sample.harvest, sample.plan) = (None, None);
    assert!(sample.export().damaged.is_empty());
}

#[test]
fn a_damaged_board_is_named_and_the_rest_is_there() {
    let mut sample = Sample::cafe();
    sample.tables[0] = None;
    let export = sample.export();
    assert_eq!(export.damaged, ["table 1"]);
    assert_eq!(export.tables[1].notes.len(), 2);
    assert_eq!(export.actions[0].sources[0].text, "");
}

#[test]
fn the_timeline_tells_the_turns_in_order() {
    let turns: Vec<_> = Sample::cafe().export().timeline.into_iter().map(|m| m.turn).collect();
    assert_eq!(
        turns,
        [
            Turn::Created,
            Turn::Phase { phase: Phase::Lobby },
            Turn::Phase { phase: Phase::Rounds },
            Turn::RoundSeated { round: 1, people: 2 },
            Turn::RoundStarted { round: 1 },
            Turn::RoundEnded { round: 1 },
            Turn::VoteClosed,
        ]
    );
}

#[test]
fn x7_a_carried_note_leads_on_to_the_note_it_was_carried_from() {
    let mut sample = carrying();
    let export = sample.export();
    let carried = export.tables[1].notes[0].carried_from.as_ref().expect("where from");
    assert_eq!((carried.table, carried.topic.as_str()), (TableId(1), "报修与投诉"));
    assert_eq!((carried.author.as_deref(), carried.round, carried.found), (Some("王芳"), Some(2), true));
    let first = export.tables[0].notes.iter().find(|note| note.id == carried.note).expect("the first note");
    assert_eq!((first.text.as_str(), first.carried_from.as_ref()), ("维修师傅上门前先打电话", None));
    assert_eq!(export.unplaced[0].carried_from.as_ref(), Some(carried), "and wherever it is quoted");
    // Taken away since, the chain still holds; where authors are hidden it names nobody, whatever the carrier says.
    sample.tables[0].as_mut().expect("a board").notes[1].deleted = true;
    sample.workshop.draft.settings.show_authors = false;
    let export = sample.export();
    let carried = export.tables[1].notes[0].carried_from.as_ref().expect("where from");
    assert_eq!((carried.deleted, carried.found, carried.author.as_deref()), (true, true, None));
    // What its carrier made up leads nowhere, and says so.
    let nowhere = NoteRef { table: TableId(9), note: "none".into() };
    sample.tables[1].as_mut().expect("a board").notes[0].from = Origin::new(nowhere, "老板");
    let export = sample.export();
    let carried = export.tables[1].notes[0].carried_from.as_ref().expect("where from");
    assert_eq!((carried.found, carried.author.as_deref(), carried.topic.as_str()), (false, None, ""));
}

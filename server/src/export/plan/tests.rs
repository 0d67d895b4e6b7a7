use super::*;
use crate::export::sample::Sample;

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
    sample.is_for_facilitator = false;
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
    sample.is_for_facilitator = false;
    let json = crate::export::json::write(&sample.export());
    assert!(!json.contains("ABCD2345") && !json.contains("seats\""), "{json}");
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

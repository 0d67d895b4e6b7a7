use proptest::prelude::*;
use yrs::updates::decoder::Decode;
use yrs::{Any, Doc, GetString, Map, ReadTxn, Text, TextRef, Transact, Update};

use super::text::{diff, edit, utf16_len};
use super::*;
use crate::id::{ActionId, ActorId, NoteId, TableId, ThemeId};

/// Gives each what the other has.
fn exchange(a: &Doc, b: &Doc) {
    for (to, from) in [(a, b), (b, a)] {
        let known = to.transact().state_vector();
        let update = from.transact().encode_state_as_update_v1(&known);
        to.transact_mut().apply_update(Update::decode_v1(&update).expect("an update")).expect("it fits");
    }
}

fn new_note(id: &str, text: &str) -> NewNote {
    NewNote {
        id: id.into(),
        kind: NoteKind::Pain,
        text: text.to_owned(),
        x: 10.5,
        y: -20.0,
        w: 200.0,
        color: 3,
        author: "p1".into(),
        author_name: "李雷".to_owned(),
        round: Some(1),
        created_at: 1_763_700_000_123,
        builds_on: Some("1-0".into()),
        from: None,
    }
}

/// A document, its table roots, and edits as one transaction each.
struct Table {
    doc: Doc,
    roots: TableRoots,
}

impl Table {
    fn new(client: u64) -> Self {
        let doc = new_doc(client);
        let roots = TableRoots::of(&doc);
        Self { doc, roots }
    }

    fn create(&self, note: NewNote) {
        note::create(&mut self.doc.transact_mut(), &self.roots, note);
    }

    fn text_of(&self, id: &str) -> TextRef {
        note::text_of(&self.doc.transact(), &self.roots, &id.into()).expect("a note")
    }

    fn rewrite(&self, text: &TextRef, after: &str) {
        let before = text.get_string(&self.doc.transact());
        if let Some(splice) = diff(&before, after) {
            edit(&mut self.doc.transact_mut(), text, &splice);
        }
        assert_eq!(text.get_string(&self.doc.transact()), after);
    }

    fn note(&self, id: &str) -> Note {
        note::read(&self.doc.transact(), &self.roots, &id.into()).expect("a note")
    }
}

#[test]
fn a_note_is_read_as_it_was_written() {
    let table = Table::new(1);
    table.create(new_note("1-1", "等了三天😀"));
    let expected = Note {
        id: "1-1".into(),
        kind: NoteKind::Pain,
        text: "等了三天😀".into(),
        x: 10.5,
        y: -20.0,
        w: 200.0,
        color: 3,
        author: "p1".into(),
        author_name: "李雷".into(),
        round: Some(1),
        created_at: 1_763_700_000_123,
        builds_on: Some("1-0".into()),
        from: None,
        stars: vec![],
        deleted: false,
    };
    assert_eq!(table.note("1-1"), expected);
    // Also on another's machine.
    let other = Table::new(2);
    exchange(&table.doc, &other.doc);
    assert_eq!(table_board(&other.doc).notes, [expected]);
    // Creating it again does not replace the words.
    other.create(new_note("1-1", "else"));
    assert_eq!(other.note("1-1").text, "等了三天😀");
    let plain = NewNote { round: None, builds_on: None, x: f64::NAN, ..new_note("1-2", "") };
    table.create(plain);
    let note = table.note("1-2");
    assert_eq!((note.round, note.builds_on, note.x, note.text.as_str()), (None, None, 0.0, ""));
}

#[test]
fn b26_where_a_note_was_carried_from_is_read_as_it_was_written() {
    let (a, b) = (Table::new(1), Table::new(2));
    let origin = |author: &str| Origin::new(NoteRef { table: TableId(7), note: "a-3".into() }, author);
    a.create(NewNote { from: origin(" 韩  梅梅\n"), ..new_note("1-1", "等了三天") });
    a.create(NewNote { from: origin(""), ..new_note("1-2", "") });
    exchange(&a.doc, &b.doc);
    let from = b.note("1-1").from.expect("an origin");
    assert_eq!((from.note.key().as_str(), from.author_name.as_str()), ("7/a-3", "韩 梅梅"));
    assert_eq!(b.note("1-2").from.map(|from| from.author_name), Some(String::new()));
    // A note of an older client, and one that was kept as JSON before there were bags, came from nowhere else.
    a.create(new_note("1-3", ""));
    assert_eq!(a.note("1-3").from, None);
    let mut kept = serde_json::to_value(a.note("1-3")).expect("JSON");
    kept.as_object_mut().and_then(|note| note.remove("from")).expect("the field");
    assert_eq!(serde_json::from_value::<Note>(kept).expect("an older note"), a.note("1-3"));
}

#[test]
fn b26_nonsense_about_where_a_note_was_carried_from_is_ignored() {
    let table = Table::new(1);
    table.create(new_note("1-1", "words"));
    let say = |key: &str, value: Any| {
        let mut txn = table.doc.transact_mut();
        let map = table.roots.notes.get(&txn, "1-1").and_then(|v| v.cast::<yrs::MapRef>().ok()).expect("a map");
        map.insert(&mut txn, key, value);
    };
    let long = format!("1/{}", "x".repeat(crate::limits::KEY_BYTES + 1));
    for nonsense in ["", "1", "/", "1/", "0/a", "2001/a", "70000/a", "-1/a", "x/a", "1/a\u{0}", "1/\u{1b}[31m", &long] {
        say("from", Any::from(nonsense));
        assert_eq!(table.note("1-1").from, None, "{nonsense:?}");
    }
    for nonsense in [Any::Null, Any::from(true), Any::from(1), Any::from(vec![Any::from("1/a")])] {
        say("from", nonsense);
        assert_eq!(table.note("1-1").from, None);
    }
    // A place that could be one stands, whatever is said of who wrote there; the rest of the note is untouched.
    say("from", Any::from("2000/a"));
    for nonsense in [
        Any::from(3),
        Any::from("x".repeat(crate::limits::NAME_CHARS + 1)),
        Any::from("\u{202e}gro"),
        Any::from("\u{7}"),
    ] {
        say("from_author", nonsense);
        let from = table.note("1-1").from.expect("a place");
        assert_eq!((from.note.table, from.author_name.as_str()), (TableId(2000), ""));
    }
    assert_eq!((table.note("1-1").text.as_str(), table.note("1-1").deleted), ("words", false));
}

#[test]
fn notes_edited_by_two_at_once_converge() {
    let (a, b) = (Table::new(1), Table::new(2));
    a.create(new_note("1-1", "维修"));
    exchange(&a.doc, &b.doc);

    b.create(NewNote { created_at: 1, ..new_note("2-1", "甲") });
    a.rewrite(&a.text_of("1-1"), "维修太慢😀");
    b.rewrite(&b.text_of("1-1"), "公共维修");
    let id = NoteId::from("1-1");
    {
        let mut txn = a.doc.transact_mut();
        note::set_star(&mut txn, &a.roots, &id, &"p2".into(), true);
        note::move_to(&mut txn, &a.roots, &id, 1.0, 2.0);
        note::set_kind(&mut txn, &a.roots, &id, NoteKind::Question);
    }
    {
        let mut txn = b.doc.transact_mut();
        note::set_star(&mut txn, &b.roots, &id, &"p1".into(), true);
        note::set_star(&mut txn, &b.roots, &id, &"p3".into(), true);
        note::set_star(&mut txn, &b.roots, &id, &"p3".into(), false);
        note::move_to(&mut txn, &b.roots, &id, 3.0, 4.0);
        note::resize(&mut txn, &b.roots, &id, 320.0);
        note::set_color(&mut txn, &b.roots, &id, 6);
    }
    exchange(&a.doc, &b.doc);
    let board = table_board(&a.doc);
    assert_eq!(board, table_board(&b.doc));
    assert_eq!(board.notes.iter().map(|n| n.id.as_str()).collect::<Vec<_>>(), ["2-1", "1-1"], "by time, then id");
    let note = &board.notes[1];
    assert_eq!(note.text, "公共维修太慢😀");
    assert_eq!(note.stars, [ActorId::from("p1"), ActorId::from("p2")]);
    assert_eq!((note.kind, note.w, note.color), (NoteKind::Question, 320.0, 6));
    assert!((note.x, note.y) == (1.0, 2.0) || (note.x, note.y) == (3.0, 4.0), "one of both moves, whole: {note:?}");
}

#[test]
fn a_star_set_while_another_device_takes_it_away_stays() {
    let (a, b) = (Table::new(1), Table::new(2));
    a.create(new_note("1-1", ""));
    let (id, actor) = (NoteId::from("1-1"), ActorId::from("p1"));
    note::set_star(&mut a.doc.transact_mut(), &a.roots, &id, &actor, true);
    exchange(&a.doc, &b.doc);
    note::set_star(&mut a.doc.transact_mut(), &a.roots, &id, &actor, false);
    exchange(&a.doc, &b.doc);
    assert!(b.note("1-1").stars.is_empty());
    note::set_star(&mut a.doc.transact_mut(), &a.roots, &id, &actor, true);
    note::set_star(&mut b.doc.transact_mut(), &b.roots, &id, &actor, false);
    exchange(&a.doc, &b.doc);
    assert_eq!((a.note("1-1").stars, b.note("1-1").stars), (vec![actor.clone()], vec![actor]));
}

#[test]
fn b3_deleting_while_somebody_types_keeps_the_words() {
    let (a, b) = (Table::new(1), Table::new(2));
    a.create(new_note("1-1", "投诉"));
    exchange(&a.doc, &b.doc);
    let id = NoteId::from("1-1");
    note::set_deleted(&mut a.doc.transact_mut(), &a.roots, &id, true);
    b.rewrite(&b.text_of("1-1"), "投诉没有回音");
    exchange(&a.doc, &b.doc);
    for table in [&a, &b] {
        let note = table.note("1-1");
        assert_eq!((note.text.as_str(), note.deleted), ("投诉没有回音", true));
        assert_eq!(count_notes(&table.doc), 0);
        assert_eq!(table_board(&table.doc).notes.len(), 1);
    }
    note::set_deleted(&mut b.doc.transact_mut(), &b.roots, &id, false);
    exchange(&a.doc, &b.doc);
    assert_eq!((count_notes(&a.doc), a.note("1-1").text.as_str()), (1, "投诉没有回音"));
}

#[test]
fn nothing_happens_to_what_is_not_there() {
    let table = Table::new(1);
    let id = NoteId::from("none");
    let mut txn = table.doc.transact_mut();
    note::set_kind(&mut txn, &table.roots, &id, NoteKind::Idea);
    note::move_to(&mut txn, &table.roots, &id, 1.0, 1.0);
    note::set_star(&mut txn, &table.roots, &id, &"p1".into(), true);
    note::set_deleted(&mut txn, &table.roots, &id, true);
    assert!(note::read(&txn, &table.roots, &id).is_none() && note::text_of(&txn, &table.roots, &id).is_none());
    assert!(!txn.has_changes());
    drop(txn);
    // Nor is anything written that is so already.
    table.create(new_note("1-1", ""));
    let mut txn = table.doc.transact_mut();
    note::move_to(&mut txn, &table.roots, &"1-1".into(), 10.5, -20.0);
    note::set_kind(&mut txn, &table.roots, &"1-1".into(), NoteKind::Pain);
    assert!(!txn.has_changes());
}

#[test]
fn a_strangers_values_are_read_as_defaults() {
    let table = Table::new(1);
    table.create(new_note("1-1", "words"));
    {
        let mut txn = table.doc.transact_mut();
        table.roots.notes.insert(&mut txn, "odd", "not a note");
        let map = table.roots.notes.get(&txn, "1-1").and_then(|v| v.cast::<yrs::MapRef>().ok()).expect("a map");
        for (key, value) in [
            ("kind", Any::from(3)),
            ("x", Any::from("left")),
            ("y", Any::from(f64::INFINITY)),
            ("color", Any::from(-1)),
        ] {
            map.insert(&mut txn, key, value);
        }
        for (key, value) in [
            ("created_at", Any::from(-5)),
            ("round", Any::from(900)),
            ("star:", Any::from(true)),
            ("star:p1", Any::from(1)),
        ] {
            map.insert(&mut txn, key, value);
        }
    }
    let board = table_board(&table.doc);
    assert_eq!(board.notes.len(), 1);
    let note = &board.notes[0];
    assert_eq!(
        (note.kind, note.x, note.y, note.color, note.created_at, note.round),
        (NoteKind::Idea, 0.0, 0.0, 0, 0, None)
    );
    assert!(note.stars.is_empty());
}

#[test]
fn a_text_with_a_strangers_objects_in_it_can_be_written_into() {
    let table = Table::new(1);
    table.create(new_note("1-1", "ab"));
    let text = table.text_of("1-1");
    text.insert_embed(&mut table.doc.transact_mut(), 1, Any::from(true));
    let splice = Splice { at: 2, delete: 5, insert: "新".into() };
    edit(&mut table.doc.transact_mut(), &text, &splice);
    assert!(text.get_string(&table.doc.transact()).contains('新'));
}

#[test]
fn the_handover_has_three_parts() {
    let (a, b) = (Table::new(1), Table::new(2));
    a.rewrite(a.roots.handover(HandoverPart::SoFar), "已有");
    b.rewrite(b.roots.handover(HandoverPart::Open), "待解");
    b.rewrite(b.roots.handover(HandoverPart::BuildHere), "从这里接着");
    exchange(&a.doc, &b.doc);
    let expected = Handover { so_far: "已有".into(), open: "待解".into(), build_here: "从这里接着".into() };
    assert_eq!((table_board(&a.doc).handover, table_board(&b.doc).handover), (expected.clone(), expected));
}

#[test]
fn themes_hold_notes_from_all_tables() {
    let doc = new_doc(1);
    let roots = HarvestRoots::of(&doc);
    let (fast, kind) = (ThemeId::from("1-1"), ThemeId::from("1-2"));
    let note = |table, note: &str| NoteRef { table: TableId(table), note: note.into() };
    {
        let mut txn = doc.transact_mut();
        theme::create(&mut txn, &roots, &fast, "快速响应", 2.0);
        theme::create(&mut txn, &roots, &kind, "有温度", 1.0);
        let summary = theme::summary_of(&txn, &roots, &fast).expect("a theme");
        summary.insert(&mut txn, 0, "三天太久");
        theme::place(&mut txn, &roots, &note(1, "a-1"), Some(&fast));
        theme::place(&mut txn, &roots, &note(2, "b-1"), Some(&fast));
        theme::place(&mut txn, &roots, &note(2, "b-1"), Some(&kind));
        theme::place(&mut txn, &roots, &note(3, "c-1"), Some(&kind));
        theme::place(&mut txn, &roots, &note(3, "c-1"), None);
        theme::place(&mut txn, &roots, &note(4, "d-1"), Some(&"unknown".into()));
    }
    let board = harvest_board(&doc);
    assert_eq!(board.themes.iter().map(|t| t.title.as_str()).collect::<Vec<_>>(), ["有温度", "快速响应"]);
    assert_eq!(board.themes[1].summary, "三天太久");
    assert_eq!(board.placements, [(note(1, "a-1"), fast.clone()), (note(2, "b-1"), kind.clone())]);
    {
        let mut txn = doc.transact_mut();
        theme::set_deleted(&mut txn, &roots, &kind, true);
        assert_eq!(theme::place_of(&txn, &roots, &note(2, "b-1")), Some(kind.clone()));
    }
    assert_eq!(harvest_board(&doc).placements, [(note(1, "a-1"), fast.clone())]);
    // Brought back, it still holds its notes.
    theme::set_deleted(&mut doc.transact_mut(), &roots, &kind, false);
    theme::set_order(&mut doc.transact_mut(), &roots, &kind, 3.0);
    let board = harvest_board(&doc);
    assert_eq!((board.themes[0].id.clone(), board.placements.len()), (fast, 2));
}

#[test]
fn actions_are_planned_together() {
    let (a, b) = (new_doc(1), new_doc(2));
    let (roots_a, roots_b) = (PlanRoots::of(&a), PlanRoots::of(&b));
    let id = ActionId::from("1-1");
    let source = |note: &str| NoteRef { table: TableId(10), note: note.into() };
    let new = NewAction {
        id: id.clone(),
        order: 1.0,
        title: "设专属管家".into(),
        reason: "入住当天没人接".into(),
        stage: "收楼".into(),
        themes: vec!["t-2".into(), "t-1".into()],
        sources: vec![source("b"), source("a")],
    };
    action::create(&mut a.transact_mut(), &roots_a, new);
    exchange(&a, &b);
    {
        let mut txn = a.transact_mut();
        action::set_due(&mut txn, &roots_a, &id, "2026-12-31");
        action::set_effort(&mut txn, &roots_a, &id, 9);
        action::set_source(&mut txn, &roots_a, &id, &source("c"), true);
        action::set_theme(&mut txn, &roots_a, &id, &"t-1".into(), false);
    }
    {
        let mut txn = b.transact_mut();
        action::set_impact(&mut txn, &roots_b, &id, 4);
        action::set_status(&mut txn, &roots_b, &id, ActionStatus::Doing);
        action::set_source(&mut txn, &roots_b, &id, &source("a"), false);
        let kpi = action::text_of(&txn, &roots_b, &id, ActionText::Kpi).expect("an action");
        edit(&mut txn, &kpi, &Splice { at: 0, delete: 0, insert: "满意度".into() });
    }
    exchange(&a, &b);
    let plan = plan_board(&a);
    assert_eq!(plan, plan_board(&b));
    let action = &plan.actions[0];
    assert_eq!(
        (action.title.as_str(), action.stage.as_str(), action.reason.as_str()),
        ("设专属管家", "收楼", "入住当天没人接")
    );
    assert_eq!(
        (action.due.as_str(), action.effort, action.impact, action.status),
        ("2026-12-31", 5, 4, ActionStatus::Doing)
    );
    assert_eq!(
        (action.sources.clone(), action.themes.clone()),
        (vec![source("b"), source("c")], vec![ThemeId::from("t-2")])
    );
    assert_eq!(action.text(ActionText::Kpi), "满意度");

    action::set_deleted(&mut a.transact_mut(), &roots_a, &id, true);
    assert!(plan_board(&a).actions.is_empty());
    assert!(action::read(&a.transact(), &roots_a, &id).is_some_and(|action| action.deleted));
    action::set_deleted(&mut a.transact_mut(), &roots_a, &id, false);
    action::set_order(&mut a.transact_mut(), &roots_a, &id, f64::NEG_INFINITY);
    assert_eq!(plan_board(&a).actions[0].order, 0.0);
}

fn words() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(vec!["a", "业", "主", "😀", "👩‍🔧", "e\u{301}"]), 0..10)
        .prop_map(|p| p.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn two_who_rewrite_one_note_converge(start in words(), a1 in words(), a2 in words(), b1 in words(), b2 in words()) {
        let (a, b) = (Table::new(1), Table::new(2));
        a.create(new_note("1-1", &start));
        exchange(&a.doc, &b.doc);
        let (text_a, text_b) = (a.text_of("1-1"), b.text_of("1-1"));
        for (in_a, in_b) in [(a1, b1), (a2, b2)] {
            a.rewrite(&text_a, &in_a);
            b.rewrite(&text_b, &in_b);
            exchange(&a.doc, &b.doc);
            let both = a.note("1-1").text;
            prop_assert_eq!(&both, &b.note("1-1").text);
            prop_assert!(!both.contains('\u{fffd}'), "a surrogate pair was cut: {:?}", both);
            prop_assert_eq!(text_a.len(&a.doc.transact()), utf16_len(&both));
        }
    }

    #[test]
    fn any_splice_can_be_done_to_any_text(start in words(), at in 0u32..30, delete in 0u32..30, insert in words()) {
        let table = Table::new(1);
        table.create(new_note("1-1", &start));
        let splice = Splice { at, delete, insert };
        let text = table.text_of("1-1");
        edit(&mut table.doc.transact_mut(), &text, &splice);
        prop_assert_eq!(table.note("1-1").text, text::apply(&start, &splice));
    }
}

//! A small café for the tests of exports: two tables, two people, a vote, a plan and a decision.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use shared::board::view::{
    Action, Handover, HarvestBoard, Note, NoteKind, NoteRef, Origin, Pen, PlanBoard, Stroke, TableBoard, Theme,
};
use shared::id::{ActionId, Actor, ActorId, Millis, Role, TableId, ThemeId, WorkshopId};
use shared::workshop::follow_up::{FollowUp, Progress};
use shared::workshop::state::{Comment, Decision, Participant, ThemeRef, Verdict, Vote};
use shared::workshop::{Draft, Event, Language, Phase, Recorded, RoundPlan, Settings, TablePlan, Workshop};

use super::plan::{Export, Sources, Timeline};

/// 2026-11-21 12:00 UTC.
const NOON: Millis = 1_795_262_400_000;

pub(super) struct Sample {
    pub workshop: Workshop,
    pub history: Vec<Recorded>,
    pub tables: Vec<Option<TableBoard>>,
    pub harvest: Option<HarvestBoard>,
    pub plan: Option<PlanBoard>,
    pub reader: Actor,
}

impl Sample {
    pub(super) fn cafe() -> Self {
        Self {
            workshop: workshop(),
            history: history(),
            tables: tables(),
            harvest: Some(HarvestBoard {
                themes: vec![Theme { id: "t1".into(), title: "上门之前".into(), ..Theme::default() }],
                placements: vec![(note_ref("1-1"), "t1".into()), (note_ref("2-1"), "t1".into())],
            }),
            plan: Some(PlanBoard {
                actions: vec![Action {
                    id: "a1".into(),
                    title: "上门前半小时打电话".into(),
                    stage: "报修".into(),
                    accountable: "李雷".into(),
                    impact: 5,
                    themes: vec!["t1".into()],
                    sources: vec![note_ref("1-1")],
                    ..Action::default()
                }],
            }),
            reader: Actor { id: "f1".into(), role: Role::Facilitator },
        }
    }

    /// The same, where it was asked how the stages feel: of the first table three spoke, of the second two.
    pub(super) fn felt() -> Self {
        let mut sample = Self::cafe();
        let workshop = &mut sample.workshop;
        workshop.draft.settings.feelings = true;
        let scores = [(1, vec![-2, -1, 0]), (2, vec![2, 2])];
        for (table, scores) in scores {
            let people = (0..).map(|n| ActorId::from(format!("p{n}").as_str())).zip(scores);
            workshop.feelings.scores.insert(TableId(table), people.collect());
        }
        sample
    }

    pub(super) fn export(&self) -> Export {
        Export::build(Sources {
            id: &WorkshopId::from("w1"),
            now: NOON,
            workshop: &self.workshop,
            timeline: self.history.iter().cloned().fold(Timeline::default(), |mut timeline, recorded| {
                timeline.take(recorded);
                timeline
            }),
            tables: self.tables.clone(),
            harvest: self.harvest.clone(),
            plan: self.plan.clone(),
            reader: &self.reader,
        })
    }
}

/// One of the two who took part.
pub(super) fn guest() -> Actor {
    Actor { id: li(), role: Role::Participant }
}

fn li() -> ActorId {
    "pli".into()
}

fn wang() -> ActorId {
    "pwang".into()
}

fn note_ref(note: &str) -> NoteRef {
    NoteRef { table: TableId(1), note: note.into() }
}

fn draft() -> Draft {
    let table = |topic: &str, question: &str| TablePlan { topic: topic.into(), question: question.into() };
    Draft {
        title: "业主服务旅程".into(),
        purpose: "看清哪里让人着急。".into(),
        language: Language::ZhCn,
        tables: vec![table("报修与投诉", "要等多久？"), table("社区生活", "")],
        rounds: vec![RoundPlan { minutes: 20.0, question: Some("发生了什么？".into()) }],
        settings: Settings::default(),
    }
}

fn workshop() -> Workshop {
    let person = |name: &str| Participant {
        name: name.into(),
        department: None,
        joined_at: NOON,
        left: false,
        removed: false,
        helper: false,
        hand: false,
        seat_left: None,
    };
    let dots = |dots: u8| BTreeMap::from([(ThemeId::from("t1"), dots)]);
    let comment =
        |action: Option<ActionId>, text: &str| Comment { action, text: text.into(), name: "陈总".into(), at: NOON };
    Workshop {
        draft: draft(),
        join_code: "ABCD2345".into(),
        created_at: NOON,
        phase: Phase::Review,
        participants: BTreeMap::from([(li(), person("李雷")), (wang(), person("王芳"))]),
        hosts: BTreeMap::from([(TableId(1), li())]),
        seats: vec![BTreeMap::from([(li(), TableId(1)), (wang(), TableId(2))])],
        vote: Vote {
            themes: vec![ThemeRef { id: "t1".into(), title: "上门之前".into() }],
            open: false,
            ballots: BTreeMap::from([(li(), dots(1)), (wang(), dots(2))]),
        },
        decisions: BTreeMap::from([(
            "a1".into(),
            Decision {
                action: "a1".into(),
                verdict: Verdict::Approve,
                reason: "先从两栋楼试起".into(),
                name: "陈总".into(),
                at: NOON,
            },
        )]),
        follow_ups: BTreeMap::from([(
            "a1".into(),
            BTreeMap::from([(
                30,
                FollowUp {
                    action: "a1".into(),
                    after_days: 30,
                    progress: Progress::Underway,
                    measured: "71 %".into(),
                    text: "两栋楼都在打".into(),
                    name: "陈总".into(),
                    at: NOON,
                },
            )]),
        )]),
        comments: vec![comment(Some("a1".into()), "费用多少？"), comment(None, "写得很清楚。")],
        ..Workshop::default()
    }
}

fn history() -> Vec<Recorded> {
    let seats = workshop().seats[0].clone();
    [
        Event::Created { draft: draft(), join_code: "ABCD2345".into() },
        Event::PhaseChanged { phase: Phase::Lobby },
        Event::Joined { participant: li(), name: "李雷".into(), department: None },
        Event::PhaseChanged { phase: Phase::Rounds },
        Event::RoundSeated { round: 0, seats, hosts: BTreeMap::new(), starts_at: NOON },
        Event::RoundStarted { ends_at: NOON },
        Event::RoundEnded,
        Event::Announced { text: String::new() },
        Event::VoteClosed,
    ]
    .into_iter()
    .map(|event| Recorded { at: NOON, by: "f1".into(), event })
    .collect()
}

fn tables() -> Vec<Option<TableBoard>> {
    let note = |id: &str, kind, text: &str, author: ActorId, author_name: &str, round| Note {
        id: id.into(),
        kind,
        text: text.into(),
        author,
        author_name: author_name.into(),
        round: Some(round),
        created_at: NOON,
        ..Note::default()
    };
    let pain = note("1-1", NoteKind::Pain, "等了三天没人上门", li(), "李雷", 0);
    let mut idea = note("2-1", NoteKind::Idea, "维修师傅上门前先打电话", wang(), "王芳", 1);
    idea.builds_on = Some(pain.id.clone());
    idea.stars = vec![li(), wang()];
    let dark = note("1-2", NoteKind::Pain, "Flur <b>dunkel</b>", li(), "李雷", 1);
    let mut gone = note("2-2", NoteKind::Question, "weg damit", wang(), "王芳", 1);
    gone.deleted = true;
    let handover = Handover { so_far: "等待\n# 解释".into(), ..Handover::default() };
    let arrow = Stroke { id: "1-3".into(), pen: Pen::Red, width: 3, points: vec![(0.0, 0.0), (80.5, -20.0)] };
    let strokes = vec![arrow];
    vec![
        Some(TableBoard { notes: vec![pain, idea], strokes, handover }),
        Some(TableBoard { notes: vec![dark, gone], ..TableBoard::default() }),
    ]
}

/// The sample after somebody carried a note of the first table to the second, as an action of the plan rests on there.
pub(super) fn carrying() -> Sample {
    let mut sample = Sample::cafe();
    if let Some(note) = sample.tables[1].as_mut().and_then(|board| board.notes.first_mut()) {
        note.from = Origin::new(note_ref("2-1"), "王芳");
    }
    let source = NoteRef { table: TableId(2), note: "1-2".into() };
    sample.plan.iter_mut().flat_map(|plan| &mut plan.actions).for_each(|action| action.sources.push(source.clone()));
    sample
}

/// What somebody may have typed, each of two lines.
pub(super) const HOSTILE: [&str; 19] = [
    "<img src=x onerror=alert(1)>\n# owned",
    "[x](javascript:alert(1))\n![x](http://evil/p.png)",
    "| a | b |\n| --- | --- |",
    "```\n~~~",
    "</ul><script>alert(1)</script>\n\u{200b} - item",
    "1. one\n\u{feff} > quoted",
    "---\n===",
    "[x]: http://evil\n[^1]: note",
    "**x** ~~y~~ `z` $w$\n<http://evil> &lt;b&gt; - [ ] task",
    "=1+1\n@SUM(1)",
    "+1\n-1",
    "\t=HYPERLINK(\"http://evil\",\"x\")\n\r\u{3000}＝cmd|' /C calc'!A0",
    "＋1;=1+1;\n\";@1",
    "{=1}\n＠x －1",
    "http://evil/?a=b\nmailto:evil@evil",
    "_x0041_ _x003D_1\n_x000D_",
    "]]></w:t><w:hyperlink r:id=\"x\">\n<f>1+1</f>",
    "\u{1}\u{b}\u{c}\u{1b}[31m\u{fffe}\u{ffff}x\nHYPERLINK \"http://evil\" \\* MERGEFORMAT",
    "\u{202e}fdp.exe\u{2066}\n\u{0}&#0;&#x1;&bogus;",
];

/// The sample with `text` in every field that somebody types, after a mark of its own; gives the marks.
pub(super) fn filled(text: &str) -> (Sample, Vec<String>) {
    let mut sample = Sample::felt();
    let mut marks = Vec::new();
    let mut fill = |field: &mut String| {
        let mark = format!("m{:02}", marks.len());
        *field = format!("{text} {mark}");
        marks.push(mark);
    };
    let workshop = &mut sample.workshop;
    let draft = &mut workshop.draft;
    [&mut draft.title, &mut draft.purpose].into_iter().for_each(&mut fill);
    draft.tables.iter_mut().flat_map(|table| [&mut table.topic, &mut table.question]).for_each(&mut fill);
    draft.rounds.iter_mut().filter_map(|round| round.question.as_mut()).for_each(&mut fill);
    for person in workshop.participants.values_mut() {
        fill(&mut person.name);
        fill(person.department.get_or_insert_default());
    }
    fill(&mut workshop.feelings.line.label);
    workshop.vote.themes.iter_mut().for_each(|theme| fill(&mut theme.title));
    for decision in workshop.decisions.values_mut() {
        [&mut decision.reason, &mut decision.name].into_iter().for_each(&mut fill);
    }
    for found in workshop.follow_ups.values_mut().flat_map(BTreeMap::values_mut) {
        [&mut found.measured, &mut found.text, &mut found.name].into_iter().for_each(&mut fill);
    }
    for comment in &mut workshop.comments {
        [&mut comment.text, &mut comment.name].into_iter().for_each(&mut fill);
    }
    for board in sample.tables.iter_mut().flatten() {
        board.notes.iter_mut().flat_map(|note| [&mut note.text, &mut note.author_name]).for_each(&mut fill);
        let handover = &mut board.handover;
        [&mut handover.so_far, &mut handover.open, &mut handover.build_here].into_iter().for_each(&mut fill);
    }
    for theme in sample.harvest.iter_mut().flat_map(|board| &mut board.themes) {
        [&mut theme.title, &mut theme.summary].into_iter().for_each(&mut fill);
    }
    for action in sample.plan.iter_mut().flat_map(|board| &mut board.actions) {
        [
            &mut action.title,
            &mut action.stage,
            &mut action.reason,
            &mut action.accountable,
            &mut action.helpers,
            &mut action.due,
            &mut action.kpi,
            &mut action.baseline,
            &mut action.target,
            &mut action.cost,
            &mut action.risk,
        ]
        .into_iter()
        .for_each(&mut fill);
    }
    (sample, marks)
}

/// The files within an office file, by name.
pub(super) fn parts(file: &[u8]) -> Vec<(String, String)> {
    let mut zip = zip::ZipArchive::new(Cursor::new(file)).expect("an archive");
    let count = zip.len();
    let part = |at| {
        let mut part = zip.by_index(at).expect("a part");
        let name = part.name().expect("a name").into_owned();
        let mut text = String::new();
        part.read_to_string(&mut text).expect("UTF-8");
        (name, text)
    };
    (0..count).map(part).collect()
}

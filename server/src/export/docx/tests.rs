use roxmltree::{Document, Node};
use shared::board::view::Action;
use shared::id::Actor;
use shared::workshop::Phase;

use super::*;
use crate::export::rows::CELL_CHARS;
use crate::export::sample::{HOSTILE, Sample, carrying, filled, guest, parts};

fn part(file: &[u8], name: &str) -> String {
    parts(file).into_iter().find(|(part, _)| part == name).expect(name).1
}

/// What stands in a document, a line for each paragraph, its own line breaks as `\n`.
fn paragraphs(file: &[u8]) -> Vec<String> {
    let xml = part(file, "word/document.xml");
    let document = Document::parse(&xml).expect("XML");
    let text = |paragraph: Node<'_, '_>| {
        let pieces = paragraph.descendants().filter_map(|node| match node.tag_name().name() {
            "t" => Some(node.text().unwrap_or_default().to_owned()),
            "br" => Some("\n".to_owned()),
            _ => None,
        });
        pieces.collect::<String>()
    };
    document.descendants().filter(|node| node.tag_name().name() == "p").map(text).collect()
}

/// What a document is made of, words and line breaks aside.
fn structure(file: &[u8]) -> Vec<String> {
    let xml = part(file, "word/document.xml");
    let document = Document::parse(&xml).expect("XML");
    let names = document.descendants().map(|node| node.tag_name().name().to_owned());
    names.filter(|name| !name.is_empty() && !matches!(name.as_str(), "t" | "br")).collect()
}

fn spaces_as_one(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn x3_a_document_tells_every_action_in_its_order_with_what_speaks_for_it() {
    let mut sample = Sample::cafe();
    let actions = &mut sample.plan.as_mut().expect("a plan").actions;
    actions[0].reason = "等得最久\n也最生气".into();
    for (id, title) in [("a2", "投诉当天回访"), ("a3", ""), ("a4", "楼道换灯")] {
        actions.push(Action { id: id.into(), title: title.into(), ..Action::default() });
    }
    let said = paragraphs(&write(&sample.export()).expect("a file"));
    assert_eq!(said[0], "业主服务旅程");
    assert!(said.contains(&"看清哪里让人着急。".to_owned()));
    assert!(
        said.contains(
            &"2 位参与者在 2 张桌上聊了 1 轮，写下 3 张便签，归成 1 个主题，形成 4 条行动项。其中已决定 1 条。"
                .to_owned()
        ),
        "{said:#?}"
    );
    let headings = said.iter().filter(|text| text.starts_with('A') && text.contains(' ')).map(String::as_str);
    assert_eq!(
        headings.collect::<Vec<_>>(),
        ["A1 上门前半小时打电话", "A2 投诉当天回访", "A3 （未命名）", "A4 楼道换灯"]
    );
    let first = said.iter().position(|text| text.starts_with("A1 ")).expect("the first action");
    let second = said.iter().position(|text| text.starts_with("A2 ")).expect("the second");
    assert_eq!(
        said[first + 1..second],
        [
            "决定",
            "已批准：先从两栋楼试起 (陈总、2026-11-21 12:00 UTC)",
            "30 天后",
            "进行中 · 71 %：两栋楼都在打 (陈总、2026-11-21 12:00 UTC)",
            "理由",
            "等得最久\n也最生气",
            "来自主题",
            "上门之前 (3 点)",
            "依据的便签",
            "痛点：等了三天没人上门 (第 1 桌 “报修与投诉” · 李雷 · 第 1 轮)",
            "阶段／触点／关键时刻",
            "报修",
            "负责人",
            "李雷",
            "效果（1–5）",
            "5",
            "评论",
            "费用多少？ (陈总、2026-11-21 12:00 UTC)",
        ]
    );
    assert!(said.contains(&"写得很清楚。 (陈总、2026-11-21 12:00 UTC)".to_owned()), "what is said of the whole plan");
}

#[test]
fn x3_a_document_names_a_font_for_chinese() {
    for language in [Language::ZhCn, Language::En] {
        let mut sample = Sample::cafe();
        sample.workshop.draft.language = language;
        let styles = part(&write(&sample.export()).expect("a file"), "word/styles.xml");
        let styles = Document::parse(&styles).expect("XML");
        let defaults = styles.descendants().find(|node| node.tag_name().name() == "rPrDefault").expect("defaults");
        let fonts = defaults.descendants().find(|node| node.tag_name().name() == "rFonts").expect("fonts");
        let named = fonts.attributes().find(|attribute| attribute.name() == "eastAsia").map(|named| named.value());
        assert_eq!(named, Some("Microsoft YaHei"), "{language:?}");
    }
}

#[test]
fn h3_a_document_tells_participants_no_comments_and_no_plan_before_its_time() {
    let said = |phase, reader: Actor| {
        let mut sample = Sample::cafe();
        (sample.workshop.phase, sample.reader) = (phase, reader);
        paragraphs(&write(&sample.export()).expect("a file")).join("\n")
    };
    let review = said(Phase::Review, guest());
    assert!(
        review.contains("先从两栋楼试起") && !review.contains("费用多少") && !review.contains("写得很清楚"),
        "{review}"
    );
    let plan = said(Phase::Plan, guest());
    assert!(
        plan.contains("上门前半小时打电话") && !plan.contains("先从两栋楼试起") && !plan.contains("已决定"),
        "{plan}"
    );
    let gallery = said(Phase::Gallery, guest());
    assert!(!gallery.contains("上门之前") && !gallery.contains("上门前半小时打电话"), "{gallery}");
}

#[test]
fn x3_what_is_too_much_for_a_document_is_counted_or_cut() {
    let mut sample = Sample::cafe();
    let note = sample.tables[0].as_ref().expect("a board").notes[0].clone();
    let numbered = |n: usize| shared::board::view::Note { id: format!("9-{n}").as_str().into(), ..note.clone() };
    sample.tables[0].as_mut().expect("a board").notes.extend((0..130).map(numbered));
    let action = &mut sample.plan.as_mut().expect("a plan").actions[0];
    action.sources = (0..130)
        .map(|n| shared::board::view::NoteRef { table: shared::id::TableId(1), note: format!("9-{n}").as_str().into() })
        .collect();
    action.reason = "茶".repeat(CELL_CHARS * 2);
    let said = paragraphs(&write(&sample.export()).expect("a file"));
    assert_eq!(said.iter().filter(|text| text.starts_with("痛点：")).count(), SOURCES);
    assert!(said.iter().any(|text| text.contains("还有 30 张")));
    assert!(said.iter().any(|text| text.ends_with("此处截断，全文见 JSON 导出〕")));
}

#[test]
fn h9_hostile_text_is_nothing_but_text_in_a_document() {
    let (sample, marks) = filled("one\ntwo");
    let harmless = write(&sample.export()).expect("a file");
    let said = paragraphs(&harmless).join("\n");
    let here: Vec<_> = marks.into_iter().filter(|mark| said.contains(mark.as_str())).collect();
    assert!(here.len() > 20, "{here:?}");
    let expected = structure(&harmless);
    for hostile in HOSTILE {
        let file = write(&filled(hostile).0.export()).expect("a file");
        let said = spaces_as_one(&paragraphs(&file).join("\n"));
        for mark in &here {
            let whole = spaces_as_one(&plain(&format!("{hostile} {mark}")));
            assert!(said.contains(&whole), "{whole:?} is not in {said}");
        }
        assert_eq!(structure(&file), expected, "{hostile:?}");
        assert!(!said.contains(['\u{202e}', '\u{200b}', '\u{1}', '\u{ffff}']), "{hostile:?}");
        for (name, xml) in parts(&file).into_iter().filter(|(_, text)| !text.is_empty()) {
            let xml = Document::parse(&xml).unwrap_or_else(|error| panic!("{hostile:?}: {name}: {error}"));
            for node in xml.descendants() {
                let kind = node.tag_name().name();
                assert!(node.attribute("TargetMode").is_none(), "{hostile:?}: {name} leads elsewhere");
                match kind {
                    // The page's number, and no other field.
                    "instrText" => assert_eq!((name.as_str(), node.text()), ("word/footer1.xml", Some("PAGE"))),
                    "fldChar" => assert_eq!(name, "word/footer1.xml"),
                    kind => assert!(
                        !matches!(kind, "hyperlink" | "fldSimple" | "object" | "drawing" | "pict" | "altChunk" | "sdt"),
                        "{hostile:?}: {kind} in {name}"
                    ),
                }
            }
        }
    }
}

#[test]
fn x7_a_source_that_was_carried_says_where_from() {
    let said = paragraphs(&write(&carrying().export()).expect("a file"));
    let from = "(第 2 桌 “社区生活” · 李雷 · 第 2 轮 · 带自第 1 桌 “报修与投诉”、王芳、第 2 轮)";
    assert!(said.iter().any(|text| text.ends_with(from)), "{said:#?}");
}

use lopdf::{Document, Object};
use shared::board::view::{Action, NoteRef};
use shared::workshop::Language;
use typst_pdf::PdfStandard;

use super::*;
use crate::export::sample::{HOSTILE, Sample, carrying, filled};

/// What would be markup in a template.
const MARKUP: [&str; 6] = [
    "#read(\"/etc/passwd\")\n#include \"/etc/passwd\"",
    "#image(\"/etc/passwd\") #link(\"http://evil\")[x]\n#import \"@preview/x:0.1.0\"",
    "$x^2$ *bold* _it_ `raw` @x <x>\n= Heading\n- item\n+ item\n/ term: x",
    "\\u{41} \\ #{panic()} #sys.exit ]})\n// comment /* comment",
    "\"), panic(\"x\n\" + read(\"/etc/passwd\") + \"",
    "{\"lang\": \"en\", \"fonts\": []}\n---\n~ -- ... '\"",
];

fn system() -> Fonts {
    Fonts::new(None)
}

fn made(sample: &Sample) -> Document {
    let file = write(&sample.export(), &system()).expect("a file; are fonts for Chinese installed (fonts-noto-cjk)?");
    Document::load_mem(&file).expect("a PDF")
}

/// All that is written on its pages, without its spaces: a line ends where the paper does.
fn said(document: &Document) -> String {
    let pages: Vec<u32> = document.get_pages().keys().copied().collect();
    bare(&document.extract_text(&pages).expect("text"))
}

fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '\u{200b}').collect()
}

/// What a document is made of beside words: the kinds of its objects, those with an action among them.
fn kinds(document: &Document) -> Vec<String> {
    let dictionaries = document.objects.values().filter_map(|object| match object {
        Object::Dictionary(dictionary) => Some(dictionary),
        Object::Stream(stream) => Some(&stream.dict),
        _ => None,
    });
    let name = |value: Result<&Object, _>| {
        value.ok().and_then(|value| value.as_name().ok()).map(|name| String::from_utf8_lossy(name).into_owned())
    };
    let kinds = dictionaries.flat_map(|d| {
        let keys = d.iter().map(|(key, _)| format!("/{}", String::from_utf8_lossy(key)));
        let named = [name(d.get(b"Type")), name(d.get(b"Subtype")), name(d.get(b"S"))].into_iter().flatten();
        keys.chain(named).collect::<Vec<_>>()
    });
    kinds.collect()
}

fn text_of(document: &Document, object: &Object) -> String {
    let (_, object) = document.dereference(object).expect("an object");
    lopdf::decode_text_string(object).expect("a text")
}

#[test]
fn x5_the_pages_tell_every_action_in_its_order_with_what_speaks_for_it() {
    let mut sample = Sample::cafe();
    let actions = &mut sample.plan.as_mut().expect("a plan").actions;
    actions[0].reason = "等得最久\n也最生气".into();
    actions[0].effort = 2;
    for (id, title) in [("a2", "投诉当天回访"), ("a3", ""), ("a4", "楼道换灯")] {
        actions.push(Action { id: id.into(), title: title.into(), ..Action::default() });
    }
    let said = said(&made(&sample));
    let mut rest = said.as_str();
    for next in [
        "业主服务旅程",
        "评审·导出时间：2026-11-21 12:00 UTC",
        "看清哪里让人着急。",
        "2 位参与者在 2 张桌上聊了 1 轮，写下 3 张便签，归成 1 个主题，形成 4 条行动项。其中已决定 1 条。",
        "先做",
        "从哪里开始",
        "A1上门前半小时打电话投入 2，效果 5",
        "还没打分：A2、A3、A4",
        "改进计划",
        "A1上门前半小时打电话李雷3已批准",
        "A2投诉当天回访",
        "A3（未命名）",
        "A4楼道换灯",
        "A1上门前半小时打电话",
        "决定已批准先从两栋楼试起陈总、2026-11-21 12:00 UTC",
        "理由等得最久也最生气",
        "来自主题上门之前3 点",
        "依据的便签痛点等了三天没人上门第 1 桌 “报修与投诉” · 李雷 · 第 1 轮",
        "阶段／触点／关键时刻报修",
        "负责人李雷",
        "效果（1–5）5",
        "评论费用多少？陈总、2026-11-21 12:00 UTC",
        "A2投诉当天回访",
        "A3（未命名）",
        "A4楼道换灯",
        "对整个计划的评论写得很清楚。",
        "主题",
        "上门之前3",
    ] {
        let at = rest.find(&bare(next)).unwrap_or_else(|| panic!("{next} does not follow in {rest}"));
        rest = &rest[at + bare(next).len()..];
    }
}

#[test]
fn x5_both_languages_say_what_they_are_and_how_far_they_go() {
    for (language, lang, plan, page) in
        [(Language::ZhCn, "zh-CN", "改进计划", "1/"), (Language::En, "en-GB", "Improvement plan", "1/")]
    {
        let mut sample = Sample::cafe();
        sample.workshop.draft.language = language;
        let document = made(&sample);
        let catalog = document.catalog().expect("a catalogue");
        assert_eq!(text_of(&document, catalog.get(b"Lang").expect("a language")), lang);
        assert!(catalog.has(b"Outlines") && catalog.has(b"StructTreeRoot"), "{catalog:?}");
        let info = document.trailer.get(b"Info").and_then(Object::as_reference).expect("what it is");
        let info = document.get_dictionary(info).expect("what it is");
        assert_eq!(text_of(&document, info.get(b"Title").expect("a title")), "业主服务旅程");
        let said = said(&document);
        assert!(said.contains(&bare(plan)), "{said}");
        let pages = document.get_pages().len();
        assert!(said.contains(&format!("{page}{pages}")), "{said}");
    }
}

#[test]
fn x5_the_pages_are_accessible_by_the_standard_for_it() {
    let standards = PdfStandards::new(&[PdfStandard::Ua_1]).expect("a standard");
    let mut sample = Sample::cafe();
    sample.plan.as_mut().expect("a plan").actions[0].effort = 2;
    set(&sample.export(), &system(), standards).expect("PDF/UA-1 has nothing to say against it");
}

#[test]
fn x5_only_the_characters_that_are_used_are_in_the_file() {
    let sample = Sample::cafe();
    let file = write(&sample.export(), &system()).expect("a file");
    assert!(file.len() < 300_000, "{} bytes", file.len());
}

#[test]
fn x6_what_people_write_is_nothing_but_text_on_the_pages() {
    let (sample, marks) = filled("one\ntwo");
    let harmless = made(&sample);
    let here = said(&harmless);
    let here: Vec<_> = marks.into_iter().filter(|mark| here.contains(mark.as_str())).collect();
    assert!(here.len() > 20, "{here:?}");
    for hostile in MARKUP.into_iter().chain(HOSTILE) {
        let document = made(&filled(hostile).0);
        let mut said = said(&document);
        // A text may go on on the next page, behind its foot and the head of that one.
        let (pages, head) = (document.get_pages().len(), super::super::escape::plain(&format!("{hostile} m00")));
        for page in 1..pages {
            said = said.replace(&bare(&format!("改进计划{page}/{pages}{head}")), "");
        }
        for mark in &here {
            let whole = bare(&super::super::escape::plain(&format!("{hostile} {mark}")));
            assert!(said.contains(&whole), "{whole:?} is not in {said}");
        }
        assert!(!said.contains("root:"), "{hostile:?}");
        for kind in kinds(&document) {
            let acts =
                ["/URI", "/JS", "/JavaScript", "/Launch", "/AA", "/EmbeddedFile", "/OpenAction", "Link", "Image"];
            assert!(!acts.contains(&kind.as_str()), "{hostile:?}: {kind}");
        }
    }
}

#[test]
fn x6_without_a_font_for_it_there_is_no_document_and_no_boxes() {
    let empty = tempfile::tempdir().expect("a directory");
    let without = Fonts::new(Some(empty.path().to_owned()));
    let made = write(&Sample::cafe().export(), &without);
    assert!(matches!(&made, Err(PdfError::NoFont(missing)) if !missing.is_empty()), "{made:?}");
    // A script of no living language: no office has a font for it.
    let mut sample = Sample::cafe();
    sample.workshop.draft.purpose = "好\u{12000}".into();
    let made = write(&sample.export(), &system());
    assert!(matches!(&made, Err(PdfError::NoFont(missing)) if missing == "\u{12000}"), "{made:?}");
}

#[test]
fn x6_what_is_too_much_for_the_pages_is_counted_or_cut() {
    let mut sample = Sample::cafe();
    let note = sample.tables[0].as_ref().expect("a board").notes[0].clone();
    let numbered = |n: usize| shared::board::view::Note { id: format!("9-{n}").as_str().into(), ..note.clone() };
    sample.tables[0].as_mut().expect("a board").notes.extend((0..130).map(numbered));
    let action = &mut sample.plan.as_mut().expect("a plan").actions[0];
    action.sources =
        (0..130).map(|n| NoteRef { table: shared::id::TableId(1), note: format!("9-{n}").as_str().into() }).collect();
    action.reason = "茶".repeat(1_000_000);
    let said = said(&made(&sample));
    assert_eq!(said.matches("等了三天没人上门").count(), 100);
    assert!(said.contains(&bare("还有 30 张")) && said.contains("此处截断，全文见JSON导出〕"), "{said}");
}

#[test]
fn x6_the_largest_plan_is_made_in_time_and_says_what_it_leaves_out() {
    let mut sample = Sample::cafe();
    let actions = &mut sample.plan.as_mut().expect("a plan").actions;
    let long = "业主报修以后没有人上门，也没有人打电话。".repeat(40);
    let action = Action { reason: long.clone(), risk: long, ..actions[0].clone() };
    actions.extend((2..=1_000).map(|n| Action { id: format!("b{n}").as_str().into(), ..action.clone() }));
    let document = made(&sample);
    let said = said(&document);
    assert!(said.contains(&bare("条，见 Excel 或 JSON 导出")), "what is left out is counted");
    assert!(document.get_pages().len() > 50);
}

#[test]
fn x7_x8_x9_pages_say_what_the_other_documents_say() {
    let text = said(&made(&Sample::cafe()));
    for words in ["30 天后", "进行中", "71 %", "两栋楼都在打"] {
        assert!(text.contains(&bare(words)), "{words}: {text}");
    }
    let mut without = Sample::cafe();
    without.plan.as_mut().expect("a plan").actions.clear();
    assert!(said(&made(&without)).contains("两栋楼都在打"), "of an action that is no longer in the plan");
    let felt = Sample::felt();
    let sentence = crate::export::journey::words(Language::ZhCn).headline(felt.export().journey.as_ref().expect("one"));
    assert!(said(&made(&felt)).contains(&bare(&sentence)), "{sentence}");
    assert!(said(&made(&carrying())).contains(&bare("带自第 1 桌 “报修与投诉”、王芳、第 2 轮")));
}

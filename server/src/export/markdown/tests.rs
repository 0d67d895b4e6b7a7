use super::*;
use crate::export::sample::{HOSTILE, Sample, carrying, filled};
use shared::board::view::{NoteRef, Origin};
use shared::id::TableId;
use shared::workshop::Language;

#[test]
fn the_plan_reads_in_chinese() {
    let text = write(&Sample::cafe().export());
    let expected = "\
### A1 上门前半小时打电话

- **决定**：**已批准**：先从两栋楼试起 (陈总、2026-11-21 12:00 UTC)
- **30 天后**：**进行中** · 71 %：两栋楼都在打 (陈总、2026-11-21 12:00 UTC)
- **阶段／触点／关键时刻**：报修
- **负责人**：李雷
- **效果（1–5）**：5
- **来自主题**：上门之前
- **依据的便签**：
  - **痛点** 等了三天没人上门 (第 1 桌 “报修与投诉” · 李雷 · 第 1 轮)
- **评论**：
  - 陈总 (2026-11-21 12:00 UTC)：费用多少？
";
    assert!(text.contains(expected), "{text}");
    assert!(text.starts_with("# 业主服务旅程\n\n> 看清哪里让人着急。\n\n- **当前阶段**：评审\n"), "{text}");
}

#[test]
fn a_table_shows_its_threads_and_what_was_taken_away() {
    let text = write(&Sample::cafe().export());
    let expected = "\
### 第 1 桌：报修与投诉

> 要等多久？

- **桌主**：李雷
- **交接**：
  - **已有**：等待\\
    \\# 解释

- **痛点** 等了三天没人上门 (李雷 · 第 1 轮)
  - ↳ **想法** 维修师傅上门前先打电话 (王芳 · 第 2 轮 · ★ 2)
";
    assert!(text.contains(expected), "{text}");
    assert!(text.contains("已撤下的便签：\n\n- **问题** ~~weg damit~~"), "{text}");
}

#[test]
fn it_speaks_the_cafes_language() {
    let mut sample = Sample::cafe();
    sample.workshop.draft.language = Language::En;
    let text = write(&sample.export());
    for part in [
        "## Improvement plan",
        "**Approved**: 先从两栋楼试起",
        "Round 1 seated (2 people)",
        "| Theme | Dots |",
        "### 上门之前 (3 dots)",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("决定"), "{text}");
}

/// What a reader of Markdown makes of it, words and line breaks aside.
fn structure(text: &str) -> Vec<String> {
    use pulldown_cmark::{Event, Options, Parser};
    let events = Parser::new_ext(text, Options::all());
    let is_structure = |event: &Event<'_>| !matches!(event, Event::Text(_) | Event::HardBreak | Event::SoftBreak);
    events.filter(is_structure).map(|event| format!("{event:?}")).collect()
}

#[test]
fn h9_hostile_text_changes_nothing_of_what_a_page_is() {
    let (harmless, marks) = filled("one\ntwo");
    let harmless = write(&harmless.export());
    assert!(marks.len() > 40, "{marks:?}");
    for mark in &marks {
        assert!(harmless.contains(mark.as_str()), "{mark} is exported, or this shows nothing: {harmless}");
    }
    let expected = structure(&harmless);
    assert!(expected.len() > 100, "{expected:?}");
    for hostile in HOSTILE {
        let text = write(&filled(hostile).0.export());
        let found = structure(&text);
        let differs = found.iter().zip(&expected).position(|(found, expected)| found != expected);
        assert!(
            differs.is_none() && found.len() == expected.len(),
            "{hostile:?}: {:?} instead of {:?} in {text}",
            differs.map(|at| &found[at]),
            differs.map(|at| &expected[at])
        );
        assert!(!text.contains(['<', '\u{200b}', '\u{feff}']), "{hostile:?}: {text}");
    }
}

#[test]
fn notes_that_build_on_each_other_in_a_circle_are_all_there() {
    let mut sample = Sample::cafe();
    let board = sample.tables[0].as_mut().expect("a board");
    let last = board.notes[1].id.clone();
    board.notes[0].builds_on = Some(last);
    let export = sample.export();
    assert_eq!(threads(&export.tables[0].notes).len(), 2);
}

#[test]
fn x7_a_carried_note_says_where_it_was_carried_from() {
    let mut sample = carrying();
    let text = write(&sample.export());
    for part in [
        "- **痛点** Flur &lt;b&gt;dunkel&lt;/b&gt; (李雷 · 第 2 轮 · 带自第 1 桌 “报修与投诉”、王芳、第 2 轮)",
        "  - **痛点** Flur &lt;b&gt;dunkel&lt;/b&gt; (第 2 桌 “社区生活” · 李雷 · 第 2 轮 · 带自第 1 桌 “报修与投诉”、王芳、第 2 轮)",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    sample.workshop.draft.language = Language::En;
    sample.tables[0].as_mut().expect("a board").notes[1].deleted = true;
    let text = write(&sample.export());
    assert!(text.contains("carried from Table 1 “报修与投诉”, 王芳, Round 2, taken away"), "{text}");
    // What its carrier made up.
    let nowhere = NoteRef { table: TableId(9), note: "none".into() };
    sample.tables[1].as_mut().expect("a board").notes[0].from = Origin::new(nowhere, "老板");
    let text = write(&sample.export());
    assert!(text.contains(&format!(" · carried from Table 9, {})", words(Language::En).not_found)), "{text}");
}

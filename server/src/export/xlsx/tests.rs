use std::collections::BTreeSet;
use std::io::Cursor;

use calamine::{Data, DataType, Reader, Xlsx};

use super::*;
use crate::export::rows::CELL_CHARS;
use crate::export::sample::{HOSTILE, Sample, carrying, filled, parts};

/// As another program reads it.
fn open(file: &[u8]) -> Xlsx<Cursor<&[u8]>> {
    Xlsx::new(Cursor::new(file)).expect("a workbook")
}

/// A sheet's rows.
fn sheet(book: &mut Xlsx<Cursor<&[u8]>>, name: &str) -> Vec<Vec<Data>> {
    book.worksheet_range(name).expect(name).rows().map(<[Data]>::to_vec).collect()
}

/// All strings of all sheets.
fn strings(file: &[u8]) -> BTreeSet<String> {
    let mut book = open(file);
    let names = book.sheet_names();
    let cells = names.iter().flat_map(|name| sheet(&mut book, name).into_iter().flatten().collect::<Vec<_>>());
    cells.filter_map(|cell| cell.get_string().map(str::to_owned)).collect()
}

fn text(cell: &Data) -> &str {
    cell.get_string().unwrap_or_default()
}

#[test]
fn x3_a_workbook_holds_the_plan_the_themes_and_every_note() {
    let mut sample = Sample::cafe();
    sample.plan.as_mut().expect("a plan").actions[0].due = "2026-12-31".into();
    let file = write(&sample.export()).expect("a file");
    let mut book = open(&file);
    assert_eq!(book.sheet_names(), ["改进计划", "主题", "便签", "各桌", "评论", "关于本文件"]);

    let plan = sheet(&mut book, "改进计划");
    let cell = |head: &str| {
        let at = plan[0].iter().position(|cell| text(cell) == head).expect(head);
        plan[1][at].clone()
    };
    assert_eq!(plan.len(), 2);
    for (head, words) in [
        ("编号", "A1"),
        ("行动项", "上门前半小时打电话"),
        ("决定", "已批准"),
        ("负责人", "李雷"),
        ("依据的便签", "痛点：等了三天没人上门 (第 1 桌 “报修与投诉” · 李雷 · 第 1 轮)"),
    ] {
        assert_eq!(text(&cell(head)), words);
    }
    // Numbers are numbers and days are days: they can be reckoned with and sorted.
    assert_eq!((cell("点数").get_float(), cell("效果（1–5）").get_float()), (Some(3.0), Some(5.0)));
    for (head, day) in [("完成日期", 46_387.0), ("决定时间（UTC）", 46_347.5)] {
        assert_eq!(cell(head).get_datetime().map(|at| at.as_f64()), Some(day), "{head}");
    }

    let themes = sheet(&mut book, "主题");
    assert_eq!(
        (text(&themes[1][0]), themes[1][1].get_float(), themes[1][3].get_float()),
        ("上门之前", Some(3.0), Some(2.0))
    );

    let notes = sheet(&mut book, "便签");
    let texts: Vec<&str> = notes[1..].iter().map(|row| text(&row[5])).collect();
    assert_eq!(texts, ["等了三天没人上门", "维修师傅上门前先打电话", "Flur <b>dunkel</b>", "weg damit"]);
    let second = &notes[2];
    assert_eq!((text(&second[6]), second[3].get_float(), second[7].get_float()), ("王芳", Some(2.0), Some(1.0)));
    assert_eq!((text(&notes[4][10]), &notes[1][10]), ("是", &Data::Empty));
    assert_eq!(notes[4][1].get_float(), Some(2.0), "its table");

    let remarks = sheet(&mut book, "评论");
    assert_eq!((text(&remarks[1][0]), text(&remarks[1][2])), ("A1", "费用多少？"));
    assert_eq!((text(&remarks[2][0]), text(&remarks[2][2])), ("整个计划", "写得很清楚。"));
}

#[test]
fn x3_a_workbook_can_be_filtered_and_its_head_stays_in_view() {
    let file = write(&Sample::cafe().export()).expect("a file");
    let sheets: Vec<_> = parts(&file).into_iter().filter(|(name, _)| name.starts_with("xl/worksheets/sheet")).collect();
    assert_eq!(sheets.len(), 6);
    for (name, xml) in &sheets[..5] {
        for part in ["<autoFilter ref=\"A1:", "state=\"frozen\"", "ySplit=\"1\"", "fitToPage=\"1\""] {
            assert!(xml.contains(part), "{name}: {part}");
        }
    }
}

#[test]
fn x1_authors_are_named_where_the_cafe_shows_them_and_nowhere_else() {
    let mut sample = Sample::cafe();
    assert!(strings(&write(&sample.export()).expect("a file")).contains("王芳"));
    sample.workshop.draft.settings.show_authors = false;
    let file = write(&sample.export()).expect("a file");
    assert!(!strings(&file).iter().any(|text| text.contains("王芳") || text == "作者"));
    let notes = sheet(&mut open(&file), "便签");
    assert_eq!((text(&notes[0][6]), notes[2][6].get_float()), ("接着几号说", Some(1.0)), "the columns close up");
}

#[test]
fn x3_what_one_sheet_cannot_hold_goes_on_on_the_next() {
    let export = Sample::cafe().export();
    let file = workbook(&export, 3).expect("a file");
    let mut book = open(&file);
    assert_eq!(book.sheet_names()[2..4], ["便签", "便签 2"]);
    let (first, second) = (sheet(&mut book, "便签"), sheet(&mut book, "便签 2"));
    assert_eq!((first.len(), second.len()), (4, 2));
    assert_eq!((&second[0], text(&second[1][5])), (&first[0], "weg damit"));
}

#[test]
fn x3_what_a_cell_cannot_hold_is_cut_and_says_so() {
    let mut sample = Sample::cafe();
    let action = &mut sample.plan.as_mut().expect("a plan").actions[0];
    (action.reason, action.due) = ("😀茶".repeat(CELL_CHARS), "2026-02-30".into());
    sample.workshop.draft.title = "题".repeat(CELL_CHARS * 2);
    let file = write(&sample.export()).expect("a file");
    let cut: Vec<String> = strings(&file).into_iter().filter(|text| text.contains("此处截断")).collect();
    assert_eq!(cut.len(), 2);
    assert!(cut.iter().all(|text| text.encode_utf16().count() <= CELL_CHARS && text.ends_with('〕')));
    // What no calendar has stays as it was written.
    assert!(strings(&file).contains("2026-02-30"));
}

#[test]
fn h9_every_string_arrives_as_it_was_written_and_none_as_a_formula() {
    let (sample, marks) = filled("one\ntwo");
    let harmless = strings(&write(&sample.export()).expect("a file"));
    let here: Vec<_> = marks.into_iter().filter(|mark| harmless.contains(&format!("one\ntwo {mark}"))).collect();
    assert!(here.len() > 30, "{here:?}");
    for hostile in HOSTILE {
        let file = write(&filled(hostile).0.export()).expect("a file");
        let found = strings(&file);
        for mark in &here {
            let whole = format!("{hostile} {mark}");
            assert!(found.contains(&whole), "{whole:?} is not among {found:?}");
        }
        let mut book = open(&file);
        for name in book.sheet_names() {
            let formulas = book.worksheet_formula(&name).expect("a sheet");
            assert!(formulas.cells().all(|(_, _, formula)| formula.is_empty()), "{hostile:?} in {name}");
        }
        for (name, xml) in parts(&file) {
            let xml = roxmltree::Document::parse(&xml).unwrap_or_else(|error| panic!("{hostile:?}: {name}: {error}"));
            let live = ["f", "hyperlink", "hyperlinks", "oleObject", "ddeLink", "externalReference"];
            let found = xml.descendants().find(|node| live.contains(&node.tag_name().name()));
            assert!(found.is_none(), "{hostile:?}: {found:?} in {name}");
            assert!(xml.descendants().all(|node| node.attribute("TargetMode").is_none()), "{hostile:?}: {name}");
        }
    }
}

#[test]
fn x9_a_workbook_has_a_sheet_for_the_journey_with_numbers() {
    let file = write(&Sample::felt().export()).expect("a file");
    let mut book = open(&file);
    let rows = sheet(&mut book, "旅程感受");
    let cell = |row: usize, head: &str| {
        let at = rows[0].iter().position(|cell| text(cell) == head).expect(head);
        rows[row][at].clone()
    };
    assert_eq!(rows.len(), 3);
    let numbers = [
        ("桌", 1.0),
        ("人数", 3.0),
        ("平均", -1.0),
        ("下四分位", -1.5),
        ("中位数", -1.0),
        ("很糟", 1.0),
        ("很好", 0.0),
    ];
    for (head, number) in numbers {
        assert_eq!(cell(1, head).get_float(), Some(number), "{head}");
    }
    for head in ["低于底线", "峰值", "低谷", "终值"] {
        assert_eq!(text(&cell(1, head)), "是", "{head}");
        assert_eq!(text(&cell(2, head)), "", "{head}");
    }
    assert_eq!((text(&cell(2, "阶段")), text(&cell(2, "人数"))), ("社区生活", "不足三人"));
    assert!(strings(&file).contains("底线：0.0"));
    assert!(!open(&write(&Sample::cafe().export()).expect("a file")).sheet_names().contains(&"旅程感受".to_owned()));
}

#[test]
fn x7_a_carried_note_names_the_row_it_was_carried_from() {
    let mut sample = carrying();
    let file = write(&sample.export()).expect("a file");
    let notes = sheet(&mut open(&file), "便签");
    let carried = |notes: &[Vec<Data>], row: usize| notes[row].last().cloned().expect("a cell");
    assert_eq!(text(&carried(&notes, 0)), "带自几号");
    assert_eq!(carried(&notes, 3).get_float(), Some(2.0));
    assert_eq!((notes[2][0].get_float(), text(&notes[2][5])), (Some(2.0), "维修师傅上门前先打电话"));
    assert!([1, 2, 4].iter().all(|row| carried(&notes, *row) == Data::Empty), "{notes:?}");
    // Without authors the columns close up; what is not to be found names its table.
    sample.workshop.draft.settings.show_authors = false;
    sample.tables[0].as_mut().expect("a board").notes.pop();
    let notes = sheet(&mut open(&write(&sample.export()).expect("a file")), "便签");
    assert_eq!((text(&carried(&notes, 0)), text(&carried(&notes, 2))), ("带自几号", "第 1 桌"));
}

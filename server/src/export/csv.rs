//! The plan as a table of text, for spreadsheets: one action a row.
//!
//! As Excel on a Chinese Windows opens it without being asked anything: UTF-8 with a byte order mark, commas, CRLF. What a spreadsheet would
//! take for a formula gets an apostrophe in front (OWASP, "CSV Injection"); the workbook needs none, and is the better file where it can be read.

use super::escape::plain;
use super::plan::Export;
use super::rows::{self, Cell, fitting};
use super::words::{Words, words};
use crate::clock::utc;

/// The actions as comma-separated values.
///
/// # Errors
/// None that are known: it is written to memory.
pub fn write(export: &Export) -> Result<Vec<u8>, csv::Error> {
    let w = words(export.workshop.language);
    let table = rows::actions(export, w);
    let mut out =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer("\u{feff}".as_bytes().to_owned());
    out.write_record(table.columns.iter().map(|column| column.head))?;
    for row in table.rows {
        out.write_record(row.iter().map(|cell| written(cell, w)))?;
    }
    out.into_inner().map_err(|error| error.into_error().into())
}

fn written(cell: &Cell<'_>, w: &'static Words) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) => fitting(&inert(&plain(text)), w).into_owned(),
        Cell::Number(number) => number.to_string(),
        Cell::Decimal(number) => number.to_string(),
        Cell::Day(day) => (*day).to_owned(),
        // The head says that it is UTC; without that a spreadsheet knows it for a time.
        Cell::Time(at) => utc(*at).trim_end_matches(" UTC").to_owned(),
    }
}

/// An apostrophe before what would begin a formula: at the beginning of the cell, and of each line and behind each semicolon, for there a
/// spreadsheet that parts cells by semicolons, as in much of Europe, begins another cell.
fn inert(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    let mut begins = true;
    for c in text.chars() {
        if begins && begins_formula(c) {
            out.push('\'');
        }
        begins = matches!(c, '\n' | ';') || begins && (c.is_whitespace() || c == '"');
        out.push(c);
    }
    out
}

/// Also in the wide and small forms that Chinese input methods type, which some spreadsheets take for the same.
fn begins_formula(c: char) -> bool {
    matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '﹦' | '﹢' | '﹣' | '﹫' | '−')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::export::sample::{HOSTILE, Sample, carrying, filled};
    use shared::workshop::Language;

    /// As a reader of such files reads it: the head, and each row by its columns.
    fn read(file: &[u8]) -> (Vec<String>, Vec<BTreeMap<String, String>>) {
        let text = file.strip_prefix("\u{feff}".as_bytes()).expect("a byte order mark");
        let mut reader = csv::Reader::from_reader(text);
        let head: Vec<String> = reader.headers().expect("a head").iter().map(str::to_owned).collect();
        let rows = reader.records().map(|row| {
            let row = row.expect("as many cells as the head has");
            head.iter().cloned().zip(row.iter().map(str::to_owned)).collect()
        });
        let rows = rows.collect();
        (head, rows)
    }

    #[test]
    fn x3_each_action_is_a_row_with_all_that_is_said_of_it() {
        let mut sample = Sample::cafe();
        let file = write(&sample.export()).expect("a file");
        let (head, rows) = read(&file);
        assert_eq!(rows.len(), 1);
        for (column, cell) in [
            ("编号", "A1"),
            ("行动项", "上门前半小时打电话"),
            ("决定", "已批准"),
            ("决定的理由", "先从两栋楼试起"),
            ("决定人", "陈总"),
            ("决定时间（UTC）", "2026-11-21 12:00"),
            ("负责人", "李雷"),
            ("效果（1–5）", "5"),
            ("投入（1–5）", ""),
            ("来自主题", "上门之前"),
            ("点数", "3"),
            ("依据的便签", "痛点：等了三天没人上门 (第 1 桌 “报修与投诉” · 李雷 · 第 1 轮)"),
            ("评论", "陈总：费用多少？"),
        ] {
            assert_eq!(rows[0].get(column).map(String::as_str), Some(cell), "{column}");
        }
        assert_eq!(head.len(), 32);
        assert_eq!(file.iter().filter(|byte| **byte == b'\n').count(), 2, "a head and a row");
        assert!(file.ends_with(b"\r\n"));

        sample.workshop.draft.language = Language::En;
        let (head, _) = read(&write(&sample.export()).expect("a file"));
        assert_eq!(&head[..3], ["Ref.", "Action", "Decision"]);
    }

    #[test]
    fn x8_what_was_found_after_30_60_and_90_days_has_columns_of_its_own() {
        let (head, rows) = read(&write(&Sample::cafe().export()).expect("a file"));
        for (column, cell) in [
            ("30 天后：进展", "进行中"),
            ("30 天后：指标", "71 %"),
            ("30 天后：说明", "两栋楼都在打"),
            ("60 天后：进展", ""),
            ("90 天后：说明", ""),
            ("来自主题", "上门之前"),
        ] {
            assert_eq!(rows[0].get(column).map(String::as_str), Some(cell), "{column}: {head:?}");
        }
    }

    #[test]
    fn x7_a_source_that_was_carried_says_where_from() {
        let (_, rows) = read(&write(&carrying().export()).expect("a file"));
        let notes = &rows[0]["依据的便签"];
        assert!(notes.ends_with(" · 带自第 1 桌 “报修与投诉”、王芳、第 2 轮)"), "{notes}");
    }

    #[test]
    fn h9_no_cell_is_a_formula_however_it_is_parted() {
        let (_, harmless) = read(&write(&filled("one\ntwo").0.export()).expect("a file"));
        let here: Vec<String> = harmless[0].values().cloned().collect();
        for hostile in HOSTILE {
            let (sample, marks) = filled(hostile);
            let file = write(&sample.export()).expect("a file");
            let (_, rows) = read(&file);
            assert_eq!(rows.len(), 1, "{hostile:?}");
            let cells: Vec<&String> = rows[0].values().collect();
            for mark in marks.iter().filter(|mark| here.iter().any(|cell| cell.contains(mark.as_str()))) {
                assert!(cells.iter().any(|cell| cell.contains(mark.as_str())), "{hostile:?}: {mark}");
            }
            for cell in cells {
                for piece in cell.split(['\n', ';']) {
                    let begin = piece.trim_start_matches(|c: char| c.is_whitespace() || c == '"');
                    assert!(!begin.starts_with(begins_formula), "{hostile:?}: {cell:?}");
                }
                assert!(!cell.contains(['\t', '\r', '\u{200b}', '\u{feff}', '\0']), "{hostile:?}: {cell:?}");
            }
        }
    }

    #[test]
    fn h9_an_apostrophe_stands_before_what_begins_a_formula_and_nowhere_else() {
        for (written, inert) in [
            ("=1+1", "'=1+1"),
            ("\t=1+1", "'=1+1"),
            ("\u{3000}＝1＋1", "'＝1＋1"),
            ("\u{200b}\r@SUM(1)", "'@SUM(1)"),
            ("x;=1;y", "x;'=1;y"),
            ("x\r\n -1", "x\n '-1"),
            ("\"+1\"", "\"'+1\""),
            ("－5℃", "'－5℃"),
            ("上门前先打电话 - 别让业主等", "上门前先打电话 - 别让业主等"),
            ("a=b, c+d @ e", "a=b, c+d @ e"),
        ] {
            assert_eq!(super::inert(&plain(written)), inert, "{written:?}");
        }
    }
}

//! The café as an Excel workbook: the plan, the themes with their dots, every note, and what was said about them, a sheet each.
//!
//! What people wrote goes into cells as strings, by the one function that makes nothing else of it, and with the sign that keeps it a string
//! when somebody edits the cell. Numbers, days and times are ours, and are what they are.

use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};
use shared::id::Millis;
use shared::workshop::Language;

use super::journey;
use super::plan::Export;
use super::rows::{self, Cell, Column, Table, fitting};
use super::words::{Words, words};
use crate::clock::utc;

/// Rows of a sheet below its head; what is more goes on another sheet. A café of 2,000 tables may have more notes than Excel has rows.
const ROWS: usize = 1_048_575;

/// Letters of Latin that a head may make its column wide.
const HEAD: u16 = 16;

/// Points of a line of text.
const LINE: f64 = 14.5;

/// Points of the tallest row that Excel has.
const TALLEST: f64 = 409.0;

/// Letters of Latin that stand beside each other on a page and can still be read.
const PAGE: u16 = 200;

/// A4, as Excel numbers paper.
const A4: u8 = 9;

/// The whole café as a workbook.
///
/// # Errors
/// None that are known: every text and every sheet is kept within its bound, and it is written to memory.
pub fn write(export: &Export) -> Result<Vec<u8>, XlsxError> {
    workbook(export, ROWS)
}

fn workbook(export: &Export, rows_of_a_sheet: usize) -> Result<Vec<u8>, XlsxError> {
    let w = words(export.workshop.language);
    let mut properties = DocProperties::new().set_title(fitting(&export.workshop.title, w));
    if let Some(at) = moment(export.exported_at) {
        properties = properties.set_creation_datetime(&at);
    }
    let mut book = Workbook::new();
    book.set_properties(&properties);
    let mut book = Book { book, words: w, formats: Formats::new(export.workshop.language), rows_of_a_sheet };
    // The number and the title of an action stay in view.
    book.add(rows::actions(export, w), 2)?;
    book.add(rows::themes(export, w), 0)?;
    book.add(rows::notes(export, w), 0)?;
    if let Some(journey) = journey::table(export) {
        book.add(journey, 0)?;
    }
    book.add(rows::tables(export, w), 0)?;
    // Participants are told none.
    if rows::remarks(export, w).rows.next().is_some() {
        book.add(rows::remarks(export, w), 0)?;
    }
    book.about(export)?;
    book.book.save_to_buffer()
}

struct Book {
    book: Workbook,
    words: &'static Words,
    formats: Formats,
    rows_of_a_sheet: usize,
}

impl Book {
    /// A table on as many sheets as it needs, with so many columns that stay in view.
    fn add(&mut self, table: Table<'_>, kept: u16) -> Result<(), XlsxError> {
        let mut rows = table.rows.peekable();
        for number in 1.. {
            let name = if number == 1 { table.name.to_owned() } else { format!("{} {number}", table.name) };
            let part = rows.by_ref().take(self.rows_of_a_sheet);
            let sheet = self.book.add_worksheet().set_name(name)?;
            fill(sheet, &table.columns, table.tall, part, &self.formats, self.words)?;
            sheet.set_freeze_panes(1, kept)?;
            if kept > 0 {
                sheet.set_repeat_columns(0, kept - 1)?;
            }
            if rows.peek().is_none() {
                break;
            }
        }
        Ok(())
    }

    /// What this file is, and what is missing in it.
    fn about(&mut self, export: &Export) -> Result<(), XlsxError> {
        let (w, cafe) = (self.words, &export.workshop);
        let felt = journey::words(cafe.language);
        let lines = [
            (w.name_of_cafe, cafe.title.clone()),
            (w.purpose, cafe.purpose.clone()),
            (w.state, w.phase(cafe.phase).to_owned()),
            (w.created, utc(cafe.created_at)),
            (w.exported, utc(export.exported_at)),
            (w.people, w.people_counted(export.participants.len())),
            (w.damaged, export.damaged.join(w.comma)),
            (felt.title, export.journey.as_ref().map(|journey| felt.headline(journey)).unwrap_or_default()),
            (felt.line, export.journey.as_ref().map(|journey| felt.line_at(&journey.line)).unwrap_or_default()),
        ];
        let sheet = self.book.add_worksheet().set_name(w.about_sheet)?;
        sheet.set_column_width(0, 24)?.set_column_width(1, 80)?;
        for (row, (label, value)) in (0..).zip(lines.iter().filter(|(_, value)| !value.trim().is_empty())) {
            sheet.write_string_with_format(row, 0, *label, &self.formats.head)?;
            sheet.write_string_with_format(row, 1, fitting(value, w), &self.formats.text)?;
        }
        paper(sheet, 1);
        Ok(())
    }
}

fn fill<'a>(
    sheet: &mut Worksheet,
    columns: &[Column],
    tall: u16,
    rows: impl Iterator<Item = Vec<Cell<'a>>>,
    formats: &Formats,
    w: &'static Words,
) -> Result<(), XlsxError> {
    // The button of the filter takes the room of three letters. A head that is longer than this is of two lines.
    let heads: Vec<u16> = columns.iter().map(|column| width(column.head).saturating_add(3)).collect();
    let bounds: Vec<u16> = columns.iter().zip(&heads).map(|(column, head)| column.wide.max(*head.min(&HEAD))).collect();
    let mut widths = heads.clone();
    for ((at, column), bound) in (0..).zip(columns).zip(&bounds) {
        sheet.write_string_with_format(0, at, column.head, &formats.head)?;
        widths[usize::from(at)] = widths[usize::from(at)].min(*bound);
    }
    let head_lines = heads.iter().zip(&bounds).map(|(head, bound)| head.div_ceil(*bound)).max().unwrap_or(1);
    sheet.set_row_height(0, height(head_lines))?;
    let mut below = 0;
    for row in rows {
        below += 1;
        let mut lines = 1;
        for (((at, cell), widest), bound) in (0..).zip(&row).zip(&mut widths).zip(&bounds) {
            let size = put(sheet, below, at, cell, *bound, formats, w)?;
            *widest = (*widest).max(size.width.min(*bound));
            lines = lines.max(size.lines);
        }
        // Excel finds the height by itself, others do not.
        sheet.set_row_height(below, height(lines.min(tall)))?;
    }
    let last = u16::try_from(columns.len().saturating_sub(1)).unwrap_or(u16::MAX);
    for (at, width) in (0..).zip(&widths) {
        sheet.set_column_width(at, width.saturating_add(1))?;
    }
    if below > 0 {
        sheet.autofilter(0, 0, below, last)?;
    }
    sheet.set_repeat_rows(0, 0)?;
    let across: u16 = widths.iter().sum();
    paper(sheet, across.div_ceil(PAGE).max(1));
    Ok(())
}

/// How much room a text takes.
struct Size {
    width: u16,
    lines: u16,
}

impl Size {
    const fn line(width: u16) -> Self {
        Self { width, lines: 1 }
    }

    /// In a column of at most this width.
    fn of(text: &str, bound: u16) -> Self {
        let lines = text.lines().map(|line| width(line).div_ceil(bound).max(1)).fold(0, u16::saturating_add);
        Self { width: width(text), lines }
    }
}

/// The height of a row of so many lines, in points.
fn height(lines: u16) -> f64 {
    (f64::from(lines) * LINE + 3.0).min(TALLEST)
}

/// Writes a cell, and tells how much room it takes in a column of this width.
fn put(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: &Cell<'_>,
    bound: u16,
    formats: &Formats,
    w: &'static Words,
) -> Result<Size, XlsxError> {
    let text = |sheet: &mut Worksheet, text: &str| {
        sheet.write_string_with_format(row, column, fitting(text, w), &formats.text).map(|_| Size::of(text, bound))
    };
    match cell {
        // For its border.
        Cell::Empty => sheet.write_blank(row, column, &formats.text).map(|_| Size::line(0)),
        Cell::Text(words) => text(sheet, words),
        Cell::Number(number) => sheet
            .write_number_with_format(row, column, *number, &formats.number)
            .map(|_| Size::line(width(&number.to_string()))),
        Cell::Decimal(number) => sheet
            .write_number_with_format(row, column, *number, &formats.number)
            .map(|_| Size::line(width(&number.to_string()))),
        Cell::Day(day) => match ExcelDateTime::parse_from_str(day) {
            Ok(date) => sheet.write_datetime_with_format(row, column, date, &formats.day).map(|_| Size::line(10)),
            // No day of any year, or none that Excel knows.
            Err(_) => text(sheet, day),
        },
        Cell::Time(at) => match moment(*at) {
            Some(time) => sheet.write_datetime_with_format(row, column, time, &formats.time).map(|_| Size::line(16)),
            None => text(sheet, &utc(*at)),
        },
    }
}

fn moment(at: Millis) -> Option<ExcelDateTime> {
    ExcelDateTime::from_timestamp(i64::try_from(at / 1_000).ok()?).ok()
}

/// Landscape, so many pages wide, as long as it takes.
fn paper(sheet: &mut Worksheet, across: u16) {
    sheet
        .set_paper_size(A4)
        .set_landscape()
        .set_print_fit_to_pages(across, 0)
        .set_margins(0.4, 0.4, 0.5, 0.5, 0.3, 0.3);
}

/// Letters of Latin that the longest line of a text is wide; a Chinese character is two.
fn width(text: &str) -> u16 {
    let of = |line: &str| line.chars().map(|c| if c < '\u{1100}' { 1 } else { 2 }).sum::<usize>();
    u16::try_from(text.lines().map(of).max().unwrap_or_default()).unwrap_or(u16::MAX)
}

/// How cells look.
struct Formats {
    head: Format,
    text: Format,
    number: Format,
    day: Format,
    time: Format,
}

impl Formats {
    fn new(language: Language) -> Self {
        let font = match language {
            Language::ZhCn => "Microsoft YaHei",
            Language::En => "Calibri",
        };
        let base = || {
            Format::new()
                .set_font_name(font)
                .set_font_size(10)
                .set_align(FormatAlign::Top)
                .set_border(FormatBorder::Thin)
                .set_border_color(0xD9D9D9)
        };
        Self {
            head: base().set_bold().set_text_wrap().set_background_color(0xE8EEF4),
            // Otherwise a text that reads like a formula becomes one when somebody edits its cell.
            text: base().set_text_wrap().set_quote_prefix(),
            number: base().set_align(FormatAlign::Center),
            day: base().set_num_format("yyyy-mm-dd").set_align(FormatAlign::Left),
            time: base().set_num_format("yyyy-mm-dd hh:mm").set_align(FormatAlign::Left),
        }
    }
}

#[cfg(test)]
mod tests;

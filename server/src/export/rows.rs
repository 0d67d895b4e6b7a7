//! The model as tables, for the formats that are made of cells: what stands in which column, and nothing of how it is written.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use shared::id::{Millis, NoteId, TableId};
use shared::workshop::follow_up::AFTER_DAYS;
use shared::workshop::state::Comment;

use super::plan::{ActionPart, Export, NotePart, Source, TablePart};
use super::words::Words;

/// Characters (UTF-16 units) of one cell: Excel takes no more in a workbook, and tears a row of a text file apart for it.
pub(super) const CELL_CHARS: usize = 32_767;

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    /// Nothing.
    Empty,
    /// Words, people's or ours.
    Text(Cow<'a, str>),
    /// A number of ours.
    Number(u32),
    /// A number of ours with decimals.
    Decimal(f64),
    /// `YYYY-MM-DD`, digits wherever there is a letter; not every one of them is a day.
    Day(&'a str),
    /// A moment.
    Time(Millis),
}

/// A column: its head, and how many letters of Latin wide it may become.
pub(super) struct Column {
    pub head: &'static str,
    pub wide: u16,
}

/// A table. Its rows are made as they are read: a large café has more notes than should be held twice.
pub(super) struct Table<'a> {
    pub name: &'static str,
    pub columns: Vec<Column>,
    /// Lines of the tallest row that can still be looked over; the cell holds more than it shows then.
    pub tall: u16,
    pub rows: Box<dyn Iterator<Item = Vec<Cell<'a>>> + 'a>,
}

pub(super) fn columns<const N: usize>(all: [(&'static str, u16); N]) -> Vec<Column> {
    all.into_iter().map(|(head, wide)| Column { head, wide }).collect()
}

/// The plan: one action a row, in its order.
pub(super) fn actions<'a>(export: &'a Export, w: &'static Words) -> Table<'a> {
    let mut columns = columns([
        (w.reference, 6),
        (w.action, 36),
        (w.decision, 12),
        (w.decision_reason, 30),
        (w.decided_by, 14),
        (w.decided_at, 17),
        (w.stage, 20),
        (w.reason, 40),
        (w.accountable, 14),
        (w.helpers, 20),
        (w.due, 12),
        (w.impact, 8),
        (w.effort, 8),
        (w.kpi, 24),
        (w.baseline, 18),
        (w.target, 18),
        (w.cost, 18),
        (w.risk, 24),
        (w.status, 10),
        (w.from_themes, 24),
        (w.dots, 8),
        (w.sources, 60),
        (w.comments, 40),
    ]);
    // Behind how far an action is.
    let at = columns.iter().position(|column| column.head == w.from_themes).unwrap_or(columns.len());
    let found = w.follow_ups.into_iter().flat_map(|heads| heads.into_iter().zip([12, 18, 36]));
    columns.splice(at..at, found.map(|(head, wide)| Column { head, wide }));
    Table {
        name: w.plan,
        columns,
        // An action rests on many notes; all of them would be a page for each row.
        tall: 8,
        rows: Box::new(export.actions.iter().map(move |action| self::action(action, w))),
    }
}

fn action<'a>(action: &'a ActionPart, w: &'static Words) -> Vec<Cell<'a>> {
    let decision = action.decision.as_ref();
    let found = AFTER_DAYS.map(|days| match action.after(days) {
        Some(found) => [text(w.progress(found.progress)), text(&found.measured), text(&found.text)],
        None => [Cell::Empty, Cell::Empty, Cell::Empty],
    });
    let before = [
        text(&action.reference),
        titled(&action.title, w),
        decision.map_or(Cell::Empty, |d| text(w.verdict(d.verdict))),
        decision.map_or(Cell::Empty, |d| text(&d.reason)),
        decision.map_or(Cell::Empty, |d| text(&d.name)),
        decision.map_or(Cell::Empty, |d| Cell::Time(d.at)),
        text(&action.stage),
        text(&action.reason),
        text(&action.accountable),
        text(&action.helpers),
        day(&action.due),
        score(action.impact),
        score(action.effort),
        text(&action.kpi),
        text(&action.baseline),
        text(&action.target),
        text(&action.cost),
        text(&action.risk),
        text(w.status_of(action)),
    ];
    let behind = [
        joined(action.themes.iter().map(|title| named(title, w).to_owned()), w.comma),
        action.dots().map_or(Cell::Empty, Cell::Number),
        joined(action.sources.iter().map(|source| self::source(source, w)), "\n"),
        joined(action.comments.iter().map(|c| format!("{}{}{}", c.name, w.colon, c.text)), "\n"),
    ];
    before.into_iter().chain(found.into_iter().flatten()).chain(behind).collect()
}

/// Themes, those with most dots first, and what was voted on and is no theme any more.
pub(super) fn themes<'a>(export: &'a Export, w: &'static Words) -> Table<'a> {
    let now = export.themes.iter().map(|theme| {
        let notes = Cell::Number(count(theme.notes.len()));
        (theme.dots, vec![titled(&theme.title, w), dots(theme.dots), text(&theme.summary), notes])
    });
    let is_here = |id| export.themes.iter().any(|theme| theme.id == id);
    let voted = export.vote.iter().flat_map(|vote| &vote.themes).filter(|theme| !is_here(theme.id.clone()));
    let then = voted
        .map(|theme| (theme.dots, vec![titled(&theme.title, w), dots(theme.dots), text(w.no_theme_now), Cell::Empty]));
    let mut rows: Vec<_> = now.chain(then).collect();
    rows.sort_by_key(|(dots, _)| std::cmp::Reverse(*dots));
    Table {
        name: w.themes,
        columns: columns([(w.theme, 40), (w.dots, 8), (w.summary, 70), (w.note_count, 10)]),
        tall: u16::MAX,
        rows: Box::new(rows.into_iter().map(|(_, row)| row)),
    }
}

/// Every note of every table, in the order of writing.
pub(super) fn notes<'a>(export: &'a Export, w: &'static Words) -> Table<'a> {
    let names_authors = export.workshop.settings.show_authors;
    let mut columns = columns([
        (w.number, 8),
        (w.table_number, 8),
        (w.topic, 24),
        (w.round_number, 8),
        (w.kind_of_note, 12),
        (w.note, 60),
        (w.author, 16),
        (w.builds_on, 10),
        (w.stars, 8),
        (w.theme, 30),
        (w.taken_away_mark, 10),
        (w.written_at, 17),
        (w.carried_from, 12),
    ]);
    if !names_authors {
        columns.retain(|column| column.head != w.author);
    }
    let origins = origins(export);
    let mut before = 0;
    let tables = export.tables.iter().map(move |table| {
        let first = before + 1;
        before += count(table.notes.len());
        (first, table)
    });
    let rows = tables.flat_map(move |(first, table)| {
        let numbers: BTreeMap<&NoteId, u32> = table.notes.iter().map(|note| &note.id).zip(first..).collect();
        let origins = origins.clone();
        (first..).zip(&table.notes).map(move |(number, note)| {
            let mut row = self::note(number, table, note, &numbers, w);
            row.push(carried(note, &origins, w));
            if !names_authors {
                row.remove(6);
            }
            row
        })
    });
    Table { name: w.note_sheet, columns, tall: u16::MAX, rows: Box::new(rows) }
}

/// The numbers in this sheet of those notes that others were carried from; there are few of them.
fn origins(export: &Export) -> Rc<BTreeMap<(TableId, &NoteId), u32>> {
    let all = || export.tables.iter().flat_map(|table| table.notes.iter().map(move |note| (table.number, note)));
    let wanted: BTreeSet<_> =
        all().filter_map(|(_, note)| note.carried_from.as_ref()).map(|from| (from.table, &from.note)).collect();
    let numbered = (1..).zip(all()).map(|(number, (table, note))| ((table, &note.id), number));
    Rc::new(numbered.filter(|(at, _)| wanted.contains(at)).collect())
}

/// The number of the note it was carried from; the table alone where that is not to be found.
fn carried<'a>(note: &'a NotePart, origins: &BTreeMap<(TableId, &NoteId), u32>, w: &'static Words) -> Cell<'a> {
    let Some(from) = &note.carried_from else { return Cell::Empty };
    match origins.get(&(from.table, &from.note)) {
        Some(number) => Cell::Number(*number),
        None => Cell::Text(Cow::Owned(w.table(from.table))),
    }
}

fn note<'a>(
    number: u32,
    table: &'a TablePart,
    note: &'a NotePart,
    numbers: &BTreeMap<&NoteId, u32>,
    w: &'static Words,
) -> Vec<Cell<'a>> {
    vec![
        Cell::Number(number),
        Cell::Number(table.number.0.into()),
        text(&table.topic),
        note.round.map_or(Cell::Empty, |round| Cell::Number(round.into())),
        text(w.kind(&note.kind)),
        text(&note.text),
        note.author.as_deref().map_or(Cell::Empty, text),
        note.builds_on.as_ref().and_then(|id| numbers.get(id)).map_or(Cell::Empty, |number| Cell::Number(*number)),
        Cell::Number(count(note.stars)),
        note.theme.as_deref().map_or(Cell::Empty, |title| titled(title, w)),
        if note.deleted { text(w.yes) } else { Cell::Empty },
        Cell::Time(note.created_at),
    ]
}

/// The tables with what their hosts handed over.
pub(super) fn tables<'a>(export: &'a Export, w: &'static Words) -> Table<'a> {
    let row = |table: &'a TablePart| {
        vec![
            Cell::Number(table.number.0.into()),
            text(&table.topic),
            text(&table.question),
            table.host.as_deref().map_or(Cell::Empty, text),
            text(&table.handover.so_far),
            text(&table.handover.open),
            text(&table.handover.build_here),
            Cell::Number(count(table.notes.len())),
        ]
    };
    Table {
        name: w.table_sheet,
        columns: columns([
            (w.table_number, 8),
            (w.topic, 24),
            (w.question, 40),
            (w.host, 16),
            (w.so_far, 40),
            (w.open, 40),
            (w.build_here, 40),
            (w.note_count, 10),
        ]),
        tall: u16::MAX,
        rows: Box::new(export.tables.iter().map(row)),
    }
}

/// Comments, and decisions on and follow-ups of actions that are no longer in the plan; for those who may read them.
pub(super) fn remarks<'a>(export: &'a Export, w: &'static Words) -> Table<'a> {
    let row = |on: Cell<'a>, kind, text: &'a str, name: &'a str, at| {
        vec![on, self::text(kind), self::text(text), self::text(name), Cell::Time(at)]
    };
    let comment = move |on, c: &'a Comment| row(on, w.comment, &c.text, &c.name, c.at);
    let of_actions = export
        .actions
        .iter()
        .flat_map(move |action| action.comments.iter().map(move |c| comment(text(&action.reference), c)));
    let on_the_whole = export
        .comments
        .iter()
        .map(move |c| comment(text(if c.action.is_some() { w.no_action_now } else { w.whole_plan }), c));
    let decisions = export
        .other_decisions
        .iter()
        .map(move |d| row(text(w.no_action_now), w.verdict(d.verdict), &d.reason, &d.name, d.at));
    let found = export.other_follow_ups.iter().map(move |f| {
        let said = [w.progress(f.progress), f.measured.as_str(), f.text.as_str()];
        let said = said.into_iter().filter(|part| !part.trim().is_empty()).map(str::to_owned);
        vec![text(w.no_action_now), text(w.after(f.after_days)), joined(said, "\n"), text(&f.name), Cell::Time(f.at)]
    });
    Table {
        name: w.comments,
        columns: columns([(w.about_what, 18), (w.kind_of_note, 16), (w.said, 70), (w.name, 16), (w.said_at, 17)]),
        tall: u16::MAX,
        rows: Box::new(of_actions.chain(on_the_whole).chain(decisions).chain(found)),
    }
}

/// What a note that is referred to says, and where it comes from, on one line.
pub(super) fn source(source: &Source, w: &'static Words) -> String {
    let said = if source.kind.is_empty() { w.not_found } else { source.text.trim() };
    let said = if said.is_empty() { "…" } else { said };
    format!("{}{}{said} ({})", w.kind(&source.kind), w.colon, origin(source, w))
}

/// Where a note comes from, as far as it is known: table, author, round, where it was carried from, stars, and that it was taken away.
pub(super) fn origin(source: &Source, w: &'static Words) -> String {
    let place = format!("{} {}{}{}", w.table(source.table), w.quotes.0, source.topic.trim(), w.quotes.1);
    let round = source.round.map(|round| w.round(round));
    let stars = (source.stars > 0).then(|| format!("★ {}", source.stars));
    let carried = source.carried_from.as_ref().map(|from| w.carried(from, |text| text.trim().to_owned()));
    let gone = source.deleted.then(|| w.taken_away_mark.to_owned());
    [Some(place), source.author.clone(), round, carried, stars, gone]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" · ")
}

/// A text that fits a cell; the mark of where it was cut is within the bound.
pub(super) fn fitting<'a>(text: &'a str, w: &'static Words) -> Cow<'a, str> {
    // No character has more units than bytes.
    if text.len() <= CELL_CHARS || text.encode_utf16().count() <= CELL_CHARS {
        return Cow::Borrowed(text);
    }
    let room = CELL_CHARS - w.cut.encode_utf16().count();
    let mut units = 0;
    let fits = text.chars().take_while(|c| {
        units += c.len_utf16();
        units <= room
    });
    Cow::Owned(fits.chain(w.cut.chars()).collect())
}

/// Whether it is written `YYYY-MM-DD`.
fn is_day(text: &str) -> bool {
    text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(i, byte)| if matches!(i, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() })
}

fn day(text: &str) -> Cell<'_> {
    if is_day(text) { Cell::Day(text) } else { self::text(text) }
}

pub(super) fn text(text: &str) -> Cell<'_> {
    if text.trim().is_empty() { Cell::Empty } else { Cell::Text(Cow::Borrowed(text)) }
}

fn titled<'a>(title: &'a str, w: &'static Words) -> Cell<'a> {
    text(named(title, w))
}

fn named<'a>(title: &'a str, w: &'static Words) -> &'a str {
    if title.trim().is_empty() { w.untitled } else { title }
}

fn score(score: u8) -> Cell<'static> {
    if score == 0 { Cell::Empty } else { Cell::Number(score.into()) }
}

fn dots(dots: Option<u32>) -> Cell<'static> {
    dots.map_or(Cell::Empty, Cell::Number)
}

fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Many texts in one cell. What a cell cannot hold is not even put together: an action may rest on all notes of a café.
fn joined(texts: impl Iterator<Item = String>, between: &str) -> Cell<'static> {
    let mut all = String::new();
    for text in texts {
        if !all.is_empty() {
            all.push_str(between);
        }
        all.push_str(&text);
        // No character has more than three bytes for each unit.
        if all.len() > 3 * CELL_CHARS {
            break;
        }
    }
    if all.is_empty() { Cell::Empty } else { Cell::Text(Cow::Owned(all)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::words::words;
    use shared::workshop::Language;

    #[test]
    fn a_text_that_is_too_long_is_cut_where_a_character_ends() {
        let w = words(Language::ZhCn);
        let fits = "😀".repeat(CELL_CHARS / 2);
        assert_eq!(fitting(&fits, w), fits);
        for long in ["😀".repeat(CELL_CHARS), "茶".repeat(CELL_CHARS + 1), "x".repeat(CELL_CHARS * 9)] {
            let cut = fitting(&long, w);
            let units = cut.encode_utf16().count();
            assert!(units <= CELL_CHARS && units > CELL_CHARS - 2 && cut.ends_with(w.cut), "{units}");
        }
    }

    #[test]
    fn only_what_is_written_as_a_day_is_one() {
        assert_eq!(day("2026-12-31"), Cell::Day("2026-12-31"));
        for other in ["2026-12-3", "-2026-1231", "=026-12-31", "２０26-1", "2026-12-311", "年底"] {
            assert_eq!(day(other), Cell::Text(other.into()), "{other}");
        }
        assert_eq!(day(""), Cell::Empty);
    }

    #[test]
    fn what_no_cell_could_hold_is_not_put_together() {
        let Cell::Text(all) = joined(std::iter::repeat_n("x".repeat(1_000), usize::MAX), "\n") else {
            panic!("a text");
        };
        assert!(all.len() > CELL_CHARS && all.len() < 4 * CELL_CHARS);
    }
}

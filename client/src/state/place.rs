//! Where a new note goes on the canvas: in columns, in reading order, over nobody else's.

use shared::board::Note;

/// Width of a new note, in canvas units.
pub const WIDTH: f64 = 220.0;
/// Distance from one column to the next.
const COLUMN: f64 = 240.0;
/// Columns that are filled before going further down: what fits on a laptop at zoom 1.
const COLUMNS: u32 = 5;
/// Edge of the canvas that stays free, and the space between two notes.
const GAP: f64 = 20.0;
/// Steps in which a place is sought downwards.
const STEP: f64 = 30.0;
/// Height of a note's head and foot, and of one line of its text.
const FRAME: f64 = 96.0;
const LINE: f64 = 24.0;
/// Width of one letter; a Chinese character takes two.
const LETTER: f64 = 8.5;

/// A free place for a note with this text, just below or right of `parent` if it builds on one.
pub fn free_place(notes: &[Note], parent: Option<&Note>, text: &str) -> (f64, f64) {
    let taken: Vec<Area> = notes.iter().filter(|note| !note.deleted).map(Area::of).collect();
    let height = height(text, WIDTH);
    let free = |x: f64, y: f64| {
        let wanted = Area { x, y, w: WIDTH, h: height };
        !taken.iter().any(|area| area.meets(&wanted))
    };
    // Notes never reach lower than this, so a row there is free.
    let bottom = taken.iter().map(|area| area.y + area.h).fold(0.0, f64::max) + 2.0 * GAP;
    if let Some(parent) = parent.map(Area::of) {
        let below = parent.y + parent.h + GAP;
        let mut down = 0.0;
        loop {
            for (x, y) in
                [(parent.x + GAP, below), (parent.x + COLUMN + GAP, parent.y + GAP), (parent.x + COLUMN + GAP, below)]
            {
                if free(x, y + down) || y + down > bottom {
                    return (x, y + down);
                }
            }
            down += STEP;
        }
    }
    let mut y = GAP;
    loop {
        for column in 0..COLUMNS {
            let x = GAP + COLUMN * f64::from(column);
            if free(x, y) || y > bottom {
                return (x, y);
            }
        }
        y += STEP;
    }
}

struct Area {
    x: f64,
    y: f64,
    w: f64,
    h: f64,
}

impl Area {
    fn of(note: &Note) -> Self {
        Self { x: note.x, y: note.y, w: note.w, h: height(&note.text, note.w) }
    }

    fn meets(&self, other: &Self) -> bool {
        let apart = GAP / 2.0;
        self.x < other.x + other.w + apart
            && other.x < self.x + self.w + apart
            && self.y < other.y + other.h + apart
            && other.y < self.y + self.h + apart
    }
}

/// About how high a note of this width is.
fn height(text: &str, width: f64) -> f64 {
    let letters = ((width - 2.0 * GAP) / LETTER).max(4.0);
    let lines: f64 = text
        .split('\n')
        .map(|line| {
            let wide: u32 = line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
            (f64::from(wide) / letters).ceil().max(1.0)
        })
        .sum();
    FRAME + LINE * lines.max(2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(x: f64, y: f64, text: &str) -> Note {
        Note { x, y, w: WIDTH, text: text.to_owned(), ..Note::default() }
    }

    #[test]
    fn notes_fill_columns_in_reading_order() {
        let mut notes = Vec::new();
        for _ in 0..6 {
            let (x, y) = free_place(&notes, None, "想法");
            notes.push(note(x, y, "想法"));
        }
        let rows: Vec<_> = notes.iter().map(|note| (note.x, note.y)).collect();
        assert_eq!(rows[..5], [(20.0, 20.0), (260.0, 20.0), (500.0, 20.0), (740.0, 20.0), (980.0, 20.0)]);
        assert_eq!(rows[5].0, 20.0);
        assert!(rows[5].1 > 20.0 + FRAME);
    }

    #[test]
    fn a_note_that_builds_on_another_lies_beside_it() {
        let parent = note(500.0, 400.0, "停车");
        let first = free_place(std::slice::from_ref(&parent), Some(&parent), "对，而且");
        assert_eq!(first.0, 520.0);
        assert!(first.1 > 400.0 + FRAME && first.1 < 600.0);
        let notes = [parent.clone(), note(first.0, first.1, "对，而且")];
        assert_eq!(free_place(&notes, Some(&parent), "再一条"), (760.0, 420.0));
    }

    #[test]
    fn no_two_notes_lie_on_each_other() {
        let mut notes: Vec<Note> = Vec::new();
        for i in 0..60_usize {
            let text = "字".repeat(i * 7 % 200);
            let parent = (i % 3 == 2).then(|| notes[i / 2].clone());
            let (x, y) = free_place(&notes, parent.as_ref(), &text);
            let new = note(x, y, &text);
            assert!(notes.iter().all(|other| !Area::of(other).meets(&Area::of(&new))), "note {i}");
            notes.push(new);
        }
    }

    #[test]
    fn deleted_notes_give_their_place_up() {
        let gone = Note { deleted: true, ..note(20.0, 20.0, "") };
        assert_eq!(free_place(&[gone], None, ""), (20.0, 20.0));
    }
}

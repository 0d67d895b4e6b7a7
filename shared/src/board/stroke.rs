//! A line drawn on the cloth. Inside [`root::STROKES`](super::doc::root::STROKES) each is one plain value under its id: nobody edits a line, it is
//! drawn once, and taken away as a whole.
//!
//! Its bytes: `01`, the pen, the width, then the points, each as two lib0 varUints that hold zigzag numbers in half canvas units, the first from
//! the origin and each further one from the one before. A line of a second takes some 60 bytes so.

use yrs::{Any, Map, Out, ReadTxn, TransactionMut};

use super::doc::TableRoots;
use super::view::{Pen, Stroke};
use crate::id::StrokeId;
use crate::limits;
use crate::wire::lib0::{Reader, Writer};

const VERSION: u8 = 1;
/// Steps in a canvas unit.
const STEPS: f64 = 2.0;
/// Farther out nothing is drawn, in steps.
const FAR: i64 = 1 << 24;

/// Draws a line. Does nothing if its id is taken.
pub fn create(txn: &mut TransactionMut, roots: &TableRoots, stroke: &Stroke) {
    if !roots.strokes.contains_key(txn, stroke.id.as_str()) {
        roots.strokes.insert(txn, stroke.id.as_str(), Any::Buffer(encode(stroke).into()));
    }
}

/// Takes a line away.
pub fn remove(txn: &mut TransactionMut, roots: &TableRoots, id: &StrokeId) {
    roots.strokes.remove(txn, id.as_str());
}

/// Reads a line. None if there is no such line, or what is there cannot be drawn.
pub fn read<T: ReadTxn>(txn: &T, roots: &TableRoots, id: &StrokeId) -> Option<Stroke> {
    read_value(&roots.strokes.get(txn, id.as_str())?, id.as_str())
}

/// All lines that can be drawn, sorted by id.
pub(super) fn read_all<T: ReadTxn>(txn: &T, roots: &TableRoots) -> Vec<Stroke> {
    let mut lines: Vec<_> = roots.strokes.iter(txn).filter_map(|(id, value)| read_value(&value, id)).collect();
    lines.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    lines
}

fn read_value(value: &Out, id: &str) -> Option<Stroke> {
    match value {
        Out::Any(Any::Buffer(bytes)) => decode(bytes, id),
        _ => None,
    }
}

fn encode(stroke: &Stroke) -> Vec<u8> {
    let mut writer = Writer::with_capacity(3 + 2 * stroke.points.len());
    writer.byte(VERSION).byte(stroke.pen as u8).byte(stroke.width);
    let mut before = (0, 0);
    for (x, y) in stroke.points.iter().take(limits::STROKE_POINTS) {
        let now = (steps(*x), steps(*y));
        writer.var_uint(zigzag(now.0 - before.0)).var_uint(zigzag(now.1 - before.1));
        before = now;
    }
    writer.into_bytes()
}

fn decode(bytes: &[u8], id: &str) -> Option<Stroke> {
    let mut reader = Reader::new(bytes);
    if reader.byte().ok()? != VERSION {
        return None;
    }
    let pen = Pen::of(reader.byte().ok()?);
    let width = reader.byte().ok()?.clamp(1, limits::STROKE_WIDTH);
    let mut points = Vec::new();
    let (mut x, mut y) = (0_i64, 0_i64);
    while !reader.is_empty() && points.len() < limits::STROKE_POINTS {
        x = x.saturating_add(unzigzag(reader.var_uint().ok()?));
        y = y.saturating_add(unzigzag(reader.var_uint().ok()?));
        if x.abs() > FAR || y.abs() > FAR {
            return None;
        }
        points.push((x as f64 / STEPS, y as f64 / STEPS));
    }
    (!points.is_empty()).then(|| Stroke { id: id.into(), pen, width, points })
}

fn steps(units: f64) -> i64 {
    // The cast takes what is no number for 0.
    ((units * STEPS).round() as i64).clamp(-FAR, FAR)
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests {
    use yrs::Transact;

    use super::*;
    use crate::board::{new_doc, table_board};

    fn line(points: &[(f64, f64)]) -> Stroke {
        Stroke { id: "1-1".into(), pen: Pen::Coffee, width: 4, points: points.to_vec() }
    }

    #[test]
    fn b27_a_line_is_one_value_and_read_as_it_was_drawn() {
        let doc = new_doc(1);
        let roots = TableRoots::of(&doc);
        let drawn = line(&[(10.5, -3.0), (11.0, 400.0), (-2000.0, 0.5)]);
        create(&mut doc.transact_mut(), &roots, &drawn);
        create(&mut doc.transact_mut(), &roots, &line(&[(0.0, 0.0)]));
        assert_eq!(table_board(&doc).strokes, [drawn], "an id is taken once");
        remove(&mut doc.transact_mut(), &roots, &"1-1".into());
        assert_eq!(table_board(&doc).strokes, []);
    }

    #[test]
    fn b27_nonsense_is_not_drawn_and_costs_nothing_else() {
        let doc = new_doc(1);
        let roots = TableRoots::of(&doc);
        let far = (0..40).fold(Writer::new().byte(VERSION).byte(0).byte(1).bytes().to_vec(), |mut bytes, _| {
            bytes.extend([0xff, 0xff, 0xff, 0x0f, 0]);
            bytes
        });
        let values: [(&str, Any); 7] = [
            ("text", Any::from("a line?")),
            ("empty", Any::Buffer(vec![].into())),
            ("other", Any::Buffer(vec![9, 0, 1, 2, 2].into())),
            ("pointless", Any::Buffer(vec![VERSION, 0, 1].into())),
            ("half", Any::Buffer(vec![VERSION, 0, 1, 2].into())),
            ("far", Any::Buffer(far.into())),
            ("good", Any::Buffer(vec![VERSION, 200, 255, 2, 2].into())),
        ];
        let mut txn = doc.transact_mut();
        for (id, value) in values {
            roots.strokes.insert(&mut txn, id, value);
        }
        drop(txn);
        let strokes = table_board(&doc).strokes;
        assert_eq!(strokes.len(), 1);
        let good = Stroke { id: "good".into(), pen: Pen::Ink, width: limits::STROKE_WIDTH, points: vec![(0.5, 0.5)] };
        assert_eq!(strokes[0], good, "a pen of tomorrow is drawn with today's");
    }

    #[test]
    fn b27_what_is_no_number_is_drawn_at_the_origin() {
        let wild = line(&[(f64::NAN, 1.0), (f64::INFINITY, f64::NEG_INFINITY), (0.0, 0.0)]);
        let read = decode(&encode(&wild), "x").expect("a line");
        assert_eq!(read.points[0], (0.0, 1.0));
        let far = FAR as f64 / STEPS;
        assert_eq!(read.points[1], (far, -far));
    }
}

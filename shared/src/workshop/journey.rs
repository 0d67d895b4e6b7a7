//! How a journey felt: each table is a stage of it, in their order, and people say how each one feels.
//!
//! What stays of an experience is its most intense moment and its end, hardly how long it was or what it was on average: the peak-end rule
//! (Kahneman, Fredrickson, Schreiber and Redelmeier, *When More Pain Is Preferred to Less: Adding a Better End*, Psychological Science 4,
//! 1993). So a journey is read here by its peak, its trough and its end, and by the line that no stage is to fall below.

use serde::{Deserialize, Serialize};

use super::state::Workshop;
use crate::id::{ActorId, TableId};
use crate::limits;

/// The lowest score, for what feels bad. The highest is as far above 0.
pub const SCORE_MIN: i8 = -2;
/// The highest score, for what feels very good.
pub const SCORE_MAX: i8 = 2;
/// The lowest level of the line, in tenths: where the lowest score is.
pub const LEVEL_MIN: i8 = 10 * SCORE_MIN;
/// The highest level of the line, in tenths.
pub const LEVEL_MAX: i8 = 10 * SCORE_MAX;

/// How many gave each score, the lowest first.
pub type Counts = [u32; 5];

/// What the feeling must not fall below.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Line {
    /// What the facilitator calls it; empty for what it is called in the reader's language.
    pub label: String,
    /// Where it lies, in tenths of a score: -20 to 20.
    pub level: i8,
}

/// One stage with enough scores.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// The table it is.
    pub table: TableId,
    /// How many people gave a score.
    pub scores: u64,
    /// The mean of their scores.
    pub mean: f64,
    /// A quarter of the scores lie below: as the quartiles that Excel's `QUARTILE.INC` gives, so that a workbook says the same.
    pub lower: f64,
    /// Half of them lie below.
    pub median: f64,
    /// Three quarters of them lie below.
    pub upper: f64,
}

/// A whole journey.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Journey {
    /// The stages in order, those with too few scores left out.
    pub stages: Vec<Stage>,
    /// Place in `stages` of the highest mean; of several the first.
    pub peak: usize,
    /// Place of the lowest mean; of several the first.
    pub trough: usize,
    /// Tables of the stages below the line, in order.
    pub below: Vec<TableId>,
}

/// What can be said of a journey in one sentence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Headline<'a> {
    /// No stage has enough scores.
    Nothing,
    /// One has.
    One(&'a Stage),
    /// All feel the same, as far as a tenth shows.
    Even(&'a Stage),
    /// There are ups and downs.
    Curve {
        /// Where it feels best.
        peak: &'a Stage,
        /// Where it feels worst.
        trough: &'a Stage,
        /// How it ends: the last stage with enough scores.
        end: &'a Stage,
    },
}

impl Stage {
    /// One stage; none if nobody gave a score.
    fn new(table: TableId, counts: &Counts) -> Option<Self> {
        let scores: u64 = counts.iter().map(|count| u64::from(*count)).sum();
        let sum: i64 = (i64::from(SCORE_MIN)..).zip(counts).map(|(score, count)| score * i64::from(*count)).sum();
        (scores > 0).then(|| Self {
            table,
            scores,
            // Both are far below what a float tells apart, so equal means are equal floats.
            mean: sum as f64 / scores as f64,
            lower: quantile(counts, scores, 1),
            median: quantile(counts, scores, 2),
            upper: quantile(counts, scores, 3),
        })
    }

    /// The mean in tenths, as people read it: whatever is said of it is said of this.
    pub fn tenths(&self) -> i32 {
        // Between -20 and 20.
        (self.mean * 10.0).round() as i32
    }
}

/// So many quarters of the scores lie below; between two scores by proportion.
fn quantile(counts: &Counts, scores: u64, quarters: u64) -> f64 {
    let at = (scores - 1) * quarters;
    let (low, high) = (nth(counts, at / 4), nth(counts, at.div_ceil(4)));
    low + (high - low) * (at % 4) as f64 / 4.0
}

/// The score at a place of the sorted ones, from 0.
fn nth(counts: &Counts, place: u64) -> f64 {
    let mut passed = 0;
    let found = (SCORE_MIN..).zip(counts).find(|(_, count)| {
        passed += u64::from(**count);
        passed > place
    });
    f64::from(found.map_or(SCORE_MAX, |(score, _)| score))
}

impl Journey {
    /// The journey through all tables, in order, with the line at a level in tenths. `None` stands for a table with too few scores.
    pub fn new(counts: &[Option<Counts>], level: i8) -> Self {
        let stages: Vec<Stage> =
            (1..).map(TableId).zip(counts).filter_map(|(table, counts)| Stage::new(table, counts.as_ref()?)).collect();
        let (mut peak, mut trough) = (0, 0);
        for (at, stage) in stages.iter().enumerate() {
            if stage.mean > stages[peak].mean {
                peak = at;
            }
            if stage.mean < stages[trough].mean {
                trough = at;
            }
        }
        let below = stages.iter().filter(|stage| stage.tenths() < i32::from(level)).map(|stage| stage.table).collect();
        Self { stages, peak, trough, below }
    }

    /// A table's stage, if it has enough scores.
    pub fn stage(&self, table: TableId) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.table == table)
    }

    /// What stays of it.
    pub fn headline(&self) -> Headline<'_> {
        match (self.stages.get(self.peak), self.stages.get(self.trough), self.stages.last()) {
            (Some(stage), ..) if self.stages.len() == 1 => Headline::One(stage),
            (Some(peak), Some(trough), _) if peak.tenths() == trough.tenths() => Headline::Even(peak),
            (Some(peak), Some(trough), Some(end)) => Headline::Curve { peak, trough, end },
            _ => Headline::Nothing,
        }
    }

    /// Whether a table's stage is below the line.
    pub fn is_below(&self, table: TableId) -> bool {
        self.below.contains(&table)
    }
}

/// Tenths as people read them: `1.6`, `−0.3`.
pub fn tenths_text(tenths: i32) -> String {
    let sign = if tenths < 0 { "−" } else { "" };
    let tenths = tenths.unsigned_abs();
    format!("{sign}{}.{}", tenths / 10, tenths % 10)
}

impl Workshop {
    /// How many gave each score, for every table in order. Fewer than [`limits::FEELINGS_SHOWN`] are told to nobody.
    pub fn stages(&self) -> Vec<Option<Counts>> {
        self.table_ids()
            .map(|table| {
                let scores = self.feelings.scores.get(&table)?;
                let mut counts = Counts::default();
                for score in scores.values() {
                    let place = usize::try_from(i16::from(*score) - i16::from(SCORE_MIN)).ok();
                    if let Some(count) = place.and_then(|place| counts.get_mut(place)) {
                        *count += 1;
                    }
                }
                (scores.len() >= limits::FEELINGS_SHOWN).then_some(counts)
            })
            .collect()
    }

    /// What somebody said of a table.
    pub fn score_of(&self, person: &ActorId, table: TableId) -> Option<i8> {
        self.feelings.scores.get(&table)?.get(person).copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn journey(counts: &[Counts], level: i8) -> Journey {
        Journey::new(&counts.iter().copied().map(Some).collect::<Vec<_>>(), level)
    }

    #[test]
    fn p24_peak_trough_end_and_the_line_are_found() {
        // Means: 0.4, 1.6, too few, -1.2, 0.4.
        let counts = [[0, 0, 3, 2, 0], [0, 0, 0, 2, 3], [9; 5], [2, 2, 1, 0, 0], [0, 1, 2, 1, 1]];
        let mut counts = counts.map(Some);
        counts[2] = None;
        let journey = Journey::new(&counts, 4);
        let tenths: Vec<_> = journey.stages.iter().map(|stage| (stage.table.0, stage.tenths())).collect();
        assert_eq!(tenths, [(1, 4), (2, 16), (4, -12), (5, 4)]);
        assert_eq!(journey.below, [TableId(4)], "what lies on the line is not below it");
        let Headline::Curve { peak, trough, end } = journey.headline() else { panic!("{journey:?}") };
        assert_eq!((peak.table, trough.table, end.table), (TableId(2), TableId(4), TableId(5)));
        assert_eq!((trough.lower, trough.median, trough.upper), (-2.0, -1.0, -1.0));
    }

    #[test]
    fn ties_go_to_the_first_and_what_is_level_has_no_peak() {
        let [good, bad] = [[0, 0, 0, 0, 4], [4, 0, 0, 0, 0]];
        let tied = journey(&[good, bad, good, bad], 0);
        assert_eq!((tied.peak, tied.trough), (0, 1));
        assert_eq!(
            tied.headline(),
            Headline::Curve { peak: &tied.stages[0], trough: &tied.stages[1], end: &tied.stages[3] }
        );
        let level = journey(&[good, good], 0);
        assert_eq!(level.headline(), Headline::Even(&level.stages[0]));
        let one = journey(&[good], 0);
        assert_eq!(one.headline(), Headline::One(&one.stages[0]));
        assert_eq!(journey(&[], 0).headline(), Headline::Nothing);
        assert_eq!(journey(&[[0; 5]], 0).headline(), Headline::Nothing);
    }

    #[test]
    fn tenths_read_as_numbers_do() {
        let texts: Vec<String> = [16, -12, -3, 0, 20, -20].into_iter().map(tenths_text).collect();
        assert_eq!(texts, ["1.6", "−1.2", "−0.3", "0.0", "2.0", "−2.0"]);
        // A mean that rounds to nothing has no sign, and is not below a line at nothing.
        let journey = journey(&[[0, 1, 99, 0, 0]], 0);
        assert_eq!((tenths_text(journey.stages[0].tenths()).as_str(), journey.below.len()), ("0.0", 0));
    }

    proptest! {
        /// Whatever people said: found by looking through all sorted scores, as one would by hand.
        #[test]
        fn the_journey_is_what_counting_by_hand_gives(
            counts in prop::collection::vec(prop::option::of(prop::array::uniform5(0u32..9)), 0..12),
            level in LEVEL_MIN..=LEVEL_MAX,
        ) {
            let journey = Journey::new(&counts, level);
            let by_hand: Vec<(TableId, Vec<f64>)> = (1..)
                .map(TableId)
                .zip(&counts)
                .filter_map(|(table, counts)| {
                    let scores = (-2..).zip(counts.as_ref()?).flat_map(|(score, n)| vec![f64::from(score); *n as usize]);
                    Some((table, scores.collect()))
                })
                .filter(|(_, scores): &(TableId, Vec<f64>)| !scores.is_empty())
                .collect();
            prop_assert_eq!(journey.stages.len(), by_hand.len());
            for (stage, (table, scores)) in journey.stages.iter().zip(&by_hand) {
                prop_assert_eq!((stage.table, stage.scores), (*table, scores.len() as u64));
                prop_assert!((stage.mean - scores.iter().sum::<f64>() / scores.len() as f64).abs() < 1e-9);
                let quartile = |part: f64| {
                    let at = (scores.len() - 1) as f64 * part;
                    let (low, high) = (scores[at.floor() as usize], scores[at.ceil() as usize]);
                    low + (high - low) * at.fract()
                };
                for (found, part) in [(stage.lower, 0.25), (stage.median, 0.5), (stage.upper, 0.75)] {
                    prop_assert!((found - quartile(part)).abs() < 1e-9);
                }
                prop_assert!(-2.0 <= stage.lower && stage.lower <= stage.median);
                prop_assert!(stage.median <= stage.upper && stage.upper <= 2.0);
                prop_assert_eq!(journey.is_below(*table), stage.tenths() < i32::from(level));
            }
            let Some(last) = journey.stages.len().checked_sub(1) else {
                prop_assert_eq!(journey.headline(), Headline::Nothing);
                return Ok(());
            };
            let (peak, trough) = (&journey.stages[journey.peak], &journey.stages[journey.trough]);
            for (at, stage) in journey.stages.iter().enumerate() {
                prop_assert!(stage.mean <= peak.mean && stage.mean >= trough.mean);
                prop_assert!(at >= journey.peak || stage.mean < peak.mean, "the first of the highest");
                prop_assert!(at >= journey.trough || stage.mean > trough.mean, "the first of the lowest");
            }
            if let Headline::Curve { end, .. } = journey.headline() {
                prop_assert_eq!(end, &journey.stages[last]);
            }
        }
    }
}

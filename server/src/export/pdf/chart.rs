//! The effort-impact chart: a square of five by five, and on it a numbered dot for each action that has been rated.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use super::super::plan::ActionPart;
use super::super::words::Words;
use super::pen::Pen;

/// Dots that one square shows before they are too small to read; then the last of them says how many more there are.
const CROWD: usize = 9;

/// Actions that are named beside the chart; the table below it names them all.
const NAMED: usize = 8;

/// Ratings that are told in words, for those who do not see the chart.
const SPOKEN: usize = 100;

/// The chart and what stands beside it.
#[derive(Debug, Serialize)]
pub(super) struct Chart {
    effort: &'static str,
    impact: &'static str,
    quarters: [&'static str; 4],
    dots: Vec<Dot>,
    /// The same in words.
    spoken: String,
    begin: &'static str,
    /// Reference, title and rating, what brings most for least first.
    named: Vec<[String; 3]>,
    /// Those that nobody has rated.
    unrated: Option<String>,
}

/// A dot, in squares from the top left corner.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Dot {
    x: f64,
    y: f64,
    radius: f64,
    label: String,
}

/// The chart of a plan in which something has been rated.
pub(super) fn chart(actions: &[ActionPart], w: &'static Words, pen: &mut Pen<'_>) -> Option<Chart> {
    let (mut rated, unrated): (Vec<&ActionPart>, Vec<_>) = actions.iter().partition(|action| is_rated(action));
    if rated.is_empty() {
        return None;
    }
    let dots = place(&rated);
    let spoken =
        rated.iter().take(SPOKEN).map(|a| format!("{}{}{}", a.reference, w.colon, w.rated(a.effort, a.impact)));
    let spoken = format!("{}{}{}", w.chart, w.colon, spoken.collect::<Vec<_>>().join("; "));
    // Stable: of equal ones that first which is first in the plan.
    rated.sort_by_key(|action| (Reverse(action.impact), action.effort));
    let named = rated
        .iter()
        .take(NAMED)
        .map(|action| [action.reference.clone(), pen.title(&action.title), w.rated(action.effort, action.impact)]);
    let named = named.collect();
    let unrated = unrated.iter().take(SPOKEN).map(|action| action.reference.as_str()).collect::<Vec<_>>().join(w.comma);
    Some(Chart {
        effort: w.axis_effort,
        impact: w.axis_impact,
        quarters: w.quarters,
        dots,
        spoken,
        begin: w.where_to_begin,
        named,
        unrated: (!unrated.is_empty()).then(|| format!("{}{}{unrated}", w.unrated, w.colon)),
    })
}

fn is_rated(action: &ActionPart) -> bool {
    (1..=5).contains(&action.effort) && (1..=5).contains(&action.impact)
}

/// Those of one square share it, side by side and smaller, so that none hides another.
fn place(rated: &[&ActionPart]) -> Vec<Dot> {
    let mut squares: BTreeMap<(u8, u8), Vec<&str>> = BTreeMap::new();
    for action in rated {
        squares.entry((action.effort, action.impact)).or_default().push(&action.reference);
    }
    let dots = squares.into_iter().flat_map(|((effort, impact), references)| {
        let mut labels: Vec<_> = references.iter().take(CROWD).map(|reference| (*reference).to_owned()).collect();
        if references.len() > CROWD {
            labels.truncate(CROWD - 1);
            labels.push(format!("+{}", references.len() - labels.len()));
        }
        let columns = (1..).find(|n| n * n >= labels.len()).unwrap_or(1);
        let lines = labels.len().div_ceil(columns);
        let cell = 1.0 / columns as f64;
        // The lines stand in the middle of the square, the columns fill it.
        let top = (1.0 - lines as f64 * cell) / 2.0;
        labels.into_iter().enumerate().map(move |(nth, label)| Dot {
            x: f64::from(effort) - 1.0 + (nth % columns) as f64 * cell + cell / 2.0,
            y: 5.0 - f64::from(impact) + top + (nth / columns) as f64 * cell + cell / 2.0,
            radius: (cell * 0.46).min(0.28),
            label,
        })
    });
    dots.collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::sample::Sample;
    use super::*;

    fn actions(ratings: &[(u8, u8)]) -> Vec<ActionPart> {
        let one = Sample::cafe().export().actions.remove(0);
        let rated = |(n, (effort, impact)): (usize, &(u8, u8))| ActionPart {
            reference: format!("A{}", n + 1),
            effort: *effort,
            impact: *impact,
            ..one.clone()
        };
        ratings.iter().enumerate().map(rated).collect()
    }

    #[test]
    fn x5_no_dot_hides_another_and_all_lie_on_the_chart() {
        for crowd in 1..=30 {
            let mut ratings = vec![(2, 4); crowd];
            ratings.extend([(1, 1), (5, 5), (1, 4), (3, 4), (2, 5), (2, 3)]);
            let all = actions(&ratings);
            let dots = place(&all.iter().collect::<Vec<_>>());
            assert_eq!(dots.len(), crowd.min(CROWD) + 6);
            for (i, a) in dots.iter().enumerate() {
                assert!(a.x > a.radius && a.x < 5.0 - a.radius && a.y > a.radius && a.y < 5.0 - a.radius, "{a:?}");
                for b in &dots[i + 1..] {
                    assert!((a.x - b.x).hypot(a.y - b.y) > a.radius + b.radius, "{a:?} and {b:?}");
                }
            }
            let rest = dots.iter().any(|dot| dot.label == format!("+{}", crowd.saturating_sub(CROWD - 1)));
            assert_eq!(rest, crowd > CROWD, "what is not shown is counted");
        }
    }

    #[test]
    fn x5_little_effort_is_left_and_much_impact_is_above() {
        let all = actions(&[(1, 5), (0, 3), (3, 0), (6, 2)]);
        let rated: Vec<_> = all.iter().filter(|action| is_rated(action)).collect();
        assert_eq!(place(&rated), [Dot { x: 0.5, y: 0.5, radius: 0.28, label: "A1".into() }]);
    }
}

//! The effort-impact chart: where to begin. Numbered dots in four quarters, and beside it the same in words.

use std::collections::BTreeMap;

use leptos::prelude::*;
use shared::id::ActionId;

use crate::i18n::{t_string, use_i18n};
use crate::pages::plan::action_block::title_or;
use crate::pages::plan::reference;
use crate::platform;
use crate::state::board::Board;

/// Side of the whole picture, in its own units.
const SIDE: f64 = 340.0;
/// Room for the words along the axes, left and below.
const EDGE: f64 = 30.0;
/// Room on the other two sides.
const RIM: f64 = 2.0;
/// Side of one of the 25 squares.
const SQUARE: f64 = (SIDE - EDGE - RIM) / 5.0;
/// Radius of a dot that has its square to itself.
const RADIUS: f64 = 14.0;

/// One action of the plan, as the chart needs it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Row {
    id: ActionId,
    reference: String,
    title: String,
    effort: u8,
    impact: u8,
}

/// One rated action on the chart.
#[derive(Clone, Debug, PartialEq)]
struct Dot {
    reference: String,
    title: String,
    x: f64,
    y: f64,
    radius: f64,
}

/// The chart of a plan, with a list of its actions; a press on one leads to it.
#[component]
pub fn EffortImpact(
    /// The plan board.
    plan: Board,
) -> impl IntoView {
    let i18n = use_i18n();
    let ids = plan.action_ids();
    let rows = Memo::new(move |_| {
        ids.with(|ids| {
            let row = |(place, id): (usize, &ActionId)| {
                let action = plan.action(id)?;
                Some(action.with(|action| Row {
                    id: id.clone(),
                    reference: reference(place),
                    title: title_or(i18n, action),
                    effort: action.effort,
                    impact: action.impact,
                }))
            };
            ids.iter().enumerate().filter_map(row).collect::<Vec<_>>()
        })
    });
    let dots = Memo::new(move |_| rows.with(|rows| place(rows)));
    let spoken = move || {
        rows.with(|rows| {
            let rated = rows.iter().filter(|row| row.effort > 0 && row.impact > 0);
            let words = rated.map(|row| {
                t_string!(i18n, plan.dot, reference = row.reference.clone(), effort = row.effort, impact = row.impact)
                    .to_string()
            });
            std::iter::once(t_string!(i18n, plan.chart).to_string()).chain(words).collect::<Vec<_>>().join("; ")
        })
    };
    view! {
        <figure class="chart" aria-label=move || t_string!(i18n, plan.chart).to_string()>
            <Plot dots spoken=Signal::derive(spoken) />
            <ol class="chart-list">
                <For each=move || rows.get() key=Clone::clone let:row>
                    <Line row />
                </For>
            </ol>
        </figure>
    }
}

#[component]
fn Plot(dots: Memo<Vec<Dot>>, spoken: Signal<String>) -> impl IntoView {
    let i18n = use_i18n();
    let (left, right, top, bottom) = (EDGE, SIDE - RIM, RIM, SIDE - EDGE);
    let (middle, centre) = (f64::midpoint(left, right), f64::midpoint(top, bottom));
    view! {
        <svg class="chart-plot" viewBox=format!("0 0 {SIDE} {SIDE}") role="img" aria-label=move || spoken.get()>
            <rect class="chart-win" x=left y=top width={middle - left} height={centre - top} />
            <rect class="chart-field" x=left y=top width={right - left} height={bottom - top} />
            <line class="chart-line" x1=middle x2=middle y1=top y2=bottom />
            <line class="chart-line" x1=left x2=right y1=centre y2=centre />
            <text class="chart-quarter" x={left + 8.0} y={top + 20.0}>
                {move || t_string!(i18n, plan.quick_wins).to_string()}
            </text>
            <text class="chart-quarter" x={right - 8.0} y={top + 20.0} text-anchor="end">
                {move || t_string!(i18n, plan.big_bets).to_string()}
            </text>
            <text class="chart-quarter" x={left + 8.0} y={bottom - 9.0}>
                {move || t_string!(i18n, plan.small_steps).to_string()}
            </text>
            <text class="chart-quarter" x={right - 8.0} y={bottom - 9.0} text-anchor="end">
                {move || t_string!(i18n, plan.rethink).to_string()}
            </text>
            <text class="chart-axis" x=middle y={SIDE - 8.0} text-anchor="middle">
                {move || t_string!(i18n, plan.axis_effort).to_string()}
            </text>
            <text class="chart-axis" x={-centre} y=19 text-anchor="middle" transform="rotate(-90)">
                {move || t_string!(i18n, plan.axis_impact).to_string()}
            </text>
            {move || {
                dots.get()
                    .into_iter()
                    .map(|dot| {
                        view! {
                            <g class="chart-dot">
                                <title>{format!("{} {}", dot.reference, dot.title)}</title>
                                <circle cx=dot.x cy=dot.y r=dot.radius />
                                <text x=dot.x y={dot.y + dot.radius * 0.32} text-anchor="middle" font-size={dot.radius * 0.93}>
                                    {dot.reference}
                                </text>
                            </g>
                        }
                    })
                    .collect_view()
            }}
        </svg>
    }
}

#[component]
fn Line(row: Row) -> impl IntoView {
    let i18n = use_i18n();
    let Row { id, reference, title, effort, impact } = row;
    view! {
        <li>
            <button
                type="button"
                class="chart-line-button"
                on:click=move |_| platform::reveal(&format!("action-{id}"))
            >
                <span class="action-reference figures">{reference}</span>
                <span class="chart-title">{title}</span>
                <span class="quiet small figures">
                    {move || {
                        if effort > 0 && impact > 0 {
                            t_string!(i18n, review.rated, effort = effort, impact = impact).to_string()
                        } else {
                            t_string!(i18n, plan.unrated).to_string()
                        }
                    }}
                </span>
            </button>
        </li>
    }
}

/// Places rated actions. Those of one square share it, side by side and smaller, so that none hides another.
fn place(rows: &[Row]) -> Vec<Dot> {
    let rated = || rows.iter().filter(|row| row.effort > 0 && row.impact > 0);
    let mut crowds: BTreeMap<(u8, u8), usize> = BTreeMap::new();
    for row in rated() {
        *crowds.entry((row.effort, row.impact)).or_default() += 1;
    }
    let mut seen: BTreeMap<(u8, u8), usize> = BTreeMap::new();
    rated()
        .map(|row| {
            let square = (row.effort, row.impact);
            let crowd = crowds.get(&square).copied().unwrap_or(1);
            let nth = seen.entry(square).or_default();
            let columns = (1..).find(|n| n * n >= crowd).unwrap_or(1);
            let lines = crowd.div_ceil(columns);
            let cell = SQUARE / columns as f64;
            let (column, line) = (*nth % columns, *nth / columns);
            *nth += 1;
            // The lines stand in the middle of the square, the columns fill it.
            let top = (SQUARE - lines as f64 * cell) / 2.0;
            Dot {
                reference: row.reference.clone(),
                title: row.title.clone(),
                x: EDGE + f64::from(row.effort - 1) * SQUARE + (column as f64 + 0.5) * cell,
                y: RIM + f64::from(5 - row.impact.min(5)) * SQUARE + top + (line as f64 + 0.5) * cell,
                radius: RADIUS.min(cell / 2.0 - 1.0),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{EDGE, RIM, Row, SIDE, place};

    fn row(n: usize, effort: u8, impact: u8) -> Row {
        Row { id: format!("a{n}").as_str().into(), reference: format!("A{n}"), title: String::new(), effort, impact }
    }

    #[test]
    fn no_dot_hides_another() {
        for crowd in 1..=12 {
            let mut rows: Vec<_> = (0..crowd).map(|n| row(n, 2, 4)).collect();
            rows.extend([row(20, 1, 4), row(21, 3, 4), row(22, 2, 5), row(23, 2, 3)]);
            let dots = place(&rows);
            assert_eq!(dots.len(), rows.len());
            for (i, a) in dots.iter().enumerate() {
                for b in &dots[i + 1..] {
                    let apart = (a.x - b.x).hypot(a.y - b.y);
                    assert!(apart > a.radius + b.radius, "{} and {} of {crowd}", a.reference, b.reference);
                }
            }
        }
    }

    #[test]
    fn every_rating_lies_on_the_chart_and_no_rating_does_not() {
        for effort in 0..=5 {
            for impact in 0..=5 {
                let dots = place(&[row(1, effort, impact)]);
                assert_eq!(dots.len(), usize::from(effort > 0 && impact > 0));
                for dot in dots {
                    assert!(dot.x - dot.radius > EDGE && dot.x + dot.radius < SIDE - RIM);
                    assert!(dot.y - dot.radius > RIM && dot.y + dot.radius < SIDE - EDGE);
                }
            }
        }
    }
}

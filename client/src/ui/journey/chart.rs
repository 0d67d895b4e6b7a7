//! The picture of a journey: stages from left to right, from −2 to 2 how they feel, and what stands out.

use leptos::prelude::*;
use shared::id::TableId;
use shared::workshop::journey::{Headline, Journey, SCORE_MAX, SCORE_MIN, Stage, tenths_text};

use super::Facts;
use crate::i18n::{I18n, t_string, use_i18n};
use crate::ui::icon::Picture;
use crate::ui::table_badge::table_class;

/// Room for the words beside the scores, in units of the picture.
const AXIS: f64 = 48.0;
/// Room of one stage. Four of them, as most journeys have, are as wide as a phone.
const COLUMN: f64 = 76.0;
/// Room beside the last stage.
const RIM: f64 = 6.0;
/// From one score to the next.
const STEP: f64 = 40.0;
/// Room for two words above the highest score, and below the lowest.
const ROOM: f64 = 46.0;
/// Where the plot ends.
const BOTTOM: f64 = 2.0 * ROOM + STEP * (SCORE_MAX - SCORE_MIN) as f64;
/// Between lines of text.
const LINE: f64 = 17.0;
/// Lines of a topic.
const LINES: usize = 4;
/// Widths of a Chinese character and of any other, roughly.
const WIDE: usize = 14;
const NARROW: usize = 8;
/// Width of a line of a topic.
const TOPIC: usize = 74;
/// Width of the line's name.
const NAME: usize = 140;
/// Width of the bar that shows the spread.
const BAR: f64 = 16.0;
/// How far the picture grows where there is room.
const LARGEST: f64 = 1.15;
/// A bar is no thinner, also where all agree.
const THIN: f64 = 6.0;

/// Why a stage is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Peak,
    Trough,
    End,
}

impl Mark {
    fn icon(self) -> Picture {
        match self {
            Self::Peak => icondata_lu::LuTrendingUp,
            Self::Trough => icondata_lu::LuTrendingDown,
            Self::End => icondata_lu::LuFlag,
        }
    }

    fn word(self, i18n: I18n) -> String {
        match self {
            Self::Peak => t_string!(i18n, journey.mark_peak).to_string(),
            Self::Trough => t_string!(i18n, journey.mark_trough).to_string(),
            Self::End => t_string!(i18n, journey.mark_end).to_string(),
        }
    }
}

/// Width of the picture with so many stages.
fn width(stages: usize) -> f64 {
    AXIS + COLUMN * stages.max(1) as f64 + RIM
}

/// Where a score lies.
fn level(score: f64) -> f64 {
    ROOM + (f64::from(SCORE_MAX) - score) * STEP
}

/// Middle of a table's column.
fn middle(table: TableId) -> f64 {
    AXIS + COLUMN * (f64::from(table.0) - 0.5)
}

/// The marks of a stage with the heights of their words: above it the peak, below it the trough.
fn marks(journey: &Journey, stage: &Stage) -> Vec<(Mark, f64)> {
    let Headline::Curve { peak, trough, end } = journey.headline() else { return Vec::new() };
    let (above, below) = (level(stage.mean.max(stage.upper)) - 12.0, level(stage.mean.min(stage.lower)) + 24.0);
    let (is_peak, is_trough) = (stage.table == peak.table, stage.table == trough.table);
    let first = match (is_peak, is_trough) {
        (true, _) => Some((Mark::Peak, above)),
        (_, true) => Some((Mark::Trough, below)),
        _ => None,
    };
    let end = (stage.table == end.table).then_some(match (is_peak, is_trough) {
        (true, _) => (Mark::End, above - LINE),
        (_, true) => (Mark::End, below + LINE),
        _ => (Mark::End, above),
    });
    first.into_iter().chain(end).collect()
}

/// Where the name of the line stands in nobody's way: between two columns whose means are far from it.
fn name_at(journey: &Journey, line: f64) -> f64 {
    let far = |stage: &Stage| (stage.mean - line).abs();
    let gaps = journey.stages.windows(2).map(|pair| {
        let at = f64::midpoint(middle(pair[0].table), middle(pair[1].table));
        (at, far(&pair[0]).min(far(&pair[1])))
    });
    gaps.max_by(|a, b| a.1.total_cmp(&b.1)).map_or(AXIS + COLUMN / 2.0, |(at, _)| at)
}

/// A text in so many lines of a width; what is left over is an ellipsis.
fn wrap(text: &str, most: usize, lines: usize) -> Vec<String> {
    let wide = |c: char| if c < '\u{1100}' { NARROW } else { WIDE };
    let size = |text: &str| text.chars().map(wide).sum::<usize>();
    let mut out: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let room = |line: &str| if line.is_empty() { 0 } else { size(line) + NARROW };
        if out.last().is_some_and(|line| !line.is_empty() && room(line) + size(word).min(most) > most) {
            out.push(String::new());
        }
        if let Some(line) = out.last_mut().filter(|line| !line.is_empty()) {
            line.push(' ');
        }
        // A word without spaces, as Chinese is, goes on wherever there is room.
        for c in word.chars() {
            if out.last().is_some_and(|line| size(line) + wide(c) > most) {
                out.push(String::new());
            }
            if let Some(line) = out.last_mut() {
                line.push(c);
            }
        }
    }
    if out.len() > lines {
        out.truncate(lines);
        if let Some(line) = out.last_mut() {
            while size(line) + NARROW > most {
                line.pop();
            }
            line.push('…');
        }
    }
    out
}

/// The picture. Beside it stands a table with the same in words.
#[component]
pub(super) fn Chart(facts: Memo<Facts>, spoken: Signal<String>) -> impl IntoView {
    let i18n = use_i18n();
    move || {
        facts.with(|facts| {
            let journey = facts.journey();
            let (right, names) = (width(facts.names.len()), &facts.names);
            let lines = names.iter().map(|name| wrap(name, TOPIC, LINES).len()).max().unwrap_or_default();
            let height = BOTTOM + 40.0 + LINE * lines as f64;
            let line = f64::from(facts.line.level) / 10.0;
            let named = wrap(&facts.line_name(i18n), NAME, 1).remove(0);
            let points = journey.stages.iter().map(|stage| format!("{},{}", middle(stage.table), level(stage.mean)));
            let points = points.collect::<Vec<_>>().join(" ");
            let scale = (SCORE_MIN..=SCORE_MAX).map(|score| {
                let y = level(score.into());
                view! {
                    <line class="journey-grid" x1=AXIS x2=right y1=y y2=y />
                    <text class="journey-word" x={AXIS - 6.0} y={y + 5.0} text-anchor="end">
                        {super::score_word(score, i18n)}
                    </text>
                }
            });
            let stages = names.iter().zip(1..).map(|(name, number)| column(&journey, TableId(number), name, i18n));
            view! {
                <svg
                    class="journey-plot"
                    viewBox=format!("0 0 {right} {height}")
                    // As large as its letters are to be read; what does not fit is scrolled to.
                    style:min-width=format!("{right}px")
                    style:max-width=format!("{}px", right * LARGEST)
                    role="img"
                    aria-label=move || spoken.get()
                >
                    {scale.collect_view()}
                    <polyline class="journey-mean" points=points />
                    <line class="journey-line" x1=AXIS x2=right y1=level(line) y2=level(line) />
                    {stages.collect_view()}
                    <text
                        class="journey-line-name"
                        x=name_at(&journey, line)
                        y={level(line) - 6.0}
                        text-anchor="middle"
                    >
                        {named}
                    </text>
                </svg>
            }
        })
    }
}

/// One stage: its spread, its mean, what it is remembered for, its number and its topic.
fn column(journey: &Journey, table: TableId, name: &str, i18n: I18n) -> impl IntoView + use<> {
    let x = middle(table);
    let topic = wrap(name, TOPIC, LINES).into_iter().zip(0u8..).map(|(words, n)| {
        view! {
            <text class="journey-topic" x=x y={BOTTOM + 48.0 + LINE * f64::from(n)} text-anchor="middle">
                {words}
            </text>
        }
    });
    let drawn = match journey.stage(table) {
        Some(stage) => {
            let (top, bottom) = (level(stage.upper), level(stage.lower));
            let high = (bottom - top).max(THIN);
            let marks = marks(journey, stage).into_iter().map(|(mark, y)| {
                view! {
                    <g class="journey-mark">
                        <svg
                            class="icon"
                            aria-hidden="true"
                            x={x - 32.0}
                            y={y - 13.0}
                            width="15"
                            height="15"
                            viewBox="0 0 24 24"
                            fill="none"
                            stroke="currentColor"
                            inner_html=mark.icon().data
                        ></svg>
                        <text x={x - 13.0} y=y>
                            {mark.word(i18n)}
                        </text>
                    </g>
                }
            });
            view! {
                <g class="journey-stage" class:journey-below=journey.is_below(table)>
                    <rect
                        class="journey-spread"
                        x={x - BAR / 2.0}
                        y={f64::midpoint(top, bottom) - high / 2.0}
                        width=BAR
                        height=high
                        rx="4"
                    />
                    <circle cx=x cy=level(stage.mean) r="6" />
                    <text class="journey-value" x={x + 11.0} y={level(stage.mean) + 5.0}>
                        {tenths_text(stage.tenths())}
                    </text>
                    {marks.collect_view()}
                </g>
            }
            .into_any()
        }
        None => view! {
            <text class="journey-word" x=x y={level(0.0) - 8.0} text-anchor="middle">
                {t_string!(i18n, journey.too_few).to_string()}
            </text>
        }
        .into_any(),
    };
    view! {
        {drawn}
        <g class=format!("journey-number {}", table_class(table))>
            <circle cx=x cy={BOTTOM + 14.0} r="13" />
            <text x=x y={BOTTOM + 19.0} text-anchor="middle">
                {table.0}
            </text>
        </g>
        {topic.collect_view()}
    }
}

#[cfg(test)]
mod tests {
    use shared::workshop::journey::Counts;

    use super::*;

    fn journey(counts: &[Counts]) -> Journey {
        Journey::new(&counts.iter().copied().map(Some).collect::<Vec<_>>(), 0)
    }

    #[test]
    fn topics_are_broken_where_they_can_be_read() {
        let topic = |text| wrap(text, TOPIC, LINES);
        assert_eq!(topic("初次接触与签约"), ["初次接触与", "签约"]);
        assert_eq!(topic("First contact and signing"), ["First", "contact", "and", "signing"]);
        assert_eq!(topic("Repair and complaint"), ["Repair", "and", "complaint"]);
        assert_eq!(wrap("Repair and complaint", TOPIC, 1), ["Repair…"]);
        assert_eq!(topic("Neighbourhoods"), ["Neighbour", "hoods"]);
        assert_eq!(topic("VIP 接待"), ["VIP 接待"]);
        assert_eq!(topic(""), [""]);
        let long = topic(&"桌".repeat(60));
        assert_eq!((long.len(), long[3].as_str()), (4, "桌桌桌桌…"));
        assert_eq!(wrap("Our promise", NAME, 1), ["Our promise"]);
    }

    #[test]
    fn everything_drawn_lies_within_the_picture() {
        let extremes: Vec<Counts> = (0..5).map(|at| std::array::from_fn(|i| u32::from(i == at) * 3)).collect();
        let journey = journey(&extremes);
        for stage in &journey.stages {
            assert!(level(stage.mean) >= ROOM && level(stage.mean) <= BOTTOM - ROOM);
            assert!(middle(stage.table) > AXIS && middle(stage.table) < width(extremes.len()));
            for (mark, y) in marks(&journey, stage) {
                assert!(y - LINE >= 0.0 && y <= BOTTOM, "{mark:?} at {y}");
            }
        }
        // The last is the peak, too: its words stand above each other.
        let last = journey.stages.last().expect("a stage");
        let marks = marks(&journey, last);
        assert_eq!(marks.iter().map(|(mark, _)| *mark).collect::<Vec<_>>(), [Mark::Peak, Mark::End]);
        assert!(marks[0].1 - marks[1].1 >= LINE);
    }

    #[test]
    fn the_line_is_named_where_the_curve_is_far_from_it() {
        let near = [0, 0, 3, 0, 0];
        let journey = journey(&[near, near, [0, 0, 0, 0, 3], [3, 0, 0, 0, 0]]);
        assert!((name_at(&journey, 0.0) - (AXIS + 3.0 * COLUMN)).abs() < 1e-9);
        assert!(name_at(&Journey::default(), 0.0) > AXIS);
    }
}

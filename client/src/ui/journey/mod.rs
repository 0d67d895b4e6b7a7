//! The lens over the whole journey: how each stage feels, its peak, its trough and its end, and the line that none is to fall below.
//! What it says, and by what rule, is in [`shared::workshop::journey`].

mod chart;
mod line;

use leptos::prelude::*;
use shared::id::{Role, TableId};
use shared::workshop::journey::{Counts, Headline, Journey, Line, Stage, tenths_text};
use shared::workshop::{Phase, View};

use self::chart::Chart;
use self::line::SetLine;
use crate::i18n::{I18n, t, t_string, use_i18n};
use crate::state::cafe::Cafe;
use crate::ui::icon::Icon;
use crate::ui::table_badge::TableBadge;

/// What the lens looks at.
#[derive(Clone, Debug, Default, PartialEq)]
struct Facts {
    line: Line,
    stages: Vec<Option<Counts>>,
    /// The topics of all tables, in order; empty where the view does not say.
    names: Vec<String>,
}

impl Facts {
    fn of(view: &View) -> Option<Self> {
        let feelings = view.feelings.as_ref()?;
        let stages = feelings.stages.clone()?;
        let topic =
            |table: TableId| view.tables.iter().find(|brief| brief.id == table).map(|brief| brief.topic.clone());
        let names = (1..).map(TableId).take(stages.len()).map(|table| topic(table).unwrap_or_default()).collect();
        Some(Self { line: feelings.line.clone(), stages, names })
    }

    fn journey(&self) -> Journey {
        Journey::new(&self.stages, self.line.level)
    }

    fn name(&self, table: TableId, i18n: I18n) -> String {
        let name =
            usize::from(table.0).checked_sub(1).and_then(|at| self.names.get(at)).filter(|name| !name.is_empty());
        name.cloned().unwrap_or_else(|| t_string!(i18n, journey.table, n = table.0).to_string())
    }

    /// The line's name alone.
    fn line_name(&self, i18n: I18n) -> String {
        if self.line.label.is_empty() { t_string!(i18n, journey.line).to_string() } else { self.line.label.clone() }
    }

    /// The same within a sentence.
    fn line_said(&self, i18n: I18n) -> String {
        if self.line.label.is_empty() {
            t_string!(i18n, journey.line_said).to_string()
        } else {
            t_string!(i18n, journey.line_quoted, label = self.line.label.clone()).to_string()
        }
    }

    /// What stays of the journey, in words.
    fn sentence(&self, i18n: I18n) -> String {
        let journey = self.journey();
        let name = |stage: &Stage| self.name(stage.table, i18n);
        let mean = |stage: &Stage| tenths_text(stage.tenths());
        match journey.headline() {
            Headline::Nothing => t_string!(i18n, journey.nothing).to_string(),
            Headline::One(stage) => t_string!(i18n, journey.one, stage = name(stage), mean = mean(stage)).to_string(),
            Headline::Even(stage) => t_string!(i18n, journey.even, mean = mean(stage)).to_string(),
            Headline::Curve { peak, trough, end } => {
                let peak = t_string!(i18n, journey.peak, stage = name(peak), mean = mean(peak)).to_string();
                let end = t_string!(i18n, journey.end, stage = name(end), mean = mean(end)).to_string();
                let (stage, mean) = (name(trough), mean(trough));
                let trough = if journey.is_below(trough.table) {
                    let line = self.line_said(i18n);
                    t_string!(i18n, journey.trough_below, stage = stage, mean = mean, line = line).to_string()
                } else {
                    t_string!(i18n, journey.trough, stage = stage, mean = mean).to_string()
                };
                t_string!(i18n, journey.curve, peak = peak, trough = trough, end = end).to_string()
            }
        }
    }

    /// Which stages fall below the line.
    fn below(&self, i18n: I18n) -> Option<String> {
        let journey = self.journey();
        if journey.stages.is_empty() {
            return None;
        }
        let line = self.line_said(i18n);
        let names: Vec<String> = journey.below.iter().map(|table| self.name(*table, i18n)).collect();
        Some(if names.is_empty() {
            t_string!(i18n, journey.none_below, line = line).to_string()
        } else {
            let stages = names.join(t_string!(i18n, journey.comma));
            t_string!(i18n, journey.below, line = line, stages = stages).to_string()
        })
    }
}

/// A score in a word.
pub fn score_word(score: i8, i18n: I18n) -> String {
    match score {
        ..=-2 => t_string!(i18n, journey.score_awful).to_string(),
        -1 => t_string!(i18n, journey.score_poor).to_string(),
        0 => t_string!(i18n, journey.score_so_so).to_string(),
        1 => t_string!(i18n, journey.score_good).to_string(),
        2.. => t_string!(i18n, journey.score_great).to_string(),
    }
}

/// How the journey feels, where the café asks and somebody has said. Folded, its sentence alone.
#[component]
pub fn Lens() -> impl IntoView {
    let i18n = use_i18n();
    let cafe = expect_context::<Cafe>();
    let facts = cafe.memo(Facts::of);
    let found = Memo::new(move |_| facts.get().flatten());
    // Facilitators see while there is time to ask for more that too few have answered.
    let waits = cafe.memo(|view| view.me.role == Role::Facilitator && view.phase <= Phase::Gallery);
    let steers = cafe.memo(|view| view.me.role == Role::Facilitator && view.phase < Phase::Closed);
    let shown = Memo::new(move |_| {
        found.with(|facts| {
            facts.as_ref().is_some_and(|facts| waits.get() == Some(true) || facts.stages.iter().any(Option::is_some))
        })
    });
    let facts = Memo::new(move |_| found.get().unwrap_or_default());
    let sentence = Signal::derive(move || facts.with(|facts| facts.sentence(i18n)));
    let drawn = Memo::new(move |_| facts.with(|facts| facts.stages.iter().any(Option::is_some)));
    move || {
        shown.get().then(|| {
            view! {
                <details class="journey">
                    <summary class="journey-head">
                        <Icon icon=icondata_lu::LuChartSpline />
                        <span class="journey-says">
                            <span class="journey-title">{t!(i18n, journey.title)}</span>
                            <span class="journey-sentence">{move || sentence.get()}</span>
                        </span>
                        <Icon icon=icondata_lu::LuChevronDown />
                    </summary>
                    <div class="journey-body">
                        <Show when=move || drawn.get()>
                            <p class="journey-below-words" hidden=move || facts.with(|facts| facts.below(i18n).is_none())>
                                {move || facts.with(|facts| facts.below(i18n))}
                            </p>
                            <div class="journey-desk">
                                <figure
                                    class="journey-figure"
                                    tabindex="0"
                                    role="group"
                                    aria-label=move || t_string!(i18n, journey.chart).to_string()
                                >
                                    <Chart facts spoken=sentence />
                                </figure>
                                <Stages facts />
                            </div>
                            <Legend facts />
                        </Show>
                        <Show when=move || steers.get() == Some(true)>
                            <SetLine line=Memo::new(move |_| facts.with(|facts| facts.line.clone())) />
                        </Show>
                    </div>
                </details>
            }
        })
    }
}

/// The same in a table.
#[component]
fn Stages(facts: Memo<Facts>) -> impl IntoView {
    let i18n = use_i18n();
    let rows = move || {
        facts.with(|facts| {
            let journey = facts.journey();
            let row = |table: TableId| {
                let stage = journey.stage(table).cloned();
                let below = journey.is_below(table);
                view! {
                    <tr>
                        <th scope="row">
                            <span class="journey-stage-name">
                                <TableBadge id=table />
                                {facts.name(table, i18n)}
                            </span>
                        </th>
                        {match stage {
                            Some(stage) => {
                                let (low, high) = (quarter(stage.lower), quarter(stage.upper));
                                let half = t_string!(i18n, journey.range, low = low, high = high).to_string();
                                view! {
                                    <td class="figures">{stage.scores}</td>
                                    <td class="figures strong" class:journey-low=below>
                                        {tenths_text(stage.tenths())}
                                        {below
                                            .then(|| {
                                                view! {
                                                    <span class="visually-hidden">
                                                        " "{t_string!(i18n, journey.is_below).to_string()}
                                                    </span>
                                                }
                                            })}
                                    </td>
                                    <td class="figures">{half}</td>
                                }
                                    .into_any()
                            }
                            None => {
                                view! {
                                    <td colspan="3" class="quiet">
                                        {t_string!(i18n, journey.too_few).to_string()}
                                    </td>
                                }
                                    .into_any()
                            }
                        }}
                    </tr>
                }
            };
            (1..).map(TableId).take(facts.stages.len()).map(row).collect_view()
        })
    };
    view! {
        <table class="journey-table small">
            <thead>
                <tr>
                    <th scope="col">{t!(i18n, journey.stage)}</th>
                    <th scope="col">{t!(i18n, journey.scores)}</th>
                    <th scope="col">{t!(i18n, journey.mean)}</th>
                    <th scope="col">{t!(i18n, journey.half)}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

/// A quartile: a whole score, or between two.
fn quarter(value: f64) -> String {
    let text = crate::ui::field::short_number(value.abs());
    if value < 0.0 { format!("−{text}") } else { text }
}

/// What the signs mean.
#[component]
fn Legend(facts: Memo<Facts>) -> impl IntoView {
    let i18n = use_i18n();
    let line =
        move || facts.with(|facts| format!("{} ({})", facts.line_name(i18n), tenths_text(facts.line.level.into())));
    view! {
        <ul class="journey-legend small quiet">
            <li>
                <span class="journey-sign journey-sign-mean" aria-hidden="true"></span>
                {t!(i18n, journey.mean)}
            </li>
            <li>
                <span class="journey-sign journey-sign-spread" aria-hidden="true"></span>
                {t!(i18n, journey.half_of)}
            </li>
            <li>
                <span class="journey-sign journey-sign-line" aria-hidden="true"></span>
                {line}
            </li>
        </ul>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_written_short() {
        let texts: Vec<String> = [-2.0, -0.25, 0.0, 1.5].into_iter().map(quarter).collect();
        assert_eq!(texts, ["−2", "−0.25", "0", "1.5"]);
    }
}

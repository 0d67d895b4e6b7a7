//! The fields of a café's plan: used for a new café, and for one that has not opened yet.

use leptos::prelude::*;
use shared::limits;

use super::form::{PlanForm, RoundRow, TableRow};
use crate::i18n::{t, t_string, use_i18n};
use crate::ui::button::{Button, ButtonKind};
use crate::ui::field::{CheckField, NumberField, TextArea, TextField};
use crate::ui::icon::Icon;
use crate::ui::table_badge::{TableBadge, table_class};

/// All fields of a plan.
#[component]
pub fn PlanFields(
    /// What is being written.
    form: PlanForm,
) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <div class="plan-fields">
            <section class="stack">
                <TextField
                    label=move || t_string!(i18n, new.title).to_string()
                    value=form.title
                    error=form.error("title", i18n)
                    max_chars=limits::TITLE_CHARS
                    name="title"
                    required=true
                />
                <TextArea
                    label=move || t_string!(i18n, new.purpose).to_string()
                    hint=move || t_string!(i18n, new.purpose_hint).to_string()
                    value=form.purpose
                    error=form.error("purpose", i18n)
                    max_chars=limits::QUESTION_CHARS
                    name="purpose"
                />
            </section>
            <TablesSection form />
            <RoundsSection form />
            <SettingsSection form />
        </div>
    }
}

#[component]
fn TablesSection(form: PlanForm) -> impl IntoView {
    let i18n = use_i18n();
    let error = form.error("tables", i18n);
    let index_of = move |key: u32| form.tables.with(|rows| rows.iter().position(|row| row.key == key).unwrap_or(0));
    view! {
        <section class="stack" aria-labelledby="plan-tables">
            <div>
                <h2 id="plan-tables">{t!(i18n, new.tables)}</h2>
                <p class="quiet">{t!(i18n, new.tables_hint)}</p>
            </div>
            <ol class="plan-rows">
                <For
                    each=move || form.tables.get()
                    key=|row| row.key
                    children=move |row| view! { <TableFields form row index=Memo::new(move |_| index_of(row.key)) /> }
                />
            </ol>
            <p class="field-error" tabindex="-1" data-field="tables" aria-live="polite">
                {move || error.get().map(|text| view! { <Icon icon=icondata_lu::LuCircleAlert /> <span>{text}</span> })}
            </p>
            <div>
                <Button
                    icon=icondata_lu::LuPlus
                    disabled=Signal::derive(move || form.tables.with(Vec::len) >= limits::TABLES_MAX)
                    on_click=move |_| form.add_table()
                >
                    {t!(i18n, new.add_table)}
                </Button>
            </div>
        </section>
    }
}

#[component]
fn TableFields(form: PlanForm, row: TableRow, index: Memo<usize>) -> impl IntoView {
    let i18n = use_i18n();
    let number = Memo::new(move |_| shared::id::TableId(u16::try_from(index.get() + 1).unwrap_or(u16::MAX)));
    // The path changes when rows move, so the errors are looked up each time.
    let error = move |part: &'static str| {
        Signal::derive(move || form.error_text(&format!("tables.{}.{part}", index.get()), i18n))
    };
    let last = move || index.get() + 1 == form.tables.with(Vec::len);
    view! {
        <li class=move || format!("plan-row {}", table_class(number.get()))>
            <div class="plan-row-head">
                <TableBadge id=number />
                <div class="plan-row-tools">
                    <Button
                        kind=ButtonKind::Plain
                        icon=icondata_lu::LuArrowUp
                        label=move || t_string!(i18n, new.table_up, n = number.get().0).to_string()
                        disabled=Signal::derive(move || index.get() == 0)
                        on_click=move |_| form.move_table(row.key, -1)
                    />
                    <Button
                        kind=ButtonKind::Plain
                        icon=icondata_lu::LuArrowDown
                        label=move || t_string!(i18n, new.table_down, n = number.get().0).to_string()
                        disabled=Signal::derive(last)
                        on_click=move |_| form.move_table(row.key, 1)
                    />
                    <Button
                        kind=ButtonKind::Plain
                        icon=icondata_lu::LuTrash2
                        label=move || t_string!(i18n, new.remove_table, n = number.get().0).to_string()
                        disabled=Signal::derive(move || form.tables.with(Vec::len) <= limits::TABLES_MIN)
                        on_click=move |_| form.remove_table(row.key)
                    />
                </div>
            </div>
            <TextField
                label=move || t_string!(i18n, new.topic).to_string()
                value=row.topic
                error=error("topic")
                max_chars=limits::TOPIC_CHARS
                name=move || format!("tables.{}.topic", index.get())
                required=true
            />
            <TextArea
                label=move || t_string!(i18n, new.question).to_string()
                value=row.question
                error=error("question")
                max_chars=limits::QUESTION_CHARS
                name=move || format!("tables.{}.question", index.get())
            />
        </li>
    }
}

#[component]
fn RoundsSection(form: PlanForm) -> impl IntoView {
    let i18n = use_i18n();
    let error = form.error("rounds", i18n);
    let index_of = move |key: u32| form.rounds.with(|rows| rows.iter().position(|row| row.key == key).unwrap_or(0));
    view! {
        <section class="stack" aria-labelledby="plan-rounds">
            <div>
                <h2 id="plan-rounds">{t!(i18n, new.rounds)}</h2>
                <p class="quiet">{t!(i18n, new.rounds_hint)}</p>
            </div>
            <ol class="plan-rows">
                <For
                    each=move || form.rounds.get()
                    key=|row| row.key
                    children=move |row| view! { <RoundFields form row index=Memo::new(move |_| index_of(row.key)) /> }
                />
            </ol>
            <p class="field-error" tabindex="-1" data-field="rounds" aria-live="polite">
                {move || error.get().map(|text| view! { <Icon icon=icondata_lu::LuCircleAlert /> <span>{text}</span> })}
            </p>
            <div>
                <Button
                    icon=icondata_lu::LuPlus
                    disabled=Signal::derive(move || form.rounds.with(Vec::len) >= limits::ROUNDS_MAX)
                    on_click=move |_| form.add_round()
                >
                    {t!(i18n, new.add_round)}
                </Button>
            </div>
        </section>
    }
}

#[component]
fn RoundFields(form: PlanForm, row: RoundRow, index: Memo<usize>) -> impl IntoView {
    let i18n = use_i18n();
    let error = move |part: &'static str| {
        Signal::derive(move || form.error_text(&format!("rounds.{}.{part}", index.get()), i18n))
    };
    let number = move || index.get() + 1;
    view! {
        <li class="plan-row plan-round">
            <div class="plan-row-head">
                <span class="strong figures">{t!(i18n, new.round, n = number)}</span>
                <div class="plan-row-tools">
                    <Button
                        kind=ButtonKind::Plain
                        icon=icondata_lu::LuTrash2
                        label=move || t_string!(i18n, new.remove_round, n = number()).to_string()
                        disabled=Signal::derive(move || form.rounds.with(Vec::len) <= 1)
                        on_click=move |_| form.remove_round(row.key)
                    />
                </div>
            </div>
            <NumberField
                label=move || t_string!(i18n, new.minutes).to_string()
                value=row.minutes
                error=error("minutes")
                min=1.0
                max=limits::ROUND_MINUTES_MAX
                step=5.0
                unit=move || t_string!(i18n, new.minutes_unit).to_string()
                name=move || format!("rounds.{}.minutes", index.get())
            />
            <TextArea
                label=move || t_string!(i18n, new.round_question).to_string()
                value=row.question
                error=error("question")
                max_chars=limits::QUESTION_CHARS
                name=move || format!("rounds.{}.question", index.get())
            />
        </li>
    }
}

#[component]
fn SettingsSection(form: PlanForm) -> impl IntoView {
    let i18n = use_i18n();
    let journey = form.error("settings.feelings", i18n);
    view! {
        <section class="stack" aria-labelledby="plan-settings">
            <h2 id="plan-settings">{t!(i18n, new.settings)}</h2>
            <div class="plan-settings">
                <NumberField
                    label=move || t_string!(i18n, new.seats).to_string()
                    hint=move || t_string!(i18n, new.seats_hint).to_string()
                    value=form.seats
                    error=form.error("settings.seats_per_table", i18n)
                    min=2.0
                    max=f64::from(limits::SEATS_MAX)
                    name="settings.seats_per_table"
                />
                <NumberField
                    label=move || t_string!(i18n, new.moving).to_string()
                    hint=move || t_string!(i18n, new.moving_hint).to_string()
                    value=form.moving
                    error=form.error("settings.moving_seconds", i18n)
                    min=0.0
                    max=600.0
                    step=10.0
                    unit=move || t_string!(i18n, new.seconds_unit).to_string()
                    name="settings.moving_seconds"
                />
                <NumberField
                    label=move || t_string!(i18n, new.dots).to_string()
                    hint=move || t_string!(i18n, new.dots_hint).to_string()
                    value=form.dots
                    error=form.error("settings.dots", i18n)
                    min=1.0
                    max=f64::from(limits::DOTS_MAX)
                    name="settings.dots"
                />
            </div>
            <CheckField
                label=move || t_string!(i18n, new.authors).to_string()
                hint=move || t_string!(i18n, new.authors_hint).to_string()
                value=form.authors
            />
            <div tabindex="-1" data-field="settings.feelings">
                <CheckField label=move || t_string!(i18n, new.feelings).to_string() value=form.feelings />
                <p class="field-error" aria-live="polite">
                    {move || {
                        journey.get().map(|text| view! { <Icon icon=icondata_lu::LuCircleAlert /> <span>{text}</span> })
                    }}
                </p>
            </div>
        </section>
    }
}

/// Moves the focus to the first wrong field, once it is drawn.
pub fn focus_first_error(form: PlanForm) {
    use wasm_bindgen::JsCast;
    let Some(field) = form.first_error() else { return };
    request_animation_frame(move || {
        // Paths are made of letters, digits, dots and underscores: nothing to escape.
        let found = document().query_selector(&format!("[data-field=\"{field}\"]")).ok().flatten();
        if let Some(element) = found.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) {
            let _ = element.focus();
        }
    });
}

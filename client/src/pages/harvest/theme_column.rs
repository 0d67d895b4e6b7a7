//! One theme with its notes.

use std::collections::BTreeSet;

use leptos::prelude::*;
use shared::board::view::NoteRef;
use shared::id::ThemeId;
use shared::limits;

use super::placed_note::PlacedNote;
use super::sorting::{Sorting, Target, named};
use crate::i18n::{t_string, use_i18n};
use crate::pages::plan::keep_focus;
use crate::state::live_text::TextAt;
use crate::ui::button::{Button, ButtonKind};
use crate::ui::live_text::LiveText;
use crate::ui::table_badge::TableBadge;

/// A theme as a column.
#[component]
pub fn ThemeColumn(id: ThemeId) -> impl IntoView {
    let sorting = expect_context::<Sorting>();
    let i18n = use_i18n();
    let board = sorting.harvest;
    let may_sort = sorting.may_sort;
    let fresh = sorting.fresh.with_value(|fresh| fresh.as_ref() == Some(&id));
    if fresh {
        sorting.fresh.set_value(None);
    }
    let stored = StoredValue::new(id.clone());
    let is = move |other: &ThemeId| stored.with_value(|id| id == other);
    let notes = Memo::new(move |_| {
        stored.with_value(|id| sorting.by_theme.with(|all| all.get(id).cloned().unwrap_or_default()))
    });
    let tables = Memo::new(move |_| notes.with(|notes| notes.iter().map(|note| note.table).collect::<BTreeSet<_>>()));
    let over = Memo::new(move |_| sorting.over.with(|over| matches!(over, Some(Target::Theme(theme)) if is(theme))));
    let position = Memo::new(move |_| sorting.themes.with(|all| all.iter().position(|theme| is(&theme.id))));
    let last = Memo::new(move |_| position.get().is_some_and(|at| at + 1 == sorting.themes.with(Vec::len)));
    let name = Memo::new(move |_| {
        let title = sorting.themes.with(|all| all.iter().find(|theme| is(&theme.id)).map(|theme| theme.title.clone()));
        named(i18n, &title.unwrap_or_default())
    });
    let summed = Memo::new(move |_| {
        sorting.themes.with(|all| all.iter().any(|theme| is(&theme.id) && !theme.summary.trim().is_empty()))
    });
    let readonly = Signal::derive(move || !may_sort.get());
    let drop_name = id.0.clone();
    view! {
        <article
            class="theme"
            class:theme-over=move || over.get()
            data-drop=drop_name
            aria-label=move || name.get()
        >
            <header class="theme-head">
                <div class="theme-line">
                    <span class="theme-number figures quiet" aria-hidden="true">
                        {move || position.get().map(|at| at + 1)}
                    </span>
                    <LiveText
                        board
                        at=TextAt::ThemeTitle(id.clone())
                        multiline=true
                        class="theme-title"
                        max_chars=limits::TITLE_CHARS
                        autofocus=fresh
                        readonly
                        // A name has one line.
                        on_enter=move |()| {}
                        aria_label=Signal::derive(move || t_string!(i18n, harvest.theme_title).to_string())
                        placeholder=Signal::derive(move || t_string!(i18n, harvest.unnamed).to_string())
                    />
                </div>
                <div class="theme-line theme-facts">
                    <span class="theme-tables">
                        {move || tables.get().into_iter().map(|id| view! { <TableBadge id /> }).collect_view()}
                    </span>
                    <span class="quiet small figures">
                        {move || t_string!(i18n, harvest.count, n = notes.with(Vec::len)).to_string()}
                    </span>
                    <Show when=move || may_sort.get()>
                        <span class="theme-tools">
                            <Button
                                kind=ButtonKind::Plain
                                icon=icondata_lu::LuArrowLeft
                                label=Signal::derive(move || {
                                    Some(t_string!(i18n, harvest.forward, theme = name.get()).to_string())
                                })
                                disabled=Signal::derive(move || position.get() == Some(0))
                                on_click=move |event| {
                                    sorting.shift_theme(&stored.get_value(), -1);
                                    keep_focus(&event);
                                }
                            />
                            <Button
                                kind=ButtonKind::Plain
                                icon=icondata_lu::LuArrowRight
                                label=Signal::derive(move || {
                                    Some(t_string!(i18n, harvest.backward, theme = name.get()).to_string())
                                })
                                disabled=Signal::derive(move || last.get())
                                on_click=move |event| {
                                    sorting.shift_theme(&stored.get_value(), 1);
                                    keep_focus(&event);
                                }
                            />
                            <Button
                                kind=ButtonKind::Plain
                                icon=icondata_lu::LuTrash2
                                label=Signal::derive(move || {
                                    Some(t_string!(i18n, harvest.delete, theme = name.get()).to_string())
                                })
                                on_click=move |_| sorting.delete_theme(&stored.get_value())
                            />
                        </span>
                    </Show>
                </div>
                <div class="theme-sum" hidden=move || !may_sort.get() && !summed.get()>
                    <LiveText
                        board
                        at=TextAt::ThemeSummary(id)
                        multiline=true
                        class="theme-summary"
                        readonly
                        aria_label=Signal::derive(move || t_string!(i18n, harvest.summary).to_string())
                        placeholder=Signal::derive(move || t_string!(i18n, harvest.summary_hint).to_string())
                    />
                </div>
            </header>
            <div class="theme-notes" tabindex=move || (!may_sort.get()).then_some("0")>
                <For each=move || notes.get() key=NoteRef::key let:note>
                    <PlacedNote note />
                </For>
                <Show when=move || notes.with(Vec::is_empty)>
                    <p class="theme-empty quiet small">
                        {move || {
                            if may_sort.get() {
                                t_string!(i18n, harvest.drop_here).to_string()
                            } else {
                                t_string!(i18n, harvest.theme_without_notes).to_string()
                            }
                        }}
                    </p>
                </Show>
            </div>
        </article>
    }
}

//! Notes that lie in no theme yet, table by table, with filters.

use std::collections::BTreeSet;

use leptos::prelude::*;
use shared::board::view::{NoteKind, NoteRef};
use shared::id::TableId;
use shared::workshop::view::TableBrief;

use super::placed_note::PlacedNote;
use super::sorting::{Sorting, Target};
use crate::i18n::{t, t_string, use_i18n};
use crate::ui::button::Button;
use crate::ui::empty::Empty;
use crate::ui::field::{CheckField, SelectField};
use crate::ui::note_kind::kind_word;
use crate::ui::table_badge::TableBadge;

/// Tables whose notes are shown at first, and with each press for more.
const AT_ONCE: usize = 12;

/// What is left to place.
#[component]
pub fn Unplaced() -> impl IntoView {
    let sorting = expect_context::<Sorting>();
    let i18n = use_i18n();
    let words = RwSignal::new(String::new());
    let kind = RwSignal::new(String::new());
    let table = RwSignal::new(String::new());
    let starred = RwSignal::new(false);
    let tables = sorting.tables.briefs;
    let shown = Memo::new(move |_| {
        let words = words.with(|words| words.trim().to_lowercase());
        let kind = kind.with(|kind| (!kind.is_empty()).then(|| NoteKind::parse(kind)));
        let table = table.with(|table| table.parse::<u16>().ok().map(TableId));
        let starred = starred.get();
        let fits = |place: &NoteRef| {
            if table.is_some_and(|table| place.table != table) {
                return false;
            }
            if words.is_empty() && kind.is_none() && !starred {
                return true;
            }
            sorting.tables.note(place).is_some_and(|note| {
                note.with(|note| {
                    (words.is_empty() || note.text.to_lowercase().contains(&words))
                        && kind.is_none_or(|kind| note.kind == kind)
                        && (!starred || !note.stars.is_empty())
                })
            })
        };
        sorting.unplaced.with(|all| all.iter().filter(|place| fits(place)).cloned().collect::<Vec<_>>())
    });
    // Thousands of cards at once would make a slow page: the tables of a large café are shown a few at a time. One that is sorted away
    // makes room for the next.
    let room = RwSignal::new(AT_ONCE);
    let with_notes = Memo::new(move |_| {
        let there: BTreeSet<TableId> = shown.with(|all| all.iter().map(|note| note.table).collect());
        tables.with(|all| all.iter().filter(|table| there.contains(&table.id)).cloned().collect::<Vec<_>>())
    });
    let groups = Memo::new(move |_| with_notes.with(|all| all.iter().take(room.get()).cloned().collect::<Vec<_>>()));
    let further = move || with_notes.with(Vec::len).saturating_sub(room.get());
    let kind_words = NoteKind::ALL.map(|kind| (kind, kind_word(kind)));
    let kinds = Signal::derive(move || {
        let all = (String::new(), t_string!(i18n, harvest.all_kinds).to_string());
        let each = kind_words.into_iter().map(|(kind, word)| (kind.as_str().to_owned(), word.get()));
        std::iter::once(all).chain(each).collect::<Vec<_>>()
    });
    let table_choices = Signal::derive(move || {
        let all = (String::new(), t_string!(i18n, harvest.all_tables).to_string());
        tables.with(|tables| {
            let each = tables.iter().map(|table| (table.id.0.to_string(), format!("{} {}", table.id.0, table.topic)));
            std::iter::once(all).chain(each).collect::<Vec<_>>()
        })
    });
    let nothing = move || {
        if sorting.refs.with(Vec::is_empty) {
            t_string!(i18n, harvest.no_notes).to_string()
        } else if sorting.unplaced.with(Vec::is_empty) {
            t_string!(i18n, harvest.nothing_left).to_string()
        } else {
            t_string!(i18n, harvest.nothing_fits).to_string()
        }
    };
    view! {
        <aside
            class="unplaced"
            class:unplaced-over=move || sorting.over.get() == Some(Target::Nowhere)
            data-drop="nowhere"
            aria-label=move || t_string!(i18n, harvest.unplaced).to_string()
        >
            <h3 class="unplaced-title">
                {t!(i18n, harvest.unplaced)} " "
                <span class="figures quiet">{move || sorting.unplaced.with(Vec::len)}</span>
            </h3>
            <div class="unplaced-filters" hidden=move || sorting.refs.with(Vec::is_empty)>
                <input
                    type="search"
                    class="field-input unplaced-search"
                    placeholder=move || t_string!(i18n, harvest.search).to_string()
                    aria-label=move || t_string!(i18n, harvest.search).to_string()
                    prop:value=move || words.get()
                    on:input=move |event| words.set(event_target_value(&event))
                />
                <SelectField
                    hide_label=true
                    label=Signal::derive(move || t_string!(i18n, harvest.table).to_string())
                    value=table
                    options=table_choices
                />
                <SelectField
                    hide_label=true
                    label=Signal::derive(move || t_string!(i18n, harvest.kind).to_string())
                    value=kind
                    options=kinds
                />
                <CheckField label=Signal::derive(move || t_string!(i18n, harvest.starred).to_string()) value=starred />
            </div>
            // Without notes to press, the list itself takes the focus, so that it can be scrolled by keyboard.
            <div class="unplaced-tables" tabindex=move || (!sorting.may_sort.get()).then_some("0")>
                <For each=move || groups.get() key=|table| (table.id, table.topic.clone()) let:table>
                    <Group table shown />
                </For>
                <Show when=move || further() != 0>
                    <Button class="button-wide" on_click=move |_| room.update(|room| *room += AT_ONCE)>
                        {move || t_string!(i18n, harvest.more_tables, n = further()).to_string()}
                    </Button>
                </Show>
                <Show when=move || shown.with(Vec::is_empty)>
                    <Empty text=Signal::derive(nothing) />
                </Show>
            </div>
        </aside>
    }
}

/// What is left of one table.
#[component]
fn Group(table: TableBrief, shown: Memo<Vec<NoteRef>>) -> impl IntoView {
    let id = table.id;
    let notes =
        Memo::new(move |_| shown.with(|all| all.iter().filter(|note| note.table == id).cloned().collect::<Vec<_>>()));
    view! {
        <section class="unplaced-table" hidden=move || notes.with(Vec::is_empty)>
            <h4>
                <TableBadge id />
                <span class="clip">{table.topic}</span>
                <span class="figures quiet unplaced-count">{move || notes.with(Vec::len)}</span>
            </h4>
            <div class="unplaced-notes">
                <For each=move || notes.get() key=NoteRef::key let:note>
                    <PlacedNote note />
                </For>
            </div>
        </section>
    }
}

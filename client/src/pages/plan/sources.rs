//! The notes an action rests on: their words, their table and round; one press shows the table they lie on.

use leptos::prelude::*;
use shared::board::view::NoteRef;
use shared::id::ActionId;

use super::Planning;
use crate::i18n::{t, t_string, use_i18n};
use crate::pages::gallery::BoardWith;
use crate::state::cafe::Cafe;
use crate::ui::button::{Button, ButtonKind};
use crate::ui::dialog::Dialog;
use crate::ui::empty::Empty;
use crate::ui::icon::Icon;
use crate::ui::note::{FromLine, Quote, beginning};
use crate::ui::table_badge::TableBadge;

/// Notes shown for choosing; a search finds the others.
const SHOWN: usize = 200;

/// Sources of one action.
#[component]
pub fn Sources(
    /// Which action.
    action: ActionId,
    /// Whether notes can be added and removed.
    #[prop(into)]
    editable: Signal<bool>,
) -> impl IntoView {
    let i18n = use_i18n();
    let Planning { plan, adding, .. } = expect_context::<Planning>();
    let signal = plan.action(&action)?;
    let sources = Memo::new(move |_| signal.with(|action| action.sources.clone()));
    let action = StoredValue::new(action);
    let remove = Callback::new(move |place: NoteRef| plan.set_source(&action.get_value(), &place, false));
    Some(view! {
        <div class="sources">
            <h4 class="sources-title">
                {t!(i18n, plan.sources)} " " <span class="figures quiet">{move || sources.with(Vec::len)}</span>
            </h4>
            <ul class="sources-list">
                <For each=move || sources.get() key=NoteRef::key let:place>
                    <Source place editable remove />
                </For>
            </ul>
            <Show when=move || sources.with(Vec::is_empty)>
                <p class="quiet small">{t!(i18n, plan.no_sources)}</p>
            </Show>
            <Show when=move || editable.get()>
                <Button
                    kind=ButtonKind::Plain
                    icon=icondata_lu::LuPlus
                    class="sources-add"
                    on_click=move |_| adding.set(Some(action.get_value()))
                >
                    {t!(i18n, plan.add_source)}
                </Button>
            </Show>
        </div>
    })
}

/// One source: its words, and where they come from.
#[component]
fn Source(place: NoteRef, editable: Signal<bool>, remove: Callback<NoteRef>) -> impl IntoView {
    let i18n = use_i18n();
    let cafe = expect_context::<Cafe>();
    let Planning { tables, shown, .. } = expect_context::<Planning>();
    let show_authors = cafe.memo(|view| view.show_authors);
    let table = place.table;
    let place = StoredValue::new(place);
    let note = Memo::new(move |_| place.with_value(|place| tables.note(place).map(|note| note.get())));
    let words = move || note.with(|note| note.as_ref().map(|note| note.text.clone()).unwrap_or_default());
    // As in `quoted`, but the boards come one after the other.
    let before = Memo::new(move |_| {
        let on = note.with(|note| note.as_ref()?.builds_on.clone())?;
        let before = tables.note(&NoteRef { table, note: on })?;
        before.with(|before| (!before.deleted && !before.text.trim().is_empty()).then(|| before.text.trim().to_owned()))
    });
    let from = Signal::derive(move || note.with(|note| note.as_ref()?.from.clone()));
    let origin = move || {
        note.with(|note| {
            let note = note.as_ref()?;
            let author =
                Some(note.author_name.clone()).filter(|name| show_authors.get() == Some(true) && !name.is_empty());
            let round = note.round.map(|round| t_string!(i18n, board.round, n = round + 1).to_string());
            Some(author.into_iter().chain(round).collect::<Vec<_>>().join(" · "))
        })
    };
    let stars = move || {
        let stars = note.with(|note| note.as_ref().map_or(0, |note| note.stars.len()));
        (stars > 0).then(|| {
            view! {
                <span class="source-stars figures">
                    <Icon icon=icondata_lu::LuStar label=move || t_string!(i18n, board.stars).to_string() />
                    {stars}
                </span>
            }
        })
    };
    view! {
        <li class="source">
            <button
                type="button"
                class="source-open"
                title=move || t_string!(i18n, plan.show_table).to_string()
                on:click=move |_| shown.set(Some(place.get_value()))
            >
                <TableBadge id=table />
                <span class="source-words">
                    <Quote words=before />
                    <FromLine from named=Signal::derive(move || show_authors.get() == Some(true)) />
                    {words}
                </span>
                <span class="source-origin quiet small">{stars} {origin}</span>
            </button>
            <Show when=move || editable.get()>
                <Button
                    kind=ButtonKind::Plain
                    icon=icondata_lu::LuX
                    label=Signal::derive(move || {
                        let words = note.with(|note| note.as_ref().map(|note| beginning(&note.text)).unwrap_or_default());
                        Some(t_string!(i18n, plan.remove_source, words = words).to_string())
                    })
                    on_click=move |_| remove.run(place.get_value())
                />
            </Show>
        </li>
    }
}

/// The table a source lies on, with the note marked; once on a page with [`Planning`].
#[component]
pub fn ShowTable() -> impl IntoView {
    let i18n = use_i18n();
    let Planning { tables, shown, .. } = expect_context::<Planning>();
    let open = RwSignal::new(false);
    Effect::new(move || {
        if shown.with(Option::is_some) {
            open.set(true);
        }
    });
    Effect::new(move || {
        if !open.get() && shown.with_untracked(Option::is_some) {
            shown.set(None);
        }
    });
    let title = Signal::derive(move || {
        let Some(place) = shown.get() else { return String::new() };
        let topic =
            tables.briefs.with(|all| all.iter().find(|table| table.id == place.table).map(|table| table.topic.clone()));
        t_string!(i18n, plan.table_title, n = place.table.0, topic = topic.unwrap_or_default()).to_string()
    });
    view! {
        <Dialog open title side=true class="source-dialog">
            {move || shown.get().map(|place| view! { <BoardWith tables place /> })}
        </Dialog>
    }
}

/// Chooses further notes for an action; once on a page with [`Planning`].
#[component]
pub(super) fn AddSource() -> impl IntoView {
    let i18n = use_i18n();
    let Planning { adding, .. } = expect_context::<Planning>();
    let open = RwSignal::new(false);
    Effect::new(move || {
        if adding.with(Option::is_some) {
            open.set(true);
        }
    });
    Effect::new(move || {
        if !open.get() && adding.with_untracked(Option::is_some) {
            adding.set(None);
        }
    });
    view! {
        <Dialog
            open
            side=true
            class="source-dialog"
            title=Signal::derive(move || t_string!(i18n, plan.add_source).to_string())
        >
            {move || adding.get().map(|action| view! { <Choices action /> })}
        </Dialog>
    }
}

#[component]
fn Choices(action: ActionId) -> impl IntoView {
    let i18n = use_i18n();
    let Planning { plan, tables, .. } = expect_context::<Planning>();
    let signal = plan.action(&action)?;
    let sources = Memo::new(move |_| signal.with(|action| action.sources.clone()));
    let action = StoredValue::new(action);
    let words = RwSignal::new(String::new());
    let refs = tables.refs();
    let found = Memo::new(move |_| {
        let wanted = words.with(|words| words.trim().to_lowercase());
        let fits = |place: &NoteRef| {
            wanted.is_empty()
                || tables.note(place).is_some_and(|note| note.with(|note| note.text.to_lowercase().contains(&wanted)))
        };
        refs.with(|refs| refs.iter().filter(|place| fits(place)).take(SHOWN + 1).cloned().collect::<Vec<_>>())
    });
    let shown = Memo::new(move |_| found.with(|found| found.iter().take(SHOWN).cloned().collect::<Vec<_>>()));
    Some(view! {
        <input
            type="search"
            class="field-input"
            placeholder=move || t_string!(i18n, harvest.search).to_string()
            aria-label=move || t_string!(i18n, harvest.search).to_string()
            prop:value=move || words.get()
            on:input=move |event| words.set(event_target_value(&event))
        />
        <ul class="source-choices">
            <For each=move || shown.get() key=NoteRef::key let:place>
                {
                    let table = place.table;
                    let place = StoredValue::new(place);
                    view! {
                        <li>
                            <label class="source-choice">
                                <input
                                    type="checkbox"
                                    prop:checked=move || {
                                        sources.with(|all| place.with_value(|place| all.contains(place)))
                                    }
                                    on:change=move |event| {
                                        let present = event_target_checked(&event);
                                        plan.set_source(&action.get_value(), &place.get_value(), present);
                                    }
                                />
                                <TableBadge id=table />
                                <span class="source-words">
                                    {move || {
                                        place.with_value(|place| tables.note(place).map(|note| note.with(|n| n.text.clone())))
                                    }}
                                </span>
                            </label>
                        </li>
                    }
                }
            </For>
        </ul>
        <Show when=move || { found.with(Vec::len) > SHOWN }>
            <p class="quiet small">{t!(i18n, plan.search_more, n = SHOWN)}</p>
        </Show>
        <Show when=move || found.with(Vec::is_empty)>
            <Empty text=Signal::derive(move || t_string!(i18n, plan.no_note_fits).to_string()) />
        </Show>
    })
}

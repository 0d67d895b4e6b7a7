//! Where to? The bar that appears when a note was tapped: one tap on a theme puts it there. On a phone it is a sheet.

use leptos::{ev, prelude::*};

use super::drag;
use super::placed_note::focus_next;
use super::sorting::{Sorting, Target, named};
use crate::i18n::{t, t_string, use_i18n};
use crate::ui::button::{Button, ButtonKind};
use crate::ui::icon::Icon;

/// Themes to choose from while a note is picked.
#[component]
pub fn PickBar() -> impl IntoView {
    let sorting = expect_context::<Sorting>();
    let i18n = use_i18n();
    let words = Memo::new(move |_| {
        let place = sorting.picked.get()?;
        sorting.tables.note(&place).map(|note| note.with(|note| note.text.clone()))
    });
    let put = Callback::new(move |target: Target| {
        if let Some(note) = sorting.picked.get_untracked() {
            sorting.put(&note, &target);
            focus_next(sorting);
        }
    });
    let lies_in = Memo::new(move |_| {
        let note = sorting.picked.get()?;
        sorting.by_theme.with(|all| all.iter().find(|(_, notes)| notes.contains(&note)).map(|(theme, _)| theme.clone()))
    });
    let leave = move || {
        sorting.picked.set(None);
        focus_next(sorting);
    };
    let escape = window_event_listener(ev::keydown, move |event| {
        if event.key() == "Escape" {
            drag::give_up(sorting);
            if sorting.picked.with_untracked(Option::is_some) {
                leave();
            }
        }
    });
    on_cleanup(move || escape.remove());
    let rows = move || {
        sorting.themes.with(|all| {
            all.iter().enumerate().map(|(at, theme)| (at, theme.id.clone(), theme.title.clone())).collect::<Vec<_>>()
        })
    };
    view! {
        <Show when=move || sorting.picked.with(Option::is_some)>
            <div class="pick-bar" role="dialog" aria-label=move || t_string!(i18n, harvest.where_to).to_string()>
                <div class="pick-head">
                    <p class="pick-question">{t!(i18n, harvest.where_to)}</p>
                    <p class="pick-words quiet small">{move || words.get()}</p>
                    <Button
                        kind=ButtonKind::Plain
                        icon=icondata_lu::LuX
                        class="pick-close"
                        label=Signal::derive(move || Some(t_string!(i18n, harvest.cancel).to_string()))
                        on_click=move |_| leave()
                    />
                </div>
                <div class="pick-themes">
                    <For each=rows key=Clone::clone let:row>
                        {
                            let (at, id, title) = row;
                            let here = {
                                let id = id.clone();
                                Memo::new(move |_| lies_in.with(|theme| theme.as_ref() == Some(&id)))
                            };
                            view! {
                                <button
                                    type="button"
                                    class="pick-theme"
                                    disabled=move || here.get()
                                    on:click=move |_| put.run(Target::Theme(id.clone()))
                                >
                                    <span class="pick-number figures quiet" aria-hidden="true">{at + 1}</span>
                                    <span>{move || named(i18n, &title)}</span>
                                    {move || here.get().then(|| view! { <Icon icon=icondata_lu::LuCheck /> })}
                                </button>
                            }
                        }
                    </For>
                    <button type="button" class="pick-theme pick-new" on:click=move |_| put.run(Target::New)>
                        <Icon icon=icondata_lu::LuPlus />
                        <span>{t!(i18n, harvest.new_theme)}</span>
                    </button>
                    <Show when=move || lies_in.with(Option::is_some)>
                        <button type="button" class="pick-theme" on:click=move |_| put.run(Target::Nowhere)>
                            <Icon icon=icondata_lu::LuUndo2 />
                            <span>{t!(i18n, harvest.take_out)}</span>
                        </button>
                    </Show>
                </div>
            </div>
        </Show>
    }
}

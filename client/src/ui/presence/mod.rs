//! Who sits at a table, with a ring around those who write.

use std::collections::HashSet;

use leptos::prelude::*;
use shared::id::ActorId;
use shared::workshop::view::Person;

use crate::i18n::{t_string, use_i18n};
use crate::state::board::Board;
use crate::ui::avatar::Avatar;

/// The people of a table: discs in a row, or a list with their names.
#[component]
pub fn TablePeople(
    /// The table's board, to see who writes.
    board: Board,
    /// Everybody seated there.
    #[prop(into)]
    people: Signal<Vec<Person>>,
    /// Who is its host.
    #[prop(into)]
    host: Signal<Option<ActorId>>,
    /// Who one is oneself.
    #[prop(into)]
    me: Signal<Option<ActorId>>,
    /// Shows the names beside the discs.
    #[prop(optional)]
    names: bool,
) -> impl IntoView {
    let i18n = use_i18n();
    let typing = Memo::new(move |_| {
        board.peers().with(|peers| {
            peers.iter().filter(|peer| peer.typing).map(|peer| peer.user.id.clone()).collect::<HashSet<_>>()
        })
    });
    // The host first, then as they sat down: the same order on every screen.
    let ordered = Memo::new(move |_| {
        let host = host.get();
        let mut people = people.get();
        people.sort_by_key(|person| Some(&person.id) != host.as_ref());
        people
    });
    view! {
        <ul
            class=if names { "tablemates tablemates-named" } else { "tablemates" }
            aria-label=move || t_string!(i18n, board.people).to_string()
        >
            <For each=move || ordered.get() key=|person| person.id.clone() let:person>
                {
                    let id = StoredValue::new(person.id.clone());
                    let seen = Memo::new(move |_| {
                        let id = id.get_value();
                        ordered
                            .with(|people| people.iter().find(|person| person.id == id).cloned())
                            .map(|person| (person.name, person.online))
                    });
                    let name = Signal::derive(move || seen.get().map(|(name, _)| name).unwrap_or_default());
                    let online = Signal::derive(move || seen.get().is_none_or(|(_, online)| online));
                    let is_host = Signal::derive(move || host.get() == Some(id.get_value()));
                    let writes = Signal::derive(move || typing.with(|typing| typing.contains(&id.get_value())));
                    view! {
                        <li class="tablemates-one">
                            <Avatar name online=online typing=writes host=is_host decorative=names />
                            {names
                                .then(|| {
                                    view! {
                                        <span class="tablemates-name">{move || name.get()}</span>
                                        <span class="tablemates-mark">
                                            {move || {
                                                let mut marks = Vec::new();
                                                if is_host.get() {
                                                    marks.push(t_string!(i18n, board.host).to_string());
                                                }
                                                if me.get() == Some(id.get_value()) {
                                                    marks.push(t_string!(i18n, board.you).to_string());
                                                }
                                                if !online.get() {
                                                    marks.push(t_string!(i18n, kit.away).to_string());
                                                } else if writes.get() {
                                                    marks.push(t_string!(i18n, kit.typing).to_string());
                                                }
                                                marks.join(" · ")
                                            }}
                                        </span>
                                    }
                                })}
                        </li>
                    }
                }
            </For>
        </ul>
    }
}

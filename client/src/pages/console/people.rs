//! Everybody who is here.

use leptos::prelude::*;
use shared::workshop::view::FloorPerson;

use super::Desk;
use super::facts;
use crate::i18n::{t, t_string, use_i18n};
use crate::state::cafe::Cafe;
use crate::ui::avatar::Avatar;
use crate::ui::field::TextField;
use crate::ui::icon::Icon;
use crate::ui::table_badge::TableBadge;

/// People above which there is a field to find somebody.
const MANY: usize = 12;
/// Rows drawn at once; beyond, the field finds the others.
const ROWS: usize = 200;

/// The list of people; a press opens a person.
#[component]
pub(super) fn People(cafe: Cafe) -> impl IntoView {
    let i18n = use_i18n();
    let people = cafe.memo(facts::people);
    let wanted = RwSignal::new(String::new());
    let count = Memo::new(move |_| people.with(|people| people.as_ref().map_or(0, Vec::len)));
    let found = Memo::new(move |_| {
        let wanted = wanted.get().trim().to_lowercase();
        let mut found: Vec<FloorPerson> = people.with(|people| {
            people
                .iter()
                .flatten()
                .filter(|person| wanted.is_empty() || person.person.name.to_lowercase().contains(&wanted))
                .cloned()
                .collect()
        });
        // Those who ask for something first, then by table.
        found.sort_by_key(|person| (!person.hand, person.table.is_some(), person.table));
        found
    });
    view! {
        <div class="stack">
            <p class="quiet figures">{t!(i18n, console.here, n = move || count.get())}</p>
            <Show when=move || { count.get() > MANY }>
                <TextField
                    label=move || t_string!(i18n, console.find).to_string()
                    value=wanted
                    placeholder=move || t_string!(i18n, console.find).to_string()
                    hide_label=true
                />
            </Show>
            <ul class="people-list">
                <For
                    each=move || found.get().into_iter().take(ROWS)
                    key=|person| {
                        (
                            person.person.id.clone(),
                            person.person.name.clone(),
                            person.person.online,
                            person.table,
                            (person.hand, person.helper),
                        )
                    }
                    children=move |person| view! { <Row person /> }
                />
            </ul>
            <Show when=move || { count.get() > 0 && found.with(Vec::is_empty) }>
                <p class="quiet">{t!(i18n, console.nobody_found)}</p>
            </Show>
        </div>
    }
}

#[component]
fn Row(person: FloorPerson) -> impl IntoView {
    let i18n = use_i18n();
    let desk = expect_context::<Desk>();
    let FloorPerson { person, table, helper, hand } = person;
    let id = person.id;
    let department = person.department;
    let facts = move || {
        let helps = helper.then(|| t_string!(i18n, console.helper_word).to_string());
        helps.into_iter().chain(department.clone()).collect::<Vec<_>>().join(" · ")
    };
    view! {
        <li class="people-item">
            <button type="button" class="people-who" on:click=move |_| desk.person.set(Some(id.clone()))>
                <Avatar name=person.name.clone() online=person.online decorative=true />
                <span class="people-words">
                    <span class="people-name clip">{person.name}</span>
                    <span class="quiet small clip">{facts}</span>
                </span>
                {hand
                    .then(|| {
                        view! {
                            <span class="people-hand">
                                <Icon
                                    icon=icondata_lu::LuHand
                                    label=move || t_string!(i18n, console.hand_up).to_string()
                                />
                            </span>
                        }
                    })}
                {table.map(|table| view! { <TableBadge id=table /> })}
            </button>
        </li>
    }
}

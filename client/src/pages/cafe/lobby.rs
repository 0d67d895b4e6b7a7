//! Before the first round: who is here, and what will happen.

use leptos::prelude::*;

use super::menu::NameForm;
use super::seat;
use crate::i18n::{t, t_string, use_i18n};
use crate::state::cafe::Cafe;
use crate::ui::avatar::Avatar;
use crate::ui::button::{Button, ButtonKind};
use crate::ui::dialog::Dialog;
use crate::ui::field::short_number;
use crate::ui::table_badge::TableBadge;

/// The lobby.
#[component]
pub fn Lobby() -> impl IntoView {
    let i18n = use_i18n();
    let cafe = expect_context::<Cafe>();
    let name = cafe.memo(|view| view.me.name.clone());
    let purpose = cafe.memo(|view| view.purpose.clone());
    let tables = cafe.memo(|view| view.tables.clone());
    let table_count = cafe.memo(|view| usize::from(view.table_count));
    let count = cafe.memo(|view| view.people_count);
    let people = cafe.memo(|view| seat::part(view).map(|part| part.lobby.clone()).unwrap_or_default());
    let minutes = cafe.memo(|view| view.rounds.iter().map(|round| round.minutes).collect::<Vec<_>>());
    let renaming = RwSignal::new(false);
    let schedule = move || {
        let minutes = minutes.get().unwrap_or_default();
        let all: f64 = minutes.iter().sum();
        match minutes.first() {
            Some(first) if minutes.iter().all(|other| (other - first).abs() < 0.01) => {
                t_string!(i18n, cafe.rounds_same, n = minutes.len(), minutes = short_number(*first)).to_string()
            }
            _ => t_string!(i18n, cafe.rounds_mixed, n = minutes.len(), minutes = short_number(all)).to_string(),
        }
    };
    let more = move || {
        let shown = people.with(|people| people.as_ref().map_or(0, Vec::len));
        let all = count.get().unwrap_or(0) as usize;
        (all > shown).then(|| t_string!(i18n, cafe.and_more, n = all - shown).to_string())
    };
    let more_tables = move || {
        let shown = tables.with(|tables| tables.as_ref().map_or(0, Vec::len));
        table_count.get().filter(|all| *all > shown).map(|all| t_string!(i18n, cafe.table_count, n = all).to_string())
    };
    view! {
        <main id="main" class="cafe-main cafe-scroll">
            <div class="arrivals">
                <section class="arrivals-hello">
                    <div class="arrivals-hello-name">
                        <h2>
                            {move || t_string!(i18n, cafe.hello, name = name.get().unwrap_or_default()).to_string()}
                        </h2>
                        <Button
                            kind=ButtonKind::Plain
                            icon=icondata_lu::LuPencil
                            label=Signal::derive(move || t_string!(i18n, cafe.change_name).to_string())
                            on_click=move |_| renaming.set(true)
                        />
                    </div>
                    <p class="arrivals-lead">{t!(i18n, cafe.hello_lobby)}</p>
                    {move || {
                        purpose
                            .get()
                            .filter(|purpose| !purpose.trim().is_empty())
                            .map(|purpose| view! { <p class="arrivals-purpose pre">{purpose}</p> })
                    }}
                </section>
                <section class="arrivals-people" aria-labelledby="lobby-people">
                    <div class="row row-spread">
                        <h3 id="lobby-people">{t!(i18n, cafe.who_is_here)}</h3>
                        <p class="quiet figures" aria-live="polite">
                            {move || t_string!(i18n, cafe.people_here, n = count.get().unwrap_or(0)).to_string()}
                        </p>
                    </div>
                    <ul class="arrivals-names">
                        <For
                            each=move || people.get().unwrap_or_default()
                            key=|person| (person.id.clone(), person.name.clone(), person.online)
                            children=|person| {
                                view! {
                                    <li class="arrivals-person">
                                        <Avatar name=person.name.clone() online=person.online decorative=true />
                                        <span class="clip">{person.name}</span>
                                    </li>
                                }
                            }
                        />
                    </ul>
                    <p class="quiet small">{more}</p>
                </section>
                <section class="arrivals-plan" aria-labelledby="lobby-plan">
                    <h3 id="lobby-plan">{t!(i18n, cafe.what_happens)}</h3>
                    <ol class="arrivals-steps">
                        <li>{schedule}</li>
                        <li>{t!(i18n, cafe.explain_move)}</li>
                        <li>{t!(i18n, cafe.explain_after)}</li>
                    </ol>
                    <h3>{t!(i18n, cafe.tables)}</h3>
                    <ul class="arrivals-tables">
                        <For
                            each=move || tables.get().unwrap_or_default()
                            key=|table| (table.id, table.topic.clone())
                            children=|table| {
                                view! {
                                    <li class="arrivals-table">
                                        <TableBadge id=table.id />
                                        <span>{table.topic}</span>
                                    </li>
                                }
                            }
                        />
                    </ul>
                    <p class="quiet small">{more_tables}</p>
                </section>
            </div>
        </main>
        <Dialog open=renaming title=Signal::derive(move || t_string!(i18n, cafe.change_name).to_string())>
            <NameForm on_saved=move |()| renaming.set(false) />
        </Dialog>
    }
}

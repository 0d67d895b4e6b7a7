//! One table, opened: its question, its people, its board.

use leptos::prelude::*;
use shared::id::{ActorId, Millis, TableId};
use shared::limits;
use shared::workshop::view::FloorPerson;
use shared::workshop::{Command, Phase};

use super::Desk;
use super::facts::{self, TableFacts};
use super::hand::HandUp;
use crate::i18n::{t, t_string, use_i18n};
use crate::state::cafe::Cafe;
use crate::ui::avatar::Avatar;
use crate::ui::button::{Button, ButtonKind, LinkButton};
use crate::ui::dialog::Dialog;
use crate::ui::field::{SelectField, TextArea, TextField};
use crate::ui::table_badge::table_class;
use crate::ui::toast::{ToastKind, toast};

/// The panel of the table that was pressed on the floor.
#[component]
pub(super) fn TablePanel(cafe: Cafe) -> impl IntoView {
    let i18n = use_i18n();
    let desk = expect_context::<Desk>();
    let open = RwSignal::new(false);
    // Each follows the other, and is only set where it differs: otherwise they would call each other for ever.
    Effect::new(move || {
        let wanted = desk.table.with(Option::is_some);
        if open.get_untracked() != wanted {
            open.set(wanted);
        }
    });
    Effect::new(move || {
        if !open.get() && desk.table.with_untracked(Option::is_some) {
            desk.table.set(None);
        }
    });
    let title = move || {
        desk.table.get().map(|table| t_string!(i18n, console.table_n, n = table.0).to_string()).unwrap_or_default()
    };
    view! {
        <Dialog open title side=true>
            {move || desk.table.get().map(|id| view! { <Panel cafe id /> })}
        </Dialog>
    }
}

#[component]
fn Panel(cafe: Cafe, id: TableId) -> impl IntoView {
    let i18n = use_i18n();
    let facts = cafe.memo(move |view| facts::table(view, id));
    let facts = Memo::new(move |_| facts.get().flatten());
    let in_rounds = cafe.memo(|view| view.phase == Phase::Rounds && view.round.is_some());
    let can_host = cafe.memo(|view| matches!(view.phase, Phase::Lobby | Phase::Rounds));
    let people = Memo::new(move |_| facts.with(|facts| facts.as_ref().map(|f| f.people.clone()).unwrap_or_default()));
    let host = Memo::new(move |_| facts.with(|facts| facts.as_ref().and_then(|f| f.floor.host.clone())));
    let workshop = cafe.workshop();
    view! {
        <div class=format!("table-panel stack {}", table_class(id))>
            <Texts cafe id facts />
            <p class="quiet small figures">
                {move || facts.with(|facts| facts.as_ref().map_or(0, |f| f.floor.notes)).to_string()} " "
                {t!(i18n, console.notes_word)} " · " <LastEdit cafe facts />
            </p>
            <LinkButton href=format!("/host/{workshop}/board/{id}") icon=icondata_lu::LuStickyNote>
                {t!(i18n, console.open_board)}
            </LinkButton>
            <section class="stack" aria-label=move || t_string!(i18n, console.people).to_string()>
                <h3>{t!(i18n, console.at_this_table)}</h3>
                <Show
                    when=move || people.with(|people| !people.is_empty())
                    fallback=move || view! { <p class="quiet">{t!(i18n, console.nobody_at_table)}</p> }
                >
                    <ul class="people-list">
                        <For
                            each=move || people.get()
                            key=|person| (person.person.id.clone(), person.person.name.clone(), person.hand)
                            children=move |person| {
                                view! { <Sitter cafe id person host can_host=move || can_host.get() == Some(true) /> }
                            }
                        />
                    </ul>
                </Show>
            </section>
            <Show when=move || in_rounds.get() == Some(true)>
                <MoveHere cafe id />
            </Show>
        </div>
    }
}

/// Topic and question, changed when the button is pressed.
#[component]
fn Texts(cafe: Cafe, id: TableId, facts: Memo<Option<TableFacts>>) -> impl IntoView {
    let i18n = use_i18n();
    let known = move || {
        facts
            .with(|facts| facts.as_ref().map(|f| (f.brief.topic.clone(), f.brief.question.clone())).unwrap_or_default())
    };
    let (first_topic, first_question) = untrack(known);
    let topic = RwSignal::new(first_topic);
    let question = RwSignal::new(first_question);
    let busy = RwSignal::new(false);
    let changed = move || (topic.get(), question.get()) != known();
    let save = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let command = Command::SetTable { table: id, topic: topic.get_untracked(), question: question.get_untracked() };
        let done = t_string!(i18n, console.question_changed).to_string();
        facts::send(cafe, i18n, busy, command, move || toast(ToastKind::Good, done));
    };
    view! {
        <form class="stack" on:submit=save novalidate>
            <TextField
                label=move || t_string!(i18n, new.topic).to_string()
                value=topic
                max_chars=limits::TOPIC_CHARS
                required=true
            />
            <TextArea
                label=move || t_string!(i18n, new.question).to_string()
                value=question
                max_chars=limits::QUESTION_CHARS
            />
            <Show when=changed>
                <div>
                    <Button submit=true busy icon=icondata_lu::LuCheck>
                        {t!(i18n, console.save_question)}
                    </Button>
                </div>
            </Show>
        </form>
    }
}

#[component]
fn LastEdit(cafe: Cafe, facts: Memo<Option<TableFacts>>) -> impl IntoView {
    let i18n = use_i18n();
    let tick = cafe.tick();
    // By the minute: the words change no oftener.
    let minutes = Memo::new(move |_| {
        let last = facts.with(|facts| facts.as_ref().and_then(|f| f.floor.last_edit))?;
        let passed: Millis = tick.get().saturating_sub(last);
        Some(passed / 60_000)
    });
    move || match minutes.get() {
        None => t_string!(i18n, console.never_written).to_string(),
        Some(0) => t_string!(i18n, console.written_now).to_string(),
        Some(minutes) => t_string!(i18n, console.written_ago, n = minutes).to_string(),
    }
}

#[component]
fn Sitter(
    cafe: Cafe,
    id: TableId,
    person: FloorPerson,
    host: Memo<Option<ActorId>>,
    #[prop(into)] can_host: Signal<bool>,
) -> impl IntoView {
    let i18n = use_i18n();
    let desk = expect_context::<Desk>();
    let FloorPerson { person, hand, .. } = person;
    let who = StoredValue::new(person.id);
    let name = StoredValue::new(person.name.clone());
    let is_host = Memo::new(move |_| host.with(|host| host.as_ref() == Some(&who.get_value())));
    let busy = RwSignal::new(false);
    let department = person.department;
    let facts = move || {
        let host = is_host.get().then(|| t_string!(i18n, kit.host).to_string());
        host.into_iter().chain(department.clone()).collect::<Vec<_>>().join(" · ")
    };
    let toggle_host = move |_| {
        let participant = (!is_host.get_untracked()).then(|| who.get_value());
        facts::send(cafe, i18n, busy, Command::SetHost { table: id, participant }, || {});
    };
    view! {
        <li class="people-item">
            <button type="button" class="people-who" on:click=move |_| desk.person.set(Some(who.get_value()))>
                <Avatar name=person.name.clone() online=person.online host=is_host decorative=true />
                <span class="people-words">
                    <span class="people-name clip">{person.name}</span>
                    <span class="quiet small clip">{facts}</span>
                </span>
            </button>
            {hand.then(|| view! { <HandUp cafe who=who.get_value() name=name.get_value() bare=true /> })}
            <Show when=move || can_host.get()>
                <Button
                    kind=ButtonKind::Plain
                    class="button-small"
                    busy
                    pressed=is_host
                    label=move || t_string!(i18n, console.make_host_of, name = name.get_value()).to_string()
                    icon=icondata_lu::LuCrown
                    on_click=toggle_host
                />
            </Show>
        </li>
    }
}

/// Brings somebody to this table.
#[component]
fn MoveHere(cafe: Cafe, id: TableId) -> impl IntoView {
    let i18n = use_i18n();
    let value = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let others = cafe.memo(move |view| {
        facts::people(view)
            .into_iter()
            .filter(|person| person.table != Some(id))
            .map(|person| {
                let from = person.table.map(|table| format!(" ({table})")).unwrap_or_default();
                (person.person.id.0, format!("{}{from}", person.person.name))
            })
            .collect::<Vec<_>>()
    });
    let options = Signal::derive(move || {
        let mut options = vec![(String::new(), t_string!(i18n, console.choose_person).to_string())];
        options.extend(others.get().unwrap_or_default());
        options
    });
    let bring = move |_| {
        let who = value.get_untracked();
        if who.is_empty() {
            return;
        }
        let command = Command::MovePerson { participant: ActorId(who), table: id };
        facts::send(cafe, i18n, busy, command, move || value.set(String::new()));
    };
    view! {
        <div class="move-row">
            <SelectField label=move || t_string!(i18n, console.bring).to_string() value options />
            <Button busy disabled=Signal::derive(move || value.with(String::is_empty)) on_click=bring>
                {t!(i18n, console.bring_button)}
            </Button>
        </div>
    }
}

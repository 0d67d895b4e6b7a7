//! One person, opened: where they sit, what they are, and the way out.

use leptos::prelude::*;
use shared::id::{ActorId, TableId};
use shared::workshop::view::FloorPerson;
use shared::workshop::{Command, Phase};

use super::Desk;
use super::facts;
use super::hand::HandUp;
use crate::i18n::{t, t_string, use_i18n};
use crate::state::cafe::Cafe;
use crate::ui::avatar::Avatar;
use crate::ui::button::{Button, ButtonKind};
use crate::ui::dialog::{Confirm, Dialog};
use crate::ui::field::{CheckField, SelectField};

/// The dialog of the person who was pressed.
#[component]
pub(super) fn PersonDialog(cafe: Cafe) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let open = RwSignal::new(false);
    let people = cafe.memo(facts::people);
    let person = Memo::new(move |_| {
        let id = desk.person.get()?;
        people.with(|people| people.as_ref()?.iter().find(|person| person.person.id == id).cloned())
    });
    // Somebody who left meanwhile has no dialog any more.
    Effect::new(move || {
        let wanted = person.with(Option::is_some);
        if open.get_untracked() != wanted {
            open.set(wanted);
        }
    });
    Effect::new(move || {
        if !open.get() && desk.person.with_untracked(Option::is_some) {
            desk.person.set(None);
        }
    });
    let name = move || person.with(|person| person.as_ref().map(|p| p.person.name.clone()).unwrap_or_default());
    let id = Memo::new(move |_| desk.person.get());
    view! {
        <Dialog open title=name>
            {move || {
                // Made anew for another person only, not for each change of this one.
                id.get().map(|id| view! { <Details cafe id person /> })
            }}
        </Dialog>
    }
}

#[component]
fn Details(cafe: Cafe, id: ActorId, person: Memo<Option<FloorPerson>>) -> impl IntoView {
    let i18n = use_i18n();
    let desk = expect_context::<Desk>();
    let who = StoredValue::new(id);
    let seated = cafe.memo(|view| view.phase == Phase::Rounds && view.round.is_some());
    let can_host = cafe.memo(|view| matches!(view.phase, Phase::Lobby | Phase::Rounds));
    let tables = cafe.memo(facts::table_choices);
    let hosted = cafe.memo(move |view| facts::hosted_by(view, &who.get_value()));
    let hosted = Memo::new(move |_| hosted.get().flatten());
    let table = Memo::new(move |_| person.with(|person| person.as_ref().and_then(|p| p.table)));
    let hand = Memo::new(move |_| person.with(|person| person.as_ref().is_some_and(|p| p.hand)));
    let busy = RwSignal::new(false);
    let removing = RwSignal::new(false);
    let helper = RwSignal::new(false);
    let helps = Memo::new(move |_| person.with(|person| person.as_ref().is_some_and(|p| p.helper)));
    Effect::new(move || helper.set(helps.get()));

    // The fields follow what is; a refusal puts them back.
    let to = RwSignal::new(String::new());
    Effect::new(move || to.set(as_text(table.get())));
    let host_of = RwSignal::new(String::new());
    Effect::new(move || host_of.set(as_text(hosted.get())));
    let seats = Signal::derive(move || {
        let mut options = Vec::new();
        if table.get().is_none() {
            options.push((String::new(), t_string!(i18n, console.no_seat).to_string()));
        }
        options.extend(tables.get().unwrap_or_default());
        options
    });
    let hosts = Signal::derive(move || {
        let mut options = vec![(String::new(), t_string!(i18n, console.no_host).to_string())];
        options.extend(tables.get().unwrap_or_default());
        options
    });
    let move_to = move |chosen: String| {
        if let Some(wanted) = as_table(&chosen) {
            let command = Command::MovePerson { participant: who.get_value(), table: wanted };
            facts::send_shown(cafe, i18n, busy, command, move || put_back(to, table, as_text));
        }
    };
    let set_host = move |chosen: String| {
        let command = match (as_table(&chosen), hosted.get_untracked()) {
            (Some(table), _) => Command::SetHost { table, participant: Some(who.get_value()) },
            (None, Some(table)) => Command::SetHost { table, participant: None },
            (None, None) => return,
        };
        facts::send_shown(cafe, i18n, busy, command, move || put_back(host_of, hosted, as_text));
    };
    let set_helper = move |ticked: bool| {
        let command = Command::SetHelper { participant: who.get_value(), helper: ticked };
        facts::send_shown(cafe, i18n, busy, command, move || put_back(helper, helps, |helps| helps));
    };
    let remove = move |()| {
        let command = Command::RemovePerson { participant: who.get_value() };
        facts::send(cafe, i18n, busy, command, move || desk.person.set(None));
    };
    let fact = move || {
        person.with(|person| {
            let person = person.as_ref()?;
            let mut words = Vec::new();
            words.extend(person.person.department.clone());
            if !person.person.online {
                words.push(t_string!(i18n, kit.away).to_string());
            }
            Some(words.join(" · "))
        })
    };
    let name = move || person.with(|person| person.as_ref().map(|p| p.person.name.clone()).unwrap_or_default());
    view! {
        <div class="stack">
            <p class="row quiet">
                <Avatar name=Signal::derive(name) decorative=true />
                <span>{fact}</span>
            </p>
            <Show when=move || hand.get()>
                <div>
                    <HandUp cafe who=who.get_value() name=name() />
                </div>
            </Show>
            <Show when=move || seated.get() == Some(true)>
                <SelectField
                    label=move || t_string!(i18n, console.sits_at).to_string()
                    value=to
                    options=seats
                    on_change=move_to
                />
            </Show>
            <Show when=move || can_host.get() == Some(true)>
                <SelectField
                    label=move || t_string!(i18n, console.hosts).to_string()
                    hint=move || t_string!(i18n, console.hosts_hint).to_string()
                    value=host_of
                    options=hosts
                    on_change=set_host
                />
            </Show>
            <CheckField
                label=move || t_string!(i18n, console.helper).to_string()
                hint=move || t_string!(i18n, console.helper_hint).to_string()
                value=helper
                on_change=set_helper
            />
            <div class="dialog-actions">
                <Button kind=ButtonKind::Danger icon=icondata_lu::LuUserMinus on_click=move |_| removing.set(true)>
                    {t!(i18n, console.remove)}
                </Button>
            </div>
        </div>
        <Confirm
            open=removing
            title=move || t_string!(i18n, console.remove_title, name = name()).to_string()
            text=move || t_string!(i18n, console.remove_text).to_string()
            action=move || t_string!(i18n, console.remove).to_string()
            on_yes=Callback::new(remove)
        />
    }
}

/// Shows in a field what is; nothing if the dialog was closed meanwhile.
fn put_back<T, U>(field: RwSignal<U>, fact: Memo<T>, shown: impl FnOnce(T) -> U)
where
    T: Clone + Send + Sync + 'static,
    U: Send + Sync + 'static,
{
    if let Some(fact) = fact.try_get_untracked() {
        let _ = field.try_set(shown(fact));
    }
}

fn as_text(table: Option<TableId>) -> String {
    table.map(|table| table.to_string()).unwrap_or_default()
}

fn as_table(text: &str) -> Option<TableId> {
    text.parse().ok().map(TableId)
}

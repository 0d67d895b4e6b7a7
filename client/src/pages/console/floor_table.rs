//! One table on the floor: a round table with its people around it, and what is going on there.

use leptos::prelude::*;
use shared::id::{Millis, TableId};
use shared::workshop::view::FloorPerson;

use super::facts::TableFacts;
use super::hand::HandUp;
use super::spread::{Spread, WhyEmpty};
use crate::i18n::{I18n, t_string, use_i18n};
use crate::state::cafe::Cafe;
use crate::ui::avatar::Avatar;
use crate::ui::icon::Icon;
use crate::ui::table_badge::table_class;

/// Writing counts as going on for this long.
const FRESH: Millis = 20_000;

/// A round table; a press opens its panel. Below it stands what calls for somebody.
#[component]
pub(super) fn FloorTableView(
    cafe: Cafe,
    id: TableId,
    facts: Memo<Option<TableFacts>>,
    now: Signal<Millis>,
    spread: Memo<Option<Spread>>,
    on_open: Callback<()>,
) -> impl IntoView {
    let i18n = use_i18n();
    let people = Memo::new(move |_| facts.with(|facts| facts.as_ref().map(|f| f.people.clone()).unwrap_or_default()));
    let host = Memo::new(move |_| facts.with(|facts| facts.as_ref().and_then(|f| f.floor.host.clone())));
    let topic =
        Memo::new(move |_| facts.with(|facts| facts.as_ref().map(|f| f.brief.topic.clone()).unwrap_or_default()));
    let notes = Memo::new(move |_| facts.with(|facts| facts.as_ref().map_or(0, |f| f.floor.notes)));
    let activity =
        Memo::new(move |_| facts.with(|facts| facts.as_ref().map(|f| f.floor.activity.clone()).unwrap_or_default()));
    let last_edit = Memo::new(move |_| facts.with(|facts| facts.as_ref().and_then(|f| f.floor.last_edit)));
    let busy = Memo::new(move |_| last_edit.get().is_some_and(|last| now.get().saturating_sub(last) < FRESH));
    let empty = Memo::new(move |_| people.with(Vec::is_empty));
    let hands = Memo::new(move |_| {
        let up = |person: &FloorPerson| person.hand.then(|| (person.person.id.clone(), person.person.name.clone()));
        people.with(|people| people.iter().filter_map(up).collect::<Vec<_>>())
    });
    let spoken = move || {
        let names = hands.with(|hands| hands.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>());
        spoken(id, &topic.get(), people.with(Vec::len), notes.get(), &names, i18n)
    };
    view! {
        <button
            type="button"
            class=format!("ft {}", table_class(id))
            class:ft-empty=move || empty.get()
            class:ft-hands=move || hands.with(|hands| !hands.is_empty())
            class:ft-busy=move || busy.get()
            data-table=id.0
            on:click=move |_| on_open.run(())
        >
            // In words for screen readers; the drawing itself is for the eye.
            <span class="visually-hidden">{spoken}</span>
            <span class="ft-ring" aria-hidden="true">
                <span class="ft-disc">
                    <span class="ft-number figures">{id.0}</span>
                    <span class="ft-topic">{move || topic.get()}</span>
                </span>
                <For
                    each=move || {
                        let count = people.with(Vec::len);
                        people
                            .get()
                            .into_iter()
                            .enumerate()
                            .map(move |(index, person)| (index, count, person))
                    }
                    // The place is part of the key: who sits where changes rarely, and an avatar is cheap.
                    key=|(index, count, person)| {
                        (*index, *count, person.person.id.clone(), person.person.name.clone(), person.person.online, person.hand)
                    }
                    children=move |(index, count, person)| view! { <Guest index count person host /> }
                />
            </span>
            <span class="ft-line" aria-hidden="true">
                <span class="ft-notes figures">
                    <Icon icon=icondata_lu::LuStickyNote />
                    {move || notes.get()}
                </span>
                <Sparkline activity />
            </span>
        </button>
        <div class="ft-call">
            <For each=move || hands.get() key=|hand| hand.clone() children=move |(who, name)| view! { <HandUp cafe who name /> } />
            <Show when=move || empty.get()>
                <WhyEmpty id spread />
            </Show>
        </div>
    }
}

#[component]
fn Guest(index: usize, count: usize, person: FloorPerson, host: Memo<Option<shared::id::ActorId>>) -> impl IntoView {
    let id = person.person.id.clone();
    let is_host = Signal::derive(move || host.with(|host| host.as_ref() == Some(&id)));
    // The host at the top, the others around in the order in which they came.
    let angle = 360.0 * index as f64 / count.max(1) as f64 - 90.0;
    view! {
        <span
            class="ft-guest"
            class:ft-guest-hand=person.hand
            style:--angle=format!("{angle:.1}deg")
            style:--avatar=(count > 14).then_some("30px")
        >
            <Avatar name=person.person.name online=person.person.online host=is_host decorative=true />
            {person.hand.then(|| view! { <span class="ft-hand"><Icon icon=icondata_lu::LuHand /></span> })}
        </span>
    }
}

/// The last ten minutes as a quiet line.
#[component]
fn Sparkline(activity: Memo<Vec<u16>>) -> impl IntoView {
    view! {
        <svg class="ft-spark" viewBox="0 0 72 20" preserveAspectRatio="none" aria-hidden="true">
            <path d=move || activity.with(|activity| spark(activity)) />
        </svg>
    }
}

/// A line through the counts. A table at rest draws a flat line at the bottom; below six edits a minute nothing reaches the top.
fn spark(activity: &[u16]) -> String {
    let (width, height) = (72.0, 20.0);
    let most = f64::from(activity.iter().copied().max().unwrap_or(0).max(6));
    let last = activity.len().saturating_sub(1).max(1) as f64;
    if activity.is_empty() {
        return format!("M0 {:.1}H{width}", height - 1.5);
    }
    activity
        .iter()
        .enumerate()
        .map(|(index, count)| {
            let x = width * index as f64 / last;
            let y = height - 1.5 - (height - 3.0) * f64::from(*count) / most;
            format!("{}{x:.1} {y:.1}", if index == 0 { 'M' } else { 'L' })
        })
        .collect()
}

/// Everything the drawing shows, in words.
fn spoken(id: TableId, topic: &str, people: usize, notes: u32, hands: &[String], i18n: I18n) -> String {
    let mut words =
        t_string!(i18n, console.table_spoken, n = id.0, topic = topic.to_owned(), people = people, notes = notes)
            .to_string();
    if !hands.is_empty() {
        words.push_str(". ");
        words.push_str(&t_string!(i18n, console.hand, name = hands.join("、")));
    } else if people == 0 {
        words.push_str(". ");
        words.push_str(t_string!(i18n, console.empty_table));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::spark;

    #[test]
    fn a_line_for_every_activity() {
        assert_eq!(spark(&[]), "M0 18.5H72");
        assert_eq!(spark(&[0, 6]), "M0.0 18.5L72.0 1.5");
        assert_eq!(spark(&[12, 0, 6]), "M0.0 1.5L36.0 18.5L72.0 10.0");
    }
}

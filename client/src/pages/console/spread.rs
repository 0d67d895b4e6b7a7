//! Over how many tables people spread, and why the others stay empty: the seating opens a table only for two people.

use leptos::prelude::*;
use shared::id::TableId;
use shared::seating::tables_used;
use shared::workshop::Phase;
use shared::workshop::view::View;

use super::facts;
use crate::i18n::{I18n, t_string, use_i18n};
use crate::ui::icon::Icon;

/// How a round that is seated now would spread those who are here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spread {
    people: usize,
    /// Tables with people, ascending.
    used: Vec<TableId>,
    /// Tables without, ascending.
    unused: Vec<TableId>,
    /// Whether a round is still to be seated.
    more_rounds: bool,
}

impl Spread {
    /// None for who may not know.
    pub(super) fn of(view: &View) -> Option<Self> {
        let part = facts::part(view)?;
        let here = |host: &_| part.people.iter().any(|person| person.person.id == *host);
        let hosted: Vec<TableId> =
            part.floor.iter().filter(|table| table.host.as_ref().is_some_and(here)).map(|table| table.id).collect();
        let seats = part.draft.settings.seats_per_table;
        let used = tables_used(view.table_count, seats, part.people.len(), &hosted);
        let unused = (1..=view.table_count).map(TableId).filter(|id| used.binary_search(id).is_err()).collect();
        let seated = view.round.as_ref().map_or(0, |round| usize::from(round.index) + 1);
        let more_rounds = view.phase <= Phase::Rounds && seated < view.rounds.len();
        Some(Self { people: part.people.len(), used, unused, more_rounds })
    }

    /// Whether it is for want of pairs that there are no more tables.
    fn in_pairs(&self) -> bool {
        self.used.len() > 1 && self.used.len() == self.people / 2
    }

    /// Why an empty table is empty.
    fn why(&self, id: TableId, i18n: I18n) -> String {
        let (people, tables) = (self.people, self.used.len());
        if people == 0 {
            return t_string!(i18n, console.empty_table).to_string();
        }
        if self.used.binary_search(&id).is_ok() {
            return if self.more_rounds {
                t_string!(i18n, console.empty_next).to_string()
            } else {
                t_string!(i18n, console.empty_table).to_string()
            };
        }
        let why = if self.in_pairs() {
            t_string!(i18n, console.empty_pairs, people = people, tables = tables).to_string()
        } else {
            t_string!(i18n, console.empty_few, people = people, tables = tables).to_string()
        };
        if !self.more_rounds {
            return why;
        }
        t_string!(i18n, console.empty_more, why = why).to_string()
    }

    /// Before the first round: how many tables there will be, and which stay empty. Nothing where all have people.
    fn outlook(&self, i18n: I18n) -> Option<String> {
        if self.people == 0 || self.unused.is_empty() {
            return None;
        }
        let (people, tables, empty) = (self.people, self.used.len(), numbers(&self.unused));
        Some(if self.in_pairs() {
            t_string!(i18n, console.spread_pairs, people = people, tables = tables, empty = empty).to_string()
        } else {
            t_string!(i18n, console.spread_few, people = people, tables = tables, empty = empty).to_string()
        })
    }
}

/// Under an empty table: why it is.
#[component]
pub(super) fn WhyEmpty(id: TableId, spread: Memo<Option<Spread>>) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <p class="ft-why">
            <Icon icon=icondata_lu::LuArmchair />
            <span>{move || spread.with(|spread| spread.as_ref().map(|spread| spread.why(id, i18n)))}</span>
        </p>
    }
}

/// In the lobby: how many tables those who are here make.
#[component]
pub(super) fn Outlook(spread: Memo<Option<Spread>>) -> impl IntoView {
    let i18n = use_i18n();
    move || {
        let words = spread.with(|spread| spread.as_ref()?.outlook(i18n))?;
        Some(view! { <p class="lobby-outlook quiet figures">{words}</p> })
    }
}

/// Numbers of tables, ascending; those in a row as one: `3–5, 9`.
fn numbers(tables: &[TableId]) -> String {
    let rows = tables.chunk_by(|one, next| one.0 + 1 == next.0);
    let shown = rows.filter_map(|row| match row {
        [] => None,
        [one] => Some(one.to_string()),
        [first, second] => Some(format!("{first}, {second}")),
        [first, .., last] => Some(format!("{first}–{last}")),
    });
    shown.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_in_a_row_are_one_word() {
        let shown = |tables: &[u16]| numbers(&tables.iter().copied().map(TableId).collect::<Vec<_>>());
        assert_eq!(shown(&[]), "");
        assert_eq!(shown(&[3]), "3");
        assert_eq!(shown(&[3, 4, 6, 7, 8, 10]), "3, 4, 6–8, 10");
    }
}

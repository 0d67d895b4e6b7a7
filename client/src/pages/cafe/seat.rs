//! Where one sits, as the view says it, and whether one knows already.

use leptos::prelude::*;
use shared::id::{TableId, WorkshopId};
use shared::workshop::view::{Part, ParticipantPart, SeatView, View};

use crate::platform;
use crate::state::cafe::Cafe;
use crate::ui::moving::Reason;

/// A participant's own part of a view.
pub fn part(view: &View) -> Option<&ParticipantPart> {
    match &view.part {
        Part::Participant(part) => Some(part),
        _ => None,
    }
}

/// One's seat in the round that is on.
pub fn seat(view: &View) -> Option<&SeatView> {
    part(view)?.seat.as_ref()
}

/// One's table; changes only with it.
pub fn table(cafe: Cafe) -> Memo<Option<TableId>> {
    let table = cafe.memo(|view| seat(view).map(|seat| seat.table.id));
    Memo::new(move |_| table.get().flatten())
}

/// What is asked at a table in the round that is on: the round's question, which is new, and the table's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// By the round, at all tables.
    pub round: Option<String>,
    /// At this table, in all rounds; none where it is the same.
    pub table: Option<String>,
}

impl Asked {
    /// What this view says.
    pub fn of(view: &View) -> Self {
        let round = (view.round.as_ref())
            .and_then(|round| view.rounds.get(usize::from(round.index)))
            .and_then(|round| round.question.clone());
        Self::new(round, seat(view).map(|seat| seat.table.question.clone()))
    }

    fn new(round: Option<String>, table: Option<String>) -> Self {
        let round = round.filter(|text| !text.trim().is_empty());
        let table = table.filter(|text| !text.trim().is_empty() && round.as_ref() != Some(text));
        Self { round, table }
    }

    /// Nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.round.is_none() && self.table.is_none()
    }
}

/// The round and table in which one was last told to sit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Index of the round.
    pub round: u8,
    /// Which table.
    pub table: TableId,
}

impl Told {
    /// What this view says.
    pub fn of(view: &View) -> Option<Self> {
        Some(Self { round: view.round.as_ref()?.index, table: seat(view)?.table.id })
    }

    /// What this device remembers, so that a reload does not send anybody again.
    pub fn remembered(workshop: &WorkshopId) -> Option<Self> {
        let text = platform::local_get(&key(workshop))?;
        let (round, table) = text.split_once(':')?;
        Some(Self { round: round.parse().ok()?, table: TableId(table.parse().ok()?) })
    }

    /// Remembers it.
    pub fn remember(self, workshop: &WorkshopId) {
        platform::local_set(&key(workshop), &format!("{}:{}", self.round, self.table));
    }

    /// Why one is told anew; none if one knows.
    pub fn reason(self, before: Option<Self>) -> Option<Reason> {
        match before {
            None => Some(Reason::First),
            Some(before) if before == self => None,
            Some(before) if before.round == self.round => Some(Reason::Asked),
            Some(before) if before.table == self.table => Some(Reason::Stay),
            // An earlier round: the café was set back, or begun anew.
            Some(_) if self.round == 0 => Some(Reason::First),
            Some(_) => Some(Reason::Travel),
        }
    }
}

fn key(workshop: &WorkshopId) -> String {
    format!("tablehop.seat.{workshop}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(round: u8, table: u16) -> Told {
        Told { round, table: TableId(table) }
    }

    #[test]
    fn the_same_question_is_asked_once() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(Asked::new(some("A"), some("B")), Asked { round: some("A"), table: some("B") });
        assert_eq!(Asked::new(some("A"), some("A")), Asked { round: some("A"), table: None });
        assert_eq!(Asked::new(None, some("B")), Asked { round: None, table: some("B") });
        assert!(Asked::new(some(" "), some("")).is_empty());
    }

    #[test]
    fn one_is_told_once_and_why() {
        assert_eq!(told(0, 3).reason(None), Some(Reason::First));
        assert_eq!(told(0, 3).reason(Some(told(0, 3))), None);
        assert_eq!(told(1, 4).reason(Some(told(0, 3))), Some(Reason::Travel));
        assert_eq!(told(1, 3).reason(Some(told(0, 3))), Some(Reason::Stay));
        assert_eq!(told(1, 5).reason(Some(told(1, 4))), Some(Reason::Asked));
        assert_eq!(told(0, 2).reason(Some(told(2, 4))), Some(Reason::First));
    }
}

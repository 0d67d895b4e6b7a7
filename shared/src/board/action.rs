//! Actions of the improvement plan.

use yrs::{Any, Map, MapPrelim, MapRef, ReadTxn, TextRef, TransactionMut};

use super::doc::PlanRoots;
use super::field;
use super::view::{Action, ActionStatus, ActionText, NoteRef};
use crate::id::{ActionId, ThemeId};

mod key {
    pub const ORDER: &str = "order";
    pub const DUE: &str = "due";
    pub const EFFORT: &str = "effort";
    pub const IMPACT: &str = "impact";
    pub const STATUS: &str = "status";
    pub const DELETED: &str = "deleted";
    pub const SOURCE: &str = "src:";
    pub const THEME: &str = "theme:";
}

/// The top of the scales of effort and impact.
const SCALE_MAX: u8 = 5;

/// An action to be written down; the fields are those of [`Action`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewAction {
    /// Its id, unique in the workshop.
    pub id: ActionId,
    /// Place in the plan, ascending.
    pub order: f64,
    /// What is to be done.
    pub title: String,
    /// Why.
    pub reason: String,
    /// Stage of the journey, touchpoint or moment.
    pub stage: String,
    /// The themes it came from.
    pub themes: Vec<ThemeId>,
    /// The notes it rests on.
    pub sources: Vec<NoteRef>,
}

/// Writes an action down, with all its texts. Does nothing if its id is taken.
pub fn create(txn: &mut TransactionMut, roots: &PlanRoots, action: NewAction) {
    if roots.actions.contains_key(txn, action.id.as_str()) {
        return;
    }
    let mut map = MapPrelim::from([
        (key::ORDER, field::new_value(field::finite(action.order))),
        (key::STATUS, field::new_value(ActionStatus::default().as_str())),
    ]);
    for text in ActionText::ALL {
        let says = match text {
            ActionText::Title => action.title.as_str(),
            ActionText::Stage => &action.stage,
            ActionText::Reason => &action.reason,
            _ => "",
        };
        map.insert(text.key().into(), field::new_text(says));
    }
    for theme in &action.themes {
        map.insert(theme_key(theme).into(), field::new_value(true));
    }
    for source in &action.sources {
        map.insert(source_key(source).into(), field::new_value(true));
    }
    roots.actions.insert(txn, action.id.as_str(), map);
}

/// Reads an action, a deleted one too. None if there is no such action.
pub fn read<T: ReadTxn>(txn: &T, roots: &PlanRoots, id: &ActionId) -> Option<Action> {
    Some(read_map(txn, &element(txn, roots, id)?, id.as_str()))
}

/// One of the texts of an action, to be edited with [`super::text::edit`]. None if there is no such action.
pub fn text_of<T: ReadTxn>(txn: &T, roots: &PlanRoots, id: &ActionId, text: ActionText) -> Option<TextRef> {
    field::text_ref(txn, &element(txn, roots, id)?, text.key())
}

/// Sets the due date, `YYYY-MM-DD` or empty. Nothing happens if there is no such action; so for all that follow.
pub fn set_due(txn: &mut TransactionMut, roots: &PlanRoots, id: &ActionId, due: &str) {
    put(txn, roots, id, key::DUE, due);
}

/// Sets the effort, 1 (little) to 5 (much), 0 for not yet said; more is 5.
pub fn set_effort(txn: &mut TransactionMut, roots: &PlanRoots, id: &ActionId, effort: u8) {
    put(txn, roots, id, key::EFFORT, u32::from(effort.min(SCALE_MAX)));
}

/// Sets the impact, 1 (little) to 5 (much), 0 for not yet said; more is 5.
pub fn set_impact(txn: &mut TransactionMut, roots: &PlanRoots, id: &ActionId, impact: u8) {
    put(txn, roots, id, key::IMPACT, u32::from(impact.min(SCALE_MAX)));
}

/// Says how far the action is.
pub fn set_status(txn: &mut TransactionMut, roots: &PlanRoots, id: &ActionId, status: ActionStatus) {
    put(txn, roots, id, key::STATUS, status.as_str());
}

/// Sets the place in the plan, ascending.
pub fn set_order(txn: &mut TransactionMut, roots: &PlanRoots, id: &ActionId, order: f64) {
    put(txn, roots, id, key::ORDER, field::finite(order));
}

/// Takes the action away, or brings it back.
pub fn set_deleted(txn: &mut TransactionMut, roots: &PlanRoots, id: &ActionId, deleted: bool) {
    put(txn, roots, id, key::DELETED, deleted);
}

/// Adds a note to what the action rests on, or takes it out.
pub fn set_source(txn: &mut TransactionMut, roots: &PlanRoots, id: &ActionId, note: &NoteRef, present: bool) {
    if let Some(map) = element(txn, roots, id) {
        field::set_member(txn, &map, &source_key(note), present);
    }
}

/// Adds a theme to where the action came from, or takes it out.
pub fn set_theme(txn: &mut TransactionMut, roots: &PlanRoots, id: &ActionId, theme: &ThemeId, present: bool) {
    if let Some(map) = element(txn, roots, id) {
        field::set_member(txn, &map, &theme_key(theme), present);
    }
}

/// Reads the map of an action.
pub(super) fn read_map<T: ReadTxn>(txn: &T, map: &MapRef, id: &str) -> Action {
    let text = |field: ActionText| field::text(txn, map, field.key());
    let scale = |key: &str| field::small(txn, map, key).unwrap_or_default().min(SCALE_MAX);
    let mut sources: Vec<NoteRef> =
        field::members(txn, map, key::SOURCE).iter().filter_map(|key| NoteRef::parse(key)).collect();
    sources.sort_unstable();
    Action {
        id: id.into(),
        order: field::number(txn, map, key::ORDER).unwrap_or_default(),
        title: text(ActionText::Title),
        stage: text(ActionText::Stage),
        reason: text(ActionText::Reason),
        accountable: text(ActionText::Accountable),
        helpers: text(ActionText::Helpers),
        due: field::string(txn, map, key::DUE).unwrap_or_default(),
        effort: scale(key::EFFORT),
        impact: scale(key::IMPACT),
        kpi: text(ActionText::Kpi),
        baseline: text(ActionText::Baseline),
        target: text(ActionText::Target),
        cost: text(ActionText::Cost),
        risk: text(ActionText::Risk),
        status: ActionStatus::parse(&field::string(txn, map, key::STATUS).unwrap_or_default()),
        themes: field::members(txn, map, key::THEME).into_iter().map(ThemeId).collect(),
        sources,
        deleted: field::flag(txn, map, key::DELETED),
    }
}

fn element<T: ReadTxn>(txn: &T, roots: &PlanRoots, id: &ActionId) -> Option<MapRef> {
    field::element(txn, &roots.actions, id.as_str())
}

fn put(txn: &mut TransactionMut, roots: &PlanRoots, id: &ActionId, key: &str, value: impl Into<Any>) {
    if let Some(map) = element(txn, roots, id) {
        field::put(txn, &map, key, value);
    }
}

fn source_key(note: &NoteRef) -> String {
    format!("{}{}", key::SOURCE, note.key())
}

fn theme_key(theme: &ThemeId) -> String {
    format!("{}{theme}", key::THEME)
}

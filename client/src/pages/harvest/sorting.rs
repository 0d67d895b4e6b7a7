//! What the harvest's parts share: where every note lies, which one is picked up, and what can be done with it.

use std::collections::{HashMap, HashSet};

use leptos::prelude::*;
use shared::board::view::{NoteRef, Theme};
use shared::id::{BoardKind, Role, ThemeId};
use shared::workshop::view::Part;

use super::drag::Press;
use crate::i18n::{I18n, t_string, use_i18n};
use crate::pages::gallery::Tables;
use crate::state::board::Board;
use crate::state::cafe::Cafe;
use crate::ui::regret::Regret;

/// Where a note can be put down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Among the unplaced ones.
    Nowhere,
    /// In a theme.
    Theme(ThemeId),
    /// In a theme of its own.
    New,
}

/// The state of a harvest on one screen.
#[derive(Clone, Copy)]
pub struct Sorting {
    /// All tables' boards.
    pub tables: Tables,
    /// The harvest board.
    pub harvest: Board,
    /// Whether the reader is one of those who sort: facilitators, and participants who help.
    pub may_sort: Memo<bool>,
    /// All notes.
    pub refs: Memo<Vec<NoteRef>>,
    /// Notes in no theme.
    pub unplaced: Memo<Vec<NoteRef>>,
    /// Notes by theme.
    pub by_theme: Memo<HashMap<ThemeId, Vec<NoteRef>>>,
    /// Themes in order.
    pub themes: Signal<Vec<Theme>>,
    /// The note that was tapped and waits for a theme.
    pub picked: RwSignal<Option<NoteRef>>,
    /// Where the pointer went down on a note.
    pub press: StoredValue<Option<Press>>,
    /// The press on a note was a drag, so the click that follows means nothing.
    pub swallow: StoredValue<bool>,
    /// The note that is being dragged, and its place in the window, in CSS pixels.
    pub dragged: RwSignal<Option<(NoteRef, f64, f64)>>,
    /// Over what it is being dragged.
    pub over: RwSignal<Option<Target>>,
    /// The theme that was just made: its name is asked for.
    pub fresh: StoredValue<Option<ThemeId>>,
    /// The note that is next for somebody who sorts with the keyboard.
    pub next: StoredValue<Option<NoteRef>>,
    /// What was just done, for screen readers.
    pub said: RwSignal<String>,
    /// Themes just deleted.
    pub regret: Regret,
    i18n: I18n,
}

impl Sorting {
    /// Opens all boards it needs for the calling component.
    pub fn open(cafe: Cafe) -> Self {
        let tables = Tables::open(cafe);
        let harvest = cafe.board(BoardKind::Harvest);
        let refs = tables.refs();
        let placements = harvest.placements();
        let by_theme = Memo::new(move |_| {
            let there: HashSet<NoteRef> = refs.with(|refs| refs.iter().cloned().collect());
            let mut by_theme: HashMap<ThemeId, Vec<NoteRef>> = HashMap::new();
            placements.with(|all| {
                for (note, theme) in all.iter().filter(|(note, _)| there.contains(note)) {
                    by_theme.entry(theme.clone()).or_default().push(note.clone());
                }
            });
            by_theme
        });
        let unplaced = Memo::new(move |_| {
            let placed: HashSet<NoteRef> = by_theme.with(|by_theme| by_theme.values().flatten().cloned().collect());
            refs.with(|refs| refs.iter().filter(|note| !placed.contains(note)).cloned().collect())
        });
        let sorts = cafe.memo(|view| match &view.part {
            Part::Participant(part) => part.helper,
            _ => view.me.role == Role::Facilitator,
        });
        Self {
            tables,
            harvest,
            may_sort: Memo::new(move |_| harvest.writable().get() && sorts.get() == Some(true)),
            refs,
            unplaced,
            by_theme,
            themes: harvest.themes(),
            picked: RwSignal::new(None),
            press: StoredValue::new(None),
            swallow: StoredValue::new(false),
            dragged: RwSignal::new(None),
            over: RwSignal::new(None),
            fresh: StoredValue::new(None),
            next: StoredValue::new(None),
            said: RwSignal::new(String::new()),
            regret: Regret::new(),
            i18n: use_i18n(),
        }
    }

    /// Puts a note down. Unplaced notes that go on from it come along: an idea and its "yes, and" belong together.
    pub fn put(self, note: &NoteRef, target: &Target) {
        let theme = match target {
            Target::Nowhere => None,
            Target::Theme(id) => Some(id.clone()),
            Target::New => {
                let words = self.tables.peek(note).map(|note| beginning(&note.text)).unwrap_or_default();
                match self.harvest.create_theme(&words) {
                    Some(id) => Some(id),
                    None => return,
                }
            }
        };
        let followers = if theme.is_some() { self.followers(note) } else { Vec::new() };
        self.harvest.place(note, theme.as_ref());
        for follower in followers {
            self.harvest.place(&follower, theme.as_ref());
        }
        self.picked.set(None);
        self.said.set(match &theme {
            Some(id) => t_string!(self.i18n, harvest.put_into, theme = self.title(id)).to_string(),
            None => t_string!(self.i18n, harvest.taken_out).to_string(),
        });
    }

    /// Puts a note into the theme at this place, from 0; whether there is one.
    pub fn put_into_nth(self, note: &NoteRef, index: usize) -> bool {
        let theme = self.themes.with_untracked(|themes| themes.get(index).map(|theme| theme.id.clone()));
        if let Some(theme) = &theme {
            self.put(note, &Target::Theme(theme.clone()));
        }
        theme.is_some()
    }

    /// A new theme at the end, whose name is asked for.
    pub fn add_theme(self) {
        if let Some(id) = self.harvest.create_theme("") {
            self.fresh.set_value(Some(id));
        }
    }

    /// Moves a theme one place towards the front (−1) or the end (+1).
    pub fn shift_theme(self, id: &ThemeId, by: isize) {
        let order = self.themes.with_untracked(|themes| {
            let at = themes.iter().position(|theme| theme.id == *id)?;
            let to = at.checked_add_signed(by).filter(|to| *to < themes.len())?;
            let beyond = to.checked_add_signed(by).and_then(|i| themes.get(i)).map(|theme| theme.order);
            let beside = themes[to].order;
            Some(beyond.map_or(beside + by as f64, |beyond| f64::midpoint(beside, beyond)))
        });
        if let Some(order) = order {
            self.harvest.move_theme(id, order);
        }
    }

    /// Deletes a theme, and offers to bring it back with its notes.
    pub fn delete_theme(self, id: &ThemeId) {
        let words = t_string!(self.i18n, harvest.deleted, theme = self.title(id)).to_string();
        self.harvest.delete_theme(id);
        let id = id.clone();
        self.regret.offer(words, move || self.harvest.restore_theme(&id));
    }

    /// A theme's name, or the words for one that has none.
    pub fn title(self, id: &ThemeId) -> String {
        let title = self.themes.with_untracked(|all| all.iter().find(|theme| theme.id == *id).map(|t| t.title.clone()));
        named(self.i18n, &title.unwrap_or_default())
    }

    /// Unplaced notes that go on from this one, over however many steps.
    pub fn followers(self, note: &NoteRef) -> Vec<NoteRef> {
        let mut family = HashSet::from([note.note.clone()]);
        self.unplaced.with_untracked(|unplaced| {
            let mut found = Vec::new();
            // In time order, so one pass meets every parent before those that go on from it.
            for other in unplaced.iter().filter(|other| other.table == note.table && other.note != note.note) {
                let on = self.tables.peek(other).and_then(|note| note.builds_on);
                if on.is_some_and(|on| family.contains(&on)) {
                    family.insert(other.note.clone());
                    found.push(other.clone());
                }
            }
            found
        })
    }
}

/// A theme's title, or the words for one that has none.
pub fn named(i18n: I18n, title: &str) -> String {
    let title = title.trim();
    if title.is_empty() { t_string!(i18n, harvest.unnamed).to_string() } else { title.to_owned() }
}

/// The first words of a note, as a theme's first name: a sentence's end or the last whole word, where there is one.
fn beginning(text: &str) -> String {
    const LONG: usize = 24;
    let line = text.lines().next().unwrap_or_default().trim();
    let sentence = line.split(['。', '，', '；', '！', '？', '.', ',', ';', '!', '?']).next().unwrap_or(line).trim();
    if sentence.chars().count() <= LONG {
        return sentence.to_owned();
    }
    let cut: String = sentence.chars().take(LONG).collect();
    match cut.rsplit_once(' ') {
        Some((words, _)) => words.to_owned(),
        None => cut,
    }
}

#[cfg(test)]
mod tests {
    use super::beginning;

    #[test]
    fn a_theme_is_first_named_by_a_notes_first_words() {
        for (note, name) in [
            ("维修后当天回访，问一句满意吗", "维修后当天回访"),
            ("Call back on the same day, and ask", "Call back on the same"),
            ("短", "短"),
            ("", ""),
            (
                "一二三四五六七八九十一二三四五六七八九十一二三四五六",
                "一二三四五六七八九十一二三四五六七八九十一二三四",
            ),
        ] {
            assert_eq!(beginning(note), name);
        }
    }
}

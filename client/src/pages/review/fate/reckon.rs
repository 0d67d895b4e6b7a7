//! What became of somebody's notes: pure. A note went where the harvest laid it, and rests under the actions that name it or its theme.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use shared::board::view::{Action, Note, NoteRef};
use shared::id::{ActionId, ActorId, NoteId, TableId, ThemeId};

/// A note somebody wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Where it lies.
    pub place: NoteRef,
    /// What it says.
    pub text: String,
    /// How many notes of others go on from it, over however many steps.
    pub went_on: usize,
}

/// Notes that went the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    /// The notes, table by table, in time order.
    pub notes: Vec<Written>,
    /// The theme they lie in.
    pub theme: Option<ThemeId>,
    /// The actions that rest on them or on their theme, in the plan's order.
    pub actions: Vec<ActionId>,
}

/// All ways that somebody's notes went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fates {
    /// Those that reached an action in the plan's order, then those that reached a theme in the harvest's.
    pub reached: Vec<Fate>,
    /// Notes that lie in no theme, and under no action.
    pub kept: Vec<Written>,
}

impl Fates {
    /// How many notes there are.
    pub fn count(&self) -> usize {
        self.kept.len() + self.reached.iter().map(|fate| fate.notes.len()).sum::<usize>()
    }

    /// How many of them are under an action.
    pub fn acted(&self) -> usize {
        let acted = self.reached.iter().filter(|fate| !fate.actions.is_empty());
        acted.map(|fate| fate.notes.len()).sum()
    }
}

/// Of the notes that `me` wrote on these boards. Themes and actions are those that are there, in their order.
pub fn fates(
    me: &ActorId,
    boards: &[(TableId, Vec<Note>)],
    themes: &[ThemeId],
    placements: &[(NoteRef, ThemeId)],
    actions: &[Action],
) -> Fates {
    let theme_of: HashMap<&NoteRef, usize> = placements
        .iter()
        .filter_map(|(place, theme)| Some((place, themes.iter().position(|there| there == theme)?)))
        .collect();
    let mut fates = Fates::default();
    let mut ways: BTreeMap<(Vec<usize>, Option<usize>), Vec<Written>> = BTreeMap::new();
    for (table, notes) in boards {
        let answers = answers(notes);
        for note in notes.iter().filter(|note| note.author == *me && !note.deleted && !note.text.trim().is_empty()) {
            let place = NoteRef { table: *table, note: note.id.clone() };
            let theme = theme_of.get(&place).copied();
            let rests = |action: &Action| {
                action.sources.contains(&place) || theme.is_some_and(|at| action.themes.contains(&themes[at]))
            };
            let under: Vec<usize> =
                actions.iter().enumerate().filter(|(_, action)| rests(action)).map(|(at, _)| at).collect();
            let went_on = went_on(&note.id, me, &answers);
            let written = Written { place, text: note.text.trim().to_owned(), went_on };
            if theme.is_none() && under.is_empty() {
                fates.kept.push(written);
            } else {
                ways.entry((under, theme)).or_default().push(written);
            }
        }
    }
    fates.reached = ways
        .into_iter()
        .map(|((under, theme), notes)| Fate {
            notes,
            theme: theme.map(|at| themes[at].clone()),
            actions: under.into_iter().map(|at| actions[at].id.clone()).collect(),
        })
        .collect();
    // An empty list sorts before all others, and no action comes last.
    fates.reached.sort_by_key(|fate| fate.actions.is_empty());
    fates
}

/// The notes that build on each one.
fn answers(notes: &[Note]) -> HashMap<&NoteId, Vec<&Note>> {
    let mut answers: HashMap<&NoteId, Vec<&Note>> = HashMap::new();
    for note in notes {
        if let Some(on) = &note.builds_on {
            answers.entry(on).or_default().push(note);
        }
    }
    answers
}

/// How many notes of others go on from one. What was taken away does not count, but what goes on from it does.
fn went_on(id: &NoteId, me: &ActorId, answers: &HashMap<&NoteId, Vec<&Note>>) -> usize {
    let mut seen = HashSet::from([id]);
    let mut waiting = vec![id];
    let mut others = BTreeSet::new();
    while let Some(at) = waiting.pop() {
        for note in answers.get(at).into_iter().flatten().filter(|note| seen.insert(&note.id)) {
            if note.author != *me && !note.deleted {
                others.insert(&note.id);
            }
            waiting.push(&note.id);
        }
    }
    others.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(id: &str, author: &str, on: &str) -> Note {
        let builds_on = (!on.is_empty()).then(|| on.into());
        Note { id: id.into(), author: author.into(), text: format!("words of {id}"), builds_on, ..Note::default() }
    }

    fn at(table: u16, note: &str) -> NoteRef {
        NoteRef { table: TableId(table), note: note.into() }
    }

    fn action(id: &str, themes: &[&str], sources: &[NoteRef]) -> Action {
        let themes = themes.iter().map(|theme| (*theme).into()).collect();
        Action { id: id.into(), themes, sources: sources.to_vec(), ..Action::default() }
    }

    fn ids(notes: &[Written]) -> Vec<&str> {
        notes.iter().map(|note| note.place.note.as_str()).collect()
    }

    #[test]
    fn p22_notes_are_gathered_by_the_way_they_went_actions_first() {
        let boards = [
            (TableId(1), vec![note("a", "me", ""), note("b", "you", ""), note("c", "me", ""), note("d", "me", "")]),
            (TableId(4), vec![note("e", "me", ""), note("f", "me", ""), note("g", "me", "")]),
        ];
        let themes: [ThemeId; 2] = ["t1".into(), "t2".into()];
        let placements = [
            (at(1, "a"), "t2".into()),
            (at(1, "b"), "t2".into()),
            (at(4, "e"), "t2".into()),
            (at(1, "c"), "t1".into()),
            (at(1, "d"), "gone".into()),
        ];
        let actions = [action("x", &["gone"], &[at(4, "f"), at(1, "b")]), action("y", &["t2"], &[])];
        let fates = fates(&"me".into(), &boards, &themes, &placements, &actions);
        let reached: Vec<_> = fates
            .reached
            .iter()
            .map(|fate| {
                let actions: Vec<_> = fate.actions.iter().map(ActionId::as_str).collect();
                (ids(&fate.notes), fate.theme.as_ref().map(ThemeId::as_str), actions)
            })
            .collect();
        assert_eq!(
            reached,
            [
                // Named by an action without lying in a theme.
                (vec!["f"], None, vec!["x"]),
                (vec!["a", "e"], Some("t2"), vec!["y"]),
                (vec!["c"], Some("t1"), vec![]),
            ]
        );
        assert_eq!(ids(&fates.kept), ["d", "g"], "a theme that was taken away is none");
        assert_eq!((fates.count(), fates.acted()), (6, 3));
    }

    #[test]
    fn p22_what_others_built_on_a_note_counts_once_over_all_steps() {
        let mut gone = note("gone", "you", "a");
        gone.deleted = true;
        let notes = vec![
            note("a", "me", "c"),
            note("b", "you", "a"),
            note("c", "you", "b"),
            note("own", "me", "a"),
            note("after-own", "they", "own"),
            gone,
            note("after-gone", "they", "gone"),
            note("elsewhere", "they", "x"),
        ];
        let fates = fates(&"me".into(), &[(TableId(1), notes)], &[], &[], &[]);
        let counts: Vec<_> = fates.kept.iter().map(|note| (note.place.note.as_str(), note.went_on)).collect();
        assert_eq!(counts, [("a", 4), ("own", 1)], "also where they build on each other in a circle");
    }

    #[test]
    fn p22_what_was_taken_away_or_left_empty_is_not_told() {
        let mut gone = note("a", "me", "");
        gone.deleted = true;
        let mut empty = note("b", "me", "");
        empty.text = " \n".into();
        let fates = fates(&"me".into(), &[(TableId(1), vec![gone, empty, note("c", "you", "")])], &[], &[], &[]);
        assert_eq!(fates, Fates::default());
    }
}

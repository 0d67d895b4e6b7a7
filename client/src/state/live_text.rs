//! One text that several people edit at once, as a text field sees it: its value, splices made here, splices made elsewhere.

use std::cell::Cell;
use std::rc::Rc;

use shared::board::{ActionText, HandoverPart, Splice, root};
use shared::id::{ActionId, NoteId, ThemeId};

use super::board::Board;
use crate::sync::doc::{Document, Hand, Roots, Touch};

/// Where a live text is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TextAt {
    /// The words of a note.
    Note(NoteId),
    /// A part of the handover.
    Handover(HandoverPart),
    /// A theme's name.
    ThemeTitle(ThemeId),
    /// What a theme's notes say together.
    ThemeSummary(ThemeId),
    /// A field of an action.
    Action(ActionId, ActionText),
}

impl TextAt {
    /// Whether a change of the document was here.
    fn is_touched_by(&self, touch: &Touch) -> bool {
        let at = |root: &str, id: &str, field: &str| {
            touch.root == root && touch.element.as_deref() == Some(id) && touch.field.as_deref() == Some(field)
        };
        match self {
            Self::Note(id) => at(root::NOTES, id.as_str(), "text"),
            Self::Handover(part) => {
                touch.root
                    == match part {
                        HandoverPart::SoFar => root::HANDOVER_SO_FAR,
                        HandoverPart::Open => root::HANDOVER_OPEN,
                        HandoverPart::BuildHere => root::HANDOVER_BUILD,
                    }
            }
            Self::ThemeTitle(id) => at(root::THEMES, id.as_str(), "title"),
            Self::ThemeSummary(id) => at(root::THEMES, id.as_str(), "summary"),
            Self::Action(id, text) => at(root::ACTIONS, id.as_str(), text.key()),
        }
    }

    /// What it says now; none if there is no such text.
    pub(super) fn read(&self, document: &Document) -> Option<String> {
        use yrs::GetString;
        document.read(|txn| Some(self.find(txn, document.roots())?.get_string(txn)))
    }

    /// Edits it; nothing happens if there is no such text.
    pub(super) fn edit(&self, document: &Document, hand: Hand, splice: &Splice) {
        document.edit(hand, |txn| {
            if let Some(text) = self.find(txn, document.roots()) {
                shared::board::text::edit(txn, &text, splice);
            }
        });
    }

    fn find<T: yrs::ReadTxn>(&self, txn: &T, roots: &Roots) -> Option<yrs::TextRef> {
        use shared::board::{action, note, theme};
        match (self, roots) {
            (Self::Note(id), Roots::Table(roots)) => note::text_of(txn, roots, id),
            (Self::Handover(part), Roots::Table(roots)) => Some(roots.handover(*part).clone()),
            (Self::ThemeTitle(id), Roots::Harvest(roots)) => theme::title_of(txn, roots, id),
            (Self::ThemeSummary(id), Roots::Harvest(roots)) => theme::summary_of(txn, roots, id),
            (Self::Action(id, text), Roots::Plan(roots)) => action::text_of(txn, roots, id, *text),
            _ => None,
        }
    }
}

/// A text field's hold on a live text. Each field asks [`Board::text`] for its own.
#[derive(Clone, Debug)]
pub struct LiveTextHandle {
    board: Board,
    at: TextAt,
    hand: Hand,
}

impl LiveTextHandle {
    pub(super) fn new(board: Board, at: TextAt) -> Self {
        thread_local!(static HANDS: Cell<Hand> = const { Cell::new(0) });
        let hand = HANDS.get() + 1;
        HANDS.set(hand);
        Self { board, at, hand }
    }

    /// What the text says now. Not tracked.
    pub fn value(&self) -> String {
        self.board.room().read_text(&self.at)
    }

    /// A change made in this field. Nothing happens on a board that may not be written on.
    pub fn splice(&self, splice: &Splice) {
        let room = self.board.room();
        room.edit(|document| self.at.edit(document, self.hand, splice));
    }

    /// Calls back for every change of this text that was not made through this handle: by others, by another field, by undo.
    /// Splices come in order; each applies to the text that the one before left. Ends when the guard is dropped.
    pub fn on_remote(&self, f: impl Fn(&Splice) + 'static) -> ListenerGuard {
        let id = self.board.room().listen(self.at.clone(), self.hand, Rc::new(f));
        ListenerGuard { board: self.board, id }
    }

    /// Where it is.
    pub fn at(&self) -> &TextAt {
        &self.at
    }
}

/// Ends a [`LiveTextHandle::on_remote`] when it is dropped.
#[derive(Debug)]
#[must_use = "dropping it ends the listening"]
pub struct ListenerGuard {
    board: Board,
    id: u64,
}

impl Drop for ListenerGuard {
    fn drop(&mut self) {
        if let Some(room) = self.board.try_room() {
            room.unlisten(self.id);
        }
    }
}

/// Who is told of changes.
pub(super) struct TextListener {
    pub(super) id: u64,
    pub(super) at: TextAt,
    pub(super) hand: Hand,
    pub(super) told: Told,
}

/// How a listener is told.
pub(super) type Told = Rc<dyn Fn(&Splice)>;

/// Which of the listeners are to be told what. Collected first, because being told may change the list.
pub(super) fn tellings(listeners: &[TextListener], touched: Vec<Touch>) -> Vec<(Told, Vec<Splice>)> {
    let mut tellings = Vec::new();
    for touch in touched.into_iter().filter(|touch| !touch.splices.is_empty()) {
        for listener in listeners {
            let echo = touch.by != 0 && touch.by == listener.hand;
            if !echo && listener.at.is_touched_by(&touch) {
                tellings.push((listener.told.clone(), touch.splices.clone()));
            }
        }
    }
    tellings
}

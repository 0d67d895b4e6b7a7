//! What the notes of one screen share: which one is being written in, whose menu is open, which was just taken away.

use std::time::Duration;

use leptos::prelude::*;
use shared::board::view::NoteKind;
use shared::id::{ActorId, NoteId};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use crate::i18n::{t, t_string, use_i18n};
use crate::state::board::Board;
use crate::state::cafe::Cafe;
use crate::ui::bag::PackButton;
use crate::ui::button::{Button, ButtonKind};
use crate::ui::dialog::Dialog;
use crate::ui::icon::Icon;
use crate::ui::note_kind::{kind_class, kind_icon, kind_word};
use crate::ui::seg::{Choice, Segmented};

/// How long a note that was taken away can be brought back with one press; afterwards undo does it.
const REGRET: Duration = Duration::from_secs(8);

/// When a note that was left empty goes.
const SWEEP: Duration = Duration::from_millis(400);

/// The papers one may choose; 0 is that of the kind.
const PAPERS: [u8; 7] = [0, 1, 2, 3, 4, 5, 6];

/// A context for the notes of one screen on which one may write.
#[derive(Clone, Copy)]
pub struct Desk {
    /// The note that is written in here.
    pub editing: RwSignal<Option<NoteId>>,
    /// The note whose menu is open.
    pub menu: RwSignal<Option<(Board, NoteId)>>,
    /// The note that was just taken away.
    taken: RwSignal<Option<(Board, NoteId)>>,
    /// Who one is.
    pub me: Memo<Option<ActorId>>,
    /// Whether notes show who wrote them.
    pub show_authors: Memo<Option<bool>>,
}

impl Desk {
    /// Provides a desk to the components below.
    pub fn provide(cafe: Cafe) -> Self {
        let desk = Self::new(cafe);
        provide_context(desk);
        desk
    }

    pub(super) fn new(cafe: Cafe) -> Self {
        Self {
            editing: RwSignal::new(None),
            menu: RwSignal::new(None),
            taken: RwSignal::new(None),
            me: cafe.memo(|view| view.me.id.clone()),
            show_authors: cafe.memo(|view| view.show_authors),
        }
    }

    /// Opens a note's menu beside what was pressed.
    pub fn open_menu(self, board: Board, id: NoteId, beside: Option<&Element>) {
        if let Some(place) = beside.map(Element::get_bounding_client_rect) {
            set_place("--note-menu-x", place.right());
            set_place("--note-menu-y", place.bottom());
        }
        self.menu.set(Some((board, id)));
    }

    /// Takes a note away, and offers to bring it back. One that says nothing just goes.
    pub fn take_away(self, board: Board, id: NoteId) {
        let Some(note) = board.note(&id) else { return };
        board.delete_note(&id);
        if note.with_untracked(|note| note.text.trim().is_empty()) {
            return;
        }
        let now = Some((board, id));
        self.taken.set(now.clone());
        set_timeout(
            move || {
                if self.taken.try_with_untracked(|taken| *taken == now) == Some(true) {
                    self.taken.set(None);
                }
            },
            REGRET,
        );
    }

    /// Ends writing in a note; one that says nothing, and that nobody else writes in, goes.
    pub fn finish(self, board: Board, id: &NoteId) {
        self.editing.update(|editing| {
            if editing.as_ref() == Some(id) {
                *editing = None;
            }
        });
        let id = id.clone();
        // Later: the last words of an input method come when the field has gone.
        set_timeout(move || self.sweep(board, &id), SWEEP);
    }

    fn sweep(self, board: Board, id: &NoteId) {
        // The screen may have gone meanwhile; then an empty note stays.
        if self.editing.try_with_untracked(|editing| editing.as_ref() == Some(id)) != Some(false) {
            return;
        }
        let empty = board.note(id).is_some_and(|note| {
            note.with_untracked(|note| !note.deleted && note.text.trim().is_empty() && note.stars.is_empty())
        });
        let shared = board.peers().with_untracked(|peers| peers.iter().any(|peer| peer.editing.as_ref() == Some(id)));
        if empty && !shared && board.writable().get_untracked() {
            board.delete_note(id);
        }
    }
}

/// Where the menu opens on wide screens, for the style sheet.
fn set_place(name: &str, pixels: f64) {
    let root = document().document_element().and_then(|root| root.dyn_into::<HtmlElement>().ok());
    if let Some(root) = root {
        let _ = root.style().set_property(name, &format!("{pixels}px"));
    }
}

/// The menu of notes and the way back for those taken away: once on a screen with a [`Desk`].
#[component]
pub fn DeskLayer() -> impl IntoView {
    let desk = expect_context::<Desk>();
    let i18n = use_i18n();
    let open = RwSignal::new(false);
    Effect::new(move || open.set(desk.menu.with(Option::is_some)));
    Effect::new(move || {
        if !open.get() && desk.menu.with_untracked(Option::is_some) {
            desk.menu.set(None);
        }
    });
    view! {
        <Dialog open class="note-menu" title=move || t_string!(i18n, board.menu_title).to_string()>
            {move || desk.menu.get().map(|(board, id)| view! { <NoteMenu board id open /> })}
        </Dialog>
        <div class="note-taken" role="status" aria-live="polite">
            {move || {
                desk.taken
                    .get()
                    .map(|(board, id)| {
                        let words = board
                            .note(&id)
                            .map(|note| note.with_untracked(|note| beginning(&note.text)))
                            .unwrap_or_default();
                        view! {
                            <p class="note-taken-bar">
                                <span class="note-taken-words">
                                    {move || t_string!(i18n, board.taken, words = words.clone()).to_string()}
                                </span>
                                <button
                                    type="button"
                                    class="note-taken-back"
                                    on:click=move |_| {
                                        board.restore_note(&id);
                                        desk.taken.set(None);
                                    }
                                >
                                    {t!(i18n, board.bring_back)}
                                </button>
                            </p>
                        }
                    })
            }}
        </div>
    }
}

#[component]
fn NoteMenu(board: Board, id: NoteId, open: RwSignal<bool>) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let i18n = use_i18n();
    let note = board.note(&id);
    let kind = Signal::derive(move || note.map_or(NoteKind::Idea, |note| note.with(|note| note.kind)));
    let colour = Signal::derive(move || note.map_or(0, |note| note.with(|note| note.color)));
    let id = StoredValue::new(id);
    let words = NoteKind::ALL.map(|kind| (kind, kind_word(kind)));
    let kinds = move || {
        let choice = |(kind, word)| Choice::new(kind, word).icon(kind_icon(kind)).class(kind_class(kind));
        words.into_iter().map(choice).collect::<Vec<_>>()
    };
    let change = move || {
        view! {
            <Segmented
                label=move || t_string!(i18n, board.kind).to_string()
                class="note-menu-kinds"
                choices=kinds()
                value=kind
                on_change=move |kind| board.set_note_kind(&id.get_value(), kind)
            />
            <div class="note-papers" role="group" aria-label=move || t_string!(i18n, board.paper).to_string()>
                {PAPERS
                    .into_iter()
                    .map(|paper| {
                        view! {
                            <button
                                type="button"
                                class=move || {
                                    if paper == 0 {
                                        format!("note-paper note-paper-kind {}", kind_class(kind.get()))
                                    } else {
                                        format!("note-paper note-c{paper}")
                                    }
                                }
                                aria-pressed=move || if colour.get() == paper { "true" } else { "false" }
                                aria-label=move || {
                                    if paper == 0 {
                                        t_string!(i18n, board.paper_of_kind).to_string()
                                    } else {
                                        t_string!(i18n, board.paper_n, n = paper).to_string()
                                    }
                                }
                                on:click=move |_| board.set_note_color(&id.get_value(), paper)
                            >
                                {move || (colour.get() == paper).then(|| view! { <Icon icon=icondata_lu::LuCheck /> })}
                            </button>
                        }
                    })
                    .collect_view()}
            </div>
            <div class="note-menu-actions">
                <Button
                    icon=icondata_lu::LuPencil
                    on_click=move |_| {
                        open.set(false);
                        desk.editing.set(Some(id.get_value()));
                    }
                >
                    {t!(i18n, board.edit)}
                </Button>
                <Button
                    kind=ButtonKind::Danger
                    icon=icondata_lu::LuTrash2
                    on_click=move |_| {
                        open.set(false);
                        desk.take_away(board, id.get_value());
                    }
                >
                    {t!(i18n, board.take_away)}
                </Button>
            </div>
        }
    };
    view! {
        {move || board.writable().get().then(change)}
        <PackButton board id=id.get_value() open />
    }
}

/// The first words of a note, to name it by.
pub fn beginning(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let mut short: String = line.chars().take(16).collect();
    if short.len() < text.trim().len() {
        short.push('…');
    }
    short
}

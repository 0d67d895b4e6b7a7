//! The traveller's bag at a table: the button with its count, the sheet with what is in it, and the line that says so on arrival. Each shows
//! nothing where there is no [`BagHere`], which is where nobody travels.

mod packing;

use leptos::prelude::*;
use shared::board::view::NoteRef;
use shared::id::{BoardKind, NoteId, TableId};
use shared::limits;

pub use self::packing::{PackButton, PackedSign};
use crate::i18n::{I18n, t, t_string, use_i18n};
use crate::platform;
use crate::state::bag::{Bag, Packed};
use crate::state::board::Board;
use crate::state::cafe::Cafe;
use crate::ui::button::{Button, ButtonKind};
use crate::ui::dialog::Dialog;
use crate::ui::icon::Icon;
use crate::ui::note::{FromLine, beginning};
use crate::ui::note_kind::{KindChip, kind_class};
use crate::ui::regret::{Regret, RegretBar};
use crate::ui::toast::{ToastKind, toast};

/// The bag at the table where its owner sits: a context for what is shown there.
#[derive(Clone, Copy)]
pub struct BagHere {
    bag: Bag,
    board: Board,
    table: TableId,
    locked: Memo<Option<bool>>,
    show_authors: Memo<Option<bool>>,
    /// Whether the sheet is open.
    open: RwSignal<bool>,
    /// What was just put down or left behind.
    regret: Regret,
    /// The note that was just put down, to be brought into sight.
    landed: RwSignal<Option<NoteId>>,
    i18n: I18n,
}

impl BagHere {
    /// For the table below, if somebody carries a bag here.
    pub fn provide(cafe: Cafe, board: Board) {
        let (Some(bag), BoardKind::Table(table)) = (use_context::<Bag>(), board.kind()) else { return };
        let here = Self {
            bag,
            board,
            table,
            locked: cafe.memo(|view| view.locked),
            show_authors: cafe.memo(|view| view.show_authors),
            open: RwSignal::new(false),
            regret: Regret::new(),
            landed: RwSignal::new(None),
            i18n: use_i18n(),
        };
        provide_context(here);
    }

    /// Calls back with each note that was put down here.
    pub fn on_landed(show: impl Fn(NoteId) + 'static) {
        let Some(here) = use_context::<Self>() else { return };
        Effect::new(move || {
            if let Some(id) = here.landed.get() {
                show(id);
            }
        });
    }

    /// Makes a note of what was carried here. First it is on the board, then out of the bag: whatever happens in between loses nothing.
    fn put_down(self, packed: &Packed) {
        let (bag, board, i18n) = (self.bag, self.board, self.i18n);
        let place = &packed.from.note;
        if !bag.still_has(place) {
            // In another tab of the same person.
            toast(ToastKind::Plain, t_string!(i18n, bag.gone).to_string());
            return;
        }
        // The board says first whether it is written on; the view, which says why not, may be a moment behind.
        if !board.writable().get_untracked() && self.locked.get_untracked() == Some(true) {
            toast(ToastKind::Bad, t_string!(i18n, bag.locked).to_string());
            return;
        }
        let landed = board.loaded().get_untracked().then(|| board.put_down(packed)).flatten();
        let Some(id) = landed else {
            toast(ToastKind::Bad, t_string!(i18n, bag.not_put_down).to_string());
            return;
        };
        bag.take(place);
        self.open.set(false);
        self.landed.set(Some(id.clone()));
        let words = t_string!(i18n, bag.put_down, words = beginning(&packed.text)).to_string();
        let packed = packed.clone();
        self.regret.offer(words, move || {
            if !bag.has_room() && !bag.still_has(&packed.from.note) {
                toast(ToastKind::Bad, t_string!(i18n, bag.full_again).to_string());
            } else if board.writable().get_untracked() {
                bag.pack(packed.clone());
                board.delete_note(&id);
            } else {
                toast(ToastKind::Bad, t_string!(i18n, bag.stays_here).to_string());
            }
        });
    }

    /// Takes a copy out of the bag; the note itself lies where it lay.
    fn leave_behind(self, packed: &Packed) {
        let (bag, i18n) = (self.bag, self.i18n);
        let Some(packed) = bag.take(&packed.from.note) else { return };
        self.open.set(false);
        let words = t_string!(i18n, bag.left, words = beginning(&packed.text)).to_string();
        self.regret.offer(words, move || {
            bag.pack(packed.clone());
        });
    }
}

/// Opens the sheet; there only while something is in the bag.
#[component]
pub fn BagButton() -> impl IntoView {
    let i18n = use_i18n();
    use_context::<BagHere>().map(|here| {
        let count = Memo::new(move |_| here.bag.contents().with(|contents| contents.notes().len()));
        let label = move || t_string!(i18n, bag.open, n = count.get(), max = limits::BAG_NOTES).to_string();
        move || {
            (count.get() > 0).then(|| {
                view! {
                    <button
                        type="button"
                        class="bag-button"
                        aria-haspopup="dialog"
                        aria-label=label
                        title=label
                        on:click=move |_| here.open.set(true)
                    >
                        <Icon icon=icondata_lu::LuBackpack />
                        <span class="bag-count figures" aria-hidden="true">
                            {move || count.get()}
                        </span>
                    </button>
                }
            })
        }
    })
}

/// The sheet, and the way back from what was done in it: once at a table.
#[component]
pub fn BagLayer() -> impl IntoView {
    let i18n = use_i18n();
    use_context::<BagHere>().map(|here| {
        let contents = here.bag.contents();
        let notes = move || contents.with(|contents| contents.notes().to_vec());
        // Another tab may have emptied it.
        Effect::new(move || {
            if contents.with(|contents| contents.notes().is_empty()) && here.open.get_untracked() {
                here.open.set(false);
            }
        });
        view! {
            <Dialog open=here.open class="bag-sheet" title=move || t_string!(i18n, bag.title).to_string()>
                <p class="quiet small">{t!(i18n, bag.hint)}</p>
                <ul class="bag-notes">
                    <For each=notes key=|packed| packed.from.note.clone() let:packed>
                        <BagNote here packed />
                    </For>
                </ul>
            </Dialog>
            <div class="bag-regret">
                <RegretBar
                    regret=here.regret
                    word=Signal::derive(move || t_string!(i18n, board.undo).to_string())
                />
            </div>
        }
    })
}

#[component]
fn BagNote(here: BagHere, packed: Packed) -> impl IntoView {
    let i18n = use_i18n();
    let Packed { text, kind, from } = packed.clone();
    let from_here = from.note.table == here.table;
    let packed = StoredValue::new(packed);
    let named = beginning(&text);
    let (put, leave) = (named.clone(), named);
    view! {
        <li class=format!("bag-note {}", kind_class(kind))>
            <div class="bag-note-head">
                <KindChip kind=Signal::stored(kind) />
                <FromLine
                    from=Signal::stored(Some(from))
                    named=Signal::derive(move || here.show_authors.get() == Some(true))
                />
            </div>
            <p class="bag-words" tabindex="0">
                {text}
            </p>
            <div class="bag-note-acts">
                {if from_here {
                    view! { <p class="bag-lies-here quiet small">{t!(i18n, bag.lies_here)}</p> }.into_any()
                } else {
                    view! {
                        <Button
                            icon=icondata_lu::LuArrowDownToLine
                            on_click=move |_| packed.with_value(|packed| here.put_down(packed))
                        >
                            {t!(i18n, bag.put_down_here)}
                            <span class="visually-hidden">" " {put}</span>
                        </Button>
                    }
                        .into_any()
                }}
                <Button
                    kind=ButtonKind::Plain
                    icon=icondata_lu::LuX
                    on_click=move |_| packed.with_value(|packed| here.leave_behind(packed))
                >
                    {t!(i18n, bag.leave_behind)}
                    <span class="visually-hidden">" " {leave}</span>
                </Button>
            </div>
        </li>
    }
}

/// "You carry 2 notes": how many notes from other tables somebody has with them.
pub fn carrying(i18n: I18n, count: usize) -> String {
    if count == 1 {
        t_string!(i18n, bag.carry_one).to_string()
    } else {
        t_string!(i18n, bag.carry, n = count).to_string()
    }
}

/// Says once at each arrival that there is something to put down. Quietly, beneath the handover.
#[component]
pub fn Carrying(
    /// Names this visit, so that what was answered is not said again: café, table, round.
    visit: String,
) -> impl IntoView {
    let i18n = use_i18n();
    use_context::<BagHere>().map(|here| {
        let key = StoredValue::new(format!("tablehop.bag-said.{visit}"));
        let said = RwSignal::new(key.with_value(|key| platform::local_get(key).is_some()));
        let count = Memo::new(move |_| here.bag.contents().with(|contents| contents.carried_to(here.table)));
        let answer = move || {
            said.set(true);
            key.with_value(|key| platform::local_set(key, "said"));
        };
        move || {
            let shown = !said.get() && count.get() > 0;
            shown.then(|| {
                view! {
                    <div class="bag-carrying">
                        <Icon icon=icondata_lu::LuBackpack />
                        <p class="bag-carrying-words">{move || carrying(i18n, count.get())}</p>
                        <Button
                            class="button-small"
                            on_click=move |_| {
                                here.open.set(true);
                                answer();
                            }
                        >
                            {t!(i18n, bag.look)}
                        </Button>
                        <Button
                            kind=ButtonKind::Plain
                            icon=icondata_lu::LuX
                            label=Signal::derive(move || Some(t_string!(i18n, bag.later).to_string()))
                            on_click=move |_| answer()
                        />
                    </div>
                }
            })
        }
    })
}

/// How many notes one brings to a table, for the screen on the way there.
pub fn brought(table: TableId) -> usize {
    use_context::<Bag>().map_or(0, |bag| bag.contents().with_untracked(|contents| contents.carried_to(table)))
}

/// A note's place, on a table's board.
fn place_of(board: Board, note: &NoteId) -> Option<NoteRef> {
    match board.kind() {
        BoardKind::Table(table) => Some(NoteRef { table, note: note.clone() }),
        _ => None,
    }
}

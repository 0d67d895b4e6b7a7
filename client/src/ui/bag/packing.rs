//! At the note itself: "Take along" in its menu, and the sign that a copy of it is in the bag.

use leptos::prelude::*;
use shared::id::{BoardKind, NoteId};
use shared::limits::BAG_NOTES;

use super::place_of;
use crate::i18n::{t, t_string, use_i18n};
use crate::state::bag::{Bag, Packed, Packing};
use crate::state::board::Board;
use crate::ui::button::Button;
use crate::ui::icon::Icon;
use crate::ui::note::Desk;
use crate::ui::toast::{ToastKind, toast};

/// Puts a copy of a note into the bag, or takes it out again. Nothing where nobody carries one, and for a note that says nothing yet.
#[component]
pub fn PackButton(
    /// The table's board.
    board: Board,
    /// Which note.
    id: NoteId,
    /// The menu it stands in.
    open: RwSignal<bool>,
) -> impl IntoView {
    let i18n = use_i18n();
    let desk = expect_context::<Desk>();
    let (bag, place, note) = (use_context::<Bag>()?, place_of(board, &id)?, board.note(&id)?);
    let place = StoredValue::new(place);
    let there = Memo::new(move |_| place.with_value(|place| bag.has(place)));
    let says_something = Memo::new(move |_| note.with(|note| !note.text.trim().is_empty()));
    let pack = move || {
        let BoardKind::Table(table) = board.kind() else { return };
        let show_author = desk.show_authors.get_untracked() == Some(true);
        let Some(packed) = note.with_untracked(|note| Packed::of(table, note, show_author)) else { return };
        match bag.pack(packed) {
            Packing::Packed | Packing::There => {
                let count = bag.contents().with_untracked(|contents| contents.notes().len());
                let words = t_string!(i18n, bag.packed, n = count, max = BAG_NOTES).to_string();
                toast(ToastKind::Good, words);
            }
            Packing::Full => toast(ToastKind::Bad, t_string!(i18n, bag.full, max = BAG_NOTES).to_string()),
        }
    };
    let act = move |_| {
        if there.get_untracked() {
            place.with_value(|place| bag.take(place));
        } else {
            pack();
        }
        open.set(false);
    };
    Some(view! {
        <Show when=move || says_something.get() || there.get()>
            <div class="bag-pack">
                <Button icon=icondata_lu::LuBackpack class="button-wide" on_click=act>
                    {move || {
                        if there.get() {
                            t_string!(i18n, bag.unpack).to_string()
                        } else {
                            t_string!(i18n, bag.pack).to_string()
                        }
                    }}
                </Button>
                <Show when=move || !there.get()>
                    <p class="quiet small">{t!(i18n, bag.pack_hint)}</p>
                </Show>
            </div>
        </Show>
    })
}

/// Says on a note that a copy of it is in one's bag.
#[component]
pub fn PackedSign(
    /// The table's board.
    board: Board,
    /// Which note.
    id: NoteId,
) -> impl IntoView {
    let i18n = use_i18n();
    let (bag, place) = (use_context::<Bag>()?, place_of(board, &id)?);
    let there = Memo::new(move |_| bag.has(&place));
    Some(move || {
        there.get().then(|| {
            view! {
                <span class="bag-sign" title=move || t_string!(i18n, bag.in_bag).to_string()>
                    <Icon icon=icondata_lu::LuBackpack />
                    <span>{t!(i18n, bag.in_bag)}</span>
                </span>
            }
        })
    })
}

//! The line that says what one has begun to write at another table, and where it may go.

use leptos::prelude::*;
use shared::board::text::utf16_len;
use shared::id::{BoardKind, TableId};
use shared::limits;

use super::kept::{self, Kept};
use crate::i18n::{t, t_string, use_i18n};
use crate::state::board::Board;
use crate::state::cafe::Cafe;
use crate::ui::button::{Button, ButtonKind};
use crate::ui::note::beginning;
use crate::ui::toast::{ToastKind, toast};

/// One draft of another table at a time: to its own table, to this one, or away.
#[component]
pub(super) fn Elsewhere(
    /// The board in front of the reader.
    here: BoardKind,
    /// Takes it into the composer.
    #[prop(into)]
    on_here: Callback<Kept>,
) -> impl IntoView {
    let i18n = use_i18n();
    let cafe = expect_context::<Cafe>();
    let scope = StoredValue::new(cafe.identity().scope());
    let drafts = RwSignal::new(scope.with_value(|scope| kept::elsewhere(scope, here)));
    let forget = move |table: TableId| {
        scope.with_value(|scope| kept::keep(scope, BoardKind::Table(table), &Kept::default()));
        drafts.update(|drafts| drafts.retain(|(other, _)| *other != table));
    };
    // The other board is opened for it, and it is put there once that is read.
    let sending = RwSignal::new(None::<(Board, TableId, Kept)>);
    let owner = StoredValue::new(Owner::current());
    let send = move |table: TableId, kept: Kept| {
        let open = || cafe.board(BoardKind::Table(table));
        let there = owner.get_value().map_or_else(open, |owner| owner.with(open));
        sending.set(Some((there, table, kept)));
    };
    Effect::new(move || {
        let Some((there, table, Kept { text, kind })) = sending.get() else { return };
        if !there.loaded().get() {
            return;
        }
        sending.set(None);
        let may = there.writable().get_untracked();
        if may && there.create_note(kind, text.trim(), None, None).is_some() {
            forget(table);
            toast(ToastKind::Good, t_string!(i18n, board.put_there, n = table.0).to_string());
        } else {
            toast(ToastKind::Bad, t_string!(i18n, board.not_put_there, n = table.0).to_string());
        }
    });
    move || {
        drafts.with(|drafts| drafts.first().cloned()).map(|(table, kept)| {
            let words = beginning(&kept.text);
            let fits = utf16_len(kept.text.trim()) as usize <= limits::NOTE_CHARS;
            let kept = StoredValue::new(kept);
            view! {
                <div class="composer-elsewhere" role="group" aria-label=move || t_string!(i18n, board.begun).to_string()>
                    <p class="composer-begun clip">
                        {move || t_string!(i18n, board.begun_at, n = table.0, words = words.clone()).to_string()}
                    </p>
                    {fits
                        .then(|| {
                            view! {
                                <Button
                                    class="button-small"
                                    busy=Signal::derive(move || sending.with(Option::is_some))
                                    on_click=move |_| send(table, kept.get_value())
                                >
                                    {t!(i18n, board.put_at, n = table.0)}
                                </Button>
                            }
                        })}
                    <Button
                        class="button-small"
                        on_click=move |_| {
                            on_here.run(kept.get_value());
                            forget(table);
                        }
                    >
                        {t!(i18n, board.take_here)}
                    </Button>
                    <Button kind=ButtonKind::Plain class="button-small" on_click=move |_| forget(table)>
                        {t!(i18n, board.discard)}
                    </Button>
                </div>
            }
        })
    }
}

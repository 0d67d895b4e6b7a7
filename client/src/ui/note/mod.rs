//! One note as a card, in the list, on the canvas, in gallery and harvest.

mod desk;
mod from;
mod quote;
mod threads;

use leptos::{ev, prelude::*};
use shared::board::view::Note;
use shared::id::{BoardKind, NoteId};
use shared::limits;
use wasm_bindgen::JsCast;

pub use self::desk::{Desk, DeskLayer, beginning};
pub use self::from::{FromLine, Originals};
pub use self::quote::{Quote, quoted};
pub use self::threads::Threads;
use crate::i18n::{t_string, use_i18n};
use crate::state::bag::Bag;
use crate::state::board::Board;
use crate::state::cafe::Cafe;
use crate::state::live_text::TextAt;
use crate::ui::bag::PackedSign;
use crate::ui::icon::Icon;
use crate::ui::live_text::{LiveText, is_held};
use crate::ui::note_kind::{KindChip, kind_class, kind_word};
use crate::ui::table_badge::TableBadge;

/// A note. It can be written in where a [`Desk`] is provided and `readonly` is not set; shows nothing for a note the board does not know.
#[component]
pub fn NoteCard(
    /// The table's board it is on.
    board: Board,
    /// Which note.
    id: NoteId,
    /// Smaller, for many at once: the words are cut after some lines, and what they go on from is quoted, for it may lie elsewhere.
    #[prop(optional)]
    compact: bool,
    /// To be read only: stars are counted, nothing can be changed.
    #[prop(optional)]
    readonly: bool,
    /// Stars can be set where the board allows it, although the words are to be read only.
    #[prop(optional)]
    starring: bool,
    /// Shows its table's number, where notes of several tables lie together.
    #[prop(optional)]
    show_table: bool,
    /// A press on one's own words begins writing.
    #[prop(optional)]
    press_to_edit: bool,
    /// Goes on from this note; without it the button is not shown.
    #[prop(optional, into)]
    on_reply: Option<Callback<NoteId>>,
    /// How many notes go on from this one.
    #[prop(optional, into)]
    yes_ands: Signal<usize>,
    /// Further buttons at its foot.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let note = board.note(&id)?;
    let i18n = use_i18n();
    let desk = use_context::<Desk>();
    let shared = desk.or_else(|| use_context::<Cafe>().map(Desk::new));
    let id = StoredValue::new(id);
    let writable = Signal::derive(move || !readonly && desk.is_some() && board.writable().get());
    let editing = Memo::new(move |_| {
        writable.get()
            && desk.is_some_and(|desk| desk.editing.with(|editing| editing.as_ref() == Some(&id.get_value())))
    });
    let writers = Memo::new(move |_| {
        let id = id.get_value();
        board.peers().with(|peers| {
            peers
                .iter()
                .filter(|peer| peer.editing.as_ref() == Some(&id))
                .map(|peer| peer.user.name.clone())
                .collect::<Vec<_>>()
        })
    });
    let kind = Memo::new(move |_| note.with(|note| note.kind));
    let colour = Memo::new(move |_| note.with(|note| note.color));
    let table = match board.kind() {
        BoardKind::Table(table) if show_table => Some(table),
        _ => None,
    };
    let show_author = move || shared.is_some_and(|desk| desk.show_authors.get() == Some(true));
    let origin = move || {
        let (name, round) = note.with(|note| (note.author_name.clone(), note.round));
        let round = round.map(|round| t_string!(i18n, board.round, n = round + 1).replace(' ', "\u{a0}"));
        let name = Some(name).filter(|name| show_author() && !name.is_empty());
        name.into_iter().chain(round).collect::<Vec<_>>().join(" · ")
    };
    let label = move || {
        let kind = kind_word(kind.get()).get();
        let origin = origin();
        if origin.is_empty() { kind } else { format!("{kind}, {origin}") }
    };
    let mine = move |note: &Note| shared.is_some_and(|desk| desk.me.with(|me| me.as_ref() == Some(&note.author)));
    let class = move || {
        let paper = match colour.get() {
            0 => String::new(),
            paper => format!(" note-paper-{paper} note-c{paper}"),
        };
        let size = if compact { " note-compact" } else { "" };
        let live = if editing.get() || !writers.with(Vec::is_empty) { " note-live" } else { "" };
        format!("note {}{paper}{size}{live}", kind_class(kind.get()))
    };
    let begin = move |event: ev::MouseEvent| {
        let Some(desk) = desk else { return };
        if press_to_edit && writable.get_untracked() && note.with_untracked(mine) && !has_selection() {
            event.prevent_default();
            desk.editing.set(Some(id.get_value()));
        }
    };
    let words = move || {
        if editing.get() {
            let finish = move || {
                if let Some(desk) = desk {
                    desk.finish(board, &id.get_value());
                }
            };
            view! {
                <LiveText
                    board
                    at=TextAt::Note(id.get_value())
                    multiline=true
                    autofocus=true
                    class="note-field"
                    max_chars=limits::NOTE_CHARS
                    aria_label=Signal::derive(label)
                    placeholder=move || t_string!(i18n, board.write_here).to_string()
                    on_escape=move |()| finish()
                    on_focus=move |inside: bool| {
                        if !inside {
                            finish();
                        }
                    }
                />
            }
            .into_any()
        } else {
            // Asked anew whenever the field has closed.
            let waits = writable.get() && is_held(board, &TextAt::Note(id.get_value()));
            view! {
                <p class="note-words" on:click=begin>
                    {move || note.with(|note| note.text.clone())}
                </p>
                {waits
                    .then(|| {
                        view! {
                            <button
                                type="button"
                                class="note-waits"
                                on:click=move |_| {
                                    if let Some(desk) = desk {
                                        desk.editing.set(Some(id.get_value()));
                                    }
                                }
                            >
                                <Icon icon=icondata_lu::LuPencil />
                                <span>{move || t_string!(i18n, board.waits).to_string()}</span>
                            </button>
                        }
                    })}
            }
            .into_any()
        }
    };
    let writing = move || {
        let writers = writers.get();
        (!writers.is_empty()).then(|| {
            // Where authors are hidden nobody has a name here.
            let names = writers.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(", ");
            view! {
                <span class="note-writing">
                    <Icon icon=icondata_lu::LuPencil />
                    <span>{names}</span>
                    <span class="visually-hidden">{move || t_string!(i18n, board.writing_here).to_string()}</span>
                </span>
            }
        })
    };
    let carries = !readonly && desk.is_some() && use_context::<Bag>().is_some();
    let from = Signal::derive(move || note.with(|note| note.from.clone()));
    let packed = carries.then(|| view! { <PackedSign board id=id.get_value() /> });
    let menu = move || {
        // Where nobody may write, a note can still be taken along.
        (writable.get() || carries && note.with(|note| !note.text.trim().is_empty())).then(|| {
            view! {
                <button
                    type="button"
                    class="note-tool note-more"
                    aria-haspopup="dialog"
                    aria-label=move || t_string!(i18n, board.menu, note = note.with(|note| beginning(&note.text))).to_string()
                    on:click=move |event: ev::MouseEvent| {
                        let beside = event.current_target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
                        if let Some(desk) = desk {
                            desk.open_menu(board, id.get_value(), beside.as_ref());
                        }
                    }
                >
                    <Icon icon=icondata_lu::LuEllipsis />
                </button>
            }
        })
    };
    let star = move || {
        if writable.get() || (starring && board.writable().get()) {
            view! { <Star board note id shared=shared /> }.into_any()
        } else {
            view! {
                {move || {
                    let stars = note.with(|note| note.stars.len());
                    (stars > 0)
                        .then(|| {
                            view! {
                                <span class="note-count figures">
                                    <Icon
                                        icon=icondata_lu::LuStar
                                        label=move || t_string!(i18n, board.stars).to_string()
                                    />
                                    {stars}
                                </span>
                            }
                        })
                }}
            }
            .into_any()
        }
    };
    let reply = move || {
        match on_reply.filter(|_| writable.get()) {
        Some(act) => view! {
            <button
                type="button"
                class="note-tool note-reply"
                title=move || t_string!(i18n, board.yes_and).to_string()
                on:click=move |_| act.run(id.get_value())
            >
                <Icon icon=icondata_lu::LuCornerDownRight />
                <span class="note-reply-word">{move || t_string!(i18n, board.yes_and).to_string()}</span>
                {move || Some(yes_ands.get()).filter(|n| *n > 0).map(|n| view! { <span class="figures">" " {n}</span> })}
                <span class="visually-hidden">" " {move || note.with(|note| beginning(&note.text))}</span>
            </button>
        }
        .into_any(),
        None => view! {
            {move || {
                Some(yes_ands.get())
                    .filter(|n| *n > 0)
                    .map(|n| {
                        view! {
                            <span class="note-count figures">
                                <Icon icon=icondata_lu::LuCornerDownRight />
                                <span>{move || t_string!(i18n, board.yes_and).to_string()}</span>
                                {n}
                            </span>
                        }
                    })
            }}
        }
        .into_any(),
    }
    };
    Some(view! {
        <article class=class aria-label=label>
            <header class="note-head">
                {table.map(|table| view! { <TableBadge id=table /> })}
                <KindChip kind=Signal::derive(move || kind.get()) />
                {writing}
                {packed}
                {menu}
            </header>
            <FromLine from named=Signal::derive(show_author) leads=true />
            {compact.then(|| view! { <Quote words=quoted(board, note) /> })}
            {words}
            <footer class="note-foot">
                <span class="note-origin">{origin}</span>
                <span class="note-tools">{star} {reply} {children.map(|children| children())}</span>
            </footer>
        </article>
    })
}

#[component]
fn Star(board: Board, note: Signal<Note>, id: StoredValue<NoteId>, shared: Option<Desk>) -> impl IntoView {
    let i18n = use_i18n();
    let count = Memo::new(move |_| note.with(|note| note.stars.len()));
    let own = Memo::new(move |_| {
        let Some(me) = shared.and_then(|desk| desk.me.get()) else { return false };
        note.with(|note| note.stars.binary_search(&me).is_ok())
    });
    view! {
        <button
            type="button"
            class="note-tool note-star"
            title=move || t_string!(i18n, board.star_tip).to_string()
            aria-pressed=move || if own.get() { "true" } else { "false" }
            aria-label=move || t_string!(i18n, board.star, n = count.get()).to_string()
            on:click=move |_| board.star(&id.get_value(), !own.get_untracked())
        >
            <Icon icon=icondata_lu::LuStar />
            <span class="figures note-star-count">
                {move || Some(count.get()).filter(|n| *n > 0).map(|n| n.to_string()).unwrap_or_default()}
            </span>
        </button>
    }
}

/// Whether somebody marks words in order to copy them.
fn has_selection() -> bool {
    window().get_selection().ok().flatten().is_some_and(|selection| !selection.is_collapsed())
}

//! The bar at the bottom of the canvas.

use leptos::prelude::*;
use shared::board::view::NoteKind;

use super::Cloth;
use crate::i18n::{t_string, use_i18n};
use crate::state::board::Board;
use crate::ui::bag::BagButton;
use crate::ui::icon::{Icon, Picture};
use crate::ui::ink::Tool as Drawn;
use crate::ui::ink::pens::Pens;
use crate::ui::note::Desk;
use crate::ui::note_kind::{kind_class, kind_icon, kind_word};

/// New notes by kind, or pens while somebody draws; undo and redo, zoom.
#[component]
pub fn Tools(board: Board, cloth: Cloth) -> impl IntoView {
    let i18n = use_i18n();
    let desk = expect_context::<Desk>();
    let hand = cloth.hand;
    let drawing = Memo::new(move |_| hand.tool.with(Option::is_some));
    let can_undo = board.can_undo();
    let can_redo = board.can_redo();
    let zoom = Memo::new(move |_| cloth.camera.with(|camera| (camera.zoom * 100.0).round()));
    let kinds = move || {
        NoteKind::ALL
            .into_iter()
            .map(|kind| {
                let word = kind_word(kind);
                view! {
                    <button
                        type="button"
                        class=format!("canvas-new {}", kind_class(kind))
                        aria-label=move || t_string!(i18n, board.new_note, kind = word.get()).to_string()
                        title=move || t_string!(i18n, board.new_note, kind = word.get()).to_string()
                        on:click=move |_| {
                            let (x, y) = cloth.free_middle(board);
                            if let Some(id) = board.create_note(kind, "", None, Some((x, y))) {
                                cloth.begin(board, desk, id);
                            }
                        }
                    >
                        <Icon icon=kind_icon(kind) />
                        <span>{move || word.get()}</span>
                    </button>
                }
            })
            .collect_view()
    };
    view! {
        <div class="canvas-tools" role="toolbar" aria-label=move || t_string!(i18n, board.tools).to_string()>
            {move || {
                board
                    .writable()
                    .get()
                    .then(|| {
                        view! {
                            {move || if drawing.get() { view! { <Pens hand /> }.into_any() } else { kinds().into_any() }}
                            {move || {
                                if drawing.get() {
                                    view! {
                                        <button type="button" class="canvas-tool canvas-drawn" on:click=move |_| hand.put_away()>
                                            <Icon icon=icondata_lu::LuCheck />
                                            <span>{move || t_string!(i18n, board.drawn).to_string()}</span>
                                        </button>
                                    }
                                        .into_any()
                                } else {
                                    view! {
                                        <Tool
                                            icon=icondata_lu::LuPenLine
                                            label=move || t_string!(i18n, board.draw).to_string()
                                            act=move || hand.tool.set(Some(Drawn::Draw))
                                        />
                                    }
                                        .into_any()
                                }
                            }}
                            <span class="canvas-tools-line"></span>
                            <Tool
                                icon=icondata_lu::LuUndo2
                                label=move || t_string!(i18n, board.undo).to_string()
                                disabled=Signal::derive(move || !can_undo.get())
                                act=move || board.undo()
                            />
                            <Tool
                                icon=icondata_lu::LuRedo2
                                class="canvas-redo"
                                label=move || t_string!(i18n, board.redo).to_string()
                                disabled=Signal::derive(move || !can_redo.get())
                                act=move || board.redo()
                            />
                            <span class="canvas-tools-line"></span>
                        }
                    })
            }}
            <BagButton />
            <Tool
                icon=icondata_lu::LuZoomOut
                class="canvas-step"
                label=move || t_string!(i18n, board.zoom_out).to_string()
                act=move || cloth.zoom_by(0.8)
            />
            <button
                type="button"
                class="canvas-tool canvas-zoom figures"
                aria-label=move || t_string!(i18n, board.zoom_to, n = zoom.get()).to_string()
                on:click=move |_| cloth.zoom_by(1.0 / cloth.camera.with_untracked(|camera| camera.zoom))
            >
                {move || format!("{}%", zoom.get())}
            </button>
            <Tool
                icon=icondata_lu::LuZoomIn
                class="canvas-step"
                label=move || t_string!(i18n, board.zoom_in).to_string()
                act=move || cloth.zoom_by(1.25)
            />
            <Tool
                icon=icondata_lu::LuMaximize
                class="canvas-fit"
                label=move || t_string!(i18n, board.fit).to_string()
                act=move || cloth.fit(board)
            />
        </div>
    }
}

#[component]
fn Tool(
    icon: Picture,
    #[prop(into)] label: Signal<String>,
    #[prop(optional, into)] disabled: Signal<bool>,
    #[prop(optional)] class: &'static str,
    act: impl Fn() + 'static,
) -> impl IntoView {
    view! {
        <button
            type="button"
            class=format!("canvas-tool {class}")
            disabled=move || disabled.get()
            aria-label=move || label.get()
            title=move || label.get()
            on:click=move |_| act()
        >
            <Icon icon />
        </button>
    }
}

//! What the table's host leaves for those who come next, in three parts.

use leptos::prelude::*;
use shared::board::view::{Handover, HandoverPart};

use crate::i18n::{t, t_string, use_i18n};
use crate::platform;
use crate::state::board::Board;
use crate::state::live_text::TextAt;
use crate::ui::button::{Button, ButtonKind};
use crate::ui::icon::Icon;
use crate::ui::live_text::LiveText;

/// Characters of a whole handover above which its parts show their beginnings first: a phone's screen has about as many.
const LONG: usize = 240;

const PARTS: [HandoverPart; 3] = [HandoverPart::SoFar, HandoverPart::Open, HandoverPart::BuildHere];

/// The handover: written by the table host and facilitators, read by all others, first thing on arrival.
#[component]
pub fn HandoverCard(
    /// The table's board.
    board: Board,
    /// Whether one writes it.
    #[prop(into)]
    editable: Signal<bool>,
    /// Names this visit, so that a handover that was read stays folded: café, table, round.
    visit: String,
    /// Begins unfolded for those who write it, too.
    #[prop(optional)]
    unfolded: bool,
) -> impl IntoView {
    let i18n = use_i18n();
    let handover = board.handover();
    let key = StoredValue::new(format!("tablehop.handover.{visit}"));
    let read = platform::session_get(&key.get_value()).is_some() || platform::local_get(&key.get_value()).is_some();
    let folded = RwSignal::new(if editable.get_untracked() { !unfolded } else { read });
    let fold = move |fold: bool| {
        folded.set(fold);
        if fold && !editable.get_untracked() {
            platform::local_set(&key.get_value(), "read");
        }
    };
    let something = Memo::new(move |_| {
        handover.with(|handover| PARTS.iter().any(|part| !part_of(handover, *part).trim().is_empty()))
    });
    let whole = RwSignal::new(false);
    let long = Memo::new(move |_| {
        !editable.get()
            && handover.with(|handover| {
                PARTS.iter().map(|part| part_of(handover, *part).chars().count()).sum::<usize>() > LONG
            })
    });
    // What has not been written is no card that one has to press away.
    let shown = move || editable.get() || something.get();
    let title = move || {
        if editable.get() {
            t_string!(i18n, board.handover_edit).to_string()
        } else {
            t_string!(i18n, board.handover).to_string()
        }
    };
    let id = crate::ui::field::next_id("handover");
    let body_id = id.clone();
    let parts = move || {
        PARTS
            .into_iter()
            .map(|part| {
                let label = Signal::derive(move || match part {
                    HandoverPart::SoFar => t_string!(i18n, board.so_far).to_string(),
                    HandoverPart::Open => t_string!(i18n, board.open).to_string(),
                    HandoverPart::BuildHere => t_string!(i18n, board.build_here).to_string(),
                });
                let hint = move || match part {
                    HandoverPart::SoFar => t_string!(i18n, board.so_far_hint).to_string(),
                    HandoverPart::Open => t_string!(i18n, board.open_hint).to_string(),
                    HandoverPart::BuildHere => t_string!(i18n, board.build_here_hint).to_string(),
                };
                let says = move || handover.with(|handover| part_of(handover, part).to_owned());
                if editable.get() {
                    view! {
                        <div class="handover-part">
                            <p class="handover-label" aria-hidden="true">
                                {move || label.get()}
                            </p>
                            <LiveText
                                board
                                at=TextAt::Handover(part)
                                multiline=true
                                aria_label=label
                                placeholder=Signal::derive(hint)
                            />
                        </div>
                    }
                    .into_any()
                } else {
                    view! {
                        <div class="handover-part" hidden=move || says().trim().is_empty()>
                            <p class="handover-label">{move || label.get()}</p>
                            <p class="pre">{says}</p>
                        </div>
                    }
                    .into_any()
                }
            })
            .collect_view()
    };
    view! {
        <section class="handover" hidden=move || !shown() aria-label=title>
            <button
                type="button"
                class="handover-head"
                aria-expanded=move || if folded.get() { "false" } else { "true" }
                aria-controls=id
                on:click=move |_| fold(!folded.get_untracked())
            >
                <Icon icon=icondata_lu::LuArrowRightLeft />
                <span class="handover-title">{title}</span>
                <span class="handover-peek clip">
                    {move || folded.get().then(|| handover.with(peek))}
                </span>
                <Icon icon=Signal::derive(move || {
                    if folded.get() { icondata_lu::LuChevronDown } else { icondata_lu::LuChevronUp }
                }) />
            </button>
            <div
                class="handover-body"
                class:handover-beginnings=move || long.get() && !whole.get()
                id=body_id
                hidden=move || folded.get()
            >
                {move || {
                    editable.get().then(|| view! { <p class="quiet small">{t!(i18n, board.handover_hint)}</p> })
                }}
                {parts}
                <Show when=move || long.get()>
                    <Button
                        kind=ButtonKind::Plain
                        class="handover-more"
                        icon=Signal::derive(move || {
                            if whole.get() { icondata_lu::LuChevronUp } else { icondata_lu::LuChevronDown }
                        })
                        expanded=Signal::derive(move || whole.get())
                        on_click=move |_| whole.update(|whole| *whole = !*whole)
                    >
                        {move || {
                            if whole.get() {
                                t_string!(i18n, board.read_less).to_string()
                            } else {
                                t_string!(i18n, board.read_whole).to_string()
                            }
                        }}
                    </Button>
                </Show>
                {move || {
                    (!editable.get())
                        .then(|| {
                            view! {
                                <Button
                                    kind=ButtonKind::Quiet
                                    class="handover-done"
                                    icon=icondata_lu::LuCheck
                                    on_click=move |_| fold(true)
                                >
                                    {t!(i18n, board.got_it)}
                                </Button>
                            }
                        })
                }}
            </div>
        </section>
    }
}

fn part_of(handover: &Handover, part: HandoverPart) -> &str {
    match part {
        HandoverPart::SoFar => &handover.so_far,
        HandoverPart::Open => &handover.open,
        HandoverPart::BuildHere => &handover.build_here,
    }
}

/// The beginning, shown on the folded card.
fn peek(handover: &Handover) -> String {
    let first =
        PARTS.iter().map(|part| part_of(handover, *part).trim()).find(|text| !text.is_empty()).unwrap_or_default();
    first.lines().next().unwrap_or_default().chars().take(60).collect()
}

//! The kinds of notes: an icon and a word as well as a tint, so that nobody has to tell colours apart.

use leptos::prelude::*;
use shared::board::view::NoteKind;

use crate::i18n::{t_string, use_i18n};
use crate::ui::icon::{Icon, Picture};

/// The icon of a kind.
pub fn kind_icon(kind: NoteKind) -> Picture {
    match kind {
        NoteKind::Idea => icondata_lu::LuLightbulb,
        NoteKind::Pain => icondata_lu::LuFrown,
        NoteKind::Opportunity => icondata_lu::LuSprout,
        NoteKind::Question => icondata_lu::LuCircleHelp,
    }
}

/// The class that sets `--kind`, `--kind-ink` and `--kind-edge` for everything inside.
pub fn kind_class(kind: NoteKind) -> &'static str {
    match kind {
        NoteKind::Idea => "kind-idea",
        NoteKind::Pain => "kind-pain",
        NoteKind::Opportunity => "kind-opportunity",
        NoteKind::Question => "kind-question",
    }
}

/// The word for a kind in the reader's language; follows the language when it is switched.
pub fn kind_word(kind: NoteKind) -> Signal<String> {
    let i18n = use_i18n();
    Signal::derive(move || match kind {
        NoteKind::Idea => t_string!(i18n, kit.kind_idea).to_string(),
        NoteKind::Pain => t_string!(i18n, kit.kind_pain).to_string(),
        NoteKind::Opportunity => t_string!(i18n, kit.kind_opportunity).to_string(),
        NoteKind::Question => t_string!(i18n, kit.kind_question).to_string(),
    })
}

/// A note's kind as icon and word.
#[component]
pub fn KindChip(
    /// Which kind.
    #[prop(into)]
    kind: Signal<NoteKind>,
) -> impl IntoView {
    move || {
        let kind = kind.get();
        let word = kind_word(kind);
        view! {
            <span class=format!("kind-chip {}", kind_class(kind))>
                <Icon icon=kind_icon(kind) />
                <span>{move || word.get()}</span>
            </span>
        }
    }
}

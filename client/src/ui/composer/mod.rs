//! Where a note is written on a phone: at the thumb, above the keyboard. What is written is kept on the device, for the table at which it
//! was begun, until it is posted.

mod elsewhere;
mod kept;

use leptos::{ev, html, prelude::*};
use shared::board::text::utf16_len;
use shared::board::view::NoteKind;
use shared::id::NoteId;
use shared::limits;

use self::elsewhere::Elsewhere;
use self::kept::Kept;
use crate::i18n::{t_string, use_i18n};
use crate::state::board::Board;
use crate::state::cafe::Cafe;
use crate::ui::bag::BagButton;
use crate::ui::icon::Icon;
use crate::ui::note::beginning;
use crate::ui::note_kind::{kind_class, kind_icon, kind_word};
use crate::ui::toast::{ToastKind, toast};

/// The composer of a board.
#[component]
pub fn Composer(
    /// The table's board.
    board: Board,
    /// The note that one goes on from.
    reply: RwSignal<Option<NoteId>>,
    /// Called with each note that was posted.
    #[prop(into)]
    on_posted: Callback<NoteId>,
) -> impl IntoView {
    let i18n = use_i18n();
    let cafe = expect_context::<Cafe>();
    let scope = StoredValue::new(cafe.identity().scope());
    let kept = scope.with_value(|scope| kept::load(scope, board.kind()));
    let kind = RwSignal::new(kept.kind);
    let text = RwSignal::new(kept.text.clone());
    let area = NodeRef::<html::Textarea>::new();
    let composing = StoredValue::new(false);
    let keep = move || {
        let kept = Kept { text: text.get_untracked(), kind: kind.get_untracked() };
        scope.with_value(|scope| kept::keep(scope, board.kind(), &kept));
    };
    // Set once: a signal bound to the value would disturb input methods.
    Effect::new(move |done: Option<bool>| {
        let Some(area) = area.get() else { return false };
        if done != Some(true) {
            area.set_value(&text.get_untracked());
        }
        true
    });
    // The kind one writes in when one does not go on from a note.
    let own_kind = StoredValue::new(None::<NoteKind>);
    Effect::new(move || {
        if reply.with(Option::is_none) {
            if let Some(own) = own_kind.try_update_value(Option::take).flatten() {
                kind.set(own);
            }
            return;
        }
        // "Yes, and" is an idea until one says otherwise, whatever the last note was.
        if own_kind.with_value(Option::is_none) && text.with_untracked(|text| text.trim().is_empty()) {
            own_kind.set_value(Some(kind.get_untracked()));
            kind.set(NoteKind::Idea);
        }
        if let Some(area) = area.get_untracked() {
            let _ = area.focus();
        }
    });
    let take = move || {
        let Some(area) = area.get_untracked() else { return };
        text.set(area.value());
        keep();
    };
    // What is too long stays as it is, to be shortened or split: nothing that was pasted goes.
    let over = Memo::new(move |_| text.with(|text| utf16_len(text.trim()).saturating_sub(limits::NOTE_CHARS as u32)));
    let bring_here = move |kept: Kept| {
        let before = text.get_untracked();
        let words = if before.trim().is_empty() {
            kind.set(kept.kind);
            kept.text
        } else {
            format!("{}\n{}", before.trim_end(), kept.text)
        };
        if let Some(area) = area.get_untracked() {
            area.set_value(&words);
            let _ = area.focus();
        }
        text.set(words);
        keep();
    };
    let post = move || {
        take();
        let words = text.get_untracked().trim().to_owned();
        if words.is_empty() || over.get_untracked() > 0 || composing.get_value() {
            return;
        }
        let Some(id) = board.create_note(kind.get_untracked(), &words, reply.get_untracked(), None) else {
            toast(ToastKind::Bad, t_string!(i18n, board.not_posted).to_string());
            return;
        };
        if let Some(area) = area.get_untracked() {
            area.set_value("");
            let _ = area.focus();
        }
        text.set(String::new());
        reply.set(None);
        keep();
        board.set_presence(None, false);
        on_posted.run(id);
    };
    let on_keydown = move |event: ev::KeyboardEvent| {
        // 229: some browsers end the composition first and report its Enter afterwards.
        if event.is_composing() || event.key_code() == 229 || composing.get_value() {
            return;
        }
        match event.key().as_str() {
            // On a touch screen Enter is the only way to a new line, and the button is at the thumb.
            "Enter" if !event.shift_key() && (has_keyboard() || event.ctrl_key() || event.meta_key()) => {
                event.prevent_default();
                post();
            }
            "Escape" if reply.with_untracked(Option::is_some) => {
                event.prevent_default();
                reply.set(None);
            }
            _ => {}
        }
    };
    let resting = StoredValue::new(None::<TimeoutHandle>);
    let rest = move || {
        if let Some(handle) = resting.try_update_value(Option::take).flatten() {
            handle.clear();
        }
    };
    on_cleanup(rest);
    let show_typing = move || {
        rest();
        board.set_presence(None, true);
        let later =
            set_timeout_with_handle(move || board.set_presence(None, false), std::time::Duration::from_millis(2_500));
        resting.set_value(later.ok());
    };
    let quoted = Memo::new(move |_| {
        let id = reply.get()?;
        board.note(&id).map(|note| note.with(|note| note.text.clone()))
    });
    let empty = Memo::new(move |_| text.with(|text| text.trim().is_empty()));
    let group = crate::ui::field::next_id("kinds");
    let over_id = crate::ui::field::next_id("over");
    view! {
        <form
            class=move || format!("composer {}", kind_class(kind.get()))
            aria-label=move || t_string!(i18n, board.compose).to_string()
            on:submit=move |event| {
                event.prevent_default();
                post();
            }
        >
            {move || {
                quoted
                    .get()
                    .map(|words| {
                        view! {
                            <div class="composer-quote">
                                <Icon icon=icondata_lu::LuCornerDownRight />
                                <p class="composer-quoted clip">
                                    <span class="strong">{move || t_string!(i18n, board.replying).to_string()} " "</span>
                                    {words.lines().next().unwrap_or_default().to_owned()}
                                </p>
                                <button
                                    type="button"
                                    class="composer-cancel"
                                    aria-label=move || t_string!(i18n, board.cancel_reply).to_string()
                                    on:click=move |_| reply.set(None)
                                >
                                    <Icon icon=icondata_lu::LuX />
                                </button>
                            </div>
                        }
                    })
            }}
            <Elsewhere here=board.kind() on_here=bring_here />
            <div class="composer-kinds" role="radiogroup" aria-label=move || t_string!(i18n, board.kind).to_string()>
                {NoteKind::ALL
                    .into_iter()
                    .map(|this| {
                        let word = kind_word(this);
                        view! {
                            <label class=format!("composer-kind {}", kind_class(this))>
                                <input
                                    type="radio"
                                    class="visually-hidden"
                                    name=group.clone()
                                    prop:checked=move || kind.get() == this
                                    on:change=move |_| {
                                        kind.set(this);
                                        keep();
                                    }
                                />
                                <span class="composer-kind-face">
                                    <Icon icon=kind_icon(this) />
                                    <span>{move || word.get()}</span>
                                </span>
                            </label>
                        }
                    })
                    .collect_view()}
            </div>
            <p class="composer-over" role="status" id=over_id.clone()>
                {move || {
                    let n = over.get();
                    (n > 0).then(|| t_string!(i18n, board.over, max = limits::NOTE_CHARS, n = n).to_string())
                }}
            </p>
            <div class="composer-row">
                <BagButton />
                <div class="composer-grow">
                    <textarea
                        class="composer-text"
                        rows="1"
                        node_ref=area
                        aria-describedby=over_id.clone()
                        aria-label=move || {
                            match quoted.get() {
                                Some(words) => {
                                    t_string!(i18n, board.reply_to_short, note = beginning(&words)).to_string()
                                }
                                None => t_string!(i18n, board.compose).to_string(),
                            }
                        }
                        placeholder=move || {
                            if quoted.with(Option::is_some) {
                                t_string!(i18n, board.reply_placeholder).to_string()
                            } else {
                                t_string!(i18n, board.compose_placeholder).to_string()
                            }
                        }
                        on:compositionstart=move |_| composing.set_value(true)
                        on:compositionend=move |_| {
                            composing.set_value(false);
                            take();
                        }
                        on:input=move |_| {
                            take();
                            show_typing();
                        }
                        on:blur=move |_| {
                            rest();
                            board.set_presence(None, false);
                        }
                        on:keydown=on_keydown
                    ></textarea>
                    <div class="composer-text composer-copy" aria-hidden="true">
                        {move || format!("{}\n", text.get())}
                    </div>
                </div>
                <button
                    type="submit"
                    class="composer-post"
                    disabled=move || empty.get() || over.get() != 0
                    aria-describedby=over_id
                    aria-label=move || t_string!(i18n, board.post).to_string()
                    title=move || t_string!(i18n, board.post).to_string()
                >
                    <Icon icon=icondata_lu::LuSendHorizontal />
                </button>
            </div>
        </form>
    }
}

/// Whether there is a keyboard of keys: a mouse or touchpad tells.
fn has_keyboard() -> bool {
    window().match_media("(hover: hover) and (pointer: fine)").ok().flatten().is_some_and(|query| query.matches())
}

//! A text that several people edit at once: a field bound to a text of a board. Others' edits arrive as deltas, so that caret, selection
//! and scroll stay; an input method is never disturbed; what is too long stays in the field, which says so, and is not written until it
//! fits.

mod editing;
mod field;
mod held;

use std::time::Duration;

use leptos::{ev, html, prelude::*};
use shared::board::text::Splice;
use shared::limits;

use self::editing::{Editing, Outcome, Shown};
use self::field::Field;
use self::held::Held;
use crate::i18n::{t, t_string, use_i18n};
use crate::state::board::Board;
use crate::state::cafe::Cafe;
use crate::state::live_text::{ListenerGuard, LiveTextHandle, TextAt};
use crate::ui::button::{Button, ButtonKind};

/// Silence after which somebody no longer counts as writing.
const STILL: Duration = Duration::from_millis(2_500);

/// A field for one text of a board. While the document is loading it is there, empty and read-only.
#[component]
pub fn LiveText(
    /// The board.
    board: Board,
    /// Which of its texts.
    at: TextAt,
    /// What is written here, for screen readers.
    #[prop(into)]
    aria_label: Signal<String>,
    /// Several lines; the field grows with them.
    #[prop(optional)]
    multiline: bool,
    /// Shown while it is empty.
    #[prop(optional, into)]
    placeholder: Signal<String>,
    /// UTF-16 units it takes.
    #[prop(default = limits::FIELD_CHARS)]
    max_chars: usize,
    /// Called on Enter (in several lines on Enter without Shift); without it Enter is a new line or nothing.
    #[prop(optional, into)]
    on_enter: Option<Callback<()>>,
    /// Called on Escape, unless what stands here is too long.
    #[prop(optional, into)]
    on_escape: Option<Callback<()>>,
    /// Called with true when the field gets the focus, with false when it loses it, unless what stands here is too long.
    #[prop(optional, into)]
    on_focus: Option<Callback<bool>>,
    /// Takes the focus as soon as it can be written in, with the caret at the end.
    #[prop(optional)]
    autofocus: bool,
    /// Nobody writes here now, whatever the board allows.
    #[prop(optional, into)]
    readonly: Signal<bool>,
    /// The id of the control, for a `<label>`.
    #[prop(optional, into)]
    id: MaybeProp<String>,
    /// Further classes of the whole field.
    #[prop(optional, into)]
    class: MaybeProp<String>,
) -> impl IntoView {
    let i18n = use_i18n();
    let note = match &at {
        TextAt::Note(id) => Some(id.clone()),
        _ => None,
    };
    let note = StoredValue::new(note);
    let input = NodeRef::<html::Input>::new();
    let area = NodeRef::<html::Textarea>::new();
    let copy = NodeRef::<html::Div>::new();
    let bound = StoredValue::new_local(None::<Bound>);
    let used = RwSignal::new(0_usize);
    let over = RwSignal::new(0_u32);
    let kept_at = StoredValue::new(held_key(board, &at));
    let focused = StoredValue::new(false);
    let blocked = Memo::new(move |_| readonly.get() || !board.writable().get());

    let keep_size = move || {
        bound.with_value(|bound| {
            let Some(bound) = bound else { return };
            let text = bound.field.value();
            used.set(text.encode_utf16().count());
            if let Some(copy) = copy.get_untracked() {
                // The newline keeps the height of a last, empty line.
                copy.set_text_content(Some(&format!("{text}\n")));
            }
        });
    };
    let follow = move |outcome: Outcome| {
        if let Some(splice) = &outcome.splice {
            let handle = bound.with_value(|bound| bound.as_ref().map(|bound| bound.handle.clone()));
            if let Some(handle) = handle {
                handle.splice(splice);
                bound.update_value(|bound| {
                    if let Some(bound) = bound {
                        bound.check();
                    }
                });
            }
        }
        if let Some(Shown { text, caret }) = &outcome.shown {
            bound.with_value(|bound| {
                if let Some(bound) = bound {
                    bound.field.show(text, *caret);
                }
            });
        }
        bound.with_value(|bound| {
            let Some(bound) = bound else { return };
            let (was, now) = (over.get_untracked(), bound.editing.over());
            kept_at.with_value(|key| {
                let Some(key) = key else { return };
                if now > 0 {
                    let (base, text) = (bound.editing.text().to_owned(), bound.field.value());
                    held::keep(key, &Held { base, text });
                } else if was > 0 {
                    held::forget(key);
                }
            });
            if was != now {
                over.set(now);
            }
        });
        keep_size();
    };
    let step = move |act: fn(&mut Editing, &str, u32) -> Outcome| {
        let outcome = bound.try_update_value(|bound| {
            let bound = bound.as_mut()?;
            Some(act(&mut bound.editing, &bound.field.value(), bound.field.caret()))
        });
        if let Some(outcome) = outcome.flatten() {
            follow(outcome);
        }
    };

    // What is too long is given up as a whole: the document's history knows nothing of it.
    let give_up = move || {
        // First, while the field still stays whatever loses the focus: the button that was pressed goes with what it gave up.
        bound.with_value(|bound| {
            if let Some(bound) = bound {
                bound.field.focus_at_end();
            }
        });
        step(Editing::give_up);
    };
    let is_over = move || over.get_untracked() > 0;

    // Whoever writes is shown to the others for a moment longer than they write.
    let resting = StoredValue::new(None::<TimeoutHandle>);
    let rest = move || {
        if let Some(handle) = resting.try_update_value(Option::take).flatten() {
            handle.clear();
        }
    };
    let show_typing = move || {
        rest();
        board.set_presence(note.get_value(), true);
        let later = set_timeout_with_handle(move || board.set_presence(note.get_value(), false), STILL);
        resting.set_value(later.ok());
    };

    // Bind once the document is there and the element stands in the page.
    let at = StoredValue::new(at);
    Effect::new(move || {
        let field = area.get().map(Field::Area).or_else(|| input.get().map(Field::Line));
        let Some(field) = field.filter(|_| board.loaded().get()) else { return };
        if bound.with_value(Option::is_some) {
            return;
        }
        let Some(handle) = board.text(at.get_value()) else { return };
        let text = handle.value();
        let limit = u32::try_from(max_chars).unwrap_or(u32::MAX);
        let kept = kept_at.with_value(|key| held::load(key.as_ref()?)).filter(|_| !blocked.get_untracked());
        field.show(kept.as_ref().map_or(&text, |kept| &kept.text), 0);
        let guard = handle.on_remote(move |splice: &Splice| {
            bound.try_update_value(|bound| {
                if let Some(bound) = bound
                    && bound.editing.remote(splice)
                {
                    bound.field.splice(splice);
                }
            });
            keep_size();
        });
        let goes_on = kept.is_some();
        let editing = match kept {
            Some(kept) => Editing::resume(kept.base, &text, limit),
            None => Editing::new(text, limit),
        };
        bound.set_value(Some(Bound { field, handle, editing, _guard: guard }));
        if goes_on {
            step(Editing::input);
        }
        keep_size();
        if autofocus && !blocked.get_untracked() {
            bound.with_value(|bound| {
                if let Some(bound) = bound {
                    bound.field.focus_at_end();
                }
            });
        }
    });
    // The page may change under an input method: what was composed so far is kept.
    on_cleanup(move || {
        rest();
        if bound.with_value(|bound| bound.as_ref().is_some_and(|bound| bound.editing.is_composing())) {
            step(Editing::composed);
        }
        bound.set_value(None);
        if focused.get_value() {
            focused.set_value(false);
            board.set_presence(None, false);
        }
    });

    let on_keydown = move |event: ev::KeyboardEvent| {
        // 229: some browsers end the composition first and report its Enter afterwards.
        if event.is_composing() || event.key_code() == 229 {
            return;
        }
        let command = event.ctrl_key() || event.meta_key();
        match event.key().as_str() {
            "Enter" if !(multiline && event.shift_key()) => {
                if let Some(act) = on_enter {
                    event.prevent_default();
                    act.run(());
                }
            }
            // The field stays: what stands in it is nowhere else.
            "Escape" if is_over() => {
                event.prevent_default();
                event.stop_propagation();
            }
            "Escape" => {
                if let Some(act) = on_escape {
                    event.prevent_default();
                    event.stop_propagation();
                    act.run(());
                }
            }
            // The browser's own history knows nothing of what others wrote.
            "z" | "Z" if command && !event.alt_key() => {
                event.prevent_default();
                event.stop_propagation();
                match (event.shift_key(), is_over()) {
                    (false, true) => give_up(),
                    (false, false) => board.undo(),
                    (true, _) => board.redo(),
                }
            }
            "y" if command && !event.alt_key() => {
                event.prevent_default();
                event.stop_propagation();
                board.redo();
            }
            _ => {}
        }
    };
    let on_beforeinput = move |event: ev::InputEvent| match event.input_type().as_str() {
        "historyUndo" => {
            event.prevent_default();
            if is_over() { give_up() } else { board.undo() }
        }
        "historyRedo" => {
            event.prevent_default();
            board.redo();
        }
        _ => {}
    };
    let count = move || {
        let used = used.get();
        (used * 10 >= max_chars * 8 && over.get() == 0).then(|| {
            let words = t_string!(i18n, board.count, n = used, max = max_chars).to_string();
            view! { <p class="live-text-count figures">{words}</p> }
        })
    };
    let over_id = crate::ui::field::next_id("over");
    let described = {
        let id = over_id.clone();
        Signal::derive(move || (over.get() > 0).then(|| id.clone()))
    };
    let too_long = move || {
        (over.get() > 0).then(|| {
            view! {
                <span>{move || t_string!(i18n, board.too_long, max = max_chars, n = over.get()).to_string()}</span>
                <Button
                    kind=ButtonKind::Quiet
                    class="button-small"
                    icon=icondata_lu::LuUndo2
                    on_click=move |_| give_up()
                >
                    {t!(i18n, board.give_up)}
                </Button>
            }
        })
    };
    let control = if multiline {
        view! {
            <textarea
                class="live-text-control"
                node_ref=area
                rows="1"
                id=move || id.get()
                aria-label=move || aria_label.get()
                placeholder=move || placeholder.get()
                readonly=move || blocked.get()
                aria-invalid=move || described.with(Option::is_some).then_some("true")
                aria-describedby=move || described.get()
            ></textarea>
            <div class="live-text-control live-text-copy" aria-hidden="true" node_ref=copy></div>
        }
        .into_any()
    } else {
        view! {
            <input
                type="text"
                class="live-text-control"
                autocomplete="off"
                node_ref=input
                id=move || id.get()
                aria-label=move || aria_label.get()
                placeholder=move || placeholder.get()
                readonly=move || blocked.get()
                aria-invalid=move || described.with(Option::is_some).then_some("true")
                aria-describedby=move || described.get()
            />
        }
        .into_any()
    };
    view! {
        <div
            class=move || class.get().map_or_else(|| "live-text".to_owned(), |more| format!("live-text {more}"))
            on:input=move |_| {
                step(Editing::input);
                show_typing();
            }
            on:compositionstart=move |_| {
                bound
                    .update_value(|bound| {
                        if let Some(bound) = bound {
                            bound.editing.compose();
                        }
                    });
            }
            on:compositionend=move |_| step(Editing::composed)
            on:beforeinput=on_beforeinput
            on:keydown=on_keydown
            on:focusin=move |_| {
                focused.set_value(true);
                board.set_presence(note.get_value(), false);
                if let Some(act) = on_focus {
                    act.run(true);
                }
            }
            on:focusout=move |_| {
                // Browsers also tell of a field that goes together with its focus.
                if !focused.try_get_value().unwrap_or(false) {
                    return;
                }
                focused.set_value(false);
                rest();
                board.set_presence(None, false);
                if let Some(act) = on_focus.filter(|_| !is_over()) {
                    act.run(false);
                }
            }
        >
            <div class="live-text-grow">{control}</div>
            {count}
            <div class="live-text-over" role="status" id=over_id>
                {too_long}
            </div>
        </div>
    }
}

/// Whether something that is too long to be saved waits for its person on this device.
pub fn is_held(board: Board, at: &TextAt) -> bool {
    held_key(board, at).is_some_and(|key| held::load(&key).is_some())
}

/// Where that is kept; nowhere outside of a café.
fn held_key(board: Board, at: &TextAt) -> Option<String> {
    let cafe = use_context::<Cafe>()?;
    Some(held::key(&cafe.identity().scope(), board.kind(), at))
}

/// A field that has met its text.
struct Bound {
    field: Field,
    handle: LiveTextHandle,
    editing: Editing,
    _guard: ListenerGuard,
}

impl Bound {
    /// The document has the last word: should field and document ever differ, the field follows.
    fn check(&mut self) {
        let text = self.handle.value();
        let caret = self.field.caret();
        if self.editing.correct(text) {
            self.field.show(self.editing.text(), caret);
        }
    }
}

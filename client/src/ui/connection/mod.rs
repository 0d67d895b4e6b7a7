//! A quiet sign of how the connection stands. "Saved" is shown only while everything is on the server's disk.

use std::time::Duration;

use leptos::prelude::*;

use crate::i18n::{t_string, use_i18n};
use crate::state::cafe::{Cafe, Connection};
use crate::ui::icon::Icon;

/// Saving that takes no longer is not worth a word.
const SLOW: Duration = Duration::from_millis(800);
/// A connection that is back sooner was never missed.
const GONE: Duration = Duration::from_millis(1_500);
/// How long the whole sentence is shown by itself.
const SENTENCE: Duration = Duration::from_secs(7);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Connecting,
    Saved,
    Writing,
    Saving,
    Offline,
}

/// The sign, in a page's header.
#[component]
pub fn ConnectionSign() -> impl IntoView {
    let cafe = expect_context::<Cafe>();
    let i18n = use_i18n();
    let unsaved = cafe.unsaved();
    let connection = cafe.connection();
    let pending = Memo::new(move |_| unsaved.get() > 0);
    let slow = delayed(move || pending.get(), SLOW);
    let lost = Memo::new(move |_| connection.with(|connection| matches!(connection, Connection::Offline { .. })));
    let gone = delayed(move || lost.get(), GONE);
    let state = Memo::new(move |_| {
        if lost.get() {
            return if gone.get() { State::Offline } else { State::Connecting };
        }
        match connection.get() {
            Connection::Connecting => State::Connecting,
            _ if !pending.get() => State::Saved,
            _ if slow.get() => State::Saving,
            _ => State::Writing,
        }
    });
    let open = RwSignal::new(false);
    let closing = StoredValue::new(None::<TimeoutHandle>);
    Effect::new(move || {
        let offline = state.get() == State::Offline;
        open.set(offline);
        if let Some(handle) = closing.try_update_value(Option::take).flatten() {
            handle.clear();
        }
        if offline {
            closing.set_value(set_timeout_with_handle(move || open.set(false), SENTENCE).ok());
        }
    });
    on_cleanup(move || {
        if let Some(handle) = closing.try_update_value(Option::take).flatten() {
            handle.clear();
        }
    });
    let icon = Signal::derive(move || match state.get() {
        State::Connecting => icondata_lu::LuWifi,
        State::Saved => icondata_lu::LuCloudCheck,
        State::Writing | State::Saving => icondata_lu::LuCloudUpload,
        State::Offline => icondata_lu::LuWifiOff,
    });
    let word = move || match state.get() {
        State::Connecting => t_string!(i18n, cafe.connecting).to_string(),
        State::Saved => t_string!(i18n, cafe.saved).to_string(),
        State::Writing | State::Saving => t_string!(i18n, cafe.saving).to_string(),
        State::Offline => t_string!(i18n, cafe.offline_short).to_string(),
    };
    let sentence = move || {
        let waiting = unsaved.get();
        match state.get() {
            State::Connecting => t_string!(i18n, cafe.connecting_long).to_string(),
            State::Saved => t_string!(i18n, cafe.saved_long).to_string(),
            State::Writing | State::Saving => t_string!(i18n, cafe.saving_long, n = waiting).to_string(),
            State::Offline if waiting > 0 => t_string!(i18n, cafe.offline_waiting, n = waiting).to_string(),
            State::Offline => t_string!(i18n, cafe.offline).to_string(),
        }
    };
    view! {
        <div class="connection" class:connection-offline=move || state.get() == State::Offline>
            <button
                type="button"
                class="connection-sign"
                aria-expanded=move || if open.get() { "true" } else { "false" }
                title=sentence
                on:click=move |_| open.update(|open| *open = !*open)
                on:blur=move |_| open.set(false)
            >
                <Icon icon />
                <span class="connection-word">{word}</span>
            </button>
            <p class="connection-sentence" hidden=move || !open.get()>
                {sentence}
            </p>
            // Only losing and regaining the connection is spoken; "saved" would be spoken after every letter.
            <p class="visually-hidden" role="status">
                {move || gone.get().then(|| t_string!(i18n, cafe.offline).to_string())}
            </p>
        </div>
    }
}

/// True once `condition` has been true for so long; false at once when it is not.
fn delayed(condition: impl Fn() -> bool + 'static, after: Duration) -> ReadSignal<bool> {
    let (read, write) = signal(false);
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let stop = move || {
        if let Some(handle) = timer.try_update_value(Option::take).flatten() {
            handle.clear();
        }
    };
    Effect::new(move || {
        let now = condition();
        stop();
        if now {
            timer.set_value(set_timeout_with_handle(move || write.set(true), after).ok());
        } else {
            write.set(false);
        }
    });
    on_cleanup(stop);
    read
}

//! Draft: the plan can still be changed. It is saved while it is being written.

use std::time::Duration;

use leptos::prelude::*;
use shared::workshop::{Command, Draft};

use super::Desk;
use super::facts;
use crate::i18n::{t, t_string, use_i18n};
use crate::pages::new::fields::PlanFields;
use crate::pages::new::form::PlanForm;
use crate::state::cafe::Cafe;
use crate::ui::icon::Icon;

/// How long nobody writes before the plan is saved.
const PAUSE: Duration = Duration::from_millis(900);
/// When it is tried again without a connection.
const AGAIN: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Saving {
    Saved,
    Waiting,
    /// Something in the form cannot be taken as it is.
    Unfinished,
    Failed,
}

/// The plan's form, for a café that has not opened.
#[component]
pub(super) fn Prepare(cafe: Cafe) -> impl IntoView {
    let draft = cafe.memo(|view| facts::part(view).map(|part| part.draft.clone()));
    // The form is made once; later drafts go into it.
    let there = Memo::new(move |_| draft.get().flatten().is_some());
    move || {
        there.get().then(|| {
            let first = untrack(|| draft.get()).flatten().unwrap_or_default();
            view! { <Form cafe first current=Signal::derive(move || draft.get().flatten()) /> }
        })
    }
}

#[component]
fn Form(cafe: Cafe, first: Draft, current: Signal<Option<Draft>>) -> impl IntoView {
    let i18n = use_i18n();
    let desk = expect_context::<Desk>();
    let form = PlanForm::new(first.clone());
    desk.draft.set(Some(form));
    on_cleanup(move || {
        let _ = desk.draft.try_set(None);
    });
    // What is in the form once it is saved, and what the server made of it: it trims texts.
    let written = RwSignal::new(first.clone());
    let known = RwSignal::new(first);
    let state = RwSignal::new(Saving::Saved);
    let changes = StoredValue::new(0_u32);

    // Somebody else's change comes in only where nothing of one's own would be lost.
    Effect::new(move || {
        let Some(incoming) = current.get() else { return };
        let is_news = incoming != known.get_untracked();
        let untouched = state.get_untracked() == Saving::Saved && untrack(|| form.draft() == written.get());
        if is_news && untouched {
            written.set(incoming.clone());
            known.set(incoming.clone());
            form.fill(incoming);
        }
    });
    let saver = Saver { cafe, form, written, known, state, changes };
    Effect::new(move |started: Option<()>| {
        let now = form.draft();
        if started.is_some() && now != written.get_untracked() {
            let change = changes.get_value() + 1;
            changes.set_value(change);
            state.set(Saving::Waiting);
            set_timeout(move || saver.save(change), PAUSE);
        }
    });
    let sign = move || match state.get() {
        Saving::Saved => (icondata_lu::LuCheck, t_string!(i18n, console.draft_saved).to_string()),
        Saving::Waiting => (icondata_lu::LuPenLine, t_string!(i18n, console.draft_waiting).to_string()),
        Saving::Unfinished => (icondata_lu::LuCircleAlert, t_string!(i18n, console.draft_unfinished).to_string()),
        Saving::Failed => (icondata_lu::LuCloudOff, t_string!(i18n, console.draft_failed).to_string()),
    };
    view! {
        <div class="console-prepare">
            <div class="console-prepare-head">
                <div>
                    <h2>{t!(i18n, console.prepare)}</h2>
                    <p class="quiet">{t!(i18n, console.prepare_hint)}</p>
                </div>
                <p class="quiet small console-saving" role="status">
                    {move || {
                        let (icon, words) = sign();
                        view! {
                            <Icon icon />
                            <span>{words}</span>
                        }
                    }}
                </p>
            </div>
            <PlanFields form />
        </div>
    }
}

/// Saves the form a while after the last change.
#[derive(Clone, Copy)]
struct Saver {
    cafe: Cafe,
    form: PlanForm,
    written: RwSignal<Draft>,
    known: RwSignal<Draft>,
    state: RwSignal<Saving>,
    changes: StoredValue<u32>,
}

impl Saver {
    /// Saves unless there was a later change, or the page was left; tries again where the server was not reached.
    fn save(self, change: u32) {
        if self.changes.try_get_value() != Some(change) {
            return;
        }
        let now = untrack(|| self.form.draft());
        let Ok(draft) = now.clone().checked() else {
            self.state.set(Saving::Unfinished);
            return;
        };
        // Known before the answer: the view that it causes may be here first.
        self.known.set(draft.clone());
        leptos::task::spawn_local(async move {
            let result = self.cafe.try_command(Command::EditDraft { draft }).await;
            if self.changes.try_get_value() != Some(change) {
                return;
            }
            match result {
                Ok(()) => {
                    self.written.set(now);
                    self.state.set(Saving::Saved);
                }
                Err(error) => {
                    self.state.set(Saving::Failed);
                    if error.offline {
                        set_timeout(move || self.save(change), AGAIN);
                    }
                }
            }
        });
    }
}

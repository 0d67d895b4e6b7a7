//! What was just taken away on a screen, and one press to bring it back.

use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;

use crate::i18n::{t_string, use_i18n};

/// How long it can be brought back with one press.
const REGRET: Duration = Duration::from_secs(8);

#[derive(Clone)]
struct Taken {
    nth: u32,
    words: String,
    // No `Callback`: that would belong to what is taken away, and go with it.
    back: Arc<dyn Fn() + Send + Sync>,
}

/// The last thing taken away on one screen. It may be copied freely.
#[derive(Clone, Copy)]
pub struct Regret(RwSignal<Option<Taken>>);

impl Regret {
    /// For a screen that shows one [`RegretBar`].
    pub fn new() -> Self {
        Self(RwSignal::new(None))
    }

    /// Says in words what was taken away, and for some seconds offers to bring it back.
    pub fn offer(self, words: String, back: impl Fn() + Send + Sync + 'static) {
        let nth = self.0.with_untracked(|taken| taken.as_ref().map_or(0, |taken| taken.nth + 1));
        self.0.set(Some(Taken { nth, words, back: Arc::new(back) }));
        set_timeout(
            move || {
                let same = |taken: &Option<Taken>| taken.as_ref().is_some_and(|taken| taken.nth == nth);
                if self.0.try_with_untracked(same) == Some(true) {
                    self.0.set(None);
                }
            },
            REGRET,
        );
    }
}

impl Default for Regret {
    fn default() -> Self {
        Self::new()
    }
}

/// The words, and the button that brings it back; once on a screen.
#[component]
pub fn RegretBar(
    /// What it offers to bring back.
    regret: Regret,
    /// What its button says, where it does not bring back what was taken away.
    #[prop(optional, into)]
    word: MaybeProp<String>,
) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <div class="regret no-print" role="status" aria-live="polite">
            {move || {
                regret
                    .0
                    .get()
                    .map(|taken| {
                        let back = taken.back;
                        view! {
                            <p class="regret-bar">
                                <span class="regret-words">{taken.words}</span>
                                <button
                                    type="button"
                                    class="regret-back"
                                    on:click=move |_| {
                                        back();
                                        regret.0.set(None);
                                    }
                                >
                                    {move || {
                                        word.get().unwrap_or_else(|| t_string!(i18n, board.bring_back).to_string())
                                    }}
                                </button>
                            </p>
                        }
                    })
            }}
        </div>
    }
}

//! The plan: themes become actions, written together; each one keeps the notes it rests on.

pub mod action_block;
pub mod action_facts;
pub mod field;
pub mod sources;
mod themes;

use leptos::{ev::MouseEvent, prelude::*};
use shared::board::view::NoteRef;
use shared::id::{ActionId, BoardKind};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use self::action_block::ActionBlock;
use self::sources::{AddSource, ShowTable};
use self::themes::PlanThemes;
use crate::i18n::{t, t_string, use_i18n};
use crate::pages::gallery::Tables;
use crate::state::board::{Board, NewActionInput};
use crate::state::cafe::Cafe;
use crate::ui::button::Button;
use crate::ui::effort_impact::EffortImpact;
use crate::ui::empty::Empty;
use crate::ui::journey::Lens;
use crate::ui::regret::{Regret, RegretBar};

/// What the parts of a plan or a review share.
#[derive(Clone, Copy)]
pub struct Planning {
    /// The plan board.
    pub plan: Board,
    /// The harvest board.
    pub harvest: Board,
    /// All tables' boards.
    pub tables: Tables,
    /// The source whose table is shown.
    pub shown: RwSignal<Option<NoteRef>>,
    /// The action for which further notes are chosen.
    adding: RwSignal<Option<ActionId>>,
    /// The action that was just made: it takes the focus.
    fresh: StoredValue<Option<ActionId>>,
    /// Actions just taken away.
    regret: Regret,
}

impl Planning {
    /// Opens all boards it needs for the calling component.
    pub fn open(cafe: Cafe) -> Self {
        Self {
            plan: cafe.board(BoardKind::Plan),
            harvest: cafe.board(BoardKind::Harvest),
            tables: Tables::open(cafe),
            shown: RwSignal::new(None),
            adding: RwSignal::new(None),
            fresh: StoredValue::new(None),
            regret: Regret::new(),
        }
    }

    /// Lets every card on this page lead to the note it was carried from.
    pub fn provide_originals(self) {
        let shown = self.shown;
        self.tables.provide_originals(Some(Callback::new(move |place| shown.set(Some(place)))));
    }

    /// Adds an action; whether one may.
    fn make(self, input: NewActionInput) -> bool {
        let made = self.plan.create_action(input);
        let is_made = made.is_some();
        self.fresh.set_value(made);
        is_made
    }
}

/// The reference of an action by its place: A1, A2 …
pub fn reference(index: usize) -> String {
    format!("A{}", index + 1)
}

/// Gives a button its focus back after what it stands in has been moved in the page.
pub fn keep_focus(event: &MouseEvent) {
    let button = event.current_target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
    if let Some(button) = button {
        request_animation_frame(move || {
            // Fails only on an element that is gone.
            let _ = button.focus();
        });
    }
}

/// Themes by votes, the chart, and the actions as blocks of one document.
#[component]
pub fn Plan() -> impl IntoView {
    let cafe = expect_context::<Cafe>();
    let i18n = use_i18n();
    let planning = Planning::open(cafe);
    planning.provide_originals();
    provide_context(planning);
    let plan = planning.plan;
    let ids = plan.action_ids();
    let writable = plan.writable();
    let loaded = plan.loaded();
    let empty = move || {
        if !loaded.get() {
            t_string!(i18n, review.loading).to_string()
        } else if writable.get() {
            t_string!(i18n, plan.empty).to_string()
        } else {
            t_string!(i18n, plan.empty_read).to_string()
        }
    };
    view! {
        <section class="plan" aria-labelledby="plan-title">
            <header class="plan-head">
                <h2 id="plan-title">{t!(i18n, plan.title)}</h2>
                <p class="quiet">
                    {move || {
                        if writable.get() {
                            t_string!(i18n, plan.lead).to_string()
                        } else {
                            t_string!(i18n, plan.watch).to_string()
                        }
                    }}
                </p>
            </header>
            <div class="plan-desk">
                <PlanThemes />
                <div class="plan-document">
                    <Lens />
                    <Show when=move || ids.with(|ids| !ids.is_empty())>
                        <EffortImpact plan />
                    </Show>
                    <ol class="plan-actions">
                        <For each=move || ids.get() key=Clone::clone let:id>
                            <ActionBlock id />
                        </For>
                    </ol>
                    <Show when=move || ids.with(Vec::is_empty)>
                        <Empty icon=icondata_lu::LuListChecks text=Signal::derive(empty) />
                    </Show>
                    <Show when=move || writable.get()>
                        <Button
                            icon=icondata_lu::LuPlus
                            class="button-wide plan-add"
                            on_click=move |_| {
                                planning.make(NewActionInput::default());
                            }
                        >
                            {t!(i18n, plan.add)}
                        </Button>
                    </Show>
                </div>
            </div>
            <ShowTable />
            <AddSource />
            <RegretBar regret=planning.regret />
        </section>
    }
}

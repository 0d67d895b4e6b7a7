//! The harvest: notes of all tables are gathered into named themes. What is not yet placed stays visible and counted.

mod drag;
mod pick_bar;
mod placed_note;
mod sorting;
mod theme_column;
pub mod theme_notes;
mod unplaced;

use leptos::prelude::*;

use self::drag::Ghost;
use self::pick_bar::PickBar;
pub use self::sorting::named;
use self::sorting::{Sorting, Target};
use self::theme_column::ThemeColumn;
use self::unplaced::Unplaced;
use crate::i18n::{t, t_string, use_i18n};
use crate::state::cafe::Cafe;
use crate::ui::button::Button;
use crate::ui::empty::Empty;
use crate::ui::journey::Lens;
use crate::ui::regret::RegretBar;
use crate::ui::seg::{Choice, Segmented};

/// How many notes lie in no theme yet.
pub fn unplaced_notes(cafe: Cafe) -> Memo<usize> {
    let unplaced = Sorting::open(cafe).unplaced;
    Memo::new(move |_| unplaced.with(Vec::len))
}

/// Notes left, themes right. Facilitators and helpers sort; everybody else watches.
#[component]
pub fn Harvest() -> impl IntoView {
    let cafe = expect_context::<Cafe>();
    let i18n = use_i18n();
    let sorting = Sorting::open(cafe);
    sorting.tables.provide_originals(None);
    provide_context(sorting);
    let Sorting { may_sort, themes, .. } = sorting;
    let left = Memo::new(move |_| sorting.unplaced.with(Vec::len));
    let total = Memo::new(move |_| sorting.refs.with(Vec::len));
    // A phone shows one side at a time: those who sort begin with what is left, those who watch with what became of it, once there is
    // something.
    let turned = RwSignal::new(None::<bool>);
    let on_themes = Memo::new(move |_| turned.get().unwrap_or_else(|| !may_sort.get() && !themes.with(Vec::is_empty)));
    let sides = vec![
        Choice::new(false, Signal::derive(move || t_string!(i18n, harvest.side_unplaced, n = left.get()).to_string())),
        Choice::new(
            true,
            Signal::derive(move || t_string!(i18n, harvest.side_themes, n = themes.with(Vec::len)).to_string()),
        ),
    ];
    view! {
        <section
            class="harvest"
            class:harvest-sorting=move || may_sort.get()
            class:harvest-dragging=move || sorting.dragged.with(Option::is_some)
            class:harvest-picking=move || sorting.picked.with(Option::is_some)
            aria-labelledby="harvest-title"
        >
            <header class="harvest-head">
                <div class="harvest-words">
                    <h2 id="harvest-title">{t!(i18n, harvest.title)}</h2>
                    <p class="quiet">
                        {move || {
                            if may_sort.get() {
                                t_string!(i18n, harvest.lead).to_string()
                            } else {
                                t_string!(i18n, harvest.watch).to_string()
                            }
                        }}
                    </p>
                    <p class="quiet small harvest-keys" hidden=move || !may_sort.get()>
                        {t!(i18n, harvest.keys)}
                    </p>
                </div>
                <div class="harvest-progress" hidden=move || total.get() == 0>
                    <p class="figures" role="status">
                        {move || {
                            let (left, total) = (left.get(), total.get());
                            if left == 0 {
                                t_string!(i18n, harvest.all_placed, n = total).to_string()
                            } else {
                                t_string!(i18n, harvest.left, n = left, total = total).to_string()
                            }
                        }}
                    </p>
                    <progress
                        max=move || total.get().max(1)
                        prop:value=move || (total.get().saturating_sub(left.get())) as f64
                        aria-label=move || t_string!(i18n, harvest.progress).to_string()
                    ></progress>
                </div>
            </header>
            <Lens />
            <Segmented
                class="seg-wide harvest-sides"
                label=Signal::derive(move || t_string!(i18n, harvest.sides).to_string())
                choices=sides
                value=Signal::derive(move || on_themes.get())
                on_change=move |themes: bool| turned.set(Some(themes))
            />
            <div class="harvest-desk" class:harvest-on-themes=move || on_themes.get()>
                <Unplaced />
                <section class="harvest-themes" aria-label=move || t_string!(i18n, harvest.themes).to_string()>
                    <For
                        each=move || themes.with(|all| all.iter().map(|theme| theme.id.clone()).collect::<Vec<_>>())
                        key=Clone::clone
                        let:id
                    >
                        <ThemeColumn id />
                    </For>
                    <Show when=move || may_sort.get()>
                        <div
                            class="theme-new"
                            class:theme-over=move || sorting.over.get() == Some(Target::New)
                            data-drop="new"
                        >
                            <Button icon=icondata_lu::LuPlus on_click=move |_| sorting.add_theme()>
                                {t!(i18n, harvest.new_theme)}
                            </Button>
                            <p class="quiet small">{t!(i18n, harvest.new_theme_hint)}</p>
                        </div>
                    </Show>
                    <Show when=move || !may_sort.get() && themes.with(Vec::is_empty)>
                        <Empty
                            icon=icondata_lu::LuLayers
                            text=Signal::derive(move || t_string!(i18n, harvest.no_themes_yet).to_string())
                        />
                    </Show>
                </section>
            </div>
            <Show when=move || may_sort.get()>
                <PickBar />
                <Ghost />
            </Show>
            <RegretBar regret=sorting.regret />
            <p class="visually-hidden" role="status">{move || sorting.said.get()}</p>
        </section>
    }
}

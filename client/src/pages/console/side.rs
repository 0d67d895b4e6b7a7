//! The side of the console: people, announcements, and everything that is needed now and then.

use leptos::prelude::*;

use super::announce::Announce;
use super::people::People;
use super::tools::Tools;
use crate::i18n::{t_string, use_i18n};
use crate::state::cafe::Cafe;
use crate::ui::button::Button;
use crate::ui::dialog::Dialog;
use crate::ui::seg::{Choice, Segmented};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tab {
    People,
    Announce,
    Tools,
}

/// People, announcements and tools, one at a time.
#[component]
pub(super) fn SidePanel(cafe: Cafe) -> impl IntoView {
    let i18n = use_i18n();
    let tab = RwSignal::new(Tab::People);
    let choices = vec![
        Choice::new(Tab::People, Signal::derive(move || t_string!(i18n, console.people).to_string())),
        Choice::new(Tab::Announce, Signal::derive(move || t_string!(i18n, console.announce).to_string())),
        Choice::new(Tab::Tools, Signal::derive(move || t_string!(i18n, console.tools).to_string())),
    ];
    view! {
        <div class="side-panel">
            <Segmented
                label=move || t_string!(i18n, console.side).to_string()
                choices
                value=tab
                on_change=move |chosen| tab.set(chosen)
                class="seg-wide"
            />
            {move || match tab.get() {
                Tab::People => view! { <People cafe /> }.into_any(),
                Tab::Announce => view! { <Announce cafe /> }.into_any(),
                Tab::Tools => view! { <Tools cafe /> }.into_any(),
            }}
        </div>
    }
}

/// The same behind a button, where there is no room beside the main part.
#[component]
pub(super) fn Side(cafe: Cafe) -> impl IntoView {
    let i18n = use_i18n();
    let open = RwSignal::new(false);
    view! {
        <Button class="console-side-open" icon=icondata_lu::LuPanelRight on_click=move |_| open.set(true)>
            {move || t_string!(i18n, console.side_button)}
        </Button>
        <Dialog open title=move || t_string!(i18n, console.side).to_string() side=true>
            <SidePanel cafe />
        </Dialog>
    }
}

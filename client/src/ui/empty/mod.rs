//! Empty states: one sentence that teaches, and one button.

use leptos::prelude::*;

use crate::ui::icon::{Icon, Picture};

/// What stands where there is nothing yet.
#[component]
pub fn Empty(
    /// The sentence.
    #[prop(into)]
    text: Signal<String>,
    /// A picture above it.
    #[prop(optional, into)]
    icon: MaybeProp<Picture>,
    /// The button, if there is something to do.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty">
            {move || icon.get().map(|icon| view! { <Icon icon /> })}
            <p>{move || text.get()}</p>
            {children.map(|children| children())}
        </div>
    }
}

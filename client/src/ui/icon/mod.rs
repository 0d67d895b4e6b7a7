//! One set of icons (Lucide), drawn in the colour and size of the text around them.

use leptos::prelude::*;

/// An icon of `icondata_lu`, for example `icondata_lu::LuPlus`.
pub type Picture = icondata_core::Icon;

/// An icon. Beside words it says nothing to screen readers; alone it needs a `label`.
#[component]
pub fn Icon(
    /// Which one.
    #[prop(into)]
    icon: Signal<Picture>,
    /// What it means, where no words stand beside it.
    #[prop(optional, into)]
    label: Signal<Option<String>>,
) -> impl IntoView {
    view! {
        <svg
            class="icon"
            viewBox="0 0 24 24"
            fill="none"
            stroke="currentColor"
            stroke-linecap="round"
            stroke-linejoin="round"
            role=move || label.get().map(|_| "img")
            aria-label=move || label.get()
            aria-hidden=move || label.get().is_none().then_some("true")
            focusable="false"
            inner_html=move || icon.get().data
        ></svg>
    }
}

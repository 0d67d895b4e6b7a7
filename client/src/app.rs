//! The root component: what all pages share.

use leptos::prelude::*;

use crate::i18n::provide_language;
use crate::routes::Pages;
use crate::ui::theme::apply_stored;
use crate::ui::toast::{ToastHost, Toasts};

/// The whole client.
#[component]
pub fn App() -> impl IntoView {
    apply_stored();
    provide_language();
    provide_context(Toasts::new());
    view! {
        <Pages />
        <ToastHost />
    }
}

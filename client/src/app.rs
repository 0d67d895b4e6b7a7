//! The root component: what all pages share.

use leptos::prelude::*;

use crate::i18n::{provide_language, t, use_i18n};
use crate::routes::Pages;
use crate::ui::icon::Icon;
use crate::ui::theme::apply_stored;
use crate::ui::toast::{ToastHost, Toasts};

/// The whole client.
#[component]
pub fn App() -> impl IntoView {
    apply_stored();
    provide_language();
    provide_context(Toasts::new());
    view! {
        <Stopped />
        <Pages />
        <ToastHost />
    }
}

/// Says that the page's code has failed. It is there from the beginning, hidden, for afterwards nothing can be drawn any more:
/// `platform::show_stopped` makes it visible.
#[component]
fn Stopped() -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <div class="page-stopped" role="alert">
            <div class="page-stopped-words">
                <Icon icon=icondata_lu::LuCircleAlert />
                <p>{t!(i18n, common.stopped)}</p>
                // With a target it is the browser that follows the link: the router's code has stopped, too.
                <a class="button" href="" target="_self">
                    {t!(i18n, common.load_again)}
                </a>
            </div>
        </div>
    }
}

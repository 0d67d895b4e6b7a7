//! A QR picture, dark on white on every theme: cameras need it so.

use leptos::prelude::*;

/// A QR picture drawn by the server.
#[component]
pub fn Qr(
    /// Address of the picture.
    #[prop(into)]
    src: Signal<String>,
    /// What it leads to, in words.
    #[prop(into)]
    alt: Signal<String>,
) -> impl IntoView {
    view! {
        <div class="qr">
            <img src=move || src.get() alt=move || alt.get() width="320" height="320" decoding="async" />
        </div>
    }
}

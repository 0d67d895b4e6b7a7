//! A link that can be taken along.

use leptos::{html, prelude::*};
use wasm_bindgen_futures::JsFuture;

use crate::i18n::{t_string, use_i18n};
use crate::ui::button::Button;
use crate::ui::field::next_id;
use crate::ui::toast::{ToastKind, toast};

/// A text to copy, such as a link. Where the page may not use the clipboard (plain http), the text is selected and copied in the
/// old way; where even that fails it stays selected, ready for the keyboard or a long press.
#[component]
pub fn CopyField(
    /// What it is.
    #[prop(into)]
    label: Signal<String>,
    /// The text.
    #[prop(into)]
    value: Signal<String>,
) -> impl IntoView {
    let i18n = use_i18n();
    let id = next_id("copy");
    let input = NodeRef::<html::Input>::new();
    let copy = move |_| {
        let text = value.get_untracked();
        if let Some(input) = input.get_untracked() {
            let _ = input.focus();
            input.select();
        }
        let copied = t_string!(i18n, kit.copied).to_string();
        let selected = t_string!(i18n, kit.copy_by_hand).to_string();
        leptos::task::spawn_local(async move {
            if copy_text(&text).await {
                toast(ToastKind::Good, copied);
            } else {
                toast(ToastKind::Plain, selected);
            }
        });
    };
    view! {
        <div class="copy-field">
            <label class="field-label" for=id.clone()>
                {move || label.get()}
            </label>
            <div class="copy-row">
                <input
                    class="field-input copy-input"
                    id=id
                    node_ref=input
                    type="text"
                    readonly
                    prop:value=move || value.get()
                    on:focus=move |_| {
                        if let Some(input) = input.get_untracked() {
                            input.select();
                        }
                    }
                />
                <Button icon=icondata_lu::LuCopy on_click=copy>
                    {move || t_string!(i18n, kit.copy)}
                </Button>
            </div>
        </div>
    }
}

/// Copies a text; false where the browser refuses.
pub async fn copy_text(text: &str) -> bool {
    if window().is_secure_context() && JsFuture::from(window().navigator().clipboard().write_text(text)).await.is_ok() {
        return true;
    }
    exec_copy()
}

/// The old way, which also works on plain http: copies what is selected.
fn exec_copy() -> bool {
    use wasm_bindgen::{JsCast, JsValue};
    let document: JsValue = document().into();
    js_sys::Reflect::get(&document, &"execCommand".into())
        .ok()
        .and_then(|exec| exec.dyn_into::<js_sys::Function>().ok())
        .and_then(|exec| exec.call1(&document, &"copy".into()).ok())
        .and_then(|copied| copied.as_bool())
        .unwrap_or(false)
}

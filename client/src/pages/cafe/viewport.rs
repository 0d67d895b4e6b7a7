//! Keeps the café as high as what the on-screen keyboard leaves of the window, so that the composer stays above it.

use js_sys::{Function, Reflect};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::{EventTarget, HtmlElement};

/// Sets `--seen-height` on the page while the component that calls is there; browsers that cannot tell keep `100dvh`.
pub fn follow() {
    let Some(viewport) = Reflect::get(&window(), &"visualViewport".into()).ok().filter(|viewport| viewport.is_object())
    else {
        return;
    };
    let seen = viewport.clone();
    let measure = move || {
        let Some(height) = Reflect::get(&seen, &"height".into()).ok().and_then(|height| height.as_f64()) else {
            return;
        };
        let zoomed = Reflect::get(&seen, &"scale".into())
            .ok()
            .and_then(|scale| scale.as_f64())
            .is_some_and(|scale| scale > 1.01);
        // Whoever zooms in with two fingers wants to look closer, not to have the page rearranged.
        if !zoomed {
            set_height(Some(height));
            window().scroll_to_with_x_and_y(0.0, 0.0);
        }
    };
    measure();
    let callback = Closure::<dyn FnMut()>::new(measure);
    let function: Function = callback.as_ref().unchecked_ref::<Function>().clone();
    let Ok(target) = viewport.dyn_into::<EventTarget>() else { return };
    let _ = target.add_event_listener_with_callback("resize", &function);
    let held = StoredValue::new_local(Some((target, function, callback)));
    on_cleanup(move || {
        if let Some((target, function, callback)) = held.try_update_value(Option::take).flatten() {
            let _ = target.remove_event_listener_with_callback("resize", &function);
            drop(callback);
        }
        set_height(None);
    });
}

fn set_height(height: Option<f64>) {
    let Some(root) = document().document_element().and_then(|root| root.dyn_into::<HtmlElement>().ok()) else { return };
    let _ = match height {
        Some(height) => root.style().set_property("--seen-height", &format!("{height}px")),
        None => root.style().remove_property("--seen-height").map(drop),
    };
}

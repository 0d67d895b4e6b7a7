//! The browser's small services. Nothing here panics or needs a secure context; what is missing is done without.

use leptos::prelude::window;
use shared::id::Millis;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::{EventTarget, Storage};

/// The device's clock.
pub fn now() -> Millis {
    #[cfg(target_arch = "wasm32")]
    return js_sys::Date::now() as Millis;
    // So that what needs the time can be tested outside of a browser.
    #[cfg(not(target_arch = "wasm32"))]
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis)
}

/// A number in [0, 1).
pub fn random() -> f64 {
    js_sys::Math::random()
}

/// The languages the reader prefers, the best first.
pub fn languages() -> Vec<String> {
    window().navigator().languages().iter().filter_map(|tag| tag.as_string()).collect()
}

/// Sets `<html lang>`, for screen readers, hyphenation and the right Chinese glyphs.
pub fn set_page_language(tag: &str) {
    set_root_attribute("lang", Some(tag));
}

/// Sets or removes an attribute of `<html>`.
pub fn set_root_attribute(name: &str, value: Option<&str>) {
    let Some(root) = window().document().and_then(|document| document.document_element()) else { return };
    let _ = match value {
        Some(value) => root.set_attribute(name, value),
        None => root.remove_attribute(name),
    };
}

/// Takes the splash of the empty page away.
pub fn remove_splash() {
    if let Some(splash) = window().document().and_then(|document| document.get_element_by_id("boot")) {
        splash.remove();
    }
}

/// Shows that the page's code has failed, by what was drawn for this before. The style sheet hides every sign that says "saved".
pub fn show_stopped() {
    set_root_attribute("data-stopped", Some(""));
    // A dialog would lie above it and take every press.
    let open = window().document().and_then(|document| document.query_selector_all("dialog[open]").ok());
    for at in 0..open.as_ref().map_or(0, web_sys::NodeList::length) {
        let dialog = open.as_ref().and_then(|open| open.item(at));
        if let Some(dialog) = dialog.and_then(|dialog| dialog.dyn_into::<web_sys::HtmlDialogElement>().ok()) {
            dialog.close();
        }
    }
}

/// Loads the page again.
pub fn reload() {
    let _ = window().location().reload();
}

/// Reads from localStorage; `None` where it is blocked.
pub fn local_get(key: &str) -> Option<String> {
    local()?.get_item(key).ok().flatten()
}

/// Writes to localStorage; returns whether it will be remembered.
pub fn local_set(key: &str, value: &str) -> bool {
    local().is_some_and(|storage| storage.set_item(key, value).is_ok())
}

/// Removes from localStorage.
pub fn local_remove(key: &str) {
    if let Some(storage) = local() {
        let _ = storage.remove_item(key);
    }
}

/// All keys of localStorage; none where it is blocked.
pub fn local_keys() -> Vec<String> {
    let Some(storage) = local() else { return Vec::new() };
    let count = storage.length().unwrap_or(0);
    (0..count).filter_map(|index| storage.key(index).ok().flatten()).collect()
}

/// Reads from sessionStorage, which belongs to this tab.
pub fn session_get(key: &str) -> Option<String> {
    session()?.get_item(key).ok().flatten()
}

/// Writes to sessionStorage; returns whether it will be remembered.
pub fn session_set(key: &str, value: &str) -> bool {
    session().is_some_and(|storage| storage.set_item(key, value).is_ok())
}

/// Removes from sessionStorage.
pub fn session_remove(key: &str) {
    if let Some(storage) = session() {
        let _ = storage.remove_item(key);
    }
}

fn local() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

fn session() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

/// Whether the page is in front of the reader.
pub fn visible() -> bool {
    window().document().is_none_or(|document| !document.hidden())
}

/// Whether the browser believes that there is a network. `true` proves nothing, and `false` may be wrong on a LAN.
pub fn online() -> bool {
    window().navigator().on_line()
}

/// The address of the page, without path: `http://192.168.1.20:8080`.
pub fn origin() -> String {
    window().location().origin().unwrap_or_default()
}

/// The part of the address after `#`, without it.
pub fn fragment() -> Option<String> {
    let hash = window().location().hash().ok()?;
    hash.strip_prefix('#').filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Removes the part after `#` from the address bar and the history, so that a token there is not passed on by accident.
pub fn remove_fragment() {
    let location = window().location();
    let path = location.pathname().unwrap_or_default() + &location.search().unwrap_or_default();
    if let Ok(history) = window().history() {
        let state = history.state().unwrap_or(JsValue::NULL);
        let _ = history.replace_state_with_url(&state, "", Some(&path));
    }
}

/// Brings an element of the page into sight, unfolded.
pub fn reveal(id: &str) {
    let Some(element) = window().document().and_then(|document| document.get_element_by_id(id)) else { return };
    if let Ok(Some(folded)) = element.query_selector("details:not([open])") {
        // Fails only on a name that is none.
        let _ = folded.set_attribute("open", "");
    }
    element.scroll_into_view();
}

/// Calls back on an event of the window until dropped.
pub struct Listener {
    target: EventTarget,
    event: &'static str,
    callback: Closure<dyn FnMut()>,
}

impl Listener {
    /// Listens to an event of the window, such as `online`.
    pub fn on_window(event: &'static str, callback: impl FnMut() + 'static) -> Self {
        Self::new(window().into(), event, callback)
    }

    /// Listens to an event of the document, such as `visibilitychange`.
    pub fn on_document(event: &'static str, callback: impl FnMut() + 'static) -> Self {
        let target = window().document().map_or_else(|| window().into(), EventTarget::from);
        Self::new(target, event, callback)
    }

    fn new(target: EventTarget, event: &'static str, callback: impl FnMut() + 'static) -> Self {
        let callback = Closure::<dyn FnMut()>::new(callback);
        let _ = target.add_event_listener_with_callback(event, callback.as_ref().unchecked_ref());
        Self { target, event, callback }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.target.remove_event_listener_with_callback(self.event, self.callback.as_ref().unchecked_ref());
    }
}

//! A segmented control: one of a few, all of them visible.

use leptos::prelude::*;

use crate::ui::field::next_id;
use crate::ui::icon::{Icon, Picture};

/// One segment.
#[derive(Clone, Copy)]
pub struct Choice<T: Send + Sync + 'static> {
    /// What it stands for.
    pub value: T,
    /// Its words.
    pub label: Signal<String>,
    /// Shown before the words.
    pub icon: Option<Picture>,
    /// A class on the segment, for example a note kind's tint.
    pub class: &'static str,
}

impl<T: Send + Sync + 'static> Choice<T> {
    /// A segment of words.
    pub fn new(value: T, label: impl Into<Signal<String>>) -> Self {
        Self { value, label: label.into(), icon: None, class: "" }
    }

    /// With an icon before the words.
    pub fn icon(self, icon: Picture) -> Self {
        Self { icon: Some(icon), ..self }
    }

    /// With a class.
    pub fn class(self, class: &'static str) -> Self {
        Self { class, ..self }
    }
}

/// One of a few. Radio buttons underneath, so the arrow keys work.
#[component]
pub fn Segmented<T>(
    /// What is chosen here, for screen readers.
    #[prop(into)]
    label: Signal<String>,
    /// The segments.
    choices: Vec<Choice<T>>,
    /// The one chosen.
    #[prop(into)]
    value: Signal<T>,
    /// Called with the one a person chooses.
    #[prop(into)]
    on_change: Callback<T>,
    /// Further classes, such as `seg-wide`.
    #[prop(optional, into)]
    class: MaybeProp<String>,
) -> impl IntoView
where
    T: Clone + PartialEq + Send + Sync + 'static,
{
    let group = next_id("seg");
    let segments = choices
        .into_iter()
        .map(|choice| {
            let Choice { value: this, label, icon, class } = choice;
            let chosen = this.clone();
            view! {
                <label class=format!("seg-item {class}")>
                    <input
                        type="radio"
                        class="visually-hidden"
                        name=group.clone()
                        prop:checked=move || value.with(|value| *value == this)
                        on:change=move |_| on_change.run(chosen.clone())
                    />
                    <span class="seg-face">
                        {icon.map(|icon| view! { <Icon icon /> })} <span>{move || label.get()}</span>
                    </span>
                </label>
            }
        })
        .collect_view();
    view! {
        <div
            class=move || class.get().map_or_else(|| "seg".to_owned(), |more| format!("seg {more}"))
            role="radiogroup"
            aria-label=move || label.get()
        >
            {segments}
        </div>
    }
}

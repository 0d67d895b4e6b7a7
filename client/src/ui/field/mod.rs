//! Fields of forms: always with a visible label, the hint below it, and the error in words beside the control.

use std::sync::atomic::{AtomicUsize, Ordering};

use leptos::{html, prelude::*};

use crate::i18n::{t, use_i18n};
use crate::ui::icon::Icon;

/// A fresh id for a control and what describes it.
pub fn next_id(prefix: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("{prefix}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// One line of text.
#[component]
pub fn TextField(
    /// What is asked.
    #[prop(into)]
    label: Signal<String>,
    /// What is written.
    value: RwSignal<String>,
    /// What is wrong, in words.
    #[prop(optional, into)]
    error: Signal<Option<String>>,
    /// Help, below the field.
    #[prop(optional, into)]
    hint: Signal<Option<String>>,
    /// Characters it may have; near the end they are counted.
    #[prop(optional)]
    max_chars: Option<usize>,
    /// An example, shown while it is empty.
    #[prop(optional, into)]
    placeholder: Signal<Option<String>>,
    /// Must not stay empty.
    #[prop(optional)]
    required: bool,
    /// What browsers may fill in, such as `name`.
    #[prop(optional, into)]
    autocomplete: Signal<Option<String>>,
    /// The name by which a form finds it again (`data-field`), for example to move the focus to an error.
    #[prop(optional, into)]
    name: Signal<Option<String>>,
    /// The label is for screen readers alone, where the place already says what is asked.
    #[prop(optional)]
    hide_label: bool,
    /// Further classes of the whole field.
    #[prop(optional, into)]
    class: MaybeProp<String>,
    /// The input, for callers who want to focus it.
    #[prop(optional)]
    node_ref: NodeRef<html::Input>,
) -> impl IntoView {
    let id = next_id("field");
    let described = described_by(&id, error, hint);
    view! {
        <div class=move || field_class(class.get(), error.get().is_some())>
            <FieldLabel id=id.clone() label required hidden=hide_label />
            <input
                class="field-input"
                type="text"
                id=id.clone()
                node_ref=node_ref
                data-field=move || name.get()
                autocomplete=move || autocomplete.get().unwrap_or_else(|| "off".to_owned())
                placeholder=move || placeholder.get()
                required=required
                aria-invalid=move || error.get().is_some().then_some("true")
                aria-describedby=move || described.get()
                prop:value=move || value.get()
                on:input=move |event| value.set(event_target_value(&event))
            />
            <FieldNotes id error hint max_chars value />
        </div>
    }
}

/// Several lines of text; the field grows with them.
#[component]
pub fn TextArea(
    /// What is asked.
    #[prop(into)]
    label: Signal<String>,
    /// What is written.
    value: RwSignal<String>,
    /// What is wrong, in words.
    #[prop(optional, into)]
    error: Signal<Option<String>>,
    /// Help, below the field.
    #[prop(optional, into)]
    hint: Signal<Option<String>>,
    /// Characters it may have; near the end they are counted.
    #[prop(optional)]
    max_chars: Option<usize>,
    /// An example, shown while it is empty.
    #[prop(optional, into)]
    placeholder: Signal<Option<String>>,
    /// Must not stay empty.
    #[prop(optional)]
    required: bool,
    /// Lines shown while it is empty.
    #[prop(default = 2)]
    rows: u32,
    /// The name by which a form finds it again (`data-field`).
    #[prop(optional, into)]
    name: Signal<Option<String>>,
    /// The label is for screen readers alone.
    #[prop(optional)]
    hide_label: bool,
    /// Further classes of the whole field.
    #[prop(optional, into)]
    class: MaybeProp<String>,
    /// The area, for callers who want to focus it.
    #[prop(optional)]
    node_ref: NodeRef<html::Textarea>,
) -> impl IntoView {
    let id = next_id("field");
    let described = described_by(&id, error, hint);
    view! {
        <div class=move || field_class(class.get(), error.get().is_some())>
            <FieldLabel id=id.clone() label required hidden=hide_label />
            // The copy below the text area has the same text and sets the height of both.
            <div class="field-grow">
                <textarea
                    class="field-input"
                    id=id.clone()
                    rows=rows
                    node_ref=node_ref
                    data-field=move || name.get()
                    placeholder=move || placeholder.get()
                    required=required
                    aria-invalid=move || error.get().is_some().then_some("true")
                    aria-describedby=move || described.get()
                    prop:value=move || value.get()
                    on:input=move |event| value.set(event_target_value(&event))
                ></textarea>
                <div class="field-input field-copy" aria-hidden="true">
                    {move || format!("{}\n", value.get())}
                </div>
            </div>
            <FieldNotes id error hint max_chars value />
        </div>
    }
}

/// A number with a step down and a step up.
#[component]
pub fn NumberField(
    /// What is asked.
    #[prop(into)]
    label: Signal<String>,
    /// What is written, as text: it may be unfinished.
    value: RwSignal<String>,
    /// What is wrong, in words.
    #[prop(optional, into)]
    error: Signal<Option<String>>,
    /// Help, below the field.
    #[prop(optional, into)]
    hint: Signal<Option<String>>,
    /// Least value.
    #[prop(default = 0.0)]
    min: f64,
    /// Greatest value.
    #[prop(default = f64::MAX)]
    max: f64,
    /// What a press on the buttons adds.
    #[prop(default = 1.0)]
    step: f64,
    /// What is counted, behind the number.
    #[prop(optional, into)]
    unit: Signal<Option<String>>,
    /// Must not stay empty.
    #[prop(optional)]
    required: bool,
    /// The name by which a form finds it again (`data-field`).
    #[prop(optional, into)]
    name: Signal<Option<String>>,
    /// Further classes of the whole field.
    #[prop(optional, into)]
    class: MaybeProp<String>,
) -> impl IntoView {
    let i18n = use_i18n();
    let id = next_id("field");
    let described = described_by(&id, error, hint);
    let spoken = move || value.get().trim().parse::<f64>().ok().map(short_number);
    let most = (max < f64::MAX).then(|| short_number(max));
    let add = move |by: f64| {
        let now = value.get_untracked().trim().parse::<f64>().unwrap_or(min);
        value.set(short_number((now + by).clamp(min, max)));
    };
    view! {
        <div class=move || field_class(class.get(), error.get().is_some())>
            <FieldLabel id=id.clone() label required hidden=false />
            <div class="field-number">
                <button type="button" class="field-step" tabindex="-1" on:click=move |_| add(-step)>
                    <Icon icon=icondata_lu::LuMinus />
                    <span class="visually-hidden">{t!(i18n, kit.less)} " " {move || label.get()}</span>
                </button>
                <input
                    class="field-input figures"
                    type="text"
                    inputmode="decimal"
                    autocomplete="off"
                    id=id.clone()
                    role="spinbutton"
                    aria-valuenow=spoken
                    aria-valuemin=short_number(min)
                    aria-valuemax=most
                    data-field=move || name.get()
                    required=required
                    aria-invalid=move || error.get().is_some().then_some("true")
                    aria-describedby=move || described.get()
                    prop:value=move || value.get()
                    on:input=move |event| value.set(event_target_value(&event))
                    on:keydown=move |event| {
                        let by = match event.key().as_str() {
                            "ArrowUp" => step,
                            "ArrowDown" => -step,
                            _ => return,
                        };
                        event.prevent_default();
                        add(by);
                    }
                />
                <button type="button" class="field-step" tabindex="-1" on:click=move |_| add(step)>
                    <Icon icon=icondata_lu::LuPlus />
                    <span class="visually-hidden">{t!(i18n, kit.more)} " " {move || label.get()}</span>
                </button>
                {move || unit.get().map(|unit| view! { <span class="field-unit">{unit}</span> })}
            </div>
            <FieldNotes id error hint value />
        </div>
    }
}

/// One of several: the system's own list.
#[component]
pub fn SelectField(
    /// What is asked.
    #[prop(into)]
    label: Signal<String>,
    /// The value chosen.
    value: RwSignal<String>,
    /// Values and what is shown for each.
    #[prop(into)]
    options: Signal<Vec<(String, String)>>,
    /// What is wrong, in words.
    #[prop(optional, into)]
    error: Signal<Option<String>>,
    /// Help, below the field.
    #[prop(optional, into)]
    hint: Signal<Option<String>>,
    /// Must be chosen.
    #[prop(optional)]
    required: bool,
    /// The name by which a form finds it again (`data-field`).
    #[prop(optional, into)]
    name: Signal<Option<String>>,
    /// The label is for screen readers alone.
    #[prop(optional)]
    hide_label: bool,
    /// Further classes of the whole field.
    #[prop(optional, into)]
    class: MaybeProp<String>,
    /// Called when a person chooses, with the value.
    #[prop(optional, into)]
    on_change: Option<Callback<String>>,
) -> impl IntoView {
    let id = next_id("field");
    let described = described_by(&id, error, hint);
    view! {
        <div class=move || field_class(class.get(), error.get().is_some())>
            <FieldLabel id=id.clone() label required hidden=hide_label />
            <div class="field-select">
                <select
                    class="field-input"
                    id=id.clone()
                    data-field=move || name.get()
                    required=required
                    aria-invalid=move || error.get().is_some().then_some("true")
                    aria-describedby=move || described.get()
                    on:change=move |event| {
                        let chosen = event_target_value(&event);
                        value.set(chosen.clone());
                        if let Some(act) = on_change {
                            act.run(chosen);
                        }
                    }
                >
                    {move || {
                        options
                            .get()
                            .into_iter()
                            .map(|(option, shown)| {
                                let this = option.clone();
                                view! {
                                    <option value=option prop:selected=move || value.get() == this>
                                        {shown}
                                    </option>
                                }
                            })
                            .collect_view()
                    }}
                </select>
                <Icon icon=icondata_lu::LuChevronDown />
            </div>
            <FieldNotes id error hint value />
        </div>
    }
}

/// Yes or no, as a box with its words beside it.
#[component]
pub fn CheckField(
    /// What is asked.
    #[prop(into)]
    label: Signal<String>,
    /// Whether it is ticked.
    value: RwSignal<bool>,
    /// Help, below the words.
    #[prop(optional, into)]
    hint: Signal<Option<String>>,
    /// Called when a person ticks or unticks it.
    #[prop(optional, into)]
    on_change: Option<Callback<bool>>,
) -> impl IntoView {
    let id = next_id("field");
    let described = described_by(&id, Signal::default(), hint);
    let hint_id = format!("{id}-hint");
    view! {
        <div class="field field-check">
            <input
                type="checkbox"
                id=id.clone()
                aria-describedby=move || described.get()
                prop:checked=move || value.get()
                on:change=move |event| {
                    let ticked = event_target_checked(&event);
                    value.set(ticked);
                    if let Some(act) = on_change {
                        act.run(ticked);
                    }
                }
            />
            <label for=id>{move || label.get()}</label>
            {move || {
                let id = hint_id.clone();
                hint.get().map(|hint| view! { <p class="field-hint" id=id>{hint}</p> })
            }}
        </div>
    }
}

#[component]
fn FieldLabel(id: String, label: Signal<String>, required: bool, hidden: bool) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <label for=id class=if hidden { "visually-hidden" } else { "field-label" }>
            {move || label.get()}
            {required.then(|| view! { <span class="field-required">{t!(i18n, kit.required)}</span> })}
        </label>
    }
}

/// Hint, count and error. The error's place is announced when it fills.
#[component]
fn FieldNotes(
    id: String,
    error: Signal<Option<String>>,
    hint: Signal<Option<String>>,
    #[prop(optional_no_strip)] max_chars: Option<usize>,
    value: RwSignal<String>,
) -> impl IntoView {
    let hint_id = format!("{id}-hint");
    let error_id = format!("{id}-error");
    let count = move || {
        let max = max_chars?;
        let used = value.with(|text| text.chars().count());
        (used * 10 >= max * 8).then(|| {
            let class = if used > max { "field-count field-over figures" } else { "field-count figures" };
            view! { <span class=class>{format!("{used} / {max}")}</span> }
        })
    };
    view! {
        <div class="field-notes">
            {move || {
                let id = hint_id.clone();
                hint.get().map(|hint| view! { <p class="field-hint" id=id>{hint}</p> })
            }}
            {count}
        </div>
        <p class="field-error" id=error_id aria-live="polite">
            {move || {
                error
                    .get()
                    .map(|text| view! { <Icon icon=icondata_lu::LuCircleAlert /> <span>{text}</span> })
            }}
        </p>
    }
}

fn field_class(more: Option<String>, wrong: bool) -> String {
    let mut class = String::from(if wrong { "field field-wrong" } else { "field" });
    if let Some(more) = more {
        class.push(' ');
        class.push_str(&more);
    }
    class
}

fn described_by(id: &str, error: Signal<Option<String>>, hint: Signal<Option<String>>) -> Signal<Option<String>> {
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    Signal::derive(move || {
        let mut ids = Vec::new();
        if error.get().is_some() {
            ids.push(error_id.clone());
        }
        if hint.get().is_some() {
            ids.push(hint_id.clone());
        }
        (!ids.is_empty()).then(|| ids.join(" "))
    })
}

/// A number as people write it: no decimals where there are none.
pub fn short_number(number: f64) -> String {
    let rounded = (number * 100.0).round() / 100.0;
    format!("{rounded}")
}

//! Buttons, and links that look like them.

use leptos::{ev::MouseEvent, prelude::*};

use crate::ui::icon::{Icon, Picture};

/// How loud a button is. One [`ButtonKind::Primary`] a screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ButtonKind {
    /// The next step: filled.
    Primary,
    /// An outlined button.
    #[default]
    Quiet,
    /// Text alone, for tools and lists.
    Plain,
    /// Takes something away.
    Danger,
}

impl ButtonKind {
    fn class(self) -> &'static str {
        match self {
            Self::Primary => "button button-primary",
            Self::Quiet => "button button-quiet",
            Self::Plain => "button button-plain",
            Self::Danger => "button button-danger",
        }
    }
}

/// A button. With an icon and no children it is square and needs a `label`.
#[component]
pub fn Button(
    /// How loud.
    #[prop(optional)]
    kind: ButtonKind,
    /// What it does.
    #[prop(optional, into)]
    on_click: Option<Callback<MouseEvent>>,
    /// Cannot be pressed now.
    #[prop(optional, into)]
    disabled: Signal<bool>,
    /// Works on what was asked; cannot be pressed again meanwhile.
    #[prop(optional, into)]
    busy: Signal<bool>,
    /// Shown before the words.
    #[prop(optional, into)]
    icon: MaybeProp<Picture>,
    /// Its name for screen readers and as a tip, where there are no words or too few.
    #[prop(optional, into)]
    label: Signal<Option<String>>,
    /// For buttons that stay in: whether this one is.
    #[prop(optional, into)]
    pressed: MaybeProp<bool>,
    /// For buttons that fold something out: whether it is.
    #[prop(optional, into)]
    expanded: MaybeProp<bool>,
    /// Sends the form it stands in.
    #[prop(optional)]
    submit: bool,
    /// Further classes, such as `button-small`, `button-big` or `button-wide`.
    #[prop(optional, into)]
    class: MaybeProp<String>,
    /// The words.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let bare = children.is_none();
    view! {
        <button
            type=if submit { "submit" } else { "button" }
            class=move || classes(kind, bare, class.get())
            disabled=move || disabled.get()
            aria-disabled=move || busy.get().then_some("true")
            aria-busy=move || busy.get().then_some("true")
            aria-label=move || label.get()
            title=move || label.get()
            aria-pressed=move || pressed.get().map(|on| if on { "true" } else { "false" })
            aria-expanded=move || expanded.get().map(|on| if on { "true" } else { "false" })
            on:click=move |event| {
                if busy.get_untracked() {
                    event.prevent_default();
                } else if let Some(act) = on_click {
                    act.run(event);
                }
            }
        >
            {move || busy.get().then(|| view! { <span class="button-busy" aria-hidden="true"></span> })}
            {move || {
                icon.get().filter(|_| !busy.get()).map(|picture| view! { <Icon icon=picture /> })
            }}
            {children.map(|words| view! { <span class="button-words">{words()}</span> })}
        </button>
    }
}

/// A link in the shape of a button. Addresses of the café's own pages stay in the application.
#[component]
pub fn LinkButton(
    /// Where it leads.
    #[prop(into)]
    href: Signal<String>,
    /// How loud.
    #[prop(optional)]
    kind: ButtonKind,
    /// Shown before the words.
    #[prop(optional, into)]
    icon: MaybeProp<Picture>,
    /// Opens a tab or window of its own.
    #[prop(optional)]
    new_tab: bool,
    /// Its name where there are no words or too few.
    #[prop(optional, into)]
    label: Signal<Option<String>>,
    /// Further classes.
    #[prop(optional, into)]
    class: MaybeProp<String>,
    /// The words.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let bare = children.is_none();
    view! {
        <a
            href=move || href.get()
            class=move || classes(kind, bare, class.get())
            target=new_tab.then_some("_blank")
            rel=new_tab.then_some("noopener")
            aria-label=move || label.get()
            title=move || label.get()
        >
            {move || icon.get().map(|picture| view! { <Icon icon=picture /> })}
            {children.map(|words| view! { <span class="button-words">{words()}</span> })}
        </a>
    }
}

fn classes(kind: ButtonKind, bare: bool, more: Option<String>) -> String {
    let mut classes = kind.class().to_owned();
    if bare {
        classes.push_str(" button-bare");
    }
    if let Some(more) = more {
        classes.push(' ');
        classes.push_str(&more);
    }
    classes
}

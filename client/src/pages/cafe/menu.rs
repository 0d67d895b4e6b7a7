//! One's own name, language and colours, and the way out.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_navigate;
use shared::limits;
use shared::workshop::Command;

use super::seat;
use crate::i18n::{t, t_string, use_i18n};
use crate::state::cafe::Cafe;
use crate::state::identity;
use crate::ui::button::{Button, ButtonKind};
use crate::ui::dialog::{Confirm, Dialog};
use crate::ui::field::TextField;
use crate::ui::lang::LangSwitch;
use crate::ui::theme::ThemeSwitch;
use crate::ui::toast::{ToastKind, toast};

/// The menu, as a panel at the side.
#[component]
pub fn Menu(open: RwSignal<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let cafe = expect_context::<Cafe>();
    let leaving = RwSignal::new(false);
    let navigate = StoredValue::new_local(use_navigate());
    let leave = move |()| {
        spawn_local(async move {
            // Nobody has left before the server knows it: a seat would stay empty, and nobody would be missed.
            if let Err(error) = cafe.try_command(Command::Leave).await {
                toast(ToastKind::Bad, error.text(i18n));
                return;
            }
            identity::remember_left(&cafe.identity());
            toast(ToastKind::Plain, t_string!(i18n, cafe.left).to_string());
            let _ = navigate.try_with_value(|navigate| navigate("/", Default::default()));
        });
    };
    view! {
        <Dialog open side=true title=Signal::derive(move || t_string!(i18n, cafe.menu).to_string())>
            <NameForm on_saved=move |()| open.set(false) />
            <div class="cafe-menu-row">
                <span>{t!(i18n, cafe.language)}</span>
                <LangSwitch />
            </div>
            <div class="cafe-menu-row">
                <span>{t!(i18n, cafe.light)}</span>
                <ThemeSwitch />
            </div>
            <Button
                kind=ButtonKind::Danger
                icon=icondata_lu::LuLogOut
                class="button-wide"
                on_click=move |_| {
                    open.set(false);
                    leaving.set(true);
                }
            >
                {t!(i18n, cafe.leave)}
            </Button>
        </Dialog>
        <Confirm
            open=leaving
            title=Signal::derive(move || t_string!(i18n, cafe.leave_title).to_string())
            text=Signal::derive(move || t_string!(i18n, cafe.leave_text).to_string())
            action=Signal::derive(move || t_string!(i18n, cafe.leave).to_string())
            on_yes=leave
        />
    }
}

/// One's name and department, to be changed.
#[component]
pub fn NameForm(
    /// Called when the new name is accepted.
    #[prop(optional, into)]
    on_saved: Option<Callback<()>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let cafe = expect_context::<Cafe>();
    let now = cafe
        .view()
        .with_untracked(|view| {
            view.as_ref().map(|view| (view.me.name.clone(), seat::part(view).and_then(|part| part.department.clone())))
        })
        .unwrap_or_default();
    let name = RwSignal::new(now.0);
    let department = RwSignal::new(now.1.unwrap_or_default());
    let name_error = RwSignal::new(None::<String>);
    let department_error = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let save = move || {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        name_error.set(None);
        department_error.set(None);
        let department_now = department.get_untracked().trim().to_owned();
        let command = Command::Rename {
            name: name.get_untracked().trim().to_owned(),
            department: (!department_now.is_empty()).then_some(department_now),
        };
        spawn_local(async move {
            let answer = cafe.try_command(command).await;
            if busy.try_set(false).is_some() {
                return;
            }
            match answer {
                Ok(()) => {
                    toast(ToastKind::Good, t_string!(i18n, cafe.name_saved).to_string());
                    if let Some(act) = on_saved {
                        act.run(());
                    }
                }
                Err(error) if error.field.as_deref() == Some("department") => {
                    department_error.set(Some(error.text(i18n)))
                }
                Err(error) => name_error.set(Some(error.text(i18n))),
            }
        });
    };
    view! {
        <form
            class="stack"
            on:submit=move |event| {
                event.prevent_default();
                save();
            }
        >
            <TextField
                label=Signal::derive(move || t_string!(i18n, cafe.your_name).to_string())
                value=name
                error=name_error
                max_chars=limits::NAME_CHARS
                autocomplete="name".to_owned()
                required=true
            />
            <TextField
                label=Signal::derive(move || t_string!(i18n, cafe.your_department).to_string())
                value=department
                error=department_error
                max_chars=limits::DEPARTMENT_CHARS
            />
            <Button submit=true busy=busy kind=ButtonKind::Primary>
                {t!(i18n, cafe.save_name)}
            </Button>
        </form>
    }
}

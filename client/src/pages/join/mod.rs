//! Joining: the café's name, one's own name, one button.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_params_map};
use shared::api::{CodeInfo, JoinRequest};
use shared::id::Role;
use shared::limits;

use crate::api::{self, ApiError};
use crate::i18n::{t, t_string, use_i18n};
use crate::pages::home::TopBar;
use crate::pages::home::join_form::{JoinForm, code_in, grouped};
use crate::parts;
use crate::platform;
use crate::state::identity::{self, Identity};
use crate::ui::button::{Button, ButtonKind, LinkButton};
use crate::ui::empty::Empty;
use crate::ui::field::TextField;
use crate::ui::icon::Icon;
use crate::ui::page::{Page, Width};

/// Where the name is remembered for the next café.
const NAME: &str = "tablehop.name";
/// And the department.
const DEPARTMENT: &str = "tablehop.department";

/// The page behind the QR picture.
#[component]
pub fn JoinPage() -> impl IntoView {
    let i18n = use_i18n();
    let params = use_params_map();
    let navigate = use_navigate();
    parts::CAFE.prefetch();
    let code = Memo::new(move |_| params.with(|params| code_in(&params.get("code").unwrap_or_default())));
    let info = LocalResource::new(move || {
        let code = code.get();
        async move { api::code_info(&code).await }
    });
    // Somebody who has been here on this device goes straight to their seat. They are asked in again, for they may have left; where that
    // fails, the café's own page says why.
    Effect::new(move || {
        if let Some(Ok(info)) = info.get()
            && let Some(known) = identity::load(&info.workshop, Role::Participant)
        {
            let (navigate, code) = (navigate.clone(), code.get_untracked());
            leptos::task::spawn_local(async move {
                let _ = come_back(&known, &code).await;
                navigate(&format!("/w/{}", info.workshop), NavigateOptions { replace: true, ..Default::default() });
            });
        }
    });
    view! {
        <TopBar />
        <Page width=Width::Narrow class="join-page">
            {move || match info.get() {
                None => {
                    view! {
                        <p class="quiet" role="status">
                            {t!(i18n, join.looking)}
                        </p>
                    }
                        .into_any()
                }
                Some(Ok(info)) if identity::load(&info.workshop, Role::Participant).is_some() => {
                    view! {
                        <p class="quiet" role="status">
                            {t!(i18n, join.looking)}
                        </p>
                    }
                        .into_any()
                }
                Some(Ok(info)) => view! { <NameForm code=code.get() info /> }.into_any(),
                Some(Err(error)) if error.offline => {
                    view! {
                        <Empty text=move || error.text(i18n) icon=icondata_lu::LuWifiOff>
                            <Button kind=ButtonKind::Primary on_click=move |_| info.refetch()>
                                {t!(i18n, join.again)}
                            </Button>
                        </Empty>
                    }
                        .into_any()
                }
                Some(Err(error)) => {
                    view! {
                        <div class="stack" role="alert">
                            <h1>{move || error.text(i18n)}</h1>
                            <p class="quiet">{t!(i18n, join.wrong_help, code = grouped(&code.get()))}</p>
                        </div>
                        <JoinForm />
                        <LinkButton href="/" kind=ButtonKind::Plain icon=icondata_lu::LuArrowLeft>
                            {t!(i18n, join.home)}
                        </LinkButton>
                    }
                        .into_any()
                }
            }}
        </Page>
    }
}

/// Joins again as the person this device knows, under the same name: whoever has left is in again, and nothing happens to who is in.
pub async fn come_back(known: &Identity, code: &str) -> Result<(), ApiError> {
    let request = JoinRequest { code: code.to_owned(), name: known.name.clone(), department: None };
    api::join(&request, Some(&known.token)).await?;
    identity::remember_in(known, code);
    Ok(())
}

#[component]
fn NameForm(code: String, info: CodeInfo) -> impl IntoView {
    let i18n = use_i18n();
    let navigate = use_navigate();
    let name = RwSignal::new(platform::local_get(NAME).unwrap_or_default());
    let department = RwSignal::new(platform::local_get(DEPARTMENT).unwrap_or_default());
    let name_error = RwSignal::new(None::<String>);
    let department_error = RwSignal::new(None::<String>);
    let other_error = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let name_field = NodeRef::<leptos::html::Input>::new();
    let CodeInfo { title, .. } = info;
    let shown_code = grouped(&code);
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        name_error.set(None);
        department_error.set(None);
        other_error.set(None);
        if name.with_untracked(|name| name.trim().is_empty()) {
            name_error.set(Some(t_string!(i18n, join.name_needed).to_string()));
            if let Some(field) = name_field.get_untracked() {
                let _ = field.focus();
            }
            return;
        }
        // Here, for what is much longer is not even read over there.
        let fields = [(name, name_error, limits::NAME_CHARS), (department, department_error, limits::DEPARTMENT_CHARS)];
        let too_long = fields.into_iter().filter(|(text, error, limit)| {
            let is_long = text.with_untracked(|text| text.trim().chars().count() > *limit);
            if is_long {
                error.set(Some(t_string!(i18n, common.error.too_long, limit = *limit).to_string()));
            }
            is_long
        });
        if too_long.count() > 0 {
            return;
        }
        busy.set(true);
        let request = JoinRequest {
            code: code.clone(),
            name: name.get_untracked().trim().to_owned(),
            department: Some(department.get_untracked().trim().to_owned()).filter(|text| !text.is_empty()),
        };
        let navigate = navigate.clone();
        leptos::task::spawn_local(async move {
            match api::join(&request, None).await {
                Ok(joined) => {
                    platform::local_set(NAME, &request.name);
                    platform::local_set(DEPARTMENT, request.department.as_deref().unwrap_or_default());
                    let address = format!("/w/{}", joined.workshop);
                    let identity = Identity {
                        workshop: joined.workshop,
                        role: Role::Participant,
                        token: joined.token,
                        participant: Some(joined.participant),
                        name: request.name,
                    };
                    identity::save(&identity);
                    identity::remember_in(&identity, &request.code);
                    navigate(&address, NavigateOptions { replace: true, ..Default::default() });
                }
                Err(error) => {
                    let _ = busy.try_set(false);
                    let text = Some(error.text(i18n));
                    let place = match error.field.as_deref() {
                        Some("name") => name_error,
                        Some("department") => department_error,
                        _ => other_error,
                    };
                    let _ = place.try_set(text);
                    if error.field.as_deref() == Some("name")
                        && let Some(field) = name_field.try_get_untracked().flatten()
                    {
                        let _ = field.focus();
                    }
                }
            }
        });
    };
    view! {
        <div class="join-head">
            <p class="join-kicker">{t!(i18n, join.invited)}</p>
            <h1 class="join-title">{title}</h1>
            <p class="quiet figures">{t!(i18n, join.code, code = shown_code)}</p>
        </div>
        <form class="join-name card" on:submit=submit novalidate>
            <TextField
                label=move || t_string!(i18n, join.name).to_string()
                hint=move || t_string!(i18n, join.name_hint).to_string()
                value=name
                error=name_error
                max_chars=limits::NAME_CHARS
                autocomplete="name"
                required=true
                node_ref=name_field
            />
            <TextField
                label=move || t_string!(i18n, join.department).to_string()
                hint=move || t_string!(i18n, join.department_hint).to_string()
                value=department
                error=department_error
                max_chars=limits::DEPARTMENT_CHARS
                autocomplete="organization-title"
            />
            <p class="field-error" aria-live="polite">
                {move || {
                    other_error
                        .get()
                        .map(|text| view! { <Icon icon=icondata_lu::LuCircleAlert /> <span>{text}</span> })
                }}
            </p>
            <Button kind=ButtonKind::Primary class="button-big button-wide" submit=true busy>
                {t!(i18n, join.enter)}
            </Button>
        </form>
        <p class="quiet small join-privacy">{t!(i18n, join.privacy)}</p>
    }
}

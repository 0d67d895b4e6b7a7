//! A new café: from a template or from nothing, edited, created.

pub mod fields;
pub mod form;
mod kept;

use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_query_map};
use shared::api::CreateWorkshop;
use shared::id::Role;
use shared::workshop::{Draft, RoundPlan, TablePlan};

use self::fields::{PlanFields, focus_first_error};
use self::form::PlanForm;
use crate::api::{self, ApiError};
use crate::i18n::{I18n, language, t, t_string, use_i18n};
use crate::pages::home::TopBar;
use crate::pages::home::templates::{EMPTY, TemplateCards};
use crate::state::identity::{self, Identity};
use crate::ui::button::{Button, ButtonKind};
use crate::ui::empty::Empty;
use crate::ui::page::{Page, PageHeader, Width};
use crate::ui::toast::{ToastKind, toast};

/// The page of a new café. Without `?template=` it offers the templates first.
#[component]
pub fn NewPage() -> impl IntoView {
    let i18n = use_i18n();
    let query = use_query_map();
    let template = Memo::new(move |_| query.with(|query| query.get("template")).filter(|id| !id.is_empty()));
    view! {
        <TopBar />
        {move || match template.get() {
            None => {
                view! {
                    <Page width=Width::Wide>
                        <PageHeader
                            title=move || t_string!(i18n, new.heading).to_string()
                            subtitle=move || t_string!(i18n, new.choose).to_string()
                            back="/"
                        />
                        <TemplateCards />
                    </Page>
                }
                    .into_any()
            }
            Some(template) => view! { <Prepare template /> }.into_any(),
        }}
    }
}

/// Loads the template, or what this device kept of an earlier visit, and shows the form.
#[component]
fn Prepare(template: String) -> impl IntoView {
    let i18n = use_i18n();
    let name = StoredValue::new(template);
    let start = LocalResource::new(move || {
        let template = name.get_value();
        // Untracked: switching the interface's language does not throw away what was written.
        let locale = i18n.get_locale_untracked();
        async move {
            if template == EMPTY {
                return Ok(empty_draft(i18n));
            }
            let list = api::templates(language(locale)).await?;
            Ok::<_, ApiError>(
                list.into_iter()
                    .find(|found| found.id == template)
                    .map_or_else(|| empty_draft(i18n), |found| found.draft),
            )
        }
    });
    view! {
        <Page class="new-page">
            <PageHeader
                title=move || t_string!(i18n, new.heading).to_string()
                subtitle=move || t_string!(i18n, new.subtitle).to_string()
                back="/new"
            />
            {move || match start.get() {
                None => {
                    view! {
                        <p class="quiet" role="status">
                            {t!(i18n, new.loading)}
                        </p>
                    }
                        .into_any()
                }
                Some(Ok(draft)) => view! { <NewForm template=name.get_value() draft /> }.into_any(),
                Some(Err(error)) => {
                    view! {
                        <Empty text=move || error.text(i18n) icon=icondata_lu::LuWifiOff>
                            <Button on_click=move |_| start.refetch()>{t!(i18n, new.again)}</Button>
                        </Empty>
                    }
                        .into_any()
                }
            }}
        </Page>
    }
}

#[component]
fn NewForm(template: String, draft: Draft) -> impl IntoView {
    let i18n = use_i18n();
    let navigate = use_navigate();
    let fresh = StoredValue::new(draft.clone());
    let template = StoredValue::new(template);
    let earlier = template.with_value(|template| kept::load(template)).filter(|kept| *kept != draft);
    let restored = RwSignal::new(earlier.is_some());
    let form = PlanForm::new(earlier.unwrap_or(draft));
    let busy = RwSignal::new(false);
    // Kept on every change, so that a reload or a closed tab loses nothing.
    Effect::new(move |first: Option<()>| {
        let now = form.draft();
        if first.is_some() {
            template.with_value(|template| kept::keep(template, &now));
        }
    });
    let start_over = move |_| {
        template.with_value(|template| kept::forget(template));
        form.fill(fresh.get_value());
        restored.set(false);
    };
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        let Some(draft) = form.checked() else {
            toast(ToastKind::Bad, t_string!(i18n, new.mend).to_string());
            focus_first_error(form);
            return;
        };
        busy.set(true);
        let navigate = navigate.clone();
        leptos::task::spawn_local(async move {
            let name = template.get_value();
            match create(Some(name.clone()).filter(|name| name != EMPTY), draft).await {
                Ok(address) => {
                    kept::forget(&name);
                    navigate(&address, Default::default());
                }
                Err(error) => {
                    let _ = busy.try_set(false);
                    toast(ToastKind::Bad, error.text(i18n));
                    if error.field.is_some() {
                        form.refuse(error);
                        focus_first_error(form);
                    }
                }
            }
        });
    };
    view! {
        <form class="new-form" on:submit=submit novalidate>
            {move || {
                restored
                    .get()
                    .then(|| {
                        view! {
                            <p class="new-restored" role="status">
                                <span>{t!(i18n, new.restored)}</span>
                                <Button kind=ButtonKind::Plain icon=icondata_lu::LuRotateCcw on_click=start_over>
                                    {t!(i18n, new.start_over)}
                                </Button>
                            </p>
                        }
                    })
            }}
            <PlanFields form />
            <div class="new-submit">
                <p class="quiet small">{t!(i18n, new.editable_later)}</p>
                <Button kind=ButtonKind::Primary class="button-big" submit=true busy>
                    {t!(i18n, new.create)}
                </Button>
            </div>
        </form>
    }
}

/// Creates the café, remembers on this device that its facilitator is here, and returns the address of the console.
async fn create(template: Option<String>, draft: Draft) -> Result<String, ApiError> {
    let Draft { title, purpose, language, tables, rounds, settings } = draft;
    let title_known = title.clone();
    let created = api::create_workshop(&CreateWorkshop {
        template,
        title,
        purpose,
        language,
        tables,
        rounds,
        settings: Some(settings),
    })
    .await?;
    let facilitator = Identity {
        workshop: created.id.clone(),
        role: Role::Facilitator,
        token: created.facilitator_token,
        participant: None,
        name: String::new(),
    };
    identity::save(&facilitator);
    identity::remember_title(&facilitator, &title_known);
    kept::keep_review_link(&created.id, &created.review_url);
    Ok(format!("/host/{}", created.id))
}

/// Keeps a review link that was made on this device.
pub fn keep_review_link(workshop: &shared::id::WorkshopId, url: &str) {
    kept::keep_review_link(workshop, url);
}

/// The review link of a café that was created on this device.
pub fn review_link(workshop: &shared::id::WorkshopId) -> Option<String> {
    kept::review_link(workshop)
}

fn empty_draft(i18n: I18n) -> Draft {
    let table = || TablePlan::default();
    Draft {
        language: language(i18n.get_locale_untracked()),
        tables: vec![table(), table(), table()],
        rounds: vec![RoundPlan { minutes: 20.0, question: None }; 3],
        ..Draft::default()
    }
}

//! The way of management to the plan, where it has just been handed over: the link, to be copied, sent or scanned.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::api::CreatedLink;
use shared::id::Role;

use crate::api;
use crate::i18n::{t, t_string, use_i18n};
use crate::pages::new::{keep_review_link, review_link};
use crate::state::cafe::Cafe;
use crate::ui::button::Button;
use crate::ui::copy_field::CopyField;
use crate::ui::qr::QrOf;
use crate::ui::toast::{ToastKind, toast};

/// The review link, or the button that makes one: the server shows a link only once, and this device may not be the one that made it.
#[component]
pub(super) fn ReviewWay(cafe: Cafe) -> impl IntoView {
    let i18n = use_i18n();
    let workshop = cafe.workshop();
    let link = RwSignal::new(review_link(&workshop));
    let busy = RwSignal::new(false);
    let make = move |_| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            let identity = cafe.identity();
            let made = api::new_link(&identity.workshop, &identity.token, Role::Reviewer).await;
            let _ = busy.try_set(false);
            match made {
                Ok(CreatedLink { url, .. }) => {
                    keep_review_link(&identity.workshop, &url);
                    let _ = link.try_set(Some(url));
                }
                Err(error) => toast(ToastKind::Bad, error.text(i18n)),
            }
        });
    };
    view! {
        <section class="review-way card no-print" aria-labelledby="review-way-title">
            <div class="review-way-words">
                <h2 id="review-way-title">{t!(i18n, console.review_link)}</h2>
                <p class="quiet">{t!(i18n, console.review_way)}</p>
                {move || match link.get() {
                    Some(url) => {
                        view! { <CopyField label=move || t_string!(i18n, console.review_link).to_string() value=url /> }
                            .into_any()
                    }
                    None => {
                        view! {
                            <div>
                                <Button icon=icondata_lu::LuLink busy on_click=make>
                                    {t!(i18n, console.make_review_link)}
                                </Button>
                            </div>
                        }
                            .into_any()
                    }
                }}
            </div>
            {move || {
                link.get()
                    .map(|url| {
                        view! { <QrOf link=url alt=move || t_string!(i18n, console.review_qr).to_string() /> }
                    })
            }}
        </section>
    }
}

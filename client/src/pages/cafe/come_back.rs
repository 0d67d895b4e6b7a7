//! Coming back after having left: one is asked in again, with the same token and under the same name.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::ApiError;
use crate::i18n::{t, t_string, use_i18n};
use crate::pages::home::join_form::JoinForm;
use crate::pages::join::come_back;
use crate::state::identity::{self, Identity};
use crate::ui::button::{Button, ButtonKind};
use crate::ui::empty::Empty;

/// For somebody who has left. Opening the page is wish enough, so they are in again at once, unless `asking`: then there is a button.
#[component]
pub fn ComeBack(
    /// Who one was here.
    identity: Identity,
    /// Another page of the same café was left while this one is open.
    asking: bool,
    /// Called when one is in again, or may at least read.
    #[prop(into)]
    on_back: Callback<()>,
) -> impl IntoView {
    let i18n = use_i18n();
    let code = identity::beside(&identity).map(|known| known.code).filter(|code| !code.is_empty());
    let has_code = code.is_some();
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<ApiError>);
    let way = StoredValue::new(code.map(|code| (identity, code)));
    let again = move || {
        let Some((identity, code)) = way.get_value() else { return };
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            let answer = come_back(&identity, &code).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(()) => {
                    let _ = on_back.try_run(());
                }
                // It is over: what came of it can still be read.
                Err(refused) if refused.code == "closed" => {
                    identity::remember_in(&identity, &code);
                    let _ = on_back.try_run(());
                }
                Err(refused) => {
                    let _ = error.try_set(Some(refused));
                }
            }
        });
    };
    if !asking {
        again();
    }
    let words = move || match error.get() {
        Some(error) => error.text(i18n),
        None if !has_code => t_string!(i18n, cafe.come_back_code).to_string(),
        None if asking => t_string!(i18n, cafe.come_back_text).to_string(),
        None => t_string!(i18n, cafe.coming_back).to_string(),
    };
    let can_press = move || has_code && (asking || error.with(Option::is_some));
    view! {
        <main id="main" class="cafe-main cafe-wait">
            <h1>{t!(i18n, cafe.come_back_title)}</h1>
            <Empty icon=icondata_lu::LuDoorOpen text=Signal::derive(words)>
                {move || {
                    can_press()
                        .then(|| {
                            view! {
                                <Button kind=ButtonKind::Primary busy on_click=move |_| again()>
                                    {t!(i18n, cafe.come_back)}
                                </Button>
                            }
                        })
                }}
                {(!has_code).then(|| view! { <JoinForm /> })}
            </Empty>
        </main>
    }
}

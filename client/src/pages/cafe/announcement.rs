//! The facilitator's last message, above everything until one has read it.

use leptos::prelude::*;

use crate::i18n::{t, t_string, use_i18n};
use crate::platform;
use crate::state::cafe::Cafe;
use crate::ui::button::Button;
use crate::ui::icon::Icon;

/// The banner. It lies above the page, so that nothing under it moves.
#[component]
pub fn AnnouncementBanner() -> impl IntoView {
    let i18n = use_i18n();
    let cafe = expect_context::<Cafe>();
    let key = StoredValue::new(format!("tablehop.heard.{}", cafe.workshop()));
    let heard = RwSignal::new(platform::local_get(&key.get_value()).and_then(|at| at.parse::<u64>().ok()).unwrap_or(0));
    let latest = cafe.memo(|view| view.announcement.clone());
    let news =
        Memo::new(move |_| latest.get().flatten().filter(|news| news.at > heard.get() && !news.text.trim().is_empty()));
    view! {
        <div class="cafe-news" role="status" aria-live="polite">
            {move || {
                news.get()
                    .map(|news| {
                        view! {
                            <div class="cafe-news-card">
                                <Icon icon=icondata_lu::LuMegaphone />
                                <div class="cafe-news-words">
                                    <p class="small quiet">{move || t_string!(i18n, cafe.announcement)}</p>
                                    <p class="pre strong">{news.text}</p>
                                </div>
                                <Button on_click=move |_| {
                                    heard.set(news.at);
                                    platform::local_set(&key.get_value(), &news.at.to_string());
                                }>{t!(i18n, cafe.dismiss)}</Button>
                            </div>
                        }
                    })
            }}
        </div>
    }
}

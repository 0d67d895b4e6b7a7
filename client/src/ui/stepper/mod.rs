//! Where one is on a way of several steps.

use leptos::prelude::*;

use crate::i18n::{t, use_i18n};
use crate::ui::icon::Icon;

/// The steps of a way, the ones behind, the one at which one is, and the ones ahead.
#[component]
pub fn Stepper(
    /// What the way is, for screen readers.
    #[prop(into)]
    label: Signal<String>,
    /// The steps in order.
    #[prop(into)]
    steps: Signal<Vec<String>>,
    /// Index of the step at which one is.
    #[prop(into)]
    current: Signal<usize>,
) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <nav class="stepper" aria-label=move || label.get()>
            <ol class="stepper-list">
                {move || {
                    let current = current.get();
                    steps
                        .get()
                        .into_iter()
                        .enumerate()
                        .map(|(index, step)| {
                            let class = match index.cmp(&current) {
                                std::cmp::Ordering::Less => "stepper-step stepper-done",
                                std::cmp::Ordering::Equal => "stepper-step stepper-now",
                                std::cmp::Ordering::Greater => "stepper-step",
                            };
                            let done = index < current;
                            view! {
                                <li class=class aria-current=(index == current).then_some("step")>
                                    <span class="stepper-mark figures" aria-hidden="true">
                                        {if done {
                                            view! { <Icon icon=icondata_lu::LuCheck /> }.into_any()
                                        } else {
                                            (index + 1).into_any()
                                        }}
                                    </span>
                                    <span class="stepper-word">{step}</span>
                                    {done
                                        .then(|| {
                                            view! { <span class="visually-hidden">{t!(i18n, kit.step_done)}</span> }
                                        })}
                                </li>
                            }
                        })
                        .collect_view()
                }}
            </ol>
        </nav>
    }
}

//! One text field of an action, written together.

use leptos::prelude::*;
use shared::board::view::ActionText;
use shared::id::ActionId;
use shared::limits;

use crate::i18n::{I18n, t_string, use_i18n};
use crate::state::board::Board;
use crate::state::live_text::TextAt;
use crate::ui::field::next_id;
use crate::ui::live_text::LiveText;

/// What a field is called.
pub fn field_name(i18n: I18n, field: ActionText) -> String {
    match field {
        ActionText::Title => t_string!(i18n, plan.field_title).to_string(),
        ActionText::Stage => t_string!(i18n, plan.field_stage).to_string(),
        ActionText::Reason => t_string!(i18n, plan.field_reason).to_string(),
        ActionText::Accountable => t_string!(i18n, plan.field_accountable).to_string(),
        ActionText::Helpers => t_string!(i18n, plan.field_helpers).to_string(),
        ActionText::Kpi => t_string!(i18n, plan.field_kpi).to_string(),
        ActionText::Baseline => t_string!(i18n, plan.field_baseline).to_string(),
        ActionText::Target => t_string!(i18n, plan.field_target).to_string(),
        ActionText::Cost => t_string!(i18n, plan.field_cost).to_string(),
        ActionText::Risk => t_string!(i18n, plan.field_risk).to_string(),
    }
}

/// A labelled field; it grows with what is written.
#[component]
pub fn ActionField(
    /// The plan board.
    board: Board,
    /// Which action.
    action: ActionId,
    /// Which of its fields.
    field: ActionText,
) -> impl IntoView {
    let i18n = use_i18n();
    let id = next_id("action");
    view! {
        <div class=format!("action-field action-field-{}", field.key())>
            <label for=id.clone()>{move || field_name(i18n, field)}</label>
            <LiveText
                board
                at=TextAt::Action(action, field)
                id
                multiline=true
                max_chars=limits::FIELD_CHARS
                aria_label=Signal::derive(move || field_name(i18n, field))
            />
        </div>
    }
}

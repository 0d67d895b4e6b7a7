//! What is wrong beneath the café: the server's disk, or a board on it. It stands where the facilitator looks until it is mended.

use leptos::prelude::*;
use shared::id::{BoardId, BoardKind};
use shared::workshop::view::{Alert, Part};

use crate::i18n::{I18n, t_string, use_i18n};
use crate::state::cafe::Cafe;
use crate::ui::icon::Icon;

/// One line for each; nothing while all is well.
#[component]
pub(super) fn Alerts(cafe: Cafe) -> impl IntoView {
    let i18n = use_i18n();
    let alerts = cafe.memo(|view| match &view.part {
        Part::Facilitator(part) => part.alerts.clone(),
        Part::Participant(_) | Part::Reviewer(_) => Vec::new(),
    });
    view! {
        <div class="console-alerts" role="alert">
            {move || {
                alerts
                    .get()
                    .unwrap_or_default()
                    .into_iter()
                    .map(|alert| {
                        view! {
                            <p class="console-alert">
                                <Icon icon=icondata_lu::LuTriangleAlert />
                                <span>{words(&alert, i18n)}</span>
                            </p>
                        }
                    })
                    .collect_view()
            }}
        </div>
    }
}

fn words(alert: &Alert, i18n: I18n) -> String {
    match alert {
        Alert::DiskFull => t_string!(i18n, console.alert_disk_full).to_string(),
        Alert::DiskFailing => t_string!(i18n, console.alert_disk_failing).to_string(),
        Alert::BoardDamaged { board } => {
            let name = match board.parse::<BoardId>().map(|board| board.kind) {
                Ok(BoardKind::Table(table)) => t_string!(i18n, console.table_n, n = table.0).to_string(),
                Ok(BoardKind::Harvest) => t_string!(i18n, console.phase_harvest).to_string(),
                Ok(BoardKind::Plan) => t_string!(i18n, console.phase_plan).to_string(),
                Err(_) => String::new(),
            };
            t_string!(i18n, console.alert_board_damaged, board = name, id = board.clone()).to_string()
        }
    }
}

//! The round's clock.

use leptos::prelude::*;
use shared::workshop::RoundStatus;

use crate::i18n::{t_string, use_i18n};
use crate::state::cafe::Cafe;
use crate::ui::icon::Icon;

/// How a clock stands, for those who show it in their own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// No round has been seated.
    None,
    /// People change tables; seconds until the round starts.
    Moving(u64),
    /// The clock runs; seconds left.
    Running(u64),
    /// The clock stands; seconds left.
    Paused(u64),
    /// Time is up.
    Over,
}

impl Reading {
    /// Seconds to show.
    pub fn seconds(self) -> u64 {
        match self {
            Self::Moving(seconds) | Self::Running(seconds) | Self::Paused(seconds) => seconds,
            Self::None | Self::Over => 0,
        }
    }

    /// The last minute of a round.
    pub fn is_ending(self) -> bool {
        matches!(self, Self::Running(seconds) if seconds <= 60)
    }
}

/// The clock of the round that is on, changing once a second.
pub fn reading(cafe: Cafe) -> Memo<Reading> {
    let status = cafe.memo(|view| view.round.as_ref().map(|round| round.status));
    let tick = cafe.tick();
    Memo::new(move |_| {
        let left = |until: u64| until.saturating_sub(tick.get()).div_ceil(1000);
        match status.get().flatten() {
            None => Reading::None,
            Some(RoundStatus::Moving { starts_at }) => Reading::Moving(left(starts_at)),
            Some(RoundStatus::Running { ends_at }) => Reading::Running(left(ends_at)),
            Some(RoundStatus::Paused { left }) => Reading::Paused(left.div_ceil(1000)),
            Some(RoundStatus::Over) => Reading::Over,
        }
    })
}

/// `m:ss`, and hours where there are any.
pub fn minutes_seconds(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// The time left, always in the same place and width; nothing before the first round.
#[component]
pub fn Clock(
    /// Whose clock.
    cafe: Cafe,
) -> impl IntoView {
    let i18n = use_i18n();
    let reading = reading(cafe);
    let icon = Signal::derive(move || match reading.get() {
        Reading::Paused(_) => icondata_lu::LuPause,
        Reading::Moving(_) => icondata_lu::LuFootprints,
        _ => icondata_lu::LuTimer,
    });
    let words = move || match reading.get() {
        Reading::Moving(_) => t_string!(i18n, kit.clock_moving).to_string(),
        Reading::Paused(_) => t_string!(i18n, kit.clock_paused).to_string(),
        Reading::Over => t_string!(i18n, kit.clock_over).to_string(),
        Reading::Running(_) | Reading::None => t_string!(i18n, kit.clock_left).to_string(),
    };
    view! {
        <span
            class="clock figures"
            class:clock-ending=move || reading.get().is_ending()
            class:clock-over=move || reading.get() == Reading::Over
            class:clock-paused=move || matches!(reading.get(), Reading::Paused(_))
            hidden=move || reading.get() == Reading::None
            role="timer"
            title=words
        >
            <Icon icon />
            <span class="visually-hidden">{words} " "</span>
            <span class="clock-time">
                {move || match reading.get() {
                    Reading::Over => t_string!(i18n, kit.clock_over).to_string(),
                    other => minutes_seconds(other.seconds()),
                }}
            </span>
        </span>
    }
}

#[cfg(test)]
mod tests {
    use super::minutes_seconds;

    #[test]
    fn time_is_shown_as_people_read_it() {
        for (seconds, text) in [(0, "0:00"), (9, "0:09"), (761, "12:41"), (3600, "1:00:00"), (3725, "1:02:05")] {
            assert_eq!(minutes_seconds(seconds), text);
        }
    }
}

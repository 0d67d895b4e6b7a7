//! The one next step, and the clock's controls beside it.

use leptos::prelude::*;
use shared::workshop::{Command, Phase, RoundStatus};

use super::Desk;
use super::caution::Caution;
use super::facts::{self, RoundFacts};
use super::side::Side;
use crate::i18n::{I18n, t_string, use_i18n};
use crate::pages::new::fields::focus_first_error;
use crate::state::cafe::Cafe;
use crate::ui::button::{Button, ButtonKind};
use crate::ui::clock::Clock;
use crate::ui::dialog::Confirm;
use crate::ui::toast::{ToastKind, toast};

/// What comes next. Decided in one place, from the phase, the round and the vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NextStep {
    Open,
    /// Seats everybody for the round with this index.
    NextRound(u8),
    StartClock(u8),
    EndRound(u8),
    CloseVote,
    GoTo(Phase),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Situation {
    phase: Phase,
    round: RoundFacts,
    vote_open: bool,
}

impl Situation {
    fn next(self) -> Option<NextStep> {
        let first_left = |index: u8| usize::from(index) < self.round.planned;
        match self.phase {
            Phase::Draft => Some(NextStep::Open),
            Phase::Lobby | Phase::Rounds => match (self.round.index, self.round.status) {
                (Some(index), Some(RoundStatus::Moving { .. })) => Some(NextStep::StartClock(index)),
                (Some(index), Some(RoundStatus::Running { .. } | RoundStatus::Paused { .. })) => {
                    Some(NextStep::EndRound(index))
                }
                (Some(index), _) if first_left(index + 1) => Some(NextStep::NextRound(index + 1)),
                (Some(_), _) if self.phase == Phase::Lobby => Some(NextStep::GoTo(Phase::Rounds)),
                (Some(_), _) => Some(NextStep::GoTo(Phase::Gallery)),
                (None, _) => Some(NextStep::NextRound(0)),
            },
            Phase::Vote if self.vote_open => Some(NextStep::CloseVote),
            phase => phase.next().map(NextStep::GoTo),
        }
    }
}

impl NextStep {
    fn words(self, i18n: I18n) -> String {
        match self {
            Self::Open => t_string!(i18n, console.next_open).to_string(),
            Self::NextRound(index) => t_string!(i18n, console.next_round, n = index + 1).to_string(),
            Self::StartClock(index) => t_string!(i18n, console.next_start_clock, n = index + 1).to_string(),
            Self::EndRound(index) => t_string!(i18n, console.next_end_round, n = index + 1).to_string(),
            Self::CloseVote => t_string!(i18n, console.next_close_vote).to_string(),
            Self::GoTo(Phase::Gallery) => t_string!(i18n, console.next_gallery).to_string(),
            Self::GoTo(Phase::Harvest) => t_string!(i18n, console.next_harvest).to_string(),
            Self::GoTo(Phase::Vote) => t_string!(i18n, console.next_vote).to_string(),
            Self::GoTo(Phase::Plan) => t_string!(i18n, console.next_plan).to_string(),
            Self::GoTo(Phase::Review) => t_string!(i18n, console.next_review).to_string(),
            Self::GoTo(Phase::Closed) => t_string!(i18n, console.next_close).to_string(),
            Self::GoTo(phase) => facts::phase_word(phase, i18n),
        }
    }

    fn command(self) -> Command {
        match self {
            Self::Open => Command::GoTo { phase: Phase::Lobby },
            Self::NextRound(_) => Command::NextRound,
            Self::StartClock(_) => Command::StartRound,
            Self::EndRound(_) => Command::EndRound,
            Self::CloseVote => Command::CloseVote,
            Self::GoTo(phase) => Command::GoTo { phase },
        }
    }
}

/// Clock, its controls, and the one filled button. At the top right of a wide screen, at the thumb on a phone.
#[component]
pub(super) fn Actions(cafe: Cafe) -> impl IntoView {
    let i18n = use_i18n();
    let desk = expect_context::<Desk>();
    let situation = cafe.memo(|view| Situation {
        phase: view.phase,
        round: facts::round(view),
        vote_open: view.vote.as_ref().is_some_and(|vote| vote.open),
    });
    let next = Memo::new(move |_| situation.get().and_then(Situation::next));
    let in_rounds = move || situation.get().is_some_and(|now| now.phase == Phase::Rounds && now.round.index.is_some());
    let busy = RwSignal::new(false);
    let open = RwSignal::new(0_usize);
    let closing = RwSignal::new(false);
    let take = move |step: NextStep| {
        let mut commands = Vec::new();
        if step == NextStep::Open
            && let Some(form) = desk.draft.get_untracked()
        {
            let Some(draft) = form.checked() else {
                toast(ToastKind::Bad, t_string!(i18n, new.mend).to_string());
                focus_first_error(form);
                return;
            };
            commands.push(Command::EditDraft { draft });
        }
        commands.push(step.command());
        facts::send_all(cafe, i18n, busy, commands, || {});
    };
    let act = move |_| match next.get_untracked() {
        // Management cannot decide afterwards, so this is asked once.
        Some(NextStep::GoTo(Phase::Closed)) if open.get_untracked() > 0 => closing.set(true),
        Some(step) => take(step),
        None => {}
    };
    view! {
        <div class="console-actions">
            <Caution cafe open />
            <Show when=in_rounds>
                <ClockControls cafe />
            </Show>
            <Side cafe />
            {move || {
                next.get()
                    .map(|step| {
                        view! {
                            <Button kind=ButtonKind::Primary class="console-next" busy on_click=act>
                                {move || step.words(i18n)}
                            </Button>
                        }
                    })
            }}
        </div>
        <Confirm
            open=closing
            title=move || t_string!(i18n, console.close_title).to_string()
            text=move || t_string!(i18n, console.close_text, n = open.get()).to_string()
            action=move || t_string!(i18n, console.next_close).to_string()
            on_yes=move |()| take(NextStep::GoTo(Phase::Closed))
        />
    }
}

/// The clock with pause and more time.
#[component]
fn ClockControls(cafe: Cafe) -> impl IntoView {
    let i18n = use_i18n();
    let round = cafe.memo(facts::round);
    let status = move || round.get().and_then(|round| round.status);
    let paused = move || matches!(status(), Some(RoundStatus::Paused { .. }));
    let can_pause = move || matches!(status(), Some(RoundStatus::Paused { .. } | RoundStatus::Running { .. }));
    let can_extend = move || !matches!(status(), None | Some(RoundStatus::Moving { .. }));
    let busy = RwSignal::new(false);
    let send = move |command: Command| facts::send(cafe, i18n, busy, command, || {});
    let more = [1_u8, 2, 5]
        .map(|minutes| {
            view! {
                <Button
                    class="console-more figures"
                    label=move || t_string!(i18n, console.extend, n = minutes).to_string()
                    disabled=Signal::derive(move || !can_extend())
                    on_click=move |_| send(Command::ExtendRound { minutes })
                >
                    {format!("+{minutes}")}
                </Button>
            }
        })
        .collect_view();
    view! {
        <div class="console-clock" role="group" aria-label=move || t_string!(i18n, console.clock).to_string()>
            <Clock cafe />
            <Button
                icon=Signal::derive(move || Some(if paused() { icondata_lu::LuPlay } else { icondata_lu::LuPause }))
                label=move || {
                    if paused() {
                        t_string!(i18n, console.resume).to_string()
                    } else {
                        t_string!(i18n, console.pause).to_string()
                    }
                }
                disabled=Signal::derive(move || !can_pause())
                on_click=move |_| send(if paused() { Command::ResumeRound } else { Command::PauseRound })
            />
            {more}
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(phase: Phase, index: Option<u8>, status: Option<RoundStatus>, vote_open: bool) -> Option<NextStep> {
        Situation { phase, round: RoundFacts { index, status, planned: 3 }, vote_open }.next()
    }

    #[test]
    fn every_situation_has_one_next_step() {
        use NextStep::{CloseVote, EndRound, GoTo, NextRound, Open, StartClock};
        let over = Some(RoundStatus::Over);
        let running = Some(RoundStatus::Running { ends_at: 1 });
        let moving = Some(RoundStatus::Moving { starts_at: 1 });
        for (now, next) in [
            (at(Phase::Draft, None, None, false), Some(Open)),
            (at(Phase::Lobby, None, None, false), Some(NextRound(0))),
            (at(Phase::Lobby, Some(2), over, false), Some(GoTo(Phase::Rounds))),
            (at(Phase::Rounds, None, None, false), Some(NextRound(0))),
            (at(Phase::Rounds, Some(0), moving, false), Some(StartClock(0))),
            (at(Phase::Rounds, Some(0), running, false), Some(EndRound(0))),
            (at(Phase::Rounds, Some(0), Some(RoundStatus::Paused { left: 1 }), false), Some(EndRound(0))),
            (at(Phase::Rounds, Some(0), over, false), Some(NextRound(1))),
            (at(Phase::Rounds, Some(2), over, false), Some(GoTo(Phase::Gallery))),
            (at(Phase::Gallery, Some(2), over, false), Some(GoTo(Phase::Harvest))),
            (at(Phase::Vote, Some(2), over, true), Some(CloseVote)),
            (at(Phase::Vote, Some(2), over, false), Some(GoTo(Phase::Plan))),
            (at(Phase::Review, Some(2), over, false), Some(GoTo(Phase::Closed))),
            (at(Phase::Closed, Some(2), over, false), None),
        ] {
            assert_eq!(now, next);
        }
    }
}

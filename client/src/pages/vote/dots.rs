//! One's own dots: a tap shows at once, and is sent in its turn. What the server says wins in the end.

use std::collections::BTreeMap;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::id::ThemeId;
use shared::workshop::Command;
use shared::workshop::view::VoteView;

use crate::i18n::{I18n, use_i18n};
use crate::state::cafe::Cafe;
use crate::ui::toast::{ToastKind, toast};

/// How long a dot that was accepted may wait for the view that shows it.
const PATIENCE: Duration = Duration::from_secs(4);

/// The reader's dots on each theme.
#[derive(Clone, Copy)]
pub struct Dots {
    cafe: Cafe,
    i18n: I18n,
    vote: Memo<Option<VoteView>>,
    /// What was tapped and is not yet shown by the view; the second number tells one tap from the next.
    wanted: RwSignal<BTreeMap<ThemeId, (u8, u32)>>,
    /// What is still to be sent, in order.
    unsent: StoredValue<Vec<ThemeId>>,
    sending: StoredValue<bool>,
    taps: StoredValue<u32>,
}

impl Dots {
    /// For one page.
    pub fn new(cafe: Cafe, vote: Memo<Option<VoteView>>) -> Self {
        let dots = Self {
            cafe,
            i18n: use_i18n(),
            vote,
            wanted: RwSignal::new(BTreeMap::new()),
            unsent: StoredValue::new(Vec::new()),
            sending: StoredValue::new(false),
            taps: StoredValue::new(0),
        };
        Effect::new(move || {
            vote.track();
            if !dots.sending.get_value() {
                dots.settle();
            }
        });
        dots
    }

    /// Dots on a theme, as the reader wants them.
    pub fn on(self, theme: &ThemeId) -> u8 {
        match self.wanted.with(|wanted| wanted.get(theme).copied()) {
            Some((dots, _)) => dots,
            None => self.vote.with(|vote| vote.as_ref().map_or(0, |vote| told(vote, theme))),
        }
    }

    /// Dots not yet placed.
    pub fn left(self) -> u32 {
        self.vote.with(|vote| {
            let Some(vote) = vote else { return 0 };
            let placed: u32 = vote.themes.iter().map(|theme| u32::from(self.on(&theme.id))).sum();
            u32::from(vote.dots).saturating_sub(placed)
        })
    }

    /// Puts so many dots on a theme.
    pub fn put(self, theme: &ThemeId, dots: u8) {
        let tap = self.taps.get_value() + 1;
        self.taps.set_value(tap);
        self.wanted.update(|wanted| {
            wanted.insert(theme.clone(), (dots, tap));
        });
        // Dots taken back go first, so that the server never counts too many.
        let fewer = self.vote.with_untracked(|vote| vote.as_ref().is_some_and(|vote| dots < told(vote, theme)));
        self.unsent.update_value(|unsent| {
            unsent.retain(|other| other != theme);
            let at = if fewer { 0 } else { unsent.len() };
            unsent.insert(at, theme.clone());
        });
        if !self.sending.get_value() {
            self.sending.set_value(true);
            spawn_local(async move { self.send_all().await });
        }
    }

    /// One command after the other, so that the last tap is the one that counts.
    async fn send_all(self) {
        while let Some(Some(theme)) =
            self.unsent.try_update_value(|unsent| (!unsent.is_empty()).then(|| unsent.remove(0)))
        {
            let wanted = self.wanted.try_with_untracked(|wanted| wanted.get(&theme).copied()).flatten();
            let Some((dots, tap)) = wanted else { continue };
            let answer = self.cafe.try_command(Command::CastVote { theme: theme.clone(), dots }).await;
            match answer {
                Ok(()) => set_timeout(move || self.forget(&theme, tap), PATIENCE),
                Err(error) => {
                    self.forget(&theme, tap);
                    toast(ToastKind::Bad, error.text(self.i18n));
                }
            }
        }
        if self.sending.try_update_value(|sending| *sending = false).is_some() {
            self.settle();
        }
    }

    /// What the view shows needs no remembering.
    fn settle(self) {
        let seen = self.wanted.with_untracked(|wanted| {
            self.vote.with_untracked(|vote| {
                let Some(vote) = vote else { return false };
                wanted.iter().any(|(theme, (dots, _))| told(vote, theme) == *dots)
            })
        });
        if seen {
            self.wanted.update(|wanted| {
                self.vote.with_untracked(|vote| {
                    if let Some(vote) = vote {
                        wanted.retain(|theme, (dots, _)| told(vote, theme) != *dots);
                    }
                });
            });
        }
    }

    fn forget(self, theme: &ThemeId, tap: u32) {
        let same = |wanted: &BTreeMap<ThemeId, (u8, u32)>| wanted.get(theme).is_some_and(|(_, last)| *last == tap);
        if self.wanted.try_with_untracked(same) == Some(true) {
            self.wanted.update(|wanted| {
                wanted.remove(theme);
            });
        }
    }
}

/// Dots on a theme as the server last said.
fn told(vote: &VoteView, theme: &ThemeId) -> u8 {
    vote.mine.iter().find(|(id, _)| id == theme).map_or(0, |(_, dots)| *dots)
}

//! When an approved action is looked at again, and how the plan stands: pure. Days are texts like `2026-12-21`, which sort as days do.

use std::cmp::Reverse;

use shared::id::{ActionId, Millis};
use shared::workshop::follow_up::{AFTER_DAYS, FollowUp, Progress};
use shared::workshop::state::{Decision, Verdict};

/// Days for which what is due is not late: people have to meet for it.
const GRACE: u8 = 7;

/// How a date stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// What was found is recorded.
    Recorded(Progress),
    /// Nothing is asked for: a later one was recorded, or the action is done or stopped.
    NotNeeded,
    /// Its day has not come.
    ToCome,
    /// Its day has come.
    Due,
    /// It came more than a week ago.
    Overdue,
}

/// One of an action's three dates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Date {
    /// Days after the decision.
    pub after_days: u8,
    /// The day.
    pub day: String,
    /// How it stands.
    pub standing: Standing,
}

/// The dates of an action that stands approved; none of another. `day_of` tells on which day a moment lies, or so many days later.
pub fn dates(
    decision: Option<&Decision>,
    found: &[FollowUp],
    today: &str,
    day_of: impl Fn(Millis, u8) -> String,
) -> Vec<Date> {
    let Some(decision) = decision.filter(|decision| decision.verdict == Verdict::Approve) else { return Vec::new() };
    let latest = latest(&decision.action, found);
    let over = latest.is_some_and(|found| matches!(found.progress, Progress::Done | Progress::Stopped));
    let date = |after_days: u8| {
        let day = day_of(decision.at, after_days);
        let here = found.iter().find(|f| f.action == decision.action && f.after_days == after_days);
        let standing = match here {
            Some(here) => Standing::Recorded(here.progress),
            None if over || latest.is_some_and(|found| found.after_days > after_days) => Standing::NotNeeded,
            None if *today < *day => Standing::ToCome,
            None if *today < *day_of(decision.at, after_days + GRACE) => Standing::Due,
            None => Standing::Overdue,
        };
        Date { after_days, day, standing }
    };
    AFTER_DAYS.map(date).into()
}

/// What was found of an action after most days.
pub fn latest<'a>(action: &ActionId, found: &'a [FollowUp]) -> Option<&'a FollowUp> {
    found.iter().filter(|found| found.action == *action).max_by_key(|found| found.after_days)
}

/// A follow-up that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueNow {
    /// Of which action.
    pub action: ActionId,
    /// Days after its decision.
    pub after_days: u8,
    /// Since when.
    pub day: String,
    /// Whether it is late.
    pub overdue: bool,
}

/// How the approved actions stand together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// How many are approved.
    pub approved: usize,
    /// How many are how far, by what was found last: as in [`Progress::ALL`].
    pub so_far: [usize; Progress::ALL.len()],
    /// How many nobody has looked at again.
    pub unheard: usize,
    /// What is due now, the longest due first.
    pub due: Vec<DueNow>,
    /// The next day on which something falls due.
    pub next: Option<String>,
}

impl Outlook {
    /// Of these actions, in the plan's order.
    pub fn new(
        actions: &[ActionId],
        decisions: &[Decision],
        found: &[FollowUp],
        today: &str,
        day_of: impl Fn(Millis, u8) -> String,
    ) -> Self {
        let mut outlook = Self::default();
        for action in actions {
            let decision = decisions.iter().find(|decision| decision.action == *action);
            let dates = dates(decision, found, today, &day_of);
            if dates.is_empty() {
                continue;
            }
            outlook.approved += 1;
            let at = latest(action, found).and_then(|f| Progress::ALL.iter().position(|p| *p == f.progress));
            match at {
                Some(at) => outlook.so_far[at] += 1,
                None => outlook.unheard += 1,
            }
            for Date { after_days, day, standing } in dates {
                match standing {
                    Standing::Due | Standing::Overdue => {
                        let overdue = standing == Standing::Overdue;
                        outlook.due.push(DueNow { action: action.clone(), after_days, day, overdue });
                    }
                    Standing::ToCome if outlook.next.as_ref().is_none_or(|next| day < *next) => {
                        outlook.next = Some(day);
                    }
                    _ => {}
                }
            }
        }
        // One that was missed is made up for by the next: of each action the latest is asked for.
        let all = std::mem::take(&mut outlook.due);
        for due in all.into_iter().rev() {
            if outlook.due.iter().all(|later| later.action != due.action) {
                outlook.due.push(due);
            }
        }
        outlook.due.reverse();
        outlook.due.sort_by_key(|due| (Reverse(due.overdue), due.day.clone()));
        outlook
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Days are counted from the first decision, and written so that they sort.
    const DAY: Millis = 86_400_000;

    fn day_of(at: Millis, later: u8) -> String {
        format!("{:04}", at / DAY + Millis::from(later))
    }

    fn decided(action: &str, verdict: Verdict, day: Millis) -> Decision {
        Decision { action: action.into(), verdict, reason: String::new(), name: "W".into(), at: day * DAY }
    }

    fn found(action: &str, after_days: u8, progress: Progress) -> FollowUp {
        let (measured, text) = (String::new(), String::new());
        FollowUp { action: action.into(), after_days, progress, measured, text, name: "W".into(), at: 0 }
    }

    fn standings(found: &[FollowUp], today: Millis) -> Vec<Standing> {
        let decision = decided("a", Verdict::Approve, 100);
        dates(Some(&decision), found, &day_of(today * DAY, 0), day_of).into_iter().map(|date| date.standing).collect()
    }

    #[test]
    fn p21_a_date_is_to_come_then_due_then_overdue() {
        use Standing::{Due, Overdue, ToCome};
        for (today, wanted) in [
            (100, [ToCome, ToCome, ToCome]),
            (129, [ToCome, ToCome, ToCome]),
            (130, [Due, ToCome, ToCome]),
            (136, [Due, ToCome, ToCome]),
            (137, [Overdue, ToCome, ToCome]),
            (160, [Overdue, Due, ToCome]),
            (400, [Overdue, Overdue, Overdue]),
        ] {
            assert_eq!(standings(&[], today), wanted, "day {today}");
        }
    }

    #[test]
    fn p21_what_is_recorded_is_asked_for_no_more_nor_what_came_before_it() {
        use Progress::{Done, Stopped, Underway};
        use Standing::{NotNeeded, Overdue, Recorded, ToCome};
        assert_eq!(standings(&[found("a", 30, Underway)], 131), [Recorded(Underway), ToCome, ToCome]);
        assert_eq!(standings(&[found("a", 60, Underway)], 400), [NotNeeded, Recorded(Underway), Overdue]);
        for over in [Done, Stopped] {
            assert_eq!(standings(&[found("a", 30, over)], 400), [Recorded(over), NotNeeded, NotNeeded]);
        }
        assert_eq!(standings(&[found("b", 30, Done)], 400), [Overdue; 3], "another action's");
    }

    #[test]
    fn p21_only_what_is_approved_has_dates() {
        for verdict in [Verdict::Decline, Verdict::Change] {
            assert_eq!(dates(Some(&decided("a", verdict, 1)), &[], "0400", day_of), []);
        }
        assert_eq!(dates(None, &[], "0400", day_of), []);
    }

    #[test]
    fn p21_the_outlook_counts_and_lists_what_is_due_the_longest_due_first() {
        let actions: Vec<ActionId> = ["a", "b", "c", "d", "e", "gone"].map(Into::into).into();
        let decisions = [
            decided("a", Verdict::Approve, 100),
            decided("b", Verdict::Approve, 90),
            decided("c", Verdict::Approve, 60),
            decided("d", Verdict::Decline, 60),
            decided("e", Verdict::Approve, 104),
            decided("not-in-the-plan", Verdict::Approve, 1),
        ];
        let all = [found("c", 30, Progress::Underway), found("c", 60, Progress::Done), found("d", 30, Progress::Done)];
        let outlook = Outlook::new(&actions, &decisions, &all, &day_of(133 * DAY, 0), day_of);
        assert_eq!((outlook.approved, outlook.so_far, outlook.unheard), (4, [0, 0, 1, 0], 3));
        let due: Vec<_> = outlook.due.iter().map(|d| (d.action.as_str(), d.after_days, d.overdue)).collect();
        assert_eq!(due, [("b", 30, true), ("a", 30, false)]);
        assert_eq!(outlook.next.as_deref(), Some("0134"), "of e");
        // Of several that were missed the latest is asked for.
        let outlook = Outlook::new(&actions, &decisions, &all, &day_of(195 * DAY, 0), day_of);
        let due: Vec<_> = outlook.due.iter().map(|d| (d.action.as_str(), d.after_days, d.overdue)).collect();
        assert_eq!(due, [("b", 90, true), ("a", 90, false), ("e", 90, false)]);
    }
}

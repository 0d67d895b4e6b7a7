//! Keeping a participant's view small: it is sent to everybody, several times a second, over meeting-room wifi.

use super::follow_up::FollowUp;
use super::journey::Counts;
use super::state::{Decision, Phase};
use super::view::{Part, Person, TableBrief, View};

/// Bytes of a view without its texts and lists, generously.
const FRAME: usize = 900;
/// Bytes that a follow-up takes beside its words.
const FOLLOW_UP: usize = 110;
/// Characters that are left of a reason, or of what a follow-up found, where all of them together are too long.
const REASON_CHARS: usize = 120;

/// Takes away what the reader needs least, until the view is at most so many bytes of JSON.
///
/// The vote is not counted: whoever votes must see every theme. Nor are the verdicts, and how far each action is: whoever made the plan sees what
/// became of each.
pub(super) fn fit(view: &mut View, bytes: usize) {
    // In the order of what is missed least. Their own table with its question is in the seat, and stays.
    let steps: [fn(&mut View); 11] = [
        |view| view.tables.iter_mut().for_each(|table| table.question.clear()),
        |view| {
            let (phase, now) = (view.phase, view.round.as_ref().map_or(0, |round| usize::from(round.index)));
            let wanted = |i: usize| phase == Phase::Rounds && (i == now || i == now + 1);
            for (_, round) in view.rounds.iter_mut().enumerate().filter(|(i, _)| !wanted(*i)) {
                round.question = None;
            }
        },
        |view| people(view).for_each(|person| person.department = None),
        |view| {
            if let Part::Participant(part) = &mut view.part {
                // The latest are at the end, and those are looked for.
                part.lobby.drain(..part.lobby.len() / 2);
            }
        },
        |view| {
            if view.phase > Phase::Lobby {
                view.purpose.clear();
            }
        },
        |view| {
            decisions(view).for_each(|decision| shorten(&mut decision.reason, REASON_CHARS));
            follow_ups(view).for_each(|found| shorten(&mut found.text, REASON_CHARS));
        },
        |view| {
            if let Part::Participant(part) = &mut view.part {
                keep_latest(&mut part.follow_ups);
            }
        },
        |view| {
            let (own, visited) = match &view.part {
                Part::Participant(part) => (part.seat.as_ref().map(|seat| seat.table.id), part.visited.clone()),
                _ => (None, Vec::new()),
            };
            view.tables.retain(|table| Some(table.id) == own || visited.contains(&table.id));
        },
        |view| follow_ups(view).for_each(|found| found.text.clear()),
        |view| decisions(view).for_each(|decision| decision.reason.clear()),
        |view| {
            follow_ups(view).for_each(|found| {
                found.measured.clear();
                found.name.clear();
            });
        },
    ];
    for step in steps {
        if weight(view) <= bytes {
            return;
        }
        step(view);
    }
}

fn people(view: &mut View) -> impl Iterator<Item = &mut Person> {
    let part = match &mut view.part {
        Part::Participant(part) => Some(part),
        _ => None,
    };
    part.into_iter().flat_map(|part| {
        part.lobby.iter_mut().chain(part.seat.as_mut().into_iter().flat_map(|seat| seat.people.iter_mut()))
    })
}

fn decisions(view: &mut View) -> impl Iterator<Item = &mut Decision> {
    let part = match &mut view.part {
        Part::Participant(part) => Some(part),
        _ => None,
    };
    part.into_iter().flat_map(|part| part.decisions.iter_mut())
}

fn follow_ups(view: &mut View) -> impl Iterator<Item = &mut FollowUp> {
    let part = match &mut view.part {
        Part::Participant(part) => Some(part),
        _ => None,
    };
    part.into_iter().flat_map(|part| part.follow_ups.iter_mut())
}

/// Of each action what was found last; they are in order of action and days.
fn keep_latest(all: &mut Vec<FollowUp>) {
    all.reverse();
    all.dedup_by(|earlier, latest| earlier.action == latest.action);
    all.reverse();
}

/// So many characters of a text; an ellipsis says that there are more.
pub(super) fn shorten(words: &mut String, chars: usize) {
    if let Some((cut, _)) = words.char_indices().nth(chars) {
        words.truncate(cut);
        words.push('…');
    }
}

/// At least as many bytes as the view has as JSON, its vote left out. Adding lengths is much cheaper than writing it.
fn weight(view: &View) -> usize {
    let mut sum = FRAME + text(&view.title) + text(&view.purpose) + text(&view.me.name) + 2 * view.me.id.0.len();
    sum += view.announcement.as_ref().map_or(0, |a| text(&a.text));
    sum += view.rounds.iter().map(|r| 48 + r.question.as_deref().map_or(0, text)).sum::<usize>();
    sum += view.tables.iter().map(table).sum::<usize>();
    if let Some(feelings) = &view.feelings {
        let stage =
            |counts: &Option<Counts>| 5 + counts.map_or(0, |counts| 7 + counts.map(digits).iter().sum::<usize>());
        sum += 64 + text(&feelings.line.label) + 12 * feelings.mine.len();
        sum += feelings.stages.iter().flatten().map(stage).sum::<usize>();
    }
    if let Part::Participant(part) = &view.part {
        sum += part.department.as_deref().map_or(0, text) + 6 * part.visited.len();
        sum += part.lobby.iter().map(person).sum::<usize>();
        sum += part.decisions.iter().map(|decision| text(&decision.reason)).sum::<usize>();
        sum += part.follow_ups.iter().map(|f| text(&f.measured) + text(&f.text) + text(&f.name)).sum::<usize>();
        // The latest of each action counts no more than its verdict.
        let earlier = part.follow_ups.windows(2).filter(|pair| pair[0].action == pair[1].action);
        sum += earlier.map(|pair| FOLLOW_UP + pair[0].action.as_str().len()).sum::<usize>();
        if let Some(seat) = &part.seat {
            sum += 64 + table(&seat.table) + seat.people.iter().map(person).sum::<usize>();
        }
    }
    sum
}

fn table(table: &TableBrief) -> usize {
    36 + text(&table.topic) + text(&table.question)
}

fn person(person: &Person) -> usize {
    56 + person.id.0.len() + text(&person.name) + person.department.as_deref().map_or(0, text)
}

fn digits(number: u32) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// Bytes of a text within quotes: the few characters that JSON escapes count double.
fn text(text: &str) -> usize {
    text.len() + text.bytes().filter(|b| matches!(b, b'"' | b'\\' | b'\n' | b'\t' | b'\r')).count()
}

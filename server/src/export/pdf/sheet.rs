//! What a document says, in its order and in words: the template only knows where it stands.

use serde::Serialize;
use shared::workshop::Language;
use shared::workshop::follow_up::Progress;
use shared::workshop::state::{Comment, Verdict};

use super::super::journey;
use super::super::plan::{ActionPart, DecisionPart, Export, FollowUpPart, Source};
use super::super::rows::origin;
use super::super::words::{Words, words};
use super::chart::{Chart, chart};
use super::fonts::Found;
use super::pen::Pen;
use crate::clock::utc;

/// Notes that are told of one action, as in the Word document.
const SOURCES: usize = 100;

/// Characters of a whole document, some two hundred pages of them. What does not fit is counted.
const ROOM: usize = 250_000;

/// Characters up to which two facts share a line.
const SHORT: usize = 16;

/// A whole document.
#[derive(Debug, Serialize)]
pub(super) struct Sheet<'a> {
    lang: &'static str,
    region: &'static str,
    fonts: &'a [String],
    title: String,
    plan: &'static str,
    about: String,
    purpose: String,
    figures: String,
    /// How the journey felt, in a sentence.
    felt: String,
    damaged: String,
    chart: Option<Chart>,
    nothing: &'static str,
    glance: Option<Table>,
    actions: Vec<Action>,
    more_actions: String,
    /// What is said beside the actions, each under a heading of its own.
    remarks: Vec<Remarks>,
    themes: Option<Themes>,
}

/// Rows of cells under their heads.
#[derive(Debug, Serialize)]
struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    more: String,
}

/// One action with all that is said of it.
#[derive(Debug, Serialize)]
struct Action {
    reference: String,
    title: String,
    rows: Vec<Row>,
    /// One or two facts a line, label and value.
    facts: Vec<Vec<(&'static str, String)>>,
    comments: Option<Row>,
}

/// A label and what stands beside it.
#[derive(Debug, Serialize)]
struct Row {
    label: &'static str,
    items: Vec<Item>,
    more: String,
}

/// A text, with what leads it and what only accompanies it.
#[derive(Debug, Default, Serialize)]
struct Item {
    lead: String,
    text: String,
    tail: String,
    /// A note that was taken away.
    struck: bool,
    /// `good`, `bad`, `warn`, or nothing in particular.
    tone: &'static str,
}

#[derive(Debug, Serialize)]
struct Remarks {
    heading: &'static str,
    items: Vec<Item>,
    more: String,
}

#[derive(Debug, Serialize)]
struct Themes {
    heading: &'static str,
    how: String,
    table: Table,
}

/// The document, and the characters in it that no font draws.
pub(super) fn sheet<'a>(export: &Export, found: &'a Found) -> (Sheet<'a>, String) {
    let (w, cafe) = (words(export.workshop.language), &export.workshop);
    let mut writer = Writer { w, pen: Pen::new(w, found, ROOM) };
    let pen = &mut writer.pen;
    let title = pen.line(&cafe.title);
    let about = format!("{} · {}{}{}", w.phase(cafe.phase), w.exported, w.colon, utc(export.exported_at));
    let about = pen.line(&about);
    let purpose = pen.said(&cafe.purpose);
    let figures = pen.said(&w.figures(export));
    let felt = match export.journey.as_ref().filter(|journey| journey.peak.is_some()) {
        Some(journey) => {
            let felt = journey::words(cafe.language);
            pen.said(&format!("{}{}{}", felt.title, w.colon, felt.headline(journey)))
        }
        None => String::new(),
    };
    let damaged = if export.damaged.is_empty() {
        String::new()
    } else {
        pen.said(&format!("{}{}{}", w.damaged, w.colon, export.damaged.join(w.comma)))
    };
    let chart = chart(&export.actions, w, pen);
    let glance = (!export.actions.is_empty()).then(|| writer.glance(&export.actions));
    let (actions, rest) = writer.some(&export.actions, usize::MAX, Writer::action);
    let more_actions = writer.more(rest);
    let mut remarks = Vec::new();
    if !export.other_decisions.is_empty() {
        let (decided, rest) = writer.some(&export.other_decisions, usize::MAX, |writer, d| {
            let decision =
                DecisionPart { verdict: d.verdict, reason: d.reason.clone(), name: d.name.clone(), at: d.at };
            let mut items = vec![writer.decision(&decision)];
            for found in export.other_follow_ups.iter().filter(|found| found.action == d.action) {
                let after = w.after(found.after_days);
                let mut found = writer.found(&found.clone().into());
                found.lead = format!("{after}{}{}", w.colon, found.lead);
                items.push(found);
            }
            items
        });
        let items = decided.into_iter().flatten().collect();
        remarks.push(Remarks { heading: w.other_decisions, items, more: writer.more(rest) });
    }
    if !export.comments.is_empty() {
        let (items, rest) = writer.some(&export.comments, usize::MAX, Writer::comment);
        remarks.push(Remarks { heading: w.comments_on_plan, items, more: writer.more(rest) });
    }
    let themes = writer.themes(export);
    let (lang, region) = match cafe.language {
        Language::ZhCn => ("zh", "CN"),
        Language::En => ("en", "GB"),
    };
    let sheet = Sheet {
        lang,
        region,
        fonts: found.families(cafe.language),
        title,
        plan: w.plan,
        about,
        purpose,
        figures,
        felt,
        damaged,
        chart,
        nothing: w.no_actions,
        glance,
        actions,
        more_actions,
        remarks,
        themes,
    };
    (sheet, writer.pen.missing())
}

struct Writer<'a> {
    w: &'static Words,
    pen: Pen<'a>,
}

impl Writer<'_> {
    /// As many of a list as there is room for, and how many are left.
    fn some<T, U>(&mut self, all: &[T], most: usize, one: impl Fn(&mut Self, &T) -> U) -> (Vec<U>, usize) {
        let mut told = Vec::new();
        for item in all.iter().take(most) {
            if self.pen.is_full() {
                break;
            }
            told.push(one(self, item));
        }
        let left = all.len() - told.len();
        (told, left)
    }

    /// Words for what is left; none if nothing is.
    fn more(&self, left: usize) -> String {
        if left == 0 { String::new() } else { self.w.more(left) }
    }

    /// All actions, a line each.
    fn glance(&mut self, actions: &[ActionPart]) -> Table {
        let w = self.w;
        let (rows, rest) = self.some(actions, usize::MAX, |writer, action| {
            let dots = action.dots().map(|dots| dots.to_string()).unwrap_or_default();
            let verdict = action.decision.as_ref().map_or("", |d| w.verdict(d.verdict));
            let pen = &mut writer.pen;
            let title = pen.title(&action.title);
            let [accountable, due] = [&action.accountable, &action.due].map(|text| pen.line(text));
            vec![action.reference.clone(), title, accountable, due, dots, verdict.to_owned()]
        });
        let head = vec![w.reference, w.action, w.accountable, w.due, w.dots, w.decision];
        Table { head, rows, more: self.more(rest) }
    }

    fn action(&mut self, action: &ActionPart) -> Action {
        let w = self.w;
        let title = if action.title.trim().is_empty() { w.untitled.to_owned() } else { self.pen.line(&action.title) };
        let mut rows = Vec::new();
        let mut push = |label, items: Vec<Item>, more| {
            if !items.is_empty() {
                rows.push(Row { label, items, more });
            }
        };
        push(w.decision, action.decision.iter().map(|d| self.decision(d)).collect(), String::new());
        for found in &action.follow_ups {
            push(w.after(found.after_days), vec![self.found(found)], String::new());
        }
        let reason = self.pen.said(&action.reason);
        let reason = (!reason.is_empty()).then(|| Item { text: reason, ..Item::default() });
        push(w.reason, reason.into_iter().collect(), String::new());
        let votes = action.votes.iter().map(|theme| Item {
            text: self.pen.title(&theme.title),
            tail: theme.dots.map(|dots| w.dots_counted(dots)).unwrap_or_default(),
            ..Item::default()
        });
        push(w.from_themes, votes.collect(), String::new());
        let (sources, rest) = self.some(&action.sources, SOURCES, Self::source);
        push(w.sources, sources, if rest == 0 { String::new() } else { w.more_notes(rest) });
        let facts = self.facts(action);
        let (comments, rest) = self.some(&action.comments, usize::MAX, Self::comment);
        let comments =
            (!action.comments.is_empty()).then(|| Row { label: w.comments, items: comments, more: self.more(rest) });
        Action { reference: action.reference.clone(), title, rows, facts, comments }
    }

    /// What is a line each: two that are short share one.
    fn facts(&mut self, action: &ActionPart) -> Vec<Vec<(&'static str, String)>> {
        let w = self.w;
        let stage = [(w.stage, action.stage.as_str().into())];
        let status = [(w.status, w.status_of(action).into())];
        let mut lines: Vec<Vec<(&'static str, String)>> = Vec::new();
        let mut is_open = false;
        for (label, value) in stage.into_iter().chain(w.facts(action)).chain(status) {
            let value = self.pen.said(&value);
            if value.is_empty() {
                continue;
            }
            let is_short = value.chars().map(|c| if c < '\u{2e80}' { 1 } else { 2 }).sum::<usize>() <= 2 * SHORT
                && !value.contains('\n');
            match lines.last_mut().filter(|_| is_open && is_short) {
                Some(line) => {
                    line.push((label, value));
                    is_open = false;
                }
                None => {
                    lines.push(vec![(label, value)]);
                    is_open = is_short;
                }
            }
        }
        lines
    }

    fn decision(&mut self, decision: &DecisionPart) -> Item {
        let tone = match decision.verdict {
            Verdict::Approve => "good",
            Verdict::Decline => "bad",
            Verdict::Change => "warn",
        };
        Item {
            lead: self.w.verdict(decision.verdict).to_owned(),
            text: self.pen.said(&decision.reason),
            tail: self.signed(&decision.name, decision.at),
            tone,
            ..Item::default()
        }
    }

    /// What became of an action.
    fn found(&mut self, found: &FollowUpPart) -> Item {
        let tone = match found.progress {
            Progress::Done => "good",
            Progress::Stopped => "bad",
            Progress::NotStarted | Progress::Underway => "warn",
        };
        let measured = self.pen.line(&found.measured);
        let said = self.pen.said(&found.text);
        let parts: Vec<_> = [measured, said].into_iter().filter(|part| !part.is_empty()).collect();
        Item {
            lead: self.w.progress(found.progress).to_owned(),
            text: parts.join(" · "),
            tail: self.signed(&found.name, found.at),
            tone,
            ..Item::default()
        }
    }

    fn comment(&mut self, comment: &Comment) -> Item {
        Item { text: self.pen.said(&comment.text), tail: self.signed(&comment.name, comment.at), ..Item::default() }
    }

    fn signed(&mut self, name: &str, at: u64) -> String {
        self.pen.line(&format!("{name}{}{}", self.w.comma, utc(at)))
    }

    fn source(&mut self, source: &Source) -> Item {
        let w = self.w;
        let said = if source.kind.is_empty() { w.not_found } else { &source.text };
        let said = if said.trim().is_empty() { "…" } else { said };
        Item {
            lead: w.kind(&source.kind).to_owned(),
            text: self.pen.said(said),
            tail: self.pen.line(&origin(source, w)),
            struck: source.deleted,
            tone: "",
        }
    }

    fn themes(&mut self, export: &Export) -> Option<Themes> {
        let w = self.w;
        if export.themes.is_empty() {
            return None;
        }
        let how = export
            .vote
            .as_ref()
            .map(|vote| if vote.open { w.vote_open.to_owned() } else { w.voters(vote.voters, vote.dots_per_person) });
        let mut themes: Vec<_> = export.themes.iter().collect();
        themes.sort_by_key(|theme| std::cmp::Reverse(theme.dots));
        let (rows, rest) = self.some(&themes, usize::MAX, |writer, theme| {
            let dots = theme.dots.map(|dots| dots.to_string()).unwrap_or_default();
            vec![writer.pen.title(&theme.title), dots, writer.pen.said(&theme.summary)]
        });
        let table = Table { head: vec![w.theme, w.dots, w.summary], rows, more: self.more(rest) };
        Some(Themes { heading: w.themes, how: how.unwrap_or_default(), table })
    }
}

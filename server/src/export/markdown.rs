//! The model as Markdown, complete and readable, in the café's language. The plan comes first: it is what people open it for.
//!
//! Everything that somebody typed goes through `escape`; only this file's own words are markup.

use std::collections::BTreeMap;

use shared::id::{Millis, NoteId};
use shared::workshop::journey::tenths_text;
use shared::workshop::state::{Comment, Verdict};

use super::escape::{block, line};
use super::plan::{ActionPart, CarriedPart, Export, FollowUpPart, NotePart, Source, TablePart, Turn};
use super::words::{Turned, Words, words};
use crate::clock::utc;

/// Replies nest this deep; deeper ones stand beside each other, or the page runs out of width.
const DEPTH: usize = 6;

/// The whole café as one Markdown document.
pub fn write(export: &Export) -> String {
    let mut page = Page { out: String::new(), words: words(export.workshop.language) };
    page.head(export);
    page.plan(export);
    page.themes(export);
    page.vote(export);
    page.journey(export);
    page.tables(export);
    page.rounds(export);
    page.people(export);
    page.timeline(export);
    page.out
}

struct Page {
    out: String,
    words: &'static Words,
}

impl Page {
    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// Own lines, with an empty one before and after.
    fn paragraph(&mut self, text: &str) {
        self.line("");
        self.line(text);
        self.line("");
    }

    fn heading(&mut self, level: usize, text: &str) {
        self.paragraph(&format!("{} {text}", "#".repeat(level)));
    }

    /// `- **label**: value`, unless there is nothing to say.
    fn field(&mut self, label: &str, value: &str) {
        if !value.trim().is_empty() {
            let colon = self.words.colon;
            self.line(&format!("- **{label}**{colon}{}", block(value, "  ")));
        }
    }

    fn head(&mut self, export: &Export) {
        let (w, cafe) = (self.words, &export.workshop);
        self.line(&format!("# {}", line(&cafe.title)));
        if !cafe.purpose.is_empty() {
            self.paragraph(&format!("> {}", block(&cafe.purpose, "> ")));
        } else {
            self.line("");
        }
        self.field(w.state, w.phase(cafe.phase));
        self.field(w.created, &utc(cafe.created_at));
        self.field(w.exported, &utc(export.exported_at));
        self.field(w.people, &w.people_counted(export.participants.len()));
        if !export.damaged.is_empty() {
            self.field(w.damaged, &export.damaged.join(", "));
        }
    }

    fn plan(&mut self, export: &Export) {
        let w = self.words;
        self.heading(2, w.plan);
        if export.actions.is_empty() {
            self.line(w.no_actions);
        }
        for action in &export.actions {
            self.action(action);
        }
        if !export.other_decisions.is_empty() {
            self.heading(3, w.other_decisions);
            for d in &export.other_decisions {
                let decision = self.decision(d.verdict, &d.reason, &d.name, d.at);
                self.line(&format!("- {decision}"));
                for found in export.other_follow_ups.iter().filter(|found| found.action == d.action) {
                    let found = self.found(&found.clone().into(), "    ");
                    self.line(&format!("  - {found}"));
                }
            }
        }
        if !export.comments.is_empty() {
            self.heading(3, w.comments_on_plan);
            self.comments(&export.comments, "");
        }
    }

    fn action(&mut self, action: &ActionPart) {
        let w = self.words;
        self.heading(3, &format!("{} {}", action.reference, self.or_untitled(&action.title)));
        if let Some(d) = &action.decision {
            let decision = self.decision(d.verdict, &d.reason, &d.name, d.at);
            self.line(&format!("- **{}**{}{decision}", w.decision, w.colon));
        }
        for found in &action.follow_ups {
            let found = self.found(found, "  ");
            self.line(&format!("- {found}"));
        }
        self.field(w.stage, &action.stage);
        self.field(w.reason, &action.reason);
        for (label, value) in w.facts(action) {
            self.field(label, &value);
        }
        self.field(w.from_themes, &action.themes.join(w.comma));
        self.field(w.status, w.status_of(action));
        if !action.sources.is_empty() {
            self.line(&format!("- **{}**{}", w.sources, w.colon.trim_end()));
            for source in &action.sources {
                let source = self.source(source, "    ");
                self.line(&format!("  - {source}"));
            }
        }
        if !action.comments.is_empty() {
            self.line(&format!("- **{}**{}", w.comments, w.colon.trim_end()));
            self.comments(&action.comments, "  ");
        }
    }

    fn decision(&self, verdict: Verdict, reason: &str, name: &str, at: Millis) -> String {
        let w = self.words;
        let reason = self.said(reason, "  ");
        format!("**{}**{reason} ({}{}{})", w.verdict(verdict), line(name), w.comma, utc(at))
    }

    /// What became of an action: how far, where its measure stands, what was found, and who says so.
    fn found(&self, found: &FollowUpPart, indent: &str) -> String {
        let w = self.words;
        let measured =
            if found.measured.trim().is_empty() { String::new() } else { format!(" · {}", line(&found.measured)) };
        let text = self.said(&found.text, indent);
        let (after, progress) = (w.after(found.after_days), w.progress(found.progress));
        format!(
            "**{after}**{}**{progress}**{measured}{text} ({}{}{})",
            w.colon,
            line(&found.name),
            w.comma,
            utc(found.at)
        )
    }

    /// Words behind what they explain, if there are any.
    fn said(&self, text: &str, indent: &str) -> String {
        if text.trim().is_empty() { String::new() } else { format!("{}{}", self.words.colon, block(text, indent)) }
    }

    fn comments(&mut self, comments: &[Comment], indent: &str) {
        let colon = self.words.colon;
        for c in comments {
            let text = block(&c.text, &format!("{indent}  "));
            self.line(&format!("{indent}- {} ({}){colon}{text}", line(&c.name), utc(c.at)));
        }
    }

    fn source(&self, source: &Source, indent: &str) -> String {
        let w = self.words;
        let text = if source.kind.is_empty() { w.not_found.to_owned() } else { self.note_text(&source.text, indent) };
        let text = if source.deleted { format!("~~{}~~", line(&source.text)) } else { text };
        let place = format!("{} {}{}{}", w.table(source.table), w.quotes.0, line(&source.topic), w.quotes.1);
        format!(
            "**{}** {text} ({})",
            w.kind(&source.kind),
            self.origin(
                [Some(place), self.carried(source.carried_from.as_ref())],
                source.round,
                source.author.as_deref(),
                source.stars
            )
        )
    }

    fn note_text(&self, text: &str, indent: &str) -> String {
        if text.trim().is_empty() { "…".to_owned() } else { block(text, indent) }
    }

    /// Where a note comes from, as far as it is known.
    fn origin(
        &self,
        [place, carried]: [Option<String>; 2],
        round: Option<u16>,
        author: Option<&str>,
        stars: usize,
    ) -> String {
        let round = round.map(|round| self.words.round(round));
        let stars = (stars > 0).then(|| format!("★ {stars}"));
        [place, author.map(line), round, carried, stars].into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }

    fn carried(&self, from: Option<&CarriedPart>) -> Option<String> {
        from.map(|from| self.words.carried(from, line))
    }

    fn themes(&mut self, export: &Export) {
        let w = self.words;
        if export.themes.is_empty() && export.unplaced.is_empty() {
            return;
        }
        self.heading(2, w.themes);
        for theme in &export.themes {
            let dots = theme.dots.map(|dots| format!(" ({})", w.dots_counted(dots))).unwrap_or_default();
            self.heading(3, &format!("{}{dots}", self.or_untitled(&theme.title)));
            if !theme.summary.trim().is_empty() {
                self.line(&block(&theme.summary, ""));
                self.line("");
            }
            self.sources(&theme.notes);
        }
        if !export.unplaced.is_empty() {
            self.heading(3, &format!("{} ({})", w.unplaced, export.unplaced.len()));
            self.sources(&export.unplaced);
        }
    }

    fn sources(&mut self, sources: &[Source]) {
        for source in sources {
            let source = self.source(source, "  ");
            self.line(&format!("- {source}"));
        }
    }

    fn vote(&mut self, export: &Export) {
        let w = self.words;
        let Some(vote) = &export.vote else { return };
        self.heading(2, w.vote);
        self.line(&w.voters(vote.voters, vote.dots_per_person));
        self.line("");
        if vote.open {
            self.line(w.vote_open);
            return;
        }
        self.line(&format!("| {} | {} |", w.theme, w.dots));
        self.line("| --- | ---: |");
        for theme in &vote.themes {
            let dots = theme.dots.map(|dots| dots.to_string()).unwrap_or_default();
            self.line(&format!("| {} | {dots} |", self.or_untitled(&theme.title)));
        }
    }

    fn journey(&mut self, export: &Export) {
        let Some(journey) = &export.journey else { return };
        let (w, words) = (self.words, super::journey::words(export.workshop.language));
        self.heading(2, words.title);
        self.line(&line(&words.headline(journey)));
        self.paragraph(&line(&words.line_at(&journey.line)));
        let scores = words.scores.join(" | ");
        self.line(&format!(
            "| {} | {} | {} | {} | {scores} |",
            words.stage, words.answers, words.mean, words.middle_half
        ));
        self.line("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        for stage in &journey.stages {
            let name = format!("{} {}", w.table(stage.table), line(&stage.topic));
            let Some(felt) = &stage.felt else {
                self.line(&format!("| {name} | {} |  |  |  |  |  |  |  |", words.too_few));
                continue;
            };
            let counts = felt.counts.iter().map(u32::to_string).collect::<Vec<_>>().join(" | ");
            let (mean, half) = (tenths_text(felt.mean_tenths), format!("{} … {}", felt.lower, felt.upper));
            self.line(&format!("| {name} | {} | {mean} | {half} | {counts} |", felt.scores));
        }
    }

    fn tables(&mut self, export: &Export) {
        self.heading(2, self.words.tables);
        for table in &export.tables {
            self.table(table);
        }
    }

    fn table(&mut self, table: &TablePart) {
        let w = self.words;
        self.heading(3, &format!("{}{}{}", w.table(table.number), w.colon, line(&table.topic)));
        if !table.question.is_empty() {
            self.line(&format!("> {}", block(&table.question, "> ")));
            self.line("");
        }
        self.field(w.host, table.host.as_deref().unwrap_or_default());
        let handover = &table.handover;
        let parts = [(w.so_far, &handover.so_far), (w.open, &handover.open), (w.build_here, &handover.build_here)];
        if parts.iter().any(|(_, text)| !text.trim().is_empty()) {
            self.line(&format!("- **{}**{}", w.handover, w.colon.trim_end()));
            for (label, text) in parts.into_iter().filter(|(_, text)| !text.trim().is_empty()) {
                self.line(&format!("  - **{label}**{}{}", w.colon, block(text, "    ")));
            }
        }
        self.line("");
        if table.notes.is_empty() {
            self.line(w.no_notes);
        }
        for (depth, note) in threads(&table.notes) {
            let indent = "  ".repeat(depth.min(DEPTH));
            let text = self.note_text(&note.text, &format!("{indent}  "));
            let origin = self.origin(
                [None, self.carried(note.carried_from.as_ref())],
                note.round,
                note.author.as_deref(),
                note.stars,
            );
            let origin = if origin.is_empty() { origin } else { format!(" ({origin})") };
            let and = if depth > 0 { "↳ " } else { "" };
            self.line(&format!("{indent}- {and}**{}** {text}{origin}", w.kind(&note.kind)));
        }
        let gone: Vec<_> = table.notes.iter().filter(|note| note.deleted).collect();
        if !gone.is_empty() {
            self.paragraph(&format!("{}{}", w.taken_away, w.colon.trim_end()));
            for note in gone {
                let origin = self.origin(
                    [None, self.carried(note.carried_from.as_ref())],
                    note.round,
                    note.author.as_deref(),
                    note.stars,
                );
                self.line(&format!("- **{}** ~~{}~~ ({origin})", w.kind(&note.kind), line(&note.text)));
            }
        }
    }

    fn rounds(&mut self, export: &Export) {
        let w = self.words;
        self.heading(2, w.rounds);
        for round in &export.rounds {
            let question = round.question.as_deref().unwrap_or_default();
            let colon = if question.is_empty() { "" } else { w.colon };
            self.line(&format!(
                "- **{}** ({} {}){colon}{}",
                w.round(round.number),
                round.minutes,
                w.minutes,
                block(question, "  ")
            ));
            let mut tables: BTreeMap<_, Vec<String>> = BTreeMap::new();
            for seat in &round.seats {
                tables.entry(seat.table).or_default().push(line(&seat.name));
            }
            for (table, names) in tables {
                self.line(&format!("  - {}{}{}", w.table(table), w.colon, names.join(w.comma)));
            }
        }
    }

    fn people(&mut self, export: &Export) {
        let w = self.words;
        if export.participants.is_empty() {
            return;
        }
        self.heading(2, w.people);
        self.line(&format!("| {} | {} | {} |", w.name, w.department, w.notes));
        self.line("| --- | --- | --- |");
        for person in &export.participants {
            let hosts = person.host_of.iter().map(|table| format!("{} ({})", w.host, w.table(table)));
            let left = person.left.then(|| w.left.to_owned());
            let remarks: Vec<_> = hosts.chain(left).collect();
            let department = line(person.department.as_deref().unwrap_or_default());
            self.line(&format!("| {} | {department} | {} |", line(&person.name), remarks.join(w.comma)));
        }
    }

    fn timeline(&mut self, export: &Export) {
        let w = self.words;
        self.heading(2, w.timeline);
        for moment in &export.timeline {
            let what = match &moment.turn {
                Turn::Created => w.created.to_owned(),
                Turn::Phase { phase } => format!("**{}**", w.phase(*phase)),
                Turn::RoundSeated { round, people } => {
                    format!("{} {} ({})", w.round(*round), w.turn(Turned::RoundSeated), w.people_counted(*people))
                }
                Turn::RoundStarted { round } => format!("{} {}", w.round(*round), w.turn(Turned::RoundStarted)),
                Turn::RoundEnded { round } => format!("{} {}", w.round(*round), w.turn(Turned::RoundEnded)),
                Turn::Announced { text } => format!("{}{}{}", w.turn(Turned::Announced), w.colon, block(text, "  ")),
                Turn::VoteOpened { themes } => format!("{} ({} {themes})", w.turn(Turned::VoteOpened), w.themes),
                Turn::VoteClosed => w.turn(Turned::VoteClosed).to_owned(),
            };
            self.line(&format!("- {}  {what}", utc(moment.at)));
        }
    }

    fn or_untitled(&self, title: &str) -> String {
        if title.trim().is_empty() { self.words.untitled.to_owned() } else { line(title) }
    }
}

/// Notes that are not taken away with the depth of their thread: each under the note it builds on, otherwise in the order of writing. A
/// note whose predecessor is gone, or which builds on itself in a circle, begins a thread of its own.
fn threads(notes: &[NotePart]) -> Vec<(usize, &NotePart)> {
    let here: BTreeMap<&NoteId, usize> =
        notes.iter().enumerate().filter(|(_, n)| !n.deleted).map(|(i, n)| (&n.id, i)).collect();
    let parent = |i: usize| notes[i].builds_on.as_ref().and_then(|id| here.get(id)).copied();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); notes.len()];
    let mut roots = Vec::new();
    for &i in here.values().collect::<std::collections::BTreeSet<_>>() {
        match parent(i) {
            Some(above) => children[above].push(i),
            None => roots.push(i),
        }
    }
    let mut seen = vec![false; notes.len()];
    let mut out = Vec::with_capacity(here.len());
    let mut walk = |root: usize, out: &mut Vec<_>| {
        let mut stack = vec![(0, root)];
        while let Some((depth, i)) = stack.pop() {
            if !std::mem::replace(&mut seen[i], true) {
                out.push((depth, &notes[i]));
                stack.extend(children[i].iter().rev().map(|child| (depth + 1, *child)));
            }
        }
    };
    roots.into_iter().for_each(|root| walk(root, &mut out));
    // What is left lies in circles.
    (0..notes.len()).filter(|i| !notes[*i].deleted).for_each(|i| walk(i, &mut out));
    out
}

#[cfg(test)]
mod tests;

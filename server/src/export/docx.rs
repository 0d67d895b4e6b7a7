//! The plan as a Word document, to be read, printed and written on: the café in figures, the plan at a glance, then each action with all that
//! is said of it.
//!
//! What people wrote is the text of runs and nothing else: no links and no fields are made of it. The one field is the page's number.

use std::io::{self, Cursor};

use docx_rs::{
    AlignmentType, BreakType, Docx, Footer, LineSpacing, PageMargin, PageNum, Paragraph, Run, RunFonts, Shading, Style,
    StyleType, Table, TableBorder, TableBorderPosition, TableBorders, TableCell, TableCellMargins, TableLayoutType,
    TableRow, WidthType,
};
use shared::workshop::Language;
use shared::workshop::state::Comment;

use super::escape::plain;
use super::plan::{ActionPart, DecisionPart, Export, FollowUpPart, Source};
use super::rows::{fitting, origin};
use super::words::{Words, words};
use crate::clock::utc;

/// Notes that are told of one action. Nobody reads more on paper, and an action may rest on all notes of a café.
const SOURCES: usize = 100;

/// Width between the margins of an A4 page, in twentieths of a point.
const WIDTH: usize = 9_638;

/// Colour of what stands behind labels.
const SHADE: &str = "EEF2F6";

/// Colour of lines.
const LINES: &str = "BFC7D1";

/// Colour of words that only accompany others.
const QUIET: &str = "5F6B7A";

/// The plan as a document.
///
/// # Errors
/// None that are known: it is written to memory.
pub fn write(export: &Export) -> io::Result<Vec<u8>> {
    let page = Page { words: words(export.workshop.language) };
    let mut out = empty(export);
    out = page.head(out, export);
    out = page.plan(out, export);
    out = page.themes(out, export);
    let mut file = Cursor::new(Vec::new());
    out.pack(&mut file).map_err(io::Error::other)?;
    Ok(file.into_inner())
}

/// A page of A4 with its fonts and headings. Word picks a font for each character by its script; without a name for Chinese it takes one that
/// has no matching bold.
fn empty(export: &Export) -> Docx {
    let latin = match export.workshop.language {
        Language::ZhCn => "Microsoft YaHei",
        Language::En => "Calibri",
    };
    let fonts = RunFonts::new().ascii(latin).hi_ansi(latin).cs(latin).east_asia("Microsoft YaHei");
    let heading = |id: &str, name: &str, level: usize, size: usize, before: u32| {
        Style::new(id, StyleType::Paragraph)
            .name(name)
            .based_on("Normal")
            .next("Normal")
            .q_format(true)
            .size(size)
            .bold()
            .outline_lvl(level)
            .line_spacing(LineSpacing::new().before(before).after(120))
    };
    let made = utc(export.exported_at).trim_end_matches(" UTC").replace(' ', "T") + ":00Z";
    let number = Paragraph::new().align(AlignmentType::Center).add_page_num(PageNum::new());
    Docx::new()
        .page_size(11_906, 16_838)
        .page_margin(PageMargin {
            top: 1_134,
            right: 1_134,
            bottom: 1_134,
            left: 1_134,
            header: 567,
            footer: 567,
            gutter: 0,
        })
        .default_fonts(fonts)
        .default_size(21)
        .default_line_spacing(LineSpacing::new().after(80))
        .add_style(
            Style::new("Title", StyleType::Paragraph)
                .name("Title")
                .based_on("Normal")
                .next("Normal")
                .q_format(true)
                .size(44)
                .bold()
                .line_spacing(LineSpacing::new().after(80)),
        )
        .add_style(heading("Heading1", "heading 1", 0, 30, 360))
        .add_style(heading("Heading2", "heading 2", 1, 24, 280))
        .created_at(&made)
        .updated_at(&made)
        .footer(Footer::new().add_paragraph(number))
}

struct Page {
    words: &'static Words,
}

impl Page {
    fn head(&self, out: Docx, export: &Export) -> Docx {
        let (w, cafe) = (self.words, &export.workshop);
        let mut out = out
            .add_paragraph(Paragraph::new().style("Title").add_run(self.one_line(&cafe.title)))
            .add_paragraph(Paragraph::new().add_run(self.quiet(&format!(
                "{} · {} · {}{}{}",
                w.plan,
                w.phase(cafe.phase),
                w.exported,
                w.colon,
                utc(export.exported_at)
            ))));
        if !cafe.purpose.trim().is_empty() {
            out = out.add_paragraph(Paragraph::new().add_run(self.said(&cafe.purpose)));
        }
        out = out.add_paragraph(Paragraph::new().add_run(self.said(&w.figures(export))));
        if let Some(journey) = export.journey.as_ref().filter(|journey| journey.peak.is_some()) {
            let felt = super::journey::words(cafe.language);
            let said = format!("{}{}{}", felt.title, w.colon, felt.headline(journey));
            out = out.add_paragraph(Paragraph::new().add_run(self.said(&said)));
        }
        if !export.damaged.is_empty() {
            let missing = format!("{}{}{}", w.damaged, w.colon, export.damaged.join(w.comma));
            out = out.add_paragraph(Paragraph::new().add_run(self.said(&missing).bold()));
        }
        out
    }

    fn plan(&self, out: Docx, export: &Export) -> Docx {
        let w = self.words;
        let mut out = out.add_paragraph(heading(1).add_run(self.said(w.plan)));
        out = if export.actions.is_empty() {
            out.add_paragraph(Paragraph::new().add_run(self.said(w.no_actions)))
        } else {
            out.add_table(self.glance(&export.actions))
        };
        for action in &export.actions {
            out = self.action(out, action);
        }
        if !export.other_decisions.is_empty() {
            out = out.add_paragraph(heading(1).add_run(self.said(w.other_decisions)));
            for d in &export.other_decisions {
                let decision =
                    DecisionPart { verdict: d.verdict, reason: d.reason.clone(), name: d.name.clone(), at: d.at };
                out = out.add_paragraph(self.decision(&decision));
                for found in export.other_follow_ups.iter().filter(|found| found.action == d.action) {
                    let after = self.said(w.after(found.after_days)).bold();
                    let said = self.found(&found.clone().into(), Paragraph::new().add_run(after).add_run(own(w.colon)));
                    out = out.add_paragraph(said);
                }
            }
        }
        if !export.comments.is_empty() {
            out = out.add_paragraph(heading(1).add_run(self.said(w.comments_on_plan)));
            for comment in &export.comments {
                out = out.add_paragraph(self.comment(comment));
            }
        }
        out
    }

    /// All actions, a line each.
    fn glance(&self, actions: &[ActionPart]) -> Table {
        let w = self.words;
        let widths = [700, 3_338, 1_700, 1_500, 900, 1_500];
        let head = [w.reference, w.action, w.accountable, w.due, w.dots, w.decision];
        let head = head.map(|label| Paragraph::new().add_run(self.said(label).bold()));
        let mut rows = vec![row(&widths, head, true)];
        for action in actions {
            let dots = action.dots().map(|dots| dots.to_string()).unwrap_or_default();
            let verdict = action.decision.as_ref().map_or("", |d| w.verdict(d.verdict));
            let title = self.one_line(self.named(&action.title));
            let cells = [&action.reference, "", &action.accountable, &action.due, &dots, verdict];
            let mut cells = cells.map(|text| Paragraph::new().add_run(self.one_line(text)));
            cells[1] = Paragraph::new().add_run(title);
            rows.push(row(&widths, cells, false));
        }
        table(rows, &widths)
    }

    fn action(&self, out: Docx, action: &ActionPart) -> Docx {
        let w = self.words;
        let title = self.one_line(&format!("{} {}", action.reference, self.named(&action.title)));
        let mut facts: Vec<(&str, Vec<Paragraph>)> = Vec::new();
        if let Some(decision) = &action.decision {
            facts.push((w.decision, vec![self.decision(decision)]));
        }
        for found in &action.follow_ups {
            facts.push((w.after(found.after_days), vec![self.found(found, Paragraph::new())]));
        }
        facts.push((w.reason, self.value(&action.reason)));
        facts.push((w.from_themes, action.votes.iter().map(|theme| self.vote(&theme.title, theme.dots)).collect()));
        facts.push((w.sources, self.sources(&action.sources)));
        facts.push((w.stage, self.value(&action.stage)));
        facts.extend(w.facts(action).map(|(label, value)| (label, self.value(&value))));
        facts.push((w.status, self.value(w.status_of(action))));
        facts.push((w.comments, action.comments.iter().map(|c| self.comment(c)).collect()));
        let widths = [1_900, WIDTH - 1_900];
        let rows = facts.into_iter().filter(|(_, value)| !value.is_empty()).map(|(label, value)| {
            let label = Paragraph::new().add_run(self.said(label).bold());
            let label = cell(widths[0], [label]).shading(Shading::new().fill(SHADE));
            TableRow::new(vec![label, cell(widths[1], value)])
        });
        out.add_paragraph(heading(2).add_run(title)).add_table(table(rows.collect(), &widths))
    }

    fn value(&self, text: &str) -> Vec<Paragraph> {
        let said = (!text.trim().is_empty()).then(|| Paragraph::new().add_run(self.said(text)));
        said.into_iter().collect()
    }

    fn decision(&self, decision: &DecisionPart) -> Paragraph {
        let w = self.words;
        let mut paragraph = Paragraph::new().add_run(self.said(w.verdict(decision.verdict)).bold());
        if !decision.reason.trim().is_empty() {
            paragraph = paragraph.add_run(own(w.colon)).add_run(self.said(&decision.reason));
        }
        paragraph.add_run(self.signed(&decision.name, decision.at))
    }

    /// What became of an action, behind what the paragraph says already.
    fn found(&self, found: &FollowUpPart, paragraph: Paragraph) -> Paragraph {
        let w = self.words;
        let mut paragraph = paragraph.add_run(self.said(w.progress(found.progress)).bold());
        if !found.measured.trim().is_empty() {
            paragraph = paragraph.add_run(own(" · ")).add_run(self.said(&found.measured));
        }
        if !found.text.trim().is_empty() {
            paragraph = paragraph.add_run(own(w.colon)).add_run(self.said(&found.text));
        }
        paragraph.add_run(self.signed(&found.name, found.at))
    }

    fn comment(&self, comment: &Comment) -> Paragraph {
        Paragraph::new().add_run(self.said(&comment.text)).add_run(self.signed(&comment.name, comment.at))
    }

    fn signed(&self, name: &str, at: u64) -> Run {
        self.quiet(&format!(" ({}{}{})", flat(name), self.words.comma, utc(at)))
    }

    fn vote(&self, title: &str, dots: Option<u32>) -> Paragraph {
        let paragraph = Paragraph::new().add_run(self.one_line(self.named(title)));
        match dots {
            Some(dots) => paragraph.add_run(self.quiet(&format!(" ({})", self.words.dots_counted(dots)))),
            None => paragraph,
        }
    }

    fn sources(&self, sources: &[Source]) -> Vec<Paragraph> {
        let w = self.words;
        let mut all: Vec<_> = sources.iter().take(SOURCES).map(|source| self.source(source)).collect();
        if sources.len() > SOURCES {
            all.push(Paragraph::new().add_run(self.quiet(&w.more_notes(sources.len() - SOURCES))));
        }
        all
    }

    fn source(&self, source: &Source) -> Paragraph {
        let w = self.words;
        let said = if source.kind.is_empty() { w.not_found } else { &source.text };
        let said = if said.trim().is_empty() { self.said("…") } else { self.said(said) };
        let said = if source.deleted { said.strike() } else { said };
        Paragraph::new()
            .add_run(self.said(w.kind(&source.kind)).bold())
            .add_run(own(w.colon))
            .add_run(said)
            .add_run(self.quiet(&flat(&format!(" ({})", origin(source, w)))))
    }

    fn themes(&self, out: Docx, export: &Export) -> Docx {
        let w = self.words;
        if export.themes.is_empty() {
            return out;
        }
        let mut out = out.add_paragraph(heading(1).add_run(self.said(w.themes)));
        if let Some(vote) = &export.vote {
            let how = if vote.open { w.vote_open.to_owned() } else { w.voters(vote.voters, vote.dots_per_person) };
            out = out.add_paragraph(Paragraph::new().add_run(self.quiet(&how)));
        }
        let mut themes: Vec<_> = export.themes.iter().collect();
        themes.sort_by_key(|theme| std::cmp::Reverse(theme.dots));
        let widths = [3_400, 900, WIDTH - 4_300];
        let head = [w.theme, w.dots, w.summary].map(|label| Paragraph::new().add_run(self.said(label).bold()));
        let mut rows = vec![row(&widths, head, true)];
        for theme in themes {
            let dots = theme.dots.map(|dots| dots.to_string()).unwrap_or_default();
            let cells = [self.one_line(self.named(&theme.title)), self.said(&dots), self.said(&theme.summary)];
            rows.push(row(&widths, cells.map(|run| Paragraph::new().add_run(run)), false));
        }
        out.add_table(table(rows, &widths))
    }

    fn named<'a>(&self, title: &'a str) -> &'a str {
        if title.trim().is_empty() { self.words.untitled } else { title }
    }

    /// A text with its line breaks.
    fn said(&self, text: &str) -> Run {
        let text = plain(text);
        let text = fitting(&text, self.words);
        let mut run = Run::new();
        for (at, line) in text.split('\n').enumerate() {
            if at > 0 {
                run = run.add_break(BreakType::TextWrapping);
            }
            run = run.add_text(line);
        }
        run
    }

    /// A text on one line.
    fn one_line(&self, text: &str) -> Run {
        Run::new().add_text(fitting(flat(text).trim(), self.words))
    }

    /// Words of ours, and what they enclose, that only accompany others.
    fn quiet(&self, text: &str) -> Run {
        Run::new().add_text(fitting(text, self.words)).color(QUIET)
    }
}

/// Words of ours as they are, with the spaces around them.
fn own(text: &str) -> Run {
    Run::new().add_text(text)
}

/// On one line; spaces at the ends stay spaces.
fn flat(text: &str) -> String {
    let words: Vec<_> = plain(text).split_whitespace().map(str::to_owned).collect();
    let before = if text.starts_with(' ') { " " } else { "" };
    format!("{before}{}", words.join(" "))
}

fn heading(level: u8) -> Paragraph {
    Paragraph::new().style(if level == 1 { "Heading1" } else { "Heading2" }).keep_next(true)
}

fn cell(width: usize, paragraphs: impl IntoIterator<Item = Paragraph>) -> TableCell {
    let spacing = || LineSpacing::new().before(30).after(30);
    paragraphs
        .into_iter()
        .fold(TableCell::new().width(width, WidthType::Dxa), |cell, p| cell.add_paragraph(p.line_spacing(spacing())))
}

fn row<const N: usize>(widths: &[usize; N], paragraphs: [Paragraph; N], head: bool) -> TableRow {
    let shaded = |cell: TableCell| if head { cell.shading(Shading::new().fill(SHADE)) } else { cell };
    let cells = widths.iter().zip(paragraphs).map(|(width, paragraph)| shaded(cell(*width, [paragraph])));
    TableRow::new(cells.collect()).cant_split()
}

fn table(rows: Vec<TableRow>, widths: &[usize]) -> Table {
    use TableBorderPosition::{Bottom, InsideH, InsideV, Left, Right, Top};
    let line = |position| TableBorder::new(position).color(LINES).size(4);
    let borders = [Top, Bottom, Left, Right, InsideH, InsideV];
    let borders = borders.into_iter().fold(TableBorders::with_empty(), |all, position| all.set(line(position)));
    Table::new(rows)
        .set_grid(widths.to_vec())
        .width(WIDTH, WidthType::Dxa)
        .layout(TableLayoutType::Fixed)
        .margins(TableCellMargins::new().margin(40, 100, 40, 100))
        .set_borders(borders)
}

#[cfg(test)]
mod tests;

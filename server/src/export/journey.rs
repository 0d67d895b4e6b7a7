//! How the journey felt, in documents: its words, its sentence, and its table.

use shared::id::TableId;
use shared::workshop::Language;
use shared::workshop::journey::{Line, tenths_text};

use super::plan::{Export, FeltPart, JourneyPart, StagePart};
use super::rows::{Cell, Table, columns, text};
use super::words::{Words, words as common};

/// What documents say of a journey in one language.
pub(super) struct JourneyWords {
    pub title: &'static str,
    pub stage: &'static str,
    pub answers: &'static str,
    pub mean: &'static str,
    pub middle_half: &'static str,
    pub too_few: &'static str,
    lower: &'static str,
    median: &'static str,
    upper: &'static str,
    below: &'static str,
    peak: &'static str,
    trough: &'static str,
    end: &'static str,
    /// The scores, the lowest first.
    pub scores: [&'static str; 5],
    /// The line's usual name.
    pub line: &'static str,
    nothing: &'static str,
    language: Language,
}

pub(super) fn words(language: Language) -> &'static JourneyWords {
    match language {
        Language::ZhCn => &ZH_CN,
        Language::En => &EN,
    }
}

impl JourneyWords {
    fn common(&self) -> &'static Words {
        common(self.language)
    }

    /// What the line is called, and where it lies.
    pub(super) fn line_at(&self, line: &Line) -> String {
        let name = if line.label.is_empty() { self.line } else { &line.label };
        format!("{name}{}{}", self.common().colon, tenths_text(line.level.into()))
    }

    /// What stays of a journey: its peak, its trough, its end, and what falls below the line.
    pub(super) fn headline(&self, journey: &JourneyPart) -> String {
        let told = |table: Option<TableId>| {
            let stage = journey.stages.iter().find(|stage| Some(stage.table) == table)?;
            Some((self.name(stage), tenths_text(stage.felt.as_ref()?.mean_tenths)))
        };
        let (Some((peak, best)), Some((trough, worst)), Some((end, last))) =
            (told(journey.peak), told(journey.trough), told(journey.end))
        else {
            return self.nothing.to_owned();
        };
        let is_below = |felt: &FeltPart| felt.below;
        let below = journey.stages.iter().filter(|stage| stage.felt.as_ref().is_some_and(is_below));
        let below = below.map(|stage| self.name(stage)).collect::<Vec<_>>().join(self.common().comma);
        let label = &journey.line.label;
        let quoted = format!("{}{label}{}", self.common().quotes.0, self.common().quotes.1);
        match self.language {
            Language::ZhCn => {
                let line = if label.is_empty() { "底线" } else { &quoted };
                let fallen = if below.is_empty() {
                    format!("没有阶段低于{line}。")
                } else {
                    format!("低于{line}的阶段：{below}。")
                };
                format!("峰值：{peak}（{best}）。低谷：{trough}（{worst}）。终值：{end}（{last}）。{fallen}")
            }
            Language::En => {
                let line = if label.is_empty() { "the line" } else { &quoted };
                let fallen = if below.is_empty() {
                    format!("No stage falls below {line}.")
                } else {
                    format!("Below {line}: {below}.")
                };
                format!("Peak: {peak} ({best}). Trough: {trough} ({worst}). End: {end} ({last}). {fallen}")
            }
        }
    }

    fn name(&self, stage: &StagePart) -> String {
        let topic = stage.topic.trim();
        if topic.is_empty() { self.common().table(stage.table) } else { topic.to_owned() }
    }
}

/// Each stage in a row; none where the café does not ask.
pub(super) fn table(export: &Export) -> Option<Table<'_>> {
    let journey = export.journey.as_ref()?;
    let w = words(export.workshop.language);
    let yes = w.common().yes;
    let mark = move |is_so: bool| if is_so { text(yes) } else { Cell::Empty };
    let row = move |stage: &StagePart| {
        let mut row = vec![Cell::Number(stage.table.0.into())];
        row.push(if stage.topic.trim().is_empty() { Cell::Empty } else { Cell::Text(stage.topic.clone().into()) });
        match &stage.felt {
            Some(felt) => {
                row.push(Cell::Number(u32::try_from(felt.scores).unwrap_or(u32::MAX)));
                row.push(Cell::Decimal(f64::from(felt.mean_tenths) / 10.0));
                row.extend([felt.lower, felt.median, felt.upper].map(Cell::Decimal));
                row.extend(felt.counts.iter().map(|count| Cell::Number(*count)));
                row.push(mark(felt.below));
            }
            None => {
                row.push(text(w.too_few));
                // Mean, quartiles, counts, and whether it is below the line.
                row.extend(std::iter::repeat_n(Cell::Empty, 1 + 3 + w.scores.len() + 1));
            }
        }
        row.extend([journey.peak, journey.trough, journey.end].map(|table| mark(table == Some(stage.table))));
        row
    };
    let [awful, poor, so_so, good, great] = w.scores.map(|score| (score, 8));
    Some(Table {
        name: w.title,
        columns: columns([
            (w.common().table_number, 8),
            (w.stage, 30),
            (w.answers, 16),
            (w.mean, 8),
            (w.lower, 10),
            (w.median, 10),
            (w.upper, 10),
            awful,
            poor,
            so_so,
            good,
            great,
            (w.below, 12),
            (w.peak, 8),
            (w.trough, 8),
            (w.end, 8),
        ]),
        tall: u16::MAX,
        rows: Box::new(journey.stages.iter().map(row)),
    })
}

static ZH_CN: JourneyWords = JourneyWords {
    title: "旅程感受",
    stage: "阶段",
    answers: "人数",
    mean: "平均",
    middle_half: "中间一半",
    too_few: "不足三人",
    lower: "下四分位",
    median: "中位数",
    upper: "上四分位",
    below: "低于底线",
    peak: "峰值",
    trough: "低谷",
    end: "终值",
    scores: ["很糟", "不好", "一般", "不错", "很好"],
    line: "底线",
    nothing: "还没有哪个阶段满三人作答。",
    language: Language::ZhCn,
};

static EN: JourneyWords = JourneyWords {
    title: "How the journey feels",
    stage: "Stage",
    answers: "Answers",
    mean: "Mean",
    middle_half: "Middle half",
    too_few: "fewer than three",
    lower: "Lower quartile",
    median: "Median",
    upper: "Upper quartile",
    below: "Below the line",
    peak: "Peak",
    trough: "Trough",
    end: "End",
    scores: ["Awful", "Poor", "So-so", "Good", "Great"],
    line: "The line",
    nothing: "No stage has three answers yet.",
    language: Language::En,
};

#[cfg(test)]
mod tests {
    use shared::id::Role;
    use shared::workshop::Phase;

    use super::*;
    use crate::export::sample::{Sample, guest};
    use crate::export::{docx, markdown};

    #[test]
    fn x9_the_journey_is_a_sentence_and_a_table() {
        let mut sample = Sample::felt();
        sample.workshop.feelings.line = Line { label: "口碑线".into(), level: -5 };
        let text = markdown::write(&sample.export());
        let expected = "\
## 旅程感受

峰值：报修与投诉（−1.0）。低谷：报修与投诉（−1.0）。终值：报修与投诉（−1.0）。低于“口碑线”的阶段：报修与投诉。

口碑线：−0.5

| 阶段 | 人数 | 平均 | 中间一半 | 很糟 | 不好 | 一般 | 不错 | 很好 |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| 第 1 桌 报修与投诉 | 3 | −1.0 | -1.5 … -0.5 | 1 | 1 | 1 | 0 | 0 |
| 第 2 桌 社区生活 | 不足三人 |  |  |  |  |  |  |  |
";
        assert!(text.contains(expected), "{text}");
        assert!(docx::write(&sample.export()).is_ok_and(|file| !file.is_empty()));
        sample.workshop.draft.language = Language::En;
        sample.workshop.feelings.line = Line::default();
        assert!(markdown::write(&sample.export()).contains("Below the line: 报修与投诉."));
        sample.workshop.feelings.scores.clear();
        assert!(markdown::write(&sample.export()).contains("No stage has three answers yet."));
    }

    #[test]
    fn x9_the_journey_is_for_those_whose_page_shows_it() {
        let told = |phase, reader: fn() -> shared::id::Actor| {
            let mut sample = Sample::felt();
            (sample.workshop.phase, sample.reader) = (phase, reader());
            sample.export().journey.is_some()
        };
        let facilitator = || shared::id::Actor { id: "f1".into(), role: Role::Facilitator };
        assert!(!told(Phase::Lobby, facilitator) && told(Phase::Rounds, facilitator));
        assert!(!told(Phase::Rounds, guest) && told(Phase::Gallery, guest));
        assert_eq!(Sample::cafe().export().journey, None, "nobody asked");
    }
}

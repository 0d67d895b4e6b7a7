//! The fixed words of documents for people, in the café's language. Interfaces have their own; this is paper.

use std::borrow::Cow;

use shared::workshop::follow_up::Progress;
use shared::workshop::state::Verdict;
use shared::workshop::{Language, Phase};

use super::plan::{ActionPart, CarriedPart, Export};

/// All words of one language.
pub(super) struct Words {
    pub plan: &'static str,
    pub no_actions: &'static str,
    pub stage: &'static str,
    pub reason: &'static str,
    pub accountable: &'static str,
    pub helpers: &'static str,
    pub due: &'static str,
    pub effort: &'static str,
    pub impact: &'static str,
    pub kpi: &'static str,
    pub baseline: &'static str,
    pub target: &'static str,
    pub cost: &'static str,
    pub risk: &'static str,
    pub status: &'static str,
    pub from_themes: &'static str,
    pub sources: &'static str,
    pub decision: &'static str,
    pub comments: &'static str,
    pub comments_on_plan: &'static str,
    pub other_decisions: &'static str,
    pub untitled: &'static str,
    pub not_found: &'static str,
    pub themes: &'static str,
    pub unplaced: &'static str,
    pub vote: &'static str,
    pub vote_open: &'static str,
    pub theme: &'static str,
    pub dots: &'static str,
    pub tables: &'static str,
    pub host: &'static str,
    pub handover: &'static str,
    pub so_far: &'static str,
    pub open: &'static str,
    pub build_here: &'static str,
    pub no_notes: &'static str,
    pub taken_away: &'static str,
    pub rounds: &'static str,
    pub minutes: &'static str,
    pub people: &'static str,
    pub department: &'static str,
    pub name: &'static str,
    pub notes: &'static str,
    pub left: &'static str,
    pub timeline: &'static str,
    pub created: &'static str,
    pub exported: &'static str,
    pub state: &'static str,
    pub damaged: &'static str,
    pub reference: &'static str,
    pub action: &'static str,
    pub decision_reason: &'static str,
    pub decided_by: &'static str,
    pub decided_at: &'static str,
    /// Heads for what was found after 30, 60 and 90 days: how far, the measure, the words.
    pub follow_ups: [[&'static str; 3]; 3],
    pub summary: &'static str,
    pub note_count: &'static str,
    pub no_theme_now: &'static str,
    pub note_sheet: &'static str,
    pub number: &'static str,
    pub table_number: &'static str,
    pub topic: &'static str,
    pub question: &'static str,
    pub round_number: &'static str,
    pub kind_of_note: &'static str,
    pub note: &'static str,
    pub author: &'static str,
    pub builds_on: &'static str,
    pub carried_from: &'static str,
    pub stars: &'static str,
    pub taken_away_mark: &'static str,
    pub yes: &'static str,
    pub written_at: &'static str,
    pub table_sheet: &'static str,
    pub comment: &'static str,
    pub whole_plan: &'static str,
    pub no_action_now: &'static str,
    pub about_what: &'static str,
    pub said: &'static str,
    pub said_at: &'static str,
    pub name_of_cafe: &'static str,
    pub purpose: &'static str,
    pub about_sheet: &'static str,
    pub chart: &'static str,
    pub axis_effort: &'static str,
    pub axis_impact: &'static str,
    /// The quarters of the chart: top left and right, bottom left and right.
    pub quarters: [&'static str; 4],
    pub where_to_begin: &'static str,
    pub unrated: &'static str,
    /// Instead of a picture that no font draws.
    pub picture: &'static str,
    /// Where a text was cut.
    pub cut: &'static str,
    /// Between a label and what it labels.
    pub colon: &'static str,
    /// Between things in a row.
    pub comma: &'static str,
    pub quotes: (&'static str, &'static str),
    language: Language,
}

pub(super) fn words(language: Language) -> &'static Words {
    match language {
        Language::ZhCn => &ZH_CN,
        Language::En => &EN,
    }
}

impl Words {
    /// What of an action is a line each, in the order of every document. What nobody has filled in is empty.
    pub(super) fn facts<'a>(&self, action: &'a ActionPart) -> [(&'static str, Cow<'a, str>); 10] {
        let score = |score: u8| if score == 0 { String::new() } else { score.to_string() };
        [
            (self.accountable, action.accountable.as_str().into()),
            (self.helpers, action.helpers.as_str().into()),
            (self.due, action.due.as_str().into()),
            (self.impact, score(action.impact).into()),
            (self.effort, score(action.effort).into()),
            (self.kpi, action.kpi.as_str().into()),
            (self.baseline, action.baseline.as_str().into()),
            (self.target, action.target.as_str().into()),
            (self.cost, action.cost.as_str().into()),
            (self.risk, action.risk.as_str().into()),
        ]
    }

    /// How far an action has come; empty where that it waits for a decision is no news beside the decision.
    pub(super) fn status_of(&self, action: &ActionPart) -> &'static str {
        let is_news = action.decision.is_none() || action.status != "proposed";
        if is_news { self.action_status(&action.status) } else { "" }
    }

    pub(super) fn table(&self, number: impl std::fmt::Display) -> String {
        match self.language {
            Language::ZhCn => format!("第 {number} 桌"),
            Language::En => format!("Table {number}"),
        }
    }

    /// Where a note was carried from, as far as that is known, with what people wrote made harmless by `clean`.
    pub(super) fn carried(&self, from: &CarriedPart, clean: impl Fn(&str) -> String) -> String {
        let by = self.one_of("带自", "carried from ");
        let topic = clean(&from.topic);
        // A table that the café does not have.
        let topic = if topic.is_empty() { topic } else { format!(" {}{topic}{}", self.quotes.0, self.quotes.1) };
        let place = format!("{by}{}{topic}", self.table(from.table));
        let author = from.author.as_deref().map(clean);
        let round = from.round.map(|round| self.round(round));
        let lost = if from.deleted { Some(self.taken_away_mark) } else { (!from.found).then_some(self.not_found) };
        [Some(place), author, round, lost.map(str::to_owned)].into_iter().flatten().collect::<Vec<_>>().join(self.comma)
    }

    pub(super) fn round(&self, number: u16) -> String {
        match self.language {
            Language::ZhCn => format!("第 {number} 轮"),
            Language::En => format!("Round {number}"),
        }
    }

    pub(super) fn people_counted(&self, count: usize) -> String {
        match self.language {
            Language::ZhCn => format!("{count} 人"),
            Language::En if count == 1 => "1 person".to_owned(),
            Language::En => format!("{count} people"),
        }
    }

    pub(super) fn dots_counted(&self, dots: u32) -> String {
        match self.language {
            Language::ZhCn => format!("{dots} 点"),
            Language::En if dots == 1 => "1 dot".to_owned(),
            Language::En => format!("{dots} dots"),
        }
    }

    pub(super) fn voters(&self, voters: usize, dots: u8) -> String {
        match self.language {
            Language::ZhCn => format!("{voters} 人投了票，每人 {dots} 点"),
            Language::En => format!("{} voted, {dots} dots each", self.people_counted(voters)),
        }
    }

    /// Where a plan comes from, in one sentence, and how far the review is, as far as its reader may know.
    pub(super) fn figures(&self, export: &Export) -> String {
        let people = export.participants.len();
        let (tables, rounds) = (export.tables.len(), export.rounds.len());
        let notes = export.tables.iter().flat_map(|table| &table.notes).filter(|note| !note.deleted).count();
        let (themes, actions) = (export.themes.len(), export.actions.len());
        let decided = export.actions.iter().filter(|action| action.decision.is_some()).count();
        let counted = |n: usize, one: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") };
        let (whence, review) = match self.language {
            Language::ZhCn => (
                format!(
                    "{people} 位参与者在 {tables} 张桌上聊了 {rounds} 轮，写下 {notes} 张便签，归成 {themes} 个主题，形成 {actions} 条行动项。"
                ),
                format!("其中已决定 {decided} 条。"),
            ),
            Language::En => (
                format!(
                    "{} at {} talked for {} and wrote {}. Out of them came {} and {}.",
                    self.people_counted(people),
                    counted(tables, "table"),
                    counted(rounds, "round"),
                    counted(notes, "note"),
                    counted(themes, "theme"),
                    counted(actions, "action"),
                ),
                format!(" Decided so far: {decided}."),
            ),
        };
        if decided == 0 { whence } else { whence + &review }
    }

    /// Notes that are not told.
    pub(super) fn more_notes(&self, count: usize) -> String {
        match self.language {
            Language::ZhCn => format!("……还有 {count} 张，见 Excel 或 JSON 导出"),
            Language::En => format!("… and {count} more: see the Excel or JSON export"),
        }
    }

    /// Actions, comments or themes that are not told.
    pub(super) fn more(&self, count: usize) -> String {
        match self.language {
            Language::ZhCn => format!("……还有 {count} 条，见 Excel 或 JSON 导出"),
            Language::En => format!("… and {count} more: see the Excel or JSON export"),
        }
    }

    /// How much an action takes and brings, in a line.
    pub(super) fn rated(&self, effort: u8, impact: u8) -> String {
        match self.language {
            Language::ZhCn => format!("投入 {effort}，效果 {impact}"),
            Language::En => format!("effort {effort}, impact {impact}"),
        }
    }

    pub(super) fn kind(&self, kind: &str) -> &'static str {
        let (zh, en) = match kind {
            "idea" => ("想法", "Idea"),
            "pain" => ("痛点", "Pain point"),
            "opportunity" => ("机会点", "Opportunity"),
            "question" => ("问题", "Question"),
            _ => ("便签", "Note"),
        };
        self.one_of(zh, en)
    }

    pub(super) fn action_status(&self, status: &str) -> &'static str {
        let (zh, en) = match status {
            "doing" => ("进行中", "Under way"),
            "done" => ("已完成", "Done"),
            "paused" => ("暂缓", "On hold"),
            _ => ("待批准", "Proposed"),
        };
        self.one_of(zh, en)
    }

    pub(super) fn verdict(&self, verdict: Verdict) -> &'static str {
        let (zh, en) = match verdict {
            Verdict::Approve => ("已批准", "Approved"),
            Verdict::Decline => ("不采纳", "Declined"),
            Verdict::Change => ("请修改", "Change asked for"),
        };
        self.one_of(zh, en)
    }

    pub(super) fn progress(&self, progress: Progress) -> &'static str {
        let (zh, en) = match progress {
            Progress::NotStarted => ("未开始", "Not started"),
            Progress::Underway => ("进行中", "Under way"),
            Progress::Done => ("已完成", "Done"),
            Progress::Stopped => ("已停止", "Stopped"),
        };
        self.one_of(zh, en)
    }

    /// When a follow-up was due.
    pub(super) fn after(&self, days: u8) -> &'static str {
        let (zh, en) = match days {
            30 => ("30 天后", "After 30 days"),
            60 => ("60 天后", "After 60 days"),
            _ => ("90 天后", "After 90 days"),
        };
        self.one_of(zh, en)
    }

    pub(super) fn phase(&self, phase: Phase) -> &'static str {
        let (zh, en) = match phase {
            Phase::Draft => ("准备中", "Draft"),
            Phase::Lobby => ("候场", "Lobby"),
            Phase::Rounds => ("分桌讨论", "Rounds"),
            Phase::Gallery => ("画廊漫步", "Gallery walk"),
            Phase::Harvest => ("收获", "Harvest"),
            Phase::Vote => ("圆点投票", "Dot vote"),
            Phase::Plan => ("制定计划", "Plan"),
            Phase::Review => ("评审", "Review"),
            Phase::Closed => ("已结束", "Closed"),
        };
        self.one_of(zh, en)
    }

    /// `what` is a turn of the timeline that has no words elsewhere.
    pub(super) fn turn(&self, what: Turned) -> &'static str {
        let (zh, en) = match what {
            Turned::RoundSeated => ("入座", "seated"),
            Turned::RoundStarted => ("开始", "started"),
            Turned::RoundEnded => ("结束", "ended"),
            Turned::Announced => ("通知全场", "Announcement"),
            Turned::VoteOpened => ("开始投票", "Vote opened"),
            Turned::VoteClosed => ("投票结束", "Vote closed"),
        };
        self.one_of(zh, en)
    }

    fn one_of(&self, zh: &'static str, en: &'static str) -> &'static str {
        match self.language {
            Language::ZhCn => zh,
            Language::En => en,
        }
    }
}

/// Turns of the timeline that need a word.
pub(super) enum Turned {
    RoundSeated,
    RoundStarted,
    RoundEnded,
    Announced,
    VoteOpened,
    VoteClosed,
}

static ZH_CN: Words = Words {
    plan: "改进计划",
    no_actions: "还没有行动项。",
    stage: "阶段／触点／关键时刻",
    reason: "理由",
    accountable: "负责人",
    helpers: "协助",
    due: "完成日期",
    effort: "投入（1–5）",
    impact: "效果（1–5）",
    kpi: "衡量指标",
    baseline: "现状",
    target: "目标",
    cost: "费用",
    risk: "风险",
    status: "进展",
    from_themes: "来自主题",
    sources: "依据的便签",
    decision: "决定",
    comments: "评论",
    comments_on_plan: "对整个计划的评论",
    other_decisions: "已移出计划的行动项的决定",
    untitled: "（未命名）",
    not_found: "（找不到这张便签）",
    themes: "主题",
    unplaced: "未归类的便签",
    vote: "圆点投票",
    vote_open: "投票还在进行，结果结束后公布。",
    theme: "主题",
    dots: "点数",
    tables: "各桌白板",
    host: "桌主",
    handover: "交接",
    so_far: "已有",
    open: "还没解决",
    build_here: "从这里接",
    no_notes: "这张白板上没有便签。",
    taken_away: "已撤下的便签",
    rounds: "轮次",
    minutes: "分钟",
    people: "参与者",
    department: "部门／身份",
    name: "姓名",
    notes: "备注",
    left: "提前离开",
    timeline: "经过",
    created: "创建",
    exported: "导出时间",
    state: "当前阶段",
    damaged: "以下白板无法读取，本文件中缺少其内容",
    reference: "编号",
    action: "行动项",
    decision_reason: "决定的理由",
    decided_by: "决定人",
    decided_at: "决定时间（UTC）",
    follow_ups: [
        ["30 天后：进展", "30 天后：指标", "30 天后：说明"],
        ["60 天后：进展", "60 天后：指标", "60 天后：说明"],
        ["90 天后：进展", "90 天后：指标", "90 天后：说明"],
    ],
    summary: "小结",
    note_count: "便签数",
    no_theme_now: "（投票后已撤下的主题）",
    note_sheet: "便签",
    number: "序号",
    table_number: "桌",
    topic: "话题",
    question: "问题",
    round_number: "轮",
    kind_of_note: "类型",
    note: "便签",
    author: "作者",
    builds_on: "接着几号说",
    carried_from: "带自几号",
    stars: "星标",
    taken_away_mark: "已撤下",
    yes: "是",
    written_at: "写下时间（UTC）",
    table_sheet: "各桌",
    comment: "评论",
    whole_plan: "整个计划",
    no_action_now: "已移出计划的行动项",
    about_what: "关于",
    said: "内容",
    said_at: "时间（UTC）",
    name_of_cafe: "工作坊",
    purpose: "目的",
    about_sheet: "关于本文件",
    chart: "投入与效果",
    axis_effort: "投入 →",
    axis_impact: "效果 →",
    quarters: ["先做", "重点投入", "顺手做", "再想想"],
    where_to_begin: "从哪里开始",
    unrated: "还没打分",
    picture: "[表情]",
    cut: "……〔此处截断，全文见 JSON 导出〕",
    colon: "：",
    comma: "、",
    quotes: ("“", "”"),
    language: Language::ZhCn,
};

static EN: Words = Words {
    plan: "Improvement plan",
    no_actions: "There are no actions yet.",
    stage: "Stage, touchpoint or moment",
    reason: "Reason",
    accountable: "Accountable",
    helpers: "Helpers",
    due: "Due",
    effort: "Effort (1–5)",
    impact: "Impact (1–5)",
    kpi: "KPI",
    baseline: "Baseline",
    target: "Target",
    cost: "Cost",
    risk: "Risk",
    status: "Status",
    from_themes: "From the themes",
    sources: "Notes it rests on",
    decision: "Decision",
    comments: "Comments",
    comments_on_plan: "Comments on the whole plan",
    other_decisions: "Decisions on actions no longer in the plan",
    untitled: "(untitled)",
    not_found: "(this note cannot be found)",
    themes: "Themes",
    unplaced: "Notes not placed yet",
    vote: "Dot vote",
    vote_open: "The vote is still open; counts are shown once it is closed.",
    theme: "Theme",
    dots: "Dots",
    tables: "Tables",
    host: "Table host",
    handover: "Handover",
    so_far: "So far",
    open: "Still open",
    build_here: "Build here",
    no_notes: "There are no notes on this board.",
    taken_away: "Notes that were taken away",
    rounds: "Rounds",
    minutes: "minutes",
    people: "Participants",
    department: "Department or role",
    name: "Name",
    notes: "Remarks",
    left: "left early",
    timeline: "What happened when",
    created: "Created",
    exported: "Exported",
    state: "Phase",
    damaged: "These boards could not be read and are missing here",
    reference: "Ref.",
    action: "Action",
    decision_reason: "Reason of the decision",
    decided_by: "Decided by",
    decided_at: "Decided at (UTC)",
    follow_ups: [
        ["30 days: progress", "30 days: KPI", "30 days: found"],
        ["60 days: progress", "60 days: KPI", "60 days: found"],
        ["90 days: progress", "90 days: KPI", "90 days: found"],
    ],
    summary: "Summary",
    note_count: "Notes",
    no_theme_now: "(taken away since the vote)",
    note_sheet: "Notes",
    number: "No.",
    table_number: "Table",
    topic: "Topic",
    question: "Question",
    round_number: "Round",
    kind_of_note: "Kind",
    note: "Note",
    author: "Author",
    builds_on: "Builds on No.",
    carried_from: "Carried from No.",
    stars: "Stars",
    taken_away_mark: "taken away",
    yes: "yes",
    written_at: "Written at (UTC)",
    table_sheet: "Tables",
    comment: "Comment",
    whole_plan: "The whole plan",
    no_action_now: "An action no longer in the plan",
    about_what: "About",
    said: "Words",
    said_at: "When (UTC)",
    name_of_cafe: "Café",
    purpose: "Purpose",
    about_sheet: "About this file",
    chart: "Effort and impact",
    axis_effort: "Effort →",
    axis_impact: "Impact →",
    quarters: ["Do first", "Big bets", "On the side", "Think again"],
    where_to_begin: "Where to begin",
    unrated: "Not rated yet",
    picture: "[symbol]",
    cut: " … [cut here; the JSON export has it all]",
    colon: ": ",
    comma: ", ",
    quotes: ("“", "”"),
    language: Language::En,
};

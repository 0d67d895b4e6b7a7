//! Simulated guests for a running server: `tablehop-guests demo` shows a café alive, `tablehop-guests attend` fills the room of one's own.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use harness::api::Api;
use harness::cafe::Cafe;
use harness::guest::Guest;
use harness::script::{self, Habits, Written, attend};
use shared::api::CreateWorkshop;
use shared::board::action::{self, NewAction};
use shared::board::text::{self, Splice};
use shared::board::theme;
use shared::board::view::{ActionStatus, ActionText, NoteRef};
use shared::id::{ActionId, BoardKind, ThemeId};
use shared::workshop::state::Verdict;
use shared::workshop::{Command, Language, Phase, RoundPlan, RoundStatus, Settings};

/// Simulated guests for a running Tablehop server.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The server, for example `http://127.0.0.1:8080`.
    #[arg(long, global = true, default_value = "http://127.0.0.1:8080")]
    server: String,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Opens a café that is under way and another one that is in review, prints their links, and keeps the guests at work.
    Demo {
        /// zh-CN or en.
        #[arg(long, default_value = "zh-CN")]
        language: String,
        /// Guests in the café that is under way.
        #[arg(long, default_value_t = 16)]
        guests: usize,
        /// Minutes of a round.
        #[arg(long, default_value_t = 3.0)]
        minutes: f64,
    },
    /// Joins a café with a code and takes part until its plan. Prints a JSON line for each note that is on the server's disk.
    Attend {
        /// The join code.
        #[arg(long)]
        code: String,
        /// How many guests.
        #[arg(long, default_value_t = 21)]
        guests: usize,
        /// zh-CN or en.
        #[arg(long, default_value = "zh-CN")]
        language: String,
        /// Notes each writes in a round.
        #[arg(long, default_value_t = 2)]
        notes: usize,
        /// Letters each types or takes away after each note, anywhere on the board.
        #[arg(long, default_value_t = 0)]
        scribbles: usize,
        /// Milliseconds between two acts of one guest.
        #[arg(long, default_value_t = 400)]
        pace: u64,
        /// Everything they choose follows from it.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let api = Api::new(&arguments.server);
    match arguments.what {
        What::Demo { language, guests, minutes } => demo(&api, parse(&language), guests, minutes).await,
        What::Attend { code, guests, language, notes, scribbles, pace, seed } => {
            let habits = Habits {
                language: parse(&language),
                notes_per_round: notes,
                scribbles,
                pace: Duration::from_millis(pace),
                seed,
            };
            let room = fill(&api, &code, guests, &habits, |written| {
                if let Ok(line) = serde_json::to_string(&written) {
                    println!("{line}");
                }
            })
            .await?;
            for guest in room {
                guest.await??;
            }
            Ok(())
        }
    }
}

fn parse(language: &str) -> Language {
    if language.starts_with("en") { Language::En } else { Language::ZhCn }
}

type Attending = tokio::task::JoinHandle<Result<()>>;

/// Lets `count` guests join, and attend in the background.
async fn fill(
    api: &Api,
    code: &str,
    count: usize,
    habits: &Habits,
    wrote: impl Fn(Written) + Clone + Send + Sync + 'static,
) -> Result<Vec<Attending>> {
    let mut room = Vec::with_capacity(count);
    for index in 0..count {
        let guest = Guest::join(api, code, &script::name(habits.language, index)).await?;
        let habits = Habits { seed: habits.seed.wrapping_mul(1_000).wrapping_add(index as u64), ..habits.clone() };
        room.push(tokio::spawn(attend(guest, habits, wrote.clone())));
    }
    Ok(room)
}

fn journey(language: Language, minutes: f64, moving_seconds: u16) -> Result<CreateWorkshop> {
    let template = shared::template::find("owner-journey", language).context("template")?;
    let draft = template.draft;
    Ok(CreateWorkshop {
        template: None,
        title: draft.title,
        purpose: draft.purpose,
        language,
        tables: draft.tables,
        rounds: draft.rounds.into_iter().map(|round| RoundPlan { minutes, ..round }).collect(),
        settings: Some(Settings { moving_seconds, ..draft.settings }),
    })
}

async fn demo(api: &Api, language: Language, guests: usize, minutes: f64) -> Result<()> {
    let past = reviewed(api, language).await?;
    let cafe = Cafe::create(api, &journey(language, minutes, 20)?).await?;
    cafe.go_to(Phase::Lobby).await?;
    let habits = Habits { language, notes_per_round: 6, scribbles: 0, pace: Duration::from_secs(9), seed: 7 };
    let _room = fill(api, &cafe.created.join_code, guests, &habits, |_| {}).await?;
    cafe.steer(Command::NextRound).await?;
    let local =
        |url: &str| url.split_once("://").and_then(|(_, r)| r.find('/').map(|i| format!("{}{}", api.base, &r[i..])));
    println!();
    println!("  A café under way, with {guests} simulated guests:");
    println!("    facilitator   {}", local(&cafe.created.facilitator_url).unwrap_or_default());
    println!(
        "    participant   {}   (code {})",
        local(&cafe.created.join_url).unwrap_or_default(),
        cafe.created.join_code
    );
    println!("    from a phone  {}", cafe.created.join_url);
    println!("  One that was held before, for management:");
    println!("    reviewer      {}", local(&past.created.review_url).unwrap_or_default());
    println!("    facilitator   {}", local(&past.created.facilitator_url).unwrap_or_default());
    println!();
    println!("  Rounds follow each other by themselves. Ctrl-C ends the demo.");
    // Steers like a patient facilitator: half a minute after the time is up, people move on.
    let facilitator = &cafe.facilitator;
    let keeper = facilitator.clone();
    tokio::spawn(async move { keeper.stay_connected().await });
    loop {
        let view = facilitator
            .until_patiently(|f| {
                f.view().filter(|v| {
                    v.phase > Phase::Rounds || v.round.as_ref().is_some_and(|r| r.status == RoundStatus::Over)
                })
            })
            .await?;
        let last = view.round.as_ref().map_or(0, |r| usize::from(r.index)) + 1 >= view.rounds.len();
        if view.phase > Phase::Rounds {
            // From the gallery on the café is the visitor's to steer.
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(Duration::from_secs(30)).await;
        let next = if last { Command::GoTo { phase: Phase::Gallery } } else { Command::NextRound };
        // A visitor with the facilitator's link may have moved on meanwhile; then this is refused, and right so.
        if let Err(error) = cafe.steer(next).await {
            eprintln!("{error:#}");
        }
    }
}

/// Holds a whole café in a few seconds, up to its review.
async fn reviewed(api: &Api, language: Language) -> Result<Cafe> {
    let zh = language == Language::ZhCn;
    let cafe = Cafe::create(api, &journey(language, 20.0, 0)?).await?;
    cafe.go_to(Phase::Lobby).await?;
    let habits = Habits { language, notes_per_round: 2, scribbles: 0, pace: Duration::from_millis(60), seed: 3 };
    let written = Arc::new(Mutex::new(Vec::<Written>::new()));
    let heard = Arc::clone(&written);
    let _room = fill(api, &cafe.created.join_code, 16, &habits, move |note| {
        heard.lock().unwrap_or_else(PoisonError::into_inner).push(note);
    })
    .await?;
    let rounds = 3;
    for round in 1..=rounds {
        cafe.steer(Command::NextRound).await?;
        let heard = Arc::clone(&written);
        let enough = round * 16 * habits.notes_per_round;
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        while heard.lock().unwrap_or_else(PoisonError::into_inner).len() < enough
            && tokio::time::Instant::now() < deadline
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        cafe.steer(Command::EndRound).await?;
    }
    let written = written.lock().unwrap_or_else(PoisonError::into_inner).clone();
    cafe.go_to(Phase::Gallery).await?;
    cafe.go_to(Phase::Harvest).await?;
    harvest(&cafe, &written, zh).await?;
    cafe.go_to(Phase::Vote).await?;
    // The guests vote by themselves; most of the room is enough.
    let facilitator = &cafe.facilitator;
    facilitator.sees("votes", |v| v.vote.as_ref().is_some_and(|vote| vote.voters >= 12)).await?;
    cafe.steer(Command::CloseVote).await?;
    cafe.go_to(Phase::Plan).await?;
    plan(&cafe, zh).await?;
    cafe.go_to(Phase::Review).await?;
    let name = if zh { "周总" } else { "Ms Zhou" };
    cafe.steer(Command::Comment {
        action: None,
        text: if zh {
            "比去年的方案具体得多，先从报修开始。"
        } else {
            "Far more concrete than last year's. Start with repairs."
        }
        .into(),
        name: name.into(),
    })
    .await?;
    cafe.steer(Command::Decide {
        action: ActionId::from("demo-a1"),
        verdict: Verdict::Approve,
        reason: if zh { "下月一号起在 3 号楼试行。" } else { "From the 1st, in building 3." }.into(),
        name: name.into(),
    })
    .await?;
    Ok(cafe)
}

async fn harvest(cafe: &Cafe, written: &[Written], zh: bool) -> Result<()> {
    let titles = if zh {
        ["一次讲清，全程有回音", "入住第一天就被记住", "看得见的维修", "邻里有戏"]
    } else {
        ["Say it once, hear back always", "Remembered from day one", "Repairs you can see", "Neighbours on stage"]
    };
    let facilitator = &cafe.facilitator;
    facilitator.open(BoardKind::Harvest).await?;
    facilitator.edit(BoardKind::Harvest, |txn, replica| {
        for (i, title) in titles.iter().enumerate() {
            theme::create(txn, &replica.harvest, &ThemeId(format!("demo-t{}", i + 1)), title, i as f64);
        }
        let mut seen = BTreeSet::new();
        for (i, note) in written.iter().enumerate().filter(|(i, _)| i % 8 != 7) {
            let place = NoteRef { table: note.table, note: note.note.clone() };
            let theme = ThemeId(format!("demo-t{}", (usize::from(note.table.0) + usize::from(i % 5 == 0)) % 4 + 1));
            if seen.insert(place.key()) {
                theme::place(txn, &replica.harvest, &place, Some(&theme));
            }
        }
    })?;
    facilitator.saved().await
}

async fn plan(cafe: &Cafe, zh: bool) -> Result<()> {
    let facilitator = &cafe.facilitator;
    facilitator.open(BoardKind::Plan).await?;
    let harvest = facilitator.with(BoardKind::Harvest, harness::replica::Replica::harvest_board).unwrap_or_default();
    struct Row {
        texts: [&'static str; 8],
        due: &'static str,
        effort: u8,
        impact: u8,
        status: ActionStatus,
    }
    // title, stage, reason, accountable, helpers, kpi, baseline, target
    let rows = if zh {
        [
            Row {
                texts: [
                    "报修十分钟内给出上门时段，完工当天回访并附照片",
                    "报修与投诉",
                    "四桌都提到“干等”，维修的结尾最让人记住",
                    "工程部 黄志强",
                    "客服中心、各楼管家",
                    "报修一次解决率",
                    "71%",
                    "90%",
                ],
                due: "2027-01-31",
                effort: 2,
                impact: 5,
                status: ActionStatus::Proposed,
            },
            Row {
                texts: [
                    "一个投诉一位负责人，从受理到回访不换人",
                    "报修与投诉",
                    "反复讲述是投诉升级的主要原因",
                    "客服中心 周婷",
                    "品质部",
                    "投诉三日内办结率",
                    "58%",
                    "85%",
                ],
                due: "2027-02-28",
                effort: 3,
                impact: 4,
                status: ActionStatus::Proposed,
            },
            Row {
                texts: [
                    "预约收房，一户一验房师，入住首晚管家来电",
                    "交付与入住",
                    "入住第一天是全程的峰值，也是口碑的起点",
                    "管家部 陈思远",
                    "工程部、秩序部",
                    "入住满意度",
                    "3.6 / 5",
                    "4.5 / 5",
                ],
                due: "2027-03-31",
                effort: 4,
                impact: 5,
                status: ActionStatus::Proposed,
            },
            Row {
                texts: [
                    "每季度公布“你们提的，我们做了这些”",
                    "社区生活",
                    "让提意见的人看到结果，下次才会再开口",
                    "社区文化 林小娟",
                    "业委会",
                    "意见公示覆盖率",
                    "0",
                    "100%",
                ],
                due: "2026-12-31",
                effort: 1,
                impact: 3,
                status: ActionStatus::Doing,
            },
        ]
    } else {
        [
            Row {
                texts: [
                    "Time slot within ten minutes of a report; call back with a photo the same day",
                    "Repair and complaint",
                    "All four tables spoke of waiting; the end of a repair is what people remember",
                    "Engineering, H. Ong",
                    "Service centre, concierges",
                    "First-time fix rate",
                    "71%",
                    "90%",
                ],
                due: "2027-01-31",
                effort: 2,
                impact: 5,
                status: ActionStatus::Proposed,
            },
            Row {
                texts: [
                    "One complaint, one person, from intake to follow-up",
                    "Repair and complaint",
                    "Having to tell it again is why complaints escalate",
                    "Service centre, C. Li",
                    "Quality",
                    "Complaints closed in 3 days",
                    "58%",
                    "85%",
                ],
                due: "2027-02-28",
                effort: 3,
                impact: 4,
                status: ActionStatus::Proposed,
            },
            Row {
                texts: [
                    "Handover by appointment, one inspector a family, a call on the first evening",
                    "Handover and moving in",
                    "The first day is the peak of the journey and the start of every recommendation",
                    "Concierge team, D. Park",
                    "Engineering, security",
                    "Move-in satisfaction",
                    "3.6 / 5",
                    "4.5 / 5",
                ],
                due: "2027-03-31",
                effort: 4,
                impact: 5,
                status: ActionStatus::Proposed,
            },
            Row {
                texts: [
                    "Every quarter: you said, we did",
                    "Community life",
                    "People speak again when they see what came of it",
                    "Community, R. Shah",
                    "Owners' committee",
                    "Suggestions answered in public",
                    "0",
                    "100%",
                ],
                due: "2026-12-31",
                effort: 1,
                impact: 3,
                status: ActionStatus::Doing,
            },
        ]
    };
    facilitator.edit(BoardKind::Plan, |txn, replica| {
        for (i, row) in rows.iter().enumerate() {
            let id = ActionId(format!("demo-a{}", i + 1));
            let theme = ThemeId(format!("demo-t{}", i + 1));
            let sources =
                harvest.placements.iter().filter(|(_, t)| *t == theme).map(|(note, _)| note.clone()).take(8).collect();
            let [title, stage, reason, ..] = row.texts;
            action::create(
                txn,
                &replica.plan,
                NewAction {
                    id: id.clone(),
                    order: i as f64,
                    title: title.into(),
                    reason: reason.into(),
                    stage: stage.into(),
                    themes: vec![theme],
                    sources,
                },
            );
            let fields = [
                ActionText::Accountable,
                ActionText::Helpers,
                ActionText::Kpi,
                ActionText::Baseline,
                ActionText::Target,
            ];
            for (field, words) in fields.into_iter().zip(&row.texts[3..]) {
                if let Some(at) = action::text_of(txn, &replica.plan, &id, field) {
                    text::edit(txn, &at, &Splice { at: 0, delete: 0, insert: (*words).into() });
                }
            }
            action::set_due(txn, &replica.plan, &id, row.due);
            action::set_effort(txn, &replica.plan, &id, row.effort);
            action::set_impact(txn, &replica.plan, &id, row.impact);
            action::set_status(txn, &replica.plan, &id, row.status);
        }
    })?;
    facilitator.saved().await
}

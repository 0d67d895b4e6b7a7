//! What becomes of an action after the review: recorded by management over HTTP, told to those who took part, in every export, and kept.

use anyhow::{Context, Result, ensure};
use harness::api::code_of;
use harness::cafe::{Cafe, small};
use harness::guest::Guest;
use harness::server::Server;
use shared::board::{action, theme};
use shared::id::{ActionId, BoardKind};
use shared::workshop::follow_up::{FollowUp, Progress};
use shared::workshop::state::Verdict;
use shared::workshop::view::{Part, View};
use shared::workshop::{Command, Phase};

fn found(after_days: u8, progress: Progress, text: &str) -> Command {
    Command::FollowUp {
        action: ActionId::from("a1"),
        after_days,
        progress,
        measured: "71 %".into(),
        text: text.into(),
        name: "周总".into(),
    }
}

fn seen(view: &View) -> &[FollowUp] {
    match &view.part {
        Part::Participant(part) => &part.follow_ups,
        Part::Facilitator(part) => &part.follow_ups,
        Part::Reviewer(part) => &part.follow_ups,
    }
}

/// A café whose plan has one action, in review.
async fn in_review(server: &Server) -> Result<(Cafe, Vec<Guest>)> {
    let cafe = Cafe::open(server, &small(2, 1, 20.0)).await?;
    let guests = cafe.guests(2).await?;
    cafe.next_round(&guests).await?;
    cafe.steer(Command::EndRound).await?;
    for phase in [Phase::Gallery, Phase::Harvest] {
        cafe.go_to(phase).await?;
    }
    let boss = &cafe.facilitator;
    boss.open(BoardKind::Harvest).await?;
    boss.edit(BoardKind::Harvest, |txn, r| {
        theme::create(txn, &r.harvest, &"t1".into(), "上门之前", 0.0);
    })?;
    boss.saved().await?;
    for phase in [Phase::Vote, Phase::Plan] {
        cafe.go_to(phase).await?;
    }
    boss.open(BoardKind::Plan).await?;
    boss.edit(BoardKind::Plan, |txn, r| {
        let new = action::NewAction {
            id: "a1".into(),
            order: 0.0,
            title: "当天回访".into(),
            reason: String::new(),
            stage: String::new(),
            themes: Vec::new(),
            sources: Vec::new(),
        };
        action::create(txn, &r.plan, new);
    })?;
    boss.saved().await?;
    cafe.go_to(Phase::Review).await?;
    Ok((cafe, guests))
}

#[tokio::test(flavor = "multi_thread")]
async fn w15_w16_x8_follow_ups_are_recorded_once_closed_told_to_guests_exported_and_kept() -> Result<()> {
    let mut server = Server::start().await?;
    let (cafe, guests) = in_review(&server).await?;
    let (id, review) = (cafe.created.id.clone(), cafe.created.review_token.clone());
    let refusal = async |server: &Server, token: &str, command: &Command| {
        let error = server.api.command(&id, token, command).await.err().context("it was taken")?;
        anyhow::Ok(code_of(&error).context("no code")?.to_owned())
    };
    let first = found(30, Progress::Underway, "两栋楼都在打");
    assert_eq!(refusal(&server, &review, &first).await?, "not_approved");
    let decide = Command::Decide {
        action: ActionId::from("a1"),
        verdict: Verdict::Approve,
        reason: String::new(),
        name: "周总".into(),
    };
    server.api.command(&id, &review, &decide).await?;
    cafe.go_to(Phase::Closed).await?;
    assert_eq!(refusal(&server, &review, &decide).await?, "wrong_phase", "nothing else is open");
    assert_eq!(refusal(&server, &review, &found(45, Progress::Done, "")).await?, "out_of_range");
    server.api.command(&id, &review, &first).await?;
    // The screens of the facilitator and of those who took part are told over their sockets, without asking.
    for screen in [&cafe.facilitator, &guests[0]] {
        let view = screen.sees("what was found", |view| seen(view).len() == 1).await?;
        assert_eq!((seen(&view)[0].progress, seen(&view)[0].text.as_str()), (Progress::Underway, "两栋楼都在打"));
    }
    let refused = guests[0].command(found(60, Progress::Done, "")).await.err().context("a guest recorded something")?;
    assert_eq!(code_of(&refused), Some("not_allowed"));

    server.kill().await?;
    server.restart().await?;
    server.api.command(&id, &review, &found(60, Progress::Done, "全部楼栋")).await?;
    server.api.command(&id, &cafe.created.facilitator_token, &found(30, Progress::NotStarted, "先前记错了")).await?;
    let view = server.api.view(&id, &review).await?;
    let all: Vec<_> = seen(&view).iter().map(|f| (f.after_days, f.progress, f.measured.as_str())).collect();
    assert_eq!(all, [(30, Progress::NotStarted, "71 %"), (60, Progress::Done, "71 %")]);
    for (format, token) in [("json", &review), ("md", &review), ("csv", &review), ("json", &guests[0].token)] {
        let export = server.api.export(&id, token, format).await?;
        ensure!(export.contains("先前记错了") && export.contains("全部楼栋"), "{format}: {export}");
        ensure!(!export.contains("两栋楼都在打"), "{format}: what was replaced is in the log alone");
    }
    // The way back from closed, a changed mind, and closed again.
    cafe.facilitator.connect().await?;
    cafe.go_to(Phase::Review).await?;
    let decline = Command::Decide {
        action: ActionId::from("a1"),
        verdict: Verdict::Decline,
        reason: "没有预算".into(),
        name: "周总".into(),
    };
    server.api.command(&id, &review, &decline).await?;
    assert_eq!(refusal(&server, &review, &found(90, Progress::Done, "")).await?, "not_approved");
    cafe.go_to(Phase::Closed).await?;
    assert_eq!(seen(&server.api.view(&id, &review).await?).len(), 2, "what was found stays");
    Ok(())
}

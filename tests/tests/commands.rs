//! Every command over the real interface: what it does, who may not, and when not.

use anyhow::{Context, Result};
use harness::api::code_of;
use harness::cafe::{Cafe, small};
use harness::guest::Guest;
use harness::server::Server;
use shared::board::{action, theme};
use shared::id::{ActionId, ActorId, BoardKind, TableId, ThemeId};
use shared::workshop::state::Verdict;
use shared::workshop::view::Part;
use shared::workshop::{Command, Phase, RoundStatus};

/// The refusal's code; fails if the command was carried out.
async fn refusal(guest: &Guest, command: Command) -> Result<String> {
    match guest.command(command.clone()).await {
        Ok(events) => anyhow::bail!("{command:?} was carried out: {events:?}"),
        Err(error) => Ok(code_of(&error).with_context(|| format!("{error:#}"))?.to_owned()),
    }
}

fn facilitators(guest: &ActorId) -> Vec<Command> {
    let draft = small(2, 1, 5.0);
    vec![
        Command::EditDraft {
            draft: shared::workshop::Draft {
                title: draft.title,
                tables: draft.tables,
                rounds: draft.rounds,
                ..Default::default()
            },
        },
        Command::SetTable { table: TableId(1), topic: "a".into(), question: "b".into() },
        Command::SetRoundQuestion { round: 0, question: "b".into() },
        Command::GoTo { phase: Phase::Rounds },
        Command::NextRound,
        Command::StartRound,
        Command::PauseRound,
        Command::ResumeRound,
        Command::ExtendRound { minutes: 1 },
        Command::EndRound,
        Command::Announce { text: "x".into() },
        Command::MovePerson { participant: guest.clone(), table: TableId(1) },
        Command::SetHost { table: TableId(1), participant: Some(guest.clone()) },
        Command::LockBoards { locked: true },
        Command::SetHelper { participant: guest.clone(), helper: true },
        Command::LowerHand { participant: guest.clone() },
        Command::RemovePerson { participant: guest.clone() },
        Command::SetDots { dots: 2 },
        Command::CloseVote,
        Command::ReopenVote,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn w3_commands_are_open_to_their_roles_alone() -> Result<()> {
    let server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 2, 20.0)).await?;
    let guests = cafe.guests(4).await?;
    let reviewer = reviewer(&cafe);
    let before = server.api.view(&cafe.created.id, &cafe.created.facilitator_token).await?.seq;
    for command in facilitators(&guests[0].id) {
        assert_eq!(refusal(&guests[0], command.clone()).await?, "not_allowed", "participant: {command:?}");
        assert_eq!(refusal(&reviewer, command.clone()).await?, "not_allowed", "reviewer: {command:?}");
    }
    let participants = [
        Command::Rename { name: "x".into(), department: None },
        Command::RaiseHand { raised: true },
        Command::Leave,
        Command::CastVote { theme: ThemeId::from("t"), dots: 1 },
    ];
    for command in participants {
        assert_eq!(refusal(&cafe.facilitator, command.clone()).await?, "not_allowed", "facilitator: {command:?}");
        assert_eq!(refusal(&reviewer, command.clone()).await?, "not_allowed", "reviewer: {command:?}");
    }
    let review = [
        Command::Comment { action: None, text: "x".into(), name: "y".into() },
        Command::Decide {
            action: ActionId::from("a"),
            verdict: Verdict::Approve,
            reason: String::new(),
            name: "y".into(),
        },
    ];
    for command in review {
        assert_eq!(refusal(&guests[0], command.clone()).await?, "not_allowed", "participant: {command:?}");
    }
    let after = server.api.view(&cafe.created.id, &cafe.created.facilitator_token).await?.seq;
    assert_eq!(before, after, "a refused command changes nothing");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn w2_phases_go_on_or_back_by_one() -> Result<()> {
    let server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 1, 20.0)).await?;
    for phase in [Phase::Gallery, Phase::Harvest, Phase::Vote, Phase::Plan, Phase::Review, Phase::Closed] {
        assert_eq!(refusal(&cafe.facilitator, Command::GoTo { phase }).await?, "not_next_phase", "{phase}");
    }
    assert_eq!(refusal(&cafe.facilitator, Command::GoTo { phase: Phase::Rounds }).await?, "nobody_here");
    assert_eq!(refusal(&cafe.facilitator, Command::NextRound).await?, "nobody_here");
    for command in [Command::PauseRound, Command::EndRound, Command::ExtendRound { minutes: 1 }, Command::CloseVote] {
        assert_eq!(refusal(&cafe.facilitator, command.clone()).await?, "wrong_phase", "{command:?}");
    }
    cafe.guests(2).await?;
    cafe.steer(Command::NextRound).await?;
    assert_eq!(refusal(&cafe.facilitator, Command::NextRound).await?, "wrong_round_status");
    assert_eq!(refusal(&cafe.facilitator, Command::ResumeRound).await?, "wrong_round_status");
    cafe.steer(Command::EndRound).await?;
    assert_eq!(refusal(&cafe.facilitator, Command::NextRound).await?, "no_round_left");
    cafe.go_to(Phase::Gallery).await?;
    cafe.go_to(Phase::Rounds).await?;
    cafe.go_to(Phase::Gallery).await?;
    cafe.go_to(Phase::Harvest).await?;
    assert_eq!(refusal(&cafe.facilitator, Command::GoTo { phase: Phase::Vote }).await?, "no_themes");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn w5_the_clock_pauses_extends_and_ends() -> Result<()> {
    let server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 1, 20.0)).await?;
    let guests = cafe.guests(2).await?;
    let tables = cafe.next_round(&guests).await?;
    let ends = running(&guests[0].sees("running", |v| v.round.is_some()).await?).context("running")?;
    cafe.steer(Command::ExtendRound { minutes: 5 }).await?;
    let view = guests[0].sees("five minutes more", |v| running(v) == Some(ends + 300_000)).await?;
    assert_eq!(running(&view), Some(ends + 300_000));
    cafe.steer(Command::PauseRound).await?;
    let paused = guests[0].sees("the pause", |v| matches!(status(v), Some(RoundStatus::Paused { .. }))).await?;
    let Some(RoundStatus::Paused { left }) = status(&paused) else { anyhow::bail!("paused") };
    assert!((1_490_000..=1_500_000).contains(&left), "{left} ms of 25 minutes are left");
    cafe.steer(Command::ExtendRound { minutes: 1 }).await?;
    guests[0].sees("a minute more", |v| status(v) == Some(RoundStatus::Paused { left: left + 60_000 })).await?;
    cafe.steer(Command::ResumeRound).await?;
    guests[0].sees("running again", |v| running(v).is_some()).await?;
    cafe.steer(Command::EndRound).await?;
    guests[0].sees("the end", |v| status(v) == Some(RoundStatus::Over)).await?;
    // Time is up, and the sentence may still be finished.
    guests[0].write(tables[0], Default::default(), "最后一句", None)?;
    guests[0].saved().await?;
    cafe.steer(Command::ExtendRound { minutes: 2 }).await?;
    guests[0].sees("running once more", |v| running(v).is_some()).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn w6_late_leaving_and_returning_people_find_a_seat() -> Result<()> {
    let server = Server::start().await?;
    let mut body = small(2, 2, 20.0);
    body.settings = body.settings.map(|s| shared::workshop::Settings { seats_per_table: 3, ..s });
    let cafe = Cafe::open(&server, &body).await?;
    let guests = cafe.guests(4).await?;
    cafe.next_round(&guests).await?;
    let late = cafe.guest("迟到").await?;
    late.until("a seat", Guest::seat).await?;
    let sixth = cafe.guest("第六").await?;
    sixth.until("a seat", Guest::seat).await?;
    // Two tables of three are full: the seventh waits, and the facilitator sees it.
    let seventh = cafe.guest("第七").await?;
    assert_eq!(seventh.seat(), None);
    let view = cafe.facilitator.sees("seven people", |v| v.people_count == 7).await?;
    let Part::Facilitator(part) = view.part else { anyhow::bail!("a facilitator's view") };
    assert_eq!(part.people.iter().filter(|p| p.table.is_none()).count(), 1);
    let full = Command::MovePerson { participant: seventh.id.clone(), table: TableId(1) };
    assert_eq!(refusal(&cafe.facilitator, full).await?, "table_full");
    guests[0].command(Command::Leave).await?;
    let free = cafe.facilitator.sees("six people", |v| v.people_count == 6).await?;
    let Part::Facilitator(part) = free.part else { anyhow::bail!("a facilitator's view") };
    let table =
        part.floor.iter().map(|t| t.id).find(|id| part.people.iter().filter(|p| p.table == Some(*id)).count() < 3);
    let table = table.context("a free seat")?;
    cafe.steer(Command::MovePerson { participant: seventh.id.clone(), table }).await?;
    seventh.until("the seat", |g| g.seat().filter(|s| s.table.id == table)).await?;
    // Returning with the same token is the same person; there is no seat for them now.
    let again = server.api.join(&cafe.created.join_code, &guests[0].name, Some(&guests[0].token)).await?;
    assert_eq!(again.participant, guests[0].id);
    cafe.facilitator.sees("seven again", |v| v.people_count == 7).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn w9_one_writes_where_one_was_seated_and_nowhere_else() -> Result<()> {
    let server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 2, 20.0)).await?;
    let guests = cafe.guests(4).await?;
    let tables = cafe.next_round(&guests).await?;
    let other = if tables[0] == TableId(1) { TableId(2) } else { TableId(1) };
    let refused = guests[0].open(BoardKind::Table(other)).await;
    assert!(refused.is_err(), "a table one has not been seated at");
    cafe.steer(Command::LockBoards { locked: true }).await?;
    guests[1].until("the lock", |g| g.with(BoardKind::Table(tables[1]), |r| r.read_only).filter(|x| *x)).await?;
    cafe.steer(Command::LockBoards { locked: false }).await?;
    guests[1].until("the unlock", |g| g.with(BoardKind::Table(tables[1]), |r| !r.read_only).filter(|x| *x)).await?;
    guests[1].write(tables[1], Default::default(), "又可以写了", None)?;
    guests[1].saved().await
}

#[tokio::test(flavor = "multi_thread")]
async fn w7_w8_votes_are_counted_and_decisions_reasoned() -> Result<()> {
    let server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 1, 20.0)).await?;
    let guests = cafe.guests(3).await?;
    cafe.next_round(&guests).await?;
    cafe.steer(Command::EndRound).await?;
    cafe.go_to(Phase::Gallery).await?;
    cafe.go_to(Phase::Harvest).await?;
    let facilitator = &cafe.facilitator;
    facilitator.open(BoardKind::Harvest).await?;
    let (one, two) = (ThemeId::from("t1"), ThemeId::from("t2"));
    facilitator.edit(BoardKind::Harvest, |txn, r| {
        theme::create(txn, &r.harvest, &one, "主题一", 0.0);
        theme::create(txn, &r.harvest, &two, "主题二", 1.0);
    })?;
    facilitator.saved().await?;
    cafe.go_to(Phase::Vote).await?;
    cafe.steer(Command::SetDots { dots: 2 }).await?;
    let cast = |theme: &ThemeId, dots| Command::CastVote { theme: theme.clone(), dots };
    guests[0].command(cast(&one, 1)).await?;
    guests[0].command(cast(&two, 1)).await?;
    assert_eq!(refusal(&guests[0], cast(&one, 2)).await?, "no_dots_left");
    assert_eq!(refusal(&guests[0], cast(&ThemeId::from("gone"), 1)).await?, "unknown_theme");
    guests[0].command(cast(&two, 0)).await?;
    guests[0].command(cast(&one, 2)).await?;
    guests[1].command(cast(&two, 1)).await?;
    for guest in [&guests[2], facilitator] {
        let view = guest.sees("two voters", |v| v.vote.as_ref().is_some_and(|v| v.voters == 2)).await?;
        assert_eq!(view.vote.and_then(|v| v.tally), None, "hidden until the vote is closed");
    }
    cafe.steer(Command::CloseVote).await?;
    let view = guests[2].sees("the counts", |v| v.vote.as_ref().is_some_and(|v| v.tally.is_some())).await?;
    assert_eq!(view.vote.and_then(|v| v.tally), Some(vec![(one.clone(), 2), (two.clone(), 1)]));
    assert_eq!(refusal(&guests[2], cast(&two, 1)).await?, "vote_closed");

    cafe.go_to(Phase::Plan).await?;
    facilitator.open(BoardKind::Plan).await?;
    let id = ActionId::from("a1");
    facilitator.edit(BoardKind::Plan, |txn, r| {
        let new = action::NewAction {
            id: id.clone(),
            order: 0.0,
            title: "当天回访".into(),
            reason: String::new(),
            stage: String::new(),
            themes: vec![one],
            sources: Vec::new(),
        };
        action::create(txn, &r.plan, new);
    })?;
    facilitator.saved().await?;
    let reviewer = reviewer(&cafe);
    let decide = |verdict, reason: &str| Command::Decide {
        action: id.clone(),
        verdict,
        reason: reason.into(),
        name: "周总".into(),
    };
    assert_eq!(refusal(&reviewer, decide(Verdict::Approve, "")).await?, "wrong_phase");
    cafe.go_to(Phase::Review).await?;
    assert_eq!(refusal(&reviewer, decide(Verdict::Decline, " ")).await?, "empty");
    assert_eq!(refusal(&reviewer, decide(Verdict::Change, "")).await?, "empty");
    reviewer.command(decide(Verdict::Change, "预算太高")).await?;
    reviewer.command(decide(Verdict::Approve, "")).await?;
    let view =
        facilitator.sees("the decision", |v| matches!(&v.part, Part::Facilitator(p) if p.decisions.len() == 1)).await?;
    let Part::Facilitator(part) = view.part else { anyhow::bail!("a facilitator's view") };
    assert_eq!(part.decisions[0].verdict, Verdict::Approve);
    cafe.go_to(Phase::Closed).await?;
    assert_eq!(refusal(&reviewer, decide(Verdict::Approve, "")).await?, "wrong_phase");
    Ok(())
}

fn reviewer(cafe: &Cafe) -> Guest {
    Guest::with_token(&cafe.api, cafe.created.id.clone(), ActorId::from("r1"), "周总", &cafe.created.review_token)
}

fn status(view: &shared::workshop::View) -> Option<RoundStatus> {
    view.round.as_ref().map(|r| r.status)
}

fn running(view: &shared::workshop::View) -> Option<u64> {
    match status(view)? {
        RoundStatus::Running { ends_at } => Some(ends_at),
        _ => None,
    }
}

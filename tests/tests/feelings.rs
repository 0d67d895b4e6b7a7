//! How the stages of a journey feel, over real sockets: counted by the server, told from three on, and never by name.

use anyhow::{Context, Result, ensure};
use harness::api::code_of;
use harness::cafe::{Cafe, small};
use harness::guest::Guest;
use harness::server::Server;
use serde_json::Value;
use shared::api::CreateWorkshop;
use shared::id::TableId;
use shared::workshop::journey::{Headline, Journey};
use shared::workshop::view::FeelingsView;
use shared::workshop::{Command, Phase, Settings};

/// Three tables, of which each person sits at one in the only round.
fn asking() -> CreateWorkshop {
    let mut body = small(3, 1, 60.0);
    body.settings = body.settings.map(|settings| Settings { feelings: true, ..settings });
    body
}

fn seen(guest: &Guest) -> Option<FeelingsView> {
    guest.view()?.feelings
}

async fn refusal(guest: &Guest, table: TableId, score: i8) -> Result<String> {
    let refused = guest.command(Command::Feel { table, score: Some(score) }).await.err().context("was carried out")?;
    Ok(code_of(&refused).with_context(|| format!("{refused:#}"))?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn w17_w18_scores_are_counted_told_from_three_on_and_outlive_a_crash() -> Result<()> {
    let mut server = Server::start().await?;
    let cafe = Cafe::open(&server, &asking()).await?;
    let guests = cafe.guests(12).await?;
    cafe.steer(Command::NextRound).await?;
    let mut tables: Vec<Vec<&Guest>> = vec![Vec::new(); 3];
    for guest in &guests {
        let seat = guest.until("a seat", Guest::seat).await?;
        tables[usize::from(seat.table.id.0) - 1].push(guest);
    }
    let boss = &cafe.facilitator;
    // Four at each table: the first feels good to all of them, the second bad, of the third only two speak.
    let scores = [vec![2, 2, 1, 2], vec![-2, -1, -2, -1], vec![0, 0]];
    for ((people, scores), number) in tables.iter().zip(&scores).zip(1..) {
        for (guest, score) in people.iter().zip(scores) {
            let told = guest.command(Command::Feel { table: TableId(number), score: Some(*score) }).await?;
            ensure!(told.len() == 1 && told[0].by == guest.id, "{told:?}");
        }
    }
    let told = vec![Some([0, 0, 0, 1, 3]), Some([2, 2, 0, 0, 0]), None];
    boss.sees("the counts", |view| view.feelings.as_ref().is_some_and(|seen| seen.stages.as_ref() == Some(&told)))
        .await?;
    let first = tables[0][0];
    ensure!(refusal(first, TableId(2), 1).await? == "not_seated_there");
    ensure!(refusal(first, TableId(9), 1).await? == "unknown_table");
    ensure!(refusal(first, TableId(1), 3).await? == "out_of_range");
    // In the round, one sees one's own.
    first
        .sees("one's own score", |view| {
            view.feelings.as_ref().is_some_and(|seen| seen.mine == [(TableId(1), 2)] && seen.stages.is_none())
        })
        .await?;
    cafe.steer(Command::SetLine { label: "服务底线".into(), level: -5 }).await?;

    server.kill().await?;
    server.restart().await?;
    for guest in guests.iter().chain([boss]) {
        guest.until("the lost connection", |guest| (!guest.is_connected()).then_some(())).await?;
        guest.connect().await?;
    }
    cafe.go_to(Phase::Gallery).await?;
    first
        .sees("the journey", |view| view.feelings.as_ref().is_some_and(|seen| seen.stages.as_ref() == Some(&told)))
        .await?;
    let feelings = seen(first).context("asked")?;
    ensure!(feelings.line.label == "服务底线" && feelings.mine == [(TableId(1), 2)], "{feelings:?}");
    let journey = Journey::new(&feelings.stages.unwrap_or_default(), feelings.line.level);
    let Headline::Curve { peak, trough, end } = journey.headline() else { anyhow::bail!("{journey:?}") };
    ensure!((peak.table, trough.table, end.table) == (TableId(1), TableId(2), TableId(2)));
    ensure!(journey.below == [TableId(2)]);

    // As long as one may write at the table.
    cafe.go_to(Phase::Harvest).await?;
    first.command(Command::Feel { table: TableId(1), score: Some(1) }).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn x9_w18_the_journey_leaves_in_every_document_and_no_name_beside_a_score() -> Result<()> {
    let server = Server::start().await?;
    let cafe = Cafe::open(&server, &asking()).await?;
    let guests = cafe.guests(9).await?;
    cafe.steer(Command::NextRound).await?;
    for guest in &guests {
        let table = guest.until("a seat", Guest::seat).await?.table.id;
        let score = [1, -2, 0][usize::from(table.0) - 1];
        guest.command(Command::Feel { table, score: Some(score) }).await?;
    }
    cafe.go_to(Phase::Gallery).await?;
    for reader in [&cafe.facilitator, &guests[0]] {
        let json: Value = serde_json::from_str(&server.api.export(&reader.workshop, &reader.token, "json").await?)?;
        let journey = &json["journey"];
        ensure!(journey["stages"][1]["felt"]["counts"] == serde_json::json!([3, 0, 0, 0, 0]), "{journey:#}");
        ensure!(journey["stages"][1]["felt"]["mean_tenths"] == -20 && journey["stages"][1]["felt"]["below"] == true);
        ensure!((&journey["peak"], &journey["trough"], &journey["end"]) == (&1.into(), &2.into(), &3.into()));
        let told = journey.to_string();
        ensure!(guests.iter().all(|guest| !told.contains(guest.id.as_str()) && !told.contains(&guest.name)), "{told}");
        ensure!(!json["timeline"].to_string().contains("felt"));
    }
    let (id, token) = (&cafe.created.id, &cafe.created.facilitator_token);
    let text = server.api.export(id, token, "md").await?;
    for line in [
        "峰值：话题 1（1.0）。低谷：话题 2（−2.0）。终值：话题 3（0.0）。低于底线的阶段：话题 2。",
        "| 第 2 桌 话题 2 | 3 | −2.0 | -2 … -2 | 3 | 0 | 0 | 0 | 0 |",
    ] {
        ensure!(text.contains(line), "{text}");
    }
    Ok(())
}

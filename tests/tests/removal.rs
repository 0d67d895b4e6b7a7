//! Cafés taken away for good, as an operator does it: what is left of them, and of the others.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use harness::api::code_of;
use harness::cafe::{Cafe, small};
use harness::disk::{Disk, places_of, stored};
use harness::guest::Guest;
use harness::raw::{Heard, Raw, auth};
use harness::server::Server;
use rusqlite::Connection;
use server::store::{NewRow, Page, SqliteStore, Store, StreamId};
use shared::board::view::NoteKind;
use shared::id::{BoardId, TableId};
use shared::wire::frame::{Address, ServerMessage};

const DAY: u64 = 86_400_000;

async fn tablehop(args: &[&str]) -> Result<(Option<i32>, String)> {
    let (code, said) = Server::command(args).await?;
    eprintln!("tablehop {}\n{said}", args.join(" "));
    Ok((code, said))
}

/// A café in its round, with four guests whose names begin with `name`; they have written many notes that begin with `words`.
async fn cafe(server: &Server, title: &str, name: &str, words: &str) -> Result<(Cafe, Vec<Guest>, Vec<TableId>)> {
    let mut body = small(2, 1, 200.0);
    body.title = title.to_owned();
    let cafe = Cafe::open(server, &body).await?;
    let mut guests = Vec::new();
    for count in 1..=4 {
        guests.push(cafe.guest(&format!("{name}{count}")).await?);
    }
    let tables = cafe.next_round(&guests).await?;
    for (guest, table) in guests.iter().zip(&tables) {
        for count in 0..30 {
            guest.write(*table, NoteKind::Idea, &format!("{words} {count}"), None)?;
        }
        guest.saved().await?;
    }
    Ok((cafe, guests, tables))
}

/// In which files of a data directory this stands.
fn files_with(data: &Path, text: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(data)? {
        let path = entry?.path();
        if fs::read(&path)?.windows(text.len()).any(|here| here == text.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
    Ok(found)
}

#[tokio::test(flavor = "multi_thread")]
async fn d20_a_removed_cafe_leaves_nothing_and_others_are_left_alone() -> Result<()> {
    let mut server = Server::start().await?;
    let data = server.data().display().to_string();
    let (gone, goners, tables) = cafe(&server, "要删掉的咖啡馆", "离场客", "不该再有的话").await?;
    let (kept, keepers, _) = cafe(&server, "留下来的咖啡馆", "留场客", "要一直在的话").await?;
    let id = gone.created.id.clone();
    let place = tempfile::tempdir()?;
    let backup = place.path().join("backup").display().to_string();
    assert_eq!(tablehop(&["backup", &backup, "--data", &data]).await?.0, Some(0));
    let remove = ["remove", "--cafe", id.as_str(), "--data", &data];

    // Beneath a running server nothing is removed; looking is allowed.
    let (code, said) = tablehop(&remove).await?;
    assert!(code == Some(1) && said.contains("in use by another Tablehop"), "{said}");
    let (code, said) = tablehop(&[&remove[..], &["--dry-run"]].concat()).await?;
    assert!(code == Some(0) && said.contains("“要删掉的咖啡馆”") && said.contains("Nothing was changed"), "{said}");
    gone.facilitator.api.view(&id, &gone.created.facilitator_token).await?;

    server.stop().await?;
    // What a restore has put aside goes as well.
    let board = BoardId::table(&id, tables[0]).to_string();
    assert_eq!(tablehop(&["restore", &backup, "--data", &data, "--board", &board]).await?.0, Some(0));
    let (code, said) = tablehop(&["remove", "--cafe", "nosuchcafe", "--cafe", id.as_str(), "--data", &data]).await?;
    assert!(code == Some(1) && said.contains("there is no café nosuchcafe"), "all of it or nothing: {said}");
    places_of(server.data(), "不该再有的话").context("still there")?;

    let others = stored(server.data(), &kept.created.id)?;
    let size = || fs::metadata(server.data().join("tablehop.db")).map(|meta| meta.len());
    let before = size()?;
    let (code, said) = tablehop(&remove).await?;
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("“要删掉的咖啡馆”") && said.contains("Removed 1 café.") && said.contains("6 tokens"),
        "{said}"
    );
    let left = [
        "要删掉的咖啡馆",
        "不该再有的话",
        "离场客",
        id.as_str(),
        gone.created.join_code.as_str(),
        goners[0].id.as_str(),
    ];
    for text in left {
        assert_eq!(files_with(server.data(), text)?, [""; 0], "{text}");
    }
    assert!(size()? < before * 3 / 4, "{} bytes of {before}", size()?);
    assert_eq!(stored(server.data(), &kept.created.id)?, others, "another café is as it was");
    let (code, said) = tablehop(&["verify", "--data", &data]).await?;
    assert!(code == Some(0) && !said.contains("kept aside"), "{said}");
    let (code, said) = tablehop(&remove).await?;
    assert!(code == Some(1) && said.contains("there is no café"), "{said}");

    // Its links and its code are like those that never were.
    server.restart().await?;
    let api = &server.api;
    for token in [&gone.created.facilitator_token, &gone.created.review_token, &goners[0].token] {
        let refused = api.view(&id, token).await.err().context("refused")?;
        assert_eq!(code_of(&refused), Some("unauthorised"));
        let mut raw = Raw::open(&server).await?;
        raw.says(&Address::Workshop(id.clone()), auth(token)).await?;
        assert_eq!(raw.next().await?, Heard::Message(ServerMessage::Denied { reason: "bad_token".into() }));
    }
    let mut refusals = Vec::new();
    for code in [gone.created.join_code.as_str(), "ZZZZ2345"] {
        refusals.push(api.join(code, "离场客", None).await.err().context("refused")?.to_string());
    }
    assert!(refusals[0] == refusals[1] && refusals[0].contains("bad_code"), "{refusals:?}");
    let stranger = api.view(&id, &kept.created.facilitator_token).await.err().context("refused")?;
    assert_eq!(code_of(&stranger), Some("wrong_workshop"), "as with any other id");

    // The other one goes on.
    assert_eq!(api.view(&kept.created.id, &kept.created.facilitator_token).await?.title, "留下来的咖啡馆");
    keepers[0].connect().await?;
    let table = keepers[0].until("a seat", Guest::seat).await?.table.id;
    keepers[0].write(table, NoteKind::Idea, "接着写", None)?;
    keepers[0].saved().await?;

    // What was removed by mistake is in the backup.
    server.stop().await?;
    let (code, said) = tablehop(&["restore", &backup, "--data", &data, "--cafe", id.as_str()]).await?;
    assert!(code == Some(0) && said.contains("6 tokens") && said.contains("1 join codes"), "{said}");
    server.restart().await?;
    let export = server.api.export(&id, &gone.created.facilitator_token, "json").await?;
    ensure!(export.contains("不该再有的话 29"), "{export}");
    Ok(())
}

/// Who reads the file meanwhile holds on to what was in it; that is said, and is over when the server is started.
#[tokio::test(flavor = "multi_thread")]
async fn d20_a_reader_delays_what_is_left_until_the_next_start() -> Result<()> {
    let mut server = Server::start().await?;
    let data = server.data().display().to_string();
    let (gone, ..) = cafe(&server, "要删掉的咖啡馆", "离场客", "不该再有的话").await?;
    server.stop().await?;
    let reader = Connection::open(server.data().join("tablehop.db"))?;
    reader.execute_batch("BEGIN")?;
    reader.query_row("SELECT count(*) FROM rows", [], |_| Ok(()))?;
    let (code, said) = tablehop(&["remove", "--cafe", gone.created.id.as_str(), "--data", &data]).await?;
    assert!(code == Some(3) && said.contains("Removed 1 café.") && said.contains("is reading"), "{said}");
    drop(reader);
    server.restart().await?;
    assert_eq!(files_with(server.data(), "不该再有的话")?, [""; 0]);
    let refused = server.api.view(&gone.created.id, &gone.created.facilitator_token).await.err().context("refused")?;
    assert_eq!(code_of(&refused), Some("unauthorised"));
    Ok(())
}

/// There is room for removing, and not for a second copy of what stays.
#[tokio::test(flavor = "multi_thread")]
async fn d20_a_full_disk_keeps_the_space_and_a_second_attempt_gives_it_back() -> Result<()> {
    let disk = Disk::new()?;
    let mut server = Server::start_in_with(&disk.data(), disk.env()?).await?;
    let data = server.data().display().to_string();
    let (gone, ..) = cafe(&server, "要删掉的咖啡馆", "离场客", "不该再有的话").await?;
    let (kept, ..) = cafe(&server, "留下来的咖啡馆", "留场客", &"要一直在的话".repeat(40)).await?;
    server.stop().await?;
    let (others, size) =
        (stored(&disk.data(), &kept.created.id)?, fs::metadata(disk.data().join("tablehop.db"))?.len());
    let remove = ["remove", "--cafe", gone.created.id.as_str(), "--data", &data];

    // At first not even for that.
    disk.leave_room(Some(0))?;
    let (code, said) = Server::command_with(&remove, disk.env()?).await?;
    assert!(code == Some(1) && said.contains("the disk is full") && !said.contains("Removed"), "{said}");
    places_of(&disk.data(), "不该再有的话").context("nothing was changed")?;

    disk.leave_room(Some(size * 2 / 3))?;
    let (code, said) = Server::command_with(&remove, disk.env()?).await?;
    assert!(code == Some(3) && said.contains("Removed 1 café.") && said.contains("the disk is full"), "{said}");
    assert!(said.contains("tablehop remove --idle-days 36500"), "{said}");
    assert_eq!(stored(&disk.data(), &gone.created.id)?, [""; 0]);
    assert_eq!(stored(&disk.data(), &kept.created.id)?, others);

    disk.leave_room(None)?;
    let (code, said) = tablehop(&["remove", "--idle-days", "36500", "--data", &data]).await?;
    assert!(code == Some(0) && said.contains("Removed 0 cafés.") && said.contains("written anew"), "{said}");
    assert_eq!(files_with(&disk.data(), "不该再有的话")?, [""; 0]);
    assert_eq!(stored(&disk.data(), &kept.created.id)?, others);
    server.restart().await?;
    server.api.view(&kept.created.id, &kept.created.facilitator_token).await?;
    Ok(())
}

/// Removed wholly or not at all wherever the process is killed; a second attempt finishes it, and another café is as it was.
#[tokio::test(flavor = "multi_thread")]
async fn d20_killed_at_any_step_a_cafe_is_there_or_gone() -> Result<()> {
    let disk = Disk::new()?;
    let mut server = Server::start_in_with(&disk.data(), disk.env()?).await?;
    let data = server.data().display().to_string();
    let (gone, ..) = cafe(&server, "要删掉的咖啡馆", "离场客", "不该再有的话").await?;
    let (kept, ..) = cafe(&server, "留下来的咖啡馆", "留场客", "要一直在的话").await?;
    server.stop().await?;
    let ids = [&gone.created.id, &kept.created.id];
    let [before, others] = [stored(&disk.data(), ids[0])?, stored(&disk.data(), ids[1])?];
    let whole = fs::read(disk.data().join("tablehop.db"))?;
    let remove = ["remove", "--cafe", ids[0].as_str(), "--data", &data];
    let (mut there, mut half, mut step) = (0, 0, 1);
    loop {
        disk.kill_in(step)?;
        let (code, said) = Server::command_with(&remove, disk.env()?).await?;
        disk.kill_in(0)?;
        if code.is_some() {
            assert_eq!(code, Some(0), "not killed at step {step}: {said}");
            break;
        }
        let (code, said) = Server::command(&["verify", "--data", &data]).await?;
        assert_eq!(code, Some(0), "killed at step {step}: {said}");
        let left = stored(&disk.data(), ids[0])?;
        let again: &[&str] = if left.is_empty() {
            half += 1;
            // It is gone, but perhaps not out of the file.
            &["remove", "--idle-days", "36500", "--data", &data]
        } else {
            there += 1;
            assert_eq!(left, before, "killed at step {step}");
            &remove
        };
        let (code, said) = Server::command(again).await?;
        assert_eq!(code, Some(0), "after a kill at step {step}: {said}");
        assert_eq!(files_with(&disk.data(), "不该再有的话")?, [""; 0], "killed at step {step}");
        assert_eq!(stored(&disk.data(), ids[1])?, others, "killed at step {step}");
        // As it was.
        for entry in fs::read_dir(disk.data())? {
            fs::remove_file(entry?.path())?;
        }
        fs::write(disk.data().join("tablehop.db"), &whole)?;
        // Each of the first steps, and of the many that write the file anew, fewer and fewer.
        step += 1 + step / 8;
    }
    assert!(there >= 3 && half >= 3, "killed {there} times before it was gone, and {half} times after");
    Ok(())
}

/// The same events as those of `cafe`, some days earlier.
async fn of_old(store: &SqliteStore, cafe: &Cafe, id: &str, days: u64) -> Result<()> {
    let rows = store.history(StreamId::workshop(cafe.created.id.as_str()), 0, Page::ALL).await?;
    let rows =
        rows.into_iter().map(|row| NewRow { principal: row.principal, at: row.at - days * DAY, payload: row.payload });
    store.append(StreamId::workshop(id), Some(0), rows.collect()).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn d20_idle_cafes_are_listed_and_removed_by_the_age_of_their_last_row() -> Result<()> {
    let mut server = Server::start().await?;
    let data = server.data().display().to_string();
    let (young, ..) = cafe(&server, "年轻的咖啡馆", "客", "话").await?;
    server.stop().await?;
    let store = SqliteStore::open(server.data())?;
    for (id, days) in [("older", 100), ("oldest", 400), ("newer", 80), ("damaged", 400)] {
        of_old(&store, &young, id, days).await?;
    }
    // What is old was written on yesterday.
    of_old(&store, &young, "awake", 400).await?;
    let row = NewRow { principal: "p".into(), at: server::clock::now() - DAY, payload: vec![0, 0].into() };
    store.append(StreamId::board("awake.t1"), None, vec![row]).await?;
    store.close().await;
    {
        let db = Connection::open(server.data().join("tablehop.db"))?;
        let last = "stream = (SELECT id FROM streams WHERE name = 'workshop/damaged') ORDER BY seq DESC LIMIT 1";
        let sql =
            format!("UPDATE rows SET at = at - 1 WHERE (stream, seq) IN (SELECT stream, seq FROM rows WHERE {last})");
        assert_eq!(db.execute(&sql, [])?, 1);
    }
    let whole = fs::read(server.data().join("tablehop.db"))?;
    let idle = ["remove", "--idle-days", "90", "--data", &data];
    let (code, said) = tablehop(&[&idle[..], &["--dry-run"]].concat()).await?;
    assert_eq!(code, Some(0), "{said}");
    let listed: Vec<&str> = said.lines().filter_map(|line| line.split_once("  “").map(|(id, _)| id)).collect();
    assert_eq!(listed, ["older", "oldest"], "{said}");
    assert!(said.contains("damaged stays, for nobody can say how old it is"), "{said}");
    assert!(said.contains("last active 20") && said.contains("UTC, ") && said.contains(" KB"), "{said}");
    assert!(said.contains("2 cafés to remove. Nothing was changed."), "{said}");
    assert!(fs::read(server.data().join("tablehop.db"))? == whole, "a dry run changes nothing");

    let (code, said) = tablehop(&idle).await?;
    assert!(code == Some(0) && said.contains("Removed 2 cafés."), "{said}");
    let (code, said) = tablehop(&idle).await?;
    assert!(code == Some(0) && said.contains("0 cafés to remove. Nothing was changed."), "{said}");
    for (id, there) in [("older", false), ("oldest", false), ("newer", true), ("damaged", true), ("awake", true)] {
        assert_eq!(!stored(server.data(), &id.into())?.is_empty(), there, "{id}");
    }
    server.restart().await?;
    server.api.view(&young.created.id, &young.created.facilitator_token).await?;
    for wrong in [&["remove", "--data", &data][..], &["remove", "--cafe", "a", "--idle-days", "9", "--data", &data]] {
        assert_eq!(tablehop(wrong).await?.0, Some(2), "one of the two");
    }
    Ok(())
}

//! Backup, verify and restore as an operator runs them, and what damage costs.

use std::path::Path;

use anyhow::{Context, Result};
use futures_util::StreamExt;
use harness::api::code_of;
use harness::cafe::{Cafe, small};
use harness::disk::{flip_bit, places_of, stored};
use harness::guest::{Guest, PATIENCE};
use harness::raw::{Heard, Raw, auth};
use harness::server::Server;
use rusqlite::{Connection, params};
use shared::board::view::NoteKind;
use shared::id::{BoardId, BoardKind, TableId};
use shared::wire::frame::{Address, ServerMessage};
use shared::workshop::Command;
use shared::workshop::view::{Alert, Part};
use tokio_tungstenite::tungstenite::Message;
use yrs::Text;

/// A café with one guest writing at each of its two tables.
struct House {
    server: Server,
    cafe: Cafe,
    guests: Vec<Guest>,
    tables: Vec<TableId>,
}

impl House {
    async fn open() -> Result<Self> {
        let server = Server::start().await?;
        let (cafe, guests) = Self::open_on(&server).await?;
        Ok(Self { server, cafe, guests, tables: vec![TableId(1), TableId(2)] })
    }

    /// A café, and a guest at each of its tables.
    async fn open_on(server: &Server) -> Result<(Cafe, Vec<Guest>)> {
        let cafe = Cafe::open(server, &small(2, 1, 200.0)).await?;
        let all = cafe.guests(6).await?;
        let seats = cafe.next_round(&all).await?;
        let at = |table| seats.iter().position(|seat| *seat == TableId(table)).context("nobody sits there");
        let guests = vec![all[at(1)?].clone(), all[at(2)?].clone()];
        Ok((cafe, guests))
    }

    async fn writes(&self, who: usize, text: &str) -> Result<()> {
        self.guests[who].write(self.tables[who], NoteKind::Idea, text, None)?;
        self.guests[who].saved().await
    }

    fn board_of(&self, who: usize) -> String {
        format!("{}.t{}", self.cafe.created.id, self.tables[who])
    }

    /// The texts on somebody's board, as it is on the disk of `server`; the refusal if it is not served.
    async fn reads(&self, server: &Server, who: usize) -> Result<Vec<String>> {
        self.cafe.stored(server, &[self.tables[who]]).await
    }
}

async fn tablehop(args: &[&str]) -> Result<(Option<i32>, String)> {
    let (code, said) = Server::command(args).await?;
    eprintln!("tablehop {}\n{said}", args.join(" "));
    Ok((code, said))
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn d16_a_backup_of_a_running_server_is_of_one_moment() -> Result<()> {
    let house = House::open().await?;
    let data = text(house.server.data());
    house.writes(0, "备份之前").await?;
    let place = tempfile::tempdir()?;
    let backup = text(&place.path().join("monday"));

    // People go on writing all the time: one note at the first table, then one at the second, each once the last one is saved.
    let writing = {
        let (guests, tables) = (house.guests.clone(), house.tables.clone());
        tokio::spawn(async move {
            for count in 1..=10_000 {
                for (guest, table) in guests.iter().zip(&tables) {
                    guest.write(*table, NoteKind::Idea, &format!("连续的第 {count} 条"), None)?;
                    guest.saved().await?;
                }
            }
            Ok::<_, anyhow::Error>(())
        })
    };
    let busy = |guest: &Guest| guest.table_board(house.tables[1]).filter(|board| board.notes.len() > 20).map(drop);
    house.guests[1].until("the writing is under way", busy).await?;
    let (code, said) = tablehop(&["backup", &backup, "--data", &data]).await?;
    assert!(!writing.is_finished(), "somebody was writing all the time");
    writing.abort();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("0 damaged") && said.contains("Backed up"), "{said}");
    house.writes(0, "备份之后").await?;

    // The same place is not taken twice.
    let (code, said) = tablehop(&["backup", &backup, "--data", &data]).await?;
    assert_eq!(code, Some(1));
    assert!(said.contains("holds a store already"), "{said}");

    // Another machine: everything of that moment is there, and nothing later.
    let new = tempfile::tempdir()?;
    let (code, said) = tablehop(&["restore", &backup, "--data", &text(&new.path().join("data"))]).await?;
    assert_eq!(code, Some(0), "{said}");
    let server = Server::start_in(&new.path().join("data")).await?;
    let (mut first, mut second) = (house.reads(&server, 0).await?, house.reads(&server, 1).await?);
    let before = first.iter().position(|note| note == "备份之前").context("from before the backup")?;
    first.remove(before);
    for notes in [&mut first, &mut second] {
        let mut expected: Vec<String> = (1..=notes.len()).map(|count| format!("连续的第 {count} 条")).collect();
        notes.sort();
        expected.sort();
        assert_eq!(*notes, expected, "without a gap, up to one moment");
    }
    // A note that was there before another was begun is not missing where that one is.
    let (first, second) = (first.len(), second.len());
    assert!(second >= 20 && (first == second || first == second + 1), "{first} and {second} are of two moments");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn d13_d17_d18_a_damaged_board_is_quarantined_alone_named_and_restored() -> Result<()> {
    let mut house = House::open().await?;
    let data = text(house.server.data());
    house.writes(0, "第一条：没有坏").await?;
    house.writes(0, "第二条：将会损坏").await?;
    house.writes(1, "另一桌").await?;
    let place = tempfile::tempdir()?;
    let backup = text(&place.path().join("backup"));
    assert_eq!(tablehop(&["backup", &backup, "--data", &data]).await?.0, Some(0));
    house.writes(0, "第三条：备份之后写的").await?;
    let (code, said) = tablehop(&["verify", "--data", &data]).await?;
    assert!(code == Some(0) && said.contains("is sound"), "{said}");

    // Restoring beneath a running server would tear the log.
    let board = house.board_of(0);
    let (code, said) = tablehop(&["restore", &backup, "--data", &data, "--board", &board]).await?;
    assert_eq!(code, Some(1));
    assert!(said.contains("in use by another Tablehop") && said.contains("stop"), "{said}");

    house.server.stop().await?;
    for place in places_of(house.server.data(), "第二条：将会损坏")? {
        flip_bit(house.server.data(), place)?;
    }
    let (code, said) = tablehop(&["verify", "--data", &data]).await?;
    assert_eq!(code, Some(3));
    assert!(said.contains(&format!("DAMAGED   board/{board}")) && said.contains("checksum of row"), "{said}");
    assert!(said.contains("1 damaged, 0 impaired"), "{said}");

    house.server.restart().await?;
    let refused = house.reads(&house.server, 0).await.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.contains("board_quarantined"), "{refused}");
    let url =
        format!("ws://127.0.0.1:{}/yjs/{board}?token={}", house.server.port(), house.cafe.created.facilitator_token);
    let (mut plain, _) = tokio_tungstenite::connect_async(url).await?;
    let closed = async {
        loop {
            if let Some(Ok(Message::Close(Some(frame)))) = plain.next().await {
                return u16::from(frame.code);
            }
        }
    };
    assert_eq!(tokio::time::timeout(PATIENCE, closed).await?, 4403, "who has no word for it is let go");
    assert_eq!(house.reads(&house.server, 1).await?, ["另一桌"], "the others do not notice");
    house.cafe.facilitator.connect().await?;
    let named = Alert::BoardDamaged { board: board.clone() };
    house
        .cafe
        .facilitator
        .sees(
            "the damaged board by its name",
            |view| matches!(&view.part, Part::Facilitator(part) if part.alerts == [named.clone()]),
        )
        .await?;
    assert!(
        house.server.log().contains("quarantined") && house.server.log().contains(&board),
        "{}",
        house.server.log()
    );

    // A whole store never takes the place of another one.
    house.server.stop().await?;
    let (code, said) = tablehop(&["restore", &backup, "--data", &data]).await?;
    assert!(code == Some(1) && said.contains("holds a store already"), "{said}");

    let (code, said) = tablehop(&["restore", &backup, "--data", &data, "--board", &board]).await?;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("1 of them from the backup") && said.contains("kept in the same file as aside/"), "{said}");
    let (code, said) = tablehop(&["verify", "--data", &data]).await?;
    assert!(code == Some(0) && said.contains("1 are kept aside"), "{said}");
    house.server.restart().await?;
    let mut notes = house.reads(&house.server, 0).await?;
    notes.sort();
    assert_eq!(
        notes,
        ["第一条：没有坏", "第三条：备份之后写的", "第二条：将会损坏"],
        "also what is younger than the backup"
    );
    house.guests[0].connect().await?;
    house.writes(0, "写下去").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn d18_a_cafe_comes_back_whole_and_others_are_left_alone() -> Result<()> {
    let mut house = House::open().await?;
    let data = text(house.server.data());
    let cafe = house.cafe.created.clone();
    let (other, guests) = House::open_on(&house.server).await?;
    guests[0].write(TableId(1), NoteKind::Idea, "别家的便签", None)?;
    guests[0].saved().await?;
    let (watcher, leaver) = (house.cafe.guest("只来看看").await?, house.cafe.guest("后来被请出").await?);
    house.writes(0, "第一桌：备份之前").await?;
    house.writes(1, "第二桌：会整块丢失").await?;
    let place = tempfile::tempdir()?;
    let backup = text(&place.path().join("backup"));
    assert_eq!(tablehop(&["backup", &backup, "--data", &data]).await?.0, Some(0));
    house.writes(0, "第一桌：备份之后").await?;
    house.cafe.steer(Command::RemovePerson { participant: leaver.id.clone() }).await?;

    let restore = ["restore", &backup, "--data", &data, "--cafe", cafe.id.as_str()];
    let (code, said) = tablehop(&restore).await?;
    assert!(code == Some(1) && said.contains("in use by another Tablehop"), "{said}");

    // An event and a note are damaged; a board, the links, the join code and the client ids are lost.
    house.server.stop().await?;
    let whole = stored(house.server.data(), &other.created.id)?;
    for words in ["只来看看", "第一桌：备份之前"] {
        for place in places_of(house.server.data(), words)? {
            flip_bit(house.server.data(), place)?;
        }
    }
    {
        let db = Connection::open(house.server.data().join("tablehop.db"))?;
        let lost = format!("board/{}", house.board_of(1));
        for table in ["rows", "snapshots", "tails"] {
            let sql = format!("DELETE FROM {table} WHERE stream = (SELECT id FROM streams WHERE name = ?1)");
            db.execute(&sql, [&lost])?;
        }
        for table in ["streams", "names"] {
            assert_eq!(db.execute(&format!("DELETE FROM {table} WHERE name = ?1"), [&lost])?, 1);
        }
        let sql = "DELETE FROM tokens WHERE workshop = ?1 AND participant <> ?2";
        assert!(db.execute(sql, params![cafe.id.as_str(), leaver.id.as_str()])? > 8);
        for table in ["join_codes", "clients"] {
            let sql = format!("DELETE FROM {table} WHERE workshop = ?1");
            assert!(db.execute(&sql, [cafe.id.as_str()])? > 0, "{table}");
        }
    }
    let (code, said) = tablehop(&["verify", "--data", &data]).await?;
    assert!(code == Some(3) && said.contains(&format!("DAMAGED   workshop/{}", cafe.id)), "{said}");
    assert!(said.contains("2 damaged, 0 impaired"), "{said}");
    house.server.restart().await?;
    let lost = house.server.api.view(&cafe.id, &cafe.facilitator_token).await.err().context("lost")?;
    assert_eq!(code_of(&lost), Some("unauthorised"));
    house.server.stop().await?;

    let unknown = ["restore", &backup, "--data", &data, "--cafe", "nosuchcafe"];
    let (code, said) = tablehop(&unknown).await?;
    assert!(code == Some(1) && said.contains("the backup has no café nosuchcafe"), "{said}");
    let (code, said) = tablehop(&restore).await?;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("3 streams restored") && said.contains("0 could not be restored"), "{said}");
    assert_eq!(stored(house.server.data(), &other.created.id)?, whole, "another café is as it was");
    let (code, said) = tablehop(&["verify", "--data", &data]).await?;
    assert!(code == Some(0) && said.contains("2 are kept aside"), "{said}");
    let (code, said) = tablehop(&restore).await?;
    assert!(code == Some(0) && said.contains("0 streams restored") && said.contains(" 0 tokens"), "{said}");

    // A guest's link that a flipped bit has made somebody else's is refused, and comes back.
    {
        let db = Connection::open(house.server.data().join("tablehop.db"))?;
        let sql = "UPDATE tokens SET participant = 'p' || substr(participant, 3) WHERE participant = ?1";
        assert_eq!(db.execute(sql, [watcher.id.as_str()])?, 1);
    }
    let (code, said) = tablehop(&["verify", "--data", &data]).await?;
    let named = format!("DAMAGED   a token of café {}", cafe.id);
    assert!(code == Some(3) && said.contains(&named) && said.contains("client ids: 1 damaged"), "{said}");
    house.server.restart().await?;
    let refused = house.server.api.view(&cafe.id, &watcher.token).await.err().context("damaged")?;
    assert_eq!(code_of(&refused), Some("damaged"));
    let mut raw = Raw::open(&house.server).await?;
    raw.says(&Address::Workshop(cafe.id.clone()), auth(&watcher.token)).await?;
    assert_eq!(raw.next().await?, Heard::Message(ServerMessage::Denied { reason: "damaged".into() }));
    house.server.stop().await?;
    let (code, said) = tablehop(&restore).await?;
    assert!(code == Some(0) && said.contains(" 1 tokens"), "{said}");
    assert_eq!(tablehop(&["verify", "--data", &data]).await?.0, Some(0));

    house.server.restart().await?;
    let mut notes = house.reads(&house.server, 0).await?;
    notes.sort();
    assert_eq!(notes, ["第一桌：备份之前", "第一桌：备份之后"], "also what is younger than the backup");
    assert_eq!(house.reads(&house.server, 1).await?, ["第二桌：会整块丢失"]);
    let api = &house.server.api;
    let same = api.join(&cafe.join_code, "只来看看", Some(&watcher.token)).await?;
    assert_eq!(same.participant, watcher.id, "the same person, by their token");
    api.view(&cafe.id, &cafe.review_token).await?;
    let out = api.view(&cafe.id, &leaver.token).await.err().context("taken out after the backup")?;
    assert_eq!(code_of(&out), Some("unauthorised"), "who was taken out stays out");
    house.cafe.guest("新来的").await?;
    for who in [0, 1] {
        house.guests[who].connect().await?;
        house.writes(who, "写下去").await?;
    }
    assert_eq!(api.view(&other.created.id, &other.created.facilitator_token).await?.title, "服务体验工作坊");
    Ok(())
}

/// An older backup of the whole store, under two who have written on together since, one of them under an id that the backup does not know.
#[tokio::test(flavor = "multi_thread")]
async fn d18_who_is_ahead_of_a_restored_server_stays_and_what_each_wrote_arrives() -> Result<()> {
    let mut server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 1, 200.0)).await?;
    let all = cafe.guests(6).await?;
    let seats = cafe.next_round(&all).await?;
    let mut mates = all.iter().zip(&seats).filter(|(_, seat)| **seat == TableId(1)).map(|(guest, _)| guest.clone());
    let (ann, bob) = (mates.next().context("ann")?, mates.next().context("bob")?);
    let board = BoardKind::Table(TableId(1));
    ann.write(TableId(1), NoteKind::Idea, "备份之前", None)?;
    ann.saved().await?;
    let place = tempfile::tempdir()?;
    let backup = text(&place.path().join("old"));
    let data = text(server.data());
    assert_eq!(tablehop(&["backup", &backup, "--data", &data]).await?.0, Some(0));

    // As a reload does: another document, under an id that is bound after the backup.
    bob.disconnect();
    bob.connect().await?;
    bob.until("ids", |guest| guest.view().map(drop)).await?;
    bob.forget(board);
    bob.open(board).await?;
    ann.write(TableId(1), NoteKind::Idea, "备份之后，安写的", None)?;
    bob.write(TableId(1), NoteKind::Pain, "备份之后，宝写的", None)?;
    // Word by word behind each other's, so that none can come without the other.
    let handover = |guest: &Guest| guest.table_board(TableId(1)).map(|board| board.handover.so_far).unwrap_or_default();
    for turn in 0..8 {
        let (by, other) = if turn % 2 == 0 { (&ann, &bob) } else { (&bob, &ann) };
        by.edit(board, |txn, replica| replica.table.so_far.push(txn, &format!("{turn} ")))?;
        by.saved().await?;
        other.until("the other's word", |guest| handover(guest).ends_with(&format!("{turn} ")).then_some(())).await?;
    }
    let words = handover(&ann);

    server.stop().await?;
    std::fs::rename(server.data(), place.path().join("newer"))?;
    let (code, said) = tablehop(&["restore", &backup, "--data", &data]).await?;
    assert_eq!(code, Some(0), "{said}");
    server.restart().await?;
    for guest in [&ann, &bob] {
        guest.connect().await?;
    }
    let fresh = cafe.facilitator.clone();
    fresh.forget(board);
    fresh.connect().await?;
    fresh.open(board).await?;
    let back = |guest: &Guest| {
        let notes = guest.table_board(TableId(1))?.notes;
        (handover(guest) == words && notes.len() == 3).then_some(())
    };
    fresh.until("everything that they hold", back).await?;
    for guest in [&ann, &bob] {
        guest.saved().await?;
        assert!(guest.is_connected() && guest.closed().is_none(), "{:?}", guest.closed());
    }
    // And they go on, each under their name.
    for guest in [&ann, &bob] {
        guest.write(TableId(1), NoteKind::Idea, "接着写", None)?;
        guest.saved().await?;
    }
    Ok(())
}

/// A row that a snapshot covers, and then the snapshot itself.
#[tokio::test(flavor = "multi_thread")]
async fn d6_d13_either_copy_will_do() -> Result<()> {
    let mut house = House::open().await?;
    let data = text(house.server.data());
    for count in 0..120 {
        house.writes(0, &format!("便签 {count} 号")).await?;
    }
    // Unloaded with a snapshot.
    house.server.stop().await?;
    let (mut rows, mut snapshots) = (0, 0);
    for place in places_of(house.server.data(), "便签 7 号")? {
        flip_bit(house.server.data(), place)?;
        let (code, said) = tablehop(&["verify", "--data", &data]).await?;
        if code != Some(0) {
            assert_eq!(code, Some(3));
            assert!(said.contains("0 damaged, 1 impaired") && said.contains("still served"), "{said}");
            snapshots += u32::from(said.contains("the checksum of the snapshot"));
            rows += u32::from(said.contains("the checksum of row"));
        }
        house.server.restart().await?;
        let notes = house.reads(&house.server, 0).await?;
        assert_eq!(notes.len(), 120);
        assert!(notes.contains(&"便签 7 号".to_owned()), "the other copy has it");
        house.server.stop().await?;
        flip_bit(house.server.data(), place)?;
    }
    assert!(rows > 0 && snapshots > 0, "{rows} rows and {snapshots} snapshots were damaged");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn d7_a_second_process_is_told_which_one_is_in_its_way() -> Result<()> {
    let server = Server::start().await?;
    let refused = Server::start_in(server.data()).await.err().map(|error| format!("{error:#}")).unwrap_or_default();
    let pid = server.pid().context("running")?;
    assert!(refused.contains("in use by another Tablehop") && refused.contains(&pid.to_string()), "{refused}");
    assert!(refused.contains("stop that one or choose another directory"), "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn d17_a_store_that_is_not_there_is_said_to_be_missing() -> Result<()> {
    let nothing = tempfile::tempdir()?;
    for args in [vec!["verify"], vec!["backup", "anywhere"], vec!["restore", "/nonexistent"]] {
        let data = text(nothing.path());
        let (code, said) = tablehop(&[args, vec!["--data", &data]].concat()).await?;
        assert_eq!(code, Some(1));
        assert!(said.contains("there is no tablehop.db"), "{said}");
    }
    assert!(!nothing.path().join("tablehop.db").exists(), "looking makes nothing");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn d5_a_damaged_cafe_is_refused_as_such_on_the_sockets_too() -> Result<()> {
    let mut server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 1, 60.0)).await?;
    cafe.guest("只来看看的人").await?;
    server.stop().await?;
    for place in places_of(server.data(), "只来看看的人")? {
        flip_bit(server.data(), place)?;
    }
    server.restart().await?;
    let (id, token) = (&cafe.created.id, &cafe.created.facilitator_token);
    let refused = server.api.view(id, token).await.err().context("damaged")?;
    assert_eq!(code_of(&refused), Some("damaged"));
    let board = BoardId::table(id, TableId(1));
    for address in [Address::Workshop(id.clone()), Address::Board(board.clone())] {
        let mut raw = Raw::open(&server).await?;
        raw.says(&address, auth(token)).await?;
        assert_eq!(raw.next().await?, Heard::Message(ServerMessage::Denied { reason: "damaged".into() }));
    }
    // A code of which plain clients do not come back.
    assert_eq!(Raw::yjs(&server, &board, token).await?.next_bytes(|_| true).await?, Err(Some(4403)));
    Ok(())
}

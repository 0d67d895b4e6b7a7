//! The plan as management takes it away: files for office programs and for paper, over a real connection, read back by other programs' parsers.

use std::io::{Cursor, Read};

use anyhow::{Context, Result, ensure};
use calamine::{DataType, Reader, Xlsx};
use futures_util::future::try_join_all;
use harness::cafe::{Cafe, small};
use harness::server::Server;
use reqwest::header::HeaderMap;
use shared::api::Problem;
use shared::board::view::{NoteKind, NoteRef, Origin};
use shared::board::{action, note, theme};
use shared::id::{ActionId, BoardKind, TableId, ThemeId};
use shared::limits;
use shared::workshop::state::Verdict;
use shared::workshop::{Command, Phase};
use yrs::{Map, MapRef};

/// What somebody writes who hopes that a spreadsheet runs it.
const FORMULA: &str = "=HYPERLINK(\"http://evil\",\"等了两小时\")";

/// Formats of the plan, with their media types.
const PLAN: [(&str, &str); 4] = [
    ("csv", "text/csv; charset=utf-8; header=present"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("pdf", "application/pdf"),
];

/// A café in review: one note, one theme, two actions, a decision, a comment. Gives a participant's token, too.
async fn reviewed(server: &Server) -> Result<(Cafe, String)> {
    let mut body = small(2, 1, 20.0);
    body.title = "业主服务/旅程: \"共创\"".into();
    let cafe = Cafe::open(server, &body).await?;
    let guests = vec![cafe.guest("李雷").await?, cafe.guest("王芳").await?];
    let tables = cafe.next_round(&guests).await?;
    guests[0].write(tables[0], NoteKind::Pain, FORMULA, None)?;
    guests[0].saved().await?;
    let note = guests[0].table_board(tables[0]).context("its board")?.notes[0].id.clone();
    let boss = &cafe.facilitator;
    cafe.steer(Command::EndRound).await?;
    cafe.go_to(Phase::Gallery).await?;
    cafe.go_to(Phase::Harvest).await?;
    boss.open(BoardKind::Harvest).await?;
    let waiting = ThemeId::from("t1");
    boss.edit(BoardKind::Harvest, |txn, r| theme::create(txn, &r.harvest, &waiting, "上门之前", 0.0))?;
    boss.saved().await?;
    cafe.go_to(Phase::Vote).await?;
    guests[0].command(Command::CastVote { theme: waiting.clone(), dots: 2 }).await?;
    cafe.steer(Command::CloseVote).await?;
    cafe.go_to(Phase::Plan).await?;
    boss.open(BoardKind::Plan).await?;
    boss.edit(BoardKind::Plan, |txn, r| {
        for (id, order, title) in [("a2", 1.0, "-楼道换灯"), ("a1", 0.0, "上门前半小时打电话")] {
            let new = action::NewAction {
                id: id.into(),
                order,
                title: title.into(),
                reason: String::new(),
                stage: String::new(),
                themes: vec![waiting.clone()],
                sources: vec![NoteRef { table: tables[0], note: note.clone() }],
            };
            action::create(txn, &r.plan, new);
        }
    })?;
    boss.saved().await?;
    cafe.go_to(Phase::Review).await?;
    let review = &cafe.created.review_token;
    let action = Some(ActionId::from("a1"));
    let decide = Command::Decide {
        action: ActionId::from("a1"),
        verdict: Verdict::Approve,
        reason: "先从两栋楼试起".into(),
        name: "王总".into(),
    };
    let comment = Command::Comment { action, text: "费用多少？".into(), name: "王总".into() };
    server.api.command(&cafe.created.id, review, &decide).await?;
    server.api.command(&cafe.created.id, review, &comment).await?;
    let ticket = guests[0].token.clone();
    Ok((cafe, ticket))
}

async fn fetch(server: &Server, cafe: &Cafe, token: &str, format: &str) -> Result<(HeaderMap, Vec<u8>)> {
    let url = server.api.url(&format!("/api/workshops/{}/export/{format}", cafe.created.id));
    let response = server.api.http.get(url).bearer_auth(token).send().await?;
    ensure!(response.status().is_success(), "{format}: {}", response.status());
    let headers = response.headers().clone();
    Ok((headers, response.bytes().await?.to_vec()))
}

/// All that is written in a file, whatever holds it.
fn words(format: &str, file: &[u8]) -> Result<String> {
    if format == "csv" {
        return Ok(String::from_utf8(file.to_vec())?);
    }
    if format == "pdf" {
        let document = lopdf::Document::load_mem(file)?;
        let pages: Vec<u32> = document.get_pages().keys().copied().collect();
        return Ok(document.extract_text(&pages)?);
    }
    let mut zip = zip::ZipArchive::new(Cursor::new(file))?;
    let mut all = String::new();
    for at in 0..zip.len() {
        zip.by_index(at)?.read_to_string(&mut all)?;
    }
    Ok(all)
}

#[tokio::test(flavor = "multi_thread")]
async fn x3_x5_management_takes_the_plan_away_for_its_own_programs_and_on_paper() -> Result<()> {
    let server = Server::start().await?;
    let (cafe, _) = reviewed(&server).await?;
    let review = &cafe.created.review_token;
    for (format, kind) in PLAN {
        let (headers, file) = fetch(&server, &cafe, review, format).await?;
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        assert_eq!(header("content-type"), kind);
        assert_eq!((header("x-content-type-options"), header("cache-control")), ("nosniff", "no-store"), "{format}");
        // `业主服务-旅程- -共创-`: what no file system takes is gone.
        let name = format!(
            "attachment; filename=\"tablehop-{}.{format}\"; filename*=UTF-8''%E4%B8%9A%E4%B8%BB%E6%9C%8D%E5%8A%A1%2D\
             %E6%97%85%E7%A8%8B%2D%20%2D%E5%85%B1%E5%88%9B%2D.{format}",
            cafe.created.id
        );
        assert_eq!(header("content-disposition"), name);
        let all = words(format, &file)?;
        let places = ["A1", "上门前半小时打电话", "先从两栋楼试起", "等了两小时", "费用多少？"];
        ensure!(places.iter().all(|text| all.contains(text)), "{format}: {all}");
    }

    let (_, table) = fetch(&server, &cafe, review, "csv").await?;
    let table = table.strip_prefix("\u{feff}".as_bytes()).context("a byte order mark")?;
    let rows = csv::Reader::from_reader(table).into_records().collect::<Result<Vec<_>, _>>()?;
    assert_eq!(rows.iter().map(|row| &row[1]).collect::<Vec<_>>(), ["上门前半小时打电话", "'-楼道换灯"]);

    let (_, book) = fetch(&server, &cafe, review, "xlsx").await?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(book.as_slice()))?;
    let notes = book.worksheet_range("便签")?;
    ensure!(notes.rows().flatten().any(|cell| cell.get_string() == Some(FORMULA)), "the note as it was written");
    for name in book.sheet_names() {
        assert!(book.worksheet_formula(&name)?.cells().all(|(_, _, formula)| formula.is_empty()), "{name}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn h3_participants_take_away_what_their_page_shows_and_no_more() -> Result<()> {
    let server = Server::start().await?;
    let (cafe, ticket) = reviewed(&server).await?;
    for (format, _) in PLAN {
        let (_, file) = fetch(&server, &cafe, &ticket, format).await?;
        let all = words(format, &file)?;
        ensure!(all.contains("先从两栋楼试起") && !all.contains("费用多少"), "{format}: {all}");
    }
    Ok(())
}

/// More than are made at the same time: the others wait for their turn, and all are made.
#[tokio::test(flavor = "multi_thread")]
async fn x3_x5_many_documents_at_once_are_made_one_after_the_other() -> Result<()> {
    let server = Server::start().await?;
    let (cafe, _) = reviewed(&server).await?;
    let formats = PLAN.iter().cycle().take(limits::DOCUMENTS_AT_ONCE * 6);
    let asked = formats.map(|(format, _)| fetch(&server, &cafe, &cafe.created.review_token, format));
    for (_, file) in try_join_all(asked).await? {
        ensure!(file.len() > 100);
    }
    Ok(())
}

/// The notes of a table in the export of the whole café.
async fn exported(server: &Server, cafe: &Cafe, table: TableId) -> Result<Vec<serde_json::Value>> {
    let (_, file) = fetch(server, cafe, &cafe.created.facilitator_token, "json").await?;
    let whole: serde_json::Value = serde_json::from_slice(&file)?;
    let tables = whole["tables"].as_array().context("tables")?;
    let found = tables.iter().find(|found| found["number"] == table.0).context("the table")?;
    Ok(found["notes"].as_array().context("notes")?.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn x7_a_note_that_was_carried_is_found_in_the_export_with_where_it_came_from() -> Result<()> {
    let server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 2, 20.0)).await?;
    let mut guests = Vec::new();
    for name in ["李雷", "王芳", "韩梅梅", "林涛"] {
        guests.push(cafe.guest(name).await?);
    }
    let first = cafe.next_round(&guests).await?;
    let packed = guests[2].write(first[2], NoteKind::Pain, "等了三天没人上门", None)?;
    guests[2].saved().await?;
    cafe.steer(Command::EndRound).await?;
    let second = cafe.next_round(&guests).await?;
    // Hosts stay, the others go on; whoever carries it, the note lands at another table than before.
    let (from, to) = (first[2], TableId(3 - first[2].0));
    let at = |table: TableId| second.iter().position(|seat| *seat == table).context("somebody sits there");
    let carrier = &guests[at(to)?];
    let origin = Origin::new(NoteRef { table: from, note: packed.clone() }, "韩梅梅");
    carrier.carry(to, NoteKind::Pain, "等了三天没人上门", origin)?;
    // Somebody whose client says what cannot be: it costs the word about itself, and nothing else.
    let odd = carrier.write(to, NoteKind::Idea, "胡说", None)?;
    carrier.edit(BoardKind::Table(to), |txn, replica| {
        let note = replica.table.notes.get(txn, odd.as_str()).and_then(|note| note.cast::<MapRef>().ok());
        if let Some(note) = note {
            note.insert(txn, "from", "0/\u{1b}[31m");
            note.insert(txn, "from_author", true);
        }
    })?;
    carrier.saved().await?;

    let notes = exported(&server, &cafe, to).await?;
    let said = |text: &str| notes.iter().find(|note| note["text"] == text).context("the note");
    let carried = &said("等了三天没人上门")?["carried_from"];
    assert_eq!((&carried["table"], &carried["note"]), (&from.0.into(), &packed.as_str().into()), "{carried}");
    assert_eq!((&carried["author"], &carried["round"]), (&"韩梅梅".into(), &1.into()), "{carried}");
    assert_eq!((&carried["found"], &carried["deleted"]), (&true.into(), &false.into()), "{carried}");
    assert_eq!(said("胡说")?["carried_from"], serde_json::Value::Null);
    let there = exported(&server, &cafe, from).await?;
    let start = there.iter().find(|note| note["id"] == packed.as_str()).context("the note it leads to")?;
    assert_eq!((&start["text"], &start["carried_from"]), (&"等了三天没人上门".into(), &serde_json::Value::Null));

    // Taken away at its own table since: the chain holds, and the file for people says so.
    guests[2].edit(BoardKind::Table(from), |txn, replica| note::set_deleted(txn, &replica.table, &packed, true))?;
    guests[2].saved().await?;
    let (_, page) = fetch(&server, &cafe, &cafe.created.facilitator_token, "md").await?;
    let page = String::from_utf8(page)?;
    ensure!(page.contains(&format!("带自第 {from} 桌 “话题 {from}”、韩梅梅、第 1 轮、已撤下")), "{page}");
    let (_, book) = fetch(&server, &cafe, &cafe.created.facilitator_token, "xlsx").await?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(book.as_slice()))?;
    let rows: Vec<_> = book.worksheet_range("便签")?.rows().map(<[_]>::to_vec).collect();
    let column = rows[0].iter().position(|cell| cell.get_string() == Some("带自几号")).context("the column")?;
    let numbers: Vec<_> = rows[1..].iter().filter_map(|row| row[column].get_float()).collect();
    let start = rows[1..].iter().find(|row| row[1].get_float() == Some(from.0.into())).context("its row")?;
    assert_eq!(numbers, [start[0].get_float().context("a number")?]);
    Ok(())
}

/// A machine without fonts: the PDF says what is missing instead of showing boxes, and the others are made as ever.
#[tokio::test(flavor = "multi_thread")]
async fn x6_without_fonts_the_plan_leaves_as_word_and_says_why() -> Result<()> {
    let empty = tempfile::tempdir()?;
    let directory = empty.path().to_str().context("a path")?;
    let server = Server::start_with(&[("TABLEHOP_FONTS", directory)]).await?;
    let (cafe, _) = reviewed(&server).await?;
    let review = &cafe.created.review_token;
    let url = server.api.url(&format!("/api/workshops/{}/export/pdf", cafe.created.id));
    let answer = server.api.http.get(url).bearer_auth(review).send().await?;
    assert_eq!(answer.status(), 503);
    let problem: Problem = answer.json().await?;
    assert_eq!(problem.code, "no_font");
    ensure!(problem.detail.contains("fonts-noto-cjk") && problem.detail.contains("docx"), "{}", problem.detail);
    fetch(&server, &cafe, review, "docx").await?;
    Ok(())
}

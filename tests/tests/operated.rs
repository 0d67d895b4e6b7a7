//! What those who run a server see of it.

use anyhow::{Context, Result, ensure};
use harness::cafe::{Cafe, small};
use harness::guest::PATIENCE;
use harness::server::{FILES, Server};
use harness::wire::Wire;
use shared::board::view::NoteKind;
use shared::id::BoardKind;
use shared::workshop::Command;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const NOTES: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn o1_the_figures_show_what_goes_on() -> Result<()> {
    let server = Server::start().await?;
    let before = server.figures().await?;
    // The manual has an alarm on some: a counter that appears with its first event has not grown, for whoever watches it.
    let alarms = ["store_commit_failures_total", "store_damaged_snapshots_total", "boards_quarantined_total"];
    for name in ["edits_total", "resyncs_total", "connections", "queue_bytes"].into_iter().chain(alarms) {
        let name = format!("tablehop_{name}");
        assert_eq!(before.get(&name), Some(&0.0), "{name} is there from the beginning");
    }
    let cafe = Cafe::open(&server, &small(2, 1, 60.0)).await?;
    let guests = cafe.guests(4).await?;
    let tables = cafe.next_round(&guests).await?;
    for (guest, table) in guests.iter().zip(&tables) {
        for n in 0..NOTES {
            guest.write(*table, NoteKind::Idea, &format!("数一数 {n}"), None)?;
        }
        guest.saved().await?;
    }
    let board = guests[0].address(BoardKind::Table(tables[0]));
    ensure!(Wire::open(&server.collab(), board, "nonsense").await.is_err(), "a bad token is refused");
    let command = Command::ExtendRound { minutes: 1 };
    for _ in 0..2 {
        let token = &cafe.created.facilitator_token;
        server.api.command_once(&cafe.created.id, token, "once", &command).await?;
    }

    let now = server.figures().await?;
    let figure = |name: &str| now.get(name).copied().with_context(|| format!("no {name}"));
    let written = (guests.len() * NOTES) as f64;
    assert_eq!(figure("tablehop_edits_total")?, written);
    ensure!(figure("tablehop_acks_total")? >= written);
    // Each edit goes to those at its table, its author aside.
    ensure!(figure("tablehop_fan_out_total")? >= written);
    assert_eq!(figure("tablehop_boards_awake")?, 2.0);
    assert_eq!(figure("tablehop_workshops_awake")?, 1.0);
    assert_eq!(figure("tablehop_workshops_created_total")?, 1.0);
    assert_eq!(figure("tablehop_commands_repeated_total")?, 1.0);
    assert_eq!(figure("tablehop_refusals_total{reason=\"bad_token\"}")?, 1.0);
    for histogram in ["tablehop_room_commit_seconds", "tablehop_store_commit_seconds"] {
        let (count, sum) = (figure(&format!("{histogram}_count"))?, figure(&format!("{histogram}_sum"))?);
        // Seconds, and this is no slow disk: some commits, and less than a second each.
        ensure!(count >= 1.0 && sum > 0.0 && sum / count < 1.0, "{histogram}: {count} in {sum} s");
        ensure!(figure(&format!("{histogram}_bucket{{le=\"+Inf\"}}"))? == count);
    }
    // Who has left is not counted any more; nothing waits for anybody.
    guests.iter().for_each(harness::guest::Guest::disconnect);
    let settled = async {
        loop {
            let now = server.figures().await?;
            if now["tablehop_connections"] == 1.0 && now["tablehop_queue_bytes"] == 0.0 {
                return anyhow::Ok(());
            }
        }
    };
    tokio::time::timeout(PATIENCE, settled).await.context("only the facilitator is connected, and nothing waits")?
}

#[tokio::test(flavor = "multi_thread")]
async fn o1_every_figure_is_explained_where_it_is_read_and_in_the_manual() -> Result<()> {
    let server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 1, 60.0)).await?;
    let guests = cafe.guests(2).await?;
    let tables = cafe.next_round(&guests).await?;
    guests[0].write(tables[0], NoteKind::Idea, "一张", None)?;
    guests[0].saved().await?;
    let text = server.api.http.get(server.api.url("/metrics")).send().await?.text().await?;
    let manual = include_str!("../../docs/operating.md");
    let names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    ensure!(names.len() >= 12, "{names:?}");
    for name in names {
        ensure!(text.contains(&format!("# HELP {name} ")), "{name} has no explanation in /metrics");
        ensure!(manual.contains(&format!("`{name}")), "{name} is not in docs/operating.md");
    }
    Ok(())
}

/// The log of a real process, as JSON: whose connection was refused where, in the message and as fields.
#[tokio::test(flavor = "multi_thread")]
async fn o4_the_log_names_who_and_where() -> Result<()> {
    let mut server =
        Server::start_with(&[("TABLEHOP_LOG", "info,server::socket=debug"), ("TABLEHOP_LOG_FORMAT", "json")]).await?;
    let cafe = Cafe::open(&server, &small(2, 1, 60.0)).await?;
    let guests = cafe.guests(2).await?;
    cafe.next_round(&guests).await?;
    let elsewhere = if guests[0].seat().context("a seat")?.table.id.0 == 1 { 2 } else { 1 };
    let address = guests[0].address(BoardKind::Table(shared::id::TableId(elsewhere)));
    ensure!(Wire::open(&server.collab(), address.clone(), &guests[0].token).await.is_err(), "not seated there");
    assert_eq!(server.stop().await?, Some(0));
    let log = server.log();
    let lines: Vec<serde_json::Value> =
        log.lines().map(serde_json::from_str).collect::<Result<_, _>>().context("every line is JSON")?;
    let refused = lines
        .iter()
        .map(|line| &line["fields"])
        .find(|fields| fields["reason"] == "not_seated")
        .context("the refusal is logged")?;
    assert_eq!(refused["principal"], guests[0].id.as_str());
    assert_eq!(refused["address"], address.to_string());
    let board = address.to_string().replace("board/", "");
    assert_eq!(refused["board"], board);
    let connection = refused["connection"].as_u64().context("a connection")?;
    let message = refused["message"].as_str().context("a message")?;
    ensure!(
        message.contains(guests[0].id.as_str())
            && message.contains(&format!("connection {connection}"))
            && message.contains(&format!("board {board}")),
        "{message}"
    );
    // What belongs together can be found together: from where it came, and that it ended.
    for what in ["a connection begins", "a connection has ended"] {
        let found = lines.iter().any(|line| {
            let fields = &line["fields"];
            fields["connection"] == connection && fields["message"].as_str().is_some_and(|m| m.starts_with(what))
        });
        ensure!(found, "{what}: not found for connection {connection}");
    }
    ensure!(!log.contains(&guests[0].token) && !log.contains(&cafe.created.facilitator_token), "no token in a log");
    Ok(())
}

/// A name that the program does not know would be ignored, and nobody would hear of it.
#[tokio::test(flavor = "multi_thread")]
async fn o6_whatever_is_delivered_names_only_what_there_is() -> Result<()> {
    let (code, mut known) = Server::command(&["serve", "--help"]).await?;
    assert_eq!(code, Some(0));
    let commands = ["serve", "backup", "verify", "restore", "remove"];
    for command in &commands[1..] {
        known.push_str(&Server::command(&[command, "--help"]).await?.1);
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = vec![root.join("docs/operating.md"), root.join("README.md"), root.join("README.zh-CN.md")];
    for file in std::fs::read_dir(root.join("deploy"))? {
        files.push(file?.path());
    }
    let (mut variables, mut options) = (0, 0);
    for file in &files {
        let text = std::fs::read_to_string(file)?;
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-'));
        for word in words.filter(|word| word.starts_with("TABLEHOP_")) {
            ensure!(known.contains(word), "{}: {word} is no setting", file.display());
            variables += 1;
        }
        // Options of other programs stand elsewhere, or before.
        for line in text.lines() {
            let ours = commands.iter().filter_map(|command| line.split_once(&format!("tablehop {command}")));
            for option in ours.flat_map(|(_, after)| after.split_whitespace()).filter(|word| word.starts_with("--")) {
                let option = option.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
                ensure!(known.contains(option), "{}: {option} is no option", file.display());
                options += 1;
            }
        }
    }
    ensure!(variables > 20 && options > 20, "{variables} settings and {options} options were found");
    Ok(())
}

/// Twice as many hold a connection as the files that the process was started with.
#[tokio::test(flavor = "multi_thread")]
async fn o5_more_can_be_connected_than_a_shell_allows() -> Result<()> {
    const HEAD: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: cafe\r\n\r\n";
    let server = Server::start().await?;
    let mut connected = Vec::new();
    for _ in 0..2 * FILES {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port())).await?;
        stream.write_all(HEAD).await?;
        let mut said = [0; 12];
        let read = tokio::time::timeout(PATIENCE, stream.read_exact(&mut said)).await;
        read.with_context(|| format!("{} are connected; nothing comes for one more", connected.len()))??;
        assert_eq!(&said, b"HTTP/1.1 200");
        connected.push(stream);
    }
    Ok(())
}

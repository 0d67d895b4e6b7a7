//! A real server whose wall clock is set while a round runs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use harness::cafe::{Cafe, small};
use harness::guest::Guest;
use harness::server::Server;
use harness::wall_clock::WallClock;
use shared::board::view::NoteKind;
use shared::id::TableId;
use shared::workshop::{RoundStatus, View};

const HOUR: i64 = 3_600_000;
/// Long enough for all that happens meanwhile, also on a busy machine; if it is not, nothing but that is shown less.
const ROUND: Duration = Duration::from_secs(24);
/// The server reads two clocks one after the other, and may have to wait in between.
const SLACK: Duration = Duration::from_millis(500);

/// The deadline that a view shows, and how much is left until then by what it says of the time, in milliseconds; nothing if the clock does not
/// run.
fn clock_of(view: &View) -> Option<(u64, i64)> {
    match view.round.as_ref()?.status {
        RoundStatus::Running { ends_at } => Some((ends_at, ends_at.cast_signed() - view.now.cast_signed())),
        _ => None,
    }
}

fn is_over(view: &View) -> bool {
    view.round.as_ref().is_some_and(|round| round.status == RoundStatus::Over)
}

/// What is wrong with a view that somebody has got, if the round began at `began`: it took some time to get here.
fn wrong_with(view: &View, began: Instant) -> Option<String> {
    let passed = began.elapsed();
    match clock_of(view) {
        Some((_, left)) => {
            let fits = Duration::try_from_secs_f64(left as f64 / 1_000.0)
                .is_ok_and(|left| left <= ROUND && left + passed + SLACK >= ROUND);
            (!fits).then(|| format!("{left} ms are left after {passed:?}"))
        }
        None => (is_over(view) && passed + SLACK < ROUND).then(|| format!("it is over after {passed:?}")),
    }
}

/// Looks at every view that somebody gets, until the round is over.
async fn watch(guest: Guest, began: Instant, wrong: Arc<Mutex<Vec<String>>>) -> Result<()> {
    guest
        .until_patiently(|guest| {
            let view = guest.view()?;
            let found = wrong_with(&view, began).map(|what| format!("{}: {what}", guest.name));
            wrong.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
            is_over(&view).then_some(())
        })
        .await
}

/// Waits until everybody has been told of this deadline, all of the same, at the time that the clock shows since `set_at`.
async fn told(everybody: &[Guest], clock: &WallClock, set_at: u64, moved: u64) -> Result<u64> {
    let mut deadlines = Vec::new();
    for guest in everybody {
        let near = |at: u64| u128::from(at.abs_diff(moved)) < SLACK.as_millis();
        let view =
            guest.sees("the deadline moved along", |view| clock_of(view).is_some_and(|(at, _)| near(at))).await?;
        ensure!((set_at..=clock.now()?).contains(&view.now), "{} is told that it is {}", guest.name, view.now);
        deadlines.extend(clock_of(&view).map(|(at, _)| at));
    }
    let first = *deadlines.first().context("nobody is here")?;
    ensure!(deadlines.iter().all(|at| *at == first), "{deadlines:?}");
    Ok(first)
}

/// Sets the clock in a round while people write, kills the server, sets it back after the restart, and waits for the end of the round.
async fn round_whose_clock_is_set(step: i64) -> Result<()> {
    let clock = WallClock::new()?;
    let env = clock.env();
    let mut server = Server::start_with(&env.each_ref().map(|(name, value)| (*name, value.as_str()))).await?;
    let cafe = Cafe::open(&server, &small(2, 1, ROUND.as_secs_f64() / 60.0)).await?;
    let guests = cafe.guests(4).await?;
    let began = Instant::now();
    let tables = cafe.next_round(&guests).await?;
    let everybody: Vec<Guest> = guests.iter().chain([&cafe.facilitator]).cloned().collect();
    let wrong: Arc<Mutex<Vec<String>>> = Arc::default();
    let watches: Vec<_> =
        everybody.iter().map(|guest| tokio::spawn(watch(guest.clone(), began, wrong.clone()))).collect();
    let view = cafe.facilitator.sees("the clock", |view| clock_of(view).is_some()).await?;
    let (ends_at, _) = clock_of(&view).context("a deadline")?;
    let mut written = Vec::new();
    let mut all_write = |what: &str| -> Result<()> {
        for (guest, table) in guests.iter().zip(&tables) {
            let text = format!("{} {what}", guest.name);
            guest.write(*table, NoteKind::Idea, &text, None)?;
            written.push(text);
        }
        Ok(())
    };

    // Nobody asks anything. What they write tells that the tables are busy, perhaps before the server looks at the clock.
    let reads = clock.reads()?;
    clock.set_ahead(step)?;
    let set_at = clock.now()?;
    all_write("拨钟的时候写的")?;
    let moved = told(&everybody, &clock, set_at, ends_at.checked_add_signed(step).context("a deadline")?).await?;
    ensure!(clock.reads()? > reads && server.log().contains("the wall clock was set by"), "{}", server.log());
    all_write("拨钟以后写的")?;
    for guest in &guests {
        guest.saved().await?;
    }

    // The deadline is in the log, and the restart is no step.
    server.kill().await?;
    server.restart().await?;
    for guest in &everybody {
        guest.connect().await?;
        let asked = server.api.view(&guest.workshop, &guest.token).await?;
        assert_eq!(wrong_with(&asked, began), None, "{} asked after the restart", guest.name);
        ensure!(clock_of(&asked).is_none_or(|(at, _)| at == moved), "another deadline after the restart");
    }
    ensure!(!server.log().contains("the wall clock was set by"), "{}", server.log());
    all_write("重启以后写的")?;

    // Whoever asks before the server has told anybody gets what fits together, too.
    if began.elapsed() + ROUND / 4 < ROUND {
        clock.set_ahead(0)?;
        let set_at = clock.now()?;
        let asked = server.api.view(&cafe.created.id, &cafe.created.facilitator_token).await?;
        ensure!((set_at..=clock.now()?).contains(&asked.now), "the server's clock shows {}", asked.now);
        assert_eq!(wrong_with(&asked, began), None, "asked when the clock was set again");
        told(&everybody, &clock, set_at, ends_at).await?;
    }
    all_write("又拨钟以后写的")?;
    for guest in &guests {
        guest.saved().await?;
    }
    for watch in watches {
        tokio::time::timeout(ROUND * 2, watch).await.context("the round does not end")???;
    }
    let wrong = wrong.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert!(wrong.is_empty(), "{wrong:?}");
    let mut found = cafe.stored(&server, &[TableId(1), TableId(2)]).await?;
    found.sort();
    written.sort();
    assert_eq!(found, written, "each of them once");
    Ok(())
}

/// Both at once, for most of it is waiting.
#[tokio::test(flavor = "multi_thread")]
async fn w11_w4_a_wall_clock_set_an_hour_on_or_back_makes_no_round_shorter_or_longer() -> Result<()> {
    tokio::try_join!(round_whose_clock_is_set(HOUR), round_whose_clock_is_set(-HOUR)).map(drop)
}

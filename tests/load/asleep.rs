//! Starting on a store that holds many cafés in which nobody is.

use std::net::Ipv4Addr;
use std::time::Instant;

use anyhow::{Context, Result};
use futures_util::{StreamExt, TryStreamExt, stream};
use harness::api::Api;

use super::proc;
use super::target::{Launch, Running, Target};

/// Cafés made at the same time: they share commits.
const AT_ONCE: usize = 256;

/// Makes the cafés, stops the server, and starts it again.
pub fn measure(cafes: usize, launch: &Launch) -> Result<()> {
    let mut server = Running::start(Target::Tablehop, launch)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let began = Instant::now();
    runtime.block_on(async {
        let api = Api::new(&format!("http://{}", server.address));
        let (api, body) = (&api, &harness::cafe::small(4, 3, 20.0));
        stream::iter(0..cafes)
            .map(|n| async move {
                // As if each came from an address of its own, for one address may not ask that fast.
                let from = Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 0, 0, 0)) + u32::try_from(n)?);
                let request = api.http.post(api.url("/api/workshops")).header("x-forwarded-for", from.to_string());
                request.json(body).send().await?.error_for_status()?;
                anyhow::Ok(())
            })
            .buffer_unordered(AT_ONCE)
            .try_for_each(|()| async { Ok(()) })
            .await
    })?;
    eprintln!("{cafes} cafés made in {:.1?}", began.elapsed());
    server.ask_to_end()?;
    let data = server.data();
    let size = std::fs::metadata(data.path().join("data/tablehop.db")).context("the database")?.len();
    let began = Instant::now();
    let mut server = Running::start_on(Target::Tablehop, launch, data)?;
    let started = began.elapsed();
    // One request, so that what is set up lazily is there.
    runtime.block_on(async { reqwest::get(format!("http://{}/healthz", server.address)).await?.error_for_status() })?;
    let report = serde_json::json!({
        "cafes": cafes, "database_mib": size / 1024 / 1024, "start_seconds": started.as_secs_f64(),
        "resident_mib": proc::resident_kib(server.pid())? as f64 / 1024.0,
    });
    println!("{report}");
    server.ask_to_end()
}

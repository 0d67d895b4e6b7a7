//! A café for the crowd: made, joined and steered over HTTP, as people do.

use std::thread::{self, JoinHandle};

use anyhow::{Context, Result, anyhow};
use futures_util::{StreamExt, TryStreamExt, stream};
use harness::api::Api;
use shared::api::CreatedWorkshop;
use shared::workshop::{Command, Phase};

/// People who join at the same time.
const AT_ONCE: usize = 64;

/// A café, and who steers it.
pub struct Cafe {
    api: Api,
    created: CreatedWorkshop,
    runtime: tokio::runtime::Runtime,
}

impl Cafe {
    /// Makes a café of so many tables, five seats each unless more are needed, and opens its lobby.
    pub fn open(base: &str, tables: usize, people: usize) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut body = harness::cafe::small(u16::try_from(tables)?, 4, 240.0);
        if let Some(settings) = &mut body.settings {
            settings.seats_per_table = u8::try_from(people.div_ceil(tables).max(5))?;
        }
        let (api, created) = runtime.block_on(async {
            let api = Api::new(base);
            let created = api.create(&body).await?;
            let lobby = Command::GoTo { phase: Phase::Lobby };
            api.command(&created.id, &created.facilitator_token, &lobby).await?;
            anyhow::Ok((api, created))
        })?;
        Ok(Self { api, created, runtime })
    }

    pub fn id(&self) -> String {
        self.created.id.to_string()
    }

    pub fn facilitator_token(&self) -> String {
        self.created.facilitator_token.clone()
    }

    /// People join; returns their tokens.
    pub fn join(&self, people: usize) -> Result<Vec<String>> {
        let (api, code) = (&self.api, self.created.join_code.as_str());
        self.runtime.block_on(
            stream::iter(0..people)
                .map(|n| async move { anyhow::Ok(api.join(code, &format!("Guest {n}"), None).await?.token) })
                .buffered(AT_ONCE)
                .try_collect(),
        )
    }

    /// Ends the round that is on.
    pub fn end_round(&self) -> Result<()> {
        let (api, created) = (&self.api, &self.created);
        let command = api.command(&created.id, &created.facilitator_token, &Command::EndRound);
        self.runtime.block_on(command).context("ending the round").map(drop)
    }

    /// Seats everybody for the next round, while the caller listens to what they are told.
    pub fn next_round(&self) -> JoinHandle<Result<()>> {
        let (base, id, token) = (self.api.base.clone(), self.created.id.clone(), self.facilitator_token());
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                // A connection of its own: pools do not outlive their runtime.
                Api::new(&base).command(&id, &token, &Command::NextRound).await.context("the next round")?;
                Ok(())
            })
        })
    }
}

/// What a command's thread has to say.
pub fn done(command: JoinHandle<Result<()>>) -> Result<()> {
    command.join().map_err(|_| anyhow!("a command's thread ended"))?
}

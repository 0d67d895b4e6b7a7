//! A café with its facilitator and guests, so that tests read as one: `cafe.guest("Li").await?.write(…)`.

use anyhow::{Context, Result};
use shared::api::{CreateWorkshop, CreatedWorkshop};
use shared::id::{ActorId, BoardKind, TableId};
use shared::workshop::{Command, Language, Phase, Recorded, RoundPlan, RoundStatus, TablePlan};

use crate::api::Api;
use crate::guest::Guest;
use crate::server::Server;

/// A café on a server.
pub struct Cafe {
    /// Its links and tokens.
    pub created: CreatedWorkshop,
    /// The facilitator, connected.
    pub facilitator: Guest,
    /// HTTP.
    pub api: Api,
}

/// A small café: `tables` tables, `rounds` rounds of `minutes`, no waiting while people change tables.
pub fn small(tables: u16, rounds: u8, minutes: f64) -> CreateWorkshop {
    CreateWorkshop {
        title: "服务体验工作坊".into(),
        purpose: "一起把业主服务做得更好".into(),
        language: Language::ZhCn,
        tables: (1..=tables)
            .map(|n| TablePlan { topic: format!("话题 {n}"), question: format!("第 {n} 桌想问什么？") })
            .collect(),
        rounds: (0..rounds).map(|_| RoundPlan { minutes, question: None }).collect(),
        settings: Some(shared::workshop::Settings { moving_seconds: 0, ..Default::default() }),
        ..Default::default()
    }
}

impl Cafe {
    /// Creates a café and connects its facilitator.
    ///
    /// # Errors
    /// Refused, or the connection failed.
    pub async fn create(api: &Api, body: &CreateWorkshop) -> Result<Self> {
        let created = api.create(body).await?;
        let facilitator =
            Guest::with_token(api, created.id.clone(), ActorId::from("f1"), "Facilitator", &created.facilitator_token);
        facilitator.connect().await?;
        facilitator.sees("the first view", |_| true).await?;
        Ok(Self { created, facilitator, api: api.clone() })
    }

    /// Somebody who comes anew with the facilitator's link, and opens these tables: what they see can only come from the server.
    ///
    /// # Errors
    /// Refused, or the connection failed.
    pub async fn anew(&self, server: &Server, tables: &[TableId]) -> Result<Guest> {
        let (id, token) = (self.created.id.clone(), &self.created.facilitator_token);
        let fresh = Guest::with_token(&server.api, id, self.facilitator.id.clone(), "Fresh", token);
        fresh.connect().await?;
        for table in tables {
            fresh.open(BoardKind::Table(*table)).await?;
        }
        Ok(fresh)
    }

    /// The texts of all notes on these tables, as somebody sees them who comes anew.
    ///
    /// # Errors
    /// As [`Cafe::anew`]; a board that is not served.
    pub async fn stored(&self, server: &Server, tables: &[TableId]) -> Result<Vec<String>> {
        let fresh = self.anew(server, tables).await?;
        let mut texts = Vec::new();
        for table in tables {
            let board = fresh.table_board(*table).context("open")?;
            texts.extend(board.notes.into_iter().map(|note| note.text));
        }
        Ok(texts)
    }

    /// A café in its lobby.
    ///
    /// # Errors
    /// Refused, or the connection failed.
    pub async fn open(server: &Server, body: &CreateWorkshop) -> Result<Self> {
        let cafe = Self::create(&server.api, body).await?;
        cafe.go_to(Phase::Lobby).await?;
        Ok(cafe)
    }

    /// Somebody new joins, and is connected.
    ///
    /// # Errors
    /// Refused, or the connection failed.
    pub async fn guest(&self, name: &str) -> Result<Guest> {
        let guest = Guest::join(&self.api, &self.created.join_code, name).await?;
        guest.sees("the first view", |_| true).await?;
        Ok(guest)
    }

    /// `count` people join, one after the other.
    ///
    /// # Errors
    /// Refused, or the connection failed.
    pub async fn guests(&self, count: usize) -> Result<Vec<Guest>> {
        let mut guests = Vec::with_capacity(count);
        for n in 1..=count {
            guests.push(self.guest(&format!("客人{n}")).await?);
        }
        Ok(guests)
    }

    /// A command of the facilitator.
    ///
    /// # Errors
    /// Refused, or the connection failed.
    pub async fn steer(&self, command: Command) -> Result<Vec<Recorded>> {
        self.facilitator.command(command).await
    }

    /// Moves the café on or back by one phase.
    ///
    /// # Errors
    /// Refused, or the connection failed.
    pub async fn go_to(&self, phase: Phase) -> Result<()> {
        self.steer(Command::GoTo { phase }).await?;
        Ok(())
    }

    /// Seats everybody for the next round, starts its clock, and waits until every guest knows their seat. Returns the tables.
    ///
    /// # Errors
    /// Refused, or a guest was not told.
    pub async fn next_round(&self, guests: &[Guest]) -> Result<Vec<TableId>> {
        let events = self.steer(Command::NextRound).await?;
        let index = events
            .iter()
            .find_map(|e| match e.event {
                shared::workshop::Event::RoundSeated { round, .. } => Some(round),
                _ => None,
            })
            .context("no seating")?;
        let mut tables = Vec::with_capacity(guests.len());
        for guest in guests {
            guest
                .sees("the seat of the round", |view| {
                    view.round.as_ref().is_some_and(|r| {
                        r.index == index && matches!(r.status, RoundStatus::Running { .. } | RoundStatus::Moving { .. })
                    })
                })
                .await?;
            let seat = guest.until("a seat", Guest::seat).await?;
            guest.open(BoardKind::Table(seat.table.id)).await?;
            tables.push(seat.table.id);
        }
        Ok(tables)
    }
}

//! The Tablehop client: Leptos, rendered in the browser.
//!
//! # Layout, in reading order
//!
//! - [`app`], [`routes`]: the page that is shown, and what all pages share.
//! - [`parts`]: what of it is fetched only when it is shown.
//! - [`pages`], [`ui`]: screens and the components they are made of. They know no Yrs and no sockets.
//! - [`state`]: the only projection of documents and events into signals: [`state::cafe::Cafe`], [`state::board::Board`].
//! - [`sync`]: documents, the outbox, the socket and the browser's storage underneath.
//! - [`api`]: requests over HTTP.
//! - [`i18n`], [`clock`], [`platform`]: language, the server's time, the browser's small services.
//!
//! The way of one keystroke: `ui::live_text` → `state::live_text` → [`sync::doc`] → [`sync::outbox`] and [`sync::storage`] →
//! [`sync::socket`].

pub mod api;
pub mod app;
pub mod clock;
pub mod dates;
pub mod i18n;
pub mod pages;
pub mod parts;
pub mod platform;
pub mod routes;
pub mod state;
pub mod sync;
pub mod ui;

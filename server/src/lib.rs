//! The Tablehop server: cafés, boards, the store, and the client in one binary.
//!
//! # Layout, in reading order
//!
//! - [`config`], [`run`]: from the command line to a server that listens, and back to a closed store.
//! - [`app`]: the parts that everything else works with.
//! - [`store`]: append-only streams, the only truth.
//! - [`care`]: backup, verify and restore: what the command line does with a store.
//! - [`auth`]: bearer tokens.
//! - [`listen`]: takes connections.
//! - [`http`]: the router, one file a resource.
//! - [`socket`]: live connections: bytes in, messages decided on, bytes out.
//! - [`board`]: the live documents: one task owns one board.
//! - [`workshop`]: the cafés: one task owns one, with its timers and views.
//! - [`export`]: the plan as a document.
//! - [`clock`], [`draw`]: the only places that read the wall clock and draw random ids.
//! - [`telemetry`]: logs and figures.
//!
//! # The way of one edit
//!
//! [`socket`] reads a frame → `socket::session` decides what it is → `socket::guard` scans it and asks whose it is → `board::room`
//! applies it → [`store`] commits it → `board::room` acknowledges it and tells the others → `socket::outbox` → [`socket`] writes.

pub mod app;
pub mod auth;
pub mod board;
pub mod care;
pub mod clock;
pub mod config;
pub mod draw;
pub mod export;
pub mod http;
pub mod listen;
pub mod run;
pub mod socket;
pub mod store;
pub mod telemetry;
pub mod workshop;

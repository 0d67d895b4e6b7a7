//! What the Tablehop server and its clients must agree on. Pure: no I/O, no clock, no randomness of its own.
//!
//! # Layout, in reading order
//!
//! - [`id`]: names of things: workshops, tables, boards, people.
//! - [`limits`]: every bound of the system, each with its reason.
//! - [`workshop`]: the café as a state machine: `Command` → `decide` → `Event`s → `apply`, and what each role may see of it.
//! - [`seating`]: who sits at which table in which round.
//! - [`board`]: what people write together: the CRDT schema, one element a file.
//! - [`wire`]: frames on the WebSocket, and presence.
//! - [`api`]: bodies of the HTTP interface.
//! - [`template`]: the built-in café templates, in Chinese and English.

pub mod api;
pub mod board;
pub mod id;
pub mod limits;
pub mod seating;
pub mod template;
pub mod wire;
pub mod workshop;

//! The harness: a café as tests see it. Real sockets, real files, real processes.
//!
//! # Layout
//!
//! - [`server`]: a server process of its own, on a free port and a data directory that cleans up after itself; it can be killed and restarted.
//! - [`disk`]: a disk that can be told to misbehave, beneath a real server: full, failing, killed in between, cut from power.
//! - [`wall_clock`]: a wall clock that can be set beneath a real server.
//! - [`api`]: the HTTP interface from the caller's side.
//! - [`guest`]: a simulated guest on a real socket, with replicas of the boards.
//! - [`replica`]: one board's document as a guest holds it, with what is not yet acknowledged.
//! - [`wire`]: a bare connection, for tests that choose every message.
//! - [`proxy`]: a network with faults between guests and a server.
//! - [`raw`]: a bare socket for tests that misbehave.
//! - [`cafe`]: a café with its facilitator and guests: `cafe.guest("Li")`.
//! - [`running`]: a café in its first round, for tests that begin there.
//! - [`script`]: what simulated guests say and do, for the demo and the browser tests.

pub mod api;
pub mod cafe;
pub mod disk;
pub mod guest;
pub mod proxy;
pub mod raw;
pub mod replica;
pub mod running;
pub mod script;
pub mod server;
mod shim;
pub mod wall_clock;
pub mod wire;

//! How what is written reaches the server and the others, whatever the network does.
//!
//! # Layout, in reading order
//!
//! - [`doc`]: one Yrs document: local edits, remote updates, undo, and what each of them touched.
//! - [`outbox`]: edits that the server has not acknowledged yet.
//! - [`pieces`]: what is too much for one message.
//! - [`revive`]: a document brought back from storage.
//! - [`session`]: when to connect, to wait and to give up; pure.
//! - [`socket`]: bytes on the WebSocket; the only file that knows it.
//! - [`link`]: drives the session with the socket, timers and the browser's events.
//! - [`journal`]: edits on their way into storage, written down before anything else happens.
//! - [`storage`]: IndexedDB: documents, pending edits, client ids and the last view.
//! - [`ready`]: a value that tasks can wait for.

pub mod doc;
pub mod journal;
pub mod link;
pub mod outbox;
pub mod pieces;
pub mod ready;
pub mod revive;
pub mod session;
pub mod socket;
pub mod storage;

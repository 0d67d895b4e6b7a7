//! The only projection of documents and events into signals. Components read these and ask these; they see no Yrs and no socket.
//!
//! - [`identity`]: who one is in which café, on this device.
//! - [`cafe`]: everything live about one café.
//! - [`board`]: one document as fine-grained signals, and its edits.
//! - [`bag`]: the notes one carries to the next table, on this device.
//! - [`live_text`]: one text that several people edit at once.

pub mod bag;
pub mod board;
pub mod cafe;
pub mod identity;
pub mod live_text;
mod place;
mod presence;
mod project;
mod room;

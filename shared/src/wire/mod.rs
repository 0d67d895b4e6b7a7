//! What goes over the WebSocket, as types. Bytes become messages here and nowhere else, and bad ones end here.
//!
//! - [`lib0`]: the primitives: variable-length numbers, bytes, strings.
//! - [`frame`]: frames from and to a client: an address and a message.
//! - [`presence`]: who is here and where their caret is, inside awareness messages.
//! - [`mod@scan`]: a look at an update's bytes before Yrs sees them, and whose edits it holds.
//!
//! Nothing here panics or allocates more than a small multiple of its input, whatever the bytes are.

pub mod frame;
pub mod lib0;
pub mod presence;
pub mod scan;

pub use frame::{Address, Addressed, ClientFrame, ClientMessage, FrameError, ServerFrame, ServerMessage};
pub use presence::{CLIENT_VERSION, PresenceEntry, PresenceState, PresenceUser};
pub use scan::{Range, ScanError, SharedType, authors, deletions, scan};

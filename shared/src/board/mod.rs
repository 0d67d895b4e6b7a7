//! What people write together: the schema of the Yrs documents, one element a file.
//!
//! # Layout, in reading order
//!
//! - [`view`]: documents as plain structs; knows nothing of Yrs.
//! - [`doc`]: a document and its root types.
//! - [`text`]: splices in UTF-16 units: finding them, merging them, applying them.
//! - [`note`], [`handover`], [`stroke`]: a table's board.
//! - [`theme`]: the harvest board.
//! - [`action`]: the plan board.
//! - [`mod@read`]: whole documents into the structs of [`view`].
//!
//! # Rules of the schema
//!
//! - Root names are fixed ([`doc::root`]). Every element is a nested map, created once, in one transaction, under a key that is unique
//!   because client ids are issued by the server. Its texts are created with it, never lazily: two people who create the same nested
//!   type would overwrite each other.
//! - What is edited letter by letter is a nested text; everything else is a plain value where the last writer wins.
//! - What several people may add at once (stars, sources) is one key each, so that nobody's is lost.
//! - Nothing is removed: `deleted` is a flag, so that words typed at the same moment survive and can be brought back.
//! - Reading never fails: what a stranger's client wrote wrongly is read as its default.

pub mod action;
pub mod doc;
mod field;
pub mod handover;
pub mod note;
pub mod read;
pub mod stroke;
pub mod text;
pub mod theme;
pub mod view;

pub use action::NewAction;
pub use doc::{HarvestRoots, PlanRoots, TableRoots, new_doc, root};
pub use note::NewNote;
pub use read::{count_notes, harvest_board, plan_board, table_board};
pub use text::Splice;
pub use view::{
    Action, ActionStatus, ActionText, Handover, HandoverPart, HarvestBoard, Note, NoteKind, NoteRef, Origin, Pen,
    PlanBoard, Stroke, TableBoard, Theme,
};

#[cfg(test)]
mod tests;

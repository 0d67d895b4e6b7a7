//! A document, and handles of its root types.

use yrs::{ClientID, Doc, MapRef, OffsetKind, Options, TextRef};

use super::view::HandoverPart;

/// Names of the root types. They are part of the stored format and never change.
pub mod root {
    /// Map of a table's board: note id → note.
    pub const NOTES: &str = "notes";
    /// Map of a table's board: stroke id → a line that was drawn.
    pub const STROKES: &str = "strokes";
    /// Text of a table's board: what is already there.
    pub const HANDOVER_SO_FAR: &str = "handover.so_far";
    /// Text of a table's board: what is still open.
    pub const HANDOVER_OPEN: &str = "handover.open";
    /// Text of a table's board: where to build on.
    pub const HANDOVER_BUILD: &str = "handover.build_here";
    /// Map of the harvest board: theme id → theme.
    pub const THEMES: &str = "themes";
    /// Map of the harvest board: `<table>/<note>` → theme id, or null when taken out again.
    pub const PLACEMENTS: &str = "placements";
    /// Map of the plan board: action id → action.
    pub const ACTIONS: &str = "actions";
}

/// An empty document that counts text in UTF-16 units, as browsers and Yjs do. `client_id` must be below 2^53, and used by nobody else:
/// two documents with one client id diverge silently.
pub fn new_doc(client_id: u64) -> Doc {
    // The guid names subdocuments only, and there are none; a fixed one keeps this crate free of randomness.
    let mut options = Options::with_guid_and_client_id("board".into(), ClientID::new(client_id));
    options.offset_kind = OffsetKind::Utf16;
    options.skip_gc = false;
    // Only its authors change a document: a replica that tidied up formatting by itself would hold edits that are in no log.
    options.cleanup_formatting = false;
    Doc::with_options(options)
}

/// Root types of a table's board.
#[derive(Clone, Debug)]
pub struct TableRoots {
    /// Note id → note.
    pub notes: MapRef,
    /// Stroke id → a line that was drawn.
    pub strokes: MapRef,
    /// What is already there.
    pub so_far: TextRef,
    /// What is still open.
    pub open: TextRef,
    /// Where to build on.
    pub build_here: TextRef,
}

impl TableRoots {
    /// Obtains the handles. Blocks for ever while a transaction of `doc` is open in the same thread: call it once, before.
    pub fn of(doc: &Doc) -> Self {
        Self {
            notes: doc.get_or_insert_map(root::NOTES),
            strokes: doc.get_or_insert_map(root::STROKES),
            so_far: doc.get_or_insert_text(root::HANDOVER_SO_FAR),
            open: doc.get_or_insert_text(root::HANDOVER_OPEN),
            build_here: doc.get_or_insert_text(root::HANDOVER_BUILD),
        }
    }

    /// The text of one part of the handover.
    pub fn handover(&self, part: HandoverPart) -> &TextRef {
        match part {
            HandoverPart::SoFar => &self.so_far,
            HandoverPart::Open => &self.open,
            HandoverPart::BuildHere => &self.build_here,
        }
    }
}

/// Root types of the harvest board.
#[derive(Clone, Debug)]
pub struct HarvestRoots {
    /// Theme id → theme.
    pub themes: MapRef,
    /// `<table>/<note>` → theme id.
    pub placements: MapRef,
}

impl HarvestRoots {
    /// Obtains the handles; see [`TableRoots::of`].
    pub fn of(doc: &Doc) -> Self {
        Self { themes: doc.get_or_insert_map(root::THEMES), placements: doc.get_or_insert_map(root::PLACEMENTS) }
    }
}

/// Root types of the plan board.
#[derive(Clone, Debug)]
pub struct PlanRoots {
    /// Action id → action.
    pub actions: MapRef,
}

impl PlanRoots {
    /// Obtains the handles; see [`TableRoots::of`].
    pub fn of(doc: &Doc) -> Self {
        Self { actions: doc.get_or_insert_map(root::ACTIONS) }
    }
}

//! Components that pages are made of. A folder each: the component, and its style beside it.

// The kit: what any page may use.
pub mod avatar;
pub mod button;
pub mod clock;
pub mod copy_field;
pub mod dialog;
pub mod effort_impact;
pub mod empty;
pub mod field;
pub mod icon;
pub mod journey;
pub mod lang;
pub mod note_kind;
pub mod page;
pub mod qr;
pub mod regret;
pub mod seg;
pub mod stepper;
pub mod table_badge;
pub mod theme;
pub mod toast;

// A table and its board.
pub mod bag;
pub mod board_canvas;
pub mod board_list;
pub mod composer;
pub mod connection;
pub mod feel;
pub mod handover;
pub mod ink;
pub mod live_text;
pub mod moving;
pub mod note;
pub mod presence;

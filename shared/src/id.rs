//! Names of things. All of them are short ASCII strings on the wire, so that they fit in addresses, keys and links.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01 UTC, by the server's clock.
pub type Millis = u64;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
    };
}

text_id! {
    /// A workshop: 16 lower-case letters and digits, made by the server.
    WorkshopId
}
text_id! {
    /// Somebody who acts in a workshop: `p…` a participant, `f…` a facilitator's link, `r…` a reviewer's link, `system` the server.
    ActorId
}
text_id! {
    /// A note on a table's board: `<client id in hex>-<count>`, unique because client ids are issued by the server.
    NoteId
}
text_id! {
    /// A line on a table's board; made like a [`NoteId`].
    StrokeId
}
text_id! {
    /// A theme on the harvest board; made like a [`NoteId`].
    ThemeId
}
text_id! {
    /// An action on the plan board; made like a [`NoteId`].
    ActionId
}

impl ActorId {
    /// The server itself, for what timers cause.
    pub fn system() -> Self {
        Self("system".to_owned())
    }
}

/// A table's number, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct TableId(pub u16);

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Which of a workshop's boards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BoardKind {
    /// The board of one table.
    Table(TableId),
    /// Themes, and which note belongs to which.
    Harvest,
    /// The improvement plan.
    Plan,
}

/// One board: `<workshop>.t<number>`, `<workshop>.harvest` or `<workshop>.plan`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BoardId {
    /// The workshop it belongs to.
    pub workshop: WorkshopId,
    /// Which of its boards.
    pub kind: BoardKind,
}

impl BoardId {
    /// The board of one table.
    pub fn table(workshop: &WorkshopId, table: TableId) -> Self {
        Self { workshop: workshop.clone(), kind: BoardKind::Table(table) }
    }

    /// The harvest board.
    pub fn harvest(workshop: &WorkshopId) -> Self {
        Self { workshop: workshop.clone(), kind: BoardKind::Harvest }
    }

    /// The plan board.
    pub fn plan(workshop: &WorkshopId) -> Self {
        Self { workshop: workshop.clone(), kind: BoardKind::Plan }
    }
}

impl BoardId {
    /// Adds it to a text, without the machinery of formatting: it is part of every frame's address.
    pub(crate) fn push_to(&self, text: &mut String) {
        text.push_str(self.workshop.as_str());
        match self.kind {
            BoardKind::Table(TableId(number)) => {
                text.push_str(".t");
                let digits = number.checked_ilog10().unwrap_or_default();
                text.extend((0..=digits).rev().map(|place| char::from(b'0' + (number / 10_u16.pow(place) % 10) as u8)));
            }
            BoardKind::Harvest => text.push_str(".harvest"),
            BoardKind::Plan => text.push_str(".plan"),
        }
    }
}

impl fmt::Display for BoardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.push_to(&mut text);
        f.write_str(&text)
    }
}

/// The text is not the name of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a board id")]
pub struct NotABoard;

impl FromStr for BoardId {
    type Err = NotABoard;

    fn from_str(text: &str) -> Result<Self, NotABoard> {
        let (workshop, kind) = text.rsplit_once('.').ok_or(NotABoard)?;
        if workshop.is_empty() || !workshop.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(NotABoard);
        }
        let kind = match kind {
            "harvest" => BoardKind::Harvest,
            "plan" => BoardKind::Plan,
            _ => {
                let number = kind.strip_prefix('t').ok_or(NotABoard)?;
                // One spelling per board: `t1`, never `t01` or `t+1`.
                match number.parse::<u16>() {
                    Ok(n) if n > 0 && n.to_string() == number => BoardKind::Table(TableId(n)),
                    _ => return Err(NotABoard),
                }
            }
        };
        Ok(Self { workshop: workshop.into(), kind })
    }
}

/// What somebody is in a workshop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Prepares and steers.
    Facilitator,
    /// Sits at tables and writes.
    Participant,
    /// Reads the plan, comments and decides.
    Reviewer,
}

/// Somebody with a valid token: who, as what.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// Who.
    pub id: ActorId,
    /// As what.
    pub role: Role,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn board_ids_have_one_spelling() {
        for good in ["abc.t1", "abc.t65535", "abc.harvest", "abc.plan"] {
            assert_eq!(good.parse::<BoardId>().map(|b| b.to_string()).as_deref(), Ok(good));
        }
        for bad in ["abc", ".t1", "abc.t0", "abc.t01", "abc.t+1", "abc.t65536", "a/b.t1", "abc.vote", "a.b.t1"] {
            assert_eq!(bad.parse::<BoardId>(), Err(NotABoard), "{bad}");
        }
    }
}

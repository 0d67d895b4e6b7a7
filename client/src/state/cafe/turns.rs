//! Which boards are read at the moment. A large café has more tables than a connection may have boards open, so those who read all of
//! them take them in turns: a board that was read makes room for one that waits, and what was read of it stays.

use std::collections::VecDeque;

use shared::id::BoardKind;

/// Boards read at once. With the harvest, the plan, and a gallery's page of boards on which one may set stars, this stays below
/// [`shared::limits::BOARDS_PER_CONNECTION`].
const AT_ONCE: usize = 40;
const _: () = assert!(AT_ONCE + 2 + 12 <= shared::limits::BOARDS_PER_CONNECTION);

/// Who reads, and who waits.
#[derive(Debug, Default)]
pub(super) struct Turns {
    reading: Vec<BoardKind>,
    waiting: VecDeque<BoardKind>,
}

impl Turns {
    /// A board wants to be read.
    pub fn ask(&mut self, board: BoardKind) {
        if !self.reading.contains(&board) && !self.waiting.contains(&board) {
            self.waiting.push_back(board);
        }
    }

    /// Nobody wants to read a board any more.
    pub fn forget(&mut self, board: BoardKind) {
        self.reading.retain(|other| *other != board);
        self.waiting.retain(|other| *other != board);
    }

    /// The next board whose turn it is, while there is room.
    pub fn next(&mut self) -> Option<BoardKind> {
        if self.reading.len() >= AT_ONCE {
            return None;
        }
        let board = self.waiting.pop_front()?;
        self.reading.push(board);
        Some(board)
    }

    /// A board was read. Whether it makes room: only if another waits for it.
    pub fn was_read(&mut self, board: BoardKind) -> bool {
        if self.waiting.is_empty() || !self.reading.contains(&board) {
            return false;
        }
        self.reading.retain(|other| *other != board);
        true
    }
}

#[cfg(test)]
mod tests {
    use shared::id::TableId;

    use super::*;

    fn board(n: usize) -> BoardKind {
        BoardKind::Table(TableId(u16::try_from(n).expect("a table")))
    }

    #[test]
    fn every_board_gets_its_turn_and_a_small_cafe_stays_open() {
        let mut turns = Turns::default();
        for n in 1..=100 {
            turns.ask(board(n));
            turns.ask(board(n));
        }
        let mut open: Vec<BoardKind> = Vec::new();
        let mut read = Vec::new();
        loop {
            while let Some(next) = turns.next() {
                open.push(next);
            }
            assert!(open.len() <= AT_ONCE);
            let Some(at) = open.iter().position(|board| !read.contains(board)) else { break };
            read.push(open[at]);
            if turns.was_read(open[at]) {
                open.remove(at);
            }
        }
        assert_eq!(read.len(), 100);
        assert_eq!(open.len(), AT_ONCE, "where nobody waits, nobody leaves");
    }

    #[test]
    fn who_is_forgotten_makes_room() {
        let mut turns = Turns::default();
        (1..=AT_ONCE + 1).for_each(|n| turns.ask(board(n)));
        while turns.next().is_some() {}
        turns.forget(board(3));
        assert_eq!(turns.next(), Some(board(AT_ONCE + 1)));
        assert!(!turns.was_read(board(3)));
    }
}

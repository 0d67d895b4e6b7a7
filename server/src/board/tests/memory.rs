//! What all boards take of memory together.

use futures_util::future::join_all;
use shared::limits::BOARD_SHARE;
use tokio::task::yield_now;

use super::*;

/// Shares of a small server, of which three quarters are for opening.
const SHARES: usize = 8;
const PLACES: usize = 6;

impl House {
    fn small() -> Self {
        Self::within(tempfile::tempdir().expect("a directory"), SHARES * BOARD_SHARE)
    }

    async fn reopened_within(self, memory: usize) -> Self {
        self.boards.close().await;
        self.sqlite.close().await;
        Self::within(self.dir, memory)
    }

    /// Whoever comes next comes to this table.
    fn at_table(&mut self, table: u16) {
        self.board = BoardId::table(&"w".into(), TableId(table));
    }

    fn held(&self) -> usize {
        self.boards.inner.ledger.held()
    }

    /// Waits until boards have given back all but so much.
    async fn holds(&self, bytes: usize) {
        let wait = async {
            while self.held() != bytes {
                yield_now().await;
            }
        };
        timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("{} is held", self.held()));
    }

    async fn is_refused(&self) -> bool {
        matches!(self.boards.open(&self.board).await, Err(BoardError::ServerFull))
    }
}

/// Letters that take about so much, in a text of their own.
fn aside(client: u64, shares: usize) -> Vec<u8> {
    let doc = new_doc(client);
    let array = doc.get_or_insert_array("a");
    let mut txn = doc.transact_mut();
    for _ in 0..shares {
        let nulls: Vec<yrs::Any> = vec![yrs::Any::Null; BOARD_SHARE / 64];
        yrs::Array::push_back(&array, &mut txn, yrs::Any::Array(nulls.into()));
    }
    txn.encode_update_v1()
}

#[tokio::test]
async fn h26_boards_that_nobody_has_open_make_room() {
    let mut house = House::small();
    for table in 1..=3 * PLACES as u16 {
        house.at_table(table);
        let mut ann = house.guest("ann", u64::from(table)).await;
        ann.writes(&format!("at table {table}")).await;
        ann.handle.leave(ann.id).await;
        assert!(house.boards.awake() <= PLACES && house.held() <= PLACES * BOARD_SHARE);
    }
    // Nor do those that are only read keep others out, and nothing of them is lost.
    for table in 1..=3 * PLACES as u16 {
        house.at_table(table);
        house.boards.table(&"w".into(), TableId(table)).await.expect("read");
        assert!(house.boards.awake() <= PLACES);
    }
    for table in [1, 7, 18] {
        house.at_table(table);
        let bob = house.guest("bob", 100 + u64::from(table)).await;
        assert_eq!(bob.reads(), format!("at table {table}"));
        bob.handle.leave(bob.id).await;
    }
    house.boards.close().await;
    house.holds(0).await;
}

#[tokio::test]
async fn h26_a_board_that_finds_no_memory_is_refused_and_let_in_when_another_is_left() {
    let mut house = House::small();
    let mut guests = Vec::new();
    for table in 1..=PLACES as u16 {
        house.at_table(table);
        guests.push(house.guest("ann", u64::from(table)).await);
    }
    house.at_table(20);
    assert!(house.is_refused().await && house.is_refused().await);
    let table = house.boards.table(&"w".into(), TableId(20)).await;
    assert!(table.is_err_and(|error| error.code() == "server_full"));
    assert_eq!(
        (house.held(), house.boards.awake()),
        (PLACES * BOARD_SHARE, PLACES),
        "nothing stays of who was refused"
    );
    // Those who have a board open, write on; whoever comes to a board that is open is let in.
    for guest in &mut guests {
        guest.writes("still writing").await;
    }
    house.at_table(1);
    assert_eq!(house.guest("bob", 50).await.reads(), "still writing");
    house.at_table(20);
    guests[5].handle.leave(guests[5].id).await;
    let mut late = house.guest("late", 60).await;
    late.writes("let in").await;
    assert_eq!(house.held(), PLACES * BOARD_SHARE);
    house.at_table(6);
    assert!(house.is_refused().await);
    late.handle.leave(late.id).await;
    assert_eq!(house.guest("ann", 70).await.reads(), "still writing");
}

#[tokio::test]
async fn h26_as_many_as_there_is_room_for_come_in_at_once() {
    let house = House::small();
    let comes = |table: u16| {
        let house = &house;
        async move {
            let handle = house.boards.open(&BoardId::table(&"w".into(), TableId(table))).await.ok()?;
            let outbox = Arc::new(Outbox::default());
            handle.join(house.boards.next_member(), member("ann", true, &outbox, Arc::default())).await.ok()
        }
    };
    let came = join_all((1..=40).map(comes)).await.into_iter().flatten().count();
    assert_eq!((came, house.held()), (PLACES, PLACES * BOARD_SHARE));
    house.boards.close().await;
    house.holds(0).await;
}

#[tokio::test]
async fn h26_a_board_takes_what_it_weighs_or_nothing() {
    let mut house = House::new();
    house.at_table(9);
    let mut ann = house.guest("ann", 1).await;
    ann.writes("words").await;
    let n = ann.sends(aside(1_000, 2)).await;
    assert_eq!(ann.hears().await, ServerMessage::DurableUpTo { n });
    let mut house = house.reopened_within(SHARES * BOARD_SHARE).await;
    let mut others = Vec::new();
    for table in 1..=4 {
        house.at_table(table);
        others.push(house.guest("bob", u64::from(table)).await);
    }
    house.at_table(9);
    // There is a place, but the board takes more, which is known only when it has been loaded.
    assert!(house.is_refused().await);
    house.boards.open(&house.board).await.err().expect("still refused");
    assert_eq!(house.held(), 5 * BOARD_SHARE);
    others[0].handle.leave(others[0].id).await;
    assert_eq!(house.guest("ann", 90).await.reads(), "words");
    assert_eq!(house.held(), 6 * BOARD_SHARE);
}

#[tokio::test]
async fn h26_who_finds_no_memory_for_what_they_write_has_it_taken_later() {
    let mut house = House::small();
    let (mut ann, mut bob) = (house.guest("ann", 1).await, house.guest("bob", 2).await);
    let mut others = Vec::new();
    for table in 2..=3 {
        house.at_table(table);
        others.push(house.guest("other", 10 * u64::from(table)).await);
    }
    let n = ann.sends(aside(1_000, 4)).await;
    assert_eq!(ann.hears().await, ServerMessage::DurableUpTo { n });
    bob.hears().await;
    // With more than its share nobody goes on, and within it everybody.
    let too_much = aside(1_001, 3);
    ann.sends(too_much.clone()).await;
    let ServerMessage::Stateless(notice) = ann.hears().await else { panic!("no notice") };
    assert!(notice.contains("server_full"), "{notice}");
    bob.hears_nothing();
    for other in &mut others {
        other.writes("at another table").await;
    }
    bob.writes("here, too").await;
    ann.hears().await;
    assert!(house.held() <= SHARES * BOARD_SHARE, "{}", house.held());
    // When others have left it is asked for again.
    for other in &others {
        other.handle.leave(other.id).await;
    }
    let n = loop {
        match ann.hears().await {
            ServerMessage::Resync => {
                ann.syncs().await;
                ann.sends(too_much.clone()).await;
            }
            ServerMessage::DurableUpTo { n } => break n,
            other => assert!(is_update(&other), "why is told once: {other:?}"),
        }
    };
    assert!(n > 1 && is_update(&bob.hears().await));
    assert!(house.held() <= SHARES * BOARD_SHARE, "{}", house.held());
}

#[tokio::test]
async fn h26_a_load_that_fails_and_a_task_that_panics_give_back_what_they_had() {
    let mut house = House::small();
    house.faults.refuse_reads(StoreError::Io("gone".to_owned()));
    for table in 1..=3 * PLACES as u16 {
        house.at_table(table);
        assert!(matches!(house.boards.open(&house.board).await, Err(BoardError::Store(_))), "table {table}");
    }
    house.faults.heal();
    house.at_table(30);
    let ann = house.guest("ann", 1).await;
    let panics = Input::Read(Box::new(|_| panic!("as a mistake of ours would")));
    assert!(ann.handle.tx.send(panics).await.is_ok());
    assert_eq!(ann.ends().await.code, 1012);
    let mut again = house.guest("ann", 2).await;
    again.writes("words").await;
    house.boards.close().await;
    house.holds(0).await;
}

//! What waits to be written to one connection. Rooms and workshops push, the connection's task takes.
//!
//! Where nothing waits, what is pushed is written at once, by whoever pushes it (see [`super::line`]): most of what a board tells is a
//! small frame for somebody whose queue is empty, and waking their task for it costs as much as writing it. Frames keep their order: as
//! long as the task has one in hand, or some wait, everything waits.
//!
//! Bounded (limits::QUEUE_BYTES): a slow reader never holds memory. Past the bound the queue of the board in question is dropped, and
//! the board is caught up by state vector once the reader has read the rest. Answers are never dropped: somebody counts them.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use shared::limits;

use super::line::{Line, Sent};

/// Bytes waiting in all queues of this process.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// Bytes waiting in all queues of this process.
pub fn waiting_bytes() -> usize {
    WAITING.load(Ordering::Relaxed)
}

/// One of a connection's addresses: a number that is used once and never again within the connection.
pub type Slot = u16;

/// What may be done to a frame that has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// An edit or somebody's presence: dropped when the reader is too slow, for the state of the document makes up for it.
    Document,
    /// Part of an answer to Step1. Of any size, so at most one answer of an address waits; see [`Outbox::push_sync`].
    Sync,
    /// A whole state: a newer one takes its place.
    Latest,
    /// An answer that is waited for: never dropped.
    Answer,
}

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Write this.
    Frame(Bytes),
    /// Everything that waited is written, and this address has lost some: have it resynchronised.
    Lagging(Slot),
    /// Close the connection.
    End(End),
}

/// Why a connection is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// A WebSocket close code.
    pub code: u16,
    /// A stable code in words.
    pub reason: &'static str,
}

/// The queue of one connection.
#[derive(Debug, Default)]
pub struct Outbox {
    queue: Mutex<Queue>,
    bell: Bell,
}

/// Calls the connection's task, and nobody else: lighter than what tokio has for many.
#[derive(Debug, Default)]
struct Bell {
    rung: AtomicBool,
    listener: AtomicWaker,
}

impl Bell {
    fn ring(&self) {
        self.rung.store(true, Ordering::Release);
        self.listener.wake();
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<()> {
        if self.rung.swap(false, Ordering::Acquire) {
            return Poll::Ready(());
        }
        self.listener.register(context.waker());
        // It may have been rung just before somebody listened.
        if self.rung.swap(false, Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[derive(Debug, Default)]
struct Queue {
    entries: VecDeque<Entry>,
    /// Bytes of the waiting frames that may be dropped.
    document_bytes: usize,
    /// Bytes of the waiting answers.
    answer_bytes: usize,
    lagging: Vec<Lag>,
    end: Option<End>,
    /// Where to write what need not wait.
    line: Option<Arc<Line>>,
    /// Bytes of the frame that the connection's task took and is writing; 0 if there is none.
    taken: usize,
}

#[derive(Debug)]
struct Entry {
    slot: Slot,
    class: Class,
    frame: Bytes,
}

#[derive(Debug)]
struct Lag {
    slot: Slot,
    told: bool,
}

impl Outbox {
    /// The queue of a connection on this line.
    pub fn on(line: Arc<Line>) -> Self {
        let outbox = Self::default();
        outbox.lock().line = Some(line);
        outbox
    }

    /// From now on nothing is written but by the connection's task.
    pub fn hang_up(&self) {
        self.lock().line = None;
    }

    /// Writes a frame, if nothing waits before it; otherwise as [`Outbox::push_to_wait`].
    pub fn push(&self, slot: Slot, class: Class, frame: Bytes) {
        let mut queue = self.lock();
        match queue.write_at_once(&frame) {
            Sent::Whole => return,
            // The task writes the rest.
            Sent::Begun => {}
            Sent::Not => queue.push(slot, class, frame),
        }
        drop(queue);
        self.bell.ring();
    }

    /// Like [`Outbox::push`], but the frame may be written together with others, at the latest by [`Outbox::write_gathered`], which has to
    /// follow.
    pub fn gather(&self, slot: Slot, class: Class, frame: Bytes) {
        let mut queue = self.lock();
        if queue.free_line().is_some_and(|line| line.gather(&frame)) {
            return;
        }
        queue.push(slot, class, frame);
        drop(queue);
        self.bell.ring();
    }

    /// Writes what was gathered.
    pub fn write_gathered(&self) {
        let queue = self.lock();
        // Of a line that fails the task hears by itself. If it has a frame in hand, it writes what was gathered before its next one.
        let whole = queue.free_line().is_none_or(|line| matches!(line.try_finish(), Ok(Sent::Whole)));
        drop(queue);
        if !whole {
            self.bell.ring();
        }
    }

    /// Puts a frame in the queue for the connection's task, unless its board is dropped anyway. For what is told to so many that writing
    /// it to them all would hold up everything else.
    pub fn push_to_wait(&self, slot: Slot, class: Class, frame: Bytes) {
        self.lock().push(slot, class, frame);
        self.bell.ring();
    }

    /// Whether an answer to a Step1 may be made now. Not while answers of other addresses wait that come to more than the bound, for each
    /// may be a whole board: then the address is taken for lagging, and comes again once the reader has read the rest.
    /// Where too much waits for all readers together, this one is to come again later.
    pub fn may_answer(&self, slot: Slot) -> bool {
        if waiting_bytes() > limits::QUEUES_BYTES {
            self.end(End { code: 1013, reason: "busy" });
            return false;
        }
        let mut queue = self.lock();
        let others = queue.entries.iter().filter(|entry| entry.class == Class::Sync && entry.slot != slot);
        let waiting: usize = others.map(|entry| entry.frame.len()).sum();
        if waiting <= limits::QUEUE_BYTES {
            return true;
        }
        queue.drop_where(|entry| entry.slot == slot && matches!(entry.class, Class::Document | Class::Sync));
        queue.lagging.retain(|lag| lag.slot != slot);
        queue.lagging.push(Lag { slot, told: false });
        metrics::counter!("tablehop_resyncs_total").increment(1);
        false
    }

    /// Whether this reader, who does not read, holds more than others may while too much waits for all together.
    pub fn is_burden(&self) -> bool {
        if waiting_bytes() <= limits::QUEUES_BYTES / 2 {
            return false;
        }
        let queue = self.lock();
        queue.taken + queue.entries.iter().map(|entry| entry.frame.len()).sum::<usize>() > limits::QUEUE_BYTES
    }

    /// Puts the answer to a Step1 in the queue and takes the address for caught up. An earlier answer that still waits is replaced:
    /// this one holds what that one held. Returns whether something had been dropped before.
    pub fn push_sync(&self, slot: Slot, frames: impl IntoIterator<Item = Bytes>) -> bool {
        let mut queue = self.lock();
        let lags = queue.lagging.len();
        queue.lagging.retain(|lag| lag.slot != slot);
        let lagged = queue.lagging.len() < lags;
        queue.drop_where(|entry| entry.slot == slot && entry.class == Class::Sync);
        for frame in frames {
            queue.add(Entry { slot, class: Class::Sync, frame });
        }
        drop(queue);
        self.bell.ring();
        lagged
    }

    /// Drops what waits for an address that was left.
    pub fn forget(&self, slot: Slot) {
        let mut queue = self.lock();
        queue.lagging.retain(|lag| lag.slot != slot);
        queue.drop_where(|entry| entry.slot == slot && entry.class != Class::Answer);
    }

    /// Has the connection closed as soon as its task sees this. The first reason stands.
    pub fn end(&self, end: End) {
        self.lock().end.get_or_insert(end);
        self.bell.ring();
    }

    /// What to do next, if anything. What it gave before is done.
    pub fn next(&self) -> Option<Next> {
        let mut queue = self.lock();
        if let Some(end) = queue.end {
            return Some(Next::End(end));
        }
        queue.written();
        if let Some(entry) = queue.entries.pop_front() {
            queue.taken = entry.frame.len();
            queue.forget_class(&entry);
            if queue.entries.is_empty() {
                // Idle connections are many: they keep no room for frames.
                queue.entries = VecDeque::new();
            }
            return Some(Next::Frame(entry.frame));
        }
        let lag = queue.lagging.iter_mut().find(|lag| !lag.told)?;
        lag.told = true;
        Some(Next::Lagging(lag.slot))
    }

    /// Whether there is nothing to do next.
    pub fn is_empty(&self) -> bool {
        let queue = self.lock();
        queue.entries.is_empty() && queue.end.is_none() && queue.lagging.iter().all(|lag| lag.told) && queue.taken == 0
    }

    /// Resolves when something was pushed since it last resolved; for the connection's task alone.
    pub async fn filled(&self) {
        poll_fn(|context| self.bell.poll(context)).await;
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing is called while the lock is held that could leave the queue half changed.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// The line, if nothing waits before what is to be written next.
    fn free_line(&self) -> Option<&Line> {
        let waits = self.taken > 0 || !self.entries.is_empty() || !self.lagging.is_empty() || self.end.is_some();
        self.line.as_deref().filter(|_| !waits)
    }

    fn write_at_once(&self, frame: &Bytes) -> Sent {
        // Of a line that fails the task hears by itself.
        self.free_line().map_or(Sent::Not, |line| line.try_send(frame).unwrap_or(Sent::Not))
    }

    fn push(&mut self, slot: Slot, class: Class, frame: Bytes) {
        match class {
            Class::Document => {
                if self.lagging.iter().any(|lag| lag.slot == slot) {
                    return;
                }
                if self.document_bytes + frame.len() > limits::QUEUE_BYTES {
                    self.drop_where(|entry| entry.slot == slot && entry.class == Class::Document);
                    self.lagging.push(Lag { slot, told: false });
                    metrics::counter!("tablehop_resyncs_total").increment(1);
                    return;
                }
                self.document_bytes += frame.len();
            }
            Class::Latest => self.drop_where(|entry| entry.slot == slot && entry.class == Class::Latest),
            Class::Answer => {
                self.answer_bytes += frame.len();
                if self.answer_bytes > limits::QUEUE_BYTES {
                    self.end.get_or_insert(End { code: 4429, reason: "too_slow" });
                    return;
                }
            }
            Class::Sync => {}
        }
        self.add(Entry { slot, class, frame });
    }

    fn add(&mut self, entry: Entry) {
        WAITING.fetch_add(entry.frame.len(), Ordering::Relaxed);
        self.entries.push_back(entry);
    }

    fn drop_where(&mut self, which: impl Fn(&Entry) -> bool) {
        let (mut document_bytes, mut answer_bytes) = (self.document_bytes, self.answer_bytes);
        self.entries.retain(|entry| {
            let goes = which(entry);
            if goes {
                WAITING.fetch_sub(entry.frame.len(), Ordering::Relaxed);
                match entry.class {
                    Class::Document => document_bytes -= entry.frame.len(),
                    Class::Answer => answer_bytes -= entry.frame.len(),
                    Class::Sync | Class::Latest => {}
                }
            }
            !goes
        });
        (self.document_bytes, self.answer_bytes) = (document_bytes, answer_bytes);
    }

    fn forget_class(&mut self, entry: &Entry) {
        match entry.class {
            Class::Document => self.document_bytes -= entry.frame.len(),
            Class::Answer => self.answer_bytes -= entry.frame.len(),
            Class::Sync | Class::Latest => {}
        }
    }

    /// What was taken is written: until then it is in memory like all that waits.
    fn written(&mut self) {
        WAITING.fetch_sub(std::mem::take(&mut self.taken), Ordering::Relaxed);
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.drop_where(|_| true);
        self.written();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    fn large() -> Bytes {
        Bytes::from(vec![0; limits::QUEUE_BYTES / 4])
    }

    fn drain(outbox: &Outbox) -> Vec<Next> {
        std::iter::from_fn(|| outbox.next()).collect()
    }

    #[test]
    fn frames_come_in_order() {
        let outbox = Outbox::default();
        outbox.push(1, Class::Document, frame("a"));
        outbox.push(2, Class::Answer, frame("b"));
        outbox.push(1, Class::Document, frame("c"));
        assert_eq!(drain(&outbox), ["a", "b", "c"].map(|text| Next::Frame(frame(text))));
        assert_eq!(outbox.lock().entries.capacity(), 0);
    }

    #[tokio::test]
    async fn b11_what_need_not_wait_goes_at_once_and_never_before_what_waits() {
        use futures_util::StreamExt;
        use tokio::net::{TcpListener, TcpStream};
        use tokio_tungstenite::WebSocketStream;
        use tokio_tungstenite::tungstenite::protocol::Role;

        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let (near, far) =
            tokio::join!(listener.accept(), TcpStream::connect(listener.local_addr().expect("an address")));
        let (line, _stream) = Line::new(near.expect("accepted").0);
        let mut reader = WebSocketStream::from_raw_socket(far.expect("connected"), Role::Client, None).await;
        let outbox = Outbox::on(line.clone());
        outbox.push(1, Class::Document, frame("at once"));
        assert_eq!(outbox.next(), None, "nothing waits");
        for text in ["one", "breath"] {
            outbox.gather(1, Class::Answer, frame(text));
        }
        outbox.write_gathered();
        outbox.push_to_wait(1, Class::Latest, frame("in turn"));
        outbox.push(1, Class::Document, frame("behind it"));
        assert_eq!(outbox.next(), Some(Next::Frame(frame("in turn"))));
        // While the task has that in hand.
        outbox.gather(1, Class::Document, frame("later"));
        outbox.write_gathered();
        line.send(&frame("in turn")).await.expect("connected");
        for text in ["behind it", "later"] {
            assert_eq!(outbox.next(), Some(Next::Frame(frame(text))));
            line.send(&frame(text)).await.expect("connected");
        }
        assert_eq!(outbox.next(), None);
        outbox.push(1, Class::Document, frame("at once again"));
        assert_eq!(outbox.next(), None);
        outbox.hang_up();
        outbox.push(1, Class::Document, frame("too late"));
        assert_eq!(outbox.next(), Some(Next::Frame(frame("too late"))), "only the task may write now");
        for text in ["at once", "one", "breath", "in turn", "behind it", "later", "at once again"] {
            let heard = reader.next().await.expect("more").expect("a frame");
            assert_eq!(heard.into_data(), frame(text));
        }
    }

    #[test]
    fn b9_a_slow_reader_is_resynchronised_board_by_board() {
        let outbox = Outbox::default();
        outbox.push(2, Class::Document, frame("other board"));
        outbox.push(1, Class::Answer, frame("ack"));
        for _ in 0..100 {
            outbox.push(1, Class::Document, large());
            assert!(outbox.lock().document_bytes <= limits::QUEUE_BYTES);
        }
        outbox.push(1, Class::Document, frame("later"));
        let told = [Next::Frame(frame("other board")), Next::Frame(frame("ack")), Next::Lagging(1)];
        assert_eq!(drain(&outbox), told);
        // Told once; nothing comes until the board is caught up.
        outbox.push(1, Class::Document, frame("later"));
        assert_eq!(drain(&outbox), []);
        outbox.push_sync(1, [frame("step1"), frame("step2")]);
        outbox.push(1, Class::Document, frame("new"));
        assert_eq!(drain(&outbox), ["step1", "step2", "new"].map(|text| Next::Frame(frame(text))));
    }

    #[test]
    fn the_answer_to_step1_is_of_any_size_and_waits_once() {
        let outbox = Outbox::default();
        let whole = Bytes::from(vec![0; limits::QUEUE_BYTES * 2]);
        outbox.push_sync(1, [whole.clone()]);
        outbox.push_sync(1, [whole.clone()]);
        outbox.push(1, Class::Document, frame("edit"));
        assert_eq!(drain(&outbox), [Next::Frame(whole), Next::Frame(frame("edit"))]);
    }

    #[test]
    fn b9_answers_of_many_addresses_are_made_one_after_another() {
        let outbox = Outbox::default();
        let whole = Bytes::from(vec![0; limits::QUEUE_BYTES * 2]);
        let mut asked: Vec<Slot> = (1..=65).collect();
        let mut answered = Vec::new();
        while !asked.is_empty() {
            for slot in std::mem::take(&mut asked) {
                if outbox.may_answer(slot) {
                    outbox.push_sync(slot, [whole.clone()]);
                    answered.push(slot);
                }
            }
            let waiting: usize = outbox.lock().entries.iter().map(|entry| entry.frame.len()).sum();
            assert!(waiting <= whole.len(), "{waiting} bytes wait");
            for next in drain(&outbox) {
                match next {
                    Next::Frame(frame) => assert_eq!(frame.len(), whole.len()),
                    Next::Lagging(slot) => asked.push(slot),
                    Next::End(end) => panic!("{end:?}"),
                }
            }
        }
        answered.sort_unstable();
        assert_eq!(answered, (1..=65).collect::<Vec<_>>(), "each gets its answer, once");
    }

    #[test]
    fn h23_who_reads_nothing_pays_for_what_waits_and_what_is_being_written_waits_too() {
        let whole = Bytes::from(vec![0; limits::QUEUES_BYTES / 4]);
        let held: Vec<Outbox> = (0..3).map(|_| Outbox::default()).collect();
        for outbox in &held {
            outbox.push_sync(1, [whole.clone()]);
            assert_eq!(outbox.next(), Some(Next::Frame(whole.clone())));
        }
        assert_eq!(waiting_bytes(), 3 * whole.len());
        let other = Outbox::default();
        other.push(1, Class::Document, frame("little"));
        assert!(held.iter().all(Outbox::is_burden) && !other.is_burden());
        assert!(other.may_answer(1), "nobody else pays before it is twice as much");
        drop(other);
        assert_eq!(held[0].next(), None, "it was written");
        assert!(!held[1].is_burden());
        drop(held);
        assert_eq!(waiting_bytes(), 0);
    }

    #[test]
    fn only_the_latest_state_waits() {
        let outbox = Outbox::default();
        for view in ["one", "two", "three"] {
            outbox.push(0, Class::Latest, frame(view));
        }
        assert_eq!(drain(&outbox), [Next::Frame(frame("three"))]);
    }

    #[test]
    fn who_never_reads_their_answers_is_let_go() {
        let outbox = Outbox::default();
        for _ in 0..5 {
            outbox.push(1, Class::Answer, large());
        }
        assert_eq!(outbox.next(), Some(Next::End(End { code: 4429, reason: "too_slow" })));
    }

    #[test]
    fn an_address_that_was_left_gets_nothing_more() {
        let outbox = Outbox::default();
        outbox.push(1, Class::Document, frame("a"));
        outbox.push(2, Class::Document, frame("b"));
        outbox.forget(1);
        assert_eq!(drain(&outbox), [Next::Frame(frame("b"))]);
        assert_eq!(outbox.lock().document_bytes, 0);
    }
}

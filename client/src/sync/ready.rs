//! A value that tasks can wait for.

use std::cell::RefCell;
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// Set once; whoever waits gets a copy.
pub struct Ready<T> {
    value: RefCell<Option<T>>,
    waiting: Signal,
}

impl<T: Clone> Ready<T> {
    /// Not set yet.
    pub fn new() -> Self {
        Self { value: RefCell::new(None), waiting: Signal::default() }
    }

    /// Sets the value; a second one is ignored.
    pub fn set(&self, value: T) {
        self.value.borrow_mut().get_or_insert(value);
        self.waiting.notify();
    }

    /// The value, if it is there.
    pub fn get(&self) -> Option<T> {
        self.value.borrow().clone()
    }

    /// Waits until the value is there.
    pub async fn wait(&self) -> T {
        loop {
            let value = self.get();
            if let Some(value) = value {
                return value;
            }
            self.waiting.wait().await;
        }
    }
}

impl<T: Clone> Default for Ready<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Wakes everybody who waits; who comes later waits for the next time.
#[derive(Default)]
pub struct Signal {
    times: std::cell::Cell<u64>,
    waiting: RefCell<Vec<Waker>>,
}

impl Signal {
    /// Wakes all who wait.
    pub fn notify(&self) {
        self.times.set(self.times.get() + 1);
        let waiting = self.waiting.take();
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Waits for the next [`Signal::notify`] after this call.
    pub fn wait(&self) -> impl Future<Output = ()> + '_ {
        let seen = self.times.get();
        poll_fn(move |context| {
            if self.times.get() > seen {
                return Poll::Ready(());
            }
            self.waiting.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
    }
}

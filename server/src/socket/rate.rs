//! Token buckets: how fast one connection, or one person, may go on.

use tokio::time::Instant;

/// Fills at `per_second`, up to `burst`. The time is passed in.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    per_second: f32,
    burst: f32,
    level: f32,
    at: Instant,
}

impl Bucket {
    /// A full bucket.
    pub fn new(per_second: u32, burst: u32, now: Instant) -> Self {
        let burst = burst as f32;
        Self { per_second: per_second as f32, burst, level: burst, at: now }
    }

    /// Takes one; `false` if the bucket is empty.
    pub fn take(&mut self, now: Instant) -> bool {
        self.take_many(now, 1)
    }

    /// Takes so many, or none and `false` if there are fewer.
    pub fn take_many(&mut self, now: Instant, count: usize) -> bool {
        let count = count as f32;
        self.fill(now);
        let enough = self.level >= count;
        if enough {
            self.level -= count;
        }
        enough
    }

    /// Whether it is as good as a new one.
    pub fn is_full(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.level >= self.burst
    }

    fn fill(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.at).as_secs_f32();
        // Never back: several connections share one, and each looks at the clock for itself.
        self.at = now.max(self.at);
        self.level = (self.level + since * self.per_second).min(self.burst);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_average() {
        let start = Instant::now();
        let mut bucket = Bucket::new(2, 5, start);
        assert_eq!((0..9).filter(|_| bucket.take(start)).count(), 5);
        let later = start + Duration::from_millis(1_500);
        assert_eq!((0..9).filter(|_| bucket.take(later)).count(), 3);
        assert!(!bucket.take_many(later + Duration::from_secs(1), 3) && bucket.take_many(later, 2));
        let much_later = start + Duration::from_secs(3_600);
        assert_eq!((0..9).filter(|_| bucket.take(much_later)).count(), 5);
    }
}

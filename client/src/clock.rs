//! The server's time, estimated from the times it tells us.

use std::collections::VecDeque;

use shared::id::Millis;

/// Samples that are remembered: enough that one of them met no delay on the way, few enough to follow a drifting clock.
const SAMPLES: usize = 24;
/// A sample this far (milliseconds) from the others means that the device's clock was set, not that the network was slow.
const JUMP: i64 = 60_000;

/// An estimate of how far the server's clock is ahead of this device's.
///
/// A message can only arrive later than it was sent, so of several samples the largest offset met the least delay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    samples: VecDeque<i64>,
}

impl Clock {
    /// Takes the server's time `theirs` out of a message that arrived at `ours` by the device's clock.
    pub fn sample(&mut self, theirs: Millis, ours: Millis) {
        let offset = theirs.cast_signed().wrapping_sub(ours.cast_signed());
        if self.samples.back().is_some_and(|last| (last - offset).abs() > JUMP) {
            self.samples.clear();
        }
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back(offset);
    }

    /// The server's time when the device's clock shows `ours`; the device's own until a sample came.
    pub fn server_time(&self, ours: Millis) -> Millis {
        let offset = self.samples.iter().copied().max().unwrap_or(0);
        ours.saturating_add_signed(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_with_the_least_delay_counts() {
        let mut clock = Clock::default();
        assert_eq!(clock.server_time(1_000), 1_000);
        // The server is 5,000 ahead; delays of 300, 20 and 90 ms.
        clock.sample(15_000, 10_300);
        clock.sample(16_000, 11_020);
        clock.sample(17_000, 12_090);
        assert_eq!(clock.server_time(13_000), 17_980);
    }

    #[test]
    fn old_samples_are_forgotten() {
        let mut clock = Clock::default();
        clock.sample(10_500, 10_000);
        for i in 0..SAMPLES as u64 {
            clock.sample(20_400 + i, 20_000 + i);
        }
        assert_eq!(clock.server_time(30_000), 30_400);
    }

    #[test]
    fn a_clock_that_was_set_starts_anew() {
        let mut clock = Clock::default();
        clock.sample(1_000_000, 10_000);
        clock.sample(1_000_100, 1_000_090);
        assert_eq!(clock.server_time(2_000_000), 2_000_010);
    }
}

//! The wall clock: the only place that reads it. Everything that decides something is given the time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use shared::id::Millis;
use tokio::time::Instant;

/// Milliseconds since 1970-01-01 UTC.
pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}

/// The moment of the runtime's clock at which the wall clock will show `at`; now, if it is past. Ask again after long waits: the
/// wall clock may have been set meanwhile.
pub fn moment(at: Millis) -> Instant {
    Instant::now() + Duration::from_millis(at.saturating_sub(now()))
}

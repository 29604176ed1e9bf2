//! The time that deployments live in: the machine's, or a virtual one that a replay moves.

use mlp_core::clock::{Clock, SystemClock};
use mlp_core::record::Millis;
use std::time::Duration;
use tokio::sync::watch;

/// The clock of a resident engine.
#[derive(Clone, Debug)]
pub enum LiveClock {
    /// The machine's.
    System,
    /// Stands still until somebody moves it.
    Virtual(watch::Sender<Millis>),
}

impl LiveClock {
    /// A clock that stands at `at`.
    pub fn standing_at(at: Millis) -> LiveClock {
        LiveClock::Virtual(watch::Sender::new(at))
    }

    /// Whether somebody must move it.
    pub fn is_virtual(&self) -> bool {
        matches!(self, LiveClock::Virtual(_))
    }

    /// Moves a virtual clock on; never back. The machine's clock cannot be moved.
    pub fn advance(&self, to: Millis) {
        if let LiveClock::Virtual(now) = self {
            now.send_if_modified(|now| {
                let later = to > *now;
                *now = to.max(*now);
                later
            });
        }
    }

    /// Returns when it is `at` or later.
    pub async fn until(&self, at: Millis) {
        match self {
            LiveClock::System => loop {
                let left = at - SystemClock.now();
                if left <= 0 {
                    return;
                }
                // In pieces, since the time of day can be set while we sleep.
                let pause = Duration::from_millis(left.unsigned_abs()).min(Duration::from_secs(60));
                tokio::time::sleep(pause).await;
            },
            LiveClock::Virtual(now) => {
                // The sender is `self`, so the channel cannot close while this waits.
                let _ = now.subscribe().wait_for(|now| *now >= at).await;
            }
        }
    }
}

impl Clock for LiveClock {
    fn now(&self) -> Millis {
        match self {
            LiveClock::System => SystemClock.now(),
            LiveClock::Virtual(now) => *now.borrow(),
        }
    }
}

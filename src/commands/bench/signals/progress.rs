//! What a load looks like while it is under way, on a terminal.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::{Instant, interval};

use super::block::Block;
use super::checks::millis;
use super::fleet::Fleet;
use super::generator::{Shared, lock};
use super::mix::count;
use crate::output::progress::{self, Figures};

const EVERY: Duration = Duration::from_secs(1);

pub(super) struct Progress {
    bar: Figures,
    began: Instant,
}

impl Progress {
    pub(super) fn of(block: &Block) -> Self {
        let whole = block.load.warm_up + block.load.duration;
        Self {
            bar: progress::figures(&block.to_string(), whole),
            began: Instant::now(),
        }
    }

    /// Shows the last second again and again.
    pub(super) async fn follow(&self, fleet: &Fleet, tally: &Shared) -> Infallible {
        let mut ticks = interval(EVERY);
        let (mut answered, mut requests) = (0, 0);
        let mut earlier = self.began;
        loop {
            ticks.tick().await;
            if self.bar.is_hidden() {
                continue;
            }
            let asked = fleet.requests().await;
            // A replica that does not tell now may tell in a second.
            let asked = asked.map_or(requests, |asked| asked.total());
            let (all, failures, p99) = {
                let tally = lock(tally);
                let answers = tally.fingerprints.iter().map(|sent| sent.answered);
                let all: u64 = answers.sum();
                (all, tally.failures(), tally.all().percentile(99.0))
            };
            let now = Instant::now();
            let p99 = match p99 {
                Duration::ZERO => "warming up".to_owned(),
                p99 => format!("p99 {}", millis(p99)),
            };
            let seconds = (now - earlier).as_secs_f64().max(0.001);
            let rate = |now: u64, before: u64| count(now.saturating_sub(before)) / seconds;
            self.bar.show(
                self.began.elapsed(),
                &format!(
                    "{:.0}/s, {p99}, {failures} failed, {:.0} API requests/s",
                    rate(all, answered),
                    rate(asked, requests),
                ),
            );
            (answered, requests, earlier) = (all, asked, now);
        }
    }
}

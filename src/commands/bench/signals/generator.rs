//! The open loop: each signal is sent at its time, whatever became of those before it.
//!
//! Latencies count from the time at which a signal was to be sent. A server that stands still for a second therefore shows
//! in the latency of every signal of that second, and not only in that of the one that it held up. How signals get to
//! their server is not known here.

use std::future::Future;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::mix::Load;
use super::tally::{Answer, Failed, Tally, Times};

/// More signals without an answer than this are a server that is gone, or memory that is.
const MOST_UNANSWERED: usize = 20_000;
/// How long the last signals may take to be answered after the end of the load.
const LAST_ANSWERS: Duration = Duration::from_secs(20);

/// Sends one signal and tells what became of it.
pub(super) trait Sender: Send + Sync + 'static {
    fn send(
        self: Arc<Self>,
        signal: u64,
        fingerprint: u32,
    ) -> impl Future<Output = Answer> + Send + 'static;
}

/// What everybody sees of a load that is under way.
pub(super) type Shared = Arc<Mutex<Tally>>;

/// Sends a load to its end, and waits for its answers. `is_hopeless` is asked now and then whether it is to go on.
pub(super) async fn run<S: Sender>(
    load: &Load,
    sender: &Arc<S>,
    tally: &Shared,
    mut is_hopeless: impl FnMut(&Tally) -> ControlFlow<()>,
) {
    let start = Instant::now();
    let mut under_way = JoinSet::new();
    let mut mix = load.mix();
    let first_measured = load.before();
    for signal in 0..load.signals() {
        let intended = load.due(signal);
        sleep_until(start + intended).await;
        while under_way.try_join_next().is_some() {}
        let fingerprint = mix.next();
        let is_measured = signal >= first_measured;
        let sent = start.elapsed();
        if under_way.len() >= MOST_UNANSWERED {
            let times = Times {
                intended,
                sent,
                answered: sent,
            };
            lock(tally).ended(fingerprint, is_measured, times, not_sent());
            continue;
        }
        lock(tally).sent(fingerprint);
        let (sender, tally) = (sender.clone(), tally.clone());
        let answer = sender.send(signal, fingerprint);
        let own = tally.clone();
        under_way.spawn(async move {
            let until = start + load_end(intended);
            let answer = timeout_at(until, answer).await;
            let times = Times {
                intended,
                sent,
                answered: start.elapsed(),
            };
            let answer = answer.unwrap_or_else(|_| no_answer());
            lock(&own).ended(fingerprint, is_measured, times, answer);
        });
        if is_hopeless(&lock(&tally)).is_break() {
            break;
        }
    }
    while under_way.join_next().await.is_some() {}
}

/// Until when a signal that was to be sent then is waited for.
fn load_end(intended: Duration) -> Duration {
    intended + LAST_ANSWERS
}

fn not_sent() -> Answer {
    Answer::Failed(Failed {
        kind: "not sent".to_owned(),
        message: format!("{MOST_UNANSWERED} signals were waiting for their answers"),
    })
}

fn no_answer() -> Answer {
    Answer::Failed(Failed {
        kind: "no answer".to_owned(),
        message: format!("nothing came within {LAST_ANSWERS:?}"),
    })
}

pub(super) fn lock(tally: &Mutex<Tally>) -> std::sync::MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers after 5 ms, but nothing between these moments.
    struct Stalling {
        start: Instant,
        from: Duration,
        to: Duration,
    }

    impl Sender for Stalling {
        async fn send(self: Arc<Self>, _signal: u64, _fingerprint: u32) -> Answer {
            let came = self.start.elapsed();
            tokio::time::sleep(Duration::from_millis(5)).await;
            if (self.from..self.to).contains(&came) {
                sleep_until(self.start + self.to + Duration::from_millis(5)).await;
            }
            Answer::Duplicate
        }
    }

    /// Never answers.
    struct Silent;

    impl Sender for Silent {
        async fn send(self: Arc<Self>, _signal: u64, _fingerprint: u32) -> Answer {
            std::future::pending().await
        }
    }

    fn load(rate: f64, seconds: u64) -> Load {
        Load {
            rate,
            duration: Duration::from_secs(seconds),
            warm_up: Duration::ZERO,
            duplicates: 0.9,
            working_set: 10,
        }
    }

    fn go_on(_: &Tally) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_stands_still_shows_in_the_latency_of_every_signal_of_that_time() {
        let sender = Arc::new(Stalling {
            start: Instant::now(),
            from: Duration::from_secs(4),
            to: Duration::from_secs(5),
        });
        let tally = Shared::default();
        run(&load(100.0, 10), &sender, &tally, go_on).await;
        let tally = lock(&tally);
        assert_eq!((tally.answered(), tally.failures()), (1000, 0));
        // A hundred of a thousand signals met it, and waited between 5 ms and a second.
        let all = tally.all();
        let millis = |percentile| all.percentile(percentile).as_millis();
        assert_eq!(millis(89.9), 5);
        assert!((490..=520).contains(&millis(95.0)), "{}", millis(95.0));
        assert!((995..=1010).contains(&millis(100.0)), "{}", millis(100.0));
        assert_eq!(tally.lag.max(), Duration::from_micros(1));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_an_answer_before_the_next_signal_is_sent() {
        let tally = Shared::default();
        let started = Instant::now();
        run(&load(10.0, 5), &Arc::new(Silent), &tally, go_on).await;
        let took = started.elapsed();
        assert_eq!(took.as_secs(), 24, "the last one is waited for: {took:?}");
        let tally = lock(&tally);
        assert_eq!(tally.failures["no answer"].count, 50);
        assert_eq!(tally.failed.count(), 50);
        let sent: u64 = tally.fingerprints.iter().map(|sent| sent.sent).sum();
        assert_eq!(sent, 50);
    }

    #[tokio::test(start_paused = true)]
    async fn what_exceeds_the_cap_is_told_as_an_error() {
        let tally = Shared::default();
        let most = u32::try_from(MOST_UNANSWERED).unwrap();
        let rate = f64::from(most + 500);
        run(&load(rate, 1), &Arc::new(Silent), &tally, go_on).await;
        let tally = lock(&tally);
        assert_eq!(tally.failures["not sent"].count, 500);
        assert_eq!(tally.failures["no answer"].count, u64::from(most));
    }

    #[tokio::test(start_paused = true)]
    async fn a_load_that_is_hopeless_ends() {
        let tally = Shared::default();
        let hopeless = |tally: &Tally| match tally.answered() {
            0..20 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        };
        let sender = Arc::new(Stalling {
            start: Instant::now(),
            from: Duration::ZERO,
            to: Duration::ZERO,
        });
        run(&load(100.0, 1000), &sender, &tally, hopeless).await;
        // Another one was under way when that was seen.
        assert_eq!(lock(&tally).answered(), 21);
    }
}

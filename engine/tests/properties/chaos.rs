//! What goes wrong in a run, and how often. Drawn from the run's seed, so that some runs are calm and some are not.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;

/// What the world is like beyond the usual faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    /// Processes of this protocol alone.
    Alone,
    /// A `Date` can be wrong by an hour, as a broken proxy would make it.
    LyingDates,
    /// Two API servers as far apart as the margin allows, and holders that use up their duration almost to the end.
    ServersApart,
    /// Gateways with right clocks and short work beside us.
    WithGateways,
}

/// Probabilities are per request, mean times per process or per lease.
#[derive(Debug, Clone)]
pub(crate) struct Chaos {
    pub(crate) setting: Setting,
    pub(crate) processes: usize,
    pub(crate) lasting: Duration,
    /// The request never reaches the server.
    pub(crate) lost: f64,
    /// It is executed, and its answer is lost.
    pub(crate) unanswered: f64,
    /// It is executed late, up to its time-out and grace.
    pub(crate) slow: f64,
    /// 429.
    pub(crate) too_many: f64,
    /// The process stands still between deciding to send and sending.
    pub(crate) stalled: f64,
    /// A `Date` is wrong.
    pub(crate) lying: f64,
    pub(crate) watch_lost: f64,
    pub(crate) watch_late: f64,
    pub(crate) watch_forbidden: f64,
    pub(crate) cancelled: f64,
    /// A holder ends without a release.
    pub(crate) leaked: f64,
    pub(crate) crash_every: Option<Duration>,
    pub(crate) pause_every: Option<Duration>,
    pub(crate) label_every: Option<Duration>,
    pub(crate) untrack_every: Option<Duration>,
    pub(crate) operator_every: Option<Duration>,
    /// The clocks of two API servers, in milliseconds from the truth.
    pub(crate) servers: [i64; 2],
    /// The worst local wall clock, in seconds.
    pub(crate) wall_skew: i64,
    /// The worst local clock rate: 0.02 is two percent fast or slow.
    pub(crate) drift: f64,
    /// The renew deadline as close to the duration as the timing allows.
    pub(crate) tight: bool,
}

impl Chaos {
    pub(crate) fn draw(setting: Setting, rng: &mut StdRng) -> Self {
        let wild = [0.0, 0.3, 1.0][rng.random_range(0..3)];
        let mut p = |most: f64| {
            if rng.random_bool(0.6) {
                wild * most * rng.random::<f64>()
            } else {
                0.0
            }
        };
        let (lost, unanswered, slow, too_many) = (p(0.3), p(0.3), p(0.4), p(0.2));
        let (stalled, watch_lost, watch_late) = (p(0.05), p(0.5), p(0.5));
        let (cancelled, leaked, watch_forbidden) = (p(0.5), p(0.3), p(1.0));
        let lying = if setting == Setting::LyingDates {
            0.05 + p(0.3)
        } else {
            0.0
        };
        let mut every = |least: u64, most: u64| {
            let seconds = Duration::from_secs(rng.random_range(least..=most));
            rng.random_bool(0.5).then_some(seconds)
        };
        let (crash_every, pause_every) = (every(20, 120), every(10, 90));
        let (label_every, untrack_every) = (every(2, 30), every(30, 200));
        let operator_every = every(10, 60);
        let apart = setting == Setting::ServersApart;
        let first = rng.random_range(-1000..=1000);
        Self {
            setting,
            processes: rng.random_range(2..=5),
            lasting: Duration::from_secs(rng.random_range(60..=200)),
            lost,
            unanswered,
            slow,
            too_many,
            stalled,
            lying,
            watch_lost,
            watch_late,
            watch_forbidden,
            cancelled,
            leaked,
            crash_every,
            pause_every: if apart {
                Some(Duration::from_secs(15))
            } else {
                pause_every
            },
            label_every,
            untrack_every,
            operator_every,
            servers: if apart {
                [1000, -1000]
            } else {
                [first, first + rng.random_range(-1000..=1000)]
            },
            wall_skew: rng.random_range(0..=180),
            drift: if rng.random_bool(0.3) { 0.02 } else { 0.0 },
            tight: apart || rng.random_bool(0.3),
        }
    }

    /// Nothing goes wrong any more; other tools go on with their labels.
    pub(crate) fn calm(&mut self) {
        for probability in [
            &mut self.lost,
            &mut self.unanswered,
            &mut self.slow,
            &mut self.too_many,
            &mut self.stalled,
            &mut self.lying,
            &mut self.watch_lost,
            &mut self.watch_late,
            &mut self.cancelled,
            &mut self.leaked,
        ] {
            *probability = 0.0;
        }
        self.crash_every = None;
        self.pause_every = None;
    }
}

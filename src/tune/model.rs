//! What a timing is worth: how often a holder that is alive would lose its lease, and how long a crash is felt.
//!
//! Formulas on samples; which timing is chosen is not decided here. docs/tuning.md derives them.

use std::time::Duration;

use gwlock_engine::protocol::timing::{DEFAULT_MARGIN, Timing};

use super::bound;
use super::distribution::Distribution;
use super::measured::Measured;

/// The engine's longest time for a request; a third of the duration if that is less.
const LONGEST_REQUEST: Duration = Duration::from_secs(5);
/// Stamps and `Date` are whole seconds, so that a lease is expired up to one second later; and whoever waits has read a whole
/// second as well, so that he looks again up to one second after that.
const WHOLE_SECONDS: f64 = 2.0;
/// Into so many steps a window is cut; time left is rounded down to one.
const STEPS: usize = 2000;
/// So many latencies stand for all.
const LATENCIES: u64 = 200;

const HOUR: f64 = 3600.0;

/// Probabilities of losing a lease that its holder still needs. All of them are upper 95 % bounds but where it says that
/// they are of what was seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Risk {
    /// That no renewal of a window succeeds although each fails independently of the others.
    pub(crate) window: f64,
    /// Of a hold, by renewals that fail independently.
    pub(crate) retries: f64,
    /// Of a hold, by an outage; none where nothing says how long anything was watched.
    pub(crate) outages: Option<f64>,
    pub(crate) outages_seen: f64,
    /// Of a hold, by standing still; none where the sources do not tell of it.
    pub(crate) pauses: Option<f64>,
    pub(crate) pauses_seen: f64,
    /// Of a lease that is held for an hour.
    pub(crate) held_hour: f64,
}

/// From the crash of a holder to the next one, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Recovery {
    pub(crate) mean: f64,
    pub(crate) worst: f64,
}

/// Requests for one lease that is held.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Load {
    /// Renewals a second while all is well.
    pub(crate) renewals: f64,
    /// Tries a second while each is refused.
    pub(crate) failing: f64,
    /// Tries that begin before the deadline where each is refused, after as long as an answer takes usually.
    pub(crate) tries: u32,
    /// The same where none is answered.
    pub(crate) tries_unanswered: u32,
}

/// Samples as the formulas need them.
pub(crate) struct Model<'a> {
    measured: &'a Measured,
    /// Latencies of lease requests, thinned out.
    latencies: Vec<(f64, f64)>,
    usual: f64,
    hand_over: Recovery,
}

impl Risk {
    /// Of a hold, by everything.
    pub(crate) fn per_hold(&self) -> f64 {
        self.retries + self.outages.unwrap_or(1.0) + self.pauses.unwrap_or(0.0)
    }

    /// The same by what was seen alone.
    pub(crate) fn per_hold_seen(&self) -> f64 {
        self.retries + self.outages_seen + self.pauses_seen
    }
}

/// How long the engine waits for the answer to a request.
fn request_timeout(timing: Timing) -> f64 {
    let third = timing.lease_duration() / 3;
    LONGEST_REQUEST.min(third).as_secs_f64()
}

impl<'a> Model<'a> {
    pub(crate) fn new(measured: &'a Measured) -> Self {
        let latencies = &measured.leases.latencies;
        Self {
            latencies: thinned(latencies),
            usual: latencies.quantile(0.5).unwrap_or(0.0),
            hand_over: hand_over(measured),
            measured,
        }
    }

    pub(crate) fn risk(&self, timing: Timing) -> Risk {
        let measured = self.measured;
        let period = timing.renew_interval().as_secs_f64();
        let window = self.window_fails(timing);
        let nothing = Distribution::default();
        let pauses = measured.pauses.as_ref();
        let (outages, outages_an_hour) =
            self.may_happen(&measured.outages, measured.unexplained, timing);
        let (by_pauses, pauses_an_hour) = self.may_happen(pauses.unwrap_or(&nothing), 0, timing);
        Risk {
            window,
            retries: (window * self.windows_of_a_hold(timing)).min(1.0),
            outages,
            outages_seen: self.happens(&measured.outages, timing),
            pauses: pauses.and(by_pauses),
            pauses_seen: self.happens(pauses.unwrap_or(&nothing), timing),
            held_hour: (window * HOUR / period
                + outages_an_hour
                + pauses.map_or(0.0, |_| pauses_an_hour))
            .min(1.0),
        }
    }

    /// The server's rule: the duration and the margin have passed since the stamp, in whole seconds; for one who waits.
    pub(crate) fn recovery(&self, timing: Timing) -> Recovery {
        let lasts = timing.lease_duration().as_secs_f64() + DEFAULT_MARGIN.as_secs_f64();
        Recovery {
            mean: lasts + WHOLE_SECONDS / 2.0 - self.age_at_a_crash(timing) + self.hand_over.mean,
            worst: lasts + WHOLE_SECONDS + self.hand_over.worst,
        }
    }

    pub(crate) fn load(&self, timing: Timing) -> Load {
        let retry = timing.retry_period().as_secs_f64();
        let window = (timing.renew_deadline() - timing.renew_interval()).as_secs_f64();
        let tries = |each: f64| (window / (each + retry)).ceil().max(1.0) as u32;
        Load {
            renewals: 1.0 / timing.renew_interval().as_secs_f64(),
            failing: 1.0 / (self.usual + retry),
            tries: tries(self.usual),
            tries_unanswered: tries(request_timeout(timing)),
        }
    }

    /// How many of 100 answers take no longer.
    pub(crate) fn slow_answer(&self) -> f64 {
        let latencies = &self.measured.leases.latencies;
        latencies.quantile(0.99).unwrap_or(0.0)
    }

    /// The probability that no try between a renewal's first and the deadline succeeds in time.
    fn window_fails(&self, timing: Timing) -> f64 {
        let timeout = request_timeout(timing);
        let leases = &self.measured.leases;
        let all = leases.attempts();
        let late = leases.latencies.above(timeout);
        let unanswered = bound::share(leases.unanswered + late, all);
        let tries = Tries {
            unanswered,
            refused: bound::share(leases.refusals(), all).min(1.0 - unanswered),
            timeout,
            retry: timing.retry_period().as_secs_f64(),
        };
        let window = (timing.renew_deadline() - timing.renew_interval()).as_secs_f64();
        tries.all_fail(window, &self.latencies)
    }

    /// How many windows in which it could be lost a hold has on the average: one for each renewal whose deadline it
    /// reaches. If too few holds are long enough, as many as would be no surprise are.
    fn windows_of_a_hold(&self, timing: Timing) -> f64 {
        let period = timing.renew_interval().as_secs_f64();
        let deadline = timing.renew_deadline().as_secs_f64();
        let windows = |hold: f64| match hold < deadline {
            true => 0.0,
            false => ((hold - deadline) / period).floor() + 1.0,
        };
        let holds = &self.measured.holds;
        let long: u64 = holds
            .samples()
            .filter(|(hold, _)| windows(*hold) > 0.0)
            .map(|(_, count)| count)
            .sum();
        let all = holds.count();
        let each = match long {
            0 => 1.0,
            long => holds.average(windows).unwrap_or(0.0) * all as f64 / long as f64,
        };
        bound::share(long, all) * each
    }

    /// The probability that one of these befalls a hold and outlasts it, as often as they were seen: it has to begin at
    /// an age of the last good write, from which it lasts beyond the deadline.
    fn happens(&self, lengths: &Distribution, timing: Timing) -> f64 {
        let watched = self.measured.watched;
        if watched <= 0.0 {
            return 0.0;
        }
        let period = timing.renew_interval().as_secs_f64();
        let deadline = timing.renew_deadline().as_secs_f64();
        let expected: f64 = lengths
            .samples()
            .map(|(length, times)| {
                let from = (deadline - length).max(0.0);
                let older = |hold: f64| {
                    let cycles = (hold / period).floor();
                    let rest = hold - cycles * period;
                    cycles * (period - from).max(0.0) + (rest - from).max(0.0)
                };
                times as f64 / watched * self.measured.holds.average(older).unwrap_or(0.0)
            })
            .sum();
        expected.min(1.0)
    }

    /// The same at most: of a hold, and of an hour. What could last beyond the deadline from some age on counts as if it
    /// did from any.
    fn may_happen(
        &self,
        lengths: &Distribution,
        unexplained: u64,
        timing: Timing,
    ) -> (Option<f64>, f64) {
        let watched = self.measured.watched;
        if watched <= 0.0 {
            return (None, HOUR);
        }
        let least = timing.renew_deadline() - timing.renew_interval();
        let dangerous = lengths.above(least.as_secs_f64()) + unexplained;
        let rate = bound::events(dangerous) / watched;
        let held = self.measured.holds.mean().unwrap_or(0.0);
        (Some((rate * held).min(1.0)), rate * HOUR)
    }

    /// How old the last good write of a holder is on the average at a moment of a hold.
    fn age_at_a_crash(&self, timing: Timing) -> f64 {
        let period = timing.renew_interval().as_secs_f64();
        let holds = &self.measured.holds;
        let ages = |hold: f64| {
            let cycles = (hold / period).floor();
            let rest = hold - cycles * period;
            (cycles * period * period + rest * rest) / 2.0
        };
        match (holds.average(ages), holds.mean()) {
            (Some(ages), Some(mean)) if mean > 0.0 => ages / mean,
            _ => 0.0,
        }
    }
}

/// How the tries of a renewal end, independently of each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tries {
    /// The share that has no answer within the time-out.
    pub(super) unanswered: f64,
    pub(super) refused: f64,
    /// Seconds.
    pub(super) timeout: f64,
    /// From a failure to the next try, seconds.
    pub(super) retry: f64,
}

impl Tries {
    /// The probability that none succeeds within a window. Latencies are those of answers, with their weights.
    ///
    /// F(w) = u·F(w − T − R) + r·E[F(w − L − R)] + (1 − u − r)·P(L > w), where w is the time left, T the longest time of a
    /// request, R the retry period, L the time to an answer that comes within T, u the share of requests that have none and
    /// r the share of those refused; F(w) = 1 where nothing is left.
    pub(super) fn all_fail(&self, window: f64, latencies: &[(f64, f64)]) -> f64 {
        let Self {
            unanswered,
            refused,
            timeout,
            retry,
        } = *self;
        let in_time = latencies.iter().filter(|(time, _)| *time <= timeout);
        let in_time: Vec<(f64, f64)> = in_time.copied().collect();
        let sum: f64 = in_time.iter().map(|(_, weight)| weight).sum();
        if sum <= 0.0 {
            return 1.0;
        }
        let step = window / STEPS as f64;
        let mut fails = vec![1.0_f64; STEPS + 1];
        // A hair more than nothing, so that what is exact does not fall below a step by rounding.
        let place = |left: f64| match left <= 0.0 {
            true => 0,
            false => (left / step + 1e-9) as usize,
        };
        for at in 1..=STEPS {
            let left = at as f64 * step;
            let mut chance = unanswered * fails[place(left - timeout - retry)];
            for (time, weight) in &in_time {
                let weight = weight / sum;
                chance += refused * weight * fails[place(left - time - retry)];
                if *time > left {
                    chance += (1.0 - unanswered - refused) * weight;
                }
            }
            fails[at] = chance.min(1.0);
        }
        fails[STEPS]
    }
}

/// From the moment at which a lease may be taken to the next holder: as it was seen after releases, or else two requests.
fn hand_over(measured: &Measured) -> Recovery {
    let seen = &measured.hand_overs;
    let latencies = &measured.leases.latencies;
    match (seen.mean(), seen.longest()) {
        (Some(mean), Some(worst)) => Recovery { mean, worst },
        _ => Recovery {
            mean: 2.0 * latencies.mean().unwrap_or(0.0),
            worst: 2.0 * latencies.quantile(0.99).unwrap_or(0.0),
        },
    }
}

/// No more than so many samples, of which each stands for those just below it.
fn thinned(times: &Distribution) -> Vec<(f64, f64)> {
    let all = times.count();
    if all <= LATENCIES {
        let samples = times.samples();
        return samples.map(|(time, count)| (time, count as f64)).collect();
    }
    let share = |part: u64| times.quantile(part as f64 / LATENCIES as f64);
    let parts = (1..=LATENCIES).filter_map(share);
    parts.map(|time| (time, 1.0)).collect()
}

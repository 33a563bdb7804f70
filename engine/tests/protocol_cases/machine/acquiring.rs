//! `acquire wait=35s margin=2s duration=30s wall=09:00:00`.

use std::time::Duration;

use gwlock_engine::protocol::acquire::{Acquire, Held, NotHeld, Outcome, Settings, Step, Wake};
use gwlock_engine::protocol::clock::Moment;
use gwlock_engine::protocol::exchange::{Answer, Reply};
use gwlock_engine::protocol::expiry::{Evidence, Rule, Verdict};
use gwlock_engine::protocol::holder::HolderIdentity;
use gwlock_engine::protocol::timing::{DEFAULT_MARGIN, Timing};
use jiff::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::super::answer::Words;
use super::super::notation::{
    ME, show_duration, show_holder, show_moment, show_request, show_time, show_version,
};
use super::{Machine, Move};

pub(super) struct Acquiring {
    machine: Acquire,
    timing: Timing,
    awaiting: bool,
}

impl Acquiring {
    pub(super) fn of(words: &mut Words<'_>, server: Timestamp) -> Self {
        let timing = Timing::with_duration(words.duration("duration", Duration::from_secs(30)))
            .expect("a timing");
        let identity = HolderIdentity::parse(ME).expect("an identity");
        let settings = Settings {
            wait: words.duration("wait", Duration::ZERO),
            margin: words.duration("margin", DEFAULT_MARGIN),
            ..Settings::new(identity, timing)
        };
        let wall = words.time("wall", server);
        let machine = Acquire::new(settings, Moment::default(), wall, StdRng::seed_from_u64(1));
        Self {
            machine,
            timing,
            awaiting: false,
        }
    }

    fn held(&self, held: &Held) -> String {
        let (uid, token) = (&held.record.uid, &held.token);
        let valid = show_moment(held.sent + self.timing.renew_deadline());
        let ends = show_moment(held.sent + self.timing.lease_duration());
        let rv = &held.record.resource_version;
        let mut text =
            format!("held uid={uid} rv={rv} token={token}, valid until {valid}, lease ends {ends}");
        for open in &held.open {
            let until = open.open_until.map_or_else(String::new, show_moment);
            text.push_str(&format!(
                ", the write of {} may land until {until}",
                show_moment(open.sent)
            ));
        }
        text
    }
}

impl Machine for Acquiring {
    fn next(&mut self, now: Moment) -> Move {
        self.awaiting = false;
        match self.machine.next(now) {
            Step::Send { request, timeout } => {
                self.awaiting = true;
                Move::send(show_request(&request, timeout), request)
            }
            Step::Wait { until, watch_from } => {
                let watch = watch_from
                    .map_or_else(String::new, |version| format!(", watch from rv {version}"));
                Move::pause(format!("wait until {}{watch}", show_moment(until)), until)
            }
            Step::Done(Outcome::Held(held)) => Move::end(self.held(&held)),
            Step::Done(Outcome::NotHeld(why)) => Move::end(show_not_held(&why)),
        }
    }

    fn reply(&mut self, reply: Reply) {
        self.machine.reply(reply);
    }

    /// `cancel` drops a request that is under way, as the client does.
    fn event(&mut self, now: Moment, event: &str) {
        match event {
            "cancel" => {
                self.machine.cancel(now);
                if self.awaiting {
                    let answer = Answer::Unclear("cancelled".to_owned());
                    self.machine.reply(Reply {
                        arrived: now,
                        date: None,
                        answer,
                    });
                }
            }
            "watch DELETED" => self.machine.wake(now, Wake::Deleted),
            "watch freed" => self.machine.wake(now, Wake::Freed),
            "watch ended" => self.machine.wake(now, Wake::WatchEnded),
            "watch forbidden" => self.machine.wake(now, Wake::WatchForbidden),
            other => panic!("{other:?} is nothing that happens to an acquisition"),
        }
    }
}

fn show_not_held(why: &NotHeld) -> String {
    match why {
        NotHeld::Busy(None) => "not held: busy, and the lease was gone again".to_owned(),
        NotHeld::Busy(Some((record, verdict))) => {
            let version = show_version(&(&**record).into());
            format!(
                "not held: busy, {version} holder={}, {}",
                show_holder(record.holder()),
                show_verdict(verdict)
            )
        }
        NotHeld::Refused(refusal) => format!("not held: refused, {} {refusal}", refusal.code),
        NotHeld::Unreachable(message) => format!("not held: unreachable, {message}"),
        NotHeld::Unknown(message) => format!("unknown: {message}"),
        NotHeld::ClockLied {
            date,
            stamp_before,
            stamp_after,
        } => format!(
            "not held: the clock lied, date={} stamps={}, {}",
            show_time(*date),
            show_time(*stamp_before),
            stamp_after.map_or_else(|| "none".to_owned(), show_time)
        ),
        NotHeld::Cancelled => "not held: cancelled".to_owned(),
    }
}

fn show_verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Free => "free".to_owned(),
        Verdict::Deleting => "being deleted".to_owned(),
        Verdict::Expired(evidence) => format!("expired, {}", show_evidence(evidence)),
        Verdict::Held {
            evidence,
            look_again,
        } => {
            format!(
                "{}, look again at {}",
                show_evidence(evidence),
                show_moment(*look_again)
            )
        }
    }
}

fn show_evidence(evidence: &Evidence) -> String {
    let by = match evidence.rule {
        Rule::Server { .. } => "by the server",
        Rule::Observed => "as observed",
    };
    format!(
        "age {} of {} {by}",
        show_duration(evidence.age),
        show_duration(evidence.limit)
    )
}

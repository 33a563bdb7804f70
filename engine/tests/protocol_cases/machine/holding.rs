//! `hold uid=u1 rv=10 duration=30s`: acquired at 0 s.

use std::time::Duration;

use gwlock_engine::protocol::acquire::Held;
use gwlock_engine::protocol::clock::{Moment, ServerTime};
use gwlock_engine::protocol::exchange::{Attempt, Reply};
use gwlock_engine::protocol::hold::{Hold, Step};
use gwlock_engine::protocol::holder::HolderIdentity;
use gwlock_engine::protocol::record::{Claim, LeaseRecord};
use gwlock_engine::protocol::timing::Timing;
use jiff::Timestamp;

use super::super::answer::Words;
use super::super::notation::{ME, parse_moment, show_moment, show_request};
use super::{Machine, Move};

pub(super) struct Holding(Hold);

impl Holding {
    pub(super) fn of(words: &mut Words<'_>, server: Timestamp) -> Self {
        let duration = words.duration("duration", Duration::from_secs(30));
        let timing = Timing::with_duration(duration).expect("a timing");
        let claim = Claim {
            holder: Some(ME.to_owned()),
            lease_duration_seconds: Some(timing.lease_duration_seconds()),
            acquire_time: Some(server),
            renew_time: Some(server),
            lease_transitions: None,
        };
        let record = LeaseRecord {
            uid: words.take("uid").expect("uid=").to_owned(),
            resource_version: words.take("rv").expect("rv=").to_owned(),
            created: Some(server),
            deleting: false,
            stamp: Some(server),
            claim,
        };
        let held = Held {
            token: record.resource_version.clone(),
            record,
            sent: Moment::default(),
            time: ServerTime::guess(Moment::default(), server),
            open: open_attempts(words, server),
            requests: 1,
        };
        let identity = HolderIdentity::parse(ME).expect("an identity");
        Self(Hold::new(
            identity,
            timing,
            Duration::from_secs(5),
            Duration::from_secs(1),
            held,
        ))
    }

    fn validity(&self, now: Moment) -> String {
        if self.0.is_valid(now) {
            format!("held until {}", show_moment(self.0.stop_by()))
        } else {
            "not held".to_owned()
        }
    }
}

/// `open=6s`: a write sent at 0 s that has no answer and may land until 6 s.
pub(super) fn open_attempts(words: &mut Words<'_>, server: Timestamp) -> Vec<Attempt> {
    let open = words.take("open").map(|until| Attempt {
        renew_time: server,
        sent: Moment::default(),
        on: None,
        open_until: Some(parse_moment(until)),
    });
    open.into_iter().collect()
}

impl Machine for Holding {
    fn next(&mut self, now: Moment) -> Move {
        let step = self.0.next(now);
        let validity = self.validity(now);
        match step {
            Step::Send { request, timeout } => Move::send(
                format!("{} ({validity})", show_request(&request, timeout)),
                request,
            ),
            Step::Sleep { until } => Move::pause(
                format!("sleep until {} ({validity})", show_moment(until)),
                until,
            ),
            Step::Lost(loss) => Move::end(format!("lost: {loss} ({validity})")),
        }
    }

    fn reply(&mut self, reply: Reply) {
        self.0.reply(reply);
    }

    fn event(&mut self, now: Moment, event: &str) {
        assert_eq!(event, "renew now", "this is nothing that happens to a hold");
        self.0.renew_now(now);
    }
}

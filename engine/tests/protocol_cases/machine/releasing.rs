//! `release uid=u1 rv=10 budget=10s`, or `release unread` where only the holder is known.

use std::time::Duration;

use gwlock_engine::protocol::clock::Moment;
use gwlock_engine::protocol::exchange::{Reply, Version};
use gwlock_engine::protocol::release::{Release, Released, Step};

use super::super::answer::Words;
use super::super::notation::{
    ME, parse_time, show_holder, show_moment, show_request, show_version,
};
use super::holding::open_attempts;
use super::{Machine, Move};

pub(super) struct Releasing(Release);

impl Releasing {
    pub(super) fn of(words: &mut Words<'_>) -> Self {
        let budget = words.duration("budget", Duration::from_secs(10));
        let (now, timeout) = (Moment::default(), Duration::from_secs(5));
        let open = open_attempts(words, parse_time("09:00:00"));
        let release = if words.has("unread") {
            Release::by_holder(ME, now, budget, timeout)
        } else {
            let version = Version {
                uid: words.take("uid").expect("uid=").to_owned(),
                resource_version: words.take("rv").expect("rv=").to_owned(),
            };
            Release::new(ME, version, now, budget, timeout)
        };
        Self(release.with_open_attempts(open))
    }
}

impl Machine for Releasing {
    fn next(&mut self, now: Moment) -> Move {
        match self.0.next(now) {
            Step::Send { request, timeout } => Move::send(show_request(&request, timeout), request),
            Step::Sleep { until } => {
                Move::pause(format!("sleep until {}", show_moment(until)), until)
            }
            Step::Done(released) => Move::end(show_released(&released)),
        }
    }

    fn reply(&mut self, reply: Reply) {
        self.0.reply(reply);
    }

    fn event(&mut self, _: Moment, event: &str) {
        panic!("{event:?} is nothing that happens to a release");
    }
}

fn show_released(released: &Released) -> String {
    match released {
        Released::Deleted => "released: deleted".to_owned(),
        Released::AlreadyGone => "released: was gone already".to_owned(),
        Released::NotOurs(record) => {
            format!(
                "not ours: {} holder={}",
                show_version(&(&**record).into()),
                show_holder(record.holder())
            )
        }
        Released::Refused(refusal) => format!("refused: {} {refusal}", refusal.code),
        Released::Unreachable(message) => format!("unreachable: {message}"),
        Released::Unknown(message) => format!("unknown: {message}"),
    }
}

//! One process: a machine at a time, on clocks of its own.

use std::collections::VecDeque;
use std::time::Duration;

use gwlock_engine::protocol::acquire::Acquire;
use gwlock_engine::protocol::acquire::Wake;
use gwlock_engine::protocol::clock::Moment;
use gwlock_engine::protocol::exchange::Reply;
use gwlock_engine::protocol::hold::Hold;
use gwlock_engine::protocol::release::Release;
use gwlock_engine::protocol::timing::Timing;

use super::gateway::Gateway;

/// Virtual time since the beginning of a run; the true one.
pub(crate) type Truth = Duration;

/// Something that concerns one process.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Start,
    /// The answer to a flight.
    Answer {
        flight: u64,
        reply: Reply,
    },
    /// The client gives a flight up.
    Deadline {
        flight: u64,
    },
    /// What a machine asked for; stale once it was asked again.
    Timer {
        turn: u64,
    },
    Watch {
        run: u64,
        wake: Wake,
    },
    Cancel {
        run: u64,
    },
    WorkDone {
        run: u64,
    },
    Crash,
    Pause,
    Resume,
}

#[derive(Debug)]
pub(crate) enum Role {
    Idle,
    Acquiring(Box<Acquire>),
    Holding(Box<Holding>),
    Releasing { machine: Box<Release>, uid: String },
    Gateway(Box<Gateway>),
}

#[derive(Debug)]
pub(crate) struct Holding {
    pub(crate) hold: Hold,
    /// When the last answer to a write arrived: what a careless holder would count from.
    pub(crate) answered: Moment,
}

#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) base: String,
    pub(crate) is_gateway: bool,
    pub(crate) timing: Timing,
    /// `holderIdentity` of the acquisition under way.
    pub(crate) holder: String,
    pub(crate) role: Role,
    /// Counts acquisitions.
    pub(crate) run: u64,
    /// Counts what the machine was asked.
    pub(crate) turn: u64,
    pub(crate) awaiting: Option<u64>,
    pub(crate) paused: bool,
    /// What has to wait until the process goes on.
    pub(crate) inbox: VecDeque<Event>,
    /// How long it stood still during this acquisition.
    pub(crate) stood_still: Duration,
    /// When the acquisition began, and how long it may wait.
    pub(crate) began: (Truth, Duration),
    pub(crate) cancelled: bool,
    pub(crate) may_watch: bool,
    /// The version from which it watches the lease.
    pub(crate) watching_from: Option<String>,
    pub(crate) origin: Duration,
    pub(crate) rate: f64,
    pub(crate) wall_skew: i64,
}

impl Process {
    /// The process' own monotonic clock.
    pub(crate) fn local(&self, now: Truth) -> Moment {
        Moment::from_origin(self.origin + now.mul_f64(self.rate))
    }

    /// When the process' clock will show this moment.
    pub(crate) fn when(&self, local: Moment) -> Truth {
        let elapsed = local.since_origin().saturating_sub(self.origin);
        elapsed.div_f64(self.rate) + Duration::from_micros(1)
    }

    /// As the protocol's usual settings have it.
    pub(crate) fn request_timeout(&self) -> Duration {
        Duration::from_secs(5).min(self.timing.lease_duration() / 3)
    }

    pub(crate) fn length(&self, local: Duration) -> Duration {
        local.div_f64(self.rate)
    }
}

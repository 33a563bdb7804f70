//! A stage without chance: every request is executed and answered at the moment when it is sent, and time moves only when
//! the test says so.

use std::time::Duration;

use gwlock_engine::protocol::acquire::{Acquire, NotHeld, Outcome, Settings, Step};
use gwlock_engine::protocol::clock::Moment;
use gwlock_engine::protocol::exchange::{Reply, Request};
use gwlock_engine::protocol::hold::{Hold, Step as HoldStep};
use gwlock_engine::protocol::holder::{HolderIdentity, Nonce};
use gwlock_engine::protocol::record::{Claim, LeaseRecord};
use gwlock_engine::protocol::release::{Release, Released, Step as ReleaseStep};
use gwlock_engine::protocol::timing::Timing;
use jiff::{SignedDuration, Timestamp};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::gateway::{Gateway, Step as GatewayStep};
use super::server::{Call, Server};
use super::world::wall;

/// The server and the time.
#[derive(Debug, Default)]
pub(crate) struct Lab {
    server: Server,
    now: Duration,
    nonces: u64,
}

/// A gateway's handler on the stage, with a wall clock that may be off.
#[derive(Debug)]
pub(crate) struct Handler {
    machine: Gateway,
    skew: SignedDuration,
    /// Sleeping until then.
    asleep: Duration,
}

/// An acquisition of ours on the stage.
#[derive(Debug)]
pub(crate) struct Ours {
    identity: HolderIdentity,
    role: Role,
}

#[derive(Debug)]
enum Role {
    Acquiring(Box<Acquire>),
    Holding(Box<Hold>),
    Releasing(Box<Release>),
    NotHeld(NotHeld),
    Released(Released),
}

impl Lab {
    /// The moment in seconds since the beginning.
    pub(crate) fn at(&mut self, seconds: f64) {
        let now = Duration::from_secs_f64(seconds);
        assert!(now >= self.now, "time goes back");
        self.now = now;
    }

    pub(crate) fn record(&self) -> Option<LeaseRecord> {
        self.server.record()
    }

    pub(crate) fn now(&self) -> f64 {
        self.now.as_secs_f64()
    }

    /// Somebody else writes a lease.
    pub(crate) fn create(&mut self, claim: Claim) {
        self.execute(&Call {
            manager: "kubectl",
            ..Call::guarded(Request::Create(claim))
        });
    }

    pub(crate) fn handler(&self, pod: &str, skew_seconds: i64) -> Handler {
        let skew = SignedDuration::from_secs(skew_seconds);
        Handler {
            machine: Gateway::new(pod),
            skew,
            asleep: Duration::ZERO,
        }
    }

    /// Starts an acquisition that waits for so many seconds, with a wall clock that may be off.
    pub(crate) fn ours(&mut self, base: &str, wait: u64, skew_seconds: i64) -> Ours {
        self.nonces += 1;
        let mut rng = StdRng::seed_from_u64(self.nonces);
        let identity = HolderIdentity::new(base, Nonce::draw(&mut rng));
        let settings = Settings {
            wait: Duration::from_secs(wait),
            ..Settings::new(identity.clone(), Timing::default())
        };
        let guess = wall(self.now) + SignedDuration::from_secs(skew_seconds);
        let machine = Acquire::new(settings, self.moment(), guess, rng);
        Ours {
            identity,
            role: Role::Acquiring(Box::new(machine)),
        }
    }

    fn moment(&self) -> Moment {
        Moment::from_origin(self.now)
    }

    fn server_clock(&self) -> Timestamp {
        Timestamp::from_second(wall(self.now).as_second()).expect("a time in range")
    }

    fn execute(&mut self, call: &Call) -> Reply {
        let date = self.server_clock();
        let answer = self.server.execute(call, date);
        Reply {
            arrived: self.moment(),
            date: Some(date),
            answer,
        }
    }
}

impl Handler {
    /// Sends one request; false when it has nothing to send now.
    pub(crate) fn step(&mut self, lab: &mut Lab) -> bool {
        let clock = wall(lab.now) + self.skew;
        if lab.now < self.asleep {
            return false;
        }
        match self.machine.next(clock) {
            GatewayStep::Send(call) => {
                let reply = lab.execute(&call);
                self.machine.reply(&reply.answer, clock);
                true
            }
            GatewayStep::Sleep(length) => {
                self.asleep = lab.now + length;
                false
            }
            GatewayStep::Held | GatewayStep::GaveUp | GatewayStep::Released => false,
        }
    }

    /// Goes as far as it can without time passing.
    pub(crate) fn run(&mut self, lab: &mut Lab) {
        while self.step(lab) {}
    }

    /// Goes on, sleeping where it has to, until it holds the lease or has given up.
    pub(crate) fn run_on(&mut self, lab: &mut Lab) {
        loop {
            self.run(lab);
            if self.asleep <= lab.now {
                return;
            }
            lab.now = self.asleep;
        }
    }

    pub(crate) fn begin_release(&mut self) {
        self.machine.release();
    }

    pub(crate) fn holds(&self) -> bool {
        self.machine.holds()
    }
}

impl Ours {
    /// Sends one request, or takes the next step; false when there is nothing to do now.
    pub(crate) fn step(&mut self, lab: &mut Lab) -> bool {
        let now = lab.moment();
        let (role, going) =
            match std::mem::replace(&mut self.role, Role::NotHeld(NotHeld::Cancelled)) {
                Role::Acquiring(mut machine) => match machine.next(now) {
                    Step::Send { request, .. } => {
                        machine.reply(lab.execute(&Call::guarded(request)));
                        (Role::Acquiring(machine), true)
                    }
                    Step::Wait { .. } => (Role::Acquiring(machine), false),
                    Step::Done(Outcome::NotHeld(why)) => (Role::NotHeld(why), false),
                    Step::Done(Outcome::Held(held)) => {
                        let (timeout, grace) = (Duration::from_secs(5), Duration::from_secs(1));
                        let hold = Hold::new(
                            self.identity.clone(),
                            Timing::default(),
                            timeout,
                            grace,
                            *held,
                        );
                        (Role::Holding(Box::new(hold)), false)
                    }
                },
                Role::Holding(mut hold) => match hold.next(now) {
                    HoldStep::Send { request, .. } => {
                        hold.reply(lab.execute(&Call::guarded(request)));
                        (Role::Holding(hold), true)
                    }
                    HoldStep::Sleep { .. } | HoldStep::Lost(_) => (Role::Holding(hold), false),
                },
                Role::Releasing(mut machine) => match machine.next(now) {
                    ReleaseStep::Send { request, .. } => {
                        machine.reply(lab.execute(&Call::guarded(request)));
                        (Role::Releasing(machine), true)
                    }
                    ReleaseStep::Sleep { .. } => (Role::Releasing(machine), false),
                    ReleaseStep::Done(released) => (Role::Released(released), false),
                },
                ended @ (Role::NotHeld(_) | Role::Released(_)) => (ended, false),
            };
        self.role = role;
        going
    }

    /// Goes as far as it can without time passing.
    pub(crate) fn run(&mut self, lab: &mut Lab) {
        while self.step(lab) {}
    }

    /// Goes on, waiting where it has to, until it holds the lease or has ended.
    pub(crate) fn run_on(&mut self, lab: &mut Lab) {
        loop {
            self.run(lab);
            let Role::Acquiring(machine) = &mut self.role else {
                return;
            };
            let Step::Wait { until, .. } = machine.next(lab.moment()) else {
                return;
            };
            lab.now = until.since_origin();
        }
    }

    /// The request for the release is made up now; it is sent with the next step.
    pub(crate) fn begin_release(&mut self, lab: &Lab) {
        let Role::Holding(hold) = &self.role else {
            panic!("nothing to release: {:?}", self.role)
        };
        let (budget, timeout) = (Duration::from_secs(10), Duration::from_secs(5));
        let version = hold.version().clone();
        let release = Release::new(
            self.identity.to_string(),
            version,
            lab.moment(),
            budget,
            timeout,
        );
        self.role = Role::Releasing(Box::new(release));
    }

    pub(crate) fn cancel(&mut self, lab: &Lab) {
        if let Role::Acquiring(machine) = &mut self.role {
            machine.cancel(lab.moment());
        }
    }

    pub(crate) fn holds(&self, lab: &Lab) -> bool {
        matches!(&self.role, Role::Holding(hold) if hold.is_valid(lab.moment()))
    }

    pub(crate) fn not_held(&self) -> Option<&NotHeld> {
        if let Role::NotHeld(why) = &self.role {
            Some(why)
        } else {
            None
        }
    }

    pub(crate) fn released(&self) -> Option<&Released> {
        if let Role::Released(released) = &self.role {
            Some(released)
        } else {
            None
        }
    }
}

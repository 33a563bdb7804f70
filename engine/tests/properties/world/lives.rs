//! The life of a process: acquire, hold, release, and again; with pauses, crashes and cancellations.

use std::time::Duration;

use gwlock_engine::protocol::acquire::{Acquire, Held, NotHeld, Outcome, Settings, Step, Wake};
use gwlock_engine::protocol::clock::Moment;
use gwlock_engine::protocol::exchange::{Answer, Reply};
use gwlock_engine::protocol::fence::FencingToken;
use gwlock_engine::protocol::hold::{Hold, Step as HoldStep};
use gwlock_engine::protocol::holder::{HolderIdentity, Nonce};
use gwlock_engine::protocol::release::{Release, Step as ReleaseStep};
use jiff::SignedDuration;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

use super::super::gateway::{Gateway, Step as GatewayStep};
use super::super::process::{Event, Holding, Process, Role, Truth};
use super::super::weakness::Weakness;
use super::flight::short;
use super::{GRACE, Happening, INHERITANCE, MARGIN, WAY_OUT, World, wall};

impl Process {
    pub(super) fn believes(&self, now: Truth, weakness: Weakness) -> bool {
        match &self.role {
            Role::Holding(holding) => {
                weakness.believes(holding, self.timing.lease_duration(), self.local(now))
            }
            Role::Gateway(gateway) => gateway.holds_by_writing(),
            Role::Idle | Role::Acquiring(_) | Role::Releasing { .. } => false,
        }
    }

    fn identity(&self) -> HolderIdentity {
        HolderIdentity::parse(&self.holder).expect("an identity of ours")
    }
}

impl World {
    /// A process that stands still receives nothing before it goes on.
    pub(super) fn receive(&mut self, id: usize, event: Event) {
        let process = &mut self.processes[id];
        if self.dead_since.is_some() && process.base != "heir" {
            return;
        }
        match event {
            Event::Resume => self.resume(id),
            Event::Pause => self.pause_now(id),
            event if process.paused => process.inbox.push_back(event),
            event => self.deliver(id, event),
        }
    }

    pub(super) fn pause(&mut self, id: usize, length: Duration) {
        let process = &mut self.processes[id];
        if process.paused {
            return;
        }
        process.paused = true;
        process.stood_still += length;
        self.say(id, || format!("stands still for {length:?}"));
        self.at(self.now + length, Happening::Process(id, Event::Resume));
    }

    fn pause_now(&mut self, id: usize) {
        let length = self.millis(100, 90_000);
        self.pause(id, length);
        self.again(self.chaos.pause_every, Happening::Process(id, Event::Pause));
    }

    fn resume(&mut self, id: usize) {
        self.processes[id].paused = false;
        while let Some(event) = self.pop_inbox(id) {
            self.deliver(id, event);
        }
    }

    /// What came first is usually seen first; but an answer and its deadline are both there when the process goes on, and
    /// either may win.
    fn pop_inbox(&mut self, id: usize) -> Option<Event> {
        if self.processes[id].paused {
            return None;
        }
        let answers_first = self.rng.random_bool(0.5);
        let inbox = &mut self.processes[id].inbox;
        let answer = inbox
            .iter()
            .position(|event| matches!(event, Event::Answer { .. }));
        match answer.filter(|_| answers_first) {
            Some(at) => inbox.remove(at),
            None => inbox.pop_front(),
        }
    }

    fn deliver(&mut self, id: usize, event: Event) {
        let run = self.processes[id].run;
        match event {
            Event::Start => self.start(id),
            Event::Answer { flight, reply } if self.processes[id].awaiting == Some(flight) => {
                self.note(|| format!("  #{flight} answered: {}", short(&reply.answer)));
                self.reply(id, reply);
            }
            Event::Deadline { flight } if self.processes[id].awaiting == Some(flight) => {
                self.note(|| format!("  #{flight} given up"));
                self.reply(
                    id,
                    Reply {
                        date: None,
                        ..unclear("timeout")
                    },
                );
            }
            Event::Timer { turn } if self.processes[id].turn == turn => self.turn(id),
            Event::Watch { run: of, wake } if of == run => self.wake(id, wake),
            Event::Cancel { run: of } if of == run => self.cancel(id),
            Event::WorkDone { run: of } if of == run => self.work_done(id),
            Event::Crash => self.crash(id),
            _ => {}
        }
    }

    fn start(&mut self, id: usize) {
        self.made += 1;
        let now = self.now;
        let nonce = if self.weakness == Weakness::NoNonce {
            Nonce::draw(&mut StdRng::seed_from_u64(0))
        } else {
            Nonce::draw(&mut self.rng)
        };
        let seed = self.rng.next_u64();
        let is_heir = self.dead_since.is_some();
        let waits = [0, 1, 5, 20, 35, 60];
        let wait = if is_heir {
            120
        } else {
            waits[self.rng.random_range(0..waits.len())]
        };
        let wait = Duration::from_secs(wait);
        let process = &mut self.processes[id];
        let local = process.local(now);
        process.run += 1;
        process.stood_still = Duration::ZERO;
        process.began = (now, wait);
        process.cancelled = false;
        process.watching_from = None;
        if process.is_gateway {
            process.holder = format!("pod-{id}");
            process.role = Role::Gateway(Box::new(Gateway::new(&process.holder)));
        } else {
            let identity = HolderIdentity::new(process.base.clone(), nonce);
            process.holder = identity.to_string();
            let settings = Settings {
                wait,
                margin: self.weakness.margin(MARGIN),
                request_timeout: process.request_timeout(),
                grace: GRACE,
                ..Settings::new(identity, process.timing)
            };
            let guess = wall(now) + SignedDuration::from_secs(process.wall_skew);
            let machine = Box::new(Acquire::new(
                settings,
                local,
                guess,
                StdRng::seed_from_u64(seed),
            ));
            process.role = Role::Acquiring(machine);
        }
        self.trouble_ahead(id, wait);
        self.turn(id);
    }

    /// Cancellation, crashes and pauses of this acquisition.
    fn trouble_ahead(&mut self, id: usize, wait: Duration) {
        let run = self.processes[id].run;
        if self.processes[id].is_gateway {
            return;
        }
        if self.hits(self.chaos.cancelled) {
            let most = u64::try_from(wait.as_millis()).unwrap_or(0) + 20;
            let at = self.now
                + if self.rng.random_bool(0.5) {
                    self.millis(0, 20)
                } else {
                    self.millis(0, most)
                };
            self.at(at, Happening::Process(id, Event::Cancel { run }));
        }
        if run == 1 {
            self.again(self.chaos.crash_every, Happening::Process(id, Event::Crash));
            self.again(self.chaos.pause_every, Happening::Process(id, Event::Pause));
        }
    }

    /// Asks the machine what to do, and does it.
    fn turn(&mut self, id: usize) {
        let now = self.now;
        let process = &mut self.processes[id];
        process.turn += 1;
        process.awaiting = None;
        let local = process.local(now);
        match &mut process.role {
            Role::Idle => {}
            Role::Acquiring(machine) => match machine.next(local) {
                Step::Send { request, timeout } => {
                    let call = self.weakness.call(request);
                    self.send(id, call, timeout);
                }
                Step::Wait { until, watch_from } => self.wait(id, until, watch_from),
                Step::Done(Outcome::Held(held)) => self.held(id, *held),
                Step::Done(Outcome::NotHeld(why)) => {
                    let holder = process.holder.clone();
                    self.say(id, || format!("not held: {why:?}"));
                    let stands = self.exact() && self.server.holder() == Some(&*holder);
                    self.judge.not_held(&holder, &why, stands);
                    self.acquisition_ends(id, false);
                    self.rest(id);
                }
            },
            Role::Holding(holding) => match holding.hold.next(local) {
                HoldStep::Send { request, timeout } => {
                    let call = self.weakness.call(request);
                    self.send(id, call, timeout);
                }
                HoldStep::Sleep { until } => self.timer(id, until),
                HoldStep::Lost(loss) => {
                    self.judge.counts.lost += 1;
                    self.say(id, || format!("lost: {loss}"));
                    if self.rng.random_bool(0.5) {
                        self.release(id);
                    } else {
                        self.rest(id);
                    }
                }
            },
            Role::Releasing { machine, uid } => match machine.next(local) {
                ReleaseStep::Send { request, timeout } => {
                    let call = self.weakness.call(request);
                    self.send(id, call, timeout);
                }
                ReleaseStep::Sleep { until } => self.timer(id, until),
                ReleaseStep::Done(released) => {
                    let uid = uid.clone();
                    let holder = process.holder.clone();
                    self.say(id, || format!("released: {released:?}"));
                    let record = self.server.record().filter(|_| self.exact());
                    let stands = record.is_some_and(|record| {
                        record.uid == uid && record.holder() == Some(&holder)
                    });
                    self.judge.released(&holder, &released, stands);
                    self.rest(id);
                }
            },
            Role::Gateway(gateway) => match gateway.next(wall(now)) {
                GatewayStep::Send(call) => self.send(id, call, Duration::from_secs(15)),
                GatewayStep::Sleep(length) => {
                    let until = self.processes[id].local(now + length);
                    self.timer(id, until);
                }
                GatewayStep::Held => {
                    let at = now + self.millis(10, 5000);
                    let run = self.processes[id].run;
                    self.at(at, Happening::Process(id, Event::WorkDone { run }));
                }
                GatewayStep::GaveUp | GatewayStep::Released => self.rest(id),
            },
        }
    }

    fn wait(&mut self, id: usize, until: Moment, watch_from: Option<String>) {
        self.timer(id, until);
        let process = &mut self.processes[id];
        let run = process.run;
        if watch_from.is_some() && !process.may_watch {
            let at = self.now + self.millis(1, 5);
            self.at(
                at,
                Happening::Process(
                    id,
                    Event::Watch {
                        run,
                        wake: Wake::WatchForbidden,
                    },
                ),
            );
            return;
        }
        process.watching_from = watch_from;
        if process.watching_from.is_some() && self.hits(self.chaos.watch_lost * 0.3) {
            let at = self.now + self.millis(1, 9000);
            self.at(
                at,
                Happening::Process(
                    id,
                    Event::Watch {
                        run,
                        wake: Wake::WatchEnded,
                    },
                ),
            );
        }
        self.tell_watcher(id);
    }

    fn timer(&mut self, id: usize, until: Moment) {
        let turn = self.processes[id].turn;
        let at = self.processes[id].when(until);
        self.at(at, Happening::Process(id, Event::Timer { turn }));
    }

    fn reply(&mut self, id: usize, mut reply: Reply) {
        let now = self.now;
        let process = &mut self.processes[id];
        process.awaiting = None;
        reply.arrived = process.local(now);
        match &mut process.role {
            Role::Idle => return,
            Role::Acquiring(machine) => machine.reply(reply),
            Role::Holding(holding) => {
                if matches!(reply.answer, Answer::Lease(_)) {
                    holding.answered = reply.arrived;
                }
                holding.hold.reply(reply);
            }
            Role::Releasing { machine, .. } => machine.reply(reply),
            Role::Gateway(gateway) => gateway.reply(&reply.answer, wall(now)),
        }
        let forgetful = self.weakness == Weakness::NotFoundIsNo;
        if forgetful && matches!(process.role, Role::Acquiring(_)) {
            self.forget(id);
        }
        self.turn(id);
    }

    /// Ends a cancelled acquisition at the first look that finds nothing, as if nothing could land any more.
    fn forget(&mut self, id: usize) {
        let process = &mut self.processes[id];
        if process.cancelled && self.server.holder() != Some(&process.holder) {
            let holder = process.holder.clone();
            process.role = Role::Idle;
            let why = NotHeld::Cancelled;
            self.judge.not_held(&holder, &why, false);
            self.rest(id);
        }
    }

    fn wake(&mut self, id: usize, wake: Wake) {
        let now = self.now;
        let process = &mut self.processes[id];
        let local = process.local(now);
        if process.awaiting.is_some() {
            return;
        }
        if let Role::Acquiring(machine) = &mut process.role {
            machine.wake(local, wake);
            self.turn(id);
        }
    }

    /// As the client does it: a request that is under way is dropped.
    fn cancel(&mut self, id: usize) {
        let now = self.now;
        let process = &mut self.processes[id];
        let local = process.local(now);
        let Role::Acquiring(machine) = &mut process.role else {
            return;
        };
        process.cancelled = true;
        machine.cancel(local);
        if process.awaiting.take().is_some() {
            machine.reply(Reply {
                arrived: local,
                ..unclear("cancelled")
            });
        }
        self.say(id, || "is cancelled".to_owned());
        self.turn(id);
    }

    fn held(&mut self, id: usize, mut held: Held) {
        let now = self.now;
        let process = &mut self.processes[id];
        let local = process.local(now);
        let token = FencingToken::new(&held.token).expect("a token");
        let holder = process.holder.clone();
        if self.weakness == Weakness::ValidityFromAnswer {
            held.sent = local;
        }
        self.judge
            .held(&holder, &token, held.record.claim.lease_transitions);
        let hold = Hold::new(
            process.identity(),
            process.timing,
            process.request_timeout(),
            GRACE,
            held,
        );
        process.role = Role::Holding(Box::new(Holding {
            hold,
            answered: local,
        }));
        let run = process.run;
        self.say(id, || format!("holds, token {token}"));
        self.acquisition_ends(id, true);
        let work = match self.rng.random_range(0..3) {
            0 => self.millis(0, 50),
            1 => self.millis(50, 5000),
            _ => self.millis(5000, 80_000),
        };
        self.at(
            self.now + work,
            Happening::Process(id, Event::WorkDone { run }),
        );
        self.turn(id);
    }

    /// Checks how long the acquisition took.
    fn acquisition_ends(&mut self, id: usize, acquired: bool) {
        let (since, wait) = self.processes[id].began;
        let process = &self.processes[id];
        let took = (self.now - since).saturating_sub(process.stood_still);
        let holder = process.holder.clone();
        self.judge.took(&holder, took, wait, WAY_OUT);
        if let Some(dead) = self.dead_since {
            self.judge.heir(acquired, dead, self.now, INHERITANCE);
        }
    }

    fn work_done(&mut self, id: usize) {
        if let Role::Gateway(gateway) = &mut self.processes[id].role {
            gateway.release();
            return self.turn(id);
        }
        if !matches!(self.processes[id].role, Role::Holding(_)) {
            return;
        }
        if self.hits(self.chaos.leaked) {
            self.say(id, || "leaves its lease behind".to_owned());
            self.rest(id);
        } else {
            self.release(id);
        }
    }

    /// As the client does it: a renewal that is under way is dropped.
    fn release(&mut self, id: usize) {
        let now = self.now;
        let process = &mut self.processes[id];
        let local = process.local(now);
        let awaiting = process.awaiting.take().is_some();
        let holder = process.holder.clone();
        let Role::Holding(holding) = &mut process.role else {
            return;
        };
        if awaiting {
            holding.hold.reply(Reply {
                arrived: local,
                ..unclear("released meanwhile")
            });
        }
        let version = holding.hold.version().clone();
        let uid = version.uid.clone();
        let open = holding.hold.open_attempts(local);
        let budget = Duration::from_secs(10);
        let machine = Release::new(holder, version, local, budget, process.request_timeout())
            .with_open_attempts(open);
        process.role = Role::Releasing {
            machine: Box::new(machine),
            uid,
        };
        self.turn(id);
    }

    /// The process is gone in the middle of whatever it did; its requests are on their way.
    fn crash(&mut self, id: usize) {
        self.say(id, || "crashes".to_owned());
        self.again(self.chaos.crash_every, Happening::Process(id, Event::Crash));
        if !matches!(self.processes[id].role, Role::Idle) {
            self.rest(id);
        }
    }

    /// Nothing to do until the next acquisition.
    fn rest(&mut self, id: usize) {
        let process = &mut self.processes[id];
        process.role = Role::Idle;
        process.awaiting = None;
        process.turn += 1;
        process.run += 1;
        if self.dead_since.is_none() {
            let pause = if self.rng.random_bool(0.5) {
                self.millis(0, 100)
            } else {
                self.millis(0, 10_000)
            };
            self.at(self.now + pause, Happening::Process(id, Event::Start));
        }
    }
}

fn unclear(why: &str) -> Reply {
    Reply {
        arrived: Moment::default(),
        date: None,
        answer: Answer::Unclear(why.to_owned()),
    }
}

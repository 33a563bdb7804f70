//! The run: true time, requests in flight, and everything that goes wrong.

mod flight;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::time::Duration;

use gwlock_engine::client::AcquireError;
use gwlock_engine::protocol::clock::Moment;
use gwlock_engine::protocol::key::Fingerprint;
use gwlock_engine::remediation::dedup::is_active;
use gwlock_engine::remediation::exchange::Reply;
use gwlock_engine::remediation::outcome::Counted;
use gwlock_engine::remediation::run::Step;
use gwlock_engine::remediation::{Disposition, Failure};
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use serde_json::json;

use super::chaos::{Chaos, Setting, Weakness};
use super::judge::{Counts, Fate, Judge};
use super::process::{Lease, Process};
use super::server::Server;
use flight::Flight;

/// Time as it really is.
pub(crate) type Truth = Duration;

/// 2026-11-23, nine o'clock.
pub(crate) const START: Timestamp = Timestamp::constant(1_795_424_400, 0);

/// How long a holder may believe, and how long the lease keeps others out.
const BELIEF: Duration = Duration::from_secs(20);
const EXCLUSION: Duration = Duration::from_secs(32);

/// How many events before the end a trace shows.
const TRACED: usize = 200;

pub(crate) fn fingerprint() -> Fingerprint {
    Fingerprint::of("prod:Deployment:payment-api")
}

#[derive(Debug)]
enum Happening {
    Signal(usize),
    Withdraw(usize),
    Wake {
        process: usize,
        turn: u64,
    },
    Ask {
        process: usize,
        turn: u64,
    },
    Execute(u64),
    Answer {
        process: usize,
        flight: u64,
        reply: Reply,
    },
    Orchestrate,
    Delete,
    Calm,
    LastSignal,
}

#[derive(Debug)]
struct Queued(Truth, u64, Happening);

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        (self.0, self.1) == (other.0, other.1)
    }
}
impl Eq for Queued {}
impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Queued {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0, self.1).cmp(&(other.0, other.1))
    }
}

pub(crate) struct World {
    now: Truth,
    rng: StdRng,
    chaos: Chaos,
    weakness: Weakness,
    server: Server,
    queue: BinaryHeap<Reverse<Queued>>,
    made: u64,
    flights: HashMap<u64, Flight>,
    processes: Vec<Process>,
    /// Who holds the lease, and until when it keeps others out.
    lease: Option<(String, Truth)>,
    judge: Judge,
    last: Option<usize>,
    trace: Option<VecDeque<String>>,
}

/// How a run went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) violation: Option<String>,
    pub(crate) counts: Counts,
    /// The last events before the end, if they were asked for.
    pub(crate) trace: Vec<String>,
}

/// Runs the world of a seed. The same seed gives the same run.
pub(crate) fn run(seed: u64, setting: Setting, weakness: Weakness, traced: bool) -> Verdict {
    let mut rng = StdRng::seed_from_u64(seed);
    let chaos = Chaos::draw(setting, &mut rng);
    World::new(chaos, weakness, rng, traced).go()
}

impl World {
    fn new(chaos: Chaos, weakness: Weakness, rng: StdRng, traced: bool) -> Self {
        let mut world = Self {
            now: Duration::ZERO,
            rng,
            weakness,
            server: Server::default(),
            queue: BinaryHeap::new(),
            made: 0,
            flights: HashMap::new(),
            processes: Vec::new(),
            lease: None,
            judge: Judge::default(),
            last: None,
            trace: traced.then(VecDeque::new),
            chaos,
        };
        for _ in 0..world.chaos.processes {
            let skew = world.rng.random_range(-300..=300);
            world.processes.push(Process::new(skew));
        }
        for _ in 0..world.chaos.signals {
            // Alerts come in storms.
            let storm = world.rng.random_range(0..4);
            let at = world.chaos.lasting * storm / 4 + world.millis(0, 200);
            let process = world.rng.random_range(0..world.chaos.processes);
            world.at(at, Happening::Signal(process));
        }
        world.at(world.chaos.orchestrated_every, Happening::Orchestrate);
        if let Some(every) = world.chaos.deleted_every {
            world.at(every, Happening::Delete);
        }
        // Whatever has begun by then has a whole budget, a standstill, and a lease to outlast.
        let end = world.chaos.lasting + Duration::from_secs(180);
        world.at(end, Happening::Calm);
        world.at(end + Duration::from_secs(60), Happening::LastSignal);
        world
    }

    fn go(mut self) -> Verdict {
        let mut events = 0;
        while let Some(Reverse(Queued(at, _, what))) = self.queue.pop() {
            debug_assert!(at >= self.now, "time goes back");
            self.now = at;
            let may_create = matches!(what, Happening::Execute(_));
            self.happen(what);
            if may_create && self.chaos.setting != Setting::Deleting {
                self.judge.look(&self.server);
            }
            events += 1;
            if events > 100_000 {
                self.judge.accuse("it goes on for ever".to_owned());
            }
            if self.judge.violation.is_some() {
                break;
            }
        }
        if self.judge.violation.is_none() {
            self.judge.close(&self.server);
        }
        let last = self.last.map(|signal| self.judge.fate(signal));
        if last.is_some_and(|fate| fate != Fate::Answered) {
            self.judge
                .accuse(format!("the last signal, sent in peace, ended as {last:?}"));
        }
        Verdict {
            violation: self.judge.violation,
            counts: self.judge.counts,
            trace: self.trace.unwrap_or_default().into(),
        }
    }

    fn happen(&mut self, what: Happening) {
        if let Happening::Wake { process, .. }
        | Happening::Ask { process, .. }
        | Happening::Answer { process, .. }
        | Happening::Signal(process) = &what
        {
            // A process that stands still takes notice afterwards.
            let until = self.processes[*process].still_until;
            if until > self.now {
                return self.at(until, what);
            }
        }
        match what {
            Happening::Signal(process) => self.signal(process),
            Happening::Withdraw(signal) => self.withdraw(signal),
            Happening::Wake { process, turn } => {
                if self.processes[process].turn == turn {
                    self.step(process);
                }
            }
            Happening::Ask { process, turn } => {
                if self.processes[process].turn == turn {
                    self.ask(process);
                }
            }
            Happening::Execute(flight) => self.execute(flight),
            Happening::Answer {
                process,
                flight,
                reply,
            } => self.answer(process, flight, reply),
            Happening::Orchestrate => self.orchestrate(),
            Happening::Delete => self.delete(),
            Happening::Calm => {
                self.note(|| "peace".to_owned());
                self.chaos.calm();
            }
            Happening::LastSignal => {
                let signal = self.judge.sent();
                self.last = Some(signal);
                self.processes[0].waiting.push(signal);
                self.step(0);
            }
        }
    }

    fn signal(&mut self, process: usize) {
        let signal = self.judge.sent();
        self.note(|| format!("signal {signal} comes to process {process}"));
        self.processes[process].waiting.push(signal);
        if self.hits(self.chaos.withdrawn) {
            let at = self.now + self.millis(0, 3000);
            self.at(at, Happening::Withdraw(signal));
        }
        if self.hits(self.chaos.paused) {
            let pause = self.millis(100, 60_000);
            self.stand_still(process, pause);
        }
        if self.hits(self.chaos.crashed) {
            return self.crash(process);
        }
        // Otherwise a run is under way, which the signal has joined.
        if self.processes[process].machine.is_none() {
            self.step(process);
        }
    }

    /// The sender goes away.
    fn withdraw(&mut self, signal: usize) {
        for id in 0..self.processes.len() {
            let process = &mut self.processes[id];
            if let Some(at) = process.waiting.iter().position(|own| *own == signal) {
                process.waiting.remove(at);
                self.judge.gone(signal);
                self.judge.counts.withdrawn += 1;
                self.note(|| format!("the sender of signal {signal} goes away"));
            }
        }
    }

    fn crash(&mut self, id: usize) {
        let (waiting, batch) = self.processes[id].crash();
        self.judge.counts.crashed += 1;
        self.note(|| format!("process {id} crashes with {waiting:?} waiting and {batch:?} sent"));
        for signal in waiting {
            self.judge.gone(signal);
        }
        for signal in batch {
            self.judge.lost_sight_of(signal);
        }
    }

    /// Does what the machine says until something has to be waited for.
    fn step(&mut self, id: usize) {
        loop {
            let now = self.now;
            let process = &mut self.processes[id];
            process.turn += 1;
            let turn = process.turn;
            if process.machine.is_none() {
                if process.waiting.is_empty() {
                    return;
                }
                let seed = self.rng.next_u64();
                process.start(now, StdRng::seed_from_u64(seed));
            }
            self.renew(id);
            let process = &mut self.processes[id];
            let situation = process.situation();
            let machine = process.machine.as_mut().expect("a run");
            match machine.next(Moment::from_origin(now), situation) {
                Step::Done(result) => self.finish(id, &result),
                Step::Wait { until } => {
                    return self.at(until.since_origin(), Happening::Wake { process: id, turn });
                }
                Step::Acquire { look_at, deadline } => {
                    process.lease = Lease::Asking(deadline);
                    self.at(
                        look_at.since_origin(),
                        Happening::Wake { process: id, turn },
                    );
                    let at = now + self.millis(1, 5);
                    return self.at(at, Happening::Ask { process: id, turn });
                }
                Step::Send { request, timeout } => return self.send(id, request, timeout),
            }
        }
    }

    fn finish(&mut self, id: usize, result: &Result<Counted, Failure>) {
        let process = &mut self.processes[id];
        process.machine = None;
        let mut batch = std::mem::take(&mut process.batch);
        if batch.is_empty() && *result != Err(Failure::Cancelled) {
            batch = std::mem::take(&mut process.waiting);
        }
        if let Lease::Held { holder, .. } = std::mem::replace(&mut process.lease, Lease::None)
            && self.lease.as_ref().is_some_and(|(own, _)| *own == holder)
        {
            self.lease = None;
        }
        self.note(|| match result {
            Ok(counted) => {
                let (before, after) = (counted.count.before(), counted.count.after());
                let name = &counted.count.request().name;
                format!("process {id} answers {batch:?}: {name} {before} -> {after}")
            }
            Err(failure) => format!("process {id} fails {batch:?}: {failure}"),
        });
        if result.is_ok() && batch.len() > 1 {
            self.judge.counts.together += 1;
        }
        for (i, signal) in (1..).zip(batch) {
            let own = match result {
                Ok(counted) => Ok(counted.answer(&fingerprint(), i)),
                Err(failure) => Err(failure.clone()),
            };
            if let Ok(processed) = &own
                && i > 1
                && processed.disposition == Disposition::Created
            {
                self.judge
                    .accuse("two signals created one request".to_owned());
            }
            self.judge.answered(signal, &own);
        }
    }

    /// Asks for the lease once.
    fn ask(&mut self, id: usize) {
        let Lease::Asking(deadline) = self.processes[id].lease else {
            return;
        };
        let is_free = self.chaos.setting == Setting::Unlocked
            || self
                .lease
                .as_ref()
                .is_none_or(|(_, until)| self.now > *until);
        let machine = self.processes[id].machine.as_mut().expect("a run");
        if is_free {
            self.made += 1;
            let holder = format!("gateway-{id}_{}", self.made);
            machine.held(holder.clone());
            self.lease = Some((holder.clone(), self.now + EXCLUSION));
            let until = self.now + BELIEF;
            self.processes[id].lease = Lease::Held { holder, until };
            self.note(|| format!("process {id} holds the lease"));
            return self.step(id);
        }
        if Moment::from_origin(self.now) >= deadline {
            let busy = AcquireError::Busy { holder: None };
            machine.not_held(Failure::Lease(busy));
            return self.step(id);
        }
        let turn = self.processes[id].turn;
        let at = self.now + self.millis(5, 100);
        self.at(at, Happening::Ask { process: id, turn });
    }

    /// A holder that does not stand still goes on holding, unless it has been displaced.
    fn renew(&mut self, id: usize) {
        let now = self.now;
        let Lease::Held { holder, until } = &mut self.processes[id].lease else {
            return;
        };
        if let Some((own, excluded)) = &mut self.lease
            && own == holder
            && *until > now
        {
            *until = now + BELIEF;
            *excluded = now + EXCLUSION;
        }
    }

    fn orchestrate(&mut self) {
        let requests = self.server.requests();
        let active: Vec<_> = requests
            .iter()
            .filter(|request| is_active(request))
            .collect();
        if !active.is_empty() {
            let name = active[self.rng.random_range(0..active.len())].name.clone();
            let next =
                self.server_clock() + SignedDuration::from_secs(self.rng.random_range(0..30));
            let fields = match self.rng.random_range(0..8) {
                0 => json!({}),
                1 => json!({"overallPhase": ""}),
                2 => json!({"overallPhase": "Pending"}),
                3 => json!({"overallPhase": "Executing", "message": "working"}),
                4 => json!({"overallPhase": "Completed"}),
                5 => {
                    json!({"overallPhase": "Failed", "routingStatus": {"nextAllowedExecution": next.to_string()}})
                }
                6 if self.rng.random_bool(0.1) => {
                    json!({"overallPhase": "Failed", "completionStatus": {"outcome": "ManualReviewRequired"}})
                }
                _ => json!({"message": "still working"}),
            };
            self.note(|| format!("the orchestrator sets {name} to {fields}"));
            self.server.set_status(&name, &fields);
        }
        if self.last.is_none() {
            let mut every = self.chaos.orchestrated_every;
            if self.flights.is_empty() {
                every = every.max(Duration::from_secs(1));
            }
            let at = self.now + every.mul_f64(2.0 * self.rng.random::<f64>());
            self.at(at, Happening::Orchestrate);
        }
    }

    fn delete(&mut self) {
        let requests = self.server.requests();
        if !requests.is_empty() {
            let name = requests[self.rng.random_range(0..requests.len())]
                .name
                .clone();
            let has_finalizer = self.rng.random_bool(0.5);
            self.note(|| format!("somebody deletes {name}"));
            let now = self.server_clock();
            self.server.delete(&name, has_finalizer, now);
        }
        if let Some(every) = self.chaos.deleted_every {
            let at = self.now + every.mul_f64(2.0 * self.rng.random::<f64>());
            self.at(at, Happening::Delete);
        }
    }

    fn stand_still(&mut self, id: usize, length: Duration) {
        let until = self.now + length;
        let process = &mut self.processes[id];
        process.still_until = process.still_until.max(until);
        self.note(|| format!("process {id} stands still for {length:?}"));
    }

    fn server_clock(&self) -> Timestamp {
        Timestamp::from_second((START + self.now).as_second()).expect("a time in range")
    }

    fn at(&mut self, at: Truth, what: Happening) {
        self.made += 1;
        let at = at.max(self.now);
        self.queue.push(Reverse(Queued(at, self.made, what)));
    }

    fn hits(&mut self, probability: f64) -> bool {
        self.rng.random_bool(probability)
    }

    fn millis(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_micros(self.rng.random_range(least * 1000..=most * 1000))
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            if trace.len() == TRACED {
                trace.pop_front();
            }
            trace.push_back(format!("{:10.3} {}", self.now.as_secs_f64(), line()));
        }
    }
}

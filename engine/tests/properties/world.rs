//! The run: true time, requests in flight, and everything that goes wrong.

mod flight;
mod lives;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::time::Duration;

use gwlock_engine::protocol::timing::Timing;
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::chaos::{Chaos, Setting};
use super::judge::{Counts, Judge};
use super::process::{Event, Process, Role, Truth};
use super::server::Server;
use super::weakness::Weakness;
use flight::Flight;

/// The margin of every process; the clocks of the API servers differ by no more.
const MARGIN: Duration = Duration::from_secs(2);
const GRACE: Duration = Duration::from_secs(1);
const DURATIONS: [u64; 3] = [10, 15, 30];
/// Beyond the time to wait: a last look and a last try, and the way out of writes without an answer.
const WAY_OUT: Duration = Duration::from_secs(60);
/// Longest duration and margin, a write that lands late, whole seconds, and clocks of servers that differ.
const INHERITANCE: Duration = Duration::from_secs(30 + 2 + 6 + 2 + 4);

/// How many events before the end a trace shows.
const TRACED: usize = 120;

/// 2026-11-23, nine o'clock.
const START: Timestamp = Timestamp::constant(1_795_424_400, 0);

/// What happens at some moment; events of one moment happen in the order in which they were made.
#[derive(Debug, Clone)]
enum Happening {
    Process(usize, Event),
    Execute(u64),
    Label,
    StopTracking,
    Operator,
    OperatorDeletes(Box<super::server::Call>),
    EverybodyDies,
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
    judge: Judge,
    dead_since: Option<Truth>,
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
            judge: Judge::default(),
            dead_since: None,
            trace: traced.then(VecDeque::new),
            chaos,
        };
        let gateways = if world.chaos.setting == Setting::WithGateways {
            2
        } else {
            0
        };
        for number in 0..world.chaos.processes + gateways {
            let process = world.process(number, number >= world.chaos.processes);
            world.processes.push(process);
            let at = world.millis(0, 3000);
            world.at(at, Happening::Process(number, Event::Start));
        }
        for (every, what) in [
            (world.chaos.label_every, Happening::Label),
            (world.chaos.untrack_every, Happening::StopTracking),
            (world.chaos.operator_every, Happening::Operator),
        ] {
            if every.is_some() {
                world.at(Duration::from_secs(1), what);
            }
        }
        world.at(world.chaos.lasting, Happening::EverybodyDies);
        world
    }

    fn process(&mut self, number: usize, is_gateway: bool) -> Process {
        let rng = &mut self.rng;
        // A gateway that takes over inherits the duration, and works for longer than the short ones.
        let longest = self.chaos.setting == Setting::WithGateways;
        let choice = if longest {
            2
        } else {
            rng.random_range(0..DURATIONS.len())
        };
        let duration = Duration::from_secs(DURATIONS[choice]);
        let drift = self.chaos.drift;
        // The third of the duration between deadline and expiry is what covers the times that a gateway reads.
        let timing = if self.chaos.tight && !longest {
            let deadline = (duration - Duration::from_millis(500)).mul_f64(1.0 - 2.0 * drift);
            Timing::new(duration, deadline, Duration::from_secs(1))
        } else {
            Timing::with_duration(duration)
        };
        let skew = self.chaos.wall_skew;
        Process {
            // Two handlers of one pod share a base.
            base: format!("gateway-{}", number / 2),
            is_gateway,
            timing: timing.expect("a timing"),
            holder: String::new(),
            role: Role::Idle,
            run: 0,
            turn: 0,
            awaiting: None,
            paused: false,
            inbox: VecDeque::new(),
            stood_still: Duration::ZERO,
            began: (Duration::ZERO, Duration::ZERO),
            cancelled: false,
            watching_from: None,
            may_watch: !rng.random_bool(self.chaos.watch_forbidden.min(1.0)),
            origin: Duration::from_secs(rng.random_range(0..1_000_000)),
            rate: 1.0 + drift * (rng.random::<f64>() * 2.0 - 1.0),
            wall_skew: if is_gateway {
                0
            } else {
                rng.random_range(-skew..=skew)
            },
        }
    }

    fn go(mut self) -> Verdict {
        while let Some(Reverse(Queued(at, _, what))) = self.queue.pop() {
            debug_assert!(at >= self.now, "time goes back");
            self.now = at;
            self.judge.counts.events += 1;
            self.happen(what);
            self.look();
            if self.judge.violation.is_some() || self.judge.counts.events > 200_000 {
                break;
            }
        }
        if self.judge.counts.events > 200_000 {
            self.judge.accuse("it goes on for ever".to_owned());
        }
        Verdict {
            violation: self.judge.violation,
            counts: self.judge.counts,
            trace: self.trace.unwrap_or_default().into(),
        }
    }

    fn happen(&mut self, what: Happening) {
        match what {
            Happening::Process(id, event) => self.receive(id, event),
            Happening::Execute(flight) => self.execute(flight),
            Happening::Label => {
                // Other tools go on with their labels when everybody has died.
                let by_us = self.dead_since.is_none() && self.rng.random_bool(0.3);
                let manager = if by_us { "gwlock" } else { "kubectl" };
                let stamp = self.server_clock(0, self.now);
                self.server.label(manager, stamp);
                self.note(|| format!("{manager} sets a label"));
                self.again(self.chaos.label_every, Happening::Label);
            }
            _ if self.dead_since.is_some() => {}
            Happening::StopTracking => {
                self.server.stop_tracking();
                self.note(|| "somebody empties managedFields".to_owned());
                self.again(self.chaos.untrack_every, Happening::StopTracking);
            }
            Happening::Operator => {
                self.operator();
                self.again(self.chaos.operator_every, Happening::Operator);
            }
            Happening::OperatorDeletes(call) => {
                let answer = self.server.execute(&call, self.server_clock(0, self.now));
                self.note(|| format!("the operator deletes: {answer:?}"));
                self.tell_watchers();
            }
            Happening::EverybodyDies => self.everybody_dies(),
        }
    }

    /// An operator removes a lease that has expired by the evidence of one read, a little later.
    fn operator(&mut self) {
        use gwlock_engine::protocol::clock::Moment;
        use gwlock_engine::protocol::exchange::{Request, Version};
        use gwlock_engine::protocol::expiry::{Reading, Verdict as Expiry, judge};
        let Some(record) = self.server.record() else {
            return;
        };
        let server = self.rng.random_range(0..2);
        let (arrived, unchanged_since) = (Moment::default(), Moment::default());
        let date = Some(self.server_clock(server, self.now));
        let reading = Reading {
            record: &record,
            date,
            arrived,
            unchanged_since,
        };
        if matches!(judge(&reading, MARGIN), Expiry::Expired(_)) {
            let call = super::server::Call::guarded(Request::Delete(Version::from(&record)));
            let at = self.now + self.millis(1, 3000);
            self.at(at, Happening::OperatorDeletes(Box::new(call)));
        }
    }

    /// From now on nothing goes wrong, nobody else is alive, and a new candidate has to inherit.
    fn everybody_dies(&mut self) {
        self.chaos.calm();
        let heir = self.processes.len();
        for process in &mut self.processes {
            process.role = Role::Idle;
            process.awaiting = None;
            process.paused = true;
        }
        self.dead_since = Some(self.now);
        let mut process = self.process(heir, false);
        process.base = "heir".to_owned();
        self.processes.push(process);
        self.note(|| "everybody dies".to_owned());
        self.at(self.now, Happening::Process(heir, Event::Start));
    }

    fn look(&mut self) {
        let (now, weakness) = (self.now, self.weakness);
        let names = |gateways: bool| {
            let believers = self
                .processes
                .iter()
                .filter(|process| process.believes(now, weakness));
            let believers = believers.filter(|process| process.is_gateway == gateways);
            believers
                .map(|process| process.holder.as_str())
                .collect::<Vec<_>>()
        };
        let (holders, gateways) = (names(false), names(true));
        let exact = self.exact();
        self.judge
            .look(&holders, &gateways, exact.then(|| self.server.holder()));
    }

    /// Whether the record has to be right at every instant. Where a `Date` can lie it is wrong between a takeover and its
    /// undo, and the undo brings back a holder that may have ended meanwhile.
    fn exact(&self) -> bool {
        self.chaos.setting != Setting::LyingDates
    }

    fn server_clock(&self, server: usize, at: Truth) -> Timestamp {
        let exact = wall(at) + SignedDuration::from_millis(self.chaos.servers[server]);
        Timestamp::from_second(exact.as_second()).expect("a time in range")
    }

    fn at(&mut self, at: Truth, what: Happening) {
        self.made += 1;
        self.queue
            .push(Reverse(Queued(at.max(self.now), self.made, what)));
    }

    /// About once per `every`, as long as somebody is there.
    fn again(&mut self, every: Option<Duration>, what: Happening) {
        let heir_is_done = self
            .dead_since
            .is_some_and(|dead| self.now > dead + INHERITANCE);
        if let Some(every) = every
            && !heir_is_done
        {
            let pause = every.mul_f64(self.rng.random::<f64>() * 2.0);
            self.at(self.now + pause, what);
        }
    }

    fn millis(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_micros(self.rng.random_range(least * 1000..=most * 1000))
    }

    fn hits(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.rng.random_bool(probability.min(1.0))
    }

    /// Something about a process, for the trace.
    fn say(&mut self, id: usize, text: impl FnOnce() -> String) {
        if self.trace.is_some() {
            let text = format!("{} {}", self.processes[id].holder, text());
            self.note(|| text);
        }
    }

    fn note(&mut self, text: impl FnOnce() -> String) {
        let now = self.now;
        if let Some(trace) = &mut self.trace {
            trace.push_back(format!("{:>12.6} {}", now.as_secs_f64(), text()));
            if trace.len() > TRACED {
                trace.pop_front();
            }
        }
    }
}

/// The true time of day.
pub(crate) fn wall(at: Truth) -> Timestamp {
    START + SignedDuration::try_from(at).expect("a short run")
}

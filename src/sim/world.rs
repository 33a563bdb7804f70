//! The servers, the pods and what happens to them: one run of a scenario, from its seed to its history.

mod admin;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gwlock_apiserver::{ApiServer, TokioClock, Uids};
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::clock::PodClock;
use super::history::What;
use super::network::{Gate, Link, Servers, ServersClock, Weather};
use super::plan::{self, Action};
use super::pod::{self, Character, NAMESPACE, Pod, namespace_of_its_own};
use super::protocol::{Protocol, Speaks};
use super::recorder::{Recorded, Recorder, short};
use super::scenario::{Kind, Scenario};
use super::shared::Shared;
use admin::Admin;

/// Longer than a lease of the usual duration lasts that somebody may have left, by the clock of any API server.
const REST: Duration = Duration::from_secs(40);
/// How much longer than any other lease.
const REST_AFTER: Duration = Duration::from_secs(10);
/// Longer than anybody works on when nothing goes wrong any more.
const PATIENCE: Duration = Duration::from_secs(120);

/// The pods' wall clock begins here.
const WALL: &str = "2026-01-01T00:00:00Z";

struct World {
    scenario: Scenario,
    protocol: Protocol,
    servers: Servers,
    admin: Admin,
    start: Instant,
    wall: Timestamp,
    pods: Vec<Place>,
    signals: JoinSet<()>,
}

/// A pod, whichever process runs in it.
struct Place {
    name: String,
    number: u32,
    rng: StdRng,
    clock: PodClock,
    /// How far the clock of its API server is off.
    off: SignedDuration,
    process: Option<Pod>,
    restarts: u32,
}

/// Plays a scenario to its end. Has to run under a paused clock.
pub(super) async fn play(
    scenario: &Scenario,
    protocol: &Protocol,
    seed: u64,
) -> anyhow::Result<Recorded> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut scenario = scenario.clone();
    plan::vary(&mut scenario, &mut StdRng::seed_from_u64(rng.next_u64()));
    let plan = plan::draw(&scenario, &mut StdRng::seed_from_u64(rng.next_u64()));
    let mut world = World::new(scenario, protocol.clone(), &mut rng).await?;
    for step in plan {
        tokio::time::sleep_until(world.start + step.at).await;
        match step.action {
            Action::Signal { key, pod } => world.signal(key, pod)?,
            Action::Begin { kind, pod } => world.begin(kind, pod).await?,
            Action::Finish { kind, pod } => world.finish(kind, pod).await?,
        }
    }
    world.rest().await
}

impl World {
    async fn new(scenario: Scenario, protocol: Protocol, rng: &mut StdRng) -> anyhow::Result<Self> {
        let start = Instant::now();
        let wall: Timestamp = WALL.parse()?;
        let clock = Arc::new(ServersClock::new(TokioClock::starting_at(wall)));
        let server = ApiServer::builder()
            .clock(clock.clone())
            .uids(Uids::seeded(rng.next_u64()))
            .build();
        let recorder = Recorder::new(start);
        let admin = Admin::new(server.clone(), recorder.clone(), rng.next_u64());
        admin.prepare(NAMESPACE).await?;
        if scenario.leaked {
            for key in 0..scenario.fingerprints {
                let lease = pod::signal(key, wall)?.fingerprint().lease_name();
                admin.leak(lease.as_str(), wall).await?;
            }
        }
        let servers = Servers {
            server,
            clock,
            weather: Shared::default(),
            recorder,
            requests: scenario.requests,
            latency: scenario.latency.clone(),
            under_way: Shared::default(),
        };
        let mut world = Self {
            start,
            wall,
            servers,
            admin,
            protocol,
            pods: Vec::new(),
            signals: JoinSet::new(),
            scenario,
        };
        for number in 0..world.scenario.pods {
            let mut place = world.place(number, rng);
            world.launch(&mut place).await?;
            world.pods.push(place);
        }
        Ok(world)
    }

    fn place(&self, number: u32, rng: &mut StdRng) -> Place {
        let clocks = self.scenario.clocks;
        let mut either_way = |most: Duration| {
            let share: f64 = rng.random_range(-1.0..=1.0);
            SignedDuration::from_secs_f64(most.as_secs_f64() * share)
        };
        let wall = self.wall + either_way(clocks.offset);
        let off = either_way(clocks.api_server_offset);
        let most = i32::try_from(clocks.drift_ppm).unwrap_or(i32::MAX);
        Place {
            name: format!("pod-{number}"),
            number,
            clock: PodClock {
                origin: self.start,
                wall,
                drift_ppm: rng.random_range(-most..=most),
            },
            off,
            rng: StdRng::seed_from_u64(rng.next_u64()),
            process: None,
            restarts: 0,
        }
    }

    /// Starts a process in a pod.
    async fn launch(&self, place: &mut Place) -> anyhow::Result<()> {
        let link = Arc::new(Link {
            pod: place.name.clone(),
            incarnation: place.restarts,
            servers: self.servers.clone(),
            gate: Shared::default(),
            off: place.off,
            rng: Mutex::new(StdRng::seed_from_u64(place.rng.next_u64())),
        });
        let speaks = self.protocol.of_pod(place.number);
        if speaks == Speaks::CreateOnly {
            self.admin.namespace(&namespace_of_its_own(&link)).await?;
        }
        let character = Character {
            speaks,
            timing: self.scenario.timing,
            clock: place.clock,
        };
        place.process = Some(Pod::start(link, character, &mut place.rng));
        Ok(())
    }

    /// A signal reaches a pod that runs: the one that it was meant for, or the next one.
    fn signal(&mut self, key: u32, pod: u32) -> anyhow::Result<()> {
        let count = self.pods.len();
        let running = (0..count)
            .map(|step| &self.pods[(pod as usize + step) % count])
            .find_map(|place| place.process.clone());
        // With nobody to take it there is no attempt, and its sender knows.
        let Some(pod) = running else { return Ok(()) };
        let now = self.wall + SignedDuration::try_from(self.start.elapsed())?;
        let signal = pod::signal(key, now)?;
        let number = self.servers.recorder.next_signal();
        pod.link.tell(What::Signal {
            signal: number,
            key: short(signal.fingerprint().as_str()).to_owned(),
        });
        self.signals.spawn(pod.process(number, signal));
        Ok(())
    }

    async fn begin(&mut self, kind: Kind, pod: u32) -> anyhow::Result<()> {
        if plan::is_of_a_pod(kind) {
            self.befall(kind, pod);
            return Ok(());
        }
        let world = |what: &str| {
            self.servers.recorder.world(What::Fault {
                what: what.to_owned(),
            });
        };
        let weather = |change: fn(&mut Weather)| self.servers.weather.change(change);
        match kind {
            Kind::Restart | Kind::RestartWithoutCache => {
                world("the API server restarts");
                weather(|weather| {
                    weather.down += 1;
                    weather.restarts += 1;
                });
                if kind == Kind::RestartWithoutCache {
                    self.servers.server.compact();
                }
            }
            Kind::DenyStatus => {
                world("nobody may write the status of a request");
                weather(|weather| weather.no_status += 1);
            }
            Kind::DenyLeases => {
                world("nobody may use leases");
                weather(|weather| weather.no_leases += 1);
            }
            Kind::Touch => self.admin.touch(NAMESPACE).await?,
            Kind::Orchestrate => self.admin.orchestrate(NAMESPACE).await?,
            Kind::Delete => self.admin.delete(NAMESPACE).await?,
            Kind::Crash | Kind::Pause | Kind::Partition | Kind::CutWatches | Kind::StallWatches => {
            }
        }
        Ok(())
    }

    fn befall(&mut self, kind: Kind, pod: u32) {
        let count = self.pods.len();
        let place = &mut self.pods[pod as usize % count];
        let Some(process) = &place.process else {
            return;
        };
        let link = process.link.clone();
        let stopped = |why: &str| {
            link.tell(What::Stopped {
                why: why.to_owned(),
            });
        };
        let gate = |change: fn(&mut Gate)| link.gate.change(change);
        match kind {
            Kind::Crash => {
                link.tell(What::Crashed);
                gate(|gate| {
                    *gate = Gate {
                        dead: true,
                        ..Gate::default()
                    }
                });
                place.process = None;
            }
            Kind::Pause => {
                stopped("paused");
                gate(|gate| gate.paused += 1);
            }
            Kind::Partition => {
                stopped("cut off");
                gate(|gate| gate.cut_off += 1);
            }
            Kind::CutWatches => gate(|gate| gate.cuts += 1),
            Kind::StallWatches => gate(|gate| gate.stalled += 1),
            _ => {}
        }
    }

    async fn finish(&mut self, kind: Kind, pod: u32) -> anyhow::Result<()> {
        let weather = |change: fn(&mut Weather)| self.servers.weather.change(change);
        match kind {
            Kind::Restart | Kind::RestartWithoutCache => weather(|weather| weather.down -= 1),
            Kind::DenyStatus => weather(|weather| weather.no_status -= 1),
            Kind::DenyLeases => weather(|weather| weather.no_leases -= 1),
            Kind::Crash => {
                let at = pod as usize % self.pods.len();
                if self.pods[at].process.is_none() {
                    let mut place = self.pods.remove(at);
                    place.restarts += 1;
                    self.launch(&mut place).await?;
                    self.pods.insert(at, place);
                }
            }
            Kind::Pause => self.resume(pod, "paused", |gate| &mut gate.paused),
            Kind::Partition => self.resume(pod, "cut off", |gate| &mut gate.cut_off),
            Kind::StallWatches => self.resume(pod, "", |gate| &mut gate.stalled),
            Kind::CutWatches | Kind::Touch | Kind::Orchestrate | Kind::Delete => {}
        }
        Ok(())
    }

    /// Ends what befell a process, if it still lasts: a process that was started meanwhile knows nothing of it.
    fn resume(&mut self, pod: u32, why: &str, of: fn(&mut Gate) -> &mut u32) {
        let place = &self.pods[pod as usize % self.pods.len()];
        let Some(process) = &place.process else {
            return;
        };
        let mut gate = process.link.gate.now().clone();
        if *of(&mut gate) == 0 {
            return;
        }
        if !why.is_empty() {
            process.link.tell(What::Resumed {
                why: why.to_owned(),
            });
        }
        process.link.gate.change(|gate| *of(gate) -= 1);
    }

    /// Nothing goes wrong any more; everybody ends what he has begun, and every lease that was left expires.
    async fn rest(mut self) -> anyhow::Result<Recorded> {
        self.servers.weather.change(|weather| {
            *weather = Weather {
                calm: true,
                restarts: weather.restarts,
                ..Weather::default()
            };
        });
        for pod in 0..self.scenario.pods {
            for (why, of) in [
                (
                    "paused",
                    (|gate| &mut gate.paused) as fn(&mut Gate) -> &mut u32,
                ),
                ("cut off", |gate| &mut gate.cut_off),
                ("", |gate| &mut gate.stalled),
            ] {
                while self.is_under(pod, of) {
                    self.resume(pod, why, of);
                }
            }
        }
        let patience = Instant::now() + PATIENCE;
        let answered = async {
            while let Some(ended) = self.signals.join_next().await {
                ended?;
            }
            for place in &self.pods {
                if let Some(process) = &place.process {
                    process.settled().await;
                }
            }
            anyhow::Ok(())
        };
        // Who is not done by then is found by the checker; signals of dead processes never end.
        if let Ok(answered) = tokio::time::timeout_at(patience, answered).await {
            answered?;
        }
        let landed = self.servers.under_way.until(|count| *count == 0);
        drop(tokio::time::timeout(PATIENCE, landed).await);
        tokio::time::sleep(REST.max(self.scenario.timing.lease_duration() + REST_AFTER)).await;
        self.admin.tell_of_leases().await?;
        self.servers.recorder.world(What::End);
        Ok(self.servers.recorder.take())
    }

    fn is_under(&self, pod: u32, of: fn(&mut Gate) -> &mut u32) -> bool {
        let process = &self.pods[pod as usize % self.pods.len()].process;
        process.as_ref().is_some_and(|process| {
            let mut gate = process.link.gate.now().clone();
            *of(&mut gate) > 0
        })
    }
}

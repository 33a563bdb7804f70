//! The servers, the pods and what happens to them: one run of a scenario, from its seed to its history.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gwlock_apiserver::{ApiServer, TokioClock, Uids};
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::admin::Admin;
use super::clock::PodClock;
use super::history::What;
use super::network::{Link, Servers, ServersClock, Upstream};
use super::plan::{self, Action};
use super::pod::{self, Character, NAMESPACE, Pod, namespace_of_its_own};
use super::protocol::{Protocol, Speaks};
use super::recorder::{Recorded, Recorder, short};
use super::scenario::{Kind, Scenario};
use super::shared::Shared;

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
        let upstream = Upstream::Embedded(server, clock);
        let recorder = Recorder::new(start);
        let admin = Admin::new(
            upstream.clone(),
            NAMESPACE,
            recorder.clone(),
            rng.next_u64(),
        );
        admin.prepare().await?;
        if scenario.leaked {
            for key in 0..scenario.fingerprints {
                let lease = pod::signal(key, wall)?.fingerprint().lease_name();
                admin.leak(lease.as_str(), wall).await?;
            }
        }
        let servers = Servers::new(upstream, recorder, &scenario);
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
        if !plan::is_of_a_pod(kind) {
            self.servers.begin(kind);
            return self.admin.act(kind).await;
        }
        let count = self.pods.len();
        let process = &mut self.pods[pod as usize % count].process;
        match (kind, &process) {
            (_, None) => {}
            (Kind::Crash, Some(running)) => {
                running.link.die();
                *process = None;
            }
            (_, Some(running)) => running.link.begin(kind),
        }
        Ok(())
    }

    async fn finish(&mut self, kind: Kind, pod: u32) -> anyhow::Result<()> {
        if !plan::is_of_a_pod(kind) {
            self.servers.finish(kind);
            return Ok(());
        }
        let at = pod as usize % self.pods.len();
        match (kind, &self.pods[at].process) {
            (Kind::Crash, None) => {
                let mut place = self.pods.remove(at);
                place.restarts += 1;
                self.launch(&mut place).await?;
                self.pods.insert(at, place);
            }
            (_, Some(running)) => running.link.finish(kind),
            (_, None) => {}
        }
        Ok(())
    }

    /// Nothing goes wrong any more; everybody ends what he has begun, and every lease that was left expires.
    async fn rest(mut self) -> anyhow::Result<Recorded> {
        self.servers.calm();
        for place in &self.pods {
            if let Some(process) = &place.process {
                process.link.recover();
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
}

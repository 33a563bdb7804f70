//! Real processes in real time: replicas as children of this process, each behind a network of its own, killed, stopped
//! and sent to as the plan of a seed says. What happens is recorded and judged as a simulation is.
//!
//! Two things of a scenario are left out, because nobody can give them to a process: wall clocks that are off, and API
//! servers whose clocks differ.

pub(crate) mod member;
mod place;
mod relay;
mod sender;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use gwlock_apiserver::{ApiServer, TokioClock, Uids};
use gwlock_engine::protocol::key::Target;
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, sleep_until, timeout, timeout_at};

use super::admin::Admin;
use super::history::{Event, FORMAT, Header, History, What};
use super::holds;
use super::network::{Servers, ServersClock, Upstream};
use super::plan::{self, Action, Step};
use super::protocol::Protocol;
use super::recorder::{Recorder, short};
use super::scenario::{Kind, Scenario};
use super::{LONGEST_WAIT_SECONDS, Run, order};
use crate::output::progress;
use member::Membership;
use place::{Place, Started};
use sender::Sender;

/// Longer than anybody works on when nothing goes wrong any more.
const PATIENCE: Duration = Duration::from_secs(120);
/// How much longer than a lease lasts everybody rests, so that every one that was left has expired.
const REST: Duration = Duration::from_secs(10);
/// How long a replica may take to end.
const ENDING: Duration = Duration::from_secs(10);
/// How often is asked for what comes by itself.
const EVERY: Duration = Duration::from_millis(250);

/// Where the processes work.
#[derive(Clone)]
pub(crate) enum Ground {
    /// An API server in this process.
    Embedded,
    /// A cluster, in a namespace that is made for it.
    Cluster(kube::Client),
    /// One pod of several, each of which plays its own part.
    Member(kube::Client, Membership),
}

/// What is played.
pub(crate) struct Settings {
    /// The scenario's name or file.
    pub(crate) name: String,
    pub(crate) scenario: Scenario,
    pub(crate) protocol: Protocol,
    pub(crate) seed: u64,
    pub(crate) ground: Ground,
    /// The command that plays the same.
    pub(crate) command: String,
}

/// Processes, and everything around them.
pub(crate) struct Live {
    settings: Settings,
    plan: Vec<Step>,
    rng: StdRng,
    admin: Arc<Admin>,
    servers: Servers,
    namespace: String,
    /// When the history began.
    start: Instant,
    /// The clock of the holds' files when the history began.
    began: u64,
    folder: TempDir,
    places: Vec<Place>,
    starting: JoinSet<anyhow::Result<(usize, Started)>>,
    signals: JoinSet<(u64, Option<String>)>,
    sender: Sender,
    /// The name of the request that each signal was counted on.
    counted_on: BTreeMap<u64, String>,
}

impl Live {
    /// Draws the plan. Nothing is made and nothing is started.
    pub(crate) fn new(settings: Settings) -> anyhow::Result<Self> {
        let mut rng = StdRng::seed_from_u64(settings.seed);
        let mut scenario = settings.scenario.clone();
        plan::vary(&mut scenario, &mut StdRng::seed_from_u64(rng.next_u64()));
        let plan = plan::draw(&scenario, &mut StdRng::seed_from_u64(rng.next_u64()));
        let (upstream, namespace) = match &settings.ground {
            Ground::Embedded => {
                let clock = Arc::new(ServersClock::new(TokioClock::starting_at(Timestamp::now())));
                let server = ApiServer::builder()
                    .clock(clock.clone())
                    .uids(Uids::seeded(rng.next_u64()))
                    .build();
                (
                    Upstream::Embedded(server, clock),
                    super::pod::NAMESPACE.to_owned(),
                )
            }
            Ground::Cluster(client) => {
                let run: u32 = StdRng::try_from_rng(&mut rand::rngs::SysRng)?.next_u32();
                (
                    Upstream::Cluster(client.clone()),
                    format!("gwlock-simulate-{run:08x}"),
                )
            }
            Ground::Member(client, own) => {
                // Each has a network of its own.
                rng = StdRng::seed_from_u64(rng.next_u64() ^ u64::from(own.number));
                (Upstream::Cluster(client.clone()), own.namespace.clone())
            }
        };
        let start = Instant::now();
        let recorder = Recorder::new(start);
        let began = holds::since_boot();
        let admin = Admin::new(
            upstream.clone(),
            &namespace,
            recorder.clone(),
            rng.next_u64(),
        );
        let servers = Servers {
            reads_are_told: true,
            ..Servers::new(upstream, recorder, &scenario)
        };
        Ok(Self {
            settings: Settings {
                scenario,
                ..settings
            },
            plan,
            rng,
            admin: Arc::new(admin),
            servers,
            sender: Sender::new(&namespace),
            namespace,
            start,
            began,
            folder: TempDir::with_prefix("gwlock-simulate-")?,
            places: Vec::new(),
            starting: JoinSet::new(),
            signals: JoinSet::new(),
            counted_on: BTreeMap::new(),
        })
    }

    /// Plays the plan to its end, and judges what happened.
    pub(crate) async fn play(&mut self) -> anyhow::Result<Run> {
        self.prepare().await?;
        self.follow_plan(Instant::now()).await?;
        let _waiting = progress::waiting("waiting until everybody has come to rest".to_owned());
        self.rest().await
    }

    async fn follow_plan(&mut self, start: Instant) -> anyhow::Result<()> {
        let lasts = self.plan.last().map_or(Duration::ZERO, |step| step.at);
        let bar = progress::bar(lasts.as_secs() + 1, "playing, a step is a second");
        let mut seconds = interval(Duration::from_secs(1));
        let mut steps = std::mem::take(&mut self.plan).into_iter().peekable();
        while let Some(next) = steps.peek().copied() {
            tokio::select! {
                biased;
                Some(started) = self.starting.join_next() => {
                    let (place, started) = started??;
                    self.places[place].started(started);
                }
                Some(answered) = self.signals.join_next() => self.answered(answered?),
                () = sleep_until(start + next.at) => {
                    steps.next();
                    self.act(next.action).await?;
                }
                _ = seconds.tick() => bar.set_position(start.elapsed().as_secs()),
            }
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// Kills every process.
    pub(crate) async fn abandon(&mut self) {
        self.starting.shutdown().await;
        for place in &mut self.places {
            place.kill().await;
        }
    }

    /// Removes what was made on a cluster.
    pub(crate) async fn clean_up(&self) -> anyhow::Result<()> {
        match self.settings.ground {
            Ground::Embedded | Ground::Member(..) => Ok(()),
            Ground::Cluster(_) => patiently(async || self.admin.clean_up().await).await,
        }
    }

    async fn prepare(&mut self) -> anyhow::Result<()> {
        match &self.settings.ground {
            Ground::Embedded => self.admin.prepare().await?,
            Ground::Cluster(_) => self.admin.namespace(&self.namespace).await?,
            Ground::Member(_, own) => {
                let own = own.clone();
                return self.get_ready(&own).await;
            }
        }
        for key in 0..self.settings.scenario.fingerprints {
            self.admin.deployment(&super::subject(key)).await?;
            if self.settings.scenario.leaked {
                let lease = self.target(key)?.fingerprint().lease_name();
                self.admin.leak(lease.as_str(), Timestamp::now()).await?;
            }
        }
        for number in 0..self.settings.scenario.pods {
            self.place(number, &format!("pod-{number}")).await?;
        }
        self.all_started().await
    }

    /// A pod of this number and name, in which a process starts.
    async fn place(&mut self, number: u32, name: &str) -> anyhow::Result<()> {
        let folder = self.folder.path();
        let place = Place::new(number, name, &self.servers, folder, &mut self.rng).await?;
        self.places.push(place);
        self.start(self.places.len() - 1).await
    }

    async fn all_started(&mut self) -> anyhow::Result<()> {
        while let Some(started) = self.starting.join_next().await {
            let (place, started) = started??;
            self.places[place].started(started);
        }
        Ok(())
    }

    /// What signals of a key are about.
    fn target(&self, key: u32) -> anyhow::Result<Target> {
        let text = format!("{}/Deployment/{}", self.namespace, super::subject(key));
        Target::parse(&text).context("a target is not understood")
    }

    async fn start(&mut self, number: usize) -> anyhow::Result<()> {
        let place = &mut self.places[number];
        let speaks = self.settings.protocol.of_pod(place.number);
        let locks = place.locks(speaks, &self.namespace);
        if locks != self.namespace {
            self.admin.namespace(&locks).await?;
        }
        let timing = self.settings.scenario.timing;
        let starting = place.start(speaks, &locks, &self.namespace, timing);
        self.starting
            .spawn(async move { Ok((number, starting.await?)) });
        Ok(())
    }

    async fn act(&mut self, action: Action) -> anyhow::Result<()> {
        match action {
            Action::Signal { key, pod } => self.signal(key, pod)?,
            Action::Begin { kind, pod } if plan::is_of_a_pod(kind) => {
                let count = self.places.len();
                self.places[pod as usize % count].begin(kind).await;
            }
            Action::Finish { kind, pod } if plan::is_of_a_pod(kind) => {
                let number = pod as usize % self.places.len();
                match kind {
                    Kind::Crash if self.places[number].is_gone() => self.start(number).await?,
                    _ => self.places[number].finish(kind),
                }
            }
            Action::Begin { kind, .. } => {
                self.servers.begin(kind);
                // Somebody else may be refused what he wanted, and tries again another time.
                if let Err(error) = self.admin.act(kind).await {
                    tracing::info!("{error:#}");
                }
            }
            Action::Finish { kind, .. } => self.servers.finish(kind),
        }
        Ok(())
    }

    /// A signal is sent to a process that runs: the one that it was meant for, or the next one.
    fn signal(&mut self, key: u32, pod: u32) -> anyhow::Result<()> {
        let count = self.places.len();
        let running = (0..count)
            .map(|step| &self.places[(pod as usize + step) % count])
            .find_map(Place::process);
        let Some((link, replica)) = running else {
            return Ok(());
        };
        let signal = self.servers.recorder.next_signal();
        let fingerprint = self.target(key)?.fingerprint();
        link.tell(What::Signal {
            signal,
            key: short(fingerprint.as_str()).to_owned(),
        });
        let sender = self.sender.clone();
        self.signals.spawn(async move {
            let answered = sender.send(&replica, key).await;
            let uid = answered
                .name
                .as_ref()
                .and_then(|name| link.servers.recorder.uid_of(name));
            link.tell(What::Answer {
                signal,
                outcome: answered.outcome,
                uid,
                count: answered.count,
                why: answered.why,
            });
            (signal, answered.name)
        });
        Ok(())
    }

    fn answered(&mut self, (signal, name): (u64, Option<String>)) {
        if let Some(name) = name {
            self.counted_on.insert(signal, name);
        }
    }

    /// Nothing goes wrong any more; everybody ends what he has begun, and every lease that was left expires.
    async fn rest(&mut self) -> anyhow::Result<Run> {
        let holds = self.come_to_rest().await?;
        let rested = async {
            while !self.admin.nothing_is_held().await.unwrap_or(false) {
                sleep(EVERY).await;
            }
        };
        let lasts = self.settings.scenario.timing.lease_duration();
        drop(timeout(lasts + REST, rested).await);
        patiently(async || self.admin.tell_of_leases().await).await?;
        patiently(async || self.admin.tell_of_requests().await).await?;
        self.servers.recorder.world(What::End);
        let (history, by_verb) = self.told(holds);
        Ok(Run::of(history, by_verb))
    }

    /// Ends everything that goes wrong, then every process, and says what they told of their holds.
    async fn come_to_rest(&mut self) -> anyhow::Result<Vec<Event>> {
        self.servers.calm();
        for place in &mut self.places {
            place.recover();
        }
        let patience = Instant::now() + PATIENCE;
        if let Ok(started) = timeout_at(patience, self.all_started()).await {
            started?;
        }
        // Who is not done by then is found by the checker.
        while let Ok(Some(answered)) = timeout_at(patience, self.signals.join_next()).await {
            self.answered(answered?);
        }
        let mut holds = Vec::new();
        for place in std::mem::take(&mut self.places) {
            holds.extend(place.end(ENDING).await?);
        }
        let landed = self.servers.under_way.until(|count| *count == 0);
        drop(timeout(PATIENCE, landed).await);
        Ok(holds)
    }

    /// Everything that has happened so far, in its order.
    fn told(&self, holds: Vec<Event>) -> (History, BTreeMap<String, u64>) {
        let recorded = self.servers.recorder.take();
        let mut events = recorded.events;
        events.extend(holds.into_iter().map(|mut event| {
            event.at = event.at.saturating_sub(self.began);
            event
        }));
        events.sort_by_key(|event| event.at);
        let mut events = order::by_version(events);
        self.name_uids(&mut events);
        let settings = &self.settings;
        let header = Header {
            format: FORMAT.to_owned(),
            seed: Some(settings.seed),
            protocol: settings.protocol.to_string(),
            scenario: settings.name.clone(),
            replay: Some(settings.command.clone()),
            longest_wait: Some(LONGEST_WAIT_SECONDS * 1_000_000),
            ..Header::default()
        };
        (History { header, events }, recorded.by_verb)
    }

    /// Senders are told names; which request that was may have been seen only later.
    fn name_uids(&self, events: &mut [Event]) {
        for event in events {
            if let What::Answer { signal, uid, .. } = &mut event.what
                && uid.is_none()
                && let Some(name) = self.counted_on.get(signal)
            {
                *uid = self.servers.recorder.uid_of(name);
            }
        }
    }
}

/// What has to succeed in the end, even if the API server has trouble of its own now.
async fn patiently(what: impl AsyncFn() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        match what().await {
            Err(_) if Instant::now() < until => sleep(EVERY).await,
            done => return done,
        }
    }
}

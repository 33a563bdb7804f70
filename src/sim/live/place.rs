//! A pod of real processes: one name, one relay, and whichever replica runs there now.

use std::ffi::OsString;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, bail};
use gwlock_engine::protocol::timing::Timing;
use jiff::SignedDuration;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::time::{Instant, sleep};

use super::relay::Relay;
use crate::exit::Exit;
use crate::process::replica::{Launch, Replica, StartError};
use crate::sim::history::{Event, What};
use crate::sim::holds;
use crate::sim::network::{Link, Servers};
use crate::sim::pod::namespace_of_its_own;
use crate::sim::protocol::{Protocol, Speaks};
use crate::sim::scenario::Kind;
use crate::sim::shared::Shared;

/// How long a replica is started again and again that does not get up, because its API server does not answer.
const STARTING: Duration = Duration::from_secs(60);
const BETWEEN_STARTS: Duration = Duration::from_millis(500);

pub(super) struct Place {
    pub(super) number: u32,
    name: String,
    servers: Servers,
    rng: StdRng,
    relay: Relay,
    folder: PathBuf,
    /// Of the process that runs, or of the next one.
    link: Arc<Link>,
    restarts: u32,
    process: Option<Started>,
    is_starting: bool,
    /// How many faults want it to stand still.
    paused: u32,
    /// The file of the holds of each process, and how often the pod had been restarted.
    holds: Vec<(u32, PathBuf)>,
}

/// A process that serves.
pub(super) struct Started(Replica);

impl Place {
    pub(super) async fn new(
        number: u32,
        name: &str,
        servers: &Servers,
        folder: &Path,
        rng: &mut StdRng,
    ) -> anyhow::Result<Self> {
        let name = name.to_owned();
        let mut rng = StdRng::seed_from_u64(rng.next_u64());
        let link = link(&name, 0, servers, &mut rng);
        let relay = Relay::start(link.clone(), &mut rng).await;
        let relay = relay.context("cannot listen on loopback")?;
        let kubeconfig = folder.join(format!("{name}.kubeconfig"));
        std::fs::write(&kubeconfig, relay.kubeconfig()).context("cannot write a kubeconfig")?;
        Ok(Self {
            number,
            name,
            servers: servers.clone(),
            rng,
            relay,
            folder: folder.to_owned(),
            link,
            restarts: 0,
            process: None,
            is_starting: false,
            paused: 0,
            holds: Vec::new(),
        })
    }

    /// The namespace of the leases of the next process.
    pub(super) fn locks(&self, speaks: Speaks, namespace: &str) -> String {
        match speaks {
            Speaks::CreateOnly => namespace_of_its_own(&self.link),
            _ => namespace.to_owned(),
        }
    }

    /// Starts a process, which takes a while.
    pub(super) fn start(
        &mut self,
        speaks: Speaks,
        locks: &str,
        requests: &str,
        timing: Timing,
    ) -> impl Future<Output = anyhow::Result<Started>> + Send + use<> {
        self.is_starting = true;
        let file = format!("{}.{}.holds", self.name, self.restarts);
        let holds = self.folder.join(file);
        self.holds.push((self.restarts, holds.clone()));
        let mut arguments: Vec<OsString> = Vec::new();
        for (flag, value) in [
            ("--scope", "all"),
            ("--namespace", locks),
            ("--controller-namespace", requests),
        ] {
            arguments.extend([flag.into(), value.into()]);
        }
        arguments.extend(["--holds".into(), holds.into_os_string()]);
        if !matches!(speaks, Speaks::Gwlock | Speaks::CreateOnly) {
            arguments.extend(["--protocol".into(), Protocol::word(speaks).into()]);
        }
        for (flag, time) in [
            ("--lease-duration", timing.lease_duration()),
            ("--renew-deadline", timing.renew_deadline()),
            ("--retry-period", timing.retry_period()),
        ] {
            arguments.extend([flag.into(), format!("{}ns", time.as_nanos()).into()]);
        }
        let kubeconfig = self.folder.join(format!("{}.kubeconfig", self.name));
        let launch = Launch {
            identity: self.name.clone(),
            arguments,
            environment: vec![
                ("KUBECONFIG", kubeconfig.into_os_string()),
                ("NO_PROXY", "127.0.0.1".into()),
                ("no_proxy", "127.0.0.1".into()),
            ],
        };
        let until = Instant::now() + STARTING;
        async move {
            loop {
                match Replica::start(launch.clone()).await {
                    Ok(replica) => return Ok(Started(replica)),
                    Err(StartError::Ended { code, .. })
                        if code == Some(Exit::Unreachable.code()) && Instant::now() < until =>
                    {
                        sleep(BETWEEN_STARTS).await;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }

    pub(super) fn started(&mut self, started: Started) {
        self.is_starting = false;
        self.link.tell(What::Started);
        self.process = Some(started);
    }

    /// Whether no process runs here, and none is about to.
    pub(super) fn is_gone(&self) -> bool {
        self.process.is_none() && !self.is_starting
    }

    /// The network of the process that runs here, and where signals are sent to.
    pub(super) fn process(&self) -> Option<(Arc<Link>, String)> {
        let Started(replica) = self.process.as_ref()?;
        Some((self.link.clone(), replica.signals.clone()))
    }

    pub(super) async fn begin(&mut self, kind: Kind) {
        match kind {
            Kind::Crash => self.crash().await,
            Kind::Pause => {
                if let Some(Started(replica)) = &self.process {
                    self.paused += 1;
                    replica.stop();
                    self.link.tell(What::Stopped {
                        why: "paused".to_owned(),
                    });
                }
            }
            _ if self.process.is_some() => self.link.begin(kind),
            _ => {}
        }
    }

    async fn crash(&mut self) {
        if !self.kill().await {
            return;
        }
        self.link.die();
        self.restarts += 1;
        self.paused = 0;
        self.link = link(&self.name, self.restarts, &self.servers, &mut self.rng);
        self.relay.serve(self.link.clone());
    }

    /// Kills the process that runs here, and says whether there was one.
    pub(super) async fn kill(&mut self) -> bool {
        match self.process.take() {
            Some(Started(replica)) => {
                replica.kill().await;
                true
            }
            None => false,
        }
    }

    pub(super) fn finish(&mut self, kind: Kind) {
        match kind {
            Kind::Pause => {
                if self.paused == 0 {
                    return;
                }
                self.paused -= 1;
                // Told first: it may work on at once.
                self.link.tell(What::Resumed {
                    why: "paused".to_owned(),
                });
                if let (0, Some(Started(replica))) = (self.paused, &self.process) {
                    replica.resume();
                }
            }
            _ => self.link.finish(kind),
        }
    }

    /// Ends everything that befell it.
    pub(super) fn recover(&mut self) {
        while self.paused > 0 {
            self.finish(Kind::Pause);
        }
        self.link.recover();
    }

    /// Ends the process, and says what all that ran here have told of their holds.
    pub(super) async fn end(mut self, patience: Duration) -> anyhow::Result<Vec<Event>> {
        if let Some(Started(mut replica)) = self.process.take() {
            if replica.has_ended() {
                let said = replica.said().join("\n");
                bail!("{} has ended by itself:\n{said}", self.name);
            }
            replica.end(patience).await;
        }
        let mut events = Vec::new();
        for (restarts, path) in &self.holds {
            // A process that was killed before it served has none.
            let told = holds::of_file(path).unwrap_or_default();
            events.extend(told.into_iter().map(|mut event| {
                event.incarnation = *restarts;
                event
            }));
        }
        Ok(events)
    }
}

fn link(pod: &str, incarnation: u32, servers: &Servers, rng: &mut StdRng) -> Arc<Link> {
    Arc::new(Link {
        pod: pod.to_owned(),
        incarnation,
        servers: servers.clone(),
        gate: Shared::default(),
        off: SignedDuration::ZERO,
        rng: Mutex::new(StdRng::seed_from_u64(rng.next_u64())),
    })
}

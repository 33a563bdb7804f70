//! Simultaneous duplicates of one RemediationRequest, counted in every way that was open, on the embedded API server.
//!
//! A request is on its way for half a millisecond to three; the server itself takes no time. No way is told what the others
//! do, and all of them start with a request that exists.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use gwlock::gateway::GatewayVersion;
use gwlock::gateway::ingest::Ingestion;
use gwlock::sim::protocols::gateway::{GatewaySignals, Place};
use gwlock_apiserver::{ApiServer, TokioClock as ServerClock, Uids};
use gwlock_engine::client::{LeaseLock, TokioClock};
use gwlock_engine::remediation::{Signal, SignalProcessor};
use http::Request;
use jiff::Timestamp;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::client::Body;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use serde_json::{Value, json};
use tokio::time::Instant;
use tower::Service;

const NAMESPACE: &str = "kubernaut-system";
const NAME: &str = "rr-000000000000-00000000";
const LATENCY_MS: std::ops::Range<f64> = 0.5..3.0;
/// Figures are medians over so many runs.
const RUNS: u64 = 3;
/// How often the orchestrator writes while it is busy with the request.
const ORCHESTRATION: Duration = Duration::from_millis(4);

const STORMS: [Size; 3] = [
    Size {
        signals: 5,
        processes: 5,
        is_orchestrated: false,
    },
    Size {
        signals: 50,
        processes: 5,
        is_orchestrated: false,
    },
    Size {
        signals: 50,
        processes: 5,
        is_orchestrated: true,
    },
];

/// How many signals come at once.
#[derive(Debug, Clone, Copy)]
struct Size {
    signals: usize,
    /// What they are spread over.
    processes: usize,
    /// Whether somebody else writes other fields of the status meanwhile.
    is_orchestrated: bool,
}

/// How a duplicate is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    AcceptTheLoss,
    UnderTheLock,
    PutUntilItSucceeds,
    PatchAlone,
    PatchTogether,
}

/// What a storm came to.
#[derive(Debug, Clone, Copy)]
struct Outcome {
    requests: usize,
    /// Answered and not counted.
    lost: usize,
    failed: usize,
    /// Until the last answer.
    took: Duration,
}

/// One run.
struct Storm {
    server: ApiServer,
    clock: TokioClock,
    requests: Arc<Mutex<usize>>,
    signal: Signal,
    rng: Mutex<StdRng>,
}

/// A table for each storm, in Markdown.
pub(crate) fn tables() -> String {
    let tables = STORMS.map(|size| {
        let rows = Way::ALL.map(|way| row(way, size));
        let meanwhile = match size.is_orchestrated {
            true => format!(
                ", while the orchestrator writes another field every {} ms",
                ORCHESTRATION.as_millis()
            ),
            false => String::new(),
        };
        format!(
            "{} simultaneous duplicates over {} processes{meanwhile}:\n\n\
             | Way | Requests | Requests per signal | Counts lost | Most lost | Failed | Until the last answer |\n\
             |---|---|---|---|---|---|---|\n{}",
            size.signals,
            size.processes,
            rows.concat()
        )
    });
    tables.join("\n")
}

fn row(way: Way, size: Size) -> String {
    let runs: Vec<Outcome> = (0..RUNS)
        .map(|seed| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .unwrap();
            runtime.block_on(run(way, size, seed))
        })
        .collect();
    let median = |figure: fn(&Outcome) -> usize| {
        let mut figures: Vec<usize> = runs.iter().map(figure).collect();
        figures.sort_unstable();
        figures[figures.len() / 2]
    };
    let requests = median(|run| run.requests);
    let most_lost = runs.iter().map(|run| run.lost).max().unwrap_or(0);
    format!(
        "| {} | {requests} | {:.1} | {} | {most_lost} | {} | {} ms |\n",
        way.name(),
        // Far below what a float holds exactly.
        requests as f64 / size.signals as f64,
        median(|run| run.lost),
        median(|run| run.failed),
        median(|run| run.took.as_millis() as usize),
    )
}

async fn run(way: Way, size: Size, seed: u64) -> Outcome {
    let storm = Storm::new(seed).await;
    let started = Instant::now();
    let sending = storm.send(way, size.signals, size.processes);
    let answered = tokio::select! {
        answered = sending => answered,
        () = storm.orchestrate(), if size.is_orchestrated => unreachable!("it has no end"),
    };
    let took = started.elapsed();
    // What goes on after the last answer, the release of leases, is paid for as well.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let requests = *storm.requests.lock().unwrap();
    let counted = usize::try_from(storm.count().await - 1).unwrap();
    assert!(counted <= answered, "{way:?}: {counted} of {answered}");
    Outcome {
        requests,
        lost: answered - counted,
        failed: size.signals - answered,
        took,
    }
}

impl Way {
    const ALL: [Self; 5] = [
        Self::AcceptTheLoss,
        Self::UnderTheLock,
        Self::PutUntilItSucceeds,
        Self::PatchAlone,
        Self::PatchTogether,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::AcceptTheLoss => "accept the loss: the gateway as it is",
            Self::UnderTheLock => "wait for the lease and count under it",
            Self::PutUntilItSucceeds => "PUT, again until there is no conflict",
            Self::PatchAlone => "JSON patch with `test`, each signal alone",
            Self::PatchTogether => "JSON patch with `test`, those of a process together",
        }
    }
}

impl Storm {
    async fn new(seed: u64) -> Self {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let server = ApiServer::builder()
            .clock(Arc::new(ServerClock::starting_at(start)))
            .uids(Uids::seeded(seed))
            .build();
        let storm = Self {
            server,
            clock: TokioClock::starting_at(start),
            requests: Arc::default(),
            signal: signal(start).await,
            rng: Mutex::new(StdRng::seed_from_u64(seed)),
        };
        storm.prepare(start).await;
        storm
    }

    async fn prepare(&self, start: Timestamp) {
        let definition: Value = serde_yaml::from_str(gwlock_testkit::REMEDIATION_REQUESTS).unwrap();
        let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        self.post(definitions, &definition).await;
        let namespace = json!({"metadata": {"name": NAMESPACE}});
        self.post("/api/v1/namespaces", &namespace).await;
        let object = self.signal.to_object(NAMESPACE, NAME, start);
        let path =
            format!("/apis/kubernaut.ai/v1alpha1/namespaces/{NAMESPACE}/remediationrequests");
        self.post(&path, &object).await;
        let requests = requests(self.direct());
        let mut request = requests.get(NAME).await.unwrap();
        request.data["status"] = json!({"overallPhase": "Executing"});
        count_up(&mut request);
        let options = PostParams::default();
        requests
            .replace_status(NAME, &options, &request)
            .await
            .unwrap();
    }

    async fn post(&self, path: &str, object: &Value) {
        let request = Request::post(path)
            .header("content-type", "application/json")
            .body(object.to_string().into_bytes())
            .unwrap();
        let _: Value = self.direct().request(request).await.unwrap();
    }

    /// A client whose requests are not counted and take no time.
    fn direct(&self) -> kube::Client {
        kube::Client::new(self.server.clone(), NAMESPACE)
    }

    /// A client of one process.
    fn client(&self) -> kube::Client {
        let (server, requests) = (self.server.clone(), self.requests.clone());
        let rng = Arc::new(Mutex::new(self.fork()));
        let service = tower::service_fn(move |request: Request<Body>| {
            let mut server = server.clone();
            let (there, back) = {
                let mut rng = rng.lock().unwrap();
                let (latency, share) = (rng.random_range(LATENCY_MS), rng.random::<f64>());
                (latency * share, latency * (1.0 - share))
            };
            *requests.lock().unwrap() += 1;
            async move {
                tokio::time::sleep(Duration::from_secs_f64(there / 1e3)).await;
                let answer = server.call(request).await;
                tokio::time::sleep(Duration::from_secs_f64(back / 1e3)).await;
                answer
            }
        });
        kube::Client::new(service, NAMESPACE)
    }

    fn fork(&self) -> StdRng {
        StdRng::seed_from_u64(self.rng.lock().unwrap().next_u64())
    }

    /// Writes for as long as it is polled.
    async fn orchestrate(&self) {
        let requests = requests(self.direct());
        for number in 0_u64.. {
            tokio::time::sleep(ORCHESTRATION).await;
            let patch = json!({"status": {"blockReason": number.to_string()}});
            let (patch, options) = (Patch::Merge(patch), PatchParams::default());
            requests.patch_status(NAME, &options, &patch).await.unwrap();
        }
    }

    async fn count(&self) -> i64 {
        let request = requests(self.direct()).get(NAME).await.unwrap();
        let count = &request.data["status"]["deduplication"]["occurrenceCount"];
        count.as_i64().unwrap()
    }

    /// Sends the signals at once, and says how many were answered with success.
    async fn send(&self, way: Way, signals: usize, processes: usize) -> usize {
        let clients: Vec<kube::Client> = (0..processes).map(|_| self.client()).collect();
        let client = |number: usize| clients[number % processes].clone();
        let results: Vec<bool> = match way {
            Way::AcceptTheLoss => {
                let pods: Vec<GatewaySignals> = (0..processes)
                    .map(|pod| self.gateway(client(pod), pod))
                    .collect();
                let processed =
                    (0..signals).map(|number| pods[number % processes].process(&self.signal));
                join_all(processed)
                    .await
                    .iter()
                    .map(Result::is_ok)
                    .collect()
            }
            Way::UnderTheLock => {
                join_all((0..signals).map(|number| self.under_the_lock(client(number)))).await
            }
            Way::PutUntilItSucceeds => {
                join_all((0..signals).map(|number| self.put(client(number)))).await
            }
            Way::PatchAlone => {
                let alone: Vec<SignalProcessor> = (0..signals)
                    .map(|number| self.processor(client(number)))
                    .collect();
                self.process(&alone, signals).await
            }
            Way::PatchTogether => {
                let together: Vec<SignalProcessor> = (0..processes)
                    .map(|number| self.processor(client(number)))
                    .collect();
                self.process(&together, signals).await
            }
        };
        results.into_iter().filter(|is_ok| *is_ok).count()
    }

    fn gateway(&self, client: kube::Client, pod: usize) -> GatewaySignals {
        let place = Place {
            locks: NAMESPACE,
            requests: NAMESPACE,
            pod: Some(&format!("gateway-{pod}")),
        };
        GatewaySignals::new(client, place, Arc::new(self.clock), self.fork())
    }

    fn processor(&self, client: kube::Client) -> SignalProcessor {
        SignalProcessor::builder(client, NAMESPACE, NAMESPACE, "replica")
            .clock(Arc::new(self.clock))
            .rng(self.fork())
            .build()
    }

    async fn process(&self, processors: &[SignalProcessor], signals: usize) -> Vec<bool> {
        let processed = (0..signals)
            .map(|number| processors[number % processors.len()].process(self.signal.clone()));
        join_all(processed)
            .await
            .iter()
            .map(Result::is_ok)
            .collect()
    }

    /// The engine's lease, which wakes its waiters, around LIST and PUT.
    async fn under_the_lock(&self, client: kube::Client) -> bool {
        let name = self.signal.fingerprint().lease_name();
        let lock = LeaseLock::builder(client.clone(), NAMESPACE, name, "replica")
            .clock(Arc::new(self.clock))
            .rng(self.fork())
            .build();
        let Ok(guard) = lock.acquire(Duration::from_secs(15)).await else {
            return false;
        };
        let requests = requests(client);
        let mut request = self.list(&requests).await;
        count_up(&mut request);
        let options = PostParams::default();
        let written = requests.replace_status(NAME, &options, &request).await;
        // As the engine does it: the answer does not wait for the release.
        tokio::spawn(async move { guard.release().await });
        written.is_ok()
    }

    /// With the delays that the engine has between its own tries.
    async fn put(&self, client: kube::Client) -> bool {
        let (requests, mut rng) = (requests(client), self.fork());
        let mut request = self.list(&requests).await;
        let mut spread = Duration::from_millis(10);
        loop {
            count_up(&mut request);
            let options = PostParams::default();
            match requests.replace_status(NAME, &options, &request).await {
                Ok(_) => return true,
                Err(kube::Error::Api(status)) if status.reason == "Conflict" => {}
                Err(_) => return false,
            }
            tokio::time::sleep(spread.mul_f64(rng.random::<f64>())).await;
            spread = (spread * 2).min(Duration::from_millis(640));
            request = requests.get(NAME).await.unwrap();
        }
    }

    async fn list(&self, requests: &Api<DynamicObject>) -> DynamicObject {
        let fingerprint = self.signal.fingerprint();
        let selected =
            ListParams::default().fields(&format!("spec.signalFingerprint={fingerprint}"));
        requests.list(&selected).await.unwrap().items.remove(0)
    }
}

async fn signal(now: Timestamp) -> Signal {
    let body = json!({"version": "4", "alerts": [{
        "status": "firing", "startsAt": now.to_string(),
        "labels": {
            "alertname": "HighMemoryUsage", "severity": "critical", "namespace": "prod", "deployment": "payment-api",
        },
    }]});
    let ingestion = Ingestion::offline(GatewayVersion::Current);
    let webhook = ingestion
        .webhook(body.to_string().into_bytes(), None, now)
        .unwrap();
    let signal = ingestion.alert(&webhook, &webhook.alerts[0], now).await;
    signal.unwrap()
}

fn requests(client: kube::Client) -> Api<DynamicObject> {
    let resource = ApiResource {
        group: "kubernaut.ai".to_owned(),
        version: "v1alpha1".to_owned(),
        api_version: "kubernaut.ai/v1alpha1".to_owned(),
        kind: "RemediationRequest".to_owned(),
        plural: "remediationrequests".to_owned(),
    };
    Api::namespaced_with(client, NAMESPACE, &resource)
}

fn count_up(request: &mut DynamicObject) {
    let seen = "2026-01-01T00:00:00Z";
    let counted = &mut request.data["status"]["deduplication"];
    let count = counted["occurrenceCount"].as_i64().unwrap_or(0);
    *counted = json!({"firstSeenAt": seen, "lastSeenAt": seen, "occurrenceCount": count + 1});
}

//! What lies between a pod and the API server. Every fault sits here, and in the clocks.
//!
//! A request is carried by a task of its own, so that it may land although its sender has gone or stands still. What a
//! pod makes of an answer is not known here.

mod asked;
mod body;
mod faults;
mod upstream;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use gwlock_apiserver::ConnectionLost;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use jiff::SignedDuration;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use tokio::sync::oneshot;

use super::history::What;
use super::plan::{self, within};
use super::recorder::Recorder;
use super::scenario::{Latency, Requests, Scenario};
use super::shared::Shared;
use asked::{Asked, denied, refusal};
pub(super) use body::AnswerBody;
#[cfg(feature = "serve")]
pub(super) use body::whole;
pub(crate) use upstream::{ServersClock, Upstream};

/// What stands between one process and the network now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Gate {
    /// Nothing goes out and nothing comes in; what was about to be sent is sent when it goes on.
    pub(super) paused: u32,
    /// Nothing gets through.
    pub(super) cut_off: u32,
    /// For ever.
    pub(super) dead: bool,
    /// How often its watches have been cut.
    pub(super) cuts: u32,
    pub(super) stalled: u32,
}

/// What is wrong for everybody now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Weather {
    pub(super) down: u32,
    pub(super) restarts: u32,
    pub(super) no_status: u32,
    pub(super) no_leases: u32,
    /// Nothing goes wrong any more.
    pub(super) calm: bool,
}

/// The API servers, and what they have in common for all who ask them.
#[derive(Clone)]
pub(super) struct Servers {
    pub(super) upstream: Upstream,
    pub(super) weather: Shared<Weather>,
    pub(super) recorder: Recorder,
    pub(super) requests: Requests,
    pub(super) latency: Latency,
    /// How many requests are on their way.
    pub(super) under_way: Shared<usize>,
    /// Whether what a process reads is news: not where it is certain that every write is seen.
    pub(super) reads_are_told: bool,
}

/// A request on its way, until it is dropped.
struct UnderWay(Shared<usize>);

impl UnderWay {
    fn begin(count: &Shared<usize>) -> Self {
        count.change(|count| *count += 1);
        Self(count.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.change(|count| *count -= 1);
    }
}

/// The network of one process.
pub(super) struct Link {
    pub(super) pod: String,
    pub(super) incarnation: u32,
    pub(super) servers: Servers,
    pub(super) gate: Shared<Gate>,
    /// How far the clock of the API server is off that it talks to.
    pub(super) off: SignedDuration,
    pub(super) rng: Mutex<StdRng>,
}

/// What is going to happen to a request, drawn when it is sent.
struct Fate {
    there: Duration,
    back: Duration,
    lost: bool,
    unanswered: bool,
    /// Nobody tells the sender that the connection is gone.
    silent: bool,
    late: Duration,
    refused: Option<u16>,
    /// It is carried out although it is refused.
    disguised: bool,
    /// It waits for a partition to end.
    patient: bool,
}

pub(super) type Answer = Result<Response<AnswerBody>, ConnectionLost>;

impl Servers {
    /// Servers of which every write is seen here.
    pub(super) fn new(upstream: Upstream, recorder: Recorder, scenario: &Scenario) -> Self {
        Self {
            upstream,
            weather: Shared::default(),
            recorder,
            requests: scenario.requests,
            latency: scenario.latency.clone(),
            under_way: Shared::default(),
            reads_are_told: false,
        }
    }
}

impl Link {
    /// A client on this network.
    pub(super) fn client(self: &Arc<Self>, namespace: &str) -> kube::Client {
        let link = self.clone();
        let service = tower::service_fn(move |request: Request<kube::client::Body>| {
            let link = link.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await.map_err(|_| ConnectionLost)?;
                link.carry(parts, body.to_bytes()).await
            }
        });
        kube::Client::new(service, namespace)
    }

    /// Tells of something that this process saw or did, unless it is dead.
    pub(super) fn tell(&self, what: What) {
        if !self.gate.now().dead {
            self.servers
                .recorder
                .tell(&self.pod, self.incarnation, what);
        }
    }

    /// Waits until something can leave or enter the process; not, if it dies before.
    pub(super) async fn passes(&self) -> bool {
        self.gate.until(|gate| gate.dead || gate.paused == 0).await;
        !self.gate.now().dead
    }

    /// The same of any request. Those that are about something else than leases and RemediationRequests are not judged,
    /// and nothing befalls them.
    #[cfg(feature = "serve")]
    pub(super) async fn relay(self: Arc<Self>, parts: Parts, body: Bytes) -> Answer {
        if Asked::matters(parts.uri.path()) {
            return self.carry(parts, body).await;
        }
        let request = Request::from_parts(parts, Full::new(body));
        self.servers.upstream.serve(request, self.off).await
    }

    /// Carries a request to the API server, and its answer back, if both get there.
    pub(super) async fn carry(self: Arc<Self>, parts: Parts, body: Bytes) -> Answer {
        let asked = Asked::of(&parts, &body);
        let call = self.servers.recorder.next_call(asked.verb, &asked.resource);
        self.tell(asked.call(call));
        let fate = self.draw(&asked);
        let (answer, answered) = oneshot::channel();
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = parts.method;
        *request.uri_mut() = parts.uri;
        *request.headers_mut() = parts.headers;
        let under_way = UnderWay::begin(&self.servers.under_way);
        let delivery = self.clone().deliver(call, asked, request, fate, answer);
        tokio::spawn(async move {
            delivery.await;
            drop(under_way);
        });
        match answered.await {
            Ok(answer) => answer,
            // It went into the dark; whoever waits has a deadline, or waits for ever.
            Err(_) => std::future::pending().await,
        }
    }

    fn draw(&self, asked: &Asked) -> Fate {
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        // The same number of draws for every request, whatever the rates are.
        let mut rng = StdRng::seed_from_u64(rng.random());
        let rates = &self.servers.requests;
        let calm = self.servers.weather.now().calm;
        let mut hit = |rate: f64| rng.random_bool(rate.clamp(0.0, 1.0)) && !calm;
        let is_write = asked.is_write();
        let lost = hit(rates.lost);
        let unanswered = hit(rates.unanswered);
        let late = hit(rates.late) && is_write;
        let slow = hit(rates.slow);
        let refusals = [
            (409, hit(rates.conflict) && is_write),
            (429, hit(rates.too_many)),
            (500, hit(rates.failing)),
            (503, hit(rates.unavailable)),
            (504, hit(rates.timed_out)),
        ];
        let refused = refusals.iter().find(|(_, hit)| *hit).map(|(code, _)| *code);
        let latency = plan::latency(&self.servers.latency, &mut rng);
        let share: f64 = rng.random();
        let mut there = latency.mul_f64(share);
        let mut back = latency.mul_f64(1.0 - share);
        if slow {
            let more = within(rates.slow_by, &mut rng);
            match rng.random() {
                true => there += more,
                false => back += more,
            }
        }
        Fate {
            there,
            back,
            lost,
            unanswered,
            silent: rng.random(),
            late: match late {
                true => within(rates.late_by, &mut rng),
                false => Duration::ZERO,
            },
            disguised: matches!(refused, Some(500 | 504)) && rng.random(),
            refused,
            patient: rng.random(),
        }
    }

    async fn deliver(
        self: Arc<Self>,
        call: u64,
        asked: Asked,
        request: Request<Full<Bytes>>,
        fate: Fate,
        answer: oneshot::Sender<Answer>,
    ) {
        if !self.passes().await {
            return;
        }
        tokio::time::sleep(fate.there).await;
        if self.gate.now().cut_off > 0 {
            if !fate.patient {
                return;
            }
            self.gate.until(|gate| gate.cut_off == 0).await;
        }
        let restarts = {
            let weather = self.servers.weather.now();
            match weather.down {
                0 => weather.restarts,
                _ => u32::MAX,
            }
        };
        let outcome = match restarts {
            u32::MAX => Some(Err(ConnectionLost)),
            _ => self.handle(&asked, request, &fate).await,
        };
        let Some(outcome) = outcome else { return };
        tokio::time::sleep(fate.back).await;
        let cut = self.servers.weather.now().restarts != restarts;
        if self.gate.now().cut_off > 0 && !fate.patient {
            return;
        }
        self.gate.until(|gate| gate.cut_off == 0 || gate.dead).await;
        if !self.passes().await || answer.is_closed() {
            return;
        }
        let outcome = match outcome {
            Ok(_) if cut && restarts != u32::MAX => Err(ConnectionLost),
            outcome => outcome,
        };
        let (status, version) = match &outcome {
            Ok((response, version)) => (Some(response.status().as_u16()), version.clone()),
            Err(_) => (None, None),
        };
        self.tell(What::Reply {
            call,
            status,
            version,
        });
        // Whoever has gone away meanwhile does not miss it.
        drop(answer.send(outcome.map(|(response, _)| response)));
    }

    /// What the API server makes of a request, or nothing if nobody is told.
    async fn handle(
        &self,
        asked: &Asked,
        request: Request<Full<Bytes>>,
        fate: &Fate,
    ) -> Option<Result<(Response<AnswerBody>, Option<String>), ConnectionLost>> {
        let gone = || (!fate.silent).then_some(Err(ConnectionLost));
        if fate.lost {
            return gone();
        }
        let whole = |response: Response<Bytes>| response.map(body::whole);
        let is_denied = {
            let weather = self.servers.weather.now();
            asked.is_status_write() && weather.no_status > 0
                || asked.resource == "leases" && weather.no_leases > 0
        };
        if is_denied {
            return Some(Ok((whole(denied(asked)), None)));
        }
        if let Some(code) = fate.refused.filter(|_| !fate.disguised) {
            return Some(Ok((whole(refusal(code)), None)));
        }
        tokio::time::sleep(fate.late).await;
        let Ok(response) = self.servers.upstream.serve(request, self.off).await else {
            return gone();
        };
        if asked.verb == "watch" && response.status().is_success() {
            let weather = self.servers.weather.clone();
            let response = response.map(|body| body::watched(body, self.gate.clone(), weather));
            return Some(Ok((response, None)));
        }
        let (parts, body) = response.into_parts();
        let Ok(body) = body.collect().await else {
            return gone();
        };
        let body = body.to_bytes();
        let mut version = None;
        if parts.status.is_success() {
            if asked.is_request_write() {
                let object: Value = serde_json::from_slice(&body).unwrap_or_default();
                self.servers.recorder.request(&object, false);
            }
            if asked.is_request_read() && self.servers.reads_are_told {
                let read: Value = serde_json::from_slice(&body).unwrap_or_default();
                let items = read["items"].as_array();
                for object in items.map_or(std::slice::from_ref(&read), Vec::as_slice) {
                    self.servers.recorder.request(object, false);
                }
            }
            if asked.resource == "leases" {
                version = asked::version_in(&body);
            }
        }
        if fate.unanswered {
            return gone();
        }
        if let Some(code) = fate.refused {
            return Some(Ok((whole(refusal(code)), None)));
        }
        Some(Ok((whole(Response::from_parts(parts, body)), version)))
    }
}

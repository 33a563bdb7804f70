//! Through the protocol on the current cluster: what a gateway would do with a signal, without one.

mod meaning;

use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use clap_complete::engine::ArgValueCompleter;
use futures_util::{StreamExt as _, stream};
use gwlock_engine::protocol::timing::Timing;
use gwlock_engine::remediation::outcome::{Because, Counted};
use gwlock_engine::remediation::processor::{Check, DEFAULT_BUDGET, Rehearsal};
use gwlock_engine::remediation::{Disposition, Processed, Signal};
use jiff::Timestamp;

use crate::commands::consent::{self, Consent};
use crate::commands::processing::{Processing, Scope, Settings};
use crate::complete;
use crate::context::{Cluster, Context};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::flags::{DryRun, duration};
use crate::gateway::GatewayVersion;
use crate::gateway::compose::Source;
use crate::gateway::prometheus::{Alert, Webhook};
use crate::gateway::reply::{self, Answered};
use crate::gateway::scope;

use super::Arguments;
use super::answer::{Answer, Known, Told, of_many};
use super::refuse_without;
use super::signal::Payload;
use super::trace::Tracer;
use meaning::Namespaces;

/// Alerts of one webhook that are worked on at the same time, as in a replica.
const AT_ONCE: usize = 32;

/// The protocol on the current cluster.
#[derive(Debug, Args)]
#[command(next_help_heading = "Direct")]
pub(super) struct DirectArguments {
    /// Do on the current cluster what a gateway would do; that starts a real remediation
    #[arg(long)]
    direct: bool,
    /// Do not ask; without a terminal this is needed, except on the lab
    #[arg(short, long)]
    yes: bool,
    /// Which signals lead to a RemediationRequest [default: managed]
    #[arg(long, value_enum, value_name = "WHICH")]
    scope: Option<Scope>,
    /// Namespace of the leases [default: $POD_NAMESPACE, the context's namespace, kubernaut-system]
    #[arg(long, value_name = "NAMESPACE", add = ArgValueCompleter::new(complete::namespaces))]
    lease_namespace: Option<String>,
    /// Namespace of the RemediationRequests [default: $KUBERNAUT_CONTROLLER_NAMESPACE, that of the leases]
    #[arg(long, value_name = "NAMESPACE", add = ArgValueCompleter::new(complete::namespaces))]
    controller_namespace: Option<String>,
    /// Holder identity's base [default: $POD_NAME, user@host]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    identity: Option<String>,
    /// How long a signal may take [default: 15s]
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    signal_timeout: Option<Duration>,
}

/// A cluster that signals are processed on.
pub(super) struct Direct {
    cluster: Cluster,
    processing: Processing,
    namespaces: Namespaces,
    version: GatewayVersion,
    dry_run: DryRun,
    tracer: Tracer,
}

/// What came of one signal, and what to print of a failure.
type Ended = (Answered, Option<Known>, Option<Failure>);

impl DirectArguments {
    pub(super) fn is_wanted(&self) -> bool {
        self.direct
    }

    pub(super) fn check(&self) -> Result<(), Failure> {
        let flags = [
            ("--yes", self.yes),
            ("--scope", self.scope.is_some()),
            ("--lease-namespace", self.lease_namespace.is_some()),
            (
                "--controller-namespace",
                self.controller_namespace.is_some(),
            ),
            ("--identity", self.identity.is_some()),
            ("--signal-timeout", self.signal_timeout.is_some()),
        ];
        refuse_without("--direct", self.direct, &flags)
    }
}

impl Direct {
    pub(super) async fn on(
        arguments: &Arguments,
        context: &Context,
        tracer: &Tracer,
    ) -> Result<Self, Failure> {
        let given = &arguments.direct;
        let cluster = context
            .cluster_with_leases_in(given.lease_namespace.as_deref())
            .await?;
        let controller = cluster.controller_namespace(given.controller_namespace.as_deref());
        let namespaces = Namespaces {
            leases: cluster.namespace.clone(),
            requests: controller,
        };
        let base = Context::identity(given.identity.as_deref());
        tracer.tell("cluster", || {
            format!(
                "{} as {base}, leases in {}, RemediationRequests in {}",
                cluster.config.cluster_url, namespaces.leases, namespaces.requests
            )
        });
        let settings = Settings {
            base: &base,
            controller_namespace: &namespaces.requests,
            version: arguments.gateway_version,
            scope: given.scope.unwrap_or(Scope::Managed),
            budget: given.signal_timeout.unwrap_or(DEFAULT_BUDGET),
            timing: Timing::default(),
            request_timeout: cluster.request_timeout,
            observer: tracer.observer(),
            lookups: tracer.observing(cluster.client.clone()),
        };
        let processing = Processing::on(&cluster, settings).await?;
        if processing.kinds.get("RemediationRequest").is_none() {
            return Err(meaning::no_such_kind(
                &cluster.config.cluster_url.to_string(),
            ));
        }
        Ok(Self {
            cluster,
            processing,
            namespaces,
            version: arguments.gateway_version.into(),
            dry_run: arguments.dry_run.mode,
            tracer: tracer.clone(),
        })
    }

    /// Asks before anything is started that cannot be taken back.
    pub(super) async fn confirm(
        &self,
        arguments: &Arguments,
        payload: &Payload,
    ) -> Result<(), Failure> {
        if self.dry_run != DryRun::None {
            return Ok(());
        }
        let server = self.cluster.config.cluster_url.to_string();
        let what = match payload.source {
            Source::Prometheus => "a webhook of Alertmanager",
            Source::Event => "an event",
        };
        let times = match arguments.burst.repeat {
            1 => String::new(),
            repeat => format!(" {repeat} times"),
        };
        let question = format!(
            "This sends {what}{times} through the protocol on {server} and starts real remediations."
        );
        match consent::ask(&self.cluster, arguments.direct.yes, &question).await {
            Consent::Given => Ok(()),
            Consent::Refused => Err(Failure::says(Exit::No, "nothing was sent")),
            Consent::NobodyThere => {
                let message = format!(
                    "--direct starts real remediations on {server}, and nobody can be asked whether that is meant"
                );
                Err(Failure::says(Exit::Usage, message)
                    .again("--yes", "sends without asking")
                    .again("--dry-run=client", "shows what would be done"))
            }
        }
    }

    pub(super) async fn settled(&self) {
        self.processing.processor.settled().await;
    }

    pub(super) async fn send(&self, source: Source, body: Bytes) -> Answer {
        let began = Instant::now();
        let body = body.to_vec();
        let mut answer = match source {
            Source::Prometheus => self.webhook(body).await,
            Source::Event => self.event(body).await,
        };
        answer.took = began.elapsed();
        answer
    }

    async fn webhook(&self, body: Vec<u8>) -> Answer {
        let now = Timestamp::now();
        let ingestion = &self.processing.ingestion;
        let webhook = match ingestion.webhook(body, self.header(now).as_deref(), now) {
            Ok(webhook) => webhook,
            Err(error) => return Answer::unsent(Failure::new(Exit::BadInput, error)),
        };
        let alerts: Vec<&Alert> = ingestion.alerts(&webhook).collect();
        if alerts.is_empty() {
            return self.answer(vec![(Answered::Resolved, None, None)]);
        }
        let work: Vec<_> = alerts
            .into_iter()
            .map(|alert| self.alert(&webhook, alert, now))
            .collect();
        let ended = stream::iter(work).buffered(AT_ONCE).collect().await;
        self.answer(ended)
    }

    async fn alert(&self, webhook: &Webhook, alert: &Alert, now: Timestamp) -> Ended {
        self.tracer.tell("payload", || {
            let labels = alert.labels.iter();
            let labels = labels.map(|(name, value)| format!("{name}={value}"));
            let labels: Vec<String> = labels.collect();
            format!("alerts[{}] with {}", alert.index, labels.join(" "))
        });
        match self.processing.ingestion.alert(webhook, alert, now).await {
            Ok(signal) => self.signal(signal).await,
            Err(refusal) => meaning::refused(&refusal, None),
        }
    }

    async fn event(&self, body: Vec<u8>) -> Answer {
        let now = Timestamp::now();
        let ingestion = &self.processing.ingestion;
        let event = match ingestion.event(body, self.header(now).as_deref(), now) {
            Ok(event) => event,
            Err(error) => return Answer::unsent(Failure::new(Exit::BadInput, error)),
        };
        self.tracer.tell("payload", || {
            let object = &event.involved_object;
            format!(
                "event {} about {}/{} in namespace \"{}\"",
                event.reason, object.kind, object.name, object.namespace
            )
        });
        let ended = match ingestion.event_signal(&event, now).await {
            Ok(signal) => self.signal(signal).await,
            Err(refusal) => meaning::refused(&refusal, None),
        };
        self.answer(vec![ended])
    }

    /// January's gateway insists on the moment of sending, which is now.
    fn header(&self, now: Timestamp) -> Option<String> {
        (self.version == GatewayVersion::January).then(|| now.as_second().to_string())
    }

    async fn signal(&self, signal: Signal) -> Ended {
        let known = Known::of(&signal);
        self.tracer.signal(&known);
        let processing = &self.processing;
        if let Some(objects) = &processing.scope {
            match scope::check_signal(objects, &processing.kinds, &signal).await {
                Ok(None) => {}
                Ok(Some(rejection)) => {
                    self.tracer
                        .tell("decision", || format!("rejected: {}", rejection.message));
                    return (Answered::Rejected(rejection), Some(known), None);
                }
                Err(error) => return meaning::refused(&error.into(), Some(known)),
            }
        }
        let processed = match self.dry_run {
            DryRun::None => processing.processor.process(signal).await,
            DryRun::Client => self.rehearse(&signal, Check::Reads).await,
            DryRun::Server => self.rehearse(&signal, Check::Writes).await,
        };
        match processed {
            Ok(processed) => {
                let answered = Answered::Processed(Box::new(processed));
                (answered, Some(known), None)
            }
            Err(failure) => meaning::failed(&failure, known, &self.namespaces),
        }
    }

    async fn rehearse(
        &self,
        signal: &Signal,
        check: Check,
    ) -> Result<Processed, gwlock_engine::remediation::Failure> {
        let rehearsed = Box::pin(self.processing.processor.rehearse(signal, check)).await?;
        self.tracer.tell("result", || match &rehearsed {
            Rehearsal::Create { name, .. } => format!("{name} would be created"),
            Rehearsal::Count { count, .. } => {
                let name = &count.request().name;
                format!("it would be counted on {name} as number {}", count.after())
            }
        });
        let fingerprint = signal.fingerprint();
        Ok(match rehearsed {
            Rehearsal::Create { name, namespace } => {
                let now = Timestamp::now();
                Processed {
                    disposition: Disposition::Created,
                    fingerprint: fingerprint.clone(),
                    name,
                    namespace,
                    uid: String::new(),
                    count: 1,
                    persisted: 1,
                    first_seen: now,
                    last_seen: now,
                }
            }
            Rehearsal::Count { count, reason } => {
                let because = Because::Suppressed(reason);
                Counted { count, because }.answer(fingerprint, 1)
            }
        })
    }

    /// The answer that a gateway would give, and what it would only have logged.
    fn answer(&self, ended: Vec<Ended>) -> Answer {
        let answers: Vec<Answered> = ended
            .iter()
            .map(|(answered, ..)| answered.clone())
            .collect();
        let (_, mut body) = match answers.as_slice() {
            [answered] => reply::single(answered),
            answers => reply::batch(answers),
        };
        let suffix = self.dry_run.suffix();
        if self.dry_run != DryRun::None {
            body["dryRun"] = self.dry_run.as_str().into();
            if let Some(serde_json::Value::String(message)) = body.get_mut("message") {
                message.push_str(suffix);
            }
        }
        let mut first_failure = None;
        let mut failed = 0;
        let total = ended.len();
        let signals = ended
            .into_iter()
            .map(|(answered, known, failure)| match failure {
                None => {
                    let (_, body) = reply::single(&answered);
                    let mut told = Told::of_body(&body, known);
                    told.message.push_str(suffix);
                    told
                }
                Some(failure) => {
                    failed += 1;
                    let told = Told::failed(known, failure.exit, failure.message());
                    first_failure.get_or_insert(failure);
                    told
                }
            })
            .collect();
        let failure: Option<Failure> = first_failure.map(|failure| of_many(failure, failed, total));
        Answer {
            signals,
            body: (failure.is_none() || total > 1).then_some(body),
            status: None,
            request_id: None,
            took: Duration::ZERO,
            failure,
        }
    }
}

//! The whole way from a body to its signals.
//!
//! Signals are made one at a time, when they are asked for: all signals of one batch at once could take the square of
//! the body's memory. What is done with them is not known here.

use std::sync::Arc;

use gwlock_engine::remediation::Signal;
use jiff::Timestamp;

use super::event::Event;
use super::kinds::Kinds;
use super::normalize::Draft;
use super::objects::{LookupError, Objects, in_time};
use super::owner::{OwnerError, top_owner};
use super::payload::{FieldError, PayloadError, Problem, excerpt};
use super::prometheus::{Alert, AlertStatus, Webhook};
use super::target::{Object, Question, Reason, Selection, Step};
use super::{GatewayVersion, freshness};

/// Why there is no signal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A field of it is wrong, and will be at the next try.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// It is about an object that does not exist.
    #[error(transparent)]
    Target(OwnerError),
    /// It could not be found out which object it is about; the next try may succeed.
    #[error(transparent)]
    Lookup(#[from] LookupError),
}

impl Refusal {
    /// Whether no label of the alert is known to name an object, which a kind that has come since may change.
    #[must_use]
    pub fn is_without_target(&self) -> bool {
        matches!(self, Self::Field(error) if error.problem == Problem::NoTarget)
    }

    /// The HTTP status that tells it. The sender tries again on 500.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Field(_) | Self::Target(_) => 400,
            Self::Lookup(_) => 500,
        }
    }

    /// The last part of the problem's type, `https://kubernaut.ai/problems/…`.
    #[must_use]
    pub fn problem_type(&self) -> &'static str {
        match self {
            Self::Field(_) | Self::Target(_) => "validation-error",
            Self::Lookup(_) => "internal-error",
        }
    }
}

impl From<OwnerError> for Refusal {
    fn from(error: OwnerError) -> Self {
        match error {
            OwnerError::Lookup(error) => Self::Lookup(error),
            OwnerError::NotFound(_) => Self::Target(error),
        }
    }
}

/// What came of looking for an object's owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// It belongs to another object.
    Owner,
    /// It belongs to none.
    Itself,
    /// There is no such object.
    NotFound,
    /// It could not be found out.
    Failed,
}

impl Resolution {
    fn of(object: &Object, found: &Result<Object, OwnerError>) -> Self {
        match found {
            Ok(top) if (&top.kind, &top.name) == (&object.kind, &object.name) => Self::Itself,
            Ok(_) => Self::Owner,
            Err(OwnerError::NotFound(_)) => Self::NotFound,
            Err(OwnerError::Lookup(_)) => Self::Failed,
        }
    }

    /// As metrics call it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Itself => "itself",
            Self::NotFound => "not_found",
            Self::Failed => "failed",
        }
    }
}

/// Is told of every object whose owner was looked for, by its kind.
pub type OwnerObserver = Arc<dyn Fn(&str, Resolution) + Send + Sync>;

/// How signals are made.
#[derive(Clone)]
pub struct Ingestion {
    version: GatewayVersion,
    kinds: Arc<Kinds>,
    objects: Option<Objects>,
    cluster: Option<String>,
    observer: Option<OwnerObserver>,
}

impl Ingestion {
    /// Asks a cluster, whose kinds these are, which objects exist and whose they are.
    #[must_use]
    pub fn new(version: GatewayVersion, kinds: Arc<Kinds>, objects: Objects) -> Self {
        Self {
            version,
            kinds,
            objects: Some(objects),
            cluster: None,
            observer: None,
        }
    }

    /// Asks nobody: the first candidate is the target, and its own owner. A gateway with a cluster may find another.
    #[must_use]
    pub fn offline(version: GatewayVersion) -> Self {
        Self {
            version,
            kinds: Arc::new(Kinds::built_in()),
            objects: None,
            cluster: None,
            observer: None,
        }
    }

    /// The same for the cluster of this name: alerts about another one are refused, because its objects cannot be asked
    /// for here, and would be looked for in the wrong place. Without a name every alert counts as one about the cluster
    /// that is asked.
    #[must_use]
    pub fn of_cluster(self, name: String) -> Self {
        Self {
            cluster: Some(name),
            ..self
        }
    }

    /// The same, and this is told of every object whose owner is looked for.
    #[must_use]
    pub fn observed_by(self, observer: OwnerObserver) -> Self {
        Self {
            observer: Some(observer),
            ..self
        }
    }

    /// The same with the kinds that the cluster serves by now. What is known of its objects stays.
    #[must_use]
    pub fn with_kinds(self, kinds: Arc<Kinds>) -> Self {
        Self { kinds, ..self }
    }

    /// Reads a webhook that came in now, with this `X-Timestamp`.
    ///
    /// # Errors
    /// [`PayloadError`]; then no alert of it is taken.
    pub fn webhook(
        &self,
        body: Vec<u8>,
        header: Option<&str>,
        now: Timestamp,
    ) -> Result<Webhook, PayloadError> {
        let webhook = Webhook::parse(body)?;
        freshness::check_webhook(self.version, header, &webhook, now)?;
        Ok(webhook)
    }

    /// The alerts of a webhook that want something remediated: those that fire, and of them in January only one that
    /// comes first.
    pub fn alerts<'a>(&self, webhook: &'a Webhook) -> impl Iterator<Item = &'a Alert> + use<'a> {
        let read = match self.version {
            GatewayVersion::Current => webhook.alerts.len(),
            GatewayVersion::January => 1,
        };
        let alerts = webhook.alerts.iter().take(read);
        alerts.filter(|alert| alert.status == AlertStatus::Firing)
    }

    /// The signal of one alert of a webhook that came in now.
    ///
    /// # Errors
    /// [`Refusal`] of this alert.
    pub async fn alert(
        &self,
        webhook: &Webhook,
        alert: &Alert,
        now: Timestamp,
    ) -> Result<Signal, Refusal> {
        freshness::check_alert(alert, now)?;
        let draft = Draft::of_alert(self.version, webhook, alert, now)?;
        self.check_cluster(&draft)?;
        let (object, _) = self.target(alert).await?;
        let object = self.owner(object).await?;
        Ok(draft.about(object, &self.kinds))
    }

    /// Reads an event that came in now, with this `X-Timestamp`.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn event(
        &self,
        body: Vec<u8>,
        header: Option<&str>,
        now: Timestamp,
    ) -> Result<Event, PayloadError> {
        let event = Event::parse(body)?;
        freshness::check_event(self.version, header, &event, now)?;
        Ok(event)
    }

    /// The signal of an event that came in now.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn event_signal(&self, event: &Event, now: Timestamp) -> Result<Signal, Refusal> {
        let object = Object::of_event(event)?;
        let draft = Draft::of_event(self.version, event, now);
        let object = self.owner(object).await?;
        Ok(draft.about(object, &self.kinds))
    }

    /// The object that an alert's labels mean, and why it is this one. Takes at most five seconds.
    ///
    /// # Errors
    /// [`Refusal`]; also when no label names an object.
    pub async fn target(&self, alert: &Alert) -> Result<(Object, Reason), Refusal> {
        let selection = Selection::new(self.version, &self.kinds, &alert.labels);
        let nothing = || FieldError::new(alert.path("labels"), Problem::NoTarget);
        in_time(self.select(selection))
            .await?
            .ok_or_else(|| nothing().into())
    }

    fn check_cluster(&self, draft: &Draft) -> Result<(), FieldError> {
        match (draft.cluster(), &self.cluster) {
            (Some(name), Some(own)) if name != own => {
                let problem = Problem::OtherCluster {
                    name: excerpt(name),
                    own: own.clone(),
                };
                Err(FieldError::new("commonLabels.cluster", problem))
            }
            _ => Ok(()),
        }
    }

    async fn select(
        &self,
        mut selection: Selection,
    ) -> Result<Option<(Object, Reason)>, LookupError> {
        loop {
            match selection.next() {
                Step::Ask(Question {
                    kind,
                    namespace,
                    name,
                }) => {
                    let exists = match &self.objects {
                        Some(objects) => objects.exists(&kind, &namespace, &name).await?,
                        None => false,
                    };
                    selection.answer(exists);
                }
                Step::Chosen(object, reason) => return Ok(Some((object, reason))),
                Step::Nothing => return Ok(None),
            }
        }
    }

    /// The workload that an object belongs to.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn owner(&self, object: Object) -> Result<Object, Refusal> {
        match (self.version, &self.objects) {
            (GatewayVersion::Current, Some(objects)) => {
                let found = top_owner(objects, &self.kinds, object.clone()).await;
                if let Some(observer) = &self.observer {
                    observer(&object.kind, Resolution::of(&object, &found));
                }
                Ok(found?)
            }
            (GatewayVersion::January, _) | (GatewayVersion::Current, None) => Ok(object),
        }
    }
}

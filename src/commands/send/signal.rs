//! What is sent: flags, a file or stdin become a body. Where it goes is not known here.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::{Args, ValueEnum, ValueHint};
use clap_complete::engine::ArgValueCompleter;
use jiff::Timestamp;
use serde_json::Value;

use crate::complete;
use crate::context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::gateway::compose::{Alert, Event, Numbered, Source, Unrecognised};
use crate::gateway::payload::MAX_BODY;

use super::refuse_without;

/// The largest body that is sent to a gateway, which refuses far smaller ones: 16 MiB.
pub(super) const MOST_SENT: usize = 16 * 1024 * 1024;

/// Stands for stdin.
const STDIN: &str = "-";

/// The signal.
#[derive(Debug, Args)]
#[command(next_help_heading = "Signal")]
pub(super) struct SignalArguments {
    /// An alert of this name
    #[arg(long, value_name = "NAME", group = "what")]
    alertname: Option<String>,
    /// An event with this reason
    #[arg(long, value_name = "REASON", group = "what")]
    event: Option<String>,
    /// A payload from a file; - is stdin
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, group = "what")]
    filename: Option<PathBuf>,
    /// Print a payload that is taken as it is, to be edited and sent with -f
    #[arg(long, value_enum, value_name = "FORMAT", group = "what")]
    template: Option<PayloadAs>,
    /// Whose format the payload has [default: told by its fields]
    #[arg(long, value_enum, value_name = "FORMAT")]
    payload_as: Option<PayloadAs>,
    /// Namespace of the object that the signal is about; --lease-namespace is that of the leases
    #[arg(short, long, value_name = "NAMESPACE", add = ArgValueCompleter::new(complete::namespaces))]
    namespace: Option<String>,
    /// The pod that the signal is about
    #[arg(long, value_name = "NAME", conflicts_with_all = ["filename", "template"])]
    pod: Option<String>,
    /// Severity of the alert; any text
    #[arg(long, value_name = "SEVERITY")]
    severity: Option<String>,
    /// Label of the alert (repeatable); labels such as deployment=payment-api name what it is about
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    label: Vec<(String, String)>,
    /// Annotation of the alert (repeatable)
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    annotation: Vec<(String, String)>,
    /// Whether the alert fires or is over
    #[arg(long, value_enum, value_name = "STATUS")]
    status: Option<Status>,
    /// Since when the alert fires, or when the event happened (RFC 3339) [default: now]
    #[arg(long, value_name = "TIME", conflicts_with_all = ["filename", "template"])]
    starts_at: Option<Timestamp>,
    /// Kind of the object that the event is about
    #[arg(long, value_name = "KIND", conflicts_with = "pod")]
    kind: Option<String>,
    /// Name of the object that the event is about
    #[arg(long, value_name = "NAME", requires = "kind")]
    name: Option<String>,
    /// What the event says
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
    /// Type of the event: Warning and Error are acted on, others refused
    #[arg(long, value_name = "TYPE")]
    event_type: Option<String>,
}

/// Whose format a payload has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PayloadAs {
    /// A webhook of Alertmanager
    Prometheus,
    /// A Kubernetes event
    Event,
}

/// What has become of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Status {
    /// It fires
    Firing,
    /// It is over, which changes nothing
    Resolved,
}

/// A body and its format.
#[derive(Debug)]
pub(super) struct Payload {
    pub(super) source: Source,
    body: Bytes,
    /// Makes each one about an object of its own.
    numbered: Option<Numbered>,
}

impl From<PayloadAs> for Source {
    fn from(format: PayloadAs) -> Self {
        match format {
            PayloadAs::Prometheus => Self::Prometheus,
            PayloadAs::Event => Self::Event,
        }
    }
}

/// `NAME=VALUE`; the value may be empty.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("\"{text}\" is no NAME=VALUE")),
    }
}

/// Now, to the millisecond, as Alertmanager writes times.
pub(super) fn now() -> Timestamp {
    let now = Timestamp::now();
    now.round(jiff::Unit::Millisecond).unwrap_or(now)
}

impl SignalArguments {
    /// The format of the template that is asked for.
    pub(super) fn template(&self) -> Option<Source> {
        self.template.map(Source::from)
    }

    /// Whether there is a signal, and flags that can be followed.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let usage = |message: &str| Failure::says(Exit::Usage, message);
        if self.filename.is_some() && self.namespace.is_some() {
            let message =
                "a payload says itself which namespace it is about: -n cannot be followed";
            return Err(
                usage(message).hint("--lease-namespace NAMESPACE says where the leases are")
            );
        }
        let of_alerts = [
            ("--severity", self.severity.is_some()),
            ("--label", !self.label.is_empty()),
            ("--annotation", !self.annotation.is_empty()),
            ("--status", self.status.is_some()),
        ];
        refuse_without("--alertname", self.alertname.is_some(), &of_alerts)?;
        let of_events = [
            ("--kind", self.kind.is_some()),
            ("--message", self.message.is_some()),
            ("--event-type", self.event_type.is_some()),
        ];
        refuse_without("--event", self.event.is_some(), &of_events)?;
        let of_files = [("--payload-as", self.payload_as.is_some())];
        refuse_without("-f", self.filename.is_some(), &of_files)?;
        if self.event.is_some() && self.pod.is_none() && self.name.is_none() {
            return Err(usage("an event is about an object, and none is named")
                .hint("--kind Pod --name NAME, or --pod NAME"));
        }
        if self.alertname.is_none() && self.event.is_none() && self.filename.is_none() {
            return Err(usage("no signal is given")
                .hint("--alertname NAME --namespace NAMESPACE --pod POD makes an alert")
                .hint("--event REASON --namespace NAMESPACE --pod POD makes an event")
                .hint("-f FILE sends a payload")
                .run("send --template prometheus", "prints one to edit"));
        }
        Ok(())
    }

    /// What is to be sent, at most so many bytes of a file.
    pub(super) fn payload(&self, limit: usize) -> Result<Payload, Failure> {
        if let Some(path) = &self.filename {
            return self.read(path, limit);
        }
        let (source, body) = match (&self.alertname, &self.event) {
            (Some(name), _) => (Source::Prometheus, self.alert(name).webhook()),
            (None, reason) => {
                let reason = reason.clone().unwrap_or_default();
                (Source::Event, self.event(reason).body())
            }
        };
        Ok(Payload::new(source, body.to_string().into()))
    }

    fn alert(&self, name: &str) -> Alert {
        let mut labels: BTreeMap<String, String> = self.label.iter().cloned().collect();
        let named = [
            ("severity", &self.severity),
            ("namespace", &self.namespace),
            ("pod", &self.pod),
        ];
        for (label, value) in named {
            if let Some(value) = value {
                labels.insert(label.to_owned(), value.clone());
            }
        }
        labels.insert("alertname".to_owned(), name.to_owned());
        let starts_at = self.starts_at.unwrap_or_else(now);
        let is_over = self.status == Some(Status::Resolved);
        Alert {
            labels,
            annotations: self.annotation.iter().cloned().collect(),
            starts_at,
            ends_at: is_over.then(|| starts_at.max(now())),
        }
    }

    fn event(&self, reason: String) -> Event {
        let kind = self.kind.as_deref().unwrap_or("Pod");
        let name = self.name.as_ref().or(self.pod.as_ref());
        Event {
            event_type: self.event_type.as_deref().unwrap_or("Warning").to_owned(),
            reason,
            message: self.message.clone().unwrap_or_default(),
            kind: kind.to_owned(),
            namespace: self.namespace.clone().unwrap_or_default(),
            name: name.cloned().unwrap_or_default(),
            at: self.starts_at.unwrap_or_else(now),
        }
    }

    fn read(&self, path: &Path, limit: usize) -> Result<Payload, Failure> {
        let body = contents(path, limit as u64 + 1).map_err(|error| {
            let message = format!("cannot read the payload {}", path.display());
            Failure::new(Exit::BadInput, anyhow::Error::new(error).context(message))
        })?;
        if body.len() > limit {
            let message = format!(
                "the payload {} has more than {limit} bytes: nothing was sent",
                path.display()
            );
            return Err(Failure::says(Exit::BadInput, message));
        }
        let source = match self.payload_as {
            Some(format) => format.into(),
            None => Source::of(&body).map_err(|error| unrecognised(path, &error))?,
        };
        Ok(Payload::new(source, body))
    }
}

fn contents(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    if path == Path::new(STDIN) {
        return context::stdin_bytes(most);
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unrecognised(path: &Path, error: &Unrecognised) -> Failure {
    let message = format!("the payload {} cannot be used: {error}", path.display());
    Failure::says(Exit::BadInput, message)
        .hint("--payload-as prometheus or --payload-as event sends it all the same")
        .run("send --template prometheus", "prints one that is taken")
}

impl Payload {
    fn new(source: Source, body: Vec<u8>) -> Self {
        let body = body.into();
        Self {
            source,
            body,
            numbered: None,
        }
    }

    /// The same about one object after the other.
    pub(super) fn about_distinct_targets(self) -> Result<Self, Failure> {
        let refuse = |why: String| {
            let message = format!("no other targets can be put into the payload: {why}");
            Failure::says(Exit::BadInput, message)
        };
        if self.body.len() > MAX_BODY {
            return Err(refuse(format!("it has more than {MAX_BODY} bytes")));
        }
        let body: Value =
            serde_json::from_slice(&self.body).map_err(|error| refuse(error.to_string()))?;
        Ok(Self {
            numbered: Some(Numbered::new(self.source, body)),
            ..self
        })
    }

    /// The body with this number in a burst.
    pub(super) fn body(&self, number: u64) -> Bytes {
        match &self.numbered {
            Some(numbered) => numbered.number(number).to_string().into(),
            None => self.body.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_split_at_its_first_equals_sign() {
        let owned = |name: &str, value: &str| Ok((name.to_owned(), value.to_owned()));
        assert_eq!(pair("a=b=c"), owned("a", "b=c"));
        assert_eq!(pair("a="), owned("a", ""));
        for text in ["a", "=b", ""] {
            assert_eq!(pair(text), Err(format!("\"{text}\" is no NAME=VALUE")));
        }
    }
}

//! `--trace`: every step in a line on stderr, with the time since the beginning.
//!
//! Only words are made here. A thread prints them, because what is traced must not wait for a terminal.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use gwlock_engine::client::{AcquireError, Exchange};
use gwlock_engine::protocol::release::Released;
use gwlock_engine::remediation::dedup::Reason;
use gwlock_engine::remediation::outcome::{Because, Counted, Failure};
use gwlock_engine::remediation::trace::{Decision, Event, LeaseEvent, Observer, Traced};
use http::Request;
use kube::client::Body;

use crate::output;
use crate::output::escape::escape_line;

use super::answer::Known;

/// Where steps are told, if they are. Cheap to clone.
#[derive(Clone)]
pub(super) struct Tracer {
    began: Instant,
    lines: Option<Sender<Option<String>>>,
    printer: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Tracer {
    pub(super) fn new(is_wanted: bool) -> Self {
        let (lines, printer) = if is_wanted {
            let (lines, told) = channel::<Option<String>>();
            let printer = thread::spawn(move || {
                while let Ok(Some(line)) = told.recv() {
                    output::note(&line);
                }
            });
            (Some(lines), Some(printer))
        } else {
            (None, None)
        };
        Self {
            began: Instant::now(),
            lines,
            printer: Arc::new(Mutex::new(printer)),
        }
    }

    pub(super) fn is_on(&self) -> bool {
        self.lines.is_some()
    }

    /// Tells a step.
    pub(super) fn tell(&self, subject: &str, text: impl FnOnce() -> String) {
        if let Some(lines) = &self.lines {
            let since = milliseconds(self.began.elapsed());
            let line = format!("{since:>10}  {subject:<11}  {}", escape_line(&text()));
            let _ = lines.send(Some(line));
        }
    }

    /// Waits until everything is printed; what comes later is not.
    pub(super) fn end(&self) {
        let Some(lines) = &self.lines else { return };
        let _ = lines.send(None);
        let mut printer = self.printer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(printer) = printer.take() {
            let _ = printer.join();
        }
    }

    /// What is known of a signal before anything is done about it.
    pub(super) fn signal(&self, known: &Known) {
        self.tell("signal", || {
            format!(
                "{} from {}, severity {} (audit: {})",
                known.name,
                known.source,
                known.severity,
                known.audit_severity()
            )
        });
        self.tell("target", || known.target.clone());
        self.tell("fingerprint", || known.fingerprint.clone());
    }

    /// Who tells what a processor does. `places` are the namespaces of leases and RemediationRequests.
    pub(super) fn observer(&self) -> Option<Observer> {
        if !self.is_on() {
            return None;
        }
        let tracer = self.clone();
        Some(Arc::new(move |traced: &Traced| tracer.traced(traced)))
    }

    fn traced(&self, traced: &Traced) {
        // Runs after the first one may be under way at the same time.
        let run = match traced.run {
            1 => String::new(),
            run => format!("run {run}: "),
        };
        let tell = |subject: &str, text: String| self.tell(subject, || format!("{run}{text}"));
        match &traced.event {
            Event::Started => tell(
                "lease",
                format!(
                    "{}, needed only if a RemediationRequest has to be created",
                    traced.fingerprint.lease_name()
                ),
            ),
            Event::Exchanged(exchange) => tell("request", words_of_exchange(exchange)),
            Event::Decided(decision) => tell("decision", words_of_decision(decision)),
            Event::Lease(event) => tell("lease", words_of_lease(event)),
            Event::Finished {
                result,
                signals,
                requests,
                took,
            } => {
                let result = words_of_result(result);
                let text = format!(
                    "{result}, {}, {} in {}",
                    number(*signals, "signal"),
                    number(*requests as usize, "request"),
                    milliseconds(*took)
                );
                tell("result", text);
            }
        }
    }

    /// A client whose requests are told as well: those that look objects up, which no processor tells of.
    pub(super) fn observing(&self, client: kube::Client) -> kube::Client {
        if !self.is_on() {
            return client;
        }
        let tracer = self.clone();
        let namespace = client.default_namespace().to_owned();
        let service = tower::service_fn(move |request: Request<Body>| {
            let (tracer, client) = (tracer.clone(), client.clone());
            async move {
                let what = format!("{} {}", request.method(), request.uri().path());
                let began = Instant::now();
                let response = client.send(request).await;
                let took = milliseconds(began.elapsed());
                tracer.tell("request", || match &response {
                    Ok(response) => format!("{what} -> {}, {took}", response.status().as_u16()),
                    Err(error) => {
                        let why = gwlock_engine::client::api_error::describe(error);
                        format!("{what} -> no answer, {took}: {why}")
                    }
                });
                response
            }
        });
        kube::Client::new(service, namespace)
    }
}

fn number(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// `1.2ms`, whatever the length.
pub(super) fn milliseconds(duration: Duration) -> String {
    format!("{:.1}ms", duration.as_secs_f64() * 1e3)
}

fn words_of_exchange(exchange: &Exchange) -> String {
    let Exchange {
        verb,
        resource,
        name,
        took,
        ..
    } = exchange;
    let (collection, subresource) = match resource.split_once('/') {
        Some((collection, subresource)) => (collection, Some(subresource)),
        None => (*resource, None),
    };
    let mut words = format!("{verb} {collection}");
    for part in [Some(name.as_str()), subresource].into_iter().flatten() {
        if !part.is_empty() {
            words.push('/');
            words.push_str(part);
        }
    }
    if let Some(version) = &exchange.required_version {
        words.push_str(&format!(" at version {version}"));
    }
    match exchange.status {
        Some(status) => words.push_str(&format!(" -> {status}")),
        None => words.push_str(" -> no answer"),
    }
    match exchange.resource_version.as_deref() {
        // What a dry run would have written has no version.
        Some("0") => words.push_str(", nothing stored"),
        Some(version) => words.push_str(&format!(", version {version}")),
        None => {}
    }
    words.push_str(&format!(", {}", milliseconds(*took)));
    if let Some(trouble) = &exchange.trouble {
        words.push_str(&format!(": {trouble}"));
    }
    words
}

fn words_of_result(result: &Result<Counted, Failure>) -> String {
    match result {
        Ok(counted) => {
            let how = match counted.because {
                Because::Created => "created",
                Because::Suppressed(_) => "counted on",
            };
            let count = &counted.count;
            let name = &count.request().name;
            format!(
                "{how} {name}, count {} -> {}",
                count.before(),
                count.after()
            )
        }
        Err(failure) => format!("failed: {failure}"),
    }
}

fn words_of_decision(decision: &Decision) -> String {
    match decision {
        Decision::Suppressed { name, reason } => {
            let why = match reason {
                Reason::Active => "is active".to_owned(),
                Reason::ManualReview => "waits for a person".to_owned(),
                Reason::BackOff { until } => format!("backs off until {until}"),
            };
            format!("count it on {name}, which {why}")
        }
        Decision::Acquire => {
            "no RemediationRequest suppresses it: acquire the lease, then look again".to_owned()
        }
        Decision::Create { name } => format!("create {name}"),
    }
}

fn words_of_lease(event: &LeaseEvent) -> String {
    match event {
        LeaseEvent::Contended => "somebody holds it: waiting".to_owned(),
        LeaseEvent::Acquired {
            token,
            holder,
            taken_over,
            requests,
            waited,
        } => {
            let how = if *taken_over {
                "taken over"
            } else {
                "acquired"
            };
            format!(
                "{how} as {holder}, fencing token {token}, {} in {}",
                number(*requests as usize, "request"),
                milliseconds(*waited)
            )
        }
        LeaseEvent::NotAcquired(error) => match error {
            AcquireError::Busy { .. } => format!("not acquired in time: {error}"),
            error => format!("not acquired: {error}"),
        },
        LeaseEvent::NotNeeded => {
            "not waited for any more: a RemediationRequest was created meanwhile".to_owned()
        }
        LeaseEvent::Lost => "lost: it can no longer be proven that it is held".to_owned(),
        LeaseEvent::Released { released, held } => {
            let how = match released {
                Released::Deleted => "released".to_owned(),
                Released::AlreadyGone => "was gone already".to_owned(),
                Released::NotOurs(_) => "was somebody else's by then; left alone".to_owned(),
                Released::Refused(refusal) => format!("not released: {refusal}"),
                Released::Unreachable(why) => format!("not released: {why}"),
                Released::Unknown(why) => format!("release unclear: {why}"),
            };
            format!("{how}, held {}", milliseconds(*held))
        }
    }
}

#[cfg(test)]
mod tests {
    use gwlock_engine::protocol::clock::Moment;

    use super::*;

    fn exchange() -> Exchange {
        Exchange {
            verb: "update",
            api_group: "coordination.k8s.io",
            resource: "leases",
            namespace: "ns".to_owned(),
            name: "gw-lock-1".to_owned(),
            required_version: Some("41".to_owned()),
            sent: Moment::from_origin(Duration::ZERO),
            took: Duration::from_micros(1250),
            status: Some(200),
            resource_version: Some("42".to_owned()),
            trouble: None,
        }
    }

    #[test]
    fn a_request_is_told_with_what_it_changed_and_how_long_it_took() {
        assert_eq!(
            words_of_exchange(&exchange()),
            "update leases/gw-lock-1 at version 41 -> 200, version 42, 1.2ms"
        );
        let listed = Exchange {
            verb: "list",
            resource: "remediationrequests",
            name: String::new(),
            required_version: None,
            ..exchange()
        };
        assert_eq!(
            words_of_exchange(&listed),
            "list remediationrequests -> 200, version 42, 1.2ms"
        );
        let checked = Exchange {
            verb: "create",
            resource: "remediationrequests/status",
            name: "rr-1".to_owned(),
            required_version: None,
            resource_version: Some("0".to_owned()),
            ..exchange()
        };
        assert_eq!(
            words_of_exchange(&checked),
            "create remediationrequests/rr-1/status -> 200, nothing stored, 1.2ms"
        );
        let lost = Exchange {
            status: None,
            resource_version: None,
            trouble: Some("connection reset".to_owned()),
            ..exchange()
        };
        assert_eq!(
            words_of_exchange(&lost),
            "update leases/gw-lock-1 at version 41 -> no answer, 1.2ms: connection reset"
        );
    }
}

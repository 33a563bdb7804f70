//! To a gateway over HTTP: one POST, its deadline, and what an answer means.

mod client;
mod meaning;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::{Args, ValueHint};
use gwlock_engine::remediation::Signal;
use http::Uri;
use jiff::Timestamp;
use tokio::sync::OnceCell;
use tokio::time::sleep;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::flags::DryRun;
use crate::gateway::GatewayVersion;
use crate::gateway::compose::Source;
use crate::gateway::ingest::{Ingestion, Refusal};
use crate::gateway::payload::{MAX_BODY, PayloadError};

use super::Arguments;
use super::answer::{Answer, Known, Outcome, Told};
use super::refuse_without;
use super::trace::{Tracer, milliseconds};
use client::{Client, Reply, Trouble};

/// More than the gateway's own deadline of 15 s, so that it can say itself that it was too slow.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// Waits before a request is sent again grow from this …
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// … to this, which is also the longest `Retry-After` that is followed.
const LAST_WAIT: Duration = Duration::from_secs(30);

/// A gateway.
#[derive(Debug, Args)]
#[command(next_help_heading = "Gateway")]
pub(super) struct GatewayArguments {
    /// Send to this gateway
    #[arg(long, value_name = "URL", value_parser = url, value_hint = ValueHint::Url, conflicts_with = "direct")]
    gateway: Option<Uri>,
    /// File with a bearer token for the gateway, which --token-file is as well where --gateway is given; never sent over
    /// http:// beyond this machine
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    gateway_token_file: Option<PathBuf>,
    /// Certificate authorities of the gateway in PEM [default: the system's]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    gateway_ca_file: Option<PathBuf>,
    /// Do not check the gateway's certificate
    #[arg(long)]
    gateway_insecure_skip_tls_verify: bool,
    /// Send a request again, so many times, after 5xx or no answer, as Alertmanager does; what was counted is then
    /// counted again
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "N")]
    retry: u32,
}

/// A gateway that signals are sent to.
pub(super) struct Gateway {
    client: Client,
    url: String,
    version: GatewayVersion,
    /// Says what can be known of a signal without a cluster.
    ingestion: Ingestion,
    /// What is known of the signals, where all requests have the same.
    same: Option<OnceCell<Vec<Preview>>>,
    retry: u32,
    dry_run: bool,
    tracer: Tracer,
}

/// A signal as far as it is known here, or why it is not.
type Preview = Result<Known, String>;

/// `http://HOST[:PORT][/PREFIX]`, or with https.
fn url(text: &str) -> Result<Uri, String> {
    let uri: Option<Uri> = text.parse().ok();
    let uri = uri.filter(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.query().is_none()
            && !uri
                .authority()
                .is_some_and(|all| all.as_str().contains('@'))
    });
    uri.ok_or_else(|| format!("\"{text}\" is no URL of a gateway: https://HOST:PORT is"))
}

impl GatewayArguments {
    pub(super) fn url(&self) -> Option<&Uri> {
        self.gateway.as_ref()
    }

    pub(super) fn check(&self) -> Result<(), Failure> {
        let flags = [
            ("--gateway-token-file", self.gateway_token_file.is_some()),
            ("--gateway-ca-file", self.gateway_ca_file.is_some()),
            (
                "--gateway-insecure-skip-tls-verify",
                self.gateway_insecure_skip_tls_verify,
            ),
            ("--retry", self.retry > 0),
        ];
        refuse_without("--gateway", self.gateway.is_some(), &flags)
    }

    /// The file with the gateway's token. No API server is asked anything here, so that `--token-file` is free to mean
    /// this one.
    fn token_file<'a>(&'a self, context: &'a Context) -> Option<&'a Path> {
        self.gateway_token_file
            .as_deref()
            .or_else(|| context.token_file())
    }
}

impl Gateway {
    /// The gateway that the flags name, if they do.
    pub(super) fn of(
        arguments: &Arguments,
        context: &Context,
        tracer: &Tracer,
    ) -> Result<Option<Self>, Failure> {
        let given = &arguments.gateway;
        let Some(uri) = given.url() else {
            return Ok(None);
        };
        let token_file = given.token_file(context);
        let client = Client::new(client::Settings {
            uri,
            token_file,
            ca_file: given.gateway_ca_file.as_deref(),
            accepts_any_certificate: given.gateway_insecure_skip_tls_verify,
            timeout: context.request_timeout().unwrap_or(REQUEST_TIMEOUT),
        })?;
        let version = arguments.gateway_version.into();
        let url = uri.to_string();
        let with = match token_file {
            Some(path) => format!("with the token of {}", path.display()),
            None => "without a token".to_owned(),
        };
        tracer.tell("gateway", || format!("{url} {with}"));
        Ok(Some(Self {
            client,
            url,
            version,
            ingestion: Ingestion::offline(version),
            same: (!arguments.burst.distinct_targets).then(OnceCell::new),
            retry: given.retry,
            dry_run: arguments.dry_run.mode != DryRun::None,
            tracer: tracer.clone(),
        }))
    }

    pub(super) async fn send(&self, source: Source, body: Bytes) -> Answer {
        let began = Instant::now();
        if self.dry_run {
            let known = self.known(source, &body).await;
            if let Ok(known) = &known {
                self.trace(known);
            }
            return self.would_send(source, &body, known);
        }
        let known = self.known_once(source, &body).await;
        self.trace(&known);
        let mut attempt = 0;
        let mut wait = FIRST_WAIT;
        loop {
            let ended = self.post(source, body.clone()).await;
            let (is_worth_it, retry_after) = match &ended {
                Ok(reply) => (reply.status.is_server_error(), reply.retry_after),
                Err(_) => (true, None),
            };
            if !is_worth_it || attempt == self.retry {
                let answer = meaning::answer(ended, known, began.elapsed(), &self.url);
                self.trace_result(&answer);
                return answer;
            }
            attempt += 1;
            let pause = retry_after.unwrap_or(wait).min(LAST_WAIT);
            self.tracer.tell("retry", || {
                format!("{attempt} of {} in {}", self.retry, milliseconds(pause))
            });
            sleep(pause).await;
            wait = (wait * 2).min(LAST_WAIT);
        }
    }

    async fn post(&self, source: Source, body: Bytes) -> Result<Reply, Trouble> {
        self.tracer.tell("request", || {
            format!(
                "POST {}, {} bytes",
                self.client.endpoint(source.path()),
                body.len()
            )
        });
        let sent = Instant::now();
        let timestamp = self.timestamp();
        let ended = self.client.post(source.path(), body, timestamp).await;
        let took = milliseconds(sent.elapsed());
        self.tracer.tell("reply", || match &ended {
            Ok(reply) => {
                let id = reply.request_id.as_deref().unwrap_or("none");
                format!("{} in {took}, X-Request-ID {id}", reply.status)
            }
            Err(trouble) => format!("none in {took}: {trouble}"),
        });
        if let Ok(reply) = &ended {
            self.tracer.tell("body", || reply.text().to_owned());
        }
        ended
    }

    /// January's gateway insists on the moment of sending; the current one looks at `startsAt` without it, as it does
    /// for Alertmanager.
    fn timestamp(&self) -> Option<i64> {
        (self.version == GatewayVersion::January).then(|| Timestamp::now().as_second())
    }

    /// What can be known of the signals here, each for itself. The gateway may find other targets: it can ask which
    /// objects there are.
    async fn known(&self, source: Source, body: &[u8]) -> Result<Vec<Preview>, Failure> {
        let now = Timestamp::now();
        let header = self.timestamp().map(|seconds| seconds.to_string());
        if body.len() > MAX_BODY {
            let bytes = body.len();
            return Err(meaning::unreadable(&PayloadError::TooLarge { bytes }));
        }
        let body = body.to_vec();
        let preview = |signal: Result<Signal, Refusal>| match signal {
            Ok(signal) => Ok(Known::of(&signal)),
            Err(refusal) => Err(refusal.to_string()),
        };
        match source {
            Source::Prometheus => {
                let webhook = self.ingestion.webhook(body, header.as_deref(), now);
                let webhook = webhook.map_err(|error| meaning::unreadable(&error))?;
                let mut known = Vec::new();
                for alert in self.ingestion.alerts(&webhook) {
                    let signal = self.ingestion.alert(&webhook, alert, now).await;
                    known.push(preview(signal));
                }
                Ok(known)
            }
            Source::Event => {
                let event = self.ingestion.event(body, header.as_deref(), now);
                let event = event.map_err(|error| meaning::unreadable(&error))?;
                let signal = self.ingestion.event_signal(&event, now).await;
                Ok(vec![preview(signal)])
            }
        }
    }

    /// The same, once for all that are the same. Nothing is known of what is not understood.
    async fn known_once(&self, source: Source, body: &[u8]) -> Vec<Preview> {
        let known = async || self.known(source, body).await.unwrap_or_default();
        match &self.same {
            Some(same) => same.get_or_init(known).await.clone(),
            None => known().await,
        }
    }

    fn trace(&self, known: &[Preview]) {
        for preview in known {
            match preview {
                Ok(signal) => {
                    self.tracer.signal(signal);
                    self.tracer
                        .tell("lease", || signal.lease().unwrap_or_default());
                }
                Err(why) => self
                    .tracer
                    .tell("signal", || format!("not understood here: {why}")),
            }
        }
        self.tracer.tell("target", || {
            "is told by the payload alone: the gateway follows owners and may find another"
                .to_owned()
        });
    }

    fn trace_result(&self, answer: &Answer) {
        for told in &answer.signals {
            if told.is_about_an_owner() {
                self.tracer.tell("fingerprint", || {
                    let fingerprint = told.fingerprint().unwrap_or_default();
                    format!("{fingerprint}, the gateway's: it has followed owners")
                });
                self.tracer
                    .tell("lease", || told.lease().unwrap_or_default());
            }
            self.tracer.tell("result", || {
                let request = told.request.as_deref().unwrap_or("no RemediationRequest");
                let count = told
                    .count
                    .map_or_else(String::new, |count| format!(", count {count}"));
                format!(
                    "{}, {request}{count}: {}",
                    told.outcome.as_str(),
                    told.message
                )
            });
        }
    }

    fn would_send(
        &self,
        source: Source,
        body: &[u8],
        known: Result<Vec<Preview>, Failure>,
    ) -> Answer {
        let endpoint = self.client.endpoint(source.path());
        let message = format!("POST {endpoint}, {} bytes (dry run)", body.len());
        let known = match known {
            Ok(known) => known,
            Err(failure) => return Answer::unsent(failure),
        };
        let mut signals: Vec<Told> = known
            .into_iter()
            .map(|preview| match preview {
                Ok(signal) => not_sent(Some(signal), &message),
                Err(why) => Told::failed(None, Exit::BadInput, why),
            })
            .collect();
        if signals.is_empty() {
            signals.push(not_sent(None, &format!("nothing fires in it: {message}")));
        }
        let told: Vec<_> = signals.iter().map(Told::signal).collect();
        Answer {
            body: Some(serde_json::json!({
                "status": Outcome::NotSent.as_str(), "dryRun": DryRun::Client.as_str(), "url": endpoint,
                "bytes": body.len(), "signals": told,
            })),
            failure: meaning::first_failure(&signals),
            signals,
            status: None,
            request_id: None,
            took: Duration::ZERO,
        }
    }
}

fn not_sent(known: Option<Known>, message: &str) -> Told {
    Told {
        outcome: Outcome::NotSent,
        ..Told::failed(known, Exit::Done, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_url_without_secrets_names_a_gateway() {
        for text in [
            "http://127.0.0.1:8080",
            "https://gateway.kubernaut-system.svc",
            "https://gateway/behind/a/proxy/",
        ] {
            assert_eq!(
                url(text).unwrap().to_string().trim_end_matches('/'),
                text.trim_end_matches('/')
            );
        }
        for text in [
            "gateway:8080",
            "127.0.0.1:8080",
            "ftp://gateway",
            "http://",
            "https://user:secret@gateway",
            "https://gateway?x=1",
            "",
        ] {
            assert!(url(text).is_err(), "{text}");
        }
    }
}

//! To a gateway over HTTP: one POST, its deadline, and what an answer means.

mod client;
mod meaning;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, ValueHint};
use http::Uri;
use jiff::Timestamp;
use tokio::time::sleep;

use crate::cli::DryRun;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::gateway::GatewayVersion;
use crate::gateway::compose::Source;
use crate::gateway::ingest::{Ingestion, Refusal};
use crate::gateway::payload::{MAX_BODY, PayloadError};

use super::Arguments;
use super::answer::{Answer, Known, Outcome, Told};
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
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "gateway")]
    gateway_token_file: Option<PathBuf>,
    /// Certificate authorities of the gateway in PEM [default: the system's]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "gateway")]
    gateway_ca_file: Option<PathBuf>,
    /// Do not check the gateway's certificate
    #[arg(long, requires = "gateway")]
    gateway_insecure_skip_tls_verify: bool,
    /// Send a request again, so many times, after 5xx or no answer, as Alertmanager does; what was counted is then
    /// counted again
    #[arg(
        long,
        default_value_t = 0,
        hide_default_value = true,
        value_name = "N",
        requires = "gateway"
    )]
    retry: u32,
}

/// A gateway that signals are sent to.
pub(super) struct Gateway {
    client: Client,
    url: String,
    version: GatewayVersion,
    /// Says what can be known of a signal without a cluster.
    ingestion: Ingestion,
    retry: u32,
    dry_run: bool,
    tracer: Tracer,
}

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
            retry: given.retry,
            dry_run: arguments.dry_run != DryRun::None,
            tracer: tracer.clone(),
        }))
    }

    pub(super) async fn send(&self, source: Source, body: Vec<u8>) -> Answer {
        let began = Instant::now();
        let known = self.known(source, &body).await;
        if self.tracer.is_on() {
            self.trace(&known);
        }
        if self.dry_run {
            return self.would_send(source, &body, known);
        }
        let known = known.unwrap_or_default();
        let mut attempt = 0;
        let mut wait = FIRST_WAIT;
        loop {
            let ended = self.post(source, body.clone()).await;
            let (is_worth_it, retry_after) = match &ended {
                Ok(reply) => (reply.status.is_server_error(), reply.retry_after),
                Err(_) => (true, None),
            };
            if !is_worth_it || attempt == self.retry {
                return meaning::answer(ended, known, began.elapsed(), &self.url);
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

    async fn post(&self, source: Source, body: Vec<u8>) -> Result<Reply, Trouble> {
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

    /// What can be known of the signals here. The gateway may find other targets: it can ask which objects there are.
    async fn known(&self, source: Source, body: &[u8]) -> Result<Vec<Known>, Failure> {
        let now = Timestamp::now();
        let header = self.timestamp().map(|seconds| seconds.to_string());
        let body = body.to_vec();
        if body.len() > MAX_BODY {
            return Err(meaning::unreadable(&PayloadError::TooLarge {
                bytes: body.len(),
            }));
        }
        let refused = |refusal: Refusal| Failure::new(Exit::BadInput, refusal);
        match source {
            Source::Prometheus => {
                let webhook = self.ingestion.webhook(body, header.as_deref(), now);
                let webhook = webhook.map_err(|error| meaning::unreadable(&error))?;
                let mut known = Vec::new();
                for alert in self.ingestion.alerts(&webhook) {
                    let signal = self.ingestion.alert(&webhook, alert, now).await;
                    known.push(Known::of(&signal.map_err(refused)?));
                }
                Ok(known)
            }
            Source::Event => {
                let event = self.ingestion.event(body, header.as_deref(), now);
                let event = event.map_err(|error| meaning::unreadable(&error))?;
                let signal = self.ingestion.event_signal(&event, now).await;
                Ok(vec![Known::of(&signal.map_err(refused)?)])
            }
        }
    }

    fn trace(&self, known: &Result<Vec<Known>, Failure>) {
        match known {
            Ok(known) => {
                for signal in known {
                    self.tracer.signal(signal);
                }
                self.tracer.tell("target", || {
                    "as far as the payload says; the gateway follows owners and may find another"
                        .to_owned()
                });
            }
            Err(_) => self.tracer.tell("signal", || {
                "the payload is not understood here; the gateway decides".to_owned()
            }),
        }
    }

    fn would_send(
        &self,
        source: Source,
        body: &[u8],
        known: Result<Vec<Known>, Failure>,
    ) -> Answer {
        let endpoint = self.client.endpoint(source.path());
        let message = format!("POST {endpoint}, {} bytes (dry run)", body.len());
        let (signals, failure) = match known {
            Ok(known) if known.is_empty() => {
                (vec![not_sent(None, "nothing fires in it (dry run)")], None)
            }
            Ok(known) => {
                let told = known
                    .into_iter()
                    .map(|signal| not_sent(Some(signal), &message));
                (told.collect(), None)
            }
            Err(failure) => {
                let told = Told::failed(None, failure.exit, failure.message());
                (vec![told], Some(failure))
            }
        };
        let body = (failure.is_none()).then(|| {
            let signals: Vec<_> = signals.iter().map(Told::signal).collect();
            serde_json::json!({
                "status": "not sent", "dryRun": "client", "url": endpoint, "bytes": body.len(), "signals": signals,
            })
        });
        Answer {
            signals,
            body,
            status: None,
            request_id: None,
            took: Duration::ZERO,
            failure,
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

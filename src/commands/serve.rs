//! `gwlock serve`: a gateway replica.

#[cfg(feature = "sim")]
mod gateway;

use std::fs::OpenOptions;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use clap::{Args, ValueEnum, ValueHint};
use gwlock_engine::protocol::timing::Timing;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::context::{Cluster, Context, interrupted, variable};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::flags::duration;
use crate::gateway::kinds::served::ServedKinds;
use crate::gateway::server::audit::Audit;
use crate::gateway::server::listen::{self, Drained};
use crate::gateway::server::metrics::Metrics;
use crate::gateway::server::signals::Signals;
use crate::gateway::server::tls::Certificate;
use crate::gateway::server::{Authenticator, Limits, Parts, Server};
use crate::output;

use super::claim::TimingArguments;
use super::processing::{Processing, Scope, Settings};
use super::resolve::Version;

/// How long releases may take at the end, after everything has been answered.
const RELEASES: Duration = Duration::from_secs(10);

const POD_NAME: &str = "env:
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: POD_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}";

/// Who may send signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Auth {
    /// Whoever has a bearer token that may create services/gateway-service in the controller namespace
    Token,
    /// Everybody who reaches a loopback address
    None,
}

/// Serve signals as a replica of the gateway
///
/// Takes Alertmanager webhooks and Kubernetes events, and makes of a storm of one alert one RemediationRequest with the
/// exact count, together with any number of replicas. Overload and failures are answered so that Alertmanager sends
/// again. TERM and Ctrl-C end it: what was accepted is answered, and every lease is released.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gwlock serve
  gwlock serve --bind-address 127.0.0.1:8080 --auth none --identity me
  gwlock serve --tls-cert-file tls.crt --tls-private-key-file tls.key --audit-log audit.jsonl")]
pub(crate) struct Arguments {
    /// Address for signals
    #[arg(long, value_parser = address, default_value = ":8080", value_name = "ADDR:PORT")]
    bind_address: SocketAddr,
    /// Address for /healthz and /readyz; 0 for none
    #[arg(long, value_parser = optional_address, default_value = ":8081", value_name = "ADDR:PORT")]
    health_probe_bind_address: OptionalAddress,
    /// Address for /metrics; 0 for none
    #[arg(long, value_parser = optional_address, default_value = ":9090", value_name = "ADDR:PORT")]
    metrics_bind_address: OptionalAddress,
    /// Certificate chain in PEM, read again when it changes
    #[arg(long, requires = "tls_private_key_file", value_name = "FILE", value_hint = ValueHint::FilePath)]
    tls_cert_file: Option<PathBuf>,
    /// Private key in PEM, read again when it changes
    #[arg(long, requires = "tls_cert_file", value_name = "FILE", value_hint = ValueHint::FilePath)]
    tls_private_key_file: Option<PathBuf>,
    /// Who may send signals
    #[arg(long, value_enum, default_value = "token", value_name = "HOW")]
    auth: Auth,
    /// Which signals lead to a RemediationRequest
    #[arg(long, value_enum, default_value = "managed", value_name = "WHICH")]
    scope: Scope,
    /// Namespace of the RemediationRequests [default: $KUBERNAUT_CONTROLLER_NAMESPACE, that of the leases]
    #[arg(long, value_name = "NAMESPACE")]
    controller_namespace: Option<String>,
    /// Whose rules for targets and fingerprints are followed
    #[arg(long, value_enum, default_value = "current", value_name = "VERSION")]
    gateway_version: Version,
    /// Holder identity's base [default: $POD_NAME]
    #[arg(long, value_name = "NAME")]
    identity: Option<String>,
    /// Requests for signals in flight; more are answered 503
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000), value_name = "N")]
    max_concurrent_requests: u32,
    /// How long a signal may take; then it is answered 504
    #[arg(long, value_parser = duration, default_value = "15s", value_name = "DURATION")]
    signal_timeout: Duration,
    /// Where audit events go, a JSON object a line; - is stderr
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    audit_log: Option<PathBuf>,
    #[command(flatten)]
    timing: TimingArguments,
    /// The protocol that counts signals, to compare with gwlock's
    #[cfg(feature = "sim")]
    #[arg(
        long,
        value_enum,
        default_value = "gwlock",
        hide = true,
        value_name = "PROTOCOL"
    )]
    protocol: gateway::Protocol,
    /// How long signals are still taken after /readyz says 503, so that nobody is sent here any more
    #[arg(long, value_parser = duration, default_value = "5s", value_name = "DURATION")]
    shutdown_delay: Duration,
    /// How long answers may take at the end
    #[arg(long, value_parser = duration, default_value = "30s", value_name = "DURATION")]
    shutdown_timeout: Duration,
    /// End at once when this process, which has started this one, ends in any way
    #[arg(long, hide = true, value_name = "PID")]
    end_with: Option<u32>,
}

/// An address, or none.
#[derive(Debug, Clone, Copy)]
struct OptionalAddress(Option<SocketAddr>);

/// `ADDR:PORT`, or `:PORT` for every address.
fn address(text: &str) -> Result<SocketAddr, String> {
    let expected = || format!("\"{text}\" is no address: 127.0.0.1:8080 and :8080 are");
    match text.strip_prefix(':') {
        Some(port) => {
            let port = port.parse().map_err(|_| expected())?;
            Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port))
        }
        None => text.parse().map_err(|_| expected()),
    }
}

fn optional_address(text: &str) -> Result<OptionalAddress, String> {
    if text == "0" {
        return Ok(OptionalAddress(None));
    }
    address(text).map(|address| OptionalAddress(Some(address)))
}

pub(crate) async fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    if arguments.auth == Auth::None && !arguments.bind_address.ip().is_loopback() {
        return Err(Failure::says(
            Exit::Usage,
            format!(
                "--auth none would let everybody send to {}",
                arguments.bind_address
            ),
        )
        .again(
            "--bind-address 127.0.0.1:8080",
            "listens to this machine alone",
        ));
    }
    if let Some(parent) = arguments.end_with {
        end_with(parent)?;
    }
    let base = identity(arguments)?;
    let timing = arguments.timing.timing()?;
    let certificate = certificate(arguments)?;
    let audit = Arc::new(audit(arguments.audit_log.as_deref())?);
    let cluster = context.cluster().await?;
    let server = server(arguments, &cluster, &base, timing, audit.clone()).await?;
    let listeners = Listeners::bind(arguments).await?;
    serve(arguments, &server, listeners, certificate, audit).await
}

fn end_with(parent: u32) -> Result<(), Failure> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};
    let asked = set_parent_process_death_signal(Some(Signal::KILL));
    asked.map_err(|error| Failure::new(Exit::Bug, anyhow::Error::new(error)))?;
    // It may have ended before that was asked for.
    let now = getppid().map(|pid| pid.as_raw_nonzero().get());
    if now != i32::try_from(parent).ok() {
        return Err(Failure::says(
            Exit::Usage,
            "whoever has started this has ended",
        ));
    }
    Ok(())
}

/// Without a name of its own a gateway would take no lease at all, and nobody would notice.
fn identity(arguments: &Arguments) -> Result<String, Failure> {
    let given = arguments.identity.clone().or_else(|| variable("POD_NAME"));
    given.ok_or_else(|| {
        Failure::says(
            Exit::Config,
            "POD_NAME is not set: holders could not be told apart",
        )
        .hint(format!("add to the container:\n{POD_NAME}"))
        .again("--identity me", "outside a pod")
    })
}

fn certificate(arguments: &Arguments) -> Result<Option<Arc<Certificate>>, Failure> {
    let (Some(certificate), Some(key)) =
        (&arguments.tls_cert_file, &arguments.tls_private_key_file)
    else {
        return Ok(None);
    };
    let loaded = Certificate::load(certificate, key);
    loaded
        .map(|certificate| Some(Arc::new(certificate)))
        .map_err(|error| Failure::new(Exit::Config, error))
}

fn audit(place: Option<&Path>) -> Result<Audit, Failure> {
    let place: Box<dyn Write + Send> = match place {
        None => return Ok(Audit::default()),
        Some(path) if path == Path::new("-") => output::stderr(),
        Some(path) => {
            let file = OpenOptions::new().append(true).create(true).open(path);
            Box::new(file.map_err(|error| {
                let message = format!("cannot write the audit log {}", path.display());
                Failure::new(Exit::Config, anyhow::Error::new(error).context(message))
            })?)
        }
    };
    Ok(Audit::to(place))
}

async fn server(
    arguments: &Arguments,
    cluster: &Cluster,
    base: &str,
    timing: Timing,
    audit: Arc<Audit>,
) -> Result<Server, Failure> {
    let controller_namespace =
        cluster.controller_namespace(arguments.controller_namespace.as_deref());
    let client = cluster.client.clone();
    let metrics = Arc::new(Metrics::default());
    let observer = {
        let (metrics, audit) = (metrics.clone(), audit.clone());
        Arc::new(move |traced: &_| {
            metrics.observe(traced);
            audit.observe(traced);
        })
    };
    let limits = Limits {
        in_flight: arguments.max_concurrent_requests as usize,
        request: arguments.signal_timeout,
        ..Limits::default()
    };
    let settings = Settings {
        base,
        controller_namespace: &controller_namespace,
        version: arguments.gateway_version,
        scope: arguments.scope,
        budget: limits.signal(),
        timing,
        request_timeout: None,
        observer: Some(observer),
        lookups: client.clone(),
    };
    let processing = Processing::on(cluster, settings).await?;
    let processor: Arc<dyn Signals> = Arc::new(processing.processor);
    #[cfg(feature = "sim")]
    let processor = gateway::Replica {
        client: &client,
        leases: &cluster.namespace,
        requests: &controller_namespace,
        base,
        metrics: &metrics,
        deadline: limits.request,
    }
    .speaking(arguments.protocol)?
    .unwrap_or(processor);
    Ok(Server::new(Parts {
        ingestion: processing.ingestion,
        processor,
        kinds: Arc::new(ServedKinds::new(client.clone(), processing.kinds)),
        scope: processing.scope,
        authenticator: (arguments.auth == Auth::Token)
            .then(|| Authenticator::new(client.clone(), &controller_namespace)),
        client,
        metrics,
        audit,
        limits,
    }))
}

struct Listeners {
    api: TcpListener,
    probes: Option<TcpListener>,
    metrics: Option<TcpListener>,
}

impl Listeners {
    async fn bind(arguments: &Arguments) -> Result<Self, Failure> {
        Ok(Self {
            api: bind(arguments.bind_address).await?,
            probes: bind_optional(arguments.health_probe_bind_address).await?,
            metrics: bind_optional(arguments.metrics_bind_address).await?,
        })
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let message = format!("cannot listen on {address}");
        Failure::new(Exit::Config, anyhow::Error::new(error).context(message))
    })
}

fn local(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    let address = listener.local_addr();
    address.map_err(|error| Failure::new(Exit::Config, error))
}

async fn bind_optional(address: OptionalAddress) -> Result<Option<TcpListener>, Failure> {
    match address.0 {
        Some(address) => bind(address).await.map(Some),
        None => Ok(None),
    }
}

async fn serve(
    arguments: &Arguments,
    server: &Server,
    listeners: Listeners,
    certificate: Option<Arc<Certificate>>,
    audit: Arc<Audit>,
) -> Result<Exit, Failure> {
    let scheme = if certificate.is_some() {
        "https"
    } else {
        "http"
    };
    let address = local(&listeners.api)?;
    let probes = listeners.probes.as_ref().map(local).transpose()?;
    let metrics = listeners.metrics.as_ref().map(local).transpose()?;
    let tls = match &certificate {
        None => None,
        Some(certificate) => {
            let config = certificate.config();
            let config = config.map_err(|error| Failure::new(Exit::Config, error))?;
            let told = move |certificate: &_, outcome: &_| audit.configured(certificate, outcome);
            tokio::spawn(certificate.clone().keep_fresh(told));
            Some(TlsAcceptor::from(Arc::new(config)))
        }
    };
    tokio::spawn(server.clone().keep_kinds_fresh());
    let (stop, stopped) = watch::channel(());
    // Probes and metrics are answered until the very end.
    for (listener, routes) in [
        (listeners.probes, server.probes()),
        (listeners.metrics, server.metrics()),
    ] {
        if let Some(listener) = listener {
            tokio::spawn(beside(listener, routes));
        }
    }
    let grace = arguments.shutdown_timeout;
    let api = tokio::spawn(listen::serve(
        listeners.api,
        tls,
        server.api(),
        ended(stopped),
        grace,
    ));
    output::note(&format!("serving signals on {scheme}://{address}"));
    for (what, address) in [("probes", probes), ("metrics", metrics)] {
        if let Some(address) = address {
            output::note(&format!("serving {what} on http://{address}"));
        }
    }
    interrupted().await;
    output::note("ending: no more signals are wanted, those that come are still answered");
    server.drain();
    tokio::select! {
        () = tokio::time::sleep(arguments.shutdown_delay) => {}
        _ = interrupted() => {}
    }
    drop(stop);
    let drained = api.await.map_err(|error| Failure::new(Exit::Bug, error))?;
    if timeout(RELEASES, server.settled()).await.is_err() {
        output::note("some leases could not be released; they expire by themselves");
    }
    match drained {
        Drained::All => Ok(Exit::Done),
        Drained::CutOff => Err(Failure::says(
            Exit::Unknown,
            format!("some signals were not answered within {grace:?}"),
        )),
    }
}

async fn beside(listener: TcpListener, routes: Router) {
    let forever = std::future::pending();
    let _ = listen::serve(listener, None, routes, forever, Duration::ZERO).await;
}

/// The sender is never used, only dropped.
async fn ended(mut stopped: watch::Receiver<()>) {
    while stopped.changed().await.is_ok() {}
}

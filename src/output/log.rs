//! Logs, on stderr.

use tracing_subscriber::EnvFilter;

use crate::cli::{Global, LogFormat};
use crate::context::variable;

/// Starts logging as the flags say; `GWLOCK_LOG` takes a filter such as `gwlock_engine=debug`.
pub(crate) fn init(global: &Global) {
    let level = match global.verbosity() {
        0 => "warn,kube_client=off,hyper_util=off",
        1 => "info,kube_client=off,hyper_util=off",
        2 => "debug,kube_client=info,hyper_util=info,rustls=info",
        _ => "trace",
    };
    let filter = EnvFilter::new(variable("GWLOCK_LOG").unwrap_or_else(|| level.to_owned()));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match global.log_format {
        LogFormat::Text => subscriber.with_target(false).init(),
        LogFormat::Json => subscriber.json().init(),
    }
}

//! Logs, on stderr.

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people
    #[default]
    Text,
    /// A JSON object a line
    Json,
}

/// Starts logging: 0 for warnings, 1 for what is done, 2 for every request, 3 for everything; or by a filter such as
/// `gwlock_engine=debug`.
pub(crate) fn init(verbosity: usize, filter: Option<String>, format: LogFormat) {
    let filter = filter.unwrap_or_else(|| {
        let filter = match verbosity {
            0 => "warn,kube_client=off,hyper_util=off",
            1 => "info,kube_client=off,hyper_util=off",
            2 => "debug,kube_client=info,hyper_util=info,rustls=info,h2=info",
            _ => "trace",
        };
        filter.to_owned()
    });
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => subscriber.with_target(false).init(),
        LogFormat::Json => subscriber.json().init(),
    }
}

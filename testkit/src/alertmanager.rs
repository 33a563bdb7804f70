//! Alertmanager, started for a test with the test's configuration: alone, on loopback, with nothing to remember.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::assets;
use crate::process::Process;

const START_TIMEOUT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);
/// What it says before the address on which it serves its API.
const LISTENING: &str = "msg=\"Listening on\" address=";

/// A running Alertmanager. Dropping it ends it, as the end of the test process does.
#[derive(Debug)]
pub struct Alertmanager {
    folder: PathBuf,
    url: String,
    client: Client<HttpConnector, Full<Bytes>>,
    process: Process,
}

impl Alertmanager {
    pub(crate) async fn start(configuration: &str) -> Result<Self> {
        let program = tokio::task::spawn_blocking(assets::alertmanager).await??;
        let folder = tempfile::Builder::new()
            .prefix("gwlock-alertmanager-")
            .tempdir()?
            .keep();
        let [configured, log] = ["alertmanager.yml", "log"].map(|name| folder.join(name));
        fs::write(&configured, configuration)?;
        let arguments = [
            format!("--config.file={}", configured.display()),
            format!("--storage.path={}", folder.join("data").display()),
            "--web.listen-address=127.0.0.1:0".to_owned(),
            // Made of the port otherwise, which is known only later.
            "--web.external-url=http://alertmanager:9093".to_owned(),
            "--cluster.listen-address=".to_owned(),
        ];
        let process = Process::start(&program, &arguments, &log, Some(&folder))?;
        let mut own = Self {
            folder,
            url: String::new(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            process,
        };
        own.wait_until_ready().await?;
        Ok(own)
    }

    /// Posts alerts to `/api/v2/alerts`, as Prometheus does.
    ///
    /// # Panics
    /// When they are not taken.
    pub async fn post(&self, alerts: &Value) {
        let request = Request::post(format!("{}/api/v2/alerts", self.url))
            .header("content-type", "application/json")
            .body(Full::from(alerts.to_string()));
        let answer = match request {
            Ok(request) => self.ask(request).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = answer {
            panic!("Alertmanager does not take {alerts}: {error:#}");
        }
    }

    /// The value of a series at `/metrics`, which is named with its labels: `name{label="value"}`.
    ///
    /// # Panics
    /// When there is no such series, or no answer.
    pub async fn metric(&self, series: &str) -> f64 {
        let metrics = self
            .get("/metrics")
            .await
            .unwrap_or_else(|error| panic!("no metrics: {error:#}"));
        let value = metrics
            .lines()
            .find_map(|line| line.strip_prefix(series)?.trim_start().parse().ok());
        value.unwrap_or_else(|| panic!("no {series} in\n{metrics}"))
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.process.id()
    }

    /// Where its data, log and configuration are. It goes with it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it has said so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let start = Instant::now();
        loop {
            let log = self.log();
            if let Some(address) = listening(&log) {
                self.url = format!("http://{address}");
                if self.get("/-/ready").await.is_ok() {
                    return Ok(());
                }
            }
            if log.contains("level=ERROR") {
                bail!("Alertmanager does not start; it said:\n{log}");
            }
            if start.elapsed() > START_TIMEOUT {
                bail!("Alertmanager was not ready in {START_TIMEOUT:?}; it said:\n{log}");
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn get(&self, path: &str) -> Result<String> {
        let request = Request::get(format!("{}{path}", self.url)).body(Full::default())?;
        self.ask(request).await
    }

    async fn ask(&self, request: Request<Full<Bytes>>) -> Result<String> {
        let answer = self.client.request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        let text = String::from_utf8(body.into()).context("the answer is no text")?;
        ensure!(status == StatusCode::OK, "{status}: {text}");
        Ok(text)
    }
}

/// The address in a log that is complete up to it.
fn listening(log: &str) -> Option<&str> {
    let (_, rest) = log.split_once(LISTENING)?;
    let (line, _) = rest.split_once('\n')?;
    line.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_when_its_line_is_complete() {
        let line =
            "time=2026-11-23T09:00:00.000Z level=INFO msg=\"Listening on\" address=127.0.0.1:41234";
        assert_eq!(listening(""), None);
        assert_eq!(listening(line), None);
        assert_eq!(listening(&format!("x\n{line}\n")), Some("127.0.0.1:41234"));
    }
}

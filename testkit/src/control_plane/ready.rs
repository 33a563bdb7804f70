//! When a control plane that was started may be used.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::ControlPlane;
use crate::users::User;

const START_TIMEOUT: Duration = Duration::from_secs(120);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(50);
/// How much of a log says why it did not start.
const LAST_LINES: usize = 8;

impl ControlPlane {
    /// Until `/readyz` says ok, which it does when the built-in roles and namespaces are there.
    pub(super) fn wait_until_ready(&mut self) -> Result<()> {
        let start = Instant::now();
        while self.read_ca().is_err() || !self.is_ready() {
            if let Some(words) = self.failure() {
                bail!("the control plane does not start; it said last:\n{words}");
            }
            if start.elapsed() > START_TIMEOUT {
                bail!(
                    "the control plane was not ready in {START_TIMEOUT:?}; the API server said last:\n{}",
                    last(&self.log("apiserver.log"))
                );
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// What a program said before it gave up.
    fn failure(&self) -> Option<String> {
        [
            ("etcd.log", "\"level\":\"fatal\""),
            ("apiserver.log", "\"command failed\""),
        ]
        .into_iter()
        .map(|(name, sign)| (self.log(name), sign))
        .find(|(log, sign)| log.contains(sign))
        .map(|(log, _)| last(&log))
    }

    fn log(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }

    /// The serving certificate that the API server makes for itself is followed by the authority that signed it.
    fn read_ca(&mut self) -> Result<()> {
        const END: &str = "-----END CERTIFICATE-----";
        let chain = fs::read_to_string(self.folder.join("certs/apiserver.crt"))?;
        let start = chain
            .rfind("-----BEGIN CERTIFICATE-----")
            .context("no certificate")?;
        let end = chain.rfind(END).context("half a certificate")? + END.len();
        if start == 0 || end < start {
            bail!("no authority in the chain yet");
        }
        self.ca_pem = format!("{}\n", &chain[start..end]);
        Ok(())
    }

    fn is_ready(&self) -> bool {
        let config = self.config(User::Admin, "default");
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
        else {
            return false;
        };
        let ask = async move {
            let client = kube::Client::try_from(config).ok()?;
            let request = http::Request::get("/readyz").body(Vec::new()).ok()?;
            let answer = client.request_text(request);
            tokio::time::timeout(ANSWER_TIMEOUT, answer)
                .await
                .ok()?
                .ok()
        };
        // In a thread of its own: the caller may be inside a runtime already.
        std::thread::scope(|scope| scope.spawn(move || runtime.block_on(ask)).join())
            .is_ok_and(|text| text.as_deref() == Some("ok"))
    }
}

fn last(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}

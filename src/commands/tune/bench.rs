//! Measures first: `gwlock bench signals` as a child, whose metrics are read when it has ended. What it sends and where is
//! its own business.

use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::NamedTempFile;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};

use super::Arguments;
use crate::context::{Context, interrupted};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;
use crate::process::THIS_PROGRAM;
use crate::tune::Measured;
use crate::tune::metrics::{Samples, Time};

/// What a run of it says, and for how long which replicas ran.
pub(super) async fn measured(
    arguments: &Arguments,
    context: &Context,
) -> Result<(String, Measured), Failure> {
    let metrics = NamedTempFile::new().map_err(|error| Failure::new(Exit::Config, error))?;
    let mut command = Command::new(THIS_PROGRAM);
    command
        .args(["bench", "signals", "-o", "json", "--save-metrics"])
        .arg(metrics.path())
        .args(context.cluster_arguments())
        .args(&arguments.bench_arguments)
        .stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| {
        Failure::new(
            Exit::Config,
            anyhow::Error::new(error).context("cannot start gwlock bench signals"),
        )
    })?;
    let (report, status) = ended(&mut child).await?;
    let exit = status.code().and_then(|code| u8::try_from(code).ok());
    match exit.and_then(Exit::of) {
        Some(Exit::Done) => {}
        Some(Exit::No) => {
            output::note("the load was not held; what was measured all the same is used");
        }
        exit => {
            let exit = exit.unwrap_or(Exit::Unreachable);
            return Err(Failure::says(exit, "gwlock bench signals failed"));
        }
    }
    let report: Value = serde_json::from_slice(&report).unwrap_or_default();
    let time = time(&report).ok_or_else(|| {
        Failure::says(
            Exit::Bug,
            "gwlock bench signals does not say what it measured",
        )
    })?;
    let text = std::fs::read_to_string(metrics.path());
    let text = text.map_err(|error| Failure::new(Exit::Bug, error))?;
    let samples = Samples::parse(&text).map_err(|error| Failure::new(Exit::Bug, error))?;
    let source = format!("gwlock bench signals over {:.0}s", time.over);
    Ok((source, samples.measured(time)))
}

/// Waits for it. It cleans up when it is interrupted, which is waited for as well.
async fn ended(child: &mut Child) -> Result<(Vec<u8>, ExitStatus), Failure> {
    let lost = |error: std::io::Error| Failure::new(Exit::Bug, anyhow::Error::new(error));
    let pid = child.id().and_then(|id| i32::try_from(id).ok());
    let pid = pid.and_then(Pid::from_raw);
    let mut stdout = child.stdout.take();
    let end = async {
        let mut report = Vec::new();
        if let Some(stdout) = &mut stdout {
            stdout.read_to_end(&mut report).await?;
        }
        Ok((report, child.wait().await?))
    };
    tokio::pin!(end);
    tokio::select! {
        ended = &mut end => ended.map_err(lost),
        number = interrupted() => {
            if let Some(pid) = pid {
                // A terminal has told it already, and it may have ended.
                let _ = kill_process(pid, Signal::INT);
            }
            end.await.map_err(lost)?;
            Err(Failure::says(Exit::Signal(number), "interrupted"))
        }
    }
}

/// For how long its loads of gwlock were measured, one after another, and how many processes were watched then.
fn time(report: &Value) -> Option<Time> {
    let items = report["items"].as_array()?;
    let mut time = Time::default();
    for item in items.iter().filter(|item| item["protocol"] == "gwlock") {
        let seconds = item["durationSeconds"].as_f64()? + item["warmUpSeconds"].as_f64()?;
        time.over += seconds;
        time.watched += seconds * item["replicas"].as_f64()?;
    }
    (time.over > 0.0).then_some(time)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn loads_of_gwlock_alone_are_counted_and_every_replica_was_watched() {
        let item = |protocol: &str, seconds: f64| json!({"protocol": protocol, "replicas": 3, "durationSeconds": seconds, "warmUpSeconds": 2.0});
        let report =
            json!({"items": [item("gwlock", 10.0), item("gateway", 10.0), item("gwlock", 5.0)]});
        let time = time(&report).unwrap();
        assert_eq!((time.over, time.watched), (19.0, 57.0));
        assert!(super::time(&json!({"items": [item("gateway", 1.0)]})).is_none());
        assert!(super::time(&Value::Null).is_none());
    }
}

//! A gwlock process that watches, and its rows. What was written is not known here but for comparing the two.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use gwlock_testkit::{ControlPlane, User};
use serde_json::Value;
use tempfile::NamedTempFile;

use super::writer::{Write, name};

/// A row: which lease it shows with which holder, and when it was there.
pub(crate) struct Row {
    lease: String,
    number: usize,
    at: Instant,
}

/// A running `gwlock inspect --watch`.
pub(crate) struct Watcher {
    child: Child,
    _kubeconfig: NamedTempFile,
    incoming: Receiver<(String, Instant)>,
    rows: Vec<Row>,
    /// The holder that was shown last.
    last: HashMap<String, usize>,
}

impl Watcher {
    pub(crate) fn start(control_plane: &ControlPlane, namespace: &str) -> Self {
        let kubeconfig = control_plane.kubeconfig(User::Admin, namespace).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_gwlock"))
            .args(["inspect", "--watch", "-o", "json"])
            .env("KUBECONFIG", kubeconfig.path())
            .env_remove("POD_NAMESPACE")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (outgoing, incoming) = channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if outgoing.send((line, Instant::now())).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            _kubeconfig: kubeconfig,
            incoming,
            rows: Vec::new(),
            last: HashMap::new(),
        }
    }

    /// Waits until every lease has been shown.
    pub(crate) fn wait_for(&mut self, leases: usize) {
        while self.last.len() < leases {
            let line = self.incoming.recv().unwrap();
            self.take(&line);
        }
    }

    /// Waits until every lease is shown with the holder that it has; how many are not.
    pub(crate) fn wait_until_shown(
        &mut self,
        holders: &HashMap<String, usize>,
        patience: Duration,
    ) -> usize {
        let begun = Instant::now();
        loop {
            let is_missing =
                |(lease, number): &(&String, &usize)| self.last.get(*lease) != Some(*number);
            let missing = holders.iter().filter(is_missing).count();
            let left = patience.saturating_sub(begun.elapsed());
            if missing == 0 || left.is_zero() {
                return missing;
            }
            match self.incoming.recv_timeout(left) {
                Ok(line) => self.take(&line),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return missing,
            }
            while let Ok(line) = self.incoming.try_recv() {
                self.take(&line);
            }
        }
    }

    fn take(&mut self, (line, at): &(String, Instant)) {
        let report: Value = serde_json::from_str(line).unwrap();
        let lease = report["name"].as_str().unwrap().to_owned();
        let number = report["holder"].as_str().unwrap().parse().unwrap();
        self.last.insert(lease.clone(), number);
        self.rows.push(Row {
            lease,
            number,
            at: *at,
        });
    }

    /// The processor time that it has used, and the most memory, in bytes.
    pub(crate) fn usage(&self) -> (Duration, u64) {
        let file = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", self.child.id()));
        let stat = file("stat").unwrap();
        let ticks: u64 = stat
            .rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|ticks| ticks.parse::<u64>().unwrap())
            .sum();
        let status = file("status").unwrap();
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = most.unwrap().trim().trim_end_matches(" kB").parse::<u64>();
        let per_second = rustix::param::clock_ticks_per_second();
        (
            Duration::from_secs_f64(ticks as f64 / per_second as f64),
            kilobytes.unwrap() * 1024,
        )
    }

    /// Ends it; what it has shown.
    pub(crate) fn end(mut self) -> Vec<Row> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.rows
    }
}

/// From when each write was sent to the first row that shows it or a later one; those that no row shows are left out.
pub(crate) fn lags(writes: &[Write], rows: &[Row]) -> Vec<Duration> {
    let mut shown: HashMap<&str, Vec<(usize, Instant)>> = HashMap::new();
    for row in rows {
        shown
            .entry(&row.lease)
            .or_default()
            .push((row.number, row.at));
    }
    let first = |write: &Write| {
        let rows = shown.get(name(write.lease).as_str())?;
        let (_, at) = rows.iter().find(|(number, _)| *number >= write.number)?;
        Some(at.saturating_duration_since(write.sent))
    };
    writes.iter().filter_map(first).collect()
}

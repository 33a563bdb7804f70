//! Audit events against their schema: what the code says, what the documentation says, and lines of every type.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gwlock::gateway::audit::{CATEGORY, ENVELOPE, Event, EventType, FIELDS, Removed, SCHEMA};
use gwlock::gateway::server::Limits;
use gwlock::gateway::server::audit::Audit;
use gwlock::gateway::server::tls::Certificate;
use gwlock_apiserver::faults::{Action, Fault};
use gwlock_engine::client::convert::micro_time;
use gwlock_engine::protocol::key::Fingerprint;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::fleet::{Fleet, LOCKS, Options, alert};

/// What is wrong with a line, if anything is.
fn wrong(line: &Value) -> Option<String> {
    let name = line["event_type"].as_str()?;
    let Some(schema) = SCHEMA.iter().find(|schema| schema.name == name) else {
        return Some(format!("{name} is not in the schema"));
    };
    let keys = |value: &Value| -> BTreeSet<String> {
        let fields = value.as_object().into_iter().flatten();
        fields.map(|(key, _)| key.clone()).collect()
    };
    let envelope = ENVELOPE.iter().copied().chain(["event_data"]);
    if keys(line) != envelope.map(str::to_owned).collect() {
        return Some(format!("{name} has the fields {:?}", keys(line)));
    }
    if keys(&line["event_data"]) != schema.data().map(str::to_owned).collect() {
        return Some(format!(
            "{name} has the data {:?}",
            keys(&line["event_data"])
        ));
    }
    if line["event_category"] != CATEGORY || line["event_action"] != schema.action() {
        return Some(format!(
            "{name}: {} {}",
            line["event_category"], line["event_action"]
        ));
    }
    let time = line["event_time"].as_str().unwrap_or_default();
    if time.parse::<Timestamp>().is_err() || !line["correlation_id"].is_string() {
        return Some(format!("{name}: {time}, {}", line["correlation_id"]));
    }
    let types: BTreeMap<&str, &str> = FIELDS.into_iter().collect();
    schema.data().find_map(|field| {
        let value = &line["event_data"][field];
        let fits = match types.get(field).copied() {
            Some("string") => value.is_string(),
            Some("string?") => value.is_string() || value.is_null(),
            Some("integer") => value.is_i64() || value.is_u64(),
            Some("number") => value.is_number(),
            Some("object") => value.is_object(),
            _ => false,
        };
        (!fits).then(|| format!("{name}: {field} is {value}"))
    })
}

/// The types of events that these lines have; each of them has to fit.
fn types(lines: &[Value]) -> BTreeSet<String> {
    for line in lines {
        assert_eq!(wrong(line), None, "{line}");
    }
    let name = |line: &Value| line["event_type"].as_str().unwrap().to_owned();
    lines.iter().map(name).collect()
}

async fn fleet() -> Fleet {
    let fleet = Fleet::new(1).await;
    fleet.cluster.create("shop/Pod/pod-0", None).await;
    fleet
}

async fn hold(fleet: &Fleet, seconds: i32) {
    let lease = Fingerprint::of("shop:Pod:pod-0").lease_name();
    let path = format!("/apis/coordination.k8s.io/v1/namespaces/{LOCKS}/leases");
    let held = json!({
        "metadata": {"name": lease.as_str()},
        "spec": {"holderIdentity": "somebody", "leaseDurationSeconds": seconds, "renewTime": micro_time(Cluster::now())},
    });
    fleet.cluster.post(&path, &held).await;
}

async fn created_and_counted() -> Vec<Value> {
    let fleet = fleet().await;
    fleet.webhook(0, &[alert("A", "pod-0")]).await;
    fleet.webhook(0, &[alert("A", "pod-0")]).await;
    fleet.leases().await;
    fleet.audit()
}

async fn taken_over() -> Vec<Value> {
    let fleet = fleet().await;
    hold(&fleet, 1).await;
    assert_eq!(fleet.webhook(0, &[alert("A", "pod-0")]).await.0, 201);
    fleet.leases().await;
    fleet.audit()
}

async fn failed() -> Vec<Value> {
    let fleet = fleet().await;
    hold(&fleet, 3600).await;
    assert_eq!(fleet.webhook(0, &[alert("A", "pod-0")]).await.0, 500);
    fleet.audit()
}

/// The lease cannot be renewed, and it is not known whether a request is to be created.
async fn lost() -> Vec<Value> {
    let limits = Limits {
        request: Duration::from_secs(60),
        ..Limits::default()
    };
    let options = Options {
        limits: Some(limits),
        ..Options::default()
    };
    let fleet = Fleet::with(Cluster::new().await, 1, options).await;
    fleet.cluster.create("shop/Pod/pod-0", None).await;
    let refused = || {
        Fault::new(Action::Refuse {
            status: 503,
            retry_after: None,
        })
    };
    let list = refused().verb("list").resource("remediationrequests");
    fleet.cluster.inject(list.after(1));
    fleet
        .cluster
        .inject(refused().verb("update").resource("leases"));
    assert_ne!(fleet.webhook(0, &[alert("A", "pod-0")]).await.0, 201);
    fleet.leases().await;
    fleet.audit()
}

fn forced() -> Value {
    let event = Event::force_expired(&Removed {
        lease: "gw-lock-91fce8d5c4949766",
        namespace: LOCKS,
        holder: Some("gateway-1"),
        fencing_token: "7",
        evidence: "expired 41 s ago by the server's clock",
        by: "ops@host",
        reason: Some("its node is gone"),
        before: &json!({"spec": {"holderIdentity": "gateway-1"}}),
    });
    serde_json::from_str(&event.line(Timestamp::now())).unwrap()
}

#[tokio::test(start_paused = true)]
async fn lines_of_every_type_fit_the_schema() {
    let mut lines = created_and_counted().await;
    lines.extend(taken_over().await);
    lines.extend(failed().await);
    lines.extend(lost().await);
    lines.push(forced());
    lines.extend(configured());
    let all: BTreeSet<String> = SCHEMA.iter().map(|schema| schema.name.to_owned()).collect();
    assert_eq!(types(&lines), all);
}

/// Text that is written by one and read by another.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn configured() -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let (file, key) = super::tls::certificate(folder.path(), "localhost");
    let certificate = Certificate::load(&file, &key).unwrap();
    let lines = Lines::default();
    let audit = Audit::to(Box::new(lines.clone()));
    audit.configured(&certificate, &Ok(()));
    fs::write(&key, "no key").unwrap();
    let outcome = certificate.refresh().map(drop);
    assert!(outcome.is_err());
    audit.configured(&certificate, &outcome);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The cells of the rows of a table of the documentation, below this header.
fn documented(header: &str) -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/signals.md");
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().skip_while(|line| *line != header).skip(2);
    let rows = lines.take_while(|line| line.starts_with('|'));
    rows.map(|line| {
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().replace('`', "")).collect()
    })
    .collect()
}

#[test]
fn the_documentation_has_the_schema() {
    let types = SCHEMA.iter().map(|schema| {
        let fields = schema.fields.join(", ");
        let data = match (schema.has_signal, fields.is_empty()) {
            (true, true) => "the signal's".to_owned(),
            (true, false) => format!("the signal's, {fields}"),
            (false, _) => fields,
        };
        vec![schema.name.to_owned(), schema.action().to_owned(), data]
    });
    assert_eq!(
        documented("| `event_type` | `event_action` | `event_data` |"),
        types.collect::<Vec<_>>()
    );
    let fields = documented("| Field of `event_data` | Type | Holds |");
    let named: Vec<(String, String)> = fields
        .iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    let expected: Vec<(String, String)> = FIELDS
        .iter()
        .map(|(field, kind)| ((*field).to_owned(), (*kind).to_owned()))
        .collect();
    assert_eq!(named, expected);
    let used: BTreeSet<&str> = SCHEMA.iter().flat_map(EventType::data).collect();
    let typed: BTreeSet<&str> = FIELDS.iter().map(|(field, _)| *field).collect();
    assert_eq!(used, typed, "every field has a type and is used");
}

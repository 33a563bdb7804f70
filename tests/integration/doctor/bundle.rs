//! The archive for a ticket: what is in it, and what must not be.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use super::*;

/// What must be found nowhere.
const CANARY: &str = "hunter2-canary";

/// The files of an archive by their names.
fn unpacked(bytes: &[u8]) -> BTreeMap<String, String> {
    let mut archive = tar::Archive::new(GzDecoder::new(bytes));
    let entries = archive.entries().unwrap();
    entries
        .map(|entry| {
            let mut entry = entry.unwrap();
            assert_eq!(
                (
                    entry.header().mode().unwrap(),
                    entry.header().mtime().unwrap()
                ),
                (0o600, 0)
            );
            let name = entry.path().unwrap().to_str().unwrap().to_owned();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            (
                name.strip_prefix("gwlock-doctor/").unwrap().to_owned(),
                text,
            )
        })
        .collect()
}

fn items(files: &BTreeMap<String, String>, name: &str) -> Vec<Value> {
    let list: Value = serde_json::from_str(&files[name]).unwrap();
    list["items"].as_array().unwrap().clone()
}

/// Everything that somebody could have written a secret into.
fn with_secrets() -> Server {
    let server = healthy();
    let annotations =
        json!({"kubectl.kubernetes.io/last-applied-configuration": CANARY, "note": CANARY});
    let containers = json!([{
        "name": "gateway", "image": "gateway", "command": ["/gateway", CANARY], "args": [format!("--db=postgres://u:{CANARY}@h/")],
        "env": [
            field("POD_NAME", "metadata.name"), field("POD_NAMESPACE", "metadata.namespace"),
            {"name": "DATABASE_PASSWORD", "value": CANARY}, {"name": "HARMLESS_LOOKING", "value": CANARY},
            {"name": "REF", "valueFrom": {"secretKeyRef": {"name": CANARY, "key": CANARY}}},
        ],
    }]);
    pod(&server, NAMESPACE, "gateway-c", &containers, true);
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods/gateway-c");
    let mut object = server.get(&path);
    object["metadata"]["annotations"] = annotations.clone();
    object["metadata"]["labels"]["owner"] = json!(CANARY);
    server.send(Method::PUT, &path, Some(&object));

    let leases = format!("/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases");
    let metadata = json!({"name": "gw-lock-0000000000000001", "annotations": annotations, "labels": {"who": CANARY}});
    let holder = format!("https://ops:{CANARY}@host");
    server.create(
        &leases,
        100,
        &json!({"metadata": metadata, "spec": Server::held_by(&holder, 100)}),
    );

    let requests =
        format!("/apis/kubernaut.ai/v1alpha1/namespaces/{NAMESPACE}/remediationrequests");
    let mut request = server.get(&format!("{requests}/rr-91fce8d5c494-0a1b2c3d"));
    request["metadata"] = json!({"name": "rr-91fce8d5c494-ffffffff", "annotations": annotations, "labels": {"who": CANARY}});
    let spec = &mut request["spec"];
    spec["signalLabels"] = json!({"pod": CANARY});
    spec["signalAnnotations"] = json!({"summary": CANARY});
    spec["providerData"] = json!(CANARY);
    spec["originalPayload"] = json!(CANARY);
    let made = server.post(&requests, &request);
    let mut made = made;
    made["status"] = json!({"overallPhase": "Executing", "message": format!("token={CANARY}")});
    server.send(
        Method::PUT,
        &format!("{requests}/rr-91fce8d5c494-ffffffff/status"),
        Some(&made),
    );

    let about = json!({"kind": "Pod", "namespace": NAMESPACE, "name": "gateway-c"});
    server.post(
        &format!("/api/v1/namespaces/{NAMESPACE}/events"),
        &json!({
            "metadata": {"name": "e1", "annotations": annotations}, "involvedObject": about, "reason": "Failed", "type": "Warning",
            "message": format!("pull failed: Authorization: Bearer {CANARY}, password={CANARY}, https://u:{CANARY}@registry/"),
        }),
    );
    let role = json!({"metadata": {"name": "noted", "annotations": annotations}, "rules": []});
    bind(&server, Some(NAMESPACE), &role, &user("jane"));
    bind(&server, None, &role, &user("jane"));
    let path = format!("/api/v1/namespaces/{NAMESPACE}");
    let mut namespace = server.get(&path);
    namespace["metadata"]["annotations"] = annotations.clone();
    server.send(Method::PUT, &path, Some(&namespace));
    let path =
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/remediationrequests.kubernaut.ai";
    let mut definition = server.get(path);
    definition["metadata"]["annotations"] = annotations;
    server.send(Method::PUT, path, Some(&definition));
    server
}

/// Metrics that are served once, and what to find in them.
fn metrics() -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "http://127.0.0.1:{}/metrics",
        listener.local_addr().unwrap().port()
    );
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut chunk = [0; 1024];
        while !request.ends_with(b"\r\n\r\n") {
            let read = stream.read(&mut chunk).unwrap();
            request.extend_from_slice(&chunk[..read]);
        }
        let body = format!("gateway_lock_contention_total 7\nbuild_info{{token=\"{CANARY}\"}} 1\n");
        write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        String::from_utf8(request).unwrap()
    });
    (url, served)
}

#[test]
fn no_secret_is_in_any_file_and_what_explains_a_lock_is() {
    let server = with_secrets();
    let path = server.path("ticket.tar.gz");
    let (url, served) = metrics();
    let run = doctor(&server, &["--bundle", &path, "--metrics-url", &url]);
    let asked = served.join().unwrap().to_lowercase();
    assert!(!asked.contains("authorization"), "{asked}");
    let told = format!("wrote 13 files to {path}\n");
    assert_eq!((run.code, run.stderr.as_str()), (1, told.as_str()));
    assert!(
        run.stdout.contains("12 ok") || run.stdout.contains(" ok, "),
        "{run:?}"
    );

    let files = unpacked(&fs::read(&path).unwrap());
    let names: Vec<&String> = files.keys().collect();
    assert_eq!(
        names,
        [
            "README.txt",
            "definition.json",
            "events-kubernaut-system.json",
            "leases.json",
            "metrics-url.txt",
            "namespace.json",
            "pods.json",
            "rbac.json",
            "remediationrequests.json",
            "report.json",
            "report.txt",
            "unread.json",
            "versions.json",
        ]
    );
    let token = server.token("admin");
    for (name, text) in &files {
        assert!(!text.contains(CANARY), "{name}: {text}");
        assert!(!text.contains(token), "{name}");
    }

    let leases = items(&files, "leases.json");
    assert_eq!(leases.len(), 2);
    assert_eq!(leases[0]["spec"]["holderIdentity"], "https://REDACTED@host");
    assert_eq!(leases[1]["spec"]["holderIdentity"], "gateway-a");
    assert!(leases[1]["metadata"]["managedFields"][0]["time"].is_string());
    let request = &items(&files, "remediationrequests.json")[1];
    assert_eq!(request["spec"]["signalName"], "HighCPU");
    assert_eq!(request["spec"]["originalPayload"], "REDACTED (14 bytes)");
    let pod = &items(&files, "pods.json")[2];
    assert_eq!(
        pod["spec"]["containers"][0]["env"][0],
        field("POD_NAME", "metadata.name")
    );
    assert_eq!(
        pod["spec"]["containers"][0]["env"][2],
        json!({"name": "DATABASE_PASSWORD", "value": "REDACTED"})
    );
    let events = items(&files, "events-kubernaut-system.json");
    assert_eq!(
        events[0]["message"],
        "pull failed: Authorization: REDACTED REDACTED, password=REDACTED, https://REDACTED@registry/"
    );
    assert!(files["metrics-url.txt"].starts_with("gateway_lock_contention_total 7\n"));
    let report: Value = serde_json::from_str(&files["report.json"]).unwrap();
    assert_eq!(report["kind"], "DoctorReport");
    let versions: Value = serde_json::from_str(&files["versions.json"]).unwrap();
    assert_eq!(versions["gwlock"], env!("CARGO_PKG_VERSION"));
    assert_eq!(items(&files, "unread.json"), Vec::<Value>::new());
}

#[test]
fn an_archive_is_its_owners_alone_and_replaces_nothing() {
    let server = healthy();
    let path = server.path("ticket.tar.gz");
    let run = doctor(&server, &["--bundle", &path]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let before = fs::read(&path).unwrap();

    let asked = server.count("list");
    let run = doctor(&server, &["--bundle", &path]);
    let told = format!(
        "error: {path} is there already\nhint: gwlock doctor --bundle {path} --force   # replaces it\n"
    );
    assert_eq!((run.code, run.stdout.as_str(), run.stderr), (2, "", told));
    assert_eq!(server.count("list"), asked, "it asked before it looked");
    assert_eq!(fs::read(&path).unwrap(), before);

    assert_eq!(doctor(&server, &["--bundle", &path, "--force"]).code, 0);
    // But for the report, which has times, the same state makes the same files.
    let without_report = |bytes: &[u8]| {
        let mut files = unpacked(bytes);
        files.retain(|name, _| !name.starts_with("report."));
        files
    };
    assert_eq!(
        without_report(&fs::read(&path).unwrap()),
        without_report(&before)
    );
    // Nothing else is left in the folder.
    let left = fs::read_dir(server.folder()).unwrap();
    let mut left: Vec<String> = left
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["admin.kubeconfig", "ticket.tar.gz"]);
}

#[test]
fn a_folder_that_is_missing_is_said_before_anything_is_asked() {
    let server = healthy();
    let path = server.path("missing/ticket.tar.gz");
    let run = doctor(&server, &["--bundle", &path]);
    assert_eq!(run.code, 2);
    let hint = format!("hint: mkdir -p {}\n", server.path("missing"));
    assert!(run.stderr.ends_with(&hint), "{run:?}");
    assert_eq!(server.count("list"), 0);
}

#[test]
fn an_archive_can_go_to_a_pipe() {
    let server = healthy();
    let output = server
        .gwlock(&["doctor", "--bundle", "-"])
        .start()
        .wait_with_output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    let files = unpacked(&output.stdout);
    assert!(
        files["report.txt"].ends_with("22 ok, 0 warnings, 0 failures, 0 skipped\n"),
        "{}",
        files["report.txt"]
    );
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        told,
        "22 ok, 0 warnings, 0 failures, 0 skipped\nwrote 12 files to stdout; 2 things could not be read, see unread.json\n"
    );
}

#[test]
fn what_could_not_be_read_is_in_the_archive_with_the_reason() {
    let server = healthy();
    let path = server.path("ticket.tar.gz");
    let run = server
        .gwlock_as("viewer", &["doctor", "--bundle", &path])
        .run();
    assert_eq!(run.code, 1, "{run:?}");
    let files = unpacked(&fs::read(&path).unwrap());
    assert!(
        !files.contains_key("leases.json") && !files.contains_key("rbac.json"),
        "{:?}",
        files.keys()
    );
    let unread = items(&files, "unread.json");
    let leases = unread
        .iter()
        .find(|item| {
            item["path"] == "/apis/coordination.k8s.io/v1/namespaces/kubernaut-system/leases"
        })
        .unwrap();
    assert_eq!(
        leases["reason"],
        "leases.coordination.k8s.io is forbidden: User \"viewer\" cannot list resource \"leases\" in API group \
         \"coordination.k8s.io\" in the namespace \"kubernaut-system\""
    );
    let told = format!(
        "wrote {} files to {path}; {} things could not be read, see unread.json\n",
        files.len(),
        unread.len()
    );
    assert_eq!(run.stderr, told);
}

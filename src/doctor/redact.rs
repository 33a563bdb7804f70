//! What of an object may leave the cluster: everything that explains a lock, and nothing that opens a door.
//!
//! Values are kept by name, not left out by name: a place that nobody has thought of is redacted. Free text that is kept,
//! such as an Event's note, loses what looks like a credential. What is decided here is what `doctor --help` says.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::{Map, Value, json};

/// Stands for what was taken out.
pub(crate) const REDACTED: &str = "REDACTED";

/// Variables of the environment whose values are kept.
const ENVIRONMENT: [&str; 5] = [
    "POD_NAME",
    "POD_NAMESPACE",
    "KUBERNAUT_CONTROLLER_NAMESPACE",
    "GOMAXPROCS",
    "LOG_LEVEL",
];

/// Annotations whose values are kept.
const ANNOTATIONS: [&str; 4] = [
    "kubernaut.ai/created-at",
    "kubernaut.io/session-ttl",
    "gwlock.dev/created-by",
    "deployment.kubernetes.io/revision",
];

/// Labels whose values are kept: these, and what begins like these.
const LABELS: [&str; 4] = [
    "app",
    "pod-template-hash",
    "component",
    "controller-revision-hash",
];
const LABEL_PREFIXES: [&str; 3] = ["app.kubernetes.io/", "kubernaut.ai/", "kubernetes.io/"];

/// Fields of a RemediationRequest's spec that are kept.
const REQUEST_SPEC: [&str; 10] = [
    "clusterID",
    "firingTime",
    "receivedTime",
    "severity",
    "signalFingerprint",
    "signalName",
    "signalSource",
    "signalType",
    "targetResource",
    "targetType",
];

/// Fields of a RemediationRequest's status that are kept.
const REQUEST_STATUS: [&str; 13] = [
    "blockReason",
    "completedAt",
    "completionStatus",
    "conditions",
    "deduplication",
    "failurePhase",
    "nextAllowedExecution",
    "outcome",
    "overallPhase",
    "routingStatus",
    "skipReason",
    "timeoutStatus",
    "timeoutTime",
];

/// Words in the name of a field that make its value a secret.
const SECRET_WORDS: [&str; 17] = [
    "apikey",
    "auth",
    "authorization",
    "bearer",
    "cookie",
    "credential",
    "credentials",
    "key",
    "keys",
    "passphrase",
    "passwd",
    "password",
    "pwd",
    "secret",
    "secrets",
    "token",
    "tokens",
];

/// What words end with that somebody wrote together: `dbpassword`.
const SECRET_ENDS: [&str; 6] = [
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "credentials",
];

/// Makes an object fit to leave, by its kind.
pub(crate) fn object(object: &Value) -> Value {
    let mut value = object.clone();
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    metadata(&mut value["metadata"], kind == "Lease");
    match kind.as_str() {
        "RemediationRequest" => {
            for field in ["signalLabels", "signalAnnotations"] {
                if let Some(labels) = value["spec"].get_mut(field) {
                    names_only(labels);
                }
            }
            keep(&mut value["spec"], |name| {
                REQUEST_SPEC.contains(&name)
                    || name == "signalLabels"
                    || name == "signalAnnotations"
            });
            keep(&mut value["status"], |name| REQUEST_STATUS.contains(&name));
        }
        "Pod" => pod_spec(&mut value["spec"]),
        _ => {}
    }
    // An index makes what is not there.
    if let Value::Object(fields) = &mut value {
        fields.retain(|_, value| !value.is_null());
    }
    walk(&mut value);
    value
}

/// Text as it may leave: without bearer tokens, passwords and the like.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for (pattern, replacement) in PATTERNS.iter() {
        if pattern.is_match(&text) {
            let replaced = pattern.replace_all(&text, *replacement).into_owned();
            text = Cow::Owned(replaced);
        }
    }
    // A flag and its value as two words is left: `--password hunter2`.
    if FLAG.is_match(&text) {
        let replaced = FLAG.replace_all(&text, |found: &Captures<'_>| {
            format!("{}{REDACTED}", &found[1])
        });
        text = Cow::Owned(replaced.into_owned());
    }
    text
}

/// The same for every text in a value, whatever its fields are called.
pub(crate) fn texts(value: &mut Value) {
    match value {
        Value::String(words) => {
            if let Cow::Owned(redacted) = text(words) {
                *words = redacted;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(texts),
        Value::Object(fields) => fields.values_mut().for_each(texts),
        _ => {}
    }
}

/// What looks like a credential in any text.
static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let patterns = [
        (
            r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)",
            "REDACTED",
        ),
        // The user and the password in an address.
        (r"([A-Za-z][A-Za-z0-9+.-]*://)[^/\s@]*@", "${1}REDACTED@"),
        (
            r"(?i)\b(bearer|basic|negotiate|digest)\s+[A-Za-z0-9._~+/=:-]{4,}",
            "${1} REDACTED",
        ),
        // A JSON web token.
        (r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_.-]*", "REDACTED"),
        (
            r#"(?i)([A-Za-z0-9_.-]*(?:passwords?|passwd|passphrase|pwd|tokens?|secrets?|api[-_]?key|access[-_]?key|private[-_]?key|credentials?|authorization|cookie)[A-Za-z0-9_.-]*\\?["']?\s*[:=]\s*)(?:\\?"[^"]*"|'[^']*'|[^\s"'&,;}]+)"#,
            "${1}REDACTED",
        ),
    ];
    let compiled = patterns.into_iter();
    compiled
        .map(|(pattern, replacement)| (constant(pattern), replacement))
        .collect()
});

static FLAG: LazyLock<Regex> = LazyLock::new(|| {
    constant(r"(?i)(--?[a-z-]*(?:password|passwd|token|secret|api-?key|credentials?)[a-z-]*\s+)\S+")
});

/// Every text goes through all of them, so that the first test would show one that does not compile.
fn constant(pattern: &str) -> Regex {
    Regex::new(pattern).expect("patterns are constants")
}

/// Labels and annotations by their names. The stamps are kept of a lease, whose expiry they prove.
fn metadata(metadata: &mut Value, keeps_stamps: bool) {
    let Value::Object(fields) = metadata else {
        return;
    };
    if !keeps_stamps {
        fields.remove("managedFields");
    }
    if let Some(Value::Object(annotations)) = fields.get_mut("annotations") {
        for (name, value) in annotations {
            if !ANNOTATIONS.contains(&name.as_str()) {
                *value = json!(REDACTED);
            }
        }
    }
    if let Some(Value::Object(labels)) = fields.get_mut("labels") {
        for (name, value) in labels {
            let is_kept = LABELS.contains(&name.as_str())
                || LABEL_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
            if !is_kept {
                *value = json!(REDACTED);
            }
        }
    }
}

/// Takes out what is not to be kept; that it was there is kept.
fn keep(value: &mut Value, is_kept: impl Fn(&str) -> bool) {
    let Value::Object(fields) = value else {
        return;
    };
    for (_, value) in fields.iter_mut().filter(|(name, _)| !is_kept(name)) {
        if let Some(text) = value.as_str() {
            *value = json!(format!("{REDACTED} ({} bytes)", text.len()));
        } else if !value.is_null() {
            *value = json!(REDACTED);
        }
    }
}

fn names_only(value: &mut Value) {
    if let Value::Object(fields) = value {
        fields
            .values_mut()
            .for_each(|value| *value = json!(REDACTED));
    }
}

/// Of a pod what its lock depends on: accounts, images, variables that are known, and the names of the rest.
fn pod_spec(spec: &mut Value) {
    let Value::Object(fields) = spec else {
        return;
    };
    for name in ["containers", "initContainers", "ephemeralContainers"] {
        if let Some(Value::Array(containers)) = fields.get_mut(name) {
            containers.iter_mut().for_each(container);
        }
    }
    if let Some(Value::Array(volumes)) = fields.get_mut("volumes") {
        for volume in volumes {
            *volume = json!({"name": volume["name"]});
        }
    }
    let known = [
        "containers",
        "initContainers",
        "ephemeralContainers",
        "volumes",
        "nodeName",
        "serviceAccountName",
        "hostNetwork",
        "restartPolicy",
        "terminationGracePeriodSeconds",
    ];
    fields.retain(|name, _| known.contains(&name.as_str()));
}

fn container(container: &mut Value) {
    let Value::Object(fields) = container else {
        return;
    };
    let known = [
        "name",
        "image",
        "env",
        "envFrom",
        "args",
        "command",
        "ports",
        "resources",
    ];
    fields.retain(|name, _| known.contains(&name.as_str()));
    for name in ["args", "command"] {
        if let Some(Value::Array(words)) = fields.get_mut(name) {
            words.iter_mut().for_each(word);
        }
    }
    if let Some(Value::Array(variables)) = fields.get_mut("env") {
        variables.iter_mut().for_each(variable);
    }
    if let Some(Value::Array(sources)) = fields.get_mut("envFrom") {
        for source in sources {
            let kinds = source.as_object().into_iter().flat_map(Map::keys);
            *source =
                json!({"from": kinds.map(|kind| kind.trim_end_matches("Ref")).collect::<Vec<_>>()});
        }
    }
}

/// Of a word of a command line the name of the flag.
fn word(word: &mut Value) {
    let text = word.as_str().unwrap_or_default();
    *word = match text.split_once('=') {
        Some((flag, _)) if flag.starts_with('-') => json!(format!("{flag}={REDACTED}")),
        None if text.starts_with("--") => return,
        _ => json!(REDACTED),
    };
}

fn variable(variable: &mut Value) {
    let name = variable["name"].as_str().unwrap_or_default().to_owned();
    let field = variable["valueFrom"]["fieldRef"]["fieldPath"]
        .as_str()
        .map(str::to_owned);
    let mut kept = json!({"name": name});
    if let Some(field) = field {
        kept["valueFrom"] = json!({"fieldRef": {"fieldPath": field}});
    } else if variable["valueFrom"].is_object() {
        let kinds = variable["valueFrom"]
            .as_object()
            .into_iter()
            .flat_map(Map::keys);
        kept["from"] = json!(
            kinds
                .map(|kind| kind.trim_end_matches("KeyRef"))
                .collect::<Vec<_>>()
        );
    }
    if let Some(value) = variable["value"].as_str() {
        kept["value"] = if ENVIRONMENT.contains(&name.as_str()) {
            json!(value)
        } else {
            json!(REDACTED)
        };
    }
    *variable = kept;
}

/// Whatever is left: fields whose names say that they are secret, and text with something secret in it.
fn walk(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let is_plain = matches!(value, Value::Null | Value::Bool(_));
                if is_secret(name) && !is_plain {
                    *value = json!(REDACTED);
                } else {
                    walk(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(walk),
        Value::String(_) => texts(value),
        _ => {}
    }
}

/// Whether one of the words that a name is made of is a secret's: `clientSecret`, `API_KEY`, `db-password`.
fn is_secret(name: &str) -> bool {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        let begins =
            c.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit());
        if !c.is_ascii_alphanumeric() || begins {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_ascii_alphanumeric()) {
            word.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    words.iter().any(|word| {
        let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
        SECRET_WORDS.contains(&word) || SECRET_ENDS.iter().any(|end| word.ends_with(end))
    })
}

#[cfg(test)]
mod tests;

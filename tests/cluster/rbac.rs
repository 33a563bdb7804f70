//! The verdicts of `gwlock rbac check` beside those of a real API server's authorizer.
//!
//! Sets of roles and bindings are drawn from a fixed seed, each in namespaces of its own, so that all of them can be on
//! one server at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use futures_util::StreamExt as _;
use futures_util::stream;
use gwlock::rbac::{self, granted};
use gwlock_engine::client::transport;
use gwlock_testkit::{User, control_plane, private_control_plane};
use http::Request;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

/// How many sets there are.
const SETS: u64 = 300;

/// Requests that are sent side by side.
const AT_ONCE: usize = 24;

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// What is asked of each set: verb, group, resource, name, and whether it is about the first namespace, the second, or
/// all of them.
type Question = (
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
    Option<usize>,
);

const QUESTIONS: [Question; 12] = [
    ("get", LEASES, "leases", None, Some(0)),
    ("create", LEASES, "leases", None, Some(0)),
    ("update", LEASES, "leases", None, Some(0)),
    ("delete", LEASES, "leases", None, Some(0)),
    ("get", LEASES, "leases", Some("settings"), Some(1)),
    ("list", LEASES, "leases", None, None),
    ("create", KUBERNAUT, "remediationrequests", None, Some(0)),
    (
        "update",
        KUBERNAUT,
        "remediationrequests/status",
        None,
        Some(0),
    ),
    ("get", "", "pods/log", None, Some(1)),
    ("list", "", "pods", None, None),
    ("get", "", "configmaps", Some("settings"), Some(0)),
    ("create", "", "services", Some("settings"), Some(1)),
];

const LEASES: &str = "coordination.k8s.io";
const KUBERNAUT: &str = "kubernaut.ai";

/// Words of rules, with those that look as if they granted something.
const GROUPS: [&str; 6] = [
    LEASES,
    KUBERNAUT,
    "",
    "*",
    "remediation.kubernaut.ai",
    "apps",
];
const RESOURCES: [&str; 14] = [
    "leases",
    "leases",
    "remediationrequests",
    "remediationrequests/status",
    "pods",
    "pods/log",
    "configmaps",
    "services",
    "*",
    "*/status",
    "*/log",
    "pods/*",
    "lease",
    "*/*",
];
const VERBS: [&str; 9] = [
    "get", "list", "create", "update", "delete", "patch", "*", "Get", "creat",
];
const NAMES: [&str; 3] = ["settings", "other", "*"];

/// Roles and bindings for one account, `gateway` of the first namespace.
struct Set {
    number: u64,
    namespaces: [String; 2],
    objects: Vec<Value>,
}

struct Draw {
    rng: StdRng,
    number: u64,
    namespaces: [String; 2],
}

impl Draw {
    fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100) < percent
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.rng.random_range(0..words.len())]
    }

    fn some<'a>(&mut self, words: &[&'a str], most: usize) -> Vec<&'a str> {
        let count = self.rng.random_range(1..=most);
        (0..count).map(|_| self.pick(words)).collect()
    }

    fn rules(&mut self) -> Vec<Value> {
        let count = self.rng.random_range(1..=3);
        let mut rules = Vec::new();
        for _ in 0..count {
            let mut rule = json!({
                "apiGroups": self.some(&GROUPS, 4),
                "resources": self.some(&RESOURCES, 5),
                "verbs": self.some(&VERBS, 6),
            });
            if self.chance(25) {
                rule["resourceNames"] = json!(self.some(&NAMES, 2));
            }
            rules.push(rule);
        }
        rules
    }

    fn subject(&mut self, in_namespace: bool) -> Value {
        let [first, second] = self.namespaces.clone();
        let group = "rbac.authorization.k8s.io";
        let mut subjects = vec![
            json!({"kind": "ServiceAccount", "name": "gateway", "namespace": first}),
            json!({"kind": "ServiceAccount", "name": "gateway", "namespace": first}),
            json!({"kind": "ServiceAccount", "name": "gateway", "namespace": first}),
            json!({"kind": "ServiceAccount", "name": "gateway", "namespace": second}),
            json!({"kind": "ServiceAccount", "name": "default", "namespace": first}),
            json!({"kind": "User", "apiGroup": group, "name": format!("system:serviceaccount:{first}:gateway")}),
            json!({"kind": "User", "apiGroup": group, "name": "gateway"}),
            json!({"kind": "Group", "apiGroup": group, "name": format!("system:serviceaccounts:{first}")}),
            json!({"kind": "Group", "apiGroup": group, "name": format!("system:serviceaccounts:{second}")}),
        ];
        if in_namespace {
            // Bound in all namespaces, these would mean the accounts of the other sets as well.
            subjects.extend([
                json!({"kind": "ServiceAccount", "name": "gateway"}),
                json!({"kind": "Group", "apiGroup": group, "name": "system:serviceaccounts"}),
                json!({"kind": "Group", "apiGroup": group, "name": "system:authenticated"}),
            ]);
        }
        subjects.swap_remove(self.rng.random_range(0..subjects.len()))
    }

    fn set(mut self) -> Set {
        let mut objects = Vec::new();
        let mut roles: Vec<(&str, String, usize)> = Vec::new();
        for number in 0..self.rng.random_range(1..=3) {
            let place = self.rng.random_range(0..2);
            let name = format!("role-{number}");
            objects.push(json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
                "metadata": {"name": name, "namespace": self.namespaces[place]}, "rules": self.rules(),
            }));
            roles.push(("Role", name, place));
        }
        for number in 0..self.rng.random_range(0..=3) {
            let name = format!("set-{}-{number}", self.number);
            let mut labels = BTreeMap::new();
            if self.chance(60) {
                labels.insert(format!("set-{}", self.number), self.pick(&["a", "b"]));
            }
            objects.push(json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
                "metadata": {"name": name, "labels": labels}, "rules": self.rules(),
            }));
            roles.push(("ClusterRole", name, 0));
        }
        if self.chance(40) {
            let aggregate = self.aggregate(&objects);
            let name = aggregate["metadata"]["name"].as_str().unwrap().to_owned();
            objects.push(aggregate);
            roles.push(("ClusterRole", name, 0));
        }
        for number in 0..self.rng.random_range(1..=6) {
            let (kind, mut name, mut place) = roles[self.rng.random_range(0..roles.len())].clone();
            // Some bindings name what is not there, or is in another namespace.
            if self.chance(10) {
                name.push_str("-gone");
            }
            if self.chance(15) {
                place = 1 - place;
            }
            let everywhere = kind == "ClusterRole" && self.chance(50);
            if kind == "ClusterRole" {
                place = self.rng.random_range(0..2);
            }
            let count = self.rng.random_range(1..=2);
            let subjects: Vec<Value> = (0..count).map(|_| self.subject(!everywhere)).collect();
            let mut binding = json!({
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": if everywhere { "ClusterRoleBinding" } else { "RoleBinding" },
                "metadata": {"name": format!("set-{}-binding-{number}", self.number)},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
                "subjects": subjects,
            });
            if !everywhere {
                binding["metadata"]["namespace"] = json!(self.namespaces[place]);
            }
            objects.push(binding);
        }
        Set {
            number: self.number,
            namespaces: self.namespaces,
            objects,
        }
    }

    /// A role that is the sum of others. The controller that adds them up is not part of an API server, so that the sum
    /// is made here, by the label that was drawn.
    fn aggregate(&mut self, objects: &[Value]) -> Value {
        let label = format!("set-{}", self.number);
        let (selector, values): (Value, BTreeSet<&str>) = match self.rng.random_range(0..3) {
            0 => (json!({"matchLabels": {&label: "a"}}), BTreeSet::from(["a"])),
            1 => (
                json!({"matchExpressions": [{"key": label, "operator": "In", "values": ["b"]}]}),
                BTreeSet::from(["b"]),
            ),
            _ => (
                json!({"matchExpressions": [{"key": label, "operator": "Exists"}]}),
                BTreeSet::from(["a", "b"]),
            ),
        };
        let parts = objects.iter().filter(|role| {
            let value = role["metadata"]["labels"][&label].as_str();
            value.is_some_and(|value| values.contains(value))
        });
        let rules: Vec<Value> = parts
            .flat_map(|role| role["rules"].as_array().unwrap().clone())
            .collect();
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": format!("set-{}-sum", self.number)},
            "aggregationRule": {"clusterRoleSelectors": [selector]}, "rules": rules,
        })
    }
}

impl Set {
    fn draw(number: u64) -> Self {
        let place = |which: &str| format!("set-{number}-{which}");
        Draw {
            rng: StdRng::seed_from_u64(number),
            number,
            namespaces: [place("a"), place("b")],
        }
        .set()
    }

    /// The set as a file. What an aggregating role holds itself does not count.
    fn manifests(&self) -> String {
        let mut objects = self.objects.clone();
        for object in &mut objects {
            if object.get("aggregationRule").is_some() {
                object["rules"] = json!([]);
            }
        }
        json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string()
    }

    fn user(&self) -> String {
        format!("system:serviceaccount:{}:gateway", self.namespaces[0])
    }

    fn namespace(&self, question: &Question) -> Option<&str> {
        question.4.map(|place| self.namespaces[place].as_str())
    }

    /// What gwlock says to all questions.
    fn offline(&self, manifests: &str) -> Vec<bool> {
        let question = |question: &Question| {
            let (verb, group, resource, name, _) = *question;
            rbac::Question {
                verb,
                group,
                resource,
                name,
                namespace: self.namespace(question),
            }
        };
        let questions: Vec<rbac::Question<'_>> = QUESTIONS.iter().map(question).collect();
        granted(manifests, &self.user(), &questions).unwrap()
    }
}

async fn post(client: &kube::Client, path: &str, body: &Value) -> Value {
    let request = Request::post(path)
        .header("content-type", "application/json")
        .body(body.to_string().into_bytes());
    let answer = client.request(request.unwrap()).await;
    answer.unwrap_or_else(|error| panic!("{path}: {error}: {body:#}"))
}

fn path_of(object: &Value) -> String {
    let plural = format!("{}s", object["kind"].as_str().unwrap().to_lowercase());
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{RBAC}/namespaces/{namespace}/{plural}"),
        None => format!("{RBAC}/{plural}"),
    }
}

/// Creates all of them, many at a time.
async fn create(client: &kube::Client, objects: impl IntoIterator<Item = (String, Value)>) {
    stream::iter(objects)
        .for_each_concurrent(AT_ONCE, |(path, object)| async move {
            post(client, &path, &object).await;
        })
        .await;
}

/// Whether the API server says that a user with the groups of an account may do something.
async fn allowed(
    client: &kube::Client,
    user: &str,
    (verb, group, resource, name): (&str, &str, &str, Option<&str>),
    namespace: Option<&str>,
) -> bool {
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let own = user.split(':').nth(2).unwrap_or_default();
    let body = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {
            "user": user,
            "groups": ["system:serviceaccounts", format!("system:serviceaccounts:{own}"), "system:authenticated"],
            "resourceAttributes": {
                "verb": verb, "group": group, "resource": resource, "subresource": subresource,
                "name": name.unwrap_or_default(), "namespace": namespace.unwrap_or_default(),
            },
        },
    });
    let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    post(client, path, &body).await["status"]["allowed"] == true
}

/// Waits until the authorizer knows what has been created. It follows each of the four kinds in order, so that it knows
/// everything once it knows the last of each.
async fn wait_until_known(client: &kube::Client, namespace: &str) {
    let user = format!("system:serviceaccount:{namespace}:canary");
    let rules = json!([{"apiGroups": ["canary"], "resources": ["canaries"], "verbs": ["get"]}]);
    for (prefix, place) in [("", Some(namespace)), ("Cluster", None)] {
        let name = format!("canary-{namespace}");
        let metadata = json!({"name": name, "namespace": place});
        let kind = format!("{prefix}Role");
        let role = json!({"kind": kind, "metadata": metadata, "rules": rules});
        let binding = json!({
            "kind": format!("{prefix}RoleBinding"), "metadata": metadata,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": "canary", "namespace": namespace}],
        });
        post(client, &path_of(&role), &role).await;
        post(client, &path_of(&binding), &binding).await;
        let question = ("get", "canary", "canaries", None);
        // The other one of both reaches this one alone, or comes after it.
        let mut asked = 0;
        while !allowed(client, &user, question, place).await {
            asked += 1;
            assert!(asked < 10_000, "the authorizer never sees the last binding");
        }
    }
}

/// A program that asks these.
fn profile<'a>(questions: impl Iterator<Item = &'a Question>) -> String {
    let mut text = "name: questions\nrequirements:\n".to_owned();
    for (verb, group, resource, name, place) in questions {
        let scope = match place {
            Some(0) => "lock",
            Some(_) => "controller",
            None => "cluster",
        };
        text.push_str(&format!(
            "- {{group: '{group}', resource: {resource}, verbs: [{verb}], scope: {scope}"
        ));
        if let Some(name) = name {
            text.push_str(&format!(", name: {name}"));
        }
        text.push_str("}\n");
    }
    text
}

/// The verdict that the program prints. That takes a process, and is done for some of the sets.
fn verdict(set: &Set, profile: &str, folder: &Path) -> String {
    let file = folder.join(format!("{}.json", set.namespaces[0]));
    fs::write(&file, set.manifests()).unwrap();
    fs::write(folder.join("profile.yaml"), profile).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_gwlock"))
        .args([
            "rbac",
            "check",
            "-o",
            "jsonpath={.verdict}",
            "--profile-file",
        ])
        .arg(folder.join("profile.yaml"))
        .args(["--lock-namespace", &set.namespaces[0]])
        .args(["--controller-namespace", &set.namespaces[1]])
        .args([
            "--serviceaccount",
            &format!("{}:gateway", set.namespaces[0]),
        ])
        .arg("-f")
        .arg(file)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_granted_by_files_is_what_an_api_server_grants() {
    // Some sets grant something to every account, also to those of other tests.
    let Some(control_plane) = private_control_plane() else {
        return;
    };
    let last = control_plane.namespace().await;
    let client = transport::connect(control_plane.config(User::Admin, &last)).unwrap();
    let sets: Vec<Set> = (0..SETS).map(Set::draw).collect();
    let namespaces = sets.iter().flat_map(|set| &set.namespaces).map(|name| {
        let namespace = json!({"metadata": {"name": name}});
        ("/api/v1/namespaces".to_owned(), namespace)
    });
    create(&client, namespaces).await;
    let objects = sets.iter().flat_map(|set| &set.objects);
    create(
        &client,
        objects.map(|object| (path_of(object), object.clone())),
    )
    .await;
    wait_until_known(&client, &last).await;

    let asked = sets
        .iter()
        .flat_map(|set| QUESTIONS.iter().map(move |question| (set, question)));
    let answers: Vec<bool> = stream::iter(asked)
        .map(|(set, question)| {
            let (verb, group, resource, name, _) = *question;
            let (client, user) = (&client, set.user());
            async move {
                let what = (verb, group, resource, name);
                allowed(client, &user, what, set.namespace(question)).await
            }
        })
        .buffered(AT_ONCE)
        .collect()
        .await;

    let folder = tempfile::tempdir().unwrap();
    let mut differences = Vec::new();
    let (mut yes, mut verdicts) = (0, 0);
    for (set, answers) in sets.iter().zip(answers.chunks(QUESTIONS.len())) {
        let manifests = set.manifests();
        yes += answers.iter().filter(|answer| **answer).count();
        let offline = set.offline(&manifests);
        if offline != answers {
            differences.push(format!(
                "{offline:?}, and the API server says {answers:?}: {manifests}"
            ));
        }
        let (granted, denied): (Vec<_>, Vec<_>) = QUESTIONS
            .iter()
            .zip(answers)
            .partition(|(_, answer)| **answer);
        if granted.is_empty() || denied.is_empty() || set.number % 5 != 0 {
            continue;
        }
        let granted = granted.iter().map(|(question, _)| *question);
        let one_more = granted.clone().chain([denied[0].0]);
        for (profile, expected) in [
            (profile(granted), "sufficient"),
            (profile(one_more), "insufficient"),
        ] {
            verdicts += 1;
            let verdict = verdict(set, &profile, folder.path());
            if verdict != expected {
                differences.push(format!(
                    "{verdict}, and not {expected}: {profile}{manifests}"
                ));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    // Sets that grant nothing, or everything, would be no test.
    let asked = answers.len();
    assert!(
        (asked / 10..asked * 9 / 10).contains(&yes),
        "{yes} of {asked} are granted"
    );
    assert!(verdicts > 40, "{verdicts} verdicts");
}

/// What gwlock knows of an API server's own roles, as a real one has them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_roles_and_resources_that_are_known_are_those_of_an_api_server() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let namespace = control_plane.namespace().await;
    let client = transport::connect(control_plane.config(User::Admin, &namespace)).unwrap();
    let get = async |path: &str| -> Value {
        let request = Request::get(path).body(Vec::new()).unwrap();
        client.request(request).await.unwrap()
    };
    let mut wrong = Vec::new();
    let built_in = rbac::built_in();
    assert_eq!(built_in.len(), 10);
    for known in built_in {
        let kind = known["kind"].as_str().unwrap().to_lowercase();
        let name = known["metadata"]["name"].as_str().unwrap();
        let theirs = get(&format!("{RBAC}/{kind}s/{name}")).await;
        let labels = theirs["metadata"]["labels"].as_object().unwrap();
        let own = &known["metadata"]["labels"];
        for (label, value) in labels
            .iter()
            .filter(|(label, _)| label.contains("aggregate-to-"))
        {
            if own[label] != *value {
                wrong.push(format!("{name}: {label}"));
            }
        }
        for field in ["rules", "aggregationRule", "subjects", "roleRef"] {
            // Nobody adds up roles beside an API server alone.
            let (ours, theirs) = (&known[field], &theirs[field]);
            if ours != theirs && !(ours.is_null() && theirs.as_array().is_some_and(Vec::is_empty)) {
                wrong.push(format!("{name}: {field}: {ours} and {theirs}"));
            }
        }
    }
    let known: BTreeSet<(String, String)> = rbac::resources();
    let groups = get("/apis").await;
    let mut versions = vec![(String::new(), "/api/v1".to_owned())];
    for group in groups["groups"].as_array().unwrap() {
        for version in group["versions"].as_array().unwrap() {
            let version = version["groupVersion"].as_str().unwrap();
            versions.push((
                group["name"].as_str().unwrap().to_owned(),
                format!("/apis/{version}"),
            ));
        }
    }
    for (group, path) in versions {
        // Definitions of tests beside this one are not the API server's own.
        if group.contains('.') && !group.ends_with(".k8s.io") {
            continue;
        }
        for resource in get(&path).await["resources"].as_array().unwrap() {
            let resource = (group.clone(), resource["name"].as_str().unwrap().to_owned());
            if !known.contains(&resource) {
                wrong.push(format!("{resource:?} is not known"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What gwlock calls refused is refused, so that a role with one such rule grants nothing at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_to_be_refused_is() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let namespace = control_plane.namespace().await;
    let client = transport::connect(control_plane.config(User::Admin, &namespace)).unwrap();
    let metadata = json!({"name": "refused", "namespace": namespace});
    let role = |rule: Value| json!({"kind": "Role", "metadata": metadata, "rules": [rule]});
    let binding = json!({
        "kind": "ClusterRoleBinding", "metadata": {"name": "refused"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "gateway"},
    });
    for object in [
        role(json!({"apiGroups": [""], "resources": ["pods"], "verbs": []})),
        role(json!({"resources": ["pods"], "verbs": ["get"]})),
        role(json!({"apiGroups": [""], "verbs": ["get"]})),
        role(json!({"nonResourceURLs": ["/metrics"], "verbs": ["get"]})),
        binding,
    ] {
        let request = Request::post(path_of(&object))
            .header("content-type", "application/json")
            .body(object.to_string().into_bytes());
        let answer = client.request::<Value>(request.unwrap()).await;
        match answer {
            Err(kube::Error::Api(status)) => assert_eq!(status.code, 422, "{object}: {status:?}"),
            other => panic!("{object}: {other:?}"),
        }
    }
}

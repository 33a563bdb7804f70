//! Whatever bytes are sent, nothing panics and every signal makes a RemediationRequest. What has to hold stands in
//! `fuzz/checks.rs`; here are bytes to hold it against.

#[path = "../../../fuzz/checks.rs"]
mod checks;
mod damage;

use std::time::{Duration, Instant};

use gwlock::gateway::payload::MAX_BODY;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use rand::rngs::{StdRng, SysRng};
use rand::{SeedableRng, TryRng};
use serde_json::Value;

use damage::{Damage, seeds};

/// Names that somebody looks at, and one that nobody does.
const NAMES: [&str; 30] = [
    "alertname",
    "alerts",
    "annotations",
    "apiVersion",
    "cluster",
    "commonAnnotations",
    "commonLabels",
    "component",
    "count",
    "deployment",
    "eventTime",
    "exported_namespace",
    "firstTimestamp",
    "involvedObject",
    "kind",
    "labels",
    "lastTimestamp",
    "name",
    "namespace",
    "node",
    "other",
    "pod",
    "reason",
    "series",
    "severity",
    "source",
    "startsAt",
    "status",
    "truncatedAlerts",
    "type",
];

const TEXTS: [&str; 14] = [
    "",
    "0001-01-01T00:00:00Z",
    "2026-11-23T09:00:00Z",
    "9999-12-31T23:59:59-23:59",
    "Pod",
    "Warning",
    "a.b",
    "firing",
    "payment-api",
    "resolved",
    "\u{0}",
    "..",
    "🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥",
    "4",
];

fn json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        3 => select(&TEXTS[..]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    let leaf = prop_oneof![
        4 => text.prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
    ];
    let name = prop_oneof![
        9 => select(&NAMES[..]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        prop_oneof![
            1 => vec(inner.clone(), 0..4).prop_map(Value::from),
            3 => btree_map(name.clone(), inner, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A value with one of its parts replaced.
fn with_part(mut body: Value, at: usize, part: Value) -> Value {
    let mut pointers = vec![String::new()];
    collect(&body, "", &mut pointers);
    let pointer = &pointers[at % pointers.len()];
    *body.pointer_mut(pointer).unwrap() = part;
    body
}

fn collect(value: &Value, path: &str, pointers: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, item)| (at.to_string(), item))
            .collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        _ => Vec::new(),
    };
    for (name, child) in children {
        let path = format!("{path}/{name}");
        pointers.push(path.clone());
        collect(child, &path, pointers);
    }
}

fn seed(folder: &str, at: usize) -> Value {
    let seeds = seeds(folder);
    serde_json::from_slice(&seeds[at % seeds.len()]).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn no_bytes_make_a_parser_panic(bytes in vec(any::<u8>(), 0..2000)) {
        checks::webhook(&bytes);
        checks::event(&bytes);
    }

    #[test]
    fn no_json_makes_a_parser_panic(body in json()) {
        let body = body.to_string();
        checks::webhook(body.as_bytes());
        checks::event(body.as_bytes());
    }

    #[test]
    fn nothing_in_the_place_of_a_field_makes_a_parser_panic(
        which in any::<usize>(), at in any::<usize>(), part in json(),
    ) {
        let webhook = with_part(seed("webhook", which), at, part.clone()).to_string();
        checks::webhook(webhook.as_bytes());
        let event = with_part(seed("event", which), at, part).to_string();
        checks::event(event.as_bytes());
    }

    #[test]
    fn any_label_of_an_alert_is_fine(labels in btree_map(
        prop_oneof![select(&NAMES[..]).prop_map(str::to_owned), any::<String>()],
        prop_oneof![select(&TEXTS[..]).prop_map(str::to_owned), any::<String>(), "[a-zü🔥]{0,80}"],
        0..20,
    )) {
        let mut body = seed("webhook", 1);
        body["alerts"][0]["labels"] = serde_json::to_value(&labels).unwrap();
        body["commonLabels"] = body["alerts"][0]["labels"].clone();
        prop_assert!(checks::webhook(body.to_string().as_bytes()));
    }
}

#[test]
fn the_seeds_are_signals() {
    for bytes in seeds("webhook") {
        assert!(checks::webhook(&bytes));
    }
    for bytes in seeds("event") {
        assert!(checks::event(&bytes));
    }
}

/// A quote takes two bytes in JSON, and four in JSON within JSON.
#[test]
fn the_largest_bodies_make_requests_that_etcd_takes() {
    let quotes = |count: usize| r#"\""#.repeat(count);
    for (common, own) in [(0, 0), (60_000, 60_000)] {
        let common = format!(
            r#"{{"commonLabels": {{"{}": "c"}}, "alerts": [{{"#,
            quotes(common)
        );
        let own = format!(
            r#""labels": {{"alertname": "A", "pod": "p", "{}": "l"}}, "#,
            quotes(own)
        );
        let (open, close) = (r#""annotations": {""#, r#"": "a"}}]}"#);
        let rest = MAX_BODY - common.len() - own.len() - open.len() - close.len();
        let body = [&common, &own, open, &quotes(rest / 2), close].concat();
        assert!(body.len() + 1 >= MAX_BODY);
        assert!(checks::webhook(body.as_bytes()));
    }
}

/// A minute, with a new seed each time, which a failure prints.
#[test]
#[ignore = "soak: a minute of damaged bodies"]
fn damaged_bodies_make_no_parser_panic() {
    let seed = SysRng.try_next_u64().unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    let (webhooks, events) = (seeds("webhook"), seeds("event"));
    let mut damage = Damage::new(StdRng::seed_from_u64(seed));
    let (mut tried, mut taken) = (0_u64, 0_u64);
    while Instant::now() < end {
        let webhook = damage.of(&webhooks);
        let event = damage.of(&events);
        let run = || u64::from(checks::webhook(&webhook)) + u64::from(checks::event(&event));
        match std::panic::catch_unwind(run) {
            Ok(read) => taken += read,
            Err(_) => panic!(
                "seed {seed}, try {tried}:\n{}\n{}",
                webhook.escape_ascii(),
                event.escape_ascii()
            ),
        }
        tried += 2;
    }
    // Damage that nothing survives would test the JSON parser alone.
    assert!(taken * 20 > tried, "{taken} of {tried} bodies were read");
}

//! Where the fingerprint of a request comes from: whether it is the one of its target, by the rule of either gateway.
//!
//! A request names the owner already, so that its target is what was hashed. What may not stand in it is the namespace:
//! a cluster-scoped kind keeps the namespace of its alert in the key, and the request may name none. The signal's labels
//! and `providerData` have it.

use gwlock_engine::protocol::key::{Fingerprint, Target};
use serde_json::Value;

use crate::gateway::GatewayVersion;

/// A signal's name of this length may have been cut, so that January's fingerprint cannot be made again.
const LONGEST_NAME: usize = 253;

/// Where a fingerprint comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It is the sha256 of this text.
    Hashed {
        /// `[cluster:]namespace:Kind:name`, or `signal:namespace:Kind:name`.
        key: String,
        /// Whose rule that is.
        version: GatewayVersion,
    },
    /// It is the sha256 of nothing that the request says.
    Foreign,
    /// It cannot be told: the target is no Kubernetes object, or the signal's name may have been cut.
    Unknown,
}

impl Origin {
    /// Finds the text that a fingerprint is made of.
    #[must_use]
    pub fn of(fingerprint: &str, target: &Target, spec: &Value) -> Self {
        let is_kubernetes = matches!(spec["targetType"].as_str(), None | Some("kubernetes"));
        if !is_kubernetes {
            return Self::Unknown;
        }
        let signal = spec["signalName"].as_str().unwrap_or_default();
        for namespace in namespaces(target, spec) {
            let target = Target {
                namespace,
                ..target.clone()
            };
            for (key, version) in [
                (target.to_string(), GatewayVersion::Current),
                (format!("{signal}:{target}"), GatewayVersion::January),
            ] {
                if Fingerprint::of(&key).as_str() == fingerprint {
                    return Self::Hashed { key, version };
                }
            }
        }
        if signal.len() >= LONGEST_NAME - 3 {
            return Self::Unknown;
        }
        Self::Foreign
    }

    /// The text, if it is known.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Hashed { key, .. } => Some(key),
            Self::Foreign | Self::Unknown => None,
        }
    }
}

/// The namespaces that the key can have: the target's own, or where it has none those that the signal names.
fn namespaces(target: &Target, spec: &Value) -> Vec<String> {
    let mut namespaces = vec![target.namespace.clone()];
    if !target.namespace.is_empty() {
        return namespaces;
    }
    let labels = &spec["signalLabels"];
    let provider = spec["providerData"].as_str().unwrap_or_default();
    let provider: Value = serde_json::from_str(provider).unwrap_or_default();
    let named = [
        &provider["namespace"],
        &labels["exported_namespace"],
        &labels["namespace"],
    ];
    for namespace in named.into_iter().filter_map(Value::as_str) {
        if !namespaces.iter().any(|known| known == namespace) {
            namespaces.push(namespace.to_owned());
        }
    }
    namespaces
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn origin(key: &str, target: &str, more: Value) -> Origin {
        let mut spec = json!({"signalName": "HighMemoryUsage", "targetType": "kubernetes"});
        let Value::Object(more) = more else {
            panic!("{more}");
        };
        spec.as_object_mut().unwrap().extend(more);
        let target = Target::parse(target).unwrap();
        Origin::of(Fingerprint::of(key).as_str(), &target, &spec)
    }

    fn hashed(key: &str, version: GatewayVersion) -> Origin {
        let key = key.to_owned();
        Origin::Hashed { key, version }
    }

    #[test]
    fn a_fingerprint_is_that_of_the_target_with_its_cluster() {
        let nothing = json!({});
        for key in [
            "prod:Deployment:payment-api",
            "east:prod:Deployment:payment-api",
            ":Node:worker-node-1",
            "east::Node:worker-node-1",
        ] {
            let origin = origin(key, key, nothing.clone());
            assert_eq!(origin, hashed(key, GatewayVersion::Current));
        }
        let other_cluster = origin("west:prod:Pod:a", "east:prod:Pod:a", nothing.clone());
        assert_eq!(other_cluster, Origin::Foreign);
        assert_eq!(
            origin("prod:Pod:a", "east:prod:Pod:a", nothing.clone()),
            Origin::Foreign
        );
        assert_eq!(origin("prod:Pod:a", "prod:Pod:b", nothing), Origin::Foreign);
    }

    #[test]
    fn januarys_fingerprint_has_the_signal_in_it() {
        let key = "HighMemoryUsage:prod:Pod:payment-api-789";
        assert_eq!(
            origin(key, "prod:Pod:payment-api-789", json!({})),
            hashed(key, GatewayVersion::January)
        );
        let other = json!({"signalName": "Other"});
        assert_eq!(
            origin(key, "prod:Pod:payment-api-789", other),
            Origin::Foreign
        );
    }

    #[test]
    fn a_cluster_scoped_target_may_have_the_alerts_namespace_in_its_key() {
        let key = "monitoring:Node:worker-1";
        for more in [
            json!({"providerData": r#"{"namespace": "monitoring"}"#}),
            json!({"signalLabels": {"namespace": "monitoring"}}),
            json!({"signalLabels": {"namespace": "other", "exported_namespace": "monitoring"}}),
        ] {
            let found = origin(key, ":Node:worker-1", more);
            assert_eq!(found, hashed(key, GatewayVersion::Current));
        }
        assert_eq!(origin(key, ":Node:worker-1", json!({})), Origin::Foreign);
        // A target that has a namespace is not looked for in another one.
        let labels = json!({"signalLabels": {"namespace": "monitoring"}});
        assert_eq!(
            origin("monitoring:Pod:a", "prod:Pod:a", labels),
            Origin::Foreign
        );
    }

    #[test]
    fn what_cannot_be_made_again_is_not_judged() {
        let aws = json!({"targetType": "aws"});
        assert_eq!(origin("x", "prod:Pod:a", aws), Origin::Unknown);
        let cut = json!({"signalName": "s".repeat(253)});
        assert_eq!(origin("x", "prod:Pod:a", cut), Origin::Unknown);
    }
}

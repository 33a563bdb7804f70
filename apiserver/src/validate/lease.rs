//! The rules of a Lease's spec.

use serde_json::Value;

use super::FieldError;

/// Drops the fields of coordinated leader election: its feature gate is off by default.
pub(super) fn prepare(object: &mut Value) {
    if let Some(spec) = object["spec"].as_object_mut() {
        spec.remove("strategy");
        spec.remove("preferredHolder");
    }
}

pub(super) fn validate(object: &Value) -> Vec<FieldError> {
    let spec = &object["spec"];
    let mut errors = Vec::new();
    if let Some(seconds) = spec["leaseDurationSeconds"]
        .as_i64()
        .filter(|seconds| *seconds <= 0)
    {
        errors.push(FieldError::invalid(
            "spec.leaseDurationSeconds",
            seconds,
            "must be greater than 0",
        ));
    }
    if let Some(transitions) = spec["leaseTransitions"]
        .as_i64()
        .filter(|transitions| *transitions < 0)
    {
        errors.push(FieldError::invalid(
            "spec.leaseTransitions",
            transitions,
            "must be greater than or equal to 0",
        ));
    }
    errors
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::validate::summary;

    #[test]
    fn a_duration_is_positive_and_transitions_are_not_negative() {
        assert_eq!(
            summary(&validate(&json!({"spec": {"leaseDurationSeconds": 0}}))),
            "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"
        );
        assert_eq!(
            summary(&validate(
                &json!({"spec": {"leaseDurationSeconds": -1, "leaseTransitions": -1}})
            )),
            "[spec.leaseDurationSeconds: Invalid value: -1: must be greater than 0, \
             spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0]"
        );
    }

    #[test]
    fn an_empty_spec_and_an_empty_holder_are_fine() {
        for spec in [
            json!({}),
            json!({"holderIdentity": "", "leaseTransitions": 0, "leaseDurationSeconds": 1}),
        ] {
            assert_eq!(validate(&json!({ "spec": spec })), []);
        }
    }

    #[test]
    fn fields_behind_the_closed_gate_are_dropped() {
        let mut lease = json!({"spec": {"holderIdentity": "a", "strategy": "OldestEmulationVersion", "preferredHolder": "b"}});
        prepare(&mut lease);
        assert_eq!(lease, json!({"spec": {"holderIdentity": "a"}}));
    }
}

//! Who owns which field after which write.

use serde_json::{Value, json};

use super::*;

const FIRST: &str = "2026-11-23T09:00:00Z";
const LATER: &str = "2026-11-23T09:00:30Z";

fn by<'a>(manager: &'a str, time: &'a str) -> Writer<'a> {
    Writer {
        manager,
        api_version: "coordination.k8s.io/v1",
        subresource: "",
        time,
    }
}

fn lease() -> Value {
    json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": { "name": "a", "labels": { "x": "y" }, "finalizers": ["x.y/z"], "uid": "1" },
        "spec": { "holderIdentity": "h", "leaseDurationSeconds": 30 },
    })
}

fn created() -> Value {
    let mut object = lease();
    track_creation(&mut object, Shape::BUILT_IN, by("probe", FIRST));
    object
}

fn updated(old: &Value, manager: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut new = old.clone();
    change(&mut new);
    track_update(old, &mut new, Shape::BUILT_IN, by(manager, LATER));
    new
}

fn managers(object: &Value) -> Vec<(&str, &str)> {
    let entries = object["metadata"]["managedFields"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    entries
        .iter()
        .map(|entry| {
            (
                entry["manager"].as_str().unwrap(),
                entry["time"].as_str().unwrap(),
            )
        })
        .collect()
}

#[test]
fn a_creation_owns_every_field_that_it_set() {
    assert_eq!(
        created()["metadata"]["managedFields"],
        json!([{
            "manager": "probe",
            "operation": "Update",
            "apiVersion": "coordination.k8s.io/v1",
            "time": FIRST,
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:metadata": {
                    "f:finalizers": { ".": {}, "v:\"x.y/z\"": {} },
                    "f:labels": { ".": {}, "f:x": {} },
                },
                "f:spec": { "f:holderIdentity": {}, "f:leaseDurationSeconds": {} },
            },
        }])
    );
}

#[test]
fn a_change_by_the_owner_moves_its_time_alone() {
    let old = created();
    let new = updated(&old, "probe", |lease| {
        lease["spec"]["holderIdentity"] = json!("other");
    });
    assert_eq!(managers(&new), [("probe", LATER)]);
    assert_eq!(
        new["metadata"]["managedFields"][0]["fieldsV1"],
        old["metadata"]["managedFields"][0]["fieldsV1"]
    );
}

#[test]
fn a_change_of_nothing_moves_nothing() {
    let old = created();
    assert_eq!(updated(&old, "probe", |_| {}), old);
    assert_eq!(updated(&old, "other", |_| {}), old);
}

#[test]
fn another_manager_takes_what_it_changes_and_leaves_the_rest() {
    let old = created();
    let new = updated(&old, "other", |lease| {
        lease["metadata"]["labels"]["z"] = json!("1");
    });
    assert_eq!(managers(&new), [("probe", FIRST), ("other", LATER)]);
    assert_eq!(
        new["metadata"]["managedFields"][1]["fieldsV1"],
        json!({ "f:metadata": { "f:labels": { "f:z": {} } } })
    );

    let taken = updated(&old, "other", |lease| {
        lease["spec"]["holderIdentity"] = json!("o");
    });
    assert_eq!(
        taken["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"],
        json!({ "f:leaseDurationSeconds": {} })
    );
    assert_eq!(
        taken["metadata"]["managedFields"][1]["fieldsV1"],
        json!({ "f:spec": { "f:holderIdentity": {} } })
    );
}

#[test]
fn a_removed_field_leaves_its_owner_without_a_new_stamp() {
    let old = created();
    let new = updated(&old, "other", |lease| {
        lease["metadata"].as_object_mut().unwrap().remove("labels");
    });
    assert_eq!(managers(&new), [("probe", FIRST)]);
    assert_eq!(
        new["metadata"]["managedFields"][0]["fieldsV1"]["f:metadata"],
        json!({ "f:finalizers": { ".": {}, "v:\"x.y/z\"": {} } })
    );
}

#[test]
fn an_empty_list_ends_the_tracking_for_good() {
    for reset in [json!([]), json!([{}])] {
        let old = created();
        let off = updated(&old, "probe", |lease| {
            lease["metadata"]["managedFields"] = reset;
            lease["spec"]["holderIdentity"] = json!("o");
        });
        assert_eq!(off["metadata"].get("managedFields"), None);
        let later = updated(&off, "probe", |lease| {
            lease["spec"]["holderIdentity"] = json!("p");
        });
        assert_eq!(later["metadata"].get("managedFields"), None);
    }
}

#[test]
fn a_write_without_the_list_keeps_the_stored_one() {
    let old = created();
    let new = updated(&old, "probe", |lease| {
        lease["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("managedFields");
    });
    assert_eq!(new, old);
}

#[test]
fn the_status_subresource_has_an_entry_of_its_own() {
    let old = created();
    let mut new = old.clone();
    new["status"] = json!({ "phase": "Done" });
    let writer = Writer {
        subresource: "status",
        ..by("probe", LATER)
    };
    track_update(&old, &mut new, Shape::BUILT_IN, writer);
    assert_eq!(managers(&new), [("probe", FIRST), ("probe", LATER)]);
    assert_eq!(new["metadata"]["managedFields"][1]["subresource"], "status");
}

#[test]
fn past_ten_managers_the_oldest_are_merged() {
    let mut object = created();
    for index in 0..10 {
        let time = format!("2026-11-23T09:01:{index:02}Z");
        let old = object.clone();
        let manager = format!("m{index}");
        object["metadata"]["labels"][&manager] = json!("1");
        track_update(&old, &mut object, Shape::BUILT_IN, by(&manager, &time));
    }
    let names: Vec<&str> = managers(&object)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        names,
        [
            "ancient-changes",
            "m1",
            "m2",
            "m3",
            "m4",
            "m5",
            "m6",
            "m7",
            "m8",
            "m9"
        ]
    );
    assert_eq!(
        object["metadata"]["managedFields"][0],
        json!({
            "manager": "ancient-changes",
            "operation": "Update",
            "apiVersion": "coordination.k8s.io/v1",
            "time": "2026-11-23T09:01:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:metadata": {
                    "f:finalizers": { ".": {}, "v:\"x.y/z\"": {} },
                    "f:labels": { ".": {}, "f:m0": {}, "f:x": {} },
                },
                "f:spec": { "f:holderIdentity": {}, "f:leaseDurationSeconds": {} },
            },
        })
    );
}

#[test]
fn the_items_of_a_keyed_list_are_owned_one_by_one() {
    let mut pod = json!({
        "metadata": { "name": "p", "ownerReferences": [{ "uid": "u1", "name": "o" }] },
        "spec": { "containers": [{ "name": "c", "image": "i", "env": [{ "name": "E", "value": "1" }] }] },
    });
    track_creation(&mut pod, Shape::BUILT_IN, by("probe", FIRST));
    assert_eq!(
        pod["metadata"]["managedFields"][0]["fieldsV1"],
        json!({
            "f:metadata": { "f:ownerReferences": { ".": {}, "k:{\"uid\":\"u1\"}": {} } },
            "f:spec": {
                "f:containers": {
                    "k:{\"name\":\"c\"}": {
                        ".": {},
                        "f:env": { ".": {}, "k:{\"name\":\"E\"}": { ".": {}, "f:name": {}, "f:value": {} } },
                        "f:image": {},
                        "f:name": {},
                    },
                },
            },
        })
    );
}

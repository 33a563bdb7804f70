//! Leases through the client that the rest of the project uses, against a server in the same process.

use std::pin::pin;

use futures_util::{StreamExt, TryStreamExt};
use gwlock_apiserver::ApiServer;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::api::{
    Api, DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams, Preconditions,
    WatchEvent, WatchParams,
};
use kube::{Client, Error};

fn leases() -> Api<Lease> {
    Api::namespaced(Client::new(ApiServer::new(), "default"), "default")
}

fn lease(name: &str, holder: &str) -> Lease {
    Lease {
        metadata: ObjectMeta {
            name: Some(name.into()),
            ..ObjectMeta::default()
        },
        spec: Some(LeaseSpec {
            holder_identity: Some(holder.into()),
            lease_duration_seconds: Some(30),
            ..LeaseSpec::default()
        }),
    }
}

fn refusal(error: Error) -> (u16, String, String) {
    match error {
        Error::Api(status) => (status.code, status.reason.clone(), status.message.clone()),
        other => panic!("expected an answer of the server, not {other}"),
    }
}

fn holder(lease: &Lease) -> Option<&str> {
    lease.spec.as_ref()?.holder_identity.as_deref()
}

#[tokio::test]
async fn a_lease_lives_from_post_to_delete() {
    let leases = leases();
    let manager = PostParams {
        field_manager: Some("test".into()),
        ..PostParams::default()
    };

    let created = leases.create(&manager, &lease("x1", "a")).await.unwrap();
    assert!(created.metadata.uid.is_some());
    let stamp = &created.metadata.managed_fields.as_ref().unwrap()[0];
    assert_eq!(stamp.manager.as_deref(), Some("test"));
    assert_eq!(stamp.time, created.metadata.creation_timestamp);

    let mut changed = created.clone();
    changed.spec.as_mut().unwrap().holder_identity = Some("b".into());
    let updated = leases.replace("x1", &manager, &changed).await.unwrap();
    assert_eq!(holder(&updated), Some("b"));
    assert_ne!(
        updated.metadata.resource_version,
        created.metadata.resource_version
    );

    let conflict = refusal(leases.replace("x1", &manager, &changed).await.unwrap_err());
    assert_eq!(
        conflict,
        (
            409,
            "Conflict".into(),
            "Operation cannot be fulfilled on leases.coordination.k8s.io \"x1\": the object has been modified; please \
             apply your changes to the latest version and try again"
                .into()
        )
    );

    let stale = Preconditions {
        uid: None,
        resource_version: created.metadata.resource_version.clone(),
    };
    let refused = refusal(
        leases
            .delete("x1", &DeleteParams::default().preconditions(stale))
            .await
            .unwrap_err(),
    );
    assert_eq!((refused.0, refused.1.as_str()), (409, "Conflict"));

    let current = Preconditions {
        uid: updated.metadata.uid.clone(),
        resource_version: updated.metadata.resource_version.clone(),
    };
    let gone = leases
        .delete("x1", &DeleteParams::default().preconditions(current))
        .await
        .unwrap();
    assert_eq!(
        gone.right().unwrap().details.unwrap().uid,
        updated.metadata.uid.unwrap()
    );
    assert!(leases.get_opt("x1").await.unwrap().is_none());
}

#[tokio::test]
async fn of_two_leases_with_one_name_the_second_is_refused() {
    let leases = leases();
    leases
        .create(&PostParams::default(), &lease("x1", "a"))
        .await
        .unwrap();
    let refused = refusal(
        leases
            .create(&PostParams::default(), &lease("x1", "b"))
            .await
            .unwrap_err(),
    );
    assert_eq!(
        refused,
        (
            409,
            "AlreadyExists".into(),
            "leases.coordination.k8s.io \"x1\" already exists".into()
        )
    );
}

#[tokio::test]
async fn a_put_of_a_deleted_lease_creates_it_unless_it_names_the_uid() {
    let leases = leases();
    let mut created = leases
        .create(&PostParams::default(), &lease("x1", "a"))
        .await
        .unwrap();
    leases.delete("x1", &DeleteParams::default()).await.unwrap();

    let refused = refusal(
        leases
            .replace("x1", &PostParams::default(), &created)
            .await
            .unwrap_err(),
    );
    assert_eq!((refused.0, refused.1.as_str()), (409, "Conflict"));
    assert!(
        refused
            .2
            .contains("Precondition failed: UID in precondition"),
        "{}",
        refused.2
    );

    created.metadata.uid = None;
    let again = leases
        .replace("x1", &PostParams::default(), &created)
        .await
        .unwrap();
    assert!(again.metadata.uid.is_some());
}

#[tokio::test]
async fn an_update_that_changes_nothing_keeps_the_version() {
    let leases = leases();
    let created = leases
        .create(&PostParams::default(), &lease("x1", "a"))
        .await
        .unwrap();
    assert_eq!(
        leases
            .replace("x1", &PostParams::default(), &created)
            .await
            .unwrap(),
        created
    );
}

#[tokio::test]
async fn a_dry_run_stores_nothing() {
    let leases = leases();
    let dry = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    leases.create(&dry, &lease("x1", "a")).await.unwrap();
    assert!(leases.get_opt("x1").await.unwrap().is_none());
}

#[tokio::test]
async fn a_long_list_comes_in_pages_of_one_version() {
    let leases = leases();
    for index in 0..5 {
        leases
            .create(&PostParams::default(), &lease(&format!("x{index}"), "a"))
            .await
            .unwrap();
    }
    let first = leases.list(&ListParams::default().limit(2)).await.unwrap();
    assert_eq!(first.metadata.remaining_item_count, Some(3));
    leases.delete("x3", &DeleteParams::default()).await.unwrap();
    leases
        .create(&PostParams::default(), &lease("x31", "a"))
        .await
        .unwrap();

    let rest = ListParams::default().continue_token(&first.metadata.continue_.unwrap());
    let second = leases.list(&rest).await.unwrap();
    let names: Vec<_> = second
        .items
        .iter()
        .filter_map(|lease| lease.metadata.name.as_deref())
        .collect();
    assert_eq!(names, ["x2", "x3", "x4"]);
    assert_eq!(
        second.metadata.resource_version,
        first.metadata.resource_version
    );
}

#[tokio::test]
async fn a_merge_patch_from_a_stale_version_is_a_conflict() {
    let leases = leases();
    let created = leases
        .create(&PostParams::default(), &lease("x1", "a"))
        .await
        .unwrap();
    let patch = serde_json::json!({
        "metadata": { "resourceVersion": created.metadata.resource_version },
        "spec": { "holderIdentity": "b" },
    });
    let patched = leases
        .patch("x1", &PatchParams::default(), &Patch::Merge(&patch))
        .await
        .unwrap();
    assert_eq!(holder(&patched), Some("b"));
    let refused = refusal(
        leases
            .patch("x1", &PatchParams::default(), &Patch::Merge(&patch))
            .await
            .unwrap_err(),
    );
    assert_eq!((refused.0, refused.1.as_str()), (409, "Conflict"));
}

#[tokio::test(start_paused = true)]
async fn a_watch_shows_one_lease_from_a_version_on_until_its_time_is_over() {
    let leases = leases();
    let created = leases
        .create(&PostParams::default(), &lease("w1", "a"))
        .await
        .unwrap();
    let version = created.metadata.resource_version.clone().unwrap();
    let only = WatchParams::default().fields("metadata.name=w1").timeout(6);
    let mut events = pin!(leases.watch(&only, &version).await.unwrap());

    let mut changed = created;
    changed.spec.as_mut().unwrap().holder_identity = Some("b".into());
    leases
        .replace("w1", &PostParams::default(), &changed)
        .await
        .unwrap();
    leases
        .create(&PostParams::default(), &lease("w2", "a"))
        .await
        .unwrap();
    leases.delete("w1", &DeleteParams::default()).await.unwrap();
    leases
        .create(&PostParams::default(), &lease("w1", "c"))
        .await
        .unwrap();

    let mut seen = Vec::new();
    while let Some(event) = events.try_next().await.unwrap() {
        seen.push(match &event {
            WatchEvent::Added(lease) => ("ADDED", holder(lease).map(str::to_owned)),
            WatchEvent::Modified(lease) => ("MODIFIED", holder(lease).map(str::to_owned)),
            WatchEvent::Deleted(lease) => ("DELETED", holder(lease).map(str::to_owned)),
            WatchEvent::Bookmark(_) => ("BOOKMARK", None),
            WatchEvent::Error(status) => panic!("{status:?}"),
        });
    }
    let holder = |name: &str| Some(name.to_owned());
    assert_eq!(
        seen,
        [
            ("MODIFIED", holder("b")),
            ("DELETED", holder("b")),
            ("ADDED", holder("c")),
            ("BOOKMARK", None)
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_watch_from_a_forgotten_version_says_so_and_ends() {
    let server = ApiServer::builder().keep_events(1).build();
    let leases: Api<Lease> = Api::namespaced(Client::new(server, "default"), "default");
    for name in ["a", "b", "c"] {
        leases
            .create(&PostParams::default(), &lease(name, "x"))
            .await
            .unwrap();
    }
    let events: Vec<_> = leases
        .watch(&WatchParams::default(), "1")
        .await
        .unwrap()
        .collect()
        .await;
    assert_eq!(events.len(), 1);
    match &events[0] {
        Ok(WatchEvent::Error(status)) => {
            assert_eq!((status.code, status.reason.as_str()), (410, "Expired"));
            assert!(
                status.message.starts_with("too old resource version: 1 ("),
                "{}",
                status.message
            );
        }
        other => panic!("{other:?}"),
    }
}

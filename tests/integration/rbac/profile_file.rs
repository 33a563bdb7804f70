//! Profiles of one's own.

use std::fs;

use super::gwlock;

const PROFILE: &str = "
name: backup
knownAs: [backup]
environment:
  holder: POD_NAME
requirements:
- group: coordination.k8s.io
  resource: leases
  verbs: [get, create, update]
  scope: lock
  why: hold the lock of a backup
- group: batch
  resource: jobs
  verbs: [create]
  scope: {namespace: jobs}
- group: ''
  resource: pods/log
  verbs: [get]
  scope: cluster
  optional: true
allowed:
- {group: '', resource: events, verbs: [create]}
";

const MANIFESTS: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: backup, namespace: prod}
rules:
- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, create, update]}
- {apiGroups: [''], resources: [events], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: backup, namespace: prod}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: backup}
subjects: [{kind: ServiceAccount, name: backup}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly-backup, namespace: prod}
spec:
  jobTemplate:
    spec:
      template:
        spec:
          serviceAccountName: backup
          containers:
          - name: main
            env:
            - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
";

#[test]
fn a_program_of_ones_own_is_checked_by_what_its_file_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("profile.yaml");
    fs::write(&path, PROFILE).unwrap();
    let run = gwlock(&["-f", "-", "--profile-file", path.to_str().unwrap()])
        .stdin(MANIFESTS)
        .run();
    assert_eq!(
        (
            run.code,
            run.stdout.lines().next().unwrap(),
            run.stderr.as_str()
        ),
        (
            1,
            "<stdin>:23: missing: ServiceAccount prod/backup may not create jobs.batch in namespace jobs: no rule grants it",
            "not granted, and not needed for the rest: get pods/log in all namespaces\n\
             error: insufficient for backup: 1 missing in 3 objects in 1 file\n"
        )
    );
}

#[test]
fn a_profile_that_is_none_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("profile.yaml");
    fs::write(
        &path,
        "name: backup\nrequirements:\n- group: ''\n  resource: pods\n  verb: [get]\n",
    )
    .unwrap();
    let run = gwlock(&["-f", "-", "--profile-file", path.to_str().unwrap()])
        .stdin(MANIFESTS)
        .run();
    assert_eq!(run.code, 65);
    assert!(
        run.stderr.contains("profile.yaml: ") && run.stderr.contains("5"),
        "{}",
        run.stderr
    );
    let both = gwlock(&["-f", "-", "--profile", "gateway", "--profile-file", "x"]).run();
    assert_eq!(both.code, 2);
}

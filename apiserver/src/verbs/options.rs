//! The options of a write: what Kubernetes checks of them, and whether anything may be stored.

use std::borrow::Cow;

use crate::call::Call;
use crate::registry::Verb;
use crate::status::Status;
use crate::validate::{self, FieldError};

/// Bytes of a field manager's name.
const MANAGER_MAX: usize = 128;

/// Checks the options of a POST, PUT or PATCH. Returns whether it is a dry run.
pub(super) fn check(call: &Call<'_>) -> Result<bool, Status> {
    let query = call.query;
    let mut errors = Vec::new();
    let manager = query.field_manager.as_deref().unwrap_or_default();
    if manager.len() > MANAGER_MAX {
        errors.push(FieldError::too_long("fieldManager", MANAGER_MAX));
    }
    let dry_run: Vec<&str> = query.dry_run.iter().map(AsRef::as_ref).collect();
    let is_dry_run = check_dry_run(&dry_run, &mut errors);
    let validation = query.field_validation.as_deref().unwrap_or_default();
    if !matches!(validation, "" | "Ignore" | "Strict" | "Warn") {
        let supported = ["", "Ignore", "Strict", "Warn"];
        errors.push(FieldError::not_supported(
            "fieldValidation",
            validation,
            &supported,
        ));
    }
    let kind = match call.verb {
        Verb::Create => "CreateOptions",
        Verb::Patch => "PatchOptions",
        _ => "UpdateOptions",
    };
    refuse(kind, &errors)?;
    Ok(is_dry_run)
}

/// Checks the options of a DELETE, from its query and its body together. Returns whether it is a dry run.
pub(super) fn check_deletion(
    dry_run: &[&str],
    propagation_policy: Option<&str>,
    orphan_dependents: Option<bool>,
) -> Result<bool, Status> {
    const PATH: &str = "propagationPolicy";
    let mut errors = Vec::new();
    let policies = ["Foreground", "Background", "Orphan", "nil"];
    if let Some(policy) = propagation_policy {
        if orphan_dependents.is_some() {
            let why = "orphanDependents and deletionPropagation cannot be both set";
            errors.push(FieldError::invalid(PATH, policy, why));
        }
        if !policies[..3].contains(&policy) {
            errors.push(FieldError::not_supported(PATH, policy, &policies));
        }
    }
    let is_dry_run = check_dry_run(dry_run, &mut errors);
    refuse("DeleteOptions", &errors)?;
    Ok(is_dry_run)
}

/// The version that a GET of a collection starts from.
pub(super) fn revision(call: &Call<'_>) -> Result<Option<u64>, Status> {
    call.query.revision().map_err(|why| match call.verb {
        Verb::Watch => Status::unexplained(why),
        _ => Status::bad_request(format!("invalid resource version: {why}")),
    })
}

/// Checks the options of a GET of a collection.
pub(super) fn check_list(call: &Call<'_>) -> Result<(), Status> {
    const PATH: &str = "resourceVersionMatch";
    let query = call.query;
    query.lifetime()?;
    query.limit()?;
    let text = |option: &Option<Cow<'_, str>>| option.as_deref().unwrap_or_default().to_owned();
    let (matching, version) = (
        text(&query.resource_version_match),
        text(&query.resource_version),
    );
    let is_watch = call.verb == Verb::Watch;
    let mut errors = Vec::new();
    let mut forbid = |path: &str, why: &str| errors.push(FieldError::forbidden(path, why));
    if is_watch && query.send_initial_events.is_some() && matching != "NotOlderThan" {
        forbid(
            PATH,
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        );
    }
    if !matching.is_empty() {
        if is_watch && query.send_initial_events.is_none() {
            forbid(
                PATH,
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
            );
        }
        if !is_watch && version.is_empty() {
            forbid(
                PATH,
                "resourceVersionMatch is forbidden unless resourceVersion is provided",
            );
        }
        if query
            .continue_token
            .as_deref()
            .is_some_and(|token| !token.is_empty())
        {
            forbid(
                PATH,
                "resourceVersionMatch is forbidden when continue is provided",
            );
        }
        if !is_watch && matching == "Exact" && version == "0" {
            forbid(
                PATH,
                "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
            );
        }
    }
    if !is_watch && query.send_initial_events.is_some() {
        forbid(
            "sendInitialEvents",
            "sendInitialEvents is forbidden for list",
        );
    }
    let known: &[&str] = if is_watch {
        &["NotOlderThan"]
    } else {
        &["Exact", "NotOlderThan", ""]
    };
    if !matching.is_empty() && !known.contains(&matching.as_str()) {
        errors.push(FieldError::not_supported(PATH, matching, known));
    }
    refuse("ListOptions", &errors)
}

fn check_dry_run(values: &[&str], errors: &mut Vec<FieldError>) -> bool {
    if !values.iter().all(|value| *value == "All") {
        errors.push(FieldError::not_supported(
            "dryRun",
            values.to_vec(),
            &["All"],
        ));
    }
    !values.is_empty()
}

fn refuse(kind: &str, errors: &[FieldError]) -> Result<(), Status> {
    if errors.is_empty() {
        return Ok(());
    }
    let kind = format!("{kind}.meta.k8s.io");
    Err(Status::invalid(
        &kind,
        "",
        &validate::summary(errors),
        validate::causes(errors),
    ))
}

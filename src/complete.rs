//! What a shell offers after TAB.
//!
//! Answers come from the kubeconfig and, for leases and namespaces, from the cluster that the words typed so far name.
//! Nothing is ever printed but candidates: whatever goes wrong means that there are none.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::time::Duration;

use clap::FromArgMatches;
use clap_complete::engine::{CompletionCandidate, complete};
use clap_complete::{CompleteEnv, env::Shells};
use gwlock_engine::client::list;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, ListParams};

use crate::cli;
use crate::context::{CalledAs, Context, Invocation, variable};
use crate::flags::Global;
use crate::output;

/// The variable by which a shell asks.
pub(crate) const VARIABLE: &str = "COMPLETE";

/// Nobody waits longer for an answer to TAB.
const PATIENCE: Duration = Duration::from_millis(1500);

/// kubectl's directive for "offer no file names".
const NO_FILES: &str = ":4";

/// Answers a shell, or kubectl, if that is what this process was started for.
pub(crate) fn answered(invocation: &Invocation) -> bool {
    if invocation.called_as() == CalledAs::PluginCompletion {
        // A shell that has gone needs no candidates.
        let _ = output::data(&for_kubectl(invocation));
        return true;
    }
    let is_shell = |name: &String| Shells::builtins().completer(name).is_some();
    variable(VARIABLE).filter(is_shell).is_some()
        && CompleteEnv::with_factory(cli::command)
            .try_complete(invocation.words().to_vec(), None)
            .unwrap_or(true)
}

/// kubectl hands over the words behind `kubectl gwlock`, the last one unfinished.
fn for_kubectl(invocation: &Invocation) -> String {
    let words = invocation.words().to_vec();
    let last = words.len().saturating_sub(1);
    let candidates = complete(&mut cli::command(), words, last, None).unwrap_or_default();
    let mut lines = String::new();
    for candidate in candidates {
        lines.push_str(&candidate.get_value().to_string_lossy());
        if let Some(help) = candidate.get_help() {
            lines.push('\t');
            lines.push_str(help.to_string().lines().next().unwrap_or_default());
        }
        lines.push('\n');
    }
    lines + NO_FILES
}

/// Leases, with their holders.
pub(crate) fn leases(current: &OsStr) -> Vec<CompletionCandidate> {
    let start = current.to_string_lossy().into_owned();
    on_cluster(async |context| {
        let cluster = context.cluster().await.ok()?;
        let listing = list::list(
            &cluster.client,
            Some(&cluster.namespace),
            None,
            PATIENCE,
            |name| name.starts_with(&start),
        );
        let candidates = listing.await.ok()?.items.into_iter().map(|item| {
            let holder = item.record.claim.holder.unwrap_or_default();
            CompletionCandidate::new(item.name).help(Some(
                output::escape::escape_line(&holder).into_owned().into(),
            ))
        });
        Some(candidates.collect())
    })
}

/// Namespaces of the cluster.
pub(crate) fn namespaces(current: &OsStr) -> Vec<CompletionCandidate> {
    let start = current.to_string_lossy().into_owned();
    on_cluster(async |context| {
        let cluster = context.cluster().await.ok()?;
        let namespaces = Api::<Namespace>::all(cluster.client)
            .list_metadata(&ListParams::default())
            .await
            .ok()?;
        let names = namespaces
            .items
            .into_iter()
            .filter_map(|item| item.metadata.name);
        Some(starting_with(&start, names))
    })
}

/// Contexts of the kubeconfig.
pub(crate) fn contexts(current: &OsStr) -> Vec<CompletionCandidate> {
    let kubeconfig = typed().kubeconfig().unwrap_or_default();
    starting_with(
        &current.to_string_lossy(),
        kubeconfig.contexts.into_iter().map(|named| named.name),
    )
}

/// Clusters of the kubeconfig.
pub(crate) fn clusters(current: &OsStr) -> Vec<CompletionCandidate> {
    let kubeconfig = typed().kubeconfig().unwrap_or_default();
    starting_with(
        &current.to_string_lossy(),
        kubeconfig.clusters.into_iter().map(|named| named.name),
    )
}

/// Users of the kubeconfig.
pub(crate) fn users(current: &OsStr) -> Vec<CompletionCandidate> {
    let kubeconfig = typed().kubeconfig().unwrap_or_default();
    starting_with(
        &current.to_string_lossy(),
        kubeconfig.auth_infos.into_iter().map(|named| named.name),
    )
}

fn starting_with(start: &str, names: impl Iterator<Item = String>) -> Vec<CompletionCandidate> {
    let names: BTreeSet<String> = names.filter(|name| name.starts_with(start)).collect();
    names.into_iter().map(CompletionCandidate::new).collect()
}

fn on_cluster(
    answer: impl AsyncFnOnce(&Context) -> Option<Vec<CompletionCandidate>>,
) -> Vec<CompletionCandidate> {
    let context = typed();
    context
        .answer_within(PATIENCE, answer(&context))
        .unwrap_or_default()
}

/// The flags among the words typed so far. A shell hands them over behind `--`, kubectl without it.
fn typed() -> Context {
    let invocation = Invocation::of_this_process();
    let words = invocation.words();
    let typed: &[OsString] = match invocation.called_as() {
        CalledAs::PluginCompletion => words,
        _ => words
            .iter()
            .position(|word| word == "--")
            .map_or(&[], |at| &words[at + 1..]),
    };
    let matches = cli::command()
        .ignore_errors(true)
        .try_get_matches_from(typed);
    let global = matches
        .ok()
        .and_then(|matches| Global::from_arg_matches(&matches).ok());
    Context::new(global.unwrap_or_default())
}

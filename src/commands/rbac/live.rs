//! `gwlock rbac check --live`: whether an API server grants a program what it asks, by its own word. How that is shown is
//! the report's business.

mod excess;
mod report;
mod review;
mod roles;
mod served;

use std::time::Duration;

use clap::Args;
use futures_util::{StreamExt as _, stream};
use tokio::time::timeout;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::format::Format;
use crate::rbac::profiles::Program;
use crate::rbac::requirement::{Need, Requirement, Scope};

use super::check::FailOn;
use report::Report;
use review::Reviewer;
use served::Served;

/// Questions under way at a time: a server with priority and fairness answers those of one user one after another anyway.
const AT_ONCE: usize = 8;

/// How long discovery may take.
const DISCOVERY: Duration = Duration::from_secs(30);

/// What only the live check takes.
#[derive(Debug, Args)]
pub(super) struct LiveArguments {
    /// Ask the cluster instead of reading files: for oneself, also under --as, or for --serviceaccount
    #[arg(long)]
    pub(super) live: bool,
    /// Show which binding and which role grant what
    #[arg(long, requires = "live")]
    pub(super) why: bool,
}

/// What is asked of the cluster.
pub(super) struct Question<'a> {
    pub(super) program: &'a Program,
    /// The flags that say which program it is, each behind a space.
    pub(super) profile_flags: String,
    /// For which ServiceAccount, by namespace and name; `None` for whoever asks.
    pub(super) account: Option<&'a (String, String)>,
    /// The namespace of the leases, if it is not the cluster's.
    pub(super) lock_namespace: Option<&'a str>,
    /// The namespace of the RemediationRequests, if it is said.
    pub(super) controller_namespace: Option<&'a str>,
    /// Whether it is shown what grants what.
    pub(super) why: bool,
    pub(super) fail_on: FailOn,
    pub(super) output: &'a Format,
}

/// Where leases and RemediationRequests are.
#[derive(Debug, Clone, Copy)]
struct Places<'a> {
    leases: &'a str,
    requests: &'a str,
}

/// A requirement, and what the cluster says to it.
#[derive(Debug)]
struct Answer<'a> {
    requirement: &'a Requirement,
    /// Where it is asked; `None` for everywhere.
    namespace: Option<String>,
    state: State,
}

/// What the cluster says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// Yes, in these words.
    Allowed(String),
    /// No.
    Denied(String),
    /// There is no such resource: an authoriser may say yes to it all the same.
    NotServed,
    /// It does not say.
    Failed { exit: Exit, message: String },
}

impl Answer<'_> {
    fn is_needed(&self) -> bool {
        self.requirement.need == Need::Needed
    }

    /// Whether the program does not work because of it.
    fn blocks(&self) -> bool {
        self.is_needed() && matches!(self.state, State::Denied(_) | State::NotServed)
    }
}

pub(super) async fn execute(question: Question<'_>, context: &Context) -> Result<Exit, Failure> {
    let cluster = context.cluster().await?;
    let served = match timeout(DISCOVERY, Served::on(&cluster.client)).await {
        Ok(served) => served.map_err(|error| Failure::api(&error))?,
        Err(_) => {
            let message = format!("no answer within {DISCOVERY:?}");
            return Err(Failure::unreachable(&message));
        }
    };
    let reviewer = Reviewer::new(&cluster.client, question.account);
    let said = question.lock_namespace;
    let said = said.or(cluster.given_namespace.as_deref());
    // A program has its leases where it is.
    let own = question.account.map(|(namespace, _)| namespace.as_str());
    let leases = said.or(own).unwrap_or(&cluster.namespace);
    let requests = match question.controller_namespace {
        // What is said here of the requests is about the leases that are looked for here.
        None if leases != cluster.namespace => leases.to_owned(),
        given => cluster.controller_namespace(given),
    };
    let places = Places {
        leases,
        requests: &requests,
    };
    let answers = answers(&question, places, &served, &reviewer).await;
    let subject = reviewer.subject().await;
    let mut roles = roles::read(&cluster, &answers).await;
    let excess = match &subject {
        None => Vec::new(),
        Some(subject) => {
            let places = (leases, requests.as_str());
            let found = excess::find(&roles.objects, question.program, subject, places);
            found.unwrap_or_else(|why| {
                roles.misread(why);
                Vec::new()
            })
        }
    };
    let report = Report {
        question: &question,
        places,
        subject: &subject,
        answers: &answers,
        roles: &roles,
        excess: &excess,
    };
    report.show()?;
    match report.failure(context) {
        None => Ok(Exit::Done),
        Some(failure) => Err(failure),
    }
}

/// What the cluster says to each requirement, in their order.
async fn answers<'a>(
    question: &Question<'a>,
    places: Places<'_>,
    served: &Served,
    reviewer: &Reviewer<'_>,
) -> Vec<Answer<'a>> {
    let asked = question.program.profile.requirements.iter();
    let questions: Vec<_> = asked
        .map(|requirement| async move {
            let namespace = match &requirement.scope {
                Scope::LockNamespace => Some(places.leases.to_owned()),
                Scope::ControllerNamespace => Some(places.requests.to_owned()),
                Scope::Namespace(namespace) => Some(namespace.to_string()),
                Scope::Cluster => None,
            };
            let state = match served.knows(requirement) {
                Err(state) => state,
                Ok(()) => reviewer.ask(requirement, namespace.as_deref()).await,
            };
            Answer {
                requirement,
                namespace,
                state,
            }
        })
        .collect();
    stream::iter(questions).buffered(AT_ONCE).collect().await
}

//! `gwlock rbac check`: whether manifests grant a program what it asks, and no more.

mod github;
mod junit;
mod read;
mod report;
mod sarif;
mod sources;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum, ValueHint};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, escape::shell_word, format::Format};
use crate::rbac::finding::{Class, Finding, Kind};
use crate::rbac::judge::{Judged, judge};
use crate::rbac::parity::{self, Set};
use crate::rbac::place::{self, Namespaces, Runner};
use crate::rbac::profiles::{GatewayVersion, Program};
use crate::rbac::resolve::{Identity, Model};

use super::live;
use report::Report;
use sources::Source;

/// Where objects are that say nothing else, as for kubectl.
const DEFAULT_NAMESPACE: &str = "default";

/// Tell whether RBAC manifests are sufficient for a program, and not more than it needs
///
/// Asks no cluster: reads what helm or kustomize renders, resolves workloads to ServiceAccounts, bindings and roles as
/// an API server would, and reports everything that is missing, never matches, or is too much, with file and line.
///
/// The workloads that are looked at are those whose name, labels, containers or images are called like the program, or
/// all if none is. Ends with 1 if there is something to fail for, and with 65 for what cannot be read.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gwlock rbac check -f deploy/
  helm template kubernaut chart/ | gwlock rbac check -f - -n kubernaut-system
  gwlock rbac check -f production/ --against e2e/ -o github
  gwlock rbac check -f roles.yaml --serviceaccount kubernaut-system:gateway
  gwlock rbac check --live --profile gwlock-operator --why")]
pub(crate) struct Arguments {
    /// Manifests: a file, a directory with all that is below it, or - for stdin (repeatable)
    #[arg(
        short,
        long = "filename",
        value_name = "PATH",
        required_unless_present = "live",
        conflicts_with_all = ["live", "why"],
        value_hint = ValueHint::AnyPath
    )]
    filename: Vec<String>,
    #[command(flatten)]
    live: live::LiveArguments,
    /// The program
    #[arg(long, value_name = "NAME", default_value = "gateway", value_parser = super::profile())]
    profile: String,
    /// Which gateway
    #[arg(long, value_enum, default_value_t, value_name = "VERSION")]
    gateway_version: Version,
    /// A program of one's own: YAML with what it asks
    #[arg(long, value_name = "FILE", conflicts_with_all = ["profile", "gateway_version"], value_hint = ValueHint::FilePath)]
    profile_file: Option<PathBuf>,
    /// The workload, such as Deployment/gateway [default: those that look like the program, or all]
    #[arg(long, value_name = "KIND/NAME", value_parser = workload, conflicts_with = "live")]
    workload: Option<(String, String)>,
    /// The ServiceAccount, where no workload is in the files
    #[arg(long, value_name = "NAMESPACE:NAME", conflicts_with = "workload", value_parser = account)]
    serviceaccount: Option<(String, String)>,
    /// Another subject: User:NAME or Group:NAME
    #[arg(long, value_name = "KIND:NAME", conflicts_with_all = ["workload", "serviceaccount", "live"], value_parser = subject)]
    subject: Option<Identity>,
    /// Namespace of the leases [default: what the workload's environment says]
    #[arg(long, value_name = "NAMESPACE")]
    lock_namespace: Option<String>,
    /// Namespace of the RemediationRequests [default: what the workload's environment says]
    #[arg(long, value_name = "NAMESPACE")]
    controller_namespace: Option<String>,
    /// Other manifests that should grant the same (repeatable)
    #[arg(long, value_name = "PATH", conflicts_with = "live", value_hint = ValueHint::AnyPath)]
    against: Vec<String>,
    /// Output format: table, json, yaml, jsonpath=PATH, sarif, junit, github
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Output,
    /// What to fail for
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    fail_on: FailOn,
}

/// Which gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Version {
    /// The one of today
    #[default]
    Current,
    /// The first one with a lock, of January 2026
    January,
}

/// What a check fails for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum FailOn {
    /// What keeps the program from working, and what another set has of that
    Missing,
    /// What is too much
    Excessive,
    /// Every finding
    #[default]
    Any,
}

/// How it is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Output {
    Text,
    Data(Format),
    Sarif,
    Junit,
    Github,
}

impl From<Version> for GatewayVersion {
    fn from(version: Version) -> Self {
        match version {
            Version::Current => Self::Current,
            Version::January => Self::January,
        }
    }
}

impl FailOn {
    pub(super) fn is_about(self, finding: &Finding) -> bool {
        match self {
            Self::Missing => finding.blocks || finding.kind == Kind::Parity,
            Self::Excessive => finding.kind.class() == Class::Excessive,
            Self::Any => true,
        }
    }
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected =
            || "allowed formats are: table, json, yaml, jsonpath=, sarif, junit, github".to_owned();
        match text {
            "sarif" => Ok(Self::Sarif),
            "junit" => Ok(Self::Junit),
            "github" => Ok(Self::Github),
            "table" => Ok(Self::Text),
            text => match text.parse::<Format>() {
                Ok(format) if format.is_structured() => Ok(Self::Data(format)),
                _ => Err(expected()),
            },
        }
    }
}

fn workload(text: &str) -> Result<(String, String), String> {
    pair(text, '/').ok_or_else(|| format!("\"{text}\" is no workload: Deployment/gateway is"))
}

fn account(text: &str) -> Result<(String, String), String> {
    pair(text, ':').ok_or_else(|| {
        format!("\"{text}\" is no ServiceAccount: kubernaut-system:gateway is, its namespace and its name")
    })
}

fn pair(text: &str, separator: char) -> Option<(String, String)> {
    let (first, second) = text.split_once(separator)?;
    let is_whole = !first.is_empty() && !second.is_empty() && !second.contains(separator);
    is_whole.then(|| (first.to_owned(), second.to_owned()))
}

fn subject(text: &str) -> Result<Identity, String> {
    let (kind, name) = text.split_once(':').unwrap_or_default();
    match kind.to_ascii_lowercase().as_str() {
        "user" if !name.is_empty() => Ok(Identity::user(name)),
        "group" if !name.is_empty() => Ok(Identity::group(name)),
        _ => Err(format!(
            "\"{text}\" is no subject: User:jane and Group:ops are"
        )),
    }
}

pub(crate) fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    if arguments
        .filename
        .iter()
        .chain(&arguments.against)
        .filter(|given| *given == "-")
        .count()
        > 1
    {
        return Err(Failure::says(
            Exit::Usage,
            "stdin can be read once: - is given twice",
        ));
    }
    let program = arguments.program()?;
    if arguments.live.live {
        return context.block_on(live::execute(arguments.question(&program)?, context));
    }
    let default = context.namespace().unwrap_or(DEFAULT_NAMESPACE);
    let mut files = 0;
    let model = load(&arguments.filename, default, &mut files)?;
    let runners = arguments.runners(&program, &model, default)?;
    let mut judged = Judged::default();
    for runner in &runners {
        judged.extend(judge(&model, runner));
    }
    let first = Set {
        name: &arguments.filename.join(" "),
        model: &model,
        runners: &runners,
    };
    for given in &arguments.against {
        let findings = compare(arguments, &program, default, &first, given, &mut files)?;
        judged.extend(Judged {
            findings,
            ..Judged::default()
        });
    }
    let judged = judged.sorted();
    for without in &judged.without {
        output::note(without);
    }
    let report = Report {
        profile: program.profile.name.to_string(),
        judged,
        fail_on: arguments.fail_on,
        extent: format!(
            "{} in {}",
            counted(model.objects.count, "object"),
            counted(files, "file")
        ),
    };
    show(&report, &arguments.output)
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// Reads all of several `-f`. What is odd about them is said at once.
fn load(given: &[String], default: &str, files: &mut usize) -> Result<Model, Failure> {
    let mut objects = crate::rbac::manifest::Objects::default();
    let mut read: BTreeSet<&str> = BTreeSet::new();
    for given in given {
        // The same file twice is the same set.
        if !read.insert(given) {
            continue;
        }
        let source: Source = sources::read(given)?;
        for kustomization in &source.kustomizations {
            output::note(&format!(
                "{kustomization} is not applied: kustomize build {given} | gwlock rbac check -f -"
            ));
        }
        *files += source.texts.len();
        objects.extend(read::objects(&source)?);
    }
    let model = Model::new(objects, default);
    for note in &model.objects.notes {
        output::note(note);
    }
    Ok(model)
}

fn compare(
    arguments: &Arguments,
    program: &Program,
    default: &str,
    first: &Set<'_>,
    given: &str,
    files: &mut usize,
) -> Result<Vec<Finding>, Failure> {
    let model = load(&[given.to_owned()], default, files)?;
    let same = |runner: &Runner<'_>| {
        Runner::of_identity(
            program,
            runner.who.clone(),
            default,
            &arguments.namespaces(),
        )
    };
    let runners = match arguments.runners(program, &model, default) {
        Ok(runners) => runners,
        // A set of roles alone is compared for the same subject.
        Err(_) => first.runners.iter().map(same).collect(),
    };
    let other = Set {
        name: given,
        model: &model,
        runners: &runners,
    };
    Ok(parity::compare(first, &other))
}

impl Arguments {
    fn program(&self) -> Result<Program, Failure> {
        super::program(
            &self.profile,
            self.gateway_version,
            self.profile_file.as_deref(),
        )
    }

    /// The flags that say which program it is, each behind a space.
    fn profile_flags(&self) -> String {
        match &self.profile_file {
            Some(path) => format!(
                " --profile-file {}",
                shell_word(&path.display().to_string())
            ),
            None if self.gateway_version == Version::January => {
                format!(" --profile {} --gateway-version january", self.profile)
            }
            None => format!(" --profile {}", self.profile),
        }
    }

    /// What the cluster is asked.
    fn question<'a>(&'a self, program: &'a Program) -> Result<live::Question<'a>, Failure> {
        let output = match &self.output {
            Output::Text => &Format::Table,
            Output::Data(format) => format,
            Output::Sarif | Output::Junit | Output::Github => {
                return Err(Failure::says(
                    Exit::Usage,
                    "these formats name files, and --live reads none: -o table, json and yaml are for it",
                ));
            }
        };
        Ok(live::Question {
            program,
            profile_flags: self.profile_flags(),
            account: self.serviceaccount.as_ref(),
            lock_namespace: self.lock_namespace.as_deref(),
            controller_namespace: self.controller_namespace.as_deref(),
            why: self.live.why,
            fail_on: self.fail_on,
            output,
        })
    }

    fn namespaces(&self) -> Namespaces {
        Namespaces {
            lock: self.lock_namespace.clone(),
            controller: self.controller_namespace.clone(),
        }
    }

    /// The places of the program in a set.
    fn runners<'a>(
        &self,
        program: &'a Program,
        model: &'a Model,
        default: &str,
    ) -> Result<Vec<Runner<'a>>, Failure> {
        let said = self.namespaces();
        let account = self.serviceaccount.as_ref();
        let account = account.map(|(namespace, name)| Identity::account(namespace, name));
        if let Some(who) = account.or_else(|| self.subject.clone()) {
            // Whatever runs as this account says where the locks are.
            let runs_as = |workload: &&'a crate::rbac::manifest::Workload| {
                let namespace = workload.meta.namespace.as_deref().unwrap_or_default();
                Identity::account(namespace, workload.account_name()) == who
            };
            let own: Vec<Runner<'a>> = model
                .objects
                .workloads
                .iter()
                .filter(runs_as)
                .map(|workload| Runner::of_workload(program, workload, &said))
                .collect();
            if !own.is_empty() {
                return Ok(own);
            }
            return Ok(vec![Runner::of_identity(program, who, default, &said)]);
        }
        let workloads = match &self.workload {
            None => place::workloads_of(program, model),
            Some((kind, name)) => {
                let mut workloads = model.objects.workloads.iter().collect::<Vec<_>>();
                workloads.retain(|workload| {
                    workload.meta.kind.eq_ignore_ascii_case(kind) && workload.meta.name == *name
                });
                if workloads.is_empty() {
                    return Err(no_such_workload(kind, name, model));
                }
                workloads
            }
        };
        if workloads.is_empty() {
            return Err(no_workload(model));
        }
        let runner = |workload| Runner::of_workload(program, workload, &said);
        Ok(workloads.into_iter().map(runner).collect())
    }
}

fn no_such_workload(kind: &str, name: &str, model: &Model) -> Failure {
    let failure = Failure::says(Exit::BadInput, format!("no {kind} {name} in the files"));
    match model.objects.workloads.first() {
        None => failure.hint("--serviceaccount NAMESPACE:NAME checks roles without a workload"),
        Some(workload) => failure.hint(format!(
            "--workload {}/{}",
            workload.meta.kind, workload.meta.name
        )),
    }
}

fn no_workload(model: &Model) -> Failure {
    let failure = Failure::says(
        Exit::BadInput,
        "no workload in the files, so that nobody knows whose rights are meant",
    );
    let accounts = model.objects.accounts.iter();
    let mut accounts = accounts.map(|it| {
        (
            it.meta.namespace.as_deref().unwrap_or_default(),
            &it.meta.name,
        )
    });
    match accounts.next() {
        Some((namespace, name)) => failure.hint(format!("--serviceaccount {namespace}:{name}")),
        None => failure.hint("--serviceaccount NAMESPACE:NAME"),
    }
}

fn show(report: &Report, format: &Output) -> Result<Exit, Failure> {
    let exit = if report.fails() { Exit::No } else { Exit::Done };
    match format {
        Output::Data(format) => format.show(&report.value())?,
        Output::Sarif => Format::Json.show(&sarif::value(report))?,
        Output::Junit => output::data(&junit::text(report))?,
        Output::Github => {
            output::data(&github::text(report))?;
            output::note(&report.summary());
        }
        Output::Text => {
            output::data(&report.text())?;
            if exit == Exit::No {
                return Err(Failure::says(exit, report.summary()));
            }
            output::data(&report.summary())?;
        }
    }
    Ok(exit)
}

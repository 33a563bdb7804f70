//! `gwlock run`.

mod status;
mod supervise;

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueHint};
use gwlock_engine::client::{AcquireError, LeaseGuard, LeaseLock};
use gwlock_engine::protocol::hold::Loss;
use gwlock_engine::protocol::key::LeaseName;
use gwlock_engine::protocol::release::Released;
use gwlock_engine::protocol::timing::Timing;
use rustix::process::Signal;

use super::acquire;
use super::claim::{self, TimingArguments};
use super::key::KeyArguments;
use crate::context::{Cluster, Context};
use crate::exit::Exit;
use crate::failure::{Failure, missing_rule};
use crate::flags::{DryRun, DryRunFlag, duration};
use crate::output::{self, progress};
use crate::process::{Group, How, Signals, parse};

use status::{State, Status};
use supervise::{Plan, supervise};

/// After a loss the release is a courtesy; whoever called is not kept waiting for it.
const RELEASE_AFTER_LOSS: Duration = Duration::from_secs(2);

/// Hold a lease while a command runs
///
/// The command runs in a process group of its own, without a shell, with this stdin, stdout and stderr. The lease is
/// renewed while it runs and released when the group is gone; what the command leaves behind in its group is killed
/// when it ends. When the lease is lost, or cannot be renewed, the group gets --signal, and KILL before somebody else can
/// hold the lease; a guard process does so if gwlock itself is killed or stopped. Not reached are processes that leave
/// the group (setsid), and nothing helps when gwlock and its guard are frozen together.
///
/// The command finds GWLOCK_LEASE, GWLOCK_NAMESPACE, GWLOCK_HOLDER and GWLOCK_FENCING_TOKEN in its environment. POSIX
/// signals are passed on to it, and its exit code is that of gwlock. A dry run does not run it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gwlock run nightly-backup -- pg_dump -f /backup/db.sql
  gwlock run nightly-backup --wait 0 -E 0 -- ./backup.sh
  gwlock run prod/Deployment/payment-api -- kubectl rollout restart deployment/payment-api")]
pub(crate) struct Arguments {
    #[command(flatten)]
    key: KeyArguments,
    #[command(flatten)]
    timing: TimingArguments,
    /// How long to wait for a lease that somebody holds; 0 tries once. The default outlives a crashed holder
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "35s")]
    wait: Duration,
    /// Exit code when the lease is busy, instead of 75
    #[arg(short = 'E', long, value_name = "CODE")]
    busy_exit_code: Option<u8>,
    /// What the command is asked to end with when the lease is lost: TERM, INT, HUP, QUIT, USR1, USR2, ABRT, KILL
    #[arg(long, value_name = "SIGNAL", value_parser = parse, default_value = "TERM")]
    signal: Signal,
    /// How long after --signal it is killed [default: half of what is left of the lease at the renew deadline]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    kill_after: Option<Duration>,
    /// Keep what is going on in this file, as JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    status_file: Option<PathBuf>,
    /// Who acquires [default: $POD_NAME, user@host]; a nonce is appended
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    identity: Option<String>,
    #[command(flatten)]
    dry_run: DryRunFlag,
    /// The command and its arguments, behind --
    #[arg(last = true, required = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    command: Vec<OsString>,
}

pub(crate) async fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let name = arguments.key.lease()?;
    let timing = arguments.timing.timing()?;
    let kill_after = arguments.kill_after(timing)?;
    let cluster = context.cluster().await?;
    let base = Context::identity(arguments.identity.as_deref());
    let mut builder = claim::builder(&cluster, &cluster.namespace, name.clone(), &base, timing);
    match arguments.dry_run.mode {
        DryRun::Client => return arguments.would_run(&name, &base, &cluster),
        DryRun::Server => builder = builder.dry_run(),
        DryRun::None => {}
    }
    let lock = builder.build();
    let mut signals = Signals::listen().map_err(|error| Failure::new(Exit::Bug, error))?;
    let path = arguments
        .status_file
        .as_deref()
        .filter(|_| arguments.dry_run.mode == DryRun::None);
    let mut status = Status::start(path, &name, &cluster.namespace)?;
    let run = Run {
        arguments,
        name: &name,
        cluster: &cluster,
        timing,
        kill_after,
    };
    let ended = match run.acquire(&lock, &mut signals).await {
        Ok(Ok(guard)) if arguments.dry_run.mode == DryRun::Server => {
            let _ = guard.leave().await;
            return arguments.would_run(&name, &base, &cluster);
        }
        Ok(Ok(guard)) => run.guarded(guard, &mut signals, &mut status).await,
        Ok(Err(cancelled)) => Ok(cancelled),
        Err(failure) => Err(failure),
    };
    status.end(match &ended {
        Ok(exit) => *exit,
        Err(failure) => failure.exit,
    });
    ended
}

impl Arguments {
    /// How long after the request to end the group is killed: before the lease can expire.
    fn kill_after(&self, timing: Timing) -> Result<Duration, Failure> {
        let left = timing
            .lease_duration()
            .saturating_sub(timing.renew_deadline());
        let latest = left * 9 / 10;
        match self.kill_after {
            Some(given) if given > latest => Err(Failure::says(
                Exit::Config,
                format!(
                    "--kill-after {given:?} is too late: the lease expires {left:?} after the renew deadline, and the command has to be dead before"
                ),
            )
            .hint(format!(
                "--kill-after can be up to {latest:?}, and more with an earlier --renew-deadline or a longer --lease-duration"
            ))),
            Some(given) => Ok(given),
            None => Ok(left / 2),
        }
    }

    fn would_run(&self, name: &LeaseName, base: &str, cluster: &Cluster) -> Result<Exit, Failure> {
        let words: Vec<_> = self
            .command
            .iter()
            .map(|word| word.to_string_lossy())
            .collect();
        output::data(&format!(
            "lease.coordination.k8s.io/{name} would be acquired by {base} in {}, to run {words:?}{}",
            cluster.namespace,
            self.dry_run.mode.suffix()
        ))?;
        Ok(Exit::Done)
    }
}

/// One call.
struct Run<'a> {
    arguments: &'a Arguments,
    name: &'a LeaseName,
    cluster: &'a Cluster,
    timing: Timing,
    kill_after: Duration,
}

impl Run<'_> {
    /// The lease, or how the wait was given up.
    async fn acquire(
        &self,
        lock: &LeaseLock,
        signals: &mut Signals,
    ) -> Result<Result<LeaseGuard, Exit>, Failure> {
        let namespace = &self.cluster.namespace;
        let waiting = progress::waiting(format!("waiting for {} in {namespace}", self.name));
        let acquired = tokio::select! {
            acquired = lock.acquire(self.arguments.wait) => Ok(acquired),
            number = signals.interrupted() => Err(number),
        };
        drop(waiting);
        match acquired {
            Ok(acquired) => acquired
                .map(Ok)
                .map_err(|error: AcquireError| self.not_acquired(error)),
            Err(number) => {
                output::note("cancelled; undoing what was half made");
                tokio::select! {
                    () = lock.settled() => {}
                    _ = signals.interrupted() => {}
                }
                Ok(Err(Exit::Signal(number)))
            }
        }
    }

    fn not_acquired(&self, error: AcquireError) -> Failure {
        let busy = self
            .arguments
            .busy_exit_code
            .map_or(Exit::Busy, Exit::BusyAs);
        let duration = self.timing.lease_duration();
        acquire::failure(
            error,
            busy,
            duration,
            self.name,
            &self.cluster.namespace,
            None,
        )
    }

    /// Runs the command, and gives the lease back when its group is gone.
    async fn guarded(
        &self,
        guard: LeaseGuard,
        signals: &mut Signals,
        status: &mut Status<'_>,
    ) -> Result<Exit, Failure> {
        let ran = self.run(&guard, signals, status).await;
        let is_lost = matches!(&ran, Err(failure) if failure.exit == Exit::Lost);
        let releasing = guard.release();
        let released = tokio::select! {
            released = releasing => Some(released),
            () = tokio::time::sleep(RELEASE_AFTER_LOSS), if is_lost => None,
            _ = signals.interrupted() => None,
        };
        if !is_lost {
            self.tell(released);
        }
        ran
    }

    async fn run(
        &self,
        guard: &LeaseGuard,
        signals: &mut Signals,
        status: &mut Status<'_>,
    ) -> Result<Exit, Failure> {
        let plan = Plan {
            ask: self.arguments.signal,
            kill_after: self.kill_after,
            tick: self.timing.lease_duration() / 60,
            renew_deadline: self.timing.renew_deadline(),
        };
        let mut group = Group::start(plan.ask, plan.kill_after)
            .await
            .map_err(|error| {
                let error = anyhow::Error::new(error).context("cannot start the guard process");
                Failure::new(Exit::NotExecutable, error)
            })?;
        let supervised = supervise(guard, &mut group, &plan, signals, |group| {
            let mut command = self.command(guard);
            let pid = group.spawn(&mut command)?;
            tracing::info!(lease = %self.name, pid = pid.as_raw_nonzero(), "running {:?}", command.get_program());
            status.set(State::Running, |status| status.runs(guard, pid));
            Ok(pid)
        })
        .await;
        let supervised = supervised.map_err(|error| self.not_started(error))?;
        match (supervised.loss, supervised.how) {
            (Some(loss), how) => Err(self.lost(&loss, how)),
            (None, Some(How::Exited(code))) => Ok(Exit::Child(code)),
            (None, Some(How::Signalled(number))) => Ok(Exit::Signal(number)),
            (None, None) => Err(Failure::says(Exit::Bug, "the command's end was not seen")),
        }
    }

    fn command(&self, guard: &LeaseGuard) -> Command {
        let (program, words) = self
            .arguments
            .command
            .split_first()
            .unwrap_or_else(|| unreachable!("clap requires a command"));
        let mut command = Command::new(program);
        command
            .args(words)
            .env("GWLOCK_LEASE", self.name.as_str())
            .env("GWLOCK_NAMESPACE", &self.cluster.namespace)
            .env("GWLOCK_HOLDER", guard.identity().to_string())
            .env("GWLOCK_FENCING_TOKEN", guard.fencing_token().as_str());
        command
    }

    fn not_started(&self, error: std::io::Error) -> Failure {
        let program = self.arguments.command[0].to_string_lossy().into_owned();
        let (exit, hint) = match error.kind() {
            ErrorKind::NotFound => (
                Exit::NotFound,
                "no shell is involved: for a shell's words use -- sh -c '…'",
            ),
            _ => (
                Exit::NotExecutable,
                "it has to be an executable file; a script needs a first line such as #!/bin/sh",
            ),
        };
        let error = anyhow::Error::new(error).context(format!("cannot run {program}"));
        Failure::new(exit, error).hint(hint)
    }

    fn lost(&self, loss: &Loss, how: Option<How>) -> Failure {
        let namespace = &self.cluster.namespace;
        let command = match how {
            None => "the command was not started".to_owned(),
            Some(How::Exited(code)) => format!("the command ended with exit code {code}"),
            Some(How::Signalled(number)) => format!("the command was ended by signal {number}"),
        };
        let message = format!("{} in {namespace} was lost: {loss}; {command}", self.name);
        Failure::says(Exit::Lost, message).run(
            format!("inspect {} -n {namespace}", self.name),
            "who holds it now",
        )
    }

    /// The command is over, so what became of the lease changes no exit code.
    fn tell(&self, released: Option<Released>) {
        let trouble = match released {
            Some(Released::Deleted | Released::AlreadyGone) => {
                tracing::info!(lease = %self.name, "released");
                return;
            }
            Some(Released::NotOurs(record)) => {
                format!("it is held by {}", record.holder().unwrap_or("nobody"))
            }
            Some(Released::Refused(refusal)) => refusal.message,
            Some(Released::Unreachable(message) | Released::Unknown(message)) => message,
            None => "interrupted".to_owned(),
        };
        output::note(&output::escape::escape(&format!(
            "warning: {} was not released and expires by itself: {trouble}",
            self.name
        )));
        if let Some(rule) = missing_rule(&trouble) {
            output::note(&format!("hint: {rule}"));
        }
    }
}

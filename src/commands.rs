//! The subcommands, a file each.

pub(crate) mod acquire;
mod asked;
pub(crate) mod bench;
pub(crate) mod claim;
pub(crate) mod completion;
pub(crate) mod consent;
pub(crate) mod dedup;
pub(crate) mod doctor;
pub(crate) mod force_expire;
mod gather;
pub(crate) mod gc;
pub(crate) mod inspect;
pub(crate) mod key;
#[cfg(feature = "sim")]
pub(crate) mod lab;
pub(crate) mod processing;
pub(crate) mod rbac;
pub(crate) mod release;
pub(crate) mod renew;
mod requests;
pub(crate) mod resolve;
pub(crate) mod run;
pub(crate) mod send;
#[cfg(feature = "serve")]
pub(crate) mod serve;
mod served;
#[cfg(feature = "sim")]
pub(crate) mod simulate;
#[cfg(feature = "sim")]
pub(crate) mod tune;
pub(crate) mod verify;

use crate::cli::{Cli, Command};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// Runs one command to its end.
pub(crate) fn run(cli: Cli) -> Result<Exit, Failure> {
    let context = Context::new(cli.global);
    match cli.command {
        Command::Acquire(arguments) => context.block_on(acquire::execute(&arguments, &context)),
        Command::Renew(arguments) => context.block_on(renew::execute(&arguments, &context)),
        Command::Release(arguments) => context.block_on(release::execute(&arguments, &context)),
        Command::Verify(arguments) => context.block_on(verify::execute(&arguments, &context)),
        Command::Run(arguments) => context.block_on(run::execute(&arguments, &context)),
        Command::ForceExpire(arguments) => {
            context.block_on(force_expire::execute(&arguments, &context))
        }
        Command::Gc(arguments) => context.block_on(gc::execute(&arguments, &context)),
        Command::Inspect(arguments) => context.block_on(inspect::execute(&arguments, &context)),
        Command::Resolve(arguments) => context.block_on(resolve::execute(&arguments, &context)),
        Command::Send(arguments) => context.block_on(send::execute(&arguments, &context)),
        Command::Dedup(arguments) => context.block_on(dedup::execute(&arguments, &context)),
        Command::Doctor(arguments) => context.block_on(doctor::execute(&arguments, &context)),
        Command::Rbac(arguments) => rbac::execute(&arguments, &context),
        #[cfg(feature = "serve")]
        Command::Serve(arguments) => context.block_on(serve::execute(&arguments, &context)),
        #[cfg(feature = "sim")]
        Command::Simulate(arguments) => simulate::execute(&arguments, &context),
        #[cfg(feature = "sim")]
        Command::Tune(arguments) => context.block_on(tune::execute(&arguments, &context)),
        #[cfg(feature = "sim")]
        Command::Lab(arguments) => context.block_on(lab::execute(&arguments)),
        Command::Bench(arguments) => context.block_on(bench::execute(&arguments, &context)),
        Command::Completion(arguments) => completion::execute(&arguments),
    }
}

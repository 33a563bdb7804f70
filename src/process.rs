//! Child supervision: a command in a process group of its own, or a replica, which do not outlive whoever runs them.
//!
//! Nothing here knows of leases or servers; deadlines come in as moments of the machine's clock.

mod group;
pub(crate) mod guard;
#[cfg(all(feature = "serve", feature = "sim"))]
pub(crate) mod replica;
mod signals;
mod terminal;

pub(crate) use group::{Change, Group, How};
pub(crate) use guard::Deadlines;
pub(crate) use signals::{Received, Signals, parse};
pub(crate) use terminal::Terminal;

/// The program of this process, also when its file has been replaced meanwhile.
pub(crate) const THIS_PROGRAM: &str = "/proc/self/exe";

//! Every exit code: its number, its reason in JSON errors, and what it means. Nothing else names a number.
//!
//! The README's table and the EXIT STATUS of the man pages are made from here.

/// How gwlock ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or yes.
    Done,
    /// The answer is no.
    No,
    /// Wrong usage.
    Usage,
    /// Input that cannot be used.
    BadInput,
    /// No answer in time.
    Unreachable,
    /// A bug.
    Bug,
    /// Somebody holds the lease.
    Busy,
    /// A code that the user chose for "busy".
    BusyAs(u8),
    /// Nobody knows whether a write happened.
    Unknown,
    /// Not allowed.
    Forbidden,
    /// Settings that cannot work.
    Config,
    /// The lease was lost while a command ran.
    Lost,
    /// A command could not be executed.
    NotExecutable,
    /// A command was not found.
    NotFound,
    /// Ended by a POSIX signal.
    Signal(u8),
    /// The command's own code.
    Child(u8),
}

/// One line of the documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documented {
    /// The number, or how it is made: `75`, `128+n`.
    pub code: String,
    /// The `reason` of JSON errors.
    pub reason: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

/// Stands for any signal where the codes are listed.
const ANY_SIGNAL: Exit = Exit::Signal(0);
/// Stands for any code of a command where the codes are listed.
const ANY_CHILD: Exit = Exit::Child(0);

impl Exit {
    /// All of them, in the order of the documentation. [`Exit::BusyAs`] is documented with [`Exit::Busy`].
    pub const ALL: [Self; 15] = [
        Self::Done,
        Self::No,
        Self::Usage,
        Self::BadInput,
        Self::Unreachable,
        Self::Bug,
        Self::Busy,
        Self::Unknown,
        Self::Forbidden,
        Self::Config,
        Self::Lost,
        Self::NotExecutable,
        Self::NotFound,
        ANY_SIGNAL,
        ANY_CHILD,
    ];

    /// What a process of gwlock meant that ended with this number, unless that is the code of a command or a signal.
    #[must_use]
    pub fn of(code: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .filter(|exit| !matches!(exit, Self::Signal(_) | Self::Child(_)))
            .find(|exit| exit.code() == code)
    }

    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::Usage => 2,
            Self::BadInput => 65,
            Self::Unreachable => 69,
            Self::Bug => 70,
            Self::Busy => 75,
            Self::Unknown => 76,
            Self::Forbidden => 77,
            Self::Config => 78,
            Self::Lost => 79,
            Self::NotExecutable => 126,
            Self::NotFound => 127,
            Self::Signal(number) => 128u8.saturating_add(number),
            Self::BusyAs(code) | Self::Child(code) => code,
        }
    }

    /// The `reason` of JSON errors.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Done => "Done",
            Self::No => "No",
            Self::Usage => "Usage",
            Self::BadInput => "BadInput",
            Self::Unreachable => "Unreachable",
            Self::Bug => "Bug",
            Self::Busy | Self::BusyAs(_) => "LeaseBusy",
            Self::Unknown => "OutcomeUnknown",
            Self::Forbidden => "Forbidden",
            Self::Config => "Configuration",
            Self::Lost => "LeaseLost",
            Self::NotExecutable => "NotExecutable",
            Self::NotFound => "NotFound",
            Self::Signal(_) => "Signal",
            Self::Child(_) => "Command",
        }
    }

    /// What it means, for the documentation.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done, yes",
            Self::No => {
                "the answer is no: no such lease, not held by you, claim no longer stands, signal rejected, access missing, violation found, target missed"
            }
            Self::Usage => "wrong usage",
            Self::BadInput => "bad input: key, payload, manifest, handle file",
            Self::Unreachable => "API server or gateway not reachable in time",
            Self::Bug => "a bug in gwlock",
            Self::Busy | Self::BusyAs(_) => "lease busy, or the wait ran out; -E N changes it",
            Self::Unknown => "outcome of a write unknown",
            Self::Forbidden => "forbidden or unauthorised",
            Self::Config => "configuration: kubeconfig, contradicting settings, a cluster too old",
            Self::Lost => "lease lost while the command ran",
            Self::NotExecutable => "command not executable",
            Self::NotFound => "command not found",
            Self::Signal(_) => "ended by POSIX signal n",
            Self::Child(_) => "the command's own",
        }
    }

    /// The documentation of every code.
    pub fn documentation() -> impl Iterator<Item = Documented> {
        Self::ALL.into_iter().map(|exit| Documented {
            code: match exit {
                ANY_SIGNAL => "128+n".to_owned(),
                ANY_CHILD => "other".to_owned(),
                _ => exit.code().to_string(),
            },
            reason: exit.reason(),
            meaning: exit.meaning(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_codes_are_the_same() {
        let documented: Vec<Documented> = Exit::documentation().collect();
        let codes: HashSet<&str> = documented.iter().map(|line| line.code.as_str()).collect();
        let reasons: HashSet<&str> = documented.iter().map(|line| line.reason).collect();
        assert_eq!(
            (codes.len(), reasons.len()),
            (Exit::ALL.len(), Exit::ALL.len())
        );
    }

    #[test]
    fn signals_and_chosen_codes_are_passed_on() {
        assert_eq!(Exit::Signal(2).code(), 130);
        assert_eq!(Exit::Signal(15).code(), 143);
        assert_eq!(Exit::BusyAs(9).code(), 9);
        assert_eq!(Exit::BusyAs(9).reason(), "LeaseBusy");
        assert_eq!(Exit::Child(3).code(), 3);
    }
}
